//! Looking: what state the schema is in, by one read-only transaction.

use serde::Serialize;

use super::file::Migrations;
use crate::database::{Database, Engine};
use crate::error::Error;
use crate::statement::{BuiltSql, Statement};
use crate::transaction::Transaction;
use crate::value::{Row, Value};

/// The state of a schema, as this program sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// All files of this program are applied, and no others.
    Current,
    /// There is nothing in the schema.
    Empty,
    /// Files of this program are not applied yet.
    Pending,
    /// Newer than this program.
    Ahead,
    /// A file that is applied has another checksum than the one of this program.
    Drifted,
    /// The history has a gap: something else than a migration wrote it.
    Dirty,
    /// This user may not read the history.
    Unknown,
    /// There are tables, and none of them is our history: this is not our database.
    Refused,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Current,
        Self::Empty,
        Self::Pending,
        Self::Ahead,
        Self::Drifted,
        Self::Dirty,
        Self::Unknown,
        Self::Refused,
    ];

    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Empty => "empty",
            Self::Pending => "pending",
            Self::Ahead => "ahead",
            Self::Drifted => "drifted",
            Self::Dirty => "dirty",
            Self::Unknown => "unknown",
            Self::Refused => "refused",
        }
    }
}

/// A row of the history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Applied {
    /// The number of the file.
    pub version: i64,
    /// Its name.
    pub name: String,
    /// Its checksum.
    pub checksum: String,
    /// The oldest schema whose programs work with it.
    pub compatible: i64,
    /// When, in UTC.
    pub applied_at: String,
    /// How long its steps took.
    pub milliseconds: i64,
    /// The version of the program that did it.
    pub program: String,
    /// The process that did it.
    pub instance: String,
}

/// What a look found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Look {
    /// The state.
    pub state: State,
    /// Whether a program of this version may serve: current, or ahead by files that say so.
    pub serves: bool,
    /// What is applied, in order.
    pub applied: Vec<Applied>,
    /// The names of the files that are missing, in order.
    pub pending: Vec<String>,
    /// What is wrong and what to do about it; empty if nothing is.
    pub detail: String,
}

/// Both numbers come from one snapshot. `to_regclass` would ask the server's cache, which learns of a table
/// at another moment: whoever looked while the first migration was committed would see tables of others.
const TABLES_POSTGRES: Statement = Statement {
    name: "look: tables",
    sql: "SELECT count(*) FILTER (WHERE relname = 'schema_migration' AND relkind IN ('r', 'p')), count(*), current_schema()::TEXT \
          FROM pg_class WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) \
          AND relkind IN ('r', 'p', 'v', 'm', 'f')",
};
const TABLES_SQLITE: Statement = Statement {
    name: "look: tables",
    sql: "SELECT count(*) FILTER (WHERE name = 'schema_migration'), count(*), 'main' FROM sqlite_schema \
          WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite#_%' ESCAPE '#'",
};
pub(super) const HISTORY: Statement = Statement {
    name: "look: history",
    sql: "SELECT version, name, checksum, compatible, applied_at, milliseconds, program, instance \
          FROM schema_migration ORDER BY version",
};

/// Looks at the schema.
///
/// # Errors
/// When the database can't be asked; a missing right is a state, not an error.
pub async fn look(database: &Database, migrations: &Migrations) -> Result<Look, Error> {
    if database.file().is_some_and(|file| !file.exists()) {
        return Ok(empty(migrations));
    }
    tokio::select! {
        looked = inside(database, migrations) => looked,
        error = database.refusal() => Err(error),
    }
}

async fn inside(database: &Database, migrations: &Migrations) -> Result<Look, Error> {
    let mut transaction = database.read().await?;
    match found(&mut transaction).await {
        Ok(Found::Nothing) => Ok(empty(migrations)),
        Ok(Found::Others(schema)) => Ok(refused(migrations, &schema)),
        Ok(Found::History(applied)) => Ok(judge(migrations, applied)),
        Err(Error::Denied { what }) => Ok(unknown(&what)),
        Err(error) => Err(error),
    }
}

enum Found {
    Nothing,
    Others(String),
    History(Vec<Applied>),
}

async fn found(transaction: &mut Transaction) -> Result<Found, Error> {
    let tables = match transaction.engine() {
        Engine::Postgres => &TABLES_POSTGRES,
        Engine::Sqlite => &TABLES_SQLITE,
    };
    let Some(row) = transaction.row(tables, &[]).await? else {
        return Ok(Found::Nothing);
    };
    let Some(schema) = row.optional_text(2)? else {
        let what = "the search_path of this user names no schema that exists".to_owned();
        return Err(Error::Denied { what });
    };
    if row.flag(0)? {
        let rows = transaction.rows(&HISTORY, &[]).await?;
        return Ok(Found::History(rows.iter().map(applied).collect::<Result<_, _>>()?));
    }
    if row.integer(1)? > 0 {
        return Ok(Found::Others(schema.to_owned()));
    }
    Ok(Found::Nothing)
}

pub(super) fn applied(row: &Row) -> Result<Applied, Error> {
    Ok(Applied {
        version: row.integer(0)?,
        name: row.text(1)?.to_owned(),
        checksum: row.text(2)?.to_owned(),
        compatible: row.integer(3)?,
        applied_at: row.text(4)?.to_owned(),
        milliseconds: row.integer(5)?,
        program: row.text(6)?.to_owned(),
        instance: row.text(7)?.to_owned(),
    })
}

fn empty(migrations: &Migrations) -> Look {
    let mut look = judge(migrations, Vec::new());
    look.state = if look.pending.is_empty() { State::Current } else { State::Empty };
    look
}

fn refused(migrations: &Migrations, schema: &str) -> Look {
    Look {
        state: State::Refused,
        detail: format!(
            "the schema `{schema}` has tables and no history of ours: give sysndd a database or a schema of its own"
        ),
        ..judge(migrations, Vec::new())
    }
}

fn unknown(what: &str) -> Look {
    Look {
        state: State::Unknown,
        serves: false,
        applied: Vec::new(),
        pending: Vec::new(),
        detail: format!(
            "the history can't be read ({what}): this user needs GRANT SELECT ON schema_migration"
        ),
    }
}

/// Compares the history with the files.
pub(super) fn judge(migrations: &Migrations, applied: Vec<Applied>) -> Look {
    let files = migrations.files();
    let latest = migrations.latest();
    let gap = (1..).zip(&applied).find(|(expected, row)| row.version != *expected);
    let drifted = applied
        .iter()
        .zip(files)
        .find(|(row, file)| row.checksum != file.checksum || row.name != file.name);
    let newer: Vec<_> = applied.iter().filter(|row| row.version > latest).collect();
    let pending: Vec<String> =
        files.iter().skip(applied.len()).map(|file| file.name.to_owned()).collect();
    let (state, serves, detail) = if let Some((expected, _)) = gap {
        let detail =
            format!("the history lacks version {expected}: restore the database from a backup");
        (State::Dirty, false, detail)
    } else if let Some((row, file)) = drifted {
        let detail = format!(
            "version {} was applied as {} with checksum {}, this program has {} with {}: start the program that belongs to this database",
            row.version, row.name, row.checksum, file.name, file.checksum
        );
        (State::Drifted, false, detail)
    } else if let Some(last) = newer.last() {
        let serves = newer.iter().all(|row| row.compatible <= latest);
        let detail =
            format!("the schema is at {}, this program knows it up to {latest}", last.name);
        (State::Ahead, serves, detail)
    } else if pending.is_empty() {
        (State::Current, true, String::new())
    } else {
        (State::Pending, false, String::new())
    };
    Look { state, serves, applied, pending, detail }
}

/// Asks the postconditions of all applied files again and names those that are not true any more,
/// as (file, step, question).
///
/// # Errors
/// When the database can't be asked.
pub async fn broken_postconditions(
    database: &Database,
    migrations: &Migrations,
    applied: &[Applied],
) -> Result<Vec<(String, String, String)>, Error> {
    let engine = database.engine();
    let mut broken = Vec::new();
    for file in migrations.files().iter().take(applied.len()) {
        for (step, sql) in file.postconditions_for(engine) {
            let mut transaction = database.read().await?;
            let built = BuiltSql::from_builder("postcondition", sql.to_owned());
            let holds = match transaction.built_rows(&built, &[]).await {
                Ok(rows) => rows.first().is_some_and(|row| *row.value(0) == Value::Integer(1)),
                // What it asks about is gone.
                Err(Error::Statement { .. }) => false,
                Err(error) => return Err(error),
            };
            if !holds {
                broken.push((file.name.to_owned(), step.name.clone(), sql.to_owned()));
            }
        }
    }
    Ok(broken)
}

const QUICK_CHECK: Statement = Statement { name: "quick check", sql: "PRAGMA quick_check(20)" };

/// Reads all of a SQLite file and names what is damaged in it: a page in the middle is noticed by nobody
/// else before it is needed. PostgreSQL has tools of its own for this.
///
/// # Errors
/// When the database can't be asked.
pub async fn damage(database: &Database) -> Result<Vec<String>, Error> {
    if database.file().is_none_or(|file| !file.exists()) {
        return Ok(Vec::new());
    }
    let found = async {
        let mut transaction = database.read().await?;
        let rows = transaction.rows(&QUICK_CHECK, &[]).await?;
        rows.iter().map(|row| row.text(0).map(str::to_owned)).collect::<Result<Vec<_>, _>>()
    };
    match found.await {
        Ok(lines) => Ok(lines.into_iter().filter(|line| line != "ok").collect()),
        // So damaged that it can't even be looked through.
        Err(Error::Damaged { what }) => Ok(vec![what]),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::super::file::MigrationFile;
    use super::*;

    const FILES: [MigrationFile; 2] = [
        MigrationFile { name: "0001_a.sql", text: "-- step: a\nSELECT 1;\n" },
        MigrationFile { name: "0002_b.sql", text: "-- step: b\nSELECT 2;\n" },
    ];

    fn files(count: usize) -> Migrations {
        let files = &FILES[..count];
        Migrations::new(files, &Migrations::manifest(files)).expect("files")
    }

    fn row(version: i64) -> Applied {
        let known = files(2);
        let file = known.files().iter().find(|file| file.version == version);
        Applied {
            version,
            name: file.map_or_else(|| format!("{version:04}_new.sql"), |file| file.name.to_owned()),
            checksum: file.map_or_else(|| "other".to_owned(), |file| file.checksum.clone()),
            compatible: version,
            applied_at: "2026-01-01T00:00:00Z".to_owned(),
            milliseconds: 1,
            program: "0.1.0".to_owned(),
            instance: "a:1".to_owned(),
        }
    }

    fn state(count: usize, rows: &[Applied]) -> (State, bool, usize) {
        let look = judge(&files(count), rows.to_vec());
        (look.state, look.serves, look.pending.len())
    }

    #[test]
    fn the_history_decides_the_state() {
        assert_eq!(state(2, &[]), (State::Pending, false, 2));
        assert_eq!(state(2, &[row(1)]), (State::Pending, false, 1));
        assert_eq!(state(2, &[row(1), row(2)]), (State::Current, true, 0));
        assert_eq!(state(1, &[row(1), row(2)]), (State::Ahead, false, 0));
        assert_eq!(state(2, &[row(2)]), (State::Dirty, false, 1));
        assert_eq!(state(2, &[row(1), row(3)]), (State::Dirty, false, 0));
        assert_eq!(empty(&files(2)).state, State::Empty);
        assert_eq!(refused(&files(2), "public").state, State::Refused);
        assert!(unknown("permission denied").detail.contains("GRANT SELECT"));
    }

    #[test]
    fn a_file_that_was_edited_after_it_was_applied_is_drift_even_if_others_are_pending() {
        let edited = Applied { checksum: "other".to_owned(), ..row(1) };
        assert_eq!(state(2, std::slice::from_ref(&edited)), (State::Drifted, false, 1));
        let look = judge(&files(2), vec![edited]);
        assert!(look.detail.contains("0001_a.sql"), "{}", look.detail);
    }

    #[test]
    fn an_older_program_serves_on_a_newer_schema_only_if_every_newer_file_says_so() {
        let fits = Applied { compatible: 1, ..row(2) };
        assert_eq!(state(1, &[row(1), fits.clone()]), (State::Ahead, true, 0));
        let third = row(3);
        assert_eq!(state(1, &[row(1), fits.clone(), third.clone()]), (State::Ahead, false, 0));
        let third = Applied { compatible: 1, ..third };
        assert_eq!(state(1, &[row(1), fits, third]), (State::Ahead, true, 0));
    }
}
