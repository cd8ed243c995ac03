#![doc = include_str!("../README.md")]

pub mod compare;
pub mod config;
pub mod conflict;
pub mod entry;
pub mod hash;
pub mod history;
pub mod link;
pub mod name;
pub mod path;
pub mod plan;
pub mod snapshot;
pub mod tracked;
pub mod tree;
