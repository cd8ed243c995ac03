//! Who migrates, for those who wait.
//!
//! PostgreSQL knows: the lock is in `pg_locks`, the name and the step are in the application name
//! of its connection. SQLite does not, so the holder leaves a note beside the file. A note is never
//! a lock: it may be old, and nothing is decided by it.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::database::{Database, Engine};
use crate::error::Error;
use crate::statement::Statement;
use crate::value::Row;

/// The number under which our locks are known in PostgreSQL, where they share a space with those of
/// other programs; the second half of the key is the schema.
pub(super) const LOCK_CLASS: i64 = 0x0d5e_4d16;
/// PostgreSQL cuts the application name here.
const NAME_BYTES_MAX: usize = 63;

/// A process that migrates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Holder {
    /// Its machine and process.
    pub who: String,
    /// The step that it is at.
    pub step: String,
    /// Since when, in UTC.
    pub since: String,
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at `{}` since {}", self.who, self.step, self.since)
    }
}

pub(super) const HOLDER_POSTGRES: Statement = Statement {
    name: "lock holder",
    sql: "SELECT COALESCE(a.application_name, ''), \
          COALESCE(to_char(a.xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), ''), l.pid \
          FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid \
          WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 \
          AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
          AND CAST(l.classid AS BIGINT) = $1 \
          AND CAST(l.objid AS BIGINT) = (CAST(hashtext(current_schema()) AS BIGINT) & 4294967295) LIMIT 1",
};

/// The name that a holder has in PostgreSQL: process, a space, the step.
pub(super) fn application_name(instance: &str, step: &str) -> String {
    // Other characters than these PostgreSQL shows as question marks.
    let mut name: String = format!("{instance} {step}")
        .chars()
        .map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' })
        .collect();
    name.truncate(NAME_BYTES_MAX);
    name
}

pub(super) fn of_postgres(row: &Row) -> Result<Holder, Error> {
    let name = row.text(0)?;
    let (who, step) = name.split_once(' ').unwrap_or((name, ""));
    let who =
        if who.is_empty() { format!("connection {}", row.integer(2)?) } else { who.to_owned() };
    Ok(Holder { who, step: step.to_owned(), since: row.text(1)?.to_owned() })
}

/// The note beside a SQLite file.
#[derive(Debug)]
pub(super) struct Note {
    path: PathBuf,
}

impl Note {
    pub(super) fn beside(file: &Path) -> Self {
        let mut name = file.as_os_str().to_owned();
        name.push(".migrating");
        Self { path: PathBuf::from(name) }
    }

    /// Best effort, as everything about notes.
    pub(super) fn write(&self, holder: &Holder) {
        let text = format!("{}\n{}\n{}\n", holder.who, holder.since, holder.step);
        let _ = std::fs::write(&self.path, text);
    }

    pub(super) fn remove(&self) {
        let _ = std::fs::remove_file(&self.path);
    }

    pub(super) fn read(&self) -> Option<Holder> {
        let text = std::fs::read_to_string(&self.path).ok()?;
        let mut lines = text.lines().map(str::to_owned);
        Some(Holder { who: lines.next()?, since: lines.next()?, step: lines.next()? })
    }
}

/// Who holds the lock now, if somebody does. On SQLite it is what the note says.
///
/// # Errors
/// When the database can't be asked.
pub async fn lock_holder(database: &Database) -> Result<Option<Holder>, Error> {
    match (database.engine(), database.file()) {
        (Engine::Postgres, _) => {
            let mut transaction = database.read().await?;
            let row = transaction.row(&HOLDER_POSTGRES, &[LOCK_CLASS.into()]).await?;
            row.as_ref().map(of_postgres).transpose()
        }
        (Engine::Sqlite, Some(file)) => Ok(Note::beside(file).read()),
        (Engine::Sqlite, None) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_as_it_was_written_and_half_a_note_is_none() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("a.db");
        let note = Note::beside(&file);
        assert_eq!(note.read(), None);
        let holder = Holder {
            who: "api-1:7".to_owned(),
            step: "0001_a.sql: a table".to_owned(),
            since: "2026-01-01T00:00:00Z".to_owned(),
        };
        note.write(&holder);
        assert_eq!(note.read(), Some(holder.clone()));
        assert_eq!(
            holder.to_string(),
            "api-1:7 at `0001_a.sql: a table` since 2026-01-01T00:00:00Z"
        );
        std::fs::write(directory.path().join("a.db.migrating"), "api-1:7\n").expect("a file");
        assert_eq!(note.read(), None);
        note.remove();
        assert_eq!(note.read(), None);
    }

    #[test]
    fn the_name_of_a_connection_has_room_for_63_characters_and_no_others_than_ascii() {
        assert_eq!(application_name("api-1:7", "0001_a.sql: añb"), "api-1:7 0001_a.sql: a?b");
        assert_eq!(application_name("api-1:7", &"x".repeat(90)).len(), 63);
    }
}
