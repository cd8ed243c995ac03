//! What all commands share: help, versions, wrong input, JSON, exit codes, directories.

use testkit::cli::World;

const DSG: &str = env!("CARGO_BIN_EXE_dsg");

#[test]
fn alone_it_shows_help_that_leads_to_a_first_sync() {
    let alice = World::new(DSG).person("alice");
    let outcome = alice.run(&[]).ended(2);
    for part in ["dsg config set user_id", "dsg init", "dsg sync -m", "dsg clone", "Exit codes"] {
        assert!(outcome.stderr.contains(part), "{part} is not in\n{}", outcome.stderr);
    }
    let help = alice.run(&["--help"]).succeeded();
    assert!(help.stdout.contains("Getting started"));
    assert!(help.stdout.lines().all(|line| line.chars().count() <= 100), "{}", help.stdout);
}

#[test]
fn the_version_is_one_line() {
    let alice = World::new(DSG).person("alice");
    assert_eq!(alice.run(&["--version"]).succeeded().stdout, "dsg 0.1.0\n");
}

#[test]
fn every_command_teaches_with_examples() {
    let alice = World::new(DSG).person("alice");
    for command in ["init", "clone", "status", "sync", "resolve", "config", "completions"] {
        alice.run(&[command, "--help"]).succeeded().says("Examples\n  ").says("--json");
    }
}

#[test]
fn help_is_as_wide_as_the_terminal() {
    let alice = World::new(DSG).person("alice");
    for command in ["init", "clone", "sync", "resolve", "snapfetch", "log", "doctor", "blame"] {
        let help = |width: &str| {
            let outcome = alice.run_with(&[command, "--help"], "", &[("COLUMNS", width)]);
            outcome.succeeded().stdout
        };
        let wide = help("100");
        assert!(wide.lines().all(|line| line.chars().count() <= 100), "{wide}");
        // A line of a closing paragraph has room for no word of the next, or ends a sentence.
        let closing = wide.split("Examples\n").nth(1).expect("examples");
        let lines: Vec<&str> = closing.lines().collect();
        for pair in lines.windows(2) {
            let is_text = |line: &str| !line.is_empty() && !line.starts_with(' ');
            if is_text(pair[0]) && is_text(pair[1]) && !pair[0].ends_with('.') {
                let word = pair[1].split(' ').next().unwrap_or_default();
                let together = pair[0].chars().count() + 1 + word.chars().count();
                assert!(together > 100, "{command}: {pair:#?}");
            }
        }
        let narrow = help("60");
        assert!(narrow.lines().filter(|line| line.chars().count() > 60).count() <= 8, "{narrow}");
    }
}

#[test]
fn wrong_input_is_told_apart_from_everything_else() {
    let alice = World::new(DSG).person("alice");
    for wrong in [
        &["statuss"][..],
        &["status", "--nonsense"],
        &["status", "-v", "-q"],
        &["resolve"],
        &["resolve", "a"],
        &["resolve", "a", "--local", "--remote"],
        &["resolve", "--list", "a"],
        &["config", "frobnicate"],
        &["config", "set", "user_id"],
        &["sync", "-m", " "],
        &["sync", "--dry-run", "--continue"],
        &["init", "--access", "world"],
        &["-C", "nowhere", "status"],
    ] {
        let outcome = alice.run(wrong).ended(2);
        assert_eq!(outcome.stdout, "", "{wrong:?}");
        assert!(!outcome.stderr.is_empty(), "{wrong:?}");
        let mut with_json = wrong.to_vec();
        with_json.push("--json");
        let outcome = alice.run(&with_json).ended(2);
        let error = outcome.json();
        assert_eq!(error["schema"], "dsg.error/1", "{wrong:?}");
        assert_eq!(error["exit"], 2);
        assert_eq!(outcome.stderr, "", "{wrong:?}");
    }
}

#[test]
fn an_error_has_three_parts_and_a_code_also_in_json() {
    let alice = World::new(DSG).person("alice");
    let outcome = alice.run(&["status"]).ended(6);
    assert_eq!(outcome.stdout, "");
    let lines: Vec<_> = outcome.stderr.lines().collect();
    assert!(lines[0].starts_with("error[DSG-C02]: there is no dsg project at "), "{lines:?}");
    assert!(lines[1].starts_with("  why: "), "{lines:?}");
    assert!(lines[2].starts_with("  next: "), "{lines:?}");
    let error = alice.run(&["status", "--json"]).ended(6).json();
    assert_eq!(error["code"], "DSG-C02");
    assert_eq!(error["retry_helps"], false);
    for field in ["what", "why", "next"] {
        assert!(error[field].is_string(), "{error:#}");
    }
    assert!(error["paths"].is_array());
}

#[test]
fn colour_comes_only_when_it_is_asked_for_and_words_stay_the_same() {
    let (_world, alice, _) = World::started(DSG, &[("input/a", "1")]);
    alice.write("input/b", "2");
    let plain = alice.run(&["status"]).succeeded().stdout;
    let coloured = alice.run(&["status", "--color", "always"]).succeeded().stdout;
    assert!(!plain.contains('\u{1b}') && coloured.contains('\u{1b}'));
    let mut stripped = String::new();
    for part in coloured.split('\u{1b}') {
        let code = part.strip_prefix('[').and_then(|part| part.split_once('m'));
        stripped.push_str(code.map_or(part, |(_, rest)| rest));
    }
    assert_eq!(stripped, plain);
    let json = alice.run(&["status", "--json", "--color", "always"]).succeeded().stdout;
    assert!(!json.contains('\u{1b}'));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let alice = World::new(DSG).person("alice");
    let mut command = alice.command(&["completions", "bash"], &[]);
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let status = command.stdout(writer).status().expect("runs");
    assert_eq!(status.code(), Some(0));
}

#[test]
fn a_result_that_can_not_be_written_is_a_failure() {
    let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") else {
        println!("skipped: needs /dev/full");
        return;
    };
    let alice = World::new(DSG).person("alice");
    let mut command = alice.command(&["config", "show", "--json"], &[]);
    let output = command.stdout(full).output().expect("runs");
    assert_eq!(output.status.code(), Some(9));
    assert!(String::from_utf8_lossy(&output.stderr).contains("error[DSG-D01]"));
}

#[test]
fn commands_work_from_any_directory_of_the_project() {
    let (_world, alice, _) = World::started(DSG, &[("task/input/a", "1")]);
    alice.write("task/input/b", "2");
    let below = alice.at(alice.project().join("task/input"));
    below.run(&["status"]).succeeded().says("task/input/b");
    below.run(&["sync"]).succeeded();
    alice.run(&["-C", "task", "status"]).succeeded().says("Everything up to date");
}

#[test]
fn foreign_text_can_not_steer_a_terminal_and_is_unchanged_in_json() {
    let (_world, alice, bob) = World::started(DSG, &[("input/a", "1")]);
    alice.write("input/x\u{202e}y", "1");
    alice.run(&["status"]).ended(5).says("x\\u{202e}y").says_nothing_of("\u{202e}");
    let status = alice.run(&["status", "--json"]).ended(5).json();
    let unknown = &status["unknown"][0];
    assert_eq!(unknown["reason"], "name", "{unknown:#}");
    drop(bob);
}

#[test]
fn an_interrupt_stops_a_question_at_once() {
    use std::io::Read;
    use std::process::Stdio;
    let world = World::new(DSG);
    let alice = world.person("alice");
    let mut child = alice
        .command_to_stop(&["init", "--interactive"], &[])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let input = child.stdin.take();
    let mut byte = [0];
    child.stderr.as_mut().expect("piped").read_exact(&mut byte).expect("the question comes");
    let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(kill.expect("kill runs").success());
    assert_eq!(child.wait().expect("ends").code(), Some(130));
    drop(input);
    assert!(!alice.has(".dsgconfig.yml"));
}
