//! The journal of a project: what a sync was about to do, so that the next command can finish it or
//! forget it.
//!
//! One file written in place with its length and hash in front: one sync, no directory entry. A torn
//! journal is no journal, and rightly so: nothing was asked of the repository before it was whole.

use dsg_core::entry::Moment;
use dsg_core::hash::{ChainHash, ContentHash};
use dsg_core::path::RepoPath;
use dsg_core::snapshot::{SnapshotNumber, TransactionId};
use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};
use crate::system::{Directory, Kind, Status, present};

const FILE: &str = "journal";
const MAGIC: &[u8; 8] = b"DSGJRNL1";
const HEAD_BYTES: usize = 48;
const FILE_BYTES_MAX: u64 = 4 << 30;

/// What a sync is about to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Journal {
    /// Its transaction.
    pub(crate) transaction: TransactionId,
    /// The head that the plan was made against.
    pub(crate) base: Option<(SnapshotNumber, ChainHash)>,
    /// Whether the repository is asked to commit; what became of that is then asked first.
    pub(crate) commits: bool,
    /// What changes here.
    pub(crate) operations: Vec<LocalOperation>,
}

/// One path that changes here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LocalOperation {
    /// The key.
    pub(crate) path: RepoPath,
    /// Where it is below the project, as the disk spells it.
    pub(crate) at: String,
    /// What the scan saw there; `None` for nothing.
    pub(crate) old: Option<OldFile>,
    /// What comes there; `None` for nothing.
    pub(crate) new: Option<StagedFile>,
    /// The name under which the old file is kept beside the path, when the user chose against it; with
    /// a number in it where that name is taken by then.
    pub(crate) backup: Option<String>,
}

/// A file or link as the scan saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OldFile {
    link: bool,
    inode: u64,
    size: u64,
    modified: Moment,
    /// Its content, where it is known.
    pub(crate) hash: Option<ContentHash>,
    /// Whether the repository's history has that content.
    pub(crate) in_history: bool,
}

impl OldFile {
    /// Notes what the scan saw.
    #[must_use]
    pub(crate) fn new(status: &Status, hash: Option<ContentHash>, in_history: bool) -> Self {
        Self {
            link: status.kind == Kind::Link,
            inode: status.inode,
            size: status.size,
            modified: status.modified,
            hash,
            in_history,
        }
    }

    /// Whether this can be what the scan saw. The inode's own time can't be asked, a rename moves it.
    #[must_use]
    pub(crate) fn is_still(&self, status: &Status) -> bool {
        let kind = if self.link { Kind::Link } else { Kind::File };
        status.kind == kind
            && status.inode == self.inode
            && status.size == self.size
            && status.modified == self.modified
    }
}

/// A file or link that waits in `.dsg/tx/<transaction>/`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StagedFile {
    /// Its name there.
    pub(crate) name: String,
    /// Its inode: tells whether it is in place already.
    pub(crate) inode: u64,
    size: u64,
    modified: Moment,
}

impl StagedFile {
    /// Notes what was staged.
    #[must_use]
    pub(crate) fn new(name: &str, status: &Status) -> Self {
        Self {
            name: name.to_owned(),
            inode: status.inode,
            size: status.size,
            modified: status.modified,
        }
    }

    /// Whether this is what was staged, and nobody wrote to it since.
    #[must_use]
    pub(crate) fn is_still(&self, status: &Status) -> bool {
        status.inode == self.inode && status.size == self.size && status.modified == self.modified
    }
}

impl Default for Journal {
    /// A journal of nothing, to be filled in.
    fn default() -> Self {
        Self {
            transaction: TransactionId::from_bytes([0; 8]),
            base: None,
            commits: false,
            operations: Vec::new(),
        }
    }
}

impl Journal {
    /// Reads the journal; `None` when nothing is in flight.
    ///
    /// # Errors
    /// When the disk says no.
    pub(crate) fn read(dsg: &Directory) -> Result<Option<Self>> {
        let Some(mut reader) = present(dsg.open_file(FILE))? else { return Ok(None) };
        let bytes = reader.read_to_end(FILE_BYTES_MAX)?;
        Ok(parse(&bytes))
    }

    /// Whether a sync is in flight, or was when it was cut off.
    ///
    /// # Errors
    /// When the disk says no.
    pub(crate) fn is_in_flight(dsg: &Directory) -> Result<bool> {
        Ok(present(dsg.status(FILE))?.is_some_and(|status| status.size > 0))
    }

    /// Writes the journal; durable when this returns.
    ///
    /// # Errors
    /// When the disk says no.
    pub(crate) fn write(&self, dsg: &Directory) -> Result<()> {
        let mut bytes = vec![0; HEAD_BYTES];
        serde_json::to_writer(&mut bytes, self)
            .map_err(|e| Error::new(Code::Disk, "could not write the journal").because(e))?;
        let (head, text) = bytes.split_at_mut(HEAD_BYTES);
        head[..8].copy_from_slice(MAGIC);
        head[8..16].copy_from_slice(&(text.len() as u64).to_le_bytes());
        head[16..].copy_from_slice(blake3::hash(text).as_bytes());
        let existed = present(dsg.status(FILE))?.is_some();
        let file = dsg.open_in_place(FILE, 0o600)?;
        file.write_all_at(&bytes, 0)?;
        file.sync()?;
        if !existed {
            dsg.sync()?;
        }
        Ok(())
    }

    /// Forgets the journal: what it says is done and durable. If a power cut undoes this, it is
    /// merely looked at again.
    ///
    /// # Errors
    /// When the disk says no.
    pub(crate) fn clear(dsg: &Directory) -> Result<()> {
        if Self::is_in_flight(dsg)? {
            dsg.open_in_place(FILE, 0o600)?.truncate(0)?;
        }
        Ok(())
    }
}

fn parse(bytes: &[u8]) -> Option<Journal> {
    let (head, rest) = bytes.split_at_checked(HEAD_BYTES)?;
    let length = u64::from_le_bytes(head[8..16].try_into().ok()?);
    let text = rest.get(..usize::try_from(length).ok()?)?;
    if &head[..8] != MAGIC || blake3::hash(text).as_bytes() != &head[16..48] {
        return None;
    }
    serde_json::from_slice(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_journal_is_read_whole_or_not_at_all() {
        let folder = tempfile::tempdir().expect("a folder");
        let dsg = Directory::open(folder.path()).expect("opens");
        assert_eq!(Journal::read(&dsg).expect("reads"), None);
        let journal = Journal {
            transaction: TransactionId::from_bytes([1; 8]),
            base: None,
            commits: true,
            operations: vec![LocalOperation {
                path: RepoPath::parse("input/a").expect("a path"),
                at: "input/a".to_owned(),
                old: None,
                new: Some(StagedFile {
                    name: "0".to_owned(),
                    inode: 7,
                    size: 1,
                    modified: Moment::from_parts(1, 0),
                }),
                backup: None,
            }],
        };
        journal.write(&dsg).expect("writes");
        assert_eq!(Journal::read(&dsg).expect("reads"), Some(journal));
        let path = folder.path().join(FILE);
        let whole = std::fs::read(&path).expect("reads");
        for cut in 0..whole.len() {
            std::fs::write(&path, &whole[..cut]).expect("writes");
            assert_eq!(Journal::read(&dsg).expect("reads"), None, "cut at {cut}");
        }
        Journal::clear(&dsg).expect("clears");
        assert_eq!(Journal::read(&dsg).expect("reads"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(parse(&bytes), None);
        }
    }
}
