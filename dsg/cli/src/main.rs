#![doc = include_str!("../README.md")]

mod app;
mod commands;
mod conflict_file;
mod context;
mod joining;
mod listing;
mod normalize;
mod syncing;
mod ui;
mod user_file;
mod view;

use std::process::ExitCode;

fn main() -> ExitCode {
    app::run().into()
}
