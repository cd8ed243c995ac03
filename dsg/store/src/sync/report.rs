//! What a sync tells of what it did.

use dsg_core::conflict::Question;
use dsg_core::path::RepoPath;
use dsg_core::plan::{Action, Step, Summary};
use dsg_core::snapshot::SnapshotNumber;

use super::Counts;
use crate::project::{Kept, Skipped};
use crate::repository::PathChange;
use crate::scan::Unknown;

/// What a sync did.
#[derive(Clone, Debug, Default)]
pub struct SyncReport {
    /// The snapshot that it made.
    pub snapshot: Option<SnapshotNumber>,
    /// The repository's newest snapshot now.
    pub head: Option<SnapshotNumber>,
    /// What was planned.
    pub summary: Summary,
    /// The paths, with what was done.
    pub steps: Vec<(RepoPath, &'static str)>,
    /// Paths that were left alone because they changed here meanwhile.
    pub skipped: Vec<Skipped>,
    /// Paths of which nothing can be said.
    pub unknown: Vec<Unknown>,
    /// Links that lead nowhere.
    pub dangling: Vec<RepoPath>,
    /// Numbers.
    pub counts: Counts,
    /// Paths that are left as they are because nothing is known of them or of what is above them.
    pub held_back: u64,
    /// Bytes that went to the repository.
    pub uploaded_bytes: u64,
    /// Directories with untracked files that were moved to the trash.
    pub set_aside: Vec<String>,
    /// Versions that lost against a choice, and where they are kept.
    pub kept: Vec<Kept>,
    /// Whether an earlier sync that had been cut off was finished first.
    pub recovered: bool,
}

/// How a sync ended, when it did not fail.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one of it in a run")]
pub enum SyncOutcome {
    /// L and R agree, but for what the report names.
    Done(SyncReport),
    /// Somebody has to choose first; nothing was changed.
    Conflicts(Vec<Question>),
}

/// What was done about a step, in a word.
#[must_use]
pub fn word(step: &Step) -> &'static str {
    match step.action {
        Action::Nothing => "left alone",
        Action::Upload => "uploaded",
        Action::Download => "downloaded",
        Action::DeleteRemote => "deleted in the repository",
        Action::DeleteLocal => "deleted here",
        Action::Agree => "agreed",
        Action::Forget => "forgotten",
        Action::RestoreCached => "restored",
        Action::Conflict(_) => "in conflict",
    }
}

/// A message for who gave none: what the commit does.
pub(super) fn describe(changes: &[PathChange]) -> String {
    let count =
        |wanted: fn(&PathChange) -> bool| changes.iter().filter(|change| wanted(change)).count();
    let added = count(|change| change.old.is_none());
    let deleted = count(|change| change.new.is_none());
    let parts =
        [(added, "added"), (changes.len() - added - deleted, "changed"), (deleted, "deleted")];
    let parts: Vec<_> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    parts.join(", ")
}
