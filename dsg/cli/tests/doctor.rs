//! `dsg doctor`.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use testkit::cli::{Person, World};

const DSG: &str = env!("CARGO_BIN_EXE_dsg");

fn started() -> (World, Person, Person) {
    World::started(DSG, &[("input/a", "old a"), ("input/b", "old b")])
}

/// Findings that are not fine: topic and verdict.
fn odd(person: &Person, exit: i32) -> Vec<String> {
    let value = person.run(&["doctor", "--json"]).ended(exit).json();
    let findings = value["findings"].as_array().expect("a list").clone();
    findings
        .iter()
        // How much room the machine has is its own affair.
        .filter(|one| one["verdict"] != "fine" && one["topic"] != "free space")
        .map(|one| {
            format!(
                "{} {}",
                one["topic"].as_str().expect("a text"),
                one["verdict"].as_str().expect("a text")
            )
        })
        .collect()
}

#[test]
fn a_healthy_project_has_only_good_news() {
    let (world, alice, _) = started();
    assert_eq!(odd(&alice, 0), [""; 0]);
    let outcome = alice.run(&["doctor"]).succeeded();
    for part in [
        "✓ user: you are alice@example.org",
        "✓ configuration: project SV",
        "✓ file system: renames, exchanges and syncs work",
        "✓ last sync: nothing is unfinished",
        "✓ access: permissions are as promised",
        "✓ connection: the repository of this project, as seen at s1",
        "✓ visible files: 2 paths",
    ] {
        assert!(outcome.stdout.contains(part), "{part}\n{}", outcome.stdout);
    }
    assert!(outcome.stdout.contains(world.repository()));
}

#[test]
fn each_trouble_has_a_next_step_and_the_gravest_decides_the_exit_code() {
    let (world, alice, _) = started();
    alice.write("input/bad<name", "x");
    alice.write("input/cafe\u{301}", "accepted");
    alice.write("conflicts.txt", "choose");
    assert_eq!(odd(&alice, 0), ["conflicts warning", "names warning"]);
    let repository = world.path("repositories/SV");
    fs::set_permissions(&repository, fs::Permissions::from_mode(0o755)).expect("set");
    assert_eq!(odd(&alice, 7).last().map(String::as_str), Some("access problem"));
    fs::write(repository.join("input/a"), "changed on the server").expect("written");
    let outcome = alice.run(&["doctor"]).ended(8);
    for part in [
        "! names: not accepted as it is: 1 name\n",
        "✓ names: accepted, with accents in another spelling than most systems write: 1 name\n",
        "    next: `dsg sync --normalize` renames them",
        "✗ access: ",
        "✗ visible files: changed in the repository without dsg: 1 file\n      input/a\n",
        "dsg doctor --adopt PATH",
    ] {
        assert!(outcome.stdout.contains(part), "{part}\n{}", outcome.stdout);
    }
    fs::remove_dir_all(&repository).expect("removed");
    assert_eq!(odd(&alice, 7).last().map(String::as_str), Some("repository problem"));
}

#[test]
fn who_has_no_project_or_no_name_is_told() {
    let (world, alice, _) = started();
    let nobody = world.stranger("nobody");
    let outcome = nobody.run(&["doctor"]).ended(6);
    assert!(
        outcome.stdout.contains("✗ user: ") && outcome.stdout.contains("dsg config set user_id")
    );
    assert!(
        outcome.stdout.contains("✗ configuration: there is no dsg project"),
        "{}",
        outcome.stdout
    );
    fs::remove_file(alice.home().join("config/dsg.yml")).expect("removed");
    assert_eq!(odd(&alice, 6), ["user problem"]);
}

#[test]
fn a_foreign_edit_is_adopted_and_everyone_gets_it() {
    let (world, alice, bob) = started();
    fs::write(world.path("repositories/SV/input/a"), "edited on the server").expect("written");
    alice.write("input/a", "alice's");
    alice.run(&["sync"]).ended(8).says("DSG-I04").says("dsg doctor --adopt PATH");
    // Bob's project still has the old version, so it is not lost.
    let adopted =
        bob.run(&["doctor", "--adopt", "input/a", "-m", "edited by hand", "--json"]).succeeded();
    let value = adopted.json();
    assert_eq!((&value["snapshot"], &value["lost"]), (&"s2".into(), &serde_json::json!([])));
    bob.run(&["sync"]).succeeded();
    assert_eq!(bob.read("input/a"), "edited on the server");
    bob.run(&["snapfetch", "input/a", "-n", "s1"]).succeeded();
    assert_eq!(bob.read("a.s1"), "old a");
    bob.run(&["blame", "input/a"]).succeeded().says("bob@example.org").says("edited by hand");
    bob.run(&["validate-chain"]).succeeded();
    // Now it is an ordinary conflict for alice.
    alice.run(&["sync"]).ended(3);
    bob.run(&["doctor", "--adopt", "input"]).succeeded().says("Nothing to adopt");
}

#[test]
fn what_nobody_has_any_more_is_said_to_be_lost() {
    let (world, alice, _) = started();
    fs::write(world.path("repositories/SV/input/a"), "edited on the server").expect("written");
    alice.write("input/a", "alice's");
    let outcome = alice.run(&["doctor", "--adopt", "input/a"]).ended(8);
    assert!(outcome.stdout.contains("Adopted as s2 (1)\n  input/a\n"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("Lost: the version before is nowhere"), "{}", outcome.stdout);
    alice.run(&["validate-chain"]).ended(8).says("the old version input/a");
    fs::write(world.path("repositories/SV/input/b"), "edited too").expect("written");
    alice.write("input/b", "alice's too");
    let outcome = alice.run(&["doctor", "--restore", "input/b"]).ended(8);
    outcome.says("Not restored: no intact copy was found");
    assert_eq!(fs::read(world.path("repositories/SV/input/b")).expect("read"), b"edited too");
}

#[test]
fn a_foreign_edit_is_undone_and_its_bytes_are_kept() {
    let (world, alice, _) = started();
    let repository = world.path("repositories/SV");
    fs::write(repository.join("input/a"), "edited on the server").expect("written");
    fs::remove_file(repository.join("input/b")).expect("removed");
    fs::write(repository.join("input/stray"), "nobody's").expect("written");
    let value = alice.run(&["doctor", "--restore", "input", "--json"]).succeeded().json();
    assert_eq!(value["restored"], serde_json::json!(["input/a", "input/b", "input/stray"]));
    assert_eq!(fs::read(repository.join("input/a")).expect("read"), b"old a");
    assert_eq!(fs::read(repository.join("input/b")).expect("read"), b"old b");
    let aside = value["set_aside"][0]["to"].as_str().expect("a text");
    assert_eq!(fs::read(repository.join(aside)).expect("read"), b"edited on the server");
    alice.run(&["validate-chain"]).succeeded();
    alice.run(&["sync"]).succeeded().says("up to date");
    alice.run(&["doctor"]).succeeded().says("! unfiled: moved out of the way: 2 files");
    alice.run(&["doctor", "--restore", "input"]).succeeded().says("Nothing to restore");
    alice.run(&["doctor", "--restore", "input/none"]).ended(2);
}

#[test]
fn a_file_system_is_tried_on_request_and_left_as_it_was() {
    let (world, alice, _) = started();
    let outcome = alice.run(&["doctor", "--self-test", world.repositories()]).succeeded();
    for part in
        ["✓ rename over an existing file", "✓ exchange of two names", "times of files are kept to"]
    {
        assert!(outcome.stdout.contains(part), "{part}\n{}", outcome.stdout);
    }
    let value = alice.run(&["doctor", "--self-test", ".", "--json"]).succeeded().json();
    assert!(value["abilities"].as_array().is_some_and(|list| list.len() == 8));
    assert_eq!(fs::read_dir(world.path("repositories")).expect("listed").count(), 1);
    alice.run(&["doctor", "--self-test", "none"]).ended(9);
    alice.run(&["doctor", "--self-test", ".", "--adopt", "x"]).ended(2);
}
