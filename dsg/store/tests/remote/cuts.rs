//! The connection breaks at every message, in both directions, before it and in its middle: the next
//! command finishes or forgets what was begun, and nothing is lost.

use std::sync::atomic::{AtomicBool, Ordering};

use dsg_store::error::Code;
use dsg_store::monitor::{Monitor, Notice, Phase};
use dsg_store::sync::{SyncOptions, sync};
use dsg_store::system::{Directory, lock_file};

use crate::line::{Cut, Person, World};

/// Alice has changed, Bob has changed something else: his next sync goes both ways.
fn prepared() -> (World, Person, Person) {
    let world = World::new();
    let (alice, bob) = (world.person("alice"), world.person("bob"));
    for path in ["input/a", "input/b", "input/c", "output/d"] {
        alice.write(path, format!("{path} first"));
    }
    alice.sync();
    bob.sync();
    alice.write("input/a", "alice's a");
    alice.write("output/new-of-alice", "new");
    alice.sync();
    bob.write("input/b", "bob's b");
    bob.write("frozen/new/of-bob", "new too");
    std::fs::remove_file(bob.root.join("input/c")).expect("removes");
    (world, alice, bob)
}

const EXPECTED: [(&str, Option<&str>); 6] = [
    ("input/a", Some("alice's a")),
    ("input/b", Some("bob's b")),
    ("input/c", None),
    ("output/d", Some("output/d first")),
    ("output/new-of-alice", Some("new")),
    ("frozen/new/of-bob", Some("new too")),
];

fn assert_done(world: &World, person: &Person, cut: Cut) {
    for (path, text) in EXPECTED {
        assert_eq!(person.read(path).as_deref(), text, "{path} {cut:?}");
        assert_eq!(world.stored(path).as_deref(), text, "{path} {cut:?}");
    }
    world.assert_whole();
}

/// Whether the line was cut before the sync was through.
fn survives(cut: Cut) -> bool {
    let (world, alice, mut bob) = prepared();
    bob.line.cut = cut;
    let outcome = bob.try_sync();
    if let Err(error) = &outcome {
        assert_eq!(error.code, Code::Connection, "{cut:?} {error:?}");
        assert!(error.next.is_some(), "{error:?}");
    }
    // No edit is lost, whatever was done.
    for path in ["input/b", "frozen/new/of-bob"] {
        assert!(bob.read(path).is_some(), "{path} {cut:?}");
    }
    bob.line.cut = Cut::Never;
    bob.sync();
    assert_done(&world, &bob, cut);
    assert_eq!(world.head(), 3, "{cut:?}: committed once");
    alice.sync();
    assert_done(&world, &alice, cut);
    let left = std::fs::read_dir(world.repository().join(".dsg-repository/staging"));
    assert_eq!(left.expect("staging").count(), 0, "{cut:?}");
    outcome.is_err()
}

#[test]
fn a_line_that_is_cut_at_any_message_of_the_client_loses_nothing() {
    for half in [false, true] {
        let cuts = (1..).take_while(|message| survives(Cut::Up { message: *message, half }));
        assert!(cuts.count() > 8, "too few messages for a sync");
    }
}

#[test]
fn a_line_that_is_cut_at_any_message_of_the_server_loses_nothing() {
    for half in [false, true] {
        let cuts = (1..).take_while(|message| survives(Cut::Down { message: *message, half }));
        assert!(cuts.count() > 4, "too few messages for a sync");
    }
}

/// Asks to stop when it is told something.
#[derive(Default)]
struct StopsWhenTold(AtomicBool);

impl Monitor for StopsWhenTold {
    fn begin(&self, _phase: Phase, _files: u64, _bytes: u64) {}
    fn advance(&self, _files: u64, _bytes: u64) {}
    fn notice(&self, notice: Notice) {
        assert!(notice.text.contains("waiting for another dsg"), "{}", notice.text);
        self.0.store(true, Ordering::SeqCst);
    }
    fn stop_requested(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

#[test]
fn who_stops_while_the_server_waits_for_another_leaves_no_server_behind() {
    let world = World::new();
    let alice = world.person("alice");
    alice.write("input/a", "1");
    let control = Directory::open(&world.repository().join(".dsg-repository")).expect("opens");
    let held = lock_file(&control, "lock", 0o600, false).expect("locks");
    assert!(held.is_some());
    let repository = alice.open().expect("opens");
    let options = SyncOptions { look: Default::default(), message: None, backup_stamp: None };
    let stops = StopsWhenTold::default();
    let error = sync(&alice.project(), &repository, &options, &stops).expect_err("stops");
    assert_eq!(error.code, Code::Interrupted, "{error}");
    drop(repository);
    // The lock is still held, and yet the server ends.
    alice.line.settle();
    assert_eq!(world.head(), 0);
    drop(held);
    alice.sync();
    assert_eq!((world.head(), world.stored("input/a").as_deref()), (1, Some("1")));
    world.assert_whole();
}
