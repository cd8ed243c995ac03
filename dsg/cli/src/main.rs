#![doc = include_str!("../README.md")]

mod app;
mod commands;
mod context;
mod ui;

use std::process::ExitCode;

fn main() -> ExitCode {
    app::run().into()
}
