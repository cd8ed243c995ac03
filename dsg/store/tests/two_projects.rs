//! Two projects and one repository on a real file system: the protocol from end to end, by the library.

mod world;

use std::fs;
use std::path::Path;

use dsg_core::snapshot::SnapshotNumber;
use dsg_store::sync::SyncOutcome;

use world::World;
use world::look::files;

#[test]
fn what_one_syncs_the_other_gets() {
    let world = World::new();
    let alice = world.project("alice");
    alice.write("input/people.csv", "1\n");
    alice.write("task1/output/deep/result.csv", "2\n");
    alice.write("src/code.py", "not data");
    std::os::unix::fs::symlink("deep/result.csv", alice.root.join("task1/output/link"))
        .expect("links");
    let report = alice.sync();
    assert_eq!(report.snapshot.map(SnapshotNumber::get), Some(1));
    let all = ["input/people.csv", "task1/output/deep/result.csv", "task1/output/link"];
    assert_eq!(files(&world.repository()), all);
    let again = alice.sync();
    assert_eq!(again.snapshot, None, "{again:?}");
    assert!(again.steps.is_empty(), "{again:?}");

    let bob = world.project("bob");
    bob.sync();
    assert_eq!(files(&bob.root), all);
    assert_eq!(
        fs::read_link(bob.root.join("task1/output/link")).expect("a link"),
        Path::new("deep/result.csv")
    );
    bob.write("input/people.csv", "changed\n");
    fs::remove_file(bob.root.join("task1/output/deep/result.csv")).expect("removes");
    bob.write("input/new/x.csv", "new\n");
    let report = bob.sync();
    assert_eq!(report.snapshot.map(SnapshotNumber::get), Some(2));
    assert_eq!(
        files(&world.repository()),
        ["input/new/x.csv", "input/people.csv", "task1/output/link"]
    );
    let report = alice.sync();
    assert_eq!(report.snapshot, None);
    assert_eq!(alice.read("input/people.csv"), "changed\n");
    assert!(!alice.root.join("task1/output/deep").exists());
    assert_eq!(alice.sync().steps, []);
    assert_eq!(bob.sync().steps, []);
}

#[test]
fn different_changes_are_a_conflict_and_change_nothing() {
    let world = World::new();
    let alice = world.project("alice");
    alice.write("input/a", "base");
    alice.sync();
    let bob = world.project("bob");
    bob.sync();
    alice.write("input/a", "alice");
    bob.write("input/a", "bob");
    bob.sync();
    let Ok(SyncOutcome::Conflicts(questions)) = alice.try_sync() else { panic!("no conflict") };
    assert_eq!(questions.len(), 1);
    assert_eq!(alice.read("input/a"), "alice");
    assert_eq!(fs::read_to_string(world.repository().join("input/a")).expect("reads"), "bob");
}

#[test]
fn every_old_content_stays_readable() {
    let world = World::new();
    let alice = world.project("alice");
    for n in 0..5 {
        alice.write("input/a", format!("version {n}"));
        alice.write("input/b", "stays");
        alice.sync();
    }
    world.assert_whole();
    assert_eq!(world.head(), 5);
}
