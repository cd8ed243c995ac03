//! A repository at the other end of a connection.
//!
//! The user's own `ssh` starts `dsg serve --stdio` on the server, so keys, agents, jump hosts and
//! `~/.ssh/config` work as everywhere else, and nothing listens on a port of ours. Over that one
//! connection go framed messages (`docs/protocol.md`), many without waiting for an answer: the cost
//! of a sync is in its bytes, not in the distance.
//!
//! Neither side trusts the other further than it must. The client computes the hash of every document,
//! tree object and content that it gets; the server judges every path, hashes what lands, and lets the
//! repository decide a commit. A connection that breaks is no state of its own: what has not been
//! committed is settled by the journal, as after a crash.

mod chunks;
mod client;
mod compression;
mod frame;
mod message;
mod server;
#[cfg(test)]
mod tests;
mod wire;

use std::time::Duration;

pub use client::{Dial, Line, Process, RemoteRepository, Said, Ssh, list_remote};
pub use frame::{FRAME_BYTES_MAX, FrameError, VERSION_MAX, VERSION_MIN, Versions, read_frame};
pub use message::{Answer, ListedRepository, PutContent, Request, WantedContent};
pub use server::{Role, ServeOptions, serve};
pub use wire::{Bytes, Malformed};

use crate::error::{Code, Error, Result};
use crate::monitor::Phase;
use crate::repository::{REPOSITORY_DIRECTORY, newest_below};
use crate::system::{Directory, Kind, present};

/// Who has nothing to say says so, this often.
const ALIVE_EVERY: Duration = Duration::from_secs(20);
/// Who says nothing for so long is gone.
const SILENCE_MAX: Duration = Duration::from_secs(180);
/// How often progress is told.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);

const PHASES: [Phase; 8] = [
    Phase::Scanning,
    Phase::Hashing,
    Phase::Fetching,
    Phase::Uploading,
    Phase::Downloading,
    Phase::Committing,
    Phase::Applying,
    Phase::Verifying,
];

fn phase_number(phase: Phase) -> u8 {
    PHASES
        .iter()
        .position(|known| *known == phase)
        .and_then(|at| u8::try_from(at).ok())
        .unwrap_or(0)
}

fn phase_of(number: u8) -> Phase {
    PHASES.get(usize::from(number)).copied().unwrap_or(Phase::Fetching)
}

/// The repositories in a directory, by name.
///
/// # Errors
/// When there are too many, or the directory can't be read.
pub fn list(directory: &Directory, count_max: usize) -> Result<Vec<ListedRepository>> {
    let mut found = Vec::new();
    for entry in directory.entries()? {
        let Some(name) = entry.name.to_str().filter(|name| !name.starts_with('.')) else {
            continue;
        };
        let Some(one) = in_list(directory, name, entry.kind) else { continue };
        if found.len() == count_max {
            return Err(Error::new(Code::NotSupported, "there are too many repositories to list")
                .because(format!("more than {count_max}")));
        }
        found.push(one);
    }
    found.sort_by(|a: &ListedRepository, b| a.name.cmp(&b.name));
    Ok(found)
}

/// What a name in a directory stands for in its list; `None` for what is no repository. One that is closed
/// to us may be one: hiding it would say that there is none.
fn in_list(directory: &Directory, name: &str, kind: Kind) -> Option<ListedRepository> {
    let opened = match kind {
        Kind::Directory => present(directory.directory(name)),
        _ => Ok(newest_below(directory, name.as_ref())),
    };
    let is_none = |one: &Directory| {
        present(one.status(REPOSITORY_DIRECTORY)).is_ok_and(|status| status.is_none())
    };
    match opened {
        Ok(one) => one.filter(|one| !is_none(one)).map(|one| listed(one, name)),
        Err(_) if name == "lost+found" => None,
        Err(error) => {
            let problem = format!("it can't be opened, if it is a repository: {}", error.source);
            let name = name.to_owned();
            Some(ListedRepository { name, head: None, storage: None, problem: Some(problem) })
        }
    }
}

fn listed(directory: Directory, name: &str) -> ListedRepository {
    use crate::repository::{LocalRepository, Repository as _};
    let path = directory.path().to_owned();
    let clock = std::sync::Arc::new(foundation_runtime::clock::SystemClock::new());
    let read = || {
        let repository = LocalRepository::open_directory(Ok(directory), &path, "", clock)?;
        let storage = serde_json::to_value(repository.description().storage).ok();
        let storage = storage.and_then(|name| name.as_str().map(str::to_owned));
        let Some(head) = repository.head()? else { return Ok((None, storage)) };
        let documents = repository.documents(head.number, head.number)?;
        Ok((documents.into_iter().next().map(|(_, bytes)| wire::Bytes(bytes)), storage))
    };
    let (head, storage, problem) = match read() {
        Ok((head, storage)) => (head, storage, None),
        Err(error) => (None, None, Some(Error::to_string(&error))),
    };
    ListedRepository { name: name.to_owned(), head, storage, problem }
}
