//! The trash: what a sync took away here. It is kept for 30 days or to a size; what is nowhere in
//! the history is kept until the user cleans it.

use dsg_core::hash::ContentHash;
use dsg_core::path::RepoPath;
use dsg_core::snapshot::TransactionId;
use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};
use crate::system::{Directory, Kind, present};

pub(crate) const DIRECTORY: &str = "trash";
pub(crate) const LIST: &str = "list";
const LIST_BYTES_MAX: u64 = 1 << 30;
/// How long what history has is kept.
pub const KEPT_SECONDS: i64 = 30 * 24 * 3600;
/// How much of it is kept, in bytes.
pub const KEPT_BYTES: u64 = 20 << 30;

/// A thing in the trash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrashedFile {
    /// Its name in the trash of its transaction.
    pub name: String,
    /// Where it was.
    pub path: RepoPath,
    /// Its content, where it was known.
    pub hash: Option<ContentHash>,
    /// Whether the repository's history has that content.
    pub in_history: bool,
}

/// The trash of one sync, as it is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trashed {
    /// The transaction, which names the folder below `.dsg/trash`.
    pub transaction: String,
    /// When it was made, in seconds since 1970.
    pub seconds: i64,
    /// What is in it now.
    pub files: Vec<(TrashedFile, u64)>,
}

/// Makes the trash of a transaction and writes down what will be in it.
pub(crate) fn prepare(
    dsg: &Directory,
    transaction: &TransactionId,
    files: &[TrashedFile],
) -> Result<Directory> {
    let trash = dsg.directory_made(DIRECTORY, 0o700)?;
    let own = trash.directory_made(transaction.to_string(), 0o700)?;
    if present(own.status(LIST))?.is_none() {
        let mut text = Vec::new();
        for file in files {
            serde_json::to_writer(&mut text, file).map_err(|e| {
                Error::new(Code::Disk, "could not write the list of the trash").because(e)
            })?;
            text.push(b'\n');
        }
        own.replace_file(LIST, &text, 0o600)?;
        trash.sync()?;
        dsg.sync()?;
    }
    Ok(own)
}

/// Keeps a staging area whole, because what in it is only here can't be told any more.
pub(crate) fn keep_whole(dsg: &Directory, from: &Directory, name: &std::ffi::OsStr) -> Result<()> {
    let staged = from.directory(name)?;
    if staged.entries()?.is_empty() {
        from.remove_directory_if_empty(name)?;
        return Ok(());
    }
    let trash = dsg.directory_made(DIRECTORY, 0o700)?;
    let own = trash.directory_made(name, 0o700)?;
    let mut number = 0;
    while present(own.status(format!("unfinished-{number}")))?.is_some() {
        number += 1;
    }
    from.rename_new(name, &own, format!("unfinished-{number}"))?;
    own.sync()?;
    trash.sync()?;
    Ok(from.sync()?)
}

/// Everything in the trash.
///
/// # Errors
/// When it can't be read.
pub fn contents(dsg: &Directory) -> Result<Vec<Trashed>> {
    let Some(trash) = present(dsg.directory(DIRECTORY))? else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for entry in trash.entries()? {
        if entry.kind != Kind::Directory {
            continue;
        }
        let own = trash.directory(&entry.name)?;
        let seconds = own.own_status()?.modified.parts().0;
        let list = present(own.read_small(LIST, LIST_BYTES_MAX))?.unwrap_or_default();
        let listed: Vec<TrashedFile> = list
            .split(|b| *b == b'\n')
            .filter_map(|line| serde_json::from_slice(line).ok())
            .collect();
        let mut files = Vec::new();
        for file in listed {
            if let Some(status) = present(own.status(&file.name))? {
                files.push((file, status.size));
            }
        }
        found.push(Trashed {
            transaction: entry.name.to_string_lossy().into_owned(),
            seconds,
            files,
        });
    }
    found.sort_by(|a, b| (a.seconds, &a.transaction).cmp(&(b.seconds, &b.transaction)));
    Ok(found)
}

/// Throws away the trash of one transaction: all of it, or only what history has.
///
/// # Errors
/// When the disk says no.
pub fn empty(dsg: &Directory, trashed: &Trashed, also_unique: bool) -> Result<()> {
    let Some(trash) = present(dsg.directory(DIRECTORY))? else { return Ok(()) };
    let Some(own) = present(trash.directory(&trashed.transaction))? else { return Ok(()) };
    // What has no line in the list was kept because nothing is known of it.
    let listed = |name: &std::ffi::OsStr| {
        name == LIST || trashed.files.iter().any(|(file, _)| name == file.name.as_str())
    };
    let mut left = !also_unique && own.entries()?.iter().any(|entry| !listed(&entry.name));
    for (file, _) in &trashed.files {
        if also_unique || (file.in_history && is_what_it_was(&own, file)?) {
            own.remove_tree(&file.name)?;
        } else {
            left = true;
        }
    }
    if !left {
        trash.remove_tree(&trashed.transaction)?;
    }
    Ok(())
}

/// A program that had the file open may have written to it after it was put here: then history does
/// not have it.
fn is_what_it_was(own: &Directory, file: &TrashedFile) -> Result<bool> {
    let Some(hash) = file.hash else { return Ok(true) };
    match present(own.open_file(&file.name)) {
        Ok(Some(reader)) => Ok(reader.hash(&mut Vec::new(), &|_| {})?.0 == hash),
        Ok(None) => Ok(true),
        Err(_) => Ok(false),
    }
}

/// Throws away what history has and is older than [`KEPT_SECONDS`], or the oldest beyond
/// [`KEPT_BYTES`].
pub(crate) fn expire(dsg: &Directory, now: i64) -> Result<()> {
    let contents = contents(dsg)?;
    let size = |trashed: &Trashed| trashed.files.iter().map(|(_, size)| *size).sum::<u64>();
    let mut total: u64 = contents.iter().map(size).sum();
    for trashed in contents {
        if now - trashed.seconds > KEPT_SECONDS || total > KEPT_BYTES {
            empty(dsg, &trashed, false)?;
        }
        total = total.saturating_sub(size(&trashed));
    }
    Ok(())
}
