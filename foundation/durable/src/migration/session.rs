//! The connection that holds the lock and does the work: the same one, in one transaction.

use std::path::PathBuf;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, SqliteConnection};

use super::fault;
use super::holder::{self, Holder, LOCK_CLASS, Note};
use super::look::{Applied, HISTORY, applied};
use crate::database::{DatabaseSettings, Engine, engine_of, postgres_options, sqlite_options};
use crate::error::Error;
use crate::transaction::{of_postgres, of_sqlite};
use crate::value::{Row, Value};

/// A statement that waits for the lock of another's table gives up then, so that nobody queues
/// behind it; it is tried again.
const BEGIN_POSTGRES: &str = "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '5s'; \
     SET LOCAL idle_in_transaction_session_timeout = '30s'";
const TRY_LOCK: &str = "SELECT CAST(pg_try_advisory_xact_lock(CAST($1 AS INTEGER), hashtext(current_schema())) AS INTEGER)";
const SET_NAME: &str = "SELECT set_config('application_name', $1, true)";
const CREATE_HISTORY: &str = "CREATE TABLE IF NOT EXISTS schema_migration (\
     version BIGINT PRIMARY KEY, name TEXT NOT NULL UNIQUE, checksum TEXT NOT NULL, \
     compatible BIGINT NOT NULL, applied_at TEXT NOT NULL, milliseconds BIGINT NOT NULL, \
     program TEXT NOT NULL, instance TEXT NOT NULL)";
const INSERT_HISTORY: &str = "INSERT INTO schema_migration \
     (version, name, checksum, compatible, applied_at, milliseconds, program, instance) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

/// What came of asking for the lock.
pub(super) enum Attempt {
    /// It is ours.
    Acquired(Session),
    /// Somebody else has it.
    Held(Option<Holder>),
}

/// A transaction that holds the lock. Dropped, it is undone and the lock is free.
pub(super) struct Session {
    connection: Connection,
    instance: String,
    since: Timestamp,
}

enum Connection {
    Sqlite { connection: SqliteConnection, note: Note },
    Postgres(PgConnection),
}

impl Session {
    /// Asks for the lock once, without queueing. `idle` keeps the connection for the next time:
    /// who waits for long would otherwise connect, and look the server's name up, every second.
    pub(super) async fn attempt(
        settings: &DatabaseSettings,
        instance: &str,
        now: Timestamp,
        idle: &mut Option<PgConnection>,
    ) -> Result<Attempt, Error> {
        let connection = match engine_of(&settings.url)? {
            Engine::Sqlite => sqlite(&settings.url).await?,
            Engine::Postgres => postgres(settings, instance, idle).await?,
        };
        match connection {
            Ok(connection) => {
                let mut session = Self { connection, instance: instance.to_owned(), since: now };
                session.tell("looking").await?;
                Ok(Attempt::Acquired(session))
            }
            Err(holder) => Ok(Attempt::Held(holder)),
        }
    }

    pub(super) const fn engine(&self) -> Engine {
        match self.connection {
            Connection::Sqlite { .. } => Engine::Sqlite,
            Connection::Postgres(_) => Engine::Postgres,
        }
    }

    /// Tells those who wait which step this is.
    pub(super) async fn tell(&mut self, step: &str) -> Result<(), Error> {
        if let Connection::Sqlite { note, .. } = &self.connection {
            note.write(&Holder {
                who: self.instance.clone(),
                step: step.to_owned(),
                since: format!("{:.0}", self.since),
            });
            return Ok(());
        }
        let name = holder::application_name(&self.instance, step);
        self.rows("application name", SET_NAME, &[name.into()]).await.map(drop)
    }

    /// The history as it is under the lock; none if there is no table yet.
    pub(super) async fn history(&mut self) -> Result<Vec<Applied>, Error> {
        self.execute("history table", CREATE_HISTORY).await?;
        let rows = self.rows(HISTORY.name, HISTORY.sql, &[]).await?;
        rows.iter().map(applied).collect()
    }

    /// Adds a row to the history.
    pub(super) async fn record(&mut self, row: &Applied) -> Result<(), Error> {
        let values: [Value; 8] = [
            row.version.into(),
            row.name.as_str().into(),
            row.checksum.as_str().into(),
            row.compatible.into(),
            row.applied_at.as_str().into(),
            row.milliseconds.into(),
            row.program.as_str().into(),
            row.instance.as_str().into(),
        ];
        self.rows("history row", INSERT_HISTORY, &values).await.map(drop)
    }

    /// Runs the statements of a step.
    pub(super) async fn execute(&mut self, name: &'static str, sql: &str) -> Result<(), Error> {
        fault::statement().await;
        let raw = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        let done = match &mut self.connection {
            Connection::Sqlite { connection, .. } => {
                let mut each = raw.fetch_many(connection);
                loop {
                    match each.try_next().await {
                        Ok(Some(_)) => fault::statement().await,
                        Ok(None) => break Ok(()),
                        Err(error) => break Err(error),
                    }
                }
            }
            Connection::Postgres(connection) => {
                let mut each = raw.fetch_many(connection);
                loop {
                    match each.try_next().await {
                        Ok(Some(_)) => fault::statement().await,
                        Ok(None) => break Ok(()),
                        Err(error) => break Err(error),
                    }
                }
            }
        };
        done.map_err(|error| Error::of(name, error))
    }

    /// Whether a postcondition holds: its first row has 1 in its first column.
    pub(super) async fn holds(&mut self, sql: &str) -> Result<bool, Error> {
        let rows = self.rows("postcondition", sql, &[]).await?;
        Ok(rows.first().is_some_and(|row| *row.value(0) == Value::Integer(1)))
    }

    /// The tables whose rows name rows that are not there. Only SQLite has to be asked: its foreign
    /// keys are off meanwhile, as a table could not be rebuilt otherwise.
    pub(super) async fn lost_references(&mut self) -> Result<Vec<String>, Error> {
        if self.engine() == Engine::Postgres {
            return Ok(Vec::new());
        }
        let rows = self.rows("foreign keys", "PRAGMA foreign_key_check", &[]).await?;
        let mut tables: Vec<String> =
            rows.iter().filter_map(|row| row.text(0).ok().map(str::to_owned)).collect();
        tables.dedup();
        Ok(tables)
    }

    /// Makes all of it durable and frees the lock.
    pub(super) async fn commit(mut self) -> Result<(), Error> {
        self.execute("COMMIT", "COMMIT").await?;
        self.close().await;
        Ok(())
    }

    /// Undoes all of it and frees the lock.
    pub(super) async fn roll_back(mut self) {
        let _ = self.execute("ROLLBACK", "ROLLBACK").await;
        self.close().await;
    }

    async fn close(self) {
        match self.connection {
            Connection::Sqlite { connection, note } => {
                note.remove();
                let _ = connection.close().await;
            }
            Connection::Postgres(connection) => {
                let _ = connection.close().await;
            }
        }
    }

    async fn rows(
        &mut self,
        name: &'static str,
        sql: &str,
        values: &[Value],
    ) -> Result<Vec<Row>, Error> {
        fault::statement().await;
        let sql = AssertSqlSafe(sql.to_owned());
        match &mut self.connection {
            Connection::Sqlite { connection, .. } => {
                let rows = sqlx::query_with(sql, of_sqlite(values)?).fetch_all(connection).await;
                let rows = rows.map_err(|error| Error::of(name, error))?;
                rows.iter().map(Row::of_sqlite).collect()
            }
            Connection::Postgres(connection) => postgres_rows(connection, name, sql, values).await,
        }
    }
}

async fn postgres_rows(
    connection: &mut PgConnection,
    name: &'static str,
    sql: AssertSqlSafe<String>,
    values: &[Value],
) -> Result<Vec<Row>, Error> {
    // Nothing is left on the connection: behind a pooler it is another's in the next moment.
    let query = sqlx::query_with(sql, of_postgres(values)?).persistent(false);
    let rows = query.fetch_all(connection).await.map_err(|error| Error::of(name, error))?;
    rows.iter().map(Row::of_postgres).collect()
}

/// A transaction on a connection that was kept; `None` when somebody has ended it meanwhile.
async fn begun_again(idle: Option<PgConnection>) -> Option<PgConnection> {
    let mut connection = idle?;
    let begun = sqlx::raw_sql(BEGIN_POSTGRES).execute(&mut connection).await;
    begun.is_ok().then_some(connection)
}

async fn postgres(
    settings: &DatabaseSettings,
    instance: &str,
    idle: &mut Option<PgConnection>,
) -> Result<Result<Connection, Option<Holder>>, Error> {
    let of = |error| Error::of("migration lock", error);
    let mut connection = match begun_again(idle.take()).await {
        Some(connection) => connection,
        None => {
            let mut connection = postgres_options(settings)?.connect().await.map_err(of)?;
            sqlx::raw_sql(BEGIN_POSTGRES).execute(&mut connection).await.map_err(of)?;
            connection
        }
    };
    let name = holder::application_name(instance, "asking for the migration lock");
    let set = AssertSqlSafe(SET_NAME.to_owned());
    postgres_rows(&mut connection, "application name", set, &[name.into()]).await?;
    let ask = AssertSqlSafe(TRY_LOCK.to_owned());
    let rows = postgres_rows(&mut connection, "migration lock", ask, &[LOCK_CLASS.into()]).await?;
    if rows.first().map(|row| row.flag(0)).transpose()? == Some(true) {
        return Ok(Ok(Connection::Postgres(connection)));
    }
    let who = AssertSqlSafe(holder::HOLDER_POSTGRES.sql.to_owned());
    let rows = postgres_rows(&mut connection, "lock holder", who, &[LOCK_CLASS.into()]).await?;
    let found = rows.first().map(holder::of_postgres).transpose()?;
    sqlx::raw_sql("ROLLBACK").execute(&mut connection).await.map_err(of)?;
    *idle = Some(connection);
    Ok(Err(found))
}

async fn sqlite(url: &str) -> Result<Result<Connection, Option<Holder>>, Error> {
    let options: SqliteConnectOptions = sqlite_options(url)?
        .create_if_missing(true)
        .foreign_keys(false)
        .busy_timeout(Duration::ZERO);
    let file: PathBuf = options.get_filename().to_owned();
    let note = Note::beside(&file);
    match begin_sqlite(&options).await {
        Ok(connection) => Ok(Ok(Connection::Sqlite { connection, note })),
        // Whoever has the file at this moment, be it for the journal's sake: it is tried again.
        Err(Error::Busy { .. }) => Ok(Err(note.read())),
        Err(error) => Err(error.about(&file)),
    }
}

async fn begin_sqlite(options: &SqliteConnectOptions) -> Result<SqliteConnection, Error> {
    let of = |error| Error::of("migration lock", error);
    let mut connection = options.connect().await.map_err(of)?;
    for sql in ["PRAGMA journal_mode = WAL", "BEGIN IMMEDIATE"] {
        if let Err(error) = sqlx::raw_sql(sql).execute(&mut connection).await {
            let _ = connection.close().await;
            return Err(of(error));
        }
    }
    Ok(connection)
}
