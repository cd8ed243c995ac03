//! The coordinator: look, try for the lock, look again, apply, say how it went.

use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::Arc;
use std::time::Duration;

use foundation_runtime::clock::Clock;
use foundation_runtime::exit::Exit;
use sqlx::PgConnection;
use thiserror::Error as ThisError;

use super::fault;
use super::file::{Migration, Migrations};
use super::holder::Holder;
use super::look::{Applied, Look, State, judge, look};
use super::session::{Attempt, Session};
use super::status::{Phase, Status};
use crate::database::{Database, DatabaseSettings, Engine};
use crate::error::Error;

const FIRST_PAUSE: Duration = Duration::from_millis(25);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// How often a process that waits says so.
const WORD_EVERY: Duration = Duration::from_secs(10);
/// The name of the lock in the log, as operators know it.
const LOCK_NAME: &str = "sysndd_migration";

/// Who migrates when the schema is not current.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// This process, unless another is quicker.
    #[default]
    Auto,
    /// Another one: this one waits for it.
    Wait,
    /// Nobody: one look, no waiting.
    Off,
}

/// How a start went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The first look found nothing to do.
    pub fast_path: bool,
    /// This process held the lock.
    pub lock_acquired: bool,
    /// The files that it applied.
    pub applied: Vec<String>,
    /// The state at the end.
    pub state: State,
}

/// Why the schema can't be made current.
#[derive(Debug, ThisError)]
pub enum Failure {
    /// The state is one that no migration mends.
    #[error("the schema is {}: {detail}", state.name())]
    State {
        /// Which state.
        state: State,
        /// What is wrong and what to do.
        detail: String,
    },
    /// A step failed; nothing of this run was kept.
    #[error("{file}, step `{step}`: {source}")]
    Step {
        /// The file.
        file: String,
        /// The step.
        step: String,
        /// What the database said.
        source: Error,
    },
    /// A step did not do what it should; nothing of this run was kept.
    #[error("{file}, step `{step}`: the postcondition does not hold: {postcondition}")]
    Postcondition {
        /// The file.
        file: String,
        /// The step.
        step: String,
        /// The question whose answer was not 1.
        postcondition: String,
    },
    /// Rows name rows that are not there; nothing of this run was kept.
    #[error("{file}: rows of {} name rows that are not there", tables.join(", "))]
    References {
        /// The last file of the run.
        file: String,
        /// The tables.
        tables: Vec<String>,
    },
    /// The database could not be asked.
    #[error(transparent)]
    Database(#[from] Error),
}

impl Failure {
    /// The exit code of a command that ends with this.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::State { state: State::Drifted | State::Dirty, .. } => Exit::Integrity,
            Self::State { .. } => Exit::Refused,
            Self::Step { source, .. } | Self::Database(source) => source.exit(),
            Self::Postcondition { .. } | Self::References { .. } => Exit::Unexpected,
        }
    }
}

/// Brings a database to the schema of this program.
pub struct Coordinator {
    settings: DatabaseSettings,
    database: Database,
    migrations: Arc<Migrations>,
    status: Status,
    clock: Arc<dyn Clock>,
    program: String,
    instance: String,
}

impl Coordinator {
    /// A coordinator; `program` is the version, `instance` the machine and process.
    #[must_use]
    pub fn new(
        settings: DatabaseSettings,
        database: Database,
        migrations: Arc<Migrations>,
        clock: Arc<dyn Clock>,
        program: impl Into<String>,
        instance: impl Into<String>,
    ) -> Self {
        let (program, instance) = (program.into(), instance.into());
        let status = Status::default();
        Self { settings, database, migrations, status, clock, program, instance }
    }

    /// What it is doing, for health checks.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status.clone()
    }

    /// Goes on until the schema is current. Waits as long as it takes for a database that does not
    /// answer and for another process that migrates.
    ///
    /// # Errors
    /// When the schema can't be made current.
    pub async fn run(&self, mode: Mode) -> Result<Outcome, Failure> {
        let result = self.attempts(mode).await;
        match &result {
            Ok(outcome) => self.status.finish(outcome.clone()),
            Err(failure) => {
                self.status.enter(Phase::Failed { what: failure.to_string() });
                tracing::error!("FATAL: Migration failed - {failure}");
            }
        }
        result
    }

    async fn attempts(&self, mode: Mode) -> Result<Outcome, Failure> {
        let mut run = Run::new(self.clock.monotonic());
        loop {
            let found = match look(&self.database, &self.migrations).await {
                Ok(found) => found,
                Err(error) if error.retry_helps() => {
                    self.unavailable(&mut run, &error).await;
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            if let Some(outcome) = self.settled(&run, &found, mode)? {
                return Ok(outcome);
            }
            if !run.pending_seen {
                run.pending_seen = true;
                run.pause = FIRST_PAUSE;
                let pending = &found.pending;
                tracing::info!(
                    "Pending migrations detected ({}): {} - acquiring lock",
                    pending.len(),
                    pending.join(", ")
                );
            }
            match self.attempt(&mut run, mode).await {
                Ok(Some(outcome)) => return Ok(outcome),
                Ok(None) => {}
                Err(Failure::Database(error) | Failure::Step { source: error, .. })
                    if matches!(error, Error::Unavailable { .. } | Error::Busy { .. }) =>
                {
                    self.unavailable(&mut run, &error).await;
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    /// Whether the look ends it: nothing to do, or nothing that can be done.
    fn settled(&self, run: &Run, found: &Look, mode: Mode) -> Result<Option<Outcome>, Failure> {
        match found.state {
            State::Current | State::Ahead => {
                let own =
                    |row: &&Applied| row.instance == self.instance && run.tried.contains(&row.name);
                let applied: Vec<String> =
                    found.applied.iter().filter(own).map(|row| row.name.clone()).collect();
                let fast_path = !run.pending_seen;
                if !applied.is_empty() {
                    // The connection was lost while the commit was on its way, and it arrived.
                    self.completed(run, &applied);
                } else if fast_path {
                    tracing::info!("Fast path: schema up to date, no lock needed");
                } else {
                    tracing::info!("Another container completed migrations while we waited");
                }
                let lock_acquired = run.lock_acquired;
                Ok(Some(Outcome { fast_path, lock_acquired, applied, state: found.state }))
            }
            State::Empty | State::Pending if mode == Mode::Off => Ok(Some(Outcome {
                fast_path: false,
                lock_acquired: false,
                applied: Vec::new(),
                state: found.state,
            })),
            State::Empty | State::Pending => Ok(None),
            state => Err(Failure::State { state, detail: found.detail.clone() }),
        }
    }

    async fn attempt(&self, run: &mut Run, mode: Mode) -> Result<Option<Outcome>, Failure> {
        if mode == Mode::Wait {
            self.wait(run, None).await;
            return Ok(None);
        }
        let now = self.clock.now();
        match Session::attempt(&self.settings, &self.instance, now, &mut run.idle).await? {
            Attempt::Held(holder) => {
                self.wait(run, holder).await;
                Ok(None)
            }
            Attempt::Acquired(session) => {
                run.lock_acquired = true;
                tracing::info!("Acquired migration lock '{LOCK_NAME}'");
                let outcome = self.under_the_lock(run, session).await;
                tracing::info!("Released migration lock '{LOCK_NAME}'");
                outcome.map(Some)
            }
        }
    }

    /// Looks again and applies what is missing.
    async fn under_the_lock(
        &self,
        run: &mut Run,
        mut session: Session,
    ) -> Result<Outcome, Failure> {
        match self.apply(run, &mut session).await {
            Ok(applied) if applied.is_empty() => {
                session.roll_back().await;
                tracing::info!("Another container completed migrations while we waited");
                Ok(run.outcome(applied))
            }
            Ok(applied) => {
                session.commit().await?;
                self.completed(run, &applied);
                Ok(run.outcome(applied))
            }
            Err(failure) => {
                session.roll_back().await;
                Err(failure)
            }
        }
    }

    async fn apply(&self, run: &mut Run, session: &mut Session) -> Result<Vec<String>, Failure> {
        let history = session.history().await?;
        let found = judge(&self.migrations, history);
        if !matches!(found.state, State::Pending | State::Current | State::Ahead) {
            return Err(Failure::State { state: found.state, detail: found.detail });
        }
        fault::held().await;
        let done = found.applied.len();
        run.began = self.clock.monotonic();
        run.tried.clone_from(&found.pending);
        for file in self.migrations.files().iter().skip(done) {
            self.apply_file(session, file).await?;
        }
        if let Some(file) = found.pending.last() {
            let tables = session.lost_references().await?;
            if !tables.is_empty() {
                return Err(Failure::References { file: file.clone(), tables });
            }
        }
        Ok(found.pending)
    }

    async fn apply_file(&self, session: &mut Session, file: &Migration) -> Result<(), Failure> {
        let engine: Engine = session.engine();
        let began = self.clock.monotonic();
        let name = || file.name.to_owned();
        for step in file.steps_for(engine) {
            let since = self.clock.now();
            self.status.enter(Phase::Migrating { file: name(), step: step.name.clone(), since });
            session.tell(&format!("{}: {}", file.name, step.name)).await?;
            let done = session.execute("migration", &step.sql).await;
            done.map_err(|source| Failure::Step { file: name(), step: step.name.clone(), source })?;
        }
        for (step, postcondition) in file.postconditions_for(engine) {
            let failed = |source| Failure::Step { file: name(), step: step.name.clone(), source };
            if !session.holds(postcondition).await.map_err(failed)? {
                return Err(Failure::Postcondition {
                    file: name(),
                    step: step.name.clone(),
                    postcondition: postcondition.to_owned(),
                });
            }
        }
        let took = self.clock.monotonic().saturating_sub(began);
        let row = Applied {
            version: file.version,
            name: name(),
            checksum: file.checksum.clone(),
            compatible: file.compatible,
            applied_at: format!("{:.3}", self.clock.now()),
            milliseconds: i64::try_from(took.as_millis()).unwrap_or(i64::MAX),
            program: self.program.clone(),
            instance: self.instance.clone(),
        };
        Ok(session.record(&row).await?)
    }

    fn completed(&self, run: &Run, applied: &[String]) {
        let took = self.clock.monotonic().saturating_sub(run.began);
        tracing::info!(
            "Migrations complete ({} applied in {:.2}s): {}",
            applied.len(),
            took.as_secs_f64(),
            applied.join(", ")
        );
    }

    async fn wait(&self, run: &mut Run, holder: Option<Holder>) {
        let now = self.clock.monotonic();
        let since = *run.waits_since.get_or_insert_with(|| self.clock.now());
        // At once when it is known for whom: who has just got the lock may not have said so yet.
        let is_named = holder.is_some() && !std::mem::replace(&mut run.holder_known, true);
        if is_named {
            run.spoke = None;
        }
        if run.speaks(now) {
            match &holder {
                Some(holder) => tracing::info!("Waiting for migrations by {holder}"),
                None => tracing::info!("Waiting for migrations by another process"),
            }
        }
        self.status.enter(Phase::Waiting { holder, since });
        run.rest().await;
        self.status.waited(self.clock.monotonic().saturating_sub(run.began));
    }

    async fn unavailable(&self, run: &mut Run, error: &Error) {
        if run.speaks(self.clock.monotonic()) {
            tracing::warn!("Waiting for the database: {error}");
        }
        self.status.enter(Phase::Unavailable { what: error.to_string() });
        run.rest().await;
    }
}

/// What one run remembers between its attempts.
struct Run {
    pending_seen: bool,
    lock_acquired: bool,
    /// The files that it was about to apply: if the answer to COMMIT is lost, the history tells.
    tried: Vec<String>,
    began: Duration,
    waits_since: Option<jiff::Timestamp>,
    spoke: Option<Duration>,
    /// Whether a word about waiting could say for whom.
    holder_known: bool,
    pause: Duration,
    /// The connection that asked for the lock and did not get it.
    idle: Option<PgConnection>,
}

impl Run {
    const fn new(now: Duration) -> Self {
        Self {
            pending_seen: false,
            lock_acquired: false,
            tried: Vec::new(),
            began: now,
            waits_since: None,
            spoke: None,
            holder_known: false,
            pause: FIRST_PAUSE,
            idle: None,
        }
    }

    const fn outcome(&self, applied: Vec<String>) -> Outcome {
        let lock_acquired = self.lock_acquired;
        Outcome { fast_path: false, lock_acquired, applied, state: State::Current }
    }

    /// Whether it is time for another word about waiting.
    fn speaks(&mut self, now: Duration) -> bool {
        let due = self.spoke.is_none_or(|spoke| now.saturating_sub(spoke) >= WORD_EVERY);
        if due {
            self.spoke = Some(now);
        }
        due
    }

    /// Sleeps between half the pause and all of it, so that those who started together don't go on
    /// asking together; the next pause is twice as long.
    async fn rest(&mut self) {
        let random = std::collections::hash_map::RandomState::new().build_hasher().finish();
        let half = self.pause / 2;
        let share = u32::try_from(random % 1000).unwrap_or(0);
        tokio::time::sleep(half + half * share / 1000).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }
}
