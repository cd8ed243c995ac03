//! The version of the data: raised by everything that writes, the key of caches and ETags.

use foundation_durable::{Error, Statement, Transaction};
use jiff::Timestamp;

const CURRENT: Statement =
    Statement { name: "data version", sql: "SELECT version FROM data_version WHERE only_row = 1" };

const RAISE: Statement = Statement {
    name: "raise data version",
    sql: "UPDATE data_version SET version = version + 1, changed_at = $1 WHERE only_row = 1 RETURNING version",
};

pub(crate) const STATEMENTS: &[Statement] = &[CURRENT, RAISE];

/// The version that this transaction sees.
///
/// # Errors
/// What the database says.
pub async fn current(transaction: &mut Transaction) -> Result<i64, Error> {
    transaction.row(&CURRENT, &[]).await?.map_or(Ok(0), |row| row.integer(0))
}

/// Raises the version; whoever writes calls this in the transaction that writes. Two that write at
/// the same time come one after the other here.
///
/// # Errors
/// What the database says.
pub async fn raise(transaction: &mut Transaction, now: Timestamp) -> Result<i64, Error> {
    let row = transaction.row(&RAISE, &[time_text(now).into()]).await?;
    row.map_or(Ok(0), |row| row.integer(0))
}

/// A time as the database keeps it: UTC, in whole seconds, of one width, so that it sorts as text.
#[must_use]
pub fn time_text(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_one_width_and_no_fraction() {
        let time: Timestamp = "2026-03-01T12:00:00.987+02:00".parse().expect("a time");
        assert_eq!(time_text(time), "2026-03-01T10:00:00Z");
    }
}
