//! What can be wrong with a configuration: what happened, where, and what to do next.
//!
//! All problems of a text are collected before anything is reported, so that a person corrects a
//! file once and not once per mistake.

use std::fmt;

/// How many problems are listed; a text that is no configuration at all would give thousands.
const PROBLEMS_MAX: usize = 20;
/// How much of a stranger's text is repeated in a message, in characters.
const SHOWN_CHARACTERS_MAX: usize = 120;

/// Why a configuration can't be used; holds at least one problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// All that was found, in the order of the files and of their lines.
    pub problems: Vec<Problem>,
    /// How many more there were than are listed.
    pub more: usize,
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        if self.more > 0 {
            write!(f, "\nand {} more", self.more)?;
        }
        Ok(())
    }
}

impl From<Problem> for ConfigError {
    fn from(problem: Problem) -> Self {
        Self { problems: vec![problem], more: 0 }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {kind}")]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// What happened.
    #[source]
    pub kind: ProblemKind,
    /// What the user can do about it; one or several lines without a final line end.
    pub next_step: String,
}

/// Where a value stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, or a description such as `environment variable DSG_USER_ID`.
    pub origin: String,
    /// The line in it, from 1.
    pub line: Option<u64>,
}

impl Place {
    /// A file as a whole.
    #[must_use]
    pub fn file(origin: &str) -> Self {
        Self { origin: origin.to_owned(), line: None }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}, line {line}", self.origin),
            None => f.write_str(&self.origin),
        }
    }
}

/// What is wrong. A `key` is the whole path, such as `repository.host` or `data_dirs[2]`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProblemKind {
    /// The text is longer than any configuration.
    #[error("the file is {bytes} bytes long; a configuration has at most {limit}")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The most that is read.
        limit: usize,
    },
    /// Not YAML, or YAML beyond our limits, or a key that stands twice.
    #[error("not readable as YAML: {reason}")]
    NotYaml {
        /// In the words of the YAML reader.
        reason: String,
    },
    /// A key that means nothing to us.
    #[error("unknown key {}{}", printable(key), did_you_mean(suggestion.as_deref()))]
    UnknownKey {
        /// The key.
        key: String,
        /// The key that was probably meant.
        suggestion: Option<String>,
    },
    /// A key that must be there.
    #[error("{key} is missing")]
    Missing {
        /// The key.
        key: String,
    },
    /// A list where a text is expected, and so on.
    #[error("{}expected {expected}, found {found}", of(key))]
    WrongType {
        /// The key; empty for the whole text.
        key: String,
        /// What it should be.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// The right type, and yet no value that works.
    #[error("{key}: {reason}")]
    BadValue {
        /// The key.
        key: String,
        /// Why it doesn't work.
        reason: String,
    },
    /// Keys that exclude each other, or need each other.
    #[error("{reason}")]
    Contradiction {
        /// Which, and how.
        reason: String,
    },
}

fn did_you_mean(suggestion: Option<&str>) -> String {
    suggestion.map(|key| format!(": did you mean {key}?")).unwrap_or_default()
}

fn of(key: &str) -> String {
    if key.is_empty() { String::new() } else { format!("{key}: ") }
}

/// Something that works and that the user should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What was seen.
    pub what: String,
    /// What to do about it.
    pub next_step: String,
    /// The text that the file should have, complete, where there is one to offer.
    pub replacement: Option<String>,
}

/// Collects problems of one text.
#[derive(Debug)]
pub(super) struct Problems {
    origin: String,
    list: Vec<Problem>,
    more: usize,
}

impl Problems {
    pub(super) fn new(origin: &str) -> Self {
        Self { origin: origin.to_owned(), list: Vec::new(), more: 0 }
    }

    pub(super) fn add(
        &mut self,
        line: Option<u64>,
        kind: ProblemKind,
        next_step: impl Into<String>,
    ) {
        let place = Place { origin: self.origin.clone(), line };
        self.push(Problem { place, kind, next_step: next_step.into() });
    }

    fn push(&mut self, problem: Problem) {
        if self.list.len() < PROBLEMS_MAX {
            self.list.push(problem);
        } else {
            self.more += 1;
        }
    }

    pub(super) fn absorb(&mut self, error: ConfigError) {
        self.more += error.more;
        for problem in error.problems {
            self.push(problem);
        }
    }

    /// What is said from here on is about this file.
    pub(super) fn turn_to(&mut self, origin: &str) {
        origin.clone_into(&mut self.origin);
    }

    /// The value, unless there was a problem. That there is a value or a problem is up to the
    /// caller; should neither be, that is reported too, never ignored.
    pub(super) fn unless_any<T>(mut self, value: Option<T>) -> Result<T, ConfigError> {
        match value {
            Some(value) if self.list.is_empty() => Ok(value),
            None if self.list.is_empty() => Err(ConfigError::from(Problem {
                place: Place::file(&self.origin),
                kind: ProblemKind::Contradiction {
                    reason: "the configuration is incomplete".to_owned(),
                },
                next_step: "compare it with docs/configuration.md".to_owned(),
            })),
            _ => {
                let same_file =
                    |left: &Problem, right: &Problem| left.place.origin == right.place.origin;
                for of_a_file in self.list.chunk_by_mut(same_file) {
                    of_a_file.sort_by_key(|problem| problem.place.line);
                }
                Err(ConfigError { problems: self.list, more: self.more })
            }
        }
    }
}

/// A stranger's text for a message: on one line, of bounded length, and without characters that
/// steer a terminal or turn the direction of writing.
pub(super) fn shown(text: &str) -> String {
    format!("`{}`", printable(text))
}

/// As [`shown`], without the marks around it.
pub(super) fn printable(text: &str) -> String {
    let mut result = String::new();
    for (count, character) in text.chars().enumerate() {
        if count == SHOWN_CHARACTERS_MAX {
            result.push('…');
            break;
        }
        if steers_a_terminal(character) {
            result.extend(character.escape_unicode());
        } else {
            result.push(character);
        }
    }
    result
}

/// Control characters, line separators, and marks that are invisible or reorder what is shown.
pub(super) fn steers_a_terminal(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_holds_no_control_characters_and_no_endless_text() {
        assert_eq!(shown("a\u{1b}[31m\n\u{202e}é"), "`a\\u{1b}[31m\\u{a}\\u{202e}é`");
        assert!(shown(&"x".repeat(100_000)).len() < 200);
    }

    #[test]
    fn no_more_problems_are_listed_than_a_person_reads() {
        let mut problems = Problems::new("f");
        for _ in 0..100 {
            problems.add(Some(1), ProblemKind::Missing { key: "name".into() }, "");
        }
        let error = problems.unless_any(Some(())).unwrap_err();
        assert_eq!((error.problems.len(), error.more), (20, 80));
        assert!(error.to_string().ends_with("and 80 more"));
    }

    #[test]
    fn neither_a_value_nor_a_problem_is_an_error_too() {
        assert!(Problems::new("f").unless_any::<()>(None).is_err());
    }
}
