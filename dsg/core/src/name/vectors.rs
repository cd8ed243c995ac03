//! Every file name that the legacy tool was asked about, and where we answer otherwise.

use std::path::Path;

use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Case {
    path: String,
    valid: bool,
    fixed: String,
    changed: bool,
}

#[derive(Deserialize)]
struct Backup {
    name: String,
    is_backup: bool,
}

/// Where the verdict differs: the path, and why ours is right.
const OTHER_VERDICT: [(&str, &str); 5] = [
    ("a\\b.csv", "a backslash is a separator on one system and a character on another: refused"),
    ("/abs/path", "a path is relative to the project; an absolute one never names an entry"),
    ("a//b", "an empty component never names an entry"),
    ("f~20250713T101112-0700~", "a backup name is not bad, it is never scanned"),
    ("e\u{301}.csv", "the key is in normal form C whatever the spelling on the disk"),
];

/// Where `--normalize` differs: the path, what becomes of it, and why. `None`: left to a person.
const OTHER_FIX: [(&str, Option<&str>, &str); 19] = [
    ("a\\b.csv", Some("a_b.csv"), "the backslash is illegal here"),
    ("./a", None, "a step in a path is no name; the scan never yields one"),
    ("a/.", None, "as above"),
    ("../a", None, "as above"),
    ("a/..", None, "as above"),
    ("..", None, "as above"),
    ("/", None, "as above, of empty names"),
    ("/abs/path", None, "as above"),
    ("C:/", None, "as above"),
    ("a//b", None, "as above"),
    ("CON.txt", Some("CON_renamed.txt"), "a reserved stem is fixed with an extension too"),
    ("aux.csv", Some("aux_renamed.csv"), "as above"),
    ("~a", Some("a"), "a `~` in front goes too"),
    ("~$report.xlsx", Some("$report.xlsx"), "as above"),
    (" lead.csv", Some("lead.csv"), "white space at the ends goes"),
    ("trail ", Some("trail"), "as above"),
    ("c1\u{85}", Some("c1"), "as above: U+0085 is white space"),
    ("\u{d7ff}", Some("_"), "what can't be seen becomes `_`"),
    ("f~20250713T101112-0700~", Some("f~20250713T101112-0700~"), "a backup keeps its name"),
];

/// The text of a vector file, if the shared data is there.
pub(crate) fn shared(file: &str) -> Option<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let text = std::fs::read_to_string(root.join("legacy-dsg/vectors").join(file)).ok();
    if text.is_none() {
        println!("skipped: no shared data");
    }
    text
}

fn fix_path(path: &str) -> Option<String> {
    let fixed: Result<Vec<_>, _> = path.split('/').map(fix).collect();
    Some(fixed.ok()?.join("/"))
}

#[test]
fn the_verdicts_agree_with_the_legacy_tool_or_differ_for_a_reason() {
    let Some(text) = shared("filename-vectors.json") else {
        return;
    };
    let cases: Vec<Case> = serde_json::from_str(&text).expect("vectors");
    let mut differ = Vec::new();
    for case in &cases {
        if judge_path(&case.path).is_ok() != case.valid {
            differ.push(case.path.as_str());
        }
    }
    differ.sort_unstable();
    let mut listed = OTHER_VERDICT.map(|(path, _)| path);
    listed.sort_unstable();
    assert_eq!(differ, listed);
}

#[test]
fn the_fixes_agree_with_the_legacy_tool_or_differ_for_a_reason() {
    let Some(text) = shared("filename-vectors.json") else {
        return;
    };
    let cases: Vec<Case> = serde_json::from_str(&text).expect("vectors");
    for case in &cases {
        let ours = fix_path(&case.path);
        let listed = OTHER_FIX.iter().find(|(path, _, _)| *path == case.path);
        // The legacy tool leaves what it can't fix; we fix it, or say that a person has to.
        let unprintable = |c: char| if is_unprintable(c) { '_' } else { c };
        let expected = match listed {
            Some((_, fixed, _)) => fixed.map(str::to_owned),
            None if case.valid || case.changed => Some(case.fixed.clone()),
            None => {
                let replaced: String = case.path.chars().map(unprintable).collect();
                judge_path(&replaced).is_ok().then_some(replaced)
            }
        };
        assert_eq!(ours, expected, "{}", display_safe(&case.path));
        if let Some(fixed) = ours {
            assert_eq!(judge_path(&fixed), Ok(()));
        }
    }
    for (path, _, _) in OTHER_FIX {
        assert!(cases.iter().any(|case| case.path == path), "{path} is a case");
    }
}

#[test]
fn backup_names_agree_save_for_those_east_of_greenwich() {
    let Some(text) = shared("backup-regex-vectors.json") else {
        return;
    };
    let cases: Vec<Backup> = serde_json::from_str(&text).expect("vectors");
    for case in cases {
        // The legacy pattern knows no `+`: its own backups blocked the next sync in Europe.
        let expected = case.is_backup || case.name == "f~20250713T101112+0000~";
        assert_eq!(is_backup_name(&case.name), expected, "{}", case.name);
    }
}
