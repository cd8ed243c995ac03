//! What will be other in one directory's record of the index.

use std::cmp::Ordering;

use super::entry::{Cursor, Entries, put_entry, put_text};
use super::{IndexEntry, RawEntry};

/// Entries of one directory that are new or other than they were, and names of those that go. A first
/// sync has one of each file, so they are kept as they will be written.
#[derive(Debug, Default)]
pub(crate) struct Updates {
    bytes: Vec<u8>,
    /// By name.
    items: Vec<Item>,
}

/// Where an entry lies, or the name of one that goes.
#[derive(Clone, Copy, Debug)]
struct Item {
    start: usize,
    stays: bool,
}

impl Updates {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Makes this the entry of its name.
    pub(crate) fn set(&mut self, entry: &IndexEntry) {
        let start = self.bytes.len();
        put_entry(&mut self.bytes, entry);
        self.insert(&entry.name, Item { start, stays: true });
    }

    /// The name is to have no entry.
    pub(crate) fn remove(&mut self, name: &str) {
        let start = self.bytes.len();
        put_text(&mut self.bytes, name);
        self.insert(name, Item { start, stays: false });
    }

    fn insert(&mut self, name: &str, item: Item) {
        match self.find(name) {
            Err(at) => self.items.insert(at, item),
            Ok(at) => {
                let old = self.items[at];
                let (before, new) = self.bytes.split_at(item.start);
                if old.stays == item.stays && before[old.start..].starts_with(new) {
                    self.bytes.truncate(item.start);
                } else {
                    self.items[at] = item;
                }
            }
        }
    }

    /// Names mostly come in order, so the end is looked at first.
    fn find(&self, name: &str) -> Result<usize, usize> {
        match self.items.last().map(|last| self.name(*last).cmp(name)) {
            None | Some(Ordering::Less) => Err(self.items.len()),
            _ => self.items.binary_search_by(|item| self.name(*item).cmp(name)),
        }
    }

    fn name(&self, item: Item) -> &str {
        Cursor { bytes: &self.bytes, at: item.start }.text().unwrap_or_default()
    }

    fn entry(&self, item: Item) -> Option<RawEntry<'_>> {
        let cursor = Cursor { bytes: &self.bytes, at: item.start };
        if item.stays { Entries { cursor }.next() } else { None }
    }

    /// What is to become of the entry of a name, if it does not stay as it is; `None` inside: it goes.
    #[expect(clippy::option_option, reason = "no change and no entry are two things")]
    pub(crate) fn get(&self, name: &str) -> Option<Option<RawEntry<'_>>> {
        let found = self.find(name).ok()?;
        Some(self.entry(self.items[found]))
    }

    /// The entries that are new or other than they were, by name.
    pub(crate) fn entries(&self) -> impl Iterator<Item = RawEntry<'_>> {
        self.items.iter().filter_map(|item| self.entry(*item))
    }

    /// One of them by its place in the order of names, with those that go.
    pub(super) fn nth(&self, place: usize) -> Option<(&str, Option<RawEntry<'_>>)> {
        self.items.get(place).map(|item| (self.name(*item), self.entry(*item)))
    }

    /// Adds what is said later; the last word on a name counts.
    pub(super) fn extend(&mut self, later: &Self) {
        for item in &later.items {
            let start = self.bytes.len();
            match later.entry(*item) {
                Some(entry) => self.bytes.extend_from_slice(entry.bytes),
                None => put_text(&mut self.bytes, later.name(*item)),
            }
            self.insert(later.name(*item), Item { start, stays: item.stays });
        }
    }

    /// An upper bound of how many bytes [`put`](Self::put) writes.
    pub(super) fn size(&self) -> usize {
        self.bytes.len() + self.items.len()
    }

    /// Writes them by name: 1 and an entry, or 0 and a name that goes.
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        for item in &self.items {
            out.push(u8::from(item.stays));
            match self.entry(*item) {
                Some(entry) => out.extend_from_slice(entry.bytes),
                None => put_text(out, self.name(*item)),
            }
        }
    }

    /// Reads what [`put`](Self::put) wrote; `None` when the bytes are something else.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut updates = Self::new();
        let mut cursor = Cursor { bytes, at: 0 };
        while cursor.at < bytes.len() {
            let stays = cursor.take(1)? == [1];
            let at = cursor.at;
            let name = if stays {
                let mut entries = Entries { cursor };
                let name = entries.next()?.name;
                cursor = entries.cursor;
                name
            } else {
                cursor.text()?
            };
            let start = updates.bytes.len();
            updates.bytes.extend_from_slice(&bytes[at..cursor.at]);
            updates.insert(name, Item { start, stays });
        }
        Some(updates)
    }
}
