//! `sysndd import` as a person runs it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sample")
}

fn import(data: &Path, folder: &Path, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sysndd"))
        .args(["import", "hpo"])
        .arg(folder)
        .arg("--data")
        .arg(data)
        .args(more)
        .env_remove("SYSNDD_DATABASE_URL")
        .output()
        .expect("the program")
}

fn said(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn an_import_makes_the_database_reports_and_changes_nothing_the_second_time() {
    let data = tempfile::tempdir().expect("a folder");
    let first = import(data.path(), &sample(), &["--json"]);
    assert!(first.status.success(), "{}", said(&first.stderr));
    let report: serde_json::Value = serde_json::from_slice(&first.stdout).expect("one JSON value");
    assert_eq!(report["schema"], "sysndd.import/1");
    assert_eq!(
        (&report["changed"], &report["category"]),
        (&true.into(), &"computed, not curated".into())
    );
    assert_eq!(report["neurodevelopmental"]["entities"], 198);
    assert_eq!(report["refused"].as_array().map(Vec::len), Some(3));
    assert_eq!(report["sources"][0]["release"], "2025-01-16");
    let second = import(data.path(), &sample(), &[]);
    assert!(second.status.success(), "{}", said(&second.stderr));
    let text = said(&second.stdout);
    assert!(text.contains("Nothing changed: all 243 entities"), "{text}");
    assert!(text.contains("Refused: gene 7467"), "{text}");
    assert_eq!(said(&second.stderr), "", "no progress where there is no terminal");
}

#[test]
fn a_folder_without_the_files_is_refused_before_a_database_is_made() {
    let data = tempfile::tempdir().expect("a folder");
    let empty = tempfile::tempdir().expect("a folder");
    let refused = import(data.path(), empty.path(), &[]);
    assert_eq!(refused.status.code(), Some(2));
    let text = said(&refused.stderr);
    assert!(
        text.contains("has no ontology: looked for hp.obo") && text.contains("docs/sysndd-data.md"),
        "{text}"
    );
    assert!(!data.path().join("sysndd.db").exists());
}
