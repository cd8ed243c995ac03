//! `dsg doctor`.

use std::path::PathBuf;

use clap::Args;
use dsg_core::path::RepoPath;
use dsg_store::doctor::{
    Ability, Finding, Probe, Verdict, examine_connection, examine_project, examine_repository,
    probe,
};
use dsg_store::error::{Class, Result};
use dsg_store::project::{Place, Project};
use dsg_store::repository::{Adopted, Adoption, Restored};
use dsg_store::system::{Directory, Parents, Reader};
use foundation_runtime::Exit;
use serde_json::{Value, json};

use crate::context::Context;
use crate::ui::{Tone, bytes, count, exit_of, safe};
use crate::view::section;
use crate::view::step::path_line;

const EXAMPLES: &str = "\
Examples
  dsg doctor                          look at user, project, repository, file systems; nothing is changed
  dsg doctor --adopt output/a.csv     somebody changed this file on the server: make that a new snapshot
  dsg doctor --restore output/a.csv   put back what the newest snapshot says; what was there is kept in unfiled/
  dsg doctor --self-test /srv/dsg     try what the file system of a directory can do

Paths are those of the project; a directory stands for all that is in it. Both --adopt and --restore use your own copy \
of a file when the repository has none, if its hash is right: run them where the old version still is.
The exit code is 0 with warnings only; a problem has the code of its kind (`dsg --help` lists them), 8 also when a \
version could not be saved.";

/// Check that everything is as it should be, and say what to do
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DoctorArgs {
    /// Make files that were changed in the repository without dsg a new snapshot
    #[arg(long, value_name = "PATH", num_args = 1.., conflicts_with_all = ["restore", "self_test"])]
    adopt: Vec<PathBuf>,
    /// Put back what the newest snapshot says of files that were changed without dsg
    #[arg(long, value_name = "PATH", num_args = 1.., conflicts_with = "self_test")]
    restore: Vec<PathBuf>,
    /// Try what the file system of a directory can do
    #[arg(long, value_name = "DIR")]
    self_test: Option<PathBuf>,
    /// What you say about the adopted files
    #[arg(short, long, value_name = "TEXT", requires = "adopt")]
    message: Option<String>,
}

/// Checks, or settles what was changed without dsg.
pub(crate) fn run(args: &DoctorArgs, context: &Context) -> Result<Exit> {
    if let Some(directory) = &args.self_test {
        return self_test(context, &context.directory.join(directory));
    }
    if !args.adopt.is_empty() {
        return adopt(args, context);
    }
    if !args.restore.is_empty() {
        return restore(args, context);
    }
    let findings = examine(context);
    context.ui.json(&json!({
        "schema": "dsg.doctor/1",
        "findings": findings.iter().map(finding_json).collect::<Vec<_>>(),
    }));
    findings.iter().for_each(|finding| print(context, finding));
    Ok(worst(&findings))
}

fn examine(context: &Context) -> Vec<Finding> {
    let mut findings = Vec::new();
    match context.author() {
        Ok(author) => findings.push(Finding::fine("user", format!("you are {author}"))),
        Err(error) => findings.push(Finding::error("user", &error)),
    }
    let project = match context.project() {
        Ok(project) => project,
        Err(error) => {
            findings.push(Finding::error("configuration", &error));
            return findings;
        }
    };
    findings.extend(examine_project(&project, &*context.clock));
    match examine_place(context, &project) {
        Ok(more) => findings.extend(more),
        Err(error) => findings.push(Finding::error("repository", &error)),
    }
    findings
}

/// The repository itself can be examined where its files are; from elsewhere, whether it answers.
fn examine_place(context: &Context, project: &Project) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    match project.place()? {
        Place::Here(_) => {
            let repository = context.local_repository(project)?;
            let monitor = context.monitor();
            findings.extend(examine_repository(&repository, &*context.clock, &monitor));
            findings.extend(examine_connection(project, &repository));
        }
        Place::There { host, .. } => {
            let repository = context.repository_for_reading(project)?;
            let what = format!(
                "{} answers; run `dsg doctor` on {host} to examine its files",
                repository.location()
            );
            findings.push(Finding::fine("repository", what));
            let what = format!(
                "{host} says who signs what you commit from here: the name that its data manager gave to your key, else the \
                 account there"
            );
            findings.push(Finding::fine("author", what));
            findings.extend(examine_connection(project, &*repository));
        }
    }
    Ok(findings)
}

/// The exit code of the gravest problem.
fn worst(findings: &[Finding]) -> Exit {
    const GRAVEST_FIRST: [Class; 8] = [
        Class::Integrity,
        Class::Repository,
        Class::Machine,
        Class::Configuration,
        Class::Refused,
        Class::Conflict,
        Class::Usage,
        Class::Interrupted,
    ];
    let has =
        |class: &Class| findings.iter().any(|found| found.verdict == Verdict::Problem(*class));
    GRAVEST_FIRST.into_iter().find(has).map_or(Exit::Success, exit_of)
}

fn print(context: &Context, finding: &Finding) {
    let ui = &context.ui;
    let (mark, tone) = match finding.verdict {
        Verdict::Fine => ("✓", Tone::Good),
        Verdict::Warning => ("!", Tone::Warning),
        Verdict::Problem(_) => ("✗", Tone::Bad),
    };
    let what = finding.what.lines().map(safe).collect::<Vec<_>>().join("\n      ");
    ui.line(format_args!("{} {}: {what}", ui.paint(tone, mark), finding.topic));
    for path in &finding.paths {
        ui.line(format_args!("      {}", safe(path)));
    }
    if let Some(next) = &finding.next {
        let next = next.lines().map(safe).collect::<Vec<_>>().join("\n            ");
        ui.line(format_args!("    next: {next}"));
    }
}

fn finding_json(finding: &Finding) -> Value {
    let verdict = match finding.verdict {
        Verdict::Fine => "fine",
        Verdict::Warning => "warning",
        Verdict::Problem(_) => "problem",
    };
    json!({
        "topic": finding.topic,
        "verdict": verdict,
        "what": finding.what,
        "next": finding.next,
        "paths": finding.paths,
    })
}

fn keys(context: &Context, project: &Project, paths: &[PathBuf]) -> Result<Vec<RepoPath>> {
    paths.iter().map(|path| context.repo_path(project, path)).collect()
}

/// The project's own file at a path, as a place where an old content may still be.
fn own_file(project: &Project, path: &RepoPath) -> Option<Reader> {
    let mut parents = Parents::new(&project.root);
    let (directory, name) = parents.of(path.as_str().as_ref()).ok()?;
    directory.open_file(name).ok()
}

fn adopt(args: &DoctorArgs, context: &Context) -> Result<Exit> {
    let project = context.project()?;
    let paths = keys(context, &project, &args.adopt)?;
    context.author()?;
    let repository = context.local_repository(&project)?;
    let spare = |path: &RepoPath| own_file(&project, path);
    let adoption = Adoption {
        message: args.message.clone(),
        configuration: project.configuration(),
        spare: &spare,
        tracked: &|path| project.rules.tracked(path.as_str()),
    };
    let adopted = repository.adopt(&paths, &adoption, &context.monitor())?;
    show_adopted(context, &adopted);
    Ok(if adopted.lost.is_empty() { Exit::Success } else { Exit::Integrity })
}

fn show_adopted(context: &Context, adopted: &Adopted) {
    let ui = &context.ui;
    let number = adopted.head.map(|head| head.number.to_string());
    ui.json(&json!({
        "schema": "dsg.doctor-adopt/1",
        "snapshot": number,
        "adopted": adopted.adopted,
        "lost": adopted.lost.iter().map(|(path, hash)| json!({
            "path": path, "hash": hash,
        })).collect::<Vec<_>>(),
    }));
    let Some(number) = number else {
        ui.line("Nothing to adopt: what takes part of these paths is as it was committed");
        return;
    };
    section(
        ui,
        Tone::Strong,
        &format!("Adopted as {number}"),
        adopted.adopted.iter().map(path_line),
    );
    let heading = "Lost: the version before is nowhere in the repository, nor here";
    let lost = adopted.lost.iter();
    section(
        ui,
        Tone::Bad,
        heading,
        lost.map(|(path, hash)| format!("{}  {hash}", path_line(path))),
    );
    if adopted.lost.is_empty() {
        ui.say("run `dsg sync` to get them here");
    } else {
        ui.say("next: look for these hashes (b3sum) in backups and in the projects of others");
    }
}

fn restore(args: &DoctorArgs, context: &Context) -> Result<Exit> {
    let project = context.project()?;
    let paths = keys(context, &project, &args.restore)?;
    context.author()?;
    let repository = context.local_repository(&project)?;
    let spare = |path: &RepoPath| own_file(&project, path);
    let restored = repository.restore(&paths, &spare, &context.monitor())?;
    show_restored(context, &restored);
    Ok(if restored.impossible.is_empty() { Exit::Success } else { Exit::Integrity })
}

fn show_restored(context: &Context, restored: &Restored) {
    let ui = &context.ui;
    ui.json(&json!({
        "schema": "dsg.doctor-restore/1",
        "restored": restored.restored,
        "set_aside": restored.set_aside.iter().map(|aside| json!({
            "path": aside.path, "to": aside.to.to_string_lossy(),
        })).collect::<Vec<_>>(),
        "impossible": restored.impossible.iter().map(|(path, hash)| json!({
            "path": path, "hash": hash,
        })).collect::<Vec<_>>(),
    }));
    if restored.restored.is_empty() && restored.impossible.is_empty() {
        ui.line("Nothing to restore: the repository has these paths as they were committed");
        return;
    }
    section(ui, Tone::Strong, "Restored", restored.restored.iter().map(path_line));
    let aside = restored.set_aside.iter();
    let aside = aside.map(|aside| {
        format!("{} -> {}", path_line(&aside.path), safe(&aside.to.to_string_lossy()))
    });
    section(ui, Tone::Strong, "What was there is kept in the repository", aside);
    let heading = "Not restored: no intact copy was found, they are as they were";
    let impossible = restored.impossible.iter();
    section(
        ui,
        Tone::Bad,
        heading,
        impossible.map(|(path, hash)| format!("{}  {hash}", path_line(path))),
    );
    if !restored.impossible.is_empty() {
        ui.say("next: run this in a project that still has them, or `dsg doctor --adopt` what is there");
    }
}

fn self_test(context: &Context, directory: &std::path::Path) -> Result<Exit> {
    let probe = probe(&Directory::open(directory)?)?;
    let ui = &context.ui;
    let abilities = abilities(&probe);
    ui.json(&json!({
        "schema": "dsg.doctor-self-test/1",
        "directory": directory.to_string_lossy(),
        "abilities": abilities.iter().map(|(what, ability, needed)| json!({
            "what": what,
            "works": ability.works(),
            "needed": needed,
            "why": match ability { Ability::Works => None, Ability::Fails(why) => Some(why) },
        })).collect::<Vec<_>>(),
        "time_nanoseconds": probe.time_nanoseconds,
        "ignores_case": probe.ignores_case,
        "ignores_spelling": probe.ignores_spelling,
        "network": probe.network,
        "free_bytes": probe.space.free_bytes,
        "total_bytes": probe.space.total_bytes,
    }));
    for (what, ability, needed) in &abilities {
        match ability {
            Ability::Works => ui.line(format_args!("{} {what}", ui.paint(Tone::Good, "✓"))),
            Ability::Fails(why) => {
                let (mark, tone) = if *needed { ("✗", Tone::Bad) } else { ("!", Tone::Warning) };
                ui.line(format_args!("{} {what}: {}", ui.paint(tone, mark), safe(why)));
            }
        }
    }
    ui.line(format_args!("  times of files are kept to {} ns", probe.time_nanoseconds));
    let names = match (probe.ignores_case, probe.ignores_spelling) {
        (false, false) => "names are told apart by case and spelling",
        (true, false) => "names that differ only in case are one",
        (false, true) => "names that differ only in spelling are one",
        (true, true) => "names that differ only in case or spelling are one",
    };
    ui.line(format_args!("  {names}"));
    if let Some(kind) = probe.network {
        ui.line(format_args!("{} a network file system: {kind}", ui.paint(Tone::Warning, "!")));
    }
    let (free, all) = (bytes(probe.space.free_bytes), bytes(probe.space.total_bytes));
    ui.line(format_args!("  {free} of {all} free"));
    let broken =
        abilities.iter().filter(|(_, ability, needed)| *needed && !ability.works()).count();
    if broken > 0 {
        let broken = count(broken as u64, "ability");
        ui.say(format_args!(
            "next: use another file system; dsg needs {broken} that this one lacks"
        ));
        return Ok(Exit::Machine);
    }
    Ok(Exit::Success)
}

/// What was tried, and whether dsg needs it.
fn abilities(probe: &Probe) -> [(&'static str, &Ability, bool); 8] {
    [
        ("rename over an existing file", &probe.rename, true),
        ("rename that never replaces", &probe.no_replace, true),
        ("exchange of two names", &probe.exchange, true),
        ("second names for files", &probe.hard_link, true),
        ("sync of files and directories", &probe.sync, true),
        ("symbolic links", &probe.links, false),
        ("executable bit", &probe.executable, false),
        ("copies that share blocks", &probe.reflink, false),
    ]
}
