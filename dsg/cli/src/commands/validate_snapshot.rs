//! `dsg validate-snapshot`.

use std::path::PathBuf;

use clap::Args;
use dsg_core::snapshot::SnapshotNumber;
use dsg_store::error::{Code, Error, Result};
use dsg_store::history::document;
use dsg_store::repository::VerifyScope;
use foundation_runtime::Exit;

use super::validate_chain::{Checked, show};
use crate::context::Context;

const EXAMPLES: &str = "\
Examples
  dsg validate-snapshot           the newest snapshot: its manifest and the bytes of every file
  dsg validate-snapshot s3        an older one
  dsg validate-snapshot --repository /srv/dsg/SV

The exit code is 8 when something is damaged. `dsg validate-chain` checks all snapshots.";

/// Check one snapshot: its manifest and every content
#[derive(Debug, Args)]
#[command(name = "validate-snapshot", after_help = EXAMPLES)]
pub(crate) struct ValidateSnapshotArgs {
    /// The snapshot; without this the newest
    #[arg(value_name = "sN")]
    number: Option<SnapshotNumber>,
    /// The repository: DIR or HOST:DIR; without this the project's
    #[arg(long, value_name = "DIR")]
    repository: Option<PathBuf>,
}

/// Checks one snapshot.
pub(crate) fn run(args: &ValidateSnapshotArgs, context: &Context) -> Result<Exit> {
    let checked = Checked::open(context, args.repository.as_deref())?;
    let head = checked.repository.head()?.map(|head| head.number);
    let number = args.number.or(head).ok_or_else(|| {
        Error::new(Code::NotFound, "the repository has no snapshot yet")
            .next("`dsg sync` makes the first one")
    })?;
    if head.is_none_or(|head| number > head) {
        // The error for a snapshot that is not there.
        document(&*checked.repository, number)?;
    }
    let monitor = context.monitor();
    let mut report = checked.repository.verify(&VerifyScope::Snapshot(number), &monitor)?;
    drop(monitor);
    if Some(number) == head {
        checked.compare_with_seen(&mut report)?;
    }
    Ok(show(context, &number.to_string(), &report))
}
