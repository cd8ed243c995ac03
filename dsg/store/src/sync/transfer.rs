//! Moving contents both ways, before anything is visible on either side.

use std::sync::Mutex;

use dsg_core::compare::LocalEntry;
use dsg_core::entry::Entry;
use dsg_core::plan::{Action, Step};
use dsg_core::snapshot::TransactionId;
use rayon::prelude::*;

use super::look::Look;
use crate::error::Result;
use crate::monitor::{Monitor, Phase, check_stop};
use crate::project::{LocalOperation, Skipped, StagedFile};
use crate::repository::{NewEntry, PathChange, Put, Repository, Upload, Wanted};
use crate::system::{Directory, Landing, Parents, Writer, present, sync_file_system};

/// What is to be asked of the repository, and what can't be.
#[derive(Default)]
pub(super) struct Uploaded {
    pub(super) changes: Vec<PathChange>,
    pub(super) skipped: Vec<Skipped>,
    pub(super) bytes: u64,
}

const CHANGED: &str = "it was changed here while it was read";
const UNREADABLE: &str = "it can't be read";

/// Brings the contents that the plan uploads, and says what the repository is to make of them.
pub(super) fn upload(
    look: &Look,
    root: &Directory,
    upload: &dyn Upload,
    monitor: &dyn Monitor,
) -> Result<Uploaded> {
    let steps: Vec<&Step> = look.plan.steps.iter().filter(|step| changes_remote(step)).collect();
    let files = steps.iter().filter(|step| step.action == Action::Upload).count() as u64;
    monitor.begin(Phase::Uploading, files, look.plan.summary().upload_bytes);
    let skipped = Mutex::new(Vec::new());
    let changes: Vec<Vec<PathChange>> = steps
        .par_chunks(chunk_size(steps.len()))
        .map(|chunk| {
            let mut lane = upload.lane()?;
            let mut parents = Parents::new(root);
            let mut changes = Vec::with_capacity(chunk.len());
            for step in chunk {
                check_stop(monitor)?;
                let path = step.path();
                let new = match step.action {
                    Action::DeleteRemote => Ok(None),
                    Action::RestoreCached => Ok(step.triple.cached.as_deref().map(new_entry)),
                    _ => put_one(look, step, lane.as_mut(), &mut parents, monitor)?.map(Some),
                };
                match new {
                    Ok(new) => {
                        let old = step.triple.remote.as_deref().map(Entry::identity);
                        changes.push(PathChange { path: path.clone(), old, new });
                    }
                    Err(why) => lock(&skipped).push(Skipped { path: path.clone(), why }),
                }
            }
            Ok(changes)
        })
        .collect::<Result<_>>()?;
    let changes = concatenate(changes);
    let bytes = changes.iter().map(|change| match &change.new {
        Some(NewEntry::File { size, .. }) => *size,
        _ => 0,
    });
    Ok(Uploaded { bytes: bytes.sum(), skipped: skipped.into_inner().unwrap_or_default(), changes })
}

/// One list of many, without holding all of it twice.
fn concatenate<T>(pieces: Vec<Vec<T>>) -> Vec<T> {
    let mut whole = Vec::with_capacity(pieces.iter().map(Vec::len).sum());
    pieces.into_iter().for_each(|piece| whole.extend(piece));
    whole
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Neighbours share a directory, so they stay together; there are still enough pieces for all cores.
fn chunk_size(count: usize) -> usize {
    (count / (rayon::current_num_threads() * 8)).clamp(1, 512)
}

fn changes_remote(step: &Step) -> bool {
    match step.action {
        Action::Upload | Action::DeleteRemote => true,
        Action::RestoreCached => {
            !dsg_core::entry::same(step.triple.cached.as_deref(), step.triple.remote.as_deref())
        }
        _ => false,
    }
}

fn new_entry(entry: &Entry) -> NewEntry {
    match entry {
        Entry::File(file) => NewEntry::File {
            hash: file.hash,
            size: file.size,
            executable: file.executable,
            modified: file.modified,
        },
        Entry::Link(link) => NewEntry::Link { target: link.target.clone() },
    }
}

/// Uploads one path. What lands must be what the plan was made for, and the file must not have
/// changed between the scan and the end of reading.
fn put_one(
    look: &Look,
    step: &Step,
    lane: &mut dyn crate::repository::Lane,
    parents: &mut Parents<'_>,
    monitor: &dyn Monitor,
) -> Result<std::result::Result<NewEntry, &'static str>> {
    let path = step.path();
    let local = match &step.triple.local {
        Some(LocalEntry::Link { target }) => {
            return Ok(Ok(NewEntry::Link { target: target.clone() }));
        }
        Some(LocalEntry::File { hash, executable, .. }) => (*hash, *executable),
        None => return Ok(Err(CHANGED)),
    };
    let Some(change) = look.local.change(path) else { return Ok(Err(CHANGED)) };
    let Some(scanned) = change.status else { return Ok(Err(CHANGED)) };
    let Some((directory, name)) = present(parents.of(change.at()))? else {
        return Ok(Err(CHANGED));
    };
    let mut source = match present(directory.open_file(name)) {
        Ok(Some(source)) => source,
        Ok(None) => return Ok(Err(CHANGED)),
        Err(error) if error.is_denied() => return Ok(Err(UNREADABLE)),
        Err(_) => return Ok(Err(CHANGED)),
    };
    if *source.opened() != scanned {
        return Ok(Err(CHANGED));
    }
    let base = step.triple.remote.as_ref().and_then(|entry| Some((entry.content()?, entry.size())));
    let put = Put { path, executable: local.1, modified: scanned.modified, base };
    let received = lane.put(&put, &mut source, monitor)?;
    let as_scanned = source.status()? == scanned && received.size == scanned.size;
    let as_planned = local.0.is_none_or(|hash| hash == received.hash);
    if !as_scanned || !as_planned {
        return Ok(Err(CHANGED));
    }
    Ok(Ok(NewEntry::File {
        hash: received.hash,
        size: received.size,
        executable: local.1,
        modified: scanned.modified,
    }))
}

/// What comes here: staged below `.dsg/tx/<transaction>/`, each proven by its hash as it lands.
pub(super) fn download(
    look: &Look,
    repository: &dyn Repository,
    transactions: &Directory,
    transaction: &TransactionId,
    backup: Option<&str>,
    monitor: &dyn Monitor,
) -> Result<Vec<LocalOperation>> {
    let steps: Vec<&Step> = look.plan.steps.iter().filter(|step| changes_local(step)).collect();
    if steps.is_empty() {
        return Ok(Vec::new());
    }
    let own = transactions.directory_made(transaction.to_string(), 0o700)?;
    let files = steps.iter().filter(|step| step.action != Action::DeleteLocal).count();
    let bytes = steps.iter().filter_map(|step| wanted(step)).map(Entry::size).sum();
    monitor.begin(Phase::Downloading, files as u64, bytes);
    let landing = Landing::of(files as u64);
    bring(&steps, repository, &own, &landing, monitor)?;
    let operations: Vec<Vec<LocalOperation>> = steps
        .par_chunks(chunk_size(steps.len()))
        .enumerate()
        .map(|(piece, chunk)| {
            let first = piece * chunk_size(steps.len());
            let staged = |(number, step): (usize, &&Step)| {
                let new = match wanted(step) {
                    Some(_) => {
                        let name = (first + number).to_string();
                        Some(StagedFile::new(&name, &own.status(&name)?))
                    }
                    None => None,
                };
                Ok(operation(look, step, new, backup))
            };
            chunk.iter().enumerate().map(staged).collect()
        })
        .collect::<Result<_>>()?;
    if files > 0 {
        if landing.together() {
            sync_file_system(&own)?;
        } else {
            own.sync()?;
            transactions.sync()?;
        }
    }
    Ok(concatenate(operations))
}

fn changes_local(step: &Step) -> bool {
    match step.action {
        Action::Download | Action::DeleteLocal => true,
        Action::RestoreCached => match (&step.triple.local, &step.triple.cached) {
            (Some(local), Some(cached)) => !local.same(cached),
            (None, Some(_)) => true,
            _ => false,
        },
        _ => false,
    }
}

/// What a step brings here; `None` when it takes something away.
fn wanted(step: &Step) -> Option<&Entry> {
    match step.action {
        Action::Download => step.triple.remote.as_deref(),
        Action::RestoreCached => step.triple.cached.as_deref(),
        _ => None,
    }
}

/// Stages what the steps bring, each under its number: the files in one request, so that many are on
/// their way at once.
fn bring(
    steps: &[&Step],
    repository: &dyn Repository,
    own: &Directory,
    landing: &Landing,
    monitor: &dyn Monitor,
) -> Result<()> {
    let mut contents = Vec::new();
    let mut files = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        match wanted(step) {
            Some(Entry::Link(link)) => {
                own.create_link(number.to_string(), &link.target)?;
                monitor.advance(1, 0);
            }
            Some(Entry::File(file)) => {
                contents.push(Wanted { hash: file.hash, size: file.size, path: step.path() });
                files.push((number, file));
            }
            None => {}
        }
    }
    let target = |content: usize| {
        let (number, file) = files[content];
        let mode = if file.executable { 0o777 } else { 0o666 };
        Ok(own.create_file(number.to_string(), mode)?)
    };
    let done = |content: usize, target: Writer| {
        target.set_modified(files[content].1.modified)?;
        if landing.each(files[content].1.size) {
            target.sync()?;
        }
        monitor.advance(1, 0);
        Ok(())
    };
    repository.read_many(&contents, &target, &done, monitor)
}

fn operation(
    look: &Look,
    step: &Step,
    new: Option<StagedFile>,
    backup: Option<&str>,
) -> LocalOperation {
    let triple = &step.triple;
    let at = look.local.at(&triple.path);
    // What equals C was committed once; anything else is only here.
    let in_history = match (&triple.local, &triple.cached) {
        (Some(local), Some(cached)) => local.same(cached),
        _ => false,
    };
    let old = triple
        .local
        .as_ref()
        .and_then(|local| look.local.old_file(&triple.path, local, in_history));
    let name = at.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let backup =
        backup.filter(|_| old.is_some() && !in_history).map(|stamp| format!("{name}~{stamp}~"));
    LocalOperation {
        path: triple.path.clone(),
        at: at.to_string_lossy().into_owned(),
        old,
        new,
        backup,
    }
}
