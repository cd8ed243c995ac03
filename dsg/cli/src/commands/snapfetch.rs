//! `dsg snapfetch`.

use std::path::{Path, PathBuf};

use clap::Args;
use dsg_core::entry::Entry;
use dsg_core::path::RepoPath;
use dsg_core::snapshot::SnapshotNumber;
use dsg_store::error::{Code, Error, Result};
use dsg_store::fetch::{Fetched, Found, content, fetch, find};
use dsg_store::history::near;
use dsg_store::project::Project;
use dsg_store::repository::Repository;
use dsg_store::system::Directory;
use foundation_runtime::Exit;
use serde_json::json;

use crate::context::Context;
use crate::ui::{Tone, argument, bytes, count, safe};
use crate::view::section;

const EXAMPLES: &str = "\
Examples
  dsg snapfetch input/people.csv --number s3             to people.csv.s3 in this directory
  dsg snapfetch input/people.csv --number s3 -o - | less
  dsg snapfetch input/people.csv --number s3 -o input/people.csv --force
                                                         back to s3; the next sync commits that
  dsg snapfetch output --number s12 -o old-output        a whole directory; . is everything

Every byte is proven by its hash before the file gets its name. A directory is only fetched to a name that is free, \
also with --force, and only its owner can open it. `dsg blame FILE` shows in which snapshots a file changed.";

/// Bring an old version of a file or directory out of any snapshot
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SnapfetchArgs {
    /// The file, link or directory, as it was called then
    file: PathBuf,
    /// The snapshot
    #[arg(short = 'n', long, value_name = "sN")]
    number: SnapshotNumber,
    /// Where to put it; - is standard output; without this NAME.sN in this directory
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,
    /// Replace a file or link that is there already
    #[arg(long)]
    force: bool,
}

/// Fetches an old version.
pub(crate) fn run(args: &SnapfetchArgs, context: &Context) -> Result<Exit> {
    let project = context.project()?;
    let path = context.path_in_project(&project, &args.file)?;
    let repository = context.repository_for_reading(&project)?;
    let Some(found) = find(&*repository, args.number, path.as_ref())? else {
        return Err(nothing_there(&*repository, args, path.as_ref())?);
    };
    let to_stdout = args.output.as_deref() == Some(Path::new("-"));
    if to_stdout {
        print(context, &project, &*repository, &found)?;
        return Ok(Exit::Success);
    }
    let out = match &args.output {
        Some(output) => context.directory.join(output),
        None => context.directory.join(default_name(path.as_ref(), args.number)?),
    };
    let fetched = fetch(&*repository, &found, &out, args.force, &context.monitor())?;
    report(context, args, path.as_ref(), &out, &fetched);
    Ok(if fetched.left_out.is_empty() { Exit::Success } else { Exit::Incomplete })
}

/// Why there is nothing, as far as the newest snapshot tells it. The advice names the path as the user
/// gave it, so that it works where they stand.
fn nothing_there(
    repository: &dyn Repository,
    args: &SnapfetchArgs,
    path: Option<&RepoPath>,
) -> Result<Error> {
    let number = args.number;
    let Some(path) = path else {
        return Ok(Error::new(Code::NotFound, format!("{number} has nothing")));
    };
    let near = near(repository, path)?;
    let error = Error::new(Code::NotFound, format!("{number} has nothing at {path}"));
    let error = if near.is_directory || near.paths.contains(path) {
        error.because("the newest snapshot has it, that one has not")
    } else if near.paths.is_empty() {
        error
    } else {
        error.because("the newest snapshot has names like it").about(near.paths)
    };
    let given = argument(&args.file.to_string_lossy());
    Ok(error.next(format!("`dsg log {given}` lists the snapshots that changed it")))
}

fn default_name(path: Option<&RepoPath>, number: SnapshotNumber) -> Result<String> {
    match path {
        Some(path) => Ok(format!("{}.{number}", path.name())),
        None => Err(Error::new(Code::Usage, "a whole snapshot needs a name to be put under")
            .next("give it with -o")),
    }
}

fn report(
    context: &Context,
    args: &SnapfetchArgs,
    path: Option<&RepoPath>,
    out: &Path,
    fetched: &Fetched,
) {
    let ui = &context.ui;
    ui.json(&json!({
        "schema": "dsg.snapfetch/1",
        "path": path,
        "number": args.number.to_string(),
        "output": out.to_string_lossy(),
        "files": fetched.files,
        "links": fetched.links,
        "bytes": fetched.bytes,
        "left_out": fetched.left_out.iter().map(|(path, why)| json!({
            "path": path, "why": why,
        })).collect::<Vec<_>>(),
    }));
    let shown = out.strip_prefix(&context.directory).unwrap_or(out);
    let what = format!(
        "{} of {}: {}, {}, {}",
        safe(&shown.to_string_lossy()),
        args.number,
        count(fetched.files, "file"),
        count(fetched.links, "link"),
        bytes(fetched.bytes)
    );
    ui.line(ui.paint(Tone::Good, what));
    let heading = "Left out: not safe to make here";
    let lines = fetched.left_out.iter().map(|(path, why)| format!("{path}: {why}"));
    section(ui, Tone::Warning, heading, lines.map(|line| safe(&line)));
}

/// Writes a file to standard output once it is proven as a whole.
fn print(
    context: &Context,
    project: &Project,
    repository: &dyn Repository,
    found: &Found,
) -> Result<()> {
    if context.ui.is_json() {
        return Err(Error::new(Code::Usage, "-o - and --json both want standard output")
            .next("give a file with -o"));
    }
    match found {
        Found::Directory(_) => {
            Err(Error::new(Code::Usage, "a directory can't be written to standard output")
                .next("give a name with -o"))
        }
        Found::Entry(_, Entry::Link(link)) => {
            context.ui.raw(link.target.as_bytes());
            Ok(())
        }
        Found::Entry(path, Entry::File(file)) => {
            // Beside the project's own notes the bytes stay where the user's rights keep them.
            let scratch = match project.dsg()? {
                Some(dsg) => dsg,
                None => Directory::open(project.root.path())?,
            };
            let monitor = context.monitor();
            let mut reader = content(repository, path, file, &scratch, &monitor)?;
            let mut buffer = vec![0; 256 * 1024];
            loop {
                let read = reader.read(&mut buffer)?;
                if read == 0 {
                    return Ok(());
                }
                context.ui.raw(&buffer[..read]);
            }
        }
    }
}
