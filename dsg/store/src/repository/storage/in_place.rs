//! One dataset, changed in place, with a ZFS snapshot of each state: needs only what `zfs allow` can
//! delegate.

use std::sync::PoisonError;

use super::super::layout::LocalRepository;
use super::Storage;
use super::zfs;
use super::zfs_volumes::{check_dataset, mounted_dataset};
use crate::error::{Code, Error, Result};
use crate::monitor::{Monitor, Notice};
use crate::system::FileLock;

impl LocalRepository {
    /// Refuses to change a repository of generations as if it were plain files.
    pub(in super::super) fn refuse_generations(&self) -> Result<()> {
        if self.is_part || !self.description.storage.has_generations() {
            return Ok(());
        }
        Err(Error::new(
            Code::NotSupported,
            format!("{} can't be changed as plain files", self.root.path().display()),
        )
        .because(self.description.storage)
        .next("nothing was changed; each state is made by a sync, and what is visible can't be edited"))
    }

    /// Refuses to begin a commit that this storage could not hold.
    pub(in super::super) fn check_storage(&self) -> Result<()> {
        self.refuse_generations()?;
        if self.description.storage == Storage::ZfsInPlace {
            check_dataset(&mounted_dataset(&self.root)?)?;
        }
        Ok(())
    }

    /// Under the lock, the visible tree being that of the newest snapshot: makes the ZFS snapshot of
    /// it, if it is missing.
    pub(in super::super) fn keep_state(&self, lock: &FileLock) -> Result<()> {
        if self.description.storage != Storage::ZfsInPlace {
            return Ok(());
        }
        let Some(number) = self.head_number()? else { return Ok(()) };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if *kept == Some(number) {
            return Ok(());
        }
        let snapshot = format!("{}@{number}", mounted_dataset(&self.root)?);
        if !zfs::has_snapshot(&snapshot)? {
            zfs::snapshot(&snapshot, lock)?;
        }
        *kept = Some(number);
        Ok(())
    }

    /// As [`keep_state`](Self::keep_state), right after a commit: that is made, whatever happens now.
    /// The next one is not made before the snapshot is.
    pub(in super::super) fn keep_committed(&self, lock: &FileLock, monitor: &dyn Monitor) {
        if let Err(error) = self.keep_state(lock) {
            let next = error.next.as_deref().unwrap_or_default();
            let text = format!("committed, but its ZFS snapshot is missing: {error}; {next}");
            monitor.notice(Notice { text });
        }
    }
}
