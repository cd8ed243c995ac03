//! `dsg serve`.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use dsg_core::entry::TEXT_BYTES_MAX;
use dsg_store::error::{Code, Error, Result};
use dsg_store::remote::{Role, ServeOptions, serve};
use foundation_runtime::Exit;

use crate::context::Context;

const EXAMPLES: &str = "\
Not to be started by hand: dsg on another machine starts it through ssh.

A server for a team has one account, and in its ~/.ssh/authorized_keys one line for each key:
  restrict,command=\"dsg serve --stdio --root /srv/dsg --role writer --user alice@example.org\" ssh-ed25519 AAAA…

Roles
  reader      sees states and contents
  writer      also commits; history can only grow by that
  maintainer  also makes repositories

Without --root and --role the client may do what the account may do; without --user the account's name is the author.";

/// Who may do what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RoleArg {
    /// Read
    Reader,
    /// Read and commit
    Writer,
    /// Also make repositories
    Maintainer,
}

/// Answer a dsg on another machine
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ServeArgs {
    /// Speak on standard input and output
    #[arg(long, required = true)]
    stdio: bool,
    /// Nothing outside of this directory can be reached
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// What the client may do
    #[arg(long, value_name = "ROLE", default_value = "maintainer")]
    role: RoleArg,
    /// Who the client is: the author of what it commits
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
}

/// Serves one client.
pub(crate) fn run(args: &ServeArgs, context: &Context) -> Result<Exit> {
    let author = match &args.user {
        Some(user) => checked(user)?,
        None => dsg_store::system::user_name(),
    };
    let options = ServeOptions {
        root: args.root.as_ref().map(|root| context.directory.join(root)),
        role: match args.role {
            RoleArg::Reader => Role::Reader,
            RoleArg::Writer => Role::Writer,
            RoleArg::Maintainer => Role::Maintainer,
        },
        author,
        program: concat!("dsg ", env!("CARGO_PKG_VERSION")).to_owned(),
        clock: Arc::clone(&context.clock),
    };
    serve(std::io::stdin(), std::io::stdout(), &options)?;
    Ok(Exit::Success)
}

fn checked(user: &str) -> Result<String> {
    let user = user.trim();
    if user.is_empty() || user.len() > TEXT_BYTES_MAX || user.contains(char::is_control) {
        return Err(Error::new(Code::Usage, "--user is no name")
            .next("give the address under which the client's changes are to appear"));
    }
    Ok(user.to_owned())
}
