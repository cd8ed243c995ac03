//! `dsg clean`.

use testkit::cli::{Person, World};

const DSG: &str = env!("CARGO_BIN_EXE_dsg");
const BACKUP: &str = "input/a~20250713T165322-0700~";

/// A backup, something in the trash, something unfinished, a list of conflicts.
fn full() -> (World, Person, Person) {
    let (world, alice, bob) = World::started(DSG, &[("input/a", "1"), ("input/b", "12")]);
    bob.write("input/a", "new");
    bob.remove("input/b");
    bob.run(&["sync"]).succeeded();
    alice.run(&["sync"]).succeeded();
    alice.write(BACKUP, "123");
    alice.write("input/a~backup~", "no backup name");
    alice.write(".dsg/tx/tx-0011223344556677/0-0", "left over");
    alice.write("conflicts.txt", "choose");
    (world, alice, bob)
}

fn targets(person: &Person, arguments: &[&str]) -> Vec<String> {
    let value = person.run(&[&["clean", "--json"][..], arguments].concat()).succeeded().json();
    let items = value["items"].as_array().expect("a list");
    items.iter().map(|item| item["target"].as_str().expect("a text").to_owned()).collect()
}

#[test]
fn without_yes_nothing_goes_and_sizes_are_shown() {
    let (_world, alice, _) = full();
    let outcome = alice.run(&["clean"]).succeeded().says("nothing was changed; --yes removes it");
    for part in [
        "Would be removed (2)",
        "so this is the only copy (2)",
        BACKUP,
        "conflicts.txt",
        ".dsg/tx/tx-0011223344556677",
        "could be removed",
    ] {
        assert!(outcome.stdout.contains(part), "{part}\n{}", outcome.stdout);
    }
    alice.run(&["clean", "--unique"]).succeeded().says("Would be removed (4)");
    let value = alice.run(&["clean", "--unique", "--json"]).succeeded().json();
    assert_eq!((&value["dry_run"], &value["bytes"]), (&true.into(), &(3 + 3 + 9 + 6).into()));
    assert!(alice.has(BACKUP) && alice.has("conflicts.txt"));
}

#[test]
fn with_yes_what_was_shown_goes() {
    let (_world, alice, _) = full();
    let shown = targets(&alice, &[]);
    assert_eq!(targets(&alice, &["--yes"]), shown);
    assert!(alice.has(BACKUP) && alice.has("conflicts.txt"), "may be the only copy");
    assert!(!alice.has(".dsg/tx/tx-0011223344556677/0-0"));
    assert!(alice.has(".dsg/tx/tx-0011223344556677"), "finds what it left on the server");
    assert!(alice.has("input/a~backup~"));
    alice.run(&["clean"]).succeeded().says("Nothing to clean");
    alice.run(&["clean", "--no-dry-run"]).succeeded().says("Nothing to clean");
    for target in ["backups", "conflicts"] {
        assert_eq!(targets(&alice, &["--target", target, "--yes"]), [target]);
    }
    assert!(!alice.has(BACKUP) && !alice.has("conflicts.txt"));
    alice.remove("input/a~backup~");
    alice.run(&["status"]).succeeded().says("up to date");
}

#[test]
fn a_target_is_cleaned_alone_and_an_unknown_one_is_wrong_usage() {
    let (_world, alice, _) = full();
    for target in ["backups", "trash", "temp", "conflicts"] {
        assert_eq!(targets(&alice, &["--target", target]), [target]);
    }
    alice.run(&["clean", "--target", "backups", "--yes"]).succeeded().says("Removed (1)");
    assert!(!alice.has(BACKUP) && alice.has("conflicts.txt"));
    alice.run(&["clean", "--target", "cache"]).ended(2).says("backups");
}

#[test]
fn work_that_is_nowhere_else_stays_unless_it_is_asked_for() {
    let (_world, alice, bob) = World::started(DSG, &[("input/a", "1")]);
    bob.write("input/a", "by bob");
    bob.run(&["sync"]).succeeded();
    alice.write("input/a", "alice's own");
    alice.run(&["sync"]).ended(3);
    alice.run(&["resolve", "input/a", "--remote"]).succeeded();
    alice.run(&["sync", "--no-backup"]).succeeded();
    alice.run(&["clean", "--yes"]).succeeded().says("Kept: nowhere in the history");
    alice.write("input/a", "alice again");
    bob.write("input/a", "bob again");
    bob.run(&["sync"]).succeeded();
    alice.run(&["sync"]).ended(3);
    alice.run(&["resolve", "input/a", "--remote"]).succeeded();
    alice.run(&["sync"]).succeeded();
    alice.run(&["clean", "--yes"]).succeeded().says("--target backups");
    let beside = |person: &Person| -> Vec<String> {
        let names = std::fs::read_dir(person.project().join("input")).expect("lists");
        let names =
            names.map(|entry| entry.expect("one").file_name().into_string().expect("a text"));
        names.filter(|name| name.starts_with("a~")).collect()
    };
    let kept = beside(&alice);
    assert_eq!(kept.len(), 1);
    assert_eq!(alice.read(&format!("input/{}", kept[0])), "alice again");
    assert_eq!(targets(&alice, &["--target", "backups", "--yes"]), ["backups"]);
    alice.run(&["clean", "--unique"]).succeeded().says("gone for good");
    assert_eq!(targets(&alice, &["--unique", "--yes"]), ["trash"]);
    alice.run(&["clean", "--unique"]).succeeded().says("Nothing to clean");
}
