use super::*;
use proptest::prelude::*;

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

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut good = MAGIC.to_vec();
        good.extend_from_slice(&[0; 32]);
        good.extend_from_slice(&bytes);
        if good.len() >= 40 {
            let hash = blake3::hash(&good[40..]);
            good[8..40].copy_from_slice(hash.as_bytes());
        }
        for bytes in [bytes, good] {
            if let Some(index) = Index::parse(bytes) {
                let directories: Vec<_> = index.directories().map(str::to_owned).collect();
                for directory in directories {
                    prop_assert!(index.entries(&directory).count() < 1000);
                }
            }
        }
    }
}
