//! The index: what was seen of each file last time, so that a file that did not change is not read.
//!
//! One flat file, a record per directory, rewritten as a whole and never synced: it is a cache, and
//! losing it costs one reading of the files. It is valid for one state of C and one set of rules;
//! each entry also says how it relates to C, so that a scan of an unchanged project needs neither C
//! nor R. Every byte is covered by a checksum, and whatever is wrong with it, the answer is the
//! same: it is not used.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use dsg_core::compare::LocalEntry;
use dsg_core::entry::Moment;
use dsg_core::hash::{ContentHash, TreeHash};

use crate::system::Status;

mod updates;

pub(crate) use updates::Updates;

const MAGIC: &[u8; 8] = b"DSGINDX1";
const HEADER_BYTES: usize = 8 + 32 + 32 + 32 + 8 + 8;

/// How what is on disk relates to C.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    /// C has no such path.
    Absent,
    /// C has the same.
    Same,
    /// C has something else, or the path is not on disk.
    Differs,
}

/// When and what a path was when it was last looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) modified: Moment,
    pub(crate) changed: Moment,
    pub(crate) inode: u64,
    /// It may have changed again within the same tick of the clock: read it again.
    pub(crate) racy: bool,
    pub(crate) local: LocalEntry,
}

/// An entry of the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IndexEntry {
    /// The name as the disk spells it; the key's name where nothing is on disk.
    pub(crate) name: String,
    pub(crate) seen: Option<Seen>,
    pub(crate) relation: Relation,
}

/// What an index is valid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Validity {
    pub(crate) rules: [u8; 32],
    pub(crate) cached: Option<TreeHash>,
}

/// An index as it was read.
#[derive(Debug)]
pub(crate) struct Index {
    bytes: Vec<u8>,
    records: HashMap<Box<str>, Record>,
    pub(crate) validity: Validity,
    /// Paths of C that the rules leave out.
    pub(crate) left_out: u64,
    /// It was made anew, and is not what the disk has.
    pub(crate) was_rebased: bool,
}

#[derive(Debug)]
struct Record {
    entries: Range<usize>,
    visited: AtomicBool,
    /// Where each entry begins, made when one is first looked up by name.
    offsets: OnceLock<Box<[usize]>>,
}

impl Index {
    /// An index of nothing.
    pub(crate) fn empty(validity: Validity) -> Self {
        Self {
            bytes: Vec::new(),
            records: HashMap::new(),
            validity,
            left_out: 0,
            was_rebased: false,
        }
    }

    /// Reads an index; `None` when the bytes are not one, for whatever reason.
    pub(crate) fn parse(bytes: Vec<u8>) -> Option<Self> {
        if bytes.len() < HEADER_BYTES || &bytes[..8] != MAGIC {
            return None;
        }
        if blake3::hash(&bytes[40..]).as_bytes() != &bytes[8..40] {
            return None;
        }
        let array = |at: usize| <[u8; 32]>::try_from(&bytes[at..at + 32]).ok();
        let number = |at: usize| Some(u64::from_le_bytes(bytes[at..at + 8].try_into().ok()?));
        let rules = array(40)?;
        let cached = array(72).filter(|hash| *hash != [0; 32]).map(TreeHash::from_bytes);
        let (left_out, count) = (number(104)?, number(112)?);
        let mut records = HashMap::with_capacity(usize::try_from(count).ok()?.min(bytes.len() / 8));
        let mut cursor = Cursor { bytes: &bytes, at: HEADER_BYTES };
        for _ in 0..count {
            let path = cursor.text()?.into();
            let length = usize::try_from(cursor.u32()?).ok()?;
            let entries = cursor.at..cursor.at.checked_add(length)?;
            cursor.skip(length)?;
            records.insert(
                path,
                Record { entries, visited: AtomicBool::new(false), offsets: OnceLock::new() },
            );
        }
        Some(Self {
            records,
            validity: Validity { rules, cached },
            left_out,
            bytes,
            was_rebased: false,
        })
    }

    /// The entries of a directory, in the order of their names as the disk spells them.
    pub(crate) fn entries(&self, directory: &str) -> Entries<'_> {
        match self.records.get(directory) {
            Some(record) => {
                record.visited.store(true, Ordering::Relaxed);
                Entries {
                    cursor: Cursor {
                        bytes: &self.bytes[..record.entries.end],
                        at: record.entries.start,
                    },
                }
            }
            None => Entries { cursor: Cursor { bytes: &[], at: 0 } },
        }
    }

    /// The entry of one name, as the disk spells it.
    pub(crate) fn find(&self, directory: &str, name: &str) -> Option<RawEntry<'_>> {
        let record = self.records.get(directory)?;
        let bytes = &self.bytes[..record.entries.end];
        let offsets = record.offsets.get_or_init(|| {
            let mut entries = Entries { cursor: Cursor { bytes, at: record.entries.start } };
            let mut offsets = Vec::new();
            loop {
                let at = entries.cursor.at;
                if entries.next().is_none() {
                    return offsets.into();
                }
                offsets.push(at);
            }
        });
        let at = |offset: usize| Entries { cursor: Cursor { bytes, at: offset } }.next();
        let found = offsets
            .binary_search_by(|offset| at(*offset).map_or("", |entry| entry.name).cmp(name))
            .ok()?;
        at(offsets[found])
    }

    pub(crate) fn has(&self, directory: &str) -> bool {
        self.records.contains_key(directory)
    }

    /// Directories that the walk did not come to.
    pub(crate) fn unvisited(&self) -> impl Iterator<Item = &str> {
        self.records
            .iter()
            .filter(|(_, record)| !record.visited.load(Ordering::Relaxed))
            .map(|(path, _)| &**path)
    }

    /// Every directory.
    pub(crate) fn directories(&self) -> impl Iterator<Item = &str> {
        self.records.keys().map(|path| &**path)
    }

    /// The bytes of an index in which entries of the directories of `changed` are other. What did
    /// not change is copied, not parsed: one file among many costs little.
    pub(crate) fn write(
        &self,
        validity: Validity,
        left_out: u64,
        changed: &HashMap<String, Updates>,
    ) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.bytes.len() + changed.len() * 256 + HEADER_BYTES);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&[0; 32]);
        out.extend_from_slice(&validity.rules);
        out.extend_from_slice(validity.cached.as_ref().map_or(&[0; 32], |hash| hash.as_bytes()));
        out.extend_from_slice(&left_out.to_le_bytes());
        out.extend_from_slice(&0u64.to_le_bytes());
        let mut count: u64 = 0;
        for (path, record) in &self.records {
            if !changed.contains_key(&**path) {
                let entries = &self.bytes[record.entries.clone()];
                count += put_record(&mut out, path, |out| out.extend_from_slice(entries));
            }
        }
        for (path, updates) in changed {
            count += put_record(&mut out, path, |out| self.merge(out, path, updates));
        }
        out[112..120].copy_from_slice(&count.to_le_bytes());
        let hash = blake3::hash(&out[40..]);
        out[8..40].copy_from_slice(hash.as_bytes());
        out
    }

    fn merge(&self, out: &mut Vec<u8>, directory: &str, updates: &Updates) {
        let mut updates = updates.iter().peekable();
        let put = |out: &mut Vec<u8>, update: Option<RawEntry<'_>>| {
            update.iter().for_each(|entry| out.extend_from_slice(entry.bytes));
        };
        for known in self.entries(directory) {
            while let Some((_, update)) = updates.next_if(|(name, _)| *name < known.name) {
                put(out, update);
            }
            match updates.next_if(|(name, _)| *name == known.name) {
                Some((_, update)) => put(out, update),
                None => out.extend_from_slice(known.bytes),
            }
        }
        updates.for_each(|(_, update)| put(out, update));
    }
}

/// Writes a directory's record; one without entries is left out. Returns how many were written.
fn put_record(out: &mut Vec<u8>, path: &str, entries: impl FnOnce(&mut Vec<u8>)) -> u64 {
    let start = out.len();
    put_text(out, path);
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    entries(out);
    let length = out.len() - at - 4;
    match u32::try_from(length) {
        Ok(bytes) if bytes > 0 => {
            out[at..at + 4].copy_from_slice(&bytes.to_le_bytes());
            1
        }
        // Four gigabytes of names in one directory are not indexed; they are read again each time.
        _ => {
            out.truncate(start);
            0
        }
    }
}

const ON_DISK: u8 = 1;
const IS_LINK: u8 = 2;
const EXECUTABLE: u8 = 4;
const RACY: u8 = 8;
const HASH_KNOWN: u8 = 16;
const RELATION_SHIFT: u8 = 5;

fn put_text(out: &mut Vec<u8>, text: &str) {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&text.as_bytes()[..usize::from(length)]);
}

fn put_entry(out: &mut Vec<u8>, entry: &IndexEntry) {
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

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let bytes = self.bytes.get(self.at..self.at.checked_add(length)?)?;
        self.at += length;
        Some(bytes)
    }

    fn skip(&mut self, length: usize) -> Option<()> {
        self.take(length).map(|_| ())
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = u16::from_le_bytes(self.take(2)?.try_into().ok()?);
        std::str::from_utf8(self.take(length.into())?).ok()
    }
}

/// The entries of one directory, parsed as they are asked for: most are only compared.
pub(crate) struct Entries<'a> {
    cursor: Cursor<'a>,
}

/// An entry where it lies in the index.
pub(crate) struct RawEntry<'a> {
    pub(crate) name: &'a str,
    /// All of it, as it is stored.
    bytes: &'a [u8],
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

    /// Whether the file is as it was seen, and known well enough to need no second look.
    pub(crate) fn is_still(&self, status: &Status) -> bool {
        let kind = if self.flags & IS_LINK != 0 {
            status.kind == crate::system::Kind::Link
        } else {
            status.kind == crate::system::Kind::File
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

#[cfg(test)]
mod tests;
