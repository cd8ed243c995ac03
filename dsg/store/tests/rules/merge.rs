//! Who changed what: equality, C per path, conflicts and their resolutions.

use std::fs;

use dsg_core::conflict::Choice;
use dsg_store::error::Code;
use dsg_store::monitor::{Phase, Silent};

use crate::world::wrapped::{Heard, once};
use crate::world::{World, done, long_ago, look, modified, options, set_modified, skipped, steps};

/// What somebody may have at a path.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Thing {
    File(&'static str),
    Executable(&'static str),
    Link(&'static str),
}

const THINGS: [Thing; 7] = [
    Thing::File("x"),
    Thing::File("y"),
    Thing::File(""),
    Thing::Executable("x"),
    Thing::Executable("y"),
    Thing::Link("x"),
    Thing::Link("./x"),
];

fn put(client: &crate::world::Client, path: &str, thing: Thing) {
    match thing {
        Thing::File(text) | Thing::Executable(text) => {
            client.write(path, text);
            client.chmod(path, if thing == Thing::File(text) { 0o644 } else { 0o755 });
        }
        Thing::Link(target) => client.link(path, target),
    }
}

#[test]
fn equal_is_kind_hash_executable_or_target() {
    let world = World::new();
    let (alice, bob) = (world.project("alice"), world.project("bob"));
    let mut different = Vec::new();
    for (i, hers) in THINGS.iter().enumerate() {
        for (j, his) in THINGS.iter().enumerate() {
            let path = format!("input/{i}-{j}");
            put(&alice, &path, *hers);
            put(&bob, &path, *his);
            if !matches!(his, Thing::Link(_)) {
                // Neither time nor the bits of group and world count.
                set_modified(&bob.at(&path), long_ago(1));
            }
            if hers != his {
                different.push(path);
            }
        }
    }
    bob.chmod("input/0-0", 0o600);
    bob.chmod("input/3-3", 0o711);
    alice.sync();
    let questions = bob.questions();
    let asked: Vec<_> = questions.iter().map(|question| question.path.to_string()).collect();
    assert_eq!(asked, different);
    for path in &different {
        bob.remove(path);
    }
    let report = bob.sync();
    assert_eq!(report.snapshot, None, "what is equal is taken over as it is");
    let author = world.entry("input/0-0").map(|entry| entry.author().to_string());
    assert_eq!(author.as_deref(), Some("alice@example.org"));
    assert_eq!(look::contents(&bob.root), look::contents(&alice.root));
    bob.assert_settled();
}

#[test]
fn touch_commits_nothing() {
    let world = World::new();
    let alice = world.project("alice");
    alice.write("input/a", "a");
    alice.write("input/b", "b");
    alice.link("input/l", "a");
    alice.sync();
    let bob = world.project("bob");
    bob.sync();
    let repository = look::listing(&world.control());
    let touches: [&dyn Fn(); 6] = [
        &|| set_modified(&alice.at("input/a"), long_ago(5)),
        &|| set_modified(&alice.at("input/a"), long_ago(400_000_000)),
        // Written again, as a program does that makes all of its results anew.
        &|| alice.write("input/a", "a"),
        &|| {
            fs::copy(alice.at("input/a"), alice.at("input/copy")).expect("copies");
            fs::rename(alice.at("input/copy"), alice.at("input/a")).expect("renames");
        },
        &|| alice.chmod("input/b", 0o640),
        &|| alice.link("input/l", "a"),
    ];
    for touch in touches {
        touch();
        alice.assert_settled();
        assert_eq!(look::listing(&world.control()), repository);
    }
    // Another's touch is nobody's change either.
    bob.write("input/b", "new");
    bob.sync();
    set_modified(&alice.at("input/b"), long_ago(7));
    assert_eq!(steps(&alice.sync()), [("input/b", "downloaded")]);
}

#[test]
fn executable_bit_only_change_travels() {
    let world = World::new();
    let alice = world.project("alice");
    alice.write("input/run", "#!/bin/sh\n");
    alice.sync();
    let bob = world.project("bob");
    bob.sync();
    let written = modified(&alice.at("input/run"));
    for mode in [0o755, 0o644, 0o744, 0o655] {
        alice.chmod("input/run", mode);
        assert_eq!(steps(&alice.sync()), [("input/run", "uploaded")], "{mode:o}");
        assert_eq!(steps(&bob.sync()), [("input/run", "downloaded")], "{mode:o}");
        let executable = mode & 0o100 != 0;
        assert_eq!(bob.is_executable("input/run"), executable, "{mode:o}");
        let shown = crate::world::mode(&world.repository().join("input/run"));
        assert_eq!(shown & 0o100 != 0, executable, "the visible tree too: {shown:o}");
        assert_eq!(modified(&bob.at("input/run")), written, "its time is that of the contents");
    }
    assert_eq!(look::names(&world.control().join("objects")), [""; 0], "no content was superseded");
    // It is one side's change like any other.
    alice.chmod("input/run", 0o755);
    alice.sync();
    bob.write("input/run", "#!/bin/bash\n");
    assert_eq!(bob.questions().len(), 1);
    world.assert_whole();
}

#[test]
fn c_is_kept_per_path() {
    let world = World::new();
    let alice = world.project("alice");
    alice.write("input/a", "base");
    alice.write("input/b", "base");
    alice.sync();
    let bob = world.project("bob");
    bob.sync();
    alice.write("input/a", "of alice");
    alice.write("input/b", "of alice");
    alice.sync();
    // Bob saves `a` while the sync puts files into place: `b` is agreed, `a` is not.
    let save = || bob.write("input/a", "of bob");
    let monitor = once(Heard::Began(Phase::Applying), save);
    let report = bob.sync_heard(&monitor);
    assert_eq!(skipped(&report), ["input/a"]);
    assert_eq!(steps(&report), [("input/b", "downloaded")]);
    assert_eq!(
        (bob.read("input/a").as_str(), bob.read("input/b").as_str()),
        ("of bob", "of alice")
    );
    // What was agreed about `a` is still the base: bob's and alice's changes are two.
    let questions = bob.questions();
    assert_eq!(questions.len(), 1);
    assert!(questions[0].reason.contains("all three"), "{}", questions[0].reason);
    bob.write("input/b", "of bob, after alice");
    bob.write("input/a", "base");
    let report = bob.sync();
    assert_eq!(steps(&report), [("input/a", "downloaded"), ("input/b", "uploaded")]);
    bob.assert_settled();
}

#[test]
fn resolution_is_asked_again_when_either_side_moved() {
    let world = World::new();
    let alice = world.project("alice");
    alice.write("input/a", "base");
    alice.sync();
    let bob = world.project("bob");
    bob.sync();
    alice.write("input/a", "of alice");
    alice.sync();
    bob.write("input/a", "of bob");
    for choice in [Choice::Local, Choice::Remote, Choice::Cached] {
        let answered = bob.settled(&[("input/a", choice)]);
        // The repository's copy moves after the answer: it was not what bob decided about.
        alice.write("input/a", format!("of alice, {choice:?}"));
        alice.sync();
        let shown = world.shown("input/a");
        let asked = || match bob.sync_as(&answered, &Silent).expect("syncs") {
            dsg_store::sync::SyncOutcome::Conflicts(questions) => questions,
            dsg_store::sync::SyncOutcome::Done(report) => panic!("used: {report:?}"),
        };
        let questions = asked();
        assert!(questions[0].reason.contains("asked again"), "{}", questions[0].reason);
        assert_eq!((world.shown("input/a"), bob.read("input/a")), (shown, "of bob".to_owned()));
        // The copy here moves.
        let answered = bob.settled(&[("input/a", choice)]);
        bob.write("input/a", "of bob, again");
        match bob.sync_as(&answered, &Silent).expect("syncs") {
            dsg_store::sync::SyncOutcome::Conflicts(_) => {}
            dsg_store::sync::SyncOutcome::Done(report) => panic!("used: {report:?}"),
        }
        assert_eq!(bob.read("input/a"), "of bob, again");
        bob.write("input/a", "of bob");
        // Only the time moved: the answer is still about these two copies.
        set_modified(&bob.at("input/a"), long_ago(3));
    }
    bob.settle(&[("input/a", Choice::Local)]);
    assert_eq!(world.shown("input/a"), "of bob");
}

#[test]
fn cached_content_is_restored_from_history() {
    let world = World::new();
    let alice = world.project("alice");
    for state in [5, 7, 11] {
        alice.write(&format!("input/{state}"), format!("agreed {state}"));
        alice.chmod(&format!("input/{state}"), 0o755);
    }
    alice.sync();
    let bob = world.project("bob");
    bob.sync();
    alice.write("input/5", "of alice");
    alice.write("input/7", "of alice");
    alice.remove("input/11");
    alice.sync();
    bob.write("input/5", "of bob");
    bob.remove("input/7");
    bob.write("input/11", "of bob");
    let choices = ["input/11", "input/5", "input/7"].map(|path| (path, Choice::Cached));
    let report = bob.settle(&choices);
    assert_eq!(steps(&report), choices.map(|(path, _)| (path, "restored")));
    assert_eq!(report.summary.restorations, 3);
    alice.sync();
    for state in [5, 7, 11] {
        let (path, text) = (format!("input/{state}"), format!("agreed {state}"));
        assert_eq!(bob.read(&path), text);
        assert_eq!(world.shown(&path), text);
        assert_eq!(alice.read(&path), text);
        assert!(alice.is_executable(&path) && bob.is_executable(&path));
    }
    assert!(look::is_in_trash(&bob.root, "of bob"), "what bob had is not gone");
    alice.assert_settled();
    bob.assert_settled();
    world.assert_whole();
}

#[test]
fn every_choice_does_what_it_says() {
    for choice in [Choice::Local, Choice::Remote, Choice::Cached] {
        let world = World::new();
        let alice = world.project("alice");
        for path in ["input/both", "input/i-deleted", "input/they-deleted"] {
            alice.write(path, "agreed");
        }
        alice.sync();
        let bob = world.project("bob");
        bob.sync();
        alice.write("input/both", "of alice");
        alice.write("input/i-deleted", "of alice");
        alice.remove("input/they-deleted");
        alice.write("input/added", "of alice");
        alice.sync();
        bob.write("input/both", "of bob");
        bob.remove("input/i-deleted");
        bob.write("input/they-deleted", "of bob");
        bob.write("input/added", "of bob");
        let added = if choice == Choice::Cached { Choice::Local } else { choice };
        bob.settle(&[
            ("input/both", choice),
            ("input/i-deleted", choice),
            ("input/they-deleted", choice),
            ("input/added", added),
        ]);
        alice.sync();
        let expected = match choice {
            Choice::Local => [Some("of bob"), Some("of bob"), None, Some("of bob")],
            Choice::Remote => [Some("of alice"), Some("of alice"), Some("of alice"), None],
            Choice::Cached => [Some("of bob"), Some("agreed"), Some("agreed"), Some("agreed")],
        };
        let paths = ["input/added", "input/both", "input/i-deleted", "input/they-deleted"];
        for (path, expected) in paths.into_iter().zip(expected) {
            for person in [&alice, &bob] {
                let found = fs::read_to_string(person.at(path)).ok();
                assert_eq!(found.as_deref(), expected, "{choice:?} {path} {}", person.user);
            }
        }
        assert_eq!(look::contents(&alice.root), look::contents(&world.repository()));
        alice.assert_settled();
        bob.assert_settled();
        world.assert_whole();
    }
}

#[test]
fn file_directory_clash() {
    let world = World::new();
    let (alice, bob) = (world.project("alice"), world.project("bob"));
    alice.write("input/data/x", "of alice");
    alice.write("input/deep/er/x", "of alice");
    alice.sync();
    bob.write("input/data", "a file of bob");
    bob.write("input/deep", "a file of bob");
    bob.write("input/free", "of bob");
    let (here, there) = (look::contents(&bob.root), look::contents(&world.repository()));
    let questions = bob.questions();
    let asked: Vec<_> = questions.iter().map(|question| question.path.as_str()).collect();
    assert_eq!(asked, ["input/data", "input/data/x", "input/deep", "input/deep/er/x"]);
    assert!(questions.iter().all(|question| question.choices.is_empty()), "somebody must rename");
    assert!(questions[0].reason.contains("input/data/x"), "{}", questions[0].reason);
    assert_eq!(look::contents(&bob.root), here);
    assert_eq!(look::contents(&world.repository()), there);
    fs::rename(bob.at("input/data"), bob.at("input/data.txt")).expect("renames");
    fs::rename(bob.at("input/deep"), bob.at("input/deep.txt")).expect("renames");
    bob.sync();
    alice.sync();
    assert_eq!(look::contents(&alice.root), look::contents(&bob.root));

    // One side's doing alone is no clash: a directory becomes a file, a file a directory.
    alice.remove("input/data");
    alice.write("input/data", "a file now");
    alice.remove("input/deep.txt");
    alice.write("input/deep.txt/y", "a directory now");
    alice.sync();
    bob.sync();
    assert_eq!(look::contents(&alice.root), look::contents(&bob.root));
    assert_eq!(look::contents(&alice.root), look::contents(&world.repository()));
    // Against another's new file in that directory it is one.
    bob.write("input/deep/er/new", "of bob");
    alice.remove("input/deep");
    alice.write("input/deep", "a file of alice");
    alice.sync();
    let asked = bob.questions().len();
    assert!(asked >= 2, "{asked}");
    assert_eq!(bob.read("input/deep/er/new"), "of bob");
    world.assert_whole();
}

#[test]
fn a_conflict_blocks_everything_and_changes_nothing() {
    let world = World::new();
    let alice = world.project("alice");
    alice.write("input/a", "base");
    alice.write("input/b", "base");
    alice.sync();
    let bob = world.project("bob");
    bob.sync();
    alice.write("input/a", "of alice");
    alice.write("input/b", "of alice");
    alice.sync();
    bob.write("input/a", "of bob");
    bob.write("input/new", "of bob");
    let (here, there) = (look::contents(&bob.root), look::listing(&world.control()));
    assert_eq!(bob.questions().len(), 1);
    assert_eq!(look::contents(&bob.root), here);
    assert_eq!(look::listing(&world.control()), there);
    let report = done(bob.sync_as(&bob.settled(&[("input/a", Choice::Remote)]), &Silent));
    assert_eq!(report.steps.len(), 3);
    // An answer to what is no conflict any more does nothing.
    let report = done(bob.sync_as(&options(), &Silent));
    assert_eq!(report.steps, []);
    assert_eq!(Code::Conflict.as_str(), "DSG-K01");
}
