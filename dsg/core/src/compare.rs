//! Comparing: which of the 15 sync states a path is in.
//!
//! A path is present or absent in L (the disk), C (what was last agreed) and R (the repository's
//! head), and of the copies that are present some are equal. That makes 15 cases and no more, so
//! the whole decision "who changed this?" is one total function of three values. Everything that
//! sync does to a path follows from its answer, and nothing else looks at two entries to find out
//! who changed what.

use crate::entry::{Entry, Identity, Moment};
use crate::hash::ContentHash;

/// What is on disk at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LocalEntry {
    /// A regular file.
    File {
        /// Hash of the bytes; `None` while nobody has read them. That is allowed only where
        /// neither C nor R has the path, as there is nothing to compare them with.
        hash: Option<ContentHash>,
        /// Whether the owner may execute it.
        executable: bool,
        /// Bytes.
        size: u64,
        /// When it was last changed.
        modified: Moment,
    },
    /// A symbolic link.
    Link {
        /// The text of the link.
        target: Box<str>,
    },
}

impl LocalEntry {
    /// What is on disk where it is as the manifest says.
    #[must_use]
    pub fn of(entry: &Entry) -> Self {
        match entry {
            Entry::File(file) => Self::File {
                hash: Some(file.hash),
                executable: file.executable,
                size: file.size,
                modified: file.modified,
            },
            Entry::Link(link) => Self::Link { target: link.target.clone() },
        }
    }

    /// Whether the disk holds what the manifest says (rule **Equal** of the design). A file that
    /// nobody has read is equal to nothing: a guess could pass someone's work for someone else's.
    #[must_use]
    pub fn same(&self, other: &Entry) -> bool {
        match (self, other) {
            (Self::File { hash, executable, .. }, Entry::File(file)) => {
                *hash == Some(file.hash) && *executable == file.executable
            }
            (Self::Link { target }, Entry::Link(link)) => *target == link.target,
            _ => false,
        }
    }

    /// The part that decides equality; `None` of a file that nobody has read.
    #[must_use]
    pub fn identity(&self) -> Option<Identity> {
        match self {
            Self::File { hash, executable, .. } => {
                hash.map(|hash| Identity::File { hash, executable: *executable })
            }
            Self::Link { target } => Some(Identity::Link { target: target.clone() }),
        }
    }

    /// Bytes of the file, or of the link's text.
    #[must_use]
    pub fn size(&self) -> u64 {
        match self {
            Self::File { size, .. } => *size,
            Self::Link { target } => target.len() as u64,
        }
    }

    /// When a file was last changed; a link has no time.
    #[must_use]
    pub fn modified(&self) -> Option<Moment> {
        match self {
            Self::File { modified, .. } => Some(*modified),
            Self::Link { .. } => None,
        }
    }
}

/// One of the 15 states of a path. The numbers are those of the specification, §5.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum SyncState {
    /// All three hold the same.
    Synced = 1,
    /// L is as agreed, R is not.
    RemoteChanged,
    /// L and R were changed in the same way.
    ChangedAlike,
    /// R is as agreed, L is not.
    LocalChanged,
    /// All three differ.
    ChangedDifferently,
    /// L deleted what R holds as agreed.
    LocalDeleted,
    /// L deleted what R changed.
    LocalDeletedRemoteChanged,
    /// L and R have the same, of which C knows nothing.
    AddedAlike,
    /// L and R have different things, of which C knows nothing.
    AddedDifferently,
    /// R deleted what L holds as agreed.
    RemoteDeleted,
    /// R deleted what L changed.
    RemoteDeletedLocalChanged,
    /// Only R has it.
    OnlyRemote,
    /// Only C has it: both sides deleted it.
    OnlyCached,
    /// Only L has it.
    OnlyLocal,
    /// Nobody has it.
    Nowhere,
}

/// What is written of a state: its code, which of L, C and R have the path, a label for lists, a
/// reason for a conflict.
struct Wording {
    code: &'static str,
    pattern: &'static str,
    label: &'static str,
    reason: &'static str,
}

const fn wording(
    code: &'static str,
    pattern: &'static str,
    label: &'static str,
    reason: &'static str,
) -> Wording {
    Wording { code, pattern, label, reason }
}

impl SyncState {
    /// All states, by number.
    pub const ALL: [Self; 15] = [
        Self::Synced,
        Self::RemoteChanged,
        Self::ChangedAlike,
        Self::LocalChanged,
        Self::ChangedDifferently,
        Self::LocalDeleted,
        Self::LocalDeletedRemoteChanged,
        Self::AddedAlike,
        Self::AddedDifferently,
        Self::RemoteDeleted,
        Self::RemoteDeletedLocalChanged,
        Self::OnlyRemote,
        Self::OnlyCached,
        Self::OnlyLocal,
        Self::Nowhere,
    ];

    /// The number in the specification's table, 1 to 15.
    #[must_use]
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The name in the specification's table, which the Python tool used in its output.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.wording().code
    }

    /// Which of L, C and R have the path, as three digits.
    #[must_use]
    pub fn pattern(self) -> &'static str {
        self.wording().pattern
    }

    /// Two or three words for a list.
    #[must_use]
    pub fn label(self) -> &'static str {
        self.wording().label
    }

    /// A few more words, for who has to decide.
    #[must_use]
    pub fn reason(self) -> &'static str {
        self.wording().reason
    }

    /// Whether both sides changed the path, and not alike: somebody has to choose.
    #[must_use]
    pub fn is_conflict(self) -> bool {
        matches!(
            self,
            Self::ChangedDifferently
                | Self::LocalDeletedRemoteChanged
                | Self::AddedDifferently
                | Self::RemoteDeletedLocalChanged
        )
    }

    #[rustfmt::skip]
    fn wording(self) -> Wording {
        match self {
            Self::Synced => wording("sLCR__all_eq", "111", "synced", "all three copies are the same"),
            Self::RemoteChanged => wording("sLCR__L_eq_C_ne_R", "111", "modified on remote", "only the remote copy changed"),
            Self::ChangedAlike => wording("sLCR__L_eq_R_ne_C", "111", "synced (cache outdated)", "both sides made the same change"),
            Self::LocalChanged => wording("sLCR__C_eq_R_ne_L", "111", "modified locally", "only the local copy changed"),
            Self::ChangedDifferently => wording("sLCR__all_ne", "111", "conflict (all differ)", "all three copies differ"),
            Self::LocalDeleted => wording("sxLCR__C_eq_R", "011", "deleted locally", "deleted here, unchanged on the remote"),
            Self::LocalDeletedRemoteChanged => wording("sxLCR__C_ne_R", "011", "deleted locally, modified on remote", "deleted here, changed on the remote"),
            Self::AddedAlike => wording("sLxCR__L_eq_R", "101", "synced (no cache)", "both sides added the same"),
            Self::AddedDifferently => wording("sLxCR__L_ne_R", "101", "conflict (no cache)", "both sides added it, with different content"),
            Self::RemoteDeleted => wording("sLCxR__L_eq_C", "110", "deleted on remote", "deleted on the remote, unchanged here"),
            Self::RemoteDeletedLocalChanged => wording("sLCxR__L_ne_C", "110", "modified locally, deleted on remote", "deleted on the remote, changed here"),
            Self::OnlyRemote => wording("sxLCxR__only_R", "001", "new on remote", "only the remote has it"),
            Self::OnlyCached => wording("sxLCRx__only_C", "010", "deleted on both sides", "both sides deleted it"),
            Self::OnlyLocal => wording("sLxCxR__only_L", "100", "new (local only)", "only this project has it"),
            Self::Nowhere => wording("sxLxCxR__none", "000", "not found", "no copy anywhere"),
        }
    }
}

/// The state of a path, from what L, C and R have there.
#[must_use]
pub fn classify(
    local: Option<&LocalEntry>,
    cached: Option<&Entry>,
    remote: Option<&Entry>,
) -> SyncState {
    use SyncState as S;
    match (local, cached, remote) {
        (Some(l), Some(c), Some(r)) => match (l.same(c), l.same(r), c.same(r)) {
            (true, true, _) => S::Synced,
            (true, false, _) => S::RemoteChanged,
            (false, true, _) => S::ChangedAlike,
            (false, false, true) => S::LocalChanged,
            (false, false, false) => S::ChangedDifferently,
        },
        (None, Some(c), Some(r)) if c.same(r) => S::LocalDeleted,
        (None, Some(_), Some(_)) => S::LocalDeletedRemoteChanged,
        (Some(l), None, Some(r)) if l.same(r) => S::AddedAlike,
        (Some(_), None, Some(_)) => S::AddedDifferently,
        (Some(l), Some(c), None) if l.same(c) => S::RemoteDeleted,
        (Some(_), Some(_), None) => S::RemoteDeletedLocalChanged,
        (None, None, Some(_)) => S::OnlyRemote,
        (None, Some(_), None) => S::OnlyCached,
        (Some(_), None, None) => S::OnlyLocal,
        (None, None, None) => S::Nowhere,
    }
}

#[cfg(test)]
mod tests;
