//! The pools.
//!
//! SQLite has one writer at a time, so a process keeps one connection that writes, which begins
//! every transaction with the write lock, and several that can't write at all. A transaction that
//! reads first and asks for the lock later would be refused at once whenever another wrote in
//! between. PostgreSQL has one pool.
//!
//! Opening does not connect: a server starts, and answers its health checks, while the database is
//! still on its way.

use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::pool::PoolOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Postgres, Sqlite};

use crate::error::Error;
use crate::filesystem;
use crate::reach;
use crate::transaction::Transaction;

/// How long a request waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// After how long without a connection it is asked whether there is anybody at all.
const SUSPICIOUS: Duration = Duration::from_millis(250);
/// How long a SQLite connection waits for a lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
const IDLE_TIMEOUT: Duration = Duration::from_secs(600);

const BEGIN_READ_SQLITE: &str = "BEGIN DEFERRED";
const BEGIN_WRITE_SQLITE: &str = "BEGIN IMMEDIATE";
const BEGIN_READ_POSTGRES: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
const BEGIN_WRITE_POSTGRES: &str = "BEGIN";

/// Which database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Engine {
    /// A file of this machine.
    Sqlite,
    /// A server.
    Postgres,
}

impl Engine {
    /// Its name, as in `-- only:` of a migration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// What [`Database::open`] needs to know.
#[derive(Clone)]
pub struct DatabaseSettings {
    /// `sqlite:PATH` or `postgres://user:password@host:port/database`.
    pub url: String,
    /// The most connections that read (SQLite; one more writes), or the most of all (PostgreSQL).
    pub pool_size: u32,
    /// Whether a pooler that hands out connections per transaction stands in between.
    pub pooler: bool,
    /// The name that PostgreSQL shows for its connections.
    pub application: String,
}

impl DatabaseSettings {
    /// Settings for an address, all else as it usually is.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), pool_size: 5, pooler: false, application: String::new() }
    }
}

impl std::fmt::Debug for DatabaseSettings {
    /// Without the address: it may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DatabaseSettings")
            .field("pool_size", &self.pool_size)
            .field("pooler", &self.pooler)
            .finish_non_exhaustive()
    }
}

/// How much of a pool is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolUse {
    /// The most there may be.
    pub max_size: u32,
    /// At work.
    pub active: u32,
    /// Waiting for work.
    pub idle: u32,
}

impl DatabaseSettings {
    /// Whether they name a database of ours; nothing is opened.
    ///
    /// # Errors
    /// When they don't.
    pub fn check(&self) -> Result<(), Error> {
        match engine_of(&self.url)? {
            Engine::Sqlite => sqlite_options(&self.url).map(drop),
            Engine::Postgres => postgres_options(self).map(drop),
        }
    }
}

/// A database: its pools, cheap to clone.
#[derive(Clone, Debug)]
pub struct Database {
    pools: Pools,
    read_only: Arc<AtomicBool>,
    pooler: bool,
}

#[derive(Clone, Debug)]
enum Pools {
    Sqlite { file: PathBuf, readers: sqlx::Pool<Sqlite>, writer: sqlx::Pool<Sqlite> },
    Postgres { pool: sqlx::Pool<Postgres>, server: reach::Server },
}

impl Database {
    /// Makes the pools; the first use connects.
    ///
    /// # Errors
    /// When the settings name no database of ours, or a file where SQLite can't keep one.
    #[expect(clippy::unused_async, reason = "the pools start tasks of the runtime")]
    pub async fn open(settings: &DatabaseSettings) -> Result<Self, Error> {
        let size = settings.pool_size.max(1);
        let pools = match engine_of(&settings.url)? {
            Engine::Sqlite => {
                let options = sqlite_options(&settings.url)?;
                let file = options.get_filename().to_owned();
                reach::place_for(&file)?;
                if let Some(kind) = filesystem::network(&file) {
                    return Err(Error::NetworkFilesystem { path: file, kind });
                }
                let reading = options.clone().pragma("query_only", "1");
                Pools::Sqlite {
                    file,
                    readers: pool(size).connect_lazy_with(reading),
                    writer: pool(1).connect_lazy_with(options),
                }
            }
            Engine::Postgres => {
                let options = postgres_options(settings)?;
                let server = reach::Server::of(&options);
                Pools::Postgres { pool: pool(size).connect_lazy_with(options), server }
            }
        };
        Ok(Self { pools, read_only: Arc::new(AtomicBool::new(false)), pooler: settings.pooler })
    }

    /// Which database it is.
    #[must_use]
    pub const fn engine(&self) -> Engine {
        match self.pools {
            Pools::Sqlite { .. } => Engine::Sqlite,
            Pools::Postgres { .. } => Engine::Postgres,
        }
    }

    /// The file, if it is one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match &self.pools {
            Pools::Sqlite { file, .. } => Some(file),
            Pools::Postgres { .. } => None,
        }
    }

    /// Begins a transaction that reads: all of it sees one moment.
    ///
    /// # Errors
    /// When there is no connection.
    pub async fn read(&self) -> Result<Transaction, Error> {
        match &self.pools {
            Pools::Sqlite { file, readers, .. } => sqlite(file, readers, BEGIN_READ_SQLITE).await,
            Pools::Postgres { pool, server } => {
                self.postgres(pool, server, BEGIN_READ_POSTGRES).await
            }
        }
    }

    /// Begins a transaction that writes; on SQLite it holds the write lock.
    ///
    /// # Errors
    /// When there is no connection, the lock is not free in time, or this process only reads.
    pub async fn write(&self) -> Result<Transaction, Error> {
        if self.read_only.load(Ordering::Relaxed) {
            return Err(Error::ReadOnly);
        }
        match &self.pools {
            Pools::Sqlite { file, writer, .. } => sqlite(file, writer, BEGIN_WRITE_SQLITE).await,
            Pools::Postgres { pool, server } => {
                self.postgres(pool, server, BEGIN_WRITE_POSTGRES).await
            }
        }
    }

    /// Ends when it is certain that nobody answers at the database's address, and else never: a pool
    /// tries again until its time is up, which is right for a request and long for who only looks.
    pub(crate) async fn refusal(&self) -> Error {
        if let Pools::Postgres { server, .. } = &self.pools {
            tokio::time::sleep(SUSPICIOUS).await;
            if let Some(error) = server.obstacle().await {
                return error;
            }
        }
        std::future::pending().await
    }

    async fn postgres(
        &self,
        pool: &sqlx::Pool<Postgres>,
        server: &reach::Server,
        statement: &'static str,
    ) -> Result<Transaction, Error> {
        match begin(pool, statement).await {
            Ok(transaction) => Ok(Transaction::postgres(transaction, !self.pooler)),
            // The pool tries again until its time is up, and then does not say why it got nothing.
            Err(busy @ Error::Busy { .. }) => Err(server.obstacle().await.unwrap_or(busy)),
            Err(error) => Err(error),
        }
    }

    /// Lets this process only read, or write again: the schema may be newer than the program.
    pub fn set_read_only(&self, read_only: bool) {
        self.read_only.store(read_only, Ordering::Relaxed);
    }

    /// How much of the pool that requests read through is in use.
    #[must_use]
    pub fn pool_use(&self) -> PoolUse {
        let (size, idle, max_size) = match &self.pools {
            Pools::Sqlite { readers, .. } => counts(readers),
            Pools::Postgres { pool, .. } => counts(pool),
        };
        let idle = u32::try_from(idle).unwrap_or(u32::MAX).min(size);
        PoolUse { max_size, active: size - idle, idle }
    }

    /// Closes all connections; what is under way ends first.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { readers, writer, .. } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres { pool, .. } => pool.close().await,
        }
    }
}

/// SQLite says that a file can't be opened, and not which.
async fn sqlite(
    file: &Path,
    pool: &sqlx::Pool<Sqlite>,
    statement: &'static str,
) -> Result<Transaction, Error> {
    begin(pool, statement).await.map(Transaction::sqlite).map_err(|error| error.about(file))
}

/// A connection that the other side closed while it was idle is noticed when a transaction begins:
/// the next one is tried, and there are at most as many dead ones as the pool holds.
async fn begin<D: sqlx::Database>(
    pool: &sqlx::Pool<D>,
    statement: &'static str,
) -> Result<sqlx::Transaction<'static, D>, Error> {
    let mut dead = 0;
    loop {
        let error = match pool.begin_with(statement).await {
            Ok(transaction) => return Ok(transaction),
            Err(error) => error,
        };
        // Who could not connect at all is told at once: `acquire` has tried until its time was up.
        let idle_one_was_dead = match &error {
            sqlx::Error::Io(error) => error.kind() != std::io::ErrorKind::ConnectionRefused,
            sqlx::Error::Database(error) => error.code().is_some_and(|code| code == "57P01"),
            _ => false,
        };
        if !idle_one_was_dead || dead >= pool.options().get_max_connections() {
            return Err(Error::of(statement, error));
        }
        dead += 1;
    }
}

fn counts<D: sqlx::Database>(pool: &sqlx::Pool<D>) -> (u32, usize, u32) {
    (pool.size(), pool.num_idle(), pool.options().get_max_connections())
}

fn pool<D: sqlx::Database>(size: u32) -> PoolOptions<D> {
    PoolOptions::new()
        .max_connections(size)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(IDLE_TIMEOUT)
        .max_lifetime(None)
        .test_before_acquire(false)
}

pub(crate) fn engine_of(url: &str) -> Result<Engine, Error> {
    if url.starts_with("sqlite:") {
        Ok(Engine::Sqlite)
    } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        Ok(Engine::Postgres)
    } else {
        // Not shown: it may hold a password.
        Err(Error::Settings {
            setting: "database.url",
            what: "it starts neither with sqlite: nor with postgres://".to_owned(),
        })
    }
}

/// The options of a SQLite connection of ours. Neither makes the file nor sets its journal: both
/// are for the migrator.
pub(crate) fn sqlite_options(url: &str) -> Result<SqliteConnectOptions, Error> {
    let path = url.strip_prefix("sqlite:").unwrap_or(url);
    let path = path.strip_prefix("//").unwrap_or(path);
    if path.is_empty() || path.starts_with(":memory:") {
        return Err(Error::Settings {
            setting: "database.url",
            what: "sqlite: needs the path of a file after it".to_owned(),
        });
    }
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .synchronous(SqliteSynchronous::Full)
        .disable_statement_logging();
    Ok(options)
}

pub(crate) fn postgres_options(settings: &DatabaseSettings) -> Result<PgConnectOptions, Error> {
    let options = PgConnectOptions::from_str(&settings.url)
        .map_err(|error| Error::of("database.url", error))?
        .application_name(&settings.application)
        .disable_statement_logging();
    if settings.pooler {
        // The next transaction may have another connection, where a prepared statement of this
        // name is somebody else's; and a pooler refuses start parameters that it can't keep.
        return Ok(options.statement_cache_capacity(0).extra_float_digits(None));
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(url: &str) -> DatabaseSettings {
        DatabaseSettings { pool_size: 2, ..DatabaseSettings::new(url) }
    }

    #[test]
    fn an_address_that_is_none_is_refused_without_being_shown() {
        let error = engine_of("mysql://root:secret@host/x").expect_err("not ours");
        assert!(!error.to_string().contains("secret"));
        assert!(sqlite_options("sqlite::memory:").is_err());
        assert!(!format!("{:?}", settings("postgres://a:secret@b/c")).contains("secret"));
    }

    #[tokio::test]
    async fn a_file_that_is_not_there_is_an_error_and_is_not_made() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("a.db");
        let url = format!("sqlite:{}", file.display());
        let database = Database::open(&settings(&url)).await.expect("settings");
        assert!(matches!(database.read().await, Err(Error::Unavailable { .. })));
        assert!(!file.exists());
        assert_eq!(database.file(), Some(file.as_path()));
    }

    #[tokio::test]
    async fn who_may_only_read_is_told_so_before_anything_is_sent() {
        let database =
            Database::open(&settings("postgres://nobody@localhost:1/x")).await.expect("settings");
        database.set_read_only(true);
        assert!(matches!(database.write().await, Err(Error::ReadOnly)));
        assert_eq!(database.engine(), Engine::Postgres);
    }
}
