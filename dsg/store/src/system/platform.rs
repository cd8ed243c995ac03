//! What differs between Linux and the others that are only type-checked so far.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::{Result, SystemError, fault};

/// Opens a directory below `parent` without following any link and without leaving it.
///
/// # Errors
/// What the system says; `ELOOP` or `EXDEV` when a link or `..` is in the way.
#[cfg(target_os = "linux")]
pub(super) fn open_directory(parent: impl AsFd, path: &Path) -> rustix::io::Result<OwnedFd> {
    use rustix::fs::ResolveFlags;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    match rustix::fs::openat2(&parent, path, flags, Mode::empty(), resolve) {
        // Seen with old kernels and with sandboxes that know no `openat2`; `AGAIN` is a rename race.
        Err(Errno::NOSYS | Errno::PERM | Errno::AGAIN) => open_by_component(parent, path),
        other => other,
    }
}

/// As on Linux, one component at a time.
#[cfg(not(target_os = "linux"))]
pub(super) fn open_directory(parent: impl AsFd, path: &Path) -> rustix::io::Result<OwnedFd> {
    open_by_component(parent, path)
}

fn open_by_component(parent: impl AsFd, path: &Path) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let mut current: Option<OwnedFd> = None;
    for component in path.components() {
        let std::path::Component::Normal(name) = component else { return Err(Errno::XDEV) };
        let next = match &current {
            Some(fd) => rustix::fs::openat(fd, name, flags, Mode::empty())?,
            None => rustix::fs::openat(&parent, name, flags, Mode::empty())?,
        };
        current = Some(next);
    }
    current.ok_or(Errno::INVAL)
}

/// Makes everything that was written to the file system of `directory` durable: one call for any
/// number of files, so never under a lock (it also waits for what others wrote).
///
/// # Errors
/// When a write failed; what was staged must then be thrown away, not tried again.
pub fn sync_file_system(directory: &super::Directory) -> Result<()> {
    fault::step("sync file system", directory.path())?;
    sync_all_of(directory)
        .map_err(|e| SystemError::new("sync the file system of", directory.path(), e))
}

#[cfg(target_os = "linux")]
pub(super) fn sync_all_of(directory: &super::Directory) -> rustix::io::Result<()> {
    rustix::fs::syncfs(directory.handle())
}

#[cfg(not(target_os = "linux"))]
pub(super) fn sync_all_of(_directory: &super::Directory) -> rustix::io::Result<()> {
    rustix::fs::sync();
    Ok(())
}

/// Asks the disk to begin with a part of a file that was just written, and does not wait. Only a hint:
/// whether it arrived is what a sync tells. Linux writes back what it can't drop, and keeps what is not
/// written yet; the call that only writes back has no safe form.
#[cfg(target_os = "linux")]
pub(super) fn begin_write_back(file: impl AsFd, offset: u64, length: u64) {
    let _ = rustix::fs::fadvise(
        file,
        offset,
        std::num::NonZeroU64::new(length),
        rustix::fs::Advice::DontNeed,
    );
}

#[cfg(not(target_os = "linux"))]
pub(super) fn begin_write_back(_file: impl AsFd, _offset: u64, _length: u64) {}

/// Makes `target` share the blocks of `source`: no bytes move, either can change later.
#[cfg(target_os = "linux")]
pub(super) fn clone_file(target: impl AsFd, source: impl AsFd) -> rustix::io::Result<()> {
    rustix::fs::ioctl_ficlone(target, source)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn clone_file(_target: impl AsFd, _source: impl AsFd) -> rustix::io::Result<()> {
    Err(Errno::OPNOTSUPP)
}

/// Random bytes; returns how many were filled.
#[cfg(target_os = "linux")]
pub(super) fn random(buffer: &mut [u8]) -> io::Result<usize> {
    Ok(rustix::rand::getrandom(buffer, rustix::rand::GetRandomFlags::empty())?)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn random(buffer: &mut [u8]) -> io::Result<usize> {
    use std::io::Read;
    std::fs::File::open("/dev/urandom")?.read(buffer)
}

/// The name of the network file system that `directory` lies on, if it does: kernel locks and
/// renames are then not what the commit needs. Magic numbers: `statfs(2)`.
///
/// # Errors
/// When the system can't tell.
#[cfg(target_os = "linux")]
pub fn is_network_file_system(directory: &super::Directory) -> Result<Option<&'static str>> {
    let status = rustix::fs::fstatfs(directory.handle())
        .map_err(|e| SystemError::new("ask for the file system of", directory.path(), e))?;
    // The width of the field differs between architectures; the numbers have 32 bits.
    Ok(match status.f_type as u32 {
        0x6969 => Some("NFS"),
        0xFF53_4D42 | 0xFE53_4D42 | 0x517B => Some("SMB"),
        0x0102_1997 => Some("9P"),
        0x5346_414F => Some("AFS"),
        0x00C3_6400 => Some("Ceph"),
        0x0BD0_0BD0 => Some("Lustre"),
        _ => None,
    })
}

#[cfg(not(target_os = "linux"))]
pub fn is_network_file_system(_directory: &super::Directory) -> Result<Option<&'static str>> {
    Ok(None)
}

/// Whether `directory` is on a btrfs.
///
/// # Errors
/// When the system can't tell.
#[cfg(target_os = "linux")]
pub fn is_btrfs(directory: &super::Directory) -> Result<bool> {
    let status = rustix::fs::fstatfs(directory.handle())
        .map_err(|e| SystemError::new("ask for the file system of", directory.path(), e))?;
    // The width of the field differs between architectures; the numbers have 32 bits.
    Ok(status.f_type as u32 == 0x9123_683E)
}

#[cfg(not(target_os = "linux"))]
pub fn is_btrfs(_directory: &super::Directory) -> Result<bool> {
    Ok(false)
}

/// Lists a directory; `visit` gets each name with its kind, where the directory itself tells it.
#[cfg(target_os = "linux")]
pub(super) fn list(
    fd: impl AsFd,
    visit: &mut dyn FnMut(&std::ffi::CStr, rustix::fs::FileType),
) -> rustix::io::Result<()> {
    use std::mem::MaybeUninit;
    let fd = rustix::fs::openat(
        fd,
        c".",
        OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    let mut buffer = [const { MaybeUninit::<u8>::uninit() }; 32 * 1024];
    let mut entries = rustix::fs::RawDir::new(fd, &mut buffer);
    while let Some(entry) = entries.next() {
        let entry = entry?;
        visit(entry.file_name(), entry.file_type());
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
pub(super) fn list(
    fd: impl AsFd,
    visit: &mut dyn FnMut(&std::ffi::CStr, rustix::fs::FileType),
) -> rustix::io::Result<()> {
    for entry in rustix::fs::Dir::read_from(fd)? {
        let entry = entry?;
        visit(entry.file_name(), entry.file_type());
    }
    Ok(())
}
