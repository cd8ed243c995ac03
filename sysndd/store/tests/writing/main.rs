//! The schema and everything that writes, on both engines.

mod generated;
mod import;
mod public;
mod release;
mod rules;
mod support;
