//! The edge cases of the specification's table (§8.5), row by row: what researchers do to files in
//! practice, and what must come of it.

#[path = "edge_cases/contents.rs"]
mod contents;
mod world;

use std::fs;
use std::time::{Duration, SystemTime};

use dsg_core::conflict::Choice;
use dsg_core::snapshot::SnapshotNumber;
use dsg_store::error::Code;
use dsg_store::monitor::{Phase, Silent};
use foundation_runtime::clock::{Clock, SystemClock};

use world::wrapped::{Heard, Listener};
use world::{Client, World, allowing_mass_delete, done, long_ago, look, set_modified, steps};

/// What the repository shows at a path, as it is: the text of a link with an arrow.
fn shown(world: &World, path: &str) -> Vec<u8> {
    let found = look::contents(&world.repository());
    found.get(path).unwrap_or_else(|| panic!("{path} is not there")).clone()
}

#[test]
fn shapeshifter_file_becomes_link_becomes_file() {
    let world = World::new();
    let alice = world.project("alice");
    alice.write("input/some-data.csv", "data");
    alice.write("input/shifty", "a file");
    alice.sync();
    let bob = world.project("bob");
    bob.sync();
    alice.link("input/shifty", "some-data.csv");
    assert_eq!(steps(&alice.sync()), [("input/shifty", "uploaded")]);
    assert_eq!(shown(&world, "input/shifty"), b"-> some-data.csv");
    bob.sync();
    assert_eq!(bob.target("input/shifty"), "some-data.csv");
    assert_eq!(bob.read("input/some-data.csv"), "data", "what it points to is not touched");
    alice.remove("input/shifty");
    alice.write("input/shifty", "another file");
    alice.sync();
    assert_eq!(shown(&world, "input/shifty"), b"another file");
    bob.sync();
    assert_eq!(look::contents(&bob.root), look::contents(&alice.root));
    // And between a link and a directory.
    alice.link("input/shifty", ".");
    alice.sync();
    bob.sync();
    alice.remove("input/shifty");
    alice.write("input/shifty/deep/x", "a directory");
    alice.sync();
    bob.sync();
    assert_eq!(bob.read("input/shifty/deep/x"), "a directory");
    alice.remove("input/shifty");
    alice.link("input/shifty", "some-data.csv");
    alice.sync();
    bob.sync();
    assert_eq!(bob.target("input/shifty"), "some-data.csv");
    alice.assert_settled();
    bob.assert_settled();
    world.assert_whole();
}

#[test]
fn shapeshifter_link_is_pointed_at_a_directory() {
    let world = World::new();
    let alice = world.project("alice");
    alice.write("input/some-data.csv", "data");
    alice.link("input/link", "some-data.csv");
    alice.sync();
    alice.link("input/link", ".");
    assert_eq!(steps(&alice.sync()), [("input/link", "uploaded")]);
    assert_eq!(shown(&world, "input/link"), b"-> .");
    let bob = world.project("bob");
    bob.sync();
    assert_eq!(bob.target("input/link"), ".");
    assert_eq!(look::files(&bob.root), ["input/link", "input/some-data.csv"], "not followed");
    bob.assert_settled();
}

#[test]
fn vanishing_act() {
    let world = World::new();
    let alice = world.project("alice");
    alice.write("input/stays", "stays");
    alice.write("input/vanishes", "vanishes");
    alice.sync();
    let bob = world.project("bob");
    bob.sync();
    alice.remove("input/vanishes");
    assert_eq!(steps(&alice.sync()), [("input/vanishes", "deleted in the repository")]);
    assert_eq!(look::files(&world.repository()), ["input/stays"]);
    bob.sync();
    assert_eq!(look::files(&bob.root), ["input/stays"]);
    // Deleted, but not lost: history has it, and bob's trash.
    assert!(look::is_in_trash(&bob.root, "vanishes"));
    let kept = dsg_core::hash::ContentHash::of(b"vanishes").to_string();
    let kept = fs::read_to_string(world.control().join("objects").join(kept)).expect("is kept");
    assert_eq!(kept, "vanishes");
    world.assert_whole();
}

#[test]
fn vanished_file_reappears() {
    let world = World::new();
    let alice = world.project("alice");
    alice.write("input/a", "first");
    alice.sync();
    let bob = world.project("bob");
    bob.sync();
    alice.remove("input/a");
    alice.sync();
    alice.write("input/a", "new content");
    assert_eq!(steps(&alice.sync()), [("input/a", "uploaded")]);
    assert_eq!(world.shown("input/a"), "new content");
    // Who was not there in between sees a change, not a deletion.
    assert_eq!(steps(&bob.sync()), [("input/a", "downloaded")]);
    assert_eq!(bob.read("input/a"), "new content");
}

/// Thirty dozen files, of which all vanish.
fn vanish(alice: &Client) {
    for n in 0..360 {
        alice.write(&format!("input/{n}"), n.to_string());
    }
    alice.sync();
    alice.remove("input");
    alice.write("input/survivor", "survives");
}

#[test]
fn mass_vanish() {
    // Few: they are deleted, and the survivor comes.
    let world = World::new();
    let alice = world.project("alice");
    alice.write("input/a", "a");
    alice.write("input/b", "b");
    alice.sync();
    alice.remove("input");
    alice.write("input/survivor", "survives");
    alice.sync();
    assert_eq!(look::files(&world.repository()), ["input/survivor"]);
    // Many: it asks whether that is meant.
    let world = World::new();
    let alice = world.project("alice");
    vanish(&alice);
    alice.sync_fails(Code::MassDeletion);
    assert_eq!(look::files(&world.repository()).len(), 360);
    done(alice.sync_as(&allowing_mass_delete(), &Silent));
    assert_eq!(look::files(&world.repository()), ["input/survivor"]);
    world.assert_whole();
}

#[test]
fn mass_vanish_is_restored() {
    let world = World::new();
    let alice = world.project("alice");
    vanish(&alice);
    done(alice.sync_as(&allowing_mass_delete(), &Silent));
    let bob = world.project("bob");
    bob.sync();
    for n in 0..360 {
        alice.write(&format!("input/{n}"), n.to_string());
    }
    let report = alice.sync();
    assert_eq!(report.summary.uploads, 360);
    bob.sync();
    assert_eq!(look::files(&bob.root).len(), 361);
    assert_eq!(bob.read("input/77"), "77");
    world.assert_whole();
}

#[test]
fn perfect_storm() {
    let world = World::new();
    let (alice, bob) = (world.project("alice"), world.project("bob"));
    let rows: String = (0..5000).map(|n| format!("{n},critical_data_{n:04}\n")).collect();
    alice.write("input/critical.csv", &rows);
    alice.write("output/shared.yaml", "threshold: 1\n");
    alice.write("output/becomes-a-link", "a file");
    alice.sync();
    bob.sync();
    // Both work at once, disk fills up with temporary files, and an editor saves while a sync runs.
    bob.write("output/analysis-of-bob.py", "print('bob')");
    bob.write("output/shared.yaml", "threshold: 2\n");
    for n in 0..3 {
        bob.write(&format!("output/pressure{n}.tmp"), vec![b'x'; 1 << 20]);
        bob.write(&format!("output/pressure{n}.bin"), vec![n; 1 << 20]);
    }
    alice.write("output/analysis-of-alice.py", "print('alice')");
    let storm = Listener::new(|heard| match heard {
        Heard::Began(Phase::Uploading) => {
            alice.write("input/critical.csv", format!("{rows}URGENT,edit\n"));
            alice.link("output/becomes-a-link", "../input/critical.csv");
        }
        Heard::Began(Phase::Committing) => {
            bob.sync();
        }
        _ => {}
    });
    // The other's sync comes in between, so this one plans again, and edits until then are in it.
    let bobs = std::sync::atomic::AtomicBool::new(false);
    let once = Listener::new(|heard| {
        if heard != Heard::Began(Phase::Committing)
            || !bobs.swap(true, std::sync::atomic::Ordering::SeqCst)
        {
            use dsg_store::monitor::Monitor;
            if let Heard::Began(phase) = heard {
                storm.begin(phase, 0, 0);
            }
        }
    });
    alice.sync_heard(&once);
    alice.sync();
    bob.sync();
    alice.sync();
    let found = look::contents(&world.repository());
    let critical = String::from_utf8(found["input/critical.csv"].clone()).expect("text");
    assert!(critical.ends_with("4999,critical_data_4999\nURGENT,edit\n"));
    assert_eq!(critical.lines().count(), 5001);
    assert_eq!(found["output/becomes-a-link"], b"-> ../input/critical.csv");
    assert_eq!(found["output/shared.yaml"], b"threshold: 2\n");
    assert_eq!(found["output/analysis-of-alice.py"], b"print('alice')");
    assert_eq!(found["output/analysis-of-bob.py"], b"print('bob')");
    for n in 0..3 {
        assert_eq!(found[&format!("output/pressure{n}.bin")], vec![n; 1 << 20]);
    }
    assert!(!found.keys().any(|path| path.ends_with(".tmp")));
    assert_eq!(look::contents(&alice.root), found);
    world.assert_whole();
}

#[test]
fn doppelganger() {
    // The same person on two machines.
    let world = World::new();
    let laptop = world.project("laptop");
    let server = world.project("server");
    let same = |client: Client| Client { root: client.root, user: "pb".to_owned() };
    let (laptop, server) = (same(laptop), same(server));
    laptop.write("input/a", "base");
    laptop.sync();
    server.sync();
    laptop.write("input/a", "on the laptop");
    server.write("input/a", "on the server");
    server.sync();
    let questions = laptop.questions();
    assert_eq!(questions.len(), 1);
    assert_eq!(world.shown("input/a"), "on the server");
    assert_eq!(laptop.read("input/a"), "on the laptop", "untouched");
    laptop.settle(&[("input/a", Choice::Local)]);
    server.sync();
    assert_eq!(server.read("input/a"), "on the laptop");
}

#[test]
fn time_traveler() {
    let world = World::new();
    let alice = world.project("alice");
    let bob = world.project("bob");
    alice.write("input/a", "start");
    alice.sync();
    bob.sync();
    let now = SystemTime::from(SystemClock::new().now());
    let hour = Duration::from_secs(3600);
    // Clocks go back and forth, differ between machines, or know no time zone: the hash decides.
    for (text, time) in [
        ("two hours ago", now - 2 * hour),
        ("tomorrow", now + 24 * hour),
        ("minus 30 minutes", now - hour / 2),
        ("plus 45 minutes", now + 3 * hour / 4),
        ("before there were computers", SystemTime::UNIX_EPOCH - 24 * 365 * 20 * hour),
        ("far away", SystemTime::UNIX_EPOCH + 24 * 365 * 200 * hour),
        ("the same instant", long_ago(1)),
        ("the same instant again", long_ago(1)),
        ("the same instant three", long_ago(1)),
    ] {
        alice.write("input/a", text);
        set_modified(&alice.at("input/a"), time);
        assert_eq!(steps(&alice.sync()), [("input/a", "uploaded")], "{text}");
        assert_eq!(steps(&bob.sync()), [("input/a", "downloaded")], "{text}");
        assert_eq!(bob.read("input/a"), text);
        assert_eq!(world::modified(&bob.at("input/a")), time, "{text}");
    }
    for n in 0..5 {
        alice.write("input/a", format!("Rapid change #{n}"));
        alice.sync();
    }
    bob.sync();
    assert_eq!(bob.read("input/a"), "Rapid change #4");
    world.assert_whole();
}

#[test]
fn empty_repository_gets_its_first_file() {
    let world = World::new();
    let alice = world.project("alice");
    let report = alice.sync();
    assert_eq!((report.snapshot, report.head), (None, None), "nothing to say yet");
    alice.write("input/first", "first");
    let report = alice.sync();
    assert_eq!(report.snapshot.map(SnapshotNumber::get), Some(1));
    assert_eq!(world.shown("input/first"), "first");
    alice.assert_settled();
    // And one that was emptied again.
    alice.remove("input/first");
    alice.sync();
    assert_eq!(look::files(&world.repository()), [""; 0]);
    let bob = world.project("bob");
    bob.sync();
    bob.write("input/second", "second");
    bob.sync();
    alice.sync();
    assert_eq!(alice.read("input/second"), "second");
    world.assert_whole();
}

#[test]
fn edit_during_sync_is_never_committed_half() {
    // The file is saved again and again, at every moment at which a sync looks up.
    let moments: Vec<Heard> =
        [Phase::Scanning, Phase::Hashing, Phase::Uploading, Phase::Committing]
            .into_iter()
            .flat_map(|phase| {
                let asked = (1..8).map(move |n| Heard::AskedToStop(phase, n));
                let advanced = (1..6).map(move |n| Heard::Advanced(phase, n));
                [Heard::Began(phase)].into_iter().chain(asked).chain(advanced)
            })
            .collect();
    for in_place in [true, false] {
        let world = World::new();
        let alice = world.project("alice");
        // Large enough to be read in several pieces.
        let text = |n: usize| format!("{n:08}").repeat(100_000);
        alice.write("input/large", text(0));
        alice.write("input/other", "other");
        alice.sync();
        for (n, moment) in moments.iter().enumerate() {
            let n = n + 1;
            alice.write("input/large", text(n * 2));
            let edit = || {
                if in_place {
                    alice.write("input/large", text(n * 2 + 1));
                } else {
                    alice.write("src/new", text(n * 2 + 1));
                    fs::rename(alice.at("src/new"), alice.at("input/large")).expect("renames");
                }
            };
            let monitor = world::wrapped::once(*moment, edit);
            alice.sync_heard(&monitor);
            let now = world.shown("input/large");
            let whole = |n: usize| now == text(n);
            assert!(
                whole(n * 2) || whole(n * 2 + 1) || whole(n * 2 - 2) || whole(n * 2 - 1),
                "{moment:?}: one state or another"
            );
            alice.sync();
            let latest = alice.read("input/large");
            assert!(world.shown("input/large") == latest, "{moment:?}: the edit is not forgotten");
        }
        world.assert_whole();
    }
}
