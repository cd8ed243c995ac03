//! What `--normalize` would do: renames, and the links that must follow them.
//!
//! Pure: it takes what is on the disk and says what to do; nothing is touched here. All rules are
//! applied to a name at once, so that one run is enough and a second one renames nothing. A name
//! that is good is never renamed and a name that would be taken is never renamed to, so a plan has
//! no chains or swaps.
//!
//! Order for the caller, so that a run that was cut off is finished by running again:
//! 1. if there is a collision, show all of them and touch nothing;
//! 2. rewrite the links, at the paths that they have now: once a directory is renamed, nobody
//!    knows any more which link texts meant it;
//! 3. rename in the order given, each with a call that fails when the new name exists.
//!
//! Renames come children before parents, so `from` and `to` differ in their last component only
//! and every directory in them is spelled as it is on the disk at that moment.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

use super::{BadName, fix};
use crate::path;

#[cfg(test)]
mod tests;

/// Something on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskName {
    /// The directory it stands in, as spelled on the disk, `/` between components; empty at the top.
    pub directory: String,
    /// Its name as spelled on the disk.
    pub name: String,
    /// The text of a symbolic link.
    pub link_target: Option<String>,
    /// Whether it may be renamed. What takes no part (ignored, hidden, outside the data
    /// directories) is listed so that nothing is renamed onto it; a directory with something below
    /// it that takes part takes part itself, whatever stands here.
    pub takes_part: bool,
}

/// One rename: the same directory, another name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rename {
    /// The path now, when all earlier renames are done.
    pub from: String,
    /// The path afterwards.
    pub to: String,
}

/// One link whose text names something that is renamed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relink {
    /// The path of the link before the renames: where it is to be rewritten.
    pub path_before: String,
    /// The path of the link after the renames.
    pub path: String,
    /// The text now.
    pub old_target: String,
    /// The text that names the same thing after the renames.
    pub new_target: String,
}

/// Names of one directory that would be one name afterwards, on this or on another system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collision {
    /// The directory, as spelled on the disk; empty at the top.
    pub directory: String,
    /// The names as they are now, sorted.
    pub names: Vec<String>,
}

/// What `--normalize` would do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NormalizePlan {
    /// Children before parents. Without those that collide.
    pub renames: Vec<Rename>,
    /// Links to rewrite, before the renames.
    pub relinks: Vec<Relink>,
    /// If there is one, the caller touches nothing.
    pub collisions: Vec<Collision>,
    /// Paths as they are now, and what a person has to settle.
    pub unfixable: Vec<(String, BadName)>,
}

impl NormalizePlan {
    /// Whether there is nothing to do and nothing to settle.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Plans the renames for everything that is listed; `names` is what is on the disk, in any order.
#[must_use]
pub fn plan(names: &[DiskName]) -> NormalizePlan {
    let mut plan = NormalizePlan::default();
    let mut renamed = Renamed::new();
    for (directory, children) in directories(names) {
        plan_directory(directory, &children, &mut plan, &mut renamed);
    }
    for (directory, names) in &renamed {
        plan.renames.extend(
            names.iter().map(|(name, new)| Rename {
                from: join(directory, name),
                to: join(directory, new),
            }),
        );
    }
    let depth = |path: &str| path.matches('/').count();
    plan.renames.sort_by(|a, b| {
        depth(&b.from).cmp(&depth(&a.from)).then_with(|| path::compare(&a.from, &b.from))
    });
    if !renamed.is_empty() {
        plan_links(names, &renamed, &mut plan);
    }
    plan
}

/// Per directory, the names in it and whether they take part.
type Directories<'a> = BTreeMap<&'a str, BTreeMap<&'a str, bool>>;
/// Directory → name → the new name; the first two as on the disk.
type Renamed<'a> = HashMap<&'a str, HashMap<&'a str, String>>;

/// Sorts the listing by directory; what contains something that takes part takes part.
fn directories(names: &[DiskName]) -> Directories<'_> {
    let mut directories = Directories::new();
    let mut known = HashSet::new();
    for entry in names {
        let children = directories.entry(&entry.directory).or_default();
        *children.entry(&entry.name).or_default() |= entry.takes_part;
        let mut path = entry.directory.as_str();
        while entry.takes_part && !path.is_empty() && known.insert(path) {
            let (parent, name) = split(path);
            directories.entry(parent).or_default().insert(name, true);
            path = parent;
        }
    }
    directories
}

/// A name of a directory.
struct Member<'a> {
    name: &'a str,
    takes_part: bool,
    new: Option<String>,
}

/// Decides for the names of one directory, which only meet each other.
fn plan_directory<'a>(
    directory: &'a str,
    children: &BTreeMap<&'a str, bool>,
    plan: &mut NormalizePlan,
    renamed: &mut Renamed<'a>,
) {
    let mut groups: BTreeMap<String, Vec<Member<'a>>> = BTreeMap::new();
    for (&name, &takes_part) in children {
        let fixed = if takes_part { fix(name) } else { Ok(Cow::Borrowed(name)) };
        let new = match fixed {
            Ok(new) => (new != name).then(|| new.into_owned()),
            Err(bad) => {
                plan.unfixable.push((join(directory, name), bad));
                None
            }
        };
        let afterwards = path::fold(new.as_deref().unwrap_or(name));
        groups.entry(afterwards).or_default().push(Member { name, takes_part, new });
    }
    for group in groups.into_values() {
        let taking_part = group.iter().filter(|member| member.takes_part).count();
        let changes = group.iter().any(|member| member.new.is_some());
        if taking_part > 1 || (changes && group.len() > 1) {
            let names = group.iter().map(|member| member.name.to_owned()).collect();
            plan.collisions.push(Collision { directory: directory.to_owned(), names });
            continue;
        }
        for Member { name, new, .. } in group {
            if let Some(new) = new {
                renamed.entry(directory).or_default().insert(name, new);
            }
        }
    }
}

/// Finds the links whose text names something that is renamed.
fn plan_links(names: &[DiskName], renamed: &Renamed<'_>, plan: &mut NormalizePlan) {
    for entry in names.iter().filter(|entry| entry.takes_part) {
        let Some(old_target) = &entry.link_target else {
            continue;
        };
        let Some(new_target) = retarget(&entry.directory, old_target, renamed) else {
            continue;
        };
        let path_before = join(&entry.directory, &entry.name);
        plan.relinks.push(Relink {
            path: path_after(&path_before, renamed),
            path_before,
            old_target: old_target.clone(),
            new_target,
        });
    }
    plan.relinks.sort_by(|a, b| path::compare(&a.path_before, &b.path_before));
    plan.relinks.dedup();
}

/// The text with every renamed component replaced and all else (`.`, `..`, doubled slashes) kept;
/// `None` when nothing changes, or when it is absolute or leaves the project. Resolved by the text
/// alone: a component that is itself a link is not followed.
fn retarget(directory: &str, target: &str, renamed: &Renamed<'_>) -> Option<String> {
    if target.starts_with('/') {
        return None;
    }
    let mut here = directory.to_owned();
    let mut components = Vec::new();
    let mut changed = false;
    for component in target.split('/') {
        let mut new = component;
        match component {
            "" | "." => {}
            ".." if here.is_empty() => return None,
            ".." => here.truncate(split(&here).0.len()),
            name => {
                if let Some(better) = new_name(renamed, &here, name) {
                    new = better;
                    changed = true;
                }
                here = join(&here, name);
            }
        }
        components.push(new);
    }
    changed.then(|| components.join("/"))
}

fn new_name<'r>(renamed: &'r Renamed<'_>, directory: &str, name: &str) -> Option<&'r str> {
    renamed.get(directory)?.get(name).map(String::as_str)
}

/// The path after all renames.
fn path_after(path: &str, renamed: &Renamed<'_>) -> String {
    let mut before = String::new();
    let mut after = String::new();
    for name in path.split('/') {
        let new = new_name(renamed, &before, name).unwrap_or(name);
        after = join(&after, new);
        before = join(&before, name);
    }
    after
}

/// The directory of a path, empty at the top, and its last component.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

fn join(directory: &str, name: &str) -> String {
    if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") }
}
