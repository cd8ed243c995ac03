//! Entities out of the release of the Human Phenotype Ontology, the HGNC table and Mondo's names.
//!
//! The readers take a file line by line, as bytes, so that nobody needs to hold it; whoever reads
//! the file bounds the length of a line. They are total: any bytes are either rows or a
//! [`Problem`] that names the line, and one problem stops the import, because half a release would
//! look like a whole one. The rule, [`evidence`], sees only what they made.

pub mod annotation;
pub mod association;
pub mod disease_name;
pub mod evidence;
pub mod frequency;
pub mod locus;
pub mod ontology;
pub mod plan;
mod table;

/// The version of the rule: raised whenever the same files would give other entities.
pub const RULE_VERSION: u32 = 1;

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct Problem {
    /// Which line, from 1.
    pub line: u64,
    /// What is wrong.
    pub what: String,
}

impl Problem {
    /// A problem of a line.
    #[must_use]
    pub fn new(line: u64, what: impl Into<String>) -> Self {
        Self { line, what: what.into() }
    }
}
