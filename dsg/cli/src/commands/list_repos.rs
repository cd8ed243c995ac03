//! `dsg list-repos`.

use std::path::PathBuf;

use clap::Args;
use dsg_core::hash::ChainHash;
use dsg_core::snapshot::SnapshotDocument;
use dsg_store::error::{Code, Error, Result};
use dsg_store::project::Place;
use dsg_store::remote::{Bytes, ListedRepository, list, list_remote};
use dsg_store::system::Directory;
use foundation_runtime::Exit;
use serde_json::json;

use crate::context::{Context, ssh};
use crate::ui::{Tone, count, safe};

const EXAMPLES: &str = "\
Examples
  dsg list-repos                     in default_project_path on default_host of your dsg.yml
  dsg list-repos /var/repos/dsg      in a directory of this machine
  dsg list-repos scott:/var/repos    on another machine

`dsg clone PLACE/NAME` joins one of them.";

/// The most repositories that are listed.
const LISTED_MAX: usize = 10_000;

/// Show the repositories of a directory, here or on another machine
#[derive(Debug, Args)]
#[command(name = "list-repos", after_help = EXAMPLES)]
pub(crate) struct ListReposArgs {
    /// The directory that holds them: DIR or HOST:DIR
    place: Option<PathBuf>,
}

/// What is known of a repository, and its newest snapshot.
type Found = (ListedRepository, Option<SnapshotDocument>);

/// Shows them.
pub(crate) fn run(args: &ListReposArgs, context: &Context) -> Result<Exit> {
    let place = match &args.place {
        Some(place) => context.place(place)?,
        None => default_place(context)?,
    };
    let found = match &place {
        Place::Here(path) => {
            let directory = Directory::open(path).map_err(|error| {
                Error::new(Code::RepositoryMissing, format!("{} can't be read", path.display()))
                    .because(&error.source)
                    .next("check the path; if it is a mount point, mount it")
            })?;
            list(&directory, LISTED_MAX)?
        }
        Place::There { host, path } => list_remote(&ssh(host), path)?,
    };
    let with_document = |listed: ListedRepository| {
        let bytes = listed.head.as_ref().map(Bytes::as_slice);
        let document = bytes.and_then(|bytes| SnapshotDocument::decode(bytes).ok());
        (listed, document)
    };
    let found: Vec<Found> = found.into_iter().map(with_document).collect();
    show(context, &place, &found);
    Ok(Exit::Success)
}

fn default_place(context: &Context) -> Result<Place> {
    let user = context.user()?;
    let Some(path) = &user.default_project_path else {
        return Err(Error::new(Code::Usage, "which directory?")
            .because("your dsg.yml has no default_project_path")
            .next("give the directory that holds the repositories: DIR or HOST:DIR"));
    };
    let host = user.default_host.as_ref().map_or("localhost", |host| host.value.as_str());
    let own = dsg_store::system::machine_name();
    Ok(match dsg_core::config::is_this_machine(host, &[&own]) {
        true => Place::Here(PathBuf::from(&path.value)),
        false => Place::There { host: host.to_owned(), path: path.value.clone() },
    })
}

fn show(context: &Context, place: &Place, found: &[Found]) {
    let ui = &context.ui;
    ui.json(&json!({
        "schema": "dsg.repositories/1",
        "place": place.to_string(),
        "repositories": found.iter().map(|(listed, document)| json!({
            "name": listed.name,
            "snapshot": document.as_ref().map(|document| document.number.to_string()),
            "chain": listed.head.as_ref().map(|head| ChainHash::of(head.as_slice()).to_string()),
            "time": document.as_ref().map(|document| document.time.to_string()),
            "author": document.as_ref().map(|document| &document.author),
            "message": document.as_ref().map(|document| &document.message),
            "entries": document.as_ref().map(|document| document.entries),
            "storage": listed.storage,
            "problem": listed.problem,
        })).collect::<Vec<_>>(),
    }));
    for (listed, document) in found {
        let name = ui.paint(Tone::Strong, safe(&listed.name));
        match (document, &listed.problem) {
            (Some(document), _) => ui.line(format_args!(
                "{name}  {}  {}  {}  {}",
                document.number,
                document.time.strftime("%Y-%m-%d %H:%M:%S"),
                safe(&document.author),
                count(document.entries, "path"),
            )),
            (None, Some(problem)) => {
                ui.line(format_args!("{name}  {}", ui.paint(Tone::Bad, safe(problem))));
            }
            (None, None) => ui.line(format_args!("{name}  no snapshot yet")),
        }
    }
    if found.is_empty() {
        ui.say(format_args!("no repository in {}", safe(&place.to_string())));
    }
}
