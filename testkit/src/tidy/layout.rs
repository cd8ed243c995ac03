//! Rules for where files are: each crate has its front page, each Rust file is compiled, the
//! changelog has a place for the next entry.

use std::collections::BTreeSet;

use super::source::Source;
use super::{Problem, Tree};

/// The line by which a crate's README becomes the front page of its documentation.
const FRONT_PAGE: &str = "#![doc = include_str!(\"../README.md\")]";

/// Crates without README.md, or whose documentation does not start with it.
#[must_use]
pub fn crates_without_front_page(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for directory in tree.crates() {
        let readme = format!("{directory}/README.md");
        if tree.text(&readme).is_none_or(|text| text.trim().is_empty()) {
            problems.push(Problem::new(&readme, 0, "is missing or empty"));
        }
        let roots = ["lib.rs", "main.rs"].map(|name| format!("{directory}/src/{name}"));
        let root = roots.iter().find_map(|root| Some((root, tree.text(root)?)));
        match root {
            Some((_, text)) if text.lines().any(|line| line.trim() == FRONT_PAGE) => {}
            Some((root, _)) => {
                let what = format!("lacks `{FRONT_PAGE}`");
                problems.push(Problem::new(root, 0, what));
            }
            None => problems.push(Problem::new(directory, 0, "has no src/lib.rs or src/main.rs")),
        }
    }
    problems
}

/// Rust files that no crate compiles: a test in such a file never runs and nobody notices.
#[must_use]
pub fn files_never_compiled(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for directory in tree.crates() {
        let reached = reached(tree, directory);
        let lost = tree
            .ending(".rs")
            .map(|(path, _)| path)
            .filter(|path| path.starts_with(&format!("{directory}/")) && !reached.contains(*path));
        problems.extend(lost.map(|path| {
            Problem::new(path, 0, "is never compiled: declare it with `mod` where it belongs")
        }));
    }
    problems
}

/// The files of a crate that cargo finds by itself, and those which they declare.
fn reached<'a>(tree: &'a Tree, directory: &str) -> BTreeSet<&'a str> {
    let manifest = tree.text(&format!("{directory}/Cargo.toml")).unwrap_or_default();
    let found_by_cargo = |path: &str| {
        let Some(inside) = path.strip_prefix(directory).and_then(|rest| rest.strip_prefix('/'))
        else {
            return false;
        };
        let named = manifest.contains(&format!("path = \"{inside}\""));
        let discovered = match inside.split('/').collect::<Vec<_>>()[..] {
            ["build.rs"] | ["src", "lib.rs" | "main.rs"] => true,
            ["src", "bin", _] | ["src", "bin", _, "main.rs"] => true,
            ["tests", _] | ["tests", _, "main.rs"] => !manifest.contains("autotests = false"),
            ["benches" | "examples", _] | ["benches" | "examples", _, "main.rs"] => true,
            _ => false,
        };
        named || discovered
    };
    let mut waiting: Vec<&str> =
        tree.ending(".rs").map(|(path, _)| path).filter(|path| found_by_cargo(path)).collect();
    let mut reached = BTreeSet::new();
    while let Some(path) = waiting.pop() {
        if reached.insert(path) {
            waiting.extend(declared(tree, path));
        }
    }
    reached
}

/// The files of the modules that a file declares.
fn declared<'a>(tree: &'a Tree, path: &str) -> Vec<&'a str> {
    let source = Source::new(tree.text(path).unwrap_or_default());
    let beside = path.rsplit_once('/').map_or("", |(directory, _)| directory);
    // A crate's root and a `mod.rs` have their modules beside them, any other file in a directory
    // of its name. Which of the two it is does not matter for what gets compiled at all.
    let below = path.strip_suffix(".rs").unwrap_or(path);
    let mut candidates = Vec::new();
    for (name, given) in source.modules() {
        match given {
            Some(given) => candidates.push(format!("{beside}/{given}")),
            None => {
                for directory in [beside, below] {
                    candidates.push(format!("{directory}/{name}.rs"));
                    candidates.push(format!("{directory}/{name}/mod.rs"));
                }
            }
        }
    }
    tree.ending(".rs")
        .map(|(path, _)| path)
        .filter(|path| candidates.iter().any(|candidate| candidate == path))
        .collect()
}

/// A changelog without a heading for what is not released.
#[must_use]
pub fn changelog_without_unreleased(tree: &Tree) -> Vec<Problem> {
    let has_it = tree
        .text("CHANGELOG.md")
        .is_some_and(|text| text.lines().any(|line| line.trim_end() == "## [Unreleased]"));
    if has_it {
        return Vec::new();
    }
    vec![Problem::new("CHANGELOG.md", 0, "has no heading `## [Unreleased]`")]
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "[package]\nname = \"a\"\n";

    fn paths(problems: &[Problem]) -> Vec<&str> {
        problems.iter().map(|problem| problem.path.as_str()).collect()
    }

    #[test]
    fn a_crate_shows_its_readme_as_its_front_page() {
        let good = Tree::of(&[
            ("a/Cargo.toml", MANIFEST),
            ("a/README.md", "# a\n"),
            ("a/src/main.rs", "#![doc = include_str!(\"../README.md\")]\nfn main() {}\n"),
        ]);
        assert_eq!(crates_without_front_page(&good), []);
        let bad = Tree::of(&[
            ("a/Cargo.toml", MANIFEST),
            ("a/README.md", " \n"),
            ("a/src/lib.rs", "//! Something else.\n"),
            ("b/Cargo.toml", MANIFEST),
        ]);
        let problems = crates_without_front_page(&bad);
        assert_eq!(paths(&problems), ["a/README.md", "a/src/lib.rs", "b/README.md", "b"]);
    }

    #[test]
    fn a_test_file_that_nobody_declares_is_found() {
        let tree = Tree::of(&[
            ("a/Cargo.toml", MANIFEST),
            ("a/src/lib.rs", "pub mod x;\n// mod lost;\n"),
            ("a/src/x.rs", "#[cfg(test)]\nmod tests;\n"),
            ("a/src/x/tests.rs", ""),
            ("a/src/x/lost.rs", ""),
            ("a/src/lost.rs", ""),
            ("a/tests/top.rs", "#[path = \"top/by_path.rs\"]\nmod by_path;\nmod shared;\n"),
            ("a/tests/top/by_path.rs", ""),
            ("a/tests/top/forgotten.rs", ""),
            ("a/tests/shared/mod.rs", "mod deep;"),
            ("a/tests/shared/deep.rs", ""),
            ("a/tests/own/main.rs", ""),
        ]);
        let problems = files_never_compiled(&tree);
        assert_eq!(
            paths(&problems),
            ["a/src/lost.rs", "a/src/x/lost.rs", "a/tests/top/forgotten.rs"]
        );
    }

    #[test]
    fn without_discovery_a_test_must_be_named() {
        let manifest =
            "[package]\nautotests = false\n[[test]]\nname = \"x\"\npath = \"tests/x.rs\"\n";
        let tree = Tree::of(&[
            ("a/Cargo.toml", manifest),
            ("a/src/lib.rs", ""),
            ("a/tests/x.rs", ""),
            ("a/tests/y.rs", ""),
        ]);
        assert_eq!(paths(&files_never_compiled(&tree)), ["a/tests/y.rs"]);
    }

    #[test]
    fn the_changelog_has_a_place_for_the_next_entry() {
        let good = Tree::of(&[("CHANGELOG.md", "# Changelog\n\n## [Unreleased]\n")]);
        assert_eq!(changelog_without_unreleased(&good), []);
        let bad = Tree::of(&[("CHANGELOG.md", "# Changelog\n\n## [0.1.0]\nUnreleased\n")]);
        assert_eq!(changelog_without_unreleased(&bad).len(), 1);
        assert_eq!(changelog_without_unreleased(&Tree::of(&[])).len(), 1);
    }
}
