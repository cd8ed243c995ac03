#![doc = include_str!("../README.md")]

pub mod filter;
pub mod list;
pub mod search;
