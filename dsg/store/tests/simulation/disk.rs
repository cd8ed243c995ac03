//! What is on a disk, read without any help from dsg.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The BLAKE3 hash of a file's bytes.
pub(crate) type Hash = [u8; 32];

pub(crate) fn hash(bytes: &[u8]) -> Hash {
    *blake3::hash(bytes).as_bytes()
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    File {
        hash: Hash,
        executable: bool,
    },
    Link(PathBuf),
    Directory,
    /// A pipe, or a file that can't be read.
    Special,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) what: What,
    pub(crate) size: u64,
    /// Nanoseconds since 1970.
    pub(crate) modified: i128,
    pub(crate) inode: u64,
    pub(crate) mode: u32,
}

impl Node {
    pub(crate) fn content(&self) -> Option<Hash> {
        match self.what {
            What::File { hash, .. } => Some(hash),
            _ => None,
        }
    }

    pub(crate) fn is_directory(&self) -> bool {
        self.what == What::Directory
    }
}

/// Everything below a directory, by path from there on.
pub(crate) type Tree = BTreeMap<PathBuf, Node>;

/// Reads everything below `root`, without the names in `skipped` at its top. An absent root is empty.
pub(crate) fn walk(root: &Path, skipped: &[&str]) -> Tree {
    let mut tree = Tree::new();
    let mut stack = vec![PathBuf::new()];
    while let Some(folder) = stack.pop() {
        let Ok(entries) = fs::read_dir(root.join(&folder)) else { continue };
        for entry in entries {
            let name = entry.expect("lists").file_name();
            if folder.as_os_str().is_empty() && skipped.iter().any(|skip| name == *skip) {
                continue;
            }
            let path = folder.join(&name);
            // Only another process can take something away in between.
            let Some(node) = look(&root.join(&path)) else { continue };
            if node.is_directory() {
                stack.push(path.clone());
            }
            tree.insert(path, node);
        }
    }
    tree
}

/// What is at a path; `None` for nothing.
pub(crate) fn look(path: &Path) -> Option<Node> {
    let metadata = fs::symlink_metadata(path).ok()?;
    let what = if metadata.is_dir() {
        What::Directory
    } else if metadata.is_symlink() {
        What::Link(fs::read_link(path).ok()?)
    } else if metadata.is_file() {
        match fs::read(path) {
            Ok(bytes) => {
                What::File { hash: hash(&bytes), executable: metadata.mode() & 0o100 != 0 }
            }
            Err(_) => What::Special,
        }
    } else {
        What::Special
    };
    Some(Node {
        what,
        size: metadata.len(),
        modified: i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec()),
        inode: metadata.ino(),
        mode: metadata.mode() & 0o7777,
    })
}

/// The contents of all files of a tree.
pub(crate) fn contents(tree: &Tree) -> HashSet<Hash> {
    tree.values().filter_map(Node::content).collect()
}

/// Removes whatever is at a path.
pub(crate) fn remove(path: &Path) {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path).expect("removes"),
        Ok(_) => fs::remove_file(path).expect("removes"),
        Err(_) => {}
    }
}

/// The first digits of a hash, for messages.
pub(crate) fn short(hash: &Hash) -> String {
    blake3::Hash::from_bytes(*hash).to_hex().as_str()[..12].to_owned()
}
