//! Putting back what the newest snapshot says.
//!
//! A foreign file first gets a second name in `unfiled/`, durable, and only then loses its path to
//! the restored one, in one rename. So at every moment its bytes have a name that nothing cleans.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use dsg_core::entry::Entry;
use dsg_core::path::RepoPath;
use dsg_core::snapshot::TransactionId;

use super::super::layout::{LocalRepository, REPOSITORY_DIRECTORY, UNFILED};
use super::super::refusals::foreign;
use super::super::stage::LocalUpload;
use super::{ATTEMPTS_MAX, Foreign, Head, Restored, SetAside, Sources, Spare};
use crate::error::{Code, Error, Result};
use crate::monitor::{Monitor, Phase, check_stop};
use crate::project::new_transaction;
use crate::system::{Directory, Kind, Parents, Status, present};

/// The longest part of a name that is kept in `unfiled/`.
const LABEL_CHARACTERS: usize = 60;

impl LocalRepository {
    /// Makes `paths` (and what is below them) of the visible tree what the newest snapshot says. The
    /// contents come from `objects/`, from another path with the same content, or from `spare`; what
    /// was found is moved to `unfiled/`.
    ///
    /// # Errors
    /// When something changes while it is looked at, or the disk says no. No byte is lost then
    /// either; run it again.
    pub fn restore(
        &self,
        paths: &[RepoPath],
        spare: Spare<'_>,
        monitor: &dyn Monitor,
    ) -> Result<Restored> {
        for _ in 0..ATTEMPTS_MAX {
            check_stop(monitor)?;
            let head = self.settled_head(monitor)?;
            let restored = self.look_and_restore(&head, paths, spare, monitor);
            if let Some(restored) = self.unless_moved(&head, restored)? {
                return Ok(restored);
            }
        }
        Err(Error::new(
            Code::RepositoryBusy,
            "others committed each time these files were to be restored",
        )
        .next("nothing was changed; run the command again when less is going on"))
    }

    fn look_and_restore(
        &self,
        head: &Head,
        paths: &[RepoPath],
        spare: Spare<'_>,
        monitor: &dyn Monitor,
    ) -> Result<Option<Restored>> {
        let found = self.foreign(head, paths, monitor)?;
        if found.is_empty() {
            return Ok(Some(Restored::default()));
        }
        let transaction = new_transaction()?;
        let upload = self.begin_upload(&transaction, &[], found.len() as u64)?;
        let outcome = self.stage_and_place(&upload, head, &found, spare, monitor);
        drop(upload);
        // What is left in staging is copies.
        let discarded = self.discard_if_dead(&transaction);
        let restored = outcome?;
        discarded.map(|()| restored)
    }

    /// `None`: somebody committed meanwhile.
    fn stage_and_place(
        &self,
        upload: &LocalUpload<'_>,
        head: &Head,
        found: &[Foreign],
        spare: Spare<'_>,
        monitor: &dyn Monitor,
    ) -> Result<Option<Restored>> {
        let mut sources = Sources::new(self, head.number, spare);
        let mut restored = Restored::default();
        let mut ready = Vec::new();
        for (number, foreign) in found.iter().enumerate() {
            check_stop(monitor)?;
            let name = format!("restore-{number}");
            match &foreign.old {
                None => ready.push((number, foreign, None)),
                Some(Entry::Link(link)) => {
                    upload.directory.create_link(&name, &link.target)?;
                    ready.push((number, foreign, Some(name)));
                }
                Some(Entry::File(file)) => {
                    if sources.copy_to(&foreign.path, file, &upload.directory, &name, monitor)? {
                        ready.push((number, foreign, Some(name)));
                    } else {
                        restored.impossible.push((foreign.path.clone(), file.hash));
                    }
                }
            }
        }
        if ready.is_empty() {
            return Ok(Some(restored));
        }
        monitor.begin(Phase::Applying, ready.len() as u64, 0);
        let _lock = self.lock_recovered(monitor)?;
        if self.read_head()?.map(|now| (now.number, now.chain)) != Some((head.number, head.chain)) {
            return Ok(None);
        }
        let mut work = Work {
            repository: self,
            transaction: &upload.transaction,
            staging: &upload.directory,
            unfiled: None,
            touched: BTreeSet::new(),
            restored,
        };
        for (number, foreign, staged) in ready {
            work.one(number, foreign, staged.as_deref())?;
            monitor.advance(1, 0);
        }
        work.sync()?;
        Ok(Some(work.restored))
    }
}

struct Work<'a> {
    repository: &'a LocalRepository,
    transaction: &'a TransactionId,
    staging: &'a Directory,
    unfiled: Option<Directory>,
    touched: BTreeSet<PathBuf>,
    restored: Restored,
}

impl Work<'_> {
    fn one(&mut self, number: usize, found: &Foreign, staged: Option<&str>) -> Result<()> {
        let path = Path::new(found.path.as_str());
        if staged.is_some() {
            self.open_the_way(number, &found.path)?;
        }
        let now = self.status(path)?;
        let Some(staged) = staged else {
            // What no snapshot has; it may have gone aside with the directory that it was in.
            if now.is_some() {
                self.refuse_changed(found, now.as_ref())?;
                self.move_aside(number, &found.path)?;
            }
            self.restored.restored.push(found.path.clone());
            return Ok(());
        };
        if let Some(status) = &now {
            self.refuse_changed(found, Some(status))?;
            if status.kind == Kind::Directory || !self.link_aside(number, &found.path)? {
                self.move_aside(number, &found.path)?;
            }
        }
        let mut parents = Parents::new(&self.repository.root);
        let (directory, name) = parents.made(path, self.repository.directory_mode())?;
        if present(directory.status(name))?.is_some() {
            self.staging.rename(staged, directory, name)?;
        } else {
            self.staging.rename_new_locked(staged, directory, name)?;
        }
        self.touch(path);
        self.restored.restored.push(found.path.clone());
        Ok(())
    }

    fn status(&self, path: &Path) -> Result<Option<Status>> {
        let mut parents = Parents::new(&self.repository.root);
        match present(parents.of(path)) {
            Ok(Some((directory, name))) => Ok(present(directory.status(name))?),
            Ok(None) => Ok(None),
            Err(error) if error.is_link_in_the_way() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// What is moved away must be what was looked at, or the report would be about something else.
    fn refuse_changed(&self, found: &Foreign, now: Option<&Status>) -> Result<()> {
        let same = match (found.now.status(), now) {
            (None, None) => true,
            (Some(seen), Some(now)) if seen.kind == Kind::Directory => now.inode == seen.inode,
            (Some(seen), Some(now)) => seen.same_contents(now),
            (None, Some(_)) => false,
            (Some(_), None) => true,
        };
        if same { Ok(()) } else { Err(foreign(&found.path, "it changed a moment ago")) }
    }

    /// Moves away what stands where a directory above `path` is needed.
    fn open_the_way(&mut self, number: usize, path: &RepoPath) -> Result<()> {
        let mut above = Vec::new();
        let mut next = path.parent();
        while let Some(directory) = next {
            next = directory.parent();
            above.push(directory);
        }
        for directory in above.iter().rev() {
            match self.status(Path::new(directory.as_str()))? {
                Some(status) if status.kind == Kind::Directory => {}
                Some(_) => return self.move_aside(number, directory),
                None => return Ok(()),
            }
        }
        Ok(())
    }

    fn aside(&mut self) -> Result<Directory> {
        if let Some(unfiled) = &self.unfiled {
            return Ok(unfiled.again()?);
        }
        let unfiled = self.repository.control.directory(UNFILED)?;
        let mode = self.repository.directory_mode();
        let own = unfiled.directory_made(self.transaction.to_string(), mode)?;
        unfiled.sync()?;
        self.unfiled = Some(own.again()?);
        Ok(own)
    }

    fn label(number: usize, name: &OsStr) -> String {
        let name: String = name.to_string_lossy().chars().take(LABEL_CHARACTERS).collect();
        format!("{number}-{name}")
    }

    /// Gives a file or link a second name in `unfiled/`; false where the system forbids that.
    fn link_aside(&mut self, number: usize, path: &RepoPath) -> Result<bool> {
        let aside = self.aside()?;
        let mut parents = Parents::new(&self.repository.root);
        let (directory, name) = parents.of(Path::new(path.as_str()))?;
        let label = Self::label(number, name);
        match directory.link(name, &aside, &label) {
            Ok(()) => {}
            Err(error) if error.is_denied() || error.is_absent() => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        aside.sync()?;
        self.note(path, &label);
        Ok(true)
    }

    fn move_aside(&mut self, number: usize, path: &RepoPath) -> Result<()> {
        let aside = self.aside()?;
        let mut parents = Parents::new(&self.repository.root);
        let (directory, name) = parents.of(Path::new(path.as_str()))?;
        let label = Self::label(number, name);
        directory.rename_new_locked(name, &aside, &label)?;
        aside.sync()?;
        self.touch(Path::new(path.as_str()));
        self.note(path, &label);
        Ok(())
    }

    fn note(&mut self, path: &RepoPath, label: &str) {
        let to = Path::new(REPOSITORY_DIRECTORY)
            .join(UNFILED)
            .join(self.transaction.to_string())
            .join(label);
        self.restored.set_aside.push(SetAside { path: path.clone(), to });
    }

    fn touch(&mut self, path: &Path) {
        let mut directory = path.parent();
        // Directories above may have been made.
        while let Some(path) = directory {
            self.touched.insert(path.to_owned());
            directory = path.parent();
        }
    }

    fn sync(&self) -> Result<()> {
        for path in &self.touched {
            if let Some(directory) = present(self.repository.root.directory(path))? {
                directory.sync()?;
            }
        }
        Ok(())
    }
}
