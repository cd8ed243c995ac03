#![doc = include_str!("../README.md")]

pub mod hash;
pub mod path;
pub mod name;
pub mod entry;
pub mod tracked;
pub mod link;
pub mod tree;
pub mod snapshot;
pub mod compare;
pub mod plan;
pub mod conflict;
pub mod history;
pub mod config;
