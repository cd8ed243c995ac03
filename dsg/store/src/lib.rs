#![doc = include_str!("../README.md")]

pub mod error;
pub mod monitor;
pub mod project;
pub mod repository;
pub mod sync;
pub mod system;

mod copy;
mod scan;

pub use scan::{Unknown, UnknownReason};
