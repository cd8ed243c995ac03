#![doc = include_str!("../README.md")]

#[cfg(feature = "generate")]
mod batch;
pub mod data_version;
#[cfg(feature = "generate")]
pub mod generate;
mod ids;
pub mod import;
pub mod provenance;
pub mod schema;

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
