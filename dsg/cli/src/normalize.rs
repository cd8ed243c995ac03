//! `--normalize`: names that are not accepted get better ones, and links follow.
//!
//! What to rename is decided in `dsg_core::name::normalize` and carried out by the library; here it
//! is shown.

use dsg_core::path::normal;
use dsg_store::error::{Code, Error, Result};
use dsg_store::normalize::{self, NormalizePlan};
use dsg_store::project::Project;
use dsg_store::{Unknown, UnknownReason};
use serde_json::{Value, json};

use crate::context::Context;
use crate::ui::{Tone, safe};
use crate::view::section;

/// Renames what has to be renamed in the project, or shows it; returns what programs are told.
///
/// # Errors
/// When two names would become one (nothing is touched then), or the disk says no.
pub(crate) fn run(context: &Context, project: &Project, dry_run: bool) -> Result<NormalizePlan> {
    let plan = normalize::plan(project)?;
    refuse_collisions(&plan)?;
    if !dry_run && !plan.is_empty() {
        let done = normalize::carry_out(project, &plan)?;
        for path in &done.changed_meanwhile {
            context.ui.notice(format!("{} changed meanwhile and was left alone", safe(path)));
        }
    }
    print(context, &plan, dry_run);
    Ok(plan)
}

/// After a sync that left names out: what can be done about them.
pub(crate) fn advise(context: &Context, project: &Project, unknown: &[Unknown]) {
    if !unknown.iter().any(|unknown| matches!(unknown.why, UnknownReason::Name(_))) {
        return;
    }
    // Only advice: what went wrong here was told where it matters.
    let Ok(plan) = normalize::plan(project) else { return };
    context.ui.say(if !plan.collisions.is_empty() {
        "Names that are not accepted: rename them by hand. Some would become one name, so that --normalize refuses: \
         `dsg sync --normalize --dry-run` lists those."
    } else if plan.renames.iter().any(|rename| normalize::is_refused(&rename.from)) {
        "Names that are not accepted: `dsg sync --normalize` renames what can be renamed safely."
    } else {
        "Names that are not accepted: rename them by hand; --normalize knows no better ones for them."
    });
}

/// Whether the plan gives that path, or a directory that it is in, a name that is accepted.
pub(crate) fn mends(plan: &NormalizePlan, unknown: &Unknown) -> bool {
    matches!(unknown.why, UnknownReason::Name(_))
        && plan.renames.iter().any(|rename| {
            unknown.shown == safe(&rename.from)
                || unknown.path.as_ref().is_some_and(|path| path.as_str() == normal(&rename.from))
        })
}

fn refuse_collisions(plan: &NormalizePlan) -> Result<()> {
    if plan.collisions.is_empty() {
        return Ok(());
    }
    let groups = plan.collisions.iter().map(|collision| {
        let directory = if collision.directory.is_empty() { "." } else { &collision.directory };
        format!("{directory}: {}", collision.names.join(", "))
    });
    Err(Error::new(Code::NameCollision, "names would become one, so none is renamed")
        .about(groups)
        .next("rename one of each group by hand, then run it again"))
}

fn print(context: &Context, plan: &NormalizePlan, dry_run: bool) {
    let ui = &context.ui;
    let renamed = if dry_run { "Would be renamed" } else { "Renamed" };
    let arrow = |from: &str, to: &str| format!("{} -> {}", safe(from), safe(to));
    section(ui, Tone::Strong, renamed, plan.renames.iter().map(|one| arrow(&one.from, &one.to)));
    let rewritten = if dry_run { "Links that would follow" } else { "Links that followed" };
    section(
        ui,
        Tone::Strong,
        rewritten,
        plan.relinks.iter().map(|one| arrow(&one.path, &one.new_target)),
    );
    section(
        ui,
        Tone::Warning,
        "Can't be renamed safely: rename them by hand",
        plan.unfixable
            .iter()
            .map(|(path, why)| format!("{}: {}", safe(path), safe(&why.to_string()))),
    );
}

/// The plan, for programs.
pub(crate) fn plan_json(plan: &NormalizePlan) -> Value {
    json!({
        "renamed": plan.renames.iter().map(|one| json!({ "from": one.from, "to": one.to })).collect::<Vec<_>>(),
        "relinked": plan.relinks.iter().map(|one| json!({
            "path": one.path, "from": one.old_target, "to": one.new_target,
        })).collect::<Vec<_>>(),
        "unfixable": plan.unfixable.iter().map(|(path, why)| json!({
            "path": path, "why": why.to_string(),
        })).collect::<Vec<_>>(),
    })
}
