//! Values, transactions and pools on both engines, and through a pooler.

use std::sync::Arc;

use foundation_durable::migration::{Coordinator, MigrationFile, Migrations, Mode};
use foundation_durable::{
    BuiltSql, Constraint, Database, DatabaseSettings, Error, Row, Statement, Value,
};
use foundation_runtime::SystemClock;
use testkit::postgres;

const fn statement(sql: &'static str) -> Statement {
    Statement { name: "test", sql }
}

/// An empty database of each kind that is here, with the folder of the file.
async fn databases() -> Vec<(Database, Option<tempfile::TempDir>)> {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite:{}", folder.path().join("a.db").display());
    let database = open(&url, false).await;
    // The migrator makes the file, and lets readers and a writer work at the same time.
    let files = [MigrationFile { name: "0001_a.sql", text: "-- step: a\nSELECT 1;\n" }];
    let migrations = Migrations::new(&files, &Migrations::manifest(&files)).expect("files");
    let coordinator = Coordinator::new(
        DatabaseSettings::new(&url),
        database.clone(),
        Arc::new(migrations),
        Arc::new(SystemClock::new()),
        "test",
        "test",
    );
    coordinator.run(Mode::Auto).await.expect("a file");
    let mut databases = vec![(database, Some(folder))];
    if let Some(cluster) = postgres::cluster() {
        databases.push((open(&cluster.database(), false).await, None));
    }
    if let (Some(cluster), Some(pooler)) = (postgres::cluster(), postgres::pooler()) {
        databases.push((open(&pooler.through(&cluster.database()), true).await, None));
    }
    databases
}

async fn open(url: &str, pooler: bool) -> Database {
    let settings = DatabaseSettings { pooler, pool_size: 8, ..DatabaseSettings::new(url) };
    Database::open(&settings).await.expect("settings")
}

async fn make_table(database: &Database) {
    let mut transaction = database.write().await.expect("a transaction");
    let sql = "CREATE TABLE thing (id BIGINT PRIMARY KEY, name TEXT NOT NULL CHECK (name <> ''), size DOUBLE PRECISION)";
    transaction.execute(&statement(sql), &[]).await.expect("a table");
    transaction.commit().await.expect("a commit");
}

const INSERT: Statement = statement("INSERT INTO thing (id, name, size) VALUES ($1, $2, $3)");
const ALL: Statement =
    statement("SELECT id, name, size, CAST(NULL AS TEXT) FROM thing ORDER BY id");

#[tokio::test]
async fn what_goes_in_comes_out_on_every_engine() {
    for (database, _folder) in databases().await {
        make_table(&database).await;
        let mut transaction = database.write().await.expect("a transaction");
        let first = [1.into(), "Ä'; DROP TABLE thing; --".into(), Value::Null];
        assert_eq!(transaction.execute(&INSERT, &first).await.expect("a row"), 1);
        let second: [Value; 3] = [i64::MAX.into(), "b".into(), 0.25.into()];
        transaction.execute(&INSERT, &second).await.expect("a row");
        transaction.commit().await.expect("a commit");
        let mut reading = database.read().await.expect("a transaction");
        let rows = reading.rows(&ALL, &[]).await.expect("rows");
        let values: Vec<Vec<Value>> = rows.into_iter().map(Row::into_values).collect();
        let with_null = |values: [Value; 3]| [values.to_vec(), vec![Value::Null]].concat();
        assert_eq!(values, [with_null(first), with_null(second)]);
        let mut names = Vec::new();
        let built = BuiltSql::from_builder(
            "test",
            "SELECT name FROM thing WHERE id < $1 ORDER BY id".to_owned(),
        );
        let most = [i64::MAX.into()];
        let each = reading.built_each(&built, &most, async |row: Row| {
            names.push(row.text(0)?.to_owned());
            Ok::<(), Error>(())
        });
        assert_eq!(each.await.expect("rows"), 1);
        assert_eq!(names.len(), 1);
        assert!(reading.prepare(&ALL).await.is_ok());
    }
}

#[tokio::test]
async fn a_transaction_that_reads_sees_one_moment_and_can_not_write() {
    for (database, _folder) in databases().await {
        make_table(&database).await;
        let mut reading = database.read().await.expect("a transaction");
        let count = statement("SELECT count(*) FROM thing");
        assert_eq!(
            reading
                .row(&count, &[])
                .await
                .expect("a row")
                .expect("one")
                .integer(0)
                .expect("a number"),
            0
        );
        let mut writing = database.write().await.expect("a transaction");
        writing.execute(&INSERT, &[1.into(), "a".into(), Value::Null]).await.expect("a row");
        writing.commit().await.expect("a commit");
        assert_eq!(
            reading
                .row(&count, &[])
                .await
                .expect("a row")
                .expect("one")
                .integer(0)
                .expect("a number"),
            0
        );
        let refused = reading.execute(&INSERT, &[2.into(), "b".into(), Value::Null]).await;
        assert!(refused.is_err(), "{:?}", database.engine());
        drop(reading);
        let mut reading = database.read().await.expect("a transaction");
        assert_eq!(
            reading
                .row(&count, &[])
                .await
                .expect("a row")
                .expect("one")
                .integer(0)
                .expect("a number"),
            1
        );
    }
}

#[tokio::test]
async fn what_is_dropped_was_never_written_and_broken_rules_are_told_apart() {
    for (database, _folder) in databases().await {
        make_table(&database).await;
        let mut writing = database.write().await.expect("a transaction");
        writing.execute(&INSERT, &[1.into(), "a".into(), Value::Null]).await.expect("a row");
        drop(writing);
        let kind = async |values: [Value; 3], twice: bool| {
            let mut writing = database.write().await.expect("a transaction");
            if twice {
                writing.execute(&INSERT, &values).await.expect("a row");
            }
            match writing.execute(&INSERT, &values).await {
                Err(Error::Constraint { kind, .. }) => kind,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(kind([1.into(), "a".into(), Value::Null], true).await, Constraint::Unique);
        assert_eq!(kind([1.into(), "".into(), Value::Null], false).await, Constraint::Rule);
        assert_eq!(kind([1.into(), Value::Null, Value::Null], false).await, Constraint::Missing);
    }
}

#[tokio::test]
async fn a_text_that_is_built_with_other_kinds_of_values_is_understood_each_time() {
    for (database, _folder) in databases().await {
        let built = BuiltSql::from_builder("test", "SELECT CAST($1 AS TEXT)".to_owned());
        for _ in 0..3 {
            for (value, expected) in [(Value::Integer(7), "7"), ("x".into(), "x")] {
                let mut reading = database.read().await.expect("a transaction");
                let rows = reading.built_rows(&built, &[value]).await.expect("a row");
                assert_eq!(rows[0].text(0).expect("text"), expected);
            }
            let mut reading = database.read().await.expect("a transaction");
            let rows = reading.built_rows(&built, &[Value::Null]).await.expect("a row");
            assert_eq!(rows[0].optional_text(0).expect("nothing"), None);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_3200_reads_through_a_transaction_pooler_every_answer_is_right() {
    let Some(pooler) = postgres::pooler() else {
        return;
    };
    let url = pooler.through(&postgres::cluster().expect("a cluster").database());
    let database = Arc::new(open(&url, true).await);
    // Statements of several shapes: were one prepared under the name of another, an answer would be
    // of the wrong shape, or somebody else's.
    const SUM: Statement = statement("SELECT $1 + CAST($2 AS BIGINT)");
    const TEXT: Statement = statement("SELECT $1 || '-' || $2, CAST(length($1) AS BIGINT)");
    const SERIES: Statement = statement(
        "SELECT n, CAST(n * $1 AS BIGINT) FROM generate_series(CAST(1 AS BIGINT), $2) AS n",
    );
    let tasks = (0..32_i64).map(|task| {
        let database = Arc::clone(&database);
        tokio::spawn(async move {
            for read in 0..100_i64 {
                let mut reading = database.read().await.expect("a transaction");
                match (task + read) % 3 {
                    0 => {
                        let row = reading.row(&SUM, &[task.into(), read.into()]).await;
                        assert_eq!(
                            row.expect("a row").expect("one").integer(0).expect("a number"),
                            task + read
                        );
                    }
                    1 => {
                        let (left, right) = (format!("t{task}"), format!("r{read}"));
                        let row = reading.row(&TEXT, &[(&left).into(), (&right).into()]).await;
                        let row = row.expect("a row").expect("one");
                        assert_eq!(row.text(0).expect("text"), format!("{left}-{right}"));
                        assert_eq!(row.integer(1).expect("a number"), left.len() as i64);
                    }
                    _ => {
                        let rows =
                            reading.rows(&SERIES, &[task.into(), 5.into()]).await.expect("rows");
                        let products: Vec<i64> =
                            rows.iter().map(|row| row.integer(1).expect("a number")).collect();
                        assert_eq!(products, [task, 2 * task, 3 * task, 4 * task, 5 * task]);
                    }
                }
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("right answers");
    }
}

#[tokio::test]
async fn a_connection_that_the_server_closed_while_it_was_idle_costs_nobody_an_error() {
    let Some(cluster) = postgres::cluster() else {
        return;
    };
    let url = cluster.database();
    let database = open(&url, false).await;
    let mut several = Vec::new();
    for _ in 0..4 {
        several.push(database.read().await.expect("a transaction"));
    }
    drop(several);
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    let name = url.rsplit('/').next().expect("a name");
    cluster.sql(
        "postgres",
        &format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"),
    );
    for _ in 0..4 {
        let mut reading = database.read().await.expect("another connection");
        assert!(reading.row(&statement("SELECT 1"), &[]).await.is_ok());
    }
}
