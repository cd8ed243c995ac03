//! Checking what is stored: documents, manifests, and every content that any snapshot names.
//!
//! A finding says what is damaged and what that means for the data. Checking goes on after a
//! finding: one broken file must not hide another.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::Mutex;

use dsg_core::entry::Entry;
use dsg_core::hash::ContentHash;
use dsg_core::path::RepoPath;
use dsg_core::snapshot::{ChainChecker, SnapshotNumber};
use dsg_core::tree::{self, Change};
use rayon::prelude::*;

use super::layout::LocalRepository;
use super::refusals::tree_error;
use crate::error::{Error, Result};
use crate::monitor::{Monitor, Phase, check_stop};
use crate::system::{Directory, Parents, present};

/// What to check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifyScope {
    /// One snapshot: its document, its manifest, every content it names.
    Snapshot(SnapshotNumber),
    /// The whole history; the contents too, if asked for.
    Chain {
        /// Whether every content is read and hashed.
        contents: bool,
    },
}

/// Something that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The file, below the repository.
    pub file: String,
    /// What is wrong with it.
    pub what: String,
    /// What that means.
    pub meaning: String,
}

/// What was checked and what was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// Snapshot documents.
    pub snapshots: u64,
    /// Manifest entries, each distinct one once.
    pub entries: u64,
    /// Contents that were hashed.
    pub contents: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Findings.
    pub damage: Vec<Damage>,
}

struct Check<'a> {
    repository: &'a LocalRepository,
    monitor: &'a dyn Monitor,
    report: Mutex<VerifyReport>,
}

impl LocalRepository {
    /// See [`Repository::verify`](super::Repository::verify).
    pub(super) fn verify_stored(
        &self,
        scope: &VerifyScope,
        monitor: &dyn Monitor,
    ) -> Result<VerifyReport> {
        let check = Check { repository: self, monitor, report: Mutex::default() };
        match *scope {
            VerifyScope::Snapshot(number) => check.snapshot(number)?,
            VerifyScope::Chain { contents } => check.chain(contents)?,
        }
        let mut report =
            check.report.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        report.damage.sort_by(|a, b| a.file.cmp(&b.file));
        report.damage.dedup();
        Ok(report)
    }
}

impl Check<'_> {
    fn report(&self, add: impl FnOnce(&mut VerifyReport)) {
        add(&mut self.report.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    }

    fn found(&self, file: impl Into<String>, what: impl Into<String>, meaning: impl Into<String>) {
        let damage = Damage { file: file.into(), what: what.into(), meaning: meaning.into() };
        self.report(|report| report.damage.push(damage));
    }

    fn snapshot(&self, number: SnapshotNumber) -> Result<()> {
        let head = self.repository.read_head()?;
        let Some(changes) = self.manifest(None, number)? else { return Ok(()) };
        let in_head: HashMap<RepoPath, ContentHash> = match head {
            Some(head) if head.number != number => {
                let head_changes = self.repository_difference(None, Some(head.number))?;
                head_changes
                    .into_iter()
                    .filter_map(|change| Some((change.path, change.new?.content()?)))
                    .collect()
            }
            _ => HashMap::new(),
        };
        let is_head = head.is_some_and(|head| head.number == number);
        let (mut visible, mut kept) = (Vec::new(), BTreeMap::new());
        for change in changes {
            let Some(entry) = change.new else { continue };
            let content = entry.content();
            if is_head || (content.is_some() && in_head.get(&change.path) == content.as_ref()) {
                visible.push((change.path, entry));
            } else if let Some(content) = content {
                kept.insert(content, (change.path, number));
            }
        }
        let files = (visible.len() + kept.len()) as u64;
        let bytes = visible.iter().map(|(_, entry)| entry.size()).sum();
        self.monitor.begin(Phase::Verifying, files, bytes);
        self.visible(&visible)?;
        self.objects(&kept, "of", &HashSet::new())
    }

    fn chain(&self, contents: bool) -> Result<()> {
        let repository = self.repository;
        let Some(head) = self.last_number()? else { return Ok(()) };
        self.documents(head)?;
        let mut kept: BTreeMap<ContentHash, (RepoPath, SnapshotNumber)> = BTreeMap::new();
        let mut state: BTreeMap<RepoPath, Entry> = BTreeMap::new();
        let mut previous = None;
        for number in (1..=head.get()).filter_map(SnapshotNumber::new) {
            check_stop(self.monitor)?;
            let Some(changes) = self.manifest(previous, number)? else {
                // The next readable manifest is compared with nothing, so that none of it is missed.
                previous = None;
                state.clear();
                continue;
            };
            if previous.is_none() {
                state.clear();
            }
            previous = Some(number);
            for change in changes {
                if let Some(content) = change.old.as_ref().and_then(Entry::content) {
                    kept.entry(content).or_insert_with(|| (change.path.clone(), number));
                }
                match change.new {
                    Some(new) => state.insert(change.path, new),
                    None => state.remove(&change.path),
                };
            }
        }
        if !contents {
            return Ok(());
        }
        let visible: Vec<_> = state.into_iter().collect();
        let in_head: HashSet<ContentHash> =
            visible.iter().filter_map(|(_, entry)| entry.content()).collect();
        let stored = stored_objects(&repository.objects)?;
        let files = (visible.len() + stored.len()) as u64;
        self.monitor.begin(
            Phase::Verifying,
            files,
            visible.iter().map(|(_, entry)| entry.size()).sum(),
        );
        self.visible(&visible)?;
        for (hash, file) in &stored {
            if !kept.contains_key(hash) {
                // Not needed by any snapshot, but its name still says what it must be.
                self.object(*hash, file, None)?;
            }
        }
        self.objects(&kept, "of before", &in_head)
    }

    /// The highest number, damage or not.
    fn last_number(&self) -> Result<Option<SnapshotNumber>> {
        let mut highest = 0;
        self.repository.snapshots.visit(&mut |name, _| {
            let number = name
                .to_str()
                .and_then(|name| name.strip_prefix('s'))
                .and_then(|text| text.parse().ok());
            highest = highest.max(number.unwrap_or(0));
        })?;
        Ok(SnapshotNumber::new(highest))
    }

    fn documents(&self, last: SnapshotNumber) -> Result<()> {
        let mut chain = ChainChecker::new();
        for number in (1..=last.get()).filter_map(SnapshotNumber::new) {
            let file = format!(".dsg-repository/snapshots/{number}");
            match self.repository.document_bytes(number) {
                Ok(bytes) => {
                    self.report(|report| report.snapshots += 1);
                    if let Err(broken) = chain.push(number, &bytes) {
                        self.found(
                            file,
                            broken.to_string(),
                            "who changed what and when can't be trusted from here back",
                        );
                        return Ok(());
                    }
                }
                Err(error) => {
                    self.found(
                        file,
                        error.to_string(),
                        "the history before and after it can't be connected",
                    );
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn repository_difference(
        &self,
        old: Option<SnapshotNumber>,
        new: Option<SnapshotNumber>,
    ) -> Result<Vec<Change>> {
        use super::Repository as _;
        self.repository.differences(old, new)
    }

    /// The entries of a snapshot that differ from the previous one; `None` when its manifest is damaged.
    fn manifest(
        &self,
        previous: Option<SnapshotNumber>,
        number: SnapshotNumber,
    ) -> Result<Option<Vec<Change>>> {
        let file = format!(".dsg-repository/snapshots/{number}.trees");
        let packs = &self.repository.packs;
        let read = || -> Result<Vec<Change>> {
            let pack = packs.pack(number.get())?;
            if !pack.is_whole()? {
                return Err(Error::new(
                    crate::error::Code::TreeDamaged,
                    "its bytes changed after it was written",
                ));
            }
            let new = pack.footer()?.root;
            if new.as_ref().map(|root| root.address.hash)
                != self.repository.document(number)?.0.root
            {
                return Err(Error::new(
                    crate::error::Code::TreeDamaged,
                    "it is not the manifest that the document names",
                ));
            }
            let old = match previous {
                Some(previous) => packs.root(previous)?,
                None => None,
            };
            let mut changes = Vec::new();
            let _ = tree::diff(packs, old.as_ref(), new.as_ref(), &mut |change| {
                changes.push(change);
                std::ops::ControlFlow::<()>::Continue(())
            })
            .map_err(tree_error)?;
            Ok(changes)
        };
        match read() {
            Ok(changes) => {
                self.report(|report| report.entries += changes.len() as u64);
                Ok(Some(changes))
            }
            Err(error) => {
                self.found(file, error.to_string(), format!("which files {number} had can't be told; their contents may still be in objects/"));
                Ok(None)
            }
        }
    }

    /// Checks files of the visible tree against the newest state.
    fn visible(&self, entries: &[(RepoPath, Entry)]) -> Result<()> {
        entries.par_chunks(128).try_for_each(|chunk| {
            let mut parents = Parents::new(&self.repository.root);
            let mut buffer = Vec::new();
            for (path, entry) in chunk {
                check_stop(self.monitor)?;
                if let Err(what) = self.one_visible(&mut parents, path, entry, &mut buffer) {
                    self.found(path.as_str(), what, "the newest version of this file is not what was committed: `dsg doctor` settles it");
                }
                self.monitor.advance(1, entry.size());
            }
            Ok(())
        })
    }

    fn one_visible(
        &self,
        parents: &mut Parents<'_>,
        path: &RepoPath,
        entry: &Entry,
        buffer: &mut Vec<u8>,
    ) -> std::result::Result<(), String> {
        let text = |error: crate::system::SystemError| error.source.to_string();
        let (directory, name) = parents.of(Path::new(path.as_str())).map_err(text)?;
        match entry {
            Entry::Link(link) => match directory.link_text(name).map_err(text)? {
                Some(target) if *target == *link.target => Ok(()),
                _ => Err("the link points elsewhere".to_owned()),
            },
            Entry::File(file) => {
                let reader = directory.open_file(name).map_err(text)?;
                let (hash, size) = reader.hash(buffer, &|_| {}).map_err(text)?;
                self.report(|report| {
                    report.contents += 1;
                    report.bytes += size;
                });
                if hash == file.hash {
                    Ok(())
                } else {
                    Err("its bytes were changed without dsg".to_owned())
                }
            }
        }
    }

    /// Checks contents that are no longer at a path of the newest state: those `of` the snapshot that
    /// stands beside them, or `of before` it.
    fn objects(
        &self,
        kept: &BTreeMap<ContentHash, (RepoPath, SnapshotNumber)>,
        whose: &str,
        elsewhere: &HashSet<ContentHash>,
    ) -> Result<()> {
        let kept: Vec<_> = kept.iter().collect();
        kept.par_iter().try_for_each(|(hash, (path, number))| {
            check_stop(self.monitor)?;
            let name = hash.to_string();
            if present(self.repository.objects.status(&name))?.is_none()
                && elsewhere.contains(*hash)
            {
                return Ok(());
            }
            self.object(**hash, &name, Some(&format!("{path} {whose} {number}")))
        })
    }

    fn object(&self, hash: ContentHash, name: &str, of: Option<&str>) -> Result<()> {
        let file = format!(".dsg-repository/objects/{name}");
        let meaning = match of {
            Some(of) => {
                format!("the old version {of} is lost, unless a project or a backup has it")
            }
            None => "no snapshot needs it".to_owned(),
        };
        match self.repository.object_file(hash) {
            Ok(Some(reader)) => {
                let (found, size) = reader.hash(&mut Vec::new(), &|_| {})?;
                self.report(|report| {
                    report.contents += 1;
                    report.bytes += size;
                });
                if found != hash {
                    self.found(file, "its bytes were changed", meaning);
                }
            }
            Ok(None) => self.found(file, "it is missing", meaning),
            Err(error) => self.found(file, error.to_string(), meaning),
        }
        self.monitor.advance(1, 0);
        Ok(())
    }
}

/// The contents in `objects/`, by name.
fn stored_objects(objects: &Directory) -> Result<Vec<(ContentHash, String)>> {
    let mut stored = Vec::new();
    objects.visit(&mut |name, _| {
        if let Some(name) = name.to_str()
            && let Ok(hash) = name.parse()
        {
            stored.push((hash, name.to_owned()));
        }
    })?;
    Ok(stored)
}
