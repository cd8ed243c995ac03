//! What must be true of a repository and of projects after any crash, judged without asking dsg.
//!
//! The oracle keeps a log of its own: which contents were committed, which bytes a user wrote, what
//! each path was before an operation and what it is to be after it. It reads the disk itself, hashes
//! with BLAKE3 itself and parses the snapshot documents itself, so that no mistake of dsg can make
//! the proof agree with it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::picture::{Node, Picture};

/// The context in which dsg hashes snapshot documents (`docs/format.md`).
const SNAPSHOT_CONTEXT: &str = "dsg 2026-11 snapshot document";
const CONTROL: &str = ".dsg-repository";
const PARTS: &[&str] = &["snapshots", "objects", "staging", "aborted", "unfiled"];

/// What is on the disk of a repository.
#[derive(Clone, Debug, Default)]
pub struct Repository {
    /// The visible tree.
    pub visible: Picture,
    /// The number of the newest snapshot; 0 before the first.
    pub head: u64,
    /// Where each content is kept.
    pub kept: BTreeMap<String, String>,
    /// What is wrong with documents and objects.
    pub problems: Vec<String>,
    /// Permission bits of the root and of what every repository has.
    pub modes: BTreeMap<String, u32>,
}

impl Repository {
    /// Reads the repository at `root`; one that is not there yet is empty.
    ///
    /// # Errors
    /// When something can't be read.
    pub fn read(root: &Path) -> io::Result<Self> {
        let control = root.join(CONTROL);
        let mut repository = Self { visible: Picture::of(root)?, ..Self::default() };
        for (hash, path) in repository.visible.contents() {
            repository.kept.insert(hash.to_owned(), path.to_owned());
        }
        if !control.exists() {
            return Ok(repository);
        }
        for name in ["..", "", "repository.json", "lock", "turn"].iter().chain(PARTS) {
            let mode = fs::metadata(control.join(name))?.permissions().mode() & 0o7777;
            repository.modes.insert((*name).to_owned(), mode);
        }
        let objects = Picture::of(&control.join("objects"))?;
        for (name, node) in &objects.entries {
            let Some(hash) = node.hash() else {
                repository.problems.push(format!("objects/{name} is {node:?}"));
                continue;
            };
            // One with a suffix is on its way to its name.
            if !name.starts_with(hash) {
                repository.problems.push(format!("objects/{name} has the content {hash}"));
            }
            repository.kept.insert(hash.to_owned(), format!("objects/{name}"));
        }
        let transaction = repository.chain(&control.join("snapshots"))?;
        if let Some(transaction) = transaction {
            repository.half_placed(&control.join("staging").join(transaction))?;
        }
        Ok(repository)
    }

    /// Checks the documents from the first to the newest; the transaction of the newest.
    fn chain(&mut self, snapshots: &Path) -> io::Result<Option<String>> {
        let mut numbers = BTreeSet::new();
        for entry in fs::read_dir(snapshots)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if let Some(number) = name.strip_prefix('s').and_then(|text| text.parse::<u64>().ok()) {
                numbers.insert(number);
            }
        }
        self.head = numbers.last().copied().unwrap_or(0);
        let mut parent: Option<String> = None;
        let mut transaction = None;
        for number in 1..=self.head {
            if !snapshots.join(format!("s{number}.trees")).exists() {
                self.problems.push(format!("s{number} has no pack"));
            }
            let bytes = match fs::read(snapshots.join(format!("s{number}"))) {
                Ok(bytes) => bytes,
                Err(error) => {
                    self.problems.push(format!("s{number} can't be read: {error}"));
                    return Ok(transaction);
                }
            };
            let Ok(document) = serde_json::from_slice::<serde_json::Value>(&bytes) else {
                self.problems.push(format!("s{number} is no JSON"));
                return Ok(transaction);
            };
            if document["number"].as_u64() != Some(number) {
                self.problems.push(format!("s{number} says {}", document["number"]));
            }
            if document["parent"].as_str().map(str::to_owned) != parent {
                self.problems.push(format!("s{number} does not name its parent"));
            }
            let hash = blake3::Hash::from_bytes(blake3::derive_key(SNAPSHOT_CONTEXT, &bytes));
            parent = Some(hash.to_hex().to_string());
            transaction = document["transaction"].as_str().map(str::to_owned);
        }
        Ok(transaction)
    }

    /// The newest commit may have been cut off: what is not at its place yet lies in its staging
    /// area, which has the pack of the steps and no document any more.
    fn half_placed(&mut self, staging: &Path) -> io::Result<()> {
        if !staging.join("pack").exists() || staging.join("document").exists() {
            return Ok(());
        }
        for (hash, path) in Picture::of(staging)?.contents() {
            self.kept.entry(hash.to_owned()).or_insert_with(|| format!("staging/…/{path}"));
        }
        Ok(())
    }
}

/// What a disk held at one moment: the repository and the projects.
#[derive(Clone, Debug, Default)]
pub struct Moment {
    /// The folder of the projects.
    pub folder: PathBuf,
    /// The repository.
    pub repository: Repository,
    /// The projects, by their names in the folder.
    pub projects: BTreeMap<String, Picture>,
}

impl Moment {
    /// Looks at a repository, and at the projects of these names in a folder.
    ///
    /// # Errors
    /// When something can't be read.
    pub fn now(repository: &Path, folder: &Path, projects: &[&str]) -> io::Result<Self> {
        let mut moment = Self {
            folder: folder.to_owned(),
            repository: Repository::read(repository)?,
            ..Self::default()
        };
        for project in projects {
            moment.projects.insert((*project).to_owned(), Picture::of(&folder.join(project))?);
        }
        Ok(moment)
    }
}

/// The log of what was written and committed, and the judge over what a crash left.
#[derive(Clone, Debug, Default)]
pub struct Oracle {
    /// Contents that were ever in a committed state, with a path they had.
    committed: BTreeMap<String, String>,
    /// Contents that a user wrote, by project, with the path.
    written: BTreeMap<String, BTreeMap<String, String>>,
}

impl Oracle {
    /// Notes that the state which the repository shows was committed.
    pub fn committed(&mut self, repository: &Repository) {
        for (hash, path) in repository.visible.contents() {
            self.committed.insert(hash.to_owned(), path.to_owned());
        }
    }

    /// Notes what a user has in a project.
    pub fn wrote(&mut self, project: &str, picture: &Picture) {
        let written = self.written.entry(project.to_owned()).or_default();
        for (hash, path) in picture.contents() {
            written.insert(hash.to_owned(), path.to_owned());
        }
    }

    /// What is wrong now, somewhere between `before` and `after` an operation.
    ///
    /// # Errors
    /// When something can't be read.
    pub fn judge(&self, now: &Moment, before: &Moment, after: &Moment) -> io::Result<Vec<String>> {
        let mut wrong = now.repository.problems.clone();
        let head = now.repository.head;
        if head != before.repository.head && head != after.repository.head {
            wrong.push(format!("the newest snapshot is s{head}"));
        }
        wrong.extend(between(
            "repository",
            &now.repository.visible,
            &before.repository.visible,
            &after.repository.visible,
        ));
        for (project, now) in &now.projects {
            let (Some(before), Some(after)) =
                (before.projects.get(project), after.projects.get(project))
            else {
                continue;
            };
            wrong.extend(between(project, now, before, after));
        }
        let mut committed = self.committed.clone();
        if head == after.repository.head {
            let new = after.repository.visible.contents();
            committed.extend(new.into_iter().map(|(h, path)| (h.to_owned(), path.to_owned())));
        }
        for (hash, path) in committed {
            if !now.repository.kept.contains_key(&hash) {
                wrong.push(format!("the committed content {} of {path} is lost", &hash[..8]));
            }
        }
        wrong.extend(self.lost_edits(now)?);
        Ok(wrong)
    }

    /// What users wrote and is neither in the project, nor in its trash, nor in the repository.
    fn lost_edits(&self, now: &Moment) -> io::Result<Vec<String>> {
        let mut lost = Vec::new();
        for (project, written) in &self.written {
            let root = now.folder.join(project);
            let visible = Picture::of(&root)?;
            let trash = Picture::of(&root.join(".dsg/trash"))?;
            let waiting = Picture::of(&root.join(".dsg/tx"))?;
            let here = visible.contents();
            let (trash, waiting) = (trash.contents(), waiting.contents());
            for (hash, path) in written {
                let hash = hash.as_str();
                let is_kept = here.contains_key(hash)
                    || trash.contains_key(hash)
                    || waiting.contains_key(hash)
                    || now.repository.kept.contains_key(hash);
                if !is_kept {
                    lost.push(format!("what was written to {path} ({}) is lost", &hash[..8]));
                }
            }
        }
        Ok(lost)
    }
}

/// Each path must be as before or as planned: never something else, never missing on the way from
/// one to the other, unless a file makes room for a directory or the other way round.
fn between(what: &str, now: &Picture, before: &Picture, after: &Picture) -> Vec<String> {
    let mut wrong = Vec::new();
    let paths: BTreeSet<&String> =
        now.entries.keys().chain(before.entries.keys()).chain(after.entries.keys()).collect();
    for path in paths {
        let at = |picture: &Picture| picture.entries.get(path).cloned();
        let (old, new): (Option<Node>, Option<Node>) = (at(before), at(after));
        let found = at(now);
        if found != old && found != new {
            wrong.push(format!(
                "{what}: {path} is {found:?}, neither as before ({old:?}) nor as planned ({new:?})"
            ));
        }
    }
    wrong
}

/// What must not be left when everything is done: half-built files, staging areas, recipes.
///
/// # Errors
/// When something can't be read.
pub fn leftovers(repository: &Path, projects: &[PathBuf]) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    let control = repository.join(CONTROL);
    let everything = |root: &Path| Picture::without(root, &|_| false);
    for part in ["staging", "unfiled"] {
        let picture = everything(&control.join(part))?;
        let all = picture.entries.keys().chain(picture.directories.keys());
        found.extend(all.map(|path| format!("{CONTROL}/{part}/{path}")));
    }
    let objects = everything(&control.join("objects"))?;
    let temporary = objects.entries.keys().filter(|name| name.len() != 64);
    found.extend(temporary.map(|name| format!("{CONTROL}/objects/{name}")));
    found.extend(unfinished(repository)?);
    for project in projects {
        let dsg = project.join(".dsg");
        let waiting = everything(&dsg.join("tx"))?;
        let all = waiting.entries.keys().chain(waiting.directories.keys());
        found.extend(all.map(|path| format!("{}/tx/{path}", dsg.display())));
        found.extend(unfinished(project)?);
        let journal = dsg.join("journal");
        if fs::metadata(&journal).is_ok_and(|status| status.len() > 0) {
            found.push(format!("{} is not empty", journal.display()));
        }
    }
    let snapshots = everything(&control.join("snapshots"))?;
    for name in snapshots.entries.keys().filter_map(|name| name.strip_suffix(".trees")) {
        if !snapshots.entries.contains_key(name) {
            found.push(format!("{CONTROL}/snapshots/{name}.trees has no document"));
        }
    }
    Ok(found)
}

/// Files that were to be renamed over others.
fn unfinished(root: &Path) -> io::Result<Vec<String>> {
    let picture = Picture::without(root, &|_| false)?;
    let all = picture.entries.keys().chain(picture.directories.keys());
    let left = all.filter(|path| path.ends_with(".new") && path.contains(".dsg"));
    Ok(left.map(|path| format!("{}/{path}", root.display())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(files: &[(&str, &str)]) -> Picture {
        let folder = tempfile::tempdir().expect("a folder");
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("creates");
            fs::write(&path, text).expect("writes");
            let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
            fs::File::open(&path).and_then(|file| file.set_modified(time)).expect("sets");
        }
        Picture::of(folder.path()).expect("reads")
    }

    #[test]
    fn old_and_new_are_right_and_anything_else_is_wrong() {
        let before = picture(&[("a", "1"), ("b", "1"), ("c", "1")]);
        let after = picture(&[("a", "2"), ("b", "1"), ("d", "1")]);
        for now in [
            picture(&[("a", "1"), ("b", "1"), ("c", "1")]),
            picture(&[("a", "2"), ("b", "1"), ("d", "1")]),
            picture(&[("a", "2"), ("b", "1")]),
        ] {
            assert_eq!(between("x", &now, &before, &after), Vec::<String>::new());
        }
        for now in [
            picture(&[("b", "1")]),
            picture(&[("a", "3"), ("b", "1")]),
            picture(&[("a", "1"), ("b", "1"), ("e", "1")]),
        ] {
            assert_eq!(between("x", &now, &before, &after).len(), 1);
        }
    }

    #[test]
    fn a_content_that_is_nowhere_is_lost() {
        let committed = picture(&[("a", "1"), ("b", "2")]);
        let mut oracle = Oracle::default();
        let mut before = Moment::default();
        before.repository.visible = committed.clone();
        oracle.committed(&before.repository);
        let wrong = oracle.judge(&before, &before, &before).expect("judges");
        assert_eq!(wrong.len(), 2, "{wrong:?}");
        for (hash, path) in committed.contents() {
            before.repository.kept.insert(hash.to_owned(), path.to_owned());
        }
        let wrong = oracle.judge(&before, &before, &before).expect("judges");
        assert_eq!(wrong, Vec::<String>::new());
    }

    #[test]
    fn a_chain_with_a_wrong_parent_is_seen() {
        let folder = tempfile::tempdir().expect("a folder");
        let snapshots = folder.path().join(CONTROL).join("snapshots");
        for part in PARTS {
            fs::create_dir_all(folder.path().join(CONTROL).join(part)).expect("creates");
        }
        for file in ["repository.json", "lock", "turn"] {
            fs::write(folder.path().join(CONTROL).join(file), "").expect("writes");
        }
        let first = br#"{"number":1,"parent":null,"transaction":"1"}"#;
        let chain = blake3::Hash::from_bytes(blake3::derive_key(SNAPSHOT_CONTEXT, first)).to_hex();
        for (name, text) in [
            ("s1", String::from_utf8_lossy(first).into_owned()),
            ("s1.trees", String::new()),
            ("s2", format!(r#"{{"number":2,"parent":"{chain}","transaction":"2"}}"#)),
            ("s2.trees", String::new()),
        ] {
            fs::write(snapshots.join(name), text).expect("writes");
        }
        let read = Repository::read(folder.path()).expect("reads");
        assert_eq!((read.head, read.problems), (2, Vec::new()));
        fs::write(snapshots.join("s1"), r#"{"number":1,"parent":null,"transaction":"3"}"#)
            .expect("writes");
        let read = Repository::read(folder.path()).expect("reads");
        assert_eq!(read.problems, ["s2 does not name its parent"]);
    }
}
