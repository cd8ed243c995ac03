//! `dsg sync`.

use clap::Args;
use dsg_core::snapshot::MESSAGE_BYTES_MAX;
use dsg_store::error::{Code, Error, Result};
use dsg_store::project::{self, Project};
use dsg_store::sync::{Look, refuse};
use foundation_runtime::Exit;
use serde_json::{Value, json};

use super::status::look_at;
use crate::context::Context;
use crate::normalize;
use crate::syncing::{Request, carry_out};
use crate::ui::{Tone, count};
use crate::view::plan;

const EXAMPLES: &str = "\
Examples
  dsg sync -m \"cleaned table\"    bring your changes there and those of others here
  dsg sync --dry-run             show what would go up, come down and be deleted
  dsg sync --continue            go on with the choices made in conflicts.txt

When both sides changed a path differently, nothing is transferred, and dsg asks: edit conflicts.txt and run \
`dsg sync --continue`, or use `dsg resolve`. What is deleted or replaced here is kept in .dsg/trash for 30 days.
The exit code is 0, 3 conflict, 4 refused by a guard, 5 done, but paths were left out.";

/// Make this project and its repository equal
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SyncArgs {
    /// What you say about your changes; without it they are counted up
    #[arg(short, long, value_name = "TEXT")]
    message: Option<String>,
    /// Show what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Use the choices made in conflicts.txt
    #[arg(long = "continue", conflicts_with = "dry_run")]
    continues: bool,
    /// Go on although much would be deleted
    #[arg(long)]
    allow_mass_delete: bool,
    /// Start over with the repository that is there now: nothing counts as agreed, nothing is deleted
    #[arg(long, conflicts_with = "dry_run")]
    reattach: bool,
    /// Rename files whose names are not accepted, first
    #[arg(long)]
    normalize: bool,
    /// Keep no copy of a file that loses a conflict
    #[arg(long)]
    no_backup: bool,
    /// Do not ask before --reattach
    #[arg(short, long)]
    yes: bool,
}

/// Syncs, or shows what a sync would do.
pub(crate) fn run(args: &SyncArgs, context: &Context) -> Result<Exit> {
    check_message(args.message.as_deref())?;
    let project = context.project()?;
    if args.dry_run {
        return dry_run(args, context, &project);
    }
    let repository = context.repository(&project)?;
    if args.reattach {
        confirm_reattach(args, context, &project)?;
        project::reattach(&project, &*repository)?;
    }
    project.dsg_attached()?;
    let normalized =
        args.normalize.then(|| normalize::run(context, &project, false)).transpose()?;
    let request = Request {
        message: args.message.clone(),
        allow_mass_delete: args.allow_mass_delete,
        no_backup: args.no_backup,
        continues: args.continues,
    };
    let mut ended = carry_out(context, &project, &*repository, request)?;
    if let (Some(normalized), Value::Object(fields)) = (normalized, &mut ended.json) {
        fields.insert("normalized".to_owned(), normalize::plan_json(&normalized));
    }
    context.ui.json(&ended.json);
    Ok(ended.exit)
}

/// A message that the repository would refuse is refused before anything is transferred.
///
/// # Errors
/// When it is empty or too long.
pub(crate) fn check_message(message: Option<&str>) -> Result<()> {
    let wrong =
        |what: String| Err(Error::new(Code::Usage, what).next("say in a line or two what changed"));
    match message {
        Some(message) if message.trim().is_empty() => wrong("the message is empty".to_owned()),
        Some(message) if message.len() > MESSAGE_BYTES_MAX => wrong(format!(
            "the message has {} bytes, {MESSAGE_BYTES_MAX} are the limit",
            message.len()
        )),
        _ => Ok(()),
    }
}

fn confirm_reattach(args: &SyncArgs, context: &Context, project: &Project) -> Result<()> {
    if args.yes {
        return Ok(());
    }
    let place = project.place()?;
    if !context.ui.can_ask() {
        return Err(Error::new(Code::Usage, "--reattach needs a confirmation")
            .because("nothing counts as agreed any more: equal files join, different ones are asked about")
            .next("add --yes if that is what you want"));
    }
    context.ui.say(format_args!(
        "Start over with {}: files that are equal join, different ones are asked about, nothing is deleted.",
        place
    ));
    if context.ui.confirm("Go on?", &context.interrupt)? {
        Ok(())
    } else {
        Err(Error::interrupted())
    }
}

fn dry_run(args: &SyncArgs, context: &Context, project: &Project) -> Result<Exit> {
    let normalized = args.normalize.then(|| normalize::run(context, project, true)).transpose()?;
    let mut look = look_at(context, project, args.allow_mass_delete)?;
    let ui = &context.ui;
    let mut mended = look.unknown.len();
    if let Some(normalized) = &normalized {
        look.unknown.retain(|unknown| !normalize::mends(normalized, unknown));
    }
    mended -= look.unknown.len();
    if ui.is_json() {
        let mut fields = plan::fields(&look);
        fields.insert("schema".to_owned(), json!("dsg.sync/1"));
        fields.insert("dry_run".to_owned(), json!(true));
        fields.insert("outcome".to_owned(), json!(outcome(&look)));
        if let Some(normalized) = normalized {
            fields.insert("normalized".to_owned(), normalize::plan_json(&normalized));
        }
        ui.json(&Value::Object(fields));
        return Ok(plan::exit(&look));
    }
    plan::print(ui, &look, plan::BY_ACTION);
    ui.line(ui.paint(
        Tone::Strong,
        format_args!("Dry run, nothing was changed: {}", summary(&look, mended)),
    ));
    let exit = plan::exit(&look);
    if exit == Exit::Refused
        && let Err(error) = refuse(&look)
    {
        ui.show(&error);
    }
    Ok(exit)
}

/// What would be done, also with what the plan does not know because it has no accepted name yet.
fn summary(look: &Look, mended: usize) -> String {
    let renamed = format!("{} would be renamed and go up", count(mended as u64, "path"));
    match mended {
        0 => plan::summary_line(look),
        _ if plan::is_up_to_date(look) => renamed,
        _ => format!("{}; {renamed}", plan::summary_line(look)),
    }
}

fn outcome(look: &Look) -> &'static str {
    match plan::exit(look) {
        Exit::Conflict => "conflicts",
        Exit::Refused => "refused",
        _ => "done",
    }
}
