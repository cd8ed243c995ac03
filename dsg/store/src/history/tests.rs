use std::fs;
use std::time::Duration;

use super::*;
use crate::monitor::Silent;
use crate::world::{World, number, path};

/// s1 alice adds a and b/x; s2 bob changes a; s3 alice deletes b/x; one hour apart.
fn world() -> World {
    let world = World::new();
    let alice = world.client("alice");
    alice.write("input/a", "1");
    alice.write("input/b/x", "x");
    alice.sync();
    let bob = world.client("bob");
    bob.sync();
    world.clock.advance(Duration::from_secs(3600));
    bob.write("input/a", "22");
    bob.sync();
    world.clock.advance(Duration::from_secs(3600));
    alice.sync();
    alice.remove("input/b/x");
    alice.sync();
    world
}

fn numbers(world: &World, options: &LogOptions) -> Vec<u64> {
    let entries = log(&world.repository(), options, &Silent).expect("a log");
    entries.iter().map(|entry| entry.number.get()).collect()
}

#[test]
fn a_log_is_newest_first_and_counts_changes() {
    let world = world();
    let entries = log(&world.repository(), &LogOptions::default(), &Silent).expect("a log");
    let told: Vec<_> = entries
        .iter()
        .map(|entry| (entry.number.get(), entry.document.author.as_str(), entry.counts))
        .collect();
    let counts = |added, changed, deleted| ChangeCounts { added, changed, deleted };
    assert_eq!(
        told,
        [
            (3, "alice@example.org", counts(0, 0, 1)),
            (2, "bob@example.org", counts(0, 1, 0)),
            (1, "alice@example.org", counts(2, 0, 0)),
        ]
    );
    assert_eq!(entries[0].document.parent, Some(entries[1].chain));
}

#[test]
fn a_log_is_filtered_by_limit_author_time_start_and_path() {
    let world = world();
    let all = LogOptions::default();
    assert_eq!(numbers(&world, &LogOptions { limit: 2, ..all.clone() }), [3, 2]);
    let author = Some("ALICE".to_owned());
    assert_eq!(numbers(&world, &LogOptions { author, ..all.clone() }), [3, 1]);
    let since = Some("2026-03-01T13:00:00Z".parse().expect("a time"));
    assert_eq!(numbers(&world, &LogOptions { since, ..all.clone() }), [3, 2]);
    let start = Some(number(2));
    assert_eq!(numbers(&world, &LogOptions { start, ..all.clone() }), [2, 1]);
    for (text, expected) in [
        ("input/a", vec![2, 1]),
        ("input/b", vec![3, 1]),
        ("input/b/x", vec![3, 1]),
        ("input", vec![3, 2, 1]),
    ] {
        let path = Some(path(text));
        assert_eq!(numbers(&world, &LogOptions { path, ..all.clone() }), expected, "{text}");
    }
    assert_eq!(numbers(&world, &LogOptions { path: Some(path("inp")), ..all.clone() }), [0; 0]);
    let start = Some(number(4));
    let error = log(&world.repository(), &LogOptions { start, ..all }, &Silent).unwrap_err();
    assert_eq!(error.code, Code::NotFound);
}

#[test]
fn an_empty_repository_has_an_empty_log() {
    assert_eq!(numbers(&World::new(), &LogOptions::default()), [0; 0]);
}

#[test]
fn a_long_log_is_read_in_batches_and_a_changed_document_breaks_it() {
    let world = World::new();
    let alice = world.client("alice");
    for step in 0..70 {
        alice.write("input/a", step.to_string());
        alice.sync();
    }
    let options = LogOptions::default();
    assert_eq!(numbers(&world, &options), (1..=70).rev().collect::<Vec<_>>());
    // Another message: still a document, but not the one that the next names.
    let file = world.root().join(".dsg-repository/snapshots/s2");
    let text = fs::read_to_string(&file).expect("reads");
    fs::write(&file, text.replace("1 changed", "7 changed")).expect("writes");
    let error = log(&world.repository(), &options, &Silent).unwrap_err();
    assert_eq!(error.code, Code::ChainDamaged);
    assert!(error.to_string().contains("s2"), "{error}");
    // What comes after it is still told.
    assert_eq!(numbers(&world, &LogOptions { limit: 5, ..options }), [70, 69, 68, 67, 66]);
}

#[test]
fn a_seen_snapshot_that_changed_or_is_gone_is_noticed() {
    let world = world();
    let repository = world.repository();
    let head = repository.head().expect("a head").expect("some");
    let seen = (head.number, head.chain);
    assert_eq!(missing_since(&repository, seen).expect("asks"), None);
    assert!(missing_since(&repository, (number(2), head.chain)).expect("asks").is_some());
    assert!(missing_since(&repository, (number(9), head.chain)).expect("asks").is_some());
}

#[test]
fn blame_tells_revert_and_recreate_apart() {
    let world = World::new();
    let alice = world.client("alice");
    alice.write("input/other", "stays");
    for text in [Some("A"), Some("B"), Some("A"), None, Some("B"), Some("C")] {
        match text {
            Some(text) => alice.write("input/a", text),
            None => alice.remove("input/a"),
        }
        alice.sync();
    }
    let events = blame(&world.repository(), &path("input/a"), &Silent).expect("events");
    let told: Vec<_> = events.iter().map(|event| (event.number.get(), event.kind)).collect();
    use EventKind::{Add, Delete, Modify, Recreate, Revert};
    assert_eq!(
        told,
        [
            (1, Add),
            (2, Modify),
            (3, Revert { to: 1 }),
            (4, Delete),
            (5, Recreate { same_as: Some(2) }),
            (6, Modify)
        ]
    );
    assert!(events.iter().all(|event| event.author == "alice@example.org"));
    assert_eq!(events[3].entry, None);
    assert_eq!(events[0].message, "2 added");
}

#[test]
fn blame_knows_deleted_files_and_offers_near_names_for_unknown_ones() {
    let world = world();
    let repository = world.repository();
    let gone = blame(&repository, &path("input/b/x"), &Silent).expect("events");
    assert_eq!(gone.last().map(|event| event.kind), Some(EventKind::Delete));
    let error = blame(&repository, &path("inptu/a"), &Silent).unwrap_err();
    assert_eq!((error.code, error.paths), (Code::NotFound, vec!["input/a".to_owned()]));
    let error = blame(&repository, &path("input"), &Silent).unwrap_err();
    assert!(error.next.unwrap_or_default().contains("`dsg log` with the same path"));
    let error = blame(&repository, &path("nothing/like/that"), &Silent).unwrap_err();
    assert!(error.paths.is_empty());
}
