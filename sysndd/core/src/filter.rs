//! The filter language of the lists, as existing links on the web use it.
//!
//! ```text
//! filter  := "" | "null" | logic "(" list ")" | list       logic := and | or | not    (no nesting)
//! list    := term ("," term)*                              the terms of a bare list are joined by and
//! term    := operation "(" column "," value ("," value)* ")"
//! ```
//!
//! A filter is text from a stranger that ends in a database, so it is never pasted into anything: a
//! parser makes it a [`Filter`] of at most [`TERMS_MAX`] terms, [`check`](Filter::check) holds it
//! against the columns of one table, and what remains are values that are bound. The
//! [interpreter](interpret) says in memory what a filter means; tests hold the SQL against it.
//!
//! What the operations mean, and where that is deliberately not what the old server did (it
//! evaluated values as regular expressions):
//!
//! | operation | meaning |
//! | --- | --- |
//! | `equals` | the whole value is equal |
//! | `contains` | the value occurs in it, literally; the case of ASCII letters does not matter |
//! | `any` | the whole value is one of these |
//! | `all` | of a list (terms of a review, rows of a gene): each of these is in it |
//! | `lessThan`, … | of a number: as numbers; of a text or a date: byte by byte |
//!
//! A term on a column without a value is false, so `not` includes that row.

mod error;
pub mod interpret;
mod parse;
#[cfg(test)]
mod tests;

pub use error::{FilterError, Problem};

use crate::list::{Column, Kind, Table};

/// The longest filter, in bytes.
pub const BYTES_MAX: usize = 8 * 1024;
/// The most terms of a filter.
pub const TERMS_MAX: usize = 50;
/// The most values that `all` may ask for, over all terms of a filter: each is a question of its own to the database.
pub const ALL_VALUES_MAX: usize = 50;

/// How the terms of a filter are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Logic {
    /// Every term holds.
    And,
    /// At least one term holds.
    Or,
    /// Not every term holds.
    Not,
}

/// What a term asks of its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// The whole value is equal.
    Equals,
    /// The value occurs in it.
    Contains,
    /// The whole value is one of several.
    Any,
    /// Each of several is in the list.
    All,
    /// Less.
    Less,
    /// Less or equal.
    LessOrEqual,
    /// Greater.
    Greater,
    /// Greater or equal.
    GreaterOrEqual,
}

impl Operation {
    /// The words of the language, in the order in which an error lists them.
    pub const WORDS: &[(&'static str, Operation)] = &[
        ("equals", Self::Equals),
        ("contains", Self::Contains),
        ("any", Self::Any),
        ("all", Self::All),
        ("lessThan", Self::Less),
        ("lessOrEqual", Self::LessOrEqual),
        ("lessThanOrEqual", Self::LessOrEqual),
        ("greaterThan", Self::Greater),
        ("greaterOrEqual", Self::GreaterOrEqual),
        ("greaterThanOrEqual", Self::GreaterOrEqual),
    ];

    /// Whether it compares by order.
    #[must_use]
    pub fn is_order(self) -> bool {
        matches!(self, Self::Less | Self::LessOrEqual | Self::Greater | Self::GreaterOrEqual)
    }

    /// Whether it takes several values, so that a comma separates them. The others take what stands
    /// up to the closing parenthesis as one value, commas included: that is what a search box sends.
    #[must_use]
    pub fn takes_several(self) -> bool {
        matches!(self, Self::Any | Self::All)
    }
}

/// A word of the filter and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Token {
    /// What it says.
    pub text: String,
    /// The number of characters before it.
    pub position: usize,
}

/// One question to one column.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Term {
    /// What is asked.
    pub operation: Operation,
    /// The column, or `any`, or `all`.
    pub column: Token,
    /// The values, one at least.
    pub values: Vec<Token>,
}

/// A filter that was understood.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Filter {
    /// How the terms are joined.
    pub logic: Logic,
    /// The terms; none means that every row passes.
    pub terms: Vec<Term>,
}

/// The columns that a term looks at.
#[derive(Clone, Debug)]
pub enum Target {
    /// One column.
    One(&'static Column),
    /// At least one of the table's columns.
    AnyOf(Vec<&'static Column>),
    /// Every one of the table's columns.
    AllOf(Vec<&'static Column>),
}

impl Filter {
    /// The filter that every row passes.
    pub const NONE: Filter = Filter { logic: Logic::And, terms: Vec::new() };

    /// Reads a filter.
    ///
    /// # Errors
    /// When it is too long, or not of the language; the error points at the place.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        parse::parse(text)
    }

    /// Reads a filter from bytes that may be no text at all.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), and when the bytes are not UTF-8.
    pub fn parse_bytes(bytes: &[u8]) -> Result<Self, FilterError> {
        match std::str::from_utf8(bytes) {
            Ok(text) => parse::parse(text),
            Err(error) => Err(FilterError::new(Problem::NotText, error.valid_up_to(), "")),
        }
    }

    /// Whether every row passes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Holds the filter against the columns of a table.
    ///
    /// # Errors
    /// When a term asks a column that the table has not, or asks it what can't be asked of it.
    pub fn check(&self, table: &'static Table) -> Result<(), FilterError> {
        self.terms.iter().try_for_each(|term| term.check(table))
    }
}

impl Term {
    /// The columns that the term looks at; `None` where the table has no such column.
    #[must_use]
    pub fn target(&self, table: &'static Table) -> Option<Target> {
        let every = || table.columns.iter().filter(|column| column.filtered).collect();
        match self.column.text.as_str() {
            "any" => Some(Target::AnyOf(every())),
            "all" => Some(Target::AllOf(every())),
            name => table.column(name).filter(|column| column.filtered).map(Target::One),
        }
    }

    fn check(&self, table: &'static Table) -> Result<(), FilterError> {
        if self.column.text == "hash" {
            return Err(FilterError::at(Problem::HashNotFound, &self.column));
        }
        let Some(target) = self.target(table) else {
            let columns =
                table.columns.iter().filter(|column| column.filtered).map(|column| column.name);
            let known = columns.collect::<Vec<_>>().join(", ");
            return Err(FilterError::at(Problem::UnknownColumn { known }, &self.column));
        };
        let Target::One(column) = target else { return Ok(()) };
        match column.kind {
            Kind::Terms if self.operation.is_order() => {
                Err(FilterError::at(Problem::NoOrder, &self.column))
            }
            // A part of a number may be asked for as text: a search box sends it letter by letter.
            Kind::Integer if self.operation != Operation::Contains => {
                match self.values.iter().find(|value| bound(&value.text).is_none()) {
                    Some(value) => Err(FilterError::at(Problem::NotNumber, value)),
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }
}

/// Where a number that was written in a filter lies among the whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// It is this one.
    At(i64),
    /// It lies between this one and the next.
    After(i64),
}

/// Reads a decimal number exactly; floating point would round ids and differ between databases.
/// What is too large becomes the largest, which compares the same.
#[must_use]
pub fn bound(text: &str) -> Option<Bound> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let magnitude = whole
        .bytes()
        .fold(0i64, |sum, digit| sum.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
    let between = fraction.bytes().any(|digit| digit != b'0');
    Some(match (negative, between) {
        (false, false) => Bound::At(magnitude),
        (false, true) => Bound::After(magnitude),
        (true, false) => Bound::At(-magnitude),
        (true, true) => Bound::After((-magnitude).saturating_sub(1)),
    })
}

/// A value for a column of terms: `HP:0001250`, or `1-HP:0001250` with the modifier before it.
#[must_use]
pub fn modified_term(value: &str) -> (Option<i64>, &str) {
    // Only the first hyphen separates: identifiers may have more.
    match value.split_once('-') {
        Some((modifier, term)) => match modifier.parse::<i64>() {
            Ok(number) if number.to_string() == modifier => (Some(number), term),
            _ => (None, value),
        },
        None => (None, value),
    }
}

/// The modifier of a term that a review says is absent: it is found only when asked for by name.
pub const ABSENT: i64 = 5;
/// What a filter may leave out at the end of the name of an inheritance.
pub const INHERITANCE_SUFFIX: &str = " inheritance";
