//! A repository: the requests that a project makes, and the backend that answers them on this
//! machine.
//!
//! The requests are shaped like messages (values in, values out, contents as streams), so that the
//! same trait can be answered across a connection. Whoever answers judges for itself: it checks the
//! head and the old entries, builds tree objects and snapshot document, and sets author and time.

mod abandoned;
mod commit;
mod content;
mod create;
mod inspect;
mod layout;
mod left_over;
mod names;
mod pack;
mod prepare;
mod questions;
mod read;
mod recover;
mod refusals;
mod settle_foreign;
mod stage;
mod steps;
mod storage;
mod verify;

pub use content::{Has, Patches, Piece, Receiver, Source, Target};
pub use create::{Access, Created, Description, create};
pub use inspect::{AccessReport, Paths, Unfiled, UnfinishedUpload, VisibleReport};
pub use layout::{LEGACY_DIRECTORY, LocalRepository, REPOSITORY_DIRECTORY};
pub use settle_foreign::{Adopted, Adoption, Restored, SetAside, Spare};
pub(crate) use storage::newest_below;
pub use storage::{Generations, Plan, Storage, StorageReport, create_planned, plan};
pub use verify::{Damage, VerifyReport, VerifyScope};

use dsg_core::entry::{Entry, Identity, Moment};
use dsg_core::hash::{ChainHash, ContentHash, TreeHash};
use dsg_core::path::RepoPath;
use dsg_core::snapshot::{SnapshotNumber, TransactionId};
use dsg_core::tree::Change;
use rayon::prelude::*;

use crate::error::Result;
use crate::monitor::{Monitor, check_stop};
use crate::system::Reader;

/// The newest snapshot of a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its number.
    pub number: SnapshotNumber,
    /// The hash of its document.
    pub chain: ChainHash,
    /// The top of its manifest; `None` when it holds no path.
    pub root: Option<TreeHash>,
    /// Files and links in it.
    pub entries: u64,
}

/// A tree object on its way to a project.
#[derive(Clone, Debug)]
pub struct TreeObject {
    /// Its hash.
    pub hash: TreeHash,
    /// Its canonical bytes.
    pub bytes: Vec<u8>,
}

/// What a client wants a path to become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewEntry {
    /// A file with this content, which was put before or is known to the repository.
    File {
        /// The content.
        hash: ContentHash,
        /// Its length in bytes.
        size: u64,
        /// Whether it may be executed.
        executable: bool,
        /// When it was last changed, for information.
        modified: Moment,
    },
    /// A link with this text.
    Link {
        /// The text.
        target: Box<str>,
    },
}

impl NewEntry {
    /// What decides equality.
    #[must_use]
    pub fn identity(&self) -> Identity {
        match self {
            Self::File { hash, executable, .. } => {
                Identity::File { hash: *hash, executable: *executable }
            }
            Self::Link { target } => Identity::Link { target: target.clone() },
        }
    }
}

/// One path of a commit: what it was planned against and what it is to become.
#[derive(Clone, Debug)]
pub struct PathChange {
    /// The path.
    pub path: RepoPath,
    /// What the repository is believed to have.
    pub old: Option<Identity>,
    /// What it is to have.
    pub new: Option<NewEntry>,
}

/// A request to commit.
#[derive(Clone, Debug)]
pub struct CommitRequest {
    /// The head that the plan was made against; `None` for the first snapshot.
    pub expected: Option<(SnapshotNumber, ChainHash)>,
    /// The paths, sorted and each once.
    pub changes: Vec<PathChange>,
    /// What the user says about it.
    pub message: String,
    /// Data directories and ignore rules at the time.
    pub configuration: serde_json::Map<String, serde_json::Value>,
}

/// The answer to a request to commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitAnswer {
    /// It is the new head, and survives a power cut.
    Committed(Head),
    /// Somebody was faster: plan again. Nothing was changed.
    Moved,
}

/// What became of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// It is this snapshot.
    Committed(SnapshotNumber),
    /// It is not, and never will be.
    Aborted,
}

/// A content that a client asks for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Its hash.
    pub hash: ContentHash,
    /// Its length in bytes.
    pub size: u64,
    /// A path that has it in the head, if one does: where to look first.
    pub path: &'a RepoPath,
}

/// A file on its way to the repository.
#[derive(Clone, Copy, Debug)]
pub struct Put<'a> {
    /// The path that it is for.
    pub path: &'a RepoPath,
    /// Whether it may be executed.
    pub executable: bool,
    /// When it was last changed.
    pub modified: Moment,
    /// The content that this path has in the head, hash and length: much of it may be the same.
    pub base: Option<(ContentHash, u64)>,
}

/// Something that an earlier, unfinished upload brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOver {
    /// Stands for the path: see [`path_mark`].
    pub mark: [u8; 16],
    /// Bytes that are there.
    pub size: u64,
    /// Their hash.
    pub hash: ContentHash,
}

/// What stands for a path where its text can't be kept: the first half of its BLAKE3 hash.
#[must_use]
pub fn path_mark(path: &RepoPath) -> [u8; 16] {
    let hash = blake3::hash(path.as_str().as_bytes());
    std::array::from_fn(|at| hash.as_bytes()[at])
}

/// What arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// The hash of the bytes as they landed.
    pub hash: ContentHash,
    /// How many they were.
    pub size: u64,
}

/// An upload that has begun: contents come in on lanes, then it is committed or left.
pub trait Upload: Sync {
    /// A way in for one thread.
    ///
    /// # Errors
    /// When the repository can't take more.
    fn lane(&self) -> Result<Box<dyn Lane + '_>>;

    /// What earlier, unfinished uploads brought that this one has not used yet, hashed now.
    ///
    /// # Errors
    /// When it can't be read.
    fn left_over(&self) -> Result<Vec<LeftOver>>;

    /// Opens what is left over for a path.
    ///
    /// # Errors
    /// When it can't be opened.
    fn open_left_over(&self, mark: &[u8; 16]) -> Result<Option<Reader>>;

    /// Throws away what earlier uploads left and this one has no use for: it may be what fills the
    /// disk. `needed` tells for the mark of a path how many bytes will come, `None` if none do.
    ///
    /// # Errors
    /// When it can't be removed.
    fn forget_left_over(&self, needed: &dyn Fn(&[u8; 16]) -> Option<u64>) -> Result<()>;

    /// Asks to commit what was put. May be asked again after `Moved`.
    ///
    /// # Errors
    /// When a check fails (nothing was changed), or the disk does.
    fn commit(&self, request: &CommitRequest, monitor: &dyn Monitor) -> Result<CommitAnswer>;
}

/// One of several ways into an upload.
pub trait Lane {
    /// Takes the bytes of `source` for a path, hashing them as they land. A second put for the same
    /// path replaces the first.
    ///
    /// # Errors
    /// When they can't be read or written.
    fn put(
        &mut self,
        put: &Put<'_>,
        source: &mut dyn Source,
        monitor: &dyn Monitor,
    ) -> Result<Received>;
}

/// The next turn is ours while this lives: who was told "moved" twice must not starve.
pub trait Turn {}

/// Opens the repository at `root` on behalf of `author`, however its states are kept.
///
/// # Errors
/// As [`LocalRepository::open`].
pub fn open(
    root: &std::path::Path,
    author: &str,
    clock: std::sync::Arc<dyn foundation_runtime::clock::Clock>,
) -> Result<Box<dyn Repository>> {
    let local = LocalRepository::open(root, author, std::sync::Arc::clone(&clock))?;
    if local.description.storage.has_generations() {
        return Ok(Box::new(Generations::open(root, author, clock)?));
    }
    Ok(Box::new(local))
}

/// What a project asks of its repository.
pub trait Repository: Send + Sync {
    /// What it is.
    fn description(&self) -> &Description;

    /// Where it is, for messages.
    fn location(&self) -> String;

    /// The newest snapshot; `None` before the first.
    ///
    /// # Errors
    /// When it can't be read: never `None` instead.
    fn head(&self) -> Result<Option<Head>>;

    /// The tree objects of snapshot `wanted` that are not at the same place in `known`.
    ///
    /// # Errors
    /// When one is missing or damaged.
    fn trees(
        &self,
        wanted: SnapshotNumber,
        known: Option<SnapshotNumber>,
    ) -> Result<Vec<TreeObject>>;

    /// The documents of the snapshots from `first` to `last`, as stored.
    ///
    /// # Errors
    /// When one can't be read.
    fn documents(
        &self,
        first: SnapshotNumber,
        last: SnapshotNumber,
    ) -> Result<Vec<(SnapshotNumber, Vec<u8>)>>;

    /// What `path` was in a snapshot.
    ///
    /// # Errors
    /// When the snapshot is not there or damaged.
    fn entry(&self, number: SnapshotNumber, path: &RepoPath) -> Result<Option<Entry>>;

    /// The paths that differ between two snapshots; `None` stands for the empty state.
    ///
    /// # Errors
    /// When one is not there or damaged.
    fn differences(
        &self,
        old: Option<SnapshotNumber>,
        new: Option<SnapshotNumber>,
    ) -> Result<Vec<Change>>;

    /// Begins an upload, taking over what an earlier one of ours left unfinished. `files` is about
    /// how many contents will come, which decides how they are made durable.
    ///
    /// # Errors
    /// When the repository can't be written.
    fn begin<'a>(
        &'a self,
        transaction: &TransactionId,
        unfinished: &[TransactionId],
        files: u64,
    ) -> Result<Box<dyn Upload + 'a>>;

    /// Waits for the next turn.
    ///
    /// # Errors
    /// When the repository can't be written.
    fn turn(&self, monitor: &dyn Monitor) -> Result<Box<dyn Turn>>;

    /// Decides what became of a transaction whose plan was made against `after`: if it is not
    /// committed now, it never will be.
    ///
    /// # Errors
    /// When the repository can't be read or written, or the user would not wait for it.
    fn settle(
        &self,
        transaction: &TransactionId,
        after: Option<SnapshotNumber>,
        monitor: &dyn Monitor,
    ) -> Result<Settlement>;

    /// Throws away what unfinished uploads brought, unless their owners live.
    ///
    /// # Errors
    /// When the repository can't be written.
    fn discard(&self, transactions: &[TransactionId]) -> Result<()>;

    /// Writes a content into `target`, an empty file, and proves it by its hash.
    ///
    /// # Errors
    /// [`ContentDamaged`](crate::error::Code::ContentDamaged) when the repository has no such bytes.
    fn read(
        &self,
        wanted: &Wanted<'_>,
        target: &mut dyn Target,
        monitor: &dyn Monitor,
    ) -> Result<()>;

    /// Reads many contents, in whatever order is quickest.
    ///
    /// # Errors
    /// As [`read`](Self::read), and what the receiver says.
    fn read_many(
        &self,
        wanted: &[Wanted<'_>],
        receiver: &dyn Receiver,
        monitor: &dyn Monitor,
    ) -> Result<()> {
        wanted.par_iter().enumerate().try_for_each(|(number, wanted)| {
            check_stop(monitor)?;
            let mut writer = receiver.create(number)?;
            self.read(wanted, &mut writer, monitor)?;
            receiver.finish(number, writer)
        })
    }

    /// Opens the file that should have a content, on the word of its name and length: for a start that
    /// is proven later. `None` where there is no such file, or none on this machine.
    ///
    /// # Errors
    /// When it may not be opened.
    fn open_unproven(&self, wanted: &Wanted<'_>) -> Result<Option<Reader>> {
        let _ = wanted;
        Ok(None)
    }

    /// Checks what is stored.
    ///
    /// # Errors
    /// Only when checking itself is impossible; damage is a result.
    fn verify(&self, scope: &VerifyScope, monitor: &dyn Monitor) -> Result<VerifyReport>;
}
