//! One directory as it is stored: opening its objects, level by level, and checking each.
//!
//! An object is believed only if its bytes have the hash by which it was asked for, are canonical,
//! and are what its parent said: level, last name, number of items and entries, and no name at or
//! before its left neighbour's last. So every caller sees names in strictly ascending order.

use std::collections::HashSet;
use std::vec;

use super::codec::{Child, Content, decode};
use super::split::MEMBERS_MAX;
use super::{Address, Object, Root, Source, TreeError, damaged};
use crate::hash::TreeHash;

/// An object that was read and checked.
pub(super) struct Opened {
    pub(super) address: Address,
    pub(super) object: Object,
    pub(super) content: Content,
}

/// An object that may or may not have been read.
pub(super) struct Part {
    pub(super) child: Child,
    opened: Option<Opened>,
}

/// The objects of one level of a directory, in the order of their names.
pub(super) struct Row {
    pub(super) level: u8,
    parts: Vec<Part>,
}

/// The branches that were opened, and the row below them.
pub(super) type Descent = (Vec<(Address, Object)>, Row);

/// The leaves of a directory, read one by one.
pub(super) struct Leaves {
    parts: vec::IntoIter<Part>,
    /// The last name of the leaf before.
    after: Option<Box<str>>,
}

fn read<S: Source>(source: &S, address: Address) -> Result<Opened, TreeError<S::Error>> {
    let object = source.object(&address).map_err(TreeError::Store)?;
    if TreeHash::of(&object.bytes) != address.hash {
        return Err(damaged(address.hash, "its bytes have another hash"));
    }
    match decode(&object) {
        Ok(content) => Ok(Opened { address, object, content }),
        Err(malformed) => Err(damaged(address.hash, malformed)),
    }
}

impl Opened {
    fn child<E>(&self) -> Result<Child, TreeError<E>> {
        let counts = || damaged(self.address.hash, "its counts are too large");
        self.content.summary(self.address).ok_or_else(counts)
    }
}

impl Part {
    /// Reads the top object of a directory.
    pub(super) fn top<S: Source>(source: &S, root: &Root) -> Result<Self, TreeError<S::Error>> {
        let opened = read(source, root.address)?;
        let child = opened.child()?;
        if child.root.entries != root.entries {
            return Err(damaged(root.address.hash, "it has another number of entries"));
        }
        if (opened.content.level() == 0) != (child.items <= MEMBERS_MAX as u64) {
            return Err(damaged(root.address.hash, "it is not cut as its size demands"));
        }
        Ok(Self { child, opened: Some(opened) })
    }

    /// The level of a part that has been read.
    pub(super) fn level(&self) -> u8 {
        self.opened.as_ref().map_or(0, |opened| opened.content.level())
    }

    /// Reads it, unless it is a top, which has been read and checked.
    pub(super) fn open<S: Source>(
        self,
        source: &S,
        level: u8,
        after: Option<&str>,
    ) -> Result<Opened, TreeError<S::Error>> {
        if let Some(opened) = self.opened {
            return Ok(opened);
        }
        let hash = self.child.root.address.hash;
        let opened = read(source, self.child.root.address)?;
        if opened.content.level() != level || opened.child()? != self.child {
            return Err(damaged(hash, "it is not what its parent says"));
        }
        if after.is_some_and(|after| opened.content.first() <= Some(after)) {
            return Err(damaged(hash, "its names overlap with those of its neighbour"));
        }
        Ok(opened)
    }
}

impl From<Child> for Part {
    fn from(child: Child) -> Self {
        Self { child, opened: None }
    }
}

impl Row {
    /// The top object of a directory as a row of one; an empty one when there is no directory.
    pub(super) fn top<S: Source>(
        source: &S,
        root: Option<&Root>,
    ) -> Result<Self, TreeError<S::Error>> {
        let Some(root) = root else {
            return Ok(Self { level: 0, parts: Vec::new() });
        };
        let part = Part::top(source, root)?;
        Ok(Self { level: part.level(), parts: vec![part] })
    }

    /// Opens every object of a row of branches: gives them, and the row below.
    pub(super) fn descend<S: Source>(self, source: &S) -> Result<Descent, TreeError<S::Error>> {
        let mut branches = Vec::with_capacity(self.parts.len());
        let mut parts = Vec::new();
        let mut after: Option<Box<str>> = None;
        for part in self.parts {
            let last = part.child.last.clone();
            let opened = part.open(source, self.level, after.as_deref())?;
            after = Some(last);
            if let Content::Branch { children, .. } = opened.content {
                parts.extend(children.into_iter().map(Part::from));
            }
            branches.push((opened.address, opened.object));
        }
        Ok((branches, Self { level: self.level.saturating_sub(1), parts }))
    }

    /// Drops the objects that both rows have: what is below them is the same too.
    pub(super) fn drop_common(left: &mut Self, right: &mut Self) {
        if left.level != right.level || left.parts.is_empty() || right.parts.is_empty() {
            return;
        }
        let hash = |part: &Part| part.child.root.address.hash;
        let left_hashes: HashSet<TreeHash> = left.parts.iter().map(hash).collect();
        let common: HashSet<TreeHash> =
            right.parts.iter().map(hash).filter(|hash| left_hashes.contains(hash)).collect();
        left.parts.retain(|part| !common.contains(&hash(part)));
        right.parts.retain(|part| !common.contains(&hash(part)));
    }

    /// The row as leaves; it must have been taken down to them.
    pub(super) fn into_leaves(self) -> Leaves {
        Leaves { parts: self.parts.into_iter(), after: None }
    }
}

impl Leaves {
    /// All leaves of a directory, and the branches that were read to find them.
    pub(super) fn of<S: Source>(
        source: &S,
        root: Option<&Root>,
    ) -> Result<(Vec<Address>, Self), TreeError<S::Error>> {
        let mut row = Row::top(source, root)?;
        let mut branches = Vec::new();
        while row.level > 0 {
            let (opened, below) = row.descend(source)?;
            branches.extend(opened.into_iter().map(|(address, _)| address));
            row = below;
        }
        Ok((branches, row.into_leaves()))
    }

    /// What is known of the next leaf before it is read.
    pub(super) fn peek(&self) -> Option<&Child> {
        self.parts.as_slice().first().map(|part| &part.child)
    }

    /// How many leaves have been neither read nor passed.
    pub(super) fn len(&self) -> usize {
        self.parts.len()
    }

    /// Passes the next leaf without reading it.
    pub(super) fn pass(&mut self) -> Option<Child> {
        let child = self.parts.next()?.child;
        self.after = Some(child.last.clone());
        Some(child)
    }

    /// Reads the next leaf.
    pub(super) fn open<S: Source>(
        &mut self,
        source: &S,
    ) -> Result<Option<Opened>, TreeError<S::Error>> {
        let Some(part) = self.parts.next() else {
            return Ok(None);
        };
        let last = part.child.last.clone();
        let opened = part.open(source, 0, self.after.as_deref())?;
        self.after = Some(last);
        Ok(Some(opened))
    }
}
