//! Fills a database with generated entities: `generate URL ENTITIES [SEED]`. The schema has to be
//! current. For tests and measurements.

use std::process::ExitCode;

use foundation_durable::{Database, DatabaseSettings};
use sysndd_store::generate::{Size, generate};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let size = |entities: &str, seed: &str| {
        Some(Size { entities: entities.parse().ok()?, seed: seed.parse().ok()? })
    };
    let wanted = match &arguments[..] {
        [url, entities] => size(entities, "1").map(|size| (url, size)),
        [url, entities, seed] => size(entities, seed).map(|size| (url, size)),
        _ => None,
    };
    let Some((url, size)) = wanted else { return ExitCode::from(2) };
    let Ok(database) = Database::open(&DatabaseSettings::new(url)).await else {
        return ExitCode::from(6);
    };
    match generate(&database, size).await {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}
