//! Tests of the tree as a whole, against a plain sorted map.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::ops::ControlFlow;

use super::*;
use crate::entry::{Entry, FileEntry, LinkEntry, Moment};
use crate::hash::ContentHash;

mod damage;
mod edits;
mod example;
mod large;

type Model = BTreeMap<RepoPath, Entry>;
type Changes = Vec<(RepoPath, Option<Entry>)>;

/// A store that finds objects by place alone, and counts.
#[derive(Default)]
struct PlacedStore {
    objects: Vec<Object>,
    read: RefCell<Vec<TreeHash>>,
    read_bytes: Cell<usize>,
}

impl PlacedStore {
    fn forget_counts(&mut self) {
        self.read.borrow_mut().clear();
        self.read_bytes.set(0);
    }
}

impl Source for PlacedStore {
    type Error = String;

    fn object(&self, address: &Address) -> Result<Object, String> {
        let index = usize::try_from(address.place.0).unwrap();
        let object = self.objects.get(index).ok_or("no such place")?;
        self.read.borrow_mut().push(address.hash);
        self.read_bytes.set(self.read_bytes.get() + object.bytes.len());
        Ok(object.clone())
    }
}

/// New objects, to be put into a `PlacedStore` afterwards: reading and writing are apart.
struct Pack {
    start: usize,
    objects: Vec<Object>,
}

impl Sink for Pack {
    type Error = Infallible;

    fn store(&mut self, hash: TreeHash, object: &Object) -> Result<Place, Infallible> {
        assert_eq!(TreeHash::of(&object.bytes), hash);
        let next = self.start + self.objects.len();
        assert!(object.places.iter().all(|place| place.0 < next as u64), "a child is stored first");
        self.objects.push(object.clone());
        Ok(Place(next as u64))
    }
}

type Edited = Result<Option<Root>, EditError<String, Infallible>>;

/// Edits and keeps the new objects; gives their number of bytes too.
fn edit_in(store: &mut PlacedStore, root: Option<&Root>, changes: &Changes) -> (Edited, usize) {
    let mut pack = Pack { start: store.objects.len(), objects: Vec::new() };
    let edited = edit(store, root, changes, &mut pack);
    let bytes = pack.objects.iter().map(|object| object.bytes.len()).sum();
    store.objects.extend(pack.objects);
    (edited, bytes)
}

fn build(store: &mut PlacedStore, model: &Model) -> Option<Root> {
    let changes = model.iter().map(|(path, entry)| (path.clone(), Some(entry.clone()))).collect();
    edit_in(store, None, &changes).0.unwrap()
}

fn hash_of(model: &Model) -> Option<TreeHash> {
    build(&mut PlacedStore::default(), model).map(|root| root.address.hash)
}

fn path(text: &str) -> RepoPath {
    RepoPath::parse(text).unwrap()
}

fn file(content: u64) -> Entry {
    Entry::File(FileEntry {
        hash: ContentHash::of(&content.to_le_bytes()),
        executable: content % 3 == 1,
        size: content,
        modified: Moment(-5_000_000_000 + 1_000_000_000 * i64::try_from(content).unwrap()),
        author: ["bob@example.org", "alice@example.org"][usize::from(content.is_multiple_of(2))]
            .into(),
    })
}

fn link(target: &str) -> Entry {
    Entry::Link(LinkEntry { target: target.into(), author: "carol".into() })
}

fn model(paths: &[&str]) -> Model {
    paths.iter().map(|text| (path(text), file(text.len() as u64))).collect()
}

fn walked(store: &PlacedStore, root: Option<&Root>, directory: &str) -> Vec<(RepoPath, Entry)> {
    let mut seen = Vec::new();
    let flow = walk(store, root, directory, &mut |path, entry| -> ControlFlow<Infallible> {
        seen.push((path.clone(), entry.clone()));
        ControlFlow::Continue(())
    });
    assert_eq!(flow, Ok(ControlFlow::Continue(())));
    seen
}

fn differences(store: &PlacedStore, old: Option<&Root>, new: Option<&Root>) -> Vec<Change> {
    let mut seen = Vec::new();
    let flow = diff(store, old, new, &mut |change| -> ControlFlow<Infallible> {
        seen.push(change);
        ControlFlow::Continue(())
    });
    assert_eq!(flow, Ok(ControlFlow::Continue(())));
    seen
}

/// The differences as the map tells them.
fn model_differences(old: &Model, new: &Model) -> Vec<Change> {
    let mut paths: Vec<_> = old.keys().chain(new.keys()).cloned().collect();
    paths.sort();
    paths.dedup();
    let changes = paths.into_iter().map(|path| Change {
        old: old.get(&path).cloned(),
        new: new.get(&path).cloned(),
        path,
    });
    changes.filter(|change| change.old != change.new).collect()
}

/// What must travel to someone who has `known`.
fn fetched(store: &PlacedStore, root: Option<&Root>, known: Option<&Root>) -> Vec<Object> {
    let mut seen = Vec::new();
    let flow = objects(store, root, known, &mut |address, object| -> ControlFlow<Infallible> {
        assert_eq!(TreeHash::of(&object.bytes), address.hash);
        seen.push(object.clone());
        ControlFlow::Continue(())
    });
    assert_eq!(flow, Ok(ControlFlow::Continue(())));
    seen
}

/// Makes the same changes to the map: `false` when the result is no tree.
fn change_model(model: &mut Model, changes: &Changes) -> bool {
    for (path, entry) in changes {
        match entry {
            Some(entry) => model.insert(path.clone(), entry.clone()),
            None => model.remove(path),
        };
    }
    let paths: Vec<_> = model.keys().collect();
    paths.array_windows().all(|[left, right]| !right.is_below(left))
}
