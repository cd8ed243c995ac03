//! Looking a repository over without reading contents: who may read what, what lies around, and
//! whether the visible tree has the files that the newest snapshot names.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use dsg_core::entry::Entry;
use dsg_core::path::RepoPath;

use super::layout::{
    LEGACY_DIRECTORY, LocalRepository, REPOSITORY_DIRECTORY, STAGED_DOCUMENT, STAGED_PACK,
    STAGING_LOCK, UNFILED,
};
use super::{Access, Repository as _};
use crate::clean::measure;
use crate::error::Result;
use crate::monitor::{Monitor, check_stop};
use crate::system::{Directory, Kind, Status, group_of, lock_file, present};

/// Paths that are named; the rest is counted.
const NAMED_MAX: usize = 10;
/// A younger upload may just be beginning: its lock is left alone.
const SETTLED_SECONDS: i64 = 60;

/// Paths of one kind: all are counted, the first are named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paths {
    /// How many there are.
    pub count: u64,
    /// The first of them, below the repository.
    pub first: Vec<PathBuf>,
}

impl Paths {
    fn add(&mut self, path: PathBuf) {
        self.count += 1;
        if self.first.len() < NAMED_MAX {
            self.first.push(path);
        }
    }
}

/// Who can get at the files, against what `repository.json` promises.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessReport {
    /// Anyone on the machine can enter the repository's own directory.
    pub open_to_all: bool,
    /// Has permissions for everybody, or for the group where the repository is private.
    pub too_open: Paths,
    /// Lacks what the group needs: the group itself, its permissions, or a directory's bit that
    /// passes the group on.
    pub too_closed: Paths,
    /// Could not be looked into.
    pub unreadable: Paths,
}

/// How the visible tree differs from the newest snapshot, by names and sizes alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VisibleReport {
    /// Files and links that were compared.
    pub entries: u64,
    /// In the snapshot and not there.
    pub missing: Paths,
    /// Of another kind or size than in the snapshot.
    pub changed: Paths,
    /// There, and in no snapshot's newest state.
    pub strays: Paths,
}

/// An upload that has not become a snapshot, or is just becoming one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnfinishedUpload {
    /// The name of its folder in `staging/`.
    pub name: String,
    /// Seconds since something in it changed.
    pub age_seconds: i64,
    /// Whether a running program holds it; `None` when it is too young to ask.
    pub alive: Option<bool>,
    /// Whether it was committed and its last steps are still to be made sure of.
    pub committed: bool,
    /// What it takes.
    pub bytes: u64,
    /// The number of the user whose it is.
    pub owner: u32,
}

/// Things that a commit or a restore moved out of the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfiled {
    /// The name of the folder in `unfiled/`.
    pub name: String,
    /// Files in it.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl LocalRepository {
    /// Compares the permissions of everything in the repository with what it promises.
    ///
    /// # Errors
    /// When its own directory can't be asked.
    pub fn inspect_access(&self, monitor: &dyn Monitor) -> Result<AccessReport> {
        let mut report = AccessReport::default();
        let group = group_of(&self.root, "")?;
        let own = self.root.own_status()?;
        report.open_to_all = own.mode & 0o001 != 0;
        self.judge_access(&own, group, group, PathBuf::from("."), &mut report);
        let mut stack = vec![(self.root.again()?, PathBuf::new())];
        while let Some((directory, at)) = stack.pop() {
            check_stop(monitor)?;
            let Ok(entries) = directory.entries() else {
                report.unreadable.add(at);
                continue;
            };
            for entry in entries {
                let path = at.join(&entry.name);
                // A link's own permissions mean nothing.
                if matches!(entry.kind, Kind::Link | Kind::Other) {
                    continue;
                }
                let Some(status) = present(directory.status(&entry.name))? else { continue };
                let Some(found) = present(group_of(&directory, &entry.name))? else { continue };
                if entry.kind == Kind::Directory {
                    match present(directory.directory(&entry.name)) {
                        Ok(Some(below)) => stack.push((below, path.clone())),
                        Ok(None) => continue,
                        Err(_) => report.unreadable.add(path.clone()),
                    }
                }
                self.judge_access(&status, found, group, path, &mut report);
            }
        }
        Ok(report)
    }

    fn judge_access(
        &self,
        status: &Status,
        found: u32,
        group: u32,
        path: PathBuf,
        report: &mut AccessReport,
    ) {
        let shared = self.description.access == Access::Group;
        let forbidden = if shared { 0o007 } else { 0o077 };
        let needed = match (shared, status.kind == Kind::Directory) {
            (false, _) => 0,
            (true, true) => 0o2770,
            (true, false) => 0o660,
        };
        if status.mode & forbidden != 0 {
            report.too_open.add(path);
        } else if status.mode & needed != needed || (shared && found != group) {
            report.too_closed.add(path);
        }
    }

    /// Compares names, kinds and sizes in the visible tree with the newest snapshot. What is
    /// half done by a running commit shows as well.
    ///
    /// # Errors
    /// When the manifest or a directory can't be read.
    pub fn inspect_visible(&self, monitor: &dyn Monitor) -> Result<VisibleReport> {
        let mut report = VisibleReport::default();
        let mut expected: HashMap<RepoPath, Entry> = HashMap::new();
        if let Some(head) = self.read_head()? {
            let changes = self.differences(None, Some(head.number))?;
            expected
                .extend(changes.into_iter().filter_map(|change| Some((change.path, change.new?))));
        }
        report.entries = expected.len() as u64;
        let mut stack = vec![(self.root.again()?, PathBuf::new())];
        while let Some((directory, at)) = stack.pop() {
            check_stop(monitor)?;
            for entry in directory.entries()? {
                let path = at.join(&entry.name);
                if at.as_os_str().is_empty() && is_own(&entry.name) {
                    continue;
                }
                if entry.kind == Kind::Directory {
                    stack.extend(
                        present(directory.directory(&entry.name))?.map(|below| (below, path)),
                    );
                    continue;
                }
                let key = path.to_str().and_then(|text| RepoPath::parse(text).ok());
                let Some(known) = key.and_then(|key| expected.remove(&key)) else {
                    report.strays.add(path);
                    continue;
                };
                let Some(status) = present(directory.status(&entry.name))? else { continue };
                let same = match (&known, status.kind) {
                    (Entry::File(file), Kind::File) => file.size == status.size,
                    (Entry::Link(link), Kind::Link) => {
                        present(directory.link_text(&entry.name))?.flatten().as_deref()
                            == Some(&link.target)
                    }
                    _ => false,
                };
                if !same {
                    report.changed.add(path);
                }
            }
        }
        let mut missing: Vec<_> = expected.into_keys().collect();
        missing.sort();
        missing.iter().for_each(|path| report.missing.add(PathBuf::from(path.as_str())));
        Ok(report)
    }

    /// What lies in `staging/`.
    ///
    /// # Errors
    /// When it can't be listed.
    pub fn unfinished_uploads(&self) -> Result<Vec<UnfinishedUpload>> {
        let staging = self.staging()?;
        let now = self.clock.now().as_second();
        let mut found = Vec::new();
        for entry in staging.entries()? {
            let Some(status) = present(staging.status(&entry.name))? else { continue };
            if status.kind != Kind::Directory {
                continue;
            }
            let age_seconds = now - status.changed.parts().0;
            let Ok(Some(own)) = present(staging.directory(&entry.name)) else { continue };
            let committed = present(own.status(STAGED_PACK))?.is_some()
                && present(own.status(STAGED_DOCUMENT))?.is_none();
            let alive = (age_seconds >= SETTLED_SECONDS).then(|| self.is_held(&own));
            let name = entry.name.to_string_lossy().into_owned();
            let (bytes, owner) = (measure(&staging, &entry.name)?.1, status.owner);
            found.push(UnfinishedUpload { name, age_seconds, alive, committed, bytes, owner });
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    fn is_held(&self, own: &Directory) -> bool {
        match present(own.status(STAGING_LOCK)) {
            // Asking must not make the file.
            Ok(Some(_)) => {
                matches!(lock_file(own, STAGING_LOCK, self.file_mode(false), false), Ok(None))
            }
            _ => false,
        }
    }

    /// What lies in `unfiled/`.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn unfiled(&self) -> Result<Vec<Unfiled>> {
        let unfiled = self.control.directory(UNFILED)?;
        let mut found = Vec::new();
        for entry in unfiled.entries()? {
            let (files, bytes) = measure(&unfiled, &entry.name)?;
            found.push(Unfiled { name: entry.name.to_string_lossy().into_owned(), files, bytes });
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// The repository's own directory, for questions about its file system.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.root
    }

    /// Whether the old Python tool left its directory beside ours.
    ///
    /// # Errors
    /// When the disk says no.
    pub fn has_legacy(&self) -> Result<bool> {
        Ok(present(self.root.status(LEGACY_DIRECTORY))?.is_some())
    }
}

fn is_own(name: &OsStr) -> bool {
    [REPOSITORY_DIRECTORY, LEGACY_DIRECTORY, "lost+found"].iter().any(|own| Path::new(own) == name)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;

    use super::*;
    use crate::monitor::Silent;
    use crate::world::World;

    fn set_mode(path: PathBuf, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("sets");
    }

    fn names(paths: &Paths) -> Vec<&str> {
        paths.first.iter().filter_map(|path| path.to_str()).collect()
    }

    fn world() -> World {
        let world = World::new();
        let alice = world.client("alice");
        alice.write("input/a", "1");
        alice.write("input/d/b", "22");
        alice.link("input/l", "a");
        alice.sync();
        alice.write("input/a", "new");
        alice.sync();
        world
    }

    #[test]
    fn a_repository_keeps_its_promise_of_access_and_whoever_breaks_it_is_found() {
        let world = world();
        let report = world.repository().inspect_access(&Silent).expect("looks");
        assert_eq!(report, AccessReport::default());
        set_mode(world.root().join("input/a"), 0o604);
        set_mode(world.root().join("input/d"), 0o710);
        let report = world.repository().inspect_access(&Silent).expect("looks");
        let mut found = names(&report.too_open);
        found.sort_unstable();
        assert_eq!(found, ["input/a", "input/d"]);
        assert!(!report.open_to_all);
        set_mode(world.root(), 0o755);
        let report = world.repository().inspect_access(&Silent).expect("looks");
        assert!(report.open_to_all && report.too_open.count == 3, "{report:?}");
    }

    #[test]
    fn a_group_must_be_able_to_work() {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = foundation_runtime::clock::SystemClock::new();
        let root = folder.path().join("g");
        super::super::create(&root, Access::Group, &clock).expect("creates");
        let open =
            || LocalRepository::open(&root, "a@b", std::sync::Arc::new(clock)).expect("opens");
        let report = open().inspect_access(&Silent).expect("looks");
        assert_eq!(report, AccessReport::default());
        set_mode(root.join(".dsg-repository/objects"), 0o770);
        set_mode(root.join(".dsg-repository/lock"), 0o640);
        let report = open().inspect_access(&Silent).expect("looks");
        assert_eq!((report.too_open.count, report.too_closed.count), (0, 2), "{report:?}");
    }

    #[test]
    fn files_that_are_missing_changed_or_nobody_s_are_found_by_their_names_and_sizes() {
        let world = world();
        let report = world.repository().inspect_visible(&Silent).expect("looks");
        assert_eq!(report, VisibleReport { entries: 3, ..VisibleReport::default() });
        fs::remove_file(world.root().join("input/d/b")).expect("removes");
        fs::remove_file(world.root().join("input/l")).expect("removes");
        std::os::unix::fs::symlink("b", world.root().join("input/l")).expect("links");
        world.write("input/a", "longer");
        world.write("README", "stray");
        let report = world.repository().inspect_visible(&Silent).expect("looks");
        assert_eq!(names(&report.missing), ["input/d/b"]);
        assert_eq!(report.changed.count, 2);
        assert_eq!(names(&report.strays), ["README"]);
    }

    #[test]
    fn unfinished_uploads_and_unfiled_things_are_listed() {
        let world = world();
        let repository = world.repository();
        assert_eq!(repository.unfinished_uploads().expect("lists"), []);
        assert_eq!(repository.unfiled().expect("lists"), []);
        let transaction = crate::project::new_transaction().expect("an id");
        let upload = repository.begin(&transaction, &[], 1).expect("begins");
        // Far enough in the future that the upload is no longer young.
        world.clock.set("2100-01-01T00:00:00Z".parse().expect("a time"));
        world.clock.advance(Duration::from_secs(100));
        let found = repository.unfinished_uploads().expect("lists");
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].alive, found[0].committed), (Some(true), false));
        assert_eq!(found[0].name, transaction.to_string());
        drop(upload);
        let found = repository.unfinished_uploads().expect("lists");
        assert_eq!(found[0].alive, Some(false));
        world.write(".dsg-repository/unfiled/tx-1/0-a", "foreign");
        let unfiled = Unfiled { name: "tx-1".to_owned(), files: 1, bytes: 7 };
        assert_eq!(repository.unfiled().expect("lists"), [unfiled]);
        assert!(!repository.has_legacy().expect("looks"));
    }
}
