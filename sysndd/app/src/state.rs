//! What every handler may reach.

use std::ops::Deref;
use std::sync::Arc;

use foundation_durable::Database;
use foundation_runtime::clock::{Clock, SystemClock};
use foundation_runtime::lifecycle::Lifecycle;

use crate::settings::Settings;

/// The state of a serving process; clones share it.
#[derive(Clone)]
pub struct State(Arc<Shared>);

/// What a [`State`] holds.
pub struct Shared {
    /// The pools.
    pub database: Database,
    /// The settings.
    pub settings: Settings,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Whether it starts, serves or ends.
    pub life: Lifecycle,
}

impl State {
    /// State for a process with these settings.
    #[must_use]
    pub fn new(database: Database, settings: Settings) -> Self {
        Self(Arc::new(Shared {
            database,
            settings,
            clock: Arc::new(SystemClock::new()),
            life: Lifecycle::new(),
        }))
    }
}

impl Deref for State {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}
