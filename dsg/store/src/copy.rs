//! Copying a content: the bytes that are written are the bytes that are hashed.
//!
//! Small files are read once into a buffer, hashed and written from it. Large files share the
//! source's blocks where the file system can do that, and are then hashed from the **copy**: nobody
//! else has it open, so what was hashed is what is kept, even if the source changes meanwhile.

use dsg_core::hash::ContentHash;

use crate::error::Result;
use crate::system::{COPY_BUFFER_BYTES, Reader, Writer};

/// From this size on a reflink and a second read are cheaper than writing.
const REFLINK_BYTES_MIN: u64 = 1 << 20;

/// What arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Landed {
    pub(crate) hash: ContentHash,
    pub(crate) size: u64,
}

/// Copies `source` into `target`, which must be new and empty.
pub(crate) fn copy(
    source: &mut Reader,
    target: &mut Writer,
    buffer: &mut Vec<u8>,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Landed> {
    let expected = source.opened().size;
    if expected >= REFLINK_BYTES_MIN && target.clone_from(source)? {
        let copied = target.reader()?;
        let (hash, size) = copied.hash(buffer, progress)?;
        return Ok(Landed { hash, size });
    }
    if buffer.len() < COPY_BUFFER_BYTES {
        buffer.resize(COPY_BUFFER_BYTES, 0);
    }
    let mut hasher = blake3::Hasher::new();
    let mut size = 0;
    loop {
        let filled = source.read(buffer)?;
        if filled == 0 {
            break;
        }
        hasher.update(&buffer[..filled]);
        target.write_all(&buffer[..filled])?;
        size += filled as u64;
        progress(filled as u64);
        // A short read of a regular file is its end; the size is checked by the caller's second look.
        if size == expected && filled < buffer.len() {
            break;
        }
    }
    Ok(Landed { hash: ContentHash::from_bytes(*hasher.finalize().as_bytes()), size })
}
