//! Blame: what happened to one path, and in which snapshot.
//!
//! The versions of a path are compared by the rule **Equal** only, so an entry whose time, size or
//! author alone changed is no event. Two questions that people ask of old data get names of their
//! own: is this content back from earlier (*revert*), and did the path come back after it had been
//! deleted (*recreate*)? Both name the snapshot that brought the content in, which is itself an
//! event of the list, so that a reader can follow the numbers back.

use std::collections::HashMap;

use crate::entry::{Entry, Identity};

/// Something that a snapshot did to the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Number of the snapshot.
    pub snapshot: u64,
    /// What happened.
    pub kind: EventKind,
    /// The path afterwards; `None` exactly when it was deleted.
    pub entry: Option<Entry>,
}

/// What can happen to a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// The path is there for the first time.
    Add,
    /// It was there and differs from the version before; it was never like this.
    Modify,
    /// It was there and is gone.
    Delete,
    /// It was there, differs from the version before, and is as an earlier one.
    Revert {
        /// The newest earlier snapshot whose event made the path what it is again.
        to: u64,
    },
    /// It had been deleted and is there again.
    Recreate {
        /// The newest earlier snapshot whose event had made the path the same; `None` when it was
        /// never like this.
        same_as: Option<u64>,
    },
}

/// The events of one path, oldest first.
///
/// `versions` are snapshots and what each has at the path, in ascending order of number. Snapshots
/// that changed nothing may be in it or left out: the events are the same. Takes time and memory in
/// proportion to the number of versions.
#[must_use]
pub fn blame(versions: impl IntoIterator<Item = (u64, Option<Entry>)>) -> Vec<Event> {
    let mut events = Vec::new();
    let mut present: Option<Identity> = None;
    // The newest event that made the path what the key says; empty before the path is added.
    let mut origins: HashMap<Identity, u64> = HashMap::new();
    for (snapshot, entry) in versions {
        let identity = entry.as_ref().map(Entry::identity);
        if identity == present {
            continue;
        }
        let origin = identity.as_ref().and_then(|identity| origins.get(identity).copied());
        let kind = match (&present, &identity, origin) {
            (_, None, _) => EventKind::Delete,
            (None, Some(_), _) if origins.is_empty() => EventKind::Add,
            (None, Some(_), same_as) => EventKind::Recreate { same_as },
            (Some(_), Some(_), Some(to)) => EventKind::Revert { to },
            (Some(_), Some(_), None) => EventKind::Modify,
        };
        if let Some(identity) = &identity {
            origins.insert(identity.clone(), snapshot);
        }
        present = identity;
        events.push(Event { snapshot, kind, entry });
    }
    events
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::entry::{FileEntry, LinkEntry, Moment};
    use crate::hash::ContentHash;

    fn file(content: &str, author: &str) -> Option<Entry> {
        Some(Entry::File(FileEntry {
            hash: ContentHash::of(content.as_bytes()),
            executable: false,
            size: author.len() as u64,
            modified: Moment(author.len() as i64),
            author: Arc::from(author),
        }))
    }

    /// Versions as letters, `-` for absent, numbered from 1.
    fn kinds(versions: &str) -> Vec<(u64, EventKind)> {
        let versions = versions.chars().map(|letter| match letter {
            '-' => None,
            letter => file(&letter.to_string(), "alice"),
        });
        blame((1..).zip(versions)).into_iter().map(|event| (event.snapshot, event.kind)).collect()
    }

    use EventKind::{Add, Delete, Modify, Recreate, Revert};

    #[test]
    fn the_history_of_the_specification_is_told() {
        let results = [(1, file("1", "alice")), (2, file("2", "bob")), (3, None)];
        let events = blame(results.clone());
        let told: Vec<_> = events
            .iter()
            .map(|event| {
                let author = event.entry.as_ref().map(|entry| entry.author().to_string());
                (event.snapshot, event.kind, author)
            })
            .collect();
        let (alice, bob) = (Some("alice".to_owned()), Some("bob".to_owned()));
        assert_eq!(told, [(1, Add, alice), (2, Modify, bob), (3, Delete, None)]);
        assert_eq!(kinds("AAA"), [(1, Add)]);
        assert_eq!(kinds("--A"), [(3, Add)]);
        assert_eq!(kinds("---"), []);
        assert_eq!(kinds(""), []);
    }

    #[test]
    fn content_that_is_back_is_a_revert() {
        assert_eq!(kinds("ABA"), [(1, Add), (2, Modify), (3, Revert { to: 1 })]);
        assert_eq!(kinds("ABCA").last(), Some(&(4, Revert { to: 1 })));
        assert_eq!(kinds("ABABA").last(), Some(&(5, Revert { to: 3 })));
        assert_eq!(kinds("A-BA").last(), Some(&(4, Revert { to: 1 })));
    }

    #[test]
    fn a_path_that_is_back_is_recreated() {
        assert_eq!(kinds("A-A"), [(1, Add), (2, Delete), (3, Recreate { same_as: Some(1) })]);
        assert_eq!(kinds("A-B"), [(1, Add), (2, Delete), (3, Recreate { same_as: None })]);
        assert_eq!(kinds("AB-A").last(), Some(&(4, Recreate { same_as: Some(1) })));
        assert_eq!(kinds("-A--B-").last(), Some(&(6, Delete)));
    }

    #[test]
    fn information_alone_is_no_event_and_a_change_of_kind_is_one() {
        assert_eq!(blame([(1, file("A", "alice")), (2, file("A", "robert"))]).len(), 1);
        let link = Entry::Link(LinkEntry { target: "A".into(), author: Arc::from("alice") });
        let executable = file("A", "alice").map(|entry| match entry {
            Entry::File(file) => Entry::File(FileEntry { executable: true, ..file }),
            link => link,
        });
        let versions = [file("A", "alice"), Some(link), executable, file("A", "bob")];
        let kinds: Vec<_> = blame((1..).zip(versions)).iter().map(|event| event.kind).collect();
        assert_eq!(kinds, [Add, Modify, Modify, Revert { to: 1 }]);
    }

    proptest! {
        #[test]
        fn replaying_the_events_gives_every_version_back(versions in "[-ABC]{0,12}") {
            let letters: Vec<_> = versions.chars().collect();
            let entry = |letter: char| match letter {
                '-' => None,
                letter => file(&letter.to_string(), "alice"),
            };
            let events = blame((0..).zip(letters.iter().map(|letter| entry(*letter))));
            let mut present = None;
            let mut next = events.iter().peekable();
            for (number, letter) in (0_u64..).zip(&letters) {
                if let Some(event) = next.next_if(|event| event.snapshot == number) {
                    prop_assert_ne!(&event.entry, &present);
                    prop_assert_eq!(event.kind == Delete, event.entry.is_none());
                    if let Revert { to } | Recreate { same_as: Some(to) } = event.kind {
                        let origin = events.iter().find(|event| event.snapshot == to);
                        prop_assert!(to < number);
                        prop_assert_eq!(origin.and_then(|e| e.entry.as_ref()), event.entry.as_ref());
                    }
                    present.clone_from(&event.entry);
                }
                prop_assert_eq!(&present, &entry(*letter));
            }
            prop_assert!(next.next().is_none());
        }

        #[test]
        fn leaving_out_unchanged_snapshots_changes_nothing(versions in "[-AB]{0,10}") {
            let dense: Vec<_> = (1_u64..).zip(versions.chars().map(|letter| match letter {
                '-' => None,
                letter => file(&letter.to_string(), "alice"),
            })).collect();
            let mut sparse = dense.clone();
            sparse.dedup_by(|later, earlier| later.1 == earlier.1);
            prop_assert_eq!(blame(dense), blame(sparse));
        }
    }
}
