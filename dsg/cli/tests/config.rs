//! `dsg config`: what counts, whether it is right, and changing it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use testkit::cli::World;

const DSG: &str = env!("CARGO_BIN_EXE_dsg");

#[test]
fn every_value_is_shown_with_its_origin() {
    let (_world, alice, _) = World::started(DSG, &[("input/a", "1")]);
    let shown = alice.run(&["config", "show"]).succeeded();
    assert!(shown.stdout.contains("name                   SV\n"), "{}", shown.stdout);
    assert!(
        shown.stdout.contains("data_dirs              [input, output, frozen]\n"),
        "{}",
        shown.stdout
    );
    let variables = [("DSG_USER_NAME", "Another")];
    let shown = alice.run_with(&["config", "show", "--origin"], "", &variables).succeeded();
    for part in [
        "(.dsgconfig.yml, line 5: name)",
        "Another  (environment variable DSG_USER_NAME)",
        "/alice/config/dsg.yml, line 2)",
        "ignore.paths           []  (.dsgconfig.yml, line ",
        "default_host          -  (not set)",
    ] {
        assert!(shown.stdout.contains(part), "{part}\n{}", shown.stdout);
    }
    let shown = alice.run(&["config", "show", "--json"]).succeeded().json();
    assert_eq!(shown["schema"], "dsg.config/1");
    let data_dirs =
        shown["project"].as_array().expect("a list").iter().find(|v| v["key"] == "data_dirs");
    assert_eq!(
        data_dirs.expect("there")["value"],
        serde_json::json!(["input", "output", "frozen"])
    );
    let home = alice.at(alice.home());
    assert_eq!(
        home.run(&["config", "show", "--json"]).succeeded().json()["project"],
        serde_json::json!([])
    );
}

#[test]
fn a_value_is_set_in_a_new_file_that_only_the_user_can_read() {
    let world = World::new(DSG);
    let alice = world.stranger("alice");
    let path = alice.home().join("config/dsg.yml");
    alice
        .run(&["config", "set", "user_id", "alice@example.org"])
        .succeeded()
        .says("config/dsg.yml");
    assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
    assert_eq!(
        fs::metadata(alice.home().join("config")).expect("there").permissions().mode() & 0o777,
        0o700
    );
    let result = alice.run(&["config", "set", "user_name", "Alice", "--json"]).succeeded().json();
    assert_eq!((&result["key"], &result["value"]), (&"user_name".into(), &"Alice".into()));
    assert_eq!(
        fs::read_to_string(&path).expect("there"),
        "user_id: alice@example.org\nuser_name: Alice\n"
    );
    for (key, value) in [
        ("user_id", "nonsense"),
        ("user_i", "a@b.org"),
        ("default_project_path", "relative"),
        ("backup_on_conflict", "perhaps"),
    ] {
        alice.run(&["config", "set", key, value]).ended(6).says("next: ");
    }
    alice.run(&["config", "set", "user_i", "x"]).ended(6).says("did you mean user_id?");
    assert_eq!(
        fs::read_to_string(&path).expect("there"),
        "user_id: alice@example.org\nuser_name: Alice\n"
    );
}

#[test]
fn comments_permissions_and_a_link_to_the_file_stay() {
    let world = World::new(DSG);
    let alice = world.person("alice");
    let real = alice.home().join("dotfiles.yml");
    fs::write(&real, "# mine\nuser_name: Alice # me\nuser_id: a@example.org\n").expect("written");
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).expect("set");
    let link = alice.home().join("config/dsg.yml");
    fs::remove_file(&link).expect("removed");
    std::os::unix::fs::symlink(&real, &link).expect("linked");
    alice.run(&["config", "set", "user_name", "Alice A"]).succeeded().says_nothing_of("notice");
    assert_eq!(
        fs::read_to_string(&real).expect("there"),
        "# mine\nuser_name: \"Alice A\" # me\nuser_id: a@example.org\n"
    );
    assert!(link.symlink_metadata().expect("there").is_symlink());
    assert_eq!(fs::metadata(&real).expect("there").permissions().mode() & 0o777, 0o640);
    let variables = [("DSG_USER_NAME", "Another")];
    alice
        .run_with(&["config", "set", "user_name", "B"], "", &variables)
        .succeeded()
        .says("what counts for user_name is still environment variable");
}

#[test]
fn without_a_variable_the_file_is_below_the_home_directory() {
    let world = World::new(DSG);
    let alice = world.stranger("alice");
    alice
        .run_with(&["config", "set", "user_name", "A"], "", &[("DSG_CONFIG_HOME", "")])
        .succeeded();
    assert!(alice.home().join(".config/dsg/dsg.yml").is_file());
    alice
        .run_with(
            &["config", "set", "user_name", "A"],
            "",
            &[("DSG_CONFIG_HOME", ""), ("HOME", "")],
        )
        .ended(6)
        .says("HOME");
}

#[test]
fn validating_tells_all_that_is_wrong() {
    let (world, alice, _) = World::started(DSG, &[("input/a", "1")]);
    let good = alice.run(&["config", "validate"]).succeeded();
    assert_eq!(
        good.stdout.lines().filter(|line| line.starts_with("ok ")).count(),
        3,
        "{}",
        good.stdout
    );
    let good = alice.run(&["config", "validate", "--json"]).succeeded().json();
    assert_eq!(good["checks"].as_array().map(Vec::len), Some(3));
    fs::rename(world.repository(), world.path("away")).expect("moved");
    alice.run(&["config", "validate"]).ended(7).says("problem  repository").says("DSG-R01");
    alice.run(&["config", "validate", "--no-repository"]).succeeded();
    alice.edit(".dsgconfig.yml", "data_dirs:", "data_dir:");
    fs::write(alice.home().join("config/dsg.yml"), "user_id: nonsense\n").expect("written");
    let bad = alice.run(&["config", "validate"]).ended(6);
    let bad = bad.says("did you mean data_dirs?").says("problem  user").says("nonsense");
    drop(bad);
    let bad = alice.run(&["config", "validate", "--json"]).ended(6).json();
    assert_eq!(
        (&bad["checks"][0]["ok"], &bad["checks"][0]["code"]),
        (&false.into(), &"DSG-C01".into())
    );
    alice.run(&["status"]).ended(6).says("data_dirs");
}

#[test]
fn an_older_form_is_read_and_the_new_text_is_offered() {
    let (world, alice, _) = World::started(DSG, &[("input/a", "1")]);
    let text = format!(
        "transport: ssh\nssh: {{host: localhost, path: {}, name: SV, type: xfs}}\n",
        world.repositories()
    );
    alice.write(".dsgconfig.yml", &text);
    alice.run(&["status"]).succeeded().says("Everything up to date");
    let outcome = alice.run(&["config", "validate"]).succeeded();
    let outcome = outcome
        .says("notice: .dsgconfig.yml is written in an older form")
        .says("    repository:\n      type: xfs\n");
    drop(outcome);
    let notices = alice.run(&["config", "validate", "--json"]).succeeded().json();
    let replacement = notices["notices"][0]["replacement"].as_str().expect("a text").to_owned();
    alice.write(".dsgconfig.yml", &replacement);
    assert_eq!(
        alice.run(&["config", "validate", "--json"]).succeeded().json()["notices"],
        serde_json::json!([])
    );
}

#[test]
fn every_example_of_a_configuration_is_valid() {
    let folder =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/repositories");
    let (_world, alice, _) = World::started(DSG, &[("input/a", "1")]);
    let mut count = 0;
    for example in fs::read_dir(folder).expect("lists") {
        let example = example.expect("an entry").path();
        let text = fs::read_to_string(&example).expect("reads");
        fs::write(alice.project().join(".dsgconfig.yml"), &text).expect("writes");
        let said = alice.run(&["config", "validate", "--no-repository"]).succeeded();
        let is_older = text.contains("transport:");
        let notices = format!("{}{}", said.stdout, said.stderr);
        assert_eq!(notices.contains("older form"), is_older, "{}: {notices}", example.display());
        count += 1;
    }
    assert!(count >= 7, "{count}");
}
