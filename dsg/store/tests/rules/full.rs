//! A repository whose disk is full because of an upload, or can't be written at all.

use std::fs;
use std::path::Path;
use std::sync::Mutex;

use dsg_core::snapshot::TransactionId;
use dsg_store::clean::{self, CleanOptions, CleanTarget};
use dsg_store::error::Code;
use dsg_store::monitor::{Monitor, Notice, Phase, Silent};
use dsg_store::repository::{Access, Repository, create};
use dsg_store::sync::{LookOptions, look, remember};
use foundation_runtime::clock::SystemClock;

use crate::project::may_mount;
use crate::world::own_process;
use crate::world::wrapped::StopsAfter;
use crate::world::{World, look as seen, options};

/// A world whose repository is on a disk of 8 MiB.
fn with_a_small_disk() -> World {
    let world = World::new();
    own_process::mount_with(&world.folder().join("srv"), &["-t", "tmpfs", "-o", "size=8m", "none"]);
    create(&world.repository(), Access::Private, &SystemClock::new()).expect("creates");
    world
}

#[test]
fn an_upload_that_filled_the_disk_stops_nobody() {
    if !may_mount("full::an_upload_that_filled_the_disk_stops_nobody") {
        return;
    }
    let world = with_a_small_disk();
    let (alice, bob) = (world.project("alice"), world.project("bob"));
    alice.write("input/small", "1");
    alice.sync();
    bob.sync();
    let living = TransactionId::from_bytes([1; 8]);
    let repository = crate::world::open(&world.repository());
    let upload = repository.begin(&living, &[], 1).expect("begins");
    let staged = world.control().join("staging").join(living.to_string()).join("f-1");
    fs::write(&staged, vec![b'l'; 1 << 20]).expect("writes");
    alice.write("input/large", vec![b'x'; 20 << 20]);
    let error = alice.sync_fails(Code::DiskFull);
    let next = error.next.expect("says what to do");
    assert!(next.contains(&living.to_string()) && next.contains("1 MiB"), "{next}");
    // What she brought makes room for the two bytes of another.
    bob.write("input/of-bob", "2\n");
    bob.sync();
    // And her own for hers.
    alice.sync_fails(Code::DiskFull);
    alice.remove("input/large");
    alice.write("input/other", "3");
    alice.sync();
    assert_eq!(alice.read("input/of-bob"), "2\n");
    assert_eq!(fs::metadata(&staged).expect("is there").len(), 1 << 20, "its owner lives");
    drop(upload);
    assert_eq!(seen::names(&world.control().join("staging")), [living.to_string()]);
    world.assert_whole();
}

/// Sees what is staged when contents begin to be brought.
struct Before<'a> {
    staging: &'a Path,
    bytes: Mutex<Option<u64>>,
}

impl Monitor for Before<'_> {
    fn begin(&self, phase: Phase, _files: u64, _bytes: u64) {
        if phase == Phase::Uploading {
            *self.bytes.lock().expect("locks") = Some(bytes_below(self.staging));
        }
    }
    fn advance(&self, _files: u64, _bytes: u64) {}
    fn notice(&self, _notice: Notice) {}
    fn stop_requested(&self) -> bool {
        false
    }
}

fn bytes_below(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).expect("lists").map(|entry| entry.expect("an entry"));
    let bytes = entries.map(|entry| match entry.metadata().expect("is there") {
        folder if folder.is_dir() => bytes_below(&entry.path()),
        file => file.len(),
    });
    bytes.sum()
}

#[test]
fn what_the_next_upload_has_no_use_for_goes_before_it_begins() {
    let world = World::new();
    let alice = world.project("alice");
    alice.write("input/kept", "kept".repeat(1000));
    alice.write("input/changed", "changed".repeat(1000));
    alice.write("input/new/gone", "gone".repeat(1000));
    let error = alice.sync_as(&options(), &StopsAfter::new(Phase::Uploading, 3));
    assert_eq!(error.expect_err("is cut off").code, Code::Interrupted);
    let staging = world.control().join("staging");
    assert_eq!(bytes_below(&staging), 15_000);
    alice.remove("input/new");
    alice.write("input/changed", "small");
    let before = Before { staging: &staging, bytes: Mutex::new(None) };
    alice.sync_heard(&before);
    assert_eq!(before.bytes.into_inner().expect("locks"), Some(4000), "what is still needed");
    world.assert_whole();
}

#[test]
fn cleaning_a_project_keeps_the_mark_by_which_its_upload_is_found() {
    let world = World::new();
    let alice = world.project("alice");
    alice.write("input/a", "a".repeat(1000));
    alice.write("input/b", "b".repeat(1000));
    let error = alice.sync_as(&options(), &StopsAfter::new(Phase::Uploading, 1));
    assert_eq!(error.expect_err("is cut off").code, Code::Interrupted);
    let all = CleanOptions { targets: CleanTarget::ALL.to_vec(), unique: true };
    clean::clean(&alice.project(), &all, &Silent).expect("cleans");
    assert_eq!(clean::look(&alice.project(), &all, &Silent).expect("looks").items, []);
    alice.remove("input");
    alice.sync();
    assert_eq!(seen::names(&world.control().join("staging")), [""; 0]);
}

fn made_read_only(path: &Path) {
    own_process::mount_with(path, &["--bind", path.to_str().expect("a text")]);
    own_process::mount_with(path, &["-o", "remount,bind,ro"]);
}

#[test]
fn what_is_mounted_read_only_is_called_so_and_can_be_looked_at() {
    if !may_mount("full::what_is_mounted_read_only_is_called_so_and_can_be_looked_at") {
        return;
    }
    let world = World::new();
    let alice = world.project("alice");
    alice.write("input/a", "1");
    alice.sync();
    alice.write("input/b", "2");
    made_read_only(&world.folder().join("srv"));
    let error = alice.sync_fails(Code::RepositoryDenied);
    assert!(error.why.expect("says why").contains("mounted read-only"));
    // The project too: nothing can be remembered, and nothing need be.
    made_read_only(&alice.root);
    let project = alice.project();
    let dsg = project.dsg_attached().expect("is there");
    let looked = look(&project, &dsg, &alice.repository(), &LookOptions::default(), &Silent);
    let looked = looked.expect("looks");
    assert_eq!(looked.plan.steps.len(), 1);
    remember(&dsg, &looked, &Silent);
    let listed = dsg_store::list::list(&project, &Silent).expect("lists");
    assert_eq!(listed.entries.len(), 2);
    let all = CleanOptions { targets: CleanTarget::ALL.to_vec(), unique: true };
    clean::look(&project, &all, &Silent).expect("looks");
}
