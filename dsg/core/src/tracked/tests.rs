//! The predicate and the walk, against each other and against the definition.

use super::*;
use proptest::prelude::*;

fn rules(data: &[&str], paths: &[&str], names: &[&str], suffixes: &[&str]) -> Rules {
    let list = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
    let lists = RuleLists {
        data_dirs: list(data),
        ignore_paths: list(paths),
        ignore_names: list(names),
        ignore_suffixes: list(suffixes),
    };
    Rules::new(&lists).expect("good rules")
}

fn defaults() -> Rules {
    Rules::new(&RuleLists::default()).expect("good rules")
}

#[track_caller]
fn assert_tracked(rules: &Rules, yes: &[&str], no: &[&str]) {
    for path in yes {
        assert!(rules.tracked(path), "{path} is tracked");
    }
    for path in no {
        assert!(!rules.tracked(path), "{path} is not tracked");
    }
}

#[test]
fn a_data_directory_is_an_exact_component_and_may_be_the_file_itself() {
    assert_tracked(
        &defaults(),
        &["input/a", "task1/input/sub/deep/x", "a/output/b/c", "task1/input", "x/notes.tmp/output"],
        &["myinput/x", "Input/x", "input.csv", "src/main.py", "README.md"],
    );
    assert_tracked(&rules(&["é"], &[], &[], &[]), &["é/x", "e\u{301}/x"], &["e/x"]);
    assert_tracked(&rules(&["x", "*"], &[], &[], &[]), &["README.md", "conflicts.txt/x"], &[]);
    assert_tracked(&rules(&[], &[], &[], &[]), &[], &["input/a"]);
}

#[test]
fn what_is_hidden_or_of_dsg_never_takes_part() {
    assert_tracked(
        &rules(&["*"], &[], &[], &[]),
        &["input/conflicts.txt"],
        &[
            ".git/hooks/x",
            "input/.hid/x",
            "input/.x",
            ".dsg/state",
            ".dsg-repository/lock",
            "conflicts.txt",
            "a~20250713T101112Z~",
            "d~20250713T101112-0700~/x",
            "",
            "/a",
            "a/",
            "a//b",
            "../a",
            "a/../b",
            "./a",
        ],
    );
}

#[test]
fn ignored_directories_are_ignored_with_what_is_in_them() {
    assert_tracked(
        &rules(&["*"], &["./a/skip/", "top"], &["__pycache__"], &[]),
        &["b/a/skip/x", "a/skip.csv", "a/skipped/x", "b/top"],
        &["a/skip", "a/skip/x", "a/skip/deep/x", "top/x", "b/__pycache__/k.py", "__pycache__"],
    );
}

#[test]
fn a_suffix_is_any_end_of_a_file_name_and_of_no_directory() {
    assert_tracked(
        &rules(&["*"], &[], &[], &[".tar.gz", "~"]),
        &["x.gz", "a.tar.gz/x", "x.tar.gz.b"],
        &["x.tar.gz", "a/y~"],
    );
}

#[test]
fn patterns_match_names_anywhere_and_paths_from_the_root() {
    assert_tracked(
        &rules(&["*"], &["a/*.log", "**/old", "b/**/c?d", "x[1]"], &["*.bak", "[!a-c]1"], &[]),
        &["a/b/x.log", "x.log", "b/cd", "bc1d", "a1", "older", "x2"],
        &[
            "a/x.log",
            "a/x.log/y",
            "old",
            "p/q/old/r",
            "b/céd",
            "b/x/y/c1d",
            "q/x.bak/y",
            "d1",
            "x1",
            "x[1]",
        ],
    );
}

#[test]
fn a_fingerprint_and_a_value_hold_the_rules_and_nothing_else() {
    let one = rules(&["b", "a"], &["x/", "y"], &["n*"], &[".s"]);
    let same = rules(&["a", "b", "a"], &["y", "./x"], &["n*"], &[".s"]);
    let other = rules(&["b", "a"], &["x/"], &["n*", "y"], &[".s"]);
    assert_eq!(one, same);
    assert_eq!(one.fingerprint(), same.fingerprint());
    assert_ne!(one.fingerprint(), other.fingerprint());
    assert_ne!(one, other);
    assert_eq!(Rules::from_value(&one.to_value()), Ok(one));
    assert_eq!(Rules::from_value(&defaults().to_value()), Ok(defaults()));
    for bad in [
        r#"{}"#,
        "[]",
        r#"{"data_dirs":["a"],"ignore_paths":[],"ignore_names":[],"ignore_suffixes":[],"more":1}"#,
    ] {
        let value = serde_json::from_str(bad).expect("JSON");
        assert!(matches!(Rules::from_value(&value), Err(BadRule::Malformed(_))), "{bad}");
    }
}

/// The definition, component by component, with no regard for speed.
fn by_definition(rules: &Rules, path: &str) -> bool {
    let components: Vec<&str> = path.split('/').collect();
    let last = components[components.len() - 1];
    let data = components.iter().any(|c| rules.is_data_directory(c));
    let hidden = components.iter().any(|c| c.starts_with('.') || is_backup_name(c));
    let named = components.iter().any(|c| rules.ignores_name(c));
    let ended = rules.ignore_suffixes.iter().any(|s| last.ends_with(s.as_str()));
    let placed = (0..components.len())
        .any(|n| rules.ignores_path(&components[..n].join("/"), components[n]));
    data && !hidden && !named && !ended && !placed && path != CONFLICTS_FILE
}

proptest! {
    #[test]
    fn walking_agrees_with_tracked_and_with_the_definition(
        paths in prop::collection::vec(
            "([ab.]|input|x\\.t|conflicts\\.txt|d~20250713T101112Z~)(/([abc]|input|x\\.t|\\.h)){0,3}",
            1..20,
        ),
        data in prop::sample::select(vec!["input", "*", "a", "x.t"]),
        ignored in "[abc*](/[abc*?]){0,2}",
    ) {
        let rules = rules(&[data], &[ignored.as_str()], &["c", "[b]"], &[".t"]);
        for path in &paths {
            let walked = vectors::verdict(&rules, path) == FileVerdict::Tracked;
            prop_assert_eq!(walked, rules.tracked(path));
            prop_assert_eq!(walked, by_definition(&rules, path), "{}", path);
        }
    }

    #[test]
    fn asking_is_total_and_spelling_does_not_matter(
        path in any::<String>(),
        rule in any::<String>(),
    ) {
        let lists = RuleLists { ignore_names: vec![rule], ..RuleLists::default() };
        let rules = Rules::new(&lists).unwrap_or_else(|_| defaults());
        prop_assert_eq!(rules.tracked(&path), rules.tracked(&path::normal(&path)));
    }
}
