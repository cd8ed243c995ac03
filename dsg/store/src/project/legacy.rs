//! What the old Python dsg left in `.dsg`: moved aside whole, never read as our own state.

use crate::error::Result;
use crate::system::{Directory, present};

/// Where it goes.
const ASIDE: &str = "legacy";
/// Its files and folders.
const NAMES: &[&str] = &[
    "last-sync.json",
    "sync-messages.json",
    "tag-messages.json",
    "manifest.json",
    "archive",
    "staging",
    "backup",
    "tmp",
    "sync.lock",
    "sync.lock.released",
];

/// Moves the old tool's files to `.dsg/legacy`. Repeats safely after a crash.
pub(super) fn move_aside(dsg: &Directory) -> Result<()> {
    if present(dsg.status("last-sync.json"))?.is_none() {
        return Ok(());
    }
    let aside = dsg.directory_made(ASIDE, 0o700)?;
    // The manifest goes last: while it is here, the work is not done.
    for name in NAMES.iter().rev() {
        if present(dsg.status(name))?.is_some() && present(aside.status(name))?.is_none() {
            dsg.rename_new(name, &aside, name)?;
        }
    }
    aside.sync()?;
    Ok(dsg.sync()?)
}
