//! Looking up a path, and what is directly in a directory.

use super::codec::{Content, Node};
use super::directory::{Leaves, Part};
use super::{Root, Source, TreeError};
use crate::entry::Entry;
use crate::path::RepoPath;

/// The entry at a path. Reads one object per directory on the way, a few in large ones.
///
/// # Errors
/// [`TreeError`] when an object on the way can't be read.
pub fn lookup<S: Source>(
    source: &S,
    root: Option<&Root>,
    path: &RepoPath,
) -> Result<Option<Entry>, TreeError<S::Error>> {
    match find(source, root, path)? {
        Some(Node::Entry(entry)) => Ok(Some(entry)),
        Some(Node::Directory(_)) | None => Ok(None),
    }
}

/// Visits the names directly in a directory (empty for the top), in order, with whether each is a
/// directory itself. There is nothing to visit when there is no such directory.
///
/// # Errors
/// [`TreeError`] when an object can't be read.
pub fn children<S: Source>(
    source: &S,
    root: Option<&Root>,
    directory: &str,
    visit: &mut dyn FnMut(&str, bool),
) -> Result<(), TreeError<S::Error>> {
    let root = find_directory(source, root, directory)?;
    let (_, mut leaves) = Leaves::of(source, root.as_ref())?;
    while let Some(opened) = leaves.open(source)? {
        if let Content::Leaf(items) = opened.content {
            for item in &items {
                visit(&item.name, matches!(item.node, Node::Directory(_)));
            }
        }
    }
    Ok(())
}

/// The directory of this text, empty for the top; a text that is no path names none.
pub(super) fn find_directory<S: Source>(
    source: &S,
    root: Option<&Root>,
    directory: &str,
) -> Result<Option<Root>, TreeError<S::Error>> {
    if directory.is_empty() {
        return Ok(root.copied());
    }
    let Ok(path) = RepoPath::parse(directory) else {
        return Ok(None);
    };
    match find(source, root, &path)? {
        Some(Node::Directory(root)) => Ok(Some(root)),
        Some(Node::Entry(_)) | None => Ok(None),
    }
}

fn find<S: Source>(
    source: &S,
    root: Option<&Root>,
    path: &RepoPath,
) -> Result<Option<Node>, TreeError<S::Error>> {
    let Some(root) = root else {
        return Ok(None);
    };
    let mut node = Node::Directory(*root);
    for name in path.components() {
        let Node::Directory(root) = node else {
            return Ok(None);
        };
        match find_name(source, &root, name)? {
            Some(below) => node = below,
            None => return Ok(None),
        }
    }
    Ok(Some(node))
}

fn find_name<S: Source>(
    source: &S,
    root: &Root,
    name: &str,
) -> Result<Option<Node>, TreeError<S::Error>> {
    let mut part = Part::top(source, root)?;
    let mut level = part.level();
    let mut after: Option<Box<str>> = None;
    loop {
        match part.open(source, level, after.as_deref())?.content {
            Content::Leaf(mut items) => {
                let found = items.binary_search_by(|item| (*item.name).cmp(name));
                return Ok(found.ok().map(|at| items.swap_remove(at).node));
            }
            Content::Branch { mut children, .. } => {
                let at = children.partition_point(|child| *child.last < *name);
                if at == children.len() {
                    return Ok(None);
                }
                part = children.swap_remove(at).into();
                if let Some(before) = at.checked_sub(1) {
                    after = Some(children.swap_remove(before).last);
                }
                level = level.saturating_sub(1);
            }
        }
    }
}
