//! How the database says no: what happened, whether a retry helps, what to do next.

use std::path::{Path, PathBuf};

use foundation_runtime::exit::Exit;
use sqlx::error::{DatabaseError, ErrorKind};
use thiserror::Error as ThisError;

/// Which kind of rule a write broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Constraint {
    /// A row with this key is there already.
    Unique,
    /// A row that this one names is not there, or one that names it still is.
    Reference,
    /// A value is missing.
    Missing,
    /// A rule of the schema says no.
    Rule,
}

/// What a database call can fail with.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// The settings make no database.
    #[error("the database setting {setting} can't be used: {what}")]
    Settings {
        /// Its name.
        setting: &'static str,
        /// Why not.
        what: String,
    },
    /// The file lies where SQLite can't keep it whole.
    #[error(
        "the SQLite database {} lies on a network file system ({kind}), where its write-ahead log and its locks can lose data",
        path.display()
    )]
    NetworkFilesystem {
        /// The file.
        path: PathBuf,
        /// The kind of file system.
        kind: &'static str,
    },
    /// There is no connection.
    #[error("the database does not answer: {what}")]
    Unavailable {
        /// What the attempt ended with.
        what: String,
    },
    /// Others have all connections, or the write lock.
    #[error("the database is busy: {what}")]
    Busy {
        /// With what.
        what: String,
    },
    /// The user of the database lacks a right.
    #[error("the database user lacks a right: {what}")]
    Denied {
        /// Which.
        what: String,
    },
    /// There is no space.
    #[error("the database has no space left: {what}")]
    Full {
        /// What it said.
        what: String,
    },
    /// This process may only read, because the schema is newer than the program.
    #[error("this process only reads: the schema of the database is newer than this program")]
    ReadOnly,
    /// A write broke a rule of the schema.
    #[error("{statement}: the database refused a row: {what}")]
    Constraint {
        /// Which statement.
        statement: &'static str,
        /// Which kind of rule.
        kind: Constraint,
        /// What it said.
        what: String,
    },
    /// The file is not a database, or is damaged.
    #[error("the database is damaged: {what}")]
    Damaged {
        /// What it said.
        what: String,
    },
    /// A statement failed.
    #[error("{statement}: {what}")]
    Statement {
        /// Which.
        statement: &'static str,
        /// What the database said.
        what: String,
    },
    /// A value is not what the code expects.
    #[error("column {column}: {what}")]
    Decode {
        /// Which column of the answer, from 0.
        column: usize,
        /// What is wrong.
        what: String,
    },
}

impl Error {
    /// Whether the same call may succeed a moment later.
    #[must_use]
    pub const fn retry_helps(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Busy { .. } | Self::Full { .. })
    }

    /// What to do next.
    #[must_use]
    pub const fn next_step(&self) -> &'static str {
        match self {
            Self::Settings { .. } => {
                "correct the setting; `sysndd config explain` says where it comes from"
            }
            Self::NetworkFilesystem { .. } => {
                "put the database on a local disk or a named volume, or use PostgreSQL"
            }
            Self::Unavailable { .. } => {
                "check that the database runs and that the address is right"
            }
            Self::Busy { .. } => {
                "try again; if it stays, raise database.pool_size or look who holds the lock"
            }
            Self::Denied { .. } => "let the owner of the database GRANT the right to this user",
            Self::Full { .. } => "free some space where the database lies",
            Self::ReadOnly => "start a program of the version of the schema",
            Self::Constraint { .. } => "correct the values",
            Self::Damaged { .. } => "restore the database from a backup",
            Self::Statement { .. } | Self::Decode { .. } => {
                "this is a defect: report it with the log"
            }
        }
    }

    /// The exit code of a command that ends with this.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Settings { .. } | Self::NetworkFilesystem { .. } => Exit::Configuration,
            Self::Unavailable { .. } | Self::Busy { .. } | Self::Denied { .. } | Self::ReadOnly => {
                Exit::Repository
            }
            Self::Full { .. } => Exit::Machine,
            Self::Damaged { .. } => Exit::Integrity,
            Self::Constraint { .. } | Self::Statement { .. } | Self::Decode { .. } => {
                Exit::Unexpected
            }
        }
    }

    /// Names the file that can't be opened.
    pub(crate) fn about(self, file: &Path) -> Self {
        match self {
            Self::Unavailable { what } => {
                Self::Unavailable { what: format!("{}: {what}", file.display()) }
            }
            other => other,
        }
    }

    /// Names the statement that failed.
    pub(crate) fn of(statement: &'static str, error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(error) => of_database(statement, &*error),
            sqlx::Error::Io(error) if error.raw_os_error() == Some(ENOSPC) => {
                Self::Full { what: error.to_string() }
            }
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::PoolClosed
            | sqlx::Error::Protocol(_)
            | sqlx::Error::BeginFailed => Self::Unavailable { what: error.to_string() },
            sqlx::Error::PoolTimedOut => {
                Self::Busy { what: "no connection became free in time".to_owned() }
            }
            sqlx::Error::Configuration(error) => {
                Self::Settings { setting: "database.url", what: error.to_string() }
            }
            other => Self::Statement { statement, what: other.to_string() },
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::of("a statement", error)
    }
}

const ENOSPC: i32 = 28;

fn of_database(statement: &'static str, error: &dyn DatabaseError) -> Error {
    let what = error.message().to_owned();
    let kind = match error.kind() {
        ErrorKind::UniqueViolation => Some(Constraint::Unique),
        ErrorKind::ForeignKeyViolation => Some(Constraint::Reference),
        ErrorKind::NotNullViolation => Some(Constraint::Missing),
        ErrorKind::CheckViolation | ErrorKind::ExclusionViolation => Some(Constraint::Rule),
        _ => None,
    };
    if let Some(kind) = kind {
        return Error::Constraint { statement, kind, what };
    }
    let code = error.code().unwrap_or_default().into_owned();
    // SQLite's numbers have the kind in their last byte; PostgreSQL's codes are five characters.
    if is_sqlstate(&code) {
        return match code.as_str() {
            "42501" | "28000" | "28P01" => Error::Denied { what },
            "25006" => Error::ReadOnly,
            "53100" => Error::Full { what },
            "55P03" | "40001" | "40P01" | "53300" | "57014" => Error::Busy { what },
            "57P01" | "57P02" | "57P03" | "25P03" | "3D000" => Error::Unavailable { what },
            "XX001" | "XX002" => Error::Damaged { what },
            _ => Error::Statement { statement, what: format!("{what} ({code})") },
        };
    }
    match code.parse::<u32>().unwrap_or(0) & 0xff {
        5 | 6 => Error::Busy { what },
        3 | 8 => Error::Denied { what },
        10 | 14 => Error::Unavailable { what },
        11 | 26 => Error::Damaged { what },
        13 => Error::Full { what },
        19 => Error::Constraint { statement, kind: Constraint::Rule, what },
        _ => Error::Statement { statement, what: format!("{what} ({code})") },
    }
}

/// Codes of digits only, such as 42501, are five characters long; SQLite's extended codes are at
/// most four.
fn is_sqlstate(code: &str) -> bool {
    code.len() == 5
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_says_what_to_do_and_a_busy_database_is_worth_a_retry() {
        let busy = Error::from(sqlx::Error::PoolTimedOut);
        assert!(busy.retry_helps());
        assert_eq!(busy.exit(), Exit::Repository);
        let lost = Error::from(sqlx::Error::WorkerCrashed);
        assert!(lost.retry_helps() && !lost.next_step().is_empty());
        let full = Error::from(sqlx::Error::Io(std::io::Error::from_raw_os_error(ENOSPC)));
        assert_eq!(full.exit(), Exit::Machine);
        assert!(!Error::ReadOnly.retry_helps());
    }
}
