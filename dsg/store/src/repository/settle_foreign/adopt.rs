//! Making what was found in the visible tree a new snapshot.

use std::collections::HashMap;
use std::path::Path;

use dsg_core::entry::{Entry, FileEntry};
use dsg_core::hash::ContentHash;
use dsg_core::path::RepoPath;
use dsg_core::{link, name};

use super::super::layout::LocalRepository;
use super::super::refusals::foreign;
use super::super::stage::LocalUpload;
use super::super::{
    CommitAnswer, CommitRequest, Head, NewEntry, PathChange, Put, Settlement, Upload as _,
};
use super::{ATTEMPTS_MAX, Adopted, Adoption, Foreign, Sources, Visible};
use crate::error::{Code, Error, Result};
use crate::monitor::{Monitor, Phase, check_stop};
use crate::project::new_transaction;
use crate::system::{Parents, present};

impl LocalRepository {
    /// Makes what is at `paths` (or below them) of the visible tree the newest snapshot. The author
    /// is the user of this repository, the time is now.
    ///
    /// # Errors
    /// When something there can't be a version, or changes while it is read. Nothing was changed
    /// then.
    pub fn adopt(
        &self,
        paths: &[RepoPath],
        adoption: &Adoption<'_>,
        monitor: &dyn Monitor,
    ) -> Result<Adopted> {
        for _ in 0..ATTEMPTS_MAX {
            check_stop(monitor)?;
            let head = self.settled_head(monitor)?;
            let adopted = self.look_and_adopt(&head, paths, adoption, monitor);
            if let Some(adopted) = self.unless_moved(&head, adopted)? {
                return Ok(adopted);
            }
        }
        Err(Error::new(
            Code::RepositoryBusy,
            "others committed each time these files were to be adopted",
        )
        .next("nothing was changed; run the command again when less is going on"))
    }

    fn look_and_adopt(
        &self,
        head: &Head,
        paths: &[RepoPath],
        adoption: &Adoption<'_>,
        monitor: &dyn Monitor,
    ) -> Result<Option<Adopted>> {
        let mut found = self.foreign(head, paths, monitor)?;
        found.retain(|found| found.old.is_some() || (adoption.tracked)(&found.path));
        if found.is_empty() {
            return Ok(Some(Adopted::default()));
        }
        self.adopt_these(head, &found, adoption, monitor)
    }

    /// `None`: somebody committed meanwhile.
    fn adopt_these(
        &self,
        head: &Head,
        found: &[Foreign],
        adoption: &Adoption<'_>,
        monitor: &dyn Monitor,
    ) -> Result<Option<Adopted>> {
        found.iter().try_for_each(refuse_bad)?;
        let transaction = new_transaction()?;
        let upload = self.begin_upload(&transaction, &[], found.len() as u64)?;
        let outcome = self.stage_and_commit(&upload, head, found, adoption, monitor);
        let clean = match &outcome {
            Ok(Some(_)) => false,
            Ok(None) => true,
            // It may have been committed before it failed: then what is staged is still needed.
            Err(_) => {
                let settled = self.settle_transaction(&transaction, Some(head.number), monitor);
                matches!(settled, Ok(Settlement::Aborted))
            }
        };
        drop(upload);
        if clean && let Err(error) = self.discard_if_dead(&transaction) {
            return outcome.and(Err(error));
        }
        outcome
    }

    fn stage_and_commit(
        &self,
        upload: &LocalUpload<'_>,
        head: &Head,
        found: &[Foreign],
        adoption: &Adoption<'_>,
        monitor: &dyn Monitor,
    ) -> Result<Option<Adopted>> {
        let changes = stage(upload, found, monitor)?;
        let lost = self.keep_old(upload, head, found, adoption, monitor)?;
        let request = CommitRequest {
            expected: Some((head.number, head.chain)),
            message: adoption.message.clone().unwrap_or_else(|| describe(&changes)),
            configuration: adoption.configuration.clone(),
            changes,
        };
        let superseded: HashMap<RepoPath, _> = found
            .iter()
            .filter_map(|foreign| Some((foreign.path.clone(), foreign.now.superseded()?)))
            .collect();
        let Some(prepared) = upload.prepare_with(&request, &|_| Ok(superseded.clone()))? else {
            return Ok(None);
        };
        check_stop(monitor)?;
        monitor.begin(Phase::Committing, found.len() as u64, 0);
        match upload.commit_prepared(&prepared, request.expected, monitor)? {
            CommitAnswer::Moved => Ok(None),
            CommitAnswer::Committed(head) => Ok(Some(Adopted {
                head: Some(head),
                adopted: found.iter().map(|foreign| foreign.path.clone()).collect(),
                lost,
            })),
        }
    }

    /// Brings the old contents to `objects/`, from wherever they still are. Done before the commit:
    /// an object that nobody needs does no harm, one that is missing does.
    fn keep_old(
        &self,
        upload: &LocalUpload<'_>,
        head: &Head,
        found: &[Foreign],
        adoption: &Adoption<'_>,
        monitor: &dyn Monitor,
    ) -> Result<Vec<(RepoPath, ContentHash)>> {
        let mut sources = Sources::new(self, head.number, adoption.spare);
        let mut lost = Vec::new();
        let mut buffer = Vec::new();
        for (number, foreign) in found.iter().enumerate() {
            let Some(Entry::File(old)) = &foreign.old else { continue };
            let stays = matches!(&foreign.now, Visible::File { hash, .. } if *hash == old.hash);
            if stays || sources.is_kept(old.hash, &mut buffer)? {
                continue;
            }
            let name = format!("keep-{number}");
            let plain = FileEntry { executable: false, ..old.clone() };
            if sources.copy_to(&foreign.path, &plain, &upload.directory, &name, monitor)? {
                upload.directory.rename(&name, &self.objects, old.hash.to_string())?;
                self.objects.sync()?;
            } else {
                lost.push((foreign.path.clone(), old.hash));
            }
        }
        Ok(lost)
    }
}

/// Names and links enter the history here, so they are judged here.
fn refuse_bad(found: &Foreign) -> Result<()> {
    let refuse = |why: String| {
        Err(Error::new(Code::NameCollision, format!("{} can't become a version", found.path))
            .because(why)
            .about([&found.path])
            .next("rename or remove it in the repository"))
    };
    if found.old.is_none() {
        for component in found.path.components() {
            if component.starts_with('.') {
                return refuse("hidden names are never versioned".to_owned());
            }
            if let Err(why) = name::judge(component) {
                return refuse(why.to_string());
            }
        }
    }
    match &found.now {
        Visible::Link { target, .. } => match link::check(&found.path, target) {
            Ok(_) => Ok(()),
            Err(why) => refuse(why.to_string()),
        },
        _ => Ok(()),
    }
}

/// Copies what was found into staging, so that the new version is a file that nobody else has open.
fn stage(
    upload: &LocalUpload<'_>,
    found: &[Foreign],
    monitor: &dyn Monitor,
) -> Result<Vec<PathChange>> {
    let mut lane = upload.lane()?;
    let mut parents = Parents::new(&upload.repository.root);
    let mut changes = Vec::with_capacity(found.len());
    for Foreign { path, old, now } in found {
        check_stop(monitor)?;
        let new = match now {
            Visible::Absent | Visible::Directory(_) => None,
            Visible::Link { target, .. } => Some(NewEntry::Link { target: target.clone() }),
            Visible::File { hash, executable, status } => {
                let gone = || foreign(path, "it is gone again");
                let (directory, name) =
                    present(parents.of(Path::new(path.as_str())))?.ok_or_else(gone)?;
                let mut source = present(directory.open_file(name))?.ok_or_else(gone)?;
                let put =
                    Put { path, executable: *executable, modified: status.modified, base: None };
                let received = lane.put(&put, &mut source, monitor)?;
                if received.hash != *hash || source.status()? != *status {
                    return Err(foreign(path, "somebody is writing to it right now"));
                }
                Some(NewEntry::File {
                    hash: *hash,
                    size: received.size,
                    executable: *executable,
                    modified: status.modified,
                })
            }
        };
        let old = old.as_ref().map(Entry::identity);
        changes.push(PathChange { path: path.clone(), old, new });
    }
    Ok(changes)
}

fn describe(changes: &[PathChange]) -> String {
    let what = match changes {
        [one] => one.path.to_string(),
        many => format!("{} paths", many.len()),
    };
    format!("adopted {what}, changed in the repository without dsg")
}
