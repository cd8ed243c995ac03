#![doc = include_str!("../README.md")]

pub mod clean;
pub mod difference;
pub mod doctor;
pub mod error;
pub mod fetch;
pub mod history;
pub mod list;
pub mod monitor;
pub mod normalize;
pub mod project;
pub mod remote;
pub mod repository;
pub mod sync;
pub mod system;

mod copy;
mod scan;
#[cfg(test)]
mod world;

pub use scan::{Unknown, UnknownReason};
