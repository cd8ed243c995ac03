//! `dsg clone`.

use std::path::{Path, PathBuf};

use clap::Args;
use dsg_core::config::{
    IgnoreConfig, PROJECT_FILE, ProjectConfig, RepositoryConfig, RepositoryType, ZfsMode,
    new_project_text, parse_project, to_yaml,
};
use dsg_core::snapshot::SnapshotDocument;
use dsg_core::tracked::Rules;
use dsg_store::error::{Code, Error, Result};
use dsg_store::project::{self, Place};
use dsg_store::remote::RemoteRepository;
use dsg_store::repository::{Description, Repository, Storage};
use dsg_store::system::Directory;
use foundation_runtime::Exit;
use serde_json::{Value, json};

use crate::context::{Context, configuration_error, lexically_normal, open_project, ssh};
use crate::joining::{advise_about_git, refuse_nested, rules, tell_of_outer};
use crate::syncing::{Request, carry_out};
use crate::ui::{bytes, count};
use crate::user_file::made;

const EXAMPLES: &str = "\
Examples
  dsg clone /var/repos/dsg/SV          into a new directory SV
  dsg clone /var/repos/dsg/SV work     into work, which is empty or not there
  dsg clone scott:/var/repos/dsg/SV    from another machine, by your own ssh
  git clone … && cd … && dsg clone     where .dsgconfig.yml came with git

Files that are here already and equal join; different ones are asked about, and nothing is overwritten. Files that only this \
directory has go up, as with `dsg sync`. A run that was cut off is finished by running it again.";

/// What a directory may hold that an earlier run began to fill.
const OUR_OWN: [&str; 2] = [PROJECT_FILE, ".dsgconfig.yml.new"];
/// A new working tree is its owner's; who wants to share it opens it.
const DIRECTORY_MODE: u32 = 0o700;

/// Join a project: bring the files of its repository here
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CloneArgs {
    /// A repository: DIR or HOST:DIR; without it, the one that .dsgconfig.yml here names
    repository: Option<PathBuf>,
    /// Where to; default: the repository's name
    #[arg(value_name = "DIRECTORY")]
    target: Option<PathBuf>,
    /// Show what would come, and do nothing
    #[arg(long)]
    dry_run: bool,
}

/// What is to be joined.
struct Joining {
    root: PathBuf,
    config: ProjectConfig,
    /// The configuration to write; `None` when it is there already.
    text: Option<String>,
    repository: Box<dyn Repository>,
    /// Whether it is on another machine: the connection is used again then.
    there: bool,
}

/// Joins, or shows what would come.
pub(crate) fn run(args: &CloneArgs, context: &Context) -> Result<Exit> {
    let joining = match &args.repository {
        Some(repository) => from_repository(args, context, repository)?,
        None => from_configuration(context)?,
    };
    tell_of_outer(context, &joining.root);
    if args.dry_run {
        return dry_run(context, &joining);
    }
    context.author()?;
    if let Some(text) = &joining.text {
        made(&joining.root, DIRECTORY_MODE)?;
        project::write_configuration(&joining.root, text)?;
    }
    let project = open_project(&joining.root)?;
    let opened = if joining.there { None } else { Some(context.repository(&project)?) };
    let repository = opened.as_deref().unwrap_or(&*joining.repository);
    project::attach(&project, repository)?;
    let ended = carry_out(context, &project, repository, Request::default())?;
    advise_about_git(context, &joining.root, &joining.config);
    context.ui.json(&result(&joining, false, None, &ended.json, ended.exit));
    Ok(ended.exit)
}

fn result(
    joining: &Joining,
    dry_run: bool,
    coming: Option<&Coming>,
    synced: &Value,
    exit: Exit,
) -> Value {
    json!({
        "schema": "dsg.clone/1",
        "dry_run": dry_run,
        "name": joining.config.name,
        "project": joining.root,
        "repository": joining.repository.location(),
        "snapshot": coming.map(|coming| &coming.snapshot),
        "entries": coming.map(|coming| coming.entries),
        "bytes": coming.map(|coming| coming.bytes),
        "sync": synced,
        "exit": exit.code(),
    })
}

/// In a directory whose configuration came with git.
fn from_configuration(context: &Context) -> Result<Joining> {
    let project = context.project().map_err(|error| match error.code {
        Code::NoProject => {
            error.next("give the directory of the repository: `dsg clone REPOSITORY`")
        }
        _ => error,
    })?;
    let repository = context.repository_for_reading(&project)?;
    let root = project.root.path().to_owned();
    let place = project.place()?;
    if let Place::Here(path) = &place {
        refuse_nested(&root, path)?;
    }
    let there = matches!(place, Place::There { .. });
    Ok(Joining { root, config: project.file.config, text: None, repository, there })
}

/// From a repository into a directory of its own.
fn from_repository(args: &CloneArgs, context: &Context, given: &Path) -> Result<Joining> {
    let author = context.author().unwrap_or_default();
    let (repository, host, place): (Box<dyn Repository>, _, _) = match context.place(given)? {
        Place::Here(place) => (context.open_here(&place, &author)?, None, place),
        Place::There { host, path } => {
            let repository = RemoteRepository::open(&ssh(&host), &path)?;
            let place = PathBuf::from(repository.path());
            (Box::new(repository), Some(host), place)
        }
    };
    let there = host.is_some();
    let text = configuration_of(&*repository, host.as_deref().unwrap_or("localhost"), &place)?;
    let config = parse_project(&text).map_err(|error| configuration_error(&error))?.config;
    let target = args.target.clone().unwrap_or_else(|| PathBuf::from(&config.name));
    let root = lexically_normal(&context.directory.join(target));
    if !there {
        refuse_nested(&root, &place)?;
    }
    refuse_foreign(&root, &text)?;
    Ok(Joining { root, config, text: Some(text), repository, there })
}

/// The configuration of a new working tree: the place, and what the newest snapshot was made with.
fn configuration_of(repository: &dyn Repository, host: &str, place: &Path) -> Result<String> {
    let text =
        |part: Option<&std::ffi::OsStr>| part.and_then(|part| part.to_str()).map(str::to_owned);
    let (Some(name), Some(mountpoint)) =
        (text(place.file_name()), text(place.parent().map(Path::as_os_str)))
    else {
        return Err(Error::new(
            Code::Usage,
            format!("{} can't be named in a configuration", place.display()),
        )
        .next("a repository needs a name that is UTF-8 text"));
    };
    let (kind, zfs) = kind_of(repository.description());
    let Some(rules) = newest_rules(repository)? else {
        return new_project_text(&name, kind, host, &mountpoint, &[], zfs)
            .map_err(|error| configuration_error(&error));
    };
    let host = host.to_owned();
    let lists = rules.lists();
    let config = ProjectConfig {
        name,
        repository: match (kind, zfs) {
            (_, Some((pool, mode))) => {
                RepositoryConfig::Zfs { host, pool: pool.to_owned(), mountpoint, mode }
            }
            (RepositoryType::Btrfs, _) => RepositoryConfig::Btrfs { host, mountpoint },
            _ => RepositoryConfig::Posix { host, mountpoint },
        },
        data_dirs: lists.data_dirs,
        ignore: IgnoreConfig {
            paths: lists.ignore_paths,
            names: lists.ignore_names,
            suffixes: lists.ignore_suffixes,
        },
    };
    Ok(to_yaml(&config))
}

/// The type of a repository as a configuration names it, with pool and mode. One on ZFS that does not
/// say in which pool it was made is used as a directory like any other, which always works.
fn kind_of(description: &Description) -> (RepositoryType, Option<(&str, ZfsMode)>) {
    let zfs = |mode| match description.pool.as_deref() {
        Some(pool) => (RepositoryType::Zfs, Some((pool, mode))),
        None => (RepositoryType::Posix, None),
    };
    match description.storage {
        Storage::ZfsInPlace => zfs(ZfsMode::InPlace),
        Storage::ZfsGenerations => zfs(ZfsMode::Generations),
        Storage::Btrfs => (RepositoryType::Btrfs, None),
        Storage::Plain => (RepositoryType::Posix, None),
    }
}

/// The rules of the newest snapshot; `None` when there is no snapshot or it names none.
fn newest_rules(repository: &dyn Repository) -> Result<Option<Rules>> {
    let Some(head) = repository.head()? else { return Ok(None) };
    let documents = repository.documents(head.number, head.number)?;
    let damaged = |why: String| {
        Error::new(Code::ChainDamaged, format!("the document of {} can't be used", head.number))
            .because(why)
            .next("run `dsg validate-chain` in a project of this repository")
    };
    let Some((_, bytes)) = documents.first() else {
        return Err(damaged("it is missing".to_owned()));
    };
    let document = SnapshotDocument::decode(bytes).map_err(|error| damaged(error.to_string()))?;
    if document.configuration.is_empty() {
        return Ok(None);
    }
    let rules = Rules::from_value(&Value::Object(document.configuration));
    rules.map(Some).map_err(|error| damaged(error.to_string()))
}

/// The directory must be empty, or be what an earlier run began.
fn refuse_foreign(root: &Path, text: &str) -> Result<()> {
    if !root.exists() {
        return Ok(());
    }
    let directory = Directory::open(root)?;
    let entries = directory.entries()?;
    let ours = std::fs::read_to_string(root.join(PROJECT_FILE)).is_ok_and(|known| known == text);
    let empty = entries
        .iter()
        .all(|entry| OUR_OWN.iter().any(|own| entry.name == *own && entry.name != PROJECT_FILE));
    if ours || empty {
        return Ok(());
    }
    Err(Error::new(Code::ProjectExists, format!("{} is not empty", root.display()))
        .because("a clone goes into a directory of its own")
        .next(format!(
            "name another directory; if {PROJECT_FILE} in there is right, run `dsg clone` in it without arguments"
        )))
}

/// What a clone would bring.
struct Coming {
    snapshot: Option<String>,
    entries: u64,
    bytes: u64,
}

fn dry_run(context: &Context, joining: &Joining) -> Result<Exit> {
    let head = joining.repository.head()?;
    let rules = rules(&joining.config)?;
    let mut coming =
        Coming { snapshot: head.map(|head| head.number.to_string()), entries: 0, bytes: 0 };
    if let Some(head) = head {
        for change in joining.repository.differences(None, Some(head.number))? {
            if let Some(entry) = change.new.filter(|_| rules.tracked(change.path.as_str())) {
                coming.entries += 1;
                coming.bytes = coming.bytes.saturating_add(entry.size());
            }
        }
    }
    let ui = &context.ui;
    ui.line(format_args!("project     {}", joining.root.display()));
    ui.line(format_args!("repository  {}", joining.repository.location()));
    ui.line(format_args!(
        "Dry run, nothing was changed: {}, {}, would be compared with what is here",
        count(coming.entries, "entry"),
        bytes(coming.bytes)
    ));
    ui.json(&result(joining, true, Some(&coming), &Value::Null, Exit::Success));
    Ok(Exit::Success)
}
