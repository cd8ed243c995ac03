//! How what lands becomes durable: file by file, or all of it by one call.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::write_back::WriteBack;
use super::{Directory, Result, SystemError, sync_file_system};

/// More files than this are made durable together.
const EACH_FILES_MAX: u64 = 256;
/// So many are synced by themselves whatever their size.
const EACH_FILES_MIN: u64 = 16;
/// Beyond those, more bytes than this are made durable together.
const EACH_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Decides for each file that lands whether it is synced by itself, and lets the disk begin with the
/// others.
///
/// One call for the whole file system also waits for what others wrote. So it is for where that is
/// little beside our own: many files, or many bytes.
#[derive(Debug)]
pub struct Landing {
    few: bool,
    files: AtomicU64,
    bytes: AtomicU64,
    left: AtomicBool,
    write_back: WriteBack,
}

impl Landing {
    /// For about so many files on the file system of `directory`.
    ///
    /// # Errors
    /// When the process has too many open files.
    pub fn of(files: u64, directory: &Directory) -> Result<Self> {
        Ok(Self {
            few: files <= EACH_FILES_MAX,
            files: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            left: AtomicBool::new(false),
            write_back: WriteBack::of(directory.again()?),
        })
    }

    /// Whether the file that was just written, which has so many bytes, is to be synced by itself.
    pub fn each(&self, size: u64) -> bool {
        let files = self.files.fetch_add(1, Ordering::Relaxed) + 1;
        let bytes = self.bytes.fetch_add(size, Ordering::Relaxed).saturating_add(size);
        let each = self.few
            && files <= EACH_FILES_MAX
            && (files <= EACH_FILES_MIN || bytes <= EACH_BYTES_MAX);
        if !each {
            self.left.store(true, Ordering::Release);
            self.write_back.landed(size);
        }
        each
    }

    /// Whether the whole file system is to be synced at the end: something was not synced by itself,
    /// or there are many.
    pub fn together(&self) -> bool {
        !self.few || self.left.load(Ordering::Acquire)
    }

    /// Makes all that landed durable, and everything else that was written to the file system of
    /// `directory`, which is that of the beginning: see [`sync_file_system`].
    ///
    /// # Errors
    /// When a write failed, now or since the beginning.
    pub fn sync(&self, directory: &Directory) -> Result<()> {
        self.write_back.end().map_err(|error| {
            SystemError::new("sync the file system of", directory.path(), error)
        })?;
        sync_file_system(directory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn landing(files: u64) -> Landing {
        Landing::of(files, &Directory::open(&std::env::temp_dir()).unwrap()).unwrap()
    }

    #[test]
    fn few_or_small_files_are_synced_one_by_one_and_the_rest_together() {
        let each = |files: u64, size: u64| {
            let landing = landing(files);
            let each = (0..files).filter(|_| landing.each(size)).count();
            (each, landing.together())
        };
        let large = 10 * 1024 * 1024;
        assert_eq!(each(1, 1 << 40), (1, false));
        assert_eq!(each(16, large), (16, false));
        assert_eq!(each(17, large), (16, true));
        assert_eq!(each(256, 1024), (256, false));
        assert_eq!(each(257, 0), (0, true));
    }

    #[test]
    fn what_was_not_announced_is_not_forgotten() {
        let landing = landing(1);
        let each = (0..300).filter(|_| landing.each(0)).count();
        assert_eq!((each, landing.together()), (256, true));
    }
}
