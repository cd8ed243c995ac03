//! The rules for source that no compiler checks, as tests.
//!
//! A rule that only a reviewer knows is kept until the reviewer is tired. So each is a function
//! from a [`Tree`] of texts to the list of its [`Problem`]s, and `tests/tidy.rs` applies all of them
//! to the repository. They read text, not syntax trees: a scanner that only tells code from
//! comments and strings is short enough to be trusted, and what it can't see (a function hidden in
//! a macro, a renamed import) a linter or a reader does.

pub mod code;
pub mod layout;
pub mod links;
pub mod source;
pub mod tree;

use std::fmt;

pub use tree::Tree;

/// A place where a rule is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The path of the file, from the root.
    pub path: String,
    /// The line, counted from 1; 0 when it is the file as a whole.
    pub line: usize,
    /// What is wrong and what to do instead.
    pub what: String,
}

impl Problem {
    fn new(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.what),
            line => write!(f, "{}:{line}: {}", self.path, self.what),
        }
    }
}
