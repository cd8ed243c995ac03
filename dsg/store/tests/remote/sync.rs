//! A sync over a connection.

use dsg_core::config::RepositoryConfig;
use dsg_core::path::RepoPath;
use dsg_core::snapshot::SnapshotNumber;
use dsg_store::error::Code;
use dsg_store::history::{LogOptions, blame, log};
use dsg_store::monitor::Silent;
use dsg_store::remote::{Dial, RemoteRepository, Role, list_remote};
use dsg_store::repository::{Access, Repository, VerifyScope};
use dsg_store::sync::SyncOutcome;

use crate::line::World;

fn path(text: &str) -> RepoPath {
    RepoPath::parse(text).expect("a path")
}

/// Makes a plain repository.
fn create(
    line: &dyn Dial,
    path: &str,
    access: Access,
) -> dsg_store::error::Result<RemoteRepository> {
    let plain = RepositoryConfig::Posix { host: String::new(), mountpoint: String::new() };
    RemoteRepository::create(line, path, access, &plain)
}

#[test]
fn what_one_syncs_the_other_gets_and_history_says_who() {
    let world = World::new();
    let (alice, bob) = (world.person("alice"), world.person("bob"));
    for number in 0..700 {
        alice.write(&format!("input/deep/{}/f{number}", number % 7), format!("content {number}"));
    }
    alice.write("input/big", vec![7; 9 << 20]);
    alice.write("input/empty", "");
    std::os::unix::fs::symlink("big", alice.root.join("input/link")).expect("links");
    assert_eq!(alice.sync().snapshot.map(SnapshotNumber::get), Some(1));
    assert_eq!(alice.sync().snapshot, None);
    bob.sync();
    assert_eq!(bob.read("input/deep/3/f3").as_deref(), Some("content 3"));
    assert_eq!(bob.read("input/big").map(|text| text.len()), Some(9 << 20));
    assert_eq!(bob.read("input/empty").as_deref(), Some(""));
    bob.write("input/deep/3/f3", "bob's");
    std::fs::remove_file(bob.root.join("input/deep/4/f4")).expect("removes");
    bob.sync();
    alice.sync();
    assert_eq!(alice.read("input/deep/3/f3").as_deref(), Some("bob's"));
    assert_eq!(alice.read("input/deep/4/f4"), None);
    let repository = alice.open().expect("opens");
    let events = blame(&repository, &path("input/deep/3/f3"), &Silent).expect("blames");
    assert_eq!(events.len(), 2);
    let options = LogOptions { limit: 0, author: None, since: None, start: None, path: None };
    let entries = log(&repository, &options, &Silent).expect("logs");
    let authors: Vec<_> = entries.iter().map(|entry| entry.document.author.clone()).collect();
    assert_eq!(authors, ["bob@example.org", "alice@example.org"]);
    let report = repository.verify(&VerifyScope::Chain { contents: true }, &Silent);
    assert_eq!(report.expect("verifies").damage, []);
    world.assert_whole();
}

#[test]
fn different_changes_are_a_conflict_over_a_connection_too() {
    let world = World::new();
    let (alice, bob) = (world.person("alice"), world.person("bob"));
    alice.write("input/a", "base");
    alice.sync();
    bob.sync();
    alice.write("input/a", "alice");
    alice.sync();
    bob.write("input/a", "bob");
    assert!(
        matches!(bob.try_sync(), Ok(SyncOutcome::Conflicts(questions)) if questions.len() == 1)
    );
    assert_eq!(bob.read("input/a").as_deref(), Some("bob"));
    assert_eq!(world.stored("input/a").as_deref(), Some("alice"));
}

#[test]
fn nothing_to_do_costs_one_round_trip_and_a_few_hundred_bytes() {
    let world = World::new();
    let alice = world.person("alice");
    for number in 0..200 {
        alice.write(&format!("input/{number}"), number.to_string());
    }
    alice.sync();
    let project = alice.project();
    let repository = alice.open().expect("opens");
    let options = dsg_store::sync::SyncOptions {
        look: Default::default(),
        message: None,
        backup_stamp: None,
    };
    dsg_store::sync::sync(&project, &repository, &options, &Silent).expect("syncs");
    let (sent, received) = repository.traffic();
    assert!(sent + received < 2048, "{sent} + {received}");
    assert_eq!(repository.round_trips(), 0, "after the hello");
}

#[test]
fn a_sync_of_many_files_waits_for_a_few_answers_only() {
    let world = World::new();
    let (alice, bob) = (world.person("alice"), world.person("bob"));
    for number in 0..500 {
        alice.write(&format!("input/{}/{number}", number % 5), vec![7; number]);
    }
    for person in [&alice, &bob] {
        let repository = person.open().expect("opens");
        let options = dsg_store::sync::SyncOptions {
            look: Default::default(),
            message: None,
            backup_stamp: None,
        };
        dsg_store::sync::sync(&person.project(), &repository, &options, &Silent).expect("syncs");
        assert!(repository.round_trips() <= 4, "{}", repository.round_trips());
    }
}

#[test]
fn a_reader_reads_and_a_writer_makes_no_repository() {
    let world = World::new();
    let alice = world.person("alice");
    alice.write("input/a", "1");
    alice.sync();
    let mut carol = world.person("carol");
    carol.line.role = Role::Reader;
    carol.sync();
    assert_eq!(carol.read("input/a").as_deref(), Some("1"));
    carol.write("input/a", "2");
    let error = carol.try_sync().expect_err("a reader");
    assert_eq!(error.code, Code::RoleDenied);
    assert_eq!((world.stored("input/a").as_deref(), world.head()), (Some("1"), 1));
    let writer = world.wire("alice", Role::Writer);
    let error = create(&writer, "new", Access::Group).err().expect("a writer");
    assert_eq!(error.code, Code::RoleDenied);
    let maintainer = world.wire("mary", Role::Maintainer);
    let made = create(&maintainer, "new", Access::Group).expect("a maintainer");
    assert_eq!(made.description().access, Access::Group);
    let listed = list_remote(&maintainer, ".").expect("lists");
    let names: Vec<_> = listed.iter().map(|listed| listed.name.as_str()).collect();
    assert_eq!(names, ["new", "p"]);
    assert!(listed[0].head.is_none() && listed[1].head.is_some());
}

#[test]
fn nothing_outside_of_the_root_is_opened() {
    let world = World::new();
    let outside = world.folder.path().join("outside");
    std::fs::create_dir(&outside).expect("creates");
    let clock = foundation_runtime::clock::SystemClock::new();
    dsg_store::repository::create(&outside, Access::Private, &clock).expect("creates");
    std::os::unix::fs::symlink(&outside, world.folder.path().join("srv/link")).expect("links");
    std::os::unix::fs::symlink("/", world.folder.path().join("srv/top")).expect("links");
    let inside = world.repository().join("input");
    std::fs::create_dir(&inside).expect("creates");
    dsg_store::repository::create(&inside, Access::Private, &clock).expect("creates");
    let line = world.wire("mallory", Role::Maintainer);
    let absolute = outside.display().to_string();
    let below_top = format!("top{absolute}");
    for path in [
        "../outside",
        &absolute,
        "link",
        &below_top,
        "p/../../outside",
        "/",
        "p/input",
        ".",
        "",
        "p/.dsg-repository",
        "a\0b",
    ] {
        assert!(RemoteRepository::open(&line, path).is_err(), "{path}");
        assert!(create(&line, path, Access::Private).is_err(), "{path}");
    }
    for path in ["../new", "link/new", "top/tmp/new", "p/input/new", "p/new"] {
        assert!(create(&line, path, Access::Private).is_err(), "{path}");
    }
    for path in ["..", "/", "link", "top/etc"] {
        assert!(list_remote(&line, path).is_err(), "{path}");
    }
    let absolute = world.repository().display().to_string();
    assert!(RemoteRepository::open(&line, &absolute).is_ok());
}
