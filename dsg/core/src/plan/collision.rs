//! Names that a file system which ignores case would mix up.
//!
//! The state that both sides share is C: a path that is in no step is the same in L, C and R. So
//! the names that a directory will have are those of C, without those that the plan removes, and
//! with those that it brings. Only a name that the plan brings can make two names collide that did
//! not before, so only directories that gain one are looked at, and a collision that has long been
//! in the repository does not stop anybody's work.

use std::collections::BTreeMap;

use super::{Action, Plan, Side};
use crate::path::{compare, fold};

/// Names of one directory that are equal after normal form C and simple case folding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collision {
    /// The text of the directory's path; empty at the top.
    pub directory: String,
    /// The names, at least two, sorted.
    pub names: Vec<String>,
    /// Which side newly has one of them: `Local` when the project is about to bring it into the
    /// repository, `Remote` when it comes from there.
    pub brought_by: Side,
}

/// Who brings a name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Origin {
    /// Both sides have it, or it is in conflict: it is there, but nothing of the plan brings it.
    There,
    Remote,
    Local,
}

/// Names that come into being in a directory.
type Gains<'a> = BTreeMap<&'a str, Origin>;

/// Finds the names that would collide once the plan is carried out.
///
/// `siblings` gives the names of files and directories that C has directly in a directory (empty
/// text: the top), none when C has no such directory. It is asked of directories that gain a name,
/// from the deepest up, and of those that may vanish while another one takes their name.
///
/// # Errors
/// Only what `siblings` returns.
pub fn collisions<E>(
    plan: &Plan,
    mut siblings: impl FnMut(&str) -> Result<Vec<String>, E>,
) -> Result<Vec<Collision>, E> {
    let changes = Changes::of(plan);
    // By depth, so that what is new below is known before its parent is looked at.
    let mut gaining = changes.gaining_directories();
    let mut found = Vec::new();
    while let Some(((_, directory), gains)) = gaining.pop_last() {
        let Some(origin) = gains.values().copied().max().filter(|by| *by != Origin::There) else {
            continue;
        };
        let names = siblings(directory)?;
        if names.is_empty() && !directory.is_empty() {
            gain(&mut gaining, directory, origin);
        }
        for (brought_by, names) in alike(&gains, &names) {
            let mut staying = Vec::new();
            for name in names {
                if !changes.vanishes(join(directory, &name), &mut siblings)? {
                    staying.push(name);
                }
            }
            if staying.len() > 1 {
                let directory = directory.to_owned();
                found.push(Collision { directory, names: staying, brought_by });
            }
        }
    }
    found.sort_by(|left, right| compare(&left.directory, &right.directory));
    Ok(found)
}

/// Directories that gain names, by depth and text.
type Gaining<'a> = BTreeMap<(usize, &'a str), Gains<'a>>;

/// Notes that the directory of `path` gains its name; whether that was known.
fn gain<'a>(gaining: &mut Gaining<'a>, path: &'a str, origin: Origin) -> bool {
    let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
    let depth = path.matches('/').count();
    let gains = gaining.entry((depth, directory)).or_default();
    let known = gains.contains_key(name);
    let strongest = gains.entry(name).or_insert(origin);
    *strongest = origin.max(*strongest);
    known
}

/// Groups of names that fold to the same, in which at least one is brought that was not there.
fn alike(gains: &Gains<'_>, names: &[String]) -> Vec<(Side, Vec<String>)> {
    let mut groups: BTreeMap<String, BTreeMap<String, Origin>> = BTreeMap::new();
    for (name, origin) in gains {
        groups.entry(fold(name)).or_default().insert((*name).to_owned(), *origin);
    }
    for name in names {
        if let Some(group) = groups.get_mut(&fold(name)) {
            group.insert(name.clone(), Origin::There);
        }
    }
    let mut alike = Vec::new();
    for group in groups.into_values().filter(|group| group.len() > 1) {
        let brought_by = match group.values().max() {
            Some(Origin::Local) => Side::Local,
            Some(Origin::Remote) => Side::Remote,
            Some(Origin::There) | None => continue,
        };
        alike.push((brought_by, group.into_keys().collect()));
    }
    alike
}

fn join(directory: &str, name: &str) -> String {
    if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") }
}

/// The paths that a plan adds to C and takes from it, in order.
struct Changes<'a> {
    added: Vec<(&'a str, Origin)>,
    removed: Vec<&'a str>,
}

impl<'a> Changes<'a> {
    fn of(plan: &'a Plan) -> Self {
        let (mut added, mut removed) = (Vec::new(), Vec::new());
        for step in &plan.steps {
            let path = step.path().as_str();
            if step.action.removes() {
                removed.push(path);
            } else if step.triple.cached.is_none() {
                added.push((
                    path,
                    match step.action {
                        Action::Upload => Origin::Local,
                        Action::Download => Origin::Remote,
                        _ => Origin::There,
                    },
                ));
            }
        }
        Self { added, removed }
    }

    /// The directories of added paths, and of the directories above these, which may be new too.
    fn gaining_directories(&self) -> Gaining<'a> {
        let mut gaining = BTreeMap::new();
        for &(path, origin) in &self.added {
            gain(&mut gaining, path, origin);
            let mut path = path;
            while let Some((directory, _)) = path.rsplit_once('/') {
                // What is above a directory that is known was noted with it.
                if gain(&mut gaining, directory, Origin::There) {
                    break;
                }
                path = directory;
            }
        }
        gaining
    }

    /// Whether a name of C will be gone: everything at or below it is removed, nothing is added.
    fn vanishes<E>(
        &self,
        path: String,
        siblings: &mut impl FnMut(&str) -> Result<Vec<String>, E>,
    ) -> Result<bool, E> {
        let at_or_below = |added: &(&str, Origin)| reaches(added.0, &path);
        let next = self.added.partition_point(|(added, _)| compare(added, &path).is_lt());
        if self.added.get(next).is_some_and(at_or_below) {
            return Ok(false);
        }
        let mut waiting = vec![path];
        while let Some(path) = waiting.pop() {
            let next = self.removed.partition_point(|removed| compare(removed, &path).is_lt());
            match self.removed.get(next) {
                Some(removed) if **removed == *path => {}
                Some(removed) if reaches(removed, &path) => {
                    let names = siblings(&path)?;
                    if names.is_empty() {
                        return Ok(false);
                    }
                    waiting.extend(names.iter().map(|name| join(&path, name)));
                }
                _ => return Ok(false),
            }
        }
        Ok(true)
    }
}

/// Whether `path` is `directory` or lies below it.
fn reaches(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests;
