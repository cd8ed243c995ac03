//! Editing and reading small trees.

use proptest::prelude::*;

use super::*;
use crate::entry::TEXT_BYTES_MAX;
use crate::tree::memory::MemoryStore;

fn sorted(changes: BTreeMap<RepoPath, Option<Entry>>) -> Changes {
    changes.into_iter().collect()
}

/// Few names, so that files stand where directories were and the other way round.
fn some_changes() -> impl Strategy<Value = Changes> {
    let entry = prop::option::of(prop_oneof![
        4 => (0_u64..6).prop_map(file),
        1 => "[a-z]{1,3}".prop_map(|target| link(&target)),
    ]);
    prop::collection::btree_map("[abc](/[abc.]b?){0,3}", entry, 0..8).prop_map(|changes| {
        let parsed = changes
            .into_iter()
            .filter_map(|(text, entry)| Some((RepoPath::parse(&text).ok()?, entry)));
        sorted(parsed.collect())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_edits_give_the_root_of_the_resulting_set(
        batches in prop::collection::vec(some_changes(), 1..8),
    ) {
        let mut store = PlacedStore::default();
        let (mut now, mut root) = (Model::new(), None);
        for changes in batches {
            let mut next = now.clone();
            let is_tree = change_model(&mut next, &changes);
            let (edited, _) = edit_in(&mut store, root.as_ref(), &changes);
            if !is_tree {
                let refused = matches!(edited, Err(EditError::NotATree { .. }));
                prop_assert!(refused, "{:?}", edited);
                continue;
            }
            let edited = edited.unwrap();
            prop_assert_eq!(edited.map(|root| root.address.hash), hash_of(&next));
            prop_assert_eq!(edited.map_or(0, |root| root.entries), next.len() as u64);
            let entries: Vec<_> = next.clone().into_iter().collect();
            prop_assert_eq!(walked(&store, edited.as_ref(), ""), entries);
            let expected = model_differences(&now, &next);
            prop_assert_eq!(differences(&store, root.as_ref(), edited.as_ref()), expected);
            let expected = model_differences(&next, &now);
            prop_assert_eq!(differences(&store, edited.as_ref(), root.as_ref()), expected);
            (now, root) = (next, edited);
        }
    }

    #[test]
    fn what_travels_is_enough_for_who_knows_the_rest(a in some_changes(), b in some_changes()) {
        let (mut old, mut store) = (Model::new(), PlacedStore::default());
        let mut is_tree = change_model(&mut old, &a);
        let mut new = old.clone();
        is_tree &= change_model(&mut new, &b);
        if !is_tree {
            return Ok(());
        }
        let (old_root, new_root) = (build(&mut store, &old), build(&mut store, &new));
        let mut client = MemoryStore::new();
        for object in fetched(&store, old_root.as_ref(), None) {
            client.insert(object);
        }
        for object in fetched(&store, new_root.as_ref(), old_root.as_ref()) {
            client.insert(Object::unplaced(object.bytes).unwrap());
        }
        for entry in &new {
            let found = lookup(&client, new_root.as_ref(), entry.0);
            prop_assert_eq!(found, Ok(Some(entry.1.clone())));
        }
        prop_assert!(fetched(&store, new_root.as_ref(), new_root.as_ref()).is_empty());
    }
}

#[test]
fn lookup_and_children_say_what_is_there_and_nothing_of_what_is_not() {
    let mut store = PlacedStore::default();
    let root = build(&mut store, &model(&["a/b/one", "a/b-c", "a/two", "three"]));
    let found = |text: &str| lookup(&store, root.as_ref(), &path(text)).unwrap();
    assert_eq!(found("a/b/one"), Some(file(7)));
    assert_eq!(found("three"), Some(file(5)));
    for absent in ["a", "a/b", "a/b/one/more", "b", "three/x", "zz"] {
        assert_eq!(found(absent), None, "{absent}");
    }
    let names = |directory: &str| {
        let mut names = Vec::new();
        let mut visit = |name: &str, is_directory| names.push((name.to_owned(), is_directory));
        children(&store, root.as_ref(), directory, &mut visit).unwrap();
        names
    };
    assert_eq!(names(""), [("a".to_owned(), true), ("three".to_owned(), false)]);
    let below = [("b".to_owned(), true), ("b-c".to_owned(), false), ("two".to_owned(), false)];
    assert_eq!(names("a"), below);
    for absent in ["three", "x", "a/", "../a", "a/x/y"] {
        assert_eq!(names(absent), [], "{absent}");
    }
    let below: Vec<_> = walked(&store, root.as_ref(), "a/b");
    assert_eq!(below, [(path("a/b/one"), file(7))]);
    assert_eq!(walked(&store, root.as_ref(), "three"), []);
    assert_eq!(lookup(&store, None, &path("a")), Ok(None));
}

#[test]
fn a_visitor_may_break_off_with_its_reason() {
    let mut store = PlacedStore::default();
    let root = build(&mut store, &model(&["a/x", "b", "c"]));
    let mut seen = 0;
    let flow = walk(&store, root.as_ref(), "", &mut |path, _| {
        seen += 1;
        if path.as_str() == "b" { ControlFlow::Break("enough") } else { ControlFlow::Continue(()) }
    });
    assert_eq!((flow, seen), (Ok(ControlFlow::Break("enough")), 2));
    let flow = objects(&store, root.as_ref(), None, &mut |_, _| ControlFlow::Break(()));
    assert_eq!(flow, Ok(ControlFlow::Break(())));
}

#[test]
fn a_file_takes_the_place_of_a_directory_only_when_that_is_empty() {
    let mut store = PlacedStore::default();
    let root = build(&mut store, &model(&["a/x", "a/y", "b"]));
    let mut changes = vec![(path("a"), Some(file(1))), (path("a/x"), None)];
    let (edited, _) = edit_in(&mut store, root.as_ref(), &changes);
    assert_eq!(edited, Err(EditError::NotATree { path: path("a") }));
    changes.push((path("a/y"), None));
    let edited = edit_in(&mut store, root.as_ref(), &changes).0.unwrap();
    assert_eq!(lookup(&store, edited.as_ref(), &path("a")), Ok(Some(file(1))));

    let below = vec![(path("a/z/deep"), Some(file(2)))];
    let (refused, _) = edit_in(&mut store, edited.as_ref(), &below);
    assert_eq!(refused, Err(EditError::NotATree { path: path("a") }));
    let replaced = vec![(path("a"), None), below[0].clone()];
    let back = edit_in(&mut store, edited.as_ref(), &replaced).0.unwrap();
    assert_eq!(walked(&store, back.as_ref(), "").len(), 2);
}

#[test]
fn removing_what_is_not_there_changes_and_stores_nothing() {
    let mut store = PlacedStore::default();
    let root = build(&mut store, &model(&["a/x", "b"]));
    let changes: Changes =
        ["a", "a/w", "a/x/y", "b/c/d", "q/r"].map(|text| (path(text), None)).into();
    assert_eq!(edit_in(&mut store, root.as_ref(), &changes), (Ok(root), 0));
    assert_eq!(edit_in(&mut store, None, &changes), (Ok(None), 0));
    assert_eq!(edit_in(&mut store, root.as_ref(), &Vec::new()), (Ok(root), 0));
    let all = vec![(path("a/x"), None), (path("b"), None)];
    assert_eq!(edit_in(&mut store, root.as_ref(), &all), (Ok(None), 0));
}

#[test]
fn changes_out_of_order_twice_or_with_long_texts_are_refused() {
    let mut store = PlacedStore::default();
    let swapped = vec![(path("a-b"), None), (path("a/b"), None)];
    let (edited, _) = edit_in(&mut store, None, &swapped);
    assert_eq!(edited, Err(EditError::NotSorted { path: path("a/b") }));
    let twice = vec![(path("a"), None), (path("a"), Some(file(1)))];
    let (edited, _) = edit_in(&mut store, None, &twice);
    assert_eq!(edited, Err(EditError::NotSorted { path: path("a") }));
    let long = vec![(path("a"), Some(link(&"x".repeat(TEXT_BYTES_MAX + 1))))];
    let (edited, _) = edit_in(&mut store, None, &long);
    assert_eq!(edited, Err(EditError::TextTooLong { path: path("a") }));
    let longest = vec![(path("a"), Some(link(&"x".repeat(TEXT_BYTES_MAX))))];
    let edited = edit_in(&mut store, None, &longest).0.unwrap();
    assert_eq!(lookup(&store, edited.as_ref(), &path("a")), Ok(longest[0].1.clone()));
}

#[test]
fn an_edit_reads_and_stores_the_changed_path_only_and_a_diff_what_differs() {
    let mut store = PlacedStore::default();
    let paths: Vec<String> =
        (0..900).map(|number| format!("d{}/e{}/f{number}", number / 90, number / 9 % 10)).collect();
    let texts: Vec<&str> = paths.iter().map(String::as_str).collect();
    let root = build(&mut store, &model(&texts));
    assert_eq!(store.objects.len(), 111);
    store.forget_counts();
    let changes = vec![(path("d3/e5/f317"), Some(file(77)))];
    let edited = edit_in(&mut store, root.as_ref(), &changes).0.unwrap();
    assert_eq!((store.read.borrow().len(), store.objects.len()), (3, 114));
    store.forget_counts();
    assert_eq!(differences(&store, root.as_ref(), edited.as_ref()).len(), 1);
    assert_eq!(store.read.borrow().len(), 6);
    assert_eq!(fetched(&store, edited.as_ref(), root.as_ref()).len(), 3);
    store.forget_counts();
    assert_eq!(differences(&store, edited.as_ref(), edited.as_ref()), []);
    assert_eq!(store.read.borrow().len(), 0);
}

#[test]
fn the_deepest_tree_is_edited_and_walked() {
    let mut store = PlacedStore::default();
    let deepest = path(&vec!["d"; 2048].join("/"));
    let changes = vec![(deepest.clone(), Some(file(1)))];
    let root = edit_in(&mut store, None, &changes).0.unwrap();
    assert_eq!(walked(&store, root.as_ref(), ""), [(deepest.clone(), file(1))]);
    let removed = edit_in(&mut store, root.as_ref(), &vec![(deepest, None)]).0;
    assert_eq!(removed, Ok(None));
}
