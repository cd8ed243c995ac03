//! What it costs: nothing at the repository for nothing, little for little.

use std::fs;

use dsg_store::error::Code;
use dsg_store::monitor::Silent;
use dsg_store::project::StateFile;
use dsg_store::system::Directory;

use crate::world::own_process::{self, How};
use crate::world::{World, craft, key, look, options, steps};

#[test]
fn no_op_touches_nothing_at_the_repository() {
    let world = World::new();
    let alice = world.project("alice");
    for n in 0..50 {
        alice.write(&format!("input/{}/{n}", n % 5), n.to_string());
    }
    alice.link("input/l", "1/1");
    alice.sync();
    let bob = world.project("bob");
    bob.sync();
    let before = look::listing(&world.repository());
    for _ in 0..3 {
        alice.assert_settled();
        bob.assert_settled();
    }
    assert_eq!(look::listing(&world.repository()), before);
    // And after the first such sync nothing in the project either, but for the stamp and the lock.
    let here = |client: &crate::world::Client| {
        let own = |line: &String| line.contains(".dsg/stamp") || line.contains(".dsg/lock");
        let mut lines = look::listing(&client.root);
        lines.retain(|line| !own(line));
        lines
    };
    let before = here(&alice);
    alice.assert_settled();
    assert_eq!(here(&alice), before);
    // Nor by a sync that only downloads, that fails, or that asks.
    alice.write("input/0/0", "changed");
    alice.sync();
    let before = look::listing(&world.repository());
    bob.sync();
    alice.write("input/X", "one");
    alice.write("input/x", "other");
    alice.sync_fails(Code::NameCollision);
    assert_eq!(look::listing(&world.repository()), before);
}

/// Among how many the one change is made.
const SIBLINGS: u64 = 200_000;

#[test]
fn one_change_among_200k_siblings() {
    if cfg!(feature = "faults") && !own_process::is_own() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("log");
        own_process::run("cost::one_change_among_200k_siblings", &How::StepsLogged(&log));
        return;
    }
    // The repository has them in its manifest alone: it never looks at a file that does not change.
    let world = World::in_memory();
    let siblings = (0..SIBLINGS).map(|n| (key(&format!("input/d/{n}")), craft::link("../x")));
    craft::first_snapshot(&world.repository(), siblings.collect());
    let alice = world.project("alice");
    fs::create_dir_all(alice.at("input/d")).expect("creates");
    // The directory is there, though its links are not.
    fs::create_dir_all(world.repository().join("input/d")).expect("creates");
    for n in 0..SIBLINGS {
        let path = alice.root.join(format!("input/d/{n}"));
        std::os::unix::fs::symlink("../x", path).expect("links");
    }
    let report = alice.sync();
    assert_eq!(report.snapshot, None, "they are equal and join");
    assert_eq!(report.counts.entries, SIBLINGS);
    let size = |path: std::path::PathBuf| fs::metadata(path).expect("is there").len();
    let state = size(alice.at(".dsg/state"));
    let first = size(world.control().join("snapshots/s1.trees"));

    let steps_before = steps_so_far();
    alice.write("input/d/new", "one more");
    let report = alice.sync();
    let made = steps_so_far().split_off(steps_before.len());
    assert_eq!(steps(&report), [("input/d/new", "uploaded")]);
    let pack = size(world.control().join("snapshots/s2.trees"));
    // A leaf of some 256 names, and the list of the leaves.
    assert!(pack < 64 << 10, "the new tree objects: {pack} bytes of {first}");
    let grown = size(alice.at(".dsg/state")) - state;
    assert!(grown < 64 << 10, "what C got: {grown} bytes of {state}");
    assert_few(&made);

    alice.remove("input/d/100000");
    let error = alice.sync_as(&options(), &Silent).expect_err("the visible tree was made up");
    assert_eq!(error.code, Code::ForeignEdit);
    std::os::unix::fs::symlink("../x", world.repository().join("input/d/100000")).expect("links");
    alice.sync();
    let pack = size(world.control().join("snapshots/s3.trees"));
    assert!(pack < 64 << 10, "the new tree objects: {pack} bytes of {first}");
    let dsg = Directory::open(&alice.at(".dsg")).expect("opens");
    let state = StateFile::open(&dsg).expect("opens").expect("is there");
    assert_eq!(state.state().cached.map(|cached| cached.entries), Some(SIBLINGS));
}

/// What this process has changed on disk so far, a line for each step; nothing where steps are not
/// counted.
fn steps_so_far() -> Vec<String> {
    match std::env::var_os("DSG_FAULT_LOG") {
        Some(log) => {
            let text = fs::read_to_string(log).unwrap_or_default();
            text.lines().map(str::to_owned).collect()
        }
        None => Vec::new(),
    }
}

/// Few of the steps wait for a disk, and they are few.
fn assert_few(made: &[String]) {
    if !cfg!(feature = "faults") {
        own_process::skipped("the feature faults to count steps");
        return;
    }
    let syncs = made.iter().filter(|line| line.split(' ').nth(1) == Some("sync")).count();
    assert!((1..=10).contains(&syncs), "{syncs} syncs:\n{}", made.join("\n"));
    assert!(made.len() <= 50, "{} steps:\n{}", made.len(), made.join("\n"));
}
