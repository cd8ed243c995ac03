//! How a program ends: one number, the same meaning in every program of ours.
//!
//! A script around `dsg` must be able to tell "ask a person" from "try again later" from "call the
//! administrator" without reading messages, so a code stands for what the caller can do next, not
//! for the place in the code where something failed. The numbers are a promise: a meaning may get
//! a new number, a number never gets a new meaning. `docs/exit-codes.md` is the table for users.

use std::fmt;
use std::process::ExitCode;

/// The exit code of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Exit {
    /// What was asked for is done, or there was nothing to do.
    Success = 0,
    /// A failure nobody thought of: a defect, worth a report.
    Unexpected = 1,
    /// The command line is wrong; nothing was read or changed.
    Usage = 2,
    /// Two sides changed the same path: a person must choose.
    Conflict = 3,
    /// A guard refused (mass deletion, clash of names): look, then allow it or put it right.
    Refused = 4,
    /// Done, but paths were left out, because they could not be read or were rejected.
    Incomplete = 5,
    /// A configuration file or setting is missing or wrong.
    Configuration = 6,
    /// The repository is missing, replaced, of another version, unreachable, or not permitted.
    Repository = 7,
    /// Bytes are not what their hash says: stop and call the data manager.
    Integrity = 8,
    /// This machine failed: no space, an error of its disk, or a lock that another process holds.
    Machine = 9,
    /// Stopped by a signal, at a safe point or at once; run it again to go on. The number is what
    /// a shell reports for Ctrl-C.
    Interrupted = 130,
}

impl Exit {
    /// All of them, by number.
    pub const ALL: [Self; 11] = [
        Self::Success,
        Self::Unexpected,
        Self::Usage,
        Self::Conflict,
        Self::Refused,
        Self::Incomplete,
        Self::Configuration,
        Self::Repository,
        Self::Integrity,
        Self::Machine,
        Self::Interrupted,
    ];

    /// Returns the number.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// Returns the meaning in a few words, as the manual and `docs/exit-codes.md` print it.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Success => "ok",
            Self::Unexpected => "unexpected failure",
            Self::Usage => "wrong usage",
            Self::Conflict => "conflict: a person must choose",
            Self::Refused => "refused by a guard",
            Self::Incomplete => "done, but paths were left out (unreadable or rejected)",
            Self::Configuration => "configuration missing or wrong",
            Self::Repository => {
                "repository missing, replaced, of another version, unreachable or not permitted"
            }
            Self::Integrity => "integrity: a hash does not match",
            Self::Machine => {
                "no space, an I/O error of this machine, or another dsg is at work in the project"
            }
            Self::Interrupted => "interrupted",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.meaning())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of the table: code and meaning.
    fn documented() -> Vec<(String, String)> {
        include_str!("../../../docs/exit-codes.md")
            .lines()
            .filter_map(|line| line.strip_prefix('|'))
            .map(|row| row.split('|').map(str::trim).collect::<Vec<_>>())
            .filter(|cells| cells[0].parse::<u8>().is_ok())
            .map(|cells| (cells[0].to_owned(), cells[1].to_owned()))
            .collect()
    }

    #[test]
    fn the_table_for_users_says_what_the_programs_do() {
        let ours: Vec<_> =
            Exit::ALL.map(|exit| (exit.code().to_string(), exit.meaning().to_owned())).into();
        assert_eq!(documented(), ours);
    }

    #[test]
    fn the_list_is_complete_and_its_numbers_are_the_promised_ones() {
        let numbers = Exit::ALL.map(Exit::code);
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 130]);
    }

    #[test]
    fn success_alone_is_what_the_system_calls_success() {
        for exit in Exit::ALL {
            let same = ExitCode::from(exit) == ExitCode::SUCCESS;
            assert_eq!(same, exit == Exit::Success, "{exit}");
        }
    }
}
