//! Edits in the moment between a look and the system call that follows it: the process is paused
//! there, and somebody else is faster.

use std::fs;
use std::path::Path;

use dsg_core::hash::ContentHash;

use crate::world::{Client, World, long_ago, look, own_process, set_modified, skipped, steps};

/// Whether the test's work is done: in a process of its own, or not at all.
fn elsewhere(name: &str, step: (&str, &str), meanwhile: fn(&Path)) -> bool {
    if own_process::is_own() {
        return false;
    }
    if cfg!(feature = "faults") {
        own_process::pause(name, step, meanwhile);
    } else {
        own_process::skipped("the feature faults to be paused");
    }
    true
}

/// Two people with the same two files, of which alice then changes one and deletes one.
fn prepared() -> (World, Client, Client) {
    let world = World::new();
    let (alice, bob) = (world.project("alice"), world.project("bob"));
    alice.write("input/a", "base");
    alice.write("input/b", "base");
    alice.sync();
    bob.sync();
    alice.write("input/a", "of alice");
    alice.remove("input/b");
    alice.sync();
    (world, alice, bob)
}

#[test]
fn what_came_out_of_the_tree_is_looked_at() {
    let meanwhile = |world: &Path| {
        fs::write(world.join("bob/new"), "of bob").expect("writes");
        // An old file of bob's, moved there: nothing about it is recent.
        set_modified(&world.join("bob/new"), long_ago(5));
        fs::rename(world.join("bob/new"), world.join("bob/input/a")).expect("renames");
    };
    let name = "races::what_came_out_of_the_tree_is_looked_at";
    if elsewhere(name, ("rename to", "/bob/.dsg/tx/"), meanwhile) {
        return;
    }
    let (world, alice, bob) = prepared();
    let report = bob.sync();
    if own_process::is_rehearsal() {
        return;
    }
    assert_eq!(skipped(&report), ["input/a"]);
    assert_eq!(steps(&report), [("input/b", "deleted here")]);
    assert_eq!(bob.read("input/a"), "of bob", "it was put back");
    assert_eq!(bob.questions().len(), 1);
    bob.write("input/a", "of alice");
    assert_eq!(steps(&bob.sync()), [("input/a", "agreed")]);
    assert_eq!(look::contents(&alice.root), look::contents(&bob.root));
    world.assert_whole();
}

#[test]
fn what_went_to_the_trash_is_looked_at() {
    let meanwhile = |world: &Path| {
        fs::write(world.join("bob/input/b"), "of bob").expect("writes");
    };
    let name = "races::what_went_to_the_trash_is_looked_at";
    // The other file comes there later, by a name of its own.
    if elsewhere(name, ("rename to", "/0"), meanwhile) {
        return;
    }
    let world = World::new();
    let (alice, bob) = (world.project("alice"), world.project("bob"));
    alice.write("input/b", "base");
    alice.sync();
    bob.sync();
    alice.remove("input/b");
    alice.sync();
    let report = bob.sync();
    if own_process::is_rehearsal() {
        return;
    }
    assert_eq!(skipped(&report), ["input/b"]);
    assert_eq!(bob.read("input/b"), "of bob", "it was put back");
    assert_eq!(bob.questions().len(), 1);
}

#[test]
fn an_edit_on_the_server_under_the_lock_is_set_aside() {
    let meanwhile = |world: &Path| {
        fs::write(world.join("srv/p/input/a"), "EDIT").expect("writes");
        fs::write(world.join("srv/p/input/b"), "LATE").expect("writes");
    };
    let name = "races::an_edit_on_the_server_under_the_lock_is_set_aside";
    // The files were looked at a moment ago, for the last time.
    if elsewhere(name, ("link", "/snapshots/s2.trees"), meanwhile) {
        return;
    }
    let (world, alice, _bob) = prepared();
    if own_process::is_rehearsal() {
        return;
    }
    assert_eq!(world.head(), 2);
    assert_eq!(look::files(&world.repository()), ["input/a"]);
    assert_eq!(world.shown("input/a"), "of alice");
    let unfiled = look::contents(&world.control().join("unfiled"));
    for text in ["EDIT", "LATE"] {
        assert!(unfiled.values().any(|bytes| bytes == text.as_bytes()), "{text}: {unfiled:?}");
    }
    for name in look::names(&world.control().join("objects")) {
        let bytes = fs::read(world.control().join("objects").join(&name)).expect("reads");
        assert_eq!(name, ContentHash::of(&bytes).to_string(), "nothing has a wrong name");
    }
    alice.assert_settled();
}
