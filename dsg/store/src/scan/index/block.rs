//! What changed since the records of an index were written: blocks behind them.
//!
//! A block is its length (8), a BLAKE3-256 (32) of the hash of what is before it and of the rest of it,
//! the root of C (32), the paths of C that the rules leave out (8), the number of directories (8), then
//! per directory its path, the length of what follows (4), and the updates: 1 and an entry, or 0 and the
//! name of one that goes. The hash makes a block count only behind what it was made for.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use dsg_core::hash::TreeHash;

use super::{Cursor, Index, Record, Updates, Validity, cached_root, put_text};

const HEADER_BYTES: usize = 8 + 32;

/// Where an index ends, and what stands there.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    pub(super) at: usize,
    pub(super) hash: [u8; 32],
}

/// A block, and where in the file it belongs.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) at: u64,
    pub(super) bytes: Vec<u8>,
}

/// What a block says.
struct Said {
    cached: Option<TreeHash>,
    left_out: u64,
    changed: Vec<(String, Updates)>,
}

impl Index {
    /// Takes over what the blocks say; `None` if one is not whole.
    pub(super) fn read_blocks(&mut self, mut end: End) -> Option<()> {
        while end.at < self.bytes.len() {
            let (said, next) = read_block(&self.bytes, &end)?;
            self.validity.cached = said.cached;
            self.left_out = said.left_out;
            for (directory, updates) in said.changed {
                match self.later.get_mut(&directory) {
                    Some(known) => known.extend(&updates),
                    None => drop(self.later.insert(directory, updates)),
                }
            }
            end = next;
        }
        self.end = Some(end);
        // A directory has a record as long as it has an entry.
        for directory in self.later.keys() {
            self.records.entry(directory.as_str().into()).or_insert_with(|| Record::at(0..0));
        }
        let empty: Vec<String> =
            self.later.keys().filter(|it| self.is_empty(it)).cloned().collect();
        for directory in empty {
            self.records.remove(directory.as_str());
            self.later.remove(&directory);
        }
        Some(())
    }

    fn is_empty(&self, directory: &str) -> bool {
        let entries = self.entries(directory).next();
        // Nobody came to it yet.
        if let Some(record) = self.records.get(directory) {
            record.visited.store(false, Ordering::Relaxed);
        }
        entries.is_none()
    }

    /// The block that makes the index on disk say that entries of the directories of `changed` are
    /// other. `None` where it has to be written as a whole: it is not on disk as it is here, is for other
    /// rules, or the blocks would become many and with them what each look has to read.
    pub(super) fn block(
        &self,
        validity: Validity,
        changed: &HashMap<String, Updates>,
    ) -> Option<Block> {
        let end =
            self.end.filter(|_| !self.was_rebased && validity.rules == self.validity.rules)?;
        let changed = || changed.iter().filter(|(_, updates)| !updates.is_empty());
        let room = self.records_end() / 32 + (64 << 10);
        let size: usize = changed().map(|(path, updates)| path.len() + updates.size() + 6).sum();
        if end.at - self.records_end() + size > room {
            return None;
        }
        let mut bytes = vec![0; HEADER_BYTES];
        bytes.extend_from_slice(validity.cached.as_ref().map_or(&[0; 32], |hash| hash.as_bytes()));
        bytes.extend_from_slice(&self.left_out.to_le_bytes());
        bytes.extend_from_slice(&(changed().count() as u64).to_le_bytes());
        for (path, updates) in changed() {
            put_text(&mut bytes, path);
            let at = bytes.len();
            bytes.extend_from_slice(&[0; 4]);
            updates.put(&mut bytes);
            let length = u32::try_from(bytes.len() - at - 4).ok()?;
            bytes[at..at + 4].copy_from_slice(&length.to_le_bytes());
        }
        let length = bytes.len() as u64;
        bytes[..8].copy_from_slice(&length.to_le_bytes());
        let hash = hash_behind(&end, &bytes);
        bytes[8..HEADER_BYTES].copy_from_slice(&hash);
        Some(Block { at: end.at as u64, bytes })
    }

    /// Where the records end and the blocks begin.
    fn records_end(&self) -> usize {
        let length = self.bytes.get(120..128).and_then(|bytes| bytes.try_into().ok());
        length.and_then(|length| usize::try_from(u64::from_le_bytes(length)).ok()).unwrap_or(0)
    }
}

fn hash_behind(end: &End, block: &[u8]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&end.hash).update(&block[HEADER_BYTES..]);
    hasher.finalize().into()
}

/// The block at `end`, if it is whole, and where it ends.
fn read_block(bytes: &[u8], end: &End) -> Option<(Said, End)> {
    let length = u64::from_le_bytes(bytes.get(end.at..end.at.checked_add(8)?)?.try_into().ok()?);
    let next = end.at.checked_add(usize::try_from(length).ok()?)?;
    let block = bytes.get(end.at..next).filter(|block| block.len() >= HEADER_BYTES)?;
    let hash = hash_behind(end, block);
    if hash != block[8..HEADER_BYTES] {
        return None;
    }
    let mut cursor = Cursor { bytes: block, at: HEADER_BYTES };
    let cached = cached_root(cursor.take(32)?)?;
    let left_out = cursor.u64()?;
    let mut changed = Vec::new();
    for _ in 0..cursor.u64()? {
        let path = cursor.text()?.to_owned();
        let length = usize::try_from(cursor.u32()?).ok()?;
        changed.push((path, Updates::read(cursor.take(length)?)?));
    }
    Some((Said { cached, left_out, changed }, End { at: next, hash }))
}
