//! `dsg init`: it says what it will make, makes that, and can be cut off anywhere.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};

use testkit::cli::{Person, World};

const DSG: &str = env!("CARGO_BIN_EXE_dsg");

fn with_files(person: &Person) {
    person.write("input/a.csv", "12345");
    person.write("task/output/b.csv", "1");
    person.write("src/code.py", "not data");
}

#[test]
fn what_is_made_is_shown_first_and_a_dry_run_makes_nothing() {
    let world = World::new(DSG);
    let alice = world.person("alice");
    with_files(&alice);
    let arguments = ["init", "--repository-path", world.repositories(), "--dry-run"];
    let outcome = alice.run(&arguments).succeeded();
    assert_eq!(
        outcome.normalized(),
        "\
This would be made:
  configuration /WORLD/alice/SV/.dsgconfig.yml
  repository    /WORLD/repositories/SV (posix; private: only you can read it)
  notes         /WORLD/alice/SV/.dsg (yours, not shared)
  files         2 files, 6 B below input, output, frozen"
    );
    let result = alice.run(&[&arguments[..], &["--json"]].concat()).succeeded().json();
    assert_eq!((&result["schema"], &result["dry_run"]), (&"dsg.init/1".into(), &true.into()));
    assert_eq!((&result["files"], &result["bytes"]), (&2.into(), &6.into()));
    assert!(!alice.has(".dsgconfig.yml") && !alice.has(".dsg"));
    assert_eq!(fs::read_dir(world.repositories()).expect("reads").count(), 0);
}

#[test]
fn everything_by_options() {
    let world = World::new(DSG);
    let alice = world.stranger("alice");
    with_files(&alice);
    alice.write("task/hand/c.csv", "1");
    let outcome = alice
        .run(&[
            "init",
            "--no-interactive",
            "--repo-name",
            "people",
            "--mountpoint",
            world.repositories(),
            "--type",
            "xfs",
            "--access",
            "group",
            "--data-dirs",
            "hand,output",
            "-m",
            "begin",
            "--user-id",
            "alice@example.org",
            "--user-name",
            "Alice A",
            "--json",
        ])
        .succeeded();
    let result = outcome.json();
    assert_eq!(outcome.stderr, "");
    assert_eq!(result["sync"]["snapshot"], "s1");
    assert_eq!(result["data_dirs"], serde_json::json!(["hand", "output"]));
    assert_eq!((&result["access"], &result["repository_created"]), (&"group".into(), &true.into()));
    let config = alice.read(".dsgconfig.yml");
    assert!(config.contains("name: people") && config.contains("type: xfs"), "{config}");
    let own = alice.home().join("config/dsg.yml");
    let text = fs::read_to_string(&own).expect("written");
    assert_eq!(text, "user_name: \"Alice A\"\nuser_id: alice@example.org\n");
    assert_eq!(fs::metadata(own).expect("there").permissions().mode() & 0o777, 0o600);
    let repository = world.path("repositories/people");
    assert_eq!(fs::metadata(&repository).expect("there").permissions().mode() & 0o7777, 0o2770);
    assert!(repository.join("task/hand/c.csv").is_file() && !repository.join("input").exists());
    let document =
        fs::read_to_string(repository.join(".dsg-repository/snapshots/s1")).expect("there");
    assert!(
        document.contains("\"author\":\"alice@example.org\"") && document.contains("\"begin\"")
    );
}

#[test]
fn what_is_missing_is_asked_with_defaults() {
    let world = World::new(DSG);
    let alice = world.stranger("alice");
    with_files(&alice);
    let answers = format!("\n{}\n\nAlice\nalice@example.org\ny\n", world.repositories());
    let outcome = alice.run_with(&["init", "--interactive"], &answers, &[]).succeeded();
    for question in [
        "Name of the project [SV]: ",
        "Directory that holds the repositories: ",
        "Data directories [input,output,frozen]: ",
        "Your name: ",
        "Your e-mail address, which signs your changes: ",
        "Make this? [y/N]: ",
    ] {
        assert!(outcome.stderr.contains(question), "{question}\n{}", outcome.stderr);
    }
    assert!(outcome.stdout.contains("s1 is made: 2 uploaded (6 B)"), "{}", outcome.stdout);
    alice.run(&["status"]).succeeded().says("Everything up to date");
}

#[test]
fn saying_no_or_nothing_makes_nothing() {
    let world = World::new(DSG);
    let alice = world.person("alice");
    let arguments = [
        "init",
        "--interactive",
        "--name",
        "SV",
        "--data-dirs",
        "input",
        "--repository-path",
        world.repositories(),
    ];
    alice.run_with(&arguments, "perhaps\nn\n", &[]).ended(130).says("Please answer y or n.");
    alice.run_with(&arguments, "", &[]).ended(2).says("the input ended");
    assert!(!alice.has(".dsgconfig.yml"));
    assert_eq!(fs::read_dir(world.repositories()).expect("reads").count(), 0);
    alice.run_with(&[&arguments[..], &["--yes"]].concat(), "", &[]).succeeded();
}

#[test]
fn all_that_is_missing_is_named_at_once_where_nobody_can_be_asked() {
    let world = World::new(DSG);
    let alice = world.stranger("alice");
    for arguments in [&["init"][..], &["init", "--no-interactive"], &["init", "--json"]] {
        alice.run(arguments).ended(2).says("missing: --repository-path, --user-name, --user-id");
    }
    let own = alice.home().join("config");
    fs::create_dir_all(&own).expect("made");
    let text = format!(
        "user_name: A\nuser_id: a@example.org\ndefault_project_path: {}\n",
        world.repositories()
    );
    fs::write(own.join("dsg.yml"), text).expect("written");
    alice.run(&["init"]).succeeded();
    assert!(world.path("repositories/SV").is_dir());
}

#[test]
fn what_can_not_be_is_refused_before_anything_is_made() {
    let world = World::new(DSG);
    let alice = world.person("alice");
    with_files(&alice);
    fs::create_dir(world.path("repositories/full")).expect("made");
    fs::write(world.path("repositories/full/x"), "x").expect("written");
    let here = alice.project().display().to_string();
    let above = alice.home().display().to_string();
    let place = world.repositories();
    for (arguments, code, text) in [
        (&["--repository-path", place, "--type", "zfs"][..], 6, "repository.pool is missing"),
        (&["--repository-path", place, "--type", "btrfs"], 7, "take `type: posix`"),
        (&["--repository-path", place, "--type", "rclone"], 6, "DSG-C03"),
        (&["--type", "ipfs"], 6, "DSG-C03"),
        (&["--repository-path", place, "--type", "tape"], 2, "there is no repository type tape"),
        (
            &["--repository-path", place, "--host", "scott.example.org"],
            7,
            "check the name scott.example.org",
        ),
        (&["--repository-path", "/nowhere/at/all"], 7, "mkdir -p /nowhere/at/all"),
        (&["--repository-path", &here], 2, "can't lie in one another"),
        (&["--repository-path", &above], 2, "can't lie in one another"),
        (&["--repository-path", place, "--name", "a/b"], 6, "is a path, not a name"),
        (&["--repository-path", place, "--name", "full"], 7, "is not empty"),
        (&["--repository-path", place, "--data-dirs", "../x"], 6, "data_dirs[0]"),
        (
            &["--repository-path", place, "--user-id", "other@example.org"],
            2,
            "but you are alice@example.org",
        ),
    ] {
        let outcome = alice.run(&[&["init"], arguments].concat()).ended(code).says(text);
        assert!(!alice.has(".dsgconfig.yml") && !alice.has(".dsg"), "{arguments:?}: {outcome:?}");
    }
    assert_eq!(fs::read_dir(place).expect("reads").count(), 1);
}

#[test]
fn a_project_is_made_once() {
    let (world, alice, _) = World::started(DSG, &[("input/a", "1")]);
    alice.run(&["init"]).ended(6).says("error[DSG-C04]").says("use `dsg sync`");
    let carol = world.person("carol");
    carol
        .run(&["init", "--repository-path", world.repositories()])
        .ended(7)
        .says("error[DSG-R05]")
        .says("dsg clone");
    assert!(!carol.has(".dsgconfig.yml"));
}

#[test]
fn a_configuration_from_git_is_used_as_it_is() {
    let world = World::new(DSG);
    let alice = world.person("alice");
    with_files(&alice);
    let text = format!(
        "# ours\nname: people\nrepository: {{type: posix, host: localhost, mountpoint: {}}}\ndata_dirs: [input]\n",
        world.repositories()
    );
    alice.write(".dsgconfig.yml", &text);
    alice
        .run(&["init", "--name", "other"])
        .ended(6)
        .says("name: people in the file, other in the options");
    let outcome = alice.run(&["init"]).succeeded();
    outcome.says("(is there, and is used as it is)").says("s1 is made: 1 uploaded");
    assert_eq!(alice.read(".dsgconfig.yml"), text);
    assert!(world.path("repositories/people/input/a.csv").is_file());
}

#[test]
fn git_is_advised_and_never_changed() {
    let world = World::new(DSG);
    let alice = world.person("alice");
    fs::create_dir(alice.project().join(".git")).expect("made");
    alice.write(".gitignore", "output/\n");
    let outcome =
        alice.run(&["init", "--repository-path", world.repositories(), "--no-sync"]).succeeded();
    let outcome = outcome
        .says("add to .gitignore:\n  .dsg/\n  conflicts.txt\n  input/\n  frozen/\n")
        .says("Made. `dsg sync`");
    drop(outcome);
    assert_eq!(alice.read(".gitignore"), "output/\n");
    alice.run(&["init", "--no-sync"]).succeeded();
    alice.run(&["sync"]).succeeded();
}

#[test]
fn names_are_told_of_and_put_right() {
    let world = World::new(DSG);
    let alice = world.person("alice");
    alice.write("input/CON", "1");
    alice.write("input/good", "1");
    let place = world.repositories();
    alice
        .run(&["init", "--repository-path", place, "--dry-run"])
        .succeeded()
        .says("1 file has a name that is not accepted");
    let result = alice
        .run(&["init", "--repository-path", place, "--normalize", "--json"])
        .succeeded()
        .json();
    assert_eq!(result["normalized"]["renamed"].as_array().map(Vec::len), Some(1));
    assert_eq!(result["sync"]["planned"]["uploads"], 2);
    assert!(result["sync"]["phases"]["committing"].as_f64().is_some_and(|seconds| seconds > 0.0));
    alice.run(&["status"]).succeeded().says("Everything up to date");
}

/// Killed before its steps, `init` is finished by running it again.
#[cfg(feature = "faults")]
#[test]
fn it_can_be_cut_off_anywhere_and_run_again() {
    // The first steps are its own; the rest are those of a sync, of which some are enough.
    for step in (1..45).chain((45..).step_by(4)) {
        let world = World::new(DSG);
        let alice = world.stranger("alice");
        with_files(&alice);
        let arguments = [
            "init",
            "--repository-path",
            world.repositories(),
            "--user-name",
            "Alice",
            "--user-id",
            "alice@example.org",
        ];
        let fault = format!("kill:{step}");
        let killed = alice.run_with(&arguments, "", &[("DSG_FAULT", &fault)]);
        if killed.code.is_some() {
            killed.succeeded();
            assert!(step > 50, "{step}");
            break;
        }
        let again = alice.run(&arguments);
        // It was cut off when all was done but the tidying up.
        if again.code != Some(6) {
            again.succeeded();
        }
        alice.run(&["sync"]).succeeded();
        alice.run(&["status"]).succeeded().says("Everything up to date with s1");
        let repository = world.path("repositories/SV");
        assert_eq!(fs::read_to_string(repository.join("input/a.csv")).expect("there"), "12345");
        assert!(repository.join(".dsg-repository/snapshots/s1").is_file());
        assert!(!repository.join(".dsg-repository/snapshots/s2").exists());
    }
}

#[test]
fn a_repository_for_a_group_belongs_to_the_group_of_the_directory_above() {
    const GROUP: u32 = 65_010;
    if testkit::mount::lacks(&[]) {
        return;
    }
    let world = World::new(DSG);
    chown(world.repositories(), None, Some(GROUP)).expect("changes the group");
    let alice = world.person("alice");
    alice.write("input/a", "1");
    let init = ["init", "--access", "group", "--repository-path", world.repositories()];
    alice.run(&init).succeeded();
    for path in ["", "input", "input/a", ".dsg-repository/repository.json"] {
        let found = fs::metadata(world.path("repositories/SV").join(path)).expect("there");
        assert_eq!(found.gid(), GROUP, "{path}");
    }
}
