//! `--normalize`: names that are not accepted get better ones, and links follow.
//!
//! What to rename is decided in `dsg_core::name::normalize`; here it is carried out through the
//! library's directory handles, in the order that makes a second run finish what a first one began:
//! links at their old places first, then the renames, none onto anything that exists.

use std::path::Path;

use dsg_core::name::normalize::{self, NormalizePlan, Relink, Rename};
use dsg_store::error::{Code, Error, Result};
use dsg_store::monitor::{Monitor, check_stop};
use dsg_store::project::{Project, lock_project};
use dsg_store::system::{Directory, present};
use serde_json::{Value, json};

use crate::context::Context;
use crate::listing::list;
use crate::ui::{Tone, safe};
use crate::view::section;

/// The name under which a link is made before it takes the place of the old one; hidden, so that it
/// never takes part.
const UNFINISHED_LINK: &str = ".dsg-link.new";

/// Renames what has to be renamed in the project, or shows it; returns what programs are told.
///
/// # Errors
/// When two names would become one (nothing is touched then), or the disk says no.
pub(crate) fn run(context: &Context, project: &Project, dry_run: bool) -> Result<Value> {
    let monitor = context.monitor();
    let listing = list(project.root.path(), &project.rules, &monitor)?;
    let plan = normalize::plan(&listing.names);
    refuse_collisions(&plan)?;
    if !dry_run && !plan.renames.is_empty() {
        carry_out(project, &plan, &monitor)?;
    }
    drop(monitor);
    print(context, &plan, dry_run);
    Ok(plan_json(&plan))
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

fn carry_out(project: &Project, plan: &NormalizePlan, monitor: &dyn Monitor) -> Result<()> {
    let _lock = project.dsg()?.map(|dsg| lock_project(&dsg)).transpose()?;
    for relink in &plan.relinks {
        check_stop(monitor)?;
        rewrite(&project.root, relink)?;
    }
    for rename in &plan.renames {
        check_stop(monitor)?;
        carry_out_rename(&project.root, rename)?;
    }
    Ok(())
}

fn rewrite(root: &Directory, relink: &Relink) -> Result<()> {
    let (directory, name) = parent(root, &relink.path_before)?;
    if directory.link_text(&name)?.as_deref() != Some(relink.old_target.as_str()) {
        return Err(moved(&relink.path_before));
    }
    directory.remove_file_if_there(UNFINISHED_LINK)?;
    directory.create_link(UNFINISHED_LINK, &relink.new_target)?;
    directory.rename(UNFINISHED_LINK, &directory, &name)?;
    Ok(directory.sync()?)
}

fn carry_out_rename(root: &Directory, rename: &Rename) -> Result<()> {
    let (directory, name) = parent(root, &rename.from)?;
    let new = rename.to.rsplit('/').next().unwrap_or(&rename.to);
    if present(directory.status(&name))?.is_none() {
        return Err(moved(&rename.from));
    }
    directory.rename_new(&name, &directory, new)?;
    Ok(directory.sync()?)
}

fn parent(root: &Directory, path: &str) -> Result<(Directory, String)> {
    match path.rsplit_once('/') {
        Some((directory, name)) => Ok((root.directory(Path::new(directory))?, name.to_owned())),
        None => Ok((root.again()?, path.to_owned())),
    }
}

fn moved(path: &str) -> Error {
    Error::new(Code::ProjectBusy, "a file changed while names were put right")
        .about([path])
        .next("run the command again; it goes on where it stopped")
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

fn plan_json(plan: &NormalizePlan) -> Value {
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
