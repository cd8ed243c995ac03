//! Making an index valid again for another state of C or other rules.
//!
//! This is the slow way, taken after a crash, a change of configuration, a lost index or a first
//! clone: C is read in full. What the old index knew of the disk is kept, so files are not read
//! again for it.

use std::collections::{BTreeMap, HashMap};

use dsg_core::compare::LocalEntry;
use dsg_core::entry::Entry;
use dsg_core::path::{RepoPath, normal};
use dsg_core::tracked::Rules;

use super::{Index, IndexEntry, Relation, Updates, Validity};

/// An index that says of each path what `old` knew of the disk, and how that relates to `cached`,
/// which lists C.
pub(crate) fn rebase(
    old: &Index,
    cached: &[(RepoPath, Entry)],
    rules: &Rules,
    validity: Validity,
) -> Index {
    let mut records: HashMap<String, BTreeMap<String, IndexEntry>> = HashMap::new();
    for directory in old.directories() {
        let entries =
            old.entries(directory).map(|raw| raw.to_entry()).filter(|entry| entry.seen.is_some());
        let entries = entries.map(|mut entry| {
            entry.relation = Relation::Absent;
            (normal(&entry.name).into_owned(), entry)
        });
        records.insert(directory.to_owned(), entries.collect());
    }
    let mut left_out = 0;
    for (path, entry) in cached {
        if !rules.tracked(path.as_str()) {
            left_out += 1;
            continue;
        }
        let record = records.entry(path.directory().to_owned()).or_default();
        match record.get_mut(path.name()) {
            Some(known) => {
                let same =
                    known.seen.as_ref().is_some_and(|seen| LocalEntry::same(&seen.local, entry));
                known.relation = if same { Relation::Same } else { Relation::Differs };
            }
            None => {
                let name = path.name().to_owned();
                record.insert(
                    name.clone(),
                    IndexEntry { name, seen: None, relation: Relation::Differs },
                );
            }
        }
    }
    let records = records
        .into_iter()
        .map(|(directory, entries)| {
            let mut updates = Updates::new();
            entries.into_values().for_each(|entry| updates.set(&entry));
            (directory, updates)
        })
        .collect();
    let bytes = Index::empty(validity).write(validity, left_out, &records);
    // What was just written can be read; if not, nothing is known, and everything is read again.
    let mut index = Index::parse(bytes).unwrap_or_else(|| Index::empty(validity));
    index.was_rebased = true;
    index
}
