//! The files of the repository, or of an example, as texts by path.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::{fs, io};

/// Files by path from the root, with `/` between components.
#[derive(Debug, Default)]
pub struct Tree {
    /// No text when the bytes are not UTF-8: the file exists, and no rule for text applies.
    files: BTreeMap<String, Option<String>>,
}

impl Tree {
    /// Reads what belongs to the repository at `root`: in a checkout what git tracks or would take
    /// (so that a new file is judged before it is committed), elsewhere everything but `target`.
    ///
    /// # Errors
    /// A directory that can't be listed, or a file that can't be read.
    pub fn read(root: &Path) -> io::Result<Self> {
        let paths = match tracked(root) {
            Some(paths) => paths,
            None => {
                let mut paths = Vec::new();
                walk(root, "", &mut paths)?;
                paths
            }
        };
        let mut files = BTreeMap::new();
        for path in paths {
            let place = root.join(&path);
            // Listed but gone (deleted, not yet committed), or a link: neither is source.
            if fs::symlink_metadata(&place).is_ok_and(|metadata| metadata.is_file()) {
                files.insert(path, String::from_utf8(fs::read(place)?).ok());
            }
        }
        Ok(Self { files })
    }

    /// Makes a tree of texts that are at hand, for the tests of the rules.
    #[must_use]
    pub fn of(files: &[(&str, &str)]) -> Self {
        let owned = |&(path, text): &(&str, &str)| (path.to_owned(), Some(text.to_owned()));
        Self { files: files.iter().map(owned).collect() }
    }

    /// The files that are text, by path.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().filter_map(|(path, text)| Some((path.as_str(), text.as_deref()?)))
    }

    /// The texts of files whose name ends so.
    pub fn ending(&self, end: &str) -> impl Iterator<Item = (&str, &str)> {
        self.texts().filter(move |(path, _)| path.ends_with(end))
    }

    /// The text of one file.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path)?.as_deref()
    }

    /// Whether there is a file or a directory at `path`; the root itself is the empty path.
    #[must_use]
    pub fn holds(&self, path: &str) -> bool {
        let directory = format!("{path}/");
        path.is_empty()
            || self.files.contains_key(path)
            || self
                .files
                .range(directory.clone()..)
                .next()
                .is_some_and(|(next, _)| next.starts_with(&directory))
    }

    /// The directories of the crates: those with a `Cargo.toml` that has a `[package]`.
    pub fn crates(&self) -> impl Iterator<Item = &str> {
        self.ending("/Cargo.toml")
            .filter(|(_, text)| text.lines().any(|line| line.trim() == "[package]"))
            // A fuzz target is a workspace of its own, for another compiler.
            .filter(|(_, text)| !text.lines().any(|line| line.trim() == "[workspace]"))
            .filter_map(|(path, _)| path.strip_suffix("/Cargo.toml"))
    }
}

/// What git lists, if `root` is the top of a checkout and git agrees to say so.
fn tracked(root: &Path) -> Option<Vec<String>> {
    // Not merely inside some other checkout, which would list nothing of ours.
    fs::symlink_metadata(root.join(".git")).ok()?;
    let listed = Command::new("git")
        .arg("-C")
        .arg(root)
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let text = String::from_utf8(listed.stdout).ok()?;
    let paths: Vec<String> =
        text.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect();
    (!paths.is_empty()).then_some(paths)
}

fn walk(root: &Path, directory: &str, paths: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(directory))? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let path = if directory.is_empty() { name } else { format!("{directory}/{name}") };
        if path == "target" || path == ".git" {
            continue;
        }
        if entry.file_type()?.is_dir() {
            walk(root, &path, paths)?;
        } else {
            paths.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_there_when_a_file_lies_in_it() {
        let tree = Tree::of(&[("docs/format.md", ""), ("docs-old.md", "")]);
        for there in ["", "docs", "docs/format.md"] {
            assert!(tree.holds(there), "{there}");
        }
        for absent in ["doc", "docs/form", "docs-old", "docs/format.md/x"] {
            assert!(!tree.holds(absent), "{absent}");
        }
    }

    #[test]
    fn without_git_the_directory_is_walked_and_what_is_built_left_out() {
        let root = tempfile::tempdir().expect("a directory");
        for (path, bytes) in [("a/b.rs", &b"x"[..]), ("target/c.rs", b"x"), ("d.bin", b"\xff")] {
            let place = root.path().join(path);
            fs::create_dir_all(place.parent().expect("a parent")).expect("directories");
            fs::write(place, bytes).expect("a file");
        }
        let tree = Tree::read(root.path()).expect("a tree");
        assert_eq!(tree.texts().collect::<Vec<_>>(), [("a/b.rs", "x")]);
        assert!(tree.holds("d.bin") && !tree.holds("target"));
    }

    #[test]
    fn a_workspace_root_is_no_crate() {
        let tree = Tree::of(&[
            ("Cargo.toml", "[workspace]\n"),
            ("dsg/core/Cargo.toml", "[package]\nname = \"dsg-core\"\n"),
        ]);
        assert_eq!(tree.crates().collect::<Vec<_>>(), ["dsg/core"]);
    }
}
