//! Many rows in few statements.

use foundation_durable::{BuiltSql, Error, Transaction, Value};

/// So many values go into one statement; SQLite takes twice as many, PostgreSQL four times.
const VALUES_MAX: usize = 16_000;
/// So many rows go into one statement: more gain nothing.
const ROWS_MAX: usize = 250;

/// Rows on their way into one table.
#[derive(Debug)]
pub(crate) struct Batch {
    table: &'static str,
    columns: &'static [&'static str],
    values: Vec<Value>,
    rows: usize,
    full: BuiltSql,
    full_rows: usize,
}

impl Batch {
    pub(crate) fn new(table: &'static str, columns: &'static [&'static str]) -> Self {
        let full_rows = (VALUES_MAX / columns.len().max(1)).clamp(1, ROWS_MAX);
        let full = insert(table, columns, full_rows);
        Self { table, columns, values: Vec::new(), rows: 0, full, full_rows }
    }

    /// Takes a row, with a value for each column. Writes when there are enough.
    pub(crate) async fn add(
        &mut self,
        transaction: &mut Transaction,
        row: impl IntoIterator<Item = Value>,
    ) -> Result<(), Error> {
        self.values.extend(row);
        self.rows += 1;
        if self.rows == self.full_rows {
            transaction.built_rows(&self.full, &self.values).await?;
            self.values.clear();
            self.rows = 0;
        }
        Ok(())
    }

    /// Writes what is left.
    pub(crate) async fn flush(&mut self, transaction: &mut Transaction) -> Result<(), Error> {
        if self.rows > 0 {
            let sql = insert(self.table, self.columns, self.rows);
            transaction.built_rows(&sql, &self.values).await?;
            self.values.clear();
            self.rows = 0;
        }
        Ok(())
    }
}

fn insert(table: &'static str, columns: &[&str], rows: usize) -> BuiltSql {
    let mut sql = format!("INSERT INTO {table} ({}) VALUES ", columns.join(", "));
    for row in 0..rows {
        sql.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..columns.len() {
            let comma = if column == 0 { "" } else { ", " };
            sql.push_str(&format!("{comma}${}", row * columns.len() + column + 1));
        }
        sql.push(')');
    }
    BuiltSql::from_builder("batch", sql)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_has_a_place_for_each_value() {
        let sql = insert("a", &["b", "c"], 2);
        assert_eq!(sql.sql(), "INSERT INTO a (b, c) VALUES ($1, $2), ($3, $4)");
    }
}
