//! What the service says of itself.

use axum::extract::State;
use axum::http::HeaderMap;
use serde::Serialize;
use sysndd_store::provenance::{self, COMPUTED};
use utoipa::ToSchema;

use super::Shared;
use super::answer::{Answer, json, open, refused};
use super::problem::Problems;

/// The title, as published.
pub(super) const TITLE: &str = "SysNDD API";
/// What it is, as published.
pub(super) const DESCRIPTION: &str = "This is the API powering the SysNDD website, allowing \
    programmatic access to the database contents.";
/// The version of the program.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What runs here, on which data.
#[derive(Serialize, ToSchema)]
pub(super) struct VersionAnswer {
    /// The version of the program.
    version: String,
    /// The commit it was built from; `unknown` if the build did not say.
    commit: String,
    title: String,
    description: String,
    /// The data it serves.
    data: DataVersion,
}

/// The data that is served.
#[derive(Serialize, ToSchema)]
pub(super) struct DataVersion {
    /// A number that grows with every change.
    version: i64,
    /// `computed, not curated` if a rule made categories of entities; `curated` if people chose all of
    /// them.
    category: String,
    /// Where the data come from.
    sources: Vec<DataSource>,
}

/// Where data come from.
#[derive(Serialize, ToSchema)]
pub(super) struct DataSource {
    name: String,
    /// The release, as its package states it.
    release: String,
    licence: String,
    address: String,
    /// What must be said when it is used.
    statement: String,
    loaded_at: String,
}

/// The version of the API.
#[derive(Serialize, ToSchema)]
pub(super) struct ApiVersion {
    api_version: String,
}

/// What runs here, on which data.
#[utoipa::path(
    get, path = "/api/version/", tag = "Service", operation_id = "version",
    responses((status = 200, description = "Program and data", body = VersionAnswer), Problems)
)]
pub(super) async fn version(State(shared): State<Shared>, headers: HeaderMap) -> Answer {
    let mut reading = open(&shared.state, &headers).await?;
    let failed = |error| refused(sysndd_store::Error::Database(error));
    let transaction = reading.transaction();
    let computed = provenance::has_computed_categories(transaction).await.map_err(failed)?;
    let sources = provenance::sources(transaction).await.map_err(failed)?;
    let source = |source: provenance::DataSource| DataSource {
        name: source.name,
        release: source.release,
        licence: source.licence,
        address: source.address,
        statement: source.statement,
        loaded_at: source.loaded_at,
    };
    let category = if computed { COMPUTED } else { "curated" };
    let answer = VersionAnswer {
        version: VERSION.to_owned(),
        commit: option_env!("SYSNDD_COMMIT").unwrap_or("unknown").to_owned(),
        title: TITLE.to_owned(),
        description: DESCRIPTION.to_owned(),
        data: DataVersion {
            version: reading.writes(),
            category: category.to_owned(),
            sources: sources.into_iter().map(source).collect(),
        },
    };
    json(reading, &answer).await
}

/// The version of the API.
#[utoipa::path(
    get, path = "/api/admin/api_version", tag = "Service", operation_id = "apiVersion",
    responses((status = 200, description = "The version", body = ApiVersion))
)]
pub(super) async fn api_version() -> axum::Json<ApiVersion> {
    axum::Json(ApiVersion { api_version: VERSION.to_owned() })
}
