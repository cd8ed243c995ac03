#![doc = include_str!("../README.md")]

#[cfg(feature = "generate")]
mod batch;
pub mod data_version;
pub mod entity;
pub mod error;
pub mod gene;
#[cfg(feature = "generate")]
pub mod generate;
mod ids;
pub mod import;
pub mod list;
mod memory;
pub mod ontology;
pub mod panel;
pub mod phenotype;
pub mod provenance;
pub mod reader;
pub mod schema;
pub mod search;
pub mod statistics;
pub mod vocabulary;

pub use error::Error;
pub use reader::{Reader, Reading};

/// Every SQL text of this crate that writes or says where data comes from; a test prepares all of them on both
/// engines.
pub const WRITE_STATEMENTS: &[&[foundation_durable::Statement]] = &[
    data_version::STATEMENTS,
    ids::STATEMENTS,
    import::ENTITY_STATEMENTS,
    import::EXISTING_STATEMENTS,
    import::REFERENCE_STATEMENTS,
    provenance::STATEMENTS,
];

/// Every SQL text of this crate that reads for pages and API; a test prepares all of them on both engines. The
/// texts of lists are built, in `list` only.
pub const READ_STATEMENTS: &[&[foundation_durable::Statement]] = &[
    entity::STATEMENTS,
    gene::STATEMENTS,
    ontology::STATEMENTS,
    reader::STATEMENTS,
    search::STATEMENTS,
    statistics::STATEMENTS,
    vocabulary::STATEMENTS,
];
