//! A directory as an open handle, and what can be done with one name in it.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dsg_core::entry::Moment;
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use super::convert::{self, kind_of, status, times};
use super::{Kind, Reader, Result, Status, SystemError, Writer, fault, platform};

/// A name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryEntry {
    /// The name as the disk spells it.
    pub name: OsString,
    /// Its kind.
    pub kind: Kind,
}

/// An open directory.
#[derive(Debug)]
pub struct Directory {
    pub(super) fd: OwnedFd,
    path: Arc<Path>,
}

impl Directory {
    /// Opens a root by its path as the user gave it: links on the way are followed, as the user
    /// meant them; below the root none ever is.
    ///
    /// # Errors
    /// When it is absent, no directory, or may not be read.
    pub fn open(path: &Path) -> Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::fs::open(path, flags, Mode::empty())
            .map_err(|e| SystemError::new("open directory", path, e))?;
        Ok(Self { fd, path: path.into() })
    }

    /// Opens the directory at `path` below this one.
    ///
    /// # Errors
    /// As [`open`](Self::open), and when a link or `..` is in the way.
    pub fn directory(&self, path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        if path.as_os_str().is_empty() {
            return self.again();
        }
        let full = self.path.join(path);
        match platform::open_directory(&self.fd, path) {
            Ok(fd) => Ok(Self { fd, path: full.into() }),
            Err(error) => Err(SystemError::new("open directory", &full, error)),
        }
    }

    /// A second handle of the same directory.
    ///
    /// # Errors
    /// When the process has too many open files.
    pub fn again(&self) -> Result<Self> {
        let fd =
            self.fd.try_clone().map_err(|e| SystemError::new("open directory", &self.path, e))?;
        Ok(Self { fd, path: Arc::clone(&self.path) })
    }

    /// Where it is, for messages.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where `name` in it is, for messages.
    #[must_use]
    pub fn path_of(&self, name: impl AsRef<OsStr>) -> PathBuf {
        self.path.join(name.as_ref())
    }

    pub(super) fn handle(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    pub(super) fn fail(&self, operation: &'static str, name: &OsStr, error: Errno) -> SystemError {
        SystemError::new(operation, &self.path.join(name), error)
    }

    /// Refuses a name that isn't one component, whoever it comes from.
    pub(super) fn one<'n>(&self, operation: &'static str, name: &'n OsStr) -> Result<&'n OsStr> {
        let bytes = name.as_bytes();
        if bytes.is_empty() || bytes == b"." || bytes == b".." || bytes.contains(&b'/') {
            return Err(self.fail(operation, name, Errno::INVAL));
        }
        Ok(name)
    }

    pub(super) fn step(&self, operation: &'static str, name: &OsStr) -> Result<()> {
        if cfg!(feature = "faults") {
            fault::step(operation, &self.path.join(name))
        } else {
            Ok(())
        }
    }

    /// The names in it, in the order of the disk.
    ///
    /// # Errors
    /// When it can't be read; a part of the list is never returned as the whole.
    pub fn entries(&self) -> Result<Vec<DirectoryEntry>> {
        let mut found = Vec::new();
        self.visit(&mut |name, kind| found.push((name.to_owned(), kind)))?;
        let mut entries = Vec::with_capacity(found.len());
        for (name, kind) in found {
            let kind = match kind {
                Some(kind) => kind,
                None => match super::present(self.status(&name))? {
                    Some(status) => status.kind,
                    None => continue,
                },
            };
            entries.push(DirectoryEntry { name, kind });
        }
        Ok(entries)
    }

    /// As [`entries`](Self::entries), without a list: `visit` gets each name, and its kind where the
    /// directory itself tells it.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn visit(&self, visit: &mut dyn FnMut(&OsStr, Option<Kind>)) -> Result<()> {
        platform::list(&self.fd, &mut |name, kind| {
            let bytes = name.to_bytes();
            if bytes != b"." && bytes != b".." {
                visit(OsStr::from_bytes(bytes), kind_of(kind));
            }
        })
        .map_err(|e| SystemError::new("list", &self.path, e))
    }

    /// What `name` is, links not followed.
    ///
    /// # Errors
    /// When it is absent or can't be asked.
    pub fn status(&self, name: impl AsRef<OsStr>) -> Result<Status> {
        let name = name.as_ref();
        let stat = rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|e| self.fail("look at", name, e))?;
        Ok(status(&stat))
    }

    /// What this directory itself is.
    ///
    /// # Errors
    /// When the system can't tell.
    pub fn own_status(&self) -> Result<Status> {
        let stat =
            rustix::fs::fstat(&self.fd).map_err(|e| SystemError::new("look at", &self.path, e))?;
        Ok(status(&stat))
    }

    /// The text of the link `name`, if it is UTF-8.
    ///
    /// # Errors
    /// When it is no link or can't be read.
    pub fn link_text(&self, name: impl AsRef<OsStr>) -> Result<Option<String>> {
        let name = name.as_ref();
        let text = rustix::fs::readlinkat(&self.fd, name, Vec::with_capacity(256))
            .map_err(|e| self.fail("read link", name, e))?;
        Ok(text.into_string().ok())
    }

    /// Opens the regular file `name` for reading; a link, pipe or device is refused without blocking.
    ///
    /// # Errors
    /// When it is absent, no regular file, or may not be read.
    pub fn open_file(&self, name: impl AsRef<OsStr>) -> Result<Reader> {
        let name = self.one("open", name.as_ref())?;
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let fd = rustix::fs::openat(&self.fd, name, flags, Mode::empty())
            .map_err(|e| self.fail("open", name, e))?;
        Reader::new(fd, self.path.join(name))
    }

    /// Reads the whole of a small file of ours.
    ///
    /// # Errors
    /// When it can't be read or is larger than `bytes_max`.
    pub fn read_small(&self, name: impl AsRef<OsStr>, bytes_max: u64) -> Result<Vec<u8>> {
        let name = name.as_ref();
        let mut reader = self.open_file(name)?;
        if reader.status()?.size > bytes_max {
            return Err(self.fail("read", name, Errno::FBIG));
        }
        reader.read_to_end(bytes_max)
    }

    /// Creates the file `name`; it must not exist.
    ///
    /// # Errors
    /// When it exists or can't be made.
    pub fn create_file(&self, name: impl AsRef<OsStr>, mode: u32) -> Result<Writer> {
        self.writer("create", name.as_ref(), OFlags::CREATE | OFlags::EXCL | OFlags::RDWR, mode)
    }

    /// Opens the file `name` for reading and writing in place, creating it when it is absent.
    ///
    /// # Errors
    /// When it can't be opened.
    pub fn open_in_place(&self, name: impl AsRef<OsStr>, mode: u32) -> Result<Writer> {
        let name = name.as_ref();
        match self.writer("open", name, OFlags::RDWR, mode) {
            Err(error) if error.is_absent() => {
                self.writer("create", name, OFlags::CREATE | OFlags::RDWR, mode)
            }
            other => other,
        }
    }

    fn writer(
        &self,
        operation: &'static str,
        name: &OsStr,
        flags: OFlags,
        mode: u32,
    ) -> Result<Writer> {
        let name = self.one(operation, name)?;
        if flags.contains(OFlags::CREATE) {
            self.step("create", name)?;
        }
        let flags = flags | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let fd = rustix::fs::openat(&self.fd, name, flags, convert::mode(mode))
            .map_err(|e| self.fail(operation, name, e))?;
        Ok(Writer::new(fd, self.path.join(name)))
    }

    /// Writes a small file of ours under a name that must not exist, durable but for its name
    /// (see [`sync`](Self::sync)).
    ///
    /// # Errors
    /// When any part fails; the file may then be there in part.
    pub fn write_new(&self, name: impl AsRef<OsStr>, bytes: &[u8], mode: u32) -> Result<()> {
        let mut writer = self.create_file(name, mode)?;
        writer.set_mode(mode)?;
        writer.write_all(bytes)?;
        writer.sync()
    }

    /// Replaces a small file of ours at once: a reader sees the old bytes or the new ones. Durable
    /// when this returns.
    ///
    /// # Errors
    /// When any part fails; the old file is then as it was.
    pub fn replace_file(&self, name: &str, bytes: &[u8], mode: u32) -> Result<()> {
        let temporary = format!("{name}.new");
        self.remove_file_if_there(&temporary)?;
        self.write_new(&temporary, bytes, mode)?;
        self.rename(&temporary, self, name)?;
        self.sync()
    }

    /// Creates the directory `name`; false when something of that name is there already.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn create_directory(&self, name: impl AsRef<OsStr>, mode: u32) -> Result<bool> {
        let name = self.one("create directory", name.as_ref())?;
        self.step("create directory", name)?;
        match rustix::fs::mkdirat(&self.fd, name, convert::mode(mode)) {
            Ok(()) => Ok(true),
            Err(Errno::EXIST) => Ok(false),
            Err(error) => Err(self.fail("create directory", name, error)),
        }
    }

    /// Creates the directory `name` if need be and opens it. `mode` is set whatever the umask says.
    ///
    /// # Errors
    /// When it can't be made or opened, or when something else is there.
    pub fn directory_made(&self, name: impl AsRef<OsStr>, mode: u32) -> Result<Self> {
        let name = name.as_ref();
        let made = self.create_directory(name, mode)?;
        let directory = self.directory(name)?;
        if made && directory.own_status()?.mode & 0o7777 != mode {
            directory.set_own_mode(mode)?;
        }
        Ok(directory)
    }

    /// As [`directory_made`](Self::directory_made), with the bits that the user's umask leaves: for
    /// directories of a project.
    ///
    /// # Errors
    /// When it can't be made or opened, or when something else is there.
    pub fn directory_made_for_user(&self, name: impl AsRef<OsStr>) -> Result<Self> {
        let name = name.as_ref();
        self.create_directory(name, 0o777)?;
        self.directory(name)
    }

    /// Sets the permission bits of this directory.
    ///
    /// # Errors
    /// When we are not the owner.
    pub fn set_own_mode(&self, mode: u32) -> Result<()> {
        fault::step("set mode", &self.path)?;
        rustix::fs::fchmod(&self.fd, convert::mode(mode))
            .map_err(|e| SystemError::new("set mode", &self.path, e))
    }

    /// Creates the symbolic link `name` with `text`; it must not exist.
    ///
    /// # Errors
    /// When it exists or can't be made.
    pub fn create_link(&self, name: impl AsRef<OsStr>, text: &str) -> Result<()> {
        let name = self.one("create", name.as_ref())?;
        self.step("create", name)?;
        rustix::fs::symlinkat(text, &self.fd, name).map_err(|e| self.fail("create link", name, e))
    }

    /// Gives `name` a second name in `target`; nothing may be there yet.
    ///
    /// # Errors
    /// When something is there ([`SystemError::is_present`]), or what the system says.
    pub fn link(
        &self,
        name: impl AsRef<OsStr>,
        target: &Self,
        new_name: impl AsRef<OsStr>,
    ) -> Result<()> {
        let name = self.one("link", name.as_ref())?;
        let new_name = target.one("link", new_name.as_ref())?;
        target.step("link", new_name)?;
        rustix::fs::linkat(&self.fd, name, &target.fd, new_name, AtFlags::empty()).map_err(
            |error| match error {
                Errno::NOENT => self.fail("link", name, error),
                _ => target.fail("link", new_name, error),
            },
        )
    }

    /// Removes the file or link `name`.
    ///
    /// # Errors
    /// When it is absent or can't be removed.
    pub fn remove_file(&self, name: impl AsRef<OsStr>) -> Result<()> {
        self.unlink("remove", name.as_ref(), AtFlags::empty())
    }

    /// Removes the file or link `name` if it is there; says whether it was.
    ///
    /// # Errors
    /// When it is there and can't be removed.
    pub fn remove_file_if_there(&self, name: impl AsRef<OsStr>) -> Result<bool> {
        let name = name.as_ref();
        if super::present(self.status(name))?.is_none() {
            return Ok(false);
        }
        Ok(super::present(self.remove_file(name))?.is_some())
    }

    /// Makes a staged file durable; where that fails it is removed. The kernel drops what it could not
    /// write and says so only once: whoever came upon the file later would find its bytes right, as
    /// long as they are in the cache, and sync it without an error.
    ///
    /// # Errors
    /// When it could not be made durable.
    pub fn sync_or_remove(&self, name: impl AsRef<OsStr>, file: &Writer) -> Result<()> {
        file.sync().inspect_err(|_| {
            // That it failed is told either way.
            let _ = self.remove_file(name);
        })
    }

    /// Removes everything in it.
    ///
    /// # Errors
    /// When something can't be removed.
    pub fn clear(&self) -> Result<()> {
        self.entries()?.iter().try_for_each(|entry| self.remove_tree(&entry.name))
    }

    /// Removes the directory `name` if it is empty; says whether it is gone.
    ///
    /// # Errors
    /// When it can't be removed for another reason than being in use.
    pub fn remove_directory_if_empty(&self, name: impl AsRef<OsStr>) -> Result<bool> {
        match self.unlink("remove directory", name.as_ref(), AtFlags::REMOVEDIR) {
            Ok(()) => Ok(true),
            Err(error) if error.is_absent() => Ok(true),
            Err(error) if error.is_present() => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn unlink(&self, operation: &'static str, name: &OsStr, flags: AtFlags) -> Result<()> {
        let name = self.one(operation, name)?;
        self.step(operation, name)?;
        rustix::fs::unlinkat(&self.fd, name, flags).map_err(|e| self.fail(operation, name, e))
    }

    /// Sets when the contents of `name` were last changed; a link's own time, not its target's.
    ///
    /// # Errors
    /// When we are not the owner.
    pub fn set_modified(&self, name: impl AsRef<OsStr>, modified: Moment) -> Result<()> {
        let name = self.one("set time of", name.as_ref())?;
        self.step("set time of", name)?;
        rustix::fs::utimensat(&self.fd, name, &times(modified), AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|e| self.fail("set time of", name, e))
    }

    /// Makes the names in this directory durable.
    ///
    /// # Errors
    /// When the disk fails; what depends on it must then be given up, not tried again.
    pub fn sync(&self) -> Result<()> {
        fault::step("sync directory", &self.path)?;
        rustix::fs::fsync(&self.fd).map_err(|e| SystemError::new("sync directory", &self.path, e))
    }
}
