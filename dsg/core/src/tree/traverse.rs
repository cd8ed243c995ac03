//! Going through a tree, or through two side by side, without looking into what is equal.
//!
//! One machine serves all three questions: a walk is a comparison with nothing. Two directories
//! are compared from their tops down, level by level; objects that both have at a level are
//! dropped, and only the items of the leaves that remain are put side by side. Where both have the
//! same name in a dropped leaf it is the same item, so nothing is missed. The directories on the
//! way are on a stack of ours, not of the machine: a hostile tree may be deep.

use std::cmp::Ordering;
use std::ops::ControlFlow;
use std::vec;

use super::codec::{Content, Item, Node};
use super::directory::{Leaves, Row};
use super::find::find_directory;
use super::{Address, Object, Root, Source, TreeError, damaged};
use crate::entry::Entry;
use crate::hash::TreeHash;
use crate::path::RepoPath;

/// A path at which two manifests differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The path.
    pub path: RepoPath,
    /// What the old manifest has there.
    pub old: Option<Entry>,
    /// What the new manifest has there.
    pub new: Option<Entry>,
}

/// Visits every entry below a directory (empty for the top), in the order of paths. The visitor
/// may break off; its reason comes back. There is nothing to visit when there is no such directory.
///
/// # Errors
/// [`TreeError`] when an object can't be read; what came before it has been visited.
pub fn walk<S: Source, B>(
    source: &S,
    root: Option<&Root>,
    directory: &str,
    visit: &mut dyn FnMut(&RepoPath, &Entry) -> ControlFlow<B>,
) -> Result<ControlFlow<B>, TreeError<S::Error>> {
    let root = find_directory(source, root, directory)?;
    let mut change = |change: Change| match &change.new {
        Some(entry) => visit(&change.path, entry),
        None => ControlFlow::Continue(()),
    };
    let mut visitor = Visitor { object: None, change: Some(&mut change) };
    traverse(source, directory, None, root.as_ref(), &mut visitor)
}

/// Visits every path at which the entries differ in any field, in the order of paths. It costs in
/// proportion to what differs, also within a large directory. The visitor may break off; its
/// reason comes back.
///
/// # Errors
/// [`TreeError`] when an object can't be read; what came before it has been visited.
pub fn diff<S: Source, B>(
    source: &S,
    old: Option<&Root>,
    new: Option<&Root>,
    visit: &mut dyn FnMut(Change) -> ControlFlow<B>,
) -> Result<ControlFlow<B>, TreeError<S::Error>> {
    let mut visitor = Visitor { object: None, change: Some(visit) };
    traverse(source, "", old, new, &mut visitor)
}

/// Visits every object of `root` that `known` does not have in the same directory: what must
/// travel to someone who has `known`. Parents come before their children, each once per directory
/// in which it is. The visitor may break off; its reason comes back.
///
/// # Errors
/// [`TreeError`] when an object can't be read; what came before it has been visited.
pub fn objects<S: Source, B>(
    source: &S,
    root: Option<&Root>,
    known: Option<&Root>,
    visit: &mut dyn FnMut(&Address, &Object) -> ControlFlow<B>,
) -> Result<ControlFlow<B>, TreeError<S::Error>> {
    let mut visitor = Visitor { object: Some(visit), change: None };
    traverse(source, "", known, root, &mut visitor)
}

type VisitObject<'v, B> = &'v mut dyn FnMut(&Address, &Object) -> ControlFlow<B>;
type VisitChange<'v, B> = &'v mut dyn FnMut(Change) -> ControlFlow<B>;

/// Who wants to know what: the objects that only the new tree has, the paths that differ.
struct Visitor<'v, B> {
    object: Option<VisitObject<'v, B>>,
    change: Option<VisitChange<'v, B>>,
}

/// Why a traversal ends early.
enum Stop<E, B> {
    Failed(TreeError<E>),
    Broken(B),
}

impl<E, B> From<TreeError<E>> for Stop<E, B> {
    fn from(error: TreeError<E>) -> Self {
        Self::Failed(error)
    }
}

fn go_on<E, B>(flow: ControlFlow<B>) -> Result<(), Stop<E, B>> {
    match flow {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(reason) => Err(Stop::Broken(reason)),
    }
}

impl<B> Visitor<'_, B> {
    fn object<E>(&mut self, address: &Address, object: &Object) -> Result<(), Stop<E, B>> {
        self.object.as_mut().map_or(Ok(()), |visit| go_on(visit(address, object)))
    }

    fn change<E>(
        &mut self,
        path: impl FnOnce() -> Result<RepoPath, TreeError<E>>,
        old: Option<Entry>,
        new: Option<Entry>,
    ) -> Result<(), Stop<E, B>> {
        match &mut self.change {
            Some(visit) if old != new => go_on(visit(Change { path: path()?, old, new })),
            _ => Ok(()),
        }
    }
}

fn traverse<S: Source, B>(
    source: &S,
    directory: &str,
    old: Option<&Root>,
    new: Option<&Root>,
    visitor: &mut Visitor<'_, B>,
) -> Result<ControlFlow<B>, TreeError<S::Error>> {
    let top = Pair { directory: directory.into(), old: old.copied(), new: new.copied() };
    match traverse_pair(source, top, visitor) {
        Ok(()) => Ok(ControlFlow::Continue(())),
        Err(Stop::Broken(reason)) => Ok(ControlFlow::Break(reason)),
        Err(Stop::Failed(error)) => Err(error),
    }
}

/// A directory that both trees may have.
struct Pair {
    directory: Box<str>,
    old: Option<Root>,
    new: Option<Root>,
}

impl Pair {
    fn is_equal(&self) -> bool {
        let hash = |root: Root| root.address.hash;
        self.old.map(hash) == self.new.map(hash)
    }
}

fn traverse_pair<S: Source, B>(
    source: &S,
    top: Pair,
    visitor: &mut Visitor<'_, B>,
) -> Result<(), Stop<S::Error, B>> {
    let mut stack = Vec::from_iter(Frame::open(source, top, visitor)?);
    while let Some(frame) = stack.last_mut() {
        match frame.next(source, visitor)? {
            Step::Item => {}
            Step::Directory(pair) => {
                let below = Frame::open(source, pair, visitor)?;
                stack.extend(below);
            }
            Step::End => {
                stack.pop();
            }
        }
    }
    Ok(())
}

/// A directory whose items are being put side by side.
struct Frame {
    directory: Box<str>,
    /// Its top object, to be named when its paths are bad.
    hash: TreeHash,
    old: Side,
    new: Side,
}

enum Step {
    Item,
    Directory(Pair),
    End,
}

impl Frame {
    /// There is nothing to compare in directories that are equal, or not there.
    fn open<S: Source, B>(
        source: &S,
        pair: Pair,
        visitor: &mut Visitor<'_, B>,
    ) -> Result<Option<Self>, Stop<S::Error, B>> {
        let Some(root) = pair.new.or(pair.old).filter(|_| !pair.is_equal()) else {
            return Ok(None);
        };
        let mut old = Row::top(source, pair.old.as_ref())?;
        let mut new = Row::top(source, pair.new.as_ref())?;
        loop {
            Row::drop_common(&mut old, &mut new);
            let level = old.level.max(new.level);
            if level == 0 {
                break;
            }
            if old.level == level {
                old = old.descend(source)?.1;
            }
            if new.level == level {
                let (branches, below) = new.descend(source)?;
                for (address, object) in &branches {
                    visitor.object(address, object)?;
                }
                new = below;
            }
        }
        let (old, new) = (Side::new(old), Side::new(new));
        Ok(Some(Self { directory: pair.directory, hash: root.address.hash, old, new }))
    }

    fn next<S: Source, B>(
        &mut self,
        source: &S,
        visitor: &mut Visitor<'_, B>,
    ) -> Result<Step, Stop<S::Error, B>> {
        self.old.refill(source)?;
        if let Some((address, object)) = self.new.refill(source)? {
            visitor.object(&address, &object)?;
        }
        let order = match (self.old.peek(), self.new.peek()) {
            (None, None) => return Ok(Step::End),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(old), Some(new)) => old.cmp(new),
        };
        let old = if order.is_le() { self.old.items.next() } else { None };
        let new = if order.is_ge() { self.new.items.next() } else { None };
        let name = match (&old, &new) {
            (Some(item), _) | (None, Some(item)) => item.name.clone(),
            (None, None) => return Ok(Step::End),
        };
        let (old_entry, old_directory) = halves(old);
        let (new_entry, new_directory) = halves(new);
        visitor.change(|| self.path(&name), old_entry, new_entry)?;
        // With no directory on either side both are `None`, which is equal too.
        let mut pair = Pair { directory: Box::default(), old: old_directory, new: new_directory };
        if pair.is_equal() {
            return Ok(Step::Item);
        }
        pair.directory = self.path(&name)?.as_str().into();
        Ok(Step::Directory(pair))
    }

    /// The path of a name here. A path that no file system takes is damage, and ends every descent.
    fn path<E>(&self, name: &str) -> Result<RepoPath, TreeError<E>> {
        RepoPath::join(&self.directory, name).map_err(|bad| damaged(self.hash, bad))
    }
}

/// One of the two trees in a directory.
struct Side {
    leaves: Leaves,
    items: vec::IntoIter<Item>,
}

impl Side {
    fn new(row: Row) -> Self {
        Self { leaves: row.into_leaves(), items: Vec::new().into_iter() }
    }

    /// Reads the next leaf when the items of the last are used up, and gives it if it did.
    fn refill<S: Source>(
        &mut self,
        source: &S,
    ) -> Result<Option<(Address, Object)>, TreeError<S::Error>> {
        if self.items.len() > 0 {
            return Ok(None);
        }
        let Some(opened) = self.leaves.open(source)? else {
            return Ok(None);
        };
        if let Content::Leaf(items) = opened.content {
            self.items = items.into_iter();
        }
        Ok(Some((opened.address, opened.object)))
    }

    fn peek(&self) -> Option<&str> {
        self.items.as_slice().first().map(|item| &*item.name)
    }
}

fn halves(item: Option<Item>) -> (Option<Entry>, Option<Root>) {
    match item.map(|item| item.node) {
        Some(Node::Entry(entry)) => (Some(entry), None),
        Some(Node::Directory(root)) => (None, Some(root)),
        None => (None, None),
    }
}
