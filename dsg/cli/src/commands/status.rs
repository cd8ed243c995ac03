//! `dsg status`.

use clap::Args;
use dsg_store::error::Result;
use dsg_store::project::{self, Project, unfinished_sync};
use dsg_store::sync::{Look, LookOptions, look, remember};
use foundation_runtime::Exit;
use serde_json::{Value, json};

use crate::context::Context;
use crate::ui::{Tone, safe};
use crate::view::plan;
use crate::view::step::{step_short, unknown_line};

const EXAMPLES: &str = "\
Examples
  dsg status            your changes, those of your team, conflicts
  dsg status --short    one line per path: number of the state, label, path
  dsg status --json     the same for programs, with all three copies of each path

Paths are shown from the project's root on. Nothing is changed, here or in the repository.
The exit code says what `dsg sync` would meet: 0, 3 conflict, 4 refused, 5 paths left out.";

/// Show what a sync would do: your changes, those of your team, conflicts
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct StatusArgs {
    /// One line per path: number of the state, label, path
    #[arg(short, long)]
    short: bool,
}

/// Looks at project and repository, and shows what it found.
pub(crate) fn run(args: &StatusArgs, context: &Context) -> Result<Exit> {
    let project = context.project()?;
    let look = look_at(context, &project, false)?;
    let unfinished = unfinished_sync(&project.dsg_attached()?)?;
    let ui = &context.ui;
    if ui.is_json() {
        let mut fields = plan::fields(&look);
        fields.insert("schema".to_owned(), json!("dsg.status/1"));
        fields.insert("unfinished_sync".to_owned(), json!(unfinished));
        ui.json(&Value::Object(fields));
        return Ok(plan::exit(&look));
    }
    if unfinished {
        ui.notice("a sync was cut off in the middle; the next `dsg sync` finishes or forgets it");
    }
    if args.short {
        print_short(context, &look);
    } else {
        print_long(context, &look);
    }
    Ok(plan::exit(&look))
}

/// Looks, with what was decided of conflicts, and keeps what the look learned about the disk.
///
/// # Errors
/// When project or repository can't be read.
pub(crate) fn look_at(
    context: &Context,
    project: &Project,
    allow_mass_delete: bool,
) -> Result<Look> {
    let dsg = project.dsg_attached()?;
    let repository = context.repository_for_reading(project)?;
    let options = LookOptions { allow_mass_delete, resolutions: project::resolutions(&dsg)? };
    let look = look(project, &dsg, &*repository, &options, &context.monitor())?;
    remember(&dsg, &look, &context.monitor());
    Ok(look)
}

fn print_short(context: &Context, look: &Look) {
    for step in &look.plan.steps {
        context.ui.line(step_short(step));
    }
    for unknown in &look.unknown {
        context.ui.line(format_args!(" ?  {:<36}{}", "unknown", unknown_line(unknown)));
    }
}

fn print_long(context: &Context, look: &Look) {
    let ui = &context.ui;
    let head = look.head.map_or("no snapshot".to_owned(), |head| head.number.to_string());
    let seen = look.state.seen.map_or("nothing".to_owned(), |(number, _)| number.to_string());
    let seen = if head == seen { String::new() } else { format!(", this project has seen {seen}") };
    ui.line(format_args!(
        "The repository is at {head}{seen}; {} here take part.",
        crate::ui::count(look.counts.entries, "path")
    ));
    plan::print(ui, look, plan::BY_AUTHOR);
    let tone = if plan::is_up_to_date(look) { Tone::Good } else { Tone::Strong };
    ui.line(ui.paint(tone, safe(&plan::summary_line(look))));
}
