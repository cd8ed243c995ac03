//! `dsg clone`: joining a project.

use std::fs;

use testkit::cli::World;

const DSG: &str = env!("CARGO_BIN_EXE_dsg");

#[test]
fn a_repository_comes_into_a_directory_of_its_own() {
    let (world, alice, _) = World::started(DSG, &[("input/a", "1"), ("task/output/b", "22")]);
    alice.edit(
        ".dsgconfig.yml",
        "data_dirs: [input, output, frozen]",
        "data_dirs: [input, output, hand]",
    );
    alice.write("hand/c", "333");
    alice.run(&["sync"]).succeeded();
    let carol = world.person("carol");
    let home = carol.at(carol.home());
    let dry = home.run(&["clone", world.repository(), "work", "--dry-run"]).succeeded();
    assert_eq!(
        dry.normalized(),
        "project     /WORLD/carol/work\n\
         repository  /WORLD/repositories/SV\n\
         Dry run, nothing was changed: 3 entries, 6 B, would be compared with what is here"
    );
    assert!(!home.has("work"));
    let result = home.run(&["clone", world.repository(), "work", "--json"]).succeeded().json();
    assert_eq!(result["schema"], "dsg.clone/1");
    assert_eq!(result["sync"]["planned"]["downloads"], 3);
    let work = carol.at(carol.home().join("work"));
    assert_eq!((work.read("task/output/b"), work.read("hand/c")), ("22".into(), "333".into()));
    assert!(
        work.read(".dsgconfig.yml").contains("data_dirs: [hand, input, output]"),
        "{}",
        work.read(".dsgconfig.yml")
    );
    work.run(&["status"]).succeeded().says("Everything up to date with s2");
    work.write("input/a", "carol");
    work.run(&["sync"]).succeeded();
    alice.run(&["sync"]).succeeded();
    assert_eq!(alice.read("input/a"), "carol");
}

#[test]
fn a_relative_path_and_the_repository_s_name_are_enough() {
    let (world, _, _) = World::started(DSG, &[("input/a", "1")]);
    let carol = world.person("carol");
    fs::remove_dir(carol.project()).expect("removed");
    carol.at(carol.home()).run(&["clone", "../repositories/SV"]).succeeded();
    assert_eq!(carol.read("input/a"), "1");
    carol.run(&["status"]).succeeded().says("Everything up to date");
}

#[test]
fn with_the_configuration_from_git_equal_files_join_and_different_ones_are_asked_about() {
    let (world, alice, _) =
        World::started(DSG, &[("input/a", "1"), ("input/b", "1"), ("input/c", "1")]);
    let carol = world.person("carol");
    carol.write(".dsgconfig.yml", &alice.read(".dsgconfig.yml"));
    carol.run(&["status"]).ended(6).says("dsg clone");
    carol.write("input/a", "1");
    carol.write("input/b", "carol");
    let dry = carol.run(&["clone", "--dry-run", "--json"]).succeeded().json();
    assert_eq!((&dry["entries"], &dry["sync"]), (&3.into(), &serde_json::Value::Null));
    assert!(!carol.has(".dsg"));
    carol.run(&["clone"]).ended(3).says("input/b").says_nothing_of("input/a");
    assert_eq!(carol.read("input/b"), "carol");
    carol.run(&["resolve", "input/b", "--remote"]).succeeded();
    carol.run(&["sync"]).succeeded();
    assert_eq!((carol.read("input/b"), carol.read("input/c")), ("1".into(), "1".into()));
    carol.run(&["clone"]).ended(6).says("error[DSG-C04]").says("use `dsg sync`");
}

#[test]
fn what_can_not_be_is_refused() {
    let (world, _, _) = World::started(DSG, &[("input/a", "1")]);
    let carol = world.person("carol");
    carol.write("full/x", "x");
    carol.run(&["clone"]).ended(6).says("error[DSG-C02]").says("dsg clone REPOSITORY");
    carol.run(&["clone", "/nowhere/SV"]).ended(7).says("error[DSG-R01]");
    carol.run(&["clone", world.repositories()]).ended(7).says("error[DSG-R01]");
    carol.run(&["clone", world.repository(), "full"]).ended(6).says("is not empty");
    let inside = format!("{}/work", world.repository());
    carol.run(&["clone", world.repository(), &inside]).ended(2).says("can't lie in one another");
    assert!(!world.path("repositories/SV/work").exists());
    let stranger = world.stranger("dave");
    stranger.run(&["clone", world.repository(), "work"]).ended(6).says("dsg config set user_id");
    assert!(!stranger.has("work"));
    stranger.run(&["clone", world.repository(), "work", "--dry-run"]).succeeded();
}

#[test]
fn a_repository_without_a_snapshot_can_be_joined() {
    let world = World::new(DSG);
    let (alice, bob) = (world.person("alice"), world.person("bob"));
    alice.run(&["init", "--repository-path", world.repositories(), "--no-sync"]).succeeded();
    bob.run(&["clone", world.repository(), "."]).succeeded();
    bob.write("input/a", "1");
    bob.run(&["sync"]).succeeded().says("s1 is made");
    alice.run(&["sync"]).succeeded();
    assert_eq!(alice.read("input/a"), "1");
}

/// Killed before many of its steps, `clone` is finished by running it again.
#[cfg(feature = "faults")]
#[test]
fn it_can_be_cut_off_anywhere_and_run_again() {
    let (world, _, _) = World::started(DSG, &[("input/a", "1"), ("output/b", "22")]);
    for step in 1.. {
        let carol = world.person(&format!("carol{step}"));
        let arguments = ["clone", world.repository(), "."];
        let fault = format!("kill:{step}");
        let killed = carol.run_with(&arguments, "", &[("DSG_FAULT", &fault)]);
        if killed.code.is_some() {
            killed.succeeded();
            assert!(step > 20, "{step}");
            break;
        }
        let again = carol.run(&arguments);
        // It was cut off when all was done but the tidying up.
        if again.code != Some(6) {
            again.succeeded();
        }
        carol.run(&["sync"]).succeeded();
        assert_eq!((carol.read("input/a"), carol.read("output/b")), ("1".into(), "22".into()));
        carol.run(&["status"]).succeeded().says("Everything up to date with s1");
    }
}

#[test]
fn a_clone_inside_another_project_is_told_and_an_address_is_no_place() {
    let (world, alice, _) = World::started(DSG, &[("input/a", "1")]);
    let inside = alice.at(alice.project().join("input"));
    let outcome = inside.run(&["clone", world.repository(), "inner"]).succeeded();
    outcome.says("is a project too; this one lies inside it").says("ignore.paths");
    let outcome = alice.run(&["clone", "file:///srv/dsg/SV", "x"]).ended(2);
    outcome.says("file:///srv/dsg/SV is no place").says_nothing_of(".dsgconfig.yml");
}
