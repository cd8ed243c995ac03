//! Uploads that nobody goes on with: they wait a week to be resumed, and go at once when the room
//! they take is needed.
//!
//! That is safe because an upload is no record of anything: until it is committed its files are in
//! the project that they came from. What was committed, and what a living process holds, stays.

use super::layout::{LocalRepository, STAGING_LOCK};
use super::recover::is_committed;
use super::{Target, UnfinishedUpload};
use crate::doctor::{age, size};
use crate::error::{Code, Error, Result};
use crate::system::{Directory, Kind, Writer, lock_file, present, space, user};

/// How long an unfinished upload waits to be resumed.
pub(super) const UNFINISHED_KEPT_SECONDS: i64 = 7 * 24 * 3600;
/// So many uploads are named to somebody for whom there is no room.
const NAMED_MAX: usize = 5;
/// With less than this a file system is full.
const FULL_BYTES: u64 = 16 << 20;

impl LocalRepository {
    /// Throws away what nobody has resumed for a week. An upload whose owner lives is locked and stays.
    pub(super) fn discard_abandoned(&self, staging: &Directory) -> Result<()> {
        let now = self.clock.now().as_second();
        for entry in staging.entries()? {
            let Some(status) = present(staging.status(&entry.name))? else { continue };
            let age = now - status.changed.parts().0;
            if status.kind != Kind::Directory || age < UNFINISHED_KEPT_SECONDS {
                continue;
            }
            let Some(old) = present(staging.directory(&entry.name))? else { continue };
            if is_committed(&old)? {
                continue;
            }
            let Ok(Some(_lock)) = lock_file(&old, STAGING_LOCK, self.file_mode(false), false)
            else {
                continue;
            };
            // Another user's leftovers can't always be removed by us; they are theirs to clean.
            match staging.remove_tree(&entry.name) {
                Err(error) if !error.is_denied() => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    }

    /// There is no room: removes what other uploads that were cut off have brought. Says whether there
    /// is more room now.
    fn make_room(&self, own: &str) -> Result<bool> {
        let staging = self.staging()?;
        let space = space(&self.root)?;
        // Else it is a quota, and what is another user's does not count there.
        let is_full = space.free_bytes < FULL_BYTES || space.free_files == Some(0);
        let mut made = false;
        for entry in staging.entries()? {
            if entry.kind != Kind::Directory || entry.name == own {
                continue;
            }
            let Ok(Some(old)) = present(staging.directory(&entry.name)) else { continue };
            if !is_full && old.own_status()?.owner != user() {
                continue;
            }
            // One without a lock is just being begun, and has nothing yet.
            if present(old.status(STAGING_LOCK))?.is_none() {
                continue;
            }
            let lock = lock_file(&old, STAGING_LOCK, self.file_mode(false), false);
            // Asked when nobody has it any more: its owner may have committed until then.
            if let Ok(Some(_lock)) = lock
                && !is_committed(&old)?
            {
                made |= staging.remove_tree(&entry.name).is_ok();
            }
        }
        Ok(made)
    }

    /// Does something that needs room; once more, if there was none and some could be made.
    pub(super) fn with_room<T>(&self, own: &str, mut work: impl FnMut() -> Result<T>) -> Result<T> {
        match work() {
            Err(error) if error.code == Code::DiskFull && self.make_room(own).unwrap_or(false) => {
                work()
            }
            other => other,
        }
        .map_err(|error| self.no_room(own, error))
    }

    /// Tells what else takes room, if it is uploads that we had to leave.
    fn no_room(&self, own: &str, error: Error) -> Error {
        if error.code != Code::DiskFull {
            return error;
        }
        let others: Vec<UnfinishedUpload> = self.unfinished_uploads().unwrap_or_default();
        let others = others.into_iter().filter(|upload| upload.name != own && upload.bytes > 0);
        let named: Vec<String> = others
            .take(NAMED_MAX)
            .map(|upload| {
                let (took, old) = (size(upload.bytes), age(upload.age_seconds));
                format!(
                    "{} of the user with the number {}, {took}, {old} old",
                    upload.name, upload.owner
                )
            })
            .collect();
        if named.is_empty() {
            return error;
        }
        error.next(format!(
            "free some space and run the command again; nothing was half done. Unfinished uploads take room too: {}. Those that are not running any more go with their owner's next `dsg sync`",
            named.join("; ")
        ))
    }
}

/// A file for which room is made while it is written.
pub(super) struct Roomy<'a> {
    pub(super) repository: &'a LocalRepository,
    pub(super) own: &'a str,
    pub(super) file: &'a mut Writer,
    pub(super) written: u64,
}

impl Target for Roomy<'_> {
    fn write_all(&mut self, bytes: &[u8]) -> Result<()> {
        let Self { repository, own, file, written } = self;
        let mut again = false;
        repository.with_room(own, || {
            // A part of it was written before the disk was full.
            if std::mem::replace(&mut again, true) {
                file.go_on_at(*written)?;
            }
            Ok(file.write_all(bytes)?)
        })?;
        *written += bytes.len() as u64;
        Ok(())
    }

    fn start_again(&mut self) -> Result<()> {
        self.written = 0;
        Ok(self.file.start_again()?)
    }

    fn file(&mut self) -> Option<&mut Writer> {
        Some(self.file)
    }
}
