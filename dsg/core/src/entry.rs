//! What a manifest says of one path: a regular file or a symbolic link.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::hash::ContentHash;

/// A moment, in nanoseconds since 1970-01-01T00:00:00Z: exact, and wide enough for any file system
/// we write to (the years 1677 to 2262; what lies outside is clamped, it is information only).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Moment(pub i64);

impl Moment {
    /// From the seconds and nanoseconds of a `stat`.
    #[must_use]
    pub fn from_parts(seconds: i64, nanoseconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds))
    }

    /// Seconds and nanoseconds, the latter never negative.
    #[must_use]
    pub fn parts(self) -> (i64, u32) {
        let nanoseconds = u32::try_from(self.0.rem_euclid(1_000_000_000)).unwrap_or(0);
        (self.0.div_euclid(1_000_000_000), nanoseconds)
    }
}

/// Who last changed a path: the `user_id` of their configuration.
pub type Author = Arc<str>;

/// The longest author and the longest link text that are accepted, in bytes.
pub const TEXT_BYTES_MAX: usize = 4096;

/// A path of a manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Entry {
    /// A regular file.
    File(FileEntry),
    /// A symbolic link: its text, never followed.
    Link(LinkEntry),
}

/// A regular file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Hash of the bytes.
    pub hash: ContentHash,
    /// Whether the owner may execute it.
    pub executable: bool,
    /// Bytes; information, the hash decides.
    pub size: u64,
    /// When the author last changed it; information.
    pub modified: Moment,
    /// Who changed it; information.
    pub author: Author,
}

/// A symbolic link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkEntry {
    /// The text of the link.
    pub target: Box<str>,
    /// Who changed it; information.
    pub author: Author,
}

/// What decides whether two entries are equal: kind, content hash and executable bit, or link text.
/// Size, time and author never count, so that `touch` changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Identity {
    /// A file with these bytes.
    File {
        /// Hash of the bytes.
        hash: ContentHash,
        /// Whether the owner may execute it.
        executable: bool,
    },
    /// A link with this text.
    Link {
        /// The text.
        target: Box<str>,
    },
}

impl Entry {
    /// The part that decides equality.
    #[must_use]
    pub fn identity(&self) -> Identity {
        match self {
            Self::File(file) => Identity::File { hash: file.hash, executable: file.executable },
            Self::Link(link) => Identity::Link { target: link.target.clone() },
        }
    }

    /// Whether both are the same thing (rule **Equal** of the design).
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File(a), Self::File(b)) => a.hash == b.hash && a.executable == b.executable,
            (Self::Link(a), Self::Link(b)) => a.target == b.target,
            _ => false,
        }
    }

    /// Who last changed it.
    #[must_use]
    pub fn author(&self) -> &Author {
        match self {
            Self::File(file) => &file.author,
            Self::Link(link) => &link.author,
        }
    }

    /// Bytes of the file, or of the link's text.
    #[must_use]
    pub fn size(&self) -> u64 {
        match self {
            Self::File(file) => file.size,
            Self::Link(link) => link.target.len() as u64,
        }
    }

    /// The content hash of a file; `None` of a link.
    #[must_use]
    pub fn content(&self) -> Option<ContentHash> {
        match self {
            Self::File(file) => Some(file.hash),
            Self::Link(_) => None,
        }
    }
}

/// Whether two optional entries are the same, absence being equal to absence.
#[must_use]
pub fn same(left: Option<&Entry>, right: Option<&Entry>) -> bool {
    match (left, right) {
        (None, None) => true,
        (Some(left), Some(right)) => left.same(right),
        _ => false,
    }
}
