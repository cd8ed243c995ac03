//! Compression where it helps: what does not get smaller is sent as it is, and after some contents
//! that did not, most are not tried any more.

use std::io;

use super::message::DATA_BYTES_MAX;
use super::wire::Malformed;

/// Quick enough to keep up with a fast network.
const LEVEL: i32 = 1;
/// Less than this is not worth a try.
const BYTES_MIN: usize = 256;
/// After so many contents in a row that did not get smaller, only every so many-th is tried.
const MISSES_MAX: u32 = 16;

/// Compresses contents one after the other.
pub(super) struct Packer {
    compressor: Option<zstd::bulk::Compressor<'static>>,
    /// Contents in a row that did not get smaller.
    misses: u32,
    /// Whether the content at hand is worth it.
    worth_it: bool,
    buffer: Vec<u8>,
}

impl Packer {
    pub(super) fn new() -> Self {
        // Without a compressor contents travel as they are.
        let compressor = zstd::bulk::Compressor::new(LEVEL).ok();
        Self { compressor, misses: 0, worth_it: true, buffer: Vec::new() }
    }

    /// Another content begins.
    pub(super) fn begin(&mut self) {
        self.worth_it = self.misses < MISSES_MAX || self.misses.is_multiple_of(MISSES_MAX);
        if !self.worth_it {
            self.misses = self.misses.wrapping_add(1).max(MISSES_MAX);
        }
    }

    /// The compressed bytes; `None` when they are to be sent as they are.
    pub(super) fn pack(&mut self, bytes: &[u8]) -> Option<&[u8]> {
        if !self.worth_it || bytes.len() < BYTES_MIN {
            return None;
        }
        let compressor = self.compressor.as_mut()?;
        self.buffer.resize(zstd::zstd_safe::compress_bound(bytes.len()), 0);
        let length = compressor.compress_to_buffer(bytes, &mut self.buffer[..]).ok()?;
        if length + bytes.len() / 16 >= bytes.len() {
            self.worth_it = false;
            self.misses = self.misses.saturating_add(1);
            return None;
        }
        self.misses = 0;
        Some(&self.buffer[..length])
    }
}

/// Undoes it.
pub(super) struct Unpacker {
    decompressor: io::Result<zstd::bulk::Decompressor<'static>>,
}

impl Unpacker {
    pub(super) fn new() -> Self {
        Self { decompressor: zstd::bulk::Decompressor::new() }
    }

    /// The bytes, which must be as many as announced.
    pub(super) fn unpack(&mut self, size: u32, packed: &[u8]) -> Result<Vec<u8>, Malformed> {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        if size > DATA_BYTES_MAX {
            return Err(Malformed("compressed bytes are more than a message may have"));
        }
        let Ok(decompressor) = &mut self.decompressor else {
            return Err(Malformed("compressed bytes can't be read here"));
        };
        match decompressor.decompress(packed, size) {
            Ok(bytes) if bytes.len() == size => Ok(bytes),
            _ => Err(Malformed("compressed bytes are damaged")),
        }
    }
}
