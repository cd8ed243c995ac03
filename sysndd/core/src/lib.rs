#![doc = include_str!("../README.md")]

pub mod fold;
pub mod import;
pub mod term;
pub mod vocabulary;
