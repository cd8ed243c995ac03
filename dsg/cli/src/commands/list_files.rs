//! `dsg list-files`.

use std::path::PathBuf;

use clap::Args;
use dsg_core::compare::LocalEntry;
use dsg_store::error::Result;
use dsg_store::list::{Listed, Listing, list};
use foundation_runtime::Exit;
use serde_json::{Value, json};

use crate::context::Context;
use crate::ui::{Tone, bytes, count, moment, safe};
use crate::view::section;
use crate::view::step::{local_json, unknown_json, unknown_line};

const EXAMPLES: &str = "\
Examples
  dsg list-files              what takes part: size, last change, path
  dsg list-files -v output/   with hashes, as far as they are known without reading the files
  dsg list-files --ignored    also what the rules of .dsgconfig.yml leave out

Needs no repository. The exit code is 5 when something is left out, as with `dsg status`.";

/// Show which files take part, and which do not and why
#[derive(Debug, Args)]
#[command(name = "list-files", after_help = EXAMPLES)]
pub(crate) struct ListFilesArgs {
    /// Only this file, or what is in this directory
    path: Option<PathBuf>,
    /// Show what the rules leave out, too
    #[arg(long)]
    ignored: bool,
}

/// Lists the files of the project.
pub(crate) fn run(args: &ListFilesArgs, context: &Context) -> Result<Exit> {
    let project = context.project()?;
    let path = match &args.path {
        Some(path) => context.path_in_project(&project, path)?,
        None => None,
    };
    let mut listing = list(&project, &context.monitor())?;
    if let Some(path) = &path {
        listing = listing.below(path);
    }
    let ui = &context.ui;
    ui.json(&listing_json(&listing));
    for listed in &listing.entries {
        ui.line(line(listed, ui.is_verbose()));
    }
    if args.ignored {
        section(
            ui,
            Tone::Faint,
            "Ignored by the rules",
            listing.ignored.iter().map(|ignored| {
                let slash = if ignored.directory { "/" } else { "" };
                format!("{}{slash}", safe(&ignored.path.to_string_lossy()))
            }),
        );
    }
    let heading = "Left out: nothing is known of them";
    section(ui, Tone::Warning, heading, listing.unknown.iter().map(unknown_line));
    ui.line(ui.paint(Tone::Strong, totals(&listing)));
    Ok(if listing.unknown.is_empty() { Exit::Success } else { Exit::Incomplete })
}

fn line(listed: &Listed, verbose: bool) -> String {
    let path = safe(listed.path.as_str());
    let (size, time, kind, rest, hash) = match &listed.entry {
        LocalEntry::File { hash, executable, size, modified } => {
            let time = moment(*modified).unwrap_or_default();
            // Seconds are enough for people.
            let time = time.get(..19).unwrap_or("").replace('T', " ");
            let kind = if *executable { "exec" } else { "file" };
            (bytes(*size), time, kind, String::new(), *hash)
        }
        LocalEntry::Link { target } => {
            let dangling = if listed.dangling { "  (leads nowhere)" } else { "" };
            let rest = format!(" -> {}{dangling}", safe(target));
            (String::new(), String::new(), "link", rest, None)
        }
    };
    let hash = if verbose {
        format!("{:<64}  ", hash.map_or("-".to_owned(), |hash| hash.to_string()))
    } else {
        String::new()
    };
    format!("{size:>11}  {time:<19}  {kind}  {hash}{path}{rest}")
}

fn totals(listing: &Listing) -> String {
    let totals = listing.totals();
    let mut text = format!(
        "{}, {}, {}",
        count(totals.files, "file"),
        count(totals.links, "link"),
        bytes(totals.bytes)
    );
    if totals.ignored > 0 || totals.unknown > 0 {
        text.push_str(&format!("; {} ignored, {} unknown", totals.ignored, totals.unknown));
    }
    text
}

fn listing_json(listing: &Listing) -> Value {
    let totals = listing.totals();
    let entry = |listed: &Listed| {
        let mut value = local_json(&listed.entry);
        if let Value::Object(fields) = &mut value {
            fields.insert("path".to_owned(), json!(listed.path));
            if matches!(listed.entry, LocalEntry::Link { .. }) {
                fields.insert("dangling".to_owned(), json!(listed.dangling));
            }
        }
        value
    };
    json!({
        "schema": "dsg.list-files/1",
        "entries": listing.entries.iter().map(entry).collect::<Vec<_>>(),
        "ignored": listing.ignored.iter().map(|ignored| json!({
            "path": ignored.path.to_string_lossy(),
            "kind": if ignored.directory { "directory" } else { "file" },
        })).collect::<Vec<_>>(),
        "unknown": listing.unknown.iter().map(unknown_json).collect::<Vec<_>>(),
        "totals": {
            "files": totals.files,
            "links": totals.links,
            "bytes": totals.bytes,
            "ignored": totals.ignored,
            "unknown": totals.unknown,
        },
    })
}
