//! Loading a release of the Human Phenotype Ontology, with the HGNC table and Mondo's names.
//!
//! [`Release::read`] takes the files line by line and keeps what counts; [`load`] brings the
//! database to it in one transaction. It compares before it writes: what is there already is left as
//! it is, so a second run changes nothing, and a newer release changes what is new. What a person
//! curated is never touched: only reviews and statuses of the import's own account are superseded.

mod entity;
mod error;
mod existing;
mod lines;
mod load;
mod mondo;
mod reference;
mod release;
mod report;
mod source;

pub use error::Error;
pub use load::load;
pub use release::Release;
pub use report::{Changes, Refused, Report, SourceReport};
pub use source::{Kind, Source};

pub(crate) use entity::STATEMENTS as ENTITY_STATEMENTS;
pub(crate) use existing::STATEMENTS as EXISTING_STATEMENTS;
pub(crate) use reference::STATEMENTS as REFERENCE_STATEMENTS;

/// The name of the account that imported reviews and statuses belong to. Nobody can sign in with
/// it.
pub const ACCOUNT: &str = "sysndd-import";
/// The `entry_source` of imported entities.
pub const ENTRY_SOURCE: &str = "hpo";

/// What an import is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Reading files; counted in bytes.
    Reading,
    /// Writing entities; counted in entities.
    Writing,
}

/// Hears how an import gets on.
pub trait Monitor: Send + Sync {
    /// A phase begins, and how much there is to do.
    fn begin(&self, phase: Phase, total: u64);
    /// Some of it is done.
    fn advance(&self, done: u64);
    /// Whether the user asked to stop; then nothing is written.
    fn stop_requested(&self) -> bool;
}

/// Hears nothing and never stops.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Monitor for Silent {
    fn begin(&self, _phase: Phase, _total: u64) {}
    fn advance(&self, _done: u64) {}
    fn stop_requested(&self) -> bool {
        false
    }
}
