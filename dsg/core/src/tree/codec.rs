//! The canonical bytes of a tree object: one encoding per value, one value per encoding.
//!
//! A hash stands for a directory only if nobody can write the same directory in two ways, so the
//! decoder refuses whatever the encoder would not have written.

use super::bytes::{Malformed, Reader, put_count, put_number, put_signed, put_text};
use super::split::LEVEL_MAX;
use super::{Address, Object, Place, Root};
use crate::entry::{Author, Entry, FileEntry, LinkEntry, Moment, TEXT_BYTES_MAX};
use crate::path::{COMPONENT_BYTES_MAX, RepoPath};

const VERSION: u8 = 1;

const FILE: u8 = 0;
const EXECUTABLE: u8 = 1;
const LINK: u8 = 2;
const DIRECTORY: u8 = 3;

/// The fewest bytes of an author, an item and a child: what bounds a claimed count.
const AUTHOR_BYTES_MIN: usize = 1;
const ITEM_BYTES_MIN: usize = 5;
const CHILD_BYTES_MIN: usize = 36;

/// What an object holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    /// Items of a directory, by name.
    Leaf(Vec<Item>),
    /// Objects of the level below.
    Branch { level: u8, children: Vec<Child> },
}

/// Something in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    /// A single component.
    pub(super) name: Box<str>,
    pub(super) node: Node,
}

/// What a name in a directory stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    Entry(Entry),
    Directory(Root),
}

/// A part of a large directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Child {
    /// The name of its last item.
    pub(super) last: Box<str>,
    /// Items of the directory in it.
    pub(super) items: u64,
    /// Its object, and the files and links in it and below.
    pub(super) root: Root,
}

impl Node {
    fn entries(&self) -> u64 {
        match self {
            Self::Entry(_) => 1,
            Self::Directory(root) => root.entries,
        }
    }
}

impl Content {
    /// How many levels are below: 0 for a leaf.
    pub(super) fn level(&self) -> u8 {
        match self {
            Self::Leaf(_) => 0,
            Self::Branch { level, .. } => *level,
        }
    }

    /// The least name that the bytes mention.
    pub(super) fn first(&self) -> Option<&str> {
        match self {
            Self::Leaf(items) => items.first().map(|item| &*item.name),
            Self::Branch { children, .. } => children.first().map(|child| &*child.last),
        }
    }

    /// Items in it, and files and links in and below it; `None` when a sum is too large.
    fn sums(&self) -> Option<(u64, u64)> {
        match self {
            Self::Leaf(items) => {
                let entries = items.iter().map(|item| item.node.entries());
                Some((items.len() as u64, sum(entries)?))
            }
            Self::Branch { children, .. } => {
                let items = children.iter().map(|child| child.items);
                let entries = children.iter().map(|child| child.root.entries);
                Some((sum(items)?, sum(entries)?))
            }
        }
    }

    /// What a parent says of this object; `None` when it is empty or a sum is too large.
    pub(super) fn summary(&self, address: Address) -> Option<Child> {
        let last = match self {
            Self::Leaf(items) => &items.last()?.name,
            Self::Branch { children, .. } => &children.last()?.last,
        };
        let (items, entries) = self.sums()?;
        Some(Child { last: last.clone(), items, root: Root { address, entries } })
    }
}

fn sum(mut counts: impl Iterator<Item = u64>) -> Option<u64> {
    counts.try_fold(0, u64::checked_add)
}

/// Writes an object. Its names are components of paths and strictly ascending, its texts within
/// bounds: the caller has seen to that.
pub(super) fn encode(content: &Content) -> Object {
    let mut bytes = vec![VERSION, content.level()];
    let places = match content {
        Content::Leaf(items) => encode_items(items, &mut bytes),
        Content::Branch { children, .. } => {
            put_count(&mut bytes, children.len());
            for child in children {
                put_text(&mut bytes, &child.last);
                put_number(&mut bytes, child.items);
                put_number(&mut bytes, child.root.entries);
                bytes.extend_from_slice(child.root.address.hash.as_bytes());
            }
            children.iter().map(|child| child.root.address.place).collect()
        }
    };
    Object { bytes, places }
}

fn encode_items(items: &[Item], bytes: &mut Vec<u8>) -> Vec<Place> {
    let authors = authors(items);
    put_count(bytes, authors.len());
    for author in &authors {
        put_text(bytes, author);
    }
    let index = |author: &Author| authors.partition_point(|other| *other < &**author);
    let mut places = Vec::new();
    put_count(bytes, items.len());
    for item in items {
        put_text(bytes, &item.name);
        match &item.node {
            Node::Entry(Entry::File(file)) => {
                bytes.push(if file.executable { EXECUTABLE } else { FILE });
                bytes.extend_from_slice(file.hash.as_bytes());
                put_number(bytes, file.size);
                put_signed(bytes, file.modified.0);
                put_count(bytes, index(&file.author));
            }
            Node::Entry(Entry::Link(link)) => {
                bytes.push(LINK);
                put_text(bytes, &link.target);
                put_count(bytes, index(&link.author));
            }
            Node::Directory(root) => {
                bytes.push(DIRECTORY);
                bytes.extend_from_slice(root.address.hash.as_bytes());
                put_number(bytes, root.entries);
                places.push(root.address.place);
            }
        }
    }
    places
}

/// The distinct authors, sorted. Neighbours mostly share theirs, so few are compared.
fn authors(items: &[Item]) -> Vec<&str> {
    let mut authors: Vec<&str> = Vec::new();
    for item in items {
        if let Node::Entry(entry) = &item.node
            && authors.last() != Some(&&**entry.author())
        {
            authors.push(entry.author());
        }
    }
    authors.sort_unstable();
    authors.dedup();
    authors
}

/// Reads an object.
///
/// # Errors
/// [`Malformed`] for everything that [`encode`] does not write.
pub(super) fn decode(object: &Object) -> Result<Content, Malformed> {
    let mut places = object.places.iter().copied();
    let mut next_place = || places.next().ok_or(Malformed::Places);
    let content = decode_with(&object.bytes, &mut next_place)?;
    if places.next().is_some() { Err(Malformed::Places) } else { Ok(content) }
}

/// How many children the bytes name.
///
/// # Errors
/// [`Malformed`] when they are not an object.
pub(super) fn count_children(bytes: &[u8]) -> Result<usize, Malformed> {
    let mut children = 0;
    decode_with(bytes, &mut || {
        children += 1;
        Ok(Place::default())
    })?;
    Ok(children)
}

type NextPlace<'p> = &'p mut dyn FnMut() -> Result<Place, Malformed>;

fn decode_with(bytes: &[u8], next_place: NextPlace<'_>) -> Result<Content, Malformed> {
    let mut reader = Reader::new(bytes);
    let version = reader.byte()?;
    if version != VERSION {
        return Err(Malformed::Version(version));
    }
    let content = match reader.byte()? {
        0 => Content::Leaf(decode_items(&mut reader, next_place)?),
        level @ 1..=LEVEL_MAX => {
            Content::Branch { level, children: decode_children(&mut reader, next_place)? }
        }
        kind => return Err(Malformed::Kind(kind)),
    };
    reader.end()?;
    match content.sums() {
        None | Some((0, _)) => Err(Malformed::Count),
        Some(_) => Ok(content),
    }
}

fn decode_children(
    reader: &mut Reader<'_>,
    next_place: NextPlace<'_>,
) -> Result<Vec<Child>, Malformed> {
    let count = reader.count(CHILD_BYTES_MIN)?;
    let mut children: Vec<Child> = Vec::with_capacity(count);
    for _ in 0..count {
        let last = decode_name(reader, children.last().map(|child| &*child.last))?;
        let items = above_zero(reader.number()?)?;
        let entries = above_zero(reader.number()?)?;
        let address = Address { hash: reader.tree_hash()?, place: next_place()? };
        children.push(Child { last, items, root: Root { address, entries } });
    }
    Ok(children)
}

fn decode_items(
    reader: &mut Reader<'_>,
    next_place: NextPlace<'_>,
) -> Result<Vec<Item>, Malformed> {
    let mut authors = Authors::decode(reader)?;
    let count = reader.count(ITEM_BYTES_MIN)?;
    let mut items: Vec<Item> = Vec::with_capacity(count);
    for _ in 0..count {
        let name = decode_name(reader, items.last().map(|item| &*item.name))?;
        let node = match reader.byte()? {
            kind @ (FILE | EXECUTABLE) => Node::Entry(Entry::File(FileEntry {
                hash: reader.content_hash()?,
                executable: kind == EXECUTABLE,
                size: reader.number()?,
                modified: Moment(reader.signed()?),
                author: authors.take(reader)?,
            })),
            LINK => Node::Entry(Entry::Link(LinkEntry {
                target: reader.text(TEXT_BYTES_MAX)?.into(),
                author: authors.take(reader)?,
            })),
            DIRECTORY => {
                let address = Address { hash: reader.tree_hash()?, place: next_place()? };
                Node::Directory(Root { address, entries: above_zero(reader.number()?)? })
            }
            kind => return Err(Malformed::Item(kind)),
        };
        items.push(Item { name, node });
    }
    authors.end()?;
    Ok(items)
}

fn decode_name(reader: &mut Reader<'_>, before: Option<&str>) -> Result<Box<str>, Malformed> {
    let name = reader.text(COMPONENT_BYTES_MAX)?;
    RepoPath::join("", name).map_err(Malformed::Name)?;
    if before.is_some_and(|before| before >= name) {
        Err(Malformed::Order)
    } else {
        Ok(name.into())
    }
}

fn above_zero(count: u64) -> Result<u64, Malformed> {
    if count == 0 { Err(Malformed::Count) } else { Ok(count) }
}

/// The table at the head of a leaf, and which of its authors have an entry.
struct Authors {
    table: Vec<(Author, bool)>,
}

impl Authors {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let count = reader.count(AUTHOR_BYTES_MIN)?;
        let mut table: Vec<(Author, bool)> = Vec::new();
        for _ in 0..count {
            let author = reader.text(TEXT_BYTES_MAX)?;
            if table.last().is_some_and(|(before, _)| &**before >= author) {
                return Err(Malformed::Order);
            }
            table.push((author.into(), false));
        }
        Ok(Self { table })
    }

    fn take(&mut self, reader: &mut Reader<'_>) -> Result<Author, Malformed> {
        let index = usize::try_from(reader.number()?).map_err(|_| Malformed::Authors)?;
        let (author, used) = self.table.get_mut(index).ok_or(Malformed::Authors)?;
        *used = true;
        Ok(author.clone())
    }

    fn end(&self) -> Result<(), Malformed> {
        if self.table.iter().all(|(_, used)| *used) { Ok(()) } else { Err(Malformed::Authors) }
    }
}

#[cfg(test)]
mod tests;
