//! Databases with the current schema, one for each engine that is there.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use foundation_durable::migration::{Coordinator, MigrationFile, Migrations, Mode};
use foundation_durable::{Database, DatabaseSettings, Error, Statement, Transaction, Value};
use foundation_runtime::clock::SystemClock;
use jiff::Timestamp;
use sysndd_store::schema;
use tempfile::TempDir;

/// A database of a test; the folder of a file goes with it.
pub(crate) struct Place {
    pub(crate) database: Database,
    _folder: Option<TempDir>,
}

/// The migrations of the program.
pub(crate) fn migrations() -> Migrations {
    let files: Vec<MigrationFile> =
        schema::FILES.iter().map(|&(name, text)| MigrationFile { name, text }).collect();
    Migrations::new(&files, schema::MANIFEST).expect("migrations in order")
}

async fn place(url: String, folder: Option<TempDir>) -> Place {
    let settings = DatabaseSettings::new(url);
    let database = Database::open(&settings).await.expect("a database");
    let coordinator = Coordinator::new(
        settings,
        database.clone(),
        Arc::new(migrations()),
        Arc::new(SystemClock::new()),
        "test",
        "test",
    );
    coordinator.run(Mode::Auto).await.expect("a current schema");
    Place { database, _folder: folder }
}

/// A file.
pub(crate) async fn sqlite() -> Place {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite:{}", folder.path().join("sysndd.db").display());
    place(url, Some(folder)).await
}

/// A file, and a PostgreSQL where it is installed.
pub(crate) async fn places() -> Vec<Place> {
    let mut places = vec![sqlite().await];
    if let Some(cluster) = testkit::postgres::cluster() {
        places.push(place(cluster.database(), None).await);
    }
    places
}

pub(crate) fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().expect("a time")
}

/// The sample of this repository.
pub(crate) fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sample")
}

impl Place {
    /// The whole numbers of one row.
    pub(crate) async fn numbers(&self, sql: &'static str) -> Vec<i64> {
        let mut transaction = self.database.read().await.expect("a transaction");
        let statement = Statement { name: "test", sql };
        let row = transaction.row(&statement, &[]).await.expect(sql).expect("a row");
        (0..row.len()).map(|index| row.integer(index).expect("a whole number")).collect()
    }

    /// The first column of all rows.
    pub(crate) async fn texts(&self, sql: &'static str) -> Vec<String> {
        let mut transaction = self.database.read().await.expect("a transaction");
        let rows = transaction.rows(&Statement { name: "test", sql }, &[]).await.expect(sql);
        rows.iter().map(|row| row.text(0).expect("text").to_owned()).collect()
    }

    /// All rows of all tables with data, as text, to compare two states.
    pub(crate) async fn everything(&self) -> Vec<String> {
        const TABLES: &[&str] = &[
            "SELECT * FROM data_source ORDER BY 1",
            "SELECT * FROM data_version ORDER BY 1",
            "SELECT * FROM disease_ontology_set ORDER BY 1",
            "SELECT * FROM hgnc_symbol_lookup ORDER BY 1, 2, 3",
            "SELECT * FROM hpo_term ORDER BY 1",
            "SELECT * FROM id_sequence ORDER BY 1",
            "SELECT * FROM mode_of_inheritance_list ORDER BY 1",
            "SELECT * FROM ndd_entity ORDER BY 1",
            "SELECT * FROM ndd_entity_review ORDER BY 1",
            "SELECT * FROM ndd_entity_status ORDER BY 1",
            "SELECT * FROM ndd_review_phenotype_connect ORDER BY 1",
            "SELECT * FROM ndd_review_publication_join ORDER BY 1",
            "SELECT * FROM non_alt_loci_set ORDER BY 1",
            "SELECT * FROM phenotype_list ORDER BY 1",
            "SELECT * FROM publication ORDER BY 1",
            "SELECT * FROM review_annotation ORDER BY 1",
            "SELECT * FROM sysndd_user ORDER BY 1",
        ];
        let mut transaction = self.database.read().await.expect("a transaction");
        let mut found = Vec::new();
        for sql in TABLES {
            let rows = transaction.rows(&Statement { name: "test", sql }, &[]).await.expect(sql);
            found.extend(rows.into_iter().map(|row| format!("{sql}: {:?}", row.into_values())));
        }
        found
    }

    /// Runs statements in one transaction and commits it.
    pub(crate) async fn write(&self, statements: &[&'static str]) -> Result<(), Error> {
        let mut transaction = self.database.write().await?;
        run(&mut transaction, statements).await?;
        transaction.commit().await
    }
}

/// Runs statements.
pub(crate) async fn run(
    transaction: &mut Transaction,
    statements: &[&'static str],
) -> Result<(), Error> {
    for sql in statements {
        transaction.execute(&Statement { name: "test", sql }, &[] as &[Value]).await?;
    }
    Ok(())
}
