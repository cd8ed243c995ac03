//! Volumes that are datasets below one dataset of the repository's own.
//!
//! A state is cloned from the snapshot of the one before. When people see it, it is promoted: then it
//! owns the snapshots of all states before it, and older datasets can go.

use std::path::{Path, PathBuf};

use super::super::layout::REPOSITORY_DIRECTORY;
use super::volumes::{Retired, Volume, Volumes};
use super::zfs;
use crate::error::{Code, Error, Result};
use crate::system::{Directory, FileLock, lock_file, mount_of, present};

/// In the control directory: who holds it changes datasets.
const CHANGES_LOCK: &str = "zfs";

/// Less room than this and the next state may not fit.
pub(super) const ROOM_BYTES_MIN: u64 = 16 << 20;

/// The datasets of a repository.
pub(super) struct ZfsVolumes {
    /// The dataset that holds them.
    dataset: String,
    /// Where it is mounted.
    directory: Directory,
}

impl ZfsVolumes {
    /// Finds the dataset that is mounted at `directory`.
    pub(super) fn open(directory: Directory) -> Result<Self> {
        let dataset = mounted_dataset(&directory)?;
        Ok(Self { dataset, directory })
    }

    /// Until it is dropped, nobody else changes datasets of this repository.
    ///
    /// ZFS in user space hangs for ever when datasets are cloned, promoted and mounted at the same
    /// moment, and the kernel's does all of that one after the other anyway. Who holds it waits for
    /// nobody but `zfs`, which keeps it if we are killed meanwhile.
    fn changing(&self) -> Result<Option<FileLock>> {
        let control = self.directory.directory(REPOSITORY_DIRECTORY)?;
        let mode = control.own_status()?.mode & 0o666;
        let lock = lock_file(&control, CHANGES_LOCK, mode, true)?;
        Ok(lock.map(FileLock::inherited).transpose()?)
    }

    fn dataset_of(&self, name: &str) -> String {
        format!("{}/{name}", self.dataset)
    }

    fn snapshot_of(&self, name: &str, number: u64) -> String {
        format!("{}/{name}@s{number}", self.dataset)
    }

    /// A dataset that is there but not mounted would show the empty directory below it.
    fn mounted(&self, name: &str, lock: &FileLock) -> Result<()> {
        let dataset = self.dataset_of(name);
        let is_mounted = || -> Result<bool> {
            let Some(directory) = present(self.directory.directory(name))? else {
                return Ok(false);
            };
            Ok(mount_of(&directory)?.is_some_and(|mount| mount.source == dataset))
        };
        if is_mounted()? {
            return Ok(());
        }
        zfs::mount(&dataset, Some(lock))?;
        if is_mounted()? {
            return Ok(());
        }
        Err(not_mounted(&dataset, &self.directory.path_of(name)))
    }

    /// Whether a dataset takes a file. ZFS in user space can't tell what changed, and says of every
    /// dataset that it can be written.
    fn can_be_changed(&self, name: &str) -> Result<bool> {
        const PROBE: &str = ".dsg-probe";
        let Some(directory) = present(self.directory.directory(name))? else { return Ok(false) };
        if mount_of(&directory)?.is_none_or(|mount| mount.source != self.dataset_of(name)) {
            return Ok(false);
        }
        match directory.create_file(PROBE, 0o600) {
            Err(error) if error.is_denied() => Ok(false),
            Err(error) => Err(error.into()),
            Ok(_) => Ok(directory.remove_file_if_there(PROBE)?),
        }
    }

    /// ZFS leaves the directories behind at which datasets were mounted.
    fn remove_mount_point(&self, name: &str) -> Result<()> {
        match present(self.directory.remove_directory_if_empty(name)) {
            // Still mounted for somebody who has a mount namespace of their own.
            Err(error) if error.is_busy() => Ok(()),
            other => Ok(other.map(|_| ())?),
        }
    }
}

/// The dataset that is mounted exactly at `directory`.
///
/// # Errors
/// When it is no mount point of ZFS: then a write would go somewhere else.
pub(super) fn mounted_dataset(directory: &Directory) -> Result<String> {
    let real = std::fs::canonicalize(directory.path()).unwrap_or_default();
    match mount_of(directory)? {
        Some(mount) if mount.is_zfs() && mount.point == real => Ok(mount.source),
        other => {
            let found = other.map_or_else(
                || "nothing is known of its mount".to_owned(),
                |mount| {
                    format!(
                        "it belongs to {} ({}), mounted at {}",
                        mount.source,
                        mount.kind,
                        mount.point.display()
                    )
                },
            );
            Err(Error::new(
                Code::RepositoryMissing,
                format!("no ZFS dataset is mounted at {}", directory.path().display()),
            )
            .because(found)
            .next("nothing was changed. Mount the dataset (`zfs mount -a`); if this is a plain copy of the repository, take the line \"storage\" out of .dsg-repository/repository.json"))
        }
    }
}

fn not_mounted(dataset: &str, path: &Path) -> Error {
    Error::new(Code::RepositoryMissing, format!("{dataset} is not mounted at {}", path.display()))
        .because("only root may mount on Linux, or something is in the way there")
        .next("ask an administrator to `zfs mount` it, then run the command again")
}

/// Refuses a dataset that can't be written.
pub(super) fn check_dataset(dataset: &str) -> Result<()> {
    let Some(found) = zfs::properties(dataset)? else {
        return Err(Error::new(Code::RepositoryMissing, format!("there is no dataset {dataset}"))
            .next("nothing was changed; check the pool with `zpool status`"));
    };
    if !found.mounted {
        return Err(not_mounted(dataset, Path::new(&found.mountpoint)));
    }
    if found.read_only {
        return Err(Error::new(Code::RepositoryDenied, format!("{dataset} is read only"))
            .because("its property readonly is on")
            .next(format!(
                "nothing was changed. If that is not meant, `zfs set readonly=off {dataset}`"
            )));
    }
    match found.available {
        Some(room) if room < ROOM_BYTES_MIN => Err(Error::new(
            Code::DiskFull,
            format!("{dataset} has room for {room} bytes only"),
        )
        .because("the pool is full, or a quota is reached")
        .next(
            "nothing was changed; free some space or raise the quota (`zfs get quota,refquota`)",
        )),
        _ => Ok(()),
    }
}

impl Volumes for ZfsVolumes {
    fn check(&self) -> Result<()> {
        check_dataset(&self.dataset)
    }

    fn settle(&self, newest: &Volume, lock: &FileLock) -> Result<Vec<String>> {
        let _changing = self.changing()?;
        let below = format!("{}/", self.dataset);
        let found = zfs::list(&self.dataset)?;
        let named =
            found.iter().filter_map(|found| Some((found, found.name.strip_prefix(&below)?)));
        let mut names = Vec::new();
        for (found, name) in named {
            let is_newest = name == newest.name();
            if is_newest && found.origin.as_deref().is_some_and(|origin| origin.starts_with(&below))
            {
                zfs::promote(&found.name, lock)?;
            }
            if !is_newest {
                names.push(name.to_owned());
            }
        }
        for entry in self.directory.entries()? {
            let name = entry.name.to_string_lossy();
            if Volume::parse(&name).is_some()
                && *name != newest.name()
                && !names.iter().any(|known| *known == *name)
            {
                self.remove_mount_point(&name)?;
            }
        }
        Ok(names)
    }

    fn begin(&self, base: &Volume, name: &str, lock: &FileLock) -> Result<()> {
        let _changing = self.changing()?;
        zfs::clone_of(&self.snapshot_of(&base.name(), base.number), &self.dataset_of(name), lock)?;
        self.mounted(name, lock)
    }

    fn seal(&self, name: &str, volume: &Volume, lock: &FileLock) -> Result<()> {
        let _changing = self.changing()?;
        zfs::set_read_only(&self.dataset_of(name), lock)?;
        zfs::snapshot(&self.snapshot_of(name, volume.number), lock)
    }

    fn lead(&self, newest: &Volume, lock: &FileLock) -> Result<()> {
        let _changing = self.changing()?;
        zfs::promote(&self.dataset_of(&newest.name()), lock)
    }

    fn discard(&self, name: &str, lock: &FileLock) -> Result<()> {
        let _changing = self.changing()?;
        // Its own snapshot by its own name, never "and all that hangs on it".
        if let Some(volume) = Volume::parse(name) {
            let snapshot = self.snapshot_of(name, volume.number);
            if zfs::has_snapshot(&snapshot)? {
                zfs::destroy(&snapshot, true, lock)?;
            }
        }
        zfs::destroy(&self.dataset_of(name), true, lock)?;
        self.remove_mount_point(name)
    }

    fn retire(&self, volume: &Volume, lock: &FileLock) -> Result<Retired> {
        let _changing = self.changing()?;
        let name = volume.name();
        let dataset = self.dataset_of(&name);
        let Some(found) = zfs::properties(&dataset)? else { return Ok(Retired::Gone) };
        // It was made read only before anybody saw it.
        let changed = match &found.origin {
            Some(origin) if !found.read_only => match zfs::differs(origin, &dataset)? {
                Some(differs) => differs,
                None => self.can_be_changed(&name)?,
            },
            _ => false,
        };
        if changed {
            return Ok(Retired::Changed);
        }
        if !zfs::destroy(&dataset, false, lock)? {
            return Ok(Retired::InUse);
        }
        self.remove_mount_point(&name)?;
        Ok(Retired::Gone)
    }

    fn keeps_old(&self) -> bool {
        false
    }

    fn history(&self, newest: &Volume, state: &Volume) -> Option<PathBuf> {
        let newest = self.directory.path_of(newest.name());
        let path = newest.join(".zfs/snapshot").join(format!("s{}", state.number));
        path.is_dir().then_some(path)
    }
}
