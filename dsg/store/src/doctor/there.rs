//! Questions about a repository, and about a project's connection to it.

use foundation_runtime::clock::Clock;

use super::file_system::room;
use super::storage::storage;
use super::{Finding, Verdict, age, count, or_error, size};
use crate::error::{Class, Error, Result};
use crate::history::document;
use crate::monitor::Monitor;
use crate::project::{Project, StateFile};
use crate::repository::{Access, LocalRepository, Repository};
use crate::sync::check_identity;
use crate::system::{is_network_file_system, space};

/// A commit that is dated later than this from now was made by a clock that was wrong.
const FUTURE_SECONDS_MAX: i64 = 60;

/// Asks everything that needs only the repository.
#[must_use]
pub fn examine_repository(
    repository: &LocalRepository,
    clock: &dyn Clock,
    monitor: &dyn Monitor,
) -> Vec<Finding> {
    let mut findings = vec![format(repository)];
    or_error("head", head(repository, clock), &mut findings);
    or_error("file system", file_system(repository), &mut findings);
    or_error("storage", storage(repository), &mut findings);
    or_error("access", access(repository, monitor), &mut findings);
    or_error("visible files", visible(repository, monitor), &mut findings);
    or_error("uploads", uploads(repository), &mut findings);
    or_error("unfiled", unfiled(repository), &mut findings);
    or_error("old tool", legacy(repository), &mut findings);
    findings
}

fn format(repository: &LocalRepository) -> Finding {
    let description = repository.description();
    let access = match description.access {
        Access::Private => "only its owner",
        Access::Group => "its group",
    };
    let what = format!("{}: format {}, for {access}", repository.location(), description.format);
    Finding::fine("repository", what)
}

fn head(repository: &LocalRepository, clock: &dyn Clock) -> Result<Vec<Finding>> {
    const TOPIC: &str = "head";
    let Some(head) = repository.head()? else {
        return Ok(vec![Finding::fine(TOPIC, "no snapshot yet")]);
    };
    let document = document(repository, head.number)?;
    let ahead = document.time.as_second() - clock.now().as_second();
    if ahead > FUTURE_SECONDS_MAX {
        let what = format!("{} is dated {ahead} s in the future", head.number);
        return Ok(vec![Finding::warning(
            TOPIC,
            what,
            "set this machine's clock by a time server",
        )]);
    }
    let what = format!("{} by {}, {}", head.number, document.author, count(head.entries, "path"));
    Ok(vec![Finding::fine(TOPIC, what)])
}

fn file_system(repository: &LocalRepository) -> Result<Vec<Finding>> {
    const TOPIC: &str = "file system";
    let mut findings = Vec::new();
    if let Some(kind) = is_network_file_system(repository.directory())? {
        let what = format!("the repository is on {kind}: it can be read from here, not written");
        findings.push(Finding::warning(TOPIC, what, "run `dsg sync` on the server itself"));
    }
    findings.push(room("repository", &space(repository.directory())?));
    Ok(findings)
}

fn access(repository: &LocalRepository, monitor: &dyn Monitor) -> Result<Vec<Finding>> {
    const TOPIC: &str = "access";
    let report = repository.inspect_access(monitor)?;
    let mut findings = Vec::new();
    if report.too_open.count > 0 {
        let what =
            format!("open to others than promised: {}", count(report.too_open.count, "path"));
        let next = "take the permissions away (chmod o-rwx, in a private repository also g-rwx), and find out who gave them";
        let finding = if report.open_to_all {
            Finding::problem(
                TOPIC,
                Class::Repository,
                format!("{what}, and anyone on this machine can enter"),
                next,
            )
        } else {
            Finding::warning(TOPIC, what, next)
        };
        findings.push(finding.about_some(&report.too_open));
    } else if report.open_to_all {
        let what = "anyone on this machine can enter the repository's directory";
        findings.push(Finding::problem(
            TOPIC,
            Class::Repository,
            what,
            "chmod o-rwx that directory",
        ));
    }
    if report.too_closed.count > 0 {
        let what =
            format!("without what the group needs: {}", count(report.too_closed.count, "path"));
        let next = "give them to the group: chgrp, chmod g+rw, for directories chmod g+rwxs";
        findings.push(Finding::warning(TOPIC, what, next).about_some(&report.too_closed));
    }
    if report.unreadable.count > 0 {
        let what =
            format!("could not be looked into: {}", count(report.unreadable.count, "directory"));
        let next = "ask their owner for access, or run this as a data manager";
        findings.push(Finding::warning(TOPIC, what, next).about_some(&report.unreadable));
    }
    if findings.is_empty() {
        findings.push(Finding::fine(TOPIC, "permissions are as promised"));
    }
    Ok(findings)
}

fn visible(repository: &LocalRepository, monitor: &dyn Monitor) -> Result<Vec<Finding>> {
    const TOPIC: &str = "visible files";
    const SETTLE: &str = "`dsg doctor --adopt PATH` makes what is there a version, `dsg doctor --restore PATH` puts the last version back";
    let report = repository.inspect_visible(monitor)?;
    let mut findings = Vec::new();
    for (paths, what) in [
        (&report.missing, "removed from the repository"),
        (&report.changed, "changed in the repository"),
    ] {
        if paths.count > 0 {
            let what = format!("{what} without dsg: {}", count(paths.count, "file"));
            let finding = Finding::problem(TOPIC, Class::Integrity, what, SETTLE);
            findings.push(finding.about_some(paths));
        }
    }
    if report.strays.count > 0 {
        let what = format!(
            "in the repository, but in no snapshot: {}",
            count(report.strays.count, "file")
        );
        findings.push(Finding::warning(TOPIC, what, SETTLE).about_some(&report.strays));
    }
    if findings.is_empty() {
        let what = format!(
            "{} there with the right sizes; `dsg validate-snapshot` reads them",
            count(report.entries, "path")
        );
        findings.push(Finding::fine(TOPIC, what));
    }
    Ok(findings)
}

fn uploads(repository: &LocalRepository) -> Result<Vec<Finding>> {
    const TOPIC: &str = "uploads";
    let found = repository.unfinished_uploads()?;
    if found.is_empty() {
        return Ok(vec![Finding::fine(TOPIC, "none is unfinished")]);
    }
    let is_full = room(TOPIC, &space(repository.directory())?).verdict != Verdict::Fine;
    let finding = |upload: &crate::repository::UnfinishedUpload| {
        let who =
            format!("{}, {}, {} old", upload.name, size(upload.bytes), age(upload.age_seconds));
        match (upload.committed, upload.alive) {
            (_, Some(true)) => Finding::fine(TOPIC, format!("{who}: running")),
            (_, None) if is_full => Finding::warning(
                TOPIC,
                format!("{who}: it has just begun, or ended, and the disk is nearly full"),
                "if it has ended, its owner's next `dsg sync` uses or removes it; anyone's does when it finds the disk full",
            ),
            (_, None) => Finding::fine(TOPIC, format!("{who}: it has just begun, or ended")),
            (true, _) => Finding::warning(
                TOPIC,
                format!("{who}: committed, and cut off before it was tidied up"),
                "the next `dsg sync` of anyone finishes it",
            ),
            (false, _) => Finding::warning(
                TOPIC,
                format!("{who}: cut off"),
                "its owner's next `dsg sync` goes on with what it still needs of it and removes the rest; anyone's removes it when it finds the disk full, or after 7 days",
            ),
        }
    };
    Ok(found.iter().map(finding).collect())
}

fn unfiled(repository: &LocalRepository) -> Result<Vec<Finding>> {
    const TOPIC: &str = "unfiled";
    let found = repository.unfiled()?;
    if found.is_empty() {
        return Ok(vec![Finding::fine(TOPIC, "nothing was moved out of the way")]);
    }
    let files: u64 = found.iter().map(|unfiled| unfiled.files).sum();
    let bytes = found.iter().map(|unfiled| unfiled.bytes).sum();
    let what = format!("moved out of the way: {} ({})", count(files, "file"), size(bytes));
    let next = format!(
        "look through {}/.dsg-repository/unfiled, copy what is needed into a project, remove the rest",
        repository.location()
    );
    let paths = found.iter().take(10).map(|unfiled| format!("unfiled/{}", unfiled.name));
    Ok(vec![Finding::warning(TOPIC, what, next).about(paths)])
}

fn legacy(repository: &LocalRepository) -> Result<Vec<Finding>> {
    if !repository.has_legacy()? {
        return Ok(Vec::new());
    }
    let what = "the old Python dsg's .dsg lies in the repository: it may be used on the same files";
    let next = "see that nobody uses the old tool here any more, then move that directory away";
    Ok(vec![Finding::warning("old tool", what, next)])
}

/// Asks whether the project and the repository belong together.
#[must_use]
pub fn examine_connection(project: &Project, repository: &dyn Repository) -> Vec<Finding> {
    const TOPIC: &str = "connection";
    let mut findings = Vec::new();
    or_error(TOPIC, connection(project, repository), &mut findings);
    findings
}

fn connection(project: &Project, repository: &dyn Repository) -> Result<Vec<Finding>> {
    const TOPIC: &str = "connection";
    let dsg = project.dsg_attached()?;
    let Some(file) = StateFile::open(&dsg)? else {
        return Err(Error::new(crate::error::Code::NoProject, "nothing was ever synced from here"));
    };
    let state = file.state();
    let head = repository.head()?;
    check_identity(state, repository, head.as_ref())?;
    let what = match (state.seen, head) {
        (Some((seen, _)), Some(head)) if head.number.get() > seen.get() => {
            let behind = head.number.get() - seen.get();
            format!(
                "the repository of this project; {} new since {seen}",
                count(behind, "snapshot")
            )
        }
        (Some((seen, _)), _) => format!("the repository of this project, as seen at {seen}"),
        (None, _) => "the repository of this project; nothing was synced yet".to_owned(),
    };
    Ok(vec![Finding::fine(TOPIC, what)])
}
