//! `dsg log`.

use std::fs;

use serde_json::Value;
use testkit::cli::{Person, World};

const DSG: &str = env!("CARGO_BIN_EXE_dsg");

/// s1 by alice, s2 by bob (changes a, adds b), s3 by alice (deletes b).
fn three_snapshots() -> (World, Person, Person) {
    let (world, alice, bob) = World::started(DSG, &[("input/a", "1"), ("input/d/x", "1")]);
    bob.write("input/a", "22");
    bob.write("input/b", "1");
    bob.run(&["sync", "-m", "two\nlines"]).succeeded();
    alice.run(&["sync"]).succeeded();
    alice.remove("input/b");
    alice.run(&["sync"]).succeeded();
    (world, alice, bob)
}

fn numbers(outcome: &testkit::cli::Outcome) -> Vec<String> {
    let value = outcome.json();
    let snapshots = value["snapshots"].as_array().expect("a list").clone();
    snapshots.iter().map(|one| one["number"].as_str().expect("a text").to_owned()).collect()
}

#[test]
fn the_newest_comes_first_with_author_time_changes_and_message() {
    let (_world, alice, _) = three_snapshots();
    let outcome = alice.run(&["log"]).succeeded();
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert!(
        lines[0].starts_with("s3  20") && lines[0].ends_with(" UTC  alice@example.org  1 deleted")
    );
    let second = lines.iter().position(|line| line.starts_with("s2")).expect("s2");
    assert!(lines[second].ends_with("bob@example.org  1 added, 1 changed"), "{lines:#?}");
    assert_eq!(lines[second + 1..second + 4], ["    two", "    lines", "    3 paths"]);
    alice.run(&["log", "-v", "-n", "1"]).succeeded().says("    chain    ").says("    tx-");
}

#[test]
fn json_has_the_whole_document_and_the_chain() {
    let (_world, alice, _) = three_snapshots();
    let log = alice.run(&["log", "--json"]).succeeded().json();
    let snapshots = log["snapshots"].as_array().expect("a list");
    assert_eq!(snapshots.len(), 3);
    assert_eq!(snapshots[0]["parent"], snapshots[1]["chain"]);
    assert_eq!(snapshots[2]["parent"], Value::Null);
    let second = &snapshots[1];
    assert_eq!(
        (&second["author"], &second["message"]),
        (&"bob@example.org".into(), &"two\nlines".into())
    );
    assert_eq!(
        (&second["entries"], &second["added"], &second["changed"]),
        (&3.into(), &1.into(), &1.into())
    );
    assert!(second["time"].as_str().is_some_and(|time| time.ends_with('Z')));
    assert_eq!(second["root"].as_str().map(str::len), Some(64));
    assert!(second["transaction"].as_str().is_some_and(|text| text.starts_with("tx-")));
}

#[test]
fn options_choose_snapshots() {
    let (_world, alice, _) = three_snapshots();
    for (options, expected) in [
        (&["-n", "1"][..], &["s3"][..]),
        (&["-n", "0"], &["s3", "s2", "s1"]),
        (&["--author", "BOB"], &["s2"]),
        (&["--number", "s2"], &["s2", "s1"]),
        (&["--number", "2", "-n", "1"], &["s2"]),
        (&["--since", "1h"], &["s3", "s2", "s1"]),
        (&["--since", "2999-01-01"], &[]),
        (&["input/a"], &["s2", "s1"]),
        (&["input/b"], &["s3", "s2"]),
        (&["input/d"], &["s1"]),
        (&["."], &["s3", "s2", "s1"]),
    ] {
        let arguments = [&["log", "--json"][..], options].concat();
        assert_eq!(numbers(&alice.run(&arguments).succeeded()), expected, "{options:?}");
    }
    let below = alice.at(alice.project().join("input"));
    assert_eq!(numbers(&below.run(&["log", "--json", "d"]).succeeded()), ["s1"]);
    alice.run(&["log", "input/none"]).succeeded().says("no snapshot fits");
    alice.run(&["log", "--number", "s9"]).ended(2).says("the newest is s3");
    alice.run(&["log", "--since", "yesterday"]).ended(2).says("30m, 3h, 7d");
    alice.run(&["log", "--number", "0"]).ended(2);
    alice.run(&["log", "/etc"]).ended(2).says("outside the project");
}

#[test]
fn a_broken_chain_is_an_error() {
    let (world, alice, _) = three_snapshots();
    let document = world.path("repositories/SV/.dsg-repository/snapshots/s2");
    let text = fs::read_to_string(&document).expect("read");
    fs::write(&document, text.replace("lines", "LINES")).expect("written");
    alice.run(&["log"]).ended(8).says("error[DSG-I03]").says("s2");
    // What the head vouches for is still shown.
    assert_eq!(numbers(&alice.run(&["log", "--json", "-n", "1"]).succeeded()), ["s3"]);
}

#[test]
fn help_has_examples() {
    let alice = World::new(DSG).person("alice");
    for command in [
        "log",
        "blame",
        "diff",
        "list-files",
        "snapfetch",
        "validate-snapshot",
        "validate-chain",
        "doctor",
        "clean",
    ] {
        let help = alice.run(&[command, "--help"]).succeeded().says("Examples\n  ").says("--json");
        for line in help.stdout.lines() {
            assert!(line.chars().count() <= 120, "{command}: {line}");
        }
    }
}
