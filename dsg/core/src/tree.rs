//! The manifest as a Merkle tree of directories.
//!
//! A manifest is a set of entries by path. A directory is stored as one object, a large one as
//! several, and names each subdirectory by hash, so that comparing, moving and keeping a state
//! costs in proportion to what changed: equal hashes are never looked into. Directories exist only
//! because something is in them; an empty manifest has no root.
//!
//! Where a large directory is cut depends on the hashes of its names alone (`split`), never on the
//! order of edits, so that the same set has the same root everywhere. An object has exactly one
//! encoding (`codec`, and byte by byte `docs/format.md`); what was read is checked against its
//! hash, its form and what its parent said of it before anything of it is believed. So the number
//! of entries in a [`Root`] bounds what any function here does with a tree from another machine.
//!
//! This module holds no store. A child is (hash, place): the hash is in the bytes, the [`Place`]
//! travels beside them, so that a hash is independent of history while a look-up never searches.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::hash::TreeHash;
use crate::path::RepoPath;

mod bytes;
mod codec;
mod directory;
mod edit;
mod find;
pub mod memory;
mod rewrite;
mod split;
mod traverse;

#[cfg(test)]
mod tests;

pub use bytes::Malformed;
pub use edit::{edit, edit_each};
pub use find::{children, lookup};
pub use traverse::{Change, diff, objects, walk};

/// Where a store keeps an object. What the number means is the store's affair.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Place(pub u64);

/// An object: what it is, and where the store has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Address {
    /// The hash of its bytes.
    pub hash: TreeHash,
    /// Where the store keeps it.
    pub place: Place,
}

/// A directory, or a whole manifest. An empty one has no root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Root {
    /// The directory's top object.
    pub address: Address,
    /// Files and links in it and below it; at least one.
    pub entries: u64,
}

/// An object as a store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// The canonical bytes: what the hash covers.
    pub bytes: Vec<u8>,
    /// One place per child that the bytes name, in the order of the bytes.
    pub places: Vec<Place>,
}

impl Object {
    /// Takes bytes from another machine, whose places mean nothing here: each child gets
    /// [`Place::default`].
    ///
    /// # Errors
    /// [`Malformed`] when the bytes are not a tree object.
    pub fn unplaced(bytes: Vec<u8>) -> Result<Self, Malformed> {
        let places = vec![Place::default(); codec::count_children(&bytes)?];
        Ok(Self { bytes, places })
    }
}

/// Where objects are read from.
pub trait Source {
    /// Why the store could not give one.
    type Error;

    /// The object at an address. Its bytes need not be checked: whoever reads here does that.
    ///
    /// # Errors
    /// The store's own; an object that is not there is one.
    fn object(&self, address: &Address) -> Result<Object, Self::Error>;
}

/// Where new objects are written to.
pub trait Sink {
    /// Why the store could not keep one.
    type Error;

    /// Keeps an object and says where. Children are always stored before their parents.
    ///
    /// # Errors
    /// The store's own.
    fn store(&mut self, hash: TreeHash, object: &Object) -> Result<Place, Self::Error>;
}

/// Why a tree can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TreeError<E> {
    /// The store failed, or does not have the object.
    #[error("a tree object can't be read: {0}")]
    Store(E),
    /// The bytes are not what the hash, the format or the parent says.
    #[error("the tree object {hash} is damaged: {why}")]
    Damaged {
        /// The hash by which it was asked for.
        hash: TreeHash,
        /// What is wrong with it.
        why: String,
    },
}

/// Why a manifest can't be edited. The sink may hold objects that nothing refers to by then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError<R, W> {
    /// The tree to be edited can't be read.
    #[error(transparent)]
    Tree(TreeError<R>),
    /// The sink failed.
    #[error("a tree object can't be stored: {0}")]
    Store(W),
    /// A file or link would be where other entries need a directory.
    #[error("`{path}` can't be a file or link: there are entries below it")]
    NotATree {
        /// The path that would be both.
        path: RepoPath,
    },
    /// The changes are not in the order of their paths, or name one twice.
    #[error("the changes are not sorted and unique: `{path}` is out of place")]
    NotSorted {
        /// The first that is out of place.
        path: RepoPath,
    },
    /// The author or the link's text is longer than a manifest takes.
    #[error("the author or the link text of `{path}` is too long")]
    TextTooLong {
        /// The path whose entry it is.
        path: RepoPath,
    },
}

impl<R, W> From<TreeError<R>> for EditError<R, W> {
    fn from(error: TreeError<R>) -> Self {
        Self::Tree(error)
    }
}

/// The error of an object that is not what it should be.
fn damaged<E>(hash: TreeHash, why: impl fmt::Display) -> TreeError<E> {
    TreeError::Damaged { hash, why: why.to_string() }
}
