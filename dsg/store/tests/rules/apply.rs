//! Putting files into place here, so that nobody's edit is lost.

use std::fs;

use dsg_core::conflict::Choice;
use dsg_store::monitor::{Phase, Silent};
use dsg_store::project::trash;
use dsg_store::sync::SyncOptions;
use dsg_store::system::Directory;

use crate::world::wrapped::{Heard, once};
use crate::world::{Client, World, done, long_ago, look, set_modified, skipped, steps};

/// Two people who have the same five files; then alice changes, deletes and adds some.
fn prepared() -> (World, Client, Client) {
    let world = World::new();
    let alice = world.project("alice");
    for path in ["input/a", "input/b", "input/d/x", "input/d/y"] {
        alice.write(path, "base");
    }
    alice.sync();
    let bob = world.project("bob");
    bob.sync();
    alice.write("input/a", "of alice");
    alice.remove("input/b");
    alice.remove("input/d");
    alice.write("input/new", "of alice");
    alice.write("input/newer/deep/er", "of alice");
    alice.sync();
    (world, alice, bob)
}

#[test]
fn apply_keeps_a_file_that_appeared() {
    let (world, alice, bob) = prepared();
    let appear = || {
        bob.write("input/new", "of bob");
        bob.write("input/newer", "a file where a directory is to be");
    };
    let monitor = once(Heard::Began(Phase::Applying), appear);
    let report = bob.sync_heard(&monitor);
    assert_eq!(skipped(&report), ["input/new", "input/newer/deep/er"]);
    assert_eq!(bob.read("input/new"), "of bob");
    assert_eq!(bob.read("input/newer"), "a file where a directory is to be");
    assert_eq!(bob.read("input/a"), "of alice", "the rest was done");
    // Now they are two people's changes.
    assert_eq!(bob.questions().len(), 3);
    bob.remove("input/newer");
    bob.settle(&[("input/new", Choice::Local)]);
    alice.sync();
    assert_eq!(look::contents(&alice.root), look::contents(&bob.root));
    world.assert_whole();
}

#[test]
fn apply_keeps_an_edit_that_came_in_between() {
    // Saved in place, by a new file, made a directory, made a link, removed; also where a file is
    // to be deleted.
    type Edit = fn(&Client, &str);
    let edits: [Edit; 6] = [
        |bob, path| bob.write(path, "of bob"),
        |bob, path| {
            bob.write("src/new", "of bob");
            fs::rename(bob.at("src/new"), bob.at(path)).expect("renames");
        },
        |bob, path| {
            bob.remove(path);
            bob.write(&format!("{path}/inside"), "of bob");
        },
        |bob, path| bob.link(path, "of-bob"),
        |bob, path| bob.remove(path),
        // Of the same length, and dated back to when the scan saw it.
        |bob, path| {
            let time = crate::world::modified(&bob.at(path));
            bob.write("src/new", "BASE");
            set_modified(&bob.at("src/new"), time);
            fs::rename(bob.at("src/new"), bob.at(path)).expect("renames");
        },
    ];
    for (number, edit) in edits.into_iter().enumerate() {
        let (world, alice, bob) = prepared();
        let mut expected = look::contents(&alice.root);
        let both = || {
            edit(&bob, "input/a");
            edit(&bob, "input/b");
        };
        let monitor = once(Heard::Began(Phase::Applying), both);
        let report = bob.sync_heard(&monitor);
        let left = if number == 4 { vec!["input/a"] } else { vec!["input/a", "input/b"] };
        assert_eq!(skipped(&report), left, "edit {number}");
        let same_elsewhere = Client { root: world.folder().join("same"), user: "same".to_owned() };
        for path in ["input/a", "input/b"] {
            same_elsewhere.write(path, "base");
            edit(&same_elsewhere, path);
        }
        same_elsewhere.write("input/kept", "");
        let theirs = look::contents(&same_elsewhere.root);
        let here = look::contents(&bob.root);
        for (path, bytes) in theirs
            .iter()
            .filter(|(path, _)| path.starts_with("input/a") || path.starts_with("input/b"))
        {
            assert_eq!(here.get(path), Some(bytes), "edit {number}: {path}");
        }
        // And everything else is alice's.
        expected.retain(|path, _| !path.starts_with("input/a") && !path.starts_with("input/b"));
        for (path, bytes) in &expected {
            assert_eq!(here.get(path), Some(bytes), "edit {number}: {path}");
        }
        world.assert_whole();
    }
}

#[test]
fn an_edit_of_a_file_that_was_just_placed_is_seen() {
    for place in ["input/a", "input/new"] {
        let (_world, alice, bob) = prepared();
        let edit = || {
            // Written in place, of the same length as what the sync brought.
            let file = fs::File::options().write(true).open(bob.at(place)).expect("opens");
            std::os::unix::fs::FileExt::write_all_at(&file, b"OF BOB!!", 0).expect("writes");
        };
        let bobs = std::sync::Mutex::new(Some(edit));
        // After the last operation, before the sync looks at what it placed.
        let monitor = crate::world::wrapped::Listener::new(|heard| {
            let placed = fs::read_to_string(bob.at("input/newer/deep/er")).is_ok();
            if matches!(heard, Heard::Advanced(Phase::Applying, _))
                && placed
                && let Some(edit) = bobs.lock().expect("locks").take()
            {
                edit();
            }
        });
        bob.sync_heard(&monitor);
        assert_eq!(bob.read(place), "OF BOB!!");
        assert_eq!(steps(&bob.sync()), [(place, "uploaded")], "it is bob's, not alice's");
        alice.sync();
        assert_eq!(alice.read(place), "OF BOB!!");
    }
}

#[test]
fn trash_keeps_what_was_replaced() {
    let (_world, _alice, bob) = prepared();
    bob.write("input/b", "base");
    bob.sync();
    assert!(!bob.has("input/b") && !bob.has("input/d"));
    let dsg = Directory::open(&bob.at(".dsg")).expect("opens");
    let trashed = trash::contents(&dsg).expect("lists");
    assert_eq!(trashed.len(), 1);
    let paths: Vec<_> = trashed[0].files.iter().map(|(file, _)| file.path.as_str()).collect();
    assert_eq!(paths, ["input/a", "input/b", "input/d/x", "input/d/y"]);
    let folder = bob.at(".dsg/trash").join(&trashed[0].transaction);
    for (file, size) in &trashed[0].files {
        assert!(file.in_history);
        assert_eq!(*size, 4);
        assert_eq!(fs::read_to_string(folder.join(&file.name)).expect("reads"), "base");
    }

    // What history has goes after 30 days, and what only is here stays until the user cleans it.
    let (_world, alice, bob) = prepared();
    bob.write("input/a", "only here");
    bob.settle(&[("input/a", Choice::Remote)]);
    assert!(look::is_in_trash(&bob.root, "only here") && look::is_in_trash(&bob.root, "base"));
    let folder = fs::read_dir(bob.at(".dsg/trash")).expect("lists").next().expect("one");
    let folder = folder.expect("an entry").path();
    // A program that had the file open goes on writing to it in the trash.
    let list = fs::read_to_string(folder.join("list")).expect("reads");
    let line = list.lines().find(|line| line.contains("input/d/x")).expect("is listed");
    let entry: serde_json::Value = serde_json::from_str(line).expect("is JSON");
    fs::write(folder.join(entry["name"].as_str().expect("a name")), "late").expect("writes");
    fs::File::open(&folder).and_then(|file| file.set_modified(long_ago(0))).expect("dates back");
    alice.write("input/new", "again");
    alice.sync();
    bob.sync();
    assert!(look::is_in_trash(&bob.root, "only here") && look::is_in_trash(&bob.root, "late"));
    assert!(!look::is_in_trash(&bob.root, "base"));
    let dsg = Directory::open(&bob.at(".dsg")).expect("opens");
    for trashed in trash::contents(&dsg).expect("lists") {
        trash::empty(&dsg, &trashed, true).expect("empties");
    }
    assert_eq!(look::trash(&bob.root), Vec::<Vec<u8>>::new());
}

#[test]
fn backups_survive() {
    let stamp = "20261121T101112Z";
    let long = format!("input/{}", "n".repeat(250));
    let paths = ["input/a.csv", "input/k\u{e9}", long.as_str()];
    let world = World::new();
    let alice = world.project("alice");
    for path in paths.into_iter().chain(["input/deleted"]) {
        alice.write(path, "base");
    }
    alice.sync();
    let bob = world.project("bob");
    bob.sync();
    for path in paths {
        alice.write(path, "of alice");
        bob.write(path, "of bob");
    }
    alice.remove("input/deleted");
    bob.write("input/deleted", "of bob, deleted");
    alice.sync();
    let choices: Vec<_> =
        paths.into_iter().chain(["input/deleted"]).map(|path| (path, Choice::Remote)).collect();
    let options = SyncOptions { backup_stamp: Some(stamp.to_owned()), ..bob.settled(&choices) };
    let report = done(bob.sync_as(&options, &Silent));
    for path in paths {
        assert_eq!(bob.read(path), "of alice");
    }
    for path in &paths[..2] {
        assert_eq!(bob.read(&format!("{path}~{stamp}~")), "of bob", "beside the new one");
    }
    // Also of a path that is to be gone, and of a name that has no room for the stamp: it is shortened.
    assert_eq!(bob.read(&format!("input/deleted~{stamp}~")), "of bob, deleted");
    assert!(!bob.has("input/deleted"));
    assert_eq!(bob.read(&format!("input/{}~{stamp}~", "n".repeat(237))), "of bob");
    assert_eq!((report.kept.len(), report.kept.iter().any(|kept| kept.in_trash)), (4, false));
    // It is nobody's data, and no later sync takes it away.
    bob.assert_settled();
    alice.write(paths[0], "again");
    alice.sync();
    bob.sync();
    assert_eq!(bob.read(&format!("{}~{stamp}~", paths[0])), "of bob");
    assert!(!look::files(&world.repository()).iter().any(|path| path.ends_with('~')));

    // A backup is never written over another one.
    alice.write(paths[0], "third of alice");
    alice.sync();
    bob.write(paths[0], "third of bob");
    let settled = bob.settled(&[(paths[0], Choice::Remote)]);
    let options = SyncOptions { backup_stamp: Some(stamp.to_owned()), ..settled };
    done(bob.sync_as(&options, &Silent));
    assert_eq!(bob.read(&format!("{}~{stamp}~", paths[0])), "of bob");
    assert_eq!(bob.read(&format!("{}~2~{stamp}~", paths[0])), "third of bob");
    assert_eq!(bob.read(paths[0]), "third of alice");
}

#[test]
fn a_version_that_can_get_no_name_beside_the_file_is_in_the_trash_and_that_is_told() {
    let (_world, alice, bob) = prepared();
    alice.write("input/a", "third of alice");
    alice.sync();
    bob.write("input/a", "of bob");
    let stamp = "20261121T101112Z";
    bob.write(&format!("input/a~{stamp}~"), "taken");
    for number in 2..=100 {
        bob.write(&format!("input/a~{number}~{stamp}~"), "taken");
    }
    let settled = bob.settled(&[("input/a", Choice::Remote)]);
    let options = SyncOptions { backup_stamp: Some(stamp.to_owned()), ..settled };
    let report = done(bob.sync_as(&options, &Silent));
    assert_eq!(report.kept.len(), 1);
    assert!(report.kept[0].in_trash);
    let kept = bob.root.join(&report.kept[0].at);
    assert_eq!(fs::read_to_string(kept).expect("reads"), "of bob");
}

#[test]
fn untracked_file_in_a_directory_that_must_go_is_moved_aside_whole() {
    let world = World::new();
    let alice = world.project("alice");
    alice.write("input/d/x", "base");
    alice.write("input/d/deep/y", "base");
    alice.sync();
    let bob = world.project("bob");
    bob.sync();
    for path in ["input/d/.hidden", "input/d/deep/z.tmp", "input/d/empty/.keep"] {
        bob.write(path, format!("of bob in {path}"));
    }
    alice.remove("input/d");
    alice.write("input/d", "a file now");
    alice.sync();
    let report = bob.sync();
    assert_eq!(bob.read("input/d"), "a file now");
    assert_eq!(report.set_aside, ["input/d"], "and it says so");
    for path in ["input/d/.hidden", "input/d/deep/z.tmp", "input/d/empty/.keep"] {
        assert!(look::is_in_trash(&bob.root, &format!("of bob in {path}")), "{path}");
    }
    let trash = bob.at(".dsg/trash");
    let transaction = look::names(&trash).pop().expect("one");
    let aside = look::names(&trash.join(&transaction)).into_iter();
    let aside = aside.filter(|name| name.ends_with("-aside")).collect::<Vec<_>>();
    assert_eq!(aside.len(), 1);
    let whole = look::files(&trash.join(&transaction).join(&aside[0]));
    assert_eq!(whole, [".hidden", "deep/z.tmp", "empty/.keep"], "as it was");
    // Nobody knows what it is worth, so it does not go by itself.
    fs::File::open(trash.join(&transaction))
        .and_then(|file| file.set_modified(long_ago(0)))
        .expect("dates back");
    bob.sync();
    assert!(trash.join(&transaction).join(&aside[0]).exists());

    // The server's side: what an administrator left in a directory that has to go.
    alice.remove("input/d");
    alice.write("input/d/x", "a directory again");
    alice.sync();
    bob.sync();
    fs::write(world.repository().join("input/d/README.admin"), "note").expect("writes");
    alice.remove("input/d");
    alice.write("input/d", "a file again");
    alice.sync();
    assert_eq!(world.shown("input/d"), "a file again");
    let unfiled = look::contents(&world.control().join("unfiled"));
    assert!(unfiled.values().any(|bytes| bytes == b"note"), "{unfiled:?}");
    bob.sync();
    assert_eq!(bob.read("input/d"), "a file again");
}

#[test]
fn a_directory_with_a_file_that_somebody_just_made_does_not_go() {
    let (_world, alice, bob) = prepared();
    alice.write("input/d", "a file now");
    alice.sync();
    let monitor = once(Heard::Began(Phase::Applying), || bob.write("input/d/mine", "of bob"));
    let report = bob.sync_heard(&monitor);
    assert_eq!(skipped(&report), ["input/d"]);
    assert_eq!(bob.read("input/d/mine"), "of bob");
    assert_eq!(bob.questions().len(), 2, "a file and a directory clash");
}
