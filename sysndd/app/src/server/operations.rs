//! The routes for operations: health in the manner of Kubernetes, details, metrics. They answer from
//! the first moment on; a stranger should not reach them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::{RawQuery, State as Extract};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use foundation_runtime::lifecycle::Phase;
use foundation_runtime::metrics;
use serde_json::json;

use super::health;
use super::readiness::{self, Report};
use crate::state::State;

/// How often the main loop says that it is there.
const BEAT: Duration = Duration::from_secs(1);
/// How long it may be silent.
const SILENCE_MAX: u64 = 10;

/// The second of the last beat, by the clock's monotonic time.
static BEATEN: AtomicU64 = AtomicU64::new(0);

pub(super) fn router(state: &State) -> Router {
    Router::new()
        .route("/livez", get(live))
        .route("/readyz", get(ready))
        .route("/startupz", get(started))
        .route("/health", get(detail))
        .route("/metrics", get(numbers))
        .with_state(state.clone())
        .merge(health::router(state.clone()))
}

/// Beats for the life of the process; also where what is seldom gets done.
pub(super) async fn beat(state: State) {
    let mut ticks: u64 = 0;
    loop {
        BEATEN.store(state.clock.monotonic().as_secs(), Ordering::Relaxed);
        tokio::time::sleep(BEAT).await;
        ticks += 1;
        if ticks.is_multiple_of(60) {
            state.limits.tidy();
        }
    }
}

/// Touches neither database nor disk nor network: what is wrong there, a restart does not mend.
async fn live(Extract(state): Extract<State>) -> Response {
    let silent = state.clock.monotonic().as_secs().saturating_sub(BEATEN.load(Ordering::Relaxed));
    if silent > SILENCE_MAX {
        return (StatusCode::SERVICE_UNAVAILABLE, format!("silent for {silent} s\n"))
            .into_response();
    }
    "ok\n".into_response()
}

async fn ready(Extract(state): Extract<State>, RawQuery(query): RawQuery) -> Response {
    let report = readiness::report(&state).await;
    checks(&state, &report, query.as_deref().unwrap_or_default())
}

async fn started(Extract(state): Extract<State>) -> Response {
    if state.life.phase() > Phase::Starting {
        return "ok\n".into_response();
    }
    let report = readiness::report(&state).await;
    let what = report.reason(&state).map_or_else(
        || "starting".to_owned(),
        |reason| format!("{}: {}", reason.word, reason.detail),
    );
    (StatusCode::SERVICE_UNAVAILABLE, format!("{what}\n")).into_response()
}

/// One line a check with `?verbose` or when something is wrong, `[!]` before what is only a warning;
/// `?exclude=name` leaves one out.
fn checks(state: &State, report: &Report, query: &str) -> Response {
    let reason = report.reason(state);
    let said = |words: &[&str]| {
        let reason = reason.as_ref().filter(|reason| words.contains(&reason.word));
        reason.map(|reason| reason.detail.clone())
    };
    let pool = state.database.pool_use();
    let starved = pool.active >= pool.max_size && report.unavailable.is_some();
    let found = [
        ("db", report.unavailable.clone()),
        ("schema", said(&["migration_error", "migrations_pending"])),
        ("data", (!report.data_writable).then(|| "the data directory can't be written".to_owned())),
        ("pool", starved.then(|| "all connections are in use".to_owned())),
        ("started", said(&["starting"])),
        ("draining", state.life.is_ending().then(|| "asked to stop".to_owned())),
    ];
    let parameters: Vec<&str> = query.split('&').collect();
    let excluded =
        |name: &str| parameters.iter().any(|text| text.strip_prefix("exclude=") == Some(name));
    let mut text = String::new();
    let mut fine = true;
    for (name, problem) in found.iter().filter(|(name, _)| !excluded(name)) {
        match problem {
            None => text.push_str(&format!("[+]{name} ok\n")),
            Some(problem) => {
                fine = false;
                text.push_str(&format!("[-]{name} failed: {problem}\n"));
            }
        }
    }
    if !excluded("data")
        && let Some(warning) = report.data_full(state)
    {
        text.push_str(&format!("[!]data warning: {warning}\n"));
    }
    if fine {
        let verbose = parameters.iter().any(|text| text.starts_with("verbose"));
        return if verbose { text.into_response() } else { "ok\n".into_response() };
    }
    (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
}

/// Details as `application/health+json`.
async fn detail(Extract(state): Extract<State>) -> Response {
    let report = readiness::report(&state).await;
    let (code, published) = health::published(&state, &report);
    let time = published.timestamp.clone();
    let word = |fine: bool| if fine { "pass" } else { "fail" };
    let full = report.data_full(&state);
    let space = if full.is_some() { "warn" } else { "pass" };
    let milliseconds = report.response_time.as_secs_f64() * 1000.0;
    let body = json!({
        "status": if code == StatusCode::OK { space } else { "fail" },
        "version": env!("CARGO_PKG_VERSION"),
        "serviceId": "sysndd",
        "instance": state.boot_id,
        "phase": state.life.phase().name(),
        "checks": {
            "db:responseTime": [{
                "componentType": "datastore",
                "observedValue": milliseconds,
                "observedUnit": "ms",
                "status": word(report.look.is_some()),
                "time": time,
            }],
            "schema:state": [{
                "componentType": "datastore",
                "observedValue": published.migrations.state,
                "status": word(report.schema_serves(state.settings.ahead)),
                "output": published.detail,
                "time": time,
            }],
            "data:writable": [{
                "componentType": "system",
                "observedValue": report.data_writable,
                "status": word(report.data_writable),
                "time": time,
            }],
            "data:free": [{
                "componentType": "system",
                "observedValue": report.data_free,
                "observedUnit": "bytes",
                "status": space,
                "output": full,
                "time": time,
            }],
        },
        "published": published,
    });
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/health+json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("max-age=1")),
    ];
    (code, headers, Json(body)).into_response()
}

async fn numbers(Extract(state): Extract<State>) -> Response {
    let report = readiness::report(&state).await;
    state.numbers.update(&state, &report);
    ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], state.metrics.text()).into_response()
}
