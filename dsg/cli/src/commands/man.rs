//! `dsg man`: the manual pages, for those who package or install dsg.

use std::path::PathBuf;

use clap::{Args, Command, CommandFactory};
use dsg_store::error::{Code, Error, Result};
use foundation_runtime::Exit;
use serde_json::json;

use crate::app::CommandLine;
use crate::context::Context;
use crate::user_file::made;

/// Write the manual pages of all commands into a directory
#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// Where to; made if need be, such as ~/.local/share/man/man1
    #[arg(value_name = "DIRECTORY")]
    target: PathBuf,
}

/// Writes one page per command.
pub(crate) fn run(args: &ManArgs, context: &Context) -> Result<Exit> {
    let directory = made(&context.directory.join(&args.target), 0o755)?;
    let mut command = CommandLine::command();
    command.build();
    let mut written = Vec::new();
    for (name, command) in pages(&command, "dsg") {
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page).map_err(|error| {
            Error::new(Code::Disk, "could not make a manual page").because(error)
        })?;
        let file = format!("{name}.1");
        directory.replace_file(&file, &page, 0o644)?;
        written.push(file);
    }
    context.ui.line(format_args!("{} pages in {}", written.len(), directory.path().display()));
    context
        .ui
        .json(&json!({ "schema": "dsg.man/1", "directory": directory.path(), "pages": written }));
    Ok(Exit::Success)
}

/// A command and those below it, each under its whole name.
fn pages(command: &Command, name: &str) -> Vec<(String, Command)> {
    let page = command.clone().display_name(name.to_owned());
    let mut all = vec![(name.to_owned(), page)];
    for below in
        command.get_subcommands().filter(|below| below.get_name() != "help" && !below.is_hide_set())
    {
        all.extend(pages(below, &format!("{name}-{}", below.get_name())));
    }
    all
}
