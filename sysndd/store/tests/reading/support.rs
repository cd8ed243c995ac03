//! Databases with generated entities, one for each engine that is there, and their rows in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use foundation_durable::migration::{Coordinator, MigrationFile, Migrations, Mode};
use foundation_durable::{Database, DatabaseSettings, Value};
use foundation_runtime::SystemClock;
use sysndd_core::filter::interpret::{Cell, Record};
use sysndd_core::list::{Kind, Table};
use sysndd_store::generate::{Size, generate};
use sysndd_store::list::{ENTITY, GENE, ListQuery, ListRequest, ListRow, PANEL, PHENOTYPE, list};
use sysndd_store::{Reader, Reading, schema};
use tempfile::TempDir;

/// A database of a test; the folder of a file goes with it.
pub(crate) struct Place {
    pub(crate) name: &'static str,
    pub(crate) database: Database,
    pub(crate) reader: Reader,
    _folder: Option<TempDir>,
}

async fn place(name: &'static str, url: String, folder: Option<TempDir>) -> Place {
    let settings = DatabaseSettings::new(url);
    let database = Database::open(&settings).await.expect("a database");
    let files: Vec<MigrationFile> =
        schema::FILES.iter().map(|&(name, text)| MigrationFile { name, text }).collect();
    let migrations = Migrations::new(&files, schema::MANIFEST).expect("migrations in order");
    let coordinator = Coordinator::new(
        settings,
        database.clone(),
        Arc::new(migrations),
        Arc::new(SystemClock::new()),
        "test",
        "test",
    );
    coordinator.run(Mode::Auto).await.expect("a current schema");
    Place { name, reader: Reader::new(database.clone()), database, _folder: folder }
}

/// A file, and a PostgreSQL where it is installed, each with the same entities.
pub(crate) async fn places(entities: usize, seed: u64) -> Vec<Place> {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite:{}", folder.path().join("sysndd.db").display());
    let mut places = vec![place("sqlite", url, Some(folder)).await];
    if let Some(cluster) = testkit::postgres::cluster() {
        places.push(place("postgres", cluster.database(), None).await);
    }
    for place in &places {
        if entities > 0 {
            generate(&place.database, Size { entities, seed }).await.expect("entities");
        }
    }
    places
}

impl Place {
    pub(crate) async fn read(&self) -> Reading {
        self.reader.begin().await.expect("a reading")
    }

    /// All rows of a list with all its columns, without a filter.
    pub(crate) async fn all(&self, table: &'static Table) -> Vec<ListRow> {
        let fields: Vec<_> = table.shown().map(|column| column.name).collect();
        let query = ListQuery {
            filter: Some(String::new()),
            fields: Some(fields.join(",")),
            page_size: Some("all".to_owned()),
            ..ListQuery::default()
        };
        let request = ListRequest::read(table, &query).expect("a request");
        list(&mut self.read().await, &request).await.expect("rows").rows
    }

    /// The records that a filter of a table selects from, each with the id of its row.
    pub(crate) async fn records(&self, table: &'static Table) -> Vec<(String, Record)> {
        let of = if table.name == PHENOTYPE.name { &PHENOTYPE } else { &ENTITY };
        let rows = self.all(of).await;
        if of.name == table.name {
            let record = |row: &ListRow| {
                (
                    row.integer("entity_id").to_string(),
                    Record { cells: cells(of, row), group: Vec::new() },
                )
            };
            return rows.iter().map(record).collect();
        }
        let genes = self.all(if table.name == GENE.name { &GENE } else { &PANEL }).await;
        let mut records = Vec::new();
        for gene in &genes {
            let own: Vec<_> = rows
                .iter()
                .filter(|row| row.text("symbol") == gene.text("symbol"))
                .filter(|row| table.name == GENE.name || row.integer("ndd_phenotype") == 1)
                .map(|row| {
                    let mut row = cells(of, row);
                    row.extend(cells(table, gene));
                    row
                })
                .collect();
            for cells in &own {
                let record = Record { cells: cells.clone(), group: own.clone() };
                records.push((gene.text("symbol").to_owned(), record));
            }
        }
        records
    }
}

fn cells(table: &'static Table, row: &ListRow) -> BTreeMap<String, Cell> {
    let cell = |name: &str| match (row.value(name), table.column(name).map(|column| column.kind)) {
        (Value::Integer(number), _) => Cell::Integer(*number),
        (Value::Text(text), Some(Kind::Terms)) => Cell::Terms(
            text.split(',')
                .filter_map(|term| term.split_once('-'))
                .map(|(modifier, term)| (modifier.parse().expect("a number"), term.to_owned()))
                .collect(),
        ),
        (Value::Text(text), _) => Cell::Text(text.clone()),
        _ => Cell::Null,
    };
    let names = row.names.iter().filter(|name| **name != "entities");
    names.map(|name| ((*name).to_owned(), cell(name))).collect()
}
