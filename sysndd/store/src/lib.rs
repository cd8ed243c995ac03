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
