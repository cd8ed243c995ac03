//! Volumes that are no longer needed: what a crash left, and states that nobody looks at any more.

use dsg_core::snapshot::SnapshotNumber;

use super::super::layout::STAGING_LOCK;
use super::generations::{Current, Generations};
use super::volumes::{Retired, Volume};
use crate::error::Result;
use crate::monitor::Silent;
use crate::system::{FileLock, lock_file, present};

/// Notes of when states were superseded; in the control directory.
const SUPERSEDED: &str = "superseded";

/// A state stays at least this long after the next one came: who read the link a moment ago is still
/// on the way to it.
const GRACE_SECONDS: i64 = 2;

impl Generations {
    /// Under the lock: finishes a commit whose process ended after the switch, and removes volumes
    /// that are not needed. What is in use is left for the next time.
    pub(super) fn settle_volumes(&self, current: &Current, lock: &FileLock) -> Result<()> {
        self.above.remove_file_if_there(self.next_link())?;
        let names = self.volumes.settle(&current.volume, lock)?;
        // What was uploaded for the newest state is in it.
        self.control.discard_if_dead(&current.volume.transaction)?;
        self.forget_removed(&names)?;
        for name in names {
            let Some(volume) = Volume::parse(&name).or_else(|| Volume::parse_work(&name)) else {
                continue;
            };
            if self.was_seen(current, &volume)? {
                self.retire(&volume, lock)?;
            } else if !self.is_being_made(&volume)? {
                self.volumes.discard(&name, lock)?;
            }
        }
        Ok(())
    }

    /// Removes the notes about volumes that are gone.
    fn forget_removed(&self, names: &[String]) -> Result<()> {
        let Some(notes) = present(self.control.control.directory(SUPERSEDED))? else {
            return Ok(());
        };
        for entry in notes.entries()? {
            if !names.iter().any(|name| *name == *entry.name.to_string_lossy()) {
                notes.remove_file_if_there(&entry.name)?;
            }
        }
        Ok(())
    }

    /// Whether a volume is a state of the history; else it was never what people saw.
    fn was_seen(&self, current: &Current, volume: &Volume) -> Result<bool> {
        if volume.number == 0 {
            return Ok(*volume == Volume::empty());
        }
        if volume.number > current.volume.number {
            return Ok(false);
        }
        let Some(number) = SnapshotNumber::new(volume.number) else { return Ok(false) };
        Ok(current.repository.document(number)?.0.transaction == volume.transaction)
    }

    /// Whether the process that makes a volume lives: it has the lock of its staging area.
    fn is_being_made(&self, volume: &Volume) -> Result<bool> {
        let staging = self.control.staging()?;
        let name = volume.transaction.to_string();
        let Some(directory) = present(staging.directory(&name))? else { return Ok(false) };
        let lock = lock_file(&directory, STAGING_LOCK, self.control.file_mode(false), false);
        Ok(matches!(present(lock)?, Some(None)))
    }

    /// Notes that a state is no longer the newest.
    pub(super) fn note_superseded(&self, volume: &Volume) -> Result<()> {
        if self.volumes.keeps_old() {
            return Ok(());
        }
        let control = &self.control;
        let notes = control.control.directory_made(SUPERSEDED, control.directory_mode())?;
        drop(notes.open_in_place(volume.name(), control.file_mode(false))?);
        Ok(())
    }

    fn retire(&self, volume: &Volume, lock: &FileLock) -> Result<()> {
        let control = &self.control.control;
        let name = volume.name();
        let notes = present(control.directory(SUPERSEDED))?;
        let since = match &notes {
            Some(notes) => present(notes.status(&name))?.map(|status| status.modified.parts().0),
            None => None,
        };
        let (Some(notes), Some(since)) = (notes, since) else {
            // The process ended before it could note it.
            return self.note_superseded(volume);
        };
        if self.clock.now().as_second() - since <= GRACE_SECONDS {
            return Ok(());
        }
        if self.volumes.retire(volume, lock)? == Retired::Gone {
            notes.remove_file_if_there(&name)?;
        }
        Ok(())
    }

    /// The states that are superseded and still there: in use, within their grace, or changed after
    /// they were superseded.
    ///
    /// # Errors
    /// When the notes can't be read.
    pub fn lingering(&self) -> Result<Vec<String>> {
        let Some(notes) = present(self.control.control.directory(SUPERSEDED))? else {
            return Ok(Vec::new());
        };
        Ok(notes
            .entries()?
            .into_iter()
            .map(|entry| entry.name.to_string_lossy().into_owned())
            .collect())
    }

    /// Removes the volumes that nobody needs any more, without committing anything.
    ///
    /// # Errors
    /// When the lock or the volumes can't be had.
    pub fn tidy(&self) -> Result<()> {
        self.lock_settled(&Silent).map(drop)
    }
}
