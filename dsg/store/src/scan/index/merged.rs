//! Entries of a directory with what was said of them later.

use super::{Entries, RawEntry, Updates};

/// Entries in the order of their names, and updates in the same order: an update takes the place of the
/// entry of its name.
pub(crate) struct Merged<'a, Known = Entries<'a>> {
    known: Known,
    /// The next of `known`, where it had to be looked at before its turn.
    held: Option<RawEntry<'a>>,
    updates: Option<&'a Updates>,
    /// How many of the updates were used.
    used: usize,
}

impl<'a, Known: Iterator<Item = RawEntry<'a>>> Merged<'a, Known> {
    pub(crate) fn new(known: Known, updates: Option<&'a Updates>) -> Self {
        Self { known, held: None, updates, used: 0 }
    }
}

impl<'a, Known: Iterator<Item = RawEntry<'a>>> Iterator for Merged<'a, Known> {
    type Item = RawEntry<'a>;

    fn next(&mut self) -> Option<RawEntry<'a>> {
        loop {
            let known = self.held.take().or_else(|| self.known.next());
            let Some((name, update)) = self.updates.and_then(|updates| updates.nth(self.used))
            else {
                return known;
            };
            match known {
                Some(known) if known.name < name => return Some(known),
                Some(known) if known.name > name => self.held = Some(known),
                _ => {}
            }
            self.used += 1;
            if update.is_some() {
                return update;
            }
        }
    }
}
