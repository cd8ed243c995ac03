//! Whether an earlier sync was cut off: for those who only look and must not finish it.

use super::journal::Journal;
use crate::error::Result;
use crate::system::Directory;

/// Whether a sync was cut off between its journal and its end; the next sync finishes or forgets it.
///
/// # Errors
/// When the disk says no.
pub fn unfinished_sync(dsg: &Directory) -> Result<bool> {
    Ok(Journal::read(dsg)?.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_tells_of_a_sync_that_was_cut_off() {
        let folder = tempfile::tempdir().expect("a folder");
        let dsg = Directory::open(folder.path()).expect("opens");
        assert!(!unfinished_sync(&dsg).expect("looks"));
        Journal::default().write(&dsg).expect("writes");
        assert!(unfinished_sync(&dsg).expect("looks"));
        Journal::clear(&dsg).expect("clears");
        assert!(!unfinished_sync(&dsg).expect("looks"));
    }
}
