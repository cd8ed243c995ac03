//! The health routes of the published API: `/api/health/`, `/api/health/ready` and
//! `/api/health/performance`, with the keys that monitoring of the earlier system reads.

use std::path::Path;

use axum::extract::State as Extract;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use axum::{Json, Router};
use foundation_runtime::machine;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::readiness::{self, Report};
use crate::state::State;

fn handlers() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(alive)).routes(routes!(ready)).routes(routes!(performance))
}

pub(crate) fn router(state: State) -> Router {
    let (router, _) = handlers().split_for_parts();
    router.route("/api/health", get(async || Redirect::temporary("/api/health/"))).with_state(state)
}

/// Their part of the description of the API.
pub(crate) fn openapi() -> OpenApi {
    handlers().into_openapi()
}

/// That the process answers.
#[derive(Serialize, ToSchema)]
struct Alive {
    #[schema(example = "healthy")]
    status: &'static str,
    timestamp: String,
    /// The version of the program.
    version: &'static str,
}

/// Whether this process can serve, and what it has to do with.
#[derive(Clone, Serialize, ToSchema)]
pub(super) struct Readiness {
    /// `healthy` or `unhealthy`.
    status: &'static str,
    /// `connected` or `disconnected`.
    database: &'static str,
    pub(super) migrations: Migrations,
    pool: Pool,
    pub(super) timestamp: String,
    /// Why it can't serve, as a word.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason: Option<&'static str>,
    /// Why it can't serve, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) detail: Option<String>,
    /// The same, if a migration failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error: Option<String>,
}

/// The schema of the database.
#[derive(Clone, Serialize, ToSchema)]
pub(super) struct Migrations {
    pending: usize,
    applied: usize,
    pub(super) state: &'static str,
    startup: Startup,
    lock: Lock,
    manifest: Manifest,
}

/// What this process did about the schema when it started.
#[derive(Clone, Copy, Serialize, ToSchema)]
struct Startup {
    /// Everything was there already.
    fast_path: bool,
    /// It had the lock, and migrated.
    lock_acquired: bool,
}

/// Who migrates now.
#[derive(Clone, Serialize, ToSchema)]
struct Lock {
    locked: bool,
    holder: Option<String>,
    step: Option<String>,
    since: Option<String>,
}

/// The migrations that this program brings.
#[derive(Clone, Copy, Serialize, ToSchema)]
struct Manifest {
    ok: bool,
    expected_latest: Option<&'static str>,
    migration_file_count: usize,
}

/// Connections to the database.
#[derive(Clone, Copy, Serialize, ToSchema)]
struct Pool {
    max_size: u32,
    active: u32,
    idle: u32,
    total: u32,
}

/// That the process answers; it looks at nothing else.
#[utoipa::path(
    get, path = "/api/health/", tag = "Service", operation_id = "healthAlive",
    responses((status = 200, description = "It answers", body = Alive))
)]
async fn alive(Extract(state): Extract<State>) -> Response {
    let version = env!("CARGO_PKG_VERSION");
    uncached(StatusCode::OK, Alive { status: "healthy", timestamp: now(&state), version })
}

/// Whether this process can serve.
#[utoipa::path(
    get, path = "/api/health/ready", tag = "Service", operation_id = "healthReady",
    responses(
        (status = 200, description = "It can", body = Readiness),
        (status = 503, description = "It can't; `reason` says why", body = Readiness)
    )
)]
async fn ready(Extract(state): Extract<State>) -> Response {
    let report = readiness::report(&state).await;
    let (status, body) = published(&state, &report);
    uncached(status, body)
}

/// The published body and its status.
pub(super) fn published(state: &State, report: &Report) -> (StatusCode, Readiness) {
    let reason = report.reason(state);
    let outcome = state.migration_status.outcome();
    let pool = state.database.pool_use();
    let look = report.look.as_ref();
    let files = state.migrations.files();
    let holder = report.holder.as_ref();
    let mut body = Readiness {
        status: if reason.is_none() { "healthy" } else { "unhealthy" },
        database: if look.is_some() { "connected" } else { "disconnected" },
        migrations: Migrations {
            pending: look.map_or(0, |look| look.pending.len()),
            applied: look.map_or(0, |look| look.applied.len()),
            state: look.map_or("unknown", |look| look.state.name()),
            startup: Startup {
                fast_path: outcome.as_ref().is_some_and(|outcome| outcome.fast_path),
                lock_acquired: outcome.as_ref().is_some_and(|outcome| outcome.lock_acquired),
            },
            lock: Lock {
                locked: holder.is_some(),
                holder: holder.map(|holder| holder.who.clone()),
                step: holder.map(|holder| holder.step.clone()),
                since: holder.map(|holder| holder.since.clone()),
            },
            manifest: Manifest {
                ok: true,
                expected_latest: files.last().map(|file| file.name),
                migration_file_count: files.len(),
            },
        },
        pool: Pool {
            max_size: pool.max_size,
            active: pool.active,
            idle: pool.idle,
            total: pool.active + pool.idle,
        },
        timestamp: now(state),
        reason: reason.as_ref().map(|reason| reason.word),
        detail: None,
        error: None,
    };
    match reason {
        None => return (StatusCode::OK, body),
        Some(reason) if reason.word == "migration_error" => body.error = Some(reason.detail),
        Some(reason) => body.detail = Some(reason.detail),
    }
    (StatusCode::SERVICE_UNAVAILABLE, body)
}

/// What the process uses. The keys are those of the earlier system, whose workers and caches were other
/// ones.
#[derive(Serialize, ToSchema)]
struct Performance {
    workers: Workers,
    cache: Cache,
    environment: Environment,
    timestamp: String,
}

/// Threads and connections.
#[derive(Serialize, ToSchema)]
struct Workers {
    total_workers: usize,
    connections: u32,
    /// Always false: there is no dispatcher any more.
    dispatcher_active: bool,
}

/// Files in the data directory.
#[derive(Serialize, ToSchema)]
struct Cache {
    file_count: u64,
    total_size_mb: f64,
    /// Always null: nothing is cached in files any more.
    oldest_cache: Option<String>,
    /// Always null.
    newest_cache: Option<String>,
}

/// The process.
#[derive(Serialize, ToSchema)]
struct Environment {
    version: &'static str,
    memory_mb: f64,
    cpu_seconds: f64,
    open_files: u64,
}

/// What the process uses.
#[utoipa::path(
    get, path = "/api/health/performance", tag = "Service", operation_id = "healthPerformance",
    responses((status = 200, description = "Connections, files, memory", body = Performance))
)]
async fn performance(Extract(state): Extract<State>) -> Response {
    let pool = state.database.pool_use();
    let (files, bytes) = files_in(&state.settings.data);
    #[expect(clippy::cast_precision_loss, reason = "a number for people")]
    let megabytes = |bytes: u64| (bytes as f64 / 10_485.76).round() / 100.0;
    let body = Performance {
        workers: Workers {
            total_workers: std::thread::available_parallelism().map_or(1, usize::from),
            connections: pool.active + pool.idle,
            dispatcher_active: false,
        },
        cache: Cache {
            file_count: files,
            total_size_mb: megabytes(bytes),
            oldest_cache: None,
            newest_cache: None,
        },
        environment: Environment {
            version: env!("CARGO_PKG_VERSION"),
            memory_mb: megabytes(machine::memory_bytes()),
            cpu_seconds: machine::cpu_seconds(),
            open_files: machine::open_files(),
        },
        timestamp: now(&state),
    };
    uncached(StatusCode::OK, body)
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

fn uncached(status: StatusCode, body: impl Serialize) -> Response {
    let headers = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    (status, headers, Json(body)).into_response()
}
