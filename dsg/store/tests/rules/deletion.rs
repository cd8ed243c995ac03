//! Nothing is deleted because something could not be seen.

use std::fs;
use std::path::Path;

use dsg_store::error::Code;
use dsg_store::monitor::Silent;
use dsg_store::sync::SyncOutcome;

use crate::world::own_process::{self, How};
use crate::world::{Client, World, allowing_mass_delete, done, look, steps, unknown};

#[test]
fn unmounted_server_deletes_nothing() {
    let world = World::new();
    let alice = world.project("alice");
    alice.write("input/a", "base");
    alice.sync();
    let away = world.folder().join("away");
    // What an unmounted server looks like: no mount point, an empty one, an empty repository, an
    // empty control directory.
    let srv = world.folder().join("srv");
    let pictures: [(&Path, &[&str]); 4] = [
        (&srv, &[]),
        (&srv, &["srv"]),
        (&srv, &["srv", "srv/p"]),
        (&srv, &["srv", "srv/p", "srv/p/.dsg-repository"]),
    ];
    for (mounted, left) in pictures {
        fs::rename(mounted, &away).expect("renames");
        for directory in left {
            fs::create_dir(world.folder().join(directory)).expect("creates");
        }
        let before = look::listing(world.folder());
        alice.sync_fails(Code::RepositoryMissing);
        // Not even a directory is made where a file system is to be mounted.
        let theirs = |line: &String| line.starts_with("srv");
        let after = look::listing(world.folder());
        assert!(after.iter().filter(|l| theirs(l)).eq(before.iter().filter(|l| theirs(l))));
        if srv.exists() {
            fs::remove_dir_all(&srv).expect("removes");
        }
        fs::rename(&away, mounted).expect("renames");
    }
    alice.assert_settled();
    assert_eq!(alice.read("input/a"), "base");
}

#[test]
fn config_change_never_deletes() {
    let world = World::new();
    let alice = world.project("alice");
    for path in ["input/a", "input/sub/a", "output/b", "frozen/c"] {
        alice.write(path, path);
    }
    alice.sync();
    let bob = world.project("bob");
    bob.sync();
    let everything = look::contents(&alice.root);
    let shown = look::contents(&world.repository());
    for (lines, left_out) in [
        ("data_dirs: [input]\n", 2),
        ("data_dirs: [frozen]\n", 3),
        ("data_dirs: [nothing]\n", 4),
        ("ignore: {names: [a]}\n", 2),
        ("ignore: {paths: [input/sub, output]}\n", 2),
        ("ignore: {names: ['*']}\n", 4),
        ("", 0),
    ] {
        world.configure(&alice, lines);
        let report = alice.sync();
        assert_eq!(steps(&report), [], "{lines}");
        assert_eq!(report.counts.left_out, left_out, "{lines}");
        assert_eq!(look::contents(&alice.root), everything, "{lines}");
        assert_eq!(look::contents(&world.repository()), shown, "{lines}");
    }
    assert_eq!(world.head(), 1);

    // What others do to a path that is left out here waits until it takes part again.
    world.configure(&alice, "data_dirs: [input]\n");
    bob.remove("output/b");
    bob.write("frozen/c", "changed");
    bob.sync();
    assert_eq!(steps(&alice.sync()), []);
    assert!(alice.has("output/b"));
    alice.write("input/a", "of alice");
    assert_eq!(steps(&alice.sync()), [("input/a", "uploaded")]);
    assert_eq!(
        (world.shown("frozen/c").as_str(), alice.read("frozen/c").as_str()),
        ("changed", "frozen/c")
    );
    world.configure(&alice, "");
    let report = alice.sync();
    assert_eq!(steps(&report), [("frozen/c", "downloaded"), ("output/b", "deleted here")]);
}

#[test]
fn unreadable_directory_never_deletes() {
    if own_process::is_root() && !own_process::is_own() {
        own_process::run("deletion::unreadable_directory_never_deletes", &How::AsNobody);
        return;
    }
    let world = World::new();
    let alice = world.project("alice");
    for path in ["input/d/a", "input/d/deep/b", "input/other", "task/output/c"] {
        alice.write(path, path);
    }
    alice.sync();
    let bob = world.project("bob");
    bob.sync();
    let shown = look::contents(&world.repository());
    // No list, no look at what is listed, nothing at all; of a directory, of one outside the data
    // directories that leads to one, and of a data directory.
    for directory in ["input/d", "task", "input"] {
        for mode in [0o300, 0o600, 0o000] {
            alice.chmod(directory, mode);
            let report = alice.sync();
            let about = unknown(&report);
            assert!(about.iter().any(|path| path.starts_with(directory)), "{about:?}");
            assert_eq!(steps(&report), [], "{directory} {mode:o}");
            alice.chmod(directory, 0o755);
            assert_eq!(look::contents(&world.repository()), shown, "{directory} {mode:o}");
            alice.assert_settled();
        }
    }
    // Other work goes on, and what happens below the unreadable directory waits.
    alice.chmod("input/d", 0o000);
    alice.write("input/other", "changed");
    bob.write("input/d/a", "of bob");
    bob.remove("input/d/deep/b");
    bob.sync();
    let report = alice.sync();
    assert_eq!(steps(&report), [("input/other", "uploaded")]);
    alice.chmod("input/d", 0o755);
    let report = alice.sync();
    assert_eq!(steps(&report), [("input/d/a", "downloaded"), ("input/d/deep/b", "deleted here")]);

    // A file that was read once and can't be read again is unknown too; a new one is named.
    alice.chmod("input/other", 0o000);
    alice.write("input/new", "new");
    alice.chmod("input/new", 0o000);
    let report = alice.sync();
    assert_eq!(steps(&report), []);
    assert_eq!(world.shown("input/other"), "changed");
    let left: Vec<_> = report.skipped.iter().map(|skipped| skipped.path.to_string()).collect();
    assert_eq!((unknown(&report), left), (vec!["input/other"], vec!["input/new".to_owned()]));
}

#[test]
fn untracked_is_not_deleted() {
    let world = World::new();
    let alice = world.project("alice");
    let mine = ["input/.hidden", "input/d/x.tmp", "input/d/.git/config", "src/code.py", "notes"];
    alice.write("input/d/data", "data");
    for path in mine {
        alice.write(path, "mine");
    }
    alice.sync();
    assert_eq!(look::files(&world.repository()), ["input/d/data"]);
    let bob = world.project_with("bob", "ignore: {names: [secret]}\n");
    bob.sync();
    bob.write("input/secret", "of bob");
    bob.write("input/d/more", "more");
    bob.sync();
    // One deletes all that both track; what either has besides stays where it is.
    alice.sync();
    alice.write("input/secret", "of alice, who has no such rule");
    alice.sync();
    alice.remove("input/d/data");
    alice.remove("input/d/more");
    alice.sync();
    bob.sync();
    assert_eq!(bob.read("input/secret"), "of bob");
    assert!(!bob.has("input/d"), "an emptied directory goes");
    bob.write("input/other", "x");
    bob.sync();
    assert_eq!(world.shown("input/secret"), "of alice, who has no such rule");
    for path in mine {
        assert_eq!(alice.read(path), "mine", "{path}");
    }
    // Untracked files on the server are nobody's to delete either.
    fs::create_dir(world.repository().join("input/q")).expect("creates");
    fs::write(world.repository().join("input/q/.keep"), "admin").expect("writes");
    alice.write("input/q/x", "x");
    alice.sync();
    alice.remove("input/q");
    alice.sync();
    assert_eq!(world.shown("input/q/.keep"), "admin");
}

/// A project with `count` files in `input` and one in `frozen`, which is synced.
fn full_project(world: &World, user: &str, count: usize) -> Client {
    let client = world.project(user);
    client.write("frozen/one", "one");
    for n in 0..count {
        client.write(&format!("input/{n:04}"), n.to_string());
    }
    client.sync();
    client
}

fn remove_first(client: &Client, count: usize) {
    for n in 0..count {
        client.remove(&format!("input/{n:04}"));
    }
}

#[test]
fn mass_deletion_stops() {
    let world = World::new();
    let alice = full_project(&world, "alice", 200);
    let bob = world.project("bob");
    bob.sync();
    remove_first(&alice, 99);
    assert_eq!(alice.sync().summary.remote_deletions, 99, "99 files are not very many");
    bob.sync();
    for n in 0..99 {
        alice.write(&format!("input/{n:04}"), "again");
    }
    alice.sync();
    bob.sync();

    remove_first(&alice, 120);
    let shown = look::contents(&world.repository());
    let error = alice.sync_fails(Code::MassDeletion);
    assert_eq!(error.paths.len(), 20, "it shows what it would delete");
    assert_eq!(error.paths[0], "input/0000");
    assert!(error.what.contains("120 of 201"), "{error}");
    assert_eq!(look::contents(&world.repository()), shown);
    let report = done(alice.sync_as(&allowing_mass_delete(), &Silent));
    assert_eq!(report.summary.remote_deletions, 120);

    // The other side: what the repository lost is not taken away here without a word either.
    let error = bob.sync_fails(Code::MassDeletion);
    assert!(error.what.contains("120 of 201"), "{error}");
    let report = done(bob.sync_as(&allowing_mass_delete(), &Silent));
    assert_eq!(report.summary.local_deletions, 120);
    assert_eq!(look::files(&bob.root).len(), 81);

    // Many, but not more than a quarter.
    for n in 0..400 {
        bob.write(&format!("input/{n:04}"), "again");
    }
    bob.sync();
    remove_first(&bob, 100);
    assert_eq!(bob.sync().summary.remote_deletions, 100, "100 of 401 are not a quarter");
}

#[test]
fn mass_deletion_counts_only_what_is_tracked() {
    let world = World::new();
    let alice = full_project(&world, "alice", 1000);
    let bob = world.project_with("bob", "data_dirs: [output]\n");
    for n in 0..150 {
        bob.write(&format!("output/{n:04}"), "result");
    }
    bob.sync();
    alice.sync();
    // Nearly all that bob has to do with, though little of what there is.
    for n in 0..120 {
        bob.remove(&format!("output/{n:04}"));
    }
    let error = bob.sync_fails(Code::MassDeletion);
    assert!(error.what.contains("120 of 150"), "{error}");
}

#[test]
fn emptied_data_directory_stops() {
    let world = World::new();
    let alice = world.project("alice");
    alice.write("input/a", "a");
    alice.write("task/output/b", "b");
    alice.write("output/c", "c");
    alice.sync();
    let shown = look::contents(&world.repository());

    // It became a link to where the files were moved; within the project, so the link is allowed.
    fs::rename(alice.at("input"), alice.at("moved")).expect("renames");
    alice.link("input", "moved");
    let error = alice.sync_fails(Code::DataDirectory);
    assert_eq!(error.paths, ["input"]);
    fs::remove_file(alice.at("input")).expect("removes");
    fs::rename(alice.at("moved"), alice.at("input")).expect("renames");
    alice.assert_settled();

    // A directory on the way to it became a link, as when a task is moved to a larger disk.
    let elsewhere = world.folder().join("larger-disk");
    fs::rename(alice.at("task"), &elsewhere).expect("renames");
    alice.link("task", elsewhere.to_str().expect("a text"));
    match alice.try_sync() {
        Err(error) => assert_eq!(error.code, Code::DataDirectory, "{error:?}"),
        Ok(SyncOutcome::Done(report)) => {
            assert_eq!(unknown(&report), ["task"], "{report:?}");
            assert_eq!(steps(&report), []);
        }
        Ok(other) => panic!("{other:?}"),
    }
    assert_eq!(look::contents(&world.repository()), shown);
    fs::remove_file(alice.at("task")).expect("removes");
    fs::rename(&elsewhere, alice.at("task")).expect("renames");
    alice.assert_settled();

    // The user may mean it, and an empty directory that is merely empty is the user's own doing.
    alice.remove("output/c");
    assert_eq!(steps(&alice.sync()), [("output/c", "deleted in the repository")]);
    fs::rename(alice.at("input"), alice.at("moved")).expect("renames");
    alice.link("input", "moved");
    let report = done(alice.sync_as(&allowing_mass_delete(), &Silent));
    assert_eq!(steps(&report), [("input", "uploaded"), ("input/a", "deleted in the repository")]);
}

#[test]
fn unmounted_data_directory_stops() {
    if !own_process::is_own() {
        if own_process::can_mount() {
            own_process::run("deletion::unmounted_data_directory_stops", &How::OwnMounts);
        } else {
            own_process::skipped("mount namespaces");
        }
        return;
    }
    let world = World::new();
    let alice = world.project("alice");
    alice.write("output/here", "here");
    fs::create_dir(alice.at("input")).expect("creates");
    own_process::mount(&alice.at("input"));
    alice.write("input/a", "on a disk of its own");
    alice.sync();
    let shown = look::contents(&world.repository());
    // The disk is not there any more.
    own_process::unmount(&alice.at("input"));
    let error = alice.sync_fails(Code::DataDirectory);
    assert_eq!(error.paths, ["input"]);
    // Another, empty disk hides what was there.
    own_process::mount(&alice.at("output"));
    assert!(alice.sync_fails(Code::DataDirectory).what.contains("another device"));
    assert_eq!(look::contents(&world.repository()), shown);
    own_process::unmount(&alice.at("output"));
}
