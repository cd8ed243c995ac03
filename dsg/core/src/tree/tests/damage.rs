//! Trees from a hostile or broken store.

use super::*;
use crate::path::PATH_BYTES_MAX;
use crate::tree::codec::{Child, Content, Item, Node, encode};
use crate::tree::memory::{MemoryStore, MissingObject};

/// Stores an object and gives a root that says what it likes of it.
fn put(store: &mut MemoryStore, content: &Content, entries: u64) -> Root {
    let hash = store.insert(encode(content));
    Root { address: Address { hash, place: Place(0) }, entries }
}

fn leaf(names: &[&str]) -> Content {
    let item = |name: &&str| Item { name: (*name).into(), node: Node::Entry(file(1)) };
    Content::Leaf(names.iter().map(item).collect())
}

fn walk_error(store: &MemoryStore, root: &Root) -> String {
    let mut visit = |_: &RepoPath, _: &Entry| ControlFlow::<Infallible>::Continue(());
    walk(store, Some(root), "", &mut visit).unwrap_err().to_string()
}

#[test]
fn a_missing_object_is_the_error_of_the_store() {
    let store = MemoryStore::new();
    let hash = TreeHash::of(b"nothing");
    let root = Root { address: Address { hash, place: Place(0) }, entries: 1 };
    let found = lookup(&store, Some(&root), &path("a"));
    assert_eq!(found, Err(TreeError::Store(MissingObject(hash))));
    let changes = [(path("a"), None)];
    let edited = edit(&store, Some(&root), &changes, &mut MemoryStore::new());
    assert_eq!(edited, Err(EditError::Tree(TreeError::Store(MissingObject(hash)))));
}

#[test]
fn bytes_of_another_hash_are_damage() {
    let mut store = PlacedStore::default();
    let root = build(&mut store, &model(&["a", "b"])).unwrap();
    let last = store.objects[0].bytes.len() - 1;
    store.objects[0].bytes[last - 1] ^= 1;
    let found = lookup(&store, Some(&root), &path("a"));
    assert!(matches!(found, Err(TreeError::Damaged { hash, .. }) if hash == root.address.hash));
}

#[test]
fn a_wrong_number_of_entries_is_damage() {
    let mut store = MemoryStore::new();
    let root = put(&mut store, &leaf(&["a", "b"]), 3);
    assert!(walk_error(&store, &root).contains("another number of entries"));
}

#[test]
fn a_directory_that_is_cut_otherwise_is_damage() {
    let mut store = MemoryStore::new();
    let small = put(&mut store, &leaf(&["a", "b"]), 2);
    let children = vec![Child { last: "b".into(), items: 2, root: small }];
    let root = put(&mut store, &Content::Branch { level: 1, children }, 2);
    assert!(walk_error(&store, &root).contains("not cut as its size demands"));
}

/// A directory of two leaves, of which the second is said to be something else.
fn two_leaves(second: &[&str], last: &str, items: u64) -> (MemoryStore, Root) {
    let mut store = MemoryStore::new();
    let names: Vec<String> = (0..1100).map(|number| format!("n{number:04}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let first = put(&mut store, &leaf(&names), 1100);
    let second = put(&mut store, &leaf(second), 2);
    let children = vec![
        Child { last: "n1099".into(), items: 1100, root: first },
        Child { last: last.into(), items, root: second },
    ];
    let root = put(&mut store, &Content::Branch { level: 1, children }, 1102);
    (store, root)
}

#[test]
fn a_leaf_that_is_not_what_its_parent_says_is_damage() {
    for (second, last, items) in [(["x", "y"], "z", 2), (["x", "z"], "z", 3)] {
        let (store, root) = two_leaves(&second, last, items);
        assert!(walk_error(&store, &root).contains("not what its parent says"));
        let found = lookup(&store, Some(&root), &path("x"));
        assert!(matches!(found, Err(TreeError::Damaged { .. })));
    }
}

#[test]
fn leaves_that_overlap_are_damage_for_every_reader() {
    let (store, root) = two_leaves(&["n0500", "z"], "z", 2);
    assert!(walk_error(&store, &root).contains("overlap"));
    let found = lookup(&store, Some(&root), &path("z"));
    assert!(matches!(found, Err(TreeError::Damaged { .. })));
    let changes = [(path("z"), None)];
    let edited = edit(&store, Some(&root), &changes, &mut MemoryStore::new());
    assert!(matches!(edited, Err(EditError::Tree(TreeError::Damaged { .. }))));
}

#[test]
fn a_path_that_is_too_long_is_damage_and_ends_the_walk() {
    let mut store = MemoryStore::new();
    let mut root = put(&mut store, &leaf(&["f"]), 1);
    for _ in 0..PATH_BYTES_MAX {
        let item = Item { name: "d".into(), node: Node::Directory(root) };
        root = put(&mut store, &Content::Leaf(vec![item]), 1);
    }
    assert!(walk_error(&store, &root).contains("longer than a file system takes"));
}

#[test]
fn counts_that_can_not_be_summed_are_refused_and_not_stored() {
    let mut store = MemoryStore::new();
    let unread =
        Root { address: Address { hash: TreeHash::of(b"?"), place: Place(0) }, entries: 1 };
    let item =
        Item { name: "d".into(), node: Node::Directory(Root { entries: u64::MAX, ..unread }) };
    let root = put(&mut store, &Content::Leaf(vec![item]), u64::MAX);
    let mut sink = MemoryStore::new();
    let edited = edit(&store, Some(&root), &[(path("e"), Some(file(1)))], &mut sink);
    assert!(matches!(edited, Err(EditError::Tree(TreeError::Damaged { .. }))));
    assert!(sink.is_empty());
}
