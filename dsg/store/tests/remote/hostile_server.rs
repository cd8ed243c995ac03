//! A server that does not mean well: its answers are changed on their way to the client.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use dsg_store::error::{Code, Result};
use dsg_store::monitor::Silent;
use dsg_store::remote::{Answer, Bytes, Dial, Line, RemoteRepository, Role};
use dsg_store::sync::{SyncOptions, SyncOutcome, sync};

use crate::line::{Person, Wire, World, message};

type Change = dyn Fn(Answer) -> Option<Answer> + Send + Sync;

/// A line whose answers are changed.
struct Lying {
    wire: Wire,
    change: Arc<Change>,
}

impl Dial for Lying {
    fn dial(&self) -> Result<Line> {
        let mut line = self.wire.dial()?;
        let (ours, mut theirs) = UnixStream::pair().expect("a pair");
        let change = Arc::clone(&self.change);
        std::thread::spawn(move || {
            let mut first = true;
            while let Some(bytes) = message(&mut line.input, first) {
                let bytes = if std::mem::take(&mut first) {
                    bytes
                } else {
                    let answer = Answer::decode(&bytes[8..]).expect("an answer");
                    let Some(changed) = change(answer) else { continue };
                    let body = changed.encode();
                    let length = u32::try_from(body.len()).expect("short");
                    [&length.to_le_bytes()[..], &bytes[4..8], &body].concat()
                };
                if theirs.write_all(&bytes).is_err() {
                    return;
                }
            }
        });
        let input: Box<dyn Read + Send> = Box::new(ours);
        Ok(Line { input, ..line })
    }

    fn place(&self) -> String {
        "server.example".to_owned()
    }
}

/// Syncs over a line that lies.
fn sync_lied_to(
    world: &World,
    person: &Person,
    change: impl Fn(Answer) -> Option<Answer> + Send + Sync + 'static,
) -> Result<SyncOutcome> {
    let lying = Lying { wire: world.wire("bob", Role::Writer), change: Arc::new(change) };
    let repository = RemoteRepository::open(&lying, "p")?;
    let options = SyncOptions { look: Default::default(), message: None, backup_stamp: None };
    sync(&person.project(), &repository, &options, &Silent)
}

fn prepared() -> (World, Person, Person) {
    let world = World::new();
    let (alice, bob) = (world.person("alice"), world.person("bob"));
    for number in 0..5 {
        alice.write(&format!("input/{number}"), format!("first {number}"));
    }
    alice.sync();
    bob.sync();
    alice.write("input/0", "second");
    alice.write("input/new", "new");
    alice.sync();
    (world, alice, bob)
}

fn assert_as_before(bob: &Person) {
    for number in 0..5 {
        assert_eq!(bob.read(&format!("input/{number}")), Some(format!("first {number}")));
    }
    assert_eq!(bob.read("input/new"), None);
}

#[test]
fn other_bytes_than_those_that_were_wanted_are_not_taken() {
    let (world, _, bob) = prepared();
    let error = sync_lied_to(&world, &bob, |answer| match answer {
        Answer::Data { bytes } => {
            let evil = vec![b'!'; bytes.as_slice().len()];
            Some(Answer::Data { bytes: Bytes::from(evil) })
        }
        other => Some(other),
    })
    .expect_err("lied to");
    assert_eq!(error.code, Code::ContentDamaged);
    let error = sync_lied_to(&world, &bob, |answer| match answer {
        Answer::Data { .. } => Some(Answer::Data { bytes: Bytes::from(vec![0; 1 << 18]) }),
        other => Some(other),
    })
    .expect_err("flooded");
    assert_eq!(error.code, Code::ContentDamaged);
    assert_as_before(&bob);
    bob.sync();
    assert_eq!(bob.read("input/0").as_deref(), Some("second"));
}

#[test]
fn a_history_that_lost_what_was_seen_is_noticed() {
    let (world, alice, bob) = prepared();
    bob.sync();
    let old = std::fs::read(world.repository().join(".dsg-repository/snapshots/s1")).expect("s1");
    let error = sync_lied_to(&world, &bob, move |answer| match answer {
        Answer::Opened { description, location, role, .. } => Some(Answer::Opened {
            description,
            location,
            role,
            head: Some(Bytes::from(old.clone())),
        }),
        other => Some(other),
    })
    .expect_err("rolled back");
    assert_eq!(error.code, Code::RepositoryRolledBack);
    let error = sync_lied_to(&world, &bob, |answer| match answer {
        Answer::Opened { description, location, role, .. } => {
            Some(Answer::Opened { description, location, role, head: None })
        }
        other => Some(other),
    })
    .expect_err("emptied");
    assert_eq!(error.code, Code::RepositoryRolledBack);
    // A newer snapshot on another past: its document names a parent that was never seen.
    alice.write("input/0", "third");
    alice.sync();
    let error = sync_lied_to(&world, &bob, |answer| match answer {
        Answer::Opened { description, location, role, head: Some(head) } => {
            let text = String::from_utf8(head.as_slice().to_vec()).expect("JSON");
            let at = text.find("\"parent\":\"").expect("a parent") + 10;
            let forged = format!("{}{}{}", &text[..at], "0".repeat(64), &text[at + 64..]);
            let head = Some(Bytes::from(forged.into_bytes()));
            Some(Answer::Opened { description, location, role, head })
        }
        other => Some(other),
    })
    .expect_err("forked");
    assert!(matches!(error.code, Code::RepositoryRolledBack | Code::ChainDamaged), "{error:?}");
    assert_eq!(bob.read("input/0").as_deref(), Some("second"));
}

#[test]
fn tree_objects_that_are_missing_or_forged_change_nothing() {
    let (world, _, bob) = prepared();
    let error = sync_lied_to(&world, &bob, |answer| match answer {
        Answer::Trees { .. } => None,
        other => Some(other),
    });
    assert!(error.is_err());
    let error = sync_lied_to(&world, &bob, |answer| match answer {
        Answer::Trees { mut objects } => {
            for object in &mut objects {
                let last = object.bytes.len() - 1;
                object.bytes[last] ^= 1;
            }
            Some(Answer::Trees { objects })
        }
        other => Some(other),
    });
    assert!(error.is_err());
    assert_as_before(&bob);
}

#[test]
fn answers_that_do_not_fit_the_question_are_an_error() {
    let (world, _, bob) = prepared();
    for number in 0..7 {
        let error = sync_lied_to(&world, &bob, move |answer| match (number, answer) {
            (0, Answer::Trees { .. }) => Some(Answer::Moved),
            (1, Answer::Content { .. }) => Some(Answer::Content { number: 77 }),
            (2, Answer::ContentEnd) => Some(Answer::Landed),
            (3, Answer::Content { .. }) => Some(Answer::Done),
            (4, Answer::Documents { .. }) => Some(Answer::Documents { documents: vec![] }),
            (5, Answer::Data { .. }) => Some(Answer::Head { document: None }),
            (6, Answer::Data { .. }) => Some(Answer::Old { offset: 0, length: 6 }),
            (_, other) => Some(other),
        });
        assert!(error.is_err(), "{number}");
    }
    assert_as_before(&bob);
}

/// Bob has an older content of a large file, so that the new one comes as a difference.
fn prepared_large() -> (World, Person, [Vec<u8>; 2]) {
    let world = World::new();
    let (alice, bob) = (world.person("alice"), world.person("bob"));
    let mut old = vec![0; 2 << 20];
    blake3::Hasher::new().finalize_xof().fill(&mut old);
    let mut new = old.clone();
    new[1 << 20] ^= 1;
    alice.write("input/large", &old);
    alice.sync();
    bob.sync();
    alice.write("input/large", &new);
    alice.sync();
    (world, bob, [old, new])
}

#[test]
fn a_difference_that_is_wrong_costs_a_transfer_and_no_content() {
    let (world, bob, [_, new]) = prepared_large();
    let outcome = sync_lied_to(&world, &bob, |answer| match answer {
        Answer::Old { length, .. } => Some(Answer::Old { offset: 1, length: length - 1 }),
        other => Some(other),
    });
    assert!(matches!(outcome, Ok(SyncOutcome::Done(_))), "{outcome:?}");
    assert!(std::fs::read(bob.root.join("input/large")).expect("reads") == new);
}

#[test]
fn old_bytes_that_are_not_there_or_too_many_are_refused() {
    let (world, bob, [old, _]) = prepared_large();
    for (offset, length) in [(1 << 50, 1), (u64::MAX, u64::MAX), (0, 3 << 20)] {
        let error = sync_lied_to(&world, &bob, move |answer| match answer {
            Answer::Old { .. } => Some(Answer::Old { offset, length }),
            other => Some(other),
        });
        assert_eq!(error.expect_err("refused").code, Code::Protocol, "{offset} {length}");
    }
    // A little, over and over.
    let error = sync_lied_to(&world, &bob, |answer| match answer {
        Answer::Old { .. } | Answer::Data { .. } | Answer::ContentEnd => {
            Some(Answer::Old { offset: 0, length: 2 << 20 })
        }
        other => Some(other),
    });
    assert_eq!(error.expect_err("flooded").code, Code::ContentDamaged);
    assert!(std::fs::read(bob.root.join("input/large")).expect("reads") == old);
}
