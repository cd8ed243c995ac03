//! Whether this process may get requests: the database answers, its schema is one that this program
//! serves, the data directory can be written, and nobody asked it to stop.
//!
//! A data directory without space does not keep it from being ready. All replicas have the same one, and
//! reading needs none of it: the site would be down for want of exports. It is told as a warning instead.
//!
//! The schema is looked at anew each time, and not remembered from the start: it may be restored or
//! migrated under a running process. One look serves all who ask within a second.

use std::time::Duration;

use foundation_durable::Error;
use foundation_durable::migration::{Holder, Look, Phase, State as Schema, lock_holder, look};
use foundation_runtime::lifecycle::Phase as LifePhase;
use foundation_runtime::machine;
use tokio::sync::Mutex;

use crate::settings::Ahead;
use crate::state::State;

/// How long an answer is good for.
const FRESH: Duration = Duration::from_secs(1);
/// With less space than this the data directory counts as full: a workbook needs about as much.
const DATA_FREE_MIN: u64 = 1 << 20;
/// How long the database may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// What was found, and when.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    /// The schema; nothing, if the database did not answer.
    pub look: Option<Look>,
    /// Why the database did not answer.
    pub unavailable: Option<String>,
    /// How long it took to answer.
    pub response_time: Duration,
    /// Who migrates now.
    pub holder: Option<Holder>,
    /// Whether the data directory can be written.
    pub data_writable: bool,
    /// Bytes that are free there; nothing, if the system does not say.
    pub data_free: Option<u64>,
}

/// The last report.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    last: Mutex<Option<(Duration, Report)>>,
}

/// Why a process is not ready, in the words of the published API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reason {
    /// The word.
    pub word: &'static str,
    /// What is the matter.
    pub detail: String,
}

impl Report {
    /// That the data directory is full, if it is: what still works, and what to do.
    #[must_use]
    pub(crate) fn data_full(&self, state: &State) -> Option<String> {
        let free = self.data_free.filter(|free| *free < DATA_FREE_MIN)?;
        let place = state.settings.data.display();
        Some(format!(
            "{free} bytes are free for the data directory {place}: exports and writes fail, and no replica can start, until there is more space"
        ))
    }

    /// Whether the schema is one that this process serves.
    #[must_use]
    pub(crate) fn schema_serves(&self, ahead: Ahead) -> bool {
        self.look.as_ref().is_some_and(|look| {
            look.serves || (look.state == Schema::Ahead && ahead == Ahead::ReadOnly)
        })
    }

    /// Why this process is not ready; none if it is. Who asks may send requests at once when told
    /// that it is, so it is not before the public door is open.
    #[must_use]
    pub(crate) fn reason(&self, state: &State) -> Option<Reason> {
        self.obstacle(state).or_else(|| {
            let detail = "the public port is not open yet".to_owned();
            let starting = state.life.phase() == LifePhase::Starting;
            starting.then_some(Reason { word: "starting", detail })
        })
    }

    /// What keeps the public door closed; none if it may open.
    #[must_use]
    pub(crate) fn obstacle(&self, state: &State) -> Option<Reason> {
        let reason = |word, detail: String| Some(Reason { word, detail });
        if let Some(what) = &self.unavailable {
            return reason("database_unavailable", what.clone());
        }
        let look = self.look.as_ref()?;
        if !self.schema_serves(state.settings.ahead) {
            if let Phase::Failed { what } = state.migration_status.phase() {
                return reason("migration_error", what);
            }
            if matches!(look.state, Schema::Empty | Schema::Pending) {
                return reason(
                    "migrations_pending",
                    waiting(look, &state.migration_status.phase()),
                );
            }
            return reason(
                "migration_error",
                format!("the schema is {}: {}", look.state.name(), look.detail),
            );
        }
        if !self.data_writable {
            let place = state.settings.data.display();
            return reason(
                "data_directory",
                format!("the data directory {place} can't be written"),
            );
        }
        if state.life.is_ending() {
            return reason("draining", "this process was asked to stop".to_owned());
        }
        None
    }
}

fn waiting(look: &Look, phase: &Phase) -> String {
    let count = look.pending.len();
    match phase {
        Phase::Migrating { file, step, since } => {
            format!("{count} pending; this process is at `{file}: {step}` since {since:.0}")
        }
        Phase::Waiting { holder: Some(holder), since } => {
            format!("{count} pending; waiting since {since:.0} for {holder}")
        }
        Phase::Waiting { holder: None, since } => {
            format!("{count} pending; waiting since {since:.0} for another process")
        }
        _ => format!("{count} pending"),
    }
}

/// The report, at most a second old.
pub(crate) async fn report(state: &State) -> Report {
    let mut last = state.readiness.last.lock().await;
    let now = state.clock.monotonic();
    if let Some((when, report)) = &*last
        && now.saturating_sub(*when) < FRESH
    {
        return report.clone();
    }
    let report = fresh(state).await;
    *last = Some((state.clock.monotonic(), report.clone()));
    report
}

async fn fresh(state: &State) -> Report {
    let began = state.clock.monotonic();
    let asked = tokio::time::timeout(PATIENCE, ask(state)).await;
    let response_time = state.clock.monotonic().saturating_sub(began);
    let data_writable = machine::is_writable(&state.settings.data);
    let data_free = machine::free_bytes(&state.settings.data);
    let (look, holder, unavailable) = match asked {
        Ok(Ok((look, holder))) => (Some(look), holder, None),
        Ok(Err(error)) => (None, None, Some(error.to_string())),
        Err(_) => (None, None, Some("the database did not answer within a second".to_owned())),
    };
    Report { look, unavailable, response_time, holder, data_writable, data_free }
}

async fn ask(state: &State) -> Result<(Look, Option<Holder>), Error> {
    let look = look(&state.database, &state.migrations).await?;
    // A process that only reads must stop writing when the schema has moved on, and may write again
    // when it was restored.
    state.database.set_read_only(look.state == Schema::Ahead && !look.serves);
    let holder = match look.state {
        Schema::Empty | Schema::Pending => match state.migration_status.phase() {
            Phase::Migrating { file, step, since } => Some(Holder {
                who: "this process".to_owned(),
                step: format!("{file}: {step}"),
                since: format!("{since:.0}"),
            }),
            _ => lock_holder(&state.database).await?,
        },
        _ => None,
    };
    Ok((look, holder))
}
