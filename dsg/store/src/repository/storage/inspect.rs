//! What `dsg doctor` asks about how a repository is kept.

use std::sync::Arc;

use dsg_core::snapshot::SnapshotNumber;

use super::super::layout::LocalRepository;
use super::generations::Generations;
use super::zfs_volumes::{check_dataset, mounted_dataset};
use super::{Storage, zfs};
use crate::error::{Error, Result};
use crate::system::{Program, user};

/// How a repository is kept, and what this user can do with that.
#[derive(Debug, Default)]
pub struct StorageReport {
    /// How it is kept.
    pub storage: Storage,
    /// Its dataset.
    pub dataset: Option<String>,
    /// Why it can't be written now.
    pub refusal: Option<Error>,
    /// The user who was asked for.
    pub user: String,
    /// Whether this user may make ZFS snapshots; `None` where ZFS can't tell.
    pub may_snapshot: Option<bool>,
    /// The newest state, if its ZFS snapshot is missing.
    pub missing: Option<SnapshotNumber>,
    /// Older states that could not be removed yet.
    pub lingering: Vec<String>,
}

impl LocalRepository {
    /// Asks how the repository is kept, and whether this user could write.
    ///
    /// # Errors
    /// When a question can't be asked.
    pub fn inspect_storage(&self) -> Result<StorageReport> {
        let storage = self.description.storage;
        let mut report = StorageReport { storage, user: user_name(), ..StorageReport::default() };
        match storage {
            Storage::Plain => {}
            Storage::ZfsInPlace => {
                let dataset = mounted_dataset(&self.root)?;
                report.refusal = check_dataset(&dataset).err();
                report.may_snapshot = may_snapshot(&dataset, &report.user)?;
                if let Some(number) = self.head_number()?
                    && !zfs::has_snapshot(&format!("{dataset}@{number}"))?
                {
                    report.missing = Some(number);
                }
                report.dataset = Some(dataset);
            }
            Storage::ZfsGenerations | Storage::Btrfs => {
                let generations =
                    Generations::open(self.root.path(), &self.author, Arc::clone(&self.clock))?;
                report.refusal = generations.volumes.check().err();
                report.lingering = generations.lingering()?;
                if storage == Storage::ZfsGenerations {
                    report.dataset = Some(mounted_dataset(&generations.control.root)?);
                }
            }
        }
        Ok(report)
    }
}

/// The name of the user that the process acts for; its number when it has none.
fn user_name() -> String {
    let asked = Program::asks("id").with("-un").run(None);
    let name = asked.map(|answer| answer.output.trim().to_owned()).unwrap_or_default();
    if name.is_empty() { user().to_string() } else { name }
}

fn may_snapshot(dataset: &str, name: &str) -> Result<Option<bool>> {
    if user() == 0 {
        return Ok(Some(true));
    }
    let groups = Program::asks("id").with("-Gn").run(None)?.output;
    let groups: Vec<&str> = groups.split_whitespace().collect();
    Ok(zfs::allowed(dataset)?.map(|text| grants(&text, name, &groups)))
}

/// Whether the answer of `zfs allow` lets a user make snapshots.
fn grants(text: &str, user: &str, groups: &[&str]) -> bool {
    text.lines().any(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let is_meant = match words.as_slice() {
            ["user", name, _] => *name == user,
            ["group", name, _] => groups.contains(name),
            ["everyone", _] => true,
            _ => false,
        };
        is_meant && words.last().is_some_and(|all| all.split(',').any(|one| one == "snapshot"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permission_counts_for_the_user_their_groups_and_everyone() {
        let text = "---- Permissions on tank/p -----\nLocal+Descendent permissions:\n\
                    \tuser alice mount,snapshot\n\tgroup team hold,snapshot\n";
        assert!(grants(text, "alice", &[]));
        assert!(grants(text, "bob", &["users", "team"]));
        assert!(!grants(text, "bob", &["users"]));
        assert!(grants("\teveryone snapshot\n", "bob", &[]));
        assert!(!grants("\tuser bob snapshots\n", "bob", &[]));
        assert!(!grants("", "bob", &[]));
    }
}
