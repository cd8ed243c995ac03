//! The tree that the legacy tool scanned under seven configurations, and where we scan otherwise.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::*;
use crate::link;
use crate::name::judge_path;
use crate::name::vectors::shared;
use crate::path::RepoPath;

#[derive(Deserialize)]
struct Vectors {
    files: Vec<String>,
    symlinks: BTreeMap<String, String>,
    cases: BTreeMap<String, Case>,
}

#[derive(Deserialize)]
struct Case {
    included: BTreeSet<String>,
    links: BTreeMap<String, String>,
    ignored: BTreeSet<String>,
    warnings: Vec<Warning>,
}

#[derive(Deserialize)]
struct Warning {
    path: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Question {
    /// Does it take part (if its name is good)?
    Included,
    /// Is it reported as ignored?
    Ignored,
    /// Is its name complained about?
    Warned,
}
use Question::{Ignored, Included, Warned};

const EVERY: &str = "every case in which the legacy tool includes or ignores it";
const PATHS: &str = "ignored_paths input/skip/ and input/skip.csv";
const SUFFIXES: &str = "ignored_suffixes .gz ~ .tar.gz";
const STAR: &str = "star";

/// Question, path, case, and why ours is right.
const DIFFERENCES: [(Question, &str, &str, &str); 13] = [
    (Included, "input/__pycache__/k.py", EVERY, "an ignored directory is ignored whole"),
    (Included, "input/__pycache__/l.pyc", SUFFIXES, "as above"),
    (Ignored, "input/__pycache__/l.pyc", EVERY, "as above; it is not visited, so not reported"),
    (Included, "input/skip/n.csv", PATHS, "an ignored path is ignored with what is below it"),
    (Included, "input/r.csv~20250713T101112+0200~", EVERY, "a backup, made east of Greenwich"),
    (Ignored, "input/r.csv~20250713T101112+0200~", EVERY, "as above"),
    (Warned, "input/r.csv~20250713T101112+0200~", EVERY, "as above"),
    (Included, "input/p.csv~", SUFFIXES, "a suffix is any end of a name, `~` too"),
    (Ignored, "input/p.csv~", SUFFIXES, "as above"),
    (Warned, "input/p.csv~", SUFFIXES, "as above"),
    (Included, "input/l_esc1", EVERY, "the link leads out of the project by one step"),
    (Included, "conflicts.txt", STAR, "dsg's own question at the root is no data"),
    (Warned, "input/e\u{301}.csv", EVERY, "the key is in normal form C, the spelling is free"),
];

/// The rules that a case's title describes; a list that is given replaces its default.
fn rules(title: &str) -> Rules {
    let list = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
    let mut lists = RuleLists::default();
    match title {
        "default (data_dirs input/output/frozen)" => {}
        STAR => lists.data_dirs = list(&["*"]),
        PATHS => lists.ignore_paths = list(&["input/skip/", "input/skip.csv"]),
        "ignored_names a.csv" => lists.ignore_names = list(&["a.csv"]),
        SUFFIXES => lists.ignore_suffixes = list(&[".gz", "~", ".tar.gz"]),
        "data_dirs hand" => lists.data_dirs = list(&["hand"]),
        "data_dirs task1" => lists.data_dirs = list(&["task1"]),
        other => panic!("an unknown case: {other}"),
    }
    Rules::new(&lists).expect("good rules")
}

/// Asks as a scan would: down the directories, deciding at each.
pub(super) fn verdict(rules: &Rules, path: &str) -> FileVerdict {
    let mut area = rules.root();
    let mut at = String::new();
    let (directories, name) = path.rsplit_once('/').unwrap_or(("", path));
    for step in directories.split('/').filter(|step| !step.is_empty()) {
        match rules.enter(area, &at, step) {
            Some(entered) => area = entered,
            None => return FileVerdict::Outside,
        }
        at = if at.is_empty() { step.to_owned() } else { format!("{at}/{step}") };
    }
    rules.file(area, &at, name)
}

#[test]
fn the_scan_agrees_with_the_legacy_tool_or_differs_for_a_reason() {
    let Some(text) = shared("scan-vectors.json") else {
        return;
    };
    let vectors: Vectors = serde_json::from_str(&text).expect("vectors");
    assert_eq!(vectors.cases.len(), 7);
    let mut reasons = BTreeSet::new();
    for (title, case) in &vectors.cases {
        let rules = rules(title);
        let warnings: BTreeSet<_> = case.warnings.iter().map(|w| w.path.as_str()).collect();
        for path in vectors.files.iter().chain(vectors.symlinks.keys()) {
            let key = RepoPath::from_spelling(path).expect("a path");
            let target = vectors.symlinks.get(path);
            let allowed = target.is_none_or(|target| {
                link::check(&key, &target.replace("<ROOT>", "/srv/project")).is_ok()
            });
            let verdict = verdict(&rules, path);
            let included = rules.tracked(path) && allowed;
            let answers = [
                (Included, included, case.included.contains(path)),
                (Ignored, verdict == FileVerdict::Ignored, case.ignored.contains(path)),
                (Warned, included && judge_path(path).is_err(), warnings.contains(path.as_str())),
            ];
            for (question, ours, theirs) in answers {
                let listed = DIFFERENCES.iter().position(|(listed, p, cases, _)| {
                    *listed == question && p == path && (*cases == EVERY || cases == title)
                });
                if ours != theirs {
                    assert!(listed.is_some(), "{title}: {question:?} {path}: {theirs} → {ours}");
                    reasons.extend(listed);
                }
            }
            // What both take is the same link.
            if let (true, Some(theirs)) = (included, case.links.get(path)) {
                assert_eq!(Some(theirs), target);
            }
        }
    }
    assert_eq!(reasons.len(), DIFFERENCES.len(), "every listed difference is one");
}
