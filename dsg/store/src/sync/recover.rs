//! Finishing, or forgetting, what an earlier run was cut off in.

use std::collections::HashMap;

use dsg_core::entry::Entry;
use dsg_core::path::RepoPath;
use dsg_core::snapshot::{SnapshotNumber, TransactionId};
use dsg_core::tree::memory::MemoryStore;
use dsg_core::tree::{self, Root};

use super::look::{cached_damaged, check_identity, difference, head_root, insert};
use crate::error::{Code, Error, Result};
use crate::monitor::Monitor;
use crate::project::{
    self, CachedRoot, Journal, Project, State, StateFile, TRANSACTIONS, Trees, apply,
};
use crate::repository::{Head, Repository, Settlement};
use crate::system::{Directory, Kind, present};

/// What recovery found.
pub(super) struct Recovered {
    /// An earlier sync was finished.
    pub(super) finished: bool,
    /// Earlier runs whose uploads the repository may still hold.
    pub(super) unfinished: Vec<TransactionId>,
}

/// Settles the journal, if there is one. After this no path is between two states.
pub(super) fn recover(
    project: &Project,
    dsg: &Directory,
    repository: &dyn Repository,
    monitor: &dyn Monitor,
) -> Result<Recovered> {
    let mut finished = false;
    if let Some(journal) = Journal::read(dsg)? {
        check_place(project, dsg, repository, &journal)?;
        let target = match (journal.commits, journal.base) {
            (true, base) => {
                let after = base.map(|(number, _)| number);
                match repository.settle(&journal.transaction, after, monitor)? {
                    Settlement::Committed(number) => Some(number),
                    Settlement::Aborted => None,
                }
            }
            (false, base) => base.map(|(number, _)| number),
        };
        match target {
            Some(target) => {
                finish(project, dsg, repository, &journal, target, monitor)?;
                finished = true;
            }
            None => keep_what_was_taken_out(dsg, &journal)?,
        }
        Journal::clear(dsg)?;
    }
    Ok(Recovered { finished, unfinished: unfinished(dsg)? })
}

/// A repository that is another one, or that no longer has what the sync was planned against, can't
/// say what became of it, and is not asked.
fn check_place(
    project: &Project,
    dsg: &Directory,
    repository: &dyn Repository,
    journal: &Journal,
) -> Result<()> {
    let Some(file) = StateFile::open(dsg)? else {
        return Err(project::no_project(project.root.path()));
    };
    let planned = State { seen: journal.base, ..file.state().clone() };
    check_identity(&planned, repository, repository.head()?.as_ref())
}

/// A sync that was never committed took nothing out of the tree. If it did all the same, it was
/// committed, and the repository was then restored to a state before: that file may be only here.
fn keep_what_was_taken_out(dsg: &Directory, journal: &Journal) -> Result<()> {
    let Some(transactions) = present(dsg.directory(TRANSACTIONS))? else { return Ok(()) };
    let name = journal.transaction.to_string();
    let Some(own) = present(transactions.directory(&name))? else { return Ok(()) };
    for new in journal.operations.iter().filter_map(|operation| operation.new.as_ref()) {
        if present(own.status(&new.name))?.is_some_and(|status| status.inode != new.inode) {
            return project::trash::keep_whole(dsg, &transactions, name.as_ref());
        }
    }
    Ok(())
}

/// The transactions that left something here. What they downloaded is for the next download.
pub(super) fn unfinished(dsg: &Directory) -> Result<Vec<TransactionId>> {
    let Some(transactions) = present(dsg.directory(TRANSACTIONS))? else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for entry in transactions.entries()? {
        match entry.name.to_str().and_then(|name| name.parse().ok()) {
            Some(transaction) if entry.kind == Kind::Directory => found.push(transaction),
            _ => transactions.remove_tree(&entry.name)?,
        }
    }
    found.sort();
    Ok(found)
}

fn finish(
    project: &Project,
    dsg: &Directory,
    repository: &dyn Repository,
    journal: &Journal,
    target: SnapshotNumber,
    monitor: &dyn Monitor,
) -> Result<()> {
    let applied = apply(&project.root, dsg, &project.rules, journal, monitor)?;
    let Some(mut file) = StateFile::open(dsg)? else {
        return Err(project::no_project(project.root.path()));
    };
    let mut store = file.objects(dsg)?;
    let state = file.state().clone();
    let known = state.seen.map(|(number, _)| number);
    let base = journal.base.map(|(number, _)| number);
    let base_root = match base {
        Some(base) => {
            insert(&mut store, repository.trees(base, known)?)?;
            root_of(repository, base)?.1
        }
        None => None,
    };
    insert(&mut store, repository.trees(target, base)?)?;
    let (head, target_root) = root_of(repository, target)?;
    let mut edits: HashMap<RepoPath, Option<Entry>> = HashMap::new();
    if journal.commits {
        // What the commit changed was read from here, so L was seen to be equal to it.
        for change in difference(&store, base_root.as_ref(), target_root.as_ref())? {
            edits.insert(change.path, change.new);
        }
        for skipped in &applied.skipped {
            edits.remove(&skipped.path);
        }
    }
    for path in &applied.done {
        let entry = tree::lookup(&store, target_root.as_ref(), path).map_err(cached_damaged)?;
        edits.insert(path.clone(), entry);
    }
    let cached = state.cached.as_ref().map(CachedRoot::root);
    forget_in_the_way(&store, cached.as_ref(), &mut edits)?;
    let mut edits: Vec<_> = edits.into_iter().collect();
    edits.sort_by(|a, b| a.0.cmp(&b.0));
    let mut new = MemoryStore::new();
    let root = tree::edit(&store, cached.as_ref(), &edits, &mut new).map_err(cached_damaged)?;
    store.extend(new);
    let remote = target_root.map(CachedRoot::from);
    let cached = root.map(CachedRoot::from);
    let state = State { seen: Some((head.number, head.chain)), remote, cached, ..state };
    if state != *file.state() {
        file.save(dsg, state, &store)?;
    }
    if let Some(transactions) = present(dsg.directory(TRANSACTIONS))? {
        transactions.remove_tree(journal.transaction.to_string())?;
    }
    Ok(())
}

/// What C has above and below a path that is a file or link here and in the repository is on neither
/// side: the plan was to forget it, which is no operation and so not in the journal.
fn forget_in_the_way(
    store: &Trees,
    cached: Option<&Root>,
    edits: &mut HashMap<RepoPath, Option<Entry>>,
) -> Result<()> {
    let present: Vec<RepoPath> =
        edits.iter().filter(|(_, entry)| entry.is_some()).map(|(path, _)| path.clone()).collect();
    for path in present {
        let mut above = path.parent();
        while let Some(directory) = above {
            if tree::lookup(store, cached, &directory).map_err(cached_damaged)?.is_some() {
                edits.insert(directory.clone(), None);
            }
            above = directory.parent();
        }
        let _ = tree::walk(store, cached, path.as_str(), &mut |below, _| {
            edits.insert(below.clone(), None);
            std::ops::ControlFlow::<()>::Continue(())
        })
        .map_err(cached_damaged)?;
    }
    Ok(())
}

/// A snapshot as a head, and the top of its manifest.
fn root_of(repository: &dyn Repository, number: SnapshotNumber) -> Result<(Head, Option<Root>)> {
    let documents = repository.documents(number, number)?;
    let Some((_, bytes)) = documents.first() else {
        return Err(Error::new(Code::NotFound, format!("there is no snapshot {number}")));
    };
    let document = dsg_core::snapshot::SnapshotDocument::decode(bytes).map_err(|error| {
        Error::new(Code::ChainDamaged, format!("the document of {number} can't be read"))
            .because(error)
            .next("run `dsg validate-chain`")
    })?;
    let head = Head {
        number,
        chain: dsg_core::hash::ChainHash::of(bytes),
        root: document.root,
        entries: document.entries,
    };
    Ok((head, head_root(Some(&head))))
}
