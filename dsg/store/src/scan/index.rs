//! The index: what was seen of each file last time, so that a file that did not change is not read.
//!
//! One flat file, a record per directory, and behind them the blocks of what changed since, so that one
//! changed file among many costs one block; now and then all is written anew. It is never synced: it is
//! a cache, and losing it costs one reading of the files. It is valid for one state of C and one set of
//! rules; each entry also says how it relates to C, so that a scan of an unchanged project needs
//! neither C nor R. Every byte is covered by a checksum, and whatever is wrong with it, the answer is
//! the same: it is not used.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use dsg_core::compare::LocalEntry;
use dsg_core::entry::Moment;
use dsg_core::hash::TreeHash;

mod block;
mod entry;
mod file;
mod merged;
mod updates;

pub(crate) use entry::RawEntry;
use entry::{Cursor, Entries, put_text};
pub(crate) use merged::Merged;
pub(crate) use updates::Updates;

const MAGIC: &[u8; 8] = b"DSGINDX2";
const HEADER_BYTES: usize = 8 + 32 + 32 + 32 + 8 + 8 + 8;

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
    /// What the blocks say, by directory.
    later: HashMap<String, Updates>,
    /// Where the next block goes; none for one that was not read.
    end: Option<block::End>,
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
            later: HashMap::new(),
            end: None,
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
        let number = |at: usize| Some(u64::from_le_bytes(bytes[at..at + 8].try_into().ok()?));
        let (left_out, count) = (number(104)?, number(112)?);
        let end = usize::try_from(number(120)?).ok()?;
        let hash = blake3::hash(bytes.get(40..end)?);
        if hash.as_bytes() != &bytes[8..40] {
            return None;
        }
        let rules = <[u8; 32]>::try_from(&bytes[40..72]).ok()?;
        let cached = cached_root(&bytes[72..104])?;
        let mut records = HashMap::with_capacity(usize::try_from(count).ok()?.min(bytes.len() / 8));
        let mut cursor = Cursor { bytes: &bytes[..end], at: HEADER_BYTES };
        for _ in 0..count {
            let path = cursor.text()?.into();
            let length = usize::try_from(cursor.u32()?).ok()?;
            let entries = cursor.at..cursor.at.checked_add(length)?;
            cursor.skip(length)?;
            records.insert(path, Record::at(entries));
        }
        let mut index = Self {
            bytes,
            records,
            later: HashMap::new(),
            end: None,
            validity: Validity { rules, cached },
            left_out,
            was_rebased: false,
        };
        index.read_blocks(block::End { at: end, hash: hash.into() })?;
        Some(index)
    }

    /// The entries of a directory, in the order of their names as the disk spells them.
    pub(crate) fn entries(&self, directory: &str) -> Merged<'_> {
        let record = self.records.get(directory);
        if let Some(record) = record {
            record.visited.store(true, Ordering::Relaxed);
        }
        let recorded = Entries::within(&self.bytes, record.map_or(0..0, |it| it.entries.clone()));
        Merged::new(recorded, self.later.get(directory))
    }

    /// The entry of one name, as the disk spells it.
    pub(crate) fn find(&self, directory: &str, name: &str) -> Option<RawEntry<'_>> {
        if let Some(later) = self.later.get(directory).and_then(|updates| updates.get(name)) {
            return later;
        }
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

    /// The bytes of an index, without blocks, in which entries of the directories of `changed` are
    /// other. What did not change is copied, not parsed.
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
        out.extend_from_slice(&[0; 16]);
        let mut count: u64 = 0;
        for (path, record) in &self.records {
            if changed.contains_key(&**path) {
                continue;
            }
            count += put_record(&mut out, path, |out| match self.later.get(&**path) {
                None => out.extend_from_slice(&self.bytes[record.entries.clone()]),
                Some(_) => put_entries(out, self.entries(path)),
            });
        }
        for (path, updates) in changed {
            let entries = Merged::new(self.entries(path), Some(updates));
            count += put_record(&mut out, path, |out| put_entries(out, entries));
        }
        let length = out.len() as u64;
        out[112..120].copy_from_slice(&count.to_le_bytes());
        out[120..128].copy_from_slice(&length.to_le_bytes());
        let hash = blake3::hash(&out[40..]);
        out[8..40].copy_from_slice(hash.as_bytes());
        out
    }
}

impl Record {
    fn at(entries: Range<usize>) -> Self {
        Self { entries, visited: AtomicBool::new(false), offsets: OnceLock::new() }
    }
}

/// The root of C that an index was made with, if there was one.
#[expect(clippy::option_option, reason = "not 32 bytes and no C are two things")]
fn cached_root(bytes: &[u8]) -> Option<Option<TreeHash>> {
    let hash = <[u8; 32]>::try_from(bytes).ok()?;
    Some((hash != [0; 32]).then(|| TreeHash::from_bytes(hash)))
}

fn put_entries<'a>(out: &mut Vec<u8>, entries: impl Iterator<Item = RawEntry<'a>>) {
    entries.for_each(|entry| out.extend_from_slice(entry.bytes));
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

#[cfg(test)]
mod tests;
