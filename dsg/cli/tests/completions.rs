//! `dsg completions` and `dsg man`: made from the same definition as the parser.

use std::fs;

use testkit::cli::World;

const DSG: &str = env!("CARGO_BIN_EXE_dsg");

const COMMANDS: [&str; 18] = [
    "init",
    "clone",
    "status",
    "sync",
    "resolve",
    "log",
    "blame",
    "diff",
    "list-files",
    "list-repos",
    "snapfetch",
    "validate-snapshot",
    "validate-chain",
    "serve",
    "doctor",
    "clean",
    "config",
    "completions",
];

#[test]
fn every_shell_gets_a_script_that_knows_every_command() {
    let alice = World::new(DSG).person("alice");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = alice.run(&["completions", shell]).succeeded().stdout;
        for command in COMMANDS {
            assert!(script.contains(command), "{shell}: {command}");
        }
    }
    alice.run(&["completions", "tcsh"]).ended(2);
    let json = alice.run(&["completions", "bash", "--json"]).succeeded().json();
    assert_eq!(json["schema"], "dsg.completions/1");
    assert!(json["script"].as_str().is_some_and(|script| script.contains("validate-chain")));
}

#[test]
fn bash_can_read_its_script() {
    let alice = World::new(DSG).person("alice");
    let script = alice.run(&["completions", "bash"]).succeeded().stdout;
    fs::write(alice.home().join("dsg.bash"), script).expect("written");
    let check =
        std::process::Command::new("bash").arg("-n").arg(alice.home().join("dsg.bash")).status();
    match check {
        Ok(status) => assert!(status.success()),
        Err(_) => println!("skipped: needs bash"),
    }
}

#[test]
fn there_is_a_manual_page_for_every_command() {
    let alice = World::new(DSG).person("alice");
    alice.run(&["man", "share/man/man1"]).succeeded().says("pages in");
    for command in COMMANDS {
        let page = alice.read(&format!("share/man/man1/dsg-{command}.1"));
        assert!(page.contains(".SH NAME") && page.contains("dsg"), "{command}");
    }
    assert!(alice.read("share/man/man1/dsg.1").contains("Getting started"));
    assert!(alice.has("share/man/man1/dsg-config-set.1"));
    assert!(!alice.has("share/man/man1/dsg-man.1") && !alice.has("share/man/man1/dsg-help.1"));
}
