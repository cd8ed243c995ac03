//! What of a project takes part, as the oracle sees it: what dsg has to share, what it has to
//! refuse, and what it must not touch.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::disk::{Hash, Node, Tree, What};
use super::names::{self, DataDirectories};

/// What decides whether two entries are equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    File(Hash, bool),
    Link(String),
}

/// Entries by key.
pub(crate) type State = BTreeMap<String, Identity>;

/// A project's files, judged.
#[derive(Default)]
pub(crate) struct View {
    pub(crate) tree: Tree,
    /// What takes part, by key, with the path as it is spelled.
    pub(crate) accepted: BTreeMap<String, (PathBuf, Identity)>,
    /// Keys of which nothing can be said, with all that is below them.
    pub(crate) refused: BTreeSet<String>,
    /// Files that take no part, because they are untracked or refused.
    pub(crate) untouchable: BTreeSet<PathBuf>,
}

impl View {
    pub(crate) fn of(tree: Tree, data: DataDirectories) -> Self {
        let mut view = Self { refused: twins(&tree, data), ..Self::default() };
        let mut candidates = Vec::new();
        for (path, node) in tree.iter().filter(|(_, node)| !node.is_directory()) {
            match names::key_of(path).filter(|key| names::tracked(data, key)) {
                Some(key) => match judge(&key, node) {
                    Ok(identity) => candidates.push((key, path, identity)),
                    Err(refused) => {
                        view.refused.insert(refused);
                        view.untouchable.insert(path.clone());
                    }
                },
                None => {
                    view.untouchable.insert(path.clone());
                }
            }
        }
        for (key, path, identity) in candidates {
            if covers(&view.refused, &key) {
                view.untouchable.insert(path.clone());
            } else {
                view.accepted.insert(key, (path.clone(), identity));
            }
        }
        view.tree = tree;
        view
    }

    pub(crate) fn state(&self) -> State {
        self.accepted.iter().map(|(key, (_, identity))| (key.clone(), identity.clone())).collect()
    }

    /// What is on disk at or for a key, directories too.
    pub(crate) fn find(&self, key: &str) -> Option<&Path> {
        let is = |path: &&PathBuf| names::key_of(path).is_some_and(|found| found == key);
        self.tree.keys().find(is).map(PathBuf::as_path)
    }

    /// Paths of accepted files and links.
    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        self.accepted.values().map(|(path, _)| path.clone()).collect()
    }
}

fn judge(key: &str, node: &Node) -> Result<Identity, String> {
    if let Some(bad) = names::bad_part(key) {
        return Err(bad.to_owned());
    }
    match &node.what {
        What::File { hash, executable } => Ok(Identity::File(*hash, *executable)),
        What::Link(text) => match text.to_str() {
            Some(text) if names::link_accepted(key, text) => Ok(Identity::Link(text.to_owned())),
            _ => Err(key.to_owned()),
        },
        What::Directory | What::Special => Err(key.to_owned()),
    }
}

/// Keys of which one directory has several spellings, or one that is none.
fn twins(tree: &Tree, data: DataDirectories) -> BTreeSet<String> {
    let mut seen: HashMap<(&Path, String), usize> = HashMap::new();
    let mut twins = BTreeSet::new();
    for (path, node) in tree {
        let Some(key) = names::key_of(path) else { continue };
        let takes_part = match node.is_directory() {
            true => names::entered(&key),
            false => names::tracked(data, &key),
        };
        if takes_part && names::is_no_spelling(path) {
            twins.insert(key.clone());
        }
        let parent = path.parent().unwrap_or_else(|| Path::new(""));
        if takes_part {
            let count = seen.entry((parent, key.clone())).or_default();
            *count += 1;
            if *count > 1 {
                twins.insert(key);
            }
        }
    }
    twins
}

/// Whether a key is one of `keys` or below one.
pub(crate) fn covers(keys: &BTreeSet<String>, key: &str) -> bool {
    let ends = key.match_indices('/').map(|(at, _)| at).chain([key.len()]);
    !keys.is_empty() && ends.into_iter().any(|end| keys.contains(&key[..end]))
}
