//! In which order things become durable, read from the log of steps that a build for tests writes.

use std::fs;

use crate::world::own_process::{self, How};
use crate::world::{Client, World};

/// Whether the test's work is done: in a process of its own, or not at all.
fn elsewhere(name: &str) -> bool {
    if !cfg!(feature = "faults") {
        own_process::skipped("the feature faults to count steps");
        return true;
    }
    if own_process::is_own() {
        return false;
    }
    let folder = tempfile::tempdir().expect("a folder");
    own_process::run(name, &How::StepsLogged(&folder.path().join("log")));
    true
}

/// The steps of a sync: what was done, and to what.
struct Steps(Vec<(String, String)>);

impl Steps {
    fn of_sync(client: &Client) -> Self {
        let log = std::env::var_os("DSG_FAULT_LOG").expect("a log");
        let read = || fs::read_to_string(&log).unwrap_or_default();
        let before = read().lines().count();
        client.sync();
        let line = |line: &str| {
            let (_, rest) = line.split_once(' ').expect("a number");
            let (what, path) = rest.split_once(" /").expect("a path");
            (what.to_owned(), format!("/{path}"))
        };
        Self(read().lines().skip(before).map(line).collect())
    }

    /// The places of steps that do `what` to a path with `part` in it.
    fn all(&self, what: &str, part: &str) -> Vec<usize> {
        let fits = |(_, step): &(usize, &(String, String))| step.0 == what && step.1.contains(part);
        let found: Vec<_> = self.0.iter().enumerate().filter(fits).map(|(at, _)| at).collect();
        assert!(!found.is_empty(), "no step does {what} to {part}:\n{self}");
        found
    }

    fn first(&self, what: &str, part: &str) -> usize {
        self.all(what, part)[0]
    }

    fn last(&self, what: &str, part: &str) -> usize {
        *self.all(what, part).last().expect("one")
    }

    fn assert_order(&self, order: &[usize]) {
        assert!(order.is_sorted_by(|a, b| a < b), "{order:?}\n{self}");
    }
}

impl std::fmt::Display for Steps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (number, (what, path)) in self.0.iter().enumerate() {
            writeln!(f, "{number} {what} {path}")?;
        }
        Ok(())
    }
}

#[test]
fn durability_order_is_kept() {
    if elsewhere("durability::durability_order_is_kept") {
        return;
    }
    let world = World::new();
    let alice = world.project("alice");
    for path in ["input/a", "input/gone", "output/there"] {
        alice.write(path, "base");
    }
    alice.sync();
    let bob = world.project("bob");
    bob.sync();
    bob.write("output/there", "of bob");
    bob.write("output/more", "of bob");
    bob.sync();
    alice.write("input/a", "of alice");
    alice.write("input/new/x", "of alice");
    alice.remove("input/gone");
    let steps = Steps::of_sync(&alice);
    let visible = |path: &str| format!("/srv/p/{path}");
    let places = ["input/a", "input/new"].map(|path| steps.last("rename to", &visible(path)));
    // Contents, here and there, then the journal; document and pack, then the commit.
    let journal = steps.first("sync", "/alice/.dsg/journal");
    for content in ["/f-", "/tree/input/new/x", "/.dsg/tx/"].map(|part| steps.last("sync", part)) {
        steps.assert_order(&[content, journal]);
    }
    let commit = steps.first("rename to", "/snapshots/s3");
    let durable = steps.first("sync directory", "/snapshots");
    steps.assert_order(&[journal, commit, durable]);
    for prepared in ["/document", "/pack"] {
        steps.assert_order(&[steps.first("sync", prepared), commit]);
    }
    steps.assert_order(&[steps.first("link", "/snapshots/s3.trees"), commit]);
    // Only then the visible tree, and its directories, and what was staged goes.
    let synced = steps.last("sync directory", &visible("input"));
    let objects = steps.last("sync directory", "/objects");
    let cleaned = steps.first("remove", "/pack");
    for place in places {
        steps.assert_order(&[durable, place, synced, cleaned]);
    }
    steps.assert_order(&[durable, steps.first("rename to", "/objects/"), objects, cleaned]);
    // Then this side: into place, its directories, C, and at last the journal.
    let here = steps.last("rename to", "/alice/.dsg/tx/");
    let synced = steps.last("sync directory", "/alice/output");
    let state = steps.last("sync", "/alice/.dsg/state");
    let cleared = steps.last("truncate", "/alice/.dsg/journal");
    steps.assert_order(&[cleaned, here, synced, state, cleared]);
}

#[test]
fn large_files_are_made_durable_by_one_call_before_the_commit() {
    if elsewhere("durability::large_files_are_made_durable_by_one_call_before_the_commit") {
        return;
    }
    let world = World::new();
    let alice = world.project("alice");
    for n in 0..24_u8 {
        alice.write(&format!("input/{n}"), vec![n; 2 << 20]);
    }
    let steps = Steps::of_sync(&alice);
    let commit = steps.first("link", "/snapshots/s1.trees");
    let placed = steps.last("rename to", "/srv/p/input");
    let syncs = steps.all("sync file system", "");
    assert!(syncs.iter().any(|at| *at < commit), "contents by one call\n{steps}");
    assert!(!syncs.iter().any(|at| (commit..=placed).contains(at)), "{steps}");
    let each = steps.0.iter().filter(|(what, path)| what == "sync" && path.contains("/staging/"));
    assert!(each.count() <= 18, "{steps}");
    let bob = world.project("bob");
    let steps = Steps::of_sync(&bob);
    let together = steps.first("sync file system", "/bob/.dsg/tx/");
    steps.assert_order(&[together, steps.first("sync", "/bob/.dsg/journal")]);
}

#[test]
fn the_file_system_is_never_synced_under_the_lock() {
    if elsewhere("durability::the_file_system_is_never_synced_under_the_lock") {
        return;
    }
    let world = World::new();
    let alice = world.project("alice");
    let write = |text: &str| {
        for n in 0..300 {
            alice.write(&format!("input/{:02}/{n}", n % 70), format!("{text} {n}"));
        }
    };
    write("first");
    let first = Steps::of_sync(&alice);
    write("second");
    let second = Steps::of_sync(&alice);
    for (steps, number) in [(first, 1), (second, 2)] {
        let commit = steps.first("link", &format!("/snapshots/s{number}.trees"));
        let placed = steps.last("rename to", "/srv/p/input");
        let syncs = steps.all("sync file system", "");
        assert!(syncs.iter().any(|at| *at < commit), "contents by one call\n{steps}");
        assert!(!syncs.iter().any(|at| (commit..=placed).contains(at)), "{steps}");
        let each = steps.0.iter().filter(|(what, _)| what == "sync").count();
        assert!(each < 10, "{each} files synced by themselves\n{steps}");
        let cleaned = steps.last("remove", "/pack");
        if number == 2 {
            let names = syncs.iter().any(|at| (placed..cleaned).contains(at));
            assert!(names, "names in 70 directories by one call, before the recipe goes\n{steps}");
        }
    }
}

#[test]
fn a_commit_uses_only_rename_and_link() {
    if elsewhere("durability::a_commit_uses_only_rename_and_link") {
        return;
    }
    let world = World::new();
    let alice = world.project("alice");
    for path in ["input/changed", "input/gone", "input/d/x"] {
        alice.write(path, "base");
    }
    alice.link("input/l", "changed");
    alice.sync();
    alice.write("input/changed", "new");
    alice.remove("input/gone");
    alice.remove("input/l");
    alice.remove("input/d");
    alice.write("input/d", "a file now");
    alice.write("input/new/deep/x", "new");
    let steps = Steps::of_sync(&alice);
    let from = steps.first("link", "/snapshots/s2.trees");
    let to = steps.first("remove", "/pack");
    // What any member of the group may do, whoever the files belong to. Nothing is written, and no
    // mode, owner or time is set.
    let allowed = ["link", "rename to", "remove", "remove directory", "sync directory"];
    for (what, path) in &steps.0[from..=to] {
        assert!(allowed.contains(&what.as_str()), "{what} {path}\n{steps}");
    }
}
