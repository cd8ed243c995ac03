//! What a look at project and repository found: for `status` and `sync --dry-run`.

use dsg_core::plan::{Action, Step, Summary};
use dsg_store::sync::{Counts, Look};
use foundation_runtime::Exit;
use serde_json::{Map, Value, json};

use super::section;
use super::step::{
    collision_json, collision_line, path_line, refusal_json, step_json, step_line, unknown_json,
    unknown_line,
};
use crate::ui::{Tone, Ui, bytes, count, safe};

/// A group of paths: which, and under which heading.
pub(crate) struct Group {
    heading: &'static str,
    tone: Tone,
    holds: fn(&Action) -> bool,
}

/// The groups of `status`: whose changes they are.
pub(crate) const BY_AUTHOR: &[Group] = &[
    Group {
        heading: "Your local changes",
        tone: Tone::Good,
        holds: |action| matches!(action, Action::Upload | Action::DeleteRemote),
    },
    Group {
        heading: "Remote changes (team updates)",
        tone: Tone::Strong,
        holds: |action| matches!(action, Action::Download | Action::DeleteLocal),
    },
    CONFLICTS,
    RESTORED,
    NOTED,
];

/// The groups of `sync --dry-run`: what would happen to them.
pub(crate) const BY_ACTION: &[Group] = &[
    Group {
        heading: "Would go up to the repository",
        tone: Tone::Good,
        holds: |action| matches!(action, Action::Upload),
    },
    Group {
        heading: "Would be deleted in the repository",
        tone: Tone::Warning,
        holds: |action| matches!(action, Action::DeleteRemote),
    },
    Group {
        heading: "Would come down to this project",
        tone: Tone::Strong,
        holds: |action| matches!(action, Action::Download),
    },
    Group {
        heading: "Would be deleted here (kept in .dsg/trash)",
        tone: Tone::Warning,
        holds: |action| matches!(action, Action::DeleteLocal),
    },
    CONFLICTS,
    RESTORED,
    NOTED,
];

const CONFLICTS: Group = Group {
    heading: "Conflicts: somebody has to choose",
    tone: Tone::Bad,
    holds: |action| matches!(action, Action::Conflict(_)),
};
const RESTORED: Group = Group {
    heading: "Go back to what was last agreed, on both sides",
    tone: Tone::Strong,
    holds: |action| matches!(action, Action::RestoreCached),
};
const NOTED: Group = Group {
    heading: "The same on both sides already, to be noted (cache only)",
    tone: Tone::Faint,
    holds: |action| matches!(action, Action::Agree | Action::Forget),
};

/// What the command ends with, when everything is shown that was found.
pub(crate) fn exit(look: &Look) -> Exit {
    if look.plan.conflicts().next().is_some() {
        Exit::Conflict
    } else if !look.plan.refusals.is_empty() || !look.collisions.is_empty() {
        Exit::Refused
    } else if !look.unknown.is_empty() {
        Exit::Incomplete
    } else {
        Exit::Success
    }
}

/// Whether nothing is to be done, and that is known of every path.
pub(crate) fn is_up_to_date(look: &Look) -> bool {
    look.plan.is_empty()
        && look.plan.held_back == 0
        && look.unknown.is_empty()
        && look.collisions.is_empty()
}

/// The fields of a look, in JSON.
pub(crate) fn fields(look: &Look) -> Map<String, Value> {
    let steps: Vec<Value> = look.plan.steps.iter().map(step_json).collect();
    let mut fields = Map::new();
    let mut put = |key: &str, value: Value| fields.insert(key.to_owned(), value);
    put(
        "head",
        json!(look.head.map(|head| json!({
            "snapshot": head.number.to_string(), "chain": head.chain, "entries": head.entries,
        }))),
    );
    put(
        "seen",
        json!(look.state.seen.map(|(number, chain)| json!({
            "snapshot": number.to_string(), "chain": chain,
        }))),
    );
    put("up_to_date", json!(is_up_to_date(look)));
    put("counts", counts(look));
    put("steps", Value::Array(steps));
    put("unknown", look.unknown.iter().map(unknown_json).collect());
    put("dangling", json!(look.dangling));
    put("refusals", look.plan.refusals.iter().map(refusal_json).collect());
    put("collisions", look.collisions.iter().map(collision_json).collect());
    put("exit", json!(exit(look).code()));
    fields
}

fn counts(look: &Look) -> Value {
    let counts = &look.counts;
    let mut value = summary_json(&look.plan.summary());
    if let Value::Object(map) = &mut value {
        map.insert("entries".to_owned(), json!(counts.entries));
        map.insert("ignored".to_owned(), json!(counts.ignored));
        map.insert("left_out".to_owned(), json!(counts.left_out));
        map.insert("untracked_remote".to_owned(), json!(counts.untracked_remote));
        map.insert("unknown".to_owned(), json!(look.unknown.len()));
        map.insert("held_back".to_owned(), json!(look.plan.held_back));
    }
    value
}

/// How many steps of each kind there are.
pub(crate) fn summary_json(summary: &Summary) -> Value {
    json!({
        "uploads": summary.uploads,
        "upload_bytes": summary.upload_bytes,
        "downloads": summary.downloads,
        "download_bytes": summary.download_bytes,
        "remote_deletions": summary.remote_deletions,
        "local_deletions": summary.local_deletions,
        "restorations": summary.restorations,
        "cache_only": summary.cache_only,
        "conflicts": summary.conflicts,
    })
}

/// Prints everything that a look found, for people.
pub(crate) fn print(ui: &Ui, look: &Look, groups: &[Group]) {
    for group in groups {
        let steps: Vec<&Step> =
            look.plan.steps.iter().filter(|step| (group.holds)(&step.action)).collect();
        section(ui, group.tone, group.heading, steps.iter().map(|step| step_line(step)));
    }
    section(
        ui,
        Tone::Warning,
        "Left out: nothing is known of them",
        look.unknown.iter().map(unknown_line),
    );
    section(ui, Tone::Warning, "Links that lead nowhere", look.dangling.iter().map(path_line));
    let refusals = &look.plan.refusals;
    section(ui, Tone::Bad, "Refused", refusals.iter().map(|refusal| safe(&refusal.to_string())));
    section(
        ui,
        Tone::Bad,
        "Refused: names that would be one on a disk that ignores case or spelling",
        look.collisions.iter().map(collision_line),
    );
    print_left_out(ui, &look.counts, look.plan.held_back);
}

/// Prints how many paths take no part, by reason.
pub(super) fn print_left_out(ui: &Ui, counts: &Counts, held_back: u64) {
    let facts = [
        (counts.ignored, "by ignore rules"),
        (counts.left_out, "although agreed before: the configuration no longer includes them"),
        (
            counts.untracked_remote,
            "of the repository's changes: the configuration does not include them here",
        ),
        (held_back, "because they are unknown, or lie below such a directory"),
    ];
    for (number, why) in facts {
        if number > 0 && (ui.is_verbose() || why != facts[0].1) {
            ui.line(
                ui.paint(Tone::Faint, format_args!("{} left out {why}", count(number, "path"))),
            );
        }
    }
}

/// One line: what there is to do.
pub(crate) fn summary_line(look: &Look) -> String {
    if is_up_to_date(look) {
        return match look.head {
            Some(head) => format!("Everything up to date with {}", head.number),
            None => "Everything up to date; the repository has no snapshot yet".to_owned(),
        };
    }
    let summary = look.plan.summary();
    let mut parts = to_do(&summary);
    if summary.conflicts > 0 {
        parts.push(count(summary.conflicts, "conflict"));
    }
    if !look.plan.refusals.is_empty() || !look.collisions.is_empty() {
        parts.push("refused as it is".to_owned());
    }
    if !look.unknown.is_empty() {
        parts.push(format!("{} left out", count(look.unknown.len() as u64, "path")));
    }
    if parts.is_empty() {
        parts.push("nothing to do for the paths that take part".to_owned());
    }
    parts.join(", ")
}

/// The counts of a summary in words.
fn to_do(summary: &Summary) -> Vec<String> {
    let sized =
        |number: u64, size: u64, word: &str| (number, format!("{number} {word} ({})", bytes(size)));
    let plain = |number: u64, word: &str| (number, format!("{number} {word}"));
    let all = [
        sized(summary.uploads, summary.upload_bytes, "to upload"),
        sized(summary.downloads, summary.download_bytes, "to download"),
        plain(summary.remote_deletions, "to delete in the repository"),
        plain(summary.local_deletions, "to delete here"),
        plain(summary.restorations, "to restore"),
        plain(summary.cache_only, "to note"),
    ];
    all.into_iter().filter(|(number, _)| *number > 0).map(|(_, text)| text).collect()
}
