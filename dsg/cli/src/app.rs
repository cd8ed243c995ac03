//! The command line: one definition for parser, help, completion and manual pages, and the way from
//! it to a command.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};
use dsg_store::error::{Code, Error};
use foundation_runtime::{Exit, Interrupt, SystemClock};

use crate::commands::{
    blame, clean, clone, completions, config, diff, doctor, init, list_files, list_repos, log, man,
    resolve, serve, snapfetch, status, sync, validate_chain, validate_snapshot,
};
use crate::context::Context;
use crate::ui::{ColorWhen, Ui, UiOptions};

/// Keeps the data files of a team in step: every state kept, every change attributed.
///
/// A project is a directory of yours; its repository is a directory that the team shares. `dsg sync` brings your changes there
/// and the changes of others here.
#[derive(Debug, Parser)]
#[command(name = "dsg", version, arg_required_else_help = true, after_help = GETTING_STARTED)]
pub(crate) struct CommandLine {
    #[command(flatten)]
    global: GlobalArgs,
    #[command(subcommand)]
    command: Command,
}

const GETTING_STARTED: &str = "\
Getting started
  Say who you are, once per machine:
    dsg config set user_name \"Your Name\"
    dsg config set user_id you@example.org
  Start a project in the directory that has your input/ and output/:
    dsg init --repository-path /var/repos/dsg
  Work, look, and bring it together with what others did:
    dsg status
    dsg sync -m \"what I did\"
  Join a project of somebody else:
    dsg clone /var/repos/dsg/NAME

Exit codes
  0 done   2 wrong usage   3 conflict: choose   4 refused by a guard
  5 done, but paths were left out   6 configuration   7 repository
  8 integrity: stop and call the data manager   9 disk, or another dsg is at work here
  130 interrupted   1 a defect of dsg: please report it

Read on: dsg help COMMAND, dsg man DIRECTORY, docs/configuration.md, docs/errors.md";

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
struct GlobalArgs {
    /// Work as if started in DIR
    #[arg(short = 'C', long, global = true, value_name = "DIR")]
    directory: Option<PathBuf>,
    /// Show more: whole lists, details
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    verbose: bool,
    /// Show only results and errors
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Print one JSON value on stdout and nothing else there
    #[arg(long, global = true)]
    json: bool,
    /// When to use colour; NO_COLOR is honoured
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: ColorWhen,
    /// Show no progress bars
    #[arg(long, global = true)]
    no_progress: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::InitArgs),
    Clone(clone::CloneArgs),
    Status(status::StatusArgs),
    Sync(sync::SyncArgs),
    Resolve(resolve::ResolveArgs),
    Log(log::LogArgs),
    Blame(blame::BlameArgs),
    Diff(diff::DiffArgs),
    ListFiles(list_files::ListFilesArgs),
    ListRepos(list_repos::ListReposArgs),
    Snapfetch(snapfetch::SnapfetchArgs),
    ValidateSnapshot(validate_snapshot::ValidateSnapshotArgs),
    ValidateChain(validate_chain::ValidateChainArgs),
    Doctor(doctor::DoctorArgs),
    Clean(clean::CleanArgs),
    Config(config::ConfigArgs),
    Completions(completions::CompletionsArgs),
    Serve(serve::ServeArgs),
    #[command(hide = true)]
    Man(man::ManArgs),
}

impl Command {
    fn run(&self, context: &Context) -> Result<Exit, Error> {
        match self {
            Self::Init(args) => init::run(args, context),
            Self::Clone(args) => clone::run(args, context),
            Self::Status(args) => status::run(args, context),
            Self::Sync(args) => sync::run(args, context),
            Self::Resolve(args) => resolve::run(args, context),
            Self::Log(args) => log::run(args, context),
            Self::Blame(args) => blame::run(args, context),
            Self::Diff(args) => diff::run(args, context),
            Self::ListFiles(args) => list_files::run(args, context),
            Self::ListRepos(args) => list_repos::run(args, context),
            Self::Serve(args) => serve::run(args, context),
            Self::Snapfetch(args) => snapfetch::run(args, context),
            Self::ValidateSnapshot(args) => validate_snapshot::run(args, context),
            Self::ValidateChain(args) => validate_chain::run(args, context),
            Self::Doctor(args) => doctor::run(args, context),
            Self::Clean(args) => clean::run(args, context),
            Self::Config(args) => config::run(args, context),
            Self::Completions(args) => completions::run(args, context),
            Self::Man(args) => man::run(args, context),
        }
    }
}

/// Runs the program.
#[must_use]
pub(crate) fn run() -> Exit {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    match CommandLine::try_parse_from(&arguments) {
        Ok(command_line) => dispatch(&command_line),
        Err(error) => not_understood(&arguments, &error),
    }
}

fn dispatch(command_line: &CommandLine) -> Exit {
    let global = &command_line.global;
    let ui = Ui::new(&UiOptions {
        verbose: global.verbose,
        quiet: global.quiet,
        json: global.json,
        color: global.color,
        progress: !global.no_progress,
    });
    let interrupt = match Interrupt::install() {
        Ok(interrupt) => interrupt,
        Err(error) => {
            let error = Error::new(Code::Disk, "could not prepare for interrupts").because(error);
            return ui.fail(&error);
        }
    };
    let clock = Arc::new(SystemClock::new());
    let result = Context::new(global.directory.as_deref(), ui.clone(), clock, interrupt.clone())
        .and_then(|context| command_line.command.run(&context));
    match result {
        Ok(exit) => ui.finish(exit),
        // The key that stops dsg also stops the ssh that it started.
        Err(error) if error.code == Code::Connection && interrupt.requested() => ui.fail(
            &Error::new(Code::Interrupted, "stopped, and the connection with it").next(
                "run the same command again: what was begun is finished or forgotten, and what was transferred is used",
            ),
        ),
        Err(error) => ui.fail(&error),
    }
}

/// Help, the version, or a command line that makes no sense; also that is one JSON value where JSON
/// was asked for.
fn not_understood(arguments: &[OsString], error: &clap::Error) -> Exit {
    let wants_json = arguments.iter().any(|argument| argument == "--json");
    if error.use_stderr() && wants_json {
        let ui = Ui::new(&UiOptions { json: true, ..UiOptions::default() });
        let text = error.render().to_string();
        let what = text.strip_prefix("error: ").unwrap_or(&text).trim_end();
        return ui.fail(&Error::new(Code::Usage, what).next("`dsg help` shows what there is"));
    }
    crate::ui::show_usage(error)
}
