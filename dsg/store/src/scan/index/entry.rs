//! Entries of the index as they are stored: written once, compared where they lie.

use dsg_core::compare::LocalEntry;
use dsg_core::entry::Moment;
use dsg_core::hash::ContentHash;

use super::{IndexEntry, Relation, Seen};
use crate::system::{Kind, Status};

const ON_DISK: u8 = 1;
const IS_LINK: u8 = 2;
const EXECUTABLE: u8 = 4;
const RACY: u8 = 8;
const HASH_KNOWN: u8 = 16;
const RELATION_SHIFT: u8 = 5;

pub(super) fn put_text(out: &mut Vec<u8>, text: &str) {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&text.as_bytes()[..usize::from(length)]);
}

pub(super) fn put_entry(out: &mut Vec<u8>, entry: &IndexEntry) {
    put_text(out, &entry.name);
    let relation = match entry.relation {
        Relation::Absent => 0,
        Relation::Same => 1,
        Relation::Differs => 2,
    } << RELATION_SHIFT;
    let Some(seen) = &entry.seen else {
        out.push(relation);
        return;
    };
    let racy = if seen.racy { RACY } else { 0 };
    let kind = match &seen.local {
        LocalEntry::Link { .. } => IS_LINK,
        LocalEntry::File { hash, executable, .. } => {
            (if *executable { EXECUTABLE } else { 0 })
                | (if hash.is_some() { HASH_KNOWN } else { 0 })
        }
    };
    out.push(ON_DISK | racy | kind | relation);
    out.extend_from_slice(&seen.modified.0.to_le_bytes());
    out.extend_from_slice(&seen.changed.0.to_le_bytes());
    out.extend_from_slice(&seen.inode.to_le_bytes());
    match &seen.local {
        LocalEntry::Link { target } => put_text(out, target),
        LocalEntry::File { hash, size, .. } => {
            out.extend_from_slice(&size.to_le_bytes());
            if let Some(hash) = hash {
                out.extend_from_slice(hash.as_bytes());
            }
        }
    }
}

/// Where reading is.
pub(super) struct Cursor<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let bytes = self.bytes.get(self.at..self.at.checked_add(length)?)?;
        self.at += length;
        Some(bytes)
    }

    pub(super) fn skip(&mut self, length: usize) -> Option<()> {
        self.take(length).map(|_| ())
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    pub(super) fn text(&mut self) -> Option<&'a str> {
        let length = u16::from_le_bytes(self.take(2)?.try_into().ok()?);
        std::str::from_utf8(self.take(length.into())?).ok()
    }
}

/// The entries of one directory, parsed as they are asked for: most are only compared.
pub(crate) struct Entries<'a> {
    pub(super) cursor: Cursor<'a>,
}

impl<'a> Entries<'a> {
    /// Those that lie at `range` of `bytes`.
    pub(super) fn within(bytes: &'a [u8], range: std::ops::Range<usize>) -> Self {
        Self { cursor: Cursor { bytes: &bytes[..range.end], at: range.start } }
    }
}

/// An entry where it lies in the index.
pub(crate) struct RawEntry<'a> {
    pub(crate) name: &'a str,
    /// All of it, as it is stored.
    pub(super) bytes: &'a [u8],
    flags: u8,
    modified: i64,
    changed: i64,
    inode: u64,
    size: u64,
    hash: Option<&'a [u8]>,
    target: &'a str,
}

impl RawEntry<'_> {
    pub(crate) fn relation(&self) -> Relation {
        match self.flags >> RELATION_SHIFT {
            0 => Relation::Absent,
            1 => Relation::Same,
            _ => Relation::Differs,
        }
    }

    /// The text of a link; empty for a file.
    pub(crate) fn link_text(&self) -> &str {
        self.target
    }

    /// Whether the file is as it was seen, and known well enough to need no second look.
    pub(crate) fn is_still(&self, status: &Status) -> bool {
        let kind = if self.flags & IS_LINK != 0 {
            status.kind == Kind::Link
        } else {
            status.kind == Kind::File
                && self.size == status.size
                && (self.flags & EXECUTABLE != 0) == status.executable()
        };
        kind && self.flags & (ON_DISK | RACY) == ON_DISK
            && self.inode == status.inode
            && self.modified == status.modified.0
            && self.changed == status.changed.0
    }

    pub(crate) fn to_entry(&self) -> IndexEntry {
        let local = if self.flags & IS_LINK != 0 {
            LocalEntry::Link { target: self.target.into() }
        } else {
            LocalEntry::File {
                hash: self
                    .hash
                    .and_then(|hash| Some(ContentHash::from_bytes(hash.try_into().ok()?))),
                executable: self.flags & EXECUTABLE != 0,
                size: self.size,
                modified: Moment(self.modified),
            }
        };
        let seen = (self.flags & ON_DISK != 0).then_some(Seen {
            modified: Moment(self.modified),
            changed: Moment(self.changed),
            inode: self.inode,
            racy: self.flags & RACY != 0,
            local,
        });
        IndexEntry { name: self.name.to_owned(), seen, relation: self.relation() }
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = RawEntry<'a>;

    fn next(&mut self) -> Option<RawEntry<'a>> {
        if self.cursor.at >= self.cursor.bytes.len() {
            return None;
        }
        let start = self.cursor.at;
        let name = self.cursor.text()?;
        let flags = *self.cursor.take(1)?.first()?;
        let mut entry = RawEntry {
            name,
            bytes: &[],
            flags,
            modified: 0,
            changed: 0,
            inode: 0,
            size: 0,
            hash: None,
            target: "",
        };
        if flags & ON_DISK != 0 {
            entry.modified = self.cursor.u64()?.cast_signed();
            entry.changed = self.cursor.u64()?.cast_signed();
            entry.inode = self.cursor.u64()?;
            if flags & IS_LINK != 0 {
                entry.target = self.cursor.text()?;
            } else {
                entry.size = self.cursor.u64()?;
                if flags & HASH_KNOWN != 0 {
                    entry.hash = Some(self.cursor.take(32)?);
                }
            }
        }
        entry.bytes = self.cursor.bytes.get(start..self.cursor.at)?;
        Some(entry)
    }
}
