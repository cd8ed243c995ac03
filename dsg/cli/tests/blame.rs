//! `dsg blame`.

use testkit::cli::{Person, World};

const DSG: &str = env!("CARGO_BIN_EXE_dsg");

/// A, B, A again, deleted, B again.
fn history() -> (World, Person, Person) {
    let (world, alice, bob) = World::started(DSG, &[("input/a", "A"), ("input/other", "stays")]);
    for text in ["B", "A"] {
        alice.write("input/a", text);
        alice.run(&["sync", "-m", &format!("now {text}")]).succeeded();
    }
    bob.run(&["sync"]).succeeded();
    bob.remove("input/a");
    bob.run(&["sync"]).succeeded();
    bob.write("input/a", "B");
    bob.run(&["sync"]).succeeded();
    (world, alice, bob)
}

#[test]
fn revert_and_recreate_are_told_apart() {
    let (_world, alice, _) = history();
    let blame = alice.run(&["blame", "input/a", "--json"]).succeeded().json();
    let told: Vec<_> = blame["events"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|event| {
            let text = |key: &str| event[key].as_str().unwrap_or("-").to_owned();
            (text("number"), text("event"), text("same_as"))
        })
        .collect();
    let expected = [
        ("s1", "add", "-"),
        ("s2", "modify", "-"),
        ("s3", "revert", "s1"),
        ("s4", "delete", "-"),
        ("s5", "recreate", "s2"),
    ];
    let expected: Vec<_> = expected
        .iter()
        .map(|(a, b, c)| ((*a).to_owned(), (*b).to_owned(), (*c).to_owned()))
        .collect();
    assert_eq!(told, expected);
    assert_eq!(blame["file"], "input/a");
    assert_eq!(blame["events"][3]["entry"], serde_json::Value::Null);
    assert_eq!(blame["events"][0]["hash"], blame["events"][2]["hash"]);
    assert_eq!(blame["events"][1]["message"], "now B");
    let text = alice.run(&["blame", "input/a"]).succeeded();
    for part in ["revert to s1", "recreate as s2", "bob@example.org", "now B"] {
        assert!(text.stdout.contains(part), "{part}\n{}", text.stdout);
    }
}

#[test]
fn a_deleted_file_has_a_history_too() {
    let (_world, _, bob) = history();
    bob.remove("input/a");
    bob.run(&["sync"]).succeeded();
    assert!(!bob.has("input/a"));
    let outcome = bob.at(bob.project().join("input")).run(&["blame", "a"]).succeeded();
    assert!(outcome.stdout.lines().last().is_some_and(|line| line.contains("delete")));
}

#[test]
fn a_file_that_never_was_is_an_error_with_near_names() {
    let (_world, alice, _) = history();
    alice.run(&["blame", "input/othre"]).ended(2).says("DSG-U02").says("input/other");
    alice.run(&["blame", "output/other"]).ended(2).says("input/other");
    alice
        .run(&["blame", "input"])
        .ended(2)
        .says("it is a directory")
        .says("`dsg log` with the same path");
    alice.run(&["blame", "."]).ended(2);
    let error = alice.run(&["blame", "input/othre", "--json"]).ended(2).json();
    assert_eq!(error["paths"], serde_json::json!(["input/other"]));
}
