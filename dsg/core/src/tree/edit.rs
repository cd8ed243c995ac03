//! Changing a manifest: the new tree from the old one and the paths that change.
//!
//! The changes come in the order of paths, so each directory is opened once, rewritten from its
//! first name to its last, and closed before its right neighbour is opened. Every changed path is
//! itself opened like a directory: only when it is closed is it known whether there is something
//! below, and thus whether it may be a file.

use super::codec::Node;
use super::rewrite::Rewrite;
use super::{EditError, Root, Sink, Source, TreeError};
use crate::entry::{Entry, TEXT_BYTES_MAX};
use crate::path::RepoPath;

/// Makes the changes, sorted by path and each path once, and gives the new root; `None` as a new
/// entry removes. Removing what is not there is fine, and a directory with nothing left in it is
/// gone. Only objects on the changed paths are read; only new objects are stored, children before
/// parents; what stays the same keeps its address. The result depends on the resulting set alone.
///
/// # Errors
/// [`EditError`]; the manifest is unchanged then, whatever the sink got.
pub fn edit<S: Source, K: Sink>(
    source: &S,
    root: Option<&Root>,
    changes: &[(RepoPath, Option<Entry>)],
    sink: &mut K,
) -> Result<Option<Root>, EditError<S::Error, K::Error>> {
    edit_each(source, root, changes.iter().map(|(path, entry)| (path, entry.clone())), sink)
}

/// As [`edit`], for changes that are made as they are needed.
///
/// # Errors
/// [`EditError`]; the manifest is unchanged then, whatever the sink got.
pub fn edit_each<'c, S: Source, K: Sink>(
    source: &S,
    root: Option<&Root>,
    changes: impl IntoIterator<Item = (&'c RepoPath, Option<Entry>)>,
    sink: &mut K,
) -> Result<Option<Root>, EditError<S::Error, K::Error>> {
    let top = Opened { path: "", base: root.copied(), claim: None, rewrite: None };
    let mut editor = Editor { source, sink, here: top, above: Vec::new() };
    let mut before: Option<&RepoPath> = None;
    for (path, entry) in changes {
        check(before, path, entry.as_ref())?;
        before = Some(path);
        while !path.is_in(editor.here.path) {
            editor.ascend()?;
        }
        editor.descend_to(path)?;
        // A removal where a directory is removes nothing: no entry is at its path.
        editor.here.claim = entry.map(|entry| Claim { entry, change: path });
    }
    while !editor.above.is_empty() {
        editor.ascend()?;
    }
    editor.here.finish(source, editor.sink)
}

fn check<R, W>(
    before: Option<&RepoPath>,
    path: &RepoPath,
    entry: Option<&Entry>,
) -> Result<(), EditError<R, W>> {
    if before.is_some_and(|before| before >= path) {
        return Err(EditError::NotSorted { path: path.clone() });
    }
    let too_long = |entry: &Entry| {
        let link = if let Entry::Link(link) = entry { link.target.len() } else { 0 };
        link.max(entry.author().len()) > TEXT_BYTES_MAX
    };
    match entry {
        Some(entry) if too_long(entry) => Err(EditError::TextTooLong { path: path.clone() }),
        _ => Ok(()),
    }
}

/// A changed path, or a directory on the way to one.
struct Opened<'c> {
    path: &'c str,
    /// The directory that is there so far.
    base: Option<Root>,
    /// The file or link that is to be there.
    claim: Option<Claim<'c>>,
    /// The directory as it will be; opened when the first change in it comes.
    rewrite: Option<Rewrite>,
}

/// A file or link that is to be at a path.
struct Claim<'c> {
    entry: Entry,
    /// A change at the path or below it.
    change: &'c RepoPath,
}

impl Claim<'_> {
    fn refuse<R, W>(&self, length: usize) -> EditError<R, W> {
        let mut path = self.change.clone();
        while let Some(parent) = path.parent().filter(|parent| parent.as_str().len() >= length) {
            path = parent;
        }
        EditError::NotATree { path }
    }
}

impl Opened<'_> {
    fn rewrite<S: Source>(&mut self, source: &S) -> Result<&mut Rewrite, TreeError<S::Error>> {
        let rewrite = match self.rewrite.take() {
            Some(rewrite) => rewrite,
            None => Rewrite::open(source, self.base.as_ref())?,
        };
        Ok(self.rewrite.insert(rewrite))
    }

    /// The directory as it is now.
    fn finish<S: Source, K: Sink>(
        self,
        source: &S,
        sink: &mut K,
    ) -> Result<Option<Root>, EditError<S::Error, K::Error>> {
        match self.rewrite {
            Some(rewrite) => rewrite.finish(source, sink),
            None => Ok(self.base),
        }
    }
}

/// The way from the top to where the changes have come.
struct Editor<'e, 'c, S, K> {
    source: &'e S,
    sink: &'e mut K,
    here: Opened<'c>,
    above: Vec<Opened<'c>>,
}

impl<'c, S: Source, K: Sink> Editor<'_, 'c, S, K> {
    /// Opens what is between here and the path, and the path.
    fn descend_to(&mut self, path: &'c RepoPath) -> Result<(), TreeError<S::Error>> {
        let text = path.as_str();
        while self.here.path.len() < text.len() {
            let start = name_start(self.here.path);
            let end = text[start..].find('/').map_or(text.len(), |length| start + length);
            let node = self.here.rewrite(self.source)?.take(self.source, &text[start..end])?;
            let (base, claim) = match node {
                Some(Node::Directory(root)) => (Some(root), None),
                Some(Node::Entry(entry)) => (None, Some(Claim { entry, change: path })),
                None => (None, None),
            };
            let below = Opened { path: &text[..end], base, claim, rewrite: None };
            self.above.push(std::mem::replace(&mut self.here, below));
        }
        Ok(())
    }

    /// Closes what is here and puts it into the directory above.
    fn ascend(&mut self) -> Result<(), EditError<S::Error, K::Error>> {
        let Some(above) = self.above.pop() else {
            return Ok(());
        };
        let mut closed = std::mem::replace(&mut self.here, above);
        let (path, claim) = (closed.path, closed.claim.take());
        let node = match (claim, closed.finish(self.source, self.sink)?) {
            (None, None) => return Ok(()),
            (Some(claim), None) => Node::Entry(claim.entry),
            (None, Some(root)) => Node::Directory(root),
            (Some(claim), Some(_)) => return Err(claim.refuse(path.len())),
        };
        let name = &path[name_start(self.here.path)..];
        let rewrite = self.here.rewrite(self.source)?;
        rewrite.put(name, node);
        rewrite.store_what_is_cut(self.sink)
    }
}

/// Where the name of something in a directory begins in its path.
fn name_start(directory: &str) -> usize {
    if directory.is_empty() { 0 } else { directory.len() + 1 }
}
