//! Others are at work at the same moment: an editor, a process that was thought dead, a second sync.

use std::fs;
use std::io::{Seek, Write};
use std::path::Path;
use std::sync::Arc;

use dsg_core::snapshot::TransactionId;
use dsg_store::error::Code;
use dsg_store::repository::{LocalRepository, Repository, Settlement};
use dsg_store::sync::SyncOutcome;
use foundation_runtime::clock::{Clock, FixedClock, SystemClock};
use jiff::SignedDuration;
use testkit::picture::Picture;
use testkit::program::{Fault, Step, nothing_starts};

use super::check::agrees;
use super::scenario::{DOWNLOAD, Reference, UPLOAD};
use super::sweep::{Findings, at};
use super::world::{Ended, Operation, World, ended};

/// Saves as editors do: a new file, renamed over the old one.
fn save(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a parent")).expect("creates");
    let temporary = path.with_extension("swap");
    fs::write(&temporary, text).expect("writes");
    fs::rename(temporary, path).expect("renames");
}

/// Writes over a file that is there, without making another.
fn write_over(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a parent")).expect("creates");
    fs::write(path, text).expect("writes");
}

/// A way to write a text to a path.
type Edit = fn(&Path, &str);

const EDITS: [(&str, Edit); 6] = [
    ("input/change.txt", write_over),
    ("input/grow", save),
    ("input/remove.txt", write_over),
    ("input/twin-1", save),
    ("input/emptied/appeared", write_over),
    ("input/new/one", save),
];

fn text_of(path: &str, word: &str) -> String {
    format!("edited {word} the sync: {path}")
}

fn edits_kept(world: &World, word: &str, when: &str) -> Vec<String> {
    let is_lost = |path: &&str| {
        fs::read_to_string(world.project("alice").join(path)).ok() != Some(text_of(path, word))
    };
    let lost = EDITS.iter().map(|(path, _)| *path).filter(is_lost);
    lost.map(|path| format!("{when}: the edit of {path} is not there")).collect()
}

/// The edits, told apart by `word`.
fn edit_all(world: &World, word: &str) {
    for (path, edit) in EDITS {
        edit(&world.project("alice").join(path), &text_of(path, word));
    }
}

/// The next sync is like any other: it asks where the other side changed too, and only there.
fn next_sync(world: &World, wrong: &mut Vec<String>) {
    match world.run(Operation::Sync, "alice") {
        Ok(SyncOutcome::Done(_)) => wrong.extend(agrees(world, "alice")),
        Ok(SyncOutcome::Conflicts(questions)) => {
            let known = |path: &str| {
                EDITS.iter().any(|(edited, _)| *edited == path) || path.contains("deep/file")
            };
            for question in questions.iter().filter(|question| !known(question.path.as_str())) {
                wrong.push(format!("a conflict at {}: {}", question.path, question.reason));
            }
        }
        Err(error) => wrong.push(format!("the next sync: {error}")),
    }
}

fn edit_during(reference: &Reference, step: u64) -> Vec<String> {
    let prepared = DOWNLOAD.prepare();
    let world = &prepared.world;
    let project = world.project("alice");
    // A program that has a file open for long, as a notebook or a simulation does.
    let held = project.join("input/change/deep/file.txt");
    let mut open = fs::OpenOptions::new().write(true).open(held).expect("opens");
    let process = world.start(DOWNLOAD.operation, DOWNLOAD.actor, Fault::Stop(step));
    if !process.stopped().expect("waits") {
        return vec![format!("step {step} was not reached")];
    }
    edit_all(world, "during");
    let written_by_handle = "written by a program that had the file open";
    open.rewind().expect("rewinds");
    open.set_len(0).expect("empties");
    open.write_all(written_by_handle.as_bytes()).expect("writes");
    drop(open);
    process.go_on().expect("goes on");
    let end = ended(process);
    let mut wrong = Vec::new();
    if end != Ended::Done {
        wrong.push(format!("{end:?}"));
    }
    wrong.extend(edits_kept(world, "during", "after the sync"));
    if !is_somewhere(&project, written_by_handle) {
        wrong.push("what went through the open file is nowhere".to_owned());
    }
    next_sync(world, &mut wrong);
    wrong.extend(edits_kept(world, "during", "after the next sync"));
    if wrong.is_empty() { wrong } else { at(reference, step, wrong, "edited") }
}

fn is_somewhere(project: &Path, text: &str) -> bool {
    let hash = blake3::hash(text.as_bytes()).to_hex().to_string();
    let everywhere = Picture::without(project, &|_| false).expect("looks");
    everywhere.contents().contains_key(hash.as_str())
}

/// The user goes on working between a crash and the next command.
fn edit_after(reference: &Reference, step: u64) -> Vec<String> {
    let prepared = DOWNLOAD.prepare();
    let world = &prepared.world;
    ended(world.start(DOWNLOAD.operation, DOWNLOAD.actor, Fault::Kill(step)));
    edit_all(world, "after");
    let mut wrong = Vec::new();
    next_sync(world, &mut wrong);
    wrong.extend(edits_kept(world, "after", "after the next run"));
    next_sync(world, &mut wrong);
    wrong.extend(edits_kept(world, "after", "after one more"));
    if wrong.is_empty() { wrong } else { at(reference, step, wrong, "killed, then edited") }
}

/// The user saves while a step is on its way, the crash comes right after it, and the user saves
/// again.
fn edit_before_and_after(reference: &Reference, step: u64) -> Vec<String> {
    let prepared = DOWNLOAD.prepare();
    let world = &prepared.world;
    let project = world.project("alice");
    let process = world.start(DOWNLOAD.operation, DOWNLOAD.actor, Fault::StopThenKill(step));
    if !process.stopped().expect("waits") {
        return vec![format!("step {step} was not reached")];
    }
    edit_all(world, "during");
    process.go_on().expect("goes on");
    ended(process);
    let here = |path: &str, word: &str| {
        fs::read_to_string(project.join(path)).ok() == Some(text_of(path, word))
    };
    // Where the first edit is no longer at its path, nobody but dsg has it.
    let taken: Vec<&str> =
        EDITS.iter().map(|(path, _)| *path).filter(|path| !here(path, "during")).collect();
    edit_all(world, "after");
    let mut wrong = Vec::new();
    next_sync(world, &mut wrong);
    wrong.extend(edits_kept(world, "after", "after the next run"));
    for path in taken {
        if !is_somewhere(&project, &text_of(path, "during")) {
            wrong.push(format!("the first edit of {path} is nowhere"));
        }
    }
    next_sync(world, &mut wrong);
    wrong.extend(edits_kept(world, "after", "after one more"));
    if wrong.is_empty() { wrong } else { at(reference, step, wrong, "edited, killed, edited") }
}

/// Whether a step puts something into place in alice's project, or comes after that.
fn first_apply(steps: &[Step]) -> u64 {
    let applies = |step: &Step| step.path.contains("/.dsg/trash");
    steps.iter().position(applies).expect("an apply") as u64 + 1
}

/// Tries one way of editing at each step of the apply.
fn at_each_step(what: &str, edit: fn(&Reference, u64) -> Vec<String>) {
    let reference = DOWNLOAD.reference();
    let first = first_apply(&reference.log);
    let count = reference.log.len() as u64 - first + 1;
    let mut findings = Findings::default();
    findings.each("download", count, |number| edit(&reference, first + number - 1));
    findings.settle(what);
}

#[test]
fn edit_during_apply_is_kept() {
    at_each_step("edits during apply", edit_during);
}

#[test]
fn edit_between_crash_and_recovery_is_kept() {
    at_each_step("edits after a crash", edit_after);
}

#[test]
fn edits_before_and_after_a_crash_are_kept() {
    at_each_step("edits before and after a crash", edit_before_and_after);
}

/// The transaction whose staging area is there.
fn staged(world: &World) -> Vec<TransactionId> {
    let staging = world.repository().join(".dsg-repository/staging");
    let entries = fs::read_dir(staging).expect("lists");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    names.map(|name| name.to_string_lossy().parse().expect("a transaction")).collect()
}

fn open_later(world: &World, days: i64) -> LocalRepository {
    let later = SystemClock::new().now() + SignedDuration::from_hours(24 * days);
    let clock = Arc::new(FixedClock::new(later));
    LocalRepository::open(&world.repository(), "carol@example.org", clock).expect("opens")
}

/// The steps from the first in the staging area of the repository to the commit.
fn staging_steps(reference: &Reference) -> std::ops::Range<u64> {
    let position = |wanted: &dyn Fn(&Step) -> bool| {
        reference.log.iter().position(wanted).expect("a step") as u64 + 1
    };
    let first = position(&|step| step.path.contains("/staging/tx-"));
    let linked = position(&|step| step.path.ends_with("/snapshots/s2.trees"));
    first..linked
}

#[test]
fn late_commit_is_fenced() {
    let reference = UPLOAD.reference();
    let steps = staging_steps(&reference);
    let mut findings = Findings::default();
    // Behind the last of these steps the commit holds the lock, and others wait for it.
    findings.each("upload", steps.end - steps.start - 1, |number| {
        let step = steps.start + number;
        let prepared = UPLOAD.prepare();
        let world = &prepared.world;
        let process = world.start(UPLOAD.operation, UPLOAD.actor, Fault::Stop(step));
        if !process.stopped().expect("waits") {
            return vec!["was not reached".to_owned()];
        }
        let areas = staged(world);
        let [transaction] = areas[..] else { return vec![format!("staging areas: {areas:?}")] };
        let before = world.moment().repository.visible;
        let settled = {
            let _guard = nothing_starts();
            open_later(world, 0).settle(
                &transaction,
                reference_number(&reference),
                &dsg_store::monitor::Silent,
            )
        };
        process.go_on().expect("goes on");
        let end = ended(process);
        let mut wrong = before.differences(&world.moment().repository.visible);
        if settled.as_ref().ok() != Some(&Settlement::Aborted) {
            wrong.push(format!("settled as {settled:?}"));
        }
        if !matches!(end, Ended::Failed(Code::RepositoryBusy, _)) {
            wrong.push(format!("the late commit: {end:?}"));
        }
        if let Err(why) = UPLOAD.run(world) {
            wrong.push(why);
        }
        wrong.extend(super::check::at_the_end(&UPLOAD, &prepared, &reference));
        wrong
    });
    findings.settle("late commits");
}

fn reference_number(reference: &Reference) -> Option<dsg_core::snapshot::SnapshotNumber> {
    dsg_core::snapshot::SnapshotNumber::new(reference.before.repository.head)
}

#[test]
fn live_staging_is_not_discarded() {
    let reference = UPLOAD.reference();
    let steps = staging_steps(&reference);
    // From when the area has its lock on.
    let first = steps.start + 3;
    let mut findings = Findings::default();
    findings.each("upload", steps.end - first, |number| {
        let prepared = UPLOAD.prepare();
        let world = &prepared.world;
        let process = world.start(UPLOAD.operation, UPLOAD.actor, Fault::Stop(first + number - 1));
        if !process.stopped().expect("waits") {
            return vec!["was not reached".to_owned()];
        }
        let before = staged(world);
        {
            let _guard = nothing_starts();
            let repository = open_later(world, 8);
            let other = TransactionId::from_bytes([7; 8]);
            drop(repository.begin(&other, &before, 0).expect("begins"));
            repository.discard(&before).expect("discards");
            repository.discard(&[other]).expect("discards");
        }
        let mut wrong = Vec::new();
        if staged(world) != before {
            wrong.push(format!("the area of a living process is gone: {:?}", staged(world)));
        }
        process.go_on().expect("goes on");
        match ended(process) {
            Ended::Done => wrong.extend(super::check::at_the_end(&UPLOAD, &prepared, &reference)),
            other => wrong.push(format!("{other:?}")),
        }
        wrong
    });
    findings.settle("living uploads");
}

#[test]
fn the_staging_of_a_dead_process_waits_for_a_week() {
    let reference = UPLOAD.reference();
    let prepared = UPLOAD.prepare();
    let world = &prepared.world;
    let step = staging_steps(&reference).end - 1;
    ended(world.start(UPLOAD.operation, UPLOAD.actor, Fault::Kill(step)));
    let before = staged(world);
    assert_eq!(before.len(), 1);
    let other = TransactionId::from_bytes([7; 8]);
    for (days, left) in [(6, true), (8, false)] {
        let _guard = nothing_starts();
        let repository = open_later(world, days);
        drop(repository.begin(&other, &[], 0).expect("begins"));
        repository.discard(&[other]).expect("discards");
        assert_eq!(staged(world) == before, left, "after {days} days");
    }
    UPLOAD.run(world).expect("syncs");
    assert_eq!(super::check::at_the_end(&UPLOAD, &prepared, &reference), [""; 0]);
}
