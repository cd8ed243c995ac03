//! Directories that are cut into several objects.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::tree::codec::{Content, decode};
use crate::tree::split::{MEMBERS_MAX, ends};

fn numbered(count: u64) -> Model {
    (0..count).map(|number| (path(&format!("d/n{number:06}.csv")), file(number % 7))).collect()
}

fn level(store: &PlacedStore, root: Option<&Root>) -> u8 {
    let directory = find::find_directory(store, root, "d").unwrap().unwrap();
    decode(&store.object(&directory.address).unwrap()).unwrap().level()
}

/// Edits step by step, checking the root against that of the set built at once.
fn follow(store: &mut PlacedStore, now: &mut Model, root: &mut Option<Root>, changes: &Changes) {
    let before = std::mem::replace(root, edit_in(store, root.as_ref(), changes).0.unwrap());
    let old = now.clone();
    assert!(change_model(now, changes));
    assert_eq!(root.map(|root| root.address.hash), hash_of(now));
    let expected = model_differences(&old, now);
    assert_eq!(differences(store, before.as_ref(), root.as_ref()), expected);
}

#[test]
fn the_threshold_is_crossed_both_ways() {
    let mut store = PlacedStore::default();
    let mut now = numbered(MEMBERS_MAX as u64 - 1);
    let mut root = build(&mut store, &now);
    for (number, is_added, expected) in [
        (5000, true, 0),
        (5001, true, 1),
        (5002, true, 1),
        (17, false, 1),
        (400, false, 0),
        (900, false, 0),
        (900, true, 0),
        (17, true, 1),
    ] {
        let entry = is_added.then(|| file(3));
        let changes = vec![(path(&format!("d/n{number:06}.csv")), entry)];
        follow(&mut store, &mut now, &mut root, &changes);
        assert_eq!(level(&store, root.as_ref()), expected, "{} items", now.len());
    }
}

#[test]
fn a_leaf_that_loses_its_last_name_is_joined_to_its_neighbour_and_cut_again() {
    let mut store = PlacedStore::default();
    let mut now = numbered(5000);
    let mut root = build(&mut store, &now);
    let is_end = |path: &&RepoPath| ends(path.name(), 0);
    let boundaries: Vec<RepoPath> = now.keys().filter(is_end).cloned().collect();
    assert!(boundaries.len() > 8);
    for boundary in [&boundaries[3], &boundaries[4], &boundaries[boundaries.len() - 1]] {
        store.forget_counts();
        let changes = vec![(boundary.clone(), None)];
        edit_in(&mut store, root.as_ref(), &changes).0.unwrap();
        assert!(store.read.borrow().len() <= 4, "top, directory, leaf, neighbour");
        follow(&mut store, &mut now, &mut root, &changes);
        follow(&mut store, &mut now, &mut root, &vec![(boundary.clone(), Some(file(6)))]);
    }
    let everything: Changes = now.keys().map(|path| (path.clone(), None)).collect();
    let most = everything[..4990].to_vec();
    follow(&mut store, &mut now, &mut root, &most);
    follow(&mut store, &mut now, &mut root, &everything);
    assert_eq!(root, None);
}

#[test]
fn one_entry_among_many_siblings_costs_some_tens_of_kilobytes() {
    let mut store = PlacedStore::default();
    let root = build(&mut store, &numbered(60_000));
    store.forget_counts();
    let changes = vec![(path("d/n034567.csv"), Some(file(99)))];
    let (edited, stored) = edit_in(&mut store, root.as_ref(), &changes);
    let edited = edited.unwrap();
    assert!(stored < 90_000 && store.read_bytes.get() < 90_000, "{stored} {:?}", store.read_bytes);
    store.forget_counts();
    assert_eq!(differences(&store, root.as_ref(), edited.as_ref()).len(), 1);
    assert_eq!(store.read.borrow().len(), 6, "top, branch and leaf, twice");
    assert_eq!(fetched(&store, edited.as_ref(), root.as_ref()).len(), 3);
    store.forget_counts();
    lookup(&store, edited.as_ref(), &path("d/n000001.csv")).unwrap();
    assert_eq!(store.read.borrow().len(), 3);
}

/// Names after each of which a leaf ends, so that levels are reached with few items.
fn ends_of_leaves(count: usize) -> Vec<RepoPath> {
    let names = (0_u64..).map(|number| format!("d/{number:07}"));
    names.map(|text| path(&text)).filter(|path| ends(path.name(), 0)).take(count).collect()
}

#[test]
fn more_leaves_than_fit_into_a_branch_make_another_level() {
    let mut store = PlacedStore::default();
    let names = ends_of_leaves(1400);
    let others = (0..10).map(|number| path(&format!("d/x{number}")));
    let mut now: Model =
        names[..1000].iter().cloned().chain(others).map(|path| (path, file(1))).collect();
    let mut root = build(&mut store, &now);
    assert_eq!(level(&store, root.as_ref()), 0);
    for (range, entry, expected) in [
        (1000..1020, Some(file(2)), 1),
        (1020..1400, Some(file(2)), 2),
        (700..701, Some(file(5)), 2),
        (0..380, None, 1),
        (0..100, Some(file(3)), 2),
        (200..1300, Some(file(4)), 2),
        (0..1390, None, 0),
    ] {
        let changes: Changes =
            names[range].iter().map(|path| (path.clone(), entry.clone())).collect();
        let before = root;
        follow(&mut store, &mut now, &mut root, &changes);
        assert_eq!(level(&store, root.as_ref()), expected, "{} items", now.len());
        let first = path("d/0000000");
        assert_eq!(lookup(&store, root.as_ref(), &first), Ok(now.get(&first).cloned()));
        assert_travel_is_exact(&store, root.as_ref(), before.as_ref());
    }
}

/// What travels is what one tree has and the other has not, when all is in one directory.
fn assert_travel_is_exact(store: &PlacedStore, root: Option<&Root>, known: Option<&Root>) {
    let hashes = |objects: Vec<Object>| -> BTreeSet<TreeHash> {
        let count = objects.len();
        let hashes: BTreeSet<_> =
            objects.iter().map(|object| TreeHash::of(&object.bytes)).collect();
        assert_eq!(hashes.len(), count, "each is visited once");
        hashes
    };
    let (all, old) = (hashes(fetched(store, root, None)), hashes(fetched(store, known, None)));
    let missing: BTreeSet<_> = all.difference(&old).copied().collect();
    assert_eq!(hashes(fetched(store, root, known)), missing);
}

#[test]
fn a_level_of_branches_is_cut_where_the_names_say_so() {
    let mut store = PlacedStore::default();
    let names = ends_of_leaves(1400);
    let now: Model = names.iter().map(|path| (path.clone(), file(1))).collect();
    let root = build(&mut store, &now);
    let mut branches = Vec::new();
    for object in fetched(&store, root.as_ref(), None) {
        if let Content::Branch { level: 1, children } = decode(&object).unwrap() {
            branches.push(children.last().unwrap().last.to_string());
        }
    }
    let mut expected: Vec<String> = names.iter().map(|path| path.name().to_owned()).collect();
    let last = expected.pop().unwrap();
    expected.retain(|name| ends(name, 1));
    expected.push(last);
    assert_eq!(branches, expected);
    assert!(branches.len() > 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_large_directory_has_one_root_whatever_the_order_of_edits(
        start in 900_u64..1500,
        batches in prop::collection::vec(
            prop::collection::btree_map(0_u64..1600, prop::option::of(0_u64..5), 1..120),
            1..6,
        ),
    ) {
        let mut store = PlacedStore::default();
        let mut now = numbered(start);
        let mut root = build(&mut store, &now);
        for batch in batches {
            let named = |(number, content): (u64, Option<u64>)| {
                (path(&format!("d/n{number:06}.csv")), content.map(file))
            };
            let changes: Changes = batch.into_iter().map(named).collect();
            follow(&mut store, &mut now, &mut root, &changes);
        }
    }
}
