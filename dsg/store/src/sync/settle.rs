//! The end of a sync: C takes what was seen to be equal, the index follows, what is temporary goes.

use std::collections::{HashMap, HashSet};

use dsg_core::entry::Entry;
use dsg_core::path::RepoPath;
use dsg_core::plan::Action;
use dsg_core::tree;
use dsg_core::tree::memory::MemoryStore;

use super::look::{cached_damaged, difference, head_root, insert};
use super::{Look, Sync, SyncOutcome, SyncReport, Work, word};
use crate::error::Result;
use crate::monitor::Notice;
use crate::project::{self, CachedRoot, State, StateFile, Trees, save_mounts, stamp, write_index};
use crate::repository::Head;
use crate::scan::Validity;
use crate::system::{Parents, present};

impl Sync<'_> {
    /// C takes, per path, what L was seen to be equal to; then everything temporary goes.
    pub(super) fn settle(&mut self, mut look: Look, work: Work) -> Result<SyncOutcome> {
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

struct SeenAfter {
    stamp: dsg_core::entry::Moment,
    statuses: HashMap<RepoPath, crate::system::Status>,
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
