//! Bringing contents here: staged below `.dsg/tx/<transaction>/`, each proven by its hash as it lands,
//! before anything is visible.

use std::collections::{BTreeMap, HashSet};

use dsg_core::entry::{Entry, FileEntry};
use dsg_core::hash::ContentHash;
use dsg_core::plan::{Action, Step};
use dsg_core::snapshot::TransactionId;
use rayon::prelude::*;

use super::left_over::{Left, LeftOvers, RESUMED_BYTES_MIN, staged_name};
use super::look::Look;
use super::upload::{chunk_size, concatenate};
use crate::error::Result;
use crate::monitor::{Monitor, Phase};
use crate::project::{LocalOperation, StagedFile, backup_name};
use crate::repository::{Has, Receiver, Repository, Wanted};
use crate::system::{Directory, Landing, Parents, Reader, Writer, present};

/// Brings what the plan needs, and says what is to be done with it. What earlier runs had brought is
/// used, and what of it is not needed thrown away.
pub(super) fn download(
    look: &Look,
    root: &Directory,
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
    let sizes: HashSet<u64> =
        steps.iter().filter_map(|step| wanted(step)).map(Entry::size).collect();
    let mut left_overs = LeftOvers::find(transactions, transaction, &sizes, monitor)?;
    let own = transactions.directory_made(transaction.to_string(), 0o700)?;
    let files = steps.iter().filter(|step| step.action != Action::DeleteLocal).count();
    let bytes = steps.iter().filter_map(|step| wanted(step)).map(Entry::size).sum();
    monitor.begin(Phase::Downloading, files as u64, bytes);
    let landing = Landing::of(files as u64, &own)?;
    let mut arrival = Arrival::new(look, root, &own, &landing, monitor);
    arrival.prepare(&steps, &mut left_overs)?;
    // Before anything comes: the disk may have been full.
    left_overs.discard_all_but(arrival.begun.values())?;
    repository.read_many(&arrival.wanted, &arrival, monitor)?;
    let operations: Vec<Vec<LocalOperation>> = steps
        .par_chunks(chunk_size(steps.len()))
        .enumerate()
        .map(|(piece, chunk)| {
            let first = piece * chunk_size(steps.len());
            let staged = |(number, step): (usize, &&Step)| {
                let new = match wanted(step) {
                    Some(entry) => {
                        let name = name_of(first + number, step, entry);
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
        make_durable(&own, transactions, &landing).inspect_err(|_| {
            // As in `Directory::sync_or_remove`.
            let _ = own.clear();
        })?;
    }
    Ok(concatenate(operations))
}

fn make_durable(own: &Directory, transactions: &Directory, landing: &Landing) -> Result<()> {
    if landing.together() {
        return Ok(landing.sync(own)?);
    }
    own.sync()?;
    Ok(transactions.sync()?)
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

/// The content that the path has here, if it is one that the repository had: the new one may have
/// much of it.
fn older(step: &Step) -> Option<(ContentHash, u64)> {
    let (local, cached) = (step.triple.local.as_ref()?, step.triple.cached.as_deref()?);
    let content = cached.content().filter(|_| local.same(cached))?;
    (cached.size() >= RESUMED_BYTES_MIN).then_some((content, cached.size()))
}

/// Under which name a step stages. A large content that comes from its beginning to its end is known
/// by it to the next run, if this one is cut off.
fn name_of(number: usize, step: &Step, entry: &Entry) -> String {
    let whole = entry.size() >= RESUMED_BYTES_MIN && older(step).is_none();
    staged_name(number, entry.content().filter(|_| whole))
}

/// The files that the steps bring, each staged under its number: in one request, so that many are on
/// their way at once.
struct Arrival<'a> {
    look: &'a Look,
    root: &'a Directory,
    own: &'a Directory,
    landing: &'a Landing,
    monitor: &'a dyn Monitor,
    wanted: Vec<Wanted<'a>>,
    /// What those are for.
    coming: Vec<Coming<'a>>,
    /// Which of them an earlier run had begun.
    begun: BTreeMap<usize, Left>,
}

struct Coming<'a> {
    name: String,
    step: &'a Step,
    file: &'a FileEntry,
}

impl<'a> Arrival<'a> {
    fn new(
        look: &'a Look,
        root: &'a Directory,
        own: &'a Directory,
        landing: &'a Landing,
        monitor: &'a dyn Monitor,
    ) -> Self {
        let (wanted, coming, begun) = (Vec::new(), Vec::new(), BTreeMap::new());
        Self { look, root, own, landing, monitor, wanted, coming, begun }
    }

    /// Makes the links, takes over what an earlier run had brought, and notes what has to come.
    fn prepare(&mut self, steps: &[&'a Step], left_overs: &mut LeftOvers) -> Result<()> {
        for (number, step) in steps.iter().enumerate() {
            let Some(entry) = wanted(step) else { continue };
            let name = name_of(number, step, entry);
            match entry {
                Entry::Link(link) => {
                    self.own.create_link(name, &link.target)?;
                    self.monitor.advance(1, 0);
                }
                Entry::File(file) => self.prepare_file(name, step, file, left_overs)?,
            }
        }
        Ok(())
    }

    fn prepare_file(
        &mut self,
        name: String,
        step: &'a Step,
        file: &'a FileEntry,
        left_overs: &mut LeftOvers,
    ) -> Result<()> {
        if let Some(left) = left_overs.take_proven(file.hash) {
            let writer = left.adopt(self.own, &name, mode(file))?;
            self.monitor.advance(0, file.size);
            return self.keep(&name, file, &writer);
        }
        if let Some(left) = left_overs.take_begun(file.hash).filter(|left| left.size <= file.size) {
            self.begun.insert(self.wanted.len(), left);
        }
        self.wanted.push(Wanted { hash: file.hash, size: file.size, path: step.path() });
        self.coming.push(Coming { name, step, file });
        Ok(())
    }

    fn keep(&self, name: &str, file: &FileEntry, writer: &Writer) -> Result<()> {
        writer.set_modified(file.modified)?;
        if self.landing.each(file.size) {
            self.own.sync_or_remove(name, writer)?;
        }
        self.monitor.advance(1, 0);
        Ok(())
    }
}

fn mode(file: &FileEntry) -> u32 {
    if file.executable { 0o777 } else { 0o666 }
}

impl Receiver for Arrival<'_> {
    fn create(&self, number: usize) -> Result<Writer> {
        let coming = &self.coming[number];
        // Whoever does not go on with what was begun needs its room.
        if let Some(left) = self.begun.get(&number) {
            left.remove()?;
        }
        Ok(self.own.create_file(&coming.name, mode(coming.file))?)
    }

    fn finish(&self, number: usize, file: Writer) -> Result<()> {
        let coming = &self.coming[number];
        self.keep(&coming.name, coming.file, &file)
    }

    fn reopen(&self, number: usize) -> Result<Writer> {
        let coming = &self.coming[number];
        Ok(self.own.open_in_place(&coming.name, mode(coming.file))?)
    }

    fn has(&self, number: usize) -> Option<Has> {
        let coming = &self.coming[number];
        if coming.file.size < RESUMED_BYTES_MIN {
            return None;
        }
        if let Some(left) = self.begun.get(&number) {
            return Some(Has::Beginning(left.size));
        }
        older(coming.step).map(|(hash, size)| Has::Older(hash, size))
    }

    fn begun(&self, number: usize) -> Result<Writer> {
        let coming = &self.coming[number];
        match self.begun.get(&number) {
            Some(left) => left.adopt(self.own, &coming.name, mode(coming.file)),
            None => self.create(number),
        }
    }

    fn older(&self, number: usize) -> Result<Option<Reader>> {
        let step = self.coming[number].step;
        let at = self.look.local.at(step.path());
        let mut parents = Parents::new(self.root);
        let Some((directory, name)) = present(parents.of(&at))? else { return Ok(None) };
        // Whatever it is by now, what comes of it is hashed; but each part must be there.
        let size = older(step).map(|(_, size)| size);
        Ok(directory.open_file(name).ok().filter(|file| Some(file.opened().size) == size))
    }
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
        backup.filter(|_| old.is_some() && !in_history).map(|stamp| backup_name(&name, stamp));
    LocalOperation {
        path: triple.path.clone(),
        at: at.to_string_lossy().into_owned(),
        old,
        new,
        backup,
    }
}
