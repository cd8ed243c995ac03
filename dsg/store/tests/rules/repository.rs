//! Which repository it is: replaced, restored, newer, hostile, edited by somebody without dsg.

use std::fs;

use dsg_core::conflict::Choice;
use dsg_core::hash::ContentHash;
use dsg_store::error::Code;
use dsg_store::monitor::{Phase, Silent};
use dsg_store::project::reattach;
use dsg_store::repository::{Access, create};
use dsg_store::sync::sync;
use foundation_runtime::clock::SystemClock;

use crate::world::wrapped::{Between, Heard, Interference, once};
use crate::world::{Client, World, craft, key, look, options, steps, unknown};

#[test]
fn replaced_repository_is_refused() {
    let world = World::new();
    let alice = world.project("alice");
    alice.write("input/a", "base");
    alice.sync();
    // A sync that was cut off after the commit: what became of it is asked first at the next one.
    struct Cut;
    impl Interference for Cut {
        fn loses_answer(&self) -> bool {
            true
        }
    }
    alice.write("input/a", "second");
    let cut = Between::new(alice.repository(), Cut);
    sync(&alice.project(), &cut, &options(), &Silent).expect_err("the answer is lost");

    let away = world.folder().join("away");
    fs::rename(world.repository(), &away).expect("renames");
    create(&world.repository(), Access::Private, &SystemClock::new()).expect("creates");
    let before = look::listing(&world.repository());
    alice.sync_fails(Code::RepositoryReplaced);
    assert_eq!(look::listing(&world.repository()), before, "a stranger's repository is let alone");
    // With the same files in it, it is still another one.
    fs::create_dir(world.folder().join("mallory")).expect("creates");
    let mallory = world.folder().join("mallory");
    dsg_store::project::write_configuration(&mallory, &world.configuration("")).expect("writes");
    let mallory = Client { root: mallory, user: "mallory".to_owned() };
    dsg_store::project::attach(&mallory.project(), &mallory.repository()).expect("attaches");
    mallory.write("input/a", "second");
    mallory.sync();
    alice.sync_fails(Code::RepositoryReplaced);

    fs::rename(world.repository(), world.folder().join("other")).expect("renames");
    fs::rename(&away, world.repository()).expect("renames");
    let report = alice.sync();
    assert!(report.recovered, "the right repository says what became of the sync that was cut off");
    assert_eq!(world.shown("input/a"), "second");
    alice.assert_settled();
}

#[test]
fn restored_repository_conflicts() {
    let world = World::new();
    let alice = world.project("alice");
    for name in ["same", "changed", "deleted", "kept"] {
        alice.write(&format!("input/{name}"), "old");
    }
    alice.sync();
    let backup = world.folder().join("backup");
    look::copy(&world.repository(), &backup);
    alice.write("input/changed", "new");
    alice.write("input/added", "new");
    alice.remove("input/deleted");
    alice.sync();

    // The server's disk died, yesterday's backup is put back.
    fs::remove_dir_all(world.repository()).expect("removes");
    look::copy(&backup, &world.repository());
    alice.sync_fails(Code::RepositoryRolledBack);
    let here = look::contents(&alice.root);
    reattach(&alice.project(), &alice.repository()).expect("reattaches");
    assert_eq!(look::contents(&alice.root), here);
    let questions = alice.questions();
    let asked: Vec<_> = questions.iter().map(|question| question.path.as_str()).collect();
    assert_eq!(asked, ["input/changed"], "equal files join, different ones are asked about");
    assert_eq!(look::contents(&alice.root), here);
    let report = alice.settle(&[("input/changed", Choice::Local)]);
    let mut expected = here.clone();
    expected.insert("input/deleted".to_owned(), b"old".to_vec());
    assert_eq!(look::contents(&alice.root), expected, "nothing is deleted or overwritten");
    assert_eq!(steps(&report).len(), 5, "{report:?}");
    assert_eq!(world.shown("input/changed"), "new");
    assert_eq!(world.shown("input/added"), "new");

    // The same number with another past: somebody went on from the backup.
    let bob = world.project("bob");
    bob.sync();
    fs::remove_dir_all(world.repository()).expect("removes");
    look::copy(&backup, &world.repository());
    let carol = world.project("carol");
    carol.write("input/kept", "of carol");
    carol.sync_fails_or_asks();
    carol.settle(&[("input/kept", Choice::Local)]);
    bob.sync_fails(Code::RepositoryRolledBack);
    carol.write("input/kept", "of carol again");
    carol.sync();
    bob.sync_fails(Code::RepositoryRolledBack);
    world.assert_whole();
}

#[test]
fn old_client_refuses() {
    let world = World::new();
    let alice = world.project("alice");
    alice.write("input/a", "a");
    alice.sync();
    let bob = world.project("bob");
    bob.sync();
    alice.write("input/a", "b");
    alice.sync();
    let description = world.control().join("repository.json");
    let text = fs::read_to_string(&description).expect("reads");
    let with = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut value: serde_json::Value = serde_json::from_str(&text).expect("is JSON");
        change(&mut value);
        value.to_string()
    };
    for newer in [
        with(&|value| value["format"] = 2.into()),
        // A later format may have other fields altogether.
        r#"{"format": 7, "something": "else"}"#.to_owned(),
        with(&|value| value["features"] = serde_json::json!(["chunks"])),
    ] {
        fs::write(&description, &newer).expect("writes");
        let error = bob.sync_fails(Code::RepositoryFormat);
        assert!(error.what.contains("newer dsg"), "{newer}: {error:?}");
    }
    fs::write(&description, &text).expect("writes");

    let document = world.control().join("snapshots/s2");
    let text = fs::read_to_string(&document).expect("reads");
    for newer in [text.replace("\"format\":1", "\"format\":2"), r#"{"format":3}"#.to_owned()] {
        fs::write(&document, newer).expect("writes");
        let error = bob.sync_fails(Code::RepositoryFormat);
        assert!(error.to_string().contains("newer dsg"), "{error:?}");
    }
    fs::write(&document, &text).expect("writes");
    bob.sync();
    assert_eq!(bob.read("input/a"), "b");
}

#[test]
fn hostile_remote_cannot_plant_hidden_paths() {
    let world = World::new();
    let evil = "#!/bin/sh\nrm -rf ~\n";
    let hidden = [
        ".git/hooks/post-checkout",
        ".dsg/state",
        ".dsgconfig.yml",
        ".dsg-repository/x",
        ".bashrc",
        "input/.git/hooks/x",
        "input/deep/.ssh/authorized_keys",
        "conflicts.txt",
        "Makefile",
        "src/input.py",
        "input/x.csv~20260101T000000Z~",
    ];
    let links = [
        ("input/absolute", "/etc/passwd"),
        ("input/escaping", "../../outside"),
        ("input/own", "../.dsg/state"),
    ];
    let mut entries: Vec<_> = hidden.iter().map(|path| (key(path), craft::file(evil))).collect();
    entries.extend(links.iter().map(|(path, target)| (key(path), craft::link(target))));
    entries.push((key("input/good"), craft::file("good")));
    entries.push((key("input/link"), craft::link("good")));
    craft::first_snapshot(&world.repository(), entries);
    craft::keep(&world.repository(), evil);
    craft::keep(&world.repository(), "good");

    let alice = world.project_with("alice", "data_dirs: [input]\n");
    let configuration = alice.read(".dsgconfig.yml");
    let report = alice.sync();
    assert_eq!(look::files(&alice.root), ["input/good", "input/link"]);
    assert_eq!(alice.read(".dsgconfig.yml"), configuration);
    assert_eq!(report.counts.untracked_remote, hidden.len() as u64);
    let paths: Vec<_> = links.iter().map(|(path, _)| *path).collect();
    assert_eq!(unknown(&report), paths, "a link that leads out is named, not made");
    // Even with everything tracked.
    world.configure(&alice, "data_dirs: ['*']\n");
    alice.sync();
    let planted = ["Makefile", "input/good", "input/link", "src/input.py"];
    assert_eq!(look::files(&alice.root), planted, "what is not hidden is data like any other");
    // Nor is any of it deleted in the repository because it is not here.
    alice.write("input/mine", "mine");
    alice.sync();
    for path in hidden.iter().chain(&paths) {
        assert!(world.entry(path).is_some(), "{path}");
    }
}

#[test]
fn server_edit_is_not_filed_as_history() {
    let world = World::new();
    let alice = world.project("alice");
    alice.write("input/a", "base");
    alice.write("input/b", "stays");
    alice.sync();
    let base = ContentHash::of(b"base").to_string();
    let on_server = world.repository().join("input/a");
    let edits: [&dyn Fn(); 4] = [
        // In place and of the same length, a new file, gone, something else.
        &|| fs::write(&on_server, "BASE").expect("writes"),
        &|| {
            fs::write(on_server.with_extension("new"), "replaced by an editor").expect("writes");
            fs::rename(on_server.with_extension("new"), &on_server).expect("renames");
        },
        &|| fs::remove_file(&on_server).expect("removes"),
        &|| {
            fs::remove_file(&on_server).expect("removes");
            std::os::unix::fs::symlink("b", &on_server).expect("links");
        },
    ];
    for edit in edits {
        edit();
        let shown = look::contents(&world.repository());
        alice.write("input/a", "of alice");
        let error = alice.sync_fails(Code::ForeignEdit);
        assert_eq!(error.paths, ["input/a"]);
        alice.remove("input/a");
        alice.sync_fails(Code::ForeignEdit);
        assert_eq!(look::contents(&world.repository()), shown, "the edit is let alone");
        assert!(!world.control().join("objects").join(&base).exists(), "and not named by a hash");
        assert_eq!(world.head(), 1);
        fs::remove_file(&on_server).ok();
        fs::write(&on_server, "base").expect("writes");
    }
    // Other paths go on meanwhile; nobody gets the edited bytes for those of the snapshot.
    alice.write("input/a", "base");
    fs::write(&on_server, "EDIT").expect("writes");
    alice.write("input/b", "new");
    alice.sync();
    let bob = world.project("bob");
    let error = bob.try_sync().expect_err("the bytes are gone");
    assert_eq!(error.code, Code::ContentDamaged, "{error:?}");
    assert!(!bob.has("input/a"));
}

#[test]
fn superseded_file_is_hashed_before_it_is_kept() {
    // The server's file is edited while a commit is being prepared, at every moment at which
    // somebody else gets to run.
    let mut refused = 0;
    for moment in 1..8 {
        for edit in ["BASE", "longer than before"] {
            let world = World::new();
            let alice = world.project("alice");
            alice.write("input/a", "base");
            alice.sync();
            alice.write("input/a", "of alice");
            let on_server = world.repository().join("input/a");
            let edit_it = || fs::write(&on_server, edit).expect("writes");
            let monitor = once(Heard::AskedToStop(Phase::Committing, moment), edit_it);
            match alice.sync_as(&options(), &monitor) {
                Err(error) => {
                    assert_eq!(error.code, Code::ForeignEdit, "{error:?}");
                    assert_eq!(world.shown("input/a"), edit);
                    refused += 1;
                }
                Ok(_) => assert_eq!(world.shown("input/a"), "of alice", "there was no such moment"),
            }
            for name in look::names(&world.control().join("objects")) {
                let bytes = fs::read(world.control().join("objects").join(&name)).expect("reads");
                assert_eq!(name, ContentHash::of(&bytes).to_string());
            }
        }
    }
    assert!(refused >= 4, "the edit fell into the commit: {refused}");
}

impl Client {
    /// Somebody who joins with a file of their own must be asked.
    fn sync_fails_or_asks(&self) {
        assert_eq!(self.questions().len(), 1);
    }
}
