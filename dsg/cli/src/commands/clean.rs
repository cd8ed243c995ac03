//! `dsg clean`.

use clap::{Args, ValueEnum};
use dsg_store::clean::{CleanItem, CleanOptions, CleanTarget, Cleaned, clean, look};
use dsg_store::error::Result;
use foundation_runtime::Exit;
use serde_json::{Value, json};

use crate::context::Context;
use crate::ui::{Tone, bytes, count, safe};
use crate::view::section;

const EXAMPLES: &str = "\
Examples
  dsg clean                            show what could go, and how much that is
  dsg clean --yes                      remove it
  dsg clean --target backups --yes     remove only name~DATE~ files that lost a conflict
  dsg clean --target trash --unique    also show trash that is nowhere in the history

backups    files that were kept beside the one that won a conflict (name~20261121T062358Z~)
trash      what syncs replaced or deleted here; only what the history has, unless --unique is given
temp       downloads and temporary files that no unfinished sync needs
conflicts  conflicts.txt

What may be somebody's only copy stays: backups and conflicts go when they are asked for by --target, or with --unique.";

/// What to clean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Target {
    #[default]
    All,
    Backups,
    Trash,
    Temp,
    Conflicts,
}

impl Target {
    fn targets(self) -> Vec<CleanTarget> {
        match self {
            Self::All => CleanTarget::ALL.to_vec(),
            Self::Backups => vec![CleanTarget::Backups],
            Self::Trash => vec![CleanTarget::Trash],
            Self::Temp => vec![CleanTarget::Temp],
            Self::Conflicts => vec![CleanTarget::Conflicts],
        }
    }
}

/// Show, or remove, what is no longer needed here
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CleanArgs {
    /// What to clean
    #[arg(long, value_enum, value_name = "WHAT", default_value_t)]
    target: Target,
    /// Remove it; without this it is only shown
    #[arg(short, long, alias = "no-dry-run")]
    yes: bool,
    /// Also what is, or may be, nowhere in the history: the only copy of somebody's work
    #[arg(long)]
    unique: bool,
}

/// Shows what could go, or removes it.
pub(crate) fn run(args: &CleanArgs, context: &Context) -> Result<Exit> {
    let project = context.project()?;
    let options = CleanOptions { targets: args.target.targets(), unique: args.unique };
    let monitor = context.monitor();
    let cleaned = if args.yes {
        clean(&project, &options, &monitor)?
    } else {
        look(&project, &options, &monitor)?
    };
    drop(monitor);
    context.ui.json(&cleaned_json(args, &cleaned));
    print(args, context, &cleaned);
    Ok(if cleaned.unreadable.is_empty() { Exit::Success } else { Exit::Incomplete })
}

fn total(items: &[CleanItem]) -> (u64, u64) {
    (items.iter().map(|item| item.files).sum(), items.iter().map(|item| item.bytes).sum())
}

fn line(item: &CleanItem) -> String {
    let unique = if item.unique && item.target == CleanTarget::Trash {
        "  (nowhere in the history)"
    } else {
        ""
    };
    format!(
        "{:<9}  {}  {}, {}{unique}",
        item.target.as_str(),
        safe(&item.path.to_string_lossy()),
        count(item.files, "file"),
        bytes(item.bytes)
    )
}

fn print(args: &CleanArgs, context: &Context, cleaned: &Cleaned) {
    let ui = &context.ui;
    let heading = if args.yes { "Removed" } else { "Would be removed" };
    section(ui, Tone::Strong, heading, cleaned.items.iter().map(line));
    let heading = "Kept: nowhere in the history, as far as is known, so this is the only copy";
    section(ui, Tone::Warning, heading, cleaned.kept.iter().map(line));
    let unreadable = cleaned.unreadable.iter().map(|path| safe(&path.to_string_lossy()));
    section(ui, Tone::Warning, "Could not be looked into", unreadable);
    if cleaned.kept.iter().any(|item| item.target != CleanTarget::Trash) {
        ui.say("--target backups, or --target conflicts, asks for these by name");
    }
    if cleaned.items.is_empty() {
        ui.line(ui.paint(Tone::Good, "Nothing to clean"));
        return;
    }
    let (files, size) = total(&cleaned.items);
    let verb = if args.yes { "removed" } else { "could be removed" };
    ui.line(format_args!("{}, {} {verb}", count(files, "file"), bytes(size)));
    if !args.yes {
        if cleaned.items.iter().any(|item| item.unique) {
            ui.notice(
                "some of this is nowhere else: what is removed with --unique is gone for good",
            );
        }
        ui.say("nothing was changed; --yes removes it");
    }
}

fn cleaned_json(args: &CleanArgs, cleaned: &Cleaned) -> Value {
    let items = |items: &[CleanItem]| -> Vec<Value> {
        let item = |item: &CleanItem| {
            json!({
                "target": item.target.as_str(),
                "path": item.path.to_string_lossy(),
                "files": item.files,
                "bytes": item.bytes,
                "unique": item.unique,
            })
        };
        items.iter().map(item).collect()
    };
    let (files, size) = total(&cleaned.items);
    json!({
        "schema": "dsg.clean/1",
        "dry_run": !args.yes,
        "items": items(&cleaned.items),
        "kept": items(&cleaned.kept),
        "unreadable": cleaned.unreadable.iter().map(|path| path.to_string_lossy()).collect::<Vec<_>>(),
        "files": files,
        "bytes": size,
    })
}
