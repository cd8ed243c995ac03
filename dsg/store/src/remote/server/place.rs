//! Where a client's repository lies, if it may be reached.
//!
//! With a root, everything is opened by handles below it that follow no link, so that neither `..`
//! nor a link nor somebody who swaps one in can lead outside. A repository inside a repository is
//! none: its files are somebody's data, and data must not become a repository.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use dsg_core::config::{RepositoryConfig, ZfsMode};
use foundation_runtime::clock::Clock;

use crate::error::{Code, Error, Result};
use crate::remote::message::{ClientHello, ListedRepository};
use crate::repository::{
    LocalRepository, Plan, REPOSITORY_DIRECTORY, Repository, newest_below, open, plan,
};
use crate::system::{Directory, Kind, present};

/// The most repositories that are listed.
const LISTED_MAX: usize = 10_000;

/// A directory that the client named.
pub(super) struct Place {
    /// The root and the path below it.
    below: Option<(Directory, PathBuf)>,
    /// Where it is, for messages.
    path: PathBuf,
}

impl Place {
    pub(super) fn find(root: Option<&Path>, wanted: &str) -> Result<Self> {
        if wanted.is_empty() || wanted.contains('\0') {
            return Err(Error::new(Code::Protocol, "the client names no directory"));
        }
        let wanted = Path::new(wanted);
        let Some(root) = root else {
            // A path that is not absolute begins where ssh begins: in the user's home.
            let path = std::env::current_dir().unwrap_or_default().join(wanted);
            return Ok(Self { below: None, path });
        };
        let directory = Directory::open(root).map_err(|error| {
            Error::new(
                Code::RepositoryMissing,
                "the directory that holds the repositories can't be opened",
            )
            .because(&error.source)
            .next("ask the data manager: `--root` of `dsg serve` in authorized_keys names it")
        })?;
        let real = root.canonicalize().unwrap_or_else(|_| root.to_owned());
        let below = match wanted.strip_prefix(root).or_else(|_| wanted.strip_prefix(&real)) {
            Ok(below) => below,
            Err(_) if wanted.is_relative() => wanted,
            Err(_) => return Err(outside(wanted)),
        };
        let mut path = PathBuf::new();
        for component in below.components() {
            match component {
                Component::Normal(name) => path.push(name),
                Component::CurDir => {}
                _ => return Err(outside(wanted)),
            }
        }
        Ok(Self { path: real.join(&path), below: Some((directory, path)) })
    }

    pub(super) fn open(&self, author: &str, clock: &Arc<dyn Clock>) -> Result<Box<dyn Repository>> {
        let Some((root, path)) = &self.below else {
            return open(&self.path, author, Arc::clone(clock));
        };
        self.refuse_nested(root, path)?;
        if is_newest(root, path) {
            // A link that leads into the volumes beside it, and nowhere else.
            return open(&self.path, author, Arc::clone(clock));
        }
        let directory = directory_at(root, path);
        let clock = Arc::clone(clock);
        let local = LocalRepository::open_directory(directory, &self.path, author, clock)?;
        Ok(Box::new(local))
    }

    /// What has to be made for the repository that a client wants here.
    pub(super) fn plan(&self, hello: &ClientHello) -> Result<Plan> {
        if let Some((root, path)) = &self.below {
            self.refuse_nested(root, path)?;
            if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty())
                && present(root.directory(parent))?.is_none()
            {
                return Err(Error::new(
                    Code::RepositoryMissing,
                    format!(
                        "{} does not exist",
                        self.path.parent().unwrap_or(&self.path).display()
                    ),
                )
                .because(
                    "the directory that holds repositories must be there before one is made in it",
                )
                .next("ask the data manager to make it"));
            }
        }
        if let Some((root, path)) = &self.below
            && !is_newest(root, path)
            && let (Some(above), Some(name)) = (path.parent(), path.file_name())
            && let Ok(above) = directory_at(root, above)
            && present(above.status(name))?.is_some_and(|status| status.kind == Kind::Link)
        {
            return Err(outside(&self.path).because("it is a link"));
        }
        plan(&self.configuration(hello)?, &self.path)
    }

    /// What a configuration on this machine would say of the repository.
    fn configuration(&self, hello: &ClientHello) -> Result<RepositoryConfig> {
        let host = "localhost".to_owned();
        let parent = self.path.parent().unwrap_or(&self.path);
        let mountpoint = parent.to_string_lossy().into_owned();
        match hello.kind.as_str() {
            "" | "posix" | "xfs" => Ok(RepositoryConfig::Posix { host, mountpoint }),
            "btrfs" => Ok(RepositoryConfig::Btrfs { host, mountpoint }),
            "zfs" => {
                let is_name = |c: char| c.is_ascii_alphanumeric() || "_-.:".contains(c);
                let pool = hello.pool.clone();
                if !pool.starts_with(|c: char| c.is_ascii_alphabetic())
                    || !pool.chars().all(is_name)
                {
                    return Err(Error::new(Code::Usage, "the client names no ZFS pool")
                        .next("correct `pool` in .dsgconfig.yml"));
                }
                let mode = match hello.generations {
                    true => ZfsMode::Generations,
                    false => ZfsMode::InPlace,
                };
                Ok(RepositoryConfig::Zfs { host, pool, mountpoint, mode })
            }
            _ => Err(Error::new(Code::Protocol, "the client wants a type that is unknown here")
                .next("install the same version of dsg on both sides")),
        }
    }

    fn refuse_nested(&self, root: &Directory, path: &Path) -> Result<()> {
        for above in path.ancestors().skip(1) {
            let above = match above.as_os_str().is_empty() {
                true => Some(root.again()?),
                false => present(root.directory(above))?,
            };
            if let Some(above) = above
                && present(above.status(REPOSITORY_DIRECTORY))?.is_some()
            {
                return Err(outside(&self.path).because("it lies inside of a repository"));
            }
        }
        let hidden = |name: &OsStr| name.as_encoded_bytes().starts_with(b".");
        if path.iter().any(hidden) {
            return Err(outside(&self.path).because("a part of the path is hidden"));
        }
        Ok(())
    }

    /// The repositories of the directory, by name.
    pub(super) fn list(&self) -> Result<Vec<ListedRepository>> {
        let directory = match &self.below {
            Some((root, path)) => directory_at(root, path),
            None => Directory::open(&self.path),
        };
        let directory = directory.map_err(|error| {
            Error::new(Code::RepositoryMissing, format!("{} can't be read", self.path.display()))
                .because(&error.source)
                .next("check the path; if the server is unmounted, mount it")
        })?;
        super::super::list(&directory, LISTED_MAX)
    }
}

/// Whether a path is the link of a repository of generations: it leads to a volume beside it.
fn is_newest(root: &Directory, path: &Path) -> bool {
    let (Some(above), Some(name)) = (path.parent(), path.file_name()) else { return false };
    let Ok(above) = directory_at(root, above) else { return false };
    newest_below(&above, name).is_some()
}

fn directory_at(root: &Directory, path: &Path) -> crate::system::Result<Directory> {
    if path.as_os_str().is_empty() { root.again() } else { root.directory(path) }
}

fn outside(path: &Path) -> Error {
    Error::new(Code::RoleDenied, format!("{} can't be reached with this key", path.display()))
        .because("the key is limited to a directory of the server")
        .next("check the path; `dsg list-repos` shows what can be reached")
}
