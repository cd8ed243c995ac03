//! Making a repository, and what its `repository.json` says.

use std::path::Path;

use dsg_core::snapshot::RepositoryId;
use foundation_runtime::clock::Clock;
use serde::{Deserialize, Serialize};

use super::layout::{
    ABORTED, DESCRIPTION, LEGACY_DIRECTORY, LOCK, OBJECTS, REPOSITORY_DIRECTORY, SNAPSHOTS,
    STAGING, TURN, UNFILED,
};
use super::storage::{GENERATIONS, Storage};
use crate::error::{Code, Error, Result};
use crate::system::{
    Directory, DirectoryEntry, SystemError, group, group_of, present, random, user,
};

/// The format of repositories that this version writes and reads.
pub(super) const FORMAT: u32 = 1;
/// The features that this version understands; a repository that requires another is refused.
pub(super) const FEATURES: &[&str] = &[GENERATIONS];

/// The name under which the control directory is built before it appears as a whole.
const UNFINISHED: &str = ".dsg-repository.new";

/// Who may read and write the files of a repository. The world never may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Only the owner: 0700 and 0600.
    Private,
    /// The owner and the directory's group: 2770 and 0660, the group is inherited.
    Group,
}

impl Access {
    /// Permission bits of a directory.
    #[must_use]
    pub fn directory_mode(self) -> u32 {
        match self {
            Self::Private => 0o700,
            Self::Group => 0o2770,
        }
    }

    /// Permission bits of a file.
    #[must_use]
    pub fn file_mode(self, executable: bool) -> u32 {
        match (self, executable) {
            (Self::Private, false) => 0o600,
            (Self::Private, true) => 0o700,
            (Self::Group, false) => 0o660,
            (Self::Group, true) => 0o770,
        }
    }
}

/// What `repository.json` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// The version of the format.
    pub format: u32,
    /// Drawn when the repository was made; a project remembers it.
    pub id: RepositoryId,
    /// What a program must understand to read it.
    pub features: Vec<String>,
    /// Who may read and write.
    pub access: Access,
    /// When it was made, UTC.
    pub created: String,
    /// How its states are kept; not written for plain files.
    #[serde(default, skip_serializing_if = "Storage::is_plain")]
    pub storage: Storage,
    /// The ZFS pool in which it was made: for the configuration that a clone writes, and nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
}

impl Description {
    /// Reads and checks `repository.json`.
    ///
    /// # Errors
    /// When it is unreadable or made by a newer dsg.
    pub(super) fn read(control: &Directory) -> Result<Self> {
        let damaged = |why: String| {
            Error::new(
                Code::RepositoryFormat,
                format!("{} can't be understood", control.path_of(DESCRIPTION).display()),
            )
            .because(why)
            .next("restore that file from a backup of the repository; nothing was changed")
        };
        let bytes = control.read_small(DESCRIPTION, 64 * 1024)?;
        let value: serde_json::Value =
            serde_json::from_slice(&bytes).map_err(|e| damaged(e.to_string()))?;
        let format = value.get("format").and_then(serde_json::Value::as_u64).unwrap_or(0);
        if format > u64::from(FORMAT) {
            return Err(too_new(&format!("its format is {format}, this dsg knows up to {FORMAT}")));
        }
        let features = value.get("features").and_then(serde_json::Value::as_array);
        let mut features = features.into_iter().flatten().filter_map(serde_json::Value::as_str);
        if let Some(feature) = features.find(|feature| !FEATURES.contains(feature)) {
            return Err(too_new(&format!("it requires the feature `{feature}`")));
        }
        let description: Self =
            serde_json::from_value(value).map_err(|e| damaged(e.to_string()))?;
        if description.format != FORMAT {
            return Err(damaged(format!("format {} does not exist", description.format)));
        }
        description.check()?;
        Ok(description)
    }

    /// Whether this version can work with a repository of this kind.
    ///
    /// # Errors
    /// When it was made by a newer dsg.
    pub fn check(&self) -> Result<()> {
        let description = self;
        if description.format > FORMAT {
            let format = description.format;
            return Err(too_new(&format!("its format is {format}, this dsg knows up to {FORMAT}")));
        }
        match description.features.iter().find(|feature| !FEATURES.contains(&feature.as_str())) {
            Some(feature) => Err(too_new(&format!("it requires the feature `{feature}`"))),
            None => Ok(()),
        }
    }
}

pub(super) fn too_new(why: &str) -> Error {
    Error::new(Code::RepositoryFormat, "the repository needs a newer dsg")
        .because(why)
        .next("install the version of dsg that your team uses; `dsg --version` shows this one")
}

/// What [`create`] found or made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    /// It was made now.
    New,
    /// An empty repository was there already, from an earlier attempt.
    WasThere,
}

/// Makes a repository at `root`, whose parent must exist: a mount point that is missing is an
/// unmounted server, not an invitation. Repeats safely after a crash: the control directory appears
/// whole or not at all.
///
/// # Errors
/// When something else is there, or the disk or the permissions say no.
pub fn create(root: &Path, access: Access, clock: &dyn Clock) -> Result<Created> {
    create_with(root, &Making { access, storage: Storage::Plain, pool: None, id: None, clock })
}

/// What a repository is made with.
#[derive(Clone, Copy)]
pub(super) struct Making<'a> {
    pub(super) access: Access,
    pub(super) storage: Storage,
    pub(super) pool: Option<&'a str>,
    /// Its id, if it is a part of a repository that has one.
    pub(super) id: Option<RepositoryId>,
    pub(super) clock: &'a dyn Clock,
}

/// As [`create`], with more to choose.
pub(super) fn create_with(root: &Path, making: &Making<'_>) -> Result<Created> {
    let Making { access, storage, clock, .. } = *making;
    let (parent, name) = parent_and_name(root)?;
    let parent = Directory::open(parent).map_err(|error| parent_missing(parent, &error))?;
    let made = parent.directory_made(name, access.directory_mode());
    let directory = made.map_err(|error| closed(root, &parent, error))?;
    let control = present(directory.directory(REPOSITORY_DIRECTORY));
    let control = control.map_err(|error| closed(root, &parent, error))?;
    if let Some(control) = control {
        return reuse(root, &control);
    }
    let entries = directory.entries().map_err(|error| closed(root, &parent, error))?;
    refuse_foreign(root, &entries)?;
    if let Err(error) = inherit_group(&directory, &parent, access) {
        parent.remove_directory_if_empty(name)?;
        return Err(error);
    }
    // Made by an attempt that was cut off, or by hand and empty: nobody else has anything in it.
    let status = directory.own_status()?;
    if status.mode != access.directory_mode() && status.owner == user() {
        directory.set_own_mode(access.directory_mode())?;
    }
    directory.remove_tree(UNFINISHED)?;
    let control = directory.directory_made(UNFINISHED, access.directory_mode())?;
    for part in [SNAPSHOTS, OBJECTS, STAGING, ABORTED, UNFILED] {
        control.directory_made(part, access.directory_mode())?.sync()?;
    }
    for lock in [LOCK, TURN] {
        control.write_new(lock, b"", access.file_mode(false))?;
    }
    let description = Description {
        format: FORMAT,
        id: making.id.map_or_else(new_id, Ok)?,
        features: storage.features(),
        access,
        created: clock.now().to_string(),
        storage,
        pool: making.pool.map(str::to_owned),
    };
    let mut text = serde_json::to_vec_pretty(&description)
        .map_err(|e| Error::new(Code::Disk, "could not write repository.json").because(e))?;
    text.push(b'\n');
    control.write_new(DESCRIPTION, &text, access.file_mode(false))?;
    control.sync()?;
    directory.rename_new_locked(UNFINISHED, &directory, REPOSITORY_DIRECTORY)?;
    directory.sync()?;
    parent.sync()?;
    Ok(Created::New)
}

/// Gives what was just made to the group of the directory above, as a directory with the setgid bit
/// does by itself. A group other than our own was chosen by somebody, and stays.
pub(super) fn inherit_group(
    directory: &Directory,
    parent: &Directory,
    access: Access,
) -> Result<()> {
    let (wanted, current) = (group_of(parent, "")?, group_of(directory, "")?);
    if access != Access::Group || current == wanted || current != group() {
        return Ok(());
    }
    directory.set_own_group(wanted).map_err(|error| {
        if !error.is_denied() {
            return error.into();
        }
        let above = parent.path().display();
        Error::new(
            Code::RepositoryDenied,
            format!("a repository in {above} can't be given to the group of that directory"),
        )
        .because(format!("you are not a member of the group with the number {wanted}"))
        .next(format!("ask an administrator to `chgrp` {above} to the team's group and to `chmod g+s` it; or leave `--access group` out"))
    })
}

fn new_id() -> Result<RepositoryId> {
    let mut id = [0; 16];
    random(&mut id)?;
    Ok(RepositoryId::from_bytes(id))
}

pub(super) fn parent_and_name(root: &Path) -> Result<(&Path, &std::ffi::OsStr)> {
    match (root.parent(), root.file_name()) {
        (Some(parent), Some(name)) => Ok((parent, name)),
        _ => Err(Error::new(
            Code::Configuration,
            format!("{} can't be a repository", root.display()),
        )
        .next("give a mountpoint and a name: the repository is the directory mountpoint/name")),
    }
}

pub(super) fn parent_missing(parent: &Path, error: &crate::system::SystemError) -> Error {
    if error.is_absent() {
        Error::new(Code::RepositoryMissing, format!("{} does not exist", parent.display()))
            .because("the directory that holds repositories must be there before one is made in it")
            .next(format!("mount it, or make it: mkdir -p {}", parent.display()))
    } else {
        Error::new(Code::RepositoryDenied, format!("{} can't be opened", parent.display()))
            .because(&error.source)
            .next("ask the owner of that directory for access")
    }
}

/// It is there, or is to be, where we may do nothing.
fn closed(root: &Path, parent: &Directory, error: SystemError) -> Error {
    if !error.is_denied() {
        return error.into();
    }
    let (name, root) = (root.file_name().unwrap_or_default(), root.display());
    let (what, next) = match present(parent.status(name)) {
        Ok(None) => (
            format!("you may not make {root}"),
            "ask the owner of the directory above for access, or choose another mountpoint",
        ),
        _ => (
            format!("{root} is there already, and you may not open it"),
            "if it is the repository of your team, ask its owner for access, then use `dsg clone`; else choose another name",
        ),
    };
    Error::new(Code::RepositoryDenied, what).because(&error.source).next(next)
}

/// An earlier attempt may have ended between making the repository and the first sync.
fn reuse(root: &Path, control: &Directory) -> Result<Created> {
    Description::read(control)?;
    let snapshots = control.directory(SNAPSHOTS)?;
    if snapshots.entries()?.is_empty() {
        return Ok(Created::WasThere);
    }
    Err(Error::new(
        Code::RepositoryExists,
        format!("{} is a repository with history", root.display()),
    )
    .next("to join it, use `dsg clone`; to start another, choose another name"))
}

fn refuse_foreign(root: &Path, entries: &[DirectoryEntry]) -> Result<()> {
    if entries.iter().any(|entry| entry.name == LEGACY_DIRECTORY) {
        return Err(Error::new(
            Code::RepositoryExists,
            format!("{} is a repository of the old Python dsg", root.display()),
        )
        .because("it is not touched, so that its history stays as it is")
        .next("choose another name or mountpoint for the new repository"));
    }
    match entries.iter().find(|entry| entry.name != UNFINISHED) {
        None => Ok(()),
        Some(entry) => {
            Err(Error::new(Code::RepositoryExists, format!("{} is not empty", root.display()))
                .because(format!("it holds {}", entry.name.to_string_lossy()))
                .next("choose another name or mountpoint, or move those files away"))
        }
    }
}
