//! Making the first snapshot of a repository by hand, out of tree objects: for states that no commit
//! would make, and for large ones that need no file. What is written here is `docs/format.md`,
//! written a second time.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use dsg_core::entry::{Entry, FileEntry, LinkEntry, Moment};
use dsg_core::hash::{ContentHash, TreeHash};
use dsg_core::path::RepoPath;
use dsg_core::snapshot::{SnapshotDocument, SnapshotNumber, TransactionId};
use dsg_core::tree::memory::MemoryStore;
use dsg_core::tree::{self, Object, Place, Root, Sink};

/// The objects of a pack that is being made.
struct Pack {
    bytes: Vec<u8>,
    known: HashMap<TreeHash, Place>,
}

impl Sink for Pack {
    type Error = Infallible;

    fn store(&mut self, hash: TreeHash, object: &Object) -> Result<Place, Infallible> {
        if let Some(place) = self.known.get(&hash) {
            return Ok(*place);
        }
        let place = Place((1 << 40) | self.bytes.len() as u64);
        for count in [object.bytes.len(), object.places.len()] {
            let count = u32::try_from(count).expect("fits");
            self.bytes.extend_from_slice(&count.to_le_bytes());
        }
        self.bytes.extend_from_slice(&object.bytes);
        for child in &object.places {
            self.bytes.extend_from_slice(&child.0.to_le_bytes());
        }
        self.known.insert(hash, place);
        Ok(place)
    }
}

impl Pack {
    fn finish(mut self, root: Option<&Root>) -> Vec<u8> {
        let start = self.bytes.len() as u64;
        match root {
            Some(root) => {
                self.bytes.extend_from_slice(root.address.hash.as_bytes());
                self.bytes.extend_from_slice(&root.address.place.0.to_le_bytes());
                self.bytes.extend_from_slice(&root.entries.to_le_bytes());
            }
            None => self.bytes.extend_from_slice(&[0; 48]),
        }
        self.bytes.extend_from_slice(&start.to_le_bytes());
        self.bytes.extend_from_slice(&0u64.to_le_bytes());
        let hash = blake3::hash(&self.bytes);
        self.bytes.extend_from_slice(hash.as_bytes());
        self.bytes
    }
}

/// Makes s1 of the repository at `root` out of entries. Contents that a client asks for must be put
/// where it finds them by whoever calls this.
pub(crate) fn first_snapshot(root: &Path, mut entries: Vec<(RepoPath, Entry)>) {
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    let entries: Vec<_> = entries.into_iter().map(|(path, entry)| (path, Some(entry))).collect();
    let mut pack = Pack { bytes: b"DSGPACK1".to_vec(), known: HashMap::new() };
    let top = tree::edit(&MemoryStore::new(), None, &entries, &mut pack).expect("a tree");
    let control = root.join(".dsg-repository");
    let text = fs::read(control.join("repository.json")).expect("reads");
    let description: serde_json::Value = serde_json::from_slice(&text).expect("is JSON");
    let document = SnapshotDocument {
        repository: description["id"].as_str().expect("an id").parse().expect("an id"),
        number: SnapshotNumber::FIRST,
        root: top.map(|root| root.address.hash),
        entries: top.map_or(0, |root| root.entries),
        parent: None,
        author: "mallory@example.org".to_owned(),
        time: "2026-01-01T00:00:00Z".parse().expect("a time"),
        message: "made by hand".to_owned(),
        transaction: TransactionId::from_bytes([9; 8]),
        configuration: serde_json::Map::new(),
    };
    let document = document.encode().expect("a document");
    fs::write(control.join("snapshots/s1.trees"), pack.finish(top.as_ref())).expect("writes");
    fs::write(control.join("snapshots/s1"), document).expect("writes");
}

/// A file with this content.
pub(crate) fn file(content: &str) -> Entry {
    Entry::File(FileEntry {
        hash: ContentHash::of(content.as_bytes()),
        executable: false,
        size: content.len() as u64,
        modified: Moment::from_parts(1_700_000_000, 0),
        author: Arc::from("mallory@example.org"),
    })
}

/// A link with this text.
pub(crate) fn link(target: &str) -> Entry {
    Entry::Link(LinkEntry { target: target.into(), author: Arc::from("mallory@example.org") })
}

/// Puts a content into `objects/`, where a client finds it by its hash.
pub(crate) fn keep(root: &Path, content: &str) {
    let name = ContentHash::of(content.as_bytes()).to_string();
    fs::write(root.join(".dsg-repository/objects").join(name), content).expect("writes");
}
