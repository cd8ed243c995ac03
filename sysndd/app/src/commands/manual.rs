//! `sysndd completions` and `sysndd man`: made from the same definition as the help.

use std::io::{self, Write as _};

use clap::{Args, Command};
use clap_complete::Shell;
use foundation_runtime::exit::Exit;

use crate::ui;

#[derive(Debug, Args)]
pub(super) struct CompletionArguments {
    /// Which shell
    shell: Shell,
}

pub(super) fn completions(arguments: &CompletionArguments, mut command: Command) -> Exit {
    let mut text = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "sysndd", &mut text);
    print(&text)
}

pub(super) fn man(command: Command) -> Exit {
    let mut text = Vec::new();
    if let Err(error) = clap_mangen::Man::new(command).render(&mut text) {
        ui::error(&format!("the manual can't be made: {error}"));
        return Exit::Unexpected;
    }
    print(&text)
}

fn print(text: &[u8]) -> Exit {
    // A reader that has gone is no failure.
    let _ = io::stdout().lock().write_all(text);
    Exit::Success
}
