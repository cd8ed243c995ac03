//! The commit: a short time under the lock, in which nothing is read that can be large.
//!
//! The commit *is* the creation of `snapshots/sN`, by a rename that fails if the name exists. The
//! lock, which the kernel releases with the process, only orders the work. Before the commit the
//! head and the files that are superseded are looked at once more; after it come renames whose
//! recipe lies in the pack, so that a crash anywhere is finished by whoever comes next.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dsg_core::hash::ChainHash;
use dsg_core::path::RepoPath;
use dsg_core::snapshot::SnapshotNumber;
use foundation_runtime::{Clock, SystemClock};

use super::layout::{LOCK, LocalRepository, STAGED_DOCUMENT, STAGED_PACK, TURN};
use super::pack::pack_name;
use super::prepare::Prepared;
use super::refusals::foreign;
use super::stage::LocalUpload;
use super::steps::{CommitStep, Superseded, Touched, carry_out};
use super::{CommitAnswer, CommitRequest, Head, Turn};
use crate::error::{Code, Error, Result};
use crate::monitor::{Monitor, Notice, check_stop};
use crate::system::{FileLock, Parents, lock_holder, present, sync_file_system, wait_for_lock};

/// Up to this many directories are synced one by one while the lock is held; more are left to one
/// call for the file system after it is released.
pub(super) const SYNC_UNDER_LOCK_MAX: usize = 64;

/// How often somebody who waits for a lock looks whether the user wants to stop.
const LOOK: Duration = Duration::from_millis(100);
/// Whoever has waited for so long is told for what.
const TOLD_AFTER: Duration = Duration::from_secs(3);

/// The next turn, while this lives.
struct LocalTurn {
    _lock: FileLock,
    held: Arc<AtomicBool>,
}

impl Turn for LocalTurn {}

impl Drop for LocalTurn {
    fn drop(&mut self) {
        self.held.store(false, Ordering::SeqCst);
    }
}

impl LocalRepository {
    /// See [`Repository::turn`](super::Repository::turn).
    pub(super) fn take_turn(&self, monitor: &dyn Monitor) -> Result<Box<dyn Turn>> {
        check_stop(monitor)?;
        let lock = self.wait_for(TURN, monitor)?;
        self.has_turn.store(true, Ordering::SeqCst);
        Ok(Box::new(LocalTurn { _lock: lock, held: Arc::clone(&self.has_turn) }))
    }

    /// Takes one of the repository's locks, in the order in which it was asked for. Whoever waits is
    /// told why, and may give up.
    pub(super) fn wait_for(&self, name: &str, monitor: &dyn Monitor) -> Result<FileLock> {
        let mut waiting = wait_for_lock(&self.control, name, self.file_mode(false))?;
        let begun = SystemClock::new();
        let mut told = false;
        loop {
            if let Some(lock) = waiting.wait(LOOK)? {
                return Ok(lock);
            }
            check_stop(monitor)?;
            if !told && begun.monotonic() >= TOLD_AFTER {
                told = true;
                let who = match lock_holder(&self.control, name) {
                    Some(process) => format!(" (process {process} on the repository's machine)"),
                    None => String::new(),
                };
                let text = format!(
                    "waiting for another dsg that commits to this repository{who}; if it is stopped or hangs, end it: nothing is lost by that"
                );
                monitor.notice(Notice { text });
            }
        }
    }

    /// Takes the commit lock; what a crash left of the newest snapshot is finished first, so that
    /// behind this lock the visible tree is that of the head.
    pub(super) fn lock_recovered(&self, monitor: &dyn Monitor) -> Result<FileLock> {
        self.refuse_generations()?;
        loop {
            let lock = self.wait_for(LOCK, monitor)?;
            let Some(unfinished) = self.finish_head()? else {
                self.keep_state(&lock)?;
                return Ok(lock);
            };
            // Many directories: made durable without the lock, then looked at again.
            drop(lock);
            sync_file_system(&self.root)?;
            let lock = self.wait_for(LOCK, monitor)?;
            self.forget_unfinished(&unfinished)?;
            drop(lock);
        }
    }
}

impl LocalUpload<'_> {
    pub(super) fn prepare_and_commit(
        &self,
        request: &CommitRequest,
        monitor: &dyn Monitor,
    ) -> Result<CommitAnswer> {
        let repository = self.repository;
        // What a crash left of the newest snapshot is put into place first: the visible tree is
        // compared with it.
        drop(repository.lock_recovered(monitor)?);
        let own = self.transaction.to_string();
        let prepared = match repository.with_room(&own, || self.prepare(request, monitor)) {
            Ok(Some(prepared)) => prepared,
            Ok(None) => return Ok(CommitAnswer::Moved),
            // While somebody else commits, files are for a moment not those of the last snapshot.
            Err(error)
                if error.code == Code::ForeignEdit && self.has_moved(request.expected)? =>
            {
                return Ok(CommitAnswer::Moved);
            }
            Err(error) => return Err(error),
        };
        check_stop(monitor)?;
        self.commit_prepared(&prepared, request.expected, monitor)
    }

    /// The part of a commit that happens under the lock.
    pub(super) fn commit_prepared(
        &self,
        prepared: &Prepared,
        expected: Option<(SnapshotNumber, ChainHash)>,
        monitor: &dyn Monitor,
    ) -> Result<CommitAnswer> {
        let repository = self.repository;
        let _turn = match repository.has_turn.load(Ordering::SeqCst) {
            true => None,
            false => Some(repository.wait_for(TURN, monitor)?),
        };
        let lock = repository.lock_recovered(monitor)?;
        if repository.is_aborted(&self.transaction)? {
            return Err(Error::new(
                Code::RepositoryBusy,
                format!("{} was given up", self.transaction),
            )
            .because("another run settled it before it could commit")
            .next("run the command again"));
        }
        if self.has_moved(expected)? {
            return Ok(CommitAnswer::Moved);
        }
        self.look_again(&prepared.steps)?;
        self.make_visible(prepared)?;
        let touched = carry_out(repository, &self.transaction, &self.directory, &prepared.steps)?;
        if touched.directories.len() <= SYNC_UNDER_LOCK_MAX {
            repository.sync_touched(&touched)?;
            repository.keep_committed(&lock, monitor);
            drop(lock);
        } else {
            repository.keep_committed(&lock, monitor);
            drop(lock);
            sync_file_system(&repository.root)?;
        }
        self.clean_up()?;
        Ok(CommitAnswer::Committed(Head {
            number: prepared.number,
            chain: ChainHash::of(&prepared.document),
            root: prepared.root.map(|root| root.address.hash),
            entries: prepared.root.map_or(0, |root| root.entries),
        }))
    }

    /// Whether the newest snapshot is another one than the plan was made against.
    fn has_moved(&self, expected: Option<(SnapshotNumber, ChainHash)>) -> Result<bool> {
        let head = self.repository.read_head()?;
        Ok(head.map(|head| (head.number, head.chain)) != expected)
    }

    /// Whoever works on the server without dsg may have saved a file since it was hashed.
    fn look_again(&self, steps: &[CommitStep]) -> Result<()> {
        let mut parents = Parents::new(&self.repository.root);
        for step in steps {
            let (path, old): (&str, &Superseded) = match step {
                CommitStep::Delete { path, old }
                | CommitStep::Place { path, old: Some(old), .. } => (path, old),
                _ => continue,
            };
            let status = match present(parents.of(path.as_ref()))? {
                Some((directory, name)) => present(directory.status(name))?,
                None => None,
            };
            if !status.is_some_and(|status| old.is_still(&status)) {
                return Err(match RepoPath::parse(path) {
                    Ok(path) => foreign(&path, "it changed a moment ago"),
                    Err(_) => Error::new(Code::ForeignEdit, format!("{path} changed a moment ago")),
                });
            }
        }
        Ok(())
    }

    /// The commit itself. After the sync it survives a power cut.
    fn make_visible(&self, prepared: &Prepared) -> Result<()> {
        let snapshots = &self.repository.snapshots;
        let pack = pack_name(prepared.number);
        // An attempt that crashed before its commit may have left a pack of this number.
        snapshots.remove_file_if_there(&pack)?;
        self.directory.link(STAGED_PACK, snapshots, &pack)?;
        self.directory.rename_new_locked(
            STAGED_DOCUMENT,
            snapshots,
            prepared.number.to_string(),
        )?;
        Ok(snapshots.sync()?)
    }

    pub(super) fn clean_up(&self) -> Result<()> {
        let staging = self.repository.staging()?;
        // First the pack: without it nobody looks at the rest again.
        self.directory.remove_file_if_there(STAGED_PACK)?;
        Ok(staging.remove_tree(self.transaction.to_string())?)
    }
}

/// Whether that many directories are synced under the lock.
pub(super) fn few(touched: &Touched) -> bool {
    touched.directories.len() <= SYNC_UNDER_LOCK_MAX
}
