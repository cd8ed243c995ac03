//! The end of a sync: C takes what was seen to be equal, the index follows, what is temporary goes.

use std::collections::{HashMap, HashSet};

use dsg_core::compare::LocalEntry;
use dsg_core::entry::Entry;
use dsg_core::path::RepoPath;
use dsg_core::plan::{Action, Step};
use dsg_core::tree;
use dsg_core::tree::memory::MemoryStore;

use super::look::{cached_damaged, difference, head_root, insert, told};
use super::{Look, Sync, SyncOutcome, SyncReport, Work, word};
use crate::error::Result;
use crate::project::{self, CachedRoot, State, StateFile, Trees, save_mounts, stamp};
use crate::repository::{Head, NewEntry, PathChange};
use crate::scan::Validity;
use crate::system::{Parents, present};

impl Sync<'_> {
    /// C takes, per path, what L was seen to be equal to; then everything temporary goes.
    pub(super) fn settle(&mut self, mut look: Look, mut work: Work) -> Result<SyncOutcome> {
        let head = work.snapshot.or(look.head);
        let is_whole = self.index_agreed(&mut look, &work)?;
        if is_whole {
            work.committed = Vec::new();
        }
        let state = self.save_state(&mut look, head.as_ref(), &work, is_whole)?;
        let validity = Validity {
            rules: self.project.rules.fingerprint(),
            cached: state.cached.map(|cached| cached.hash),
        };
        if !look.local.is_as_indexed() || state.cached != look.state.cached {
            told(look.local.save_index_for(validity, self.dsg), self.monitor);
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

    /// Notes for the index what was agreed. Says whether that is everything at which C and R differ:
    /// then C is what R is now.
    fn index_agreed(&self, look: &mut Look, work: &Work) -> Result<bool> {
        let seen = self.look_at_applied(work)?;
        let agreement = Agreement::of(work);
        let mut is_whole = look.plan.held_back == 0 && look.counts.untracked_remote == 0;
        for step in &look.plan.steps {
            let path = step.path();
            let Some(agreed) = agreement.about(step) else {
                is_whole = false;
                continue;
            };
            let entry = match agreed {
                Agreed::Committed(change) => change.new.as_ref().map(as_committed),
                Agreed::Remote => step.triple.remote.as_deref().map(LocalEntry::of),
                Agreed::Gone => None,
            };
            let placed = seen.statuses.get(path).filter(|at| is_as_placed(at, entry.as_ref()));
            let placed = placed.map(|status| (*status, seen.stamp));
            look.local.agreed(path, entry, placed);
        }
        Ok(is_whole)
    }

    /// Remembers C and the snapshot that was seen.
    fn save_state(
        &self,
        look: &mut Look,
        head: Option<&Head>,
        work: &Work,
        is_whole: bool,
    ) -> Result<State> {
        let mut store = std::mem::take(&mut look.store);
        if let Some(new) = &work.snapshot {
            insert(&mut store, self.repository.trees(new.number, look.head.map(|h| h.number))?)?;
        }
        let remote =
            head.and_then(|head| Some(CachedRoot { hash: head.root?, entries: head.entries }));
        let cached = match is_whole {
            true => remote,
            false => self.cached_by_path(look, head, work, &mut store)?,
        };
        // Two ways to one manifest have one hash; the repository's count of its entries is taken.
        let cached = if cached.map(|c| c.hash) == remote.map(|r| r.hash) { remote } else { cached };
        let seen = head.map(|head| (head.number, head.chain));
        let state = State { repository: look.state.repository, seen, remote, cached };
        if state != look.state {
            let mut file = StateFile::open(self.dsg)?
                .ok_or_else(|| project::no_project(self.project.root.path()))?;
            file.save(self.dsg, state.clone(), &store)?;
        }
        Ok(state)
    }

    /// C where something was left out: it changes only at the paths that were agreed.
    fn cached_by_path(
        &self,
        look: &Look,
        head: Option<&Head>,
        work: &Work,
        store: &mut Trees,
    ) -> Result<Option<CachedRoot>> {
        let committed = self.committed_entries(look, head, work, store)?;
        let edits = agreed(look, work, &committed);
        if edits.is_empty() {
            return Ok(look.state.cached);
        }
        let mut new = MemoryStore::new();
        let root = tree::edit(store, look.cached_root().as_ref(), &edits, &mut new)
            .map_err(cached_damaged)?;
        store.extend(new);
        Ok(root.map(CachedRoot::from))
    }

    /// The entries that our commit made, with the author and time that the repository set.
    fn committed_entries(
        &self,
        look: &Look,
        head: Option<&Head>,
        work: &Work,
        store: &Trees,
    ) -> Result<HashMap<RepoPath, Option<Entry>>> {
        let (Some(_), Some(head)) = (&work.snapshot, head) else { return Ok(HashMap::new()) };
        let changes =
            difference(store, look.remote_root().as_ref(), head_root(Some(head)).as_ref())?;
        Ok(changes.into_iter().map(|change| (change.path, change.new)).collect())
    }

    /// What the applied files look like now, after a stamp that is younger than all of them: so that
    /// the next scan need not read them again.
    fn look_at_applied(&self, work: &Work) -> Result<SeenAfter> {
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
        Ok(seen)
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
            held_back: look.plan.held_back,
            uploaded_bytes: work.uploaded_bytes,
            set_aside: work
                .applied
                .set_aside
                .iter()
                .map(|path| path.display().to_string())
                .collect(),
            kept: work.applied.kept,
            recovered: false,
        }
    }
}

struct SeenAfter {
    stamp: dsg_core::entry::Moment,
    statuses: HashMap<RepoPath, crate::system::Status>,
}

/// Whether a file that was put into place still has the time and the size that it came with. If not,
/// somebody has written to it since, and the next scan has to read it.
fn is_as_placed(status: &crate::system::Status, entry: Option<&LocalEntry>) -> bool {
    match entry {
        Some(LocalEntry::File { size, modified, .. }) => {
            status.size == *size && status.modified == *modified
        }
        _ => true,
    }
}

/// What was committed from here, as it is on disk.
fn as_committed(new: &NewEntry) -> LocalEntry {
    match new {
        NewEntry::File { hash, size, executable, modified } => LocalEntry::File {
            hash: Some(*hash),
            executable: *executable,
            size: *size,
            modified: *modified,
        },
        NewEntry::Link { target } => LocalEntry::Link { target: target.clone() },
    }
}

/// What L and R agree on at a path.
enum Agreed<'a> {
    /// On what was committed from here.
    Committed(&'a PathChange),
    /// On what R had.
    Remote,
    /// That there is nothing.
    Gone,
}

/// What a sync has agreed on: what was committed from here, what was put into place here, and what
/// was found to be equal.
struct Agreement<'a> {
    work: &'a Work,
    done: HashSet<&'a RepoPath>,
    local: HashSet<&'a RepoPath>,
}

impl<'a> Agreement<'a> {
    fn of(work: &'a Work) -> Self {
        let done = work.applied.done.iter().collect();
        let local = work.journal.operations.iter().map(|operation| &operation.path).collect();
        Self { work, done, local }
    }

    /// `None` of a path that was skipped.
    fn about(&self, step: &Step) -> Option<Agreed<'a>> {
        let path = step.path();
        let committed = || {
            let found = self.work.committed.binary_search_by(|change| change.path.cmp(path));
            found.ok().and_then(|at| self.work.committed.get(at)).map(Agreed::Committed)
        };
        match step.action {
            Action::Upload | Action::DeleteRemote => committed(),
            Action::Download | Action::DeleteLocal => {
                self.done.contains(path).then_some(Agreed::Remote)
            }
            Action::RestoreCached if !self.local.contains(path) || self.done.contains(path) => {
                Some(committed().unwrap_or(Agreed::Remote))
            }
            Action::Agree => Some(Agreed::Remote),
            Action::Forget => Some(Agreed::Gone),
            _ => None,
        }
    }
}

/// C's new entries. A path that was skipped keeps its old C.
fn agreed(
    look: &Look,
    work: &Work,
    committed: &HashMap<RepoPath, Option<Entry>>,
) -> Vec<(RepoPath, Option<Entry>)> {
    let agreement = Agreement::of(work);
    let mut edits: Vec<(RepoPath, Option<Entry>)> = Vec::with_capacity(look.plan.steps.len());
    for step in &look.plan.steps {
        let path = step.path();
        let entry = match agreement.about(step) {
            Some(Agreed::Committed(_) | Agreed::Remote) => match committed.get(path) {
                Some(entry) => entry.clone(),
                None => step.triple.remote.as_deref().cloned(),
            },
            Some(Agreed::Gone) => None,
            None => continue,
        };
        edits.push((path.clone(), entry));
    }
    edits.extend(look.renewed.iter().map(|(path, entry)| (path.clone(), Some(entry.clone()))));
    edits.sort_by(|a, b| a.0.cmp(&b.0));
    edits.dedup_by(|a, b| a.0 == b.0);
    edits
}
