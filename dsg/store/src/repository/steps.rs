//! The steps by which a committed state becomes visible, and carrying them out.
//!
//! They are written into the snapshot's pack before the commit, so that whoever comes next can finish
//! what a crash cut off. Each step first looks whether it was done: a staged thing that is no longer
//! in staging is in place. They use only rename and link, which any writer of the group may do;
//! what needs the owner was done while staging.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use dsg_core::entry::Moment;
use dsg_core::hash::ContentHash;
use dsg_core::snapshot::TransactionId;
use serde::{Deserialize, Serialize};

use super::layout::{LocalRepository, UNFILED};
use crate::error::Result;
use crate::system::{Directory, Kind, Parents, Status, present};

/// The file that stood at a path before a commit, as it was when its bytes were hashed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Superseded {
    /// The content to keep; `None` for a link, and for a content that stays at its path.
    pub(super) keep: Option<ContentHash>,
    pub(super) inode: u64,
    pub(super) size: u64,
    pub(super) modified: Moment,
}

impl Superseded {
    pub(super) fn of(status: &Status, keep: Option<ContentHash>) -> Self {
        Self { keep, inode: status.inode, size: status.size, modified: status.modified }
    }

    pub(super) fn is_still(&self, status: &Status) -> bool {
        status.kind != Kind::Directory
            && status.inode == self.inode
            && status.size == self.size
            && status.modified == self.modified
    }
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub(super) enum CommitStep {
    /// Takes what is at `path` out of the visible tree.
    Delete { path: String, old: Superseded },
    /// Removes a directory that has become empty. One that must make room is moved aside if
    /// something foreign is left in it.
    RemoveDirectory { path: String, makes_room: bool },
    /// Puts what is at `staged` in the staging area at `path`.
    Place { path: String, staged: String, directory: bool, old: Option<Superseded> },
}

/// What carrying out steps changed, and so what must be made durable.
pub(super) struct Touched {
    /// Directories of the visible tree whose names changed.
    pub(super) directories: BTreeSet<PathBuf>,
    /// Whether `objects/` got a name.
    pub(super) objects: bool,
}

impl Touched {
    /// Everything that the steps may have changed, by this run or by one that was cut off.
    pub(super) fn named_by(steps: &[CommitStep]) -> Self {
        let mut directories = BTreeSet::new();
        let mut objects = false;
        for step in steps {
            let path = match step {
                CommitStep::Delete { path, old } => {
                    objects |= old.keep.is_some();
                    path
                }
                CommitStep::RemoveDirectory { path, .. } => path,
                CommitStep::Place { path, old, .. } => {
                    objects |= old.as_ref().is_some_and(|old| old.keep.is_some());
                    path
                }
            };
            directories
                .insert(Path::new(path).parent().unwrap_or_else(|| Path::new("")).to_owned());
        }
        Self { directories, objects }
    }

    /// Adds what another run of the steps changed.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.directories.extend(other.directories);
        self.objects |= other.objects;
        self
    }
}

/// Carries out the steps of a committed transaction. `staging` is its staging area, opened when the
/// steps were read: its owner may have done them all and removed it meanwhile.
pub(super) fn carry_out(
    repository: &LocalRepository,
    transaction: &TransactionId,
    staging: &Directory,
    steps: &[CommitStep],
) -> Result<Touched> {
    let mut work = Work {
        repository,
        transaction,
        staging,
        visible: Parents::new(&repository.root),
        staged: Parents::new(staging),
        touched: BTreeSet::new(),
        kept: false,
    };
    for (number, step) in steps.iter().enumerate() {
        match step {
            CommitStep::Delete { path, old } => work.delete(number, path, old)?,
            CommitStep::RemoveDirectory { path, makes_room } => {
                work.remove_directory(number, path, *makes_room)?;
            }
            CommitStep::Place { path, staged, directory, old } => {
                work.place(number, path, staged, *directory, old.as_ref())?;
            }
        }
    }
    Ok(Touched { directories: work.touched, objects: work.kept })
}

struct Work<'a> {
    repository: &'a LocalRepository,
    transaction: &'a TransactionId,
    staging: &'a Directory,
    visible: Parents<'a>,
    staged: Parents<'a>,
    touched: BTreeSet<PathBuf>,
    kept: bool,
}

impl Work<'_> {
    fn touch(&mut self, path: &str) {
        let parent = Path::new(path).parent().unwrap_or_else(|| Path::new(""));
        if !self.touched.contains(parent) {
            self.touched.insert(parent.to_owned());
        }
    }

    fn delete(&mut self, number: usize, path: &str, old: &Superseded) -> Result<()> {
        let Some((directory, name)) = present(self.visible.of(Path::new(path)))? else {
            return Ok(());
        };
        let Some(status) = present(directory.status(name))? else { return Ok(()) };
        if status.kind == Kind::Directory {
            // A later step has already put a directory here.
            return Ok(());
        }
        if !old.is_still(&status) {
            return self.set_aside(number, path);
        }
        match old.keep {
            Some(hash) => {
                self.kept = true;
                directory.rename(name, &self.repository.objects, hash.to_string())?;
            }
            None => directory.remove_file(name)?,
        }
        self.touch(path);
        Ok(())
    }

    fn remove_directory(&mut self, number: usize, path: &str, makes_room: bool) -> Result<()> {
        let Some((directory, name)) = present(self.visible.of(Path::new(path)))? else {
            return Ok(());
        };
        match present(directory.status(name))? {
            Some(status) if status.kind == Kind::Directory => {}
            _ => return Ok(()),
        }
        if !directory.remove_directory_if_empty(name)? && makes_room {
            return self.set_aside(number, path);
        }
        self.touch(path);
        Ok(())
    }

    fn place(
        &mut self,
        number: usize,
        path: &str,
        staged: &str,
        directory: bool,
        old: Option<&Superseded>,
    ) -> Result<()> {
        {
            let Some((from, from_name)) = present(self.staged.of(Path::new(staged)))? else {
                return Ok(());
            };
            if present(from.status(from_name))?.is_none() {
                return Ok(());
            }
        }
        self.make_room(number, path, old)?;
        let mode = self.repository.directory_mode();
        let (from, from_name) = self.staged.of(Path::new(staged))?;
        let (to, to_name) = self.visible.made(Path::new(path), mode)?;
        let renamed = if old.is_some() && !directory {
            from.rename(from_name, to, to_name)
        } else {
            from.rename_new_locked(from_name, to, to_name)
        };
        match renamed {
            Ok(()) => {}
            Err(error) if directory && error.is_present() => self.merge(number, path, staged)?,
            Err(error) => return Err(error.into()),
        }
        self.touch(path);
        Ok(())
    }

    /// Keeps what is at `path`, which a staged thing is about to replace.
    fn make_room(&mut self, number: usize, path: &str, old: Option<&Superseded>) -> Result<()> {
        let Some((directory, name)) = present(self.visible.of(Path::new(path)))? else {
            return Ok(());
        };
        let Some(status) = present(directory.status(name))? else { return Ok(()) };
        match old {
            Some(old) if old.is_still(&status) => {
                let Some(hash) = old.keep else { return Ok(()) };
                let hash = hash.to_string();
                let temporary = format!("{hash}.{}", self.transaction);
                // By way of a second name, so that the path is never missing and a damaged object of
                // that hash is replaced by the bytes that were just proven.
                match directory.link(name, &self.repository.objects, &temporary) {
                    Err(error) if !error.is_present() => return Err(error.into()),
                    _ => {}
                }
                self.repository.objects.rename(&temporary, &self.repository.objects, &hash)?;
                // Renaming one name of a file over another of the same file does nothing.
                self.repository.objects.remove_file_if_there(&temporary)?;
                self.kept = true;
                Ok(())
            }
            // Somebody made a directory where a whole new one goes: merged by the caller.
            None if status.kind == Kind::Directory => Ok(()),
            _ => self.set_aside(number, path),
        }
    }

    /// Moves something that dsg did not put there out of the way, without giving it a hash it may
    /// not have.
    fn set_aside(&mut self, number: usize, path: &str) -> Result<()> {
        let unfiled = self.repository.control.directory(UNFILED)?;
        let mode = self.repository.directory_mode();
        let aside = unfiled.directory_made(self.transaction.to_string(), mode)?;
        let (directory, name) = self.visible.of(Path::new(path))?;
        let label =
            format!("{number}-{}", name.to_string_lossy().chars().take(60).collect::<String>());
        directory.rename(name, &aside, label)?;
        aside.sync()?;
        unfiled.sync()?;
        self.touch(path);
        Ok(())
    }

    /// Puts the parts of a staged directory into one that somebody made meanwhile.
    fn merge(&mut self, number: usize, path: &str, staged: &str) -> Result<()> {
        let from = self.staging.directory(staged)?;
        for entry in from.entries()? {
            let name = entry.name.to_string_lossy();
            let (path, staged) = (format!("{path}/{name}"), format!("{staged}/{name}"));
            self.place(number, &path, &staged, entry.kind == Kind::Directory, None)?;
        }
        Ok(())
    }
}

impl LocalRepository {
    /// Makes the names durable that [`carry_out`] changed, one directory at a time. First the new
    /// names of old contents: not every file system keeps the order of renames between directories
    /// when one of them is synced.
    pub(super) fn sync_touched(&self, touched: &Touched) -> Result<()> {
        if touched.objects {
            self.objects.sync()?;
        }
        for path in &touched.directories {
            // One that was removed again is covered by the directory above it.
            if let Some(directory) = present(self.root.directory(path))? {
                directory.sync()?;
            }
        }
        Ok(())
    }
}
