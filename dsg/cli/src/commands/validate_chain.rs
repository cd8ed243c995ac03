//! `dsg validate-chain`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use dsg_core::hash::ChainHash;
use dsg_core::snapshot::SnapshotNumber;
use dsg_store::error::Result;
use dsg_store::history::missing_since;
use dsg_store::project::StateFile;
use dsg_store::repository::{Damage, Repository, VerifyReport, VerifyScope, open};
use foundation_runtime::Exit;
use serde_json::json;

use crate::context::Context;
use crate::ui::{Tone, bytes, count, safe};

const EXAMPLES: &str = "\
Examples
  dsg validate-chain                             everything: documents, manifests, every content of every snapshot
  dsg validate-chain --quick                     documents and manifests, without reading contents
  dsg validate-chain --repository /srv/dsg/SV    without a project, on the server

The newest document is named by no other; inside a project it is compared with what the project has seen.
The exit code is 8 when something is damaged: stop, and call the data manager.";

/// Check the whole history of the repository
#[derive(Debug, Args)]
#[command(name = "validate-chain", after_help = EXAMPLES)]
pub(crate) struct ValidateChainArgs {
    /// Don't read contents
    #[arg(long)]
    quick: bool,
    /// The repository's directory; without this the project's
    #[arg(long, value_name = "DIR")]
    repository: Option<PathBuf>,
}

/// Checks the history.
pub(crate) fn run(args: &ValidateChainArgs, context: &Context) -> Result<Exit> {
    let checked = Checked::open(context, args.repository.as_deref())?;
    let scope = VerifyScope::Chain { contents: !args.quick };
    let monitor = context.monitor();
    let mut report = checked.repository.verify(&scope, &monitor)?;
    drop(monitor);
    checked.compare_with_seen(&mut report)?;
    let what =
        if args.quick { "the chain, without contents" } else { "the chain with all contents" };
    Ok(show(context, what, &report))
}

/// A repository that is to be checked, and what a project knows of it.
pub(super) struct Checked {
    pub(super) repository: Box<dyn Repository>,
    seen: Option<(SnapshotNumber, ChainHash)>,
}

impl Checked {
    /// Opens the repository at `directory`, or that of the project.
    pub(super) fn open(context: &Context, directory: Option<&Path>) -> Result<Self> {
        if let Some(directory) = directory {
            let clock = Arc::clone(&context.clock);
            let root = context.directory.join(directory);
            let repository = open(&root, "", clock)?;
            return Ok(Self { repository, seen: None });
        }
        let project = context.project()?;
        let repository = context.repository_for_reading(&project)?;
        let state = match project.dsg()? {
            Some(dsg) => StateFile::open(&dsg)?,
            None => None,
        };
        let same = |file: &StateFile| file.state().repository == repository.description().id;
        let seen = state.filter(same).and_then(|file| file.state().seen);
        Ok(Self { repository, seen })
    }

    /// Adds what the project has seen and the repository no longer has.
    pub(super) fn compare_with_seen(&self, report: &mut VerifyReport) -> Result<()> {
        let Some((number, chain)) = self.seen else { return Ok(()) };
        if let Some(what) = missing_since(&self.repository, (number, chain))? {
            report.damage.push(Damage {
                file: format!(".dsg-repository/snapshots/{number}"),
                what,
                meaning: "the history was changed, or an older copy of the repository was put back"
                    .to_owned(),
            });
        }
        Ok(())
    }
}

/// The kinds of files, in the order in which damage is told.
const GROUPS: [(&str, &str); 4] = [
    ("document", "Snapshot documents"),
    ("manifest", "Manifests"),
    ("content", "Contents of older versions"),
    ("visible", "Visible files"),
];

fn group(damage: &Damage) -> &'static str {
    match damage.file.strip_prefix(".dsg-repository/") {
        Some(file) if file.starts_with("objects/") => "content",
        Some(file) if file.ends_with(".trees") => "manifest",
        Some(_) => "document",
        None => "visible",
    }
}

/// Shows what was checked and found; the exit code says whether all is well.
pub(super) fn show(context: &Context, what: &str, report: &VerifyReport) -> Exit {
    let ui = &context.ui;
    ui.json(&json!({
        "schema": "dsg.validation/1",
        "checked": what,
        "snapshots": report.snapshots,
        "entries": report.entries,
        "contents": report.contents,
        "bytes": report.bytes,
        "damage": report.damage.iter().map(|damage| json!({
            "kind": group(damage),
            "file": damage.file,
            "what": damage.what,
            "meaning": damage.meaning,
        })).collect::<Vec<_>>(),
    }));
    for (kind, heading) in GROUPS {
        let damaged: Vec<&Damage> =
            report.damage.iter().filter(|damage| group(damage) == kind).collect();
        if damaged.is_empty() {
            continue;
        }
        ui.line(ui.paint(Tone::Bad, format_args!("{heading} ({})", damaged.len())));
        for damage in damaged {
            ui.line(format_args!("  ✗ {}: {}", safe(&damage.file), safe(&damage.what)));
            ui.line(format_args!("      {}", safe(&damage.meaning)));
        }
    }
    let read = format!(
        "{}, {}, {} read ({})",
        count(report.snapshots, "document"),
        count(report.entries, "entry"),
        count(report.contents, "content"),
        bytes(report.bytes)
    );
    if report.damage.is_empty() {
        ui.line(format_args!("{} {what}: {read}", ui.paint(Tone::Good, "✓")));
        return Exit::Success;
    }
    let damaged = count(report.damage.len() as u64, "damage");
    ui.line(format_args!("{} {what}: {damaged} in {read}", ui.paint(Tone::Bad, "✗")));
    ui.say("next: stop writing to the repository, call the data manager, restore the named files from a backup");
    Exit::Integrity
}
