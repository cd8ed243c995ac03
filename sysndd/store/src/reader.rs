//! Reading: one request is one transaction, and what is worked out once for a state of the data is
//! kept until the next write.
//!
//! Every write raises `data_version`. A [`Reading`] asks for it in its own transaction, so what it
//! takes from the `Memory` by that number is exactly what it would read again.

use std::sync::Arc;

use foundation_durable::{Database, Statement, Transaction, Value};

use crate::error::Error;
use crate::memory::Memory;

/// Begins readings of one database.
#[derive(Clone, Debug)]
pub struct Reader {
    database: Database,
    memory: Arc<Memory>,
}

/// A transaction that reads, and the number of the state it sees.
#[derive(Debug)]
pub struct Reading {
    pub(crate) transaction: Transaction,
    pub(crate) memory: Arc<Memory>,
    version: i64,
}

const DATA_VERSION: Statement = Statement {
    name: "reader: data version",
    sql: "SELECT version FROM data_version WHERE only_row = 1",
};

pub(crate) const STATEMENTS: &[Statement] = &[DATA_VERSION];

impl Reader {
    /// A reader with an empty memory.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self { database, memory: Arc::default() }
    }

    /// The database it reads.
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Begins a reading.
    ///
    /// # Errors
    /// When the database can't be reached or is not set up.
    pub async fn begin(&self) -> Result<Reading, Error> {
        let mut transaction = self.database.read().await?;
        let row = transaction.row(&DATA_VERSION, &[]).await?.ok_or(Error::NoDataVersion)?;
        let version = row.integer(0)?;
        self.memory.see(version);
        Ok(Reading { transaction, memory: Arc::clone(&self.memory), version })
    }
}

impl Reading {
    /// The number of the state of the data; it grows with every write.
    #[must_use]
    pub fn version(&self) -> i64 {
        self.version
    }

    /// Ends the reading and gives its connection back. Dropping it does so too, a little later.
    ///
    /// # Errors
    /// When the connection was lost; what was read is right all the same.
    pub async fn finish(self) -> Result<(), Error> {
        self.transaction.commit().await?;
        Ok(())
    }

    /// The transaction, for what is read outside this module's lists and details.
    pub fn transaction(&mut self) -> &mut Transaction {
        &mut self.transaction
    }

    pub(crate) async fn rows(
        &mut self,
        statement: &Statement,
        values: &[Value],
    ) -> Result<Vec<foundation_durable::Row>, Error> {
        Ok(self.transaction.rows(statement, values).await?)
    }

    pub(crate) async fn row(
        &mut self,
        statement: &Statement,
        values: &[Value],
    ) -> Result<Option<foundation_durable::Row>, Error> {
        Ok(self.transaction.row(statement, values).await?)
    }
}
