//! For tests only: migrations of a version that does not exist yet, and a request that must not be
//! carried out twice. No released program has this.
//!
//! `SYSNDD_FAULT_MIGRATIONS` names a directory whose `.sql` files are added to ours. `POST
//! /api/test/count?key=KEY` counts how often that key was posted, in a table `test_count (key TEXT
//! PRIMARY KEY, count BIGINT)` which such a file makes.

use std::fs;

use axum::extract::{Query, State as Extract};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use foundation_durable::migration::{MigrationFile, Migrations};
use foundation_durable::{Error, Statement};
use serde::Deserialize;

use crate::server::problem::problem;
use crate::state::State;

const VARIABLE: &str = "SYSNDD_FAULT_MIGRATIONS";

/// Our files and those of the directory, with the manifest of all.
pub(crate) fn with_more(
    mut files: Vec<MigrationFile>,
    manifest: &str,
) -> (Vec<MigrationFile>, String) {
    let Some(directory) = std::env::var_os(VARIABLE) else {
        return (files, manifest.to_owned());
    };
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut more: Vec<MigrationFile> = entries
        .filter_map(|entry| {
            let name =
                entry.file_name().into_string().ok().filter(|name| name.ends_with(".sql"))?;
            let text = fs::read_to_string(entry.path()).ok()?;
            Some(MigrationFile { name: name.leak(), text: text.leak() })
        })
        .collect();
    more.sort_by_key(|file| file.name);
    let manifest = format!("{manifest}{}", Migrations::manifest(&more));
    files.extend(more);
    (files, manifest)
}

pub(crate) fn router(state: State) -> Router {
    Router::new().route("/api/test/count", post(count)).with_state(state)
}

#[derive(Deserialize)]
struct Parameters {
    key: String,
}

const COUNT: Statement = Statement {
    name: "test count",
    sql: "INSERT INTO test_count (key, count) VALUES ($1, 1) \
          ON CONFLICT (key) DO UPDATE SET count = test_count.count + 1 RETURNING count",
};

async fn count(Extract(state): Extract<State>, Query(parameters): Query<Parameters>) -> Response {
    let counted = async {
        let mut transaction = state.database.write().await?;
        let row = transaction.row(&COUNT, &[parameters.key.into()]).await?;
        transaction.commit().await?;
        row.map_or(Ok(0), |row| row.integer(0))
    };
    let counted: Result<i64, Error> = counted.await;
    match counted {
        Ok(count) => Json(count).into_response(),
        Err(error) => problem(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
    }
}
