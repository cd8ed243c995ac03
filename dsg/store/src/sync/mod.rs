//! The protocol of a sync: recover, look, stage, commit, apply (`ARCHITECTURE.md`, "A sync").

mod download;
mod guards;
mod left_over;
mod local;
mod look;
mod past;
mod recover;
mod report;
mod settle;
mod upload;

use dsg_core::conflict::Question;
use dsg_core::plan::Action;
use dsg_core::snapshot::{SnapshotNumber, TransactionId};

pub use guards::refuse;
pub(crate) use look::check_identity;
use look::told;
pub use look::{Counts, Look, LookOptions, look, remember};
pub use report::{SyncOutcome, SyncReport, word};

use crate::error::{Code, Error, Result};
use crate::monitor::{Monitor, Phase, check_stop};
use crate::project::{
    Applied, Journal, Project, Skipped, TRANSACTIONS, apply, lock_project, new_transaction,
};
use crate::repository::{CommitAnswer, CommitRequest, Head, PathChange, Repository};
use crate::system::{Directory, FileLock, present};
use guards::refuse_other_device;
use report::describe;

/// After this many answers "moved" the client asks for the next turn.
const MOVED_BEFORE_TURN: u32 = 2;
/// After this many attempts it gives up: somebody else then commits all the time, or the files here
/// never stand still.
const ATTEMPTS_MAX: u32 = 12;

/// How to sync.
#[derive(Clone, Debug)]
pub struct SyncOptions {
    /// What the user allows and has decided.
    pub look: LookOptions,
    /// What the user says about it; made from the changes when there is nothing.
    pub message: Option<String>,
    /// Whether a file that loses against a choice is kept beside the new one, and under which stamp.
    pub backup_stamp: Option<String>,
}

/// Makes L and R equal where nobody disagrees.
///
/// # Errors
/// Nothing is half done after one: the next command finishes or forgets what was begun.
pub fn sync(
    project: &Project,
    repository: &dyn Repository,
    options: &SyncOptions,
    monitor: &dyn Monitor,
) -> Result<SyncOutcome> {
    let dsg = project.dsg_attached()?;
    let lock = lock_project(&dsg)?;
    let recovered = recover::recover(project, &dsg, repository, monitor)?;
    let mut sync = Sync {
        project,
        dsg: &dsg,
        repository,
        options,
        monitor,
        unfinished: recovered.unfinished,
        skipped: Vec::new(),
        _lock: lock,
    };
    let mut outcome = sync.run()?;
    if let SyncOutcome::Done(report) = &mut outcome {
        report.recovered = recovered.finished;
    }
    Ok(outcome)
}

struct Sync<'a> {
    project: &'a Project,
    dsg: &'a Directory,
    repository: &'a dyn Repository,
    options: &'a SyncOptions,
    monitor: &'a dyn Monitor,
    /// Transactions of earlier runs whose uploads can be resumed.
    unfinished: Vec<TransactionId>,
    skipped: Vec<Skipped>,
    _lock: FileLock,
}

/// What one attempt came to.
#[expect(clippy::large_enum_variant, reason = "there are a few of it in a run")]
enum Attempt {
    Ended(SyncOutcome),
    Moved,
}

impl Sync<'_> {
    fn run(&mut self) -> Result<SyncOutcome> {
        let mut turn = None;
        for attempt in 0..ATTEMPTS_MAX {
            check_stop(self.monitor)?;
            if attempt >= MOVED_BEFORE_TURN && turn.is_none() {
                turn = Some(self.repository.turn(self.monitor)?);
            }
            match self.attempt()? {
                Attempt::Ended(outcome) => return Ok(outcome),
                Attempt::Moved => {}
            }
        }
        Err(Error::new(Code::RepositoryBusy, "the repository or the files here never stood still")
            .because(format!("{ATTEMPTS_MAX} attempts found something new each time"))
            .next("nothing was changed; run the command again when less is going on"))
    }

    fn attempt(&mut self) -> Result<Attempt> {
        let look = look(self.project, self.dsg, self.repository, &self.options.look, self.monitor)?;
        let questions: Vec<_> = look.plan.conflicts().filter_map(Question::of).collect();
        if !questions.is_empty() {
            if !look.local.is_as_indexed() {
                told(look.local.save_index(self.dsg), self.monitor);
            }
            return Ok(Attempt::Ended(SyncOutcome::Conflicts(questions)));
        }
        refuse(&look)?;
        refuse_other_device(self.dsg, &look)?;
        let uploads = look.plan.changes_repository();
        let downloads = look.plan.steps.iter().any(|step| {
            matches!(step.action, Action::Download | Action::DeleteLocal | Action::RestoreCached)
        });
        if !uploads && !downloads {
            return self.settle(look, Work::default()).map(Attempt::Ended);
        }
        self.carry_out(look, uploads)
    }

    fn carry_out(&mut self, mut look: Look, uploads: bool) -> Result<Attempt> {
        let transactions = self.dsg.directory_made(TRANSACTIONS, 0o700)?;
        let transaction = new_transaction()?;
        transactions.directory_made(transaction.to_string(), 0o700)?;
        let mut work = Work { transaction: Some(transaction), ..Work::default() };
        work.journal.transaction = transaction;
        let backup = self.options.backup_stamp.as_deref();
        work.journal.operations = download::download(
            &look,
            &self.project.root,
            self.repository,
            &transactions,
            &transaction,
            backup,
            self.monitor,
        )?;
        if uploads {
            match self.commit(&mut look, &transaction, &mut work)? {
                Committing::Committed => {}
                Committing::NothingLeft => {}
                Committing::Moved => {
                    // Its folder stays: the mark by which what it uploaded is found again, and what it
                    // downloaded.
                    Journal::clear(self.dsg)?;
                    return Ok(Attempt::Moved);
                }
            }
        } else {
            work.journal(&transaction, &look, false);
            check_stop(self.monitor)?;
            work.journal.write(self.dsg)?;
        }
        if work.snapshot.is_none() && uploads {
            work.journal(&transaction, &look, false);
            work.journal.write(self.dsg)?;
        }
        let snapshot = work.snapshot.map(|head| head.number);
        self.follow(look, work).map(Attempt::Ended).map_err(|error| match snapshot {
            Some(number) => after_commit(error, number),
            None => error,
        })
    }

    /// What is left to be done here once the repository has what it was to have.
    fn follow(&mut self, look: Look, mut work: Work) -> Result<SyncOutcome> {
        self.monitor.begin(Phase::Applying, work.journal.operations.len() as u64, 0);
        if !work.journal.operations.is_empty() {
            let (root, rules) = (&self.project.root, &self.project.rules);
            work.applied = apply(root, self.dsg, rules, &work.journal, self.monitor)?;
        }
        self.settle(look, work)
    }

    /// Brings the contents and asks for the commit. From the journal on a crash is settled by asking
    /// the repository what became of the transaction.
    fn commit(
        &mut self,
        look: &mut Look,
        transaction: &TransactionId,
        work: &mut Work,
    ) -> Result<Committing> {
        let files = look.plan.summary().uploads;
        let upload = self.repository.begin(transaction, &self.unfinished, files)?;
        if !self.unfinished.is_empty() {
            let sizes = upload::sizes(look);
            upload.forget_left_over(&|mark| sizes.get(mark).copied())?;
        }
        self.drop_unfinished()?;
        let uploaded = upload::upload(look, &self.project.root, upload.as_ref(), self.monitor)?;
        look.local.forget_statuses();
        // What could not be read in an earlier attempt was looked at again in this one.
        self.skipped.clear();
        self.skipped.extend(uploaded.skipped);
        if uploaded.changes.is_empty() {
            self.unfinished.push(*transaction);
            return Ok(Committing::NothingLeft);
        }
        work.journal(transaction, look, true);
        check_stop(self.monitor)?;
        work.journal.write(self.dsg)?;
        self.monitor.begin(Phase::Committing, uploaded.changes.len() as u64, 0);
        let request = CommitRequest {
            expected: look.head.map(|head| (head.number, head.chain)),
            message: self.options.message.clone().unwrap_or_else(|| describe(&uploaded.changes)),
            configuration: self.project.configuration(),
            changes: uploaded.changes,
        };
        let answer = upload.commit(&request, self.monitor);
        match answer {
            Ok(CommitAnswer::Committed(head)) => {
                work.snapshot = Some(head);
                work.uploaded_bytes = uploaded.bytes;
                work.committed = request.changes;
                Ok(Committing::Committed)
            }
            Ok(CommitAnswer::Moved) => {
                drop(upload);
                self.unfinished = vec![*transaction];
                Ok(Committing::Moved)
            }
            Err(error) => {
                drop(upload);
                self.after_failed_commit(transaction, look, error)
            }
        }
    }

    /// A commit that failed before its commit point leaves nothing; one that failed after it is
    /// finished by the next command, which asks the repository. The journal stays for that.
    fn after_failed_commit(
        &self,
        transaction: &TransactionId,
        look: &Look,
        error: Error,
    ) -> Result<Committing> {
        use crate::repository::Settlement;
        let after = look.head.map(|head| head.number);
        if matches!(
            self.repository.settle(transaction, after, self.monitor),
            Ok(Settlement::Aborted)
        ) {
            Journal::clear(self.dsg)?;
        }
        Err(error)
    }

    /// Removes what was staged here for a transaction that is done.
    fn forget(&self, transaction: &TransactionId) -> Result<()> {
        Journal::clear(self.dsg)?;
        match present(self.dsg.directory(TRANSACTIONS))? {
            Some(transactions) => Ok(transactions.remove_tree(transaction.to_string())?),
            None => Ok(()),
        }
    }

    /// The repository has taken over what earlier runs had brought; their marks here can go.
    fn drop_unfinished(&mut self) -> Result<()> {
        if let Some(transactions) = present(self.dsg.directory(TRANSACTIONS))? {
            for transaction in self.unfinished.drain(..) {
                transactions.remove_tree(transaction.to_string())?;
            }
        }
        Ok(())
    }
}

enum Committing {
    Committed,
    /// Everything that was to go up changed here meanwhile.
    NothingLeft,
    Moved,
}

/// What a sync has done so far.
#[derive(Default)]
struct Work {
    transaction: Option<TransactionId>,
    journal: Journal,
    snapshot: Option<Head>,
    /// What the commit changed, by path.
    committed: Vec<PathChange>,
    uploaded_bytes: u64,
    applied: Applied,
}

impl Work {
    fn journal(&mut self, transaction: &TransactionId, look: &Look, commits: bool) {
        self.journal.transaction = *transaction;
        self.journal.base = look.head.map(|head| (head.number, head.chain));
        self.journal.commits = commits;
    }
}

/// What happened here after a commit: the commit stands, and whoever reads the error must know it.
fn after_commit(error: Error, snapshot: SnapshotNumber) -> Error {
    let what = match error.code {
        Code::Interrupted => "was stopped before it had followed".to_owned(),
        _ => format!("could not follow: {}", error.what),
    };
    let what = format!("{snapshot} is made and everybody sees it, but this project {what}");
    let next = "run `dsg sync` again, after mending that if need be: it finishes here what is left";
    Error { what, ..error }.next(next)
}
