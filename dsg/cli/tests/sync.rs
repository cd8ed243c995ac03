//! `dsg sync`: two people, and everything that can stand between them.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use testkit::cli::{Person, World};

const DSG: &str = env!("CARGO_BIN_EXE_dsg");

/// Alice and bob have both changed `input/a`, from `agreed`; bob was first.
fn in_conflict() -> (World, Person, Person) {
    let (world, alice, bob) = World::started(DSG, &[("input/a", "agreed"), ("input/same", "x")]);
    bob.write("input/a", "bob");
    bob.run(&["sync", "-m", "bob was here"]).succeeded();
    alice.write("input/a", "alice");
    alice.write("input/new", "alice");
    (world, alice, bob)
}

#[test]
fn changes_go_both_ways_and_are_told() {
    let (_world, alice, bob) = World::started(DSG, &[("input/a", "1"), ("input/b", "1")]);
    bob.write("input/a", "22");
    bob.write("output/c", "333");
    bob.remove("input/b");
    let outcome = bob.run(&["sync", "-m", "new numbers"]).succeeded();
    assert_eq!(
        outcome.normalized(),
        "  uploaded                  input/a\n  \
           deleted in the repository input/b\n  \
           uploaded                  output/c\n\
         s2 is made: 2 uploaded (5 B), 1 deleted in the repository; TIME"
    );
    let result = alice.run(&["sync", "--json"]).succeeded().json();
    assert_eq!(result["schema"], "dsg.sync/1");
    assert_eq!(result["outcome"], "done");
    assert_eq!(result["head"], "s2");
    assert_eq!(result["snapshot"], serde_json::Value::Null);
    assert_eq!(result["changes"].as_array().map(Vec::len), Some(3));
    assert_eq!(
        result["changes"][1],
        serde_json::json!({"path": "input/b", "done": "deleted_local"})
    );
    assert_eq!(alice.read("input/a"), "22");
    assert!(!alice.has("input/b"));
    let nothing = alice.run(&["sync"]).succeeded();
    assert_eq!(nothing.normalized(), "Everything up to date with s2; TIME");
    bob.run(&["status"]).succeeded().says("Everything up to date with s2");
}

#[test]
fn a_dry_run_shows_the_plan_and_does_nothing() {
    let (_world, alice, bob) =
        World::started(DSG, &[("input/a", "1"), ("input/b", "1"), ("input/c", "1")]);
    bob.write("input/new", "22");
    bob.remove("input/a");
    bob.run(&["sync"]).succeeded();
    alice.write("input/mine", "333");
    alice.remove("input/b");
    let outcome = alice.run(&["sync", "--dry-run"]).succeeded();
    for part in [
        "Would go up to the repository (1)\n  new (local only)                    input/mine  3 B\n",
        "Would be deleted in the repository (1)\n  deleted locally                     input/b\n",
        "Would come down to this project (1)\n  new on remote                       input/new  2 B by bob@example.org\n",
        "Would be deleted here (kept in .dsg/trash) (1)\n  deleted on remote                   input/a\n",
        "Dry run, nothing was changed: 1 to upload (3 B), 1 to download (2 B)",
    ] {
        assert!(outcome.stdout.contains(part), "{part}\n{}", outcome.stdout);
    }
    assert!(alice.has("input/a") && !alice.has("input/new"));
    let result = alice.run(&["sync", "--dry-run", "--json"]).succeeded().json();
    assert_eq!(result["dry_run"], true);
    assert_eq!(result["head"]["snapshot"], "s2");
    assert_eq!(result["steps"].as_array().map(Vec::len), Some(4));
    bob.run(&["status"]).succeeded().says("Everything up to date with s2");
}

#[test]
fn a_conflict_stops_everything_and_shows_two_ways_on() {
    let (_world, alice, bob) = in_conflict();
    alice.run(&["sync", "--dry-run"]).ended(3);
    assert!(!alice.has("conflicts.txt"));
    let outcome = alice.run(&["sync"]).ended(3);
    assert!(outcome.stderr.starts_with("error[DSG-K01]: a path was changed on both sides"));
    let outcome =
        outcome.says("input/a").says("dsg sync --continue").says("dsg resolve PATH --local");
    drop(outcome);
    let file = alice.read("conflicts.txt");
    assert!(file.contains("# User: Alice <alice@example.org>\n"), "{file}");
    assert!(file.contains("# File: input/a\n") && file.contains("\n_R  # "), "{file}");
    let mode = fs::metadata(alice.project().join("conflicts.txt")).expect("there").permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
    assert_eq!(alice.read("input/a"), "alice");
    let result = alice.run(&["sync", "--json"]).ended(3).json();
    assert_eq!(result["outcome"], "conflicts");
    assert_eq!(result["conflicts"][0]["path"], "input/a");
    assert_eq!(result["conflicts"][0]["choices"].as_array().map(Vec::len), Some(3));
    assert!(
        result["conflicts_file"].as_str().is_some_and(|path| path.ends_with("/SV/conflicts.txt"))
    );
    bob.run(&["sync"]).succeeded();
    assert!(!bob.has("input/new"), "nothing may be transferred while there is a conflict");
}

/// Alice decides in the file; all that is left of the conflict is `wins`.
fn decide_in_the_file(letter: &str, wins: &str) {
    let (_world, alice, bob) = in_conflict();
    alice.run(&["sync"]).ended(3);
    alice.edit("conflicts.txt", &format!("\n_{letter}  #"), &format!("\n{letter}  #"));
    alice.run(&["sync", "--continue", "-m", "settled"]).succeeded().says_nothing_of("notice");
    assert!(!alice.has("conflicts.txt"));
    bob.run(&["sync"]).succeeded();
    for person in [&alice, &bob] {
        assert_eq!(person.read("input/a"), wins);
        assert_eq!(person.read("input/new"), "alice");
        person.run(&["status"]).succeeded().says("Everything up to date");
    }
    let kept: Vec<_> = fs::read_dir(alice.project().join("input"))
        .expect("reads")
        .filter_map(|entry| entry.expect("reads").file_name().into_string().ok())
        .filter(|name| name.starts_with("a~2") && name.ends_with("+0000~"))
        .collect();
    assert_eq!(kept.len(), usize::from(wins != "alice"), "a copy that loses is kept: {kept:?}");
    if let Some(kept) = kept.first() {
        assert_eq!(alice.read(&format!("input/{kept}")), "alice");
    }
}

#[test]
fn a_conflict_is_settled_in_the_file_by_the_local_copy() {
    decide_in_the_file("L", "alice");
}

#[test]
fn a_conflict_is_settled_in_the_file_by_the_remote_copy() {
    decide_in_the_file("R", "bob");
}

#[test]
fn a_conflict_is_settled_in_the_file_by_the_agreed_copy() {
    decide_in_the_file("C", "agreed");
}

#[test]
fn no_copy_is_kept_when_that_is_not_wanted() {
    for (arguments, variables) in [
        (&["sync", "--continue", "--no-backup"][..], &[][..]),
        (&["sync", "--continue"], &[("DSG_BACKUP_ON_CONFLICT", "no")]),
    ] {
        let (_world, alice, _) = in_conflict();
        alice.run(&["sync"]).ended(3);
        alice.edit("conflicts.txt", "\n_R", "\nR");
        alice.run_with(arguments, "", variables).succeeded();
        assert_eq!(fs::read_dir(alice.project().join("input")).expect("reads").count(), 3);
    }
}

#[test]
fn an_undecided_or_misunderstood_file_is_asked_about_again() {
    let (_world, alice, bob) = in_conflict();
    alice.run(&["sync", "--continue"]).ended(2).says("there is no conflicts.txt");
    alice.run(&["sync"]).ended(3);
    alice
        .run(&["sync", "--continue"])
        .ended(3)
        .says("1 conflict is not decided yet")
        .says("input/a");
    alice.edit("conflicts.txt", "\n_R", "\nyes please");
    alice.run(&["sync", "--continue"]).ended(3).says("can't be understood").says("line 20");
    let error = alice.run(&["sync", "--continue", "--json"]).ended(3).json();
    assert_eq!(error["code"], "DSG-K01");
    // A plain sync asks anew, and keeps what it can't read.
    alice.run(&["sync"]).ended(3).says("it is kept as ");
    assert!(alice.read("conflicts.txt").contains("\n_R  # "));
    let kept = fs::read_dir(alice.project()).expect("reads").filter_map(Result::ok);
    let kept: Vec<_> = kept
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("conflicts.txt~"))
        .collect();
    assert_eq!(kept.len(), 1);
    // An answer without its marks could be about anything.
    alice.edit("conflicts.txt", "\n_R", "\nR");
    let marks = alice.read("conflicts.txt");
    let marks =
        marks.lines().find(|line| line.starts_with("# Made for:")).expect("marks").to_owned();
    alice.edit("conflicts.txt", &marks, "");
    alice.run(&["sync", "--continue"]).ended(3).says("`# Made for:` of input/a is gone");
    assert_eq!(alice.read("input/a"), "alice");
    drop(bob);
}

#[test]
fn an_answer_is_kept_while_others_are_open_and_not_used_for_other_copies() {
    let (_world, alice, bob) = in_conflict();
    bob.write("input/new", "bob");
    bob.run(&["sync"]).succeeded();
    alice.run(&["sync"]).ended(3).says("2 paths were changed");
    alice.edit("conflicts.txt", "\n_L", "\nL");
    alice.run(&["sync"]).ended(3);
    let file = alice.read("conflicts.txt");
    assert_eq!(file.matches("\nL  # ").count(), 1, "{file}");
    alice.run(&["sync", "--continue"]).ended(3).says("1 conflict is not decided").says("input/new");
    assert_eq!(
        alice.read("conflicts.txt").matches("\nL  # ").count(),
        0,
        "decided ones are asked no more"
    );
    bob.write("input/a", "bob again");
    bob.run(&["sync"]).succeeded();
    alice.edit("conflicts.txt", "\n_L", "\nL");
    alice.run(&["sync", "--continue"]).ended(3).says("input/a");
    assert_eq!(alice.read("input/a"), "alice");
}

#[test]
fn a_file_of_conflicts_that_is_in_the_way_of_nothing_goes_with_a_notice() {
    let (_world, alice, _) = in_conflict();
    alice.run(&["sync"]).ended(3);
    alice.write("input/a", "bob");
    alice.run(&["sync"]).succeeded().says("notice: conflicts.txt is removed: no conflict is left");
    assert!(!alice.has("conflicts.txt"));
    alice.write("conflicts.txt", "a file of my own\n");
    alice.run(&["sync"]).succeeded();
    assert_eq!(alice.read("conflicts.txt"), "a file of my own\n");
}

#[test]
fn much_is_deleted_only_when_that_is_said() {
    let files: Vec<(String, &str)> = (0..120).map(|n| (format!("input/{n}"), "x")).collect();
    let files: Vec<(&str, &str)> =
        files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    let (_world, alice, bob) = World::started(DSG, &files);
    fs::remove_dir_all(alice.project().join("input")).expect("removed");
    alice
        .run(&["sync", "--dry-run"])
        .ended(4)
        .says("Would be deleted in the repository (120)")
        .says("--allow-mass-delete");
    alice.run(&["sync"]).ended(4).says("error[DSG-G01]").says("--allow-mass-delete");
    let error = alice.run(&["sync", "--json"]).ended(4).json();
    assert_eq!(
        (&error["code"], error["paths"].as_array().map(Vec::len)),
        (&"DSG-G01".into(), Some(20))
    );
    alice.run(&["sync", "--allow-mass-delete"]).succeeded().says("120 deleted in the repository");
    bob.run(&["sync"]).ended(4);
    bob.run(&["sync", "--allow-mass-delete"])
        .succeeded()
        .says("120 deleted here")
        .says("and 110 more");
}

#[test]
fn what_is_left_out_has_an_exit_code_of_its_own_and_names_can_be_put_right() {
    let (_world, alice, bob) = World::started(DSG, &[("input/a", "1")]);
    alice.write("input/ends with a space ", "1");
    alice.write("input/CON", "1");
    let outcome = alice.run(&["sync"]).ended(5);
    outcome
        .says("Left out: nothing is known of them (2)")
        .says("2 paths left out")
        .says("dsg sync --normalize");
    let result = alice.run(&["sync", "--json"]).ended(5).json();
    assert_eq!(result["unknown"].as_array().map(Vec::len), Some(2));
    let dry = alice.run(&["sync", "--dry-run", "--normalize"]).succeeded();
    let dry = dry
        .says("Would be renamed (2)")
        .says("input/ends with a space  -> input/ends with a space\n");
    drop(dry);
    assert!(alice.has("input/CON"));
    let result = alice.run(&["sync", "--normalize", "--json"]).succeeded().json();
    assert_eq!(result["normalized"]["renamed"].as_array().map(Vec::len), Some(2), "{result:#}");
    assert!(!alice.has("input/CON") && alice.has("input/ends with a space"));
    bob.run(&["sync"]).succeeded();
    assert!(bob.has("input/ends with a space"));
}

#[test]
fn links_follow_a_renamed_file_and_names_that_would_meet_are_left_alone() {
    let (_world, alice, _) = World::started(DSG, &[("input/a", "1")]);
    alice.write("input/b ", "1");
    std::os::unix::fs::symlink("../input/b ", alice.project().join("input/link")).expect("linked");
    alice.run(&["sync", "--normalize"]).succeeded().says("Links that followed (1)");
    assert_eq!(
        fs::read_link(alice.project().join("input/link")).expect("a link").to_str(),
        Some("../input/b")
    );
    alice.write("input/b ", "2");
    alice.run(&["sync", "--normalize"]).ended(4).says("error[DSG-G03]").says("input: b, b ");
    assert_eq!(alice.read("input/b "), "2");
}

#[test]
fn another_repository_in_its_place_is_refused_until_the_user_starts_over() {
    let (world, alice, bob) = World::started(DSG, &[("input/a", "1"), ("input/b", "1")]);
    fs::rename(world.repository(), world.path("old")).expect("moved away");
    let carol = world.person("carol");
    carol.write("input/a", "1");
    carol.write("input/b", "carol");
    carol.run(&["init", "--repository-path", world.repositories()]).succeeded();
    alice.run(&["sync"]).ended(7).says("error[DSG-R02]").says("--reattach");
    alice.run(&["sync", "--reattach"]).ended(2).says("--yes");
    alice.run(&["sync", "--reattach", "--dry-run"]).ended(2);
    alice.run(&["sync", "--reattach", "--yes"]).ended(3).says("input/b");
    assert_eq!((alice.read("input/a"), alice.read("input/b")), ("1".into(), "1".into()));
    alice.run(&["resolve", "input/b", "--remote"]).succeeded();
    alice.run(&["sync"]).succeeded();
    assert_eq!(alice.read("input/b"), "carol");
    fs::remove_dir_all(world.repository()).expect("removed");
    bob.run(&["sync"]).ended(7).says("error[DSG-R01]");
    assert_eq!(bob.read("input/a"), "1");
}

#[test]
fn two_at_once_in_one_project_wait_for_nobody() {
    let (_world, alice, _) = World::started(DSG, &[("input/a", "1")]);
    let lock = fs::File::open(alice.project().join(".dsg/lock")).expect("a lock");
    lock.lock().expect("locked");
    alice.run(&["sync"]).ended(9).says("error[DSG-P01]");
    alice.run(&["status"]).succeeded();
    drop(lock);
    alice.run(&["sync"]).succeeded();
}

/// Killed before many of its steps (the library's own tests take each), a sync is finished or forgotten by the next one.
#[cfg(feature = "faults")]
#[test]
fn a_sync_that_is_killed_is_told_of_and_finished_by_the_next() {
    let mut told = 0;
    for step in (1..).step_by(5) {
        let (_world, alice, bob) = World::started(DSG, &[("input/a", "1"), ("input/b", "1")]);
        bob.write("input/a", "bob");
        bob.run(&["sync"]).succeeded();
        alice.write("input/b", "alice");
        let fault = format!("kill:{step}");
        let killed = alice.run_with(&["sync"], "", &[("DSG_FAULT", &fault)]);
        if killed.code.is_some() {
            killed.succeeded();
            assert!(step > 20 && told > 0, "{step} steps, {told} times told");
            break;
        }
        let status = alice.run(&["status", "--json"]).succeeded().json();
        told += u32::from(status["unfinished_sync"] == true);
        alice.run(&["sync"]).succeeded();
        bob.run(&["sync"]).succeeded();
        for person in [&alice, &bob] {
            assert_eq!(
                (person.read("input/a"), person.read("input/b")),
                ("bob".into(), "alice".into())
            );
            person.run(&["status"]).succeeded().says("Everything up to date");
        }
    }
}

#[test]
fn a_dry_run_of_normalize_leaves_out_only_what_it_can_not_mend() {
    let (_world, alice, _) = World::started(DSG, &[("input/a", "1")]);
    alice.write("input/bad<name", "x");
    alice.write("input/CON/b", "x");
    let dry = alice.run(&["sync", "--normalize", "--dry-run"]).succeeded();
    dry.says("Would be renamed (2)")
        .says(": 2 paths would be renamed and go up")
        .says_nothing_of("Left");
    // A name that is no text: nothing better is known for it.
    let name = std::os::unix::ffi::OsStringExt::from_vec(b"caf\xe9".to_vec());
    let name: std::ffi::OsString = name;
    std::fs::write(alice.project().join("input").join(name), "x").expect("written");
    alice.run(&["sync", "--normalize", "--dry-run"]).ended(5).says("Left out");
    alice.run(&["sync"]).ended(5).says("`dsg sync --normalize` renames what can be renamed");
    alice.run(&["sync", "--normalize"]).ended(5).says("rename them by hand; --normalize knows no");
    alice.write("input/\u{e9}", "one");
    alice.write("input/e\u{301}", "other");
    alice.run(&["sync"]).ended(5).says("so that --normalize refuses");
}

#[test]
fn what_the_configuration_no_longer_includes_is_said_each_time() {
    let (_world, alice, _bob) = World::started(DSG, &[("input/a", "1")]);
    alice.edit(".dsgconfig.yml", "data_dirs: [input, output, frozen]", "data_dirs: [inputs]");
    alice.write("input/a", "important");
    for _ in 0..2 {
        let outcome = alice.run(&["sync"]).succeeded();
        outcome
            .says("1 path left out although agreed before")
            .says_nothing_of("Everything up to date");
    }
    assert_eq!(alice.run(&["sync", "--json"]).succeeded().json()["left_out"], 1);
}

#[test]
fn an_error_after_the_commit_says_that_the_commit_stands() {
    let (_world, alice, bob) = World::started(DSG, &[("input/a", "1"), ("input/b", "1")]);
    bob.write("input/b", "by bob");
    bob.run(&["sync"]).succeeded();
    alice.write("input/a", "by alice");
    alice.write(".dsg/trash", "in the way");
    alice.run(&["sync"]).ended(9).says("s3 is made and everybody sees it, but this project");
    bob.run(&["sync"]).succeeded();
    assert_eq!(bob.read("input/a"), "by alice");
    alice.remove(".dsg/trash");
    alice.run(&["sync"]).succeeded().says("cut off was finished");
    assert_eq!(alice.read("input/b"), "by bob");
}

#[test]
fn an_index_that_cannot_be_written_is_a_notice() {
    let (_world, alice, bob) = World::started(DSG, &[("input/a", "1")]);
    for person in [&alice, &bob] {
        person.remove(".dsg/index");
        person.write(".dsg/index.new/x", "in the way");
        person.write("input/a", "changed, and in the same way");
        for command in ["diff", "status", "sync"] {
            let outcome = person.run(&[command]);
            assert!(matches!(outcome.code, Some(0 | 1)), "{command}: {}", outcome.stderr);
            outcome.says("could not be remembered");
        }
    }
}
