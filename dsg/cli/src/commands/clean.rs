//! `dsg clean`.

use clap::Args;
use dsg_store::error::{Code, Error};
use foundation_runtime::Exit;

use crate::context::Context;

/// Not part of this build
#[derive(Debug, Args)]
pub(crate) struct CleanArgs {}

pub(crate) fn run(_args: &CleanArgs, _context: &Context) -> Result<Exit, Error> {
    Err(Error::new(Code::NotSupported, "dsg clean is not part of this build"))
}
