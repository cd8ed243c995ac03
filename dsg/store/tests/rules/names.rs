//! Names: an entry has a key, and locally the name as it is on disk.

use std::fs;

use dsg_store::error::Code;

use crate::world::{World, craft, key, look, steps, unknown};

/// é, as one character and as two.
const NFC: &str = "input/caf\u{e9}.csv";
const NFD: &str = "input/cafe\u{301}.csv";
/// A Korean syllable: here the two-character spelling sorts before the other.
const KOREAN_NFC: &str = "input/\u{d55c}/x";
const KOREAN_NFD: &str = "input/\u{1112}\u{1161}\u{11ab}/x";
/// A Greek letter: here it sorts after it.
const GREEK_NFC: &str = "input/\u{3ac}";
const GREEK_NFD: &str = "input/\u{3b1}\u{301}";

#[test]
fn names_that_collide_are_refused_and_listed() {
    let world = World::new();
    let alice = world.project("alice");
    alice.write("input/taken.csv", "of alice");
    alice.write("input/dir/x", "of alice");
    alice.sync();
    let pairs = [
        ("Data.csv", "data.csv"),
        ("D/x", "d/y"),
        ("\u{c9}.csv", "\u{e9}.csv"),
        ("\u{c9}t.csv", "e\u{301}t.csv"),
        ("\u{3a3}", "\u{3c2}"),
    ];
    for (one, other) in pairs {
        alice.write(&format!("output/pair/{one}"), "one");
        alice.write(&format!("output/pair/{other}"), "other");
        let error = alice.sync_fails(Code::NameCollision);
        assert_eq!(error.paths.len(), 1, "{error:?}");
        for path in [one, other] {
            let name = dsg_core::path::normal(path.trim_end_matches(['/', 'x', 'y'])).into_owned();
            assert!(error.paths[0].contains(&name), "{name} in {:?}", error.paths);
        }
        alice.remove("output/pair");
    }
    assert_eq!(world.head(), 1);
    alice.assert_settled();

    // Against what the repository has; also when that is nothing that this project tracks.
    let bob = world.project("bob");
    bob.write("input/TAKEN.csv", "of bob");
    let error = bob.sync_fails(Code::NameCollision);
    assert!(error.paths[0].contains("TAKEN.csv") && error.paths[0].contains("taken.csv"));
    bob.remove("input/TAKEN.csv");
    let carol = world.project_with("carol", "ignore: {names: [taken.csv, dir]}\n");
    carol.write("input/TAKEN.csv", "of carol");
    let error = carol.sync_fails(Code::NameCollision);
    assert!(error.paths[0].contains("TAKEN.csv") && error.paths[0].contains("taken.csv"));
    carol.remove("input/TAKEN.csv");
    carol.write("input/DIR/y", "of carol");
    carol.sync_fails(Code::NameCollision);
    assert_eq!(world.head(), 1);
    // Renaming so that only the case differs is no collision.
    fs::rename(alice.at("input/taken.csv"), alice.at("input/Taken.csv")).expect("renames");
    alice.sync();
    assert_eq!(look::files(&world.repository()), ["input/Taken.csv", "input/dir/x"]);
}

#[test]
fn nfd_name_keeps_its_spelling_here_and_is_nfc_there() {
    let world = World::new();
    let alice = world.project("alice");
    let spelled = [(NFD, NFC), (KOREAN_NFD, KOREAN_NFC), (GREEK_NFD, GREEK_NFC)];
    for (here, _) in spelled {
        alice.write(here, here);
    }
    alice.sync();
    let bob = world.project("bob");
    bob.sync();
    let there: Vec<_> = spelled.iter().map(|(_, there)| (*there).to_owned()).collect();
    let sorted = |mut paths: Vec<String>| {
        paths.sort();
        paths
    };
    assert_eq!(look::files(&world.repository()), sorted(there.clone()));
    assert_eq!(look::files(&bob.root), sorted(there));
    alice.assert_settled();

    // Changes in both directions, and a new file beside one in a directory spelled the other way.
    for (here, there) in spelled {
        bob.write(there, "of bob");
        alice.write(&format!("{}.new", here), "of alice");
    }
    bob.sync();
    alice.sync();
    bob.sync();
    for (here, there) in spelled {
        assert_eq!(alice.read(here), "of bob", "{here}");
        assert!(here == there || !alice.has(there), "no second spelling appears");
        assert_eq!(bob.read(&format!("{there}.new")), "of alice");
    }
    bob.write("input/\u{d55c}/from-bob", "x");
    bob.sync();
    alice.sync();
    assert_eq!(alice.read("input/\u{1112}\u{1161}\u{11ab}/from-bob"), "x");
    alice.write(NFD, "of alice");
    assert_eq!(steps(&alice.sync()), [(NFC, "uploaded")]);
    bob.sync();
    assert_eq!(bob.read(NFC), "of alice");
    // Deleting under any spelling is deleting.
    alice.remove(NFD);
    assert_eq!(steps(&alice.sync()), [(NFC, "deleted in the repository")]);
    bob.sync();
    assert!(!bob.has(NFC));
}

#[test]
fn another_spelling_of_the_same_name_is_no_change() {
    let world = World::new();
    let alice = world.project("alice");
    let pairs = [(NFC, NFD), (KOREAN_NFC, KOREAN_NFD), (GREEK_NFC, GREEK_NFD)];
    for (nfc, _) in pairs {
        alice.write(nfc, nfc);
    }
    alice.sync();
    let moves = |from: &str, to: &str| {
        let directory = |path: &str| alice.at(path.trim_end_matches("/x"));
        fs::rename(directory(from), directory(to)).expect("renames");
    };
    // By a copy over a Mac, by an archive: and back again.
    for (nfc, nfd) in pairs {
        for (from, to) in [(nfc, nfd), (nfd, nfc)] {
            moves(from, to);
            for _ in 0..2 {
                alice.assert_settled();
            }
            alice.write(to, "changed");
            assert_eq!(steps(&alice.sync()), [(nfc, "uploaded")]);
            alice.write(to, nfc);
            alice.sync();
        }
        moves(nfc, nfd);
    }
    // Without an index the names are found again as well.
    for _ in 0..2 {
        alice.remove(".dsg/index");
        alice.assert_settled();
    }
    let shown = look::files(&world.repository());
    assert_eq!(shown.len(), 3);
    assert!(pairs.iter().all(|(nfc, _)| shown.contains(&(*nfc).to_owned())));
}

#[test]
fn two_spellings_of_one_name_are_left_out() {
    let world = World::new();
    let alice = world.project("alice");
    alice.write(NFC, "one");
    alice.write("input/other", "other");
    alice.sync();
    let bob = world.project("bob");
    bob.sync();
    alice.write(NFD, "two");
    for _ in 0..2 {
        let report = alice.sync();
        assert_eq!((steps(&report), report.unknown.len()), (vec![], 1));
    }
    // While it is not known which is meant, neither changes, wherever it comes from.
    alice.write(NFC, "changed");
    bob.write(NFC, "of bob");
    bob.sync();
    alice.write("input/other", "changed");
    let report = alice.sync();
    assert_eq!(steps(&report), [("input/other", "uploaded")]);
    assert_eq!((alice.read(NFC).as_str(), alice.read(NFD).as_str()), ("changed", "two"));
    assert_eq!(world.shown(NFC), "of bob");
    // Two directories: nothing below either.
    alice.write(KOREAN_NFC, "one");
    alice.write(KOREAN_NFD, "two");
    assert_eq!(steps(&alice.sync()), []);
    alice.remove(KOREAN_NFC);
    fs::remove_dir(alice.at(KOREAN_NFC.trim_end_matches("/x"))).expect("removes");
    let report = alice.sync();
    assert_eq!(steps(&report), [(KOREAN_NFC, "uploaded")]);
    assert_eq!(world.shown(KOREAN_NFC), "two");
    // One is taken away: what is left is compared as ever.
    alice.remove(NFC);
    alice.write(NFD, "one");
    assert_eq!(steps(&alice.sync()), [(NFC, "downloaded")]);
    assert_eq!(alice.read(NFD), "of bob");
}

#[test]
fn a_name_that_can_not_be_shared_is_left_out_and_named() {
    let world = World::new();
    let alice = world.project("alice");
    alice.write("input/good", "good");
    let bad = [
        "input/CON.txt",
        "input/a<b",
        "input/line\nbreak",
        "input/bell\u{7}",
        "input/tail~",
        "input/zero\u{200b}width",
        "input/right\u{202e}left",
        "input/aux/x",
        " lead/input/x",
        "input/q?",
        "input/pi|pe",
        "input/trailing ",
    ];
    for path in bad {
        alice.write(path, "bad");
    }
    use std::os::unix::ffi::OsStrExt;
    let latin = alice.root.join(std::ffi::OsStr::from_bytes(b"input/caf\xe9.csv"));
    fs::write(&latin, "latin").expect("writes");
    let report = alice.sync();
    assert_eq!(steps(&report), [("input/good", "uploaded")]);
    assert_eq!(report.unknown.len(), bad.len() + 1, "{:?}", unknown(&report));
    for about in &report.unknown {
        assert!(!about.shown.chars().any(char::is_control), "{:?} is safe to print", about.shown);
    }
    assert_eq!(fs::read_to_string(latin).expect("reads"), "latin");
    // It is deleted nowhere either.
    let report = alice.sync();
    assert_eq!((steps(&report).len(), report.unknown.len()), (0, bad.len() + 1));
    // Readers check only what is dangerous: what has such a name already is shared as it is, also
    // when it was changed, and when the index is lost.
    let other = World::new();
    let old =
        [(key("input/CON.txt"), craft::file("old")), (key("input/aux/x"), craft::file("old"))];
    craft::first_snapshot(&other.repository(), old.to_vec());
    craft::keep(&other.repository(), "old");
    for (path, _) in &old {
        let shown = other.repository().join(path.as_str());
        fs::create_dir_all(shown.parent().expect("a parent")).expect("creates");
        fs::write(shown, "old").expect("writes");
    }
    let bob = other.project("bob");
    assert_eq!(bob.sync().unknown, []);
    assert_eq!(bob.read("input/CON.txt"), "old");
    bob.remove(".dsg/index");
    let report = bob.sync();
    assert_eq!((steps(&report), unknown(&report)), (vec![], vec![""; 0]));
    bob.write("input/CON.txt", "new");
    bob.remove(".dsg/index");
    assert_eq!(steps(&bob.sync()), [("input/CON.txt", "uploaded")]);
}
