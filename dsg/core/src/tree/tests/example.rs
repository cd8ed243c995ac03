//! The worked example of `docs/format.md` is what the code makes.

use super::*;
use crate::hash::ChainHash;
use crate::snapshot::{RepositoryId, SnapshotDocument, SnapshotNumber, TransactionId};
use crate::tree::memory::MemoryStore;

const DOCUMENT: &str = include_str!("../../../../../docs/format.md");

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of each table of bytes in the document: its first column, one cell after the other.
fn tables() -> Vec<String> {
    let parts = DOCUMENT.split("| bytes | meaning |\n| --- | --- |\n").skip(1);
    let rows = parts.map(|part| part.lines().take_while(|line| line.starts_with('|')));
    rows.map(|rows| {
        rows.filter_map(|row| row.split('`').nth(1)).flat_map(|cell| cell.split(' ')).collect()
    })
    .collect()
}

fn example() -> (MemoryStore, Root) {
    let entry = |hash: &[u8], executable, seconds| {
        Entry::File(FileEntry {
            hash: ContentHash::of(hash),
            executable,
            size: hash.len() as u64,
            modified: Moment::from_parts(seconds, 0),
            author: "alice@example.org".into(),
        })
    };
    let latest = LinkEntry { target: "raw/a.csv".into(), author: "bob@example.org".into() };
    let changes = [
        (path("latest"), Some(Entry::Link(latest))),
        (path("raw/a.csv"), Some(entry(b"abc", false, 1))),
        (path("run"), Some(entry(b"", true, -1))),
    ];
    let mut store = MemoryStore::new();
    let root = edit(&MemoryStore::new(), None, &changes, &mut store).unwrap().unwrap();
    (store, root)
}

#[test]
fn the_example_objects_of_the_format_document_are_what_the_code_makes() {
    let (store, root) = example();
    let mut made = Vec::new();
    let _ = objects(&store, Some(&root), None, &mut |address, object| {
        made.push((address.hash, hexadecimal(&object.bytes)));
        ControlFlow::<()>::Continue(())
    });
    let expected: Vec<&String> = made.iter().map(|(_, bytes)| bytes).rev().collect();
    assert_eq!(tables().iter().collect::<Vec<_>>(), expected);
    for (hash, _) in &made {
        assert!(DOCUMENT.contains(&hash.to_string()), "{hash}");
    }
}

#[test]
fn the_example_snapshot_of_the_format_document_is_what_the_code_makes() {
    let (_, root) = example();
    let configuration = serde_json::json!({"data_dirs": ["raw"]});
    let document = SnapshotDocument {
        repository: RepositoryId::from_bytes([0x5a; 16]),
        number: SnapshotNumber::FIRST,
        root: Some(root.address.hash),
        entries: root.entries,
        parent: None,
        author: "alice@example.org".to_owned(),
        time: "2026-11-21T06:23:58Z".parse().unwrap(),
        message: "first data".to_owned(),
        transaction: TransactionId::from_bytes([0, 1, 2, 3, 4, 5, 6, 7]),
        configuration: configuration.as_object().unwrap().clone(),
    };
    let bytes = document.encode().unwrap();
    let text = String::from_utf8(bytes.clone()).unwrap();
    assert!(DOCUMENT.contains(&text), "{text}");
    let hash = ChainHash::of(&bytes).to_string();
    assert!(DOCUMENT.contains(&hash), "{hash}");
}
