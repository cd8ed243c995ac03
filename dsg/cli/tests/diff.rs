//! `dsg diff`.

use std::fs;

use testkit::cli::{Person, World};

const DSG: &str = env!("CARGO_BIN_EXE_dsg");

fn started() -> (World, Person, Person) {
    World::started(
        DSG,
        &[("input/a.csv", "one\ntwo\nthree\n"), ("input/gone", "g"), ("output/o", "o")],
    )
}

fn kinds(person: &Person, arguments: &[&str]) -> Vec<String> {
    let value = person.run(&[&["diff", "--json"][..], arguments].concat()).succeeded().json();
    let paths = value["paths"].as_array().expect("a list").clone();
    let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
    paths.iter().map(|one| format!("{} {}", text(&one["kind"]), text(&one["path"]))).collect()
}

#[test]
fn changes_here_are_shown_against_what_was_agreed_or_the_repository() {
    let (_world, alice, bob) = started();
    assert_eq!(kinds(&alice, &[]), [""; 0]);
    bob.write("output/o", "by bob");
    bob.run(&["sync"]).succeeded();
    alice.write("input/a.csv", "one\n2\nthree\n");
    alice.write("input/new", "n");
    alice.remove("input/gone");
    let own = ["changed input/a.csv", "deleted input/gone", "added input/new"];
    assert_eq!(kinds(&alice, &[]), own);
    let all = [&own[..], &["changed output/o"]].concat();
    assert_eq!(kinds(&alice, &["--remote"]), all);
    assert_eq!(kinds(&alice, &["input/new", "output"]), ["added input/new"]);
    assert_eq!(kinds(&alice, &["."]), own);
    let text = alice.run(&["diff"]).succeeded();
    assert!(text.stdout.contains("changed         input/a.csv  (14 B -> 12 B)"), "{}", text.stdout);
    assert!(text.stdout.contains("deleted         input/gone  (1 B)"));
    alice.run(&["sync"]).succeeded();
    assert_eq!(kinds(&alice, &[]), [""; 0]);
}

#[test]
fn snapshots_are_compared() {
    let (_world, alice, _) = started();
    alice.write("input/a.csv", "one\n2\nthree\n");
    alice.run(&["sync"]).succeeded();
    alice.remove("input/gone");
    alice.run(&["sync"]).succeeded();
    let both = ["changed input/a.csv", "deleted input/gone"];
    assert_eq!(kinds(&alice, &["--from", "s1", "--to", "s3"]), both);
    assert_eq!(kinds(&alice, &["--from", "s1"]), both);
    assert_eq!(kinds(&alice, &["--to", "s2"]), both[..1]);
    assert_eq!(kinds(&alice, &["--from", "s3", "--to", "s2"]), ["added input/gone"]);
    assert_eq!(kinds(&alice, &["--to", "s1"]).len(), 3);
    alice.run(&["diff", "--from", "s1", "--to", "s9"]).ended(2).says("no snapshot s9");
    alice.run(&["diff", "--from", "s1", "--remote"]).ended(2);
}

#[test]
fn lines_of_text_files_are_shown_as_patches() {
    let (_world, alice, _) = started();
    alice.write("input/a.csv", "one\n2\nthree\n");
    alice.write("input/new", "n\n");
    fs::write(alice.project().join("input/binary"), [0, 159, 146, 150]).expect("written");
    fs::write(alice.project().join("input/large"), vec![b'x'; (1 << 20) + 1]).expect("written");
    let text = alice.run(&["diff", "--text"]).succeeded().stdout;
    assert!(
        text.contains(
            "--- a/input/a.csv\n+++ b/input/a.csv\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n"
        ),
        "{text}"
    );
    assert!(text.contains("--- /dev/null\n+++ b/input/new\n"), "{text}");
    assert!(text.contains("input/binary  (4 B)\n    binary"), "{text}");
    assert!(text.contains("    larger than 1 MiB"), "{text}");
    let value = alice.run(&["diff", "--text", "--json", "input/a.csv"]).succeeded().json();
    assert!(value["paths"][0]["text"].as_str().is_some_and(|text| text.contains("\n-two\n+2\n")));
    alice.run(&["sync"]).succeeded();
    let back =
        alice.run(&["diff", "--text", "--from", "s2", "--to", "s1", "input/a.csv"]).succeeded();
    assert!(back.stdout.contains("-2\n+two\n"), "{}", back.stdout);
}

#[test]
fn many_different_lines_take_a_bounded_time() {
    let (_world, alice, _) = started();
    let lines =
        |start: u32| -> String { (start..start + 60_000).map(|n| format!("{n}\n")).collect() };
    alice.write("input/long", &lines(100_000));
    alice.run(&["sync"]).succeeded();
    alice.write("input/long", &lines(500_000));
    alice.run(&["diff", "--text"]).succeeded().says("+500000");
}

#[test]
fn what_can_not_be_known_is_said() {
    let (_world, alice, _) = started();
    alice.write("input/bad<name", "x");
    alice.run(&["diff"]).ended(5).says("Left out").says("input/bad<name");
}
