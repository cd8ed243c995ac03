//! `dsg log`.

use std::path::PathBuf;

use clap::Args;
use dsg_core::snapshot::SnapshotNumber;
use dsg_store::error::{Code, Error, Result};
use dsg_store::history::{LogEntry, LogOptions, log};
use foundation_runtime::Exit;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::context::Context;
use crate::ui::{Tone, count, safe};
use crate::view::snapshot::{changes, message_lines, when};

const EXAMPLES: &str = "\
Examples
  dsg log                              the ten newest snapshots
  dsg log -n 0 --author alice          all that alice committed
  dsg log --since 7d output/           what changed in output/ in the last seven days
  dsg log --number s40 -n 1            one snapshot

Times are UTC, by the repository's clock. On the way back each document is checked against the hash that the next \
one names; a broken chain is an error (exit code 8).";

/// Show who committed what, newest first
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct LogArgs {
    /// Only snapshots that changed this file, or something in this directory
    path: Option<PathBuf>,
    /// Show at most N snapshots; 0 shows all
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10)]
    limit: usize,
    /// Only snapshots whose author has this text, in any case
    #[arg(long, value_name = "TEXT")]
    author: Option<String>,
    /// Only snapshots since then: 2026-11-21, 2026-11-21T06:00:00Z, or 30m, 3h, 7d, 2w ago
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Start at this snapshot and go back from there
    #[arg(long, value_name = "sN")]
    number: Option<SnapshotNumber>,
}

/// Shows the history.
pub(crate) fn run(args: &LogArgs, context: &Context) -> Result<Exit> {
    let since = match &args.since {
        Some(text) => Some(moment_of(text, context.clock.now())?),
        None => None,
    };
    let project = context.project()?;
    let path = match &args.path {
        Some(path) => context.path_in_project(&project, path)?,
        None => None,
    };
    let options = LogOptions {
        limit: args.limit,
        author: args.author.clone(),
        since,
        start: args.number,
        path,
    };
    let repository = context.repository_for_reading(&project)?;
    let entries = log(&*repository, &options, &context.monitor())?;
    let ui = &context.ui;
    ui.json(&json!({
        "schema": "dsg.log/1",
        "snapshots": entries.iter().map(entry_json).collect::<Vec<_>>(),
    }));
    for (number, entry) in entries.iter().enumerate() {
        if number > 0 {
            ui.line("");
        }
        print(context, entry);
    }
    if entries.is_empty() {
        ui.say("no snapshot fits");
    } else if args.limit != 0 && entries.len() == args.limit {
        ui.say("there may be more; -n 0 shows all");
    }
    Ok(Exit::Success)
}

fn print(context: &Context, entry: &LogEntry) {
    let ui = &context.ui;
    let document = &entry.document;
    let number = ui.paint(Tone::Strong, entry.number);
    let (time, author) = (when(document.time), safe(&document.author));
    ui.line(format_args!("{number}  {time}  {author}  {}", changes(&entry.counts)));
    for line in message_lines(&document.message) {
        ui.line(format_args!("    {line}"));
    }
    ui.line(ui.paint(Tone::Faint, format_args!("    {}", count(document.entries, "path"))));
    if ui.is_verbose() {
        let root = document.root.map_or("none".to_owned(), |root| root.to_string());
        ui.line(ui.paint(Tone::Faint, format_args!("    manifest {root}")));
        ui.line(ui.paint(Tone::Faint, format_args!("    chain    {}", entry.chain)));
        ui.line(ui.paint(Tone::Faint, format_args!("    {}", document.transaction)));
    }
}

fn entry_json(entry: &LogEntry) -> Value {
    let document = &entry.document;
    json!({
        "number": entry.number.to_string(),
        "time": document.time.to_string(),
        "author": document.author,
        "message": document.message,
        "entries": document.entries,
        "root": document.root,
        "parent": document.parent,
        "chain": entry.chain,
        "transaction": document.transaction,
        "added": entry.counts.added,
        "changed": entry.counts.changed,
        "deleted": entry.counts.deleted,
    })
}

/// A moment as people write it: exact, a day (it begins at midnight UTC), or so long ago.
fn moment_of(text: &str, now: Timestamp) -> Result<Timestamp> {
    let utc = |time: DateTime| time.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    let day = || text.parse::<Date>().ok().and_then(|day| utc(day.at(0, 0, 0, 0)));
    let found = ago(text, now).or_else(|| text.parse().ok()).or_else(day);
    found.ok_or_else(|| {
        Error::new(Code::Usage, format!("`{text}` is no moment that --since understands"))
            .next("write 2026-11-21, 2026-11-21T06:00:00Z, or how long ago: 30m, 3h, 7d, 2w")
    })
}

fn ago(text: &str, now: Timestamp) -> Option<Timestamp> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        _ => return None,
    };
    let plain = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let number: i64 = if plain { number.parse().ok()? } else { return None };
    let back = SignedDuration::from_secs(number.checked_mul(seconds)?);
    // Before the beginning of the calendar everything is since then.
    Some(now.checked_sub(back).unwrap_or(Timestamp::MIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Option<String> {
        let now = "2026-11-21T06:23:58Z".parse().expect("a time");
        moment_of(text, now).ok().map(|time| time.to_string())
    }

    #[test]
    fn moments_are_exact_or_a_day_or_so_long_ago() {
        for (text, expected) in [
            ("2026-11-20", "2026-11-20T00:00:00Z"),
            ("2026-11-20T12:00:00+02:00", "2026-11-20T10:00:00Z"),
            ("58s", "2026-11-21T06:23:00Z"),
            ("23m", "2026-11-21T06:00:58Z"),
            ("3h", "2026-11-21T03:23:58Z"),
            ("7d", "2026-11-14T06:23:58Z"),
            ("2w", "2026-11-07T06:23:58Z"),
        ] {
            assert_eq!(moment(text).as_deref(), Some(expected), "{text}");
        }
        for wrong in [
            "",
            "d",
            "7",
            "-7d",
            "+7d",
            "7x",
            "yesterday",
            "2026-13-01",
            "7é",
            "99999999999999999999d",
        ] {
            assert_eq!(moment(wrong), None, "{wrong}");
        }
        assert_eq!(moment("9999999999d"), Some(Timestamp::MIN.to_string()));
    }
}
