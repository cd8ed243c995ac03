//! One directory being rewritten, from its first name to its last.
//!
//! Names come in ascending order. Leaves in which nothing changes are passed unread, as long as
//! the one before them still ends at a cut; where it does not, the next is read and joined to it.
//! Nothing is stored before there are many, since a directory that is small at the end is a single leaf.

use std::collections::HashMap;
use std::vec;

use super::codec::{Child, Content, Item, Node, encode};
use super::directory::{Leaves, Part};
use super::split::{LEVEL_MAX, MEMBERS_MAX, cut, ends};
use super::{Address, EditError, Place, Root, Sink, Source, TreeError, damaged};
use crate::hash::TreeHash;

/// A directory that was opened to be changed.
pub(super) struct Rewrite {
    leaves: Leaves,
    /// What is left of the leaf that was read last.
    items: vec::IntoIter<Item>,
    /// The new items since the last leaf that was passed.
    run: Vec<Item>,
    pieces: Vec<Piece>,
    /// The directory's objects that were read: what comes out the same is not stored again.
    before: HashMap<TreeHash, Place>,
}

/// So many new items are not kept until the end.
const STORED_EARLY: usize = 4 * MEMBERS_MAX;

/// A part of the new directory.
enum Piece {
    /// An old leaf that stays, or a new one that is stored already.
    Kept(Child),
    /// Items that are yet to be cut into leaves.
    Run(Vec<Item>),
}

type Failure<S, K> = EditError<<S as Source>::Error, <K as Sink>::Error>;

impl Rewrite {
    pub(super) fn open<S: Source>(
        source: &S,
        base: Option<&Root>,
    ) -> Result<Self, TreeError<S::Error>> {
        let (branches, leaves) = Leaves::of(source, base)?;
        let before = branches.iter().map(|address| (address.hash, address.place)).collect();
        let (items, run, pieces) = (Vec::new().into_iter(), Vec::new(), Vec::new());
        let mut rewrite = Self { leaves, items, run, pieces, before };
        if branches.is_empty() {
            // The leaf of a small directory is not cut inside, so a large one can't keep it.
            rewrite.read(source)?;
        }
        Ok(rewrite)
    }

    /// Goes on to a name, which is above all before it, and takes out what the directory has there.
    pub(super) fn take<S: Source>(
        &mut self,
        source: &S,
        name: &str,
    ) -> Result<Option<Node>, TreeError<S::Error>> {
        loop {
            while let Some(item) = self.items.as_slice().first() {
                if *item.name > *name {
                    return Ok(None);
                }
                let found = *item.name == *name;
                let item = self.items.next();
                if found {
                    return Ok(item.map(|item| item.node));
                }
                self.run.extend(item);
            }
            match self.leaves.peek() {
                None => return Ok(None),
                Some(next) if *next.last < *name && ends(&next.last, 0) && self.is_cut() => {
                    self.keep();
                }
                Some(_) => self.read(source)?,
            }
        }
    }

    /// Puts something at the name that was last gone to.
    pub(super) fn put(&mut self, name: &str, node: Node) {
        self.run.push(Item { name: name.into(), node });
    }

    /// Stores the leaves that are complete already, once there are several: so the memory that a
    /// change needs does not grow with the directory.
    pub(super) fn store_what_is_cut<R, K: Sink>(
        &mut self,
        sink: &mut K,
    ) -> Result<(), EditError<R, K::Error>> {
        // With so many names it is no single leaf, whatever comes.
        if self.run.is_empty() || !self.run.len().is_multiple_of(STORED_EARLY) {
            return Ok(());
        }
        let Some(last) = self.run.iter().rposition(|item| ends(&item.name, 0)) else {
            return Ok(());
        };
        let rest = self.run.split_off(last + 1);
        for leaf in cut(std::mem::replace(&mut self.run, rest), 0, |item| &item.name) {
            let child = self.store(sink, &Content::Leaf(leaf))?;
            self.pieces.push(Piece::Kept(child));
        }
        Ok(())
    }

    /// Goes on to the end, stores what is new and gives the directory; `None` when it is empty.
    pub(super) fn finish<S: Source, K: Sink>(
        mut self,
        source: &S,
        sink: &mut K,
    ) -> Result<Option<Root>, Failure<S, K>> {
        self.run.extend(self.items.by_ref());
        while let Some(next) = self.leaves.peek() {
            let is_last = self.leaves.len() == 1;
            if self.is_cut() && (is_last || ends(&next.last, 0)) {
                self.keep();
            } else {
                self.read(source)?;
                self.run.extend(self.items.by_ref());
            }
        }
        self.close_run();
        if self.is_small() { self.store_small(source, sink) } else { self.store_large(sink) }
    }

    /// Whether a leaf ends where the new directory ends so far.
    fn is_cut(&self) -> bool {
        self.run.last().is_none_or(|item| ends(&item.name, 0))
    }

    fn keep(&mut self) {
        self.close_run();
        self.pieces.extend(self.leaves.pass().map(Piece::Kept));
    }

    fn close_run(&mut self) {
        if !self.run.is_empty() {
            self.pieces.push(Piece::Run(std::mem::take(&mut self.run)));
        }
    }

    fn read<S: Source>(&mut self, source: &S) -> Result<(), TreeError<S::Error>> {
        if let Some(opened) = self.leaves.open(source)? {
            self.before.insert(opened.address.hash, opened.address.place);
            self.items = content_items(opened.content).into_iter();
        }
        Ok(())
    }

    fn is_small(&self) -> bool {
        let items = self.pieces.iter().map(|piece| match piece {
            Piece::Kept(child) => child.items,
            Piece::Run(items) => items.len() as u64,
        });
        items.fold(0, u64::saturating_add) <= MEMBERS_MAX as u64
    }

    fn store_small<S: Source, K: Sink>(
        mut self,
        source: &S,
        sink: &mut K,
    ) -> Result<Option<Root>, Failure<S, K>> {
        let mut items = Vec::new();
        for piece in std::mem::take(&mut self.pieces) {
            match piece {
                Piece::Run(run) if items.is_empty() => items = run,
                Piece::Run(run) => items.extend(run),
                Piece::Kept(child) => {
                    let after = items.last().map(|item: &Item| &*item.name);
                    let opened = Part::from(child).open(source, 0, after)?;
                    self.before.insert(opened.address.hash, opened.address.place);
                    items.extend(content_items(opened.content));
                }
            }
        }
        if items.is_empty() {
            return Ok(None);
        }
        Ok(Some(self.store(sink, &Content::Leaf(items))?.root))
    }

    fn store_large<R, K: Sink>(
        mut self,
        sink: &mut K,
    ) -> Result<Option<Root>, EditError<R, K::Error>> {
        let mut members = Vec::new();
        for piece in std::mem::take(&mut self.pieces) {
            match piece {
                Piece::Kept(child) => members.push(child),
                Piece::Run(items) => {
                    for leaf in cut(items, 0, |item| &item.name) {
                        members.push(self.store(sink, &Content::Leaf(leaf))?);
                    }
                }
            }
        }
        let mut level = 1;
        while members.len() > MEMBERS_MAX && level < LEVEL_MAX {
            let pieces = cut(members, level, |child| &child.last);
            members = Vec::with_capacity(pieces.len());
            for children in pieces {
                members.push(self.store(sink, &Content::Branch { level, children })?);
            }
            level += 1;
        }
        Ok(Some(self.store(sink, &Content::Branch { level, children: members })?.root))
    }

    fn store<R, K: Sink>(
        &self,
        sink: &mut K,
        content: &Content,
    ) -> Result<Child, EditError<R, K::Error>> {
        let object = encode(content);
        let hash = TreeHash::of(&object.bytes);
        // Before it is stored: counts that can't be summed must not get into a store.
        let place = self.before.get(&hash).copied();
        let address = Address { hash, place: place.unwrap_or_default() };
        let Some(mut child) = content.summary(address) else {
            return Err(damaged(hash, "its counts are too large").into());
        };
        if place.is_none() {
            child.root.address.place = sink.store(hash, &object).map_err(EditError::Store)?;
        }
        Ok(child)
    }
}

fn content_items(content: Content) -> Vec<Item> {
    match content {
        Content::Leaf(items) => items,
        Content::Branch { .. } => Vec::new(),
    }
}
