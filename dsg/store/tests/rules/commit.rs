//! Committing: turns, transactions that are settled, uploads that are resumed.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicBool, Ordering};

use dsg_core::snapshot::{SnapshotNumber, TransactionId};
use dsg_store::error::Code;
use dsg_store::monitor::{Monitor, Notice, Phase, Silent};
use dsg_store::repository::{CommitAnswer, CommitRequest, Repository, Settlement};
use dsg_store::sync::{SyncOutcome, sync};

use crate::world::wrapped::{Between, Interference, StopsAfter};
use crate::world::{Client, World, chmod, look, mode, options, steps};

/// Somebody who syncs something of their own right before others commit.
struct Faster {
    client: Client,
    times: u64,
    late: std::sync::Mutex<Option<std::thread::JoinHandle<u64>>>,
}

impl Interference for Faster {
    fn before_commit(&self, attempt: u64) {
        self.client.write("input/of-the-faster", attempt.to_string());
        if attempt <= self.times {
            self.client.sync();
            return;
        }
        // Again, but now it is the other's turn: this one has to wait for it.
        let (root, user) = (self.client.root.clone(), self.client.user.clone());
        let late = std::thread::spawn(move || {
            let report = Client { root, user }.sync();
            report.snapshot.map_or(0, SnapshotNumber::get)
        });
        std::thread::sleep(std::time::Duration::from_millis(100));
        assert!(!late.is_finished(), "it waits");
        *self.late.lock().expect("locks") = Some(late);
    }
}

#[test]
fn moved_twice_gets_the_next_turn() {
    let world = World::new();
    let alice = world.project("alice");
    alice.write("input/a", "of alice");
    let client = world.project("bob");
    let faster = Faster { client, times: 2, late: std::sync::Mutex::new(None) };
    let between = Between::new(alice.repository(), faster);
    let outcome = sync(&alice.project(), &between, &options(), &Silent).expect("syncs");
    let SyncOutcome::Done(report) = outcome else { panic!("{outcome:?}") };
    assert_eq!(report.snapshot.map(SnapshotNumber::get), Some(3));
    assert_eq!(between.attempts.load(Ordering::SeqCst), 3, "moved, moved, committed");
    assert_eq!(between.turns.load(Ordering::SeqCst), 1, "the third time by turn");
    let late = between.interference.late.lock().expect("locks").take().expect("was started");
    assert_eq!(late.join().expect("ends"), 4, "the faster one came after");
    alice.sync();
    assert_eq!(alice.read("input/of-the-faster"), "3");
    assert_eq!(look::names(&world.control().join("staging")), [""; 0]);
    world.assert_whole();
}

struct LosesTheAnswer;

impl Interference for LosesTheAnswer {
    fn loses_answer(&self) -> bool {
        true
    }
}

#[test]
fn a_commit_whose_answer_was_lost_is_found_again() {
    let world = World::new();
    let alice = world.project("alice");
    alice.write("input/a", "base");
    alice.write("input/gone", "base");
    alice.sync();
    let bob = world.project("bob");
    bob.sync();
    bob.write("input/of-bob", "of bob");
    bob.sync();
    alice.write("input/a", "of alice");
    alice.remove("input/gone");
    let between = Between::new(alice.repository(), LosesTheAnswer);
    sync(&alice.project(), &between, &options(), &Silent).expect_err("the answer is lost");
    assert_eq!(world.shown("input/a"), "of alice", "though it was committed");
    assert!(!alice.has("input/of-bob"));
    // Another goes on, alice edits: then it is settled.
    bob.sync();
    bob.write("input/a", "of bob");
    bob.sync();
    alice.write("input/new", "of alice");
    let report = alice.sync();
    assert!(report.recovered);
    assert_eq!(steps(&report), [("input/a", "downloaded"), ("input/new", "uploaded")]);
    assert_eq!(alice.read("input/of-bob"), "of bob");
    bob.sync();
    assert_eq!(look::contents(&alice.root), look::contents(&bob.root));
    world.assert_whole();
}

#[test]
fn a_settled_transaction_never_commits() {
    let world = World::new();
    let repository = crate::world::open(&world.repository());
    let transaction = TransactionId::from_bytes([1; 8]);
    let upload = repository.begin(&transaction, &[], 1).expect("begins");
    // Somebody asks what became of it, and is told: nothing, for ever.
    let settled = repository.settle(&transaction, None, &Silent).expect("settles");
    assert_eq!(settled, Settlement::Aborted);
    let request = || CommitRequest {
        expected: None,
        changes: vec![dsg_store::repository::PathChange {
            path: crate::world::key("input/l"),
            old: None,
            new: Some(dsg_store::repository::NewEntry::Link { target: "a".into() }),
        }],
        message: String::new(),
        configuration: serde_json::Map::new(),
    };
    let error = upload.commit(&request(), &Silent).expect_err("is fenced");
    assert_eq!(error.code, Code::RepositoryBusy);
    drop(upload);
    assert_eq!(world.head(), 0);
    // One that did commit is found by its name in the chain, however often it is asked.
    let transaction = TransactionId::from_bytes([2; 8]);
    let upload = repository.begin(&transaction, &[], 1).expect("begins");
    let answer = upload.commit(&request(), &Silent).expect("commits");
    let CommitAnswer::Committed(head) = answer else { panic!("{answer:?}") };
    for _ in 0..2 {
        let settled = repository.settle(&transaction, None, &Silent).expect("settles");
        assert_eq!(settled, Settlement::Committed(head.number));
    }
    let error = upload.commit(&request(), &Silent);
    assert!(matches!(error, Ok(CommitAnswer::Moved) | Err(_)), "a second time is no commit");
    assert_eq!(world.head(), 1);
}

#[test]
fn a_living_upload_is_nobody_elses() {
    let world = World::new();
    let alice = world.project("alice");
    let bob = world.project("bob");
    let repository = crate::world::open(&world.repository());
    let living = TransactionId::from_bytes([1; 8]);
    let upload = repository.begin(&living, &[], 1).expect("begins");
    let staged = world.control().join("staging").join(living.to_string());
    fs::write(staged.join("f-1"), "staged").expect("writes");
    // Neither who claims it, nor a clean-up when it looks old, nor another's commit takes it.
    let other = TransactionId::from_bytes([2; 8]);
    drop(repository.begin(&other, &[living], 1).expect("begins"));
    alice.write("input/a", "a");
    alice.sync();
    assert_eq!(fs::read_to_string(staged.join("f-1")).expect("reads"), "staged");
    let error = repository.begin(&living, &[], 1).err().expect("is in use");
    assert_eq!(error.code, Code::RepositoryBusy);
    drop(upload);
    // Now it is nobody's: it waits to be resumed, and who names it takes it over.
    bob.write("input/b", "b");
    bob.sync();
    assert!(staged.exists());
    drop(repository.begin(&other, &[living], 1).expect("begins"));
    assert!(!staged.exists());
}

/// Asks to stop when it is told something.
#[derive(Default)]
struct StopsWhenTold {
    told: std::sync::Mutex<Vec<String>>,
    stop: AtomicBool,
}

impl Monitor for StopsWhenTold {
    fn begin(&self, _phase: Phase, _files: u64, _bytes: u64) {}
    fn advance(&self, _files: u64, _bytes: u64) {}
    fn notice(&self, notice: Notice) {
        self.told.lock().expect("locks").push(notice.text);
        self.stop.store(true, Ordering::SeqCst);
    }
    fn stop_requested(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }
}

#[test]
fn who_waits_for_another_is_told_and_may_stop() {
    let world = World::new();
    let alice = world.project("alice");
    let control = dsg_store::system::Directory::open(&world.control()).expect("opens");
    for (number, lock) in ["lock", "turn"].into_iter().enumerate() {
        alice.write("input/a", lock);
        let held = dsg_store::system::lock_file(&control, lock, 0o600, false).expect("locks");
        assert!(held.is_some());
        let monitor = StopsWhenTold::default();
        let error = alice.sync_as(&options(), &monitor).expect_err("stops");
        assert_eq!(error.code, Code::Interrupted);
        let told = monitor.told.into_inner().expect("locks");
        assert!(told[0].contains("waiting for another dsg"), "{told:?}");
        assert_eq!((told.len(), world.head()), (1, number as u64));
        drop(held);
        alice.sync();
        assert_eq!(world.head(), number as u64 + 1, "committed once");
    }
    assert_eq!(look::names(&world.control().join("staging")), [""; 0]);
}

#[test]
fn a_project_has_one_writer() {
    let world = World::new();
    let alice = world.project("alice");
    alice.write("input/a", "a");
    let dsg = dsg_store::system::Directory::open(&alice.at(".dsg")).expect("opens");
    let lock = dsg_store::project::lock_project(&dsg).expect("locks");
    alice.sync_fails(Code::ProjectBusy);
    assert_eq!(world.head(), 0);
    drop(lock);
    alice.sync();
}

/// The inodes of the contents that lie in staging.
fn staged_inodes(world: &World) -> BTreeMap<u64, u64> {
    let mut found = BTreeMap::new();
    let mut stack = vec![world.control().join("staging")];
    while let Some(folder) = stack.pop() {
        for entry in fs::read_dir(folder).expect("lists") {
            let entry = entry.expect("an entry");
            let metadata = entry.metadata().expect("is there");
            if metadata.is_dir() {
                stack.push(entry.path());
            } else if metadata.len() > 1000 {
                found.insert(metadata.ino(), metadata.len());
            }
        }
    }
    found
}

#[test]
fn resumed_upload_uses_what_landed() {
    let world = World::new();
    let alice = world.project("alice");
    alice.write("output/there", "there");
    alice.sync();
    // Into a directory that is there, and into one that is not.
    let names: Vec<String> = (0..30)
        .map(|n| format!("{}/{n:02}", if n % 2 == 0 { "output" } else { "input/new" }))
        .collect();
    for (n, name) in names.iter().enumerate() {
        alice.write(name, format!("{n:04}").repeat(500 + n));
    }
    // Three runs that are cut off, each a bit later; one of them at once.
    let mut landed = BTreeMap::new();
    for after in [10, 1, 20] {
        let error = alice.sync_as(&options(), &StopsAfter::new(Phase::Uploading, after));
        assert_eq!(error.expect_err("is cut off").code, Code::Interrupted);
        landed.extend(staged_inodes(&world));
        let staged = staged_inodes(&world);
        assert!(landed.keys().all(|inode| staged.contains_key(inode)), "nothing is thrown away");
        assert_eq!(look::names(&world.control().join("staging")).len(), 1);
    }
    assert!((20..30).contains(&landed.len()), "{}", landed.len());
    // Meanwhile a file that had landed got another content, one another mode and time.
    let of = |inode: u64| {
        let same = |name: &&String| {
            let size = fs::metadata(alice.at(name)).expect("is there").len();
            landed.get(&inode) == Some(&size)
        };
        names.iter().find(same).expect("has landed").clone()
    };
    let mut inodes = landed.keys().copied();
    let (changed, executable) =
        (of(inodes.next().expect("one")), of(inodes.next().expect("another")));
    let size = fs::metadata(alice.at(&changed)).expect("is there").len();
    alice.write(&changed, "z".repeat(usize::try_from(size).expect("fits")));
    chmod(&alice.at(&executable), 0o755);
    crate::world::set_modified(&alice.at(&executable), crate::world::long_ago(9));
    let report = alice.sync();
    assert_eq!(report.steps.len(), 30);
    // With its size, as the inode of what was of no use may be another file's by now.
    let placed = |name: &String| {
        let metadata = fs::metadata(world.repository().join(name)).expect("is there");
        (metadata.ino(), metadata.len())
    };
    let unchanged = names.iter().filter(|name| **name != changed).map(placed);
    let used = unchanged.filter(|(inode, size)| landed.get(inode) == Some(size)).count();
    assert_eq!(used, landed.len() - 1, "all that landed and is still wanted");
    let shown = world.repository().join(&executable);
    assert_eq!(mode(&shown), 0o700, "as it is now, not as it was then");
    assert_eq!(crate::world::modified(&shown), crate::world::long_ago(9));
    assert_eq!(look::names(&world.control().join("staging")), [""; 0]);
    let bob = world.project("bob");
    bob.sync();
    assert_eq!(look::contents(&bob.root), look::contents(&alice.root));
    world.assert_whole();
}
