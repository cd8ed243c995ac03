//! An old file, link or directory out of any snapshot.
//!
//! Every content is proven by its hash while it lands under a hidden temporary name beside the
//! target, which a sync never takes for data. Only then does it get its name, in one step: whoever
//! finds the target finds all of it. A fetched file is an ordinary local file afterwards.

use std::ffi::OsStr;
use std::ops::AddAssign;
use std::path::Path;

use dsg_core::entry::{Entry, FileEntry};
use dsg_core::link;
use dsg_core::path::RepoPath;
use dsg_core::snapshot::SnapshotNumber;
use rayon::prelude::*;

use crate::error::{Code, Error, Result};
use crate::history::document;
use crate::monitor::{Monitor, Phase, check_stop};
use crate::repository::{Repository, Wanted};
use crate::system::{
    Directory, Kind, Parents, Reader, SystemError, Writer, present, random, sync_file_system,
};

/// How a temporary name begins; hidden, so that it takes part in nothing.
pub const TEMPORARY: &str = ".dsg-fetch-";
/// Fetched directories are the user's alone until they open them to others.
const DIRECTORY_MODE: u32 = 0o700;

/// What was fetched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fetched {
    /// Files.
    pub files: u64,
    /// Links.
    pub links: u64,
    /// Bytes of the files.
    pub bytes: u64,
    /// Paths that were left out because they would be dangerous here, and why.
    pub left_out: Vec<(RepoPath, String)>,
}

impl AddAssign for Fetched {
    fn add_assign(&mut self, other: Self) {
        self.files += other.files;
        self.links += other.links;
        self.bytes += other.bytes;
        self.left_out.extend(other.left_out);
    }
}

/// What a snapshot has at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A file or link.
    Entry(RepoPath, Entry),
    /// Everything below a directory; the paths are relative to it.
    Directory(Vec<(RepoPath, RepoPath, Entry)>),
}

/// Looks for `path` (`None`: everything) in a snapshot; `None` when it has nothing there.
///
/// # Errors
/// [`Code::NotFound`] when there is no such snapshot.
pub fn find(
    repository: &dyn Repository,
    number: SnapshotNumber,
    path: Option<&RepoPath>,
) -> Result<Option<Found>> {
    document(repository, number)?;
    if let Some(path) = path
        && let Some(entry) = repository.entry(number, path)?
    {
        return Ok(Some(Found::Entry(path.clone(), entry)));
    }
    let directory = path.map_or("", RepoPath::as_str);
    let mut below = Vec::new();
    for change in repository.differences(None, Some(number))? {
        let Some(entry) = change.new.filter(|_| change.path.is_in(directory)) else { continue };
        let text = &change.path.as_str()[directory.len()..];
        if let Ok(relative) = RepoPath::parse(text.trim_start_matches('/')) {
            below.push((change.path, relative, entry));
        }
    }
    Ok((path.is_none() || !below.is_empty()).then_some(Found::Directory(below)))
}

/// Puts what was found at `out`, whose directory must exist. A file or link replaces another only
/// with `force`; a directory needs a name that is free, so that nothing is mixed.
///
/// # Errors
/// When something is there already, a content is damaged, or the disk says no; `out` is then as it
/// was.
pub fn fetch(
    repository: &dyn Repository,
    found: &Found,
    out: &Path,
    force: bool,
    monitor: &dyn Monitor,
) -> Result<Fetched> {
    let (parent, name) = place(out)?;
    refuse_present(&parent, name, found, force)?;
    if let Found::Entry(path, entry) = found
        && let Some(why) = dangerous(path, entry)
    {
        return Err(Error::new(Code::ContentDamaged, format!("{path} is not safe to make here"))
            .because(why));
    }
    let temporary = temporary_name()?;
    let landed = match found {
        Found::Entry(path, entry) => {
            monitor.begin(Phase::Downloading, 1, entry.size());
            one(repository, path, entry, &parent, OsStr::new(&temporary), true, monitor)
        }
        Found::Directory(entries) => tree(repository, entries, &parent, &temporary, monitor),
    };
    let placed = landed.and_then(|fetched| {
        if force && matches!(found, Found::Entry(..)) {
            parent.rename(&temporary, &parent, name)?;
        } else {
            parent
                .rename_new(&temporary, &parent, name)
                .map_err(|error| if error.is_present() { in_the_way(out) } else { error.into() })?;
        }
        parent.sync()?;
        Ok(fetched)
    });
    if placed.is_err() {
        // What went wrong is told; a leftover is hidden, and `dsg clean` finds it.
        let _ = parent.remove_tree(&temporary);
    }
    placed
}

/// A content in a file without a name below `scratch`, proven by its hash: to be shown or compared,
/// gone when it is dropped.
///
/// # Errors
/// When it is damaged or can't be written.
pub fn content(
    repository: &dyn Repository,
    path: &RepoPath,
    file: &FileEntry,
    scratch: &Directory,
    monitor: &dyn Monitor,
) -> Result<Reader> {
    let mut target = nameless(scratch)?;
    repository.read(&Wanted { hash: file.hash, size: file.size, path }, &mut target, monitor)?;
    Ok(target.reader()?)
}

/// A file without a name below `scratch`; where that can't be written, among the system's own.
fn nameless(scratch: &Directory) -> Result<Writer> {
    let name = temporary_name()?;
    let make = |directory: &Directory| {
        let file = directory.create_file(&name, 0o600)?;
        directory.remove_file(&name)?;
        Ok(file)
    };
    match make(scratch) {
        Err(error) if SystemError::is_denied(&error) => {
            Ok(make(&Directory::open(&std::env::temp_dir())?)?)
        }
        other => Ok(other?),
    }
}

fn temporary_name() -> Result<String> {
    let mut bytes = [0; 8];
    random(&mut bytes)?;
    Ok(format!("{TEMPORARY}{:016x}", u64::from_be_bytes(bytes)))
}

fn place(out: &Path) -> Result<(Directory, &OsStr)> {
    let Some(name) = out.file_name() else {
        return Err(Error::new(Code::Usage, format!("{} is no name for a file", out.display()))
            .next("give the name under which it is to be put, with -o"));
    };
    let parent = match out.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    match present(Directory::open(parent))? {
        Some(parent) => Ok((parent, name)),
        None => {
            Err(Error::new(Code::NotFound, format!("there is no directory {}", parent.display()))
                .next("make it first, or give another place with -o"))
        }
    }
}

fn refuse_present(parent: &Directory, name: &OsStr, found: &Found, force: bool) -> Result<()> {
    let Some(status) = present(parent.status(name))? else { return Ok(()) };
    let out = parent.path_of(name);
    if status.kind == Kind::Directory || matches!(found, Found::Directory(_)) {
        return Err(Error::new(Code::Usage, format!("{} is there already", out.display()))
            .because("directories are never merged or replaced")
            .next("give a name that is free, with -o"));
    }
    if force { Ok(()) } else { Err(in_the_way(&out)) }
}

fn in_the_way(out: &Path) -> Error {
    Error::new(Code::Usage, format!("{} is there already", out.display()))
        .next("give another name with -o, or --force to replace it")
}

/// Why an entry of a manifest is not to be made here, if it is not.
fn dangerous(path: &RepoPath, entry: &Entry) -> Option<String> {
    if path.components().any(|name| name.starts_with('.')) {
        return Some("it has a hidden component".to_owned());
    }
    match entry {
        Entry::File(_) => None,
        Entry::Link(found) => link::check(path, &found.target).err().map(|error| error.to_string()),
    }
}

fn one(
    repository: &dyn Repository,
    path: &RepoPath,
    entry: &Entry,
    directory: &Directory,
    name: &OsStr,
    sync: bool,
    monitor: &dyn Monitor,
) -> Result<Fetched> {
    match entry {
        Entry::Link(link) => {
            directory.create_link(name, &link.target)?;
            Ok(Fetched { links: 1, ..Fetched::default() })
        }
        Entry::File(file) => {
            let mut target =
                directory.create_file(name, if file.executable { 0o777 } else { 0o666 })?;
            let wanted = Wanted { hash: file.hash, size: file.size, path };
            repository.read(&wanted, &mut target, monitor)?;
            target.set_modified(file.modified)?;
            if sync {
                target.sync()?;
            }
            monitor.advance(1, 0);
            Ok(Fetched { files: 1, bytes: file.size, ..Fetched::default() })
        }
    }
}

fn tree(
    repository: &dyn Repository,
    entries: &[(RepoPath, RepoPath, Entry)],
    parent: &Directory,
    temporary: &str,
    monitor: &dyn Monitor,
) -> Result<Fetched> {
    let bytes = entries.iter().filter(|(_, _, entry)| entry.content().is_some());
    let bytes = bytes.map(|(_, _, entry)| entry.size()).sum();
    monitor.begin(Phase::Downloading, entries.len() as u64, bytes);
    let top = parent.directory_made(temporary, DIRECTORY_MODE)?;
    let parts: Vec<Fetched> = entries
        .par_chunks(32)
        .map(|chunk| {
            let mut parents = Parents::new(&top);
            let mut fetched = Fetched::default();
            for (path, relative, entry) in chunk {
                check_stop(monitor)?;
                if let Some(why) = dangerous(path, entry) {
                    fetched.left_out.push((path.clone(), why));
                    continue;
                }
                let (directory, name) =
                    parents.made(Path::new(relative.as_str()), DIRECTORY_MODE)?;
                fetched += one(repository, path, entry, directory, name, false, monitor)?;
            }
            Ok(fetched)
        })
        .collect::<Result<_>>()?;
    let mut fetched = Fetched::default();
    for part in parts {
        fetched += part;
    }
    // That is everything, so no file was synced by itself.
    sync_file_system(&top)?;
    Ok(fetched)
}

#[cfg(test)]
mod tests;
