use dsg_core::hash::ContentHash;
use proptest::prelude::*;

use super::*;

fn validity() -> Validity {
    Validity { rules: [7; 32], cached: Some(TreeHash::of(b"c")) }
}

fn entry(name: &str, size: u64, racy: bool) -> IndexEntry {
    IndexEntry {
        name: name.to_owned(),
        seen: Some(Seen {
            modified: Moment(-5),
            changed: Moment(9),
            inode: 42,
            racy,
            local: LocalEntry::File {
                hash: Some(ContentHash::of(name.as_bytes())),
                executable: size.is_multiple_of(2),
                size,
                modified: Moment(-5),
            },
        }),
        relation: Relation::Same,
    }
}

fn updates(entries: impl IntoIterator<Item = IndexEntry>) -> Updates {
    let mut updates = Updates::new();
    entries.into_iter().for_each(|entry| updates.set(&entry));
    updates
}

#[test]
fn what_is_written_is_read_and_unchanged_directories_are_kept() {
    let link = IndexEntry {
        name: "l".to_owned(),
        seen: Some(Seen {
            modified: Moment(1),
            changed: Moment(2),
            inode: 3,
            racy: false,
            local: LocalEntry::Link { target: "../x".into() },
        }),
        relation: Relation::Differs,
    };
    let gone = IndexEntry { name: "gone".to_owned(), seen: None, relation: Relation::Differs };
    let first = HashMap::from([
        ("input".to_owned(), updates([entry("a", 1, false), link.clone()])),
        ("output/x".to_owned(), updates([gone.clone()])),
    ]);
    let index = Index::empty(validity());
    let index = Index::parse(index.write(validity(), 3, &first)).expect("an index");
    assert_eq!((index.validity, index.left_out), (validity(), 3));
    let second = HashMap::from([("input".to_owned(), updates([entry("b", 2, true)]))]);
    let index = Index::parse(index.write(validity(), 0, &second)).expect("an index");
    let read: Vec<_> = index.entries("input").map(|raw| raw.to_entry()).collect();
    assert_eq!(read, [entry("a", 1, false), entry("b", 2, true), link]);
    let read: Vec<_> = index.entries("output/x").map(|raw| raw.to_entry()).collect();
    assert_eq!(read, [gone]);
    let mut all_gone = Updates::new();
    ["a", "b", "l"].iter().for_each(|name| all_gone.remove(name));
    let emptied = HashMap::from([("input".to_owned(), all_gone)]);
    let index = Index::parse(index.write(validity(), 0, &emptied)).expect("an index");
    assert!(!index.has("input"));
}

#[test]
fn one_changed_byte_makes_it_no_index() {
    let records = HashMap::from([("input".to_owned(), updates([entry("a", 1, false)]))]);
    let bytes = Index::empty(validity()).write(validity(), 0, &records);
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(Index::parse(changed).is_none(), "byte {at}");
    }
}

#[test]
fn the_last_update_of_a_name_counts_in_whatever_order_they_come() {
    let mut updates = updates([entry("b", 1, false), entry("d", 2, true)]);
    updates.set(&entry("a", 3, false));
    updates.set(&entry("c", 4, false));
    updates.set(&entry("b", 5, true));
    updates.set(&IndexEntry { seen: None, ..entry("d", 0, false) });
    updates.remove("c");
    updates.remove("e");
    let entries: Vec<_> = updates.entries().map(|raw| raw.to_entry()).collect();
    let gone = IndexEntry { seen: None, ..entry("d", 0, false) };
    assert_eq!(entries, [entry("a", 3, false), entry("b", 5, true), gone]);
    assert!(updates.get("c").is_some_and(|update| update.is_none()));
    assert!(updates.get("e").is_some_and(|update| update.is_none()));
    assert!(updates.get("f").is_none());
}

/// Puts the change behind `bytes`, as a look that saves it does.
fn append(bytes: &mut Vec<u8>, validity: Validity, changed: &HashMap<String, Updates>) {
    let index = Index::parse(bytes.clone()).expect("an index");
    let block = index.block(validity, changed).expect("room for a block");
    assert_eq!(block.at, bytes.len() as u64);
    bytes.extend_from_slice(&block.bytes);
}

/// Everything an index says.
fn said(index: &Index) -> (Validity, Vec<(String, Vec<IndexEntry>)>) {
    let mut directories: Vec<String> = index.directories().map(str::to_owned).collect();
    directories.sort();
    let said = directories.into_iter().map(|directory| {
        let entries: Vec<_> = index.entries(&directory).map(|raw| raw.to_entry()).collect();
        for entry in &entries {
            let found = index.find(&directory, &entry.name).map(|raw| raw.to_entry());
            assert_eq!(found.as_ref(), Some(entry));
        }
        (directory, entries)
    });
    (index.validity, said.collect())
}

fn other_validity() -> Validity {
    Validity { cached: Some(TreeHash::of(b"later")), ..validity() }
}

/// An index with two blocks, what it says after each, and where each ends.
fn with_blocks() -> (Vec<u8>, Vec<(usize, Said)>) {
    let first = HashMap::from([(
        "input".to_owned(),
        updates([entry("a", 1, false), entry("c", 2, false)]),
    )]);
    let mut bytes = Index::empty(validity()).write(validity(), 0, &first);
    let mut second = updates([entry("b", 3, false)]);
    second.remove("c");
    let second = HashMap::from([
        ("input".to_owned(), second),
        ("output".to_owned(), updates([entry("new", 4, true)])),
    ]);
    let mut third = Updates::new();
    third.remove("new");
    let third = HashMap::from([("output".to_owned(), third)]);
    let mut states = Vec::new();
    let mut note = |bytes: &Vec<u8>| {
        states.push((bytes.len(), said(&Index::parse(bytes.clone()).expect("an index"))));
    };
    note(&bytes);
    append(&mut bytes, other_validity(), &second);
    note(&bytes);
    append(&mut bytes, validity(), &third);
    note(&bytes);
    (bytes, states)
}

type Said = (Validity, Vec<(String, Vec<IndexEntry>)>);

#[test]
fn a_block_changes_what_it_names_and_nothing_else() {
    let (_, states) = with_blocks();
    let input = ("input".to_owned(), vec![entry("a", 1, false), entry("b", 3, false)]);
    let output = ("output".to_owned(), vec![entry("new", 4, true)]);
    assert_eq!(states[1].1, (other_validity(), vec![input.clone(), output]));
    assert_eq!(states[2].1, (validity(), vec![input]), "a directory without entries has no record");
}

#[test]
fn what_is_cut_off_or_changed_in_a_block_makes_it_no_index() {
    let (bytes, states) = with_blocks();
    for at in 0..bytes.len() {
        let cut = Index::parse(bytes[..at].to_vec());
        let state = states.iter().find(|(end, _)| *end == at).map(|(_, said)| said.clone());
        assert_eq!(cut.as_ref().map(said), state, "cut off at {at}");
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(Index::parse(changed).is_none(), "byte {at}");
    }
}

#[test]
fn a_block_counts_only_behind_what_it_was_made_for() {
    let (bytes, states) = with_blocks();
    let (records_end, first_end) = (states[0].0, states[1].0);
    let other = HashMap::from([("input".to_owned(), updates([entry("x", 1, false)]))]);
    let mut other = Index::empty(validity()).write(validity(), 0, &other);
    other.extend_from_slice(&bytes[records_end..]);
    assert!(Index::parse(other).is_none());
    let mut without_first = bytes[..records_end].to_vec();
    without_first.extend_from_slice(&bytes[first_end..]);
    assert!(Index::parse(without_first).is_none());
}

#[test]
fn blocks_do_not_become_many_and_other_rules_are_a_new_index() {
    let mut bytes = Index::empty(validity()).write(validity(), 0, &HashMap::new());
    let mut blocks = 0;
    let last = loop {
        let index = Index::parse(bytes.clone()).expect("an index");
        let rules = Validity { rules: [8; 32], ..validity() };
        assert!(index.block(rules, &HashMap::new()).is_none());
        let name = format!("{blocks:05}");
        let changed = HashMap::from([("input".to_owned(), updates([entry(&name, 1, false)]))]);
        match index.block(validity(), &changed) {
            Some(block) => bytes.extend_from_slice(&block.bytes),
            None => break index,
        }
        blocks += 1;
    };
    assert!(blocks > 100 && bytes.len() < 80 << 10, "{blocks} blocks, {} bytes", bytes.len());
    let whole = last.write(validity(), 0, &HashMap::new());
    assert_eq!(said(&Index::parse(whole).expect("an index")), said(&last));
}

/// Changes to a few names in a few directories.
fn changes() -> impl Strategy<Value = Vec<(u8, u8, Option<u64>)>> {
    proptest::collection::vec((0..3u8, 0..6u8, proptest::option::of(0..1000u64)), 0..6)
}

proptest! {
    #[test]
    fn blocks_say_the_same_as_writing_all_anew(rounds in proptest::collection::vec(changes(), 1..8)) {
        let mut blocks = Index::empty(validity()).write(validity(), 0, &HashMap::new());
        let mut anew = blocks.clone();
        let mut model = std::collections::BTreeMap::new();
        for round in rounds {
            let mut changed: HashMap<String, Updates> = HashMap::new();
            for (directory, name, size) in round {
                let (directory, name) = (format!("d{directory}"), format!("n{name}"));
                let updates = changed.entry(directory.clone()).or_default();
                let record: &mut std::collections::BTreeMap<_, _> = model.entry(directory).or_default();
                match size {
                    Some(size) => {
                        updates.set(&entry(&name, size, false));
                        record.insert(name.clone(), entry(&name, size, false));
                    }
                    None => {
                        updates.remove(&name);
                        record.remove(&name);
                    }
                }
            }
            append(&mut blocks, validity(), &changed);
            anew = Index::parse(anew).expect("an index").write(validity(), 0, &changed);
        }
        let model: Vec<(String, Vec<IndexEntry>)> = model
            .into_iter()
            .filter(|(_, record)| !record.is_empty())
            .map(|(directory, record)| (directory, record.into_values().collect()))
            .collect();
        let blocks = Index::parse(blocks).expect("an index");
        prop_assert_eq!(blocks.unvisited().count(), model.len());
        prop_assert_eq!(&said(&blocks).1, &model);
        prop_assert_eq!(&said(&Index::parse(anew).expect("an index")).1, &model);
        // Written anew from blocks, too.
        let whole = Index::parse(blocks.write(validity(), 0, &HashMap::new())).expect("an index");
        prop_assert_eq!(&said(&whole).1, &model);
    }

    #[test]
    fn any_bytes_are_read_without_panic(
        records in proptest::collection::vec(any::<u8>(), 88..400),
        block in proptest::collection::vec(any::<u8>(), 40..400),
    ) {
        let mut good = MAGIC.to_vec();
        good.extend_from_slice(&[0; 32]);
        good.extend_from_slice(&records);
        let end = good.len();
        good[120..128].copy_from_slice(&(end as u64).to_le_bytes());
        let hash = blake3::hash(&good[40..]);
        good[8..40].copy_from_slice(hash.as_bytes());
        // A whole block, as far as its hash says, behind an index of nothing.
        let mut nothing = Index::empty(validity()).write(validity(), 0, &HashMap::new());
        let mut behind = block.clone();
        behind[..8].copy_from_slice(&(block.len() as u64).to_le_bytes());
        let mut hasher = blake3::Hasher::new();
        hasher.update(&nothing[8..40]).update(&behind[40..]);
        behind[8..40].copy_from_slice(hasher.finalize().as_bytes());
        nothing.extend_from_slice(&behind);
        for bytes in [records, good, nothing] {
            if let Some(index) = Index::parse(bytes) {
                let directories: Vec<_> = index.directories().map(str::to_owned).collect();
                for directory in directories {
                    prop_assert!(index.entries(&directory).count() < 1000);
                }
            }
        }
    }
}
