//! Questions about how a repository is kept: with the snapshots of ZFS or btrfs, or as plain files.

use super::Finding;
use crate::error::{Class, Result};
use crate::repository::{LocalRepository, Storage};

const TOPIC: &str = "storage";

/// Asks whether the file system is as it must be, and whether this user may do what a commit does.
pub(super) fn storage(repository: &LocalRepository) -> Result<Vec<Finding>> {
    let report = repository.inspect_storage()?;
    let what = match &report.dataset {
        Some(dataset) => format!("{} ({dataset})", report.storage),
        None => report.storage.to_string(),
    };
    let mut findings = vec![Finding::fine(TOPIC, what)];
    if let Some(error) = &report.refusal {
        findings.push(Finding::error(TOPIC, error));
    }
    if let (Storage::ZfsInPlace, Some(dataset)) = (report.storage, &report.dataset) {
        let allow = format!("zfs allow -u {} snapshot {dataset}", report.user);
        findings.push(match report.may_snapshot {
            Some(true) => Finding::fine(TOPIC, format!("{} may make ZFS snapshots", report.user)),
            Some(false) => Finding::problem(
                TOPIC,
                Class::Repository,
                format!("{} may not make ZFS snapshots of {dataset}", report.user),
                format!("ask an administrator to run once: {allow}"),
            ),
            None => Finding::warning(
                TOPIC,
                "this ZFS can't tell who may make snapshots",
                format!("if commits say that it is denied, an administrator runs once: {allow}"),
            ),
        });
    }
    if let Some(number) = report.missing {
        let what = format!("{number} has no ZFS snapshot yet");
        findings.push(Finding::warning(TOPIC, what, "the next sync makes it before it commits"));
    }
    if !report.lingering.is_empty() {
        let what = format!("{} older states are still there", report.lingering.len());
        let next = "each goes with one of the next commits, once nobody uses it; `fuser -vm` shows who does, `zfs list -t snapshot` what snapshots somebody made of it, `zfs diff` what somebody changed";
        findings.push(Finding::warning(TOPIC, what, next).about(&report.lingering));
    }
    Ok(findings)
}
