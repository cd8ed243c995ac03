//! The index is a cache: it may be lost, damaged or fooled, and costs only reading.

use std::fs;

use dsg_store::monitor::{Monitor, Notice, Phase};

use crate::world::{Client, World, look, modified, set_modified, steps};

#[test]
fn racy_edit_in_the_same_tick_is_seen() {
    let world = World::new();
    let alice = world.project("alice");
    let bob = world.project("bob");
    alice.write("input/a", "000");
    alice.sync();
    bob.sync();
    // Edits of one length, dated back, right after a sync: as fast as they come, so that many fall
    // into one tick of the file system's clock with the sync that went before.
    for n in 1..60 {
        let time = modified(&alice.at("input/a"));
        let text = format!("{n:03}");
        fs::write(alice.at("input/a"), &text).expect("writes");
        set_modified(&alice.at("input/a"), time);
        assert_eq!(steps(&alice.sync()), [("input/a", "uploaded")], "{text}");
        assert_eq!(world.shown("input/a"), text);
        // The same for a file that a sync has just put into place.
        if n % 3 == 0 {
            bob.sync();
            let time = modified(&bob.at("input/a"));
            let text = format!("b{n:02}");
            fs::write(bob.at("input/a"), &text).expect("writes");
            set_modified(&bob.at("input/a"), time);
            assert_eq!(steps(&bob.sync()), [("input/a", "uploaded")], "{text}");
            assert_eq!(steps(&alice.sync()), [("input/a", "downloaded")], "{text}");
        }
    }
    // Through a second name of the same file, and by a swap of two files.
    fs::hard_link(alice.at("input/a"), alice.at("second-name")).expect("links");
    let time = modified(&alice.at("input/a"));
    fs::write(alice.at("second-name"), "xyz").expect("writes");
    set_modified(&alice.at("second-name"), time);
    assert_eq!(steps(&alice.sync()), [("input/a", "uploaded")]);
    alice.write("input/b", "123");
    alice.sync();
    set_modified(&alice.at("input/b"), time);
    alice.sync();
    fs::rename(alice.at("input/a"), alice.at("aside")).expect("renames");
    fs::rename(alice.at("input/b"), alice.at("input/a")).expect("renames");
    fs::rename(alice.at("aside"), alice.at("input/b")).expect("renames");
    let report = alice.sync();
    assert_eq!(steps(&report), [("input/a", "uploaded"), ("input/b", "uploaded")]);
    assert_eq!((world.shown("input/a"), world.shown("input/b")), ("123".into(), "xyz".into()));
    world.assert_whole();
}

/// Counts the files that are read.
#[derive(Default)]
struct Reading(std::sync::atomic::AtomicU64);

impl Monitor for Reading {
    fn begin(&self, phase: Phase, files: u64, _bytes: u64) {
        if phase == Phase::Hashing {
            self.0.fetch_add(files, std::sync::atomic::Ordering::SeqCst);
        }
    }

    fn advance(&self, _files: u64, _bytes: u64) {}

    fn notice(&self, _notice: Notice) {}

    fn stop_requested(&self) -> bool {
        false
    }
}

/// Syncs, and says how many files were read for it.
fn files_read(client: &Client) -> u64 {
    let reading = Reading::default();
    let report = client.sync_heard(&reading);
    assert_eq!((steps(&report), report.snapshot), (vec![], None));
    reading.0.into_inner()
}

/// A project with files, links, odd spellings and something that is only half agreed.
fn prepared() -> (World, Client) {
    let world = World::new();
    let alice = world.project("alice");
    for n in 0..20 {
        alice.write(&format!("input/d{}/{n}", n % 3), n.to_string());
    }
    alice.write("output/cafe\u{301}/e\u{301}.csv", "spelled with two characters");
    alice.write("frozen/run", "x");
    alice.chmod("frozen/run", 0o755);
    alice.link("input/link", "d1/1");
    alice.sync();
    // What was written in the tick of the sync is read once more; after that nothing is.
    alice.sync();
    assert_eq!(files_read(&alice), 0);
    (world, alice)
}

#[test]
fn index_loss_costs_only_reading() {
    let (world, alice) = prepared();
    let control = look::listing(&world.control());
    alice.remove(".dsg/index");
    assert_eq!(files_read(&alice), 22, "every file once");
    alice.sync();
    assert_eq!(files_read(&alice), 0, "and then it is known again");
    assert_eq!(look::listing(&world.control()), control);
    // Changes that were not synced when it was lost are changes after it.
    let bob = world.project("bob");
    bob.sync();
    alice.write("input/d0/0", "changed");
    alice.remove("input/d1/1");
    alice.write("input/new", "new");
    bob.write("input/d2/2", "of bob");
    bob.remove("input/d0/3");
    bob.sync();
    alice.remove(".dsg/index");
    let report = alice.sync();
    assert_eq!(
        steps(&report),
        [
            ("input/d0/0", "uploaded"),
            ("input/d0/3", "deleted here"),
            ("input/d1/1", "deleted in the repository"),
            ("input/d2/2", "downloaded"),
            ("input/new", "uploaded"),
        ]
    );
    alice.assert_settled();
}

#[test]
fn a_corrupt_index_is_ignored() {
    let (world, alice) = prepared();
    let control = look::listing(&world.control());
    let index = alice.at(".dsg/index");
    let whole = fs::read(&index).expect("reads");
    let mut damaged = vec![
        Vec::new(),
        b"noise".to_vec(),
        vec![0; whole.len()],
        whole[..whole.len() - 1].to_vec(),
        whole[..whole.len() / 2].to_vec(),
        [whole.as_slice(), b"more"].concat(),
    ];
    for at in (0..whole.len()).step_by(97) {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x41;
        damaged.push(flipped);
    }
    for bytes in damaged {
        fs::write(&index, &bytes).expect("writes");
        assert_eq!(files_read(&alice), 22, "nothing of it is believed");
    }
    assert_eq!(look::listing(&world.control()), control);
    // One that is whole but of another time: from before the last sync, and of other rules.
    fs::write(&index, &whole).expect("writes");
    alice.write("input/d0/0", "changed");
    alice.sync();
    fs::write(&index, &whole).expect("writes");
    alice.assert_settled();
    alice.write("input/d0/0", "0");
    alice.sync();
    world.configure(&alice, "data_dirs: [frozen]\n");
    alice.sync();
    fs::write(&index, &whole).expect("writes");
    alice.assert_settled();
    world.configure(&alice, "");
    alice.assert_settled();
    // A temporary one of a run that was killed is no hindrance.
    fs::write(alice.at(".dsg/index.new"), "half").expect("writes");
    alice.write("input/d0/0", "again");
    alice.sync();
    alice.assert_settled();
    world.assert_whole();
}
