//! The error model: what happened, why, what to do next, and which exit code it has.
//!
//! One type for the whole program. A [`Code`] is stable (scripts and `docs/errors.md` name it); the
//! words may change. Absence is not an error anywhere (`Option` says it), and no error is ever
//! turned into an absence.

use std::fmt;

use crate::system::SystemError;

/// The result of every operation of this crate.
pub type Result<T> = std::result::Result<T, Error>;

macro_rules! codes {
    ($($name:ident $text:literal $exit:ident $retry:literal $doc:literal;)*) => {
        /// What kind of error it is. `docs/errors.md` has a line for each.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $(#[doc = $doc] $name,)* }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable name.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The class, which decides the exit code.
            #[must_use]
            pub fn class(self) -> Class {
                match self { $(Self::$name => Class::$exit,)* }
            }

            /// Whether the same command may work a moment later, nothing having been changed.
            #[must_use]
            pub fn retry_helps(self) -> bool {
                match self { $(Self::$name => $retry,)* }
            }

            /// One sentence for the catalogue.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => $doc,)* }
            }
        }
    };
}

/// Classes of errors; each has an exit code of its own (`docs/exit-codes.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The command line is wrong.
    Usage,
    /// A person must choose between two changes.
    Conflict,
    /// A guard refused.
    Refused,
    /// The configuration is wrong or missing.
    Configuration,
    /// The repository is missing, replaced, too new or closed to us.
    Repository,
    /// A hash does not match.
    Integrity,
    /// This machine's disk failed or is full.
    Machine,
    /// The user asked to stop.
    Interrupted,
}

codes! {
    Usage "DSG-U01" Usage false "The command line asks for something that does not exist or does not fit.";
    NotFound "DSG-U02" Usage false "The path or snapshot that was asked for is not there.";
    Configuration "DSG-C01" Configuration false "The project or user configuration is missing or wrong.";
    NoProject "DSG-C02" Configuration false "There is no dsg project here.";
    NotSupported "DSG-C03" Configuration false "The configuration asks for something that this version can't do.";
    ProjectExists "DSG-C04" Configuration false "There is a project here already.";
    RepositoryMissing "DSG-R01" Repository true "There is no repository where the configuration says: nothing is concluded from that, and nothing is changed.";
    RepositoryReplaced "DSG-R02" Repository false "Another repository stands where the project's was.";
    RepositoryRolledBack "DSG-R03" Repository false "The repository no longer has the snapshot that this project has seen: it was restored or has diverged.";
    RepositoryFormat "DSG-R04" Repository false "The repository needs a newer dsg.";
    RepositoryExists "DSG-R05" Repository false "Something is already where the repository is to be made.";
    RepositoryBusy "DSG-R06" Repository true "Others changed the repository each time this command was about to.";
    RepositoryDenied "DSG-R07" Repository false "The repository may not be read or written by this user.";
    Connection "DSG-S01" Repository true "The other machine can't be reached, or the connection to it broke.";
    HostKey "DSG-S02" Repository false "The other machine does not prove to be the one that is known by its name.";
    LoginDenied "DSG-S03" Repository false "The other machine does not let this user in.";
    RemoteProgram "DSG-S04" Repository false "There is no dsg on the other machine, or something else answers in its place.";
    Protocol "DSG-S05" Repository false "The two sides do not understand each other: they have different versions, or one of them is damaged.";
    RoleDenied "DSG-S06" Repository false "The role of this key does not allow it.";
    ProjectBusy "DSG-P01" Machine true "Another dsg works in this project.";
    ProjectDamaged "DSG-P02" Integrity false "The project's own notes can't be read.";
    ContentDamaged "DSG-I01" Integrity false "A content is missing or its bytes are not what its hash says.";
    TreeDamaged "DSG-I02" Integrity false "A manifest object is missing or damaged.";
    ChainDamaged "DSG-I03" Integrity false "The chain of snapshots is broken.";
    ForeignEdit "DSG-I04" Integrity false "A file of the repository was changed without dsg.";
    MassDeletion "DSG-G01" Refused false "The sync would delete too much at once.";
    DataDirectory "DSG-G02" Refused false "A data directory became empty in a suspicious way.";
    NameCollision "DSG-G03" Refused false "Two names would be one on a file system that ignores case or spelling.";
    OtherDevice "DSG-G04" Refused false "A target lies on another file system than the staging area.";
    NotATree "DSG-G05" Refused false "A path would be a file and a directory at once.";
    Conflict "DSG-K01" Conflict false "Paths were changed on both sides in different ways.";
    Disk "DSG-D01" Machine true "A read or write failed.";
    DiskFull "DSG-D02" Machine true "The disk or the quota is full.";
    Interrupted "DSG-X01" Interrupted true "The command was stopped by the user.";
}

/// An error as a person meets it.
#[derive(Debug)]
pub struct Error {
    /// The kind.
    pub code: Code,
    /// What happened.
    pub what: String,
    /// Why, as far as it is known.
    pub why: Option<String>,
    /// What to do next.
    pub next: Option<String>,
    /// The paths it is about; at most some dozens, for lists.
    pub paths: Vec<String>,
}

impl Error {
    /// A new error of a kind: what happened.
    #[must_use]
    pub fn new(code: Code, what: impl Into<String>) -> Self {
        Self { code, what: what.into(), why: None, next: None, paths: Vec::new() }
    }

    /// Adds why.
    #[must_use]
    pub fn because(mut self, why: impl fmt::Display) -> Self {
        self.why = Some(why.to_string());
        self
    }

    /// Adds what to do next.
    #[must_use]
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    /// Adds the paths it is about.
    #[must_use]
    pub fn about(mut self, paths: impl IntoIterator<Item = impl fmt::Display>) -> Self {
        self.paths = paths.into_iter().map(|path| path.to_string()).collect();
        self
    }

    /// The user asked to stop.
    #[must_use]
    pub fn interrupted() -> Self {
        Self::new(Code::Interrupted, "stopped before anything was changed for good")
            .next("run the same command again; what was already transferred is used")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if let Some(why) = &self.why {
            write!(f, ": {why}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

impl From<SystemError> for Error {
    fn from(error: SystemError) -> Self {
        let what = format!("could not {} {}", error.operation, error.path.display());
        let (code, next) = if error.is_full() {
            (Code::DiskFull, "free some space and run the command again; nothing was half done")
        } else if error.is_read_only() {
            (
                Code::Disk,
                "mount that file system for writing, or ask who mounted it for reading only why",
            )
        } else if error.is_denied() {
            (Code::Disk, "check owner and permissions of that path, then run the command again")
        } else {
            (Code::Disk, "run the command again; if it happens again, check the disk")
        };
        Self::new(code, what).because(&error.source).next(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_in_the_catalogue() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/errors.md");
        let catalogue = std::fs::read_to_string(path).expect("docs/errors.md");
        for code in Code::ALL {
            let line = format!("| {} |", code.as_str());
            let row = catalogue.lines().find(|row| row.starts_with(&line));
            let row =
                row.unwrap_or_else(|| panic!("no row for {} in docs/errors.md", code.as_str()));
            assert!(row.contains(code.meaning()), "{row}");
        }
    }

    #[test]
    fn codes_are_distinct() {
        let mut texts: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), Code::ALL.len());
    }
}
