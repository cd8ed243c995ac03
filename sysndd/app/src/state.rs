//! What every handler may reach.

use std::ops::Deref;
use std::sync::Arc;

use foundation_durable::Database;
use foundation_durable::migration::{MigrationFile, Migrations, Problem, Status};
use foundation_runtime::clock::{Clock, SystemClock};
use foundation_runtime::lifecycle::Lifecycle;
use foundation_runtime::machine;
use foundation_runtime::metrics::Metrics;
use sysndd_store::schema;

use crate::server::limits::Limits;
use crate::server::numbers::Numbers;
use crate::server::readiness::Cache;
use crate::settings::Settings;

/// The state of a serving process; clones share it.
#[derive(Clone)]
pub struct State(Arc<Shared>);

/// What a [`State`] holds.
pub struct Shared {
    /// The pools.
    pub database: Database,
    /// Begins readings, and remembers what they worked out.
    pub reader: sysndd_store::Reader,
    /// The settings.
    pub settings: Settings,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Whether it starts, serves or ends.
    pub life: Lifecycle,
    /// The name of this run of the process.
    pub boot_id: String,
    /// The migrations of this program.
    pub migrations: Arc<Migrations>,
    /// How migrating goes in this process.
    pub migration_status: Status,
    /// Numbers about requests.
    pub metrics: Arc<Metrics>,
    pub(crate) numbers: Numbers,
    pub(crate) limits: Limits,
    pub(crate) readiness: Cache,
}

/// The migrations that are in this program.
///
/// # Errors
/// When the files don't fit the manifest, which a test excludes.
pub fn migrations() -> Result<Migrations, Problem> {
    let files: Vec<MigrationFile> =
        schema::FILES.iter().map(|&(name, text)| MigrationFile { name, text }).collect();
    #[cfg(feature = "faults")]
    let (files, manifest) = crate::faults::with_more(files, schema::MANIFEST);
    #[cfg(feature = "faults")]
    return Migrations::new(&files, &manifest);
    #[cfg(not(feature = "faults"))]
    Migrations::new(&files, schema::MANIFEST)
}

impl State {
    /// State for a process with these settings; `status` is that of its coordinator.
    ///
    /// # Errors
    /// When the system has no random bytes for the name of this run.
    pub fn new(
        database: Database,
        settings: Settings,
        migrations: Arc<Migrations>,
        status: Status,
    ) -> std::io::Result<Self> {
        let mut metrics = Metrics::new();
        let numbers = Numbers::register(&mut metrics);
        Ok(Self(Arc::new(Shared {
            reader: sysndd_store::Reader::new(database.clone()),
            database,
            clock: Arc::new(SystemClock::new()),
            life: Lifecycle::new(),
            boot_id: machine::boot_id()?,
            migrations,
            migration_status: status,
            metrics: Arc::new(metrics),
            numbers,
            limits: Limits::new(&settings.public),
            readiness: Cache::default(),
            settings,
        })))
    }
}

impl Deref for State {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}
