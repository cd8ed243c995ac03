//! The protocol of a sync: recover, look, stage, commit, apply (`ARCHITECTURE.md`, "A sync").

mod local;
mod look;
mod recover;
mod transfer;

use std::collections::{HashMap, HashSet};

use dsg_core::conflict::Question;
use dsg_core::entry::Entry;
use dsg_core::path::RepoPath;
use dsg_core::plan::{Action, Refusal, Step, Summary};
use dsg_core::snapshot::{SnapshotNumber, TransactionId};
use dsg_core::tree;
use dsg_core::tree::memory::MemoryStore;

pub(crate) use look::check_identity;
pub use look::{Counts, Look, LookOptions, look, remember};

use crate::error::{Code, Error, Result};
use crate::monitor::{Monitor, Notice, Phase, check_stop};
use crate::project::{
    self, Applied, CachedRoot, Journal, Project, Skipped, State, StateFile, TRANSACTIONS, Trees,
    apply, lock_project, new_transaction, save_mounts, stamp, write_index,
};
use crate::repository::{CommitAnswer, CommitRequest, Head, PathChange, Repository};
use crate::scan::{Unknown, Validity};
use crate::system::{Directory, FileLock, Parents, present};
use look::{cached_damaged, difference, head_root, insert};

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

/// What a sync did.
#[derive(Clone, Debug, Default)]
pub struct SyncReport {
    /// The snapshot that it made.
    pub snapshot: Option<SnapshotNumber>,
    /// The repository's newest snapshot now.
    pub head: Option<SnapshotNumber>,
    /// What was planned.
    pub summary: Summary,
    /// The paths, with what was done.
    pub steps: Vec<(RepoPath, &'static str)>,
    /// Paths that were left alone because they changed here meanwhile.
    pub skipped: Vec<Skipped>,
    /// Paths of which nothing can be said.
    pub unknown: Vec<Unknown>,
    /// Links that lead nowhere.
    pub dangling: Vec<RepoPath>,
    /// Numbers.
    pub counts: Counts,
    /// Bytes that went to the repository.
    pub uploaded_bytes: u64,
    /// Directories with untracked files that were moved to the trash.
    pub set_aside: Vec<String>,
    /// Whether an earlier sync that had been cut off was finished first.
    pub recovered: bool,
}

/// How a sync ended, when it did not fail.
#[derive(Debug)]
pub enum SyncOutcome {
    /// L and R agree, but for what the report names.
    Done(SyncReport),
    /// Somebody has to choose first; nothing was changed.
    Conflicts(Vec<Question>),
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
            remember_locked(self.dsg, &look)?;
            return Ok(Attempt::Ended(SyncOutcome::Conflicts(questions)));
        }
        refuse(&look)?;
        self.refuse_other_device(&look)?;
        let uploads = look.plan.changes_repository();
        let downloads = look.plan.steps.iter().any(|step| {
            matches!(step.action, Action::Download | Action::DeleteLocal | Action::RestoreCached)
        });
        if !uploads && !downloads {
            return self.settle(look, Work::default()).map(Attempt::Ended);
        }
        self.carry_out(look, uploads)
    }

    /// Every target must be on the file system of its staging area, or it could not be renamed there.
    fn refuse_other_device(&self, look: &Look) -> Result<()> {
        let own = self.dsg.own_status()?.device;
        let mut seen: HashMap<std::path::PathBuf, u64> = HashMap::new();
        for step in &look.plan.steps {
            if !matches!(
                step.action,
                Action::Download | Action::DeleteLocal | Action::RestoreCached
            ) {
                continue;
            }
            let at = look.local.at(step.path());
            let parent = at.parent().unwrap_or(&at).to_owned();
            let device = match seen.get(&parent) {
                Some(device) => *device,
                None => {
                    let device = look.local.device_of(&at)?;
                    seen.insert(parent, device);
                    device
                }
            };
            if device != own {
                return Err(Error::new(Code::OtherDevice, format!("{} lies on another file system than the project", step.path()))
                    .because("files are renamed into place from .dsg, which works within one file system only")
                    .about([step.path()])
                    .next("unmount it, or make that directory a project of its own"));
            }
        }
        Ok(())
    }

    fn carry_out(&mut self, look: Look, uploads: bool) -> Result<Attempt> {
        let transactions = self.dsg.directory_made(TRANSACTIONS, 0o700)?;
        let transaction = new_transaction()?;
        transactions.directory_made(transaction.to_string(), 0o700)?;
        let mut work = Work { transaction: Some(transaction), ..Work::default() };
        work.journal.transaction = transaction;
        let backup = self.options.backup_stamp.as_deref();
        work.journal.operations = transfer::download(
            &look,
            self.repository,
            &transactions,
            &transaction,
            backup,
            self.monitor,
        )?;
        if uploads {
            match self.commit(&look, &transaction, &mut work)? {
                Committing::Committed => {}
                Committing::NothingLeft => {}
                Committing::Moved => {
                    self.abandon()?;
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
        self.monitor.begin(Phase::Applying, work.journal.operations.len() as u64, 0);
        work.applied = if work.journal.operations.is_empty() {
            Applied::default()
        } else {
            apply(&self.project.root, self.dsg, &self.project.rules, &work.journal, self.monitor)?
        };
        self.settle(look, work).map(Attempt::Ended)
    }

    /// Brings the contents and asks for the commit. From the journal on a crash is settled by asking
    /// the repository what became of the transaction.
    fn commit(
        &mut self,
        look: &Look,
        transaction: &TransactionId,
        work: &mut Work,
    ) -> Result<Committing> {
        let files = look.plan.summary().uploads;
        let upload = self.repository.begin(transaction, &self.unfinished, files)?;
        self.drop_unfinished()?;
        let uploaded = transfer::upload(look, &self.project.root, upload.as_ref(), self.monitor)?;
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
                work.committed = request.changes.into_iter().map(|change| change.path).collect();
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
        if matches!(self.repository.settle(transaction, after), Ok(Settlement::Aborted)) {
            self.abandon()?;
        }
        Err(error)
    }

    /// Empties what was staged here for a transaction that came to nothing. Its folder stays as the
    /// mark by which what it uploaded is found again.
    fn abandon(&self) -> Result<()> {
        Journal::clear(self.dsg)?;
        recover::unfinished(self.dsg)?;
        Ok(())
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

    /// C takes, per path, what L was seen to be equal to; then everything temporary goes.
    fn settle(&mut self, mut look: Look, work: Work) -> Result<SyncOutcome> {
        let head = work.snapshot.or(look.head);
        let mut store = std::mem::take(&mut look.store);
        let committed = self.committed_entries(&look, head.as_ref(), &work, &mut store)?;
        let edits = agreed(&look, &work, &committed);
        let seen = self.look_at_applied(&mut look, &work)?;
        let stamp = seen.stamp;
        for (path, entry) in &edits {
            let placed = seen.statuses.get(path).filter(|at| is_as_placed(at, entry.as_ref()));
            look.local.agreed(path, entry.as_ref(), placed.map(|status| (*status, stamp)));
        }
        let state = self.new_state(&look, head.as_ref(), &edits, &mut store)?;
        if state != look.state {
            let mut file = StateFile::open(self.dsg)?
                .ok_or_else(|| project::no_project(self.project.root.path()))?;
            file.save(self.dsg, state.clone(), &store)?;
        }
        let validity = Validity {
            rules: self.project.rules.fingerprint(),
            cached: state.cached.map(|cached| cached.hash),
        };
        if !look.local.is_as_indexed() || state.cached != look.state.cached {
            write_index(self.dsg, &look.local.index_bytes_for(validity))?;
        }
        let mounted = look.local.mounted()?;
        if mounted != project::mounts(self.dsg)? {
            save_mounts(self.dsg, &mounted)?;
        }
        if let Some(transaction) = &work.transaction {
            self.forget(transaction)?;
        }
        // What earlier runs had brought and nobody needs any more.
        if !self.unfinished.is_empty() {
            self.repository.discard(&self.unfinished)?;
            self.drop_unfinished()?;
        }
        if !work.journal.operations.is_empty() {
            project::trash::expire(self.dsg, self.project_time()?)?;
        }
        self.use_up_resolutions(&look)?;
        Ok(SyncOutcome::Done(self.report(look, work, head)))
    }

    /// The entries that our commit made, with the author and time that the repository set.
    fn committed_entries(
        &self,
        look: &Look,
        head: Option<&Head>,
        work: &Work,
        store: &mut Trees,
    ) -> Result<HashMap<RepoPath, Option<Entry>>> {
        let (Some(new), Some(head)) = (&work.snapshot, head) else { return Ok(HashMap::new()) };
        insert(store, self.repository.trees(new.number, look.head.map(|head| head.number))?)?;
        let changes =
            difference(store, look.remote_root().as_ref(), head_root(Some(head)).as_ref())?;
        Ok(changes.into_iter().map(|change| (change.path, change.new)).collect())
    }

    /// What the applied files look like now, after a stamp that is younger than all of them: so that
    /// the next scan need not read them again.
    fn look_at_applied(&self, look: &mut Look, work: &Work) -> Result<SeenAfter> {
        let mut seen = SeenAfter { stamp: stamp(self.dsg)?, statuses: HashMap::new() };
        let mut operations: Vec<_> =
            work.journal.operations.iter().filter(|op| op.new.is_some()).collect();
        let done: HashSet<&RepoPath> = work.applied.done.iter().collect();
        operations.retain(|operation| done.contains(&operation.path));
        if operations.is_empty() {
            return Ok(seen);
        }
        let mut parents = Parents::new(&self.project.root);
        let mut newest = seen.stamp;
        for operation in operations {
            let Some((directory, name)) = present(parents.of(operation.at.as_ref()))? else {
                continue;
            };
            let Some(status) = present(directory.status(name))? else { continue };
            if operation.new.as_ref().is_some_and(|new| new.inode == status.inode) {
                newest = newest.max(status.changed);
                seen.statuses.insert(operation.path.clone(), status);
            }
        }
        // The clock of the file system moves in ticks of some milliseconds; a bounded wait for the next.
        for _ in 0..1000 {
            if seen.stamp > newest {
                break;
            }
            seen.stamp = stamp(self.dsg)?;
        }
        let _ = look;
        Ok(seen)
    }

    fn new_state(
        &self,
        look: &Look,
        head: Option<&Head>,
        edits: &[(RepoPath, Option<Entry>)],
        store: &mut Trees,
    ) -> Result<State> {
        let cached = if edits.is_empty() {
            look.cached_root()
        } else {
            let mut new = MemoryStore::new();
            let root = tree::edit(store, look.cached_root().as_ref(), edits, &mut new)
                .map_err(cached_damaged)?;
            store.extend(new);
            root
        };
        let remote =
            head.and_then(|head| Some(CachedRoot { hash: head.root?, entries: head.entries }));
        let cached = cached.map(CachedRoot::from);
        // Two ways to one manifest have one hash; the repository's count of its entries is taken.
        let cached = if cached.map(|c| c.hash) == remote.map(|r| r.hash) { remote } else { cached };
        Ok(State {
            repository: look.state.repository,
            seen: head.map(|head| (head.number, head.chain)),
            remote,
            cached,
        })
    }

    /// Resolutions that were carried out, or that fit nothing any more, are forgotten.
    fn use_up_resolutions(&self, look: &Look) -> Result<()> {
        let mut resolutions = project::resolutions(self.dsg)?;
        let before = resolutions.len();
        for step in &look.plan.steps {
            resolutions.remove(step.path());
        }
        for path in &look.plan.unused_resolutions {
            resolutions.remove(path);
        }
        if resolutions.len() == before {
            Ok(())
        } else {
            project::save_resolutions(self.dsg, &resolutions)
        }
    }

    /// Seconds since 1970 on the project's file system: the trash is dated by it too.
    fn project_time(&self) -> Result<i64> {
        Ok(stamp(self.dsg)?.parts().0)
    }

    fn report(&mut self, look: Look, work: Work, head: Option<Head>) -> SyncReport {
        let mut skipped = std::mem::take(&mut self.skipped);
        skipped.extend(work.applied.skipped);
        skipped.sort_by(|a, b| a.path.cmp(&b.path));
        skipped.dedup();
        for path in &look.dangling {
            self.monitor.notice(Notice { text: format!("the link {path} leads nowhere") });
        }
        let left: HashSet<&RepoPath> = skipped.iter().map(|skipped| &skipped.path).collect();
        let steps = look
            .plan
            .steps
            .iter()
            .filter(|step| !left.contains(step.path()))
            .map(|step| (step.path().clone(), word(step)))
            .collect();
        SyncReport {
            snapshot: work.snapshot.map(|head| head.number),
            head: head.map(|head| head.number),
            summary: look.plan.summary(),
            steps,
            skipped,
            unknown: look.unknown,
            dangling: look.dangling,
            counts: look.counts,
            uploaded_bytes: work.uploaded_bytes,
            set_aside: work
                .applied
                .set_aside
                .iter()
                .map(|path| path.display().to_string())
                .collect(),
            recovered: false,
        }
    }
}

/// What was done about a step, in a word.
#[must_use]
pub fn word(step: &Step) -> &'static str {
    match step.action {
        Action::Nothing => "left alone",
        Action::Upload => "uploaded",
        Action::Download => "downloaded",
        Action::DeleteRemote => "deleted in the repository",
        Action::DeleteLocal => "deleted here",
        Action::Agree => "agreed",
        Action::Forget => "forgotten",
        Action::RestoreCached => "restored",
        Action::Conflict(_) => "in conflict",
    }
}

struct SeenAfter {
    stamp: dsg_core::entry::Moment,
    statuses: HashMap<RepoPath, crate::system::Status>,
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
    /// The paths that the commit changed.
    committed: HashSet<RepoPath>,
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

/// Whether a file that was put into place still has the time and the size that it came with. If not,
/// somebody has written to it since, and the next scan has to read it.
fn is_as_placed(status: &crate::system::Status, entry: Option<&Entry>) -> bool {
    match entry {
        Some(Entry::File(file)) => status.size == file.size && status.modified == file.modified,
        _ => true,
    }
}

/// C's new entries: what was committed from here, what was put into place here, and what was found
/// to be equal. A path that was skipped keeps its old C.
fn agreed(
    look: &Look,
    work: &Work,
    committed: &HashMap<RepoPath, Option<Entry>>,
) -> Vec<(RepoPath, Option<Entry>)> {
    let done: HashSet<&RepoPath> = work.applied.done.iter().collect();
    let local: HashSet<&RepoPath> =
        work.journal.operations.iter().map(|operation| &operation.path).collect();
    let mut edits: Vec<(RepoPath, Option<Entry>)> = Vec::with_capacity(look.plan.steps.len());
    for step in &look.plan.steps {
        let path = step.path();
        let remote = || match committed.get(path) {
            Some(entry) => entry.clone(),
            None => step.triple.remote.clone(),
        };
        let entry = match step.action {
            Action::Upload | Action::DeleteRemote if work.committed.contains(path) => remote(),
            Action::Download | Action::DeleteLocal if done.contains(path) => remote(),
            Action::RestoreCached if !local.contains(path) || done.contains(path) => remote(),
            Action::Agree => step.triple.remote.clone(),
            Action::Forget => None,
            _ => continue,
        };
        edits.push((path.clone(), entry));
    }
    edits.extend(look.renewed.iter().map(|(path, entry)| (path.clone(), Some(entry.clone()))));
    edits.sort_by(|a, b| a.0.cmp(&b.0));
    edits.dedup_by(|a, b| a.0 == b.0);
    edits
}

/// A message for who gave none: what the commit does.
fn describe(changes: &[PathChange]) -> String {
    let count =
        |wanted: fn(&PathChange) -> bool| changes.iter().filter(|change| wanted(change)).count();
    let added = count(|change| change.old.is_none());
    let deleted = count(|change| change.new.is_none());
    let parts =
        [(added, "added"), (changes.len() - added - deleted, "changed"), (deleted, "deleted")];
    let parts: Vec<_> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    parts.join(", ")
}

fn remember_locked(dsg: &Directory, look: &Look) -> Result<()> {
    if look.local.is_as_indexed() {
        return Ok(());
    }
    write_index(dsg, &look.local.index_bytes())
}

/// Turns what the guards say into the error that stops the sync.
///
/// # Errors
/// The first refusal, or the colliding names.
pub fn refuse(look: &Look) -> Result<()> {
    if let Some(refusal) = look.plan.refusals.first() {
        let (code, paths) = match refusal {
            Refusal::MassDeletion { first, .. } => {
                (Code::MassDeletion, first.iter().map(ToString::to_string).collect::<Vec<_>>())
            }
            Refusal::EmptiedDataDirectory { directory, .. } => {
                (Code::DataDirectory, vec![directory.to_string()])
            }
        };
        return Err(Error::new(code, refusal.to_string())
            .about(paths)
            .next("nothing was changed. If this is what you want, run it again with --allow-mass-delete; if not, see that every disk is mounted"));
    }
    if look.collisions.is_empty() {
        return Ok(());
    }
    let pairs = look.collisions.iter().take(20).map(|collision| {
        let directory = if collision.directory.is_empty() { "." } else { &collision.directory };
        format!("{directory}: {}", collision.names.join(", "))
    });
    Err(Error::new(
        Code::NameCollision,
        "names would be one on a disk that ignores case or spelling",
    )
    .about(pairs)
    .next("rename one of each pair, then sync again"))
}
