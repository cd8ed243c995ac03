//! Preparing a commit, without any lock: everything that takes time happens here.
//!
//! The repository judges for itself. It compares the old entries with its own manifest, looks for
//! every content that is named, hashes the files that are about to be superseded, and builds tree
//! objects, steps and snapshot document. What is left for the lock is to look again and rename.

use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow;
use std::path::Path;

use dsg_core::entry::{Author, Entry, FileEntry, Identity, LinkEntry};
use dsg_core::hash::ContentHash;
use dsg_core::path::RepoPath;
use dsg_core::snapshot::{SnapshotDocument, SnapshotNumber};
use dsg_core::tree::{self, Root};
use rayon::prelude::*;

use super::layout::{LocalRepository, STAGED_DOCUMENT, STAGED_PACK, STAGING};
use super::names::refuse_collisions;
use super::pack::{PackBuilder, PacksAnd};
use super::refusals::{edit_error, foreign, tree_error};
use super::stage::{LocalUpload, Staged, place_of, staged_directories};
use super::steps::{CommitStep, Superseded};
use super::{CommitRequest, Head, NewEntry, PathChange, Wanted};
use crate::error::{Code, Error, Result};
use crate::monitor::{Monitor, Silent};
use crate::system::{Kind, Parents, Status, present};

/// A commit that only has to be made.
pub(super) struct Prepared {
    pub(super) number: SnapshotNumber,
    pub(super) steps: Vec<CommitStep>,
    pub(super) root: Option<Root>,
    pub(super) document: Vec<u8>,
}

/// Says what stands at the paths that a commit changes.
pub(super) type LookAtPaths<'a> =
    &'a dyn Fn(&[&PathChange]) -> Result<HashMap<RepoPath, Superseded>>;

impl LocalUpload<'_> {
    /// Builds everything that the commit needs. `None`: the repository has moved on.
    pub(super) fn prepare(
        &self,
        request: &CommitRequest,
        monitor: &dyn Monitor,
    ) -> Result<Option<Prepared>> {
        self.prepare_with(request, &|changes| self.look_at_superseded(changes, monitor))
    }

    /// As [`prepare`](Self::prepare); `look` says what stands at the paths that change.
    pub(super) fn prepare_with(
        &self,
        request: &CommitRequest,
        look: LookAtPaths<'_>,
    ) -> Result<Option<Prepared>> {
        let repository = self.repository;
        let head = repository.read_head()?;
        if head.map(|head| (head.number, head.chain)) != request.expected {
            return Ok(None);
        }
        let changes: Vec<&PathChange> =
            request.changes.iter().filter(|change| is_change(change)).collect();
        refuse_hidden(&changes)?;
        self.stage_what_was_not_put(&changes)?;
        let number =
            SnapshotNumber::new(head.map_or(0, |head| head.number.get()) + 1).ok_or_else(|| {
                Error::new(Code::ChainDamaged, "the repository has no free snapshot number")
            })?;
        let mut builder = PackBuilder::new(number);
        let Some(root) = self.build_trees(head, &changes, &mut builder)? else { return Ok(None) };
        let superseded = look(&changes)?;
        let steps = self.build_steps(&changes, superseded, root.as_ref(), &builder)?;
        let document = self.document(request, head, number, root.as_ref())?;
        let pack = builder.finish(root.as_ref(), &steps)?;
        self.write(&document, &pack)?;
        Ok(Some(Prepared { number, steps, root, document }))
    }

    /// Stages links, and contents that the repository has already: a restored version, a new
    /// executable bit. Throws away what was put and is no longer wanted.
    fn stage_what_was_not_put(&self, changes: &[&PathChange]) -> Result<()> {
        let mut wanted: HashMap<&RepoPath, &NewEntry> = HashMap::with_capacity(changes.len());
        for change in changes {
            if let Some(new) = &change.new {
                wanted.insert(&change.path, new);
            }
        }
        let mut obsolete = Vec::new();
        self.staged().retain(|path, staged| {
            let keep = matches!(wanted.get(path), Some(NewEntry::File { hash, executable, .. })
                if *hash == staged.hash && *executable == staged.executable);
            if !keep {
                obsolete.push(staged.at(path));
            }
            keep
        });
        for at in obsolete {
            self.unstage(&at)?;
        }
        for change in changes {
            if let Some(new) = &change.new
                && !self.staged().contains_key(&change.path)
            {
                self.stage_one(&change.path, new)?;
            }
        }
        Ok(())
    }

    /// Throws away a staged content, and the directories that were staged for it alone: they would
    /// be placed empty.
    fn unstage(&self, at: &Path) -> Result<()> {
        let mut parents = Parents::new(&self.directory);
        if let Some((directory, name)) = present(parents.of(at))? {
            directory.remove_file_if_there(name)?;
        }
        let mut above = at.parent().filter(|path| !path.as_os_str().is_empty());
        while let Some(path) = above {
            if let Some((directory, name)) = present(parents.of(path))?
                && !directory.remove_directory_if_empty(name)?
            {
                break;
            }
            above = path.parent().filter(|path| !path.as_os_str().is_empty());
        }
        Ok(())
    }

    fn stage_one(&self, path: &RepoPath, new: &NewEntry) -> Result<()> {
        let repository = self.repository;
        let parent_exists = present(repository.root.directory(path.directory()))?.is_some();
        let shaped = !parent_exists;
        let at = place_of(path, shaped);
        let mut parents = Parents::new(&self.directory);
        let (directory, name) = parents.made(&at, repository.directory_mode())?;
        directory.remove_file_if_there(name)?;
        let staged = match new {
            NewEntry::Link { target } => {
                directory.create_link(name, target)?;
                Staged { shaped, hash: ContentHash::of(b""), size: 0, executable: false }
            }
            NewEntry::File { hash, size, executable, modified } => {
                let mode = repository.file_mode(*executable);
                let mut target = directory.create_file(name, mode)?;
                let wanted = Wanted { hash: *hash, size: *size, path };
                repository.read_content(&wanted, &mut target, &Silent)?;
                target.set_mode(mode)?;
                target.set_modified(*modified)?;
                if self.landing.each(*size) {
                    directory.sync_or_remove(name, &target)?;
                }
                Staged { shaped, hash: *hash, size: *size, executable: *executable }
            }
        };
        self.staged().insert(path.clone(), staged);
        Ok(())
    }

    /// Builds the new manifest and compares what changed with what was asked for. `None`: an old
    /// entry is not what the plan was made against.
    #[expect(clippy::option_option, reason = "an empty manifest has no root, and moved is neither")]
    fn build_trees(
        &self,
        head: Option<Head>,
        changes: &[&PathChange],
        builder: &mut PackBuilder,
    ) -> Result<Option<Option<Root>>> {
        let packs = &self.repository.packs;
        let old_root = match head {
            Some(head) => self.repository.manifest(head.number)?,
            None => None,
        };
        self.refuse_missing(changes)?;
        let root = {
            let author: Author = self.repository.author.as_str().into();
            let staged = self.staged();
            let edits = changes.iter().map(|change| {
                let size = staged.get(&change.path).map_or(0, |staged| staged.size);
                (&change.path, change.new.as_ref().map(|new| entry_of(new, size, &author)))
            });
            tree::edit_each(packs, old_root.as_ref(), edits, builder).map_err(edit_error)?
        };
        let source = PacksAnd { packs, builder };
        let mut expected = changes.iter();
        let compared = tree::diff(&source, old_root.as_ref(), root.as_ref(), &mut |found| {
            let as_planned = expected.next().is_some_and(|asked| {
                found.path == asked.path && found.old.as_ref().map(Entry::identity) == asked.old
            });
            if as_planned { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })
        .map_err(tree_error)?;
        if compared.is_break() || expected.next().is_some() {
            return Ok(None);
        }
        refuse_collisions(&source, old_root.as_ref(), root.as_ref(), changes)?;
        Ok(Some(root))
    }

    /// Every content that is named has to be here.
    fn refuse_missing(&self, changes: &[&PathChange]) -> Result<()> {
        let staged = self.staged();
        let missing = changes.iter().find(|change| {
            matches!(change.new, Some(NewEntry::File { .. })) && !staged.contains_key(&change.path)
        });
        match missing {
            None => Ok(()),
            Some(change) => Err(Error::new(
                Code::ContentDamaged,
                format!("the content of {} did not arrive", change.path),
            )
            .next("run the command again")),
        }
    }

    /// Proves that what is about to be replaced or deleted is what the manifest says. A superseded
    /// file is named by its hash only because it was hashed here.
    fn look_at_superseded(
        &self,
        changes: &[&PathChange],
        monitor: &dyn Monitor,
    ) -> Result<HashMap<RepoPath, Superseded>> {
        let old: Vec<_> = changes.iter().filter(|change| change.old.is_some()).collect();
        old.par_chunks(64)
            .map(|chunk| {
                let mut buffer = Vec::new();
                let mut parents = Parents::new(&self.repository.root);
                chunk
                    .iter()
                    .map(|change| {
                        let superseded =
                            look_at_one(self.repository, &mut parents, change, &mut buffer)?;
                        crate::monitor::check_stop(monitor)?;
                        Ok((change.path.clone(), superseded))
                    })
                    .collect::<Result<Vec<_>>>()
            })
            .collect::<Result<Vec<_>>>()
            .map(|chunks| chunks.into_iter().flatten().collect())
    }

    fn build_steps(
        &self,
        changes: &[&PathChange],
        mut superseded: HashMap<RepoPath, Superseded>,
        root: Option<&Root>,
        builder: &PackBuilder,
    ) -> Result<Vec<CommitStep>> {
        let mut steps = Vec::new();
        let mut emptied = BTreeSet::new();
        for change in changes.iter().filter(|change| change.new.is_none()) {
            if let Some(old) = superseded.remove(&change.path) {
                steps.push(CommitStep::Delete { path: change.path.to_string(), old });
            }
            let mut parent = change.path.parent();
            while let Some(directory) = parent {
                parent = directory.parent();
                if !emptied.insert(directory) {
                    break;
                }
            }
        }
        let source = PacksAnd { packs: &self.repository.packs, builder };
        let mut made_room = BTreeSet::new();
        for directory in emptied.into_iter().rev() {
            let mut lives = false;
            tree::children(&source, root, directory.as_str(), &mut |_, _| lives = true)
                .map_err(tree_error)?;
            if !lives {
                let makes_room = changes
                    .binary_search_by(|change| change.path.cmp(&directory))
                    .is_ok_and(|at| changes[at].new.is_some());
                if makes_room {
                    made_room.insert(directory.clone());
                }
                steps.push(CommitStep::RemoveDirectory { path: directory.to_string(), makes_room });
            }
        }
        self.places(changes, &mut superseded, &made_room, &mut steps)?;
        Ok(steps)
    }

    /// Whole new directories are placed by one rename each, everything else path by path.
    fn places(
        &self,
        changes: &[&PathChange],
        superseded: &mut HashMap<RepoPath, Superseded>,
        made_room: &BTreeSet<RepoPath>,
        steps: &mut Vec<CommitStep>,
    ) -> Result<()> {
        let staged = self.staged();
        let deleted = |path: &RepoPath| {
            changes
                .binary_search_by(|change| change.path.cmp(path))
                .is_ok_and(|at| changes[at].new.is_none())
        };
        let mut placed_directory: Option<RepoPath> = None;
        let mut missing_in: Option<(String, Option<RepoPath>)> = None;
        for change in changes.iter().filter(|change| change.new.is_some()) {
            let Some(content) = staged.get(&change.path) else { continue };
            let directory = change.path.directory();
            if missing_in.as_ref().is_none_or(|(last, _)| last != directory) {
                missing_in =
                    Some((directory.to_owned(), self.first_missing(&change.path, &deleted)?));
            }
            let missing = missing_in.as_ref().and_then(|(_, missing)| missing.as_ref());
            if let (Some(top), true) = (missing, content.shaped) {
                if placed_directory.as_ref() != Some(top) {
                    placed_directory = Some(top.clone());
                    let staged = Path::new(super::layout::STAGED_TREE).join(top.as_str());
                    steps.push(CommitStep::Place {
                        path: top.to_string(),
                        staged: staged.to_string_lossy().into_owned(),
                        directory: true,
                        old: None,
                    });
                }
                continue;
            }
            let old = superseded.remove(&change.path);
            if old.is_none() && !made_room.contains(&change.path) {
                self.refuse_in_the_way(&change.path)?;
            }
            steps.push(CommitStep::Place {
                path: change.path.to_string(),
                staged: content.at(&change.path).to_string_lossy().into_owned(),
                directory: false,
                old,
            });
        }
        Ok(())
    }

    /// The topmost directory above `path` that the visible tree lacks.
    fn first_missing(
        &self,
        path: &RepoPath,
        deleted: &dyn Fn(&RepoPath) -> bool,
    ) -> Result<Option<RepoPath>> {
        let mut missing = None;
        let mut parents = Parents::new(&self.repository.root);
        let mut directory = path.parent();
        while let Some(current) = directory {
            let status = match present(parents.of(Path::new(current.as_str())))? {
                Some((parent, name)) => present(parent.status(name))?,
                None => None,
            };
            match status {
                Some(status) if status.kind == Kind::Directory => {
                    self.repository.refuse_other_device(&current, &status)?;
                    break;
                }
                Some(_) if !deleted(&current) => {
                    return Err(foreign(&current, "it is no directory"));
                }
                _ => {}
            }
            directory = current.parent();
            missing = Some(current);
        }
        Ok(missing)
    }

    fn refuse_in_the_way(&self, path: &RepoPath) -> Result<()> {
        let mut parents = Parents::new(&self.repository.root);
        let Some((directory, name)) = present(parents.of(Path::new(path.as_str())))? else {
            return Ok(());
        };
        match present(directory.status(name))? {
            None => Ok(()),
            Some(_) => Err(foreign(path, "it is there, but no snapshot has it")),
        }
    }

    fn document(
        &self,
        request: &CommitRequest,
        head: Option<Head>,
        number: SnapshotNumber,
        root: Option<&Root>,
    ) -> Result<Vec<u8>> {
        let repository = self.repository;
        let document = SnapshotDocument {
            repository: repository.description.id,
            number,
            root: root.map(|root| root.address.hash),
            entries: root.map_or(0, |root| root.entries),
            parent: head.map(|head| head.chain),
            author: repository.author.clone(),
            time: repository.clock.now(),
            message: request.message.clone(),
            transaction: self.transaction,
            configuration: request.configuration.clone(),
        };
        document.encode().map_err(|error| {
            Error::new(Code::Usage, "this snapshot can't be described")
                .because(error)
                .next("use a shorter message")
        })
    }

    /// Writes document and pack and makes everything staged durable. The document comes first: a
    /// pack without a document means "committed" to whoever recovers.
    fn write(&self, document: &[u8], pack: &[u8]) -> Result<()> {
        let mode = self.repository.file_mode(false);
        self.directory.remove_file_if_there(STAGED_PACK)?;
        self.directory.remove_file_if_there(STAGED_DOCUMENT)?;
        let staging = self.repository.control.directory(STAGING)?;
        let mut directories = staged_directories(self);
        directories.remove(Path::new(""));
        if !self.landing.together() && directories.len() <= 64 {
            self.directory.write_new(STAGED_DOCUMENT, document, mode)?;
            self.directory.write_new(STAGED_PACK, pack, mode)?;
            for directory in directories {
                self.or_nothing(self.directory.directory(directory)?.sync())?;
            }
            self.or_nothing(self.directory.sync())?;
            return self.or_nothing(staging.sync());
        }
        for (name, bytes) in [(STAGED_DOCUMENT, document), (STAGED_PACK, pack)] {
            let mut writer = self.directory.create_file(name, mode)?;
            writer.set_mode(mode)?;
            writer.write_all(bytes)?;
        }
        self.or_nothing(self.landing.sync(&self.directory))
    }
}

/// What the manifest will say. The size is that of the bytes that arrived.
fn entry_of(new: &NewEntry, size: u64, author: &Author) -> Entry {
    let author = author.clone();
    match new {
        NewEntry::Link { target } => Entry::Link(LinkEntry { target: target.clone(), author }),
        NewEntry::File { hash, executable, modified, .. } => Entry::File(FileEntry {
            hash: *hash,
            executable: *executable,
            size,
            modified: *modified,
            author,
        }),
    }
}

/// A change to what is there already is none: the entry is taken as it is.
fn is_change(change: &PathChange) -> bool {
    change.new.as_ref().map(NewEntry::identity) != change.old
}

fn refuse_hidden(changes: &[&PathChange]) -> Result<()> {
    for change in changes {
        if change.new.is_some() && change.path.components().any(|name| name.starts_with('.')) {
            return Err(Error::new(
                Code::NameCollision,
                format!("{} has a hidden component", change.path),
            )
            .because("hidden names are never versioned")
            .next("rename it without the leading dot"));
        }
    }
    Ok(())
}

fn look_at_one(
    repository: &LocalRepository,
    parents: &mut Parents<'_>,
    change: &PathChange,
    buffer: &mut Vec<u8>,
) -> Result<Superseded> {
    let missing = || foreign(&change.path, "it is gone");
    let (directory, name) =
        present(parents.of(Path::new(change.path.as_str())))?.ok_or_else(missing)?;
    let status = present(directory.status(name))?.ok_or_else(missing)?;
    repository.refuse_other_device(&change.path, &status)?;
    match (&change.old, status.kind) {
        (Some(Identity::Link { target }), Kind::Link) => {
            if directory.link_text(name)?.as_deref() != Some(target) {
                return Err(foreign(&change.path, "the link points elsewhere"));
            }
            Ok(Superseded::of(&status, None))
        }
        (Some(Identity::File { hash, .. }), Kind::File) => {
            let reader = directory.open_file(name)?;
            let before = reader.status()?;
            let (found, _) = reader.hash(buffer, &|_| {})?;
            if found != *hash || reader.status()? != before || !same(&before, &status) {
                return Err(foreign(&change.path, "its bytes are not those of the last snapshot"));
            }
            let stays =
                matches!(&change.new, Some(NewEntry::File { hash: new, .. }) if new == hash);
            Ok(Superseded::of(&status, (!stays).then_some(*hash)))
        }
        _ => Err(foreign(&change.path, "it is of another kind than in the last snapshot")),
    }
}

fn same(left: &Status, right: &Status) -> bool {
    left.same_contents(right)
}
