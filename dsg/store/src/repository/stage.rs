//! Staging: contents arrive here, are hashed as they land, and wait for a commit.
//!
//! `staging/<transaction>/` is locked by the kernel while its owner lives; only who gets that lock
//! may throw it away. Contents for directories that exist in the visible tree lie flat, named by
//! their path's hash; contents for directories that do not exist yet lie in the shape of the tree,
//! so that a whole new directory is put into place by one rename.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use dsg_core::hash::ContentHash;
use dsg_core::path::RepoPath;
use dsg_core::snapshot::TransactionId;

use super::abandoned::{Roomy, UNFINISHED_KEPT_SECONDS};
use super::layout::{ABORTED, LocalRepository, STAGED_PREVIOUS, STAGED_TREE, STAGING_LOCK};
use super::left_over;
use super::recover::is_committed;
use super::{
    CommitAnswer, CommitRequest, Lane, LeftOver, Put, Received, Source, Upload, path_mark,
};
use crate::copy::{self, Landed};
use crate::error::{Code, Error, Result};
use crate::monitor::{Monitor, check_stop};
use crate::system::{
    Directory, FileLock, Kind, Landing, Parents, Reader, SystemError, is_network_file_system,
    lock_file, present, user,
};

/// A content that has landed.
#[derive(Clone, Debug)]
pub(super) struct Staged {
    /// Whether it lies in the shape of the tree.
    pub(super) shaped: bool,
    pub(super) hash: ContentHash,
    pub(super) size: u64,
    pub(super) executable: bool,
}

impl Staged {
    /// Where the content for `path` lies below `staging/<transaction>/`.
    pub(super) fn at(&self, path: &RepoPath) -> PathBuf {
        place_of(path, self.shaped)
    }
}

/// An upload into a repository of this machine.
pub(super) struct LocalUpload<'r> {
    pub(super) repository: &'r LocalRepository,
    pub(super) transaction: TransactionId,
    pub(super) directory: Directory,
    pub(super) landing: Landing,
    pub(super) staged: Mutex<HashMap<RepoPath, Staged>>,
    /// Held while the upload lives.
    pub(super) lock: FileLock,
}

impl LocalRepository {
    /// See [`Repository::begin`](super::Repository::begin).
    pub(super) fn begin_upload(
        &self,
        transaction: &TransactionId,
        unfinished: &[TransactionId],
        files: u64,
    ) -> Result<LocalUpload<'_>> {
        if let Some(kind) = is_network_file_system(&self.root)? {
            return Err(Error::new(
                Code::NotSupported,
                format!("{} is on {kind}", self.root.path().display()),
            )
            .because("kernel locks and renames on network file systems don't keep a commit whole")
            .next("run dsg on the server itself; reading from here works"));
        }
        self.check_storage()?;
        let staging = self.staging()?;
        let own = transaction.to_string();
        let (directory, lock) = self.with_room(&own, || {
            let made = staging.directory_made(&own, self.directory_mode());
            let directory = made.map_err(|error| match error.is_denied() {
                true => self.write_denied(&error),
                false => error.into(),
            })?;
            let lock = lock_file(&directory, STAGING_LOCK, self.file_mode(false), false)?;
            Ok((directory, lock))
        })?;
        let Some(lock) = lock else {
            return Err(Error::new(
                Code::RepositoryBusy,
                format!("the upload {transaction} is in use"),
            ));
        };
        for earlier in unfinished {
            self.take_over(&staging, earlier, &directory)?;
        }
        self.discard_abandoned(&staging)?;
        self.forget_aborted()?;
        let landing = Landing::of(files, &directory)?;
        Ok(LocalUpload {
            repository: self,
            transaction: *transaction,
            directory,
            landing,
            staged: Mutex::new(HashMap::new()),
            lock,
        })
    }

    fn write_denied(&self, error: &SystemError) -> Error {
        let root = self.root.path().display();
        if error.is_read_only() {
            return Error::new(Code::RepositoryDenied, format!("the repository at {root} can't be written"))
                .because("its file system is mounted read-only")
                .next("nothing was changed; mount it for writing, or ask the data manager: a file system that has errors is mounted so too");
        }
        Error::new(Code::RepositoryDenied, format!("you may not write to the repository at {root}"))
            .because(&error.source)
            .next("ask its owner for access: a repository made with `--access group` is open to the group of its directory")
    }

    /// What an earlier upload of the same project left becomes a place to look for contents that
    /// need not travel again. Nothing of it is believed: a content is used if its bytes hash right.
    fn take_over(
        &self,
        staging: &Directory,
        earlier: &TransactionId,
        directory: &Directory,
    ) -> Result<()> {
        let name = earlier.to_string();
        let Some(old) = present(staging.directory(&name))? else { return Ok(()) };
        let Some(_lock) = lock_file(&old, STAGING_LOCK, self.file_mode(false), false)? else {
            return Ok(());
        };
        if is_committed(&old)? {
            // Its last steps are still to be made sure of; the next commit does that.
            return Ok(());
        }
        // What it had taken over itself, and not yet used, is as good: it comes along.
        for (_, left) in previous(&old)?.iter().rev() {
            keep_previous(&old, left, directory)?;
        }
        keep_previous(staging, &name, directory)
    }

    /// Marks of aborted transactions are needed as long as a late commit could come: its staging area
    /// is gone after a week, so a month is plenty.
    fn forget_aborted(&self) -> Result<()> {
        let now = self.clock.now().as_second();
        let aborted = self.control.directory(ABORTED)?;
        for entry in aborted.entries()? {
            let Some(status) = present(aborted.status(&entry.name))? else { continue };
            if now - status.changed.parts().0 > 4 * UNFINISHED_KEPT_SECONDS {
                // Another user's mark can't always be removed by us; it does no harm.
                match aborted.remove_file(&entry.name) {
                    Err(error) if !error.is_denied() && !error.is_absent() => {
                        return Err(error.into());
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    pub(super) fn is_aborted(&self, transaction: &TransactionId) -> Result<bool> {
        let aborted = self.control.directory(ABORTED)?;
        Ok(present(aborted.status(transaction.to_string()))?.is_some())
    }
}

impl LocalUpload<'_> {
    /// What can't be made durable together is thrown away: see [`Directory::sync_or_remove`].
    pub(super) fn or_nothing(&self, synced: crate::system::Result<()>) -> Result<()> {
        if synced.is_err() {
            // That it failed is told either way.
            let _ = self.directory.clear();
        }
        Ok(synced?)
    }

    pub(super) fn staged(&self) -> std::sync::MutexGuard<'_, HashMap<RepoPath, Staged>> {
        self.staged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn previous(&self) -> Result<Vec<Directory>> {
        previous(&self.directory)?
            .iter()
            .map(|(_, name)| Ok(self.directory.directory(name)?))
            .collect()
    }
}

/// The directories of a staging area that hold what earlier uploads brought, with their numbers, the
/// latest first.
fn previous(staging: &Directory) -> Result<Vec<(u64, String)>> {
    let mut found = Vec::new();
    for entry in staging.entries()? {
        let name = entry.name.to_string_lossy();
        let number = name.strip_prefix(STAGED_PREVIOUS).and_then(|number| number.parse().ok());
        if let (Some(number), Kind::Directory) = (number, entry.kind) {
            found.push((number, name.into_owned()));
        }
    }
    found.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
    Ok(found)
}

/// Makes the directory `name` of `from` the latest of those in a staging area, if it has contents.
fn keep_previous(from: &Directory, name: &str, staging: &Directory) -> Result<()> {
    let content = |name: &OsStr| name == STAGED_TREE || name.as_bytes().starts_with(b"f-");
    if from.directory(name)?.entries()?.iter().any(|entry| content(&entry.name)) {
        let number = previous(staging)?.first().map_or(1, |(number, _)| number.saturating_add(1));
        Ok(from.rename_new_locked(name, staging, format!("{STAGED_PREVIOUS}{number}"))?)
    } else {
        Ok(from.remove_tree(name)?)
    }
}

/// Where a path's content is staged.
pub(super) fn place_of(path: &RepoPath, shaped: bool) -> PathBuf {
    if shaped { Path::new(STAGED_TREE).join(path.as_str()) } else { flat_name(path) }
}

/// The name of a content that is staged flat: from its path, so that a resumed upload finds it.
fn flat_name(path: &RepoPath) -> PathBuf {
    PathBuf::from(format!("f-{:032x}", u128::from_be_bytes(path_mark(path))))
}

impl Upload for LocalUpload<'_> {
    fn lane(&self) -> Result<Box<dyn Lane + '_>> {
        Ok(Box::new(LocalLane {
            upload: self,
            parents: Parents::new(&self.directory),
            existing: None,
            previous: self.previous()?,
            as_created: None,
            buffer: Vec::new(),
        }))
    }

    fn left_over(&self) -> Result<Vec<LeftOver>> {
        let mut found = HashMap::new();
        let mut buffer = Vec::new();
        // The latest comes first, and is the one that is opened.
        for previous in self.previous()? {
            for (mark, at) in left_over::marks(&previous)? {
                let Some(file) = left_over::open(&previous, &at)? else { continue };
                if let Entry::Vacant(place) = found.entry(mark) {
                    let (hash, size) = file.hash(&mut buffer, &|_| {})?;
                    place.insert(LeftOver { mark, size, hash });
                }
            }
        }
        Ok(found.into_values().collect())
    }

    fn open_left_over(&self, mark: &[u8; 16]) -> Result<Option<Reader>> {
        for previous in self.previous()? {
            for (_, at) in
                left_over::marks(&previous)?.into_iter().filter(|(found, _)| found == mark)
            {
                if let Some(file) = left_over::open(&previous, &at)? {
                    return Ok(Some(file));
                }
            }
        }
        Ok(None)
    }

    fn forget_left_over(&self, needed: &dyn Fn(&[u8; 16]) -> Option<u64>) -> Result<()> {
        for previous in self.previous()? {
            let mut parents = Parents::new(&previous);
            for (mark, at) in left_over::marks(&previous)? {
                let Some((directory, name)) = present(parents.of(&at))? else { continue };
                let Some(status) = present(directory.status(name))? else { continue };
                if needed(&mark).is_none_or(|size| size < status.size) {
                    remove_if_allowed(directory, name)?;
                }
            }
        }
        Ok(())
    }

    fn commit(&self, request: &CommitRequest, monitor: &dyn Monitor) -> Result<CommitAnswer> {
        check_stop(monitor)?;
        self.prepare_and_commit(request, monitor)
    }
}

/// Another user's leftovers can't always be removed by us; they are theirs to clean.
fn remove_if_allowed(directory: &Directory, name: &OsStr) -> Result<()> {
    match directory.remove_file_if_there(name) {
        Err(error) if !error.is_denied() => Err(error.into()),
        _ => Ok(()),
    }
}

struct LocalLane<'u> {
    upload: &'u LocalUpload<'u>,
    parents: Parents<'u>,
    /// The last directory asked about, and whether the visible tree has it.
    existing: Option<(String, bool)>,
    /// What earlier, unfinished uploads brought, the latest first.
    previous: Vec<Directory>,
    /// A mode that files get by being created with it, the umask having been looked at once.
    as_created: Option<u32>,
    buffer: Vec<u8>,
}

impl LocalLane<'_> {
    fn parent_exists(&mut self, path: &RepoPath) -> Result<bool> {
        let directory = path.directory();
        if let Some((last, exists)) = &self.existing
            && last == directory
        {
            return Ok(*exists);
        }
        let exists = present(self.upload.repository.root.directory(directory))?.is_some();
        self.existing = Some((directory.to_owned(), exists));
        Ok(exists)
    }

    /// Uses what an earlier, unfinished upload brought, if it is the same content.
    fn resume(&mut self, put: &Put<'_>, source: &Reader, at: &Path) -> Result<Option<Landed>> {
        let candidates = left_over_places(put.path);
        for (previous, candidate) in self
            .previous
            .iter()
            .flat_map(|previous| candidates.iter().map(move |at| (previous, at)))
        {
            let mut old_parents = Parents::new(previous);
            // That run may have staged something else under this name: a directory, or a link.
            let Some((directory, name)) = present(old_parents.of(candidate))? else { continue };
            let Ok(old) = directory.open_file(name) else { continue };
            let status = old.status()?;
            if status.size != source.status()?.size || status.owner != user() {
                continue;
            }
            let (old_hash, _) = old.hash(&mut self.buffer, &|_| {})?;
            let (hash, size) = source.hash(&mut self.buffer, &|_| {})?;
            if old_hash != hash {
                continue;
            }
            let (target, target_name) =
                self.parents.made(at, self.upload.repository.directory_mode())?;
            directory.rename(name, target, target_name)?;
            // It may have been cut off before its attributes were set, and they may be others now.
            let landed = target.open_in_place(target_name, 0o600)?;
            landed.set_mode(self.upload.repository.file_mode(put.executable))?;
            landed.set_modified(put.modified)?;
            if self.upload.landing.each(size) {
                target.sync_or_remove(target_name, &landed)?;
            }
            return Ok(Some(Landed { hash, size }));
        }
        Ok(None)
    }

    /// Takes the bytes as they come.
    fn land(
        &mut self,
        put: &Put<'_>,
        source: &mut dyn Source,
        at: &Path,
        monitor: &dyn Monitor,
    ) -> Result<Landed> {
        let repository = self.upload.repository;
        let own = self.upload.transaction.to_string();
        let uses_left_over = source.uses_left_over();
        if !uses_left_over {
            // It was no beginning of this: the room is needed now.
            self.forget(put.path)?;
        }
        let mode = repository.file_mode(put.executable);
        let (parents, directory_mode) = (&mut self.parents, repository.directory_mode());
        repository.with_room(&own, || Ok(parents.made(at, directory_mode).map(drop)?))?;
        let (directory, name) = parents.made(at, directory_mode)?;
        let mut target = repository.with_room(&own, || Ok(directory.create_file(name, mode)?))?;
        let mut roomy = Roomy { repository, own: &own, file: &mut target, written: 0 };
        let landed = copy::copy(source, &mut roomy, &mut self.buffer, &|bytes| {
            monitor.advance(0, bytes);
        })?;
        if self.as_created != Some(mode) {
            self.as_created = (target.status()?.mode == mode).then_some(mode);
            target.set_mode(mode)?;
        }
        target.set_modified(put.modified)?;
        if self.upload.landing.each(landed.size) {
            directory.sync_or_remove(name, &target)?;
        }
        if uses_left_over {
            self.forget(put.path)?;
        }
        Ok(landed)
    }

    /// Removes what earlier uploads brought for a path.
    fn forget(&self, path: &RepoPath) -> Result<()> {
        for previous in &self.previous {
            let mut parents = Parents::new(previous);
            for at in left_over_places(path) {
                let Some((directory, name)) = present(parents.of(&at))? else { continue };
                let status = present(directory.status(name))?;
                if status.is_some_and(|status| status.kind == Kind::File) {
                    remove_if_allowed(directory, name)?;
                }
            }
        }
        Ok(())
    }
}

/// Where an earlier upload may have put the content of a path.
fn left_over_places(path: &RepoPath) -> [PathBuf; 2] {
    [place_of(path, false), place_of(path, true)]
}

impl Lane for LocalLane<'_> {
    fn put(
        &mut self,
        put: &Put<'_>,
        source: &mut dyn Source,
        monitor: &dyn Monitor,
    ) -> Result<Received> {
        check_stop(monitor)?;
        let exists = self.parent_exists(put.path)?;
        let shaped = !exists;
        let at = place_of(put.path, shaped);
        let earlier = self.upload.staged().remove(put.path);
        if let Some(earlier) = earlier {
            let mut parents = Parents::new(&self.upload.directory);
            if let Some((directory, name)) = present(parents.of(&earlier.at(put.path)))? {
                directory.remove_file_if_there(name)?;
            }
        }
        let resumed = match source.file() {
            Some(file) => self.resume(put, file, &at)?,
            None => None,
        };
        let landed = match resumed {
            Some(landed) => landed,
            None => self.land(put, source, &at, monitor)?,
        };
        monitor.advance(1, 0);
        let staged =
            Staged { shaped, hash: landed.hash, size: landed.size, executable: put.executable };
        self.upload.staged().insert(put.path.clone(), staged);
        Ok(Received { hash: landed.hash, size: landed.size })
    }
}

/// The directories below `top` that hold something staged, deepest last: their names must be durable
/// before the commit.
pub(super) fn staged_directories(upload: &LocalUpload<'_>) -> HashSet<PathBuf> {
    let mut directories = HashSet::new();
    for (path, staged) in upload.staged().iter() {
        let at = staged.at(path);
        let mut directory = at.parent();
        while let Some(path) = directory {
            if !directories.insert(path.to_owned()) {
                break;
            }
            directory = path.parent();
        }
    }
    directories
}
