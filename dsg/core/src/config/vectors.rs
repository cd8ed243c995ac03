//! The older tool's verdict on 26 project files, compared with ours. Where we differ, the
//! difference is listed here with its reason.

use std::path::Path;

use serde_json::Value;

use super::{FieldValue, Form, ProjectFile, parse_project};

const VECTORS: &str = "../../../shared/data/legacy-dsg/vectors/project-config-vectors.json";
/// Cases in which we say something else, on purpose: the case, whether we accept it, and why.
const DIFFERENCES: [(&str, bool, &str); 2] = [
    ("repo-unknown", true, "btrfs is a type of repository now"),
    (
        "unknown-toplevel",
        false,
        "an unknown key is an error: a misspelt one would be lost in silence",
    ),
];

#[test]
fn the_older_tool_and_we_read_the_same() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(VECTORS);
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: no shared data");
        return;
    };
    let vectors: serde_json::Map<String, Value> = serde_json::from_str(&text).expect("vectors");
    assert_eq!(vectors.len(), 26);
    for (case, expected) in &vectors {
        let ours = parse_project(expected["yaml"].as_str().expect("yaml"));
        let theirs = expected.get("error").is_none();
        if let Some((_, accepted, reason)) = DIFFERENCES.iter().find(|(known, ..)| known == case) {
            assert_ne!(theirs, *accepted, "{case} is no difference any more");
            assert_eq!(ours.is_ok(), *accepted, "{case}: {reason}");
            continue;
        }
        match ours {
            Ok(file) => {
                assert!(theirs, "{case}: they refuse it");
                assert_agrees(case, &file, expected);
            }
            Err(error) => assert!(!theirs, "{case}: {error}"),
        }
    }
}

fn assert_agrees(case: &str, file: &ProjectFile, expected: &Value) {
    let config = &file.config;
    assert_eq!(config.name, expected["name"].as_str().expect("name"), "{case}");
    assert_eq!(
        file.form == Form::Wrapped,
        expected["migrated"].as_bool().expect("migrated"),
        "{case}"
    );
    let repository: serde_json::Map<String, Value> = config
        .repository
        .fields()
        .into_iter()
        .map(|(key, value)| match value {
            FieldValue::Text(text) => (key.to_owned(), Value::from(text)),
            FieldValue::Boolean(value) => (key.to_owned(), Value::from(value)),
        })
        .collect();
    assert_eq!(Value::from(repository), expected["as_repository"], "{case}");
    assert_eq!(sorted(&config.data_dirs), expected["data_dirs"], "{case}");
    assert_eq!(sorted(&config.ignore.paths), expected["ignore"]["paths"], "{case}");
    assert_eq!(sorted(&config.ignore.names), expected["ignore"]["names"], "{case}");
    assert_eq!(sorted(&config.ignore.suffixes), expected["ignore"]["suffixes"], "{case}");
}

fn sorted(list: &[String]) -> Value {
    let mut list = list.to_vec();
    list.sort();
    Value::from(list)
}
