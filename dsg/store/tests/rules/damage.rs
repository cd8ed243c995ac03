//! An error is never an empty manifest.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use dsg_store::error::Code;
use dsg_store::sync::SyncOutcome;

use crate::world::own_process::{self, How};
use crate::world::{Client, World, chmod, look};

/// A repository with three snapshots; alice has seen the third, bob the second.
fn world() -> (World, Client, Client) {
    let world = World::new();
    let alice = world.project("alice");
    for name in ["a", "b", "c", "d"] {
        alice.write(&format!("input/{name}"), name);
    }
    alice.sync();
    alice.write("input/a", "second");
    alice.sync();
    let bob = world.project("bob");
    bob.sync();
    alice.write("input/b", "third");
    alice.write("input/e", "new");
    alice.sync();
    (world, alice, bob)
}

/// A file or directory of the control directory, what is done to it, and what is said of that to
/// who has seen all, and to who is behind; `None` where they can't notice.
type Case = (&'static str, Harm, Option<Code>, Option<Code>);

#[derive(Clone, Copy, Debug)]
enum Harm {
    Missing,
    Empty,
    HalfGone,
    /// As after a power cut on a file system that kept the length and lost the blocks.
    Zeros,
    Noise,
    OneBitFlipped,
    ADirectory,
    ALink,
    Emptied,
    AFile,
    AnotherOnes(&'static str),
    Unreadable,
}

fn harm(harm: Harm, path: &Path) {
    let bytes = || fs::read(path).expect("reads");
    let replace = |bytes: &[u8]| fs::write(path, bytes).expect("writes");
    let remove = || {
        if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
            .expect("removes");
    };
    match harm {
        Harm::Missing => remove(),
        Harm::Empty => replace(b""),
        Harm::HalfGone => replace(&bytes()[..bytes().len() / 2]),
        Harm::Zeros => replace(&vec![0; bytes().len()]),
        Harm::Noise => replace(&b"noise ".repeat(50)),
        Harm::OneBitFlipped => {
            let mut bytes = bytes();
            bytes[20] ^= 1;
            replace(&bytes);
        }
        Harm::ADirectory => {
            remove();
            fs::create_dir(path).expect("creates");
        }
        Harm::ALink => {
            let aside = path.with_extension("aside");
            fs::rename(path, &aside).expect("renames");
            symlink(aside.file_name().expect("a name"), path).expect("links");
        }
        Harm::Emptied => {
            remove();
            fs::create_dir(path).expect("creates");
        }
        Harm::AFile => {
            remove();
            replace(b"");
        }
        Harm::AnotherOnes(other) => {
            let bytes = fs::read(path.with_file_name(other)).expect("reads");
            replace(&bytes);
        }
        Harm::Unreadable => chmod(path, 0o000),
    }
}

const CASES: &[Case] = {
    use Code::{
        ChainDamaged, Disk, RepositoryFormat, RepositoryMissing, RepositoryRolledBack, TreeDamaged,
    };
    &[
        ("repository.json", Harm::Missing, Some(RepositoryMissing), Some(RepositoryMissing)),
        ("repository.json", Harm::ADirectory, Some(RepositoryMissing), Some(RepositoryMissing)),
        ("repository.json", Harm::Empty, Some(RepositoryFormat), Some(RepositoryFormat)),
        ("repository.json", Harm::HalfGone, Some(RepositoryFormat), Some(RepositoryFormat)),
        ("repository.json", Harm::Zeros, Some(RepositoryFormat), Some(RepositoryFormat)),
        ("snapshots", Harm::Missing, Some(RepositoryMissing), Some(RepositoryMissing)),
        ("snapshots", Harm::AFile, Some(RepositoryMissing), Some(RepositoryMissing)),
        ("snapshots", Harm::ALink, Some(RepositoryMissing), Some(RepositoryMissing)),
        ("snapshots", Harm::Emptied, Some(RepositoryRolledBack), Some(RepositoryRolledBack)),
        ("objects", Harm::Missing, Some(RepositoryMissing), Some(RepositoryMissing)),
        // Who has not seen s3 can't miss it.
        ("snapshots/s3", Harm::Missing, Some(RepositoryRolledBack), None),
        ("snapshots/s3", Harm::ADirectory, Some(Disk), Some(Disk)),
        ("snapshots/s3", Harm::ALink, Some(ChainDamaged), Some(ChainDamaged)),
        ("snapshots/s3", Harm::Empty, Some(ChainDamaged), Some(ChainDamaged)),
        ("snapshots/s3", Harm::HalfGone, Some(ChainDamaged), Some(ChainDamaged)),
        ("snapshots/s3", Harm::Zeros, Some(ChainDamaged), Some(ChainDamaged)),
        ("snapshots/s3", Harm::AnotherOnes("s2"), Some(ChainDamaged), Some(ChainDamaged)),
        ("snapshots/s2", Harm::Missing, Some(ChainDamaged), Some(ChainDamaged)),
        ("snapshots/s1", Harm::Missing, Some(ChainDamaged), Some(ChainDamaged)),
        ("snapshots/s3.trees", Harm::Missing, Some(TreeDamaged), Some(TreeDamaged)),
        ("snapshots/s3.trees", Harm::Empty, Some(TreeDamaged), Some(TreeDamaged)),
        ("snapshots/s3.trees", Harm::HalfGone, Some(TreeDamaged), Some(TreeDamaged)),
        ("snapshots/s3.trees", Harm::Zeros, Some(TreeDamaged), Some(TreeDamaged)),
        ("snapshots/s3.trees", Harm::Noise, Some(TreeDamaged), Some(TreeDamaged)),
        ("snapshots/s3.trees", Harm::OneBitFlipped, Some(TreeDamaged), Some(TreeDamaged)),
        ("snapshots/s3.trees", Harm::AnotherOnes("s2.trees"), Some(TreeDamaged), Some(TreeDamaged)),
        ("snapshots/s3.trees", Harm::AnotherOnes("s1.trees"), Some(TreeDamaged), Some(TreeDamaged)),
        ("snapshots/s3.trees", Harm::ADirectory, Some(Disk), Some(Disk)),
    ]
};

/// Harms one thing, lets both sync, and puts it right again.
fn try_case(world: &World, people: [&Client; 2], case: &Case, backup: &Path) {
    let (path, how, ..) = case;
    harm(*how, &world.control().join(path));
    let head = look::names(&world.control())
        .contains(&"snapshots".to_owned())
        .then(|| world.control().join("snapshots/s4").exists());
    for (person, expected) in people.into_iter().zip([case.2, case.3]) {
        let before = look::contents(&person.root);
        match (person.try_sync(), expected) {
            (Err(error), Some(expected)) => {
                assert_eq!(error.code, expected, "{case:?} {}: {error:?}", person.user);
            }
            (Ok(SyncOutcome::Done(report)), None) => {
                assert_eq!(report.steps, [], "{case:?} {}", person.user);
            }
            (outcome, _) => panic!("{case:?} {}: {outcome:?}", person.user),
        }
        assert_eq!(look::contents(&person.root), before, "{case:?} {}", person.user);
    }
    assert_ne!(head, Some(true), "{case:?}: nothing is committed");
    assert!(!world.control().join("snapshots/s4").exists(), "{case:?}: nothing is committed");
    put_back(world, backup);
}

fn put_back(world: &World, backup: &Path) {
    chmod(&world.control(), 0o700);
    fs::remove_dir_all(world.repository()).expect("removes");
    look::copy(backup, &world.repository());
}

fn backup(world: &World) -> PathBuf {
    let backup = world.folder().join("backup");
    look::copy(&world.repository(), &backup);
    backup
}

#[test]
fn an_error_is_never_an_empty_manifest() {
    let (world, alice, bob) = world();
    // Alice is at the head: she asks for its manifest only because she has something to commit.
    alice.write("input/f", "of alice");
    let backup = backup(&world);
    for case in CASES {
        try_case(&world, [&alice, &bob], case, &backup);
    }
    alice.sync();
    bob.sync();
    assert_eq!(look::files(&bob.root).len(), 6);
    assert_eq!(look::contents(&bob.root), look::contents(&alice.root));
    world.assert_whole();
}

#[test]
fn an_unreadable_repository_is_never_an_empty_one() {
    if own_process::is_root() && !own_process::is_own() {
        let name = "damage::an_unreadable_repository_is_never_an_empty_one";
        own_process::run(name, &How::AsNobody);
        return;
    }
    let (world, alice, bob) = world();
    alice.write("input/f", "of alice");
    let backup = backup(&world);
    use Code::{Disk, RepositoryDenied, RepositoryMissing};
    for (path, code) in [
        ("repository.json", RepositoryMissing),
        ("snapshots", RepositoryDenied),
        ("objects", RepositoryDenied),
        ("snapshots/s3", Disk),
        ("snapshots/s3.trees", Disk),
        ("", RepositoryDenied),
    ] {
        let case = (path, Harm::Unreadable, Some(code), Some(code));
        let path = world.control().join(path);
        chmod(&path, 0o000);
        for person in [&alice, &bob] {
            person.sync_fails(code);
        }
        chmod(&path, if path.is_dir() { 0o700 } else { 0o600 });
        assert_eq!(world.head(), 3, "{case:?}");
    }
    drop(backup);
    alice.sync();
    bob.sync();
    assert_eq!(look::contents(&bob.root), look::contents(&alice.root));
}

#[test]
fn a_damaged_project_is_never_an_empty_one() {
    let (world, alice, _) = world();
    let shown = look::contents(&world.repository());
    let state = alice.at(".dsg/state");
    let whole = fs::read(&state).expect("reads");
    let half = whole[..whole.len() / 2].to_vec();
    for bytes in [Vec::new(), vec![0; whole.len()], b"noise".to_vec(), half[..100].to_vec()] {
        fs::write(&state, &bytes).expect("writes");
        alice.sync_fails(Code::ProjectDamaged);
        assert_eq!(look::contents(&world.repository()), shown);
    }
    // Without the file nothing was ever agreed here, and it says so.
    fs::remove_file(&state).expect("removes");
    alice.sync_fails(Code::NoProject);
    fs::write(&state, &whole).expect("writes");
    alice.assert_settled();
}
