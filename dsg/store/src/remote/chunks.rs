//! Content-defined chunks: where a large file is cut depends on its bytes alone, so that an insertion
//! moves the cuts around it and no others. What the other side has is found by the marks of the
//! chunks, and does not travel. A mark is a quarter of a hash, so that the list of them is short: a
//! false match costs a second transfer, never a wrong file, because the whole content is proven by its
//! hash at the end.

use std::collections::HashMap;
use std::io::Read;

use dsg_core::hash::ContentHash;

use fastcdc::v2020::StreamCDC;

use super::wire::{Input, Malformed, Wire};
use crate::error::{Code, Error, Result};
use crate::monitor::{Monitor, check_stop};
use crate::repository::{Piece, Received};
use crate::system::{Reader, SystemError};

/// Contents below this travel whole.
pub(super) const CHUNKED_BYTES_MIN: u64 = 1 << 20;
/// The longest list that is taken from elsewhere, in bytes: that of some terabytes.
pub(super) const LIST_BYTES_MAX: usize = 512 << 20;

/// How a chunk is cut: a gigabyte has some 16,000 of them, and their list some 180 KB. A small change is
/// in one chunk or two, so at most two of the longest and the list travel for it.
const MIN: usize = 16 << 10;
const AVERAGE: usize = 64 << 10;
const MAX: usize = 128 << 10;

/// What stands for the bytes of a chunk.
type Mark = [u8; 8];

fn mark(bytes: &[u8]) -> Mark {
    let hash = blake3::hash(bytes);
    std::array::from_fn(|at| hash.as_bytes()[at])
}

/// The chunks of a content, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ChunkList {
    chunks: Vec<(Mark, u32)>,
}

impl ChunkList {
    fn push(&mut self, mark: Mark, length: usize) {
        self.chunks.push((mark, u32::try_from(length).unwrap_or(u32::MAX)));
    }

    /// Cuts a file.
    pub(super) fn of(reader: &mut Reader, monitor: &dyn Monitor) -> Result<Self> {
        let mut list = Self::default();
        for chunk in cut(ReadsFile(reader)) {
            check_stop(monitor)?;
            let bytes = chunk?;
            list.push(mark(&bytes), bytes.len());
        }
        Ok(list)
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.chunks.len() * 11 + 4);
        for (mark, length) in &self.chunks {
            mark.write(&mut out);
            length.write(&mut out);
        }
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> std::result::Result<Self, Malformed> {
        let mut list = Self::default();
        let mut rest = bytes;
        while !rest.is_empty() {
            let mut input = Input::new(rest);
            list.chunks.push((Wire::read(&mut input)?, Wire::read(&mut input)?));
            rest = input.rest();
        }
        Ok(list)
    }

    /// Where each chunk is; of several that are equal the first.
    pub(super) fn places(&self) -> Places {
        let mut places = HashMap::with_capacity(self.chunks.len());
        let mut at = 0u64;
        for (mark, length) in &self.chunks {
            places.entry(*mark).or_insert((at, *length));
            at = at.saturating_add(u64::from(*length));
        }
        places
    }
}

/// Where the chunks of a content are.
pub(super) type Places = HashMap<Mark, (u64, u32)>;

/// Tells a file in pieces: what an older content has by its place there, old bytes that follow each
/// other in both as one piece. `read` hears of the bytes as they are read and may stop it. Gives what
/// was read, and its chunks.
pub(super) fn difference(
    file: &mut Reader,
    older: &Places,
    read: &mut dyn FnMut(u64) -> Result<()>,
    tell: &mut dyn FnMut(Piece<'_>) -> Result<()>,
) -> Result<(Received, ChunkList)> {
    let mut hasher = blake3::Hasher::new();
    let mut list = ChunkList::default();
    let mut size = 0;
    let mut old: Option<(u64, u64)> = None;
    for chunk in cut(ReadsFile(file)) {
        let bytes = chunk?;
        hasher.update(&bytes);
        size += bytes.len() as u64;
        read(bytes.len() as u64)?;
        let mark = mark(&bytes);
        list.push(mark, bytes.len());
        let place = older.get(&mark).filter(|(_, length)| *length as usize == bytes.len());
        let place = place.map(|(offset, length)| (*offset, u64::from(*length)));
        old = match (old, place) {
            (Some((offset, so_far)), Some((at, length))) if offset + so_far == at => {
                Some((offset, so_far + length))
            }
            (before, _) => {
                if let Some((offset, length)) = before {
                    tell(Piece::Old { offset, length })?;
                }
                if place.is_none() {
                    tell(Piece::New(&bytes))?;
                }
                place
            }
        };
    }
    if let Some((offset, length)) = old {
        tell(Piece::Old { offset, length })?;
    }
    let hash = ContentHash::from_bytes(*hasher.finalize().as_bytes());
    Ok((Received { hash, size }, list))
}

/// The chunks of what is read.
fn cut<R: Read>(source: R) -> impl Iterator<Item = Result<Vec<u8>>> {
    StreamCDC::new(source, MIN, AVERAGE, MAX).map(|chunk| match chunk {
        Ok(chunk) => Ok(chunk.data),
        Err(fastcdc::v2020::Error::IoError(error)) => Err(match error.downcast::<SystemError>() {
            Ok(error) => error.into(),
            Err(error) => Error::new(Code::Disk, "a file can't be read").because(error),
        }),
        Err(error) => Err(Error::new(Code::Disk, "a file can't be cut into pieces").because(error)),
    })
}

/// A file for those who know only `std`.
struct ReadsFile<'a>(&'a mut Reader);

impl Read for ReadsFile<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buffer).map_err(std::io::Error::other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(seed: u64, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut bytes);
        bytes
    }

    fn list(bytes: &[u8]) -> ChunkList {
        let mut list = ChunkList::default();
        for chunk in cut(bytes) {
            let chunk = chunk.expect("cut");
            list.push(mark(&chunk), chunk.len());
        }
        list
    }

    #[test]
    fn an_insertion_moves_only_the_cuts_around_it() {
        let old = noise(1, 8 << 20);
        let mut new = old.clone();
        new.splice(3 << 20..3 << 20, noise(2, 1000));
        let places = list(&old).places();
        let missing: u64 = list(&new)
            .chunks
            .iter()
            .filter(|(mark, _)| !places.contains_key(mark))
            .map(|(_, length)| u64::from(*length))
            .sum();
        assert!(missing <= 2 * MAX as u64, "{missing}");
    }

    #[test]
    fn a_list_reads_back_and_a_damaged_one_is_refused() {
        let list = list(&noise(3, 3 << 20));
        let bytes = list.encode();
        assert_eq!(ChunkList::decode(&bytes), Ok(list));
        assert!(ChunkList::decode(&bytes[..bytes.len() - 1]).is_err());
    }
}
