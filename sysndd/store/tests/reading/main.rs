//! Reading, on each engine that is there.

mod cursors;
mod details;
mod filters;
mod support;
mod totals;
