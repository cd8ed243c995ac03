//! Bringing contents to the repository, before anything is visible there.

use std::collections::HashMap;
use std::sync::Mutex;

use dsg_core::compare::LocalEntry;
use dsg_core::entry::Entry;
use dsg_core::plan::{Action, Step};
use rayon::prelude::*;

use super::look::Look;
use crate::error::Result;
use crate::monitor::{Monitor, Phase, check_stop};
use crate::project::Skipped;
use crate::repository::{NewEntry, PathChange, Put, Upload, path_mark};
use crate::system::{Directory, Parents, present};

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

/// How many bytes come for which paths, by their marks.
pub(super) fn sizes(look: &Look) -> HashMap<[u8; 16], u64> {
    let uploads = look.plan.steps.iter().filter(|step| step.action == Action::Upload);
    let size = |step: &Step| {
        let status = look.local.change(step.path())?.status?;
        Some((path_mark(step.path()), status.size))
    };
    uploads.filter_map(size).collect()
}

/// One list of many, without holding all of it twice.
pub(super) fn concatenate<T>(pieces: Vec<Vec<T>>) -> Vec<T> {
    let mut whole = Vec::with_capacity(pieces.iter().map(Vec::len).sum());
    pieces.into_iter().for_each(|piece| whole.extend(piece));
    whole
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Neighbours share a directory, so they stay together; there are still enough pieces for all cores.
pub(super) fn chunk_size(count: usize) -> usize {
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
