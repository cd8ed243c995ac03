//! `--normalize`: names that dsg refuses become names that every system takes.
//!
//! What is to be done is decided in `dsg_core::name::normalize`; here the disk is listed and the
//! plan carried out. Links come first, while their texts still say what they meant, then renames
//! with a call that fails where the new name exists. Each step is whole by itself and finds out
//! whether it was done, so a run that was cut off is finished by running again.

use std::path::Path;

pub use dsg_core::name::normalize::{Collision, NormalizePlan};
use dsg_core::name::normalize::{DiskName, Relink, Rename, plan as plan_names};
use dsg_core::tracked::{Area, FileVerdict};

use crate::error::{Code, Error, Result};
use crate::project::{Journal, Project, lock_project};
use crate::system::{Directory, Kind, Parents, present};

/// How the name of a link begins while it is rewritten; hidden, so that it takes part in nothing.
const TEMPORARY: &str = ".dsg-relink";
/// Collisions that an error lists.
const LISTED_MAX: usize = 50;

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Normalized {
    /// Paths before and after.
    pub renamed: Vec<(String, String)>,
    /// Links whose text was rewritten: the path afterwards, the old text and the new one.
    pub relinked: Vec<(String, String, String)>,
    /// Paths that were left alone because they changed since the plan was made.
    pub changed_meanwhile: Vec<String>,
}

/// What `--normalize` would do to the names in a project.
///
/// # Errors
/// When a directory can't be listed that could be; what can't be read is left to the sync, which
/// calls it unknown.
pub fn plan(project: &Project) -> Result<NormalizePlan> {
    let mut names = Vec::new();
    let mut stack = vec![(project.root.again()?, String::new(), project.rules.root())];
    while let Some((directory, path, area)) = stack.pop() {
        list(project, &directory, &path, area, &mut names, &mut stack)?;
    }
    Ok(plan_names(&names))
}

fn list(
    project: &Project,
    directory: &Directory,
    path: &str,
    area: Area,
    names: &mut Vec<DiskName>,
    stack: &mut Vec<(Directory, String, Area)>,
) -> Result<()> {
    for entry in directory.entries()? {
        // A name that is no text has no better spelling that could be known here.
        let Some(name) = entry.name.to_str() else { continue };
        let mut takes_part = false;
        let mut link_target = None;
        if entry.kind == Kind::Directory {
            if let Some(entered) = project.rules.enter(area, path, name) {
                match present(directory.directory(name)) {
                    Ok(Some(below)) => stack.push((below, join(path, name), entered)),
                    Ok(None) => continue,
                    Err(error) if error.is_denied() || error.is_link_in_the_way() => {}
                    Err(error) => return Err(error.into()),
                }
            }
        } else if entry.kind != Kind::Other {
            takes_part = project.rules.file(area, path, name) == FileVerdict::Tracked;
            if entry.kind == Kind::Link {
                link_target = present(directory.link_text(name))?.flatten();
            }
        }
        names.push(DiskName {
            directory: path.to_owned(),
            name: name.to_owned(),
            link_target,
            takes_part,
        });
    }
    Ok(())
}

fn join(directory: &str, name: &str) -> String {
    if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") }
}

/// Whether the last name of a path is one that dsg refuses. Others are renamed too: they are spelled
/// otherwise than most systems do it.
#[must_use]
pub fn is_refused(path: &str) -> bool {
    dsg_core::name::judge(path.rsplit('/').next().unwrap_or(path)).is_err()
}

/// Carries the plan out.
///
/// # Errors
/// [`Code::NameCollision`] with all collisions before anything is touched; else what the disk says.
pub fn carry_out(project: &Project, plan: &NormalizePlan) -> Result<Normalized> {
    refuse(plan)?;
    let dsg = project.dsg()?;
    let _lock = match &dsg {
        Some(dsg) => {
            let lock = lock_project(dsg)?;
            if Journal::read(dsg)?.is_some() {
                return Err(Error::new(Code::ProjectBusy, "an earlier sync was cut off")
                    .because("it knows its files by the names that they have now")
                    .next("run `dsg sync` once, which finishes it, then again with --normalize"));
            }
            Some(lock)
        }
        None => None,
    };
    let mut done = Normalized::default();
    for relink in &plan.relinks {
        rewrite(&project.root, relink, &mut done)?;
    }
    for rename in &plan.renames {
        rename_one(&project.root, rename, &mut done)?;
    }
    Ok(done)
}

fn refuse(plan: &NormalizePlan) -> Result<()> {
    if plan.collisions.is_empty() {
        return Ok(());
    }
    let lines = plan.collisions.iter().take(LISTED_MAX).map(|collision| {
        let directory = if collision.directory.is_empty() { "." } else { &collision.directory };
        format!("{directory}: {}", collision.names.join(", "))
    });
    let count = plan.collisions.len();
    Err(Error::new(
        Code::NameCollision,
        format!("{count} groups of names would become one name each"),
    )
    .about(lines)
    .next("nothing was renamed; rename one of each group, then run it again"))
}

/// Replaces the text of a link. It is exchanged first and looked at second, so that a file which
/// took the link's place meanwhile is put back.
fn rewrite(root: &Directory, relink: &Relink, done: &mut Normalized) -> Result<()> {
    let mut parents = Parents::new(root);
    let Some((directory, name)) = present(parents.of(Path::new(&relink.path_before)))? else {
        done.changed_meanwhile.push(relink.path_before.clone());
        return Ok(());
    };
    let text = |name: &std::ffi::OsStr| directory.link_text(name).ok().flatten();
    if text(name).as_deref() != Some(&relink.old_target) {
        // A run before this one may have done it: then it says what it is to say.
        if text(name).as_deref() != Some(&relink.new_target) {
            done.changed_meanwhile.push(relink.path_before.clone());
        }
        return Ok(());
    }
    directory.remove_file_if_there(TEMPORARY)?;
    directory.create_link(TEMPORARY, &relink.new_target)?;
    directory.exchange(TEMPORARY, directory, name)?;
    if text(TEMPORARY.as_ref()).as_deref() != Some(&relink.old_target) {
        directory.exchange(TEMPORARY, directory, name)?;
        directory.remove_file(TEMPORARY)?;
        done.changed_meanwhile.push(relink.path_before.clone());
        return Ok(());
    }
    directory.remove_file(TEMPORARY)?;
    directory.sync()?;
    let Relink { path, old_target, new_target, .. } = relink.clone();
    done.relinked.push((path, old_target, new_target));
    Ok(())
}

fn rename_one(root: &Directory, rename: &Rename, done: &mut Normalized) -> Result<()> {
    let mut parents = Parents::new(root);
    let Some((directory, name)) = present(parents.of(Path::new(&rename.from)))? else {
        done.changed_meanwhile.push(rename.from.clone());
        return Ok(());
    };
    let new = Path::new(&rename.to).file_name().unwrap_or_default();
    if present(directory.status(name))?.is_none() {
        // Done by a run before this one, or gone.
        if present(directory.status(new))?.is_none() {
            done.changed_meanwhile.push(rename.from.clone());
        }
        return Ok(());
    }
    match directory.rename_new(name, directory, new) {
        Ok(()) => {}
        Err(error) if error.is_present() => {
            return Err(Error::new(
                Code::NameCollision,
                format!("{} appeared meanwhile", rename.to),
            )
            .about([&rename.from, &rename.to])
            .next("rename one of the two, then run it again; what was renamed stays renamed"));
        }
        Err(error) => return Err(error.into()),
    }
    directory.sync()?;
    done.renamed.push((rename.from.clone(), rename.to.clone()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::world::{Client, World};

    const DECOMPOSED: &str = "input/cafe\u{301}";

    /// Bad names, a good one, links to them, and things that take no part.
    fn client(world: &World) -> Client {
        let alice = world.client("alice");
        alice.write("input/ spaced .csv", "1");
        alice.write("input/CON.txt", "2");
        alice.write(&format!("{DECOMPOSED}/a<b.csv"), "3");
        alice.write("input/good.csv", "4");
        alice.write("input/x.tmp~ignored.tmp", "5");
        alice.write("src/bad<name", "6");
        alice.write("input/.hidden/bad<name", "7");
        alice.link("input/link", "cafe\u{301}/a<b.csv");
        alice.link("input/other", "good.csv");
        alice
    }

    fn read(alice: &Client, path: &str) -> String {
        fs::read_to_string(alice.root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    #[test]
    fn names_become_good_and_links_still_lead_to_the_same() {
        let world = World::new();
        let alice = client(&world);
        let plan = plan(&alice.project()).expect("a plan");
        assert_eq!(plan.renames.len(), 4, "{plan:?}");
        let done = carry_out(&alice.project(), &plan).expect("renames");
        assert_eq!((done.renamed.len(), done.relinked.len()), (4, 1));
        assert_eq!(done.changed_meanwhile, [""; 0]);
        for (path, text) in [
            ("input/spaced .csv", "1"),
            ("input/CON_renamed.txt", "2"),
            ("input/caf\u{e9}/a_b.csv", "3"),
            ("input/link", "3"),
            ("input/other", "4"),
            ("src/bad<name", "6"),
            ("input/.hidden/bad<name", "7"),
        ] {
            assert_eq!(read(&alice, path), text);
        }
        assert!(super::plan(&alice.project()).expect("a plan").is_empty());
        let report = alice.sync();
        assert_eq!(report.unknown, []);
    }

    #[test]
    fn a_run_that_was_cut_off_is_finished_by_the_next() {
        let world = World::new();
        let alice = client(&world);
        let whole = plan(&alice.project()).expect("a plan");
        for cut in 0..whole.renames.len() {
            let world = World::new();
            let alice = client(&world);
            let mut part = plan(&alice.project()).expect("a plan");
            part.renames.truncate(cut);
            carry_out(&alice.project(), &part).expect("renames");
            // The same plan again, as by a caller that keeps it, and a new one.
            carry_out(&alice.project(), &whole).expect("the rest");
            assert!(plan(&alice.project()).expect("a plan").is_empty(), "cut {cut}");
            assert_eq!(read(&alice, "input/link"), "3");
            let done = carry_out(&alice.project(), &whole).expect("nothing left");
            assert_eq!(done.renamed, []);
        }
    }

    #[test]
    fn collisions_are_all_listed_and_nothing_is_touched() {
        let world = World::new();
        let alice = world.client("alice");
        for name in ["input/a<", "input/a_", "output/x", "output/X", "input/b<"] {
            alice.write(name, name);
        }
        let plan = plan(&alice.project()).expect("a plan");
        let error = carry_out(&alice.project(), &plan).unwrap_err();
        assert_eq!(error.code, Code::NameCollision);
        assert_eq!(error.paths.len(), 2, "{error:?}");
        assert_eq!(read(&alice, "input/b<"), "input/b<");
    }

    #[test]
    fn a_link_that_changed_since_the_plan_is_left_alone() {
        let world = World::new();
        let alice = client(&world);
        let plan = plan(&alice.project()).expect("a plan");
        alice.remove("input/link");
        alice.write("input/link", "now a file");
        let done = carry_out(&alice.project(), &plan).expect("renames");
        assert_eq!(done.changed_meanwhile, ["input/link"]);
        assert_eq!(read(&alice, "input/link"), "now a file");
    }

    #[test]
    fn nothing_is_renamed_under_a_sync_that_was_cut_off() {
        let world = World::new();
        let alice = client(&world);
        let plan = plan(&alice.project()).expect("a plan");
        let dsg = alice.project().dsg_attached().expect("is there");
        Journal::default().write(&dsg).expect("writes");
        assert_eq!(carry_out(&alice.project(), &plan).unwrap_err().code, Code::ProjectBusy);
        Journal::clear(&dsg).expect("clears");
        let _held = lock_project(&dsg).expect("locks");
        assert_eq!(carry_out(&alice.project(), &plan).unwrap_err().code, Code::ProjectBusy);
    }
}
