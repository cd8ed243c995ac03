//! Hashing files: small ones in one go, large ones in parts, on all cores.

use blake3::Hasher;
use blake3::hazmat::{self, ChainingValue, HasherExt, Mode};
use dsg_core::hash::ContentHash;

use super::{COPY_BUFFER_BYTES, Reader, Result, make_room};

/// From this size on a file is divided.
const DIVIDED_BYTES_MIN: u64 = 4 * 1024 * 1024;
/// What is not divided any more. BLAKE3 is a binary tree: a part is a whole subtree if its length is
/// a power of two of at least 1 KiB.
const PART_BYTES: u64 = 2 * 1024 * 1024;

impl Reader {
    /// Hashes the file from its start, wherever [`read`](Self::read) is; `progress` hears of the bytes
    /// as they are read. Gives their number too, which is that of the moment.
    ///
    /// # Errors
    /// What the disk says.
    pub fn hash(
        &self,
        buffer: &mut Vec<u8>,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<(ContentHash, u64)> {
        let size = self.opened().size;
        if size >= DIVIDED_BYTES_MIN
            && let Some(hash) = self.hash_divided(size, progress)?
        {
            return Ok((hash, size));
        }
        make_room(buffer);
        let mut hasher = Hasher::new();
        let mut total = 0;
        loop {
            let filled = self.read_at(buffer, total)?;
            hasher.update(&buffer[..filled]);
            total += filled as u64;
            progress(filled as u64);
            if filled < buffer.len() {
                return Ok((ContentHash::from_bytes(*hasher.finalize().as_bytes()), total));
            }
        }
    }

    /// `None` when the file is not `size` bytes long any more.
    fn hash_divided(
        &self,
        size: u64,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Option<ContentHash>> {
        let left = hazmat::left_subtree_len(size);
        let (left, right) = rayon::join(
            || self.subtree(0, left, progress),
            || self.subtree(left, size - left, progress),
        );
        let (Some(left), Some(right)) = (left?, right?) else { return Ok(None) };
        if self.read_at(&mut [0], size)? > 0 {
            return Ok(None);
        }
        let root = hazmat::merge_subtrees_root(&left, &right, Mode::Hash);
        Ok(Some(ContentHash::from_bytes(*root.as_bytes())))
    }

    fn subtree(
        &self,
        offset: u64,
        length: u64,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Option<ChainingValue>> {
        if length <= PART_BYTES {
            return self.part(offset, length, progress);
        }
        let left = hazmat::left_subtree_len(length);
        let (left, right) = rayon::join(
            || self.subtree(offset, left, progress),
            || self.subtree(offset + left, length - left, progress),
        );
        let (Some(left), Some(right)) = (left?, right?) else { return Ok(None) };
        Ok(Some(hazmat::merge_subtrees_non_root(&left, &right, Mode::Hash)))
    }

    fn part(
        &self,
        offset: u64,
        length: u64,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Option<ChainingValue>> {
        let mut buffer = vec![0; COPY_BUFFER_BYTES];
        let mut hasher = Hasher::new();
        hasher.set_input_offset(offset);
        let mut done = 0;
        while done < length {
            let wanted = usize::try_from(length - done).unwrap_or(usize::MAX).min(buffer.len());
            let filled = self.read_at(&mut buffer[..wanted], offset + done)?;
            if filled < wanted {
                return Ok(None);
            }
            hasher.update(&buffer[..filled]);
            done += filled as u64;
            progress(filled as u64);
        }
        Ok(Some(hasher.finalize_non_root()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::Directory;

    fn contents(length: u64) -> Vec<u8> {
        (0..length).map(|at| (at * at / 7 % 251) as u8).collect()
    }

    fn expected(bytes: &[u8]) -> (ContentHash, u64) {
        (ContentHash::of(bytes), bytes.len() as u64)
    }

    #[test]
    fn a_file_has_the_hash_of_its_bytes_whatever_its_size() {
        let folder = tempfile::tempdir().expect("a folder");
        let directory = Directory::open(folder.path()).expect("a directory");
        let buffer = COPY_BUFFER_BYTES as u64;
        let mut sizes = vec![0, 1, buffer - 1, buffer, buffer + 1];
        for size in [DIVIDED_BYTES_MIN, DIVIDED_BYTES_MIN + PART_BYTES, 3 * DIVIDED_BYTES_MIN] {
            sizes.extend([size - 1, size, size + 1, size + 1025, size + buffer]);
        }
        for size in sizes {
            let bytes = contents(size);
            std::fs::write(folder.path().join("f"), &bytes).expect("a file");
            let heard = std::sync::atomic::AtomicU64::new(0);
            let add = |bytes| {
                heard.fetch_add(bytes, std::sync::atomic::Ordering::Relaxed);
            };
            let reader = directory.open_file("f").expect("opened");
            assert_eq!(reader.hash(&mut Vec::new(), &add).expect("read"), expected(&bytes));
            assert_eq!(heard.into_inner(), size);
        }
    }

    #[test]
    fn a_large_file_that_grows_or_shrinks_after_it_was_opened_is_hashed_as_it_is_then() {
        let folder = tempfile::tempdir().expect("a folder");
        let directory = Directory::open(folder.path()).expect("a directory");
        let path = folder.path().join("f");
        for length in [DIVIDED_BYTES_MIN + 5, DIVIDED_BYTES_MIN * 3, 10] {
            std::fs::write(&path, contents(DIVIDED_BYTES_MIN * 2)).expect("a file");
            let reader = directory.open_file("f").expect("opened");
            let bytes = contents(length);
            std::fs::write(&path, &bytes).expect("changed");
            assert_eq!(reader.hash(&mut Vec::new(), &|_| {}).expect("read"), expected(&bytes));
        }
    }
}
