//! One file per command: its options, and what it does with them.

pub(crate) mod blame;
pub(crate) mod clean;
pub(crate) mod clone;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod diff;
pub(crate) mod doctor;
pub(crate) mod init;
pub(crate) mod list_files;
pub(crate) mod list_repos;
pub(crate) mod log;
pub(crate) mod man;
pub(crate) mod resolve;
pub(crate) mod snapfetch;
pub(crate) mod status;
pub(crate) mod sync;
pub(crate) mod validate_chain;
pub(crate) mod validate_snapshot;
