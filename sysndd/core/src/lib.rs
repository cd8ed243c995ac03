#![doc = include_str!("../README.md")]

pub mod filter;
pub mod fold;
pub mod import;
pub mod list;
pub mod search;
pub mod term;
pub mod vocabulary;
