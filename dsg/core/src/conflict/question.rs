//! What a person is asked about a conflict, and in which order the answers are suggested.

use std::cmp::Reverse;

use super::{Choice, MadeFor};
use crate::compare::{LocalEntry, SyncState};
use crate::entry::{Entry, Moment};
use crate::path::RepoPath;
use crate::plan::{Action, Asked, Conflict, Step, Triple};

/// One possible answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The answer.
    pub choice: Choice,
    /// What it would do.
    pub meaning: &'static str,
}

/// A conflict, as it is put to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The path.
    pub path: RepoPath,
    /// What is in conflict, and why it is asked again if it is.
    pub reason: String,
    /// The possible answers, the likeliest first. Empty when the way out is not a choice: a file
    /// and a directory that clash, of which somebody must rename one.
    pub choices: Vec<Offer>,
    /// The copies that are there to choose from.
    pub made_for: MadeFor,
}

impl Question {
    /// The question that a step raises; `None` when it is no conflict.
    #[must_use]
    pub fn of(step: &Step) -> Option<Self> {
        let Action::Conflict(conflict) = &step.action else {
            return None;
        };
        let Triple { path, local, remote, .. } = &step.triple;
        let (reason, choices) = match &**conflict {
            Conflict::Differ { asked } => (reason(step.state, asked), offers(step)),
            Conflict::Clash { with } => {
                (format!("file and directory clash with `{with}`, rename one of them"), Vec::new())
            }
        };
        let made_for = MadeFor::of(local.as_ref(), remote.as_deref());
        Some(Self { path: path.clone(), reason, choices, made_for })
    }
}

fn reason(state: SyncState, asked: &Asked) -> String {
    let reason = format!("{}: {}", state.pattern(), state.reason());
    match asked {
        Asked::First => reason,
        Asked::Moved => {
            format!("{reason}; asked again, as a copy changed after the choice was made")
        }
        Asked::NotOffered(choice) => {
            format!("{reason}; asked again, as {} is no choice here", choice.letter())
        }
        Asked::Blocked { choice, by } => {
            let letter = choice.letter();
            format!("{reason}; asked again, as {letter} would clash with `{by}`")
        }
    }
}

/// The suggestions of §6.2 of the specification: what is likeliest to be wanted comes first.
fn offers(step: &Step) -> Vec<Offer> {
    use Choice::{Cached, Local, Remote};
    let Triple { local, cached, remote, .. } = &step.triple;
    let local_time = local.as_ref().and_then(LocalEntry::modified);
    let remote_time = remote.as_deref().and_then(modified);
    let order = match step.state {
        SyncState::ChangedDifferently => {
            let mut newest = [
                (local_time, Local),
                (remote_time, Remote),
                (cached.as_deref().and_then(modified), Cached),
            ];
            // Stable: of equal times, or of links, which have none, the order stays L, R, C.
            newest.sort_by_key(|(time, _)| Reverse(*time));
            newest.map(|(_, choice)| choice).to_vec()
        }
        SyncState::AddedDifferently if remote_time >= local_time => vec![Remote, Local],
        SyncState::AddedDifferently => vec![Local, Remote],
        SyncState::LocalDeletedRemoteChanged => vec![Remote, Cached, Local],
        SyncState::RemoteDeletedLocalChanged => vec![Local, Cached, Remote],
        _ => Vec::new(),
    };
    let offer = |choice| Offer { choice, meaning: meaning(step.state, choice) };
    order.into_iter().map(offer).collect()
}

fn meaning(state: SyncState, choice: Choice) -> &'static str {
    match (choice, state) {
        (Choice::Local, SyncState::LocalDeletedRemoteChanged) => {
            "Keep it deleted (delete in the repository)"
        }
        (Choice::Local, _) => "Use Local version (upload)",
        (Choice::Remote, SyncState::RemoteDeletedLocalChanged) => "Keep it deleted (delete here)",
        (Choice::Remote, _) => "Use Remote version (download)",
        (Choice::Cached, _) => "Use Cached version (restore)",
    }
}

fn modified(entry: &Entry) -> Option<Moment> {
    match entry {
        Entry::File(file) => Some(file.modified),
        Entry::Link(_) => None,
    }
}
