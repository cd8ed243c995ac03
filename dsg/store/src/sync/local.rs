//! What is known of the files here during one command: what the walk found, what had to be read,
//! and what the index will say afterwards.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use dsg_core::compare::LocalEntry;
use dsg_core::entry::Moment;
use dsg_core::hash::ContentHash;
use dsg_core::path::RepoPath;
use dsg_core::plan::{Suspicion, SuspiciousDirectory, Triple};
use dsg_core::tracked::Rules;
use rayon::prelude::*;

use super::look::relation;
use crate::error::Result;
use crate::monitor::{Monitor, Phase, check_stop};
use crate::project::OldFile;
use crate::scan::{
    Found, Index, IndexEntry, LocalChange, Relation, Seen, Unknown, UnknownReason, Updates,
    Validity,
};
use crate::system::{Directory, Kind, Parents, Status, present};

/// The files here, as this command knows them.
#[derive(Debug)]
pub(crate) struct LocalFiles {
    root: Directory,
    index: Index,
    pub(crate) found: Found,
    /// Paths that differ from C, or may, with what the disk said.
    changes: Vec<LocalChange>,
    /// Files that turned out unreadable when they were to be read.
    pub(crate) unreadable: Vec<Unknown>,
    rebased: bool,
}

/// What reading a file gave.
enum Contents {
    Hash(ContentHash),
    Changed,
    Failed(String),
}

impl LocalFiles {
    pub(crate) fn new(root: Directory, index: Index, found: Found) -> Self {
        let rebased = index.was_rebased;
        Self { root, index, found, changes: Vec::new(), unreadable: Vec::new(), rebased }
    }

    pub(crate) fn keep(&mut self, changes: Vec<LocalChange>) {
        self.changes = changes;
    }

    /// Lets go of what the disk said, but for where it spells a path otherwise: once everything was
    /// read and is on its way, nobody asks any more.
    pub(crate) fn forget_statuses(&mut self) {
        self.changes.retain(|change| change.spelled.is_some());
        self.changes.shrink_to_fit();
    }

    pub(crate) fn change(&self, path: &RepoPath) -> Option<&LocalChange> {
        let found = self.changes.binary_search_by(|change| change.path.cmp(path)).ok()?;
        self.changes.get(found)
    }

    /// Reads the files whose content decides what is to be done: those that C or R has too.
    pub(crate) fn read_contents(
        &mut self,
        triples: &mut [Triple],
        monitor: &dyn Monitor,
    ) -> Result<()> {
        let wanted: Vec<usize> =
            (0..triples.len()).filter(|at| needs_reading(&triples[*at])).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let bytes =
            wanted.iter().filter_map(|at| triples[*at].local.as_ref()).map(LocalEntry::size).sum();
        monitor.begin(Phase::Hashing, wanted.len() as u64, bytes);
        // Neighbours share a directory; of a few large files each is for the next thread that is free.
        let chunk = (wanted.len() / (rayon::current_num_threads() * 8)).clamp(1, 32);
        let read: Vec<(usize, Contents)> = wanted
            .par_chunks(chunk)
            .map(|chunk| {
                let mut parents = Parents::new(&self.root);
                let mut buffer = Vec::new();
                let mut read = Vec::with_capacity(chunk.len());
                for at in chunk {
                    check_stop(monitor)?;
                    let contents = match self.change(&triples[*at].path) {
                        Some(change) => read_one(&mut parents, change, &mut buffer, monitor),
                        None => Contents::Changed,
                    };
                    monitor.advance(1, 0);
                    read.push((*at, contents));
                }
                Ok(read)
            })
            .collect::<Result<Vec<_>>>()?
            .into_iter()
            .flatten()
            .collect();
        for (at, contents) in read {
            let triple = &mut triples[at];
            let why = match contents {
                Contents::Hash(found) => {
                    if let Some(LocalEntry::File { hash, .. }) = &mut triple.local {
                        *hash = Some(found);
                    }
                    continue;
                }
                Contents::Changed => "it changed while it was read".to_owned(),
                Contents::Failed(why) => why,
            };
            self.unreadable.push(Unknown {
                path: Some(triple.path.clone()),
                shown: dsg_core::name::display_safe(triple.path.as_str()),
                why: UnknownReason::Unreadable(why),
            });
        }
        Ok(())
    }

    /// Notes for the index how the paths that were looked at relate to C.
    pub(crate) fn relate(&mut self, triples: &[Triple]) {
        for triple in triples {
            let Some(change) = self.change(&triple.path) else { continue };
            let relation = relation(triple.local.as_ref(), triple.cached.as_deref());
            let at = change.at().to_owned();
            let local = triple.local.clone();
            self.update(&triple.path, &at, |entry| {
                entry.relation = relation;
                if let (Some(seen), Some(local)) = (&mut entry.seen, local) {
                    seen.local = local;
                }
            });
        }
    }

    /// Changes the index entry of a path, making it if need be.
    fn update(&mut self, path: &RepoPath, at: &Path, change: impl FnOnce(&mut IndexEntry)) {
        let directory = path.directory();
        if !self.found.records.contains_key(directory) {
            self.found.records.insert(directory.to_owned(), Updates::new());
        }
        let Some(updates) = self.found.records.get_mut(directory) else { return };
        let name = at.file_name().map_or_else(|| path.name().into(), |name| name.to_string_lossy());
        let known = match updates.get(&name) {
            Some(update) => update.map(|raw| raw.to_entry()),
            None => self.index.find(directory, &name).map(|raw| raw.to_entry()),
        };
        let mut entry = known.unwrap_or_else(|| IndexEntry {
            name: name.clone().into_owned(),
            seen: None,
            relation: Relation::Absent,
        });
        change(&mut entry);
        if entry.seen.is_none() && entry.relation == Relation::Absent {
            updates.remove(&name);
        } else {
            updates.set(&entry);
        }
    }

    /// Where a path is, or will be, on disk: in directories as the disk spells them.
    pub(crate) fn at(&self, path: &RepoPath) -> PathBuf {
        if let Some(change) = self.change(path) {
            return change.at().to_owned();
        }
        if path.as_str().is_ascii() {
            return PathBuf::from(path.as_str());
        }
        match self.index_entry(path) {
            Some(entry) => self.found.spelled(path.directory()).join(entry.name),
            // A directory of that key may be in the way, spelled otherwise: it has to make room.
            None => self.found.spelled(path.as_str()),
        }
    }

    fn index_entry(&self, path: &RepoPath) -> Option<IndexEntry> {
        let (directory, name) = (path.directory(), path.name());
        let updated = self.found.records.get(directory);
        if let Some(update) = updated.and_then(|updates| updates.get(name)) {
            return update.map(|raw| raw.to_entry());
        }
        if let Some(raw) = self.index.find(directory, name) {
            return Some(raw.to_entry());
        }
        if path.as_str().is_ascii() {
            return None;
        }
        // The disk may spell it otherwise.
        let spelled = |entry: &IndexEntry| dsg_core::path::normal(&entry.name) == name;
        let updated = updated.into_iter().flat_map(Updates::entries).map(|raw| raw.to_entry());
        let known = self.index.entries(directory).map(|raw| raw.to_entry());
        updated.chain(known).find(spelled)
    }

    /// What the scan saw at a path, for comparing with what is there when it is replaced.
    pub(crate) fn old_file(
        &self,
        path: &RepoPath,
        local: &LocalEntry,
        in_history: bool,
    ) -> Option<OldFile> {
        let hash = match local {
            LocalEntry::File { hash, .. } => *hash,
            LocalEntry::Link { .. } => None,
        };
        if let Some(change) = self.change(path) {
            return change.status.as_ref().map(|status| OldFile::new(status, hash, in_history));
        }
        let seen = self.index_entry(path)?.seen?;
        let kind =
            if matches!(seen.local, LocalEntry::Link { .. }) { Kind::Link } else { Kind::File };
        let status = Status {
            kind,
            size: seen.local.size(),
            modified: seen.modified,
            changed: seen.changed,
            inode: seen.inode,
            device: 0,
            mode: 0,
            owner: 0,
        };
        Some(OldFile::new(&status, hash, in_history))
    }

    /// After a sync: what a path is now, and that C agrees with it.
    pub(crate) fn agreed(
        &mut self,
        path: &RepoPath,
        local: Option<LocalEntry>,
        seen: Option<(Status, Moment)>,
    ) {
        let at = self.at(path);
        let relation = if local.is_some() { Relation::Same } else { Relation::Absent };
        self.update(path, &at, |known| {
            known.relation = relation;
            match (local, seen) {
                (None, _) => known.seen = None,
                (Some(local), Some((status, stamp))) => {
                    known.seen = Some(Seen {
                        modified: status.modified,
                        changed: status.changed,
                        inode: status.inode,
                        racy: status.changed >= stamp,
                        local,
                    });
                }
                // What was uploaded keeps what the scan saw, and gets the hash that landed.
                (Some(local), None) => {
                    if let Some(seen) = &mut known.seen {
                        seen.local = local;
                    }
                }
            }
        });
    }

    /// Whether the index on disk says all this already.
    pub(crate) fn is_as_indexed(&self) -> bool {
        self.found.records.is_empty() && !self.rebased
    }

    /// Makes the index on disk say all this, for the C that it was made with.
    pub(crate) fn save_index(&self, dsg: &Directory) -> Result<()> {
        self.save_index_for(self.index.validity, dsg)
    }

    /// Makes the index on disk say all this, for another C.
    pub(crate) fn save_index_for(&self, validity: Validity, dsg: &Directory) -> Result<()> {
        self.index.save(dsg, validity, &self.found.records)
    }

    /// Data directories that were on another device than the project.
    pub(crate) fn mounted(&self) -> Result<Vec<String>> {
        let own = self.root.own_status()?.device;
        let found = self.found.data_directories.iter().filter(|(_, device)| *device != own);
        let mut mounted: Vec<String> = found.map(|(path, _)| path.clone()).collect();
        mounted.sort();
        Ok(mounted)
    }

    /// The device on which the nearest existing directory above a path lies.
    pub(crate) fn device_of(&self, at: &Path) -> Result<u64> {
        let mut directory = at.parent();
        while let Some(path) = directory {
            if let Some(found) = present(self.root.directory(path))? {
                return Ok(found.own_status()?.device);
            }
            directory = path.parent();
        }
        Ok(self.root.own_status()?.device)
    }

    /// Data directories out of which everything vanished in a way that looks like an accident.
    pub(crate) fn suspicious_directories(
        &self,
        rules: &Rules,
        triples: &[Triple],
        mounts: &[String],
    ) -> Result<Vec<SuspiciousDirectory>> {
        let gone =
            triples.iter().filter(|triple| triple.local.is_none() && triple.cached.is_some());
        let directories: BTreeSet<String> =
            gone.filter_map(|triple| data_directory(rules, &triple.path)).collect();
        let own = self.root.own_status()?.device;
        let mut suspicious = Vec::new();
        for directory in directories {
            let why = match self.status_of(&directory) {
                Some(status) if status.kind == Kind::Link => Some(Suspicion::BecameLink),
                Some(status) if status.kind == Kind::Directory => {
                    let was_mounted = mounts.contains(&directory);
                    let is_mounted = status.device != own;
                    let changed = was_mounted != is_mounted;
                    (changed && self.is_empty(&directory)?).then_some(Suspicion::ChangedDevice)
                }
                _ => None,
            };
            if let Some(why) = why {
                suspicious.push(SuspiciousDirectory { directory: directory.into(), why });
            }
        }
        Ok(suspicious)
    }

    /// What is at the path of a directory; where the way to it ends before, what it ends at. What
    /// can't be looked at is unknown anyway, and nothing follows from it.
    fn status_of(&self, directory: &str) -> Option<Status> {
        let mut here = self.root.again().ok()?;
        let mut names = directory.split('/').peekable();
        loop {
            let name = names.next()?;
            let status = here.status(name).ok()?;
            if names.peek().is_none() || status.kind != Kind::Directory {
                return Some(status);
            }
            here = here.directory(name).ok()?;
        }
    }

    fn is_empty(&self, directory: &str) -> Result<bool> {
        match present(self.root.directory(directory))? {
            Some(found) => Ok(found.entries()?.is_empty()),
            None => Ok(true),
        }
    }
}

/// The topmost data directory that a path lies in; the whole project has none.
fn data_directory(rules: &Rules, path: &RepoPath) -> Option<String> {
    let mut area = rules.root();
    let mut end = 0;
    for name in path.components().rev().skip(1).collect::<Vec<_>>().into_iter().rev() {
        let directory = &path.as_str()[..end];
        area = rules.enter(area, directory, name)?;
        end += name.len() + usize::from(end > 0);
        if area.inside {
            return Some(path.as_str()[..end].to_owned());
        }
    }
    None
}

fn needs_reading(triple: &Triple) -> bool {
    matches!(triple.local, Some(LocalEntry::File { hash: None, .. }))
        && (triple.cached.is_some() || triple.remote.is_some())
}

fn read_one(
    parents: &mut Parents<'_>,
    change: &LocalChange,
    buffer: &mut Vec<u8>,
    monitor: &dyn Monitor,
) -> Contents {
    let read = || -> crate::system::Result<Contents> {
        let (directory, name) = parents.of(change.at())?;
        let reader = directory.open_file(name)?;
        let before = reader.status()?;
        if Some(before.inode) != change.status.map(|status| status.inode) {
            return Ok(Contents::Changed);
        }
        let (hash, _) = reader.hash(buffer, &|bytes| monitor.advance(0, bytes))?;
        let unchanged = reader.status()? == before && change.status == Some(before);
        Ok(if unchanged { Contents::Hash(hash) } else { Contents::Changed })
    };
    let mut read = read;
    match read() {
        Ok(contents) => contents,
        Err(error) => Contents::Failed(error.source.to_string()),
    }
}
