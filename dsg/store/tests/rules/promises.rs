//! `docs/promises.md` names a test for each rule; here it is held against the tests.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The rows of the tables: what is promised, and the tests with their files.
fn rows() -> Vec<(String, Vec<(String, String)>)> {
    let text = fs::read_to_string(workspace().join("docs/promises.md")).expect("reads");
    let mut rows = Vec::new();
    for line in text.lines().filter(|line| line.starts_with("| ") && line.contains('`')) {
        let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [promise, tests, file] = cells[..] else { panic!("three cells: {line}") };
        let file = file.trim_matches('`').to_owned();
        let names = tests.split(", ").map(|name| (name.trim_matches('`').to_owned(), file.clone()));
        rows.push((promise.to_owned(), names.collect()));
    }
    rows
}

/// The names of the tests in a file.
fn tests_in(path: &Path) -> BTreeSet<String> {
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut names = BTreeSet::new();
    for part in text.split("#[test]").skip(1) {
        let name = part.split_once("fn ").and_then(|(_, rest)| rest.split_once('('));
        names.insert(name.expect("a function").0.to_owned());
    }
    names
}

#[test]
fn every_promise_names_a_test_that_exists() {
    let rows = rows();
    assert!(rows.len() > 40, "{}", rows.len());
    for (promise, tests) in rows {
        assert!(promise.len() > 20, "{promise}");
        for (test, file) in tests {
            let tests = tests_in(&workspace().join(&file));
            assert!(tests.contains(&test), "there is no test `{test}` in {file}");
        }
    }
}

#[test]
fn every_test_of_a_rule_is_named_among_the_promises() {
    let named: BTreeSet<String> =
        rows().into_iter().flat_map(|(_, tests)| tests).map(|(test, _)| test).collect();
    let mut files = vec![workspace().join("dsg/store/tests/edge_cases.rs")];
    for folder in ["edge_cases", "rules"] {
        let folder = workspace().join("dsg/store/tests").join(folder);
        for entry in fs::read_dir(folder).expect("lists") {
            let path = entry.expect("an entry").path();
            if path.file_name().is_some_and(|name| name != "promises.rs") {
                files.push(path);
            }
        }
    }
    for file in files {
        for test in tests_in(&file) {
            assert!(named.contains(&test), "`{test}` of {} is no promise", file.display());
        }
    }
}
