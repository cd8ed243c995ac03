//! Settling what somebody changed in the visible tree without dsg.
//!
//! A commit refuses to build on such a path, because a file is named by the hash of what it holds.
//! Two ways out: *adopt* makes what is there a new snapshot, *restore* puts the head's content back.
//! Neither loses a byte that can be had: adopting first looks for the old content everywhere it may
//! still be and says where it is lost; restoring moves the foreign file to `unfiled/`. Both compare
//! and copy without the lock, look again under it, and use only link and rename there, so that a
//! crash leaves a path as it was or as it is to be.

mod adopt;
mod compare;
mod restore;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::PathBuf;

use dsg_core::entry::{Entry, FileEntry, Identity};
use dsg_core::hash::ContentHash;
use dsg_core::path::RepoPath;
use dsg_core::snapshot::SnapshotNumber;

use super::layout::LocalRepository;
use super::steps::Superseded;
use super::{Head, Repository as _};
use crate::copy;
use crate::error::{Code, Error, Result};
use crate::monitor::Monitor;
use crate::system::{Directory, Parents, Reader, Status, Writer, present};

/// So often somebody else may commit in between before we give up.
const ATTEMPTS_MAX: u32 = 12;

/// Where else the content of a path may be: a project's own file. Its bytes are hashed before they
/// are used.
pub type Spare<'a> = &'a (dyn Fn(&RepoPath) -> Option<Reader> + Sync);

/// How to adopt.
pub struct Adoption<'a> {
    /// What the user says about it; made from the changes when there is nothing.
    pub message: Option<String>,
    /// Data directories and ignore rules at the time.
    pub configuration: serde_json::Map<String, serde_json::Value>,
    /// Where the old contents may still be.
    pub spare: Spare<'a>,
    /// Which paths take part; others that no snapshot has are left alone.
    pub tracked: &'a dyn Fn(&RepoPath) -> bool,
}

/// What adopting did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Adopted {
    /// The new snapshot, if there was anything to adopt.
    pub head: Option<Head>,
    /// The paths that are in it as they were found.
    pub adopted: Vec<RepoPath>,
    /// Old contents that are nowhere any more: what the paths were in the snapshots before can't be
    /// had from this repository.
    pub lost: Vec<(RepoPath, ContentHash)>,
}

/// What restoring did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// The paths that are what the newest snapshot says again.
    pub restored: Vec<RepoPath>,
    /// What was moved out of the way.
    pub set_aside: Vec<SetAside>,
    /// Paths whose content is nowhere; they were left as they are.
    pub impossible: Vec<(RepoPath, ContentHash)>,
}

/// Something that was moved out of the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    /// Where it was.
    pub path: RepoPath,
    /// Where it is now, below the repository.
    pub to: PathBuf,
}

/// A path at which the visible tree is not what the newest snapshot says.
#[derive(Clone, Debug)]
struct Foreign {
    path: RepoPath,
    old: Option<Entry>,
    now: Visible,
}

/// What stands at a path of the visible tree.
#[derive(Clone, Debug)]
enum Visible {
    Absent,
    File { hash: ContentHash, executable: bool, status: Status },
    Link { target: Box<str>, status: Status },
    Directory(Status),
}

impl Visible {
    fn identity(&self) -> Option<Identity> {
        match self {
            Self::File { hash, executable, .. } => {
                Some(Identity::File { hash: *hash, executable: *executable })
            }
            Self::Link { target, .. } => Some(Identity::Link { target: target.clone() }),
            Self::Absent | Self::Directory(_) => None,
        }
    }

    fn status(&self) -> Option<&Status> {
        match self {
            Self::File { status, .. } | Self::Link { status, .. } | Self::Directory(status) => {
                Some(status)
            }
            Self::Absent => None,
        }
    }

    /// What a commit has to look at again before it replaces this.
    fn superseded(&self) -> Option<Superseded> {
        match self {
            Self::File { status, .. } | Self::Link { status, .. } => {
                Some(Superseded::of(status, None))
            }
            Self::Absent | Self::Directory(_) => None,
        }
    }
}

impl LocalRepository {
    /// The head, behind which nothing is unfinished: what differs from it now is foreign.
    fn settled_head(&self, monitor: &dyn Monitor) -> Result<Head> {
        let _lock = self.lock_recovered(monitor)?;
        self.read_head()?.ok_or_else(|| {
            Error::new(Code::NotFound, "the repository has no snapshot yet")
                .next("`dsg sync` makes the first one")
        })
    }

    /// While somebody else commits, files are for a moment not those of `head`: what went wrong then
    /// is tried again (`None`).
    fn unless_moved<T>(&self, head: &Head, outcome: Result<Option<T>>) -> Result<Option<T>> {
        let retry = match &outcome {
            Err(error) if matches!(error.code, Code::ForeignEdit | Code::NotFound) => {
                self.read_head()?.map(|now| now.chain) != Some(head.chain)
            }
            _ => false,
        };
        if retry { Ok(None) } else { outcome }
    }
}

/// The places at which an intact copy of a content may be.
struct Sources<'a> {
    repository: &'a LocalRepository,
    head: SnapshotNumber,
    spare: Spare<'a>,
    /// Paths of the head by content, read when they are first needed.
    by_content: Option<HashMap<ContentHash, Vec<RepoPath>>>,
}

impl<'a> Sources<'a> {
    fn new(repository: &'a LocalRepository, head: SnapshotNumber, spare: Spare<'a>) -> Self {
        Self { repository, head, spare, by_content: None }
    }

    /// Whether `objects/` has the content, whole.
    fn is_kept(&self, hash: ContentHash, buffer: &mut Vec<u8>) -> Result<bool> {
        match self.repository.object_file(hash)? {
            Some(reader) => Ok(reader.hash(buffer, &|_| {})?.0 == hash),
            None => Ok(false),
        }
    }

    /// Writes the content of `path` to the new file `name`, durable but for its name; false when no
    /// place has it.
    fn copy_to(
        &mut self,
        path: &RepoPath,
        file: &FileEntry,
        directory: &Directory,
        name: &str,
        monitor: &dyn Monitor,
    ) -> Result<bool> {
        let mode = self.repository.file_mode(file.executable);
        let mut target = directory.create_file(name, mode)?;
        let mut buffer = Vec::new();
        let mut landed = false;
        let near = [Candidate::Object(file.hash), Candidate::Spare(path.clone())];
        for candidate in near {
            landed =
                landed || self.try_copy(&candidate, file, &mut target, &mut buffer, monitor)?;
        }
        if !landed {
            for candidate in self.twins(file.hash)? {
                landed =
                    landed || self.try_copy(&candidate, file, &mut target, &mut buffer, monitor)?;
            }
        }
        if !landed {
            directory.remove_file(name)?;
            return Ok(false);
        }
        target.set_mode(mode)?;
        target.set_modified(file.modified)?;
        target.sync()?;
        Ok(true)
    }

    fn try_copy(
        &self,
        candidate: &Candidate,
        file: &FileEntry,
        target: &mut Writer,
        buffer: &mut Vec<u8>,
        monitor: &dyn Monitor,
    ) -> Result<bool> {
        let Some(mut source) = candidate.open(self)? else { return Ok(false) };
        if source.status()?.size != file.size {
            return Ok(false);
        }
        let progress = |bytes| monitor.advance(0, bytes);
        if copy::copy(&mut source, target, buffer, &progress)?.hash == file.hash {
            return Ok(true);
        }
        target.start_again()?;
        Ok(false)
    }

    /// Paths of the head that have the same content.
    fn twins(&mut self, hash: ContentHash) -> Result<Vec<Candidate>> {
        if self.by_content.is_none() {
            let mut known: HashMap<ContentHash, Vec<RepoPath>> = HashMap::new();
            for change in self.repository.differences(None, Some(self.head))? {
                if let Some(hash) = change.new.as_ref().and_then(Entry::content) {
                    known.entry(hash).or_default().push(change.path);
                }
            }
            self.by_content = Some(known);
        }
        let known = self.by_content.as_ref().and_then(|known| known.get(&hash));
        Ok(known.into_iter().flatten().cloned().map(Candidate::Visible).collect())
    }
}

enum Candidate {
    Object(ContentHash),
    Spare(RepoPath),
    Visible(RepoPath),
}

impl Candidate {
    fn open(&self, sources: &Sources<'_>) -> Result<Option<Reader>> {
        match self {
            Self::Object(hash) => sources.repository.object_file(*hash),
            Self::Spare(path) => Ok((sources.spare)(path)),
            Self::Visible(path) => {
                let mut parents = Parents::new(&sources.repository.root);
                // A link in the way, a directory: simply not it.
                let Ok(Some((directory, name))) = present(parents.of(path.as_str().as_ref()))
                else {
                    return Ok(None);
                };
                Ok(directory.open_file(name).ok())
            }
        }
    }
}
