use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::*;
use crate::entry::{FileEntry, LinkEntry};

/// A file whose identity is (`content`, `executable`); `information` varies what never counts.
fn file(content: &str, executable: bool, information: u8) -> Entry {
    Entry::File(FileEntry {
        hash: ContentHash::of(content.as_bytes()),
        executable,
        size: u64::from(information),
        modified: Moment(i64::from(information)),
        author: Arc::from(format!("user {information}")),
    })
}

fn link(target: &str, information: u8) -> Entry {
    Entry::Link(LinkEntry {
        target: target.into(),
        author: Arc::from(format!("user {information}")),
    })
}

fn local(entry: &Entry, information: u8) -> LocalEntry {
    match entry {
        Entry::File(file) => LocalEntry::File {
            hash: Some(file.hash),
            executable: file.executable,
            size: u64::from(information),
            modified: Moment(i64::from(information)),
        },
        Entry::Link(link) => LocalEntry::Link { target: link.target.clone() },
    }
}

/// The table of the specification, §5.1, said once more and differently: from which copies are
/// there and which pairs are equal.
fn expected(l: Option<usize>, c: Option<usize>, r: Option<usize>) -> u8 {
    let pattern = (l.is_some(), c.is_some(), r.is_some());
    match (pattern, l == c, c == r, l == r) {
        ((true, true, true), true, true, _) => 1,
        ((true, true, true), true, false, _) => 2,
        ((true, true, true), false, _, true) => 3,
        ((true, true, true), false, true, _) => 4,
        ((true, true, true), ..) => 5,
        ((false, true, true), _, true, _) => 6,
        ((false, true, true), ..) => 7,
        ((true, false, true), _, _, true) => 8,
        ((true, false, true), ..) => 9,
        ((true, true, false), true, ..) => 10,
        ((true, true, false), ..) => 11,
        ((false, false, true), ..) => 12,
        ((false, true, false), ..) => 13,
        ((true, false, false), ..) => 14,
        ((false, false, false), ..) => 15,
    }
}

fn slots() -> [Option<usize>; 4] {
    [None, Some(0), Some(1), Some(2)]
}

#[test]
fn every_triple_of_absent_a_b_and_c_is_in_the_state_of_the_table() {
    type Kinds = fn(usize, u8) -> Entry;
    let kinds: [Kinds; 4] = [
        |i, information| file(["a", "b", "c"][i], false, information),
        |i, information| link(["a", "b", "c"][i], information),
        // The same bytes: the executable bit or the kind is all that differs.
        |i, information| match i {
            0 => file("a", false, information),
            1 => file("a", true, information),
            _ => link("a", information),
        },
        |i, information| match i {
            0 => link("a", information),
            1 => link("A", information),
            _ => file("a", true, information),
        },
    ];
    let mut seen = std::collections::BTreeSet::new();
    for kind in kinds {
        for l in slots() {
            for c in slots() {
                for r in slots() {
                    for information in [0, 1] {
                        let local = l.map(|i| local(&kind(i, 7), 7));
                        let cached = c.map(|i| kind(i, information));
                        let remote = r.map(|i| kind(i, information * 2));
                        let state = classify(local.as_ref(), cached.as_ref(), remote.as_ref());
                        assert_eq!(state.number(), expected(l, c, r), "{l:?} {c:?} {r:?}");
                        seen.insert(state);
                    }
                }
            }
        }
    }
    assert_eq!(seen.len(), 15);
}

#[test]
fn the_pattern_of_a_state_says_who_has_the_path() {
    for l in slots() {
        for c in slots() {
            for r in slots() {
                let name = |i: usize| ["a", "b", "c"][i];
                let local = l.map(|i| local(&file(name(i), false, 0), 0));
                let cached = c.map(|i| file(name(i), false, 0));
                let remote = r.map(|i| file(name(i), false, 0));
                let state = classify(local.as_ref(), cached.as_ref(), remote.as_ref());
                let digit = |there: bool| if there { '1' } else { '0' };
                let pattern: String =
                    [l.is_some(), c.is_some(), r.is_some()].map(digit).iter().collect();
                assert_eq!(state.pattern(), pattern);
            }
        }
    }
}

#[test]
fn numbers_codes_and_labels_are_those_of_the_table() {
    for (index, state) in SyncState::ALL.iter().enumerate() {
        assert_eq!(usize::from(state.number()), index + 1);
        assert_eq!(state.is_conflict(), [5, 7, 9, 11].contains(&state.number()));
        assert!(!state.label().is_empty() && !state.reason().is_empty());
    }
    let distinct = |of: fn(SyncState) -> &'static str| {
        SyncState::ALL.into_iter().map(of).collect::<std::collections::BTreeSet<_>>().len()
    };
    assert_eq!((distinct(SyncState::code), distinct(SyncState::label)), (15, 15));
    assert_eq!(SyncState::RemoteDeleted.label(), "deleted on remote");
    assert_eq!(SyncState::OnlyLocal.label(), "new (local only)");
    assert_eq!(SyncState::RemoteDeletedLocalChanged.label(), "modified locally, deleted on remote");
}

#[test]
fn an_unread_file_is_equal_to_nothing() {
    let unread = LocalEntry::File { hash: None, executable: false, size: 1, modified: Moment(1) };
    let a = file("a", false, 1);
    assert_eq!(unread.identity(), None);
    assert_eq!(classify(Some(&unread), None, None), SyncState::OnlyLocal);
    assert_eq!(classify(Some(&unread), None, Some(&a)), SyncState::AddedDifferently);
    assert_eq!(classify(Some(&unread), Some(&a), None), SyncState::RemoteDeletedLocalChanged);
    assert_eq!(classify(Some(&unread), Some(&a), Some(&a)), SyncState::LocalChanged);
}

#[test]
fn the_identity_on_disk_is_that_of_the_manifest() {
    for entry in [file("a", true, 1), file("", false, 2), link("../a", 3)] {
        assert_eq!(local(&entry, 9).identity(), Some(entry.identity()));
        assert!(local(&entry, 9).same(&entry));
    }
}

/// A file of the shared vectors; `None`, said aloud, where they are not.
fn vectors(name: &str) -> Option<Vec<Value>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let path = Path::new(folder).join("legacy-dsg/vectors").join(name);
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("skipped: no shared data");
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}

/// Labels that differ from those of the Python tool, and why.
const OTHER_LABELS: [(u8, &str); 4] = [
    (7, "names both changes in one order, as state 11 does"),
    (10, "the path is not new: the other side deleted it"),
    (11, "\"not on remote\" hides that the other side deleted it"),
    (13, "says what happened, not in which file of ours it is noted"),
];

#[test]
fn the_states_are_those_of_the_python_tool() {
    let Some(cases) = vectors("sync-state-vectors.json") else {
        return;
    };
    assert_eq!(cases.len(), 15);
    for case in cases {
        let entry = |key: &str| case[key].as_str().map(|content| file(content, false, 0));
        let (l, c, r) = (entry("L"), entry("C"), entry("R"));
        let state = classify(l.map(|l| local(&l, 1)).as_ref(), c.as_ref(), r.as_ref());
        assert_eq!(Some(state.code()), case["state"].as_str());
        assert_eq!(Some(state.is_conflict()), case["blocks_as_conflict"].as_bool());
        let value = case["value"].as_str().unwrap();
        assert!(value.starts_with(&format!("{}: ", state.pattern())), "{value}");
        let other = OTHER_LABELS.iter().any(|(number, _)| *number == state.number());
        assert_eq!(Some(state.label()) != case["status_label"].as_str(), other, "{case}");
    }
}

/// Answers that differ from those of the Python tool, and why.
const OTHER_ANSWERS: [(&str, &str); 1] =
    [("one hash missing, meta same", "size and time prove nothing about the bytes")];

#[test]
fn equality_is_that_of_the_python_tool_where_a_hash_is_known() {
    let Some(cases) = vectors("equality-vectors.json") else {
        return;
    };
    let unread = LocalEntry::File { hash: None, executable: false, size: 1, modified: Moment(1) };
    let read = |entry: Entry| local(&entry, 1);
    for case in cases {
        let name = case["case"].as_str().unwrap();
        let (left, right) = match name {
            "same hash, other size/mtime/user" => (read(file("a", false, 1)), file("a", false, 2)),
            "diff hash same meta" => (read(file("a", false, 1)), file("b", false, 1)),
            "one hash missing, meta same" => (unread.clone(), file("a", false, 1)),
            "one hash missing, mtime differs" => (unread.clone(), file("a", false, 2)),
            "one hash missing, size differs" => (unread.clone(), file("a", false, 3)),
            // Our entries hold no path: only what is at the same path is ever compared.
            "other path" => continue,
            "link vs file" => (read(link("a", 1)), file("a", false, 1)),
            "links same path+ref, other user" => (read(link("a", 1)), link("a", 2)),
            "links other ref" => (read(link("a", 1)), link("b", 1)),
            unknown => panic!("a case that nobody compared: {unknown}"),
        };
        let other = OTHER_ANSWERS.iter().any(|(case, _)| *case == name);
        assert_eq!(Some(left.same(&right)) != case["equal"].as_bool(), other, "{name}");
    }
}
