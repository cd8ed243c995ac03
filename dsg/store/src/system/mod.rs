//! Every system call that changes a disk, and those reads that `std` does not offer.
//!
//! Two reasons to keep them in one place. The first is safety below a root: a [`Directory`] is an
//! open handle, every operation names **one** component in it, and deeper directories are opened
//! without ever following a link or leaving the root. So neither `..`, nor an absolute link, nor
//! somebody who swaps a directory for a link at the wrong moment can lead dsg outside. The second
//! is proof: each call that changes something passes a fault step, so that tests can end the
//! program at the n-th step for every n (`ARCHITECTURE.md`, "How we know").

mod child;
mod convert;
mod directory;
pub mod fault;
mod file;
mod hash;
mod inspect;
mod landing;
mod lock;
mod mounts;
mod parents;
mod platform;
mod removal;
mod rename;
mod write_back;

use std::io;
use std::path::{Path, PathBuf};

pub use child::{Answer, Program};
pub use directory::{Directory, DirectoryEntry};
pub use file::{COPY_BUFFER_BYTES, Reader, Writer, make_room};
pub use inspect::{Space, group_of, space};
pub use landing::Landing;
pub use lock::{FileLock, WaitingForLock, lock_file, lock_holder, wait_for_lock};
pub use mounts::{Mount, mount_of};
pub use parents::Parents;
pub use platform::{is_btrfs, is_network_file_system, sync_file_system};

use dsg_core::entry::Moment;

/// What kind of thing a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A socket, pipe or device: never versioned.
    Other,
}

/// What `lstat` says, as far as dsg asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// The kind.
    pub kind: Kind,
    /// Bytes.
    pub size: u64,
    /// Last change of the contents.
    pub modified: Moment,
    /// Last change of the inode: can't be set back by a program, so it catches what `modified` hides.
    pub changed: Moment,
    /// Inode number.
    pub inode: u64,
    /// Device of the file system.
    pub device: u64,
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub owner: u32,
}

impl Status {
    /// Whether the owner may execute it.
    #[must_use]
    pub fn executable(&self) -> bool {
        self.mode & 0o100 != 0
    }

    /// Whether this can be the same file with the same contents as `other`: inode, size and time of
    /// the contents. The inode's own time is left out, a rename moves it.
    #[must_use]
    pub fn same_contents(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.inode == other.inode
            && self.size == other.size
            && self.modified == other.modified
    }
}

/// A system call failed: which, on what, why.
#[derive(Debug, thiserror::Error)]
#[error("{operation} {}: {source}", path.display())]
pub struct SystemError {
    /// What was tried, as an infinitive: "rename", "read".
    pub operation: &'static str,
    /// On what.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

/// The result of a call of this module.
pub type Result<T> = std::result::Result<T, SystemError>;

impl SystemError {
    pub(crate) fn new(operation: &'static str, path: &Path, source: impl Into<io::Error>) -> Self {
        Self { operation, path: path.to_owned(), source: source.into() }
    }

    /// Whether the thing was not there.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(self.source.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
    }

    /// Whether something was there already.
    #[must_use]
    pub fn is_present(&self) -> bool {
        matches!(
            self.source.kind(),
            io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty
        )
    }

    /// Whether nothing can get this name here: it is taken, too long, or its directory is gone.
    #[must_use]
    pub fn is_refused_for_the_name(&self) -> bool {
        let is_too_long = Some(rustix::io::Errno::NAMETOOLONG.raw_os_error());
        self.is_present() || self.is_absent() || self.source.raw_os_error() == is_too_long
    }

    /// Whether the system said no.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        matches!(
            self.source.kind(),
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
        )
    }

    /// Whether the file system is mounted for reading only.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.source.kind() == io::ErrorKind::ReadOnlyFilesystem
    }

    /// Whether somebody uses it in a way that forbids this.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.source.kind() == io::ErrorKind::ResourceBusy
    }

    /// Whether a link was where a directory is needed; none is ever followed.
    #[must_use]
    pub fn is_link_in_the_way(&self) -> bool {
        self.source.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
    }

    /// Whether the disk or the quota is full. Reading fills neither: there the same error is of a file that is
    /// larger than it may be.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.operation != "read"
            && matches!(
                self.source.kind(),
                io::ErrorKind::StorageFull
                    | io::ErrorKind::QuotaExceeded
                    | io::ErrorKind::FileTooLarge
            )
    }
}

/// Turns "not there" into `None`; every other failure stays one. What would be behind a link is not
/// there: no link is followed, and one that took the place of a directory holds nothing.
///
/// # Errors
/// What `result` held, unless it says that the thing is absent.
pub fn present<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_absent() || error.is_link_in_the_way() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Fills `buffer` with random bytes from the system.
///
/// # Errors
/// When the system has none.
pub fn random(buffer: &mut [u8]) -> Result<()> {
    let mut filled = 0;
    while filled < buffer.len() {
        let read = platform::random(&mut buffer[filled..])
            .map_err(|e| SystemError::new("read random bytes from", Path::new("the system"), e))?;
        filled += read;
    }
    Ok(())
}

/// The user that the process acts for.
#[must_use]
pub fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// The group that the process acts for: what it makes belongs to it, unless the directory says otherwise.
#[must_use]
pub fn group() -> u32 {
    rustix::process::getegid().as_raw()
}

/// The name of the user that the process acts for; the number where there is no name.
#[must_use]
pub fn user_name() -> String {
    let number = user().to_string();
    // `id` asks whatever this system asks: a file, LDAP, or something else.
    let output = std::process::Command::new("id").arg("-un").output();
    let name = output.ok().filter(|output| output.status.success());
    let name = name.and_then(|output| String::from_utf8(output.stdout).ok());
    name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).unwrap_or(number)
}

/// The name of this machine; empty when it has none.
#[must_use]
pub fn machine_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
