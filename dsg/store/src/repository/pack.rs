//! Packs: the tree objects that one snapshot introduced, in one file.
//!
//! A file per object would cost a sync each; a pack costs one for all. An object is found without
//! any search or index: whoever refers to it keeps beside the hash its *place*, the number of the
//! pack and the offset in it. Places are not part of what is hashed, so hashes stay independent of
//! history. Byte by byte: `docs/format.md`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use dsg_core::hash::TreeHash;
use dsg_core::snapshot::SnapshotNumber;
use dsg_core::tree::{Address, Object, Place, Root, Sink, Source};

use super::steps::CommitStep;
use crate::error::{Code, Error, Result};
use crate::system::{Directory, Reader, present};

const MAGIC: &[u8; 8] = b"DSGPACK1";
/// Footer: root hash, root place, entries, start and length of the steps, hash of all before.
const FOOTER_BYTES: usize = 32 + 8 + 8 + 8 + 8 + 32;
/// Offsets take the lower 40 bits of a place: packs up to a terabyte, 16 million of them.
const OFFSET_BITS: u32 = 40;
/// The largest object that is read: a leaf of ~4,000 names of 255 bytes and links of 4 KiB is less.
const OBJECT_BYTES_MAX: u32 = 64 << 20;
const PACKS_OPEN_MAX: usize = 64;
const STEPS_BYTES_MAX: u64 = 1 << 32;

/// The name of a snapshot's pack.
pub(super) fn pack_name(number: SnapshotNumber) -> String {
    format!("{number}.trees")
}

fn place(number: u64, offset: usize) -> Place {
    Place((number << OFFSET_BITS) | offset as u64)
}

fn damaged(what: impl Into<String>) -> Error {
    Error::new(Code::TreeDamaged, what)
        .next("run `dsg validate-chain` to see what is affected; restore the file from a backup")
}

/// Builds a pack in memory; it is written in one go.
pub(super) struct PackBuilder {
    number: SnapshotNumber,
    bytes: Vec<u8>,
    known: HashMap<TreeHash, Place>,
}

impl PackBuilder {
    pub(super) fn new(number: SnapshotNumber) -> Self {
        Self { number, bytes: MAGIC.to_vec(), known: HashMap::new() }
    }

    /// The finished bytes of the pack.
    pub(super) fn finish(mut self, root: Option<&Root>, steps: &[CommitStep]) -> Result<Vec<u8>> {
        let start = self.bytes.len() as u64;
        for step in steps {
            serde_json::to_writer(&mut self.bytes, step).map_err(|e| {
                Error::new(Code::Disk, "could not write the steps of a commit").because(e)
            })?;
            self.bytes.push(b'\n');
        }
        let length = self.bytes.len() as u64 - start;
        let none = Address { hash: TreeHash::from_bytes([0; 32]), place: Place(0) };
        let (address, entries) = root.map_or((&none, 0), |root| (&root.address, root.entries));
        self.bytes.extend_from_slice(address.hash.as_bytes());
        for number in [address.place.0, entries, start, length] {
            self.bytes.extend_from_slice(&number.to_le_bytes());
        }
        let hash = blake3::hash(&self.bytes);
        self.bytes.extend_from_slice(hash.as_bytes());
        Ok(self.bytes)
    }
}

impl Sink for PackBuilder {
    type Error = Error;

    fn store(&mut self, hash: TreeHash, object: &Object) -> Result<Place> {
        if let Some(place) = self.known.get(&hash) {
            return Ok(*place);
        }
        let place = place(self.number.get(), self.bytes.len());
        let count = |n: usize| u32::try_from(n).map_err(|_| damaged("a tree object is too large"));
        self.bytes.extend_from_slice(&count(object.bytes.len())?.to_le_bytes());
        self.bytes.extend_from_slice(&count(object.places.len())?.to_le_bytes());
        self.bytes.extend_from_slice(&object.bytes);
        for child in &object.places {
            self.bytes.extend_from_slice(&child.0.to_le_bytes());
        }
        self.known.insert(hash, place);
        Ok(place)
    }
}

/// What the end of a pack says.
pub(super) struct Footer {
    pub(super) root: Option<Root>,
    steps_start: u64,
    steps_length: u64,
}

/// A pack that is being read.
pub(super) struct Pack {
    reader: Reader,
    size: u64,
}

impl Pack {
    pub(super) fn open(directory: &Directory, name: &str) -> Result<Option<Self>> {
        let Some(reader) = present(directory.open_file(name))? else { return Ok(None) };
        let size = reader.status()?.size;
        if size < (MAGIC.len() + FOOTER_BYTES) as u64 {
            return Err(damaged(format!("{} is cut off", reader.path().display())));
        }
        Ok(Some(Self { reader, size }))
    }

    fn name(&self) -> String {
        self.reader.path().display().to_string()
    }

    fn exactly(&self, offset: u64, length: usize) -> Result<Vec<u8>> {
        let end = offset.checked_add(length as u64);
        if end.is_none_or(|end| end > self.size) {
            return Err(damaged(format!(
                "{} does not reach to a part that is needed",
                self.name()
            )));
        }
        let mut bytes = vec![0; length];
        if self.reader.read_at(&mut bytes, offset)? == length {
            Ok(bytes)
        } else {
            Err(damaged(format!("{} is cut off", self.name())))
        }
    }

    pub(super) fn footer(&self) -> Result<Footer> {
        let bytes = self.exactly(self.size - FOOTER_BYTES as u64, FOOTER_BYTES)?;
        let number = |at: usize| {
            let mut number = [0; 8];
            number.copy_from_slice(&bytes[at..at + 8]);
            u64::from_le_bytes(number)
        };
        let mut hash = [0; 32];
        hash.copy_from_slice(&bytes[..32]);
        let root = (hash != [0; 32]).then(|| Root {
            address: Address { hash: TreeHash::from_bytes(hash), place: Place(number(32)) },
            entries: number(40),
        });
        Ok(Footer { root, steps_start: number(48), steps_length: number(56) })
    }

    /// The steps of the commit that this pack belongs to.
    pub(super) fn steps(&self) -> Result<Vec<CommitStep>> {
        let footer = self.footer()?;
        if footer.steps_length > STEPS_BYTES_MAX {
            return Err(damaged(format!("{} holds too many steps", self.name())));
        }
        let length = usize::try_from(footer.steps_length).unwrap_or(usize::MAX);
        let bytes = self.exactly(footer.steps_start, length)?;
        serde_json::Deserializer::from_slice(&bytes)
            .into_iter()
            .collect::<std::result::Result<_, _>>()
            .map_err(|e| damaged(format!("the steps in {} can't be read", self.name())).because(e))
    }

    /// Whether the whole file is as it was written.
    pub(super) fn is_whole(&self) -> Result<bool> {
        let body = self.size - 32;
        let mut hasher = blake3::Hasher::new();
        let mut offset = 0;
        while offset < body {
            let length = usize::try_from((body - offset).min(1 << 20)).unwrap_or(1 << 20);
            hasher.update(&self.exactly(offset, length)?);
            offset += length as u64;
        }
        Ok(self.exactly(0, MAGIC.len())? == MAGIC
            && self.exactly(body, 32)? == hasher.finalize().as_bytes())
    }

    fn object(&self, offset: u64) -> Result<Object> {
        // Most objects fit into the first read.
        let most = usize::try_from((self.size - offset.min(self.size)).min(8192)).unwrap_or(8192);
        let start = self.exactly(offset, most)?;
        if start.len() < 8 {
            return Err(damaged(format!("{} is cut off", self.name())));
        }
        let number = |at: usize| {
            u32::from_le_bytes([start[at], start[at + 1], start[at + 2], start[at + 3]])
        };
        let (length, count) = (number(0), number(4));
        if length > OBJECT_BYTES_MAX || count > OBJECT_BYTES_MAX / 8 {
            return Err(damaged(format!("{} holds an object of absurd size", self.name())));
        }
        let (length, count) = (length as usize, count as usize);
        let total = 8 + length + count * 8;
        let whole = if total <= start.len() { start } else { self.exactly(offset, total)? };
        let places = whole[8 + length..total]
            .chunks_exact(8)
            .map(|place| {
                let mut number = [0; 8];
                number.copy_from_slice(place);
                Place(u64::from_le_bytes(number))
            })
            .collect();
        Ok(Object { bytes: whole[8..8 + length].to_vec(), places })
    }
}

/// All packs of a repository, opened as they are needed.
pub(super) struct Packs {
    snapshots: Directory,
    open: Mutex<HashMap<u64, Arc<Pack>>>,
}

impl Packs {
    pub(super) fn new(snapshots: Directory) -> Self {
        Self { snapshots, open: Mutex::new(HashMap::new()) }
    }

    /// The pack of a snapshot.
    pub(super) fn pack(&self, number: u64) -> Result<Arc<Pack>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pack) = open.get(&number) {
            return Ok(Arc::clone(pack));
        }
        let missing = || damaged(format!("the manifest of s{number} is missing"));
        let name = pack_name(SnapshotNumber::new(number).ok_or_else(missing)?);
        let pack = Arc::new(Pack::open(&self.snapshots, &name)?.ok_or_else(missing)?);
        if open.len() >= PACKS_OPEN_MAX {
            open.clear();
        }
        open.insert(number, Arc::clone(&pack));
        Ok(pack)
    }

    /// The top of a snapshot's manifest.
    pub(super) fn root(&self, number: SnapshotNumber) -> Result<Option<Root>> {
        Ok(self.pack(number.get())?.footer()?.root)
    }
}

impl Source for Packs {
    type Error = Error;

    fn object(&self, address: &Address) -> Result<Object> {
        let offset = address.place.0 & ((1 << OFFSET_BITS) - 1);
        self.pack(address.place.0 >> OFFSET_BITS)?.object(offset)
    }
}

/// The packs, and one that is still being built.
pub(super) struct PacksAnd<'a> {
    pub(super) packs: &'a Packs,
    pub(super) builder: &'a PackBuilder,
}

impl Source for PacksAnd<'_> {
    type Error = Error;

    fn object(&self, address: &Address) -> Result<Object> {
        if address.place.0 >> OFFSET_BITS != self.builder.number.get() {
            return self.packs.object(address);
        }
        let cut = || damaged("a tree object of this commit is not where it was put");
        let offset =
            usize::try_from(address.place.0 & ((1 << OFFSET_BITS) - 1)).map_err(|_| cut())?;
        let bytes = self.builder.bytes.get(offset..).ok_or_else(cut)?;
        let (head, rest) = bytes.split_at_checked(8).ok_or_else(cut)?;
        let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let count = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        let (object, rest) = rest.split_at_checked(length).ok_or_else(cut)?;
        let places = rest.get(..count * 8).ok_or_else(cut)?;
        let places = places.chunks_exact(8).map(|place| {
            let mut number = [0; 8];
            number.copy_from_slice(place);
            Place(u64::from_le_bytes(number))
        });
        Ok(Object { bytes: object.to_vec(), places: places.collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dsg_core::entry::{Entry, LinkEntry};
    use dsg_core::path::RepoPath;
    use dsg_core::tree;
    use proptest::prelude::*;

    fn pack() -> (Vec<u8>, Root) {
        let mut builder = PackBuilder::new(SnapshotNumber::FIRST);
        let edits: Vec<_> = ["input/a", "input/deep/b"]
            .iter()
            .map(|path| {
                let entry = Entry::Link(LinkEntry { target: "x".into(), author: "a@b".into() });
                (RepoPath::parse(path).expect("a path"), Some(entry))
            })
            .collect();
        let nothing = tree::memory::MemoryStore::new();
        let root =
            tree::edit(&nothing, None, &edits, &mut builder).expect("an edit").expect("a root");
        let step = CommitStep::RemoveDirectory { path: "old".to_owned(), makes_room: false };
        (builder.finish(Some(&root), &[step]).expect("a pack"), root)
    }

    /// Everything that can be asked of a pack of these bytes; the answers don't matter.
    fn ask(bytes: &[u8]) -> Option<bool> {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("s1.trees"), bytes).expect("writes");
        let directory = Directory::open(folder.path()).expect("opens");
        let packs = Packs::new(directory.again().expect("opens"));
        let pack = Pack::open(&directory, "s1.trees").ok()??;
        let root = pack.footer().ok().and_then(|footer| footer.root);
        let _ = pack.steps();
        let _ = tree::walk(&packs, root.as_ref(), "", &mut |_, _| {
            std::ops::ControlFlow::<()>::Continue(())
        });
        pack.is_whole().ok()
    }

    #[test]
    fn a_pack_gives_back_what_was_put_and_one_changed_byte_is_found() {
        let (bytes, root) = pack();
        assert_eq!(ask(&bytes), Some(true));
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("s1.trees"), &bytes).expect("writes");
        let packs = Packs::new(Directory::open(folder.path()).expect("opens"));
        assert_eq!(packs.root(SnapshotNumber::FIRST).expect("reads"), Some(root));
        let path = RepoPath::parse("input/deep/b").expect("a path");
        assert!(tree::lookup(&packs, Some(&root), &path).expect("reads").is_some());
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_ne!(ask(&changed), Some(true), "byte {at}");
        }
        for cut in 0..bytes.len() {
            assert_ne!(ask(&bytes[..cut]), Some(true), "cut at {cut}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), at in 0usize..300) {
            prop_assert_ne!(ask(&bytes), Some(true));
            let (mut whole, _) = pack();
            let end = (at + bytes.len()).min(whole.len());
            if at < end {
                whole[at..end].copy_from_slice(&bytes[..end - at]);
                ask(&whole);
            }
        }
    }
}
