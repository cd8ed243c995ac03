//! The connection breaks at every message, in both directions, before it and in its middle: the next
//! command finishes or forgets what was begun, and nothing is lost.

use dsg_store::error::Code;

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
