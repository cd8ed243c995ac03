//! `dsg validate-chain`: one changed byte anywhere is found, and what it means is said.

use std::fs;
use std::path::{Path, PathBuf};

use testkit::cli::{Person, World};

const DSG: &str = env!("CARGO_BIN_EXE_dsg");

/// Three snapshots, with contents that are no longer at a path of the newest.
fn three_snapshots() -> (World, Person, Person) {
    let (world, alice, bob) = World::started(DSG, &[("input/a", "first"), ("input/b", "stays")]);
    for text in ["second", "third"] {
        alice.write("input/a", text);
        alice.run(&["sync"]).succeeded();
    }
    (world, alice, bob)
}

/// Changes one byte of a file; what it was comes back.
fn flip(path: &Path, at: usize) -> Vec<u8> {
    let whole = fs::read(path).expect("read");
    let mut changed = whole.clone();
    changed[at] ^= 1;
    fs::write(path, changed).expect("written");
    whole
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<_> =
        fs::read_dir(folder).expect("listed").flatten().map(|e| e.path()).collect();
    found.sort();
    found
}

#[test]
fn a_whole_history_is_valid() {
    let (world, alice, _) = three_snapshots();
    alice.run(&["validate-chain"]).succeeded().says("✓ the chain with all contents: 3 documents");
    alice.run(&["validate-chain", "--quick"]).succeeded().says("0 contents");
    let value = alice.run(&["validate-chain", "--json"]).succeeded().json();
    assert_eq!((&value["snapshots"], &value["contents"]), (&3.into(), &4.into()));
    assert_eq!(value["damage"], serde_json::json!([]));
    // Without a project, by somebody who never said who they are.
    let manager = world.stranger("manager");
    manager.run(&["validate-chain", "--repository", world.repository()]).succeeded();
    manager.run(&["validate-chain"]).ended(6);
    manager.run(&["validate-chain", "--repository", world.repositories()]).ended(7);
}

#[test]
fn one_flipped_byte_is_found_in_every_kind_of_file() {
    let (world, alice, _) = three_snapshots();
    let control = world.path("repositories/SV/.dsg-repository");
    let mut damaged: Vec<(PathBuf, &str, &str)> = Vec::new();
    for path in files(&control.join("snapshots")) {
        let is_pack = path.extension().is_some_and(|end| end == "trees");
        damaged.push(match is_pack {
            true => (path, "manifest", "can't be told"),
            false => (path, "document", "histor"),
        });
    }
    for path in files(&control.join("objects")) {
        damaged.push((path, "content", "is lost"));
    }
    for name in ["a", "b"] {
        damaged.push((world.path("repositories/SV/input").join(name), "visible", "dsg doctor"));
    }
    assert_eq!(damaged.len(), 6 + 2 + 2);
    for (path, kind, meaning) in damaged {
        let length = fs::metadata(&path).expect("is there").len() as usize;
        for at in [0, length / 3, length / 2, length - 1] {
            let whole = flip(&path, at);
            let outcome = alice.run(&["validate-chain", "--json"]).ended(8);
            let value = outcome.json();
            let findings = value["damage"].as_array().expect("a list");
            let name = path.file_name().expect("a name").to_string_lossy();
            let own: Vec<_> = findings
                .iter()
                .filter(|one| {
                    one["kind"] == kind
                        && one["file"].as_str().is_some_and(|file| file.ends_with(&*name))
                })
                .collect();
            // A changed document may show at the one after it.
            let shown = if kind == "document" { findings.iter().collect() } else { own };
            assert!(!shown.is_empty(), "{} byte {at}: {value:#}", path.display());
            let told = shown.iter().any(|one| {
                let told = one["meaning"].as_str().unwrap_or_default();
                told.contains(meaning) || (kind == "document" && told.contains("who changed what"))
            });
            assert!(told, "{} byte {at}: {value:#}", path.display());
            fs::write(&path, whole).expect("written back");
        }
    }
    alice.run(&["validate-chain"]).succeeded();
}

#[test]
fn missing_files_are_found_and_told_in_groups() {
    let (world, alice, _) = three_snapshots();
    let repository = world.path("repositories/SV");
    for path in files(&repository.join(".dsg-repository/objects")) {
        fs::remove_file(path).expect("removed");
    }
    fs::remove_file(repository.join("input/b")).expect("removed");
    let outcome = alice.run(&["validate-chain"]).ended(8);
    for part in [
        "Contents of older versions (2)\n  ✗ .dsg-repository/objects/",
        "it is missing\n      the old version input/a of before s2 is lost",
        "Visible files (1)\n  ✗ input/b: ",
        "3 damages in ",
    ] {
        assert!(outcome.stdout.contains(part), "{part}\n{}", outcome.stdout);
    }
    outcome.says("call the data manager");
    alice.run(&["validate-chain", "--quick"]).succeeded();
}

#[test]
fn a_history_that_was_put_back_is_noticed_by_a_project() {
    let (world, alice, _) = three_snapshots();
    let snapshots = world.path("repositories/SV/.dsg-repository/snapshots");
    for name in ["s3", "s3.trees"] {
        fs::remove_file(snapshots.join(name)).expect("removed");
    }
    let quick = ["validate-chain", "--quick"];
    alice
        .run(&quick)
        .ended(8)
        .says("s3 is gone")
        .says("an older copy of the repository was put back");
    let manager = world.stranger("manager");
    manager.run(&[&quick[..], &["--repository", world.repository()]].concat()).succeeded();
}
