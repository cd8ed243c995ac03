//! Who may read and write: in a repository as it says, never the world; in a project as the umask
//! says.

use std::fs;

use dsg_core::conflict::Choice;
use dsg_core::snapshot::TransactionId;
use dsg_store::error::Code;
use dsg_store::monitor::{Phase, Silent};
use dsg_store::repository::{Access, Repository};

use crate::world::own_process::{self, How};
use crate::world::wrapped::StopsAfter;
use crate::world::{World, look, mode, open, options};

/// Does everything by which a file or directory is made in a repository.
fn everything_is_made(access: Access) -> World {
    let world = World::with_access(access);
    let alice = world.project("alice");
    alice.write("input/a", "a");
    alice.write("input/run", "run");
    alice.chmod("input/run", 0o777);
    alice.write("input/open", "open");
    alice.chmod("input/open", 0o666);
    alice.write("input/closed", "closed");
    alice.chmod("input/closed", 0o400);
    alice.link("input/l", "a");
    alice.write("output/new/deep/er/x", "x");
    alice.sync();
    let bob = world.project("bob");
    bob.sync();
    // Superseded, deleted, moved aside, a bit changed, restored.
    alice.write("input/a", "second");
    alice.chmod("input/run", 0o644);
    alice.remove("output");
    alice.sync();
    fs::write(world.repository().join("input/foreign"), "of an administrator").expect("writes");
    fs::remove_file(world.repository().join("input/foreign")).expect("removes");
    bob.write("input/a", "of bob");
    bob.settle(&[("input/a", Choice::Cached)]);
    alice.sync();
    // Cut off and resumed; given up; in the way.
    for n in 0..8 {
        alice.write(&format!("input/n/{n}"), "n".repeat(n + 1));
        alice.write(&format!("input/{n}"), "n".repeat(n + 1));
    }
    let error = alice.sync_as(&options(), &StopsAfter::new(Phase::Uploading, 5));
    assert_eq!(error.expect_err("is cut off").code, Code::Interrupted);
    assert_eq!(look::names(&world.control().join("staging")).len(), 1);
    assert_modes(&world, access);
    alice.sync();
    let repository = open(&world.repository());
    let given_up = TransactionId::from_bytes([5; 8]);
    repository.settle(&given_up, None, &Silent).expect("settles");
    fs::create_dir_all(world.repository().join("input/n2")).expect("creates");
    fs::remove_dir(world.repository().join("input/n2")).expect("removes");
    alice.remove("input/n");
    alice.write("input/n", "a file");
    fs::write(world.repository().join("input/n/.note"), "of an administrator").expect("writes");
    alice.sync();
    assert_eq!(look::names(&world.control().join("unfiled")).len(), 1);
    // What is moved aside keeps the mode that its owner gave it.
    fs::remove_dir_all(world.control().join("unfiled")).expect("removes");
    fs::create_dir(world.control().join("unfiled")).expect("creates");
    let like = mode(&world.control().join("objects"));
    crate::world::chmod(&world.control().join("unfiled"), like);
    world
}

fn assert_modes(world: &World, access: Access) {
    let (directory, file, executable) = match access {
        Access::Private => (0o700, 0o600, 0o700),
        Access::Group => (0o2770, 0o660, 0o770),
    };
    for (path, mode) in look::modes(&world.repository()) {
        let fits = if path.ends_with('/') {
            mode == directory
        } else if path == "input/run" || path.contains("/staging/") {
            mode == file || mode == executable
        } else {
            mode == file || (path.contains("/objects/") && mode == executable)
        };
        assert!(fits, "{access:?} {path} {mode:o}");
        assert_eq!(mode & 0o007, 0, "never the world: {path} {mode:o}");
    }
}

#[test]
fn private_and_group_modes_hold_for_every_file_made() {
    if !own_process::is_own() {
        for umask in ["077", "000", "027"] {
            let name = "modes::private_and_group_modes_hold_for_every_file_made";
            own_process::run(name, &How::Umask(umask));
        }
        return;
    }
    for access in [Access::Private, Access::Group] {
        let world = everything_is_made(access);
        assert_modes(&world, access);
    }
}

#[test]
fn a_project_is_made_as_the_umask_says() {
    if !own_process::is_own() {
        for umask in ["077", "022", "002", "000"] {
            own_process::run("modes::a_project_is_made_as_the_umask_says", &How::Umask(umask));
        }
        return;
    }
    let world = World::new();
    // Made by the system with the same umask, to compare with.
    let plain = world.folder().join("plain");
    fs::create_dir(&plain).expect("creates");
    fs::write(plain.join("file"), "").expect("writes");
    let (directory, file) = (mode(&plain), mode(&plain.join("file")));
    let executable = file | ((file & 0o444) >> 2);

    let alice = world.project("alice");
    alice.write("input/new/deep/x", "x");
    alice.write("input/run", "run");
    alice.chmod("input/run", 0o700);
    alice.sync();
    let bob = world.project("bob");
    bob.sync();
    for path in ["input", "input/new", "input/new/deep"] {
        let found = mode(&bob.at(path));
        assert_eq!(found, directory, "{path}: {found:o}, not {directory:o}");
    }
    assert_eq!(mode(&bob.at("input/new/deep/x")), file);
    assert_eq!(mode(&bob.at("input/run")), executable);
    // What dsg itself keeps there is its owner's alone.
    alice.write("input/new/deep/x", "second");
    alice.sync();
    bob.sync();
    assert_eq!(mode(&bob.at(".dsg")), 0o700);
    for (path, mode) in look::modes(&bob.at(".dsg")) {
        let a_file_of_the_user = path.starts_with("trash/tx-") && !path.ends_with("/list");
        if path.ends_with('/') || !a_file_of_the_user {
            assert_eq!(mode & 0o077, 0, "{path} {mode:o}");
        }
    }
}

#[test]
fn a_repository_that_is_closed_is_no_empty_place() {
    if own_process::is_root() {
        let name = "modes::a_repository_that_is_closed_is_no_empty_place";
        return own_process::run(name, &How::AsNobody);
    }
    let world = World::new();
    crate::world::chmod(&world.repository(), 0o000);
    let clock = foundation_runtime::clock::SystemClock::new();
    let error = dsg_store::repository::create(&world.repository(), Access::Private, &clock);
    let error = error.expect_err("is closed");
    assert_eq!(error.code, Code::RepositoryDenied, "{error}");
    assert!(error.what.contains("is there already"), "{error}");
    let above = dsg_store::system::Directory::open(&world.folder().join("srv")).expect("opens");
    let listed = dsg_store::remote::list(&above, 10).expect("lists");
    crate::world::chmod(&world.repository(), 0o700);
    let [one] = &listed[..] else { panic!("{listed:?}") };
    assert_eq!(one.name, "p");
    assert!(one.problem.as_ref().is_some_and(|problem| problem.contains("can't be opened")));
}
