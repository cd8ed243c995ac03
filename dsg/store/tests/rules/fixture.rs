//! Repositories that released versions made are read for ever.
//!
//! `fixtures/repository-1` was made once, by [`make_repository_1`], and is never made again: format
//! 1 is what lies there. Git keeps no empty directory, no mode but the executable bit, no time of a
//! file; a copy gets the first, and nothing depends on the others.

use std::fs;
use std::path::{Path, PathBuf};

use dsg_core::entry::Entry;
use dsg_core::hash::ChainHash;
use dsg_core::snapshot::SnapshotDocument;
use dsg_store::monitor::Silent;
use dsg_store::repository::Repository;

use crate::world::{World, done, key, long_ago, look, number, open, saying, set_modified};

/// The repository's id, drawn when it was made.
const ID: &str = "f4457d7b6e35cf881f8bea5032cc2d4c";
/// The chain hash of its last snapshot: it stands for all that is in it.
const HEAD: &str = "9973ec34725da7b0e5577dc1f3e67860795037db8eb7a15d86f348f47bb36250";

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/repository-1")
}

/// A world whose repository is a copy of the fixture.
fn world() -> World {
    let world = World::new();
    fs::remove_dir_all(world.repository()).expect("removes");
    look::copy(&fixture(), &world.repository());
    for empty in ["aborted", "staging", "unfiled"] {
        fs::create_dir_all(world.control().join(empty)).expect("creates");
    }
    world
}

#[test]
fn repository_of_format_1_is_read_for_ever() {
    let world = world();
    let repository = open(&world.repository());
    assert_eq!(repository.description().id.to_string(), ID);
    assert_eq!(repository.description().format, 1);
    let head = repository.head().expect("reads").expect("a head");
    assert_eq!((head.number.get(), head.chain.to_string().as_str(), head.entries), (4, HEAD, 6));
    let documents = repository.documents(number(1), number(4)).expect("reads");
    assert_eq!(ChainHash::of(&documents[3].1), head.chain);
    let said: Vec<_> = documents
        .iter()
        .map(|(_, bytes)| {
            let document = SnapshotDocument::decode(bytes).expect("a document");
            (document.author, document.message, document.entries)
        })
        .collect();
    let of =
        |who: &str, what: &str, entries| (format!("{who}@example.org"), what.to_owned(), entries);
    assert_eq!(
        said,
        [
            of("alice", "first data", 6),
            of("bob", "víctimas, and many small ones", 1207),
            of("alice", "1200 deleted", 7),
            of("bob", "a directory becomes a file", 6),
        ]
    );
    world.assert_whole();
}

#[test]
fn a_project_works_with_a_repository_of_format_1() {
    let world = world();
    let carol = world.project("carol");
    carol.sync();
    let expected: [(&str, &str); 6] = [
        ("frozen/raw.bin", "raw\0bytes\r\n"),
        ("input/people.csv", "id,name\n1,María\n2,José\n"),
        ("output/kilómetro.csv", "km\n1\n"),
        ("task/output/latest", "-> ../../output/kilómetro.csv"),
        ("task/output/run.sh", "#!/bin/sh\necho two\n"),
        ("task/output/was-a-directory", "a file now\n"),
    ];
    let found = look::contents(&carol.root);
    for (path, text) in expected {
        assert_eq!(found.get(path).map(Vec::as_slice), Some(text.as_bytes()), "{path}");
    }
    assert_eq!(look::files(&carol.root).len(), expected.len());
    assert!(carol.is_executable("task/output/run.sh"));
    assert_eq!(crate::world::modified(&carol.at("frozen/raw.bin")), long_ago(1));
    // An old version, by its path and snapshot.
    let repository = open(&world.repository());
    let path = key("input/people.csv");
    let Some(Entry::File(old)) = repository.entry(number(1), &path).expect("reads") else {
        panic!("a file")
    };
    let out = dsg_store::system::Directory::open(world.folder()).expect("opens");
    let mut target = out.create_file("old", 0o600).expect("creates");
    let wanted = dsg_store::repository::Wanted { hash: old.hash, size: old.size, path: &path };
    repository.read(&wanted, &mut target, &Silent).expect("reads");
    let text = fs::read_to_string(world.folder().join("old")).expect("reads");
    assert_eq!(text, "id,name\n1,María\n");
    // And it goes on from there.
    carol.write("input/people.csv", "id,name\n");
    carol.write("input/new.csv", "new\n");
    carol.sync();
    assert_eq!(world.head(), 5);
    world.assert_whole();
}

/// Makes the fixture. Only to be run when there is a new format, into a new directory.
#[test]
#[ignore = "makes a fixture; DSG_FIXTURE names the directory that is to become it"]
fn make_repository_1() {
    let to = PathBuf::from(std::env::var_os("DSG_FIXTURE").expect("DSG_FIXTURE"));
    let world = World::new();
    let (alice, bob) = (world.project("alice"), world.project("bob"));
    let write = |client: &crate::world::Client, path: &str, text: &str, second: u64| {
        client.write(path, text);
        set_modified(&client.at(path), long_ago(second));
    };
    write(&alice, "frozen/raw.bin", "raw\0bytes\r\n", 1);
    write(&alice, "input/people.csv", "id,name\n1,María\n", 2);
    write(&alice, "task/output/run.sh", "#!/bin/sh\necho one\n", 3);
    write(&alice, "task/output/gone.csv", "gone\n", 4);
    write(&alice, "task/output/was-a-directory/x.csv", "x\n", 5);
    alice.link("task/output/latest", "gone.csv");
    done(alice.sync_as(&saying("first data"), &Silent));
    bob.sync();
    write(&bob, "output/kilo\u{301}metro.csv", "km\n1\n", 6);
    for n in 0..1200 {
        write(&bob, &format!("output/many/{n:04}.csv"), "many\n", 7);
    }
    done(bob.sync_as(&saying("víctimas, and many small ones"), &Silent));
    alice.sync();
    alice.remove("output/many");
    write(&alice, "input/people.csv", "id,name\n1,María\n2,José\n", 8);
    write(&alice, "task/output/run.sh", "#!/bin/sh\necho two\n", 9);
    alice.chmod("task/output/run.sh", 0o755);
    let allowing = dsg_store::sync::SyncOptions {
        message: Some("1200 deleted".to_owned()),
        ..crate::world::allowing_mass_delete()
    };
    done(alice.sync_as(&allowing, &Silent));
    done(bob.sync_as(&crate::world::allowing_mass_delete(), &Silent));
    bob.remove("task/output/gone.csv");
    bob.remove("task/output/was-a-directory");
    write(&bob, "task/output/was-a-directory", "a file now\n", 10);
    bob.link("task/output/latest", "../../output/kilómetro.csv");
    done(bob.sync_as(&saying("a directory becomes a file"), &Silent));
    look::copy(&world.repository(), &to);
}
