//! What earlier runs had downloaded when they were cut off, or when the repository moved on: used
//! instead of bringing it again. Nothing of it is believed: a small content is hashed before it is
//! used, a large one when the rest of it has come.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::sync::Arc;

use dsg_core::hash::ContentHash;
use dsg_core::snapshot::TransactionId;
use rayon::prelude::*;

use crate::error::Result;
use crate::monitor::{Monitor, check_stop};
use crate::system::{Directory, Kind, Writer, present};

/// Contents of this size and more are gone on with in the middle.
pub(super) const RESUMED_BYTES_MIN: u64 = 1 << 20;

/// The name under which a content is staged. Of one that is gone on with in the middle it says which
/// content it is to become, as its beginning does not tell.
pub(super) fn staged_name(number: usize, content: Option<ContentHash>) -> String {
    match content {
        Some(hash) => format!("{number}.{hash}"),
        None => number.to_string(),
    }
}

/// A file that an earlier run left.
pub(super) struct Left {
    directory: Arc<Directory>,
    name: OsString,
    /// Bytes that are there.
    pub(super) size: u64,
}

impl Left {
    /// Moves it to where it is needed, with the rights of a new file there; it is not copied, as the
    /// disk may have been full.
    pub(super) fn adopt(&self, own: &Directory, name: &str, mode: u32) -> Result<Writer> {
        let rights = own.create_file(name, mode)?.status()?.mode;
        own.remove_file(name)?;
        self.directory.rename_new_locked(&self.name, own, name)?;
        let writer = own.open_in_place(name, mode)?;
        writer.set_mode(rights)?;
        Ok(writer)
    }

    /// Removes it where it is, if it still is there.
    pub(super) fn remove(&self) -> Result<()> {
        self.directory.remove_file_if_there(&self.name)?;
        Ok(())
    }
}

/// What is left of all earlier runs.
pub(super) struct LeftOvers {
    directories: Vec<Arc<Directory>>,
    proven: HashMap<ContentHash, Vec<Left>>,
    begun: HashMap<ContentHash, Left>,
}

impl LeftOvers {
    /// Looks below the staging directory, at all but `own`, for contents of these lengths and for the
    /// beginnings of contents.
    pub(super) fn find(
        transactions: &Directory,
        own: &TransactionId,
        sizes: &HashSet<u64>,
        monitor: &dyn Monitor,
    ) -> Result<Self> {
        let mut directories = Vec::new();
        let (mut whole, mut begun) = (Vec::new(), HashMap::<ContentHash, Left>::new());
        for entry in transactions.entries()? {
            let transaction: Option<TransactionId> =
                entry.name.to_str().and_then(|name| name.parse().ok());
            if entry.kind != Kind::Directory || transaction.is_none_or(|found| found == *own) {
                continue;
            }
            let directory = Arc::new(transactions.directory(&entry.name)?);
            for file in directory.entries()? {
                let size = directory.status(&file.name)?.size;
                let named = file.name.to_str().and_then(|name| name.split_once('.'));
                let content = named.and_then(|(_, hash)| hash.parse().ok());
                let left = Left { directory: Arc::clone(&directory), name: file.name, size };
                match content {
                    _ if file.kind != Kind::File || size == 0 => {}
                    Some(hash) if begun.get(&hash).is_some_and(|known| known.size >= size) => {}
                    Some(hash) => drop(begun.insert(hash, left)),
                    None if sizes.contains(&size) => whole.push(left),
                    None => {}
                }
            }
            directories.push(directory);
        }
        let hash = |left: Left| {
            check_stop(monitor)?;
            hash_of(left)
        };
        let mut proven = HashMap::<ContentHash, Vec<Left>>::new();
        for found in whole.into_par_iter().map(hash).collect::<Result<Vec<_>>>()? {
            let Some((hash, left)) = found else { continue };
            proven.entry(hash).or_default().push(left);
        }
        Ok(Self { directories, proven, begun })
    }

    /// A file with all of this content.
    pub(super) fn take_proven(&mut self, hash: ContentHash) -> Option<Left> {
        self.proven.get_mut(&hash)?.pop()
    }

    /// A file that was to become this content.
    pub(super) fn take_begun(&mut self, hash: ContentHash) -> Option<Left> {
        self.begun.remove(&hash)
    }

    /// Throws away everything but what is kept. The directories stay as the marks by which uploads are
    /// resumed.
    pub(super) fn discard_all_but<'a>(self, kept: impl Iterator<Item = &'a Left>) -> Result<()> {
        let kept: HashSet<_> =
            kept.map(|left| (Arc::as_ptr(&left.directory), left.name.as_os_str())).collect();
        for directory in &self.directories {
            for entry in directory.entries()? {
                if !kept.contains(&(Arc::as_ptr(directory), entry.name.as_os_str())) {
                    directory.remove_tree(&entry.name)?;
                }
            }
        }
        Ok(())
    }
}

fn hash_of(left: Left) -> Result<Option<(ContentHash, Left)>> {
    let Some(file) = present(left.directory.open_file(&left.name))? else { return Ok(None) };
    let (hash, _) = file.hash(&mut Vec::new(), &|_| {})?;
    Ok(Some((hash, left)))
}
