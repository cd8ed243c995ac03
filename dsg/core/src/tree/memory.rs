//! A store of tree objects in memory: for what was fetched from elsewhere, and for tests.

use std::collections::HashMap;

use super::{Address, Object, Place, Sink, Source};
use crate::hash::TreeHash;

/// The store has no object of this hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the tree object {0} is missing")]
pub struct MissingObject(pub TreeHash);

/// Objects by hash. It gives every object the same place and asks for none.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    objects: HashMap<TreeHash, Object>,
}

impl MemoryStore {
    /// A store with nothing in it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps an object under the hash that its bytes have.
    pub fn insert(&mut self, object: Object) -> TreeHash {
        let hash = TreeHash::of(&object.bytes);
        self.objects.insert(hash, object);
        hash
    }

    /// Takes over the objects of another store.
    pub fn extend(&mut self, other: Self) {
        self.objects.extend(other.objects);
    }

    /// Whether an object of this hash is here.
    #[must_use]
    pub fn contains(&self, hash: &TreeHash) -> bool {
        self.objects.contains_key(hash)
    }

    /// How many objects are here.
    #[must_use]
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// Whether nothing is here.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }
}

impl Source for MemoryStore {
    type Error = MissingObject;

    fn object(&self, address: &Address) -> Result<Object, MissingObject> {
        self.objects.get(&address.hash).cloned().ok_or(MissingObject(address.hash))
    }
}

impl Sink for MemoryStore {
    type Error = std::convert::Infallible;

    fn store(&mut self, hash: TreeHash, object: &Object) -> Result<Place, Self::Error> {
        self.objects.entry(hash).or_insert_with(|| object.clone());
        Ok(Place::default())
    }
}
