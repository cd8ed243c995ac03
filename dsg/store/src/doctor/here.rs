//! Questions about a project.

use dsg_core::tracked::CONFLICTS_FILE;
use foundation_runtime::clock::Clock;

use super::file_system::{findings as file_system, probe, room};
use super::{Finding, count, or_error, size};
use crate::clean::measure;
use crate::error::Result;
use crate::normalize;
use crate::project::{self, Journal, Project, StateFile, TRANSACTIONS, stamp, trash};
use crate::scan::Index;
use crate::system::{Directory, present};

/// Clocks that differ by more than this make times of files useless.
const CLOCK_SECONDS_MAX: i64 = 60;
/// So much in the trash is worth a word.
const TRASH_BYTES_MAX: u64 = 10 << 30;

/// Asks everything that needs no repository.
#[must_use]
pub fn examine_project(project: &Project, clock: &dyn Clock) -> Vec<Finding> {
    let mut findings = vec![configuration(project)];
    findings.extend(project.file.notices.iter().map(|notice| {
        Finding::warning("configuration", notice.what.clone(), notice.next_step.clone())
    }));
    let dsg = match project.dsg_attached() {
        Ok(dsg) => dsg,
        Err(error) => {
            findings.push(Finding::error("connection", &error));
            or_error("names", names(project), &mut findings);
            return findings;
        }
    };
    or_error("file system", try_file_system(&dsg), &mut findings);
    or_error("clock", clocks(&dsg, clock).map(|finding| vec![finding]), &mut findings);
    or_error("last sync", unfinished(&dsg), &mut findings);
    or_error("conflicts", conflicts(project, &dsg), &mut findings);
    or_error("trash", trash_size(&dsg).map(|finding| vec![finding]), &mut findings);
    or_error("names", names(project), &mut findings);
    or_error("index", index(project, &dsg).map(|finding| vec![finding]), &mut findings);
    or_error("old tool", legacy(&dsg), &mut findings);
    findings
}

fn configuration(project: &Project) -> Finding {
    let config = &project.file.config;
    let what = format!("project {}, data in {}", config.name, config.data_dirs.join(", "));
    Finding::fine("configuration", what)
}

fn try_file_system(dsg: &Directory) -> Result<Vec<Finding>> {
    let probe = probe(dsg)?;
    let mut findings = file_system(&probe);
    findings.push(room("here", &probe.space));
    Ok(findings)
}

fn clocks(dsg: &Directory, clock: &dyn Clock) -> Result<Finding> {
    let there = stamp(dsg)?.parts().0;
    let apart = (clock.now().as_second() - there).abs();
    if apart > CLOCK_SECONDS_MAX {
        let what =
            format!("the project's file system is {apart} s apart from this machine's clock");
        return Ok(Finding::warning(
            "clock",
            what,
            "set the clocks by a time server; dsg goes by contents, but people go by times",
        ));
    }
    Ok(Finding::fine("clock", "this machine and the project's file system agree"))
}

fn unfinished(dsg: &Directory) -> Result<Vec<Finding>> {
    const TOPIC: &str = "last sync";
    let mut findings = Vec::new();
    if let Some(journal) = Journal::read(dsg)? {
        let what = format!(
            "{} was cut off with {} to change here",
            journal.transaction,
            count(journal.operations.len() as u64, "path")
        );
        findings.push(Finding::warning(TOPIC, what, "run `dsg sync`: it finishes that first"));
    } else if let Some(transactions) = present(dsg.directory(TRANSACTIONS))?
        && !transactions.entries()?.is_empty()
    {
        let (files, bytes) = measure(dsg, TRANSACTIONS.as_ref())?;
        // Without any it is only the mark by which an upload is found again.
        if files > 0 {
            let what =
                format!("an earlier sync left {} here ({})", count(files, "download"), size(bytes));
            findings.push(Finding::warning(
                TOPIC,
                what,
                "`dsg sync` uses or removes them, `dsg clean --target temp` removes them",
            ));
        }
    }
    if findings.is_empty() {
        findings.push(Finding::fine(TOPIC, "nothing is unfinished"));
    }
    Ok(findings)
}

fn conflicts(project: &Project, dsg: &Directory) -> Result<Vec<Finding>> {
    const TOPIC: &str = "conflicts";
    let resolutions = project::resolutions(dsg)?;
    if present(project.root.status(CONFLICTS_FILE))?.is_some() {
        let what = format!("{CONFLICTS_FILE} waits for choices");
        return Ok(vec![Finding::warning(
            TOPIC,
            what,
            "choose in it, then run `dsg sync --continue`",
        )]);
    }
    Ok(match resolutions.len() as u64 {
        0 => vec![Finding::fine(TOPIC, "none is waiting")],
        choices => {
            let what = format!("to be carried out by the next sync: {}", count(choices, "choice"));
            vec![Finding::warning(TOPIC, what, "run `dsg sync`")]
        }
    })
}

fn trash_size(dsg: &Directory) -> Result<Finding> {
    const TOPIC: &str = "trash";
    let (files, bytes) = measure(dsg, trash::DIRECTORY.as_ref())?;
    let unique = trash::contents(dsg)?
        .iter()
        .flat_map(|trashed| &trashed.files)
        .filter(|(file, _)| !file.in_history)
        .count();
    let what =
        format!("{}, {}; nowhere in the history: {unique}", count(files, "file"), size(bytes));
    if bytes > TRASH_BYTES_MAX {
        return Ok(Finding::warning(TOPIC, what, "`dsg clean --target trash` shows what can go"));
    }
    Ok(Finding::fine(TOPIC, what))
}

fn names(project: &Project) -> Result<Vec<Finding>> {
    const TOPIC: &str = "names";
    let plan = normalize::plan(project)?;
    let mut findings = Vec::new();
    let (refused, spelled): (Vec<_>, Vec<_>) =
        plan.renames.iter().partition(|rename| normalize::is_refused(&rename.from));
    if !spelled.is_empty() {
        let what = format!(
            "accepted, with accents in another spelling than most systems write: {}",
            count(spelled.len() as u64, "name")
        );
        findings.push(Finding::fine(TOPIC, what));
    }
    if !refused.is_empty() {
        let what = format!("not accepted as it is: {}", count(refused.len() as u64, "name"));
        let paths = refused.iter().take(10).map(|rename| rename.from.clone());
        findings.push(
            Finding::warning(TOPIC, what, "`dsg sync --normalize` renames them").about(paths),
        );
    }
    if !plan.collisions.is_empty() {
        let what = format!(
            "would be one name on some system: {}",
            count(plan.collisions.len() as u64, "group")
        );
        let paths = plan.collisions.iter().take(10);
        let paths = paths
            .map(|collision| format!("{}: {}", collision.directory, collision.names.join(", ")));
        findings.push(Finding::warning(TOPIC, what, "rename one of each group").about(paths));
    }
    if !plan.unfixable.is_empty() {
        let what = format!("a person must rename: {}", count(plan.unfixable.len() as u64, "name"));
        let paths = plan.unfixable.iter().take(10).map(|(path, why)| format!("{path}: {why}"));
        findings.push(Finding::warning(TOPIC, what, "rename these files").about(paths));
    }
    if findings.is_empty() {
        findings.push(Finding::fine(TOPIC, "every name works on every system"));
    }
    Ok(findings)
}

fn index(project: &Project, dsg: &Directory) -> Result<Finding> {
    const TOPIC: &str = "index";
    let state = StateFile::open(dsg)?;
    let validity = project.validity(state.as_ref().map(StateFile::state));
    Ok(match Index::read(dsg)? {
        Some(index) if index.validity == validity => Finding::fine(TOPIC, "up to date"),
        Some(_) => Finding::fine(TOPIC, "of an earlier state; the next look renews it"),
        None => Finding::fine(TOPIC, "none; the next look reads every file once"),
    })
}

fn legacy(dsg: &Directory) -> Result<Vec<Finding>> {
    const TOPIC: &str = "old tool";
    if present(dsg.status("last-sync.json"))?.is_some() {
        let what = "files of the old Python dsg lie in .dsg";
        return Ok(vec![Finding::warning(TOPIC, what, "`dsg sync` moves them to .dsg/legacy")]);
    }
    if present(dsg.status("legacy"))?.is_some() {
        return Ok(vec![Finding::fine(TOPIC, "its files are kept in .dsg/legacy")]);
    }
    Ok(Vec::new())
}
