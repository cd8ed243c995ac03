//! Tree objects as a project has them: those of the state file as one block of bytes, and those that
//! came in during this command.

use std::collections::HashMap;
use std::ops::Range;

use dsg_core::hash::TreeHash;
use dsg_core::tree::memory::{MemoryStore, MissingObject};
use dsg_core::tree::{Address, Object, Source};

/// Tree objects by hash. What the state file holds is neither decoded nor hashed before it is asked
/// for; whoever reads a tree checks each object against its hash anyway.
#[derive(Debug, Default)]
pub struct Trees {
    bytes: Vec<u8>,
    stored: HashMap<TreeHash, Range<usize>>,
    fresh: MemoryStore,
}

/// An object is not there, or is none.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BadObject {
    /// It is not there.
    #[error(transparent)]
    Missing(#[from] MissingObject),
    /// It is not a tree object.
    #[error("the tree object {0} is damaged: {1}")]
    Malformed(TreeHash, String),
}

/// Length of the hash and of the number before each object in the state file.
const HEAD_BYTES: usize = 36;

impl Trees {
    /// Takes a block of records as [`put`] writes them, from `start` on; `None` when it is cut off.
    pub(super) fn parse(bytes: Vec<u8>, start: usize) -> Option<Self> {
        let mut stored = HashMap::new();
        let mut at = start;
        while at < bytes.len() {
            let head = bytes.get(at..at + HEAD_BYTES)?;
            let hash = TreeHash::from_bytes(head[..32].try_into().ok()?);
            let length = u32::from_le_bytes(head[32..].try_into().ok()?) as usize;
            let object = at + HEAD_BYTES..at + HEAD_BYTES + length;
            at = object.end;
            bytes.get(object.clone())?;
            stored.insert(hash, object);
        }
        Some(Self { bytes, stored, fresh: MemoryStore::new() })
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.stored.is_empty() && self.fresh.is_empty()
    }

    /// Keeps an object under the hash that its bytes have.
    pub fn insert(&mut self, object: Object) {
        self.fresh.insert(object);
    }

    /// Takes over new objects.
    pub fn extend(&mut self, other: MemoryStore) {
        self.fresh.extend(other);
    }
}

/// Writes an object as a record of the state file; false when it is too large for one.
pub(super) fn put(out: &mut Vec<u8>, hash: &TreeHash, object: &[u8]) -> bool {
    let Ok(length) = u32::try_from(object.len()) else { return false };
    out.extend_from_slice(hash.as_bytes());
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(object);
    true
}

impl Source for Trees {
    type Error = BadObject;

    fn object(&self, address: &Address) -> Result<Object, BadObject> {
        let Some(bytes) = self.stored.get(&address.hash).and_then(|at| self.bytes.get(at.clone()))
        else {
            return Ok(self.fresh.object(address)?);
        };
        Object::unplaced(bytes.to_vec())
            .map_err(|error| BadObject::Malformed(address.hash, error.to_string()))
    }
}
