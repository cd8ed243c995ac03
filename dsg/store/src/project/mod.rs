//! The project: a working tree with `.dsgconfig.yml` at its root and `.dsg` beside it.

mod apply;
mod attach;
mod beside;
mod journal;
mod legacy;
mod state;
pub mod trash;
mod trees;
mod unfinished;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use dsg_core::config::{PROJECT_FILE, ProjectFile, parse_project};
use dsg_core::conflict::Resolutions;
use dsg_core::entry::Moment;
use dsg_core::snapshot::TransactionId;
use dsg_core::tracked::{RuleLists, Rules};
use foundation_runtime::clock::Clock;

pub use apply::Skipped;
pub(crate) use apply::{Applied, apply};
pub use attach::{attach, reattach, write_configuration};
pub use beside::Kept;
pub(crate) use beside::backup_name;
pub(crate) use journal::{Journal, LocalOperation, OldFile, StagedFile};
pub use state::{CachedRoot, State, StateFile};
pub use trees::{BadObject, Trees};
pub use unfinished::unfinished_sync;

use crate::error::{Code, Error, Result};
use crate::repository::{self, LocalRepository, Repository};
use crate::scan::Validity;
use crate::system::{Directory, FileLock, Kind, lock_file, machine_name, present, random};

/// The directory beside the configuration.
pub const PROJECT_DIRECTORY: &str = ".dsg";
/// Where downloads wait, below `.dsg`.
pub(crate) const TRANSACTIONS: &str = "tx";

const LOCK: &str = "lock";
const STAMP: &str = "stamp";
const RESOLUTIONS: &str = "resolutions.json";
const MOUNTS: &str = "mounts.json";
const CONFIG_BYTES_MAX: u64 = 1 << 20;
const NOTE_BYTES_MAX: u64 = 64 << 20;

/// A project, opened for reading.
pub struct Project {
    /// Its root.
    pub root: Directory,
    /// What `.dsgconfig.yml` says.
    pub file: ProjectFile,
    /// Which paths take part.
    pub rules: Rules,
}

/// The directory at or above `start` that holds `.dsgconfig.yml`.
#[must_use]
pub fn find_root(start: &Path) -> Option<PathBuf> {
    start.ancestors().find(|folder| folder.join(PROJECT_FILE).is_file()).map(Path::to_owned)
}

/// Where a repository is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a directory of this machine.
    Here(PathBuf),
    /// In a directory of another.
    There {
        /// The machine, as `ssh` knows it.
        host: String,
        /// The directory there.
        path: String,
    },
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Here(path) => write!(f, "{}", path.display()),
            Self::There { host, path } => write!(f, "{host}:{path}"),
        }
    }
}

impl Project {
    /// Opens the project at `root`.
    ///
    /// # Errors
    /// When there is none, or its configuration is wrong.
    pub fn open(root: &Path) -> Result<Self> {
        let directory = Directory::open(root)?;
        let Some(bytes) = present(directory.read_small(PROJECT_FILE, CONFIG_BYTES_MAX))? else {
            refuse_link(&directory, PROJECT_FILE)?;
            return Err(no_project(root));
        };
        let text = String::from_utf8(bytes).map_err(|_| {
            Error::new(
                Code::Configuration,
                format!("{} is no UTF-8 text", root.join(PROJECT_FILE).display()),
            )
            .next("save it as UTF-8")
        })?;
        let file = parse_project(&text).map_err(|error| configuration_error(&error))?;
        let rules = rules_of(&file)?;
        Ok(Self { root: directory, file, rules })
    }

    /// Where the repository is, if this version can work with it.
    ///
    /// # Errors
    /// [`Code::NotSupported`] with what to do instead.
    pub fn place(&self) -> Result<Place> {
        let machine = machine_name();
        let support = self.file.config.support(&[&machine]);
        let supported = support.map_err(|error| {
            Error::new(Code::NotSupported, error.to_string()).next(error.next_step())
        })?;
        Ok(match supported.host {
            Some(host) => Place::There { host, path: supported.path },
            None => Place::Here(PathBuf::from(supported.path)),
        })
    }

    /// Opens the repository on this machine on behalf of `author`.
    ///
    /// # Errors
    /// As [`repository::open`]; and when it is on another machine.
    pub fn repository(&self, author: &str, clock: Arc<dyn Clock>) -> Result<Box<dyn Repository>> {
        repository::open(&self.place_here()?, author, clock)
    }

    /// Opens the repository's directory, for questions that only a directory of this machine can
    /// answer. Of a repository of generations that is its newest state, which can't be changed.
    ///
    /// # Errors
    /// As [`LocalRepository::open`]; and when it is on another machine.
    pub fn local_repository(&self, author: &str, clock: Arc<dyn Clock>) -> Result<LocalRepository> {
        LocalRepository::open(&self.place_here()?, author, clock)
    }

    fn place_here(&self) -> Result<PathBuf> {
        match self.place()? {
            Place::Here(path) => Ok(path),
            place @ Place::There { .. } => Err(Error::new(
                Code::NotSupported,
                format!("the repository is on another machine: {place}"),
            )
            .because("this has to be done on the machine that has its files")
            .next("log in there and run the command in a clone whose .dsgconfig.yml says `host: localhost`")),
        }
    }

    /// The project's own directory; `None` before it was attached to a repository.
    ///
    /// # Errors
    /// When it can't be opened.
    pub fn dsg(&self) -> Result<Option<Directory>> {
        let dsg = present(self.root.directory(PROJECT_DIRECTORY))?;
        if dsg.is_none() {
            refuse_link(&self.root, PROJECT_DIRECTORY)?;
        }
        Ok(dsg)
    }

    /// The project's own directory, which must be there.
    ///
    /// # Errors
    /// When the project was never attached to a repository.
    pub fn dsg_attached(&self) -> Result<Directory> {
        match self.dsg()? {
            Some(dsg) if present(dsg.status("state"))?.is_some() => Ok(dsg),
            _ => Err(Error::new(
                Code::NoProject,
                format!("{} is not connected to its repository yet", self.root.path().display()),
            )
            .because("there is a configuration, but nothing was ever synced from here")
            .next(
                "`dsg clone` brings the repository's files here; `dsg init` makes a new repository",
            )),
        }
    }

    /// Makes the project's own directory, moving aside what the old Python tool left there.
    ///
    /// # Errors
    /// When the disk says no.
    pub fn make_dsg(&self) -> Result<Directory> {
        let dsg = self.root.directory_made(PROJECT_DIRECTORY, 0o700)?;
        legacy::move_aside(&dsg)?;
        self.root.sync()?;
        Ok(dsg)
    }

    /// The configuration as a snapshot keeps it.
    #[must_use]
    pub fn configuration(&self) -> serde_json::Map<String, serde_json::Value> {
        match self.rules.to_value() {
            serde_json::Value::Object(map) => map,
            _ => serde_json::Map::new(),
        }
    }

    pub(crate) fn validity(&self, state: Option<&State>) -> Validity {
        Validity {
            rules: self.rules.fingerprint(),
            cached: state.and_then(|state| state.cached).map(|cached| cached.hash),
        }
    }
}

/// No link is followed, so what is behind one counts as absent; here that would say the wrong thing.
fn refuse_link(root: &Directory, name: &str) -> Result<()> {
    match present(root.status(name))? {
        Some(status) if status.kind == Kind::Link => {
            let place = root.path_of(name);
            Err(Error::new(Code::Configuration, format!("{} is a link", place.display()))
                .because("dsg follows no link inside of a project")
                .next("put what it leads to in its place, not a link to it"))
        }
        _ => Ok(()),
    }
}

/// The error for a place without a project.
#[must_use]
pub fn no_project(start: &Path) -> Error {
    Error::new(Code::NoProject, format!("there is no dsg project at {} or above", start.display()))
        .because(format!("no {PROJECT_FILE} was found"))
        .next("`dsg init` starts a project here; `dsg clone REPOSITORY` joins one")
}

/// A configuration error as the rest of the program knows errors.
#[must_use]
pub fn configuration_error(error: &dsg_core::config::ConfigError) -> Error {
    Error::new(Code::Configuration, error.to_string())
}

fn rules_of(file: &ProjectFile) -> Result<Rules> {
    let config = &file.config;
    let lists = RuleLists {
        data_dirs: config.data_dirs.clone(),
        ignore_paths: config.ignore.paths.clone(),
        ignore_names: config.ignore.names.clone(),
        ignore_suffixes: config.ignore.suffixes.clone(),
    };
    Rules::new(&lists).map_err(|error| {
        Error::new(Code::Configuration, format!("the rules in {PROJECT_FILE} don't work"))
            .because(error)
            .next("correct that rule; docs/configuration.md shows what is possible")
    })
}

/// Takes the project's writer lock: one dsg at a time changes a project.
///
/// # Errors
/// [`Code::ProjectBusy`] when another one has it.
pub fn lock_project(dsg: &Directory) -> Result<FileLock> {
    match lock_file(dsg, LOCK, 0o600, false)? {
        Some(lock) => Ok(lock),
        None => Err(Error::new(Code::ProjectBusy, "another dsg is working in this project")
            .because("its lock is held by a running process")
            .next("wait until it is done; the lock goes away with that process, nothing has to be removed")),
    }
}

/// The lock if it is free.
pub(crate) fn try_lock_project(dsg: &Directory) -> Option<FileLock> {
    lock_file(dsg, LOCK, 0o600, false).ok().flatten()
}

/// Touches the stamp file and returns its time: what "now" is on this file system.
pub(crate) fn stamp(dsg: &Directory) -> crate::system::Result<Moment> {
    let file = dsg.open_in_place(STAMP, 0o600)?;
    file.write_all_at(b"\n", 0)?;
    Ok(file.status()?.changed)
}

/// As [`stamp`], for those who change nothing. Where nothing can be written it is the beginning of time:
/// then everything that is looked at now counts as just changed, and nothing is concluded from its time.
pub(crate) fn stamp_if_allowed(dsg: &Directory) -> Result<Moment> {
    match stamp(dsg) {
        Err(error) if error.is_denied() => Ok(Moment::default()),
        other => Ok(other?),
    }
}

/// Draws a transaction id.
pub(crate) fn new_transaction() -> Result<TransactionId> {
    let mut bytes = [0; 8];
    random(&mut bytes)?;
    Ok(TransactionId::from_bytes(bytes))
}

/// The resolutions that wait to be used.
///
/// # Errors
/// When they can't be read.
pub fn resolutions(dsg: &Directory) -> Result<Resolutions> {
    let Some(bytes) = present(dsg.read_small(RESOLUTIONS, NOTE_BYTES_MAX))? else {
        return Ok(Resolutions::default());
    };
    serde_json::from_slice(&bytes).map_err(|error| {
        Error::new(Code::ProjectDamaged, format!("{RESOLUTIONS} in .dsg can't be read"))
            .because(error)
            .next(format!("remove .dsg/{RESOLUTIONS} and choose again"))
    })
}

/// Keeps resolutions until they are used.
///
/// # Errors
/// When the disk says no.
pub fn save_resolutions(dsg: &Directory, resolutions: &Resolutions) -> Result<()> {
    if resolutions.is_empty() {
        dsg.remove_file_if_there(RESOLUTIONS)?;
        return Ok(());
    }
    let text = serde_json::to_vec_pretty(resolutions)
        .map_err(|e| Error::new(Code::Disk, "could not write the resolutions").because(e))?;
    Ok(dsg.replace_file(RESOLUTIONS, &text, 0o600)?)
}

/// Data directories that were on a file system of their own when they were last seen.
pub(crate) fn mounts(dsg: &Directory) -> Result<Vec<String>> {
    let Some(bytes) = present(dsg.read_small(MOUNTS, NOTE_BYTES_MAX))? else {
        return Ok(Vec::new());
    };
    // A damaged note is no note: it only sharpens a guard.
    Ok(serde_json::from_slice(&bytes).unwrap_or_default())
}

pub(crate) fn save_mounts(dsg: &Directory, mounts: &[String]) -> Result<()> {
    let text = serde_json::to_vec(mounts)
        .map_err(|e| Error::new(Code::Disk, "could not write the list of mounts").because(e))?;
    Ok(dsg.replace_file(MOUNTS, &text, 0o600)?)
}
