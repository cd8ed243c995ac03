//! Copying a content: the bytes that are written are the bytes that are hashed.
//!
//! Small files are read once into a buffer, hashed and written from it. Large files share the
//! source's blocks where the file system can do that, and are then hashed from the **copy**: nobody
//! else has it open, so what was hashed is what is kept, even if the source changes meanwhile.

use dsg_core::hash::ContentHash;

use crate::error::{Code, Error, Result};
use crate::repository::{Patches, Piece, Source, Target};
use crate::system::{Writer, make_room};

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
    source: &mut dyn Source,
    target: &mut dyn Target,
    buffer: &mut Vec<u8>,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Landed> {
    let expected = source.expected();
    if let Some(writer) = target.file() {
        if let Some(patches) = source.patches() {
            return patch(patches, writer, buffer, progress);
        }
        if expected >= REFLINK_BYTES_MIN
            && let Some(reader) = source.file()
            && writer.clone_from(reader)?
        {
            let copied = writer.reader()?;
            let (hash, size) = copied.hash(buffer, progress)?;
            return Ok(Landed { hash, size });
        }
    }
    make_room(buffer);
    // A short read of a regular file is its end; the size is checked by the caller's second look.
    let is_file = source.file().is_some();
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
        if is_file && size == expected && filled < buffer.len() {
            break;
        }
    }
    Ok(Landed { hash: ContentHash::from_bytes(*hasher.finalize().as_bytes()), size })
}

/// Makes the content of an older one and what is new. Where blocks can be shared the file begins as
/// a copy that costs nothing, and only what differs is written: what stays where it was is not even
/// read. The hash is taken of the whole file at the end.
fn patch(
    patches: &mut dyn Patches,
    writer: &mut Writer,
    buffer: &mut Vec<u8>,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Landed> {
    make_room(buffer);
    let shared = writer.clone_from(patches.base())?;
    let mut at = 0u64;
    loop {
        let (mut from, mut left) = match patches.next()? {
            None => break,
            Some(Piece::New(bytes)) => {
                writer.write_all_at(bytes, at)?;
                at += bytes.len() as u64;
                continue;
            }
            Some(Piece::Old { offset, length }) => (offset, length),
        };
        if shared && from == at {
            at += left;
            continue;
        }
        while left > 0 {
            let part = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let read = patches.base().read_at(&mut buffer[..part], from)?;
            if read == 0 {
                return Err(Error::new(
                    Code::ContentDamaged,
                    "an older content is shorter than it was",
                )
                .next("run the command again"));
            }
            writer.write_all_at(&buffer[..read], at)?;
            (from, at, left) = (from + read as u64, at + read as u64, left - read as u64);
        }
    }
    writer.truncate(at)?;
    let (hash, size) = writer.reader()?.hash(buffer, progress)?;
    Ok(Landed { hash, size })
}
