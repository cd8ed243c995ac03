//! `dsg list-files`.

use std::os::unix::fs::PermissionsExt;

use testkit::cli::{Person, World};

const DSG: &str = env!("CARGO_BIN_EXE_dsg");

fn started() -> (World, Person, Person) {
    let (world, alice, bob) = World::started(DSG, &[("input/a.csv", "12345"), ("output/run", "x")]);
    let run = alice.project().join("output/run");
    std::fs::set_permissions(run, std::fs::Permissions::from_mode(0o755)).expect("set");
    alice.write("input/x.tmp", "ignored");
    alice.write("src/code.py", "outside");
    alice.write("input/bad<name", "rejected");
    let input = alice.project().join("input");
    std::os::unix::fs::symlink("a.csv", input.join("link")).expect("linked");
    std::os::unix::fs::symlink("none", input.join("dangling")).expect("linked");
    (world, alice, bob)
}

#[test]
fn what_takes_part_is_listed_with_size_time_and_kind() {
    let (_world, alice, _) = started();
    let outcome = alice.run(&["list-files"]).ended(5);
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert!(
        lines[0].trim_start().starts_with("5 B  20") && lines[0].ends_with("  file  input/a.csv"),
        "{lines:#?}"
    );
    assert!(lines[1].ends_with("link  input/dangling -> none  (leads nowhere)"));
    assert!(lines[2].ends_with("link  input/link -> a.csv"));
    assert!(lines[3].ends_with("exec  output/run"));
    assert_eq!(lines.last(), Some(&"2 files, 2 links, 6 B; 1 ignored, 1 unknown"));
    outcome.says("input/bad<name: ").says_nothing_of("x.tmp").says_nothing_of("code.py");
    alice
        .run(&["list-files", "--ignored"])
        .ended(5)
        .says("Ignored by the rules (1)\n  input/x.tmp");
}

#[test]
fn a_path_limits_the_list_and_json_has_everything() {
    let (_world, alice, _) = started();
    let output = alice.run(&["list-files", "output"]).succeeded();
    assert_eq!(output.stdout.lines().count(), 2, "{}", output.stdout);
    let below = alice.at(alice.project().join("output")).run(&["list-files", "."]).succeeded();
    assert_eq!(below.stdout, output.stdout);
    let value = alice.run(&["list-files", "--json"]).ended(5).json();
    assert_eq!(value["totals"]["files"], 2);
    assert_eq!(value["entries"][1]["target"], "none");
    assert_eq!(value["entries"][1]["dangling"], true);
    assert_eq!(value["ignored"][0]["path"], "input/x.tmp");
    assert_eq!(value["unknown"][0]["reason"], "name");
}

#[test]
fn no_repository_is_needed() {
    let (world, alice, _) = started();
    std::fs::remove_dir_all(world.repository()).expect("removed");
    alice.run(&["list-files"]).ended(5).says("2 files, 2 links");
    alice.run(&["-C", "..", "list-files"]).ended(6).says("DSG-C02");
}

#[test]
fn hashes_are_shown_as_far_as_they_are_known() {
    let (_world, alice, _) = started();
    // A sync computes them; a file that changed within the same tick of the clock is looked at again.
    alice.run(&["sync"]).ended(5);
    std::thread::sleep(std::time::Duration::from_millis(50));
    alice.run(&["status"]).ended(5);
    let known = alice.run(&["list-files", "-v", "input/a.csv"]).succeeded();
    let line = known.stdout.lines().next().expect("a line");
    let shown = line.split_whitespace().find(|word| word.len() == 64).expect("a hash");
    assert_eq!(shown, b3sum(b"12345"));
    alice.write("input/a.csv", "54321");
    alice.run(&["list-files", "-v", "input/a.csv"]).succeeded().says_nothing_of(shown);
}

/// As `b3sum` prints it.
fn b3sum(bytes: &[u8]) -> String {
    dsg_core::hash::ContentHash::of(bytes).to_string()
}
