//! `dsg list-repos`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use dsg_store::error::{Code, Error, Result};
use dsg_store::history::document;
use dsg_store::repository::{Access, LEGACY_DIRECTORY, REPOSITORY_DIRECTORY, Repository, open};
use foundation_runtime::Exit;
use serde_json::{Value, json};

use crate::context::{Context, lexically_normal};
use crate::ui::{Tone, count, safe};

const EXAMPLES: &str = "\
Examples
  dsg list-repos                  those beside the project's, or below default_project_path of your dsg.yml
  dsg list-repos /srv/dsg         those in a directory
  dsg clone /srv/dsg/SV           joins one of them";

/// List the repositories in a directory of this machine
#[derive(Debug, Args)]
#[command(name = "list-repos", after_help = EXAMPLES)]
pub(crate) struct ListReposArgs {
    /// The directory that holds the repositories
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,
}

/// Lists repositories.
pub(crate) fn run(args: &ListReposArgs, context: &Context) -> Result<Exit> {
    let directory = place(args, context)?;
    let entries = std::fs::read_dir(&directory).map_err(|error| {
        Error::new(Code::RepositoryMissing, format!("{} can't be listed", directory.display()))
            .because(error)
            .next("give the directory that holds the repositories, as `mountpoint` says it")
    })?;
    let mut names: Vec<String> = entries
        .filter_map(std::result::Result::ok)
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    let found: Vec<Value> =
        names.iter().filter_map(|name| described(context, &directory.join(name), name)).collect();
    let ui = &context.ui;
    ui.json(&json!({
        "schema": "dsg.list-repos/1",
        "directory": directory.to_string_lossy(),
        "repositories": found,
    }));
    for repository in &found {
        let text = |key: &str| safe(repository[key].as_str().unwrap_or_default()).to_string();
        let name = ui.paint(Tone::Strong, format!("{:<20}", text("name"))).to_string();
        match repository["error"].as_str() {
            Some(error) => ui.line(format_args!("{name}  {}", safe(error))),
            None => ui.line(format_args!(
                "{name}  {:<6}  {}  {}",
                text("snapshot"),
                text("time"),
                text("author")
            )),
        }
    }
    if found.is_empty() {
        ui.line(format_args!("No repository in {}", safe(&directory.display().to_string())));
    } else {
        ui.say(format_args!("{}", count(found.len() as u64, "entry")));
    }
    Ok(Exit::Success)
}

/// The directory that was given, else that of the project's repository, else the user's default.
fn place(args: &ListReposArgs, context: &Context) -> Result<PathBuf> {
    if let Some(given) = &args.directory {
        return Ok(lexically_normal(&context.directory.join(given)));
    }
    if let Ok(project) = context.project() {
        let path = project.repository_path()?;
        return Ok(path.parent().unwrap_or(&path).to_owned());
    }
    match &context.user()?.default_project_path {
        Some(path) => Ok(PathBuf::from(&path.value)),
        None => Err(Error::new(Code::Usage, "which directory?")
            .because("there is no project here, and your dsg.yml has no default_project_path")
            .next("give one: `dsg list-repos /srv/dsg`")),
    }
}

/// What is known of a repository; `None` for what is none.
fn described(context: &Context, path: &Path, name: &str) -> Option<Value> {
    if !path.join(REPOSITORY_DIRECTORY).exists() {
        let older = path.join(LEGACY_DIRECTORY).is_dir();
        return older.then(|| json!({ "name": name, "error": "made by the older dsg" }));
    }
    let told = || -> Result<Value> {
        let repository = open(path, "", Arc::clone(&context.clock))?;
        let description = repository.description();
        let newest = match repository.head()? {
            Some(head) => Some((head, document(&*repository, head.number)?)),
            None => None,
        };
        Ok(json!({
            "name": name,
            "id": description.id,
            "storage": description.storage,
            "access": match description.access {
                Access::Private => "private",
                Access::Group => "group",
            },
            "snapshot": newest.as_ref().map(|(head, _)| head.number.to_string()),
            "entries": newest.as_ref().map(|(head, _)| head.entries),
            "author": newest.as_ref().map(|(_, document)| document.author.clone()),
            "time": newest.as_ref().map(|(_, document)| document.time.to_string()),
        }))
    };
    Some(told().unwrap_or_else(|error| json!({ "name": name, "error": error.to_string() })))
}
