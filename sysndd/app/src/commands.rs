//! The commands: one file each.

mod serve;

use clap::{Parser, Subcommand};
use foundation_runtime::exit::Exit;

use crate::ui;

/// The curated database of gene-inheritance-disease relationships in neurodevelopmental disorders.
#[derive(Debug, Parser)]
#[command(name = "sysndd", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answers requests: pages, API, health
    Serve(serve::Arguments),
}

/// Runs what the command line asks for.
#[must_use]
pub fn run() -> Exit {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let usage = error.use_stderr();
            let _ = error.print();
            return if usage { Exit::Usage } else { Exit::Success };
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            ui::error(&format!("the runtime can't start: {error}"));
            return Exit::Machine;
        }
    };
    runtime.block_on(async {
        match arguments.command {
            Command::Serve(arguments) => serve::run(arguments).await,
        }
    })
}
