//! What is wrong with a filter, and where.

use std::fmt;

use super::{ALL_VALUES_MAX, BYTES_MAX, Operation, TERMS_MAX, Token};

/// What is wrong with a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// It is longer than [`BYTES_MAX`].
    TooLong,
    /// It has more than [`TERMS_MAX`] terms.
    TooManyTerms,
    /// Its terms with `all` ask for more than [`ALL_VALUES_MAX`] values together.
    TooManyValues,
    /// It is not UTF-8.
    NotText,
    /// It has a character that no value can have.
    Nul,
    /// A parenthesis is missing, or there is one too many.
    Mismatched,
    /// A term was expected and something else stands there.
    ExpectedTerm,
    /// `and`, `or` and `not` stand at the beginning only.
    Nested,
    /// There is no such operation.
    UnknownOperation,
    /// The table has no such column.
    UnknownColumn {
        /// Those it has.
        known: String,
    },
    /// The term has no value.
    MissingValue,
    /// The column is a number and the value is none.
    NotNumber,
    /// A value begins with a quote and no quote ends it.
    Unclosed,
    /// The column is a list: nothing is less than a list.
    NoOrder,
    /// Lists that are stored by their hash are not known here.
    HashNotFound,
}

/// A filter that was not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    /// What is wrong.
    pub problem: Problem,
    /// Where: the number of characters before the token.
    pub position: usize,
    /// What stands there, shortened; empty at the end.
    pub token: String,
}

impl FilterError {
    pub(super) fn new(problem: Problem, position: usize, token: &str) -> Self {
        let mut shown: String =
            token.chars().take(40).map(|c| if c.is_control() { ' ' } else { c }).collect();
        if shown.len() < token.len() {
            shown.push('…');
        }
        Self { problem, position, token: shown }
    }

    pub(super) fn at(problem: Problem, token: &Token) -> Self {
        Self::new(problem, token.position, &token.text)
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.problem {
            Problem::TooLong => write!(f, "The filter is longer than {BYTES_MAX} bytes")?,
            Problem::TooManyTerms => write!(f, "The filter has more than {TERMS_MAX} terms")?,
            Problem::TooManyValues => {
                write!(f, "`all` asks for more than {ALL_VALUES_MAX} values together")?;
            }
            Problem::NotText => write!(f, "The filter is not UTF-8")?,
            Problem::Nul => write!(f, "The filter has a NUL character")?,
            Problem::Mismatched => {
                write!(f, "Malformed filter expression: mismatched parentheses")?;
            }
            Problem::ExpectedTerm => write!(
                f,
                "Malformed filter expression: expected a term such as `equals(column,value)`"
            )?,
            Problem::Nested => write!(
                f,
                "`and`, `or` and `not` may only stand at the beginning, around all terms"
            )?,
            Problem::UnknownOperation => {
                let words: Vec<_> = Operation::WORDS.iter().map(|(word, _)| *word).collect();
                write!(f, "Unknown operation; there are {}", words.join(", "))?;
            }
            Problem::UnknownColumn { known } => {
                write!(f, "Unknown column; there are any, all, {known}")?;
            }
            Problem::MissingValue => {
                write!(f, "The term has no value: write `operation(column,value)`")?;
            }
            Problem::NotNumber => write!(f, "The column is a number and the value is not")?,
            Problem::Unclosed => write!(
                f,
                "Malformed filter expression: nothing ends the value that begins with a quote; write '…', and two quotes for one in it"
            )?,
            Problem::NoOrder => {
                write!(f, "The column is a list: use `any`, `all`, `equals` or `contains`")?;
            }
            Problem::HashNotFound => write!(f, "Hash not found.")?,
        }
        if self.token.is_empty() {
            write!(f, " (at character {})", self.position + 1)
        } else {
            write!(f, " (at character {}: `{}`)", self.position + 1, self.token)
        }
    }
}

impl std::error::Error for FilterError {}
