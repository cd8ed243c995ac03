//! How what lands becomes durable: file by file, or all of it by one call.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// More files than this are made durable together.
const EACH_FILES_MAX: u64 = 256;
/// So many are synced by themselves whatever their size.
const EACH_FILES_MIN: u64 = 16;
/// Beyond those, more bytes than this are made durable together.
const EACH_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Decides for each file that lands whether it is synced by itself.
///
/// One call for the whole file system also waits for what others wrote. So it is for where that is
/// little beside our own: many files, or many bytes.
#[derive(Debug)]
pub struct Landing {
    few: bool,
    files: AtomicU64,
    bytes: AtomicU64,
    left: AtomicBool,
}

impl Landing {
    /// For about so many files.
    #[must_use]
    pub fn of(files: u64) -> Self {
        Self {
            few: files <= EACH_FILES_MAX,
            files: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            left: AtomicBool::new(false),
        }
    }

    /// Whether the next file, which has so many bytes, is to be synced by itself.
    pub fn each(&self, size: u64) -> bool {
        let files = self.files.fetch_add(1, Ordering::Relaxed) + 1;
        let bytes = self.bytes.fetch_add(size, Ordering::Relaxed).saturating_add(size);
        let each = self.few
            && files <= EACH_FILES_MAX
            && (files <= EACH_FILES_MIN || bytes <= EACH_BYTES_MAX);
        if !each {
            self.left.store(true, Ordering::Release);
        }
        each
    }

    /// Whether the whole file system is to be synced at the end: something was not synced by itself,
    /// or there are many.
    pub fn together(&self) -> bool {
        !self.few || self.left.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_or_small_files_are_synced_one_by_one_and_the_rest_together() {
        let each = |files: u64, size: u64| {
            let landing = Landing::of(files);
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
        let landing = Landing::of(1);
        let each = (0..300).filter(|_| landing.each(0)).count();
        assert_eq!((each, landing.together()), (256, true));
    }
}
