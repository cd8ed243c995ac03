//! What stops a sync before it begins to change anything.

use std::collections::HashMap;

use dsg_core::plan::{Action, Refusal};

use super::Look;
use crate::error::{Code, Error, Result};
use crate::system::Directory;

/// Turns what the guards say into the error that stops the sync.
///
/// # Errors
/// The first refusal, with the others as its reasons, or the colliding names.
pub fn refuse(look: &Look) -> Result<()> {
    if let Some((refusal, others)) = look.plan.refusals.split_first() {
        let (code, paths) = match refusal {
            Refusal::MassDeletion { first, .. } => {
                (Code::MassDeletion, first.iter().map(ToString::to_string).collect::<Vec<_>>())
            }
            Refusal::EmptiedDataDirectory { directory, .. } => {
                (Code::DataDirectory, vec![directory.to_string()])
            }
        };
        let error = Error::new(code, refusal.to_string()).about(paths);
        let others: Vec<String> = others.iter().map(ToString::to_string).collect();
        let error = if others.is_empty() { error } else { error.because(others.join("\n")) };
        return Err(error.next("nothing was changed. If this is what you want, run it again with --allow-mass-delete; if not, see that every disk is mounted"));
    }
    if look.collisions.is_empty() {
        return Ok(());
    }
    let pairs = look.collisions.iter().take(20).map(|collision| {
        let directory = if collision.directory.is_empty() { "." } else { &collision.directory };
        format!("{directory}: {}", collision.names.join(", "))
    });
    Err(Error::new(
        Code::NameCollision,
        "names would be one on a disk that ignores case or spelling",
    )
    .about(pairs)
    .next("rename one of each pair, then sync again"))
}

/// Every target must be on the file system of its staging area, or it could not be renamed there.
pub(super) fn refuse_other_device(dsg: &Directory, look: &Look) -> Result<()> {
    let own = dsg.own_status()?.device;
    let mut seen: HashMap<std::path::PathBuf, u64> = HashMap::new();
    for step in &look.plan.steps {
        if !matches!(step.action, Action::Download | Action::DeleteLocal | Action::RestoreCached) {
            continue;
        }
        let at = look.local.at(step.path());
        let parent = at.parent().unwrap_or(&at).to_owned();
        let device = match seen.get(&parent) {
            Some(device) => *device,
            None => {
                let device = look.local.device_of(&at)?;
                seen.insert(parent, device);
                device
            }
        };
        if device != own {
            return Err(Error::new(
                Code::OtherDevice,
                format!("{} lies on another file system than the project", step.path()),
            )
            .because(
                "files are renamed into place from .dsg, which works within one file system only",
            )
            .about([step.path()])
            .next("unmount it, or make that directory a project of its own"));
        }
    }
    Ok(())
}
