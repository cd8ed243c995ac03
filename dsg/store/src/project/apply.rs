//! Putting the planned state into place here, so that nobody's edit is lost.
//!
//! Every operation exchanges first and looks second: what came out of the tree is compared with what
//! the scan saw there, and put back if it is something else. Old files go to the trash, never to
//! nothing. Each operation can be repeated: the inode of the new file tells whether it is in place.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use dsg_core::path::RepoPath;
use dsg_core::snapshot::TransactionId;
use dsg_core::tracked::Rules;

use super::PROJECT_DIRECTORY;
use super::beside::{Kept, keep_beside};
use super::journal::{Journal, LocalOperation, OldFile, StagedFile};
use super::trash::{self, TrashedFile};
use crate::error::Result;
use crate::monitor::Monitor;
use crate::system::{Directory, Kind, Parents, Status, present, sync_file_system};

/// Up to this many directories are synced one by one.
const SYNC_EACH_MAX: usize = 64;

/// A path that was left alone because it changed here meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The path.
    pub path: RepoPath,
    /// Why.
    pub why: &'static str,
}

/// What was done.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    pub(crate) done: Vec<RepoPath>,
    pub(crate) skipped: Vec<Skipped>,
    /// Directories that were moved to the trash with untracked files in them.
    pub(crate) set_aside: Vec<PathBuf>,
    /// Versions that lost against a choice.
    pub(crate) kept: Vec<Kept>,
}

const EDITED: &str = "it was changed here while the sync ran";
const APPEARED: &str = "something appeared here while the sync ran";

struct Apply<'a> {
    root: &'a Directory,
    dsg: &'a Directory,
    transaction: &'a TransactionId,
    rules: &'a Rules,
    staged: Option<Directory>,
    trash: Option<Directory>,
    parents: Parents<'a>,
    touched: BTreeSet<PathBuf>,
    applied: Applied,
}

/// Carries out the operations of a journal.
pub(crate) fn apply(
    root: &Directory,
    dsg: &Directory,
    rules: &Rules,
    journal: &Journal,
    monitor: &dyn Monitor,
) -> Result<Applied> {
    let staged = match present(dsg.directory("tx"))? {
        Some(transactions) => present(transactions.directory(journal.transaction.to_string()))?,
        None => None,
    };
    let trash = prepare_trash(dsg, journal)?;
    let mut work = Apply {
        root,
        dsg,
        transaction: &journal.transaction,
        rules,
        staged,
        trash,
        parents: Parents::new(root),
        touched: BTreeSet::new(),
        applied: Applied::default(),
    };
    for (number, operation) in journal.operations.iter().enumerate() {
        if operation.new.is_none() {
            let outcome = work.delete(number, operation)?;
            work.note(operation, outcome);
            monitor.advance(1, 0);
        }
    }
    work.remove_emptied(journal)?;
    for (number, operation) in journal.operations.iter().enumerate() {
        if let Some(new) = &operation.new {
            let outcome = match &operation.old {
                Some(old) => work.replace(number, operation, old, new)?,
                None => work.place(number, operation, new)?,
            };
            work.note(operation, outcome);
            monitor.advance(1, 0);
        }
    }
    work.sync()?;
    Ok(work.applied)
}

/// What each operation's trash is called, written down before anything goes there.
fn prepare_trash(dsg: &Directory, journal: &Journal) -> Result<Option<Directory>> {
    let files: Vec<_> = journal
        .operations
        .iter()
        .enumerate()
        .filter_map(|(number, operation)| {
            let old = operation.old.as_ref();
            // A path without an old file may still find a directory in its way.
            old.is_some().then(|| TrashedFile {
                name: number.to_string(),
                path: operation.path.clone(),
                hash: old.and_then(|old| old.hash),
                in_history: old.is_some_and(|old| old.in_history),
            })
        })
        .collect();
    if files.is_empty() {
        return Ok(None);
    }
    trash::prepare(dsg, &journal.transaction, &files).map(Some)
}

/// `None`: done. Else why not.
type Outcome = Option<&'static str>;

impl Apply<'_> {
    fn note(&mut self, operation: &LocalOperation, outcome: Outcome) {
        match outcome {
            None => self.applied.done.push(operation.path.clone()),
            Some(why) => self.applied.skipped.push(Skipped { path: operation.path.clone(), why }),
        }
    }

    /// Where a version that was to be kept beside the file is now: there, or in the trash.
    fn note_kept(&mut self, number: usize, operation: &LocalOperation, beside: Option<String>) {
        if operation.backup.is_none() {
            return;
        }
        let in_trash = beside.is_none();
        let at = match beside {
            Some(name) => Path::new(&operation.at).with_file_name(name),
            None => Path::new(PROJECT_DIRECTORY)
                .join(trash::DIRECTORY)
                .join(self.transaction.to_string())
                .join(number.to_string()),
        };
        self.applied.kept.push(Kept { path: operation.path.clone(), at, in_trash });
    }

    fn touch(&mut self, at: &str) {
        let parent = Path::new(at).parent().unwrap_or_else(|| Path::new(""));
        if !self.touched.contains(parent) {
            self.touched.insert(parent.to_owned());
        }
    }

    fn trash(&self) -> Result<&Directory> {
        self.trash.as_ref().ok_or_else(|| {
            crate::error::Error::new(
                crate::error::Code::ProjectDamaged,
                "the trash of this sync is missing",
            )
        })
    }

    fn delete(&mut self, number: usize, operation: &LocalOperation) -> Result<Outcome> {
        let Some(old) = &operation.old else { return Ok(None) };
        let at = Path::new(&operation.at);
        let (directory, name) = match self.parents.of(at) {
            Ok(found) => found,
            Err(error) if error.source.kind() == ErrorKind::NotFound => return Ok(None),
            // A directory on the way was swapped for a link or a file: what is behind is not ours.
            Err(error) if error.is_absent() || error.is_link_in_the_way() => {
                return Ok(Some(EDITED));
            }
            Err(error) => return Err(error.into()),
        };
        let Some(trash) = &self.trash else { return Ok(Some(EDITED)) };
        let label = number.to_string();
        match present(directory.status(name))? {
            // An earlier run moved it there; what is at the path now came later.
            _ if present(trash.status(&label))?.is_some() => {}
            Some(status) if old.is_still(&status) => {
                match directory.rename_new(name, trash, &label) {
                    // Somebody was faster.
                    Err(error) if error.is_absent() => return Ok(None),
                    other => other?,
                }
            }
            Some(_) => return Ok(Some(EDITED)),
            None => return Ok(None),
        }
        if !is_what_was_seen(trash, OsStr::new(&label), old)? {
            // Somebody saved between the look and the rename: it goes back, whatever it is now. If
            // something new is there already, both are kept.
            return match trash.rename_new(&label, directory, name) {
                // Nor is there a way back where somebody removed the directory.
                Err(error) if !error.is_present() && !error.is_absent() => Err(error.into()),
                _ => Ok(Some(EDITED)),
            };
        }
        // It was in the trash first: there it can be looked at, and put back.
        let beside = match &operation.backup {
            Some(backup) => keep_beside(trash, &label, directory, backup)?,
            None => None,
        };
        self.note_kept(number, operation, beside);
        self.touch(&operation.at);
        Ok(None)
    }

    fn replace(
        &mut self,
        number: usize,
        operation: &LocalOperation,
        old: &OldFile,
        new: &StagedFile,
    ) -> Result<Outcome> {
        let at = Path::new(&operation.at);
        let Some(staged) = self.staged.as_ref() else { return self.only_check(operation, new) };
        let Some(waiting) = present(staged.status(&new.name))? else {
            return self.only_check(operation, new);
        };
        let here = match present(self.parents.of(at))? {
            Some((directory, name)) => {
                present(directory.status(name))?.map(|status| (directory, name, status))
            }
            None => None,
        };
        let Some((directory, name, status)) = here else {
            return self.keep_what_came_out(number, new, &waiting);
        };
        if waiting.inode == new.inode {
            if !old.is_still(&status) {
                return Ok(Some(EDITED));
            }
            match directory.exchange(name, staged, &new.name) {
                // Somebody removed it a moment ago.
                Err(error) if error.is_absent() => return Ok(Some(EDITED)),
                other => other?,
            }
        } else if status.inode != new.inode {
            return self.keep_what_came_out(number, new, &waiting);
        }
        // What was here now lies under the new file's name in staging.
        if !is_what_was_seen(staged, OsStr::new(&new.name), old)? {
            return self.put_back(number, at, new);
        }
        let beside = match &operation.backup {
            Some(backup) => keep_beside(staged, &new.name, directory, backup)?,
            None => None,
        };
        if beside.is_none() {
            staged.rename_new(&new.name, self.trash()?, number.to_string())?;
        }
        self.note_kept(number, operation, beside);
        self.touch(&operation.at);
        Ok(None)
    }

    /// What came out is not what the scan saw, so it goes back. Only the new file as it was staged may
    /// be taken away for that: if somebody has written to it in its place, that stays, and the other
    /// edit goes to the trash.
    fn put_back(&mut self, number: usize, at: &Path, new: &StagedFile) -> Result<Outcome> {
        let Some(staged) = &self.staged else { return Ok(Some(EDITED)) };
        if let Some((directory, name)) = present(self.parents.of(at))?
            && present(directory.status(name))?.is_some_and(|status| new.is_still(&status))
            // Unless somebody removed it a moment ago.
            && present(directory.exchange(name, staged, &new.name))?.is_some()
            && new.is_still(&staged.status(&new.name)?)
        {
            return Ok(Some(EDITED));
        }
        staged.rename_new(&new.name, self.trash()?, number.to_string())?;
        Ok(Some(EDITED))
    }

    /// An earlier run exchanged a file, and since then somebody took the new one away or replaced
    /// it: the old one, which waits in staging, goes to the trash.
    fn keep_what_came_out(
        &self,
        number: usize,
        new: &StagedFile,
        waiting: &Status,
    ) -> Result<Outcome> {
        if let Some(staged) = &self.staged
            && waiting.inode != new.inode
        {
            staged.rename_new(&new.name, self.trash()?, number.to_string())?;
        }
        Ok(Some(EDITED))
    }

    /// The new file no longer waits in staging: an earlier run has put it into place.
    fn only_check(&mut self, operation: &LocalOperation, new: &StagedFile) -> Result<Outcome> {
        let Some((directory, name)) = present(self.parents.of(Path::new(&operation.at)))? else {
            return Ok(Some(EDITED));
        };
        let status = present(directory.status(name))?;
        Ok(if status.is_some_and(|status| status.inode == new.inode) { None } else { Some(EDITED) })
    }

    fn place(
        &mut self,
        number: usize,
        operation: &LocalOperation,
        new: &StagedFile,
    ) -> Result<Outcome> {
        let waiting = match &self.staged {
            Some(staged) => present(staged.status(&new.name))?,
            None => None,
        };
        if waiting.is_none_or(|waiting| waiting.inode != new.inode) {
            return self.only_check(operation, new);
        }
        if !self.make_room(number, operation)? {
            return Ok(Some(APPEARED));
        }
        let Some(staged) = self.staged.as_ref() else { return Ok(Some(APPEARED)) };
        let at = Path::new(&operation.at);
        let (directory, name) = match self.parents.made_for_user(at) {
            Ok(found) => found,
            // A file lies where a directory is needed, or a link.
            Err(error) if error.is_absent() || error.is_link_in_the_way() => {
                return Ok(Some(APPEARED));
            }
            Err(error) => return Err(error.into()),
        };
        if let Some(status) = present(directory.status(name))? {
            return Ok(if status.inode == new.inode { None } else { Some(APPEARED) });
        }
        match staged.rename_new(&new.name, directory, name) {
            Ok(()) => {}
            Err(error) if error.is_present() => return Ok(Some(APPEARED)),
            // Somebody removed the directory a moment ago: its handle is of no use any more.
            Err(error) if error.is_absent() => {
                self.parents = Parents::new(self.root);
                return Ok(Some(EDITED));
            }
            Err(error) => return Err(error.into()),
        }
        self.touch(&operation.at);
        Ok(None)
    }

    /// A directory lies where a file is to come. Its tracked files are gone by now, or the user made
    /// new ones; what is not tracked is moved aside whole.
    fn make_room(&mut self, number: usize, operation: &LocalOperation) -> Result<bool> {
        let at = Path::new(&operation.at);
        let Some((directory, name)) = present(self.parents.of(at))? else { return Ok(true) };
        match present(directory.status(name))? {
            Some(status) if status.kind == Kind::Directory => {}
            _ => return Ok(true),
        }
        if directory.remove_directory_if_empty(name)? {
            return Ok(true);
        }
        if holds_tracked(self.root, at, operation.path.as_str(), self.rules)? {
            return Ok(false);
        }
        let label = format!("{number}-aside");
        if self.trash.is_none() {
            self.trash = Some(trash::prepare(self.dsg, self.transaction, &[])?);
        }
        let (directory, name) = self.parents.of(at)?;
        if let Some(trash) = &self.trash {
            directory.rename_new(name, trash, &label)?;
        }
        self.applied.set_aside.push(at.to_owned());
        // The handle of this directory must not be taken for another later.
        self.parents = Parents::new(self.root);
        Ok(true)
    }

    /// Removes directories that lost their last file to this sync; a data directory itself stays.
    fn remove_emptied(&mut self, journal: &Journal) -> Result<()> {
        let mut emptied: BTreeSet<PathBuf> = BTreeSet::new();
        for operation in journal.operations.iter().filter(|operation| operation.new.is_none()) {
            let mut directory = Path::new(&operation.at).parent();
            while let Some(path) = directory {
                if path.as_os_str().is_empty() || !emptied.insert(path.to_owned()) {
                    break;
                }
                directory = path.parent();
            }
        }
        for path in emptied.iter().rev() {
            let inside = path.parent().is_some_and(|parent| is_inside(self.rules, parent));
            if !inside {
                continue;
            }
            let mut parents = Parents::new(self.root);
            if let Some((directory, name)) = present(parents.of(path))?
                && present(directory.status(name))?
                    .is_some_and(|status| status.kind == Kind::Directory)
                && directory.remove_directory_if_empty(name)?
            {
                self.touch(&path.to_string_lossy());
            }
        }
        self.parents = Parents::new(self.root);
        Ok(())
    }

    fn sync(&self) -> Result<()> {
        if self.touched.len() > SYNC_EACH_MAX {
            return Ok(sync_file_system(self.root)?);
        }
        // First where the old files went, so that a power cut finds none of them nowhere.
        if let Some(trash) = &self.trash {
            trash.sync()?;
        }
        for path in &self.touched {
            if let Some(directory) = present(self.root.directory(path))? {
                directory.sync()?;
            }
        }
        Ok(())
    }
}

/// Whether a path of directories lies in a data directory.
fn is_inside(rules: &Rules, directory: &Path) -> bool {
    let mut area = rules.root();
    let mut path = String::new();
    for component in directory.components() {
        let name: OsString = component.as_os_str().to_owned();
        let name = name.to_string_lossy();
        match rules.enter(area, &path, &name) {
            Some(entered) => area = entered,
            None => return false,
        }
        if !path.is_empty() {
            path.push('/');
        }
        path.push_str(&name);
    }
    area.inside
}

/// Whether what came out of the tree is what the scan saw. Inode, size and time of the contents
/// tell; if the contents are known, they are compared too, in case the clock was too coarse.
fn is_what_was_seen(directory: &Directory, name: &OsStr, old: &OldFile) -> Result<bool> {
    let status = directory.status(name)?;
    if !old.is_still(&status) {
        return Ok(false);
    }
    let Some(hash) = old.hash else { return Ok(true) };
    let recent = status.changed.0.saturating_sub(status.modified.0) < IN_DOUBT_NANOSECONDS;
    if !recent {
        return Ok(true);
    }
    let reader = directory.open_file(name)?;
    Ok(reader.hash(&mut Vec::new(), &|_| {})?.0 == hash)
}

/// The contents' time was set less than this before the rename: a second save may hide behind it.
const IN_DOUBT_NANOSECONDS: i64 = 2_000_000_000;

/// Whether a directory holds a file that takes part.
fn holds_tracked(root: &Directory, at: &Path, key: &str, rules: &Rules) -> Result<bool> {
    let mut stack = vec![(at.to_owned(), key.to_owned())];
    while let Some((path, key)) = stack.pop() {
        let Some(directory) = present(root.directory(&path))? else { continue };
        for entry in directory.entries()? {
            let child = format!("{key}/{}", entry.name.to_string_lossy());
            if entry.kind == Kind::Directory {
                stack.push((path.join(&entry.name), child));
            } else if rules.tracked(&child) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
