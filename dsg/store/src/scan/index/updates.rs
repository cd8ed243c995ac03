//! What will be other in one directory's record of the index.

use std::cmp::Ordering;

use super::{Cursor, Entries, IndexEntry, RawEntry, put_entry, put_text};

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

    /// As [`entries`](Self::entries), with those that go.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, Option<RawEntry<'_>>)> {
        self.items.iter().map(|item| (self.name(*item), self.entry(*item)))
    }
}
