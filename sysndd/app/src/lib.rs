#![doc = include_str!("../README.md")]

pub mod api;
pub mod commands;
#[cfg(feature = "faults")]
mod faults;
pub mod pages;
pub mod server;
pub mod settings;
pub mod state;
pub mod ui;
