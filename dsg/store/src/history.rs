//! Looking back: who committed what (`log`), and what happened to one path (`blame`).
//!
//! Both work over the requests of [`Repository`] alone, so they ask for little at a time: documents
//! in batches, single entries, differences of neighbours. A log always walks down from the newest
//! document, also when it shows only older ones, because each document is proven by the hash in the
//! one after it: what is shown is the past that the head vouches for, or an error.

use dsg_core::entry::{Entry, same};
use dsg_core::hash::ChainHash;
pub use dsg_core::history::EventKind;
use dsg_core::history::{Event, blame as events_of};
use dsg_core::path::RepoPath;
use dsg_core::snapshot::{SnapshotDocument, SnapshotNumber};
use dsg_core::tree::Change;
use jiff::Timestamp;

use crate::error::{Code, Error, Result};
use crate::monitor::{Monitor, Phase, check_stop};
use crate::repository::{Head, Repository};

/// Documents that are asked for at once.
const BATCH: u64 = 64;
/// Below this likeness (of 1) a name is no guess for another.
const LIKENESS_MIN: f64 = 0.6;
/// Names that are offered instead of one that is not there.
const NEAR_MAX: usize = 3;

/// What a log is to tell.
#[derive(Clone, Debug, Default)]
pub struct LogOptions {
    /// The most snapshots; 0 for all.
    pub limit: usize,
    /// Only those whose author has this text, in any case.
    pub author: Option<String>,
    /// Only those committed then or later.
    pub since: Option<Timestamp>,
    /// Only this one and older ones.
    pub start: Option<SnapshotNumber>,
    /// Only those that changed this file, or something below this directory.
    pub path: Option<RepoPath>,
}

/// How many paths a snapshot changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChangeCounts {
    /// Paths that the snapshot before did not have.
    pub added: u64,
    /// Paths that became something else.
    pub changed: u64,
    /// Paths that are gone.
    pub deleted: u64,
}

impl ChangeCounts {
    fn of(changes: &[Change]) -> Self {
        let mut counts = Self::default();
        for change in changes.iter().filter(|change| is_real(change)) {
            match (&change.old, &change.new) {
                (None, _) => counts.added += 1,
                (_, None) => counts.deleted += 1,
                _ => counts.changed += 1,
            }
        }
        counts
    }
}

/// A snapshot in a log.
#[derive(Clone, Debug)]
pub struct LogEntry {
    /// Its number.
    pub number: SnapshotNumber,
    /// What its document says.
    pub document: SnapshotDocument,
    /// The hash of its document.
    pub chain: ChainHash,
    /// How much it changed.
    pub counts: ChangeCounts,
}

/// The snapshots that fit, newest first.
///
/// # Errors
/// [`Code::ChainDamaged`] where a document is not the one that the next one names,
/// [`Code::NotFound`] when there is no snapshot to start from.
pub fn log(
    repository: &dyn Repository,
    options: &LogOptions,
    monitor: &dyn Monitor,
) -> Result<Vec<LogEntry>> {
    monitor.begin(Phase::Fetching, 0, 0);
    let head = repository.head()?;
    if let Some(start) = options.start
        && head.is_none_or(|head| head.number < start)
    {
        return Err(no_snapshot(start, head.as_ref()));
    }
    let Some(head) = head else { return Ok(Vec::new()) };
    let wanted = options.author.as_ref().map(|author| author.to_lowercase());
    let mut walk = WalkBack::from(repository, &head);
    let mut versions = Versions { repository, newest: None };
    let mut entries = Vec::new();
    while let Some(told) = walk.step()? {
        check_stop(monitor)?;
        monitor.advance(1, 0);
        let Told { number, document, chain } = told;
        let by = |wanted: &String| document.author.to_lowercase().contains(wanted);
        if options.start.is_some_and(|start| number > start)
            || options.since.is_some_and(|since| document.time < since)
            || !wanted.as_ref().is_none_or(by)
        {
            continue;
        }
        if let Some(path) = &options.path
            && !versions.changed(number, path)?
        {
            continue;
        }
        let changes = repository.differences(number.previous(), Some(number))?;
        entries.push(LogEntry { number, document, chain, counts: ChangeCounts::of(&changes) });
        if entries.len() == options.limit {
            break;
        }
    }
    Ok(entries)
}

fn no_snapshot(number: SnapshotNumber, head: Option<&Head>) -> Error {
    let why = match head {
        Some(head) => format!("the newest is {}", head.number),
        None => "the repository has none yet".to_owned(),
    };
    Error::new(Code::NotFound, format!("there is no snapshot {number}"))
        .because(why)
        .next("`dsg log -n 0` lists all snapshots")
}

/// Information alone (time, author) is no change.
fn is_real(change: &Change) -> bool {
    !same(change.old.as_ref(), change.new.as_ref())
}

/// A document that was proven by the one after it.
struct Told {
    number: SnapshotNumber,
    document: SnapshotDocument,
    chain: ChainHash,
}

/// Goes from the head back, document by document.
struct WalkBack<'a> {
    repository: &'a dyn Repository,
    /// The next one to tell and the hash that it must have.
    next: Option<(SnapshotNumber, ChainHash)>,
    batch: Vec<(SnapshotNumber, Vec<u8>)>,
}

impl<'a> WalkBack<'a> {
    fn from(repository: &'a dyn Repository, head: &Head) -> Self {
        Self { repository, next: Some((head.number, head.chain)), batch: Vec::new() }
    }

    fn step(&mut self) -> Result<Option<Told>> {
        let Some((number, expected)) = self.next else { return Ok(None) };
        if self.batch.is_empty() {
            let first = number.get().saturating_sub(BATCH - 1).max(1);
            let first = SnapshotNumber::new(first).unwrap_or(SnapshotNumber::FIRST);
            self.batch = self.repository.documents(first, number)?;
        }
        let bytes = match self.batch.pop() {
            Some((found, bytes)) if found == number => bytes,
            _ => return Err(broken(number, "it is missing")),
        };
        let chain = ChainHash::of(&bytes);
        if chain != expected {
            return Err(broken(number, "it is not the one that the snapshot after it names"));
        }
        let document = SnapshotDocument::decode(&bytes).map_err(|error| broken(number, error))?;
        if document.number != number || document.repository != self.repository.description().id {
            return Err(broken(number, "it belongs to another snapshot or repository"));
        }
        self.next = match (number.previous(), document.parent) {
            (Some(previous), Some(parent)) => Some((previous, parent)),
            (None, None) => None,
            (Some(_), None) => return Err(broken(number, "it names no snapshot before it")),
            (None, Some(_)) => return Err(broken(number, "it names a snapshot before the first")),
        };
        Ok(Some(Told { number, document, chain }))
    }
}

fn broken(number: SnapshotNumber, why: impl std::fmt::Display) -> Error {
    Error::new(Code::ChainDamaged, format!("the chain is broken at the document of {number}"))
        .because(why)
        .next("run `dsg validate-chain`; restore the file from a backup of the repository")
}

/// What one path was in neighbouring snapshots. The log goes down, so what was the older one of a
/// pair is the newer one of the next.
struct Versions<'a> {
    repository: &'a dyn Repository,
    newest: Option<(SnapshotNumber, Option<Entry>)>,
}

impl Versions<'_> {
    /// Whether a snapshot changed the file at `path` or anything below a directory there.
    fn changed(&mut self, number: SnapshotNumber, path: &RepoPath) -> Result<bool> {
        let new = match self.newest.take() {
            Some((known, entry)) if known == number => entry,
            _ => self.repository.entry(number, path)?,
        };
        let previous = number.previous();
        let old = match previous {
            Some(previous) => self.repository.entry(previous, path)?,
            None => None,
        };
        let answer = if old.is_some() || new.is_some() {
            !same(old.as_ref(), new.as_ref())
        } else {
            let changes = self.repository.differences(previous, Some(number))?;
            changes.iter().any(|change| change.path.is_below(path) && is_real(change))
        };
        self.newest = previous.map(|previous| (previous, old));
        Ok(answer)
    }
}

/// Something that happened to a path.
#[derive(Clone, Debug)]
pub struct BlameEvent {
    /// The snapshot.
    pub number: SnapshotNumber,
    /// When it was committed.
    pub time: Timestamp,
    /// Who committed it.
    pub author: String,
    /// What they said of it.
    pub message: String,
    /// What happened.
    pub kind: EventKind,
    /// What the path was afterwards; `None` when it was deleted.
    pub entry: Option<Entry>,
}

/// What happened to the file or link at `path`, oldest first; deleted ones too.
///
/// # Errors
/// [`Code::NotFound`] with near names when no snapshot ever had it.
pub fn blame(
    repository: &dyn Repository,
    path: &RepoPath,
    monitor: &dyn Monitor,
) -> Result<Vec<BlameEvent>> {
    let head = repository.head()?;
    let last = head.map_or(0, |head| head.number.get());
    monitor.begin(Phase::Fetching, last, 0);
    let mut versions = Vec::new();
    for number in (1..=last).filter_map(SnapshotNumber::new) {
        check_stop(monitor)?;
        let entry = repository.entry(number, path)?;
        let before: Option<&Entry> =
            versions.last().and_then(|(_, entry): &(_, Option<_>)| entry.as_ref());
        if !same(before, entry.as_ref()) {
            versions.push((number.get(), entry));
        }
        monitor.advance(1, 0);
    }
    let events = events_of(versions);
    if events.is_empty() {
        return Err(never_known(repository, path)?);
    }
    events.into_iter().map(|event| told(repository, event)).collect()
}

fn told(repository: &dyn Repository, event: Event) -> Result<BlameEvent> {
    let missing = || broken(SnapshotNumber::FIRST, "a snapshot that was just there is gone");
    let number = SnapshotNumber::new(event.snapshot).ok_or_else(missing)?;
    let document = document(repository, number)?;
    Ok(BlameEvent {
        number,
        time: document.time,
        author: document.author,
        message: document.message,
        kind: event.kind,
        entry: event.entry,
    })
}

/// The document of one snapshot.
///
/// # Errors
/// When it is not there or can't be read.
pub fn document(repository: &dyn Repository, number: SnapshotNumber) -> Result<SnapshotDocument> {
    let documents = match repository.documents(number, number) {
        Err(error) if error.code == Code::NotFound => Vec::new(),
        other => other?,
    };
    match documents.first() {
        Some((_, bytes)) => SnapshotDocument::decode(bytes).map_err(|error| broken(number, error)),
        None => Err(no_snapshot(number, repository.head()?.as_ref())),
    }
}

/// Whether the repository still has the snapshot that somebody saw: its document must hash to what
/// they noted. `None`: it does. The document of the newest snapshot is named by no other, so this
/// is the only proof of it.
///
/// # Errors
/// When the repository can't be read.
pub fn missing_since(
    repository: &dyn Repository,
    seen: (SnapshotNumber, ChainHash),
) -> Result<Option<String>> {
    let (number, chain) = seen;
    match repository.documents(number, number) {
        Ok(documents) => {
            let found = documents.first().map(|(_, bytes)| ChainHash::of(bytes));
            let changed =
                || format!("the document of {number} is not the one that this project has seen");
            Ok((found != Some(chain)).then(changed))
        }
        Err(error) if error.code == Code::NotFound => {
            Ok(Some(format!("{number} is gone, which this project has seen")))
        }
        Err(error) => Err(error),
    }
}

fn never_known(repository: &dyn Repository, path: &RepoPath) -> Result<Error> {
    let near = near(repository, path)?;
    let error = Error::new(Code::NotFound, format!("no snapshot has a file {path}"));
    Ok(if near.is_directory {
        error
            .because("it is a directory")
            .next("`dsg log` with the same path lists the snapshots that changed something in it")
    } else if near.paths.is_empty() {
        error.next("`dsg list-files` shows what is here, `dsg log` what was committed")
    } else {
        error.about(&near.paths).next("did you mean one of these?")
    })
}

/// What might have been meant by a path that is not there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Near {
    /// The newest snapshot has files below it.
    pub is_directory: bool,
    /// Files of the newest snapshot that are called much the same, the likeliest first.
    pub paths: Vec<RepoPath>,
}

/// Looks for what might have been meant by `path`.
///
/// # Errors
/// When the manifest can't be read.
pub fn near(repository: &dyn Repository, path: &RepoPath) -> Result<Near> {
    let Some(head) = repository.head()? else { return Ok(Near::default()) };
    let mut candidates = Vec::new();
    let mut is_directory = false;
    for change in repository.differences(None, Some(head.number))? {
        is_directory |= change.path.is_below(path);
        let likeness = likeness(path, &change.path);
        if likeness >= LIKENESS_MIN {
            candidates.push((likeness, change.path));
        }
    }
    candidates.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let paths = candidates.into_iter().take(NEAR_MAX).map(|(_, path)| path).collect();
    Ok(Near { is_directory, paths })
}

/// From 0 to 1. The same name in another directory is as likely as a slip in the whole path.
fn likeness(wanted: &RepoPath, found: &RepoPath) -> f64 {
    let lower = |text: &str| text.to_lowercase();
    let whole =
        strsim::normalized_damerau_levenshtein(&lower(wanted.as_str()), &lower(found.as_str()));
    let name = strsim::normalized_damerau_levenshtein(&lower(wanted.name()), &lower(found.name()));
    whole.max(name * 0.95)
}

#[cfg(test)]
mod tests;
