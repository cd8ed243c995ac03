//! A user with a project: every change that they make to their files goes through here, and is
//! written down, so that it is known which contents they count on.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dsg_core::conflict::Choice;
use dsg_store::error::Result;
use dsg_store::project::{Project, attach};
use dsg_store::repository::LocalRepository;
use foundation_runtime::clock::SystemClock;

use super::disk::{self, Hash, Tree};
use super::names::{self, CONFIGURATIONS, DataDirectories};
use super::view::{Identity, State, View};

/// An answer to a conflict, with the copies that it was given for.
pub(crate) type Answer = (Choice, Option<Identity>, Option<Identity>);

pub(crate) struct Client {
    pub(crate) name: String,
    pub(crate) root: PathBuf,
    pub(crate) data: DataDirectories,
    /// The content that this user last wrote at a path, as long as it is there.
    pub(crate) written: BTreeMap<PathBuf, Hash>,
    /// Contents that a sync took from where this user had written them.
    pub(crate) displaced: HashSet<Hash>,
    /// What was last agreed, as far as that is certain.
    pub(crate) base: State,
    /// Keys of which it is not known what was agreed: a sync of them was cut off.
    pub(crate) uncertain: BTreeSet<String>,
    /// A sync was cut off, and the next command has to finish or forget it.
    pub(crate) interrupted: bool,
    /// The rules under which the cut off sync began.
    pub(crate) interrupted_data: Option<DataDirectories>,
    pub(crate) answers: BTreeMap<String, Answer>,
}

impl Client {
    pub(crate) fn create(name: &str, folder: &Path) -> Self {
        let root = folder.join(name);
        fs::create_dir(&root).expect("creates");
        let mut client = Self::existing(name, &root);
        client.configure(CONFIGURATIONS[0]);
        let project = client.project().expect("opens");
        attach(&project, &client.repository(&project).expect("opens")).expect("attaches");
        client
    }

    /// A project that is there, of which nothing is known.
    pub(crate) fn existing(name: &str, root: &Path) -> Self {
        Self {
            name: name.to_owned(),
            root: root.to_owned(),
            data: CONFIGURATIONS[0],
            written: BTreeMap::new(),
            displaced: HashSet::new(),
            base: State::new(),
            uncertain: BTreeSet::new(),
            interrupted: false,
            interrupted_data: None,
            answers: BTreeMap::new(),
        }
    }

    /// Sets the data directories.
    pub(crate) fn configure(&mut self, data: DataDirectories) {
        let mountpoint = self.root.parent().expect("a parent").join("srv");
        let mut text = format!(
            "name: p\nrepository: {{type: posix, host: localhost, mountpoint: {}}}\n",
            mountpoint.display()
        );
        if data != CONFIGURATIONS[0] {
            let names: Vec<_> = data.iter().map(|name| format!("\"{name}\"")).collect();
            text.push_str(&format!("data_dirs: [{}]\n", names.join(", ")));
        }
        fs::write(self.root.join(".dsgconfig.yml"), text).expect("writes");
        self.data = data;
    }

    pub(crate) fn project(&self) -> Result<Project> {
        Project::open(&self.root)
    }

    pub(crate) fn repository(&self, project: &Project) -> Result<LocalRepository> {
        project.local_repository(&author(&self.name), Arc::new(SystemClock::new()))
    }

    pub(crate) fn tree(&self) -> Tree {
        disk::walk(&self.root, &[".dsg"])
    }

    pub(crate) fn view(&self) -> View {
        View::of(self.tree(), self.data)
    }

    /// Makes way for something at `path`; false when that would take more than `force` allows.
    pub(crate) fn make_way(&mut self, path: &Path, force: bool) -> bool {
        let above: Vec<PathBuf> = path.ancestors().skip(1).map(Path::to_owned).collect();
        for folder in above.iter().rev().filter(|folder| !folder.as_os_str().is_empty()) {
            match disk::look(&self.root.join(folder)) {
                Some(node) if node.is_directory() => {}
                Some(_) if !force => return false,
                Some(_) => {
                    self.delete(folder);
                    fs::create_dir(self.root.join(folder)).expect("creates");
                }
                None => fs::create_dir(self.root.join(folder)).expect("creates"),
            }
        }
        match disk::look(&self.root.join(path)) {
            Some(node) if node.is_directory() && !force => false,
            Some(node) if node.is_directory() => {
                self.delete(path);
                true
            }
            _ => true,
        }
    }

    /// Writes a file; `in_place` keeps the inode, as some editors do and others don't.
    pub(crate) fn write(&mut self, path: &Path, bytes: &[u8], in_place: bool) {
        let full = self.root.join(path);
        self.release(path);
        let is_file = disk::look(&full).is_some_and(|node| node.content().is_some());
        if in_place && is_file {
            fs::write(&full, bytes).expect("writes");
        } else {
            let temporary = full.with_file_name(".saving");
            fs::write(&temporary, bytes).expect("writes");
            fs::rename(&temporary, &full).expect("renames");
        }
        self.written.insert(path.to_owned(), disk::hash(bytes));
    }

    /// Deletes whatever is at a path.
    pub(crate) fn delete(&mut self, path: &Path) {
        let full = self.root.join(path);
        if disk::look(&full).is_some_and(|node| node.is_directory()) {
            for below in disk::walk(&full, &[]).keys() {
                self.release(&path.join(below));
            }
        } else {
            self.release(path);
        }
        disk::remove(&full);
    }

    /// Renames a file or directory to where nothing is.
    pub(crate) fn rename(&mut self, from: &Path, to: &Path) {
        fs::rename(self.root.join(from), self.root.join(to)).expect("renames");
        let moved: Vec<PathBuf> =
            self.written.keys().filter(|path| path.starts_with(from)).cloned().collect();
        for old in moved {
            let rest = old.strip_prefix(from).expect("a prefix").to_owned();
            let new = if rest.as_os_str().is_empty() { to.to_owned() } else { to.join(rest) };
            let hash = self.written.remove(&old).expect("is there");
            self.written.insert(new, hash);
        }
    }

    pub(crate) fn link(&mut self, path: &Path, text: &str) {
        self.delete(path);
        symlink(text, self.root.join(path)).expect("links");
    }

    pub(crate) fn set_mode(&self, path: &Path, mode: u32) {
        let permissions = fs::Permissions::from_mode(mode);
        fs::set_permissions(self.root.join(path), permissions).expect("sets the mode");
    }

    /// This user gives up what is at a path.
    fn release(&mut self, path: &Path) {
        self.written.remove(path);
        let is_backup = path.file_name().and_then(OsStr::to_str).is_some_and(names::is_backup);
        if is_backup
            && let Some(hash) = disk::look(&self.root.join(path)).and_then(|node| node.content())
        {
            self.displaced.remove(&hash);
        }
    }

    /// Notes which contents are no longer where this user wrote them, and looks for each of them.
    /// `known` are the contents of the repository.
    pub(crate) fn account(
        &mut self,
        tree: &Tree,
        known: &HashSet<Hash>,
        in_flight: bool,
    ) -> std::result::Result<(), String> {
        let gone: Vec<PathBuf> = self
            .written
            .iter()
            .filter(|(path, hash)| {
                tree.get(*path).and_then(super::disk::Node::content) != Some(**hash)
            })
            .map(|(path, _)| path.clone())
            .collect();
        let mut last_place = BTreeMap::new();
        for path in gone {
            let hash = self.written.remove(&path).expect("is there");
            self.displaced.insert(hash);
            last_place.insert(hash, path);
        }
        let mut places = disk::contents(&disk::walk(&self.root.join(".dsg/trash"), &[]));
        if in_flight {
            places.extend(disk::contents(&disk::walk(&self.root.join(".dsg/tx"), &[])));
        }
        let backups = tree.iter().filter(|(path, _)| {
            path.file_name().and_then(OsStr::to_str).is_some_and(names::is_backup)
        });
        places.extend(backups.filter_map(|(_, node)| node.content()));
        for hash in &self.displaced {
            if !places.contains(hash) && !known.contains(hash) {
                let at = last_place.get(hash).map(|path| path.display().to_string());
                return Err(format!(
                    "LOST: what {} wrote ({}), last at {:?}, is nowhere",
                    self.name,
                    disk::short(hash),
                    at.unwrap_or_default()
                ));
            }
        }
        Ok(())
    }

    /// What was agreed at a key; `None` when that is not certain.
    pub(crate) fn agreed(&self, key: &str) -> Option<Option<&Identity>> {
        (!self.uncertain.contains(key)).then(|| self.base.get(key))
    }
}

pub(crate) fn author(name: &str) -> String {
    format!("{name}@example.org")
}

/// Checks that what takes no part is as it was, or was moved to the trash whole because its directory
/// had to become a file.
pub(crate) fn untouched(
    client: &Client,
    before: &View,
    also: Option<&View>,
    after: &Tree,
) -> std::result::Result<(), String> {
    for path in &before.untouchable {
        // A path that took part when a cut off sync began may be finished by the next one.
        if also.is_some_and(|also| !also.untouchable.contains(path)) {
            continue;
        }
        let node = &before.tree[path];
        if after.get(path) == Some(node) {
            continue;
        }
        let key = names::key_of(path);
        let is_untracked = key.as_deref().is_none_or(|key| !names::tracked(client.data, key));
        let directory_is_gone = path
            .ancestors()
            .skip(1)
            .any(|folder| after.get(folder).is_some_and(|node| !node.is_directory()));
        let trash = disk::walk(&client.root.join(".dsg/trash"), &[]);
        let is_kept = trash.values().any(|kept| kept == node);
        if !(is_untracked && directory_is_gone && is_kept) {
            return Err(format!(
                "TOUCHED: {} of {}, which takes no part, was changed or removed (now {:?})",
                path.display(),
                client.name,
                after.get(path)
            ));
        }
    }
    Ok(())
}
