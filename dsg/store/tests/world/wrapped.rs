//! What stands between a sync and the world: a monitor in which tests interfere, and a repository
//! that others use at the worst moment.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use dsg_core::entry::Entry;
use dsg_core::path::RepoPath;
use dsg_core::snapshot::{SnapshotNumber, TransactionId};
use dsg_core::tree::Change;
use dsg_store::error::{Code, Error, Result};
use dsg_store::monitor::{Monitor, Notice, Phase};
use dsg_store::repository::{
    CommitAnswer, CommitRequest, Description, Head, Lane, LeftOver, Repository, Settlement, Target,
    TreeObject, Turn, Upload, VerifyReport, VerifyScope, Wanted,
};
use dsg_store::system::Reader;

/// Something that a monitor heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// A phase began.
    Began(Phase),
    /// The n-th advance of a phase, from 1 on.
    Advanced(Phase, u64),
    /// The n-th time in a phase that somebody asked whether to stop.
    AskedToStop(Phase, u64),
}

/// Calls a function for all that it hears; the function may do what it likes to the disk.
pub(crate) struct Listener<F: Fn(Heard) + Sync> {
    heard: F,
    phase: Mutex<(Option<Phase>, u64, u64)>,
    stop: AtomicBool,
}

impl<F: Fn(Heard) + Sync> Listener<F> {
    pub(crate) fn new(heard: F) -> Self {
        Self { heard, phase: Mutex::new((None, 0, 0)), stop: AtomicBool::new(false) }
    }

    /// From now on it says that the user wants to stop.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
    }

    fn tell(&self, event: impl FnOnce(&mut (Option<Phase>, u64, u64)) -> Option<Heard>) {
        let event = event(&mut self.phase.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some(event) = event {
            (self.heard)(event);
        }
    }
}

impl<F: Fn(Heard) + Sync> Monitor for Listener<F> {
    fn begin(&self, phase: Phase, _files: u64, _bytes: u64) {
        self.tell(|at| {
            *at = (Some(phase), 0, 0);
            Some(Heard::Began(phase))
        });
    }

    fn advance(&self, _files: u64, _bytes: u64) {
        self.tell(|at| {
            at.1 += 1;
            Some(Heard::Advanced(at.0?, at.1))
        });
    }

    fn notice(&self, _notice: Notice) {}

    fn stop_requested(&self) -> bool {
        self.tell(|at| {
            at.2 += 1;
            Some(Heard::AskedToStop(at.0?, at.2))
        });
        self.stop.load(Ordering::SeqCst)
    }
}

/// Does something once, when a certain thing is heard.
pub(crate) fn once(at: Heard, action: impl FnOnce() + Send) -> Listener<impl Fn(Heard) + Sync> {
    let action = Mutex::new(Some(action));
    Listener::new(move |heard| {
        if heard == at
            && let Some(action) = action.lock().unwrap_or_else(PoisonError::into_inner).take()
        {
            action();
        }
    })
}

/// Asks to stop when the n-th thing of a phase was done.
pub(crate) struct StopsAfter {
    phase: Phase,
    number: u64,
    now: Mutex<Option<Phase>>,
    done: AtomicU64,
}

impl StopsAfter {
    pub(crate) fn new(phase: Phase, number: u64) -> Self {
        Self { phase, number, now: Mutex::new(None), done: AtomicU64::new(0) }
    }
}

impl Monitor for StopsAfter {
    fn begin(&self, phase: Phase, _files: u64, _bytes: u64) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = Some(phase);
    }

    fn advance(&self, files: u64, _bytes: u64) {
        if *self.now.lock().unwrap_or_else(PoisonError::into_inner) == Some(self.phase) {
            self.done.fetch_add(files, Ordering::SeqCst);
        }
    }

    fn notice(&self, _notice: Notice) {}

    fn stop_requested(&self) -> bool {
        self.done.load(Ordering::SeqCst) >= self.number
    }
}

/// What is done to a commit on its way.
pub(crate) trait Interference: Send + Sync {
    /// Before the repository hears of it; the n-th attempt, from 1 on.
    fn before_commit(&self, _attempt: u64) {}

    /// Whether the answer gets lost, as when a connection breaks: nothing can be asked after that.
    fn loses_answer(&self) -> bool {
        false
    }
}

/// A repository with somebody in between.
pub(crate) struct Between<R, I> {
    pub(crate) repository: R,
    pub(crate) interference: I,
    pub(crate) attempts: AtomicU64,
    pub(crate) turns: AtomicU64,
    broken: AtomicBool,
}

impl<R: Repository, I: Interference> Between<R, I> {
    pub(crate) fn new(repository: R, interference: I) -> Self {
        let (attempts, turns) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { repository, interference, attempts, turns, broken: AtomicBool::new(false) }
    }

    fn connected(&self) -> Result<()> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(Error::new(Code::RepositoryMissing, "the connection is broken"));
        }
        Ok(())
    }
}

impl<R: Repository, I: Interference> Repository for Between<R, I> {
    fn description(&self) -> &Description {
        self.repository.description()
    }

    fn location(&self) -> String {
        self.repository.location()
    }

    fn head(&self) -> Result<Option<Head>> {
        self.repository.head()
    }

    fn trees(
        &self,
        wanted: SnapshotNumber,
        known: Option<SnapshotNumber>,
    ) -> Result<Vec<TreeObject>> {
        self.repository.trees(wanted, known)
    }

    fn documents(
        &self,
        first: SnapshotNumber,
        last: SnapshotNumber,
    ) -> Result<Vec<(SnapshotNumber, Vec<u8>)>> {
        self.repository.documents(first, last)
    }

    fn entry(&self, number: SnapshotNumber, path: &RepoPath) -> Result<Option<Entry>> {
        self.repository.entry(number, path)
    }

    fn differences(
        &self,
        old: Option<SnapshotNumber>,
        new: Option<SnapshotNumber>,
    ) -> Result<Vec<Change>> {
        self.repository.differences(old, new)
    }

    fn begin<'a>(
        &'a self,
        transaction: &TransactionId,
        unfinished: &[TransactionId],
        files: u64,
    ) -> Result<Box<dyn Upload + 'a>> {
        let upload = self.repository.begin(transaction, unfinished, files)?;
        Ok(Box::new(UploadBetween { between: self, upload }))
    }

    fn turn(&self, monitor: &dyn Monitor) -> Result<Box<dyn Turn>> {
        self.turns.fetch_add(1, Ordering::SeqCst);
        self.repository.turn(monitor)
    }

    fn settle(
        &self,
        transaction: &TransactionId,
        after: Option<SnapshotNumber>,
        monitor: &dyn Monitor,
    ) -> Result<Settlement> {
        self.connected()?;
        self.repository.settle(transaction, after, monitor)
    }

    fn discard(&self, transactions: &[TransactionId]) -> Result<()> {
        self.repository.discard(transactions)
    }

    fn read(
        &self,
        wanted: &Wanted<'_>,
        target: &mut dyn Target,
        monitor: &dyn Monitor,
    ) -> Result<()> {
        self.repository.read(wanted, target, monitor)
    }

    fn verify(&self, scope: &VerifyScope, monitor: &dyn Monitor) -> Result<VerifyReport> {
        self.repository.verify(scope, monitor)
    }
}

struct UploadBetween<'a, R, I> {
    between: &'a Between<R, I>,
    upload: Box<dyn Upload + 'a>,
}

impl<R: Repository, I: Interference> Upload for UploadBetween<'_, R, I> {
    fn lane(&self) -> Result<Box<dyn Lane + '_>> {
        self.upload.lane()
    }

    fn left_over(&self) -> Result<Vec<LeftOver>> {
        self.upload.left_over()
    }

    fn open_left_over(&self, mark: &[u8; 16]) -> Result<Option<Reader>> {
        self.upload.open_left_over(mark)
    }

    fn forget_left_over(&self, needed: &dyn Fn(&[u8; 16]) -> Option<u64>) -> Result<()> {
        self.upload.forget_left_over(needed)
    }

    fn commit(&self, request: &CommitRequest, monitor: &dyn Monitor) -> Result<CommitAnswer> {
        let attempt = self.between.attempts.fetch_add(1, Ordering::SeqCst) + 1;
        self.between.interference.before_commit(attempt);
        let answer = self.upload.commit(request, monitor)?;
        if self.between.interference.loses_answer() {
            self.between.broken.store(true, Ordering::SeqCst);
        }
        self.between.connected()?;
        Ok(answer)
    }
}
