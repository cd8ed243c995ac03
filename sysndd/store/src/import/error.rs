//! Why an import stopped. In every case the database is as it was before.

use std::path::PathBuf;

use foundation_runtime::exit::Exit;
use sysndd_core::import::Problem;

/// What an import can fail with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file is missing.
    #[error("{} has no {what}: looked for {looked_for}", folder.display())]
    Missing {
        /// What it should hold.
        what: &'static str,
        /// Where it was looked for.
        folder: PathBuf,
        /// The names it may have.
        looked_for: String,
    },
    /// A file can't be read.
    #[error("{} can't be read: {source}", file.display())]
    Unreadable {
        /// Which.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not what its name says.
    #[error("{}, {problem}", file.display())]
    Malformed {
        /// Which.
        file: PathBuf,
        /// What is wrong.
        problem: Problem,
    },
    /// Files of two releases would give entities of neither.
    #[error("the ontology is of release {ontology} and the annotations are of {annotations}")]
    Releases {
        /// What the ontology states.
        ontology: String,
        /// What the annotations state.
        annotations: String,
    },
    /// The user asked to stop.
    #[error("stopped before anything was written")]
    Stopped,
    /// The database said no.
    #[error(transparent)]
    Database(#[from] foundation_durable::Error),
}

impl Error {
    /// What to do next.
    #[must_use]
    pub const fn next_step(&self) -> &'static str {
        match self {
            Self::Missing { .. } => {
                "name a folder with a complete release (docs/sysndd-data.md lists the files), or `sample`"
            }
            Self::Unreadable { .. } => {
                "check that the file is there and that this user may read it"
            }
            Self::Malformed { .. } => "take the file from the release again, unaltered",
            Self::Releases { .. } => "take both files from the same release",
            Self::Stopped => "run it again; it begins anew",
            Self::Database(error) => error.next_step(),
        }
    }

    /// The exit code of a command that ends with this.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Missing { .. } => Exit::Usage,
            Self::Unreadable { .. } => Exit::Machine,
            Self::Malformed { .. } | Self::Releases { .. } => Exit::Refused,
            Self::Stopped => Exit::Interrupted,
            Self::Database(error) => error.exit(),
        }
    }
}
