//! Looking at the project: where does the disk differ from C?
//!
//! The walk goes through directories in parallel and compares each with the index. What did not
//! change since it was last seen costs one `lstat` and nothing else; the answer holds only paths
//! that differ from C, or may.

mod directory;
mod index;
mod rebase;
mod walk;

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use dsg_core::compare::LocalEntry;
use dsg_core::path::RepoPath;

pub(crate) use index::{Index, IndexEntry, Relation, Seen, Updates, Validity};
pub(crate) use rebase::rebase;
pub(crate) use walk::{Walk, walk};

use crate::system::Status;

/// A path that differs from C, or may.
#[derive(Clone, Debug)]
pub(crate) struct LocalChange {
    /// The key.
    pub path: RepoPath,
    /// Where it is on disk, below the project, where the disk spells it other than the key.
    pub spelled: Option<Box<Path>>,
    /// What the disk said when it was looked at; `None` when nothing is there.
    pub status: Option<Status>,
    /// What the status does not say of what is there: a link's text, a hash that is known.
    known: Option<Box<LocalEntry>>,
}

impl LocalChange {
    pub(crate) fn new(
        path: RepoPath,
        at: PathBuf,
        status: Option<Status>,
        local: Option<LocalEntry>,
    ) -> Self {
        let spelled = (at.as_os_str() != path.as_str()).then(|| at.into_boxed_path());
        // A first sync has one of each file, so it is small.
        let known = local.filter(|local| !matches!(local, LocalEntry::File { hash: None, .. }));
        Self { path, spelled, status, known: known.map(Box::new) }
    }

    /// What is there; the hash of a file may not be known yet.
    pub(crate) fn local(&self) -> Option<LocalEntry> {
        match (&self.known, &self.status) {
            (Some(known), _) => Some(LocalEntry::clone(known)),
            (None, Some(status)) => Some(LocalEntry::File {
                hash: None,
                executable: status.executable(),
                size: status.size,
                modified: status.modified,
            }),
            (None, None) => None,
        }
    }

    /// Where it is on disk, below the project.
    pub(crate) fn at(&self) -> &Path {
        self.spelled.as_deref().unwrap_or_else(|| Path::new(self.path.as_str()))
    }
}

/// A path of which nothing can be said: it takes part in nothing, and neither does what is below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// The key, if the name can be one.
    pub path: Option<RepoPath>,
    /// The name as it can be shown.
    pub shown: String,
    /// Why.
    pub why: UnknownReason,
}

/// Why nothing can be said of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnknownReason {
    /// It could not be read.
    Unreadable(String),
    /// Its name is not accepted.
    Name(String),
    /// The link's text is not accepted.
    Link(String),
    /// It is a socket, a pipe or a device.
    Special,
}

impl std::fmt::Display for UnknownReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreadable(why) => write!(f, "can't be read: {why}"),
            Self::Name(why) | Self::Link(why) => f.write_str(why),
            Self::Special => f.write_str("is a socket, a pipe or a device"),
        }
    }
}

/// What a walk found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) changes: Vec<LocalChange>,
    pub(crate) unknown: Vec<Unknown>,
    /// Directories whose index entries changed, with those that did.
    pub(crate) records: HashMap<String, Updates>,
    /// Tracked files and links on disk.
    pub(crate) entries: u64,
    /// Files that ignore rules leave out.
    pub(crate) ignored: u64,
    /// Links whose target does not exist.
    pub(crate) dangling: Vec<RepoPath>,
    /// The data directories that the walk came to, with the device each lies on.
    pub(crate) data_directories: Vec<(String, u64)>,
    /// Spelled names of directories whose key is spelled differently.
    pub(crate) spellings: HashMap<String, OsString>,
}

impl Found {
    /// Where the directory of a key is, or would be made: below those that the walk came to, as the
    /// disk spells them.
    pub(crate) fn spelled(&self, directory: &str) -> PathBuf {
        let mut end = directory.len();
        while end > 0 {
            if let Some(spelled) = self.spellings.get(&directory[..end]) {
                let rest = directory[end..].trim_start_matches('/');
                let spelled = PathBuf::from(spelled);
                return if rest.is_empty() { spelled } else { spelled.join(rest) };
            }
            end = directory[..end].rfind('/').unwrap_or(0);
        }
        PathBuf::from(directory)
    }

    fn add(&mut self, other: Self) {
        self.changes.extend(other.changes);
        self.unknown.extend(other.unknown);
        self.records.extend(other.records);
        self.entries += other.entries;
        self.ignored += other.ignored;
        self.dangling.extend(other.dangling);
        self.data_directories.extend(other.data_directories);
        self.spellings.extend(other.spellings);
    }
}
