//! `dsg diff`.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use dsg_core::path::RepoPath;
use dsg_core::snapshot::SnapshotNumber;
use dsg_store::Unknown;
use dsg_store::difference::{Against, Contents, Difference, Kind, local, snapshots};
use dsg_store::error::{Code, Error, Result};
use dsg_store::monitor::Monitor;
use dsg_store::project::Project;
use dsg_store::repository::Repository;
use dsg_store::system::Directory;
use foundation_runtime::Exit;
use serde_json::{Value, json};
use similar::TextDiff;

use crate::context::Context;
use crate::ui::{Tone, bytes, count, safe};
use crate::view::section;
use crate::view::step::{entry_json, local_json, unknown_json, unknown_line};

const EXAMPLES: &str = "\
Examples
  dsg diff                        what you changed since the last sync
  dsg diff --text input/          the changed lines of text files in input/
  dsg diff --remote               compared with the repository's newest snapshot
  dsg diff --from s3 --to s12     between two snapshots
  dsg diff --to s12               what s12 changed; --from alone compares with the newest

Text is shown of UTF-8 files up to 1 MiB.";

/// The largest file of which lines are compared.
const TEXT_BYTES_MAX: u64 = 1 << 20;
/// After this time the shortest difference is no longer looked for, only some difference.
const TEXT_TIME_MAX: Duration = Duration::from_secs(2);
/// Equal lines around changed ones.
const CONTEXT_LINES: usize = 3;

/// Show what differs: here, against the repository, or between snapshots
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DiffArgs {
    /// Only these files, or what is in these directories
    paths: Vec<PathBuf>,
    /// The older snapshot
    #[arg(long, value_name = "sN")]
    from: Option<SnapshotNumber>,
    /// The newer snapshot
    #[arg(long, value_name = "sM")]
    to: Option<SnapshotNumber>,
    /// Compare the files here with the repository's newest snapshot
    #[arg(long, conflicts_with_all = ["from", "to"])]
    remote: bool,
    /// Show the changed lines of text files
    #[arg(long)]
    text: bool,
}

/// What was compared, and how it differs.
struct Compared {
    from: String,
    to: String,
    differences: Vec<Difference>,
    unknown: Vec<Unknown>,
}

/// Compares and shows.
pub(crate) fn run(args: &DiffArgs, context: &Context) -> Result<Exit> {
    let project = context.project()?;
    let repository = context.repository_for_reading(&project)?;
    let mut wanted = Vec::new();
    for path in &args.paths {
        wanted.extend(context.path_in_project(&project, path)?);
    }
    let monitor = context.monitor();
    let mut compared = compare(args, &project, &repository, &monitor)?;
    // The project's root among the paths means everything.
    if wanted.len() == args.paths.len() && !wanted.is_empty() {
        let inside =
            |path: &RepoPath| wanted.iter().any(|want| path == want || path.is_below(want));
        compared.differences.retain(|difference| inside(&difference.path));
        compared.unknown.retain(|unknown| unknown.path.as_ref().is_none_or(inside));
    }
    let texts = if args.text {
        texts(&project, &repository, &compared.differences, &monitor)?
    } else {
        Vec::new()
    };
    drop(monitor);
    context.ui.json(&compared_json(&compared, &texts));
    print(context, &compared, &texts);
    Ok(if compared.unknown.is_empty() { Exit::Success } else { Exit::Incomplete })
}

fn compare(
    args: &DiffArgs,
    project: &Project,
    repository: &dyn Repository,
    monitor: &dyn Monitor,
) -> Result<Compared> {
    if args.from.is_none() && args.to.is_none() {
        let (against, from) = if args.remote {
            (Against::Head, "the repository")
        } else {
            (Against::Agreed, "what was last agreed")
        };
        let found = local(project, repository, against, monitor)?;
        return Ok(Compared {
            from: from.to_owned(),
            to: "the files here".to_owned(),
            differences: found.differences,
            unknown: found.unknown,
        });
    }
    let to = match args.to {
        Some(to) => to,
        None => repository.head()?.map(|head| head.number).ok_or_else(|| {
            Error::new(Code::NotFound, "the repository has no snapshot yet")
                .next("`dsg sync` makes the first one")
        })?,
    };
    let from = args.from.or_else(|| to.previous());
    Ok(Compared {
        from: from.map_or("nothing".to_owned(), |number| number.to_string()),
        to: to.to_string(),
        differences: snapshots(repository, from, Some(to))?,
        unknown: Vec::new(),
    })
}

/// The changed lines of a path, or why they are not shown.
enum Text {
    Lines(String),
    NotShown(&'static str),
}

fn texts(
    project: &Project,
    repository: &dyn Repository,
    differences: &[Difference],
    monitor: &dyn Monitor,
) -> Result<Vec<Text>> {
    let scratch = match project.dsg()? {
        Some(dsg) => dsg,
        None => Directory::open(project.root.path())?,
    };
    let contents = Contents {
        root: Some(&project.root),
        repository,
        scratch: &scratch,
        bytes_max: TEXT_BYTES_MAX,
    };
    differences.iter().map(|difference| text_of(&contents, difference, monitor)).collect()
}

fn text_of(
    contents: &Contents<'_>,
    difference: &Difference,
    monitor: &dyn Monitor,
) -> Result<Text> {
    let (Some(old), Some(new)) =
        (contents.before(difference, monitor)?, contents.after(difference, monitor)?)
    else {
        return Ok(Text::NotShown("larger than 1 MiB, its lines are not compared"));
    };
    let (Some(old), Some(new)) = (as_text(&old), as_text(&new)) else {
        return Ok(Text::NotShown("binary, it has no lines to compare"));
    };
    let path = difference.path.as_str();
    let side = |there: bool, letter: char| match there {
        true => format!("{letter}/{path}"),
        false => "/dev/null".to_owned(),
    };
    let header = (side(difference.old.is_some(), 'a'), side(difference.new.is_some(), 'b'));
    let diff = TextDiff::configure().timeout(TEXT_TIME_MAX).diff_lines(old, new);
    let lines =
        diff.unified_diff().context_radius(CONTEXT_LINES).header(&header.0, &header.1).to_string();
    Ok(Text::Lines(lines))
}

fn as_text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
}

fn print(context: &Context, compared: &Compared, texts: &[Text]) {
    let ui = &context.ui;
    for (number, difference) in compared.differences.iter().enumerate() {
        ui.line(line(difference));
        match texts.get(number) {
            Some(Text::Lines(lines)) => print_lines(context, lines),
            Some(Text::NotShown(why)) => ui.line(ui.paint(Tone::Faint, format_args!("    {why}"))),
            None => {}
        }
    }
    let heading = "Left out: nothing is known of them";
    section(ui, Tone::Warning, heading, compared.unknown.iter().map(unknown_line));
    let count = count(compared.differences.len() as u64, "path");
    ui.say(format_args!("{count} of {} differ from {}", compared.to, compared.from));
}

/// A difference of lines as it is, for `patch` and files; made safe where a terminal reads it.
fn print_lines(context: &Context, lines: &str) {
    let terminal = std::io::stdout().is_terminal();
    for line in lines.lines() {
        let shown = if terminal {
            line.split('\t').map(safe).collect::<Vec<_>>().join("\t")
        } else {
            line.to_owned()
        };
        let tone = match line.as_bytes().first() {
            Some(b'+') => Tone::Good,
            Some(b'-') => Tone::Bad,
            Some(b'@') => Tone::Strong,
            _ => Tone::Faint,
        };
        let plain = line.starts_with(' ');
        context.ui.line(if plain { shown } else { context.ui.paint(tone, shown) });
    }
}

fn line(difference: &Difference) -> String {
    let old = difference.old.as_ref().map(|entry| bytes(entry.size()));
    let new = difference.new.as_ref().map(|version| bytes(version.entry().size()));
    let sizes = match (old, new) {
        (Some(old), Some(new)) if old == new => old,
        (Some(old), Some(new)) => format!("{old} -> {new}"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => String::new(),
    };
    let kind = match difference.kind() {
        Kind::Mode => "executable bit",
        kind => kind.as_str(),
    };
    format!("{kind:<15} {}  ({sizes})", safe(difference.path.as_str()))
}

fn compared_json(compared: &Compared, texts: &[Text]) -> Value {
    let path = |(number, difference): (usize, &Difference)| {
        json!({
            "path": difference.path,
            "kind": difference.kind().as_str(),
            "old": difference.old.as_ref().map(entry_json),
            "new": difference.new.as_ref().map(|version| local_json(&version.entry())),
            "text": match texts.get(number) {
                Some(Text::Lines(lines)) => Some(lines),
                _ => None,
            },
            "text_not_shown": match texts.get(number) {
                Some(Text::NotShown(why)) => Some(why),
                _ => None,
            },
        })
    };
    json!({
        "schema": "dsg.diff/1",
        "from": compared.from,
        "to": compared.to,
        "paths": compared.differences.iter().enumerate().map(path).collect::<Vec<_>>(),
        "unknown": compared.unknown.iter().map(unknown_json).collect::<Vec<_>>(),
    })
}
