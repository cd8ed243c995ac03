//! Every example of `docs/configuration.md` is read as what the document says it is.
//!
//! A block of YAML is announced by a comment on the line before: `<!-- project -->`,
//! `<!-- user -->`, `<!-- system -->`, or one of these with ` refused` for examples of mistakes.

use super::{SYSTEM_USER_FILE, USER_VALUE_KEYS, UserLayer, parse_project, resolve_user, to_yaml};

const DOCUMENT: &str = include_str!("../../../../docs/configuration.md");

/// The blocks with what announces them.
fn blocks() -> Vec<(&'static str, String)> {
    let mut blocks = Vec::new();
    let mut lines = DOCUMENT.lines();
    let mut before = "";
    while let Some(line) = lines.next() {
        if line == "```yaml" {
            let body: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push((before, body.join("\n") + "\n"));
        }
        before = line;
    }
    blocks
}

fn user(origin: &str, text: &str) -> Result<(), String> {
    let layers = [UserLayer { origin: origin.to_owned(), text: text.to_owned() }];
    resolve_user(&layers, &[]).map(|_| ()).map_err(|error| error.to_string())
}

#[test]
fn every_example_is_what_it_says() {
    let blocks = blocks();
    assert!(blocks.len() >= 12, "{}", blocks.len());
    for (announced, text) in blocks {
        let words: Vec<&str> = announced
            .trim_start_matches("<!--")
            .trim_end_matches("-->")
            .split_whitespace()
            .collect();
        let read = match words.first() {
            Some(&"project") => parse_project(&text).map(|_| ()).map_err(|error| error.to_string()),
            Some(&"user") => user("dsg.yml", &text),
            Some(&"system") => user(SYSTEM_USER_FILE, &text),
            _ => panic!("no word before this block:\n{text}"),
        };
        assert_eq!(read.is_err(), words.contains(&"refused"), "{text}\n{read:?}");
    }
}

#[test]
fn the_older_forms_are_shown_with_the_text_that_replaces_them() {
    let blocks = blocks();
    let mut pairs = 0;
    for pair in blocks.windows(2) {
        if pair[0].0 == "<!-- project older -->" {
            let config = parse_project(&pair[0].1).expect("older").config;
            assert_eq!(to_yaml(&config), pair[1].1);
            pairs += 1;
        }
    }
    assert_eq!(pairs, 4);
}

#[test]
fn every_key_is_documented() {
    let project = [
        "name",
        "repository",
        "type",
        "host",
        "pool",
        "mountpoint",
        "mode",
        "remote",
        "path",
        "did",
        "encrypted",
    ];
    let rest = [
        "data_dirs",
        "ignore",
        "paths",
        "names",
        "suffixes",
        "transport",
        "ssh",
        "rclone",
        "ipfs",
        "project",
    ];
    let variables = [
        "DSG_USER_NAME",
        "DSG_USER_ID",
        "DSG_BACKUP_ON_CONFLICT",
        "DSG_CONFIG_HOME",
        "XDG_CONFIG_HOME",
    ];
    for key in project.iter().chain(&rest).chain(&variables).chain(&USER_VALUE_KEYS) {
        assert!(
            DOCUMENT.contains(&format!("`{key}`")) || DOCUMENT.contains(&format!(".{key}`")),
            "{key}"
        );
    }
}

#[test]
fn the_messages_shown_are_the_messages_told() {
    let mut refused =
        blocks().into_iter().filter(|(before, _)| *before == "<!-- project refused -->");
    let (_, text) = refused.next().expect("an example of mistakes");
    let told = parse_project(&text).expect_err("refused").to_string();
    assert!(DOCUMENT.contains(&format!("```\n{told}\n```")), "{told}");
}
