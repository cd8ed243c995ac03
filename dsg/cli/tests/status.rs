//! `dsg status`: it tells the truth, all of it, in words and in JSON.

use std::fs;

use testkit::cli::World;

const DSG: &str = env!("CARGO_BIN_EXE_dsg");

#[test]
fn what_is_up_to_date_is_said_to_be_so() {
    let (_world, alice, bob) = World::started(DSG, &[("input/a", "1"), ("output/b", "22")]);
    for person in [&alice, &bob] {
        let outcome = person.run(&["status"]).succeeded();
        assert_eq!(
            outcome.normalized(),
            "The repository is at s1; 2 paths here take part.\nEverything up to date with s1"
        );
        let status = person.run(&["status", "--json"]).succeeded().json();
        assert_eq!(status["schema"], "dsg.status/1");
        assert_eq!(status["up_to_date"], true);
        assert_eq!(status["head"]["snapshot"], "s1");
        assert_eq!(
            status["head"],
            serde_json::json!({
                "snapshot": "s1", "chain": status["seen"]["chain"], "entries": 2,
            })
        );
        assert_eq!(status["counts"]["entries"], 2);
        assert_eq!(status["steps"].as_array().map(Vec::len), Some(0));
    }
}

/// Brings every state about in which a path can be shown: 2 to 14.
fn in_all_states() -> (World, testkit::cli::Person, testkit::cli::Person) {
    let agreed = ["2", "3", "4", "5", "6", "7", "10", "11", "13"].map(|n| format!("input/{n}"));
    let files: Vec<(&str, &str)> = agreed.iter().map(|path| (path.as_str(), "agreed")).collect();
    let (world, alice, bob) = World::started(DSG, &files);
    for (path, text) in [
        ("2", "bob"),
        ("3", "both"),
        ("5", "bob"),
        ("7", "bob"),
        ("8", "both"),
        ("9", "bob"),
        ("12", "bob"),
    ] {
        bob.write(&format!("input/{path}"), text);
    }
    for path in ["10", "11", "13"] {
        bob.remove(&format!("input/{path}"));
    }
    bob.run(&["sync"]).succeeded();
    for (path, text) in [
        ("3", "both"),
        ("4", "alice"),
        ("5", "alice"),
        ("8", "both"),
        ("9", "alice"),
        ("11", "alice"),
        ("14", "alice"),
    ] {
        alice.write(&format!("input/{path}"), text);
    }
    for path in ["6", "7", "13"] {
        alice.remove(&format!("input/{path}"));
    }
    (world, alice, bob)
}

#[test]
fn every_state_is_shown_with_its_label() {
    let (_world, alice, _) = in_all_states();
    let outcome = alice.run(&["status", "--short"]).ended(3);
    let expected = "\
10  deleted on remote                   input/10
11  modified locally, deleted on remote input/11
12  new on remote                       input/12
13  deleted on both sides               input/13
14  new (local only)                    input/14
 2  modified on remote                  input/2
 3  synced (cache outdated)             input/3
 4  modified locally                    input/4
 5  conflict (all differ)               input/5
 6  deleted locally                     input/6
 7  deleted locally, modified on remote input/7
 8  synced (no cache)                   input/8
 9  conflict (no cache)                 input/9
";
    assert_eq!(outcome.stdout, expected);
    let long = alice.run(&["status"]).ended(3);
    for heading in [
        "The repository is at s2, this project has seen s1; 9 paths here take part.",
        "Your local changes (3)\n",
        "Remote changes (team updates) (3)\n",
        "Conflicts: somebody has to choose (4)\n",
        "The same on both sides already, to be noted (cache only) (3)\n",
        "\n2 to upload (10 B), 2 to download (6 B), 1 to delete in the repository, 1 to delete here, 3 to note, 4 conflicts",
    ] {
        assert!(long.stdout.contains(heading), "{heading}\n{}", long.stdout);
    }
    assert!(!long.stdout.contains("up to date"));
}

#[test]
fn json_has_all_three_copies_of_each_path() {
    let (_world, alice, _) = in_all_states();
    let status = alice.run(&["status", "--json"]).ended(3).json();
    let steps = status["steps"].as_array().expect("a list");
    let step = |number: u64| {
        steps.iter().find(|step| step["state"] == number).unwrap_or_else(|| panic!("{number}"))
    };
    let mut numbers: Vec<_> = steps.iter().filter_map(|step| step["state"].as_u64()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (2..=14).collect::<Vec<_>>());
    assert_eq!(step(5)["code"], "sLCR__all_ne");
    assert_eq!(step(5)["action"], "conflict");
    assert_eq!(step(5)["label"], "conflict (all differ)");
    assert_eq!(step(5)["path"], "input/5");
    assert_eq!(step(10)["action"], "delete_local");
    assert_eq!(step(12)["local"], serde_json::Value::Null);
    let remote = &step(12)["remote"];
    assert_eq!((&remote["kind"], &remote["author"]), (&"file".into(), &"bob@example.org".into()));
    assert_eq!(remote["size"], 3);
    assert!(remote["modified"].as_str().is_some_and(|time| time.ends_with('Z')), "{remote:#}");
    assert_eq!(step(14)["cached"], serde_json::Value::Null);
    assert_eq!(status["counts"]["conflicts"], 4);
    assert_eq!(status["exit"], 3);
}

#[test]
fn a_repository_that_is_not_there_is_an_error_and_never_up_to_date() {
    let (world, alice, _) = World::started(DSG, &[("input/a", "1")]);
    let away = world.path("away");
    fs::rename(world.repository(), &away).expect("moved away");
    alice.run(&["status"]).ended(7).says("error[DSG-R01]").says_nothing_of("up to date");
    fs::create_dir(world.repository()).expect("made");
    let error = alice.run(&["status", "--json"]).ended(7).json();
    assert_eq!(error["code"], "DSG-R01");
    assert_eq!(error["retry_helps"], true);
    fs::remove_dir(world.repository()).expect("removed");
    fs::rename(away, world.repository()).expect("moved back");
    alice.run(&["status"]).succeeded().says("Everything up to date");
}

#[test]
fn what_can_not_be_known_is_listed_with_its_reason_and_is_not_up_to_date() {
    let (_world, alice, _) = World::started(DSG, &[("input/a", "1")]);
    alice.write("input/bad\u{7}name", "1");
    std::os::unix::fs::symlink("/etc/passwd", alice.project().join("input/out")).expect("linked");
    std::os::unix::fs::symlink("nowhere", alice.project().join("input/dangling")).expect("linked");
    let outcome = alice.run(&["status"]).ended(5);
    assert!(
        outcome.stdout.contains("Left out: nothing is known of them (2)"),
        "{}",
        outcome.stdout
    );
    assert!(outcome.stdout.contains("Links that lead nowhere (1)\n  input/dangling"));
    assert!(!outcome.stdout.contains("up to date"));
    // Also of a link that is as it was; and no longer when something is there.
    alice.run(&["sync"]).ended(5).says("Links that lead nowhere (1)\n  input/dangling");
    std::thread::sleep(std::time::Duration::from_millis(50));
    for _ in 0..2 {
        alice.run(&["status"]).ended(5).says("Links that lead nowhere (1)\n  input/dangling");
    }
    alice.write("input/nowhere", "1");
    alice.run(&["status"]).ended(5).says_nothing_of("lead nowhere");
    let status = alice.run(&["status", "--json"]).ended(5).json();
    let mut reasons: Vec<_> =
        status["unknown"].as_array().expect("a list").iter().map(|u| u["reason"].clone()).collect();
    reasons.sort_by_key(ToString::to_string);
    assert_eq!(reasons, ["link", "name"]);
}

#[test]
fn what_would_be_refused_is_shown() {
    let files: Vec<(String, &str)> = (0..120).map(|n| (format!("input/{n}"), "x")).collect();
    let files: Vec<(&str, &str)> =
        files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    let (_world, alice, bob) = World::started(DSG, &files);
    fs::remove_dir_all(alice.project().join("input")).expect("removed");
    let outcome = alice.run(&["status"]).ended(4);
    assert!(outcome.stdout.contains("Refused (1)\n  120 of "), "{}", outcome.stdout);
    // Nobody reads along, so nothing is cut.
    assert!(outcome.stdout.contains("input/119") && outcome.stdout.contains("input/7\n"));
    let status = alice.run(&["status", "--json"]).ended(4).json();
    assert_eq!(status["refusals"][0]["kind"], "mass_deletion");
    bob.write("input/a", "1");
    bob.write("input/A", "1");
    let status = bob.run(&["status", "--json"]).ended(4).json();
    assert_eq!(status["collisions"][0]["names"], serde_json::json!(["A", "a"]));
    bob.run(&["status"]).ended(4).says("input: A, a");
}

#[test]
fn looking_needs_no_name() {
    let (_world, alice, _) = World::started(DSG, &[("input/a", "1")]);
    fs::remove_file(alice.home().join("config/dsg.yml")).expect("removed");
    alice.run(&["status"]).succeeded().says("Everything up to date");
    alice.run(&["sync"]).ended(6).says("dsg config set user_id");
}

#[test]
fn paths_that_the_configuration_leaves_out_are_counted() {
    let (_world, alice, bob) = World::started(DSG, &[("input/a", "1"), ("output/b", "1")]);
    alice.edit(".dsgconfig.yml", "data_dirs: [input, output, frozen]", "data_dirs: [input]");
    bob.write("output/c", "1");
    bob.run(&["sync"]).succeeded();
    let status = alice.run(&["status", "--json"]).succeeded().json();
    assert_eq!(status["counts"]["left_out"], 1, "{status:#}");
    assert_eq!(status["counts"]["untracked_remote"], 1);
    alice.run(&["status"]).succeeded().says("1 path left out although agreed before");
}

#[test]
fn a_link_where_dsg_follows_none_is_called_one() {
    let (_world, alice, _) = World::started(DSG, &[("input/a", "1")]);
    for name in [".dsgconfig.yml", ".dsg"] {
        let (own, away) = (alice.project().join(name), alice.home().join("away"));
        fs::rename(&own, &away).expect("renamed");
        std::os::unix::fs::symlink(&away, &own).expect("linked");
        alice.run(&["status"]).ended(6).says(&format!("{name} is a link"));
        fs::remove_file(&own).expect("removed");
        fs::rename(&away, &own).expect("renamed");
    }
    alice.run(&["status"]).succeeded();
}

#[test]
fn what_lies_in_the_place_of_the_index_is_replaced_or_named() {
    let (_world, alice, _) = World::started(DSG, &[("input/a", "1")]);
    let index = alice.project().join(".dsg/index");
    let put = |make: &dyn Fn()| {
        let _ = fs::remove_file(&index);
        make();
    };
    let link = || std::os::unix::fs::symlink("state", &index).expect("linked");
    let pipe = || {
        let made = std::process::Command::new("mkfifo").arg(&index).status().expect("runs");
        assert!(made.success());
    };
    let makes: [&dyn Fn(); 2] = [&link, &pipe];
    for make in makes {
        put(make);
        alice.run(&["status"]).succeeded().says("Everything up to date");
        assert!(fs::symlink_metadata(&index).expect("is there").is_file());
    }
    put(&|| fs::create_dir(&index).expect("made"));
    for command in ["status", "sync"] {
        alice.run(&[command]).ended(9).says(".dsg/index is a directory");
    }
}
