//! What was worked out for one state of the data and is needed again: the order of a list, how many
//! values its columns have, the search index.
//!
//! Bounded in bytes; what was not asked for longest goes first, and everything goes when the state
//! changes. A replica that is one write behind another keeps using its own state until it sees the
//! new one in a transaction, so nobody reads an answer of the wrong state.

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The most that is kept, in bytes: the search index of 50,000 entities, which is ten times what there
/// is, takes most of it. What does not fit would be made again for each request.
const BYTES_MAX: usize = 64 * 1024 * 1024;

/// What is kept, by name.
#[derive(Default)]
pub(crate) struct Memory {
    shelf: Mutex<Shelf>,
}

#[derive(Default)]
struct Shelf {
    version: i64,
    bytes: usize,
    turn: u64,
    kept: HashMap<String, Kept>,
}

struct Kept {
    what: Arc<dyn Any + Send + Sync>,
    bytes: usize,
    turn: u64,
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shelf = self.shelf();
        f.debug_struct("Memory")
            .field("version", &shelf.version)
            .field("bytes", &shelf.bytes)
            .field("kept", &shelf.kept.len())
            .finish()
    }
}

impl Memory {
    /// Nothing is done while it is held that could leave it half changed.
    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets everything when the state is a new one.
    pub(crate) fn see(&self, version: i64) {
        let mut shelf = self.shelf();
        if version > shelf.version {
            *shelf = Shelf { version, ..Shelf::default() };
        }
    }

    /// What is kept under this name for this state.
    pub(crate) fn get<T: Any + Send + Sync>(&self, version: i64, name: &str) -> Option<Arc<T>> {
        let mut shelf = self.shelf();
        if shelf.version != version {
            return None;
        }
        shelf.turn += 1;
        let turn = shelf.turn;
        let kept = shelf.kept.get_mut(name)?;
        kept.turn = turn;
        Arc::clone(&kept.what).downcast().ok()
    }

    /// Keeps something of about this size.
    pub(crate) fn keep<T: Any + Send + Sync>(
        &self,
        version: i64,
        name: String,
        bytes: usize,
        what: &Arc<T>,
    ) {
        let bytes = bytes + name.len() + 128;
        let mut shelf = self.shelf();
        if shelf.version != version || bytes > BYTES_MAX {
            return;
        }
        shelf.turn += 1;
        let kept =
            Kept { what: Arc::clone(what) as Arc<dyn Any + Send + Sync>, bytes, turn: shelf.turn };
        if let Some(old) = shelf.kept.insert(name, kept) {
            shelf.bytes -= old.bytes;
        }
        shelf.bytes += bytes;
        while shelf.bytes > BYTES_MAX {
            let oldest = shelf.kept.iter().min_by_key(|(_, kept)| kept.turn);
            let Some(name) = oldest.map(|(name, _)| name.clone()) else { break };
            if let Some(gone) = shelf.kept.remove(&name) {
                shelf.bytes -= gone.bytes;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_belongs_to_one_state() {
        let memory = Memory::default();
        memory.see(3);
        memory.keep(3, "a".to_owned(), 10, &Arc::new(1u8));
        assert_eq!(memory.get::<u8>(3, "a").as_deref(), Some(&1));
        assert_eq!(memory.get::<u8>(2, "a"), None);
        assert_eq!(memory.get::<u16>(3, "a"), None);
        memory.see(2);
        assert!(memory.get::<u8>(3, "a").is_some(), "an older state changes nothing");
        memory.keep(2, "b".to_owned(), 10, &Arc::new(1u8));
        assert_eq!(memory.get::<u8>(3, "b"), None);
        memory.see(4);
        assert_eq!(memory.get::<u8>(4, "a"), None);
    }

    #[test]
    fn what_was_not_asked_for_longest_goes_first() {
        let memory = Memory::default();
        memory.see(1);
        for name in ["a", "b"] {
            memory.keep(1, name.to_owned(), BYTES_MAX / 3, &Arc::new(0u8));
        }
        assert!(memory.get::<u8>(1, "a").is_some());
        memory.keep(1, "c".to_owned(), BYTES_MAX / 2, &Arc::new(0u8));
        assert!(memory.get::<u8>(1, "b").is_none());
        assert!(memory.get::<u8>(1, "a").is_some());
        memory.keep(1, "d".to_owned(), BYTES_MAX, &Arc::new(0u8));
        assert!(memory.get::<u8>(1, "d").is_none(), "too large to keep");
    }
}
