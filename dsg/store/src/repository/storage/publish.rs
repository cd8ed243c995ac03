//! A commit into a repository of generations.
//!
//! Contents arrive in the control directory, as in any repository. At the commit a volume is cloned
//! from the state that the plan was made against, and the whole commit happens in it, without a lock
//! and unseen. Under the lock it is then sealed and the link is switched, if the state that it was
//! cloned from is still the newest; else it goes, and the client plans again.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use dsg_core::path::RepoPath;

use super::super::layout::{LOCK, LocalRepository, TURN};
use super::super::stage::{LocalUpload, Staged};
use super::super::{
    CommitAnswer, CommitRequest, Head, Lane, LeftOver, NewEntry, PathChange, Put, Upload,
};
use super::generations::{Current, Generations};
use super::volumes::Volume;
use crate::error::{Code, Error, Result};
use crate::monitor::{Monitor, Silent, check_stop};
use crate::system::{FileLock, Parents, Reader};

/// What the link is called before it replaces the one that people follow; the name follows.
const NEXT_LINK: &str = ".dsg-next-";
/// A second name for the link that was replaced last. Over FUSE and NFS a reader finds the link and
/// reads it in two requests: one that is gone in between would be a path that is missing.
const LAST_LINK: &str = ".dsg-last-";

/// An upload into a repository of generations.
pub(super) struct GenerationUpload<'g> {
    pub(super) generations: &'g Generations,
    pub(super) staged: LocalUpload<'g>,
}

impl Upload for GenerationUpload<'_> {
    fn lane(&self) -> Result<Box<dyn Lane + '_>> {
        self.staged.lane()
    }

    fn left_over(&self) -> Result<Vec<LeftOver>> {
        self.staged.left_over()
    }

    fn open_left_over(&self, mark: &[u8; 16]) -> Result<Option<Reader>> {
        self.staged.open_left_over(mark)
    }

    fn forget_left_over(&self, needed: &dyn Fn(&[u8; 16]) -> Option<u64>) -> Result<()> {
        self.staged.forget_left_over(needed)
    }

    fn commit(&self, request: &CommitRequest, monitor: &dyn Monitor) -> Result<CommitAnswer> {
        check_stop(monitor)?;
        let generations = self.generations;
        let base = generations.current()?;
        let head = base.repository.read_head()?;
        if head.map(|head| (head.number, head.chain)) != request.expected {
            return Ok(CommitAnswer::Moved);
        }
        let number = head.map_or(0, |head| head.number.get()) + 1;
        let volume = Volume { number, transaction: self.staged.transaction };
        let name = generations.work_name(&volume);
        let lock = &self.staged.lock;
        if let Err(error) = self.begin_volume(&base.volume, &name) {
            // Who committed meanwhile has switched the link first, and then what the volume was to be
            // made from went over to theirs.
            return match generations.current()?.volume == base.volume {
                true => Err(error),
                false => Ok(CommitAnswer::Moved),
            };
        }
        let answer = self.fill_and_publish(&name, &volume, &base, request, monitor);
        match &answer {
            Ok(CommitAnswer::Committed(_)) => self.staged.clean_up()?,
            Ok(CommitAnswer::Moved) => generations.volumes.discard(&name, lock)?,
            // Whoever takes the lock next removes it too.
            Err(_) if self.is_unseen(&volume) => drop(generations.volumes.discard(&name, lock)),
            Err(_) => {}
        }
        answer
    }
}

impl GenerationUpload<'_> {
    fn begin_volume(&self, base: &Volume, name: &str) -> Result<()> {
        let (volumes, lock) = (&self.generations.volumes, &self.staged.lock);
        let Err(error) = volumes.begin(base, name, lock) else { return Ok(()) };
        // A former attempt of ours may not have been removed, or this one came half way.
        volumes.discard(name, lock)?;
        volumes.begin(base, name, lock).map_err(|_| error)
    }

    fn fill_and_publish(
        &self,
        name: &str,
        volume: &Volume,
        base: &Current,
        request: &CommitRequest,
        monitor: &dyn Monitor,
    ) -> Result<CommitAnswer> {
        match self.fill(name, request, monitor)? {
            CommitAnswer::Committed(head) => {
                check_stop(monitor)?;
                self.publish(name, volume, base, head, monitor)
            }
            CommitAnswer::Moved => Ok(CommitAnswer::Moved),
        }
    }

    fn is_unseen(&self, volume: &Volume) -> bool {
        self.generations.current().is_ok_and(|current| current.volume != *volume)
    }

    /// Commits into the volume, as into a repository of plain files that nobody else knows.
    fn fill(
        &self,
        name: &str,
        request: &CommitRequest,
        monitor: &dyn Monitor,
    ) -> Result<CommitAnswer> {
        let generations = self.generations;
        let path = generations.control.root.path_of(name);
        let clock = Arc::clone(&generations.clock);
        let inner = LocalRepository::open_part(&path, &generations.author, clock)?;
        let staged = self.staged.staged().clone();
        let upload = inner.begin_upload(&self.staged.transaction, &[], staged.len() as u64)?;
        let mut lane = upload.lane()?;
        let mut parents = Parents::new(&self.staged.directory);
        for change in &request.changes {
            if let Some(staged) = staged.get(&change.path)
                && is_wanted(change, staged)
            {
                hand_over(&mut parents, &mut *lane, &change.path, staged)?;
                check_stop(monitor)?;
            }
        }
        drop(lane);
        upload.commit(request, monitor)
    }

    /// Under the lock: makes the volume what people see.
    fn publish(
        &self,
        name: &str,
        volume: &Volume,
        base: &Current,
        head: Head,
        monitor: &dyn Monitor,
    ) -> Result<CommitAnswer> {
        let generations = self.generations;
        let control = &generations.control;
        let _turn = match control.has_turn.load(Ordering::SeqCst) {
            true => None,
            false => Some(control.wait_for(TURN, monitor)?),
        };
        let (lock, current) = generations.lock_settled(monitor)?;
        if control.is_aborted(&self.staged.transaction)? {
            return Err(Error::new(
                Code::RepositoryBusy,
                format!("{} was given up", self.staged.transaction),
            )
            .because("another run settled it before it could commit")
            .next("run the command again"));
        }
        if current.volume != base.volume {
            return Ok(CommitAnswer::Moved);
        }
        generations.volumes.seal(name, volume, &lock)?;
        generations.switch(volume)?;
        // It is committed. What fails now is done by whoever takes the lock next.
        drop(generations.note_superseded(&current.volume));
        drop(generations.volumes.lead(volume, &lock));
        Ok(CommitAnswer::Committed(head))
    }
}

impl Generations {
    /// The name of a volume that is being made.
    pub(super) fn work_name(&self, volume: &Volume) -> String {
        if self.volumes.keeps_old() { volume.work_name() } else { volume.name() }
    }

    /// Takes the lock and finishes what others left.
    pub(super) fn lock_settled(&self, monitor: &dyn Monitor) -> Result<(FileLock, Current)> {
        let lock = self.control.wait_for(LOCK, monitor)?;
        let current = self.current()?;
        self.settle_volumes(&current, &lock)?;
        Ok((lock, current))
    }

    /// The commit: one rename. After the sync it survives a power cut.
    pub(super) fn switch(&self, volume: &Volume) -> Result<()> {
        let next = self.next_link();
        let folder = self.control.root.path().file_name().unwrap_or_default().to_owned();
        let text = Path::new(&folder).join(volume.name()).to_string_lossy().into_owned();
        self.above.remove_file_if_there(&next)?;
        self.above.create_link(&next, &text)?;
        let last = format!("{LAST_LINK}{}", self.link_name.to_string_lossy());
        self.above.remove_file_if_there(&last)?;
        self.above.link(&self.link_name, &self.above, &last)?;
        self.above.rename(&next, &self.above, &self.link_name)?;
        Ok(self.above.sync()?)
    }

    pub(super) fn next_link(&self) -> String {
        format!("{NEXT_LINK}{}", self.link_name.to_string_lossy())
    }
}

/// Whether a content that has landed is still asked for.
fn is_wanted(change: &PathChange, staged: &Staged) -> bool {
    matches!(&change.new, Some(NewEntry::File { hash, executable, .. })
        if *hash == staged.hash && *executable == staged.executable)
}

/// Brings a content that has landed into the volume; it is hashed once more on its way.
fn hand_over(
    parents: &mut Parents<'_>,
    lane: &mut dyn Lane,
    path: &RepoPath,
    staged: &Staged,
) -> Result<()> {
    let at = staged.at(path);
    let (directory, name) = parents.of(&at)?;
    let mut reader = directory.open_file(name)?;
    let modified = reader.status()?.modified;
    let put = Put { path, executable: staged.executable, modified, base: None };
    let landed = lane.put(&put, &mut reader, &Silent)?;
    if landed.hash == staged.hash {
        return Ok(());
    }
    Err(Error::new(Code::ContentDamaged, format!("the content of {path} changed after it landed"))
        .about([path])
        .next(
            "nothing was committed; run the command again, and check the disk if it happens again",
        ))
}
