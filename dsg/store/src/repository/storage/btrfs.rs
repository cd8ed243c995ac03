//! Volumes that are subvolumes of btrfs, and every call of `btrfs`.
//!
//! A state is a writable snapshot of the one before, until it is made read only and gets its name.
//! Old states are the history and stay: they share their blocks with the newer ones.

use std::path::PathBuf;

use super::volumes::{Retired, Volume, Volumes};
use super::zfs_volumes::ROOM_BYTES_MIN;
use crate::error::{Code, Error, Result};
use crate::system::{Answer, Directory, FileLock, Program, is_btrfs, mount_of, present, space};

/// The subvolumes of a repository.
pub(super) struct BtrfsVolumes {
    /// The directory that holds them.
    directory: Directory,
}

impl BtrfsVolumes {
    /// Those in `directory`.
    pub(super) fn open(directory: Directory) -> Result<Self> {
        refuse_other(&directory)?;
        Ok(Self { directory })
    }
}

/// Refuses a directory that is not on btrfs.
pub(super) fn refuse_other(directory: &Directory) -> Result<()> {
    if is_btrfs(directory)? {
        return Ok(());
    }
    let kind = mount_of(directory)?.map_or("another file system".to_owned(), |mount| mount.kind);
    Err(Error::new(Code::RepositoryMissing, format!("{} is not on btrfs", directory.path().display()))
        .because(format!("it is on {kind}"))
        .next("nothing was changed. Mount the btrfs there, or take `type: posix`, which works on any file system"))
}

/// Makes an empty subvolume.
pub(super) fn create(directory: &Directory, name: &str, lock: Option<&FileLock>) -> Result<()> {
    let path = directory.path_of(name);
    change(
        &Program::changes("btrfs", "btrfs create").with_all(&["subvolume", "create"]).with(path),
        lock,
    )
}

/// Makes a subvolume unchangeable.
pub(super) fn seal(directory: &Directory, name: &str, lock: Option<&FileLock>) -> Result<()> {
    // The subject comes last in other commands; here the value does.
    let program = Program::changes("btrfs", "btrfs seal").with_all(&["property", "set", "-ts"]);
    change(&program.with(directory.path_of(name)).with_all(&["ro", "true"]), lock)
}

fn change(program: &Program, lock: Option<&FileLock>) -> Result<()> {
    let answer = run(program, lock)?;
    if answer.success { Ok(()) } else { Err(failed(program, &answer)) }
}

fn run(program: &Program, lock: Option<&FileLock>) -> Result<Answer> {
    program.run(lock).map_err(|error| {
        if error.is_absent() {
            return Error::new(Code::NotSupported, "this machine has no `btrfs`")
                .because("the repository is kept with btrfs, and its command was not found")
                .next("install it (Debian: btrfs-progs), then run the command again");
        }
        error.into()
    })
}

fn failed(program: &Program, answer: &Answer) -> Error {
    let what = format!("`{}` failed", program.line());
    let words = answer.complaint.trim().to_owned();
    let lower = words.to_lowercase();
    if lower.contains("no space") || lower.contains("quota exceeded") {
        return Error::new(Code::DiskFull, what)
            .because(words)
            .next("free some space or raise the quota, then run the command again");
    }
    if lower.contains("not permitted") || lower.contains("permission denied") {
        return Error::new(Code::RepositoryDenied, what)
            .because(words)
            .next("only the owner of a repository on btrfs can make snapshots of it: let all writers come through one account, as `dsg serve` does");
    }
    Error::new(Code::Disk, what)
        .because(words)
        .next("check the file system with `btrfs filesystem usage`, then run the command again")
}

impl Volumes for BtrfsVolumes {
    fn check(&self) -> Result<()> {
        refuse_other(&self.directory)?;
        let path = self.directory.path().display();
        if mount_of(&self.directory)?.is_some_and(|mount| mount.read_only) {
            return Err(Error::new(Code::RepositoryDenied, format!("{path} is mounted read only"))
                .next("nothing was changed; remount it for writing"));
        }
        let room = space(&self.directory)?.free_bytes;
        if room < ROOM_BYTES_MIN {
            return Err(Error::new(
                Code::DiskFull,
                format!("{path} has room for {room} bytes only"),
            )
            .next(
                "nothing was changed; free some space (`btrfs filesystem usage` shows where it is)",
            ));
        }
        Ok(())
    }

    fn settle(&self, newest: &Volume, lock: &FileLock) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in self.directory.entries()? {
            let name = entry.name.to_string_lossy();
            // Older states are the history. A state after the newest was never seen by anybody.
            let unseen = Volume::parse(&name)
                .is_some_and(|volume| volume.number >= newest.number && volume != *newest);
            if unseen {
                self.discard(&name, lock)?;
            } else if Volume::parse_work(&name).is_some() {
                names.push(name.into_owned());
            }
        }
        Ok(names)
    }

    fn begin(&self, base: &Volume, name: &str, lock: &FileLock) -> Result<()> {
        let program =
            Program::changes("btrfs", "btrfs snapshot").with_all(&["subvolume", "snapshot"]);
        let from = self.directory.path_of(base.name());
        change(&program.with(from).with(self.directory.path_of(name)), Some(lock))
    }

    fn seal(&self, name: &str, volume: &Volume, lock: &FileLock) -> Result<()> {
        seal(&self.directory, name, Some(lock))?;
        self.directory.rename_new(name, &self.directory, volume.name())?;
        Ok(self.directory.sync()?)
    }

    fn lead(&self, _newest: &Volume, _lock: &FileLock) -> Result<()> {
        Ok(())
    }

    fn discard(&self, name: &str, lock: &FileLock) -> Result<()> {
        if present(self.directory.status(name))?.is_none() {
            return Ok(());
        }
        let program = Program::changes("btrfs", "btrfs delete").with_all(&["subvolume", "delete"]);
        let program = program.with(self.directory.path_of(name));
        let answer = run(&program, Some(lock))?;
        if answer.success {
            return Ok(());
        }
        if answer.complaint.contains("not permitted") {
            // Whoever may not delete a subvolume may still empty it and remove the directory.
            return Ok(self.directory.remove_tree(name)?);
        }
        Err(failed(&program, &answer))
    }

    fn retire(&self, _volume: &Volume, _lock: &FileLock) -> Result<Retired> {
        Ok(Retired::InUse)
    }

    fn keeps_old(&self) -> bool {
        true
    }

    fn history(&self, _newest: &Volume, state: &Volume) -> Option<PathBuf> {
        let path = self.directory.path_of(state.name());
        path.is_dir().then_some(path)
    }
}
