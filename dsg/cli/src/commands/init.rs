//! `dsg init`.

mod wanted;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use dsg_core::config::{PROJECT_FILE, ZfsMode};
use dsg_store::error::{Code, Error, Result};
use dsg_store::project::{self, PROJECT_DIRECTORY, Place, StateFile};
use dsg_store::remote::RemoteRepository;
use dsg_store::repository::{Access, Created, Repository, create_planned};
use dsg_store::system::{Directory, present};
use foundation_runtime::Exit;
use serde_json::{Value, json};

use super::sync::check_message;
use crate::context::{Context, open_project, ssh};
use crate::joining::{advise_about_git, rules, tell_of_outer};
use crate::listing::{Listing, list};
use crate::syncing::{Request, carry_out};
use crate::ui::{Tone, bytes, count, safe};
use crate::{normalize, user_file};
use wanted::{Wanted, wanted};

const EXAMPLES: &str = "\
Examples
  dsg init --repository-path /var/repos/dsg
      asks for the rest, shows what it will make, and makes the first snapshot
  dsg init --repository-path /var/repos/dsg --data-dirs input,output,hand --access group --yes
      for a team whose members share the group of /var/repos/dsg
  dsg init --dry-run --repository-path /var/repos/dsg
      only shows what would be made

Made are .dsgconfig.yml and .dsg here, and the directory of the repository. A run that was cut off is finished by running \
it again. A .dsgconfig.yml that came with git is used as it is.";

/// Who may read and write the repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum AccessArg {
    /// Only you
    Private,
    /// You and the group of the directory that holds the repositories
    Group,
}

impl From<AccessArg> for Access {
    fn from(access: AccessArg) -> Self {
        match access {
            AccessArg::Private => Self::Private,
            AccessArg::Group => Self::Group,
        }
    }
}

/// How a repository on ZFS makes a new state visible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ModeArg {
    /// One dataset that is changed in place, with a ZFS snapshot after each commit; needs no root
    InPlace,
    /// Each state is a dataset, and a link leads to the newest: all or nothing for every reader
    Generations,
}

impl From<ModeArg> for ZfsMode {
    fn from(mode: ModeArg) -> Self {
        match mode {
            ModeArg::InPlace => Self::InPlace,
            ModeArg::Generations => Self::Generations,
        }
    }
}

/// Make a project of this directory, and a repository for it
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct InitArgs {
    /// Name of the project and of the repository's directory; default: this directory's name
    #[arg(long, alias = "repo-name")]
    name: Option<String>,
    /// Directory that holds the repositories; default: default_project_path of your dsg.yml
    #[arg(long, visible_alias = "mountpoint", alias = "repo-path", value_name = "DIR")]
    repository_path: Option<PathBuf>,
    /// Machine that has the repository, as ssh knows it; default: default_host of your dsg.yml, else localhost
    #[arg(long)]
    host: Option<String>,
    /// posix, xfs, zfs or btrfs [default: posix, a directory of any file system]
    #[arg(long = "type", alias = "repo-type", value_name = "TYPE")]
    kind: Option<String>,
    /// With --type zfs: the pool, as `zpool list` shows it
    #[arg(long, value_name = "POOL")]
    pool: Option<String>,
    /// With --type zfs: how a new state is made visible
    #[arg(long, value_name = "MODE", default_value = "in-place")]
    mode: ModeArg,
    /// Who may read and write the repository
    #[arg(long, value_name = "WHO", default_value = "private")]
    access: AccessArg,
    /// Names of the directories whose content is shared, at any depth; `*` for all
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    data_dirs: Option<Vec<String>>,
    /// Your e-mail address, for your dsg.yml if it has none
    #[arg(long, value_name = "EMAIL")]
    user_id: Option<String>,
    /// Your name, for your dsg.yml if it has none
    #[arg(long, value_name = "NAME")]
    user_name: Option<String>,
    /// What to say about the first snapshot
    #[arg(short, long, value_name = "TEXT", default_value = "Initial snapshot")]
    message: String,
    /// Make it without asking for a confirmation
    #[arg(short, long)]
    yes: bool,
    /// Ask, even if the input is no terminal
    #[arg(long, conflicts_with = "no_interactive")]
    interactive: bool,
    /// Never ask: what is missing is an error
    #[arg(long)]
    no_interactive: bool,
    /// Show what would be made, and make nothing
    #[arg(long)]
    dry_run: bool,
    /// Rename files whose names are not accepted, first
    #[arg(long)]
    normalize: bool,
    /// Make project and repository, but no first snapshot
    #[arg(long)]
    no_sync: bool,
}

/// Makes a project and its repository, or shows what would be made.
pub(crate) fn run(args: &InitArgs, context: &Context) -> Result<Exit> {
    check_message(Some(&args.message))?;
    refuse_synced_project(&context.directory)?;
    let wanted = wanted(args, context)?;
    let attached = attached(&wanted.root)?.is_some();
    if let (false, Place::Here(path)) = (attached, &wanted.repository) {
        check_place(path)?;
    }
    let listing = list(&wanted.root, &rules(&wanted.config)?, &context.monitor())?;
    preview(context, &wanted, &listing, args.dry_run);
    if args.dry_run {
        let normalized = Value::Null;
        context.ui.json(&result(
            &wanted,
            &listing,
            true,
            false,
            &normalized,
            &Value::Null,
            Exit::Success,
        ));
        return Ok(Exit::Success);
    }
    if wanted.asks && !args.yes && !context.ui.confirm("Make this?", &context.interrupt)? {
        return Err(Error::interrupted());
    }
    make(args, context, &wanted, &listing, attached)
}

/// In the order in which a cut can be mended by running it again.
fn make(
    args: &InitArgs,
    context: &Context,
    wanted: &Wanted,
    listing: &Listing,
    attached: bool,
) -> Result<Exit> {
    if !wanted.identity.is_empty() {
        let values: Vec<(&str, &str)> =
            wanted.identity.iter().map(|(key, value)| (*key, value.as_str())).collect();
        user_file::set(&values)?;
    }
    context.author()?;
    let mut there = None;
    let created = match (&wanted.repository, &wanted.plan) {
        _ if attached => false,
        (Place::There { host, path }, _) => {
            let storage = &wanted.config.repository;
            let made = RemoteRepository::create(&ssh(host), path, wanted.access, storage)?;
            there = Some(made);
            true
        }
        (_, Some(plan)) => create_planned(plan, wanted.access, &*context.clock)? == Created::New,
        (_, None) => false,
    };
    if let Some(text) = &wanted.text {
        project::write_configuration(&wanted.root, text)?;
    }
    let project = open_project(&wanted.root)?;
    let repository: Box<dyn Repository> = match there {
        Some(repository) => Box::new(repository),
        None => context.repository(&project)?,
    };
    if !attached {
        project::attach(&project, &*repository)?;
    }
    let normalized = match args.normalize {
        true => normalize::plan_json(&normalize::run(context, &project, false)?),
        false => Value::Null,
    };
    let (exit, synced) = if args.no_sync {
        context.ui.line("Made. `dsg sync` brings the files to the repository.");
        (Exit::Success, Value::Null)
    } else {
        let request = Request { message: Some(args.message.clone()), ..Request::default() };
        let ended = carry_out(context, &project, &*repository, request)?;
        (ended.exit, ended.json)
    };
    advise_about_git(context, &wanted.root, &wanted.config);
    context.ui.json(&result(wanted, listing, false, created, &normalized, &synced, exit));
    Ok(exit)
}

fn result(
    wanted: &Wanted,
    listing: &Listing,
    dry_run: bool,
    created: bool,
    normalized: &Value,
    synced: &Value,
    exit: Exit,
) -> Value {
    json!({
        "schema": "dsg.init/1",
        "dry_run": dry_run,
        "name": wanted.config.name,
        "project": wanted.root,
        "configuration": wanted.root.join(PROJECT_FILE),
        "configuration_was_there": wanted.text.is_none(),
        "repository": wanted.repository.to_string(),
        "repository_created": created,
        "access": wanted.access,
        "data_dirs": wanted.config.data_dirs,
        "files": listing.files,
        "bytes": listing.bytes,
        "badly_named": listing.badly_named,
        "normalized": normalized,
        "sync": synced,
        "exit": exit.code(),
    })
}

/// The state of a project that was attached before; `None` for one that was not.
fn attached(root: &Path) -> Result<Option<StateFile>> {
    let directory = Directory::open(root)?;
    match present(directory.directory(PROJECT_DIRECTORY))? {
        Some(dsg) => StateFile::open(&dsg),
        None => Ok(None),
    }
}

fn refuse_synced_project(root: &Path) -> Result<()> {
    match attached(root)? {
        Some(file) if file.state().seen.is_some() => {
            Err(Error::new(Code::ProjectExists, format!("{} is a project already", root.display()))
                .because("it was synced before")
                .next("use `dsg sync`"))
        }
        _ => Ok(()),
    }
}

/// What making it would say, before anything is asked or shown.
fn check_place(repository: &Path) -> Result<()> {
    let parent = repository.parent().unwrap_or(repository);
    if !parent.is_dir() {
        return Err(Error::new(
            Code::RepositoryMissing,
            format!("{} does not exist", parent.display()),
        )
        .because("the directory that holds repositories must be there before one is made in it")
        .next(format!("mount it, or make it: mkdir -p {}", parent.display())));
    }
    if repository.exists() && !repository.is_dir() {
        return Err(Error::new(
            Code::RepositoryExists,
            format!("{} is no directory", repository.display()),
        )
        .next("choose another name"));
    }
    Ok(())
}

fn preview(context: &Context, wanted: &Wanted, listing: &Listing, dry_run: bool) {
    let ui = &context.ui;
    let say = |label: &str, text: String| ui.line(format_args!("  {label:<14}{}", safe(&text)));
    ui.line(
        ui.paint(Tone::Strong, if dry_run { "This would be made:" } else { "This will be made:" }),
    );
    let path = wanted.root.join(PROJECT_FILE).display().to_string();
    let state = if wanted.text.is_none() { " (is there, and is used as it is)" } else { "" };
    say("configuration", format!("{path}{state}"));
    let who = match wanted.access {
        Access::Private => "private: only you can read it",
        Access::Group => "group: you and the group of the directory above can read and write it",
    };
    say(
        "repository",
        format!("{} ({}; {who})", wanted.repository, wanted.config.repository.kind()),
    );
    for line in &wanted.plan_lines {
        say("", line.clone());
    }
    say("notes", format!("{} (yours, not shared)", wanted.root.join(PROJECT_DIRECTORY).display()));
    for (key, value) in &wanted.identity {
        say("user file", format!("{key}: {value}"));
    }
    say(
        "files",
        format!(
            "{}, {} below {}",
            count(listing.files, "file"),
            bytes(listing.bytes),
            wanted.config.data_dirs.join(", ")
        ),
    );
    if listing.badly_named > 0 {
        ui.notice(format_args!(
            "{} a name that is not accepted; --normalize renames what can be renamed safely",
            has(listing.badly_named)
        ));
    }
    if !listing.unreadable.is_empty() {
        ui.notice(format_args!(
            "{} can't be read, or has a name that is no text, and is left out",
            count(listing.unreadable.len() as u64, "path")
        ));
    }
    tell_of_outer(context, &wanted.root);
}

fn has(number: u64) -> String {
    if number == 1 { "1 file has".to_owned() } else { format!("{number} files have") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_below_nothing_is_refused_before_anything_is_made() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(check_place(&folder.path().join("new")).is_ok());
        let error = check_place(&folder.path().join("missing/new")).expect_err("no parent");
        assert_eq!(error.code, Code::RepositoryMissing);
        std::fs::write(folder.path().join("file"), "").expect("written");
        let error = check_place(&folder.path().join("file")).expect_err("a file");
        assert_eq!(error.code, Code::RepositoryExists);
    }
}
