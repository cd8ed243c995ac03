//! `dsg blame`.

use std::path::PathBuf;

use clap::Args;
use dsg_core::entry::Entry;
use dsg_store::error::Result;
use dsg_store::history::{BlameEvent, EventKind, blame};
use foundation_runtime::Exit;
use serde_json::{Value, json};

use crate::context::Context;
use crate::ui::{Tone, safe};
use crate::view::snapshot::{headline, when};
use crate::view::step::entry_json;

const EXAMPLES: &str = "\
Examples
  dsg blame input/people.csv          every change of the file, oldest first
  dsg blame --json input/people.csv   the same for programs, with whole hashes

A file that was deleted has a history too. `revert to s3` means: as it was in s3 again; `recreate`: it had been \
deleted and is back. `dsg snapfetch FILE --number sN` brings any of the versions.";

/// Show what happened to one file, oldest first
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct BlameArgs {
    /// The file or link
    file: PathBuf,
}

/// Shows the history of a path.
pub(crate) fn run(args: &BlameArgs, context: &Context) -> Result<Exit> {
    let project = context.project()?;
    let path = context.repo_path(&project, &args.file)?;
    let repository = context.repository_for_reading(&project)?;
    let events = blame(&*repository, &path, &context.monitor())?;
    let ui = &context.ui;
    ui.json(&json!({
        "schema": "dsg.blame/1",
        "file": path,
        "events": events.iter().map(event_json).collect::<Vec<_>>(),
    }));
    for event in &events {
        let number = ui.paint(Tone::Strong, format_args!("{:<5}", event.number.to_string()));
        ui.line(format_args!(
            "{number} {}  {:<24} {:<16} {:<12}  {}",
            when(event.time),
            safe(&event.author),
            words(event.kind),
            content(event.entry.as_ref()),
            headline(&event.message)
        ));
    }
    Ok(Exit::Success)
}

fn words(kind: EventKind) -> String {
    match kind {
        EventKind::Add => "add".to_owned(),
        EventKind::Modify => "modify".to_owned(),
        EventKind::Delete => "delete".to_owned(),
        EventKind::Revert { to } => format!("revert to s{to}"),
        EventKind::Recreate { same_as: None } => "recreate".to_owned(),
        EventKind::Recreate { same_as: Some(number) } => format!("recreate as s{number}"),
    }
}

fn content(entry: Option<&Entry>) -> String {
    match entry {
        None => String::new(),
        Some(Entry::File(file)) => file.hash.short(),
        Some(Entry::Link(link)) => format!("-> {}", safe(&link.target)),
    }
}

fn event_json(event: &BlameEvent) -> Value {
    let (word, earlier) = match event.kind {
        EventKind::Add => ("add", None),
        EventKind::Modify => ("modify", None),
        EventKind::Delete => ("delete", None),
        EventKind::Revert { to } => ("revert", Some(to)),
        EventKind::Recreate { same_as } => ("recreate", same_as),
    };
    json!({
        "number": event.number.to_string(),
        "time": event.time.to_string(),
        "author": event.author,
        "message": event.message,
        "event": word,
        "same_as": earlier.map(|number| format!("s{number}")),
        "hash": event.entry.as_ref().and_then(Entry::content),
        "entry": event.entry.as_ref().map(entry_json),
    })
}
