//! The `sysndd` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    sysndd_app::commands::run().into()
}
