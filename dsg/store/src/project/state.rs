//! `.dsg/state`: what this project last agreed with its repository (C), and its tree objects.
//!
//! One file that only grows: objects are appended, then one of two header slots is written, then
//! one sync makes both durable. A slot names the bytes it needs and their hash, so a slot that a
//! power cut left without its bytes is not believed, and the other one still holds the state before.
//! That one counts only while the journal says that a sync was cut off, which is then finished: else
//! what was agreed was durable once and is damaged now, and an older C would take what people did since
//! for what others have yet to learn. Losing the whole file loses no data: without C, equal files join
//! and different ones conflict.

use dsg_core::hash::{ChainHash, TreeHash};
use dsg_core::snapshot::{RepositoryId, SnapshotNumber};
use dsg_core::tree::{self, Address, Place, Root};
use serde::{Deserialize, Serialize};

use super::Journal;
use super::trees::{self, Trees};
use crate::error::{Code, Error, Result};
use crate::system::{Directory, Reader, Writer, present};

const FILE: &str = "state";
const FILE_NEW: &str = "state.new";
const MAGIC: &[u8; 8] = b"DSGSTAT1";
const SLOT_BYTES: u64 = 2048;
const HEADER_BYTES: u64 = 2 * SLOT_BYTES;
/// The largest object list that is read: some 100 million entries.
const FILE_BYTES_MAX: u64 = 8 << 30;
/// The file is written anew when it has grown by this much and to twice its size.
const COMPACT_BYTES: u64 = 4 << 20;

/// What the project remembers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The repository that C belongs to.
    pub repository: RepositoryId,
    /// The newest snapshot that was seen there.
    pub seen: Option<(SnapshotNumber, ChainHash)>,
    /// The top of that snapshot's manifest. Its objects are kept too, so that the repository only
    /// has to send what is new since.
    pub remote: Option<CachedRoot>,
    /// The top of C; `None` when nothing is agreed.
    pub cached: Option<CachedRoot>,
}

/// The top of a manifest whose objects are in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CachedRoot {
    /// Hash of its top object.
    pub hash: TreeHash,
    /// Files and links in it.
    pub entries: u64,
}

impl CachedRoot {
    /// As the tree functions take it. Objects are found by hash here, so the place says nothing.
    #[must_use]
    pub fn root(&self) -> Root {
        Root {
            address: Address { hash: self.hash, place: Place::default() },
            entries: self.entries,
        }
    }
}

impl From<Root> for CachedRoot {
    fn from(root: Root) -> Self {
        Self { hash: root.address.hash, entries: root.entries }
    }
}

/// A header slot.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Slot {
    sequence: u64,
    /// Where the objects end.
    length: u64,
    /// The objects that came with this slot begin here.
    appended: u64,
    appended_hash: TreeHash,
    /// The length after the last compaction.
    compacted: u64,
    state: State,
}

/// The file, open.
#[derive(Debug)]
pub struct StateFile {
    slot: Slot,
    /// The slot before, for the case that the newest one's bytes did not survive.
    older: Option<Slot>,
}

fn damaged(why: impl std::fmt::Display) -> Error {
    Error::new(Code::ProjectDamaged, "the project's note of what was last agreed can't be read")
        .because(why)
        .next("run `dsg sync --reattach`: files that are equal join, different ones are asked about, nothing is deleted")
}

impl StateFile {
    /// Reads the header; `None` when the project was never attached to a repository.
    ///
    /// # Errors
    /// When there is a file and no slot of it is whole, or one is damaged and nothing was cut off.
    pub fn open(dsg: &Directory) -> Result<Option<Self>> {
        let Some(reader) = present(dsg.open_file(FILE))? else { return Ok(None) };
        let mut slots: Vec<Slot> = Vec::new();
        let mut is_damaged = false;
        for number in 0..2 {
            match read_slot(&reader, number)? {
                SlotRead::Whole(slot) => slots.push(*slot),
                SlotRead::Damaged => is_damaged = true,
                SlotRead::Blank => {}
            }
        }
        slots.sort_by_key(|slot| slot.sequence);
        let Some(slot) = slots.pop() else {
            return Err(damaged("neither of its two headers is whole"));
        };
        if is_damaged && !Journal::is_in_flight(dsg)? {
            return Err(damaged("one of its two headers is damaged"));
        }
        Ok(Some(Self { slot, older: slots.pop() }))
    }

    /// Makes the file of a project that has agreed on nothing yet.
    ///
    /// # Errors
    /// When the disk says no.
    pub fn create(dsg: &Directory, state: State) -> Result<Self> {
        write_whole(dsg, state, &Trees::default(), 1)
    }

    /// What the project remembers.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.slot.state
    }

    /// Reads the objects of C. If the newest slot's bytes are not whole because a sync was cut off, the
    /// older state is taken, and that sync is finished.
    ///
    /// # Errors
    /// When they are not whole and nothing was cut off, or the older state's are not whole either.
    pub fn objects(&mut self, dsg: &Directory) -> Result<Trees> {
        let mut reader = dsg.open_file(FILE)?;
        let bytes = reader.read_to_end(FILE_BYTES_MAX)?;
        let whole = |slot: &Slot| -> bool {
            let range = usize::try_from(slot.appended).ok().zip(usize::try_from(slot.length).ok());
            // Where nothing was appended the file may end within its header.
            range
                .and_then(
                    |(start, end)| if start == end { Some(&[][..]) } else { bytes.get(start..end) },
                )
                .is_some_and(|appended| TreeHash::of(appended) == slot.appended_hash)
        };
        if !whole(&self.slot) {
            match self.older.take().filter(whole) {
                Some(older) if Journal::is_in_flight(dsg)? => self.slot = older,
                _ => return Err(damaged("its objects are not whole")),
            }
        }
        let mut bytes = bytes;
        bytes.truncate(usize::try_from(self.slot.length).unwrap_or(usize::MAX));
        let start = usize::try_from(HEADER_BYTES).unwrap_or(usize::MAX);
        Trees::parse(bytes, start).ok_or_else(|| damaged("an object is cut off"))
    }

    /// Remembers a new state, durable when this returns. `store` holds the objects of it.
    ///
    /// # Errors
    /// When the disk says no; the old state then stands.
    pub fn save(&mut self, dsg: &Directory, state: State, store: &Trees) -> Result<()> {
        self.fall_back_if_torn(dsg)?;
        let grown = self.slot.length.saturating_sub(self.slot.compacted);
        if grown > COMPACT_BYTES && grown > self.slot.compacted {
            let sequence = self.slot.sequence + 1;
            // Whoever changes nothing may not have read the objects.
            *self = match store.is_empty() {
                true => write_whole(dsg, state, &self.objects(dsg)?, sequence)?,
                false => write_whole(dsg, state, store, sequence)?,
            };
            return Ok(());
        }
        let file = dsg.open_in_place(FILE, 0o600)?;
        let mut appended = Vec::new();
        for (new, old) in roots(&state).into_iter().zip(roots(&self.slot.state)) {
            collect(store, new.as_ref(), old.as_ref(), &mut appended)?;
        }
        file.write_all_at(&appended, self.slot.length)?;
        // Without a journal nobody could tell a slot whose bytes a power cut took from a damaged one.
        if !appended.is_empty() && !Journal::is_in_flight(dsg)? {
            file.sync()?;
        }
        let slot = Slot {
            sequence: self.slot.sequence + 1,
            length: self.slot.length + appended.len() as u64,
            appended: self.slot.length,
            appended_hash: TreeHash::of(&appended),
            compacted: self.slot.compacted,
            state,
        };
        write_slot(&file, &slot)?;
        file.sync()?;
        self.older = Some(std::mem::replace(&mut self.slot, slot));
        Ok(())
    }
}

impl StateFile {
    /// What is saved builds on what the file holds: not on a slot without its bytes.
    fn fall_back_if_torn(&mut self, dsg: &Directory) -> Result<()> {
        let reader = dsg.open_file(FILE)?;
        let whole = |slot: &Slot| -> Result<bool> {
            let length = slot.length.saturating_sub(slot.appended);
            let end = slot.appended.saturating_add(length);
            if length > 0 && reader.status()?.size < end {
                return Ok(false);
            }
            let mut appended = vec![0; usize::try_from(length).unwrap_or(0)];
            let read = reader.read_at(&mut appended, slot.appended)?;
            Ok(TreeHash::of(&appended[..read]) == slot.appended_hash)
        };
        if whole(&self.slot)? {
            return Ok(());
        }
        match self.older.take() {
            Some(older) if whole(&older)? && Journal::is_in_flight(dsg)? => {
                self.slot = older;
                Ok(())
            }
            _ => Err(damaged("its objects are not whole")),
        }
    }
}

/// The tops of what the file must hold: C, and the last seen state of the repository. They are mostly
/// one; where they are, nothing is written twice.
fn roots(state: &State) -> [Option<Root>; 2] {
    let remote = if state.remote == state.cached { None } else { state.remote };
    [state.cached.map(|cached| cached.root()), remote.map(|remote| remote.root())]
}

/// Appends the objects of `new` that are not at the same position in `old`.
fn collect(store: &Trees, new: Option<&Root>, old: Option<&Root>, out: &mut Vec<u8>) -> Result<()> {
    // Whoever changes nothing may not have read the objects.
    if new.is_none() || new.map(|root| root.address.hash) == old.map(|root| root.address.hash) {
        return Ok(());
    }
    let flow = tree::objects(store, new, old, &mut |address, object| match trees::put(
        out,
        &address.hash,
        &object.bytes,
    ) {
        true => std::ops::ControlFlow::Continue(()),
        false => std::ops::ControlFlow::Break(()),
    })
    .map_err(damaged)?;
    match flow {
        std::ops::ControlFlow::Continue(()) => Ok(()),
        std::ops::ControlFlow::Break(()) => Err(damaged("an object is too large")),
    }
}

fn write_whole(dsg: &Directory, state: State, store: &Trees, sequence: u64) -> Result<StateFile> {
    let mut appended = Vec::new();
    let [cached, remote] = roots(&state);
    collect(store, cached.as_ref(), None, &mut appended)?;
    collect(store, remote.as_ref(), cached.as_ref(), &mut appended)?;
    let length = HEADER_BYTES + appended.len() as u64;
    let slot = Slot {
        sequence,
        length,
        appended: HEADER_BYTES,
        appended_hash: TreeHash::of(&appended),
        compacted: length,
        state,
    };
    dsg.remove_file_if_there(FILE_NEW)?;
    let file = dsg.create_file(FILE_NEW, 0o600)?;
    file.write_all_at(&appended, HEADER_BYTES)?;
    write_slot(&file, &slot)?;
    file.sync()?;
    dsg.rename(FILE_NEW, dsg, FILE)?;
    dsg.sync()?;
    Ok(StateFile { slot, older: None })
}

/// A slot: magic, length of the text, its hash, the text.
fn write_slot(file: &Writer, slot: &Slot) -> Result<()> {
    let text = serde_json::to_vec(slot).map_err(damaged)?;
    let mut bytes = Vec::with_capacity(2048);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
    bytes.extend_from_slice(blake3::hash(&text).as_bytes());
    bytes.extend_from_slice(&text);
    if bytes.len() as u64 > SLOT_BYTES {
        return Err(damaged("it does not fit into its header"));
    }
    Ok(file.write_all_at(&bytes, slot.sequence % 2 * SLOT_BYTES)?)
}

/// What stands where a slot may be.
enum SlotRead {
    Whole(Box<Slot>),
    /// Nothing was ever written there.
    Blank,
    Damaged,
}

fn read_slot(reader: &Reader, number: u64) -> Result<SlotRead> {
    let mut bytes = [0; 2048];
    let read = reader.read_at(&mut bytes, number * SLOT_BYTES)?;
    let bytes = &bytes[..read];
    if bytes.iter().all(|byte| *byte == 0) {
        return Ok(SlotRead::Blank);
    }
    Ok(parse_slot(bytes).map_or(SlotRead::Damaged, |slot| SlotRead::Whole(Box::new(slot))))
}

fn parse_slot(bytes: &[u8]) -> Option<Slot> {
    let (head, rest) = bytes.split_at_checked(48)?;
    let length = u64::from_le_bytes(head[8..16].try_into().ok()?);
    let text = rest.get(..usize::try_from(length).ok()?)?;
    if &head[..8] != MAGIC || blake3::hash(text).as_bytes() != &head[16..48] {
        return None;
    }
    serde_json::from_slice(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use dsg_core::entry::{Entry, LinkEntry};
    use dsg_core::path::RepoPath;

    fn state(cached: Option<Root>) -> State {
        State {
            repository: RepositoryId::from_bytes([3; 16]),
            seen: None,
            remote: None,
            cached: cached.map(CachedRoot::from),
        }
    }

    fn grow(store: &mut Trees, root: Option<&Root>, name: &str) -> Option<Root> {
        let entry = Entry::Link(LinkEntry { target: "x".into(), author: "a@b".into() });
        let path = RepoPath::parse(name).expect("a path");
        let mut new = dsg_core::tree::memory::MemoryStore::new();
        let root = tree::edit(store, root, &[(path, Some(entry))], &mut new).expect("an edit");
        store.extend(new);
        root
    }

    #[test]
    fn a_state_survives_and_a_torn_one_falls_back_to_the_one_before() {
        let folder = tempfile::tempdir().expect("a folder");
        let dsg = Directory::open(folder.path()).expect("opens");
        let mut file = StateFile::create(&dsg, state(None)).expect("creates");
        let mut store = Trees::default();
        let first = grow(&mut store, None, "input/a");
        file.save(&dsg, state(first), &store).expect("saves");
        let second = grow(&mut store, first.as_ref(), "input/b");
        file.save(&dsg, state(second), &store).expect("saves");

        let mut again = StateFile::open(&dsg).expect("opens").expect("is there");
        assert_eq!(again.state(), &state(second));
        let objects = again.objects(&dsg).expect("objects");
        let mut names = Vec::new();
        let _ = tree::walk(&objects, second.as_ref(), "", &mut |path, _| {
            names.push(path.to_string());
            std::ops::ControlFlow::<()>::Continue(())
        });
        assert_eq!(names, ["input/a", "input/b"]);

        // The bytes that the newest slot needs are gone, as after a power cut.
        let path = folder.path().join(FILE);
        let length = again.slot.appended;
        std::fs::OpenOptions::new()
            .write(true)
            .open(&path)
            .expect("opens")
            .set_len(length)
            .expect("cuts");
        // Without a journal that says that a sync was cut off, it was whole once and is damaged.
        let mut rotten = StateFile::open(&dsg).expect("opens").expect("is there");
        let refused = rotten.objects(&dsg).expect_err("is damaged");
        assert_eq!(refused.code, Code::ProjectDamaged);
        let refused = rotten.save(&dsg, state(first), &store).expect_err("is damaged");
        assert_eq!(refused.code, Code::ProjectDamaged);
        Journal::default().write(&dsg).expect("writes");
        let mut torn = StateFile::open(&dsg).expect("opens").expect("is there");
        torn.objects(&dsg).expect("the older state's objects");
        assert_eq!(torn.state(), &state(first));

        // What is saved then does not build on the bytes that are gone.
        let mut torn = StateFile::open(&dsg).expect("opens").expect("is there");
        let third = grow(&mut store, second.as_ref(), "input/c");
        torn.save(&dsg, state(third), &store).expect("saves");
        let mut again = StateFile::open(&dsg).expect("opens").expect("is there");
        let objects = again.objects(&dsg).expect("objects");
        assert_eq!(again.state(), &state(third));
        for name in ["input/a", "input/b", "input/c"] {
            let path = RepoPath::parse(name).expect("a path");
            assert!(tree::lookup(&objects, third.as_ref(), &path).expect("reads").is_some());
        }
    }

    #[test]
    fn who_read_no_objects_can_note_that_the_repository_is_as_agreed_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let dsg = Directory::open(folder.path()).expect("opens");
        let mut file = StateFile::create(&dsg, state(None)).expect("creates");
        let mut store = Trees::default();
        let agreed = grow(&mut store, None, "input/a");
        let ahead = grow(&mut store, agreed.as_ref(), "input/b").map(CachedRoot::from);
        let differing = State { remote: ahead, ..state(agreed) };
        file.save(&dsg, differing, &store).expect("saves");
        let equal = State { remote: agreed.map(CachedRoot::from), ..state(agreed) };
        file.save(&dsg, equal.clone(), &Trees::default()).expect("saves");
        let mut again = StateFile::open(&dsg).expect("opens").expect("is there");
        assert_eq!(again.state(), &equal);
        let objects = again.objects(&dsg).expect("objects");
        let path = RepoPath::parse("input/a").expect("a path");
        assert!(tree::lookup(&objects, agreed.as_ref(), &path).expect("reads").is_some());
    }

    #[test]
    fn a_damaged_header_is_not_taken_for_one_that_was_never_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let dsg = Directory::open(folder.path()).expect("opens");
        let mut file = StateFile::create(&dsg, state(None)).expect("creates");
        let mut store = Trees::default();
        let agreed = grow(&mut store, None, "input/a");
        file.save(&dsg, state(agreed), &store).expect("saves");
        let path = folder.path().join(FILE);
        let whole = std::fs::read(&path).expect("reads");
        for at in [0, 10, 20, 60, 2048, 2058, 2070, 2110] {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            std::fs::write(&path, changed).expect("writes");
            let refused = StateFile::open(&dsg).expect_err("is damaged");
            assert_eq!(refused.code, Code::ProjectDamaged, "byte {at}");
        }
        // A sync that was cut off while it wrote one is finished with the other.
        Journal::default().write(&dsg).expect("writes");
        assert!(StateFile::open(&dsg).expect("opens").is_some());
    }

    #[test]
    fn any_damage_of_the_headers_is_an_error_and_never_an_empty_state() {
        let folder = tempfile::tempdir().expect("a folder");
        let dsg = Directory::open(folder.path()).expect("opens");
        assert!(StateFile::open(&dsg).expect("reads").is_none());
        StateFile::create(&dsg, state(None)).expect("creates");
        let path = folder.path().join(FILE);
        for bytes in [vec![], vec![0; 100], vec![0xff; 5000]] {
            std::fs::write(&path, bytes).expect("writes");
            assert_eq!(StateFile::open(&dsg).expect_err("is damaged").code, Code::ProjectDamaged);
        }
    }
}
