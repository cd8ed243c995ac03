//! Snapshots as people and programs see them: times, messages, numbers of changes.

use dsg_store::history::ChangeCounts;
use jiff::Timestamp;

use crate::ui::safe;

/// A time of the repository: `2026-11-21 06:23:58 UTC`.
pub(crate) fn when(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// How much a snapshot changed: `3 added, 1 changed`.
pub(crate) fn changes(counts: &ChangeCounts) -> String {
    let parts = [(counts.added, "added"), (counts.changed, "changed"), (counts.deleted, "deleted")];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    if parts.is_empty() { "nothing changed".to_owned() } else { parts.join(", ") }
}

/// The lines of a message, each safe for a terminal.
pub(crate) fn message_lines(message: &str) -> impl Iterator<Item = String> {
    message.trim_end().lines().map(safe)
}

/// The first line of a message, safe for a terminal.
pub(crate) fn headline(message: &str) -> String {
    message_lines(message).next().unwrap_or_default()
}
