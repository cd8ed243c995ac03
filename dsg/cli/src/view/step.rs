//! One path of a plan, and the other things that a look finds.

use dsg_core::compare::LocalEntry;
use dsg_core::conflict::{Choice, Question};
use dsg_core::entry::Entry;
use dsg_core::path::RepoPath;
use dsg_core::plan::{Action, Collision, Refusal, Side, Step};
use dsg_store::{Unknown, UnknownReason};
use serde_json::{Value, json};

use crate::ui::{bytes, moment, safe};

/// The width of the column of labels: that of the longest one, and a space.
const LABEL_WIDTH: usize = 36;

/// The word for an action in JSON.
pub(crate) fn action_word(action: &Action) -> &'static str {
    match action {
        Action::Nothing => "nothing",
        Action::Upload => "upload",
        Action::Download => "download",
        Action::DeleteRemote => "delete_remote",
        Action::DeleteLocal => "delete_local",
        Action::Agree => "agree",
        Action::Forget => "forget",
        Action::RestoreCached => "restore_cached",
        Action::Conflict(_) => "conflict",
    }
}

/// The word for a choice, in options and in JSON.
pub(crate) fn choice_word(choice: Choice) -> &'static str {
    match choice {
        Choice::Local => "local",
        Choice::Remote => "remote",
        Choice::Cached => "cached",
    }
}

/// A path with its state, for people.
pub(crate) fn step_line(step: &Step) -> String {
    let mut line = format!("{:<LABEL_WIDTH$}{}", step.state.label(), safe(step.path().as_str()));
    let triple = &step.triple;
    match &step.action {
        Action::Upload => {
            line.push_str(&detail(triple.local.as_ref().map(|local| bytes(local.size()))));
        }
        Action::Download => line.push_str(&detail(
            triple
                .remote
                .as_ref()
                .map(|remote| format!("{} by {}", bytes(remote.size()), safe(remote.author()))),
        )),
        _ => {}
    }
    if let Some(decided) = decided(step) {
        line.push_str(&format!("  (decided: {decided})"));
    }
    line
}

fn detail(text: Option<String>) -> String {
    text.map(|text| format!("  {text}")).unwrap_or_default()
}

/// What was chosen, of a conflict that somebody settled.
fn decided(step: &Step) -> Option<&'static str> {
    if !step.state.is_conflict() {
        return None;
    }
    match step.action {
        Action::Upload | Action::DeleteRemote => Some("keep local"),
        Action::Download | Action::DeleteLocal => Some("take remote"),
        Action::RestoreCached => Some("restore cached"),
        _ => None,
    }
}

/// A path with its state, for scripts that read lines.
pub(crate) fn step_short(step: &Step) -> String {
    format!(
        "{:>2}  {:<LABEL_WIDTH$}{}",
        step.state.number(),
        step.state.label(),
        safe(step.path().as_str())
    )
}

/// A path with its state and its three copies.
pub(crate) fn step_json(step: &Step) -> Value {
    json!({
        "path": step.path(),
        "state": step.state.number(),
        "code": step.state.code(),
        "label": step.state.label(),
        "action": action_word(&step.action),
        "local": step.triple.local.as_ref().map(local_json),
        "cached": step.triple.cached.as_deref().map(entry_json),
        "remote": step.triple.remote.as_deref().map(entry_json),
    })
}

/// What is on disk at a path.
pub(crate) fn local_json(local: &LocalEntry) -> Value {
    match local {
        LocalEntry::File { hash, executable, size, modified } => json!({
            "kind": "file",
            "hash": hash,
            "size": size,
            "executable": executable,
            "modified": moment(*modified),
        }),
        LocalEntry::Link { target } => json!({ "kind": "link", "target": target }),
    }
}

/// What a manifest says of a path.
pub(crate) fn entry_json(entry: &Entry) -> Value {
    match entry {
        Entry::File(file) => json!({
            "kind": "file",
            "hash": file.hash,
            "size": file.size,
            "executable": file.executable,
            "modified": moment(file.modified),
            "author": file.author,
        }),
        Entry::Link(link) => json!({
            "kind": "link",
            "target": link.target,
            "author": link.author,
        }),
    }
}

/// A path of which nothing can be said, for people.
pub(crate) fn unknown_line(unknown: &Unknown) -> String {
    format!("{}: {}", safe(&unknown.shown), safe(&unknown.why.to_string()))
}

/// A path of which nothing can be said.
pub(crate) fn unknown_json(unknown: &Unknown) -> Value {
    let reason = match &unknown.why {
        UnknownReason::Unreadable(_) => "unreadable",
        UnknownReason::Name(_) => "name",
        UnknownReason::Link(_) => "link",
        UnknownReason::Special => "special",
    };
    json!({
        "path": unknown.path,
        "shown": unknown.shown,
        "reason": reason,
        "why": unknown.why.to_string(),
    })
}

/// Why a plan is refused.
pub(crate) fn refusal_json(refusal: &Refusal) -> Value {
    match refusal {
        Refusal::MassDeletion { side, deleted, of, first } => json!({
            "kind": "mass_deletion",
            "side": side_word(*side),
            "deleted": deleted,
            "of": of,
            "first": first,
            "text": refusal.to_string(),
        }),
        Refusal::EmptiedDataDirectory { directory, entries, .. } => json!({
            "kind": "emptied_data_directory",
            "directory": directory,
            "entries": entries,
            "text": refusal.to_string(),
        }),
    }
}

fn side_word(side: Side) -> &'static str {
    match side {
        Side::Local => "local",
        Side::Remote => "remote",
    }
}

/// Names that would be one, for people.
pub(crate) fn collision_line(collision: &Collision) -> String {
    let directory = match collision.directory.as_str() {
        "" => ".",
        directory => directory,
    };
    let names: Vec<String> = collision.names.iter().map(|name| safe(name)).collect();
    format!("{}: {}", safe(directory), names.join(", "))
}

/// Names that would be one.
pub(crate) fn collision_json(collision: &Collision) -> Value {
    json!({
        "directory": collision.directory,
        "names": collision.names,
        "brought_by": side_word(collision.brought_by),
    })
}

/// A conflict with the ways out of it.
pub(crate) fn question_json(question: &Question, decided: Option<Choice>) -> Value {
    let choices: Vec<Value> = question
        .choices
        .iter()
        .map(|offer| json!({ "choice": choice_word(offer.choice), "meaning": offer.meaning }))
        .collect();
    json!({
        "path": question.path,
        "reason": question.reason,
        "choices": choices,
        "decided": decided.map(choice_word),
    })
}

/// Paths as texts for a terminal.
pub(crate) fn path_line(path: &RepoPath) -> String {
    safe(path.as_str())
}
