//! Where things lie in a repository directory, opening one, and finding its head.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use dsg_core::hash::ChainHash;
use dsg_core::path::RepoPath;
use dsg_core::snapshot::{BadSnapshot, SnapshotDocument, SnapshotNumber};
use dsg_core::tree::Root;
use foundation_runtime::clock::Clock;

use super::Head;
use super::create::{Description, too_new};
use super::pack::Packs;
use crate::error::{Code, Error, Result};
use crate::system::{Directory, Status, SystemError, present};

/// The control directory inside a repository. Not `.dsg`: the old Python tool looks for that, finds
/// nothing, and stops.
pub const REPOSITORY_DIRECTORY: &str = ".dsg-repository";
/// What the old Python tool keeps in repositories and projects.
pub const LEGACY_DIRECTORY: &str = ".dsg";

pub(super) const DESCRIPTION: &str = "repository.json";
pub(super) const LOCK: &str = "lock";
pub(super) const TURN: &str = "turn";
pub(super) const SNAPSHOTS: &str = "snapshots";
pub(super) const OBJECTS: &str = "objects";
pub(super) const STAGING: &str = "staging";
pub(super) const ABORTED: &str = "aborted";
pub(super) const UNFILED: &str = "unfiled";

/// Names inside `staging/<transaction>/`.
pub(super) const STAGING_LOCK: &str = "lock";
pub(super) const STAGED_PACK: &str = "pack";
pub(super) const STAGED_DOCUMENT: &str = "document";
pub(super) const STAGED_TREE: &str = "tree";
/// What an earlier upload left; a number follows.
pub(super) const STAGED_PREVIOUS: &str = "previous-";

/// The largest snapshot document that is read.
const DOCUMENT_BYTES_MAX: u64 = 1 << 20;

/// A repository in a directory of this machine.
pub struct LocalRepository {
    pub(super) root: Directory,
    pub(super) control: Directory,
    pub(super) snapshots: Directory,
    pub(super) objects: Directory,
    pub(super) description: Description,
    pub(super) packs: Packs,
    /// Who is working: becomes the author of what is committed.
    pub(super) author: String,
    pub(super) clock: Arc<dyn Clock>,
    /// Whether it is opened as a part of a repository of generations: a volume, or what never switches.
    pub(super) is_part: bool,
    /// The newest snapshot of which the file system is known to have one.
    pub(super) kept: Mutex<Option<SnapshotNumber>>,
    /// Whether this process holds the turn, so that its own commit does not wait for itself.
    pub(super) has_turn: Arc<AtomicBool>,
}

impl LocalRepository {
    /// Opens the repository at `root` on behalf of `author`.
    ///
    /// # Errors
    /// When there is none ([`Code::RepositoryMissing`]), it is closed to us, or too new. Never an
    /// empty repository instead.
    pub fn open(root: &Path, author: &str, clock: Arc<dyn Clock>) -> Result<Self> {
        Self::open_as(Directory::open(root), root, author, clock, false)
    }

    /// As [`open`](Self::open), where the directory was opened in another way; `root` is its name in
    /// messages.
    ///
    /// # Errors
    /// As [`open`](Self::open); a failure to open the directory is told as one.
    pub fn open_directory(
        directory: crate::system::Result<Directory>,
        root: &Path,
        author: &str,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        Self::open_as(directory, root, author, clock, false)
    }

    /// Opens a part of a repository of generations.
    pub(super) fn open_part(root: &Path, author: &str, clock: Arc<dyn Clock>) -> Result<Self> {
        Self::open_as(Directory::open(root), root, author, clock, true)
    }

    fn open_as(
        directory: crate::system::Result<Directory>,
        root: &Path,
        author: &str,
        clock: Arc<dyn Clock>,
        is_part: bool,
    ) -> Result<Self> {
        let open = |error: SystemError| open_failed(root, &error);
        let directory = directory.map_err(open)?;
        let control = directory.directory(REPOSITORY_DIRECTORY).map_err(open)?;
        let description = match Description::read(&control) {
            Err(error) if error.code == Code::Disk => {
                return Err(Error::new(
                    Code::RepositoryMissing,
                    format!("{} can't be read", control.path_of(DESCRIPTION).display()),
                )
                .because(error.why.unwrap_or_default())
                .next(
                    "nothing was changed; check the disk and the permissions of the repository",
                ));
            }
            other => other?,
        };
        let snapshots = control.directory(SNAPSHOTS).map_err(open)?;
        let objects = control.directory(OBJECTS).map_err(open)?;
        let device = directory.own_status()?.device;
        let staging = control.directory(STAGING).map_err(open)?;
        for part in [&control, &snapshots, &objects, &staging] {
            if part.own_status()?.device != device {
                return Err(Error::new(
                    Code::OtherDevice,
                    format!("{} is on another file system than its repository", part.path().display()),
                )
                .next("keep the control directory on the file system of the data: commits rename between them"));
            }
        }
        Ok(Self {
            packs: Packs::new(snapshots.again()?),
            root: directory,
            control,
            snapshots,
            objects,
            description,
            author: author.to_owned(),
            clock,
            is_part,
            kept: Mutex::new(None),
            has_turn: Arc::new(AtomicBool::new(false)),
        })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.root.path().to_owned()
    }

    /// A commit renames between staging, `objects/` and the visible tree: all of them have to be on
    /// one file system, or it would fail after it was made.
    pub(super) fn refuse_other_device(&self, path: &RepoPath, status: &Status) -> Result<()> {
        if status.device == self.root.own_status()?.device {
            return Ok(());
        }
        Err(Error::new(
            Code::OtherDevice,
            format!("{path} is on another file system than the repository"),
        )
        .because("commits rename within one file system only")
        .about([path])
        .next("nothing was changed; ask the data manager to unmount what is mounted inside the repository"))
    }

    pub(super) fn staging(&self) -> Result<Directory> {
        Ok(self.control.directory(STAGING)?)
    }

    pub(super) fn directory_mode(&self) -> u32 {
        self.description.access.directory_mode()
    }

    pub(super) fn file_mode(&self, executable: bool) -> u32 {
        self.description.access.file_mode(executable)
    }

    /// The number of the newest snapshot. The names are listed rather than probed: a gap, which only
    /// damage can make, must not pass for the end of history.
    pub(super) fn head_number(&self) -> Result<Option<SnapshotNumber>> {
        let mut highest = 0;
        let mut count = 0;
        self.snapshots.visit(&mut |name, _| {
            let number =
                name.to_str().and_then(|name| name.strip_prefix('s')).and_then(document_number);
            if let Some(number) = number {
                highest = highest.max(number);
                count += 1;
            }
        })?;
        if count != highest {
            return Err(Error::new(
                Code::ChainDamaged,
                format!(
                    "{} of {highest} snapshot documents are missing in {}",
                    highest - count.min(highest),
                    self.snapshots.path().display()
                ),
            )
            .next("restore the missing files from a backup; `dsg validate-chain` names them"));
        }
        Ok(SnapshotNumber::new(highest))
    }

    /// The stored bytes of a snapshot document.
    pub(super) fn document_bytes(&self, number: SnapshotNumber) -> Result<Vec<u8>> {
        let read = self.snapshots.read_small(number.to_string(), DOCUMENT_BYTES_MAX);
        match present(read)? {
            Some(bytes) => Ok(bytes),
            None => Err(Error::new(Code::NotFound, format!("there is no snapshot {number}"))
                .next("`dsg log` lists the snapshots")),
        }
    }

    pub(super) fn document(&self, number: SnapshotNumber) -> Result<(SnapshotDocument, ChainHash)> {
        let bytes = self.document_bytes(number)?;
        let document = SnapshotDocument::decode(&bytes).map_err(|error| match error {
            BadSnapshot::Newer { .. } => too_new(&error.to_string()),
            _ => Error::new(Code::ChainDamaged, format!("the document of {number} can't be read"))
                .because(error)
                .next("run `dsg validate-chain`; restore the file from a backup"),
        })?;
        Ok((document, ChainHash::of(&bytes)))
    }

    /// The top of a snapshot's manifest, as its document names it. A pack that says something else
    /// is damaged; it is not another manifest, and least of all an empty one.
    pub(super) fn manifest(&self, number: SnapshotNumber) -> Result<Option<Root>> {
        let document = self.document(number)?.0;
        let root = self.packs.root(number)?;
        let found = root.as_ref().map(|root| (root.address.hash, root.entries));
        if found == document.root.map(|hash| (hash, document.entries)) {
            return Ok(root);
        }
        Err(Error::new(
            Code::TreeDamaged,
            format!("the manifest of {number} is not the one that its document names"),
        )
        .next("run `dsg validate-chain` to see what is affected; restore the file from a backup"))
    }

    pub(super) fn read_head(&self) -> Result<Option<Head>> {
        let Some(number) = self.head_number()? else { return Ok(None) };
        let (document, chain) = self.document(number).map_err(|error| match error.code {
            // Its name was listed: what can't be opened under it is no file any more.
            Code::NotFound => Error { code: Code::ChainDamaged, ..error },
            _ => error,
        })?;
        if document.number != number || document.repository != self.description.id {
            return Err(Error::new(
                Code::ChainDamaged,
                format!("the document of {number} is another's"),
            )
            .next("run `dsg validate-chain`; restore the file from a backup"));
        }
        Ok(Some(Head { number, chain, root: document.root, entries: document.entries }))
    }
}

/// `12` of `s12`; `None` for packs and anything else. No leading zeros: one name per number.
fn document_number(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    if plain { text.parse().ok() } else { None }
}

fn open_failed(root: &Path, error: &SystemError) -> Error {
    if error.is_absent() {
        return Error::new(
            Code::RepositoryMissing,
            format!("there is no repository at {}", root.display()),
        )
        .because("the directory is missing, empty or not mounted")
        .next("nothing was changed here. If the server is unmounted, mount it; if the repository moved, correct .dsgconfig.yml; if there never was one, `dsg init` makes it");
    }
    if error.is_denied() {
        return Error::new(
            Code::RepositoryDenied,
            format!("you may not open the repository at {}", root.display()),
        )
        .because(&error.source)
        .next("ask its owner for access: a repository made with `--access group` is open to the group of its directory");
    }
    Error::new(
        Code::RepositoryMissing,
        format!("the repository at {} can't be opened", root.display()),
    )
    .because(error)
    .next("nothing was changed; check the path and the disk")
}
