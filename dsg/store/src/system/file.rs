//! Files: reading with a hash, writing in counted steps.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use dsg_core::entry::Moment;
use rustix::fs::{Timespec, Timestamps};
use rustix::io::Errno;

use super::{Kind, Result, Status, SystemError, convert, fault, platform};

/// Bytes that are read, hashed and written at once. They must stay in a core's own cache from one of
/// the three to the next: with twice as many the kernel took three times as long for copying them.
pub const COPY_BUFFER_BYTES: usize = 64 * 1024;

/// So much of a large file is handed to the disk at a time while more is still coming, so that the sync
/// at its end finds little left to write.
const WRITE_BACK_BYTES: u64 = 8 * 1024 * 1024;

/// Sees to it that a buffer has [`COPY_BUFFER_BYTES`] at least. A new one, as the kernel's empty pages
/// cost nothing until they are used, and filling an old one with zeros does.
pub fn make_room(buffer: &mut Vec<u8>) {
    if buffer.len() < COPY_BUFFER_BYTES {
        *buffer = vec![0; COPY_BUFFER_BYTES];
    }
}

/// A regular file that is being read.
#[derive(Debug)]
pub struct Reader {
    fd: OwnedFd,
    path: PathBuf,
    opened: Status,
}

impl Reader {
    pub(super) fn new(fd: OwnedFd, path: PathBuf) -> Result<Self> {
        let stat = rustix::fs::fstat(&fd).map_err(|e| SystemError::new("look at", &path, e))?;
        let opened = convert::status(&stat);
        if opened.kind != Kind::File {
            return Err(SystemError::new("open", &path, io::Error::other("it is no regular file")));
        }
        Ok(Self { fd, path, opened })
    }

    /// What it was when it was opened.
    #[must_use]
    pub fn opened(&self) -> &Status {
        &self.opened
    }

    /// Where it is, for messages.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it is now.
    ///
    /// # Errors
    /// When the system can't tell.
    pub fn status(&self) -> Result<Status> {
        let stat =
            rustix::fs::fstat(&self.fd).map_err(|e| SystemError::new("look at", &self.path, e))?;
        Ok(convert::status(&stat))
    }

    /// Reads the next bytes; 0 at the end.
    ///
    /// # Errors
    /// What the disk says.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        loop {
            match rustix::io::read(&self.fd, &mut *buffer) {
                Err(Errno::INTR) => {}
                other => return other.map_err(|e| SystemError::new("read", &self.path, e)),
            }
        }
    }

    /// Goes back to the start.
    ///
    /// # Errors
    /// When the system can't.
    pub fn rewind(&mut self) -> Result<()> {
        rustix::fs::seek(&self.fd, rustix::fs::SeekFrom::Start(0))
            .map(|_| ())
            .map_err(|e| SystemError::new("read", &self.path, e))
    }

    /// Reads bytes at `offset`; fewer only at the end.
    ///
    /// # Errors
    /// What the disk says.
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match rustix::io::pread(&self.fd, &mut buffer[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(Errno::INTR) => {}
                Err(error) => return Err(SystemError::new("read", &self.path, error)),
            }
        }
        Ok(filled)
    }

    /// Reads the rest, at most `bytes_max`.
    ///
    /// # Errors
    /// What the disk says, or when there is more.
    pub fn read_to_end(&mut self, bytes_max: u64) -> Result<Vec<u8>> {
        let expected = usize::try_from(self.status()?.size.min(bytes_max)).unwrap_or(0);
        let mut bytes = vec![0; expected + 1];
        let mut filled = 0;
        loop {
            let read = self.read(&mut bytes[filled..])?;
            filled += read;
            if read == 0 {
                bytes.truncate(filled);
                return Ok(bytes);
            }
            if filled as u64 > bytes_max {
                return Err(SystemError::new("read", &self.path, Errno::FBIG));
            }
            if filled == bytes.len() {
                bytes.resize(filled * 2, 0);
            }
        }
    }
}

/// A file that is being written.
#[derive(Debug)]
pub struct Writer {
    fd: OwnedFd,
    path: PathBuf,
    /// Where [`write_all`](Self::write_all) goes on, and up to where the disk was asked to begin.
    at: u64,
    handed: u64,
}

impl Writer {
    pub(super) fn new(fd: OwnedFd, path: PathBuf) -> Self {
        Self { fd, path, at: 0, handed: 0 }
    }

    pub(super) fn into_parts(self) -> (OwnedFd, PathBuf) {
        (self.fd, self.path)
    }

    /// Where it is, for messages.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it is now.
    ///
    /// # Errors
    /// When the system can't tell.
    pub fn status(&self) -> Result<Status> {
        let stat =
            rustix::fs::fstat(&self.fd).map_err(|e| SystemError::new("look at", &self.path, e))?;
        Ok(convert::status(&stat))
    }

    /// Writes all of `bytes` at the end of what was written.
    ///
    /// # Errors
    /// What the disk says; a part may have been written.
    pub fn write_all(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            fault::step("write", &self.path)?;
            match rustix::io::write(&self.fd, bytes) {
                Ok(written) => {
                    bytes = &bytes[written..];
                    self.at += written as u64;
                }
                Err(Errno::INTR) => {}
                Err(error) => return Err(SystemError::new("write", &self.path, error)),
            }
        }
        if self.at >= self.handed + WRITE_BACK_BYTES {
            platform::begin_write_back(&self.fd, self.handed, self.at - self.handed);
            self.handed = self.at;
        }
        Ok(())
    }

    /// Writes all of `bytes` at `offset`.
    ///
    /// # Errors
    /// What the disk says; a part may have been written.
    pub fn write_all_at(&self, mut bytes: &[u8], mut offset: u64) -> Result<()> {
        while !bytes.is_empty() {
            fault::step("write", &self.path)?;
            match rustix::io::pwrite(&self.fd, bytes, offset) {
                Ok(written) => {
                    bytes = &bytes[written..];
                    offset += written as u64;
                }
                Err(Errno::INTR) => {}
                Err(error) => return Err(SystemError::new("write", &self.path, error)),
            }
        }
        Ok(())
    }

    /// Reads the file from the start, at most `bytes_max`.
    ///
    /// # Errors
    /// What the disk says, or when it is larger.
    pub fn read_all(&self, bytes_max: u64) -> Result<Vec<u8>> {
        let size = self.status()?.size;
        if size > bytes_max {
            return Err(SystemError::new("read", &self.path, Errno::FBIG));
        }
        let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
        let mut filled = 0;
        while filled < bytes.len() {
            match rustix::io::pread(&self.fd, &mut bytes[filled..], filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(Errno::INTR) => {}
                Err(error) => return Err(SystemError::new("read", &self.path, error)),
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }

    /// Empties the file, to be written again from the start.
    ///
    /// # Errors
    /// What the disk says.
    pub fn start_again(&mut self) -> Result<()> {
        self.go_on_at(0)
    }

    /// Goes on writing at `offset`; what is behind it is cut off.
    ///
    /// # Errors
    /// What the disk says.
    pub fn go_on_at(&mut self, offset: u64) -> Result<()> {
        self.truncate(offset)?;
        rustix::fs::seek(&self.fd, rustix::fs::SeekFrom::Start(offset))
            .map_err(|e| SystemError::new("write", &self.path, e))?;
        self.at = offset;
        self.handed = self.handed.min(offset);
        Ok(())
    }

    /// A way to read from the start what was written.
    ///
    /// # Errors
    /// When the process has too many open files.
    pub fn reader(&self) -> Result<Reader> {
        let fd = self.fd.try_clone().map_err(|e| SystemError::new("read", &self.path, e))?;
        let mut reader = Reader::new(fd, self.path.clone())?;
        reader.rewind()?;
        Ok(reader)
    }

    /// Cuts the file off at `size`.
    ///
    /// # Errors
    /// What the disk says.
    pub fn truncate(&self, size: u64) -> Result<()> {
        fault::step("truncate", &self.path)?;
        rustix::fs::ftruncate(&self.fd, size)
            .map_err(|e| SystemError::new("truncate", &self.path, e))
    }

    /// Makes this empty file share the blocks of `source`; false where the file system can't.
    ///
    /// # Errors
    /// Only when a test asked for one: where blocks can't be shared the caller copies.
    pub fn clone_from(&mut self, source: &Reader) -> Result<bool> {
        fault::step("clone into", &self.path)?;
        Ok(platform::clone_file(&self.fd, &source.fd).is_ok())
    }

    /// Sets the permission bits, whatever the umask says.
    ///
    /// # Errors
    /// When we are not the owner.
    pub fn set_mode(&self, mode: u32) -> Result<()> {
        if self.status()?.mode == mode {
            return Ok(());
        }
        fault::step("set mode", &self.path)?;
        rustix::fs::fchmod(&self.fd, convert::mode(mode))
            .map_err(|e| SystemError::new("set mode", &self.path, e))
    }

    /// Sets when the contents were last changed.
    ///
    /// # Errors
    /// When we are not the owner.
    pub fn set_modified(&self, modified: Moment) -> Result<()> {
        fault::step("set time of", &self.path)?;
        let (seconds, nanoseconds) = modified.parts();
        let time = Timespec { tv_sec: seconds, tv_nsec: nanoseconds.into() };
        rustix::fs::futimens(&self.fd, &Timestamps { last_access: time, last_modification: time })
            .map_err(|e| SystemError::new("set time of", &self.path, e))
    }

    /// Makes contents and attributes durable (not the name: that is the directory's).
    ///
    /// # Errors
    /// When the disk fails; the file must then be given up, not synced again: the kernel may have
    /// dropped what it could not write.
    pub fn sync(&self) -> Result<()> {
        fault::step("sync", &self.path)?;
        rustix::fs::fsync(&self.fd).map_err(|e| SystemError::new("sync", &self.path, e))
    }
}
