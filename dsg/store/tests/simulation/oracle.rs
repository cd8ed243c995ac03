//! What must be true of the repository. The oracle keeps its own log of contents and documents and
//! reads the disk itself; it asks dsg only for what a snapshot says should be there, and then
//! compares that with the disk.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dsg_core::entry::Entry;
use dsg_core::hash::ChainHash;
use dsg_core::snapshot::SnapshotNumber;
use dsg_store::repository::{LocalRepository, Repository};
use foundation_runtime::clock::SystemClock;

use super::disk::{self, Hash, Tree, What, short};
use super::names;
use super::view::{Identity, State};

const CONTROL: &str = ".dsg-repository";

pub(crate) struct Oracle {
    root: PathBuf,
    /// Contents that were committed, with where that was seen first. None may ever be missing.
    committed: HashMap<Hash, String>,
    /// The documents of all snapshots, as they were when they were first seen.
    documents: Vec<Vec<u8>>,
    /// Keys that any snapshot ever had.
    pub(crate) keys: BTreeSet<String>,
}

/// The repository as it is on disk.
pub(crate) struct Seen {
    /// All contents that it keeps for good.
    pub(crate) contents: HashSet<Hash>,
    /// The newest state.
    pub(crate) state: State,
    pub(crate) head: u64,
}

impl Oracle {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root, committed: HashMap::new(), documents: Vec::new(), keys: BTreeSet::new() }
    }

    pub(crate) fn open(&self) -> Result<LocalRepository, String> {
        LocalRepository::open(&self.root, "oracle@example.org", Arc::new(SystemClock::new()))
            .map_err(|error| format!("the repository can't be opened: {error}"))
    }

    fn control(&self, part: &str) -> PathBuf {
        self.root.join(CONTROL).join(part)
    }

    /// Notes that these contents count as committed.
    pub(crate) fn commit(&mut self, state: &State, by: &str) {
        for (key, identity) in state {
            if let Identity::File(hash, _) = identity {
                self.committed.entry(*hash).or_insert_with(|| format!("{key} of {by}"));
            }
        }
    }

    /// Looks at the whole repository and checks everything that must hold at any moment at which
    /// nobody is writing.
    pub(crate) fn check(&mut self) -> Result<Seen, String> {
        let visible = disk::walk(&self.root, &[CONTROL]);
        let objects = disk::walk(&self.control("objects"), &[]);
        for (path, node) in &objects {
            let name = path.display().to_string();
            if let Some(hash) = node.content()
                && name.len() == 64
                && blake3::Hash::from_bytes(hash).to_hex().as_str() != name
            {
                return Err(format!("DAMAGE: the object {name} has other bytes"));
            }
        }
        let head = self.chain()?;
        let manifest = self.manifest(head)?;
        let half_placed = self.half_placed();
        match &half_placed {
            None => compare(&visible, &manifest)?,
            Some(_) => hidden(&visible)?,
        }
        let mut contents = disk::contents(&visible);
        contents.extend(disk::contents(&objects));
        for hash in &contents {
            self.committed.entry(*hash).or_insert_with(|| format!("the repository at s{head}"));
        }
        if let Some(staging) = half_placed {
            contents.extend(disk::contents(&disk::walk(&staging, &[])));
        }
        for (hash, place) in &self.committed {
            if !contents.contains(hash) {
                return Err(format!("LOST: {} ({place}) is not in the repository", short(hash)));
            }
        }
        let state = manifest.into_iter().map(|(key, entry)| (key, identity(&entry))).collect();
        Ok(Seen { contents, state, head })
    }

    /// Numbers without gaps, documents that never change and name their parents.
    fn chain(&mut self) -> Result<u64, String> {
        let mut numbers = BTreeSet::new();
        for path in disk::walk(&self.control("snapshots"), &[]).keys() {
            let name = path.display().to_string();
            let number = name.strip_prefix('s').unwrap_or_default();
            match number.strip_suffix(".trees") {
                Some(_) => {}
                None => {
                    numbers.insert(number.parse::<u64>().map_err(|_| format!("CHAIN: {name}"))?);
                }
            }
        }
        let head = numbers.len() as u64;
        if !numbers.iter().copied().eq(1..=head) {
            return Err(format!("CHAIN: the numbers have a gap: {numbers:?}"));
        }
        for number in 1..=head {
            let at = number as usize - 1;
            let bytes = fs::read(self.control(&format!("snapshots/s{number}"))).expect("reads");
            if let Some(known) = self.documents.get(at) {
                if *known != bytes {
                    return Err(format!("CHAIN: the document of s{number} changed"));
                }
                continue;
            }
            let document: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
            let parent = self.documents.last().map(|before| chain_hash(before));
            let named = document["parent"].as_str().map(str::to_owned);
            if document["number"] != number || named != parent {
                return Err(format!("CHAIN: s{number} does not follow from the one before"));
            }
            self.documents.push(bytes);
            self.note_keys(number)?;
        }
        if (self.documents.len() as u64) > head {
            return Err(format!("CHAIN: it ended at s{}, now at s{head}", self.documents.len()));
        }
        Ok(head)
    }

    fn note_keys(&mut self, number: u64) -> Result<(), String> {
        let changes = self
            .open()?
            .differences(SnapshotNumber::new(number - 1), SnapshotNumber::new(number))
            .map_err(|error| format!("s{number} can't be read: {error}"))?;
        self.keys.extend(changes.iter().map(|change| change.path.to_string()));
        Ok(())
    }

    /// What a snapshot says is there.
    fn manifest(&self, number: u64) -> Result<Vec<(String, Entry)>, String> {
        let Some(number) = SnapshotNumber::new(number) else { return Ok(Vec::new()) };
        let changes = self
            .open()?
            .differences(None, Some(number))
            .map_err(|error| format!("{number} can't be read: {error}"))?;
        let entry = |change: dsg_core::tree::Change| Some((change.path.to_string(), change.new?));
        Ok(changes.into_iter().filter_map(entry).collect())
    }

    /// The staging area from which the newest snapshot is still to be put into place, if it is.
    fn half_placed(&self) -> Option<PathBuf> {
        let document: serde_json::Value =
            serde_json::from_slice(self.documents.last()?).expect("JSON");
        let transaction = document["transaction"].as_str().expect("a transaction");
        let staging = self.control("staging").join(transaction);
        let waits = staging.join("pack").exists() && !staging.join("document").exists();
        waits.then_some(staging)
    }

    /// What uploads, crashes and foreign files left behind.
    pub(crate) fn leftovers(&self) -> Vec<String> {
        let mut left: Vec<String> = Vec::new();
        for part in ["staging", "unfiled"] {
            let tree = disk::walk(&self.control(part), &[]);
            left.extend(tree.keys().map(|path| format!("{part}/{}", path.display())));
        }
        let objects = disk::walk(&self.control("objects"), &[]);
        let odd = objects.keys().filter(|path| path.as_os_str().len() != 64);
        left.extend(odd.map(|path| format!("objects/{}", path.display())));
        left
    }
}

fn chain_hash(document: &[u8]) -> String {
    let own = blake3::derive_key("dsg 2026-11 snapshot document", document);
    // Both ways must agree, or one of the two readings of the format is wrong.
    assert_eq!(&own, ChainHash::of(document).as_bytes());
    ChainHash::from_bytes(own).to_string()
}

fn identity(entry: &Entry) -> Identity {
    match entry {
        Entry::File(file) => Identity::File(*file.hash.as_bytes(), file.executable),
        Entry::Link(link) => Identity::Link(link.target.to_string()),
    }
}

/// Compares the visible tree with what the newest snapshot says.
fn compare(visible: &Tree, manifest: &[(String, Entry)]) -> Result<(), String> {
    hidden(visible)?;
    let files = visible.values().filter(|node| !node.is_directory()).count();
    for (key, entry) in manifest {
        let Some(node) = visible.get(Path::new(key)) else {
            return Err(format!("VISIBLE: {key} is missing"));
        };
        let is_right = match (entry, &node.what) {
            (Entry::File(file), What::File { hash, .. }) => {
                let mode = if file.executable { 0o700 } else { 0o600 };
                if node.mode != mode {
                    return Err(format!("VISIBLE: {key} has the mode {:o}", node.mode));
                }
                let modified = i128::from(file.modified.0);
                if node.modified != modified || node.size != file.size {
                    return Err(format!("VISIBLE: {key} has another time or size than s*"));
                }
                hash == file.hash.as_bytes()
            }
            (Entry::Link(link), What::Link(text)) => text.as_os_str() == &*link.target,
            _ => false,
        };
        if !is_right {
            return Err(format!("VISIBLE: {key} is {node:?}, expected {entry:?}"));
        }
    }
    if files == manifest.len() {
        return Ok(());
    }
    let known: HashSet<&str> = manifest.iter().map(|(key, _)| key.as_str()).collect();
    let extra = visible.iter().filter(|(path, node)| {
        !node.is_directory() && !path.to_str().is_some_and(|path| known.contains(path))
    });
    let extra: Vec<_> = extra.map(|(path, _)| path.display().to_string()).collect();
    Err(format!("VISIBLE: no snapshot has {extra:?}"))
}

/// Hidden names never get into a repository.
fn hidden(visible: &Tree) -> Result<(), String> {
    let is_hidden = |path: &&PathBuf| !names::key_of(path).is_some_and(|key| names::entered(&key));
    match visible.keys().find(is_hidden) {
        Some(path) => Err(format!("HIDDEN: {} is in the repository", path.display())),
        None => Ok(()),
    }
}
