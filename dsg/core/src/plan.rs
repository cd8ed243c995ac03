//! Planning: from the paths at which L, C and R differ to what is to be done about each.
//!
//! The plan is made whole before anything is done, because some questions are about all of it: is
//! what comes out still a tree, does it delete too much, would two names be mixed up by a file
//! system that ignores case? It is a value, so that it can be shown (`--dry-run`), refused, asked
//! about, and tested without a disk. Nothing here reads, and nothing here is skipped silently: a
//! path that is left alone is counted.

mod collision;
mod decide;
mod guard;
mod shape;

use std::sync::Arc;

use crate::compare::{LocalEntry, SyncState, classify};
use crate::conflict::{Choice, Resolutions};
use crate::entry::{Entry, same};
use crate::path::RepoPath;

pub use collision::{Collision, collisions};
pub use guard::{
    MASS_DELETION_ENTRIES, MASS_DELETION_PERCENT, Refusal, SHOWN_MAX, Side, Suspicion,
    SuspiciousDirectory,
};

/// What L, C and R have at a path. There are as many as paths differ, and most have only one of the
/// three; where C and R have the same, it is there once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Triple {
    /// The path.
    pub path: RepoPath,
    /// L: what is on disk.
    pub local: Option<LocalEntry>,
    /// C: what was last agreed.
    pub cached: Option<Arc<Entry>>,
    /// R: what the repository's head has.
    pub remote: Option<Arc<Entry>>,
}

impl Triple {
    /// The state of the path.
    #[must_use]
    pub fn state(&self) -> SyncState {
        classify(self.local.as_ref(), self.cached.as_deref(), self.remote.as_deref())
    }
}

/// What is to be done about a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Leave it alone.
    Nothing,
    /// R becomes what L is.
    Upload,
    /// L becomes what R is.
    Download,
    /// R loses it.
    DeleteRemote,
    /// L loses it.
    DeleteLocal,
    /// L and R are the same already: C becomes what R is.
    Agree,
    /// L and R have both lost it: C does too.
    Forget,
    /// L and R become what C is.
    RestoreCached,
    /// Somebody has to do something first; neither side is touched.
    Conflict(Box<Conflict>),
}

impl Action {
    /// Whether the path is deleted on either side or dropped from C.
    #[must_use]
    pub fn removes(&self) -> bool {
        matches!(self, Self::DeleteLocal | Self::DeleteRemote | Self::Forget)
    }
}

/// Why a path can't be settled without somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// Both sides changed it, and not alike: somebody has to choose.
    Differ {
        /// Whether this was asked before.
        asked: Asked,
    },
    /// A file would be where another path needs a directory: somebody has to rename one of them.
    Clash {
        /// The other path.
        with: RepoPath,
    },
}

/// Whether a conflict was asked before, and why the answer could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It was not.
    First,
    /// L or R changed after the answer was given.
    Moved,
    /// The answer is none that this conflict offers, such as C where C has nothing.
    NotOffered(Choice),
    /// Carried out, the answer would put a file where another path needs a directory.
    Blocked {
        /// The answer.
        choice: Choice,
        /// The other path.
        by: RepoPath,
    },
}

/// One path of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The path, and what L, C and R have there.
    pub triple: Triple,
    /// The state it is in.
    pub state: SyncState,
    /// What is to be done.
    pub action: Action,
}

impl Step {
    /// The path.
    #[must_use]
    pub fn path(&self) -> &RepoPath {
        &self.triple.path
    }

    /// Whether somebody has to do something first.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        matches!(self.action, Action::Conflict(_))
    }

    /// Whether this conflict was settled before, for copies that have changed since.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        let stale = Conflict::Differ { asked: Asked::Moved };
        matches!(&self.action, Action::Conflict(conflict) if **conflict == stale)
    }

    /// Whether the path may be there, on either side, once the plan is carried out: both sides
    /// have what was decided; where nothing is decided, each keeps what it has.
    fn is_present_afterwards(&self) -> bool {
        match self.action {
            Action::Upload | Action::Download | Action::Agree | Action::RestoreCached => true,
            Action::DeleteRemote | Action::DeleteLocal | Action::Forget => false,
            Action::Nothing | Action::Conflict(_) => {
                self.triple.local.is_some() || self.triple.remote.is_some()
            }
        }
    }
}

/// How many entries a side has before the plan is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Totals {
    /// Tracked entries of L.
    pub local: u64,
    /// Tracked entries of R.
    pub remote: u64,
}

/// What planning has to know besides the paths.
#[derive(Clone, Copy, Debug)]
pub struct PlanContext<'a> {
    /// Paths of which it is not known what is there or below: they can't be read, or their name or
    /// link was rejected. In any order. A name that is no path at all (it is no UTF-8) stands here
    /// in a spelling that is one, or as the directory that it is in.
    pub unknown: &'a [RepoPath],
    /// How conflicts were settled.
    pub resolutions: &'a Resolutions,
    /// How many entries the sides have.
    pub totals: Totals,
    /// Data directories that lost their entries in a way that looks like an accident.
    pub suspicious_directories: &'a [SuspiciousDirectory],
    /// Whether the user said that deleting much is what they want.
    pub allow_mass_delete: bool,
}

/// What is to be done, all of it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Plan {
    /// By path, without those that are left alone.
    pub steps: Vec<Step>,
    /// Why it must not be carried out, whatever it is.
    pub refusals: Vec<Refusal>,
    /// Differing paths that are left alone because they are unknown or below an unknown path.
    pub held_back: u64,
    /// Resolutions of known paths that are in no conflict (any more), by path.
    pub unused_resolutions: Vec<RepoPath>,
}

/// How many steps of each kind a plan has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Summary {
    /// Paths that R takes from L.
    pub uploads: u64,
    /// Bytes of those.
    pub upload_bytes: u64,
    /// Paths that L takes from R.
    pub downloads: u64,
    /// Bytes of those.
    pub download_bytes: u64,
    /// Paths that R loses.
    pub remote_deletions: u64,
    /// Paths that L loses.
    pub local_deletions: u64,
    /// Paths that L and R take from C.
    pub restorations: u64,
    /// Paths of which only C changes: agreed or forgotten.
    pub cache_only: u64,
    /// Paths that somebody has to settle.
    pub conflicts: u64,
}

impl Plan {
    /// Steps by which R takes L's copy.
    pub fn uploads(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.action == Action::Upload)
    }

    /// Steps by which L takes R's copy.
    pub fn downloads(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.action == Action::Download)
    }

    /// Steps by which a side loses a path.
    pub fn deletions(&self, side: Side) -> impl Iterator<Item = &Step> {
        let action = match side {
            Side::Local => Action::DeleteLocal,
            Side::Remote => Action::DeleteRemote,
        };
        self.steps.iter().filter(move |step| step.action == action)
    }

    /// Steps that somebody has to settle.
    pub fn conflicts(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.is_conflict())
    }

    /// Whether there is nothing to do and nothing to ask.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Whether carrying it out makes a new snapshot.
    #[must_use]
    pub fn changes_repository(&self) -> bool {
        self.steps.iter().any(|step| match step.action {
            Action::Upload | Action::DeleteRemote => true,
            Action::RestoreCached => {
                !same(step.triple.cached.as_deref(), step.triple.remote.as_deref())
            }
            _ => false,
        })
    }

    /// Counts of the steps.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        for step in &self.steps {
            match step.action {
                Action::Upload => {
                    let bytes = step.triple.local.as_ref().map_or(0, LocalEntry::size);
                    summary.uploads += 1;
                    summary.upload_bytes = summary.upload_bytes.saturating_add(bytes);
                }
                Action::Download => {
                    let bytes = step.triple.remote.as_deref().map_or(0, Entry::size);
                    summary.downloads += 1;
                    summary.download_bytes = summary.download_bytes.saturating_add(bytes);
                }
                Action::DeleteRemote => summary.remote_deletions += 1,
                Action::DeleteLocal => summary.local_deletions += 1,
                Action::RestoreCached => summary.restorations += 1,
                Action::Agree | Action::Forget => summary.cache_only += 1,
                Action::Conflict(_) => summary.conflicts += 1,
                Action::Nothing => {}
            }
        }
        summary
    }
}

/// Plans what is to be done about the paths at which at least two of L, C and R differ.
///
/// Every such path has to be among `triples`, once, in any order (the order of paths costs least):
/// what is not is taken to be the same everywhere. L and R must each be a tree. A plan with
/// conflicts or refusals is for showing, not for carrying out.
#[must_use]
pub fn plan(triples: impl IntoIterator<Item = Triple>, context: &PlanContext<'_>) -> Plan {
    let unknown = shape::Unknown::of(context.unknown);
    let mut plan = Plan::default();
    for triple in triples {
        let state = triple.state();
        match decide::action(&triple, state, context.resolutions) {
            Action::Nothing => {}
            _ if unknown.covers(&triple.path) => plan.held_back += 1,
            action => plan.steps.push(Step { triple, state, action }),
        }
    }
    plan.steps.sort_by(|left, right| left.triple.path.cmp(&right.triple.path));
    shape::keep_a_tree(&mut plan.steps, &unknown, context.resolutions);
    plan.refusals = guard::refusals(&plan, context);
    let of_use = |path: &RepoPath| unknown.covers(path) || is_in_conflict(&plan.steps, path);
    let settled = context.resolutions.iter().map(|resolution| &resolution.path);
    plan.unused_resolutions = settled.filter(|path| !of_use(path)).cloned().collect();
    plan
}

fn is_in_conflict(steps: &[Step], path: &RepoPath) -> bool {
    let found = steps.binary_search_by(|step| step.triple.path.cmp(path));
    found.is_ok_and(|index| steps[index].state.is_conflict())
}

#[cfg(test)]
pub(crate) mod model;
#[cfg(test)]
mod tests;
