//! Reading: one request is one transaction, and what is worked out once for a state of the data is
//! kept until the next write.
//!
//! Every write raises `data_version`. A [`Reading`] asks for it in its own transaction, so what it
//! takes from the `Memory` by that number is exactly what it would read again. The number that caches
//! and ETags are kept by has the time of the last write in it as well: a database that was made anew, or
//! restored and then written to, counts again what others had counted, and must not be taken for theirs.

use std::sync::Arc;

use foundation_durable::{Database, Statement, Transaction, Value};
use jiff::Timestamp;

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
    writes: i64,
    version: i64,
}

const DATA_VERSION: Statement = Statement {
    name: "reader: data version",
    sql: "SELECT version, changed_at FROM data_version WHERE only_row = 1",
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
        let writes = row.integer(0)?;
        let version = state_number(writes, row.text(1)?);
        self.memory.see(version);
        Ok(Reading { transaction, memory: Arc::clone(&self.memory), writes, version })
    }
}

/// Room for the seconds of a time up to the year 2242, and above it for a billion writes.
const SECONDS_BITS: u32 = 33;

/// One number of the writes so far and the time of the last one. Writes come first in it, so that it
/// grows with each of them whatever a clock does.
fn state_number(writes: i64, changed_at: &str) -> i64 {
    let seconds = changed_at.parse::<Timestamp>().map_or(0, Timestamp::as_second);
    (writes << SECONDS_BITS) | (seconds.max(0) & ((1 << SECONDS_BITS) - 1))
}

impl Reading {
    /// The number of the state of the data, which caches are kept by: it grows with every write, is the
    /// same in all processes on one database, and another one in a database that was made anew.
    #[must_use]
    pub fn version(&self) -> i64 {
        self.version
    }

    /// How often the data were written, as people are told it.
    #[must_use]
    pub fn writes(&self) -> i64 {
        self.writes
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_made_anew_has_another_number_and_every_write_a_larger_one() {
        let number = state_number(2, "2025-01-16T10:00:00Z");
        assert_ne!(number, state_number(2, "2025-01-16T10:00:01Z"));
        assert_eq!(number, state_number(2, "2025-01-16T10:00:00Z"));
        assert!(number < state_number(3, "1970-01-01T00:00:00Z"), "a clock that was set back");
        assert!(number > 0 && state_number(1 << 29, "2200-01-01T00:00:00Z") > number);
    }
}
