//! What a sync did.

use std::time::Duration;

use dsg_store::project::Kept;
use dsg_store::sync::SyncReport;
use foundation_runtime::Exit;
use serde_json::{Map, Value, json};

use super::plan::{print_left_out, summary_json};
use super::section;
use super::step::{path_line, unknown_json, unknown_line};
use crate::ui::{Phases, Tone, Ui, bytes, count, duration, safe};

/// How many changed paths are shown unless all are asked for.
const CHANGES_SHOWN: usize = 10;

/// What is said of a path, in the order in which it is counted up.
const WORDS: [&str; 7] = [
    "uploaded",
    "downloaded",
    "deleted in the repository",
    "deleted here",
    "restored",
    "agreed",
    "forgotten",
];

/// What the command ends with.
pub(crate) fn exit(report: &SyncReport) -> Exit {
    if report.unknown.is_empty() && report.skipped.is_empty() {
        Exit::Success
    } else {
        Exit::Incomplete
    }
}

/// The word for what was done, in JSON.
fn json_word(word: &str) -> &str {
    match word {
        "deleted in the repository" => "deleted_remote",
        "deleted here" => "deleted_local",
        one_word => one_word,
    }
}

/// The report in JSON.
pub(crate) fn json(report: &SyncReport, took: Duration, phases: &Phases) -> Value {
    let changes: Vec<Value> = report
        .steps
        .iter()
        .map(|(path, word)| json!({ "path": path, "done": json_word(word) }))
        .collect();
    let skipped: Vec<Value> = report
        .skipped
        .iter()
        .map(|skipped| json!({ "path": skipped.path, "why": skipped.why }))
        .collect();
    let kept: Vec<Value> = report
        .kept
        .iter()
        .map(|kept| json!({ "path": kept.path, "at": kept.at.to_string_lossy() }))
        .collect();
    json!({
        "schema": "dsg.sync/1",
        "dry_run": false,
        "outcome": "done",
        "snapshot": report.snapshot.map(|number| number.to_string()),
        "head": report.head.map(|number| number.to_string()),
        "planned": summary_json(&report.summary),
        "left_out": report.counts.left_out,
        "untracked_remote": report.counts.untracked_remote,
        "held_back": report.held_back,
        "changes": changes,
        "skipped": skipped,
        "unknown": report.unknown.iter().map(unknown_json).collect::<Vec<_>>(),
        "dangling": report.dangling,
        "set_aside": report.set_aside,
        "kept": kept,
        "uploaded_bytes": report.uploaded_bytes,
        "recovered": report.recovered,
        "seconds": took.as_secs_f64(),
        "phases": phases.iter().map(seconds).collect::<Map<_, _>>(),
        "exit": exit(report).code(),
    })
}

fn seconds((phase, took): (&&'static str, &Duration)) -> (String, Value) {
    ((*phase).to_owned(), took.as_secs_f64().into())
}

/// Paths that only the project's notes are about.
fn is_noted(word: &str) -> bool {
    matches!(word, "agreed" | "forgotten")
}

/// How many paths each word stands at, in the order of [`WORDS`].
fn done(report: &SyncReport) -> Vec<String> {
    let size = |word: &str| match word {
        // Of skipped paths the sizes are in the plan, but nothing of them was moved.
        _ if !report.skipped.is_empty() => None,
        "uploaded" => Some(report.summary.upload_bytes),
        "downloaded" => Some(report.summary.download_bytes),
        _ => None,
    };
    WORDS
        .iter()
        .filter_map(|word| {
            let number = report.steps.iter().filter(|(_, done)| done == word).count();
            let size = size(word).map(|size| format!(" ({})", bytes(size))).unwrap_or_default();
            (number > 0).then(|| format!("{number} {word}{size}"))
        })
        .collect()
}

/// Prints the report for people.
pub(crate) fn print(ui: &Ui, report: &SyncReport, took: Duration) {
    if report.recovered {
        ui.line("An earlier sync that had been cut off was finished first.");
    }
    let changed = report.steps.iter().filter(|(_, word)| ui.is_verbose() || !is_noted(word));
    let all = changed.clone().count();
    let shown = if ui.is_verbose() { all } else { all.min(CHANGES_SHOWN) };
    for (path, word) in changed.take(shown) {
        ui.line(format_args!("  {word:<26}{}", safe(path.as_str())));
    }
    if all > shown {
        ui.line(format_args!("  and {} more; -v shows all", all - shown));
    }
    if !report.set_aside.is_empty() {
        section(
            ui,
            Tone::Warning,
            "Directories with files that take no part, moved to .dsg/trash because the directory had to go",
            report.set_aside.iter().map(|path| safe(path)),
        );
    }
    print_kept_in_trash(ui, report);
    section(ui, Tone::Warning, "Links that lead nowhere", report.dangling.iter().map(path_line));
    section(
        ui,
        Tone::Warning,
        "Left alone: they changed meanwhile; sync again",
        report
            .skipped
            .iter()
            .map(|skipped| format!("{}: {}", safe(skipped.path.as_str()), skipped.why)),
    );
    section(
        ui,
        Tone::Warning,
        "Left out: nothing is known of them",
        report.unknown.iter().map(unknown_line),
    );
    print_left_out(ui, &report.counts, report.held_back);
    ui.line(last_line(ui, report, took));
}

/// What lies beside its file is found there; of the rest it has to be said where it is.
fn print_kept_in_trash(ui: &Ui, report: &SyncReport) {
    let kept: Vec<_> = report.kept.iter().filter(|kept| kept.in_trash).collect();
    let line =
        |kept: &Kept| format!("{}: {}", safe(kept.path.as_str()), safe(&kept.at.to_string_lossy()));
    section(
        ui,
        Tone::Warning,
        "Versions that lost, kept in the trash: no name could be had beside the file",
        kept.into_iter().map(line),
    );
}

fn last_line(ui: &Ui, report: &SyncReport, took: Duration) -> String {
    let mut parts = done(report);
    let nothing = parts.is_empty();
    let left = (report.unknown.len() + report.skipped.len()) as u64 + report.counts.left_out;
    if left > 0 {
        parts.push(format!("{} left out", count(left, "path")));
    }
    let state = match (report.snapshot, report.head) {
        (Some(made), _) => format!("{made} is made"),
        (None, Some(head)) if nothing && left == 0 => format!("Everything up to date with {head}"),
        (None, Some(head)) => format!("Now at {head}"),
        (None, None) => "Nothing to bring; the repository has no snapshot yet".to_owned(),
    };
    let state = ui.paint(if left == 0 { Tone::Good } else { Tone::Warning }, state);
    let what = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
    format!("{state}{what}; {}", duration(took))
}
