//! `dsg validate-snapshot`.

use clap::Args;
use dsg_store::error::{Code, Error};
use foundation_runtime::Exit;

use crate::context::Context;

/// Not part of this build
#[derive(Debug, Args)]
pub(crate) struct ValidateSnapshotArgs {}

pub(crate) fn run(_args: &ValidateSnapshotArgs, _context: &Context) -> Result<Exit, Error> {
    Err(Error::new(Code::NotSupported, "dsg validate-snapshot is not part of this build"))
}
