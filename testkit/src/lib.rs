#![doc = include_str!("../README.md")]

pub mod cli;
pub mod ground;
pub mod mount;
pub mod namespace;
pub mod oracle;
pub mod picture;
pub mod postgres;
pub mod program;
pub mod relay;
pub mod sshd;
pub mod tidy;
