//! How the states of a repository are kept: as plain files, or with the snapshots of a file system
//! that has them.
//!
//! `repository.json` says which, so that whoever opens a repository, also on a server and without a
//! project's configuration, does what its maker wanted.

mod btrfs;
mod generations;
mod in_place;
mod inspect;
mod kept;
mod make;
mod publish;
mod retire;
mod volumes;
mod zfs;
mod zfs_volumes;

use std::ffi::OsStr;
use std::fmt;

use serde::{Deserialize, Serialize};

pub use generations::Generations;
pub use inspect::StorageReport;
pub use make::{Plan, create_planned, plan};

use crate::system::Directory;

/// How the states of a repository are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Storage {
    /// Plain files on any file system.
    #[default]
    Plain,
    /// Plain files in a ZFS dataset of their own, which gets a ZFS snapshot after each commit.
    ZfsInPlace,
    /// Each state is a ZFS dataset, a clone of the one before.
    ZfsGenerations,
    /// Each state is a read-only btrfs subvolume.
    Btrfs,
}

impl Storage {
    /// Whether there is nothing to say about it.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        *self == Self::Plain
    }

    /// Whether each state is a volume of its own, to which a link leads.
    #[must_use]
    pub fn has_generations(self) -> bool {
        matches!(self, Self::ZfsGenerations | Self::Btrfs)
    }

    /// What a program must understand to work with such a repository.
    pub(super) fn features(self) -> Vec<String> {
        if self.has_generations() { vec![GENERATIONS.to_owned()] } else { Vec::new() }
    }
}

impl fmt::Display for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "plain files",
            Self::ZfsInPlace => "plain files in a ZFS dataset, with a ZFS snapshot of each state",
            Self::ZfsGenerations => "each state a ZFS dataset, the newest behind a link",
            Self::Btrfs => "each state a read-only btrfs subvolume, the newest behind a link",
        })
    }
}

/// The newest state of the repository of generations to which the link `name` of a directory leads, by
/// handles that follow no link; `None` when it is no such link.
pub(crate) fn newest_below(above: &Directory, name: &OsStr) -> Option<Directory> {
    let text = above.link_text(name).ok().flatten()?;
    volumes::volume_of(&above.path().join(name), &text)?;
    above.directory(text).ok()
}

/// The feature that repositories of generations require.
pub(super) const GENERATIONS: &str = "generations";
