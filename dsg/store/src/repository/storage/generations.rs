//! A repository whose states are volumes: people follow a link, and a commit is the one rename that
//! makes it lead to the next volume.
//!
//! Beside the link `NAME` lies `.dsg-NAME`. In it are one volume for each state that is still needed
//! and a control directory that never switches: id, lock, turn, staging, marks of aborted
//! transactions. A volume holds a whole repository, as plain directories do, so that the commit into a
//! new one is the same code, and reading is too.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use dsg_core::entry::Entry;
use dsg_core::path::RepoPath;
use dsg_core::snapshot::{SnapshotNumber, TransactionId};
use dsg_core::tree::Change;
use foundation_runtime::clock::Clock;

use super::super::layout::LocalRepository;
use super::super::{
    Description, Head, Receiver, Repository, Settlement, Target, TreeObject, Turn, Upload,
    VerifyReport, VerifyScope, Wanted,
};
use super::Storage;
use super::btrfs::BtrfsVolumes;
use super::publish::GenerationUpload;
use super::volumes::{Volume, Volumes, volume_of, volumes_path};
use super::zfs_volumes::ZfsVolumes;
use crate::error::{Code, Error, Result};
use crate::monitor::Monitor;
use crate::system::{Directory, Reader};

/// So often the link may lead to another volume while we follow it.
const FOLLOW_ATTEMPTS_MAX: u32 = 16;

/// The volume that the link led to when it was last looked at.
#[derive(Clone)]
pub(super) struct Current {
    pub(super) volume: Volume,
    pub(super) repository: Arc<LocalRepository>,
}

/// A repository of generations.
pub struct Generations {
    pub(super) link: PathBuf,
    pub(super) link_name: OsString,
    /// The directory that has the link.
    pub(super) above: Directory,
    /// What never switches.
    pub(super) control: LocalRepository,
    pub(super) volumes: Box<dyn Volumes>,
    pub(super) author: String,
    pub(super) clock: Arc<dyn Clock>,
    current: Mutex<Option<Current>>,
}

impl Generations {
    /// Opens the repository to which the link at `link` leads.
    ///
    /// # Errors
    /// When it is no link to a volume, or the volumes can't be found.
    pub fn open(link: &Path, author: &str, clock: Arc<dyn Clock>) -> Result<Self> {
        let (Some(parent), Some(name), Some(path)) =
            (link.parent(), link.file_name(), volumes_path(link))
        else {
            return Err(no_link(link));
        };
        let control = LocalRepository::open_part(&path, author, Arc::clone(&clock))?;
        let directory = control.root.again()?;
        let volumes: Box<dyn Volumes> = match control.description.storage {
            Storage::ZfsGenerations => Box::new(ZfsVolumes::open(directory)?),
            Storage::Btrfs => Box::new(BtrfsVolumes::open(directory)?),
            Storage::Plain | Storage::ZfsInPlace => return Err(no_link(link)),
        };
        let generations = Self {
            link: link.to_owned(),
            link_name: name.to_owned(),
            above: Directory::open(parent)?,
            control,
            volumes,
            author: author.to_owned(),
            clock,
            current: Mutex::new(None),
        };
        generations.current()?;
        Ok(generations)
    }

    /// The newest state, by the link. What was opened before stays as it was for who holds it.
    pub(super) fn current(&self) -> Result<Current> {
        let mut last = None;
        for _ in 0..FOLLOW_ATTEMPTS_MAX {
            let volume = self.followed()?;
            let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(current) = &*current
                && current.volume == volume
            {
                return Ok(current.clone());
            }
            let path = self.control.root.path_of(volume.name());
            match LocalRepository::open_part(&path, &self.author, Arc::clone(&self.clock)) {
                Ok(found) => {
                    if found.description.id != self.control.description.id {
                        return Err(self.foreign(&volume));
                    }
                    let found = Current { volume, repository: Arc::new(found) };
                    *current = Some(found.clone());
                    return Ok(found);
                }
                // Others may have switched twice meanwhile, and the volume is gone.
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| no_link(&self.link)))
    }

    fn followed(&self) -> Result<Volume> {
        let text = self.above.link_text(&self.link_name).map_err(|_| no_link(&self.link))?;
        text.and_then(|text| volume_of(&self.link, &text)).ok_or_else(|| no_link(&self.link))
    }

    fn foreign(&self, volume: &Volume) -> Error {
        Error::new(
            Code::RepositoryReplaced,
            format!("{} is a volume of another repository", volume.name()),
        )
        .because(format!("{} leads to it", self.link.display()))
        .next("nothing was changed; ask the data manager what was restored there")
    }

    /// The directory in which the file system itself has a state, if it shows one.
    ///
    /// # Errors
    /// When the repository can't be read.
    pub fn history(&self, number: SnapshotNumber) -> Result<Option<PathBuf>> {
        let current = self.current()?;
        let transaction = current.repository.document(number)?.0.transaction;
        let state = Volume { number: number.get(), transaction };
        Ok(self.volumes.history(&current.volume, &state))
    }
}

fn no_link(link: &Path) -> Error {
    Error::new(
        Code::RepositoryMissing,
        format!("{} is no link to a volume of a repository", link.display()),
    )
    .because("the states of this repository are volumes, and a link leads to the newest")
    .next("nothing was changed; give the path of that link, which is the one in .dsgconfig.yml")
}

impl Repository for Generations {
    fn description(&self) -> &Description {
        &self.control.description
    }

    fn location(&self) -> String {
        self.link.display().to_string()
    }

    fn head(&self) -> Result<Option<Head>> {
        self.current()?.repository.head()
    }

    fn trees(
        &self,
        wanted: SnapshotNumber,
        known: Option<SnapshotNumber>,
    ) -> Result<Vec<TreeObject>> {
        self.current()?.repository.trees(wanted, known)
    }

    fn documents(
        &self,
        first: SnapshotNumber,
        last: SnapshotNumber,
    ) -> Result<Vec<(SnapshotNumber, Vec<u8>)>> {
        self.current()?.repository.documents(first, last)
    }

    fn entry(&self, number: SnapshotNumber, path: &RepoPath) -> Result<Option<Entry>> {
        self.current()?.repository.entry(number, path)
    }

    fn differences(
        &self,
        old: Option<SnapshotNumber>,
        new: Option<SnapshotNumber>,
    ) -> Result<Vec<Change>> {
        self.current()?.repository.differences(old, new)
    }

    fn begin<'a>(
        &'a self,
        transaction: &TransactionId,
        unfinished: &[TransactionId],
        files: u64,
    ) -> Result<Box<dyn Upload + 'a>> {
        self.volumes.check()?;
        let staged = self.control.begin_upload(transaction, unfinished, files)?;
        Ok(Box::new(GenerationUpload { generations: self, staged }))
    }

    fn turn(&self, monitor: &dyn Monitor) -> Result<Box<dyn Turn>> {
        self.control.take_turn(monitor)
    }

    fn settle(
        &self,
        transaction: &TransactionId,
        after: Option<SnapshotNumber>,
        monitor: &dyn Monitor,
    ) -> Result<Settlement> {
        let (_lock, current) = self.lock_settled(monitor)?;
        match current.repository.committed_as(transaction, after)? {
            Some(number) => Ok(Settlement::Committed(number)),
            None => {
                self.control.mark_aborted(transaction)?;
                Ok(Settlement::Aborted)
            }
        }
    }

    fn discard(&self, transactions: &[TransactionId]) -> Result<()> {
        self.control.discard(transactions)
    }

    fn read(
        &self,
        wanted: &Wanted<'_>,
        target: &mut dyn Target,
        monitor: &dyn Monitor,
    ) -> Result<()> {
        self.current()?.repository.read(wanted, target, monitor)
    }

    fn read_many(
        &self,
        wanted: &[Wanted<'_>],
        receiver: &dyn Receiver,
        monitor: &dyn Monitor,
    ) -> Result<()> {
        self.current()?.repository.read_many(wanted, receiver, monitor)
    }

    fn open_unproven(&self, wanted: &Wanted<'_>) -> Result<Option<Reader>> {
        self.current()?.repository.open_unproven(wanted)
    }

    fn verify(&self, scope: &VerifyScope, monitor: &dyn Monitor) -> Result<VerifyReport> {
        self.current()?.repository.verify(scope, monitor)
    }
}
