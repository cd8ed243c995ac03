//! A project: what lay there before, where it is, and on which disks.

use std::fs;
use std::os::unix::fs::symlink;

use dsg_store::error::Code;
use dsg_store::project::{attach, write_configuration};

use crate::world::own_process::{self, How};
use crate::world::{Client, World, look, steps};

#[test]
fn legacy_files_are_moved_aside() {
    let world = World::new();
    let root = world.folder().join("alice");
    let alice = Client { root: root.clone(), user: "alice".to_owned() };
    let old = [
        ".dsg/last-sync.json",
        ".dsg/sync-messages.json",
        ".dsg/archive/s1-sync.json.lz4",
        ".dsg/sync.lock",
        ".dsg/staging/tx-12345678/x",
        ".dsg/backup/y",
    ];
    for path in old {
        alice.write(path, format!("old {path}"));
    }
    alice.write(".dsg/notes-of-the-user", "not the old tool's");
    alice.write("input/a", "a");
    write_configuration(&root, &world.configuration("")).expect("writes");
    // A run that was cut off halfway, and one after it.
    alice.write(".dsg/legacy/.keep", "");
    for _ in 0..2 {
        attach(&alice.project(), &alice.repository()).expect("attaches");
    }
    for path in old {
        let aside = path.replacen(".dsg/", ".dsg/legacy/", 1);
        assert_eq!(alice.read(&aside), format!("old {path}"), "as it was");
        assert!(!alice.has(path));
    }
    assert_eq!(alice.read(".dsg/notes-of-the-user"), "not the old tool's");
    // Nothing of it is read as ours: the project starts with nothing agreed.
    assert_eq!(steps(&alice.sync()), [("input/a", "uploaded")]);
    alice.assert_settled();

    // And in a repository of the old tool no new one is made.
    let taken = world.folder().join("srv/old");
    fs::create_dir_all(taken.join(".dsg")).expect("creates");
    fs::write(taken.join(".dsg/last-sync.json"), "{}").expect("writes");
    let clock = foundation_runtime::clock::SystemClock::new();
    let before = look::listing(&taken);
    let error =
        dsg_store::repository::create(&taken, dsg_store::repository::Access::Private, &clock)
            .expect_err("is taken");
    assert_eq!(error.code, Code::RepositoryExists);
    assert_eq!(look::listing(&taken), before);
}

#[test]
fn a_symlinked_project_root_works() {
    let world = World::new();
    let alice = world.project("alice");
    let by_link = world.folder().join("by-link");
    symlink("alice", &by_link).expect("links");
    // The way to the repository may lead over links as well: the user meant them.
    let srv = world.folder().join("srv");
    fs::rename(&srv, world.folder().join("large-disk")).expect("renames");
    symlink(world.folder().join("large-disk"), &srv).expect("links");
    let linked = Client { root: by_link, user: "alice".to_owned() };
    linked.write("input/a", "a");
    linked.link("input/l", "a");
    assert_eq!(linked.sync().steps.len(), 2);
    alice.assert_settled();
    let bob = world.project("bob");
    bob.sync();
    bob.write("input/a", "of bob");
    bob.write("input/new/b", "of bob");
    bob.sync();
    assert_eq!(linked.sync().steps.len(), 2);
    assert_eq!(alice.read("input/new/b"), "of bob");
    alice.assert_settled();
    assert!(fs::symlink_metadata(&linked.root).expect("is there").is_symlink());
}

/// Runs the rest of a test where it may mount; says whether it is there.
pub(crate) fn may_mount(name: &str) -> bool {
    if own_process::is_own() {
        return true;
    }
    if own_process::can_mount() {
        own_process::run(name, &How::OwnMounts);
    } else {
        own_process::skipped("mount namespaces");
    }
    false
}

#[test]
fn a_target_on_another_device_is_refused_before_the_commit() {
    if !may_mount("project::a_target_on_another_device_is_refused_before_the_commit") {
        return;
    }
    let world = World::new();
    let alice = world.project("alice");
    alice.write("input/a", "base");
    alice.write("output/b", "base");
    alice.sync();
    let bob = world.project("bob");
    fs::create_dir_all(bob.at("output")).expect("creates");
    own_process::mount(&bob.at("output"));
    bob.write("input/of-bob", "of bob");
    bob.sync_fails(Code::OtherDevice);
    assert_eq!(world.head(), 1, "nothing was committed either");
    // What only goes up may lie anywhere.
    bob.write("output/b", "base");
    bob.write("output/of-bob", "of bob");
    let report = bob.sync();
    assert_eq!(report.summary.uploads, 2);
    assert_eq!(world.shown("output/of-bob"), "of bob");
    own_process::unmount(&bob.at("output"));
}

#[test]
fn a_repository_across_file_systems_is_refused_before_the_commit() {
    if !may_mount("project::a_repository_across_file_systems_is_refused_before_the_commit") {
        return;
    }
    let world = World::new();
    let alice = world.project("alice");
    alice.write("input/a", "base");
    alice.sync();
    // An administrator gave a directory of the visible tree a disk of its own.
    fs::create_dir(world.repository().join("output")).expect("creates");
    own_process::mount(&world.repository().join("output"));
    alice.write("output/b", "new");
    alice.sync_fails(Code::OtherDevice);
    assert_eq!(world.head(), 1);
    alice.write("output/d/b", "new");
    alice.remove("output/b");
    alice.sync_fails(Code::OtherDevice);
    assert_eq!(world.head(), 1);
    alice.remove("output");
    alice.write("input/a", "second");
    alice.sync();
    own_process::unmount(&world.repository().join("output"));
    alice.write("output/b", "new");
    alice.sync();
    assert_eq!(world.shown("output/b"), "new");
    world.assert_whole();
}
