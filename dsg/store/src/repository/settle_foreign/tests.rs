use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::error::{Code, Error};
use crate::fetch::{Found, fetch, find};
use crate::monitor::Silent;
use crate::repository::{VerifyReport, VerifyScope};
use crate::world::{Client, World, number, path};

fn nothing(_path: &RepoPath) -> Option<Reader> {
    None
}

/// The files of a project as spare copies.
fn files_of(client: &Client) -> impl Fn(&RepoPath) -> Option<Reader> + Sync {
    let root = Directory::open(&client.root).expect("opens");
    move |path| {
        let mut parents = Parents::new(&root);
        let (directory, name) = parents.of(path.as_str().as_ref()).ok()?;
        directory.open_file(name).ok()
    }
}

fn adopt(world: &World, paths: &[&str], spare: Spare<'_>) -> Result<Adopted> {
    let tracked = |path: &RepoPath| !path.as_str().ends_with(".tmp");
    let configuration = Default::default();
    let adoption = Adoption { message: None, configuration, spare, tracked: &tracked };
    let paths: Vec<_> = paths.iter().map(|text| path(text)).collect();
    world.repository().adopt(&paths, &adoption, &Silent)
}

fn restore(world: &World, paths: &[&str], spare: Spare<'_>) -> Result<Restored> {
    let paths: Vec<_> = paths.iter().map(|text| path(text)).collect();
    world.repository().restore(&paths, spare, &Silent)
}

fn verify(world: &World) -> VerifyReport {
    let scope = VerifyScope::Chain { contents: true };
    world.repository().verify(&scope, &Silent).expect("verifies")
}

/// What `dsg snapfetch` gives for a version.
fn version(world: &World, snapshot: u64, name: &str) -> Result<Vec<u8>> {
    let repository = world.repository();
    let found = find(&repository, number(snapshot), Some(&path(name)))?
        .ok_or_else(|| Error::new(Code::NotFound, "it has nothing there"))?;
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    fetch(&repository, &found, &out, false, &Silent)?;
    match found {
        Found::Entry(_, Entry::Link(_)) => {
            Ok(fs::read_link(&out).expect("a link").to_string_lossy().into_owned().into_bytes())
        }
        _ => Ok(fs::read(&out).expect("reads")),
    }
}

fn nothing_is_left_over(world: &World) {
    let staging = world.root().join(".dsg-repository/staging");
    assert_eq!(fs::read_dir(staging).expect("lists").count(), 0);
}

/// s1 has input/a, input/b and input/d/x.
fn world() -> (World, Client) {
    let world = World::new();
    let alice = world.client("alice");
    alice.write("input/a", "old a");
    alice.write("input/b", "old b");
    alice.write("input/d/x", "old x");
    alice.sync();
    (world, alice)
}

#[test]
fn a_foreign_edit_becomes_a_snapshot_and_its_old_content_is_kept_if_somebody_has_it() {
    let (world, alice) = world();
    world.write("input/a", "edited on the server");
    alice.write("input/a", "alice's too");
    assert_eq!(alice.try_sync().unwrap_err().code, Code::ForeignEdit);
    alice.write("input/a", "old a");
    let adopted = adopt(&world, &["input/a"], &files_of(&alice)).expect("adopts");
    assert_eq!(adopted.head.map(|head| head.number), Some(number(2)));
    assert_eq!((adopted.adopted, adopted.lost), (vec![path("input/a")], vec![]));
    assert_eq!(version(&world, 1, "input/a").expect("is kept"), b"old a");
    assert_eq!(version(&world, 2, "input/a").expect("is there"), b"edited on the server");
    assert_eq!(verify(&world).damage, []);
    alice.sync();
    assert_eq!(fs::read(alice.root.join("input/a")).expect("reads"), b"edited on the server");
    let document = crate::history::document(&world.repository(), number(2)).expect("a document");
    assert_eq!(document.author, "manager@example.org");
    assert_eq!(document.message, "adopted input/a, changed in the repository without dsg");
    let mode = fs::metadata(world.root().join("input/a")).expect("is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn an_old_content_that_nobody_has_is_said_to_be_lost() {
    let (world, _) = world();
    world.write("input/a", "edited on the server");
    let adopted = adopt(&world, &["input/a"], &nothing).expect("adopts");
    assert_eq!(adopted.lost, [(path("input/a"), ContentHash::of(b"old a"))]);
    assert_eq!(version(&world, 1, "input/a").unwrap_err().code, Code::ContentDamaged);
    assert_eq!(version(&world, 2, "input/a").expect("is there"), b"edited on the server");
    let damage = verify(&world).damage;
    assert_eq!(damage.len(), 1);
    assert!(damage[0].meaning.contains("input/a"), "{damage:?}");
}

#[test]
fn an_old_content_is_taken_from_another_path_or_an_object() {
    let (world, alice) = world();
    alice.write("input/twin", "old a");
    alice.sync();
    alice.write("input/b", "new b");
    alice.sync();
    alice.write("input/b", "old b");
    alice.sync();
    world.write("input/a", "edited");
    world.write("input/b", "edited");
    let adopted = adopt(&world, &["input"], &nothing).expect("adopts");
    assert_eq!(adopted.lost, []);
    for (snapshot, name, text) in
        [(1, "input/a", "old a"), (4, "input/b", "old b"), (3, "input/b", "new b")]
    {
        assert_eq!(version(&world, snapshot, name).expect("is kept"), text.as_bytes());
    }
    assert_eq!(verify(&world).damage, []);
}

#[test]
fn added_deleted_and_retyped_paths_are_adopted_and_a_directory_stands_for_all_below() {
    let (world, alice) = world();
    let root = world.root();
    fs::remove_file(root.join("input/a")).expect("removes");
    fs::remove_file(root.join("input/b")).expect("removes");
    std::os::unix::fs::symlink("d/x", root.join("input/b")).expect("links");
    world.write("input/d/new/y", "added");
    fs::remove_file(root.join("input/d/x")).expect("removes");
    world.write("input/d/x/z", "a directory now");
    world.write("input/.hidden", "no part");
    world.write("input/x.tmp", "no part");
    let adopted = adopt(&world, &["input"], &files_of(&alice)).expect("adopts");
    let paths: Vec<_> = adopted.adopted.iter().map(RepoPath::as_str).collect();
    assert_eq!(paths, ["input/a", "input/b", "input/d/new/y", "input/d/x", "input/d/x/z"]);
    assert_eq!(adopted.lost, []);
    assert_eq!(verify(&world).damage, []);
    assert_eq!(version(&world, 2, "input/b").expect("a link"), b"d/x");
    assert_eq!(version(&world, 2, "input/d/x/z").expect("a file"), b"a directory now");
    assert_eq!(version(&world, 2, "input/a").unwrap_err().code, Code::NotFound);
    assert_eq!(version(&world, 1, "input/d/x").expect("is kept"), b"old x");
    alice.sync();
    assert!(!alice.root.join("input/a").exists());
    assert_eq!(fs::read(alice.root.join("input/d/new/y")).expect("reads"), b"added");
    nothing_is_left_over(&world);
}

#[test]
fn what_is_as_committed_is_not_adopted_and_what_is_nowhere_is_an_error() {
    let (world, _) = world();
    assert_eq!(adopt(&world, &["input/a", "input"], &nothing).expect("looks"), Adopted::default());
    assert_eq!(restore(&world, &["input"], &nothing).expect("looks"), Restored::default());
    assert_eq!(adopt(&world, &["input/none"], &nothing).unwrap_err().code, Code::NotFound);
    world.write("input/bad<name", "x");
    let error = adopt(&world, &["input/bad<name"], &nothing).unwrap_err();
    assert_eq!(error.code, Code::NameCollision);
    fs::remove_file(world.root().join("input/bad<name")).expect("removes");
    std::os::unix::fs::symlink("/etc/passwd", world.root().join("input/l")).expect("links");
    assert!(adopt(&world, &["input/l"], &nothing).is_err());
    assert_eq!(world.repository().head().expect("a head").map(|head| head.number), Some(number(1)));
    nothing_is_left_over(&world);
}

#[test]
fn a_restored_path_is_what_was_committed_and_the_foreign_bytes_are_kept() {
    let (world, alice) = world();
    let root = world.root();
    world.write("input/a", "foreign");
    fs::remove_file(root.join("input/b")).expect("removes");
    fs::remove_file(root.join("input/d/x")).expect("removes");
    world.write("input/d/x/z", "in a directory");
    world.write("input/extra", "no snapshot has it");
    let restored = restore(&world, &["input"], &files_of(&alice)).expect("restores");
    assert_eq!(restored.impossible, []);
    for (name, text) in [("input/a", "old a"), ("input/b", "old b"), ("input/d/x", "old x")] {
        assert_eq!(world.read(name), text.as_bytes());
    }
    assert!(!root.join("input/extra").exists());
    assert_eq!(verify(&world).damage, []);
    assert_eq!(world.repository().head().expect("a head").map(|head| head.number), Some(number(1)));
    let aside = |name: &str| {
        let found = restored.set_aside.iter().find(|aside| aside.path.as_str() == name);
        root.join(&found.expect("was set aside").to)
    };
    assert_eq!(fs::read(aside("input/a")).expect("reads"), b"foreign");
    assert_eq!(fs::read(aside("input/d/x").join("z")).expect("reads"), b"in a directory");
    assert_eq!(fs::read(aside("input/extra")).expect("reads"), b"no snapshot has it");
    nothing_is_left_over(&world);
    assert_eq!(alice.sync().steps, []);
}

#[test]
fn a_restored_content_comes_from_an_object_or_another_path_too() {
    let (world, alice) = world();
    alice.write("input/twin", "old a");
    alice.write("input/b", "new b");
    alice.sync();
    alice.write("input/b", "old b");
    alice.sync();
    // The object of "old b" is there since s2.
    world.write("input/a", "foreign");
    world.write("input/b", "foreign");
    let restored = restore(&world, &["input/a", "input/b"], &nothing).expect("restores");
    assert_eq!(restored.restored.len(), 2);
    assert_eq!(verify(&world).damage, []);
    assert_eq!(version(&world, 1, "input/b").expect("is kept"), b"old b");
}

#[test]
fn what_can_t_be_restored_is_left_alone_and_a_wrong_spare_is_not_believed() {
    let (world, alice) = world();
    world.write("input/a", "foreign");
    alice.write("input/a", "wrong");
    let restored = restore(&world, &["input/a"], &files_of(&alice)).expect("looks");
    assert_eq!(restored.impossible, [(path("input/a"), ContentHash::of(b"old a"))]);
    assert_eq!((restored.restored, restored.set_aside), (vec![], vec![]));
    assert_eq!(world.read("input/a"), b"foreign");
    nothing_is_left_over(&world);
}

#[test]
fn a_file_or_link_where_a_directory_was_is_moved_out_of_the_way() {
    let (world, alice) = world();
    let root = world.root();
    for blocker in ["file", "link"] {
        fs::remove_dir_all(root.join("input/d")).expect("removes");
        if blocker == "file" {
            world.write("input/d", "a file");
        } else {
            std::os::unix::fs::symlink("/etc", root.join("input/d")).expect("links");
        }
        let restored = restore(&world, &["input/d/x"], &files_of(&alice)).expect("restores");
        assert_eq!(restored.restored, [path("input/d/x")], "{blocker}");
        assert_eq!(restored.set_aside[0].path, path("input/d"));
        assert_eq!(world.read("input/d/x"), b"old x");
    }
    assert_eq!(verify(&world).damage, []);
}

#[test]
fn an_executable_bit_that_somebody_set_is_a_change_too() {
    let (world, alice) = world();
    let file = world.root().join("input/a");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o700)).expect("sets");
    let restored = restore(&world, &["input/a"], &nothing).expect("looks");
    assert_eq!(restored.restored, [path("input/a")], "its own bytes are a copy");
    assert_eq!(fs::metadata(&file).expect("is there").permissions().mode() & 0o777, 0o600);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o700)).expect("sets");
    let adopted = adopt(&world, &["input/a"], &nothing).expect("adopts");
    assert_eq!((adopted.adopted.len(), adopted.lost), (1, vec![]));
    alice.sync();
    let mode = fs::metadata(alice.root.join("input/a")).expect("is there").permissions().mode();
    assert_eq!(mode & 0o100, 0o100);
}
