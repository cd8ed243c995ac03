//! The numbers that are read when somebody asks for the metrics.

use foundation_durable::migration::State as Schema;
use foundation_runtime::lifecycle::Phase;
use foundation_runtime::machine;
use foundation_runtime::metrics::{Family, Labels, Metrics, Number, Total};

use super::readiness::Report;
use crate::state::State;

/// Numbers about database, migrations and process.
pub(crate) struct Numbers {
    pool: Family<Labels, Number>,
    schema: Family<Labels, Number>,
    pending: Number,
    applied: Total,
    duration: Number,
    lock_wait: Number,
    holder: Family<Labels, Number>,
    ready: Number,
    response_time: Number,
    free: Number,
    memory: Number,
    cpu: Total,
    files: Number,
}

impl Numbers {
    pub(crate) fn register(metrics: &mut Metrics) -> Self {
        let version = metrics.numbers("sysndd_build_info", "The version of this program");
        let label = vec![("version", env!("CARGO_PKG_VERSION").to_owned())];
        version.get_or_create(&label).set(1.0);
        Self {
            pool: metrics
                .numbers("sysndd_database_pool_connections", "Connections by what they do"),
            schema: metrics
                .numbers("sysndd_migration_state", "1 for the state that the schema is in"),
            pending: metrics.number("sysndd_migration_pending", "Migrations that are missing"),
            applied: metrics.total("sysndd_migration_applied", "Migrations that are applied"),
            duration: metrics.number(
                "sysndd_migration_duration_seconds",
                "How long all applied migrations took",
            ),
            lock_wait: metrics.number(
                "sysndd_migration_lock_wait_seconds",
                "How long this process waited for others at its start",
            ),
            holder: metrics
                .numbers("sysndd_migration_lock_holder_info", "1 for the process that migrates"),
            ready: metrics.number("sysndd_ready", "Whether this process is ready"),
            response_time: metrics.number(
                "sysndd_database_response_seconds",
                "How long the last look at the schema took",
            ),
            free: metrics.number("sysndd_data_free_bytes", "Free space for the data directory"),
            memory: metrics.number("process_resident_memory_bytes", "Memory in use"),
            cpu: metrics.total("process_cpu_seconds", "Processor time used"),
            files: metrics.number("process_open_fds", "Open files"),
        }
    }

    /// Sets them to what is so now.
    pub(super) fn update(&self, state: &State, report: &Report) {
        let pool = state.database.pool_use();
        for (name, count) in [("max", pool.max_size), ("active", pool.active), ("idle", pool.idle)]
        {
            self.pool.get_or_create(&vec![("state", name.to_owned())]).set(f64::from(count));
        }
        let schema = report.look.as_ref().map(|look| look.state);
        for known in Schema::ALL {
            let value = f64::from(u8::from(schema == Some(known)));
            self.schema.get_or_create(&vec![("state", known.name().to_owned())]).set(value);
        }
        if let Some(look) = &report.look {
            self.pending.set(count(look.pending.len() as u64));
            self.applied.set(count(look.applied.len() as u64));
            let milliseconds: i64 = look.applied.iter().map(|row| row.milliseconds).sum();
            self.duration.set(count(u64::try_from(milliseconds).unwrap_or(0)) / 1000.0);
        }
        self.holder.clear();
        if let Some(holder) = &report.holder {
            self.holder.get_or_create(&vec![("holder", holder.who.clone())]).set(1.0);
        }
        let ready = state.life.phase() == Phase::Serving && report.reason(state).is_none();
        self.ready.set(f64::from(u8::from(ready)));
        self.lock_wait.set(state.migration_status.lock_wait().as_secs_f64());
        self.response_time.set(report.response_time.as_secs_f64());
        self.free.set(count(machine::free_bytes(&state.settings.data).unwrap_or(0)));
        self.memory.set(count(machine::memory_bytes()));
        self.cpu.set(machine::cpu_seconds());
        self.files.set(count(machine::open_files()));
    }
}

#[expect(clippy::cast_precision_loss, reason = "the text format has no other numbers")]
const fn count(number: u64) -> f64 {
    number as f64
}
