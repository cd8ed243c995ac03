//! Guards: plans that are refused because they look like an accident.
//!
//! An unplugged disk, a folder that was moved away and a wrong mount all look like "the user
//! deleted everything". Nothing of a single path shows that; the amount does. The user can say that
//! it is meant.

use super::{Plan, PlanContext};
use crate::path::RepoPath;

/// Deleting is refused above this share of a side's entries, in percent; both this and
/// [`MASS_DELETION_ENTRIES`] have to be reached.
pub const MASS_DELETION_PERCENT: u64 = 25;

/// Deleting is never refused below this number of entries.
pub const MASS_DELETION_ENTRIES: u64 = 100;

/// The most paths that a refusal names.
pub const SHOWN_MAX: usize = 20;

/// One of the two sides that are made equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The project on this disk.
    Local,
    /// The repository.
    Remote,
}

impl std::fmt::Display for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Local => "this project",
            Self::Remote => "the repository",
        })
    }
}

/// What happened to a data directory besides becoming empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Suspicion {
    /// It is on another device than when it was last seen: something was mounted or is not.
    ChangedDevice,
    /// It was a directory and is a link.
    BecameLink,
    /// It can't be read.
    NotReadable,
}

impl std::fmt::Display for Suspicion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::ChangedDevice => "it is on another device than before",
            Self::BecameLink => "it became a link",
            Self::NotReadable => "it can't be read",
        })
    }
}

/// A data directory that became empty, or can't be read, in a way that looks like an accident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuspiciousDirectory {
    /// The text of its path; empty for the whole project.
    pub directory: Box<str>,
    /// What happened to it.
    pub why: Suspicion,
}

/// Why a plan must not be carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Too much of a side would be deleted.
    #[error("{deleted} of {of} entries would be deleted in {side}")]
    MassDeletion {
        /// The side.
        side: Side,
        /// How many entries it would lose.
        deleted: u64,
        /// How many it has.
        of: u64,
        /// The first of them, at most [`SHOWN_MAX`].
        first: Vec<RepoPath>,
    },
    /// Deletions would follow from a data directory that only looks empty.
    #[error("{entries} entries of `{directory}` would be deleted in the repository, but {why}")]
    EmptiedDataDirectory {
        /// The text of its path; empty for the whole project.
        directory: Box<str>,
        /// What happened to it.
        why: Suspicion,
        /// How many entries below it the repository would lose.
        entries: u64,
    },
}

/// The refusals of a plan; none when the user allowed what they guard against.
pub(super) fn refusals(plan: &Plan, context: &PlanContext<'_>) -> Vec<Refusal> {
    if context.allow_mass_delete {
        return Vec::new();
    }
    let sides = [(Side::Local, context.totals.local), (Side::Remote, context.totals.remote)];
    let mass = sides.into_iter().filter_map(|(side, of)| mass_deletion(plan, side, of));
    let emptied = context.suspicious_directories.iter().filter_map(|at| emptied(plan, at));
    // What only looks deleted is the reason for the number, so it comes first.
    emptied.chain(mass).collect()
}

fn mass_deletion(plan: &Plan, side: Side, of: u64) -> Option<Refusal> {
    let deleted = plan.deletions(side).count() as u64;
    let share = u128::from(deleted) * 100 > u128::from(of) * u128::from(MASS_DELETION_PERCENT);
    (share && deleted >= MASS_DELETION_ENTRIES).then(|| {
        let first = plan.deletions(side).take(SHOWN_MAX).map(|step| step.path().clone());
        Refusal::MassDeletion { side, deleted, of, first: first.collect() }
    })
}

fn emptied(plan: &Plan, suspicious: &SuspiciousDirectory) -> Option<Refusal> {
    let SuspiciousDirectory { directory, why } = suspicious;
    let below = plan.deletions(Side::Remote).filter(|step| step.path().is_in(directory));
    let entries = below.count() as u64;
    (entries > 0).then(|| Refusal::EmptiedDataDirectory {
        directory: directory.clone(),
        why: *why,
        entries,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conflict::Resolutions;
    use crate::plan::model::{file, path, triple};
    use crate::plan::{Totals, Triple, plan};

    fn context(resolutions: &Resolutions) -> PlanContext<'_> {
        PlanContext {
            unknown: &[],
            resolutions,
            totals: Totals { local: 1000, remote: 1000 },
            suspicious_directories: &[],
            allow_mass_delete: false,
        }
    }

    fn deletions(side: Side, number: u64) -> Vec<Triple> {
        let a = file("a", 1);
        let one = |index: u64| match side {
            Side::Remote => triple(&format!("in/{index:04}"), None, Some(&a), Some(&a)),
            Side::Local => triple(&format!("in/{index:04}"), Some(&a), Some(&a), None),
        };
        (0..number).map(one).collect()
    }

    #[test]
    fn deleting_more_than_a_quarter_and_a_hundred_entries_is_refused() {
        let resolutions = Resolutions::default();
        for side in [Side::Local, Side::Remote] {
            for (deleted, of, refused) in [
                (99, 99, false),
                (100, 399, true),
                (100, 400, false),
                (101, 400, true),
                (100, 0, true),
            ] {
                let mut context = context(&resolutions);
                context.totals = match side {
                    Side::Local => Totals { local: of, remote: 100_000 },
                    Side::Remote => Totals { local: 100_000, remote: of },
                };
                let refusals = plan(deletions(side, deleted), &context).refusals;
                assert_eq!(!refusals.is_empty(), refused, "{deleted} of {of}");
                if let [Refusal::MassDeletion { side: at, deleted: number, of: all, first }] =
                    &refusals[..]
                {
                    assert_eq!((*at, *number, *all, first.len()), (side, deleted, of, SHOWN_MAX));
                    assert_eq!(first[0], path("in/0000"));
                }
                context.allow_mass_delete = true;
                assert!(plan(deletions(side, deleted), &context).refusals.is_empty());
            }
        }
    }

    #[test]
    fn what_explains_a_mass_deletion_is_said_before_it() {
        let resolutions = Resolutions::default();
        let suspicious =
            [SuspiciousDirectory { directory: "in".into(), why: Suspicion::ChangedDevice }];
        let context = PlanContext {
            suspicious_directories: &suspicious,
            totals: Totals { local: 1, remote: 150 },
            ..context(&resolutions)
        };
        let refusals = plan(deletions(Side::Remote, 150), &context).refusals;
        assert!(
            matches!(
                refusals[..],
                [Refusal::EmptiedDataDirectory { .. }, Refusal::MassDeletion { .. }]
            ),
            "{refusals:?}"
        );
    }

    #[test]
    fn a_directory_that_only_looks_empty_deletes_nothing() {
        let resolutions = Resolutions::default();
        for (directory, why, side, refused) in [
            ("in", Suspicion::ChangedDevice, Side::Remote, true),
            ("", Suspicion::NotReadable, Side::Remote, true),
            ("in", Suspicion::BecameLink, Side::Local, false),
            ("i", Suspicion::BecameLink, Side::Remote, false),
        ] {
            let suspicious = [SuspiciousDirectory { directory: directory.into(), why }];
            let mut context =
                PlanContext { suspicious_directories: &suspicious, ..context(&resolutions) };
            let expected =
                Refusal::EmptiedDataDirectory { directory: directory.into(), why, entries: 3 };
            let refusals = plan(deletions(side, 3), &context).refusals;
            assert_eq!(refusals, if refused { vec![expected] } else { vec![] });
            context.allow_mass_delete = true;
            assert!(plan(deletions(side, 3), &context).refusals.is_empty());
        }
    }
}
