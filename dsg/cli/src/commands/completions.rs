//! `dsg completions`.

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};
use dsg_store::error::Result;
use foundation_runtime::Exit;
use serde_json::json;

use crate::app::CommandLine;
use crate::context::Context;

const EXAMPLES: &str = "\
Examples
  dsg completions bash > ~/.local/share/bash-completion/completions/dsg
  dsg completions zsh > ~/.zfunc/_dsg
  dsg completions fish > ~/.config/fish/completions/dsg.fish";

/// Print the script by which a shell completes dsg's commands and options
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Prints the script.
pub(crate) fn run(args: &CompletionsArgs, context: &Context) -> Result<Exit> {
    let mut script = Vec::new();
    generate(args.shell, &mut CommandLine::command(), "dsg", &mut script);
    if context.ui.is_json() {
        context.ui.json(&json!({
            "schema": "dsg.completions/1",
            "shell": args.shell.to_string(),
            "script": String::from_utf8_lossy(&script),
        }));
    } else {
        context.ui.raw(&script);
    }
    Ok(Exit::Success)
}
