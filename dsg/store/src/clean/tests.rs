use std::fs;

use super::*;
use crate::error::Code;
use crate::monitor::Silent;
use crate::project::new_transaction;
use crate::project::trash::TrashedFile;
use crate::world::{Client, World, path};

const BACKUP: &str = "a.csv~20250713T165322-0700~";

fn options(target: CleanTarget) -> CleanOptions {
    CleanOptions { targets: vec![target], unique: false }
}

fn paths(items: &[CleanItem]) -> Vec<String> {
    items.iter().map(|item| item.path.display().to_string()).collect()
}

fn looked(alice: &Client, options: &CleanOptions) -> Cleaned {
    look(&alice.project(), options, &Silent).expect("looks")
}

fn cleaned(alice: &Client, options: &CleanOptions) -> Cleaned {
    clean(&alice.project(), options, &Silent).expect("cleans")
}

#[test]
fn backups_go_and_files_that_are_called_similarly_stay() {
    let world = World::new();
    let alice = world.client("alice");
    let others = [
        "input/a~backup~",
        "input/b~20250713~",
        "input/c.csv~",
        "input/.hidden/x~20250713T165322Z~",
    ];
    for other in others {
        alice.write(other, "stays");
    }
    alice.write(&format!("input/{BACKUP}"), "12345");
    alice.write("code/x~20250713T165322Z~", "1");
    let options = options(CleanTarget::Backups);
    let dry = looked(&alice, &options);
    assert_eq!(paths(&dry.items), ["code/x~20250713T165322Z~", &format!("input/{BACKUP}")]);
    assert_eq!(dry.items.iter().map(|item| item.bytes).sum::<u64>(), 6);
    assert!(alice.root.join("input").join(BACKUP).exists(), "a look removes nothing");
    let done = cleaned(&alice, &options);
    assert_eq!(done.items, dry.items);
    assert!(!alice.root.join("input").join(BACKUP).exists());
    assert!(others.iter().all(|other| alice.root.join(other).exists()));
    assert_eq!(cleaned(&alice, &options), Cleaned::default());
}

#[test]
fn the_copy_that_lost_a_conflict_is_not_cleaned_in_passing() {
    let world = World::new();
    let alice = world.client("alice");
    alice.write(&format!("input/{BACKUP}"), "alice's only copy");
    alice.write(CONFLICTS_FILE, "half of it is chosen");
    let all = CleanOptions { targets: CleanTarget::ALL.to_vec(), unique: false };
    let done = cleaned(&alice, &all);
    assert_eq!(paths(&done.items), [""; 0]);
    assert_eq!(paths(&done.kept), [CONFLICTS_FILE, &format!("input/{BACKUP}")]);
    assert!(alice.root.join("input").join(BACKUP).exists());
    assert!(alice.root.join(CONFLICTS_FILE).exists());
    let done = cleaned(&alice, &CleanOptions { unique: true, ..all });
    assert_eq!(paths(&done.items), [CONFLICTS_FILE, &format!("input/{BACKUP}")]);
    assert!(!alice.root.join("input").join(BACKUP).exists());
}

/// One file that history has, and one that is only in the trash.
fn with_trash(world: &World) -> Client {
    let alice = world.client("alice");
    alice.write("input/a", "11");
    alice.write("input/b", "222");
    alice.sync();
    let bob = world.client("bob");
    bob.sync();
    alice.write("input/a", "new");
    alice.remove("input/b");
    alice.sync();
    bob.sync();
    let dsg = bob.project().dsg_attached().expect("is there");
    let files = [TrashedFile {
        name: "0".to_owned(),
        path: path("input/mine"),
        hash: None,
        in_history: false,
    }];
    let own = trash::prepare(&dsg, &new_transaction().expect("an id"), &files).expect("prepares");
    own.write_new("0", b"only here", 0o600).expect("writes");
    own.directory_made("1-aside", 0o700)
        .expect("makes")
        .write_new("x", b"aside", 0o600)
        .expect("writes");
    bob
}

#[test]
fn trash_goes_but_for_what_is_nowhere_in_the_history() {
    let world = World::new();
    let bob = with_trash(&world);
    let options = options(CleanTarget::Trash);
    let dry = looked(&bob, &options);
    let sizes = |items: &[CleanItem]| -> Vec<(u64, u64)> {
        items.iter().map(|item| (item.files, item.bytes)).collect()
    };
    assert_eq!((sizes(&dry.items), sizes(&dry.kept)), (vec![(2, 5)], vec![(2, 14)]));
    let done = cleaned(&bob, &options);
    assert_eq!((&done.items, &done.kept), (&dry.items, &dry.kept));
    let again = looked(&bob, &options);
    assert_eq!((again.items.len(), again.kept), (0, done.kept));
    let all = CleanOptions { unique: true, ..options };
    assert_eq!(sizes(&cleaned(&bob, &all).items), [(2, 14)]);
    assert_eq!(looked(&bob, &all), Cleaned::default());
}

#[test]
fn trash_that_was_written_to_later_is_kept() {
    let world = World::new();
    let bob = with_trash(&world);
    let options = options(CleanTarget::Trash);
    let dry = looked(&bob, &options);
    let folder = bob.root.join(&dry.items[0].path);
    // Somebody had the file open and went on writing.
    fs::write(folder.join("0"), "written later").expect("writes");
    let done = cleaned(&bob, &options);
    assert_eq!(done.items.iter().map(|item| item.files).sum::<u64>(), 1);
    assert_eq!(fs::read(folder.join("0")).expect("is there"), b"written later");
}

#[test]
fn temporary_files_go_unless_an_unfinished_sync_needs_them() {
    let world = World::new();
    let alice = world.client("alice");
    alice.sync();
    let dsg = alice.project().dsg_attached().expect("is there");
    let journal = Journal { transaction: new_transaction().expect("an id"), ..Journal::default() };
    journal.write(&dsg).expect("writes");
    let needed = format!(".dsg/tx/{}/0-0", journal.transaction);
    alice.write(&needed, "needed");
    alice.write(".dsg/tx/tx-0011223344556677/0-0", "left over");
    alice.write(".dsg/index.new", "torn");
    alice.write(&format!("input/{TEMPORARY}0011"), "somebody fetches now");
    let options = options(CleanTarget::Temp);
    let done = cleaned(&alice, &options);
    assert_eq!(paths(&done.items), [".dsg/index.new", ".dsg/tx/tx-0011223344556677"]);
    assert!(alice.root.join(needed).exists());
    assert!(alice.root.join(format!("input/{TEMPORARY}0011")).exists());
    assert!(!alice.root.join(".dsg/index.new").exists());
    assert!(alice.root.join(".dsg/index").exists());
    let mark = alice.root.join(".dsg/tx/tx-0011223344556677");
    assert_eq!(fs::read_dir(mark).expect("the mark stays").count(), 0);
}

#[test]
fn the_list_of_conflicts_goes_when_asked_for() {
    let world = World::new();
    let alice = world.client("alice");
    alice.write(CONFLICTS_FILE, "choose");
    alice.write("input/conflicts.txt", "data");
    assert_eq!(looked(&alice, &options(CleanTarget::Backups)), Cleaned::default());
    assert_eq!(paths(&cleaned(&alice, &options(CleanTarget::Conflicts)).items), [CONFLICTS_FILE]);
    assert!(!alice.root.join(CONFLICTS_FILE).exists());
    assert!(alice.root.join("input/conflicts.txt").exists());
}

#[test]
fn nothing_is_removed_while_another_dsg_works_here() {
    let world = World::new();
    let alice = world.client("alice");
    alice.write(&format!("input/{BACKUP}"), "1");
    let dsg = alice.project().dsg_attached().expect("is there");
    let _held = lock_project(&dsg).expect("locks");
    let error = clean(&alice.project(), &options(CleanTarget::Backups), &Silent).unwrap_err();
    assert_eq!(error.code, Code::ProjectBusy);
    assert!(alice.root.join("input").join(BACKUP).exists());
}
