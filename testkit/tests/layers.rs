//! The arrows between crates and the code map: what `ARCHITECTURE.md` says is what cargo builds.
//!
//! The document is the only list. A new arrow is drawn there, in the same commit and in sight of
//! a reviewer, or the build stays red.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Crates by their directory from the root, as the document names them.
#[derive(Debug, Default, PartialEq, Eq)]
struct Workspace {
    members: BTreeSet<String>,
    /// What is linked into the product: from, to.
    arrows: BTreeSet<(String, String)>,
    /// What only tests use.
    test_arrows: BTreeSet<(String, String)>,
    /// Crates whose `faults` are on unless someone asks otherwise.
    faulty: BTreeSet<String>,
}

/// The arrows that the document draws.
#[derive(Debug, Default, PartialEq, Eq)]
struct Drawn {
    arrows: BTreeSet<(String, String)>,
    /// Crates that the tests of every crate may use.
    for_tests: BTreeSet<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

fn document() -> String {
    std::fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md")
}

fn metadata() -> Value {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline", "--manifest-path"])
        .arg(root().join("Cargo.toml"))
        .output()
        .expect("cargo");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// Reads cargo's answer.
fn workspace(metadata: &Value) -> Workspace {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let root = text(&metadata["workspace_root"]);
    let inside =
        |place: &str| place.strip_prefix(&root).map(|rest| rest.trim_matches('/').to_owned());
    let mut workspace = Workspace::default();
    for package in metadata["packages"].as_array().expect("packages") {
        let manifest = text(&package["manifest_path"]);
        let from = inside(manifest.trim_end_matches("Cargo.toml")).expect("a member");
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            let Some(to) = dependency["path"].as_str() else {
                continue;
            };
            // A crate from outside the workspace keeps its full path, which no arrow has.
            let arrow = (from.clone(), inside(to).unwrap_or_else(|| to.to_owned()));
            match dependency["kind"].as_str() {
                // Its own tests with another set of its features.
                Some("dev") if arrow.0 == arrow.1 => false,
                Some("dev") => workspace.test_arrows.insert(arrow),
                _ => workspace.arrows.insert(arrow),
            };
        }
        let default = package["features"]["default"].as_array();
        if default.is_some_and(|on| on.iter().any(|name| text(name).contains("faults"))) {
            workspace.faulty.insert(from.clone());
        }
        workspace.members.insert(from);
    }
    workspace
}

/// The directories in the code map: what stands at the start of a line of the first block after
/// its heading.
fn code_map(document: &str) -> BTreeSet<String> {
    let map = document
        .split_once("\n## Code map\n")
        .and_then(|(_, rest)| rest.split("```").nth(1))
        .unwrap_or_default();
    map.lines()
        .filter(|line| !line.starts_with(char::is_whitespace))
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}

/// The arrows of the paragraph that starts with "Arrows": `a → b → c` lets each use all to its
/// right, `a, b → c` is two arrows, and `a ← tests of every crate` is for tests.
fn drawn(document: &str) -> Drawn {
    let paragraph = document.split("\n\n").find(|text| text.starts_with("Arrows")).unwrap_or("");
    let list = paragraph.split_once(": ").map_or("", |(_, list)| list);
    let plain = list.replace(['`', '\n'], " ").replace('.', " ");
    let names = |group: &str| -> Vec<String> {
        group.split(',').map(|name| name.trim().to_owned()).collect()
    };
    let mut drawn = Drawn::default();
    for clause in plain.split(';') {
        if let Some((crates, who)) = clause.split_once('←') {
            assert_eq!(who.trim(), "tests of every crate", "the meaning of `{clause}`");
            drawn.for_tests.extend(names(crates));
            continue;
        }
        let groups: Vec<_> = clause.split('→').map(names).collect();
        for (at, from) in groups.iter().enumerate() {
            for to in groups.iter().skip(at + 1).flatten() {
                drawn.arrows.extend(from.iter().map(|from| (from.clone(), to.clone())));
            }
        }
    }
    drawn
}

/// Arrows that cargo has and the document has not.
fn undrawn(workspace: &Workspace, drawn: &Drawn) -> Vec<String> {
    let built = workspace.arrows.iter().filter(|arrow| !drawn.arrows.contains(arrow));
    let tests = workspace
        .test_arrows
        .iter()
        .filter(|arrow| !drawn.arrows.contains(arrow) && !drawn.for_tests.contains(&arrow.1));
    built
        .map(|(from, to)| format!("{from} → {to}"))
        .chain(tests.map(|(from, to)| format!("tests of {from} → {to}")))
        .collect()
}

#[test]
fn no_crate_uses_another_without_an_arrow() {
    assert_eq!(undrawn(&workspace(&metadata()), &drawn(&document())), [""; 0]);
}

#[test]
fn the_code_map_names_the_crates_that_there_are() {
    assert_eq!(code_map(&document()), workspace(&metadata()).members);
}

#[test]
fn every_end_of_an_arrow_is_a_crate() {
    let (drawn, members) = (drawn(&document()), workspace(&metadata()).members);
    assert!(!drawn.arrows.is_empty() && !drawn.for_tests.is_empty());
    let ends = drawn.arrows.iter().flat_map(|(from, to)| [from, to]).chain(&drawn.for_tests);
    let unknown: Vec<_> = ends.filter(|end| !members.contains(*end)).collect();
    assert_eq!(unknown, [""; 0]);
}

#[test]
fn nobody_gets_faults_without_asking() {
    assert_eq!(workspace(&metadata()).faulty, BTreeSet::new());
}

/// What the tests below check the checkers with.
mod example {
    pub(crate) const DOCUMENT: &str = "# Architecture\n\n## Code map\n\n```\nfloor/a   the top\n  part   of it\nb   \
        the ground\n```\n\nArrows, and no others (a test): `floor/a → floor/b →\nfloor/c`; `floor/a`, `d → e`;\n\
        `kit ← tests of every crate`.\n\n## More\n";

    pub(crate) fn metadata(from: &str, to: &str, kind: Option<&str>) -> serde_json::Value {
        serde_json::json!({
            "workspace_root": "/x",
            "packages": [{
                "manifest_path": format!("/x/{from}/Cargo.toml"),
                "features": { "default": ["std", "store/faults"] },
                "dependencies": [
                    { "name": "serde", "kind": null },
                    { "name": "other", "kind": kind, "path": to },
                ],
            }],
        })
    }
}

fn pairs(pairs: &[(&str, &str)]) -> BTreeSet<(String, String)> {
    pairs.iter().map(|&(from, to)| (from.to_owned(), to.to_owned())).collect()
}

#[test]
fn the_document_is_read_as_it_is_meant() {
    let drawn = drawn(example::DOCUMENT);
    let expected = [
        ("floor/a", "floor/b"),
        ("floor/a", "floor/c"),
        ("floor/b", "floor/c"),
        ("floor/a", "e"),
        ("d", "e"),
    ];
    assert_eq!(drawn.arrows, pairs(&expected));
    assert_eq!(drawn.for_tests, BTreeSet::from(["kit".to_owned()]));
    let map: Vec<_> = code_map(example::DOCUMENT).into_iter().collect();
    assert_eq!(map, ["b", "floor/a"]);
}

#[test]
fn an_arrow_that_is_not_drawn_is_found() {
    let drawn = drawn(example::DOCUMENT);
    let found =
        |from, to, kind| undrawn(&workspace(&example::metadata(from, to, kind)), &drawn).join("; ");
    assert_eq!(found("floor/a", "/x/floor/c", None), "");
    assert_eq!(found("floor/c", "/x/floor/a", None), "floor/c → floor/a");
    assert_eq!(found("floor/c", "/x/floor/a", Some("dev")), "tests of floor/c → floor/a");
    assert_eq!(found("floor/c", "/x/kit", Some("dev")), "");
    assert_eq!(found("floor/c", "/x/kit", None), "floor/c → kit");
    assert_eq!(found("floor/c", "/x/kit", Some("build")), "floor/c → kit");
    assert_eq!(found("floor/a", "/elsewhere/b", None), "floor/a → /elsewhere/b");
}

#[test]
fn faults_that_are_on_are_found() {
    let workspace = workspace(&example::metadata("floor/a", "/x/floor/b", None));
    assert_eq!(workspace.faulty, BTreeSet::from(["floor/a".to_owned()]));
}
