//! One request is one transaction, so everything that it reads is of one moment, and everything
//! that it writes is written or not. A transaction that is dropped is rolled back.

use futures_util::{StreamExt as _, TryStreamExt as _};
use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments as _, Postgres, SqlSafeStr as _, SqlStr, Sqlite};

use crate::database::Engine;
use crate::error::Error;
use crate::statement::{BuiltSql, Statement};
use crate::value::{Row, Untyped, Value};

/// A transaction; it ends with [`Transaction::commit`] or by being dropped, which undoes it.
#[derive(Debug)]
pub struct Transaction {
    inner: Inner,
}

#[derive(Debug)]
enum Inner {
    Sqlite(sqlx::Transaction<'static, Sqlite>),
    Postgres {
        transaction: sqlx::Transaction<'static, Postgres>,
        /// Whether prepared statements may stay on the connection. Behind a pooler they may not:
        /// the connection is another's in the next moment, and so are the names on it. A cache of
        /// no size is not enough, sqlx would still name them.
        keeps: bool,
    },
}

impl Transaction {
    pub(crate) const fn sqlite(transaction: sqlx::Transaction<'static, Sqlite>) -> Self {
        Self { inner: Inner::Sqlite(transaction) }
    }

    pub(crate) const fn postgres(
        transaction: sqlx::Transaction<'static, Postgres>,
        keeps: bool,
    ) -> Self {
        Self { inner: Inner::Postgres { transaction, keeps } }
    }

    /// The engine, where a text must differ.
    #[must_use]
    pub const fn engine(&self) -> Engine {
        match self.inner {
            Inner::Sqlite(_) => Engine::Sqlite,
            Inner::Postgres { .. } => Engine::Postgres,
        }
    }

    /// Runs a statement and says how many rows it changed.
    ///
    /// # Errors
    /// What the database says.
    pub async fn execute(&mut self, statement: &Statement, values: &[Value]) -> Result<u64, Error> {
        let done = match &mut self.inner {
            Inner::Sqlite(transaction) => sqlx::query_with(statement.sql, of_sqlite(values)?)
                .execute(&mut **transaction)
                .await
                .map(|done| done.rows_affected()),
            Inner::Postgres { transaction, keeps } => {
                sqlx::query_with(statement.sql, of_postgres(values)?)
                    .persistent(*keeps)
                    .execute(&mut **transaction)
                    .await
                    .map(|done| done.rows_affected())
            }
        };
        done.map_err(|error| Error::of(statement.name, error))
    }

    /// All rows that a statement answers.
    ///
    /// # Errors
    /// What the database says.
    pub async fn rows(
        &mut self,
        statement: &Statement,
        values: &[Value],
    ) -> Result<Vec<Row>, Error> {
        self.fetch(statement.name, statement.sql.into_sql_str(), values).await
    }

    /// The first row that a statement answers, if there is one.
    ///
    /// # Errors
    /// What the database says.
    pub async fn row(
        &mut self,
        statement: &Statement,
        values: &[Value],
    ) -> Result<Option<Row>, Error> {
        let rows = self.fetch(statement.name, statement.sql.into_sql_str(), values).await?;
        Ok(rows.into_iter().next())
    }

    /// All rows that a built text answers.
    ///
    /// # Errors
    /// What the database says.
    pub async fn built_rows(
        &mut self,
        built: &BuiltSql,
        values: &[Value],
    ) -> Result<Vec<Row>, Error> {
        let sql = built.prepared_as(self.engine(), values);
        self.fetch(built.name(), sql, values).await
    }

    /// Hands over each row of a built text, one after the other, in bounded memory: the database
    /// is asked for more when `each` has taken what there was.
    ///
    /// # Errors
    /// What the database says, or the first error of `each`.
    pub async fn built_each<E, F>(
        &mut self,
        built: &BuiltSql,
        values: &[Value],
        mut each: F,
    ) -> Result<u64, E>
    where
        E: From<Error>,
        F: AsyncFnMut(Row) -> Result<(), E>,
    {
        let name = built.name();
        let sql = built.prepared_as(self.engine(), values);
        let mut count = 0;
        match &mut self.inner {
            Inner::Sqlite(transaction) => {
                let query = sqlx::query_with(sql, of_sqlite(values)?);
                let mut rows = query.fetch(&mut **transaction);
                while let Some(row) = rows.next().await {
                    let row = row.map_err(|error| Error::of(name, error))?;
                    each(Row::of_sqlite(&row)?).await?;
                    count += 1;
                }
            }
            Inner::Postgres { transaction, keeps } => {
                let query = sqlx::query_with(sql, of_postgres(values)?).persistent(*keeps);
                let mut rows = query.fetch(&mut **transaction);
                while let Some(row) = rows.next().await {
                    let row = row.map_err(|error| Error::of(name, error))?;
                    each(Row::of_postgres(&row)?).await?;
                    count += 1;
                }
            }
        }
        Ok(count)
    }

    /// Makes what was written visible and durable.
    ///
    /// # Errors
    /// What the database says; then nothing was written, except when the connection was lost: then
    /// it is not known.
    pub async fn commit(self) -> Result<(), Error> {
        let done = match self.inner {
            Inner::Sqlite(transaction) => transaction.commit().await,
            Inner::Postgres { transaction, .. } => transaction.commit().await,
        };
        done.map_err(|error| Error::of("COMMIT", error))
    }

    /// Checks that the database understands a statement, without running it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn prepare(&mut self, statement: &Statement) -> Result<(), Error> {
        use sqlx::Executor as _;
        let sql = statement.sql.into_sql_str();
        let done = match &mut self.inner {
            Inner::Sqlite(transaction) => transaction.prepare(sql).await.map(drop),
            Inner::Postgres { transaction, .. } => transaction.prepare(sql).await.map(drop),
        };
        done.map_err(|error| Error::of(statement.name, error))
    }

    async fn fetch(
        &mut self,
        name: &'static str,
        sql: SqlStr,
        values: &[Value],
    ) -> Result<Vec<Row>, Error> {
        match &mut self.inner {
            Inner::Sqlite(transaction) => {
                let query = sqlx::query_with(sql, of_sqlite(values)?);
                let rows = query.fetch(&mut **transaction).map_err(|error| Error::of(name, error));
                rows.and_then(async |row| Row::of_sqlite(&row)).try_collect().await
            }
            Inner::Postgres { transaction, keeps } => {
                let query = sqlx::query_with(sql, of_postgres(values)?).persistent(*keeps);
                let rows = query.fetch(&mut **transaction).map_err(|error| Error::of(name, error));
                rows.and_then(async |row| Row::of_postgres(&row)).try_collect().await
            }
        }
    }
}

pub(crate) fn of_sqlite(values: &[Value]) -> Result<SqliteArguments, Error> {
    let mut arguments = SqliteArguments::default();
    for (index, value) in values.iter().enumerate() {
        let added = match value {
            Value::Null => arguments.add(None::<i64>),
            Value::Integer(value) => arguments.add(*value),
            Value::Real(value) => arguments.add(*value),
            Value::Text(value) => arguments.add(value.clone()),
        };
        added.map_err(|source| Error::Decode { column: index, what: source.to_string() })?;
    }
    Ok(arguments)
}

pub(crate) fn of_postgres(values: &[Value]) -> Result<PgArguments, Error> {
    let mut arguments = PgArguments::default();
    for (index, value) in values.iter().enumerate() {
        let added = match value {
            Value::Null => arguments.add(Untyped),
            Value::Integer(value) => arguments.add(*value),
            Value::Real(value) => arguments.add(*value),
            Value::Text(value) => arguments.add(value.as_str()),
        };
        added.map_err(|source| Error::Decode { column: index, what: source.to_string() })?;
    }
    Ok(arguments)
}
