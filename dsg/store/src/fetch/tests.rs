use std::fs;

use super::*;
use crate::monitor::Silent;
use crate::world::{World, number, path};

fn get(
    world: &World,
    snapshot: u64,
    what: Option<&str>,
    out: &Path,
    force: bool,
) -> Result<Fetched> {
    let repository = world.repository();
    let wanted = what.map(path);
    let found = find(&repository, number(snapshot), wanted.as_ref())?
        .ok_or_else(|| Error::new(Code::NotFound, "it has nothing there"))?;
    fetch(&repository, &found, out, force, &Silent)
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .expect("lists")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Versions of some files, from empty to larger than a buffer, each snapshot another.
fn version(file: usize, snapshot: u64) -> Vec<u8> {
    let length = [0, 1, 5000, 1_500_000][file];
    (0..length as u64).map(|at| (at * 31 + at / 251 + snapshot * 7 + file as u64) as u8).collect()
}

#[test]
fn any_file_of_any_snapshot_comes_back_byte_by_byte() {
    let world = World::new();
    let alice = world.client("alice");
    for snapshot in 1..=4 {
        for file in 0..4 {
            // The first file never changes, the last is gone at the end.
            alice.write(
                &format!("input/d/f{file}"),
                version(file, if file == 0 { 0 } else { snapshot }),
            );
        }
        if snapshot == 4 {
            alice.remove("input/d/f3");
        }
        alice.sync();
    }
    let target = tempfile::tempdir().expect("a folder");
    for snapshot in 1..=4 {
        for file in 0..4 {
            let out = target.path().join(format!("f{file}.s{snapshot}"));
            let got = get(&world, snapshot, Some(&format!("input/d/f{file}")), &out, false);
            if (file, snapshot) == (3, 4) {
                assert_eq!(got.unwrap_err().code, Code::NotFound);
                assert!(!out.exists());
            } else {
                got.expect("fetches");
                assert!(fs::read(&out).expect("reads") == version(file, snapshot), "{out:?}");
            }
        }
        let out = target.path().join(format!("all.s{snapshot}"));
        let got = get(&world, snapshot, Some("input"), &out, false).expect("fetches");
        assert_eq!(got.files, if snapshot == 4 { 3 } else { 4 });
        assert!(fs::read(out.join("d/f2")).expect("reads") == version(2, snapshot));
    }
    assert!(names(target.path()).iter().all(|name| !name.starts_with('.')));
}

#[test]
fn links_and_the_executable_bit_and_times_are_kept() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    let alice = world.client("alice");
    alice.write("input/run", "#!/bin/sh\n");
    let run = alice.root.join("input/run");
    fs::set_permissions(&run, fs::Permissions::from_mode(0o755)).expect("sets");
    alice.link("input/link", "run");
    alice.sync();
    let target = tempfile::tempdir().expect("a folder");
    let out = target.path().join("everything");
    let got = get(&world, 1, None, &out, false).expect("fetches");
    assert_eq!((got.files, got.links, got.left_out), (1, 1, vec![]));
    assert_eq!(fs::read_link(out.join("input/link")).expect("a link"), Path::new("run"));
    let status = fs::metadata(out.join("input/run")).expect("is there");
    assert_eq!(status.permissions().mode() & 0o100, 0o100);
    assert_eq!(status.modified().ok(), fs::metadata(&run).expect("is there").modified().ok());
    assert_eq!(fs::metadata(&out).expect("is there").permissions().mode() & 0o777, 0o700);
    get(&world, 1, Some("input/link"), &target.path().join("link"), false).expect("fetches");
    assert_eq!(fs::read_link(target.path().join("link")).expect("a link"), Path::new("run"));
}

#[test]
fn nothing_is_replaced_without_force_and_a_directory_never() {
    let world = World::new();
    let alice = world.client("alice");
    alice.write("input/a", "1");
    alice.sync();
    let target = tempfile::tempdir().expect("a folder");
    let out = target.path().join("a");
    fs::write(&out, "mine").expect("writes");
    let error = get(&world, 1, Some("input/a"), &out, false).unwrap_err();
    assert_eq!(error.code, Code::Usage);
    assert_eq!(fs::read(&out).expect("reads"), b"mine");
    get(&world, 1, Some("input/a"), &out, true).expect("replaces");
    assert_eq!(fs::read(&out).expect("reads"), b"1");
    assert!(get(&world, 1, Some("input"), &out, true).is_err());
    fs::create_dir(target.path().join("d")).expect("creates");
    for what in ["input", "input/a"] {
        assert!(get(&world, 1, Some(what), &target.path().join("d"), true).is_err());
    }
    let error = get(&world, 1, Some("input/a"), &target.path().join("none/a"), true).unwrap_err();
    assert_eq!(error.code, Code::NotFound);
    assert_eq!(names(target.path()), ["a", "d"]);
}

#[test]
fn what_is_damaged_is_never_delivered() {
    let world = World::new();
    let alice = world.client("alice");
    alice.write("input/a", "right");
    alice.write("input/b", "other");
    alice.sync();
    world.write("input/a", "wrong");
    let target = tempfile::tempdir().expect("a folder");
    for (what, out) in [("input/a", "a"), ("input", "all")] {
        let error = get(&world, 1, Some(what), &target.path().join(out), false).unwrap_err();
        assert_eq!(error.code, Code::ContentDamaged, "{what}");
    }
    assert_eq!(names(target.path()), [""; 0]);
    assert_eq!(
        get(&world, 2, Some("input/a"), &target.path().join("a"), false).unwrap_err().code,
        Code::NotFound
    );
}

#[test]
fn a_content_to_be_shown_leaves_no_name_behind() {
    let world = World::new();
    let alice = world.client("alice");
    alice.write("input/a", "shown");
    alice.sync();
    let target = tempfile::tempdir().expect("a folder");
    let scratch = Directory::open(target.path()).expect("opens");
    let repository = world.repository();
    let Ok(Some(Found::Entry(path, Entry::File(file)))) =
        find(&repository, number(1), Some(&path("input/a")))
    else {
        panic!("no file");
    };
    let mut reader = content(&repository, &path, &file, &scratch, &Silent).expect("reads");
    assert_eq!(names(target.path()), [""; 0]);
    assert_eq!(reader.read_to_end(100).expect("reads"), b"shown");
}

#[test]
fn dangerous_entries_are_not_made() {
    let file = Entry::File(FileEntry {
        hash: dsg_core::hash::ContentHash::of(b""),
        executable: false,
        size: 0,
        modified: Default::default(),
        author: "a@b".into(),
    });
    assert!(dangerous(&path("input/.git/hooks/x"), &file).is_some());
    assert!(dangerous(&path("input/x"), &file).is_none());
    let link = |target: &str| {
        Entry::Link(dsg_core::entry::LinkEntry { target: target.into(), author: "a@b".into() })
    };
    assert!(dangerous(&path("input/x"), &link("/etc/passwd")).is_some());
    assert!(dangerous(&path("input/x"), &link("../../x")).is_some());
    assert!(dangerous(&path("input/x"), &link("y")).is_none());
}
