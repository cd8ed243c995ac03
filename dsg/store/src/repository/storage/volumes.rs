//! What repositories of generations need of a file system: a volume that starts as another one was,
//! and that nobody can change any more once it is a state.

use std::path::{Path, PathBuf};

use dsg_core::snapshot::TransactionId;

use crate::error::Result;
use crate::system::FileLock;

/// What became of a volume that people saw and that is no longer the newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Retired {
    /// It is gone; its state is in the history.
    Gone,
    /// Somebody uses it; later.
    InUse,
    /// Somebody changed it after it was a state: it stays until a person has looked.
    Changed,
}

/// The volumes of one repository. Whoever calls holds the lock that is handed over, and so does every
/// program that is run.
pub(super) trait Volumes: Send + Sync {
    /// Refuses when nothing can be written: not mounted, read only, no room.
    fn check(&self) -> Result<()>;

    /// Finishes what was cut off after `newest` became what people see, and names the volumes that
    /// may have to go.
    fn settle(&self, newest: &Volume, lock: &FileLock) -> Result<Vec<String>>;

    /// Makes the volume `name`, which can be written and holds what `base` was.
    fn begin(&self, base: &Volume, name: &str, lock: &FileLock) -> Result<()>;

    /// Makes a volume a state, which can't be changed; gives the name it has from now on.
    fn seal(&self, name: &str, volume: &Volume, lock: &FileLock) -> Result<()>;

    /// Gives `newest`, which people see from now on, the history.
    fn lead(&self, newest: &Volume, lock: &FileLock) -> Result<()>;

    /// Removes a volume that nobody ever saw.
    fn discard(&self, name: &str, lock: &FileLock) -> Result<()>;

    /// Removes a volume that people saw, unless somebody uses it.
    fn retire(&self, volume: &Volume, lock: &FileLock) -> Result<Retired>;

    /// Whether old volumes are the history, and stay.
    fn keeps_old(&self) -> bool;

    /// The directory in which the file system itself has the state `number`, if it has one.
    fn history(&self, newest: &Volume, state: &Volume) -> Option<PathBuf>;
}

/// The name of a volume says which state it is, and which transaction made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Volume {
    /// The number of the snapshot; 0 is the empty state that every repository begins with.
    pub(super) number: u64,
    pub(super) transaction: TransactionId,
}

impl Volume {
    /// The volume of the empty state.
    pub(super) fn empty() -> Self {
        Self { number: 0, transaction: TransactionId::from_bytes([0; 8]) }
    }

    /// The volume that a name stands for; `None` for what is none.
    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::parse_with('g', name)
    }

    /// As [`parse`](Self::parse), for one that is being made.
    pub(super) fn parse_work(name: &str) -> Option<Self> {
        Self::parse_with('w', name)
    }

    fn parse_with(first: char, name: &str) -> Option<Self> {
        let (number, transaction) = name.strip_prefix(first)?.split_once('-')?;
        let volume = Self {
            number: number.parse().ok()?,
            transaction: format!("tx-{transaction}").parse().ok()?,
        };
        // One name per volume: no leading zeros, no capitals.
        (volume.name_with(first) == name).then_some(volume)
    }

    /// Its name.
    pub(super) fn name(&self) -> String {
        self.name_with('g')
    }

    /// Its name while it is made, where it gets another one when it is done.
    pub(super) fn work_name(&self) -> String {
        self.name_with('w')
    }

    fn name_with(&self, first: char) -> String {
        let transaction = self.transaction.to_string();
        format!("{first}{}-{}", self.number, transaction.trim_start_matches("tx-"))
    }
}

/// The directory beside a repository's link that holds its volumes.
pub(super) fn volumes_path(link: &Path) -> Option<PathBuf> {
    let name = link.file_name()?.to_str()?;
    Some(link.parent()?.join(format!(".dsg-{name}")))
}

/// The volume to which a link of such a repository leads, by its text; `None` for any other link.
pub(in crate::repository) fn volume_of(link: &Path, text: &str) -> Option<Volume> {
    let (folder, name) = text.split_once('/')?;
    let is_ours = volumes_path(link)?.file_name()?.to_str()? == folder;
    if is_ours { Volume::parse(name) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_has_one_name() {
        let volume = Volume { number: 12, transaction: TransactionId::from_bytes([0xa; 8]) };
        assert_eq!(volume.name(), "g12-0a0a0a0a0a0a0a0a");
        assert_eq!(Volume::parse(&volume.name()), Some(volume));
        assert_eq!(Volume::parse_work(&volume.work_name()), Some(volume));
        for other in
            ["g12", "g012-0a0a0a0a0a0a0a0a", "g12-0A0a0a0a0a0a0a0a", "w1-0a", "", "g-", "x"]
        {
            assert_eq!(Volume::parse(other), None, "{other}");
        }
    }

    #[test]
    fn volumes_lie_beside_the_link() {
        let path = volumes_path(Path::new("/srv/dsg/SV"));
        assert_eq!(path.as_deref(), Some(Path::new("/srv/dsg/.dsg-SV")));
        assert_eq!(volumes_path(Path::new("/")), None);
    }
}
