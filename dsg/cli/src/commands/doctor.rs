//! `dsg doctor`.

use clap::Args;
use dsg_store::error::{Code, Error};
use foundation_runtime::Exit;

use crate::context::Context;

/// Not part of this build
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {}

pub(crate) fn run(_args: &DoctorArgs, _context: &Context) -> Result<Exit, Error> {
    Err(Error::new(Code::NotSupported, "dsg doctor is not part of this build"))
}
