//! Names that some researcher's disk would take for one.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use dsg_core::path::fold;
use dsg_core::tree::{self, Root};

use super::PathChange;
use super::pack::PacksAnd;
use super::refusals::tree_error;
use crate::error::{Code, Error, Result};

/// Siblings that differ only in case or spelling would be one file on another researcher's disk.
pub(super) fn refuse_collisions(
    source: &PacksAnd<'_>,
    old_root: Option<&Root>,
    root: Option<&Root>,
    changes: &[&PathChange],
) -> Result<()> {
    let mut collisions = Vec::new();
    for (directory, gained) in gains(changes) {
        let mut seen: HashMap<String, &str> = HashMap::with_capacity(gained.len());
        let mut suspicious = false;
        for name in &gained {
            suspicious |= seen.insert(fold(name), name).is_some();
        }
        tree::children(source, old_root, directory, &mut |name, _| {
            suspicious |= seen.get(&fold(name)).is_some_and(|gained| *gained != name);
        })
        .map_err(tree_error)?;
        if suspicious {
            // One of them may go in the same commit, as when a file is renamed.
            list_collisions(source, root, directory, &mut collisions)?;
        }
    }
    if collisions.is_empty() {
        return Ok(());
    }
    let what = format!("{} pairs of names differ only in case or spelling", collisions.len());
    Err(Error::new(Code::NameCollision, what)
        .because("on a Mac or on Windows each pair would be one file")
        .about(collisions.into_iter().take(20))
        .next("rename one of each pair, then sync again"))
}

/// The names, of files and directories, that may come into being in each directory.
fn gains<'c>(changes: &[&'c PathChange]) -> BTreeMap<&'c str, BTreeSet<&'c str>> {
    let mut gains: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for change in changes.iter().filter(|change| change.old.is_none() && change.new.is_some()) {
        let mut path = change.path.as_str();
        loop {
            let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
            if !gains.entry(directory).or_default().insert(name) || directory.is_empty() {
                break;
            }
            path = directory;
        }
    }
    gains
}

fn list_collisions(
    source: &PacksAnd<'_>,
    root: Option<&Root>,
    directory: &str,
    collisions: &mut Vec<String>,
) -> Result<()> {
    let mut seen: HashMap<String, String> = HashMap::new();
    tree::children(source, root, directory, &mut |name, _| {
        if let Some(other) = seen.insert(fold(name), name.to_owned()) {
            let pair = format!("{directory}/{other} and {directory}/{name}");
            collisions.push(pair.trim_start_matches('/').to_owned());
        }
    })
    .map_err(tree_error)
}
