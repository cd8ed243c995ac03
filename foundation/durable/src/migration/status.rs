//! What the coordinator is doing, for health checks.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::coordinator::Outcome;
use super::holder::Holder;

/// What it does at this moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// Looks at the schema.
    #[default]
    Looking,
    /// The database does not answer; it is asked again and again.
    Unavailable {
        /// What the attempt ended with.
        what: String,
    },
    /// Another process migrates, or is expected to.
    Waiting {
        /// Which, if that is known.
        holder: Option<Holder>,
        /// Since when this process waits.
        since: Timestamp,
    },
    /// This process migrates.
    Migrating {
        /// The file.
        file: String,
        /// The step.
        step: String,
        /// Since when.
        since: Timestamp,
    },
    /// It is over: the schema can be used.
    Done,
    /// It failed; it is tried again after a while.
    Failed {
        /// Why.
        what: String,
    },
}

/// Numbers and words about migrations in this process; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Status {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Clone, Debug, Default)]
struct Inner {
    phase: Phase,
    outcome: Option<Outcome>,
    lock_wait: Duration,
}

impl Status {
    /// What is done now.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.inner().phase.clone()
    }

    /// How the start went, once it is over.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        self.inner().outcome.clone()
    }

    /// How long this process waited for others.
    #[must_use]
    pub fn lock_wait(&self) -> Duration {
        self.inner().lock_wait
    }

    pub(super) fn enter(&self, phase: Phase) {
        self.inner().phase = phase;
    }

    pub(super) fn waited(&self, duration: Duration) {
        self.inner().lock_wait = duration;
    }

    pub(super) fn finish(&self, outcome: Outcome) {
        let mut inner = self.inner();
        inner.phase = Phase::Done;
        inner.outcome = Some(outcome);
    }

    /// Fields are replaced by calls that can't panic, so a poisoned lock holds good ones.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
