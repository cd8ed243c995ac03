//! The health routes of the published API: `/api/health/`, `/api/health/ready` and
//! `/api/health/performance`, with the keys that monitoring of the earlier system reads.

use std::path::Path;

use axum::extract::State as Extract;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use axum::{Json, Router};
use foundation_runtime::machine;
use serde_json::{Value, json};

use super::readiness::{self, Report};
use crate::state::State;

pub(super) fn router(state: State) -> Router {
    Router::new()
        .route("/api/health", get(async || Redirect::temporary("/api/health/")))
        .route("/api/health/", get(alive))
        .route("/api/health/ready", get(ready))
        .route("/api/health/performance", get(performance))
        .with_state(state)
}

async fn alive(Extract(state): Extract<State>) -> Response {
    let body = json!({ "status": "healthy", "timestamp": now(&state), "version": env!("CARGO_PKG_VERSION") });
    uncached(StatusCode::OK, body)
}

async fn ready(Extract(state): Extract<State>) -> Response {
    let report = readiness::report(&state).await;
    let (status, body) = published(&state, &report);
    uncached(status, body)
}

/// The published body and its status.
pub(super) fn published(state: &State, report: &Report) -> (StatusCode, Value) {
    let reason = report.reason(state);
    let outcome = state.migration_status.outcome();
    let pool = state.database.pool_use();
    let applied = report.look.as_ref().map_or(0, |look| look.applied.len());
    let pending = report.look.as_ref().map_or(0, |look| look.pending.len());
    let schema = report.look.as_ref().map_or("unknown", |look| look.state.name());
    let files = state.migrations.files();
    let holder = report.holder.as_ref();
    let mut body = json!({
        "status": if reason.is_none() { "healthy" } else { "unhealthy" },
        "database": if report.look.is_some() { "connected" } else { "disconnected" },
        "migrations": {
            "pending": pending,
            "applied": applied,
            "state": schema,
            "startup": {
                "fast_path": outcome.as_ref().is_some_and(|outcome| outcome.fast_path),
                "lock_acquired": outcome.as_ref().is_some_and(|outcome| outcome.lock_acquired),
            },
            "lock": {
                "locked": holder.is_some(),
                "holder": holder.map(|holder| &holder.who),
                "step": holder.map(|holder| &holder.step),
                "since": holder.map(|holder| &holder.since),
            },
            "manifest": {
                "ok": true,
                "expected_latest": files.last().map(|file| file.name),
                "migration_file_count": files.len(),
            },
        },
        "pool": {
            "max_size": pool.max_size,
            "active": pool.active,
            "idle": pool.idle,
            "total": pool.active + pool.idle,
        },
        "timestamp": now(state),
    });
    let Some(reason) = reason else {
        return (StatusCode::OK, body);
    };
    body["reason"] = reason.word.into();
    let key = if reason.word == "migration_error" { "error" } else { "detail" };
    body[key] = reason.detail.into();
    (StatusCode::SERVICE_UNAVAILABLE, body)
}

/// The keys are those of the earlier system, whose workers and caches were other ones.
async fn performance(Extract(state): Extract<State>) -> Json<Value> {
    let pool = state.database.pool_use();
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let (files, bytes) = files_in(&state.settings.data);
    #[expect(clippy::cast_precision_loss, reason = "a number for people")]
    let megabytes = |bytes: u64| (bytes as f64 / 10_485.76).round() / 100.0;
    Json(json!({
        "workers": {
            "total_workers": workers,
            "connections": pool.active + pool.idle,
            "dispatcher_active": false,
        },
        "cache": {
            "file_count": files,
            "total_size_mb": megabytes(bytes),
            "oldest_cache": null,
            "newest_cache": null,
        },
        "environment": {
            "version": env!("CARGO_PKG_VERSION"),
            "memory_mb": megabytes(machine::memory_bytes()),
            "cpu_seconds": machine::cpu_seconds(),
            "open_files": machine::open_files(),
        },
        "timestamp": now(&state),
    }))
}

/// Files that lie directly in the data directory, and their bytes.
fn files_in(directory: &Path) -> (u64, u64) {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return (0, 0);
    };
    let sizes = entries.flatten().filter_map(|entry| entry.metadata().ok());
    sizes
        .filter(std::fs::Metadata::is_file)
        .fold((0, 0), |(files, bytes), metadata| (files + 1, bytes + metadata.len()))
}

fn now(state: &State) -> String {
    format!("{:.0}", state.clock.now())
}

fn uncached(status: StatusCode, body: Value) -> Response {
    let headers = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    (status, headers, Json(body)).into_response()
}
