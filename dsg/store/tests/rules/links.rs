//! Links and special files.

use std::fs;
use std::os::unix::net::UnixListener;

use dsg_store::UnknownReason;
use dsg_store::monitor::Phase;

use crate::world::wrapped::{Heard, once};
use crate::world::{World, done, look, options, skipped, steps, unknown};

#[test]
fn rejected_link_is_reported_never_dropped() {
    let world = World::new();
    let alice = world.project("alice");
    let inside = alice.at("input/a").display().to_string();
    alice.write("input/a", "a");
    alice.write("input/was-a-file", "base");
    alice.write("input/was-a-directory/x", "base");
    alice.sync();
    let bob = world.project("bob");
    bob.sync();
    let bad = [
        ("input/absolute", "/etc/hostname"),
        ("input/absolute-inside", inside.as_str()),
        ("input/by-one", "../../outside"),
        ("input/by-two", "../../../outside"),
        ("input/there-and-back", "../../alice/input/a"),
        ("input/into-dsg", "../.dsg/state"),
        ("input/was-a-file", "/dev/null"),
    ];
    alice.remove("input/was-a-file");
    alice.remove("input/was-a-directory");
    for (path, target) in bad {
        alice.link(path, target);
    }
    alice.link("input/was-a-directory", "/tmp");
    for _ in 0..2 {
        let report = alice.sync();
        assert_eq!(steps(&report), [], "nothing is committed, and nothing deleted");
        let mut expected: Vec<_> = bad.iter().map(|(path, _)| *path).collect();
        expected.push("input/was-a-directory");
        expected.sort_unstable();
        assert_eq!(unknown(&report), expected);
        assert!(report.unknown.iter().all(|about| matches!(about.why, UnknownReason::Link(_))));
    }
    for (path, target) in bad {
        assert_eq!(alice.target(path), target, "it stays here as it is");
    }
    // What another does to such a path waits.
    bob.write("input/was-a-file", "of bob");
    bob.remove("input/was-a-directory");
    bob.sync();
    assert_eq!(steps(&alice.sync()), []);
    assert_eq!(alice.target("input/was-a-file"), "/dev/null");
    alice.remove("input/was-a-file");
    alice.write("input/was-a-file", "base");
    let report = alice.sync();
    assert_eq!(steps(&report), [("input/was-a-file", "downloaded")]);
}

#[test]
fn links_are_never_followed() {
    let world = World::new();
    let alice = world.project("alice");
    let outside = world.folder().join("outside");
    fs::create_dir(&outside).expect("creates");
    fs::write(outside.join("x"), "secret").expect("writes");
    alice.write("private/secret", "not shared");
    alice.write("input/d/x", "base");
    alice.link("input/to-directory", "../private");
    alice.link("input/to-project", "..");
    alice.link("input/to-itself", "to-itself");
    alice.link("input/chain", "to-directory/secret");
    alice.link("input/broken", "nothing-there");
    let report = alice.sync();
    let shared = ["broken", "chain", "d/x", "to-directory", "to-itself", "to-project"]
        .map(|name| format!("input/{name}"));
    assert_eq!(look::files(&world.repository()), shared);
    assert_eq!(
        fs::read_link(world.repository().join("input/to-directory")).expect("a link"),
        std::path::Path::new("../private")
    );
    let dangling: Vec<_> = report.dangling.iter().map(ToString::to_string).collect();
    assert_eq!(dangling, ["input/broken"], "said, and shared all the same");
    let bob = world.project("bob");
    bob.sync();
    assert_eq!(look::files(&bob.root), shared);
    assert_eq!(bob.target("input/chain"), "to-directory/secret");

    // A directory is swapped for a link while a sync runs: what lies behind it is not written,
    // not read, not deleted.
    let swap = |client: &crate::world::Client| {
        fs::rename(client.at("input/d"), client.at("aside")).expect("renames");
        client.link("input/d", outside.to_str().expect("a text"));
    };
    let back = |client: &crate::world::Client| {
        fs::remove_file(client.at("input/d")).expect("removes");
        fs::rename(client.at("aside"), client.at("input/d")).expect("renames");
    };
    alice.write("input/d/x", "changed");
    alice.write("input/d/y", "new");
    alice.sync();
    let monitor = once(Heard::Began(Phase::Applying), || swap(&bob));
    let report = bob.sync_heard(&monitor);
    assert_eq!(skipped(&report), ["input/d/x", "input/d/y"]);
    assert_eq!(look::names(&outside), ["x"]);
    assert_eq!(fs::read_to_string(outside.join("x")).expect("reads"), "secret");
    assert_eq!(steps(&bob.sync()), [], "the link leads out, so all below is unknown");
    back(&bob);
    bob.sync();
    assert_eq!(bob.read("input/d/y"), "new");

    alice.remove("input/d/x");
    alice.sync();
    let monitor = once(Heard::Began(Phase::Applying), || swap(&bob));
    let report = bob.sync_heard(&monitor);
    assert_eq!(skipped(&report), ["input/d/x"]);
    assert_eq!(fs::read_to_string(outside.join("x")).expect("reads"), "secret");
    back(&bob);
    bob.sync();
    assert!(!bob.has("input/d/x"));

    for phase in [Phase::Uploading, Phase::Hashing] {
        bob.write("input/d/y", format!("of bob {phase:?}"));
        let secret = format!("secr{phase:?}");
        fs::write(outside.join("y"), &secret).expect("writes");
        let monitor = once(Heard::Began(phase), || swap(&bob));
        done(bob.sync_as(&options(), &monitor));
        assert!(!world.shown("input/d/y").contains("secr"), "{phase:?}");
        back(&bob);
        bob.sync();
        assert_eq!(world.shown("input/d/y"), format!("of bob {phase:?}"));
    }
    world.assert_whole();
}

#[test]
fn special_files_are_left_out() {
    let world = World::new();
    let alice = world.project("alice");
    alice.write("input/a", "base");
    alice.write("input/d/x", "base");
    alice.sync();
    let bob = world.project("bob");
    bob.sync();
    let pipe = |path: &str| {
        use rustix::fs::{CWD, FileType, Mode, mknodat};
        mknodat(CWD, alice.at(path), FileType::Fifo, Mode::RUSR, 0).expect("makes");
    };
    pipe("input/pipe");
    let _socket = UnixListener::bind(alice.at("input/socket")).expect("binds");
    let report = alice.sync();
    assert_eq!((steps(&report), unknown(&report)), (vec![], vec!["input/pipe", "input/socket"]));
    // In the place of a file, or of a directory, that was shared.
    alice.remove("input/a");
    alice.remove("input/d");
    pipe("input/a");
    pipe("input/d");
    bob.write("input/a", "of bob");
    bob.sync();
    let report = alice.sync();
    assert_eq!(steps(&report), []);
    assert_eq!(unknown(&report), ["input/a", "input/d", "input/pipe", "input/socket"]);
    assert_eq!(
        (world.shown("input/a"), world.shown("input/d/x")),
        ("of bob".into(), "base".into())
    );
    alice.remove("input/a");
    alice.remove("input/d");
    alice.write("input/d/x", "base");
    alice.write("input/a", "base");
    assert_eq!(steps(&alice.sync()), [("input/a", "downloaded")]);
}
