//! What differs: between the files here and what was agreed or what the repository has, or between
//! two snapshots; and the bytes of either side, to be shown.

use std::path::{Path, PathBuf};

use dsg_core::compare::LocalEntry;
use dsg_core::entry::{Entry, FileEntry};
use dsg_core::path::RepoPath;
use dsg_core::snapshot::SnapshotNumber;

use crate::error::Result;
use crate::fetch::content;
use crate::monitor::Monitor;
use crate::project::Project;
use crate::repository::Repository;
use crate::scan::Unknown;
use crate::sync::{LookOptions, look, remember};
use crate::system::{Directory, Parents, present};

/// What the files here are compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Against {
    /// What was last agreed: the changes made here.
    Agreed,
    /// The repository's newest snapshot: also the changes of others, as if they were undone here.
    Head,
}

/// A path that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The path.
    pub path: RepoPath,
    /// What it was.
    pub old: Option<Entry>,
    /// What it is.
    pub new: Option<Version>,
}

/// What a path is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Version {
    /// In a snapshot.
    Stored(Entry),
    /// On disk, where the disk spells it like this.
    Here(LocalEntry, PathBuf),
}

/// How a path differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It was not there.
    Added,
    /// It is no longer there.
    Deleted,
    /// Its bytes, or its link's text, are others.
    Changed,
    /// Only the executable bit is another.
    Mode,
    /// A file became a link, or a link a file.
    Retyped,
}

impl Kind {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Deleted => "deleted",
            Self::Changed => "changed",
            Self::Mode => "mode",
            Self::Retyped => "retyped",
        }
    }
}

fn as_local(entry: &Entry) -> LocalEntry {
    match entry {
        Entry::File(file) => LocalEntry::File {
            hash: Some(file.hash),
            executable: file.executable,
            size: file.size,
            modified: file.modified,
        },
        Entry::Link(link) => LocalEntry::Link { target: link.target.clone() },
    }
}

impl Version {
    /// What is there.
    #[must_use]
    pub fn entry(&self) -> LocalEntry {
        match self {
            Self::Stored(entry) => as_local(entry),
            Self::Here(local, _) => local.clone(),
        }
    }
}

impl Difference {
    /// How it differs.
    #[must_use]
    pub fn kind(&self) -> Kind {
        use LocalEntry::{File, Link};
        match (self.old.as_ref().map(as_local), self.new.as_ref().map(Version::entry)) {
            (None, _) => Kind::Added,
            (_, None) => Kind::Deleted,
            (Some(File { hash: old, .. }), Some(File { hash: new, .. })) if old == new => {
                Kind::Mode
            }
            (Some(File { .. }), Some(Link { .. })) | (Some(Link { .. }), Some(File { .. })) => {
                Kind::Retyped
            }
            _ => Kind::Changed,
        }
    }
}

/// What differs here.
#[derive(Clone, Debug, Default)]
pub struct LocalDifferences {
    /// The paths, in their order.
    pub differences: Vec<Difference>,
    /// Paths of which nothing can be said.
    pub unknown: Vec<Unknown>,
}

/// Compares the files here.
///
/// # Errors
/// When the project or its repository can't be read.
pub fn local(
    project: &Project,
    repository: &dyn Repository,
    against: Against,
    monitor: &dyn Monitor,
) -> Result<LocalDifferences> {
    let dsg = project.dsg_attached()?;
    let look = look(project, &dsg, repository, &LookOptions::default(), monitor)?;
    remember(&dsg, &look, monitor);
    let mut differences = Vec::new();
    for step in &look.plan.steps {
        let triple = &step.triple;
        let old = match against {
            Against::Agreed => &triple.cached,
            Against::Head => &triple.remote,
        };
        let equal = match (old, &triple.local) {
            (None, None) => true,
            (Some(old), Some(local)) => local.same(old),
            _ => false,
        };
        if !equal {
            let at = look.local.at(&triple.path);
            let new = triple.local.clone().map(|local| Version::Here(local, at));
            let old = old.as_deref().cloned();
            differences.push(Difference { path: triple.path.clone(), old, new });
        }
    }
    Ok(LocalDifferences { differences, unknown: look.unknown })
}

/// Compares two snapshots; `None` stands for the time before the first.
///
/// # Errors
/// When one is not there or damaged.
pub fn snapshots(
    repository: &dyn Repository,
    from: Option<SnapshotNumber>,
    to: Option<SnapshotNumber>,
) -> Result<Vec<Difference>> {
    let changes = repository.differences(from, to)?.into_iter();
    let real =
        changes.filter(|change| !dsg_core::entry::same(change.old.as_ref(), change.new.as_ref()));
    let difference = |change: dsg_core::tree::Change| Difference {
        path: change.path,
        old: change.old,
        new: change.new.map(Version::Stored),
    };
    Ok(real.map(difference).collect())
}

/// Where the bytes of both sides come from.
pub struct Contents<'a> {
    /// The project's root, where files here are compared.
    pub root: Option<&'a Directory>,
    /// The repository.
    pub repository: &'a dyn Repository,
    /// A directory for contents on their way; nothing stays in it.
    pub scratch: &'a Directory,
    /// The most bytes that are read.
    pub bytes_max: u64,
}

impl Contents<'_> {
    /// What a file was; a link's text with nothing after it. `None` when it is larger than allowed.
    ///
    /// # Errors
    /// When it is damaged or can't be read.
    pub fn before(
        &self,
        difference: &Difference,
        monitor: &dyn Monitor,
    ) -> Result<Option<Vec<u8>>> {
        match &difference.old {
            None => Ok(Some(Vec::new())),
            Some(entry) => self.stored(&difference.path, entry, monitor),
        }
    }

    /// What it is, as for [`before`](Self::before).
    ///
    /// # Errors
    /// As for [`before`](Self::before).
    pub fn after(&self, difference: &Difference, monitor: &dyn Monitor) -> Result<Option<Vec<u8>>> {
        match &difference.new {
            None => Ok(Some(Vec::new())),
            Some(Version::Stored(entry)) => self.stored(&difference.path, entry, monitor),
            Some(Version::Here(LocalEntry::Link { target }, _)) => {
                Ok(Some(target.as_bytes().to_vec()))
            }
            Some(Version::Here(LocalEntry::File { .. }, at)) => self.here(at),
        }
    }

    fn stored(
        &self,
        path: &RepoPath,
        entry: &Entry,
        monitor: &dyn Monitor,
    ) -> Result<Option<Vec<u8>>> {
        let file: &FileEntry = match entry {
            Entry::Link(link) => return Ok(Some(link.target.as_bytes().to_vec())),
            Entry::File(file) if file.size > self.bytes_max => return Ok(None),
            Entry::File(file) => file,
        };
        let mut reader = content(self.repository, path, file, self.scratch, monitor)?;
        Ok(Some(reader.read_to_end(self.bytes_max)?))
    }

    fn here(&self, at: &Path) -> Result<Option<Vec<u8>>> {
        let Some(root) = self.root else { return Ok(Some(Vec::new())) };
        let mut parents = Parents::new(root);
        let Some((directory, name)) = present(parents.of(at))? else { return Ok(Some(Vec::new())) };
        let Some(mut reader) = present(directory.open_file(name))? else {
            return Ok(Some(Vec::new()));
        };
        if reader.status()?.size > self.bytes_max {
            return Ok(None);
        }
        Ok(Some(reader.read_to_end(self.bytes_max)?))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::monitor::Silent;
    use crate::world::{Client, World, number};

    fn here(alice: &Client, against: Against) -> Vec<(String, Kind)> {
        let found = local(&alice.project(), &alice.repository(), against, &Silent).expect("looks");
        named(&found.differences)
    }

    fn named(differences: &[Difference]) -> Vec<(String, Kind)> {
        let named = |difference: &Difference| (difference.path.to_string(), difference.kind());
        differences.iter().map(named).collect()
    }

    fn expected(list: &[(&str, Kind)]) -> Vec<(String, Kind)> {
        list.iter().map(|(path, kind)| ((*path).to_owned(), *kind)).collect()
    }

    #[test]
    fn changes_here_are_told_against_what_was_agreed_and_against_the_head() {
        let world = World::new();
        let alice = world.client("alice");
        for name in ["a", "gone", "run", "kind", "same"] {
            alice.write(&format!("input/{name}"), name);
        }
        alice.sync();
        let bob = world.client("bob");
        bob.sync();
        bob.write("input/same", "by bob");
        bob.sync();
        assert_eq!(here(&alice, Against::Agreed), []);
        alice.write("input/a", "A");
        alice.write("input/new", "n");
        alice.remove("input/gone");
        alice.remove("input/kind");
        alice.link("input/kind", "a");
        let run = alice.root.join("input/run");
        std::fs::set_permissions(run, std::fs::Permissions::from_mode(0o755)).expect("sets");
        let mut list = expected(&[
            ("input/a", Kind::Changed),
            ("input/gone", Kind::Deleted),
            ("input/kind", Kind::Retyped),
            ("input/new", Kind::Added),
            ("input/run", Kind::Mode),
        ]);
        assert_eq!(here(&alice, Against::Agreed), list);
        list.push(("input/same".to_owned(), Kind::Changed));
        assert_eq!(here(&alice, Against::Head), list);
    }

    #[test]
    fn snapshots_are_compared_and_both_sides_can_be_read() {
        let world = World::new();
        let alice = world.client("alice");
        alice.write("input/a", "one\n");
        alice.write("input/large", vec![b'x'; 2000]);
        alice.sync();
        alice.write("input/a", "two\n");
        alice.write("input/large", vec![b'y'; 2000]);
        alice.sync();
        alice.write("input/a", "three\n");
        let repository = alice.repository();
        let between = snapshots(&repository, Some(number(1)), Some(number(2))).expect("differ");
        let both = [("input/a", Kind::Changed), ("input/large", Kind::Changed)];
        assert_eq!(named(&between), expected(&both));
        assert_eq!(snapshots(&repository, None, Some(number(1))).expect("differ").len(), 2);
        assert!(snapshots(&repository, Some(number(1)), Some(number(9))).is_err());
        let project = alice.project();
        let dsg = project.dsg_attached().expect("is there");
        let contents = Contents {
            root: Some(&project.root),
            repository: &repository,
            scratch: &dsg,
            bytes_max: 1000,
        };
        let sides = |difference: &Difference| {
            let old = contents.before(difference, &Silent).expect("reads");
            (old, contents.after(difference, &Silent).expect("reads"))
        };
        assert_eq!(sides(&between[0]), (Some(b"one\n".to_vec()), Some(b"two\n".to_vec())));
        assert_eq!(sides(&between[1]), (None, None));
        let now = local(&project, &repository, Against::Agreed, &Silent).expect("looks");
        let last = sides(&now.differences[0]);
        assert_eq!(last, (Some(b"two\n".to_vec()), Some(b"three\n".to_vec())));
    }
}
