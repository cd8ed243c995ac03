//! What a directory holds, read with nothing but the standard library: the visible state of a
//! project or a repository, as somebody with `ls` and `b3sum` sees it.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

/// What is at a path.
#[derive(Clone, PartialEq, Eq)]
pub enum Node {
    /// A regular file.
    File {
        /// BLAKE3 of its bytes, as `b3sum` prints it.
        hash: String,
        /// Permission bits.
        mode: u32,
        /// Last change of the contents, in seconds and nanoseconds.
        modified: (i64, i64),
    },
    /// A symbolic link.
    Link {
        /// Its text.
        target: String,
    },
    /// Anything else.
    Other,
}

impl Node {
    /// The hash of a file.
    #[must_use]
    pub fn hash(&self) -> Option<&str> {
        match self {
            Self::File { hash, .. } => Some(hash),
            _ => None,
        }
    }

    /// Whether both have the same bytes and executable bit, or the same target.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File { hash, mode, .. }, Self::File { hash: other, mode: bits, .. }) => {
                hash == other && mode & 0o100 == bits & 0o100
            }
            _ => self == other,
        }
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { hash, mode, modified } => {
                write!(f, "file {} {mode:o} {}.{}", &hash[..8], modified.0, modified.1)
            }
            Self::Link { target } => write!(f, "link to {target}"),
            Self::Other => f.write_str("neither file nor link"),
        }
    }
}

/// The files, links and directories below a root, but not what is called `.dsg…`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Picture {
    /// Files and links by path.
    pub entries: BTreeMap<String, Node>,
    /// Directories by path, with their permission bits.
    pub directories: BTreeMap<String, u32>,
}

impl Picture {
    /// What is below `root` now; nothing when there is no such directory.
    ///
    /// # Errors
    /// When something can't be read.
    pub fn of(root: &Path) -> io::Result<Self> {
        Self::without(root, &|name| name.starts_with(".dsg"))
    }

    /// As [`of`](Self::of), with names of its own that are left out.
    ///
    /// # Errors
    /// When something can't be read.
    pub fn without(root: &Path, left_out: &dyn Fn(&str) -> bool) -> io::Result<Self> {
        let mut picture = Self::default();
        let mut stack = vec![String::new()];
        while let Some(directory) = stack.pop() {
            let entries = match fs::read_dir(root.join(&directory)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound && directory.is_empty() => {
                    break;
                }
                Err(error) => {
                    let at = root.join(&directory);
                    return Err(io::Error::other(format!("{}: {error}", at.display())));
                }
                Ok(entries) => entries,
            };
            for entry in entries {
                let entry = entry?;
                let name = entry.file_name().to_string_lossy().into_owned();
                if left_out(&name) {
                    continue;
                }
                let path = if directory.is_empty() { name } else { format!("{directory}/{name}") };
                let status = fs::symlink_metadata(entry.path())?;
                if status.is_dir() {
                    picture.directories.insert(path.clone(), status.permissions().mode() & 0o7777);
                    stack.push(path);
                } else {
                    picture.entries.insert(path, node(&entry.path(), &status)?);
                }
            }
        }
        Ok(picture)
    }

    /// The contents in it: hash and one path each.
    #[must_use]
    pub fn contents(&self) -> BTreeMap<&str, &str> {
        let files = self.entries.iter();
        files.filter_map(|(path, node)| Some((node.hash()?, path.as_str()))).collect()
    }

    /// Whether both have the same paths with the same bytes, executable bits and targets.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        self.entries.len() == other.entries.len()
            && self
                .entries
                .iter()
                .all(|(path, node)| other.entries.get(path).is_some_and(|other| node.same(other)))
    }

    /// How `now` differs from this, a line each; times and permissions count.
    #[must_use]
    pub fn differences(&self, now: &Self) -> Vec<String> {
        let mut found = Vec::new();
        for (path, node) in &self.entries {
            match now.entries.get(path) {
                Some(other) if other == node => {}
                Some(other) => found.push(format!("{path} is {other:?}, not {node:?}")),
                None => found.push(format!("{path} is missing, it should be {node:?}")),
            }
        }
        let more = now.entries.iter().filter(|(path, _)| !self.entries.contains_key(*path));
        found
            .extend(more.map(|(path, node)| format!("{path} should not be there, it is {node:?}")));
        if self.directories != now.directories {
            let of = |picture: &Self| {
                let all = picture.directories.iter();
                all.map(|(path, mode)| format!("{path} {mode:o}")).collect::<Vec<_>>()
            };
            let (before, after) = (of(self), of(now));
            let only = |these: &[String], those: &[String]| {
                these.iter().filter(|path| !those.contains(path)).cloned().collect::<Vec<_>>()
            };
            found.push(format!(
                "directories: missing {:?}, too many {:?}",
                only(&before, &after),
                only(&after, &before)
            ));
        }
        found
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    fs::read(path).map_err(|error| io::Error::other(format!("{}: {error}", path.display())))
}

fn node(path: &Path, status: &fs::Metadata) -> io::Result<Node> {
    Ok(if status.is_symlink() {
        Node::Link { target: fs::read_link(path)?.to_string_lossy().into_owned() }
    } else if status.is_file() {
        Node::File {
            hash: blake3::hash(&read(path)?).to_hex().to_string(),
            mode: status.permissions().mode() & 0o7777,
            modified: (status.mtime(), status.mtime_nsec()),
        }
    } else {
        Node::Other
    })
}
