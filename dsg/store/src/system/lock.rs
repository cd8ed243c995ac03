//! Locks that the kernel releases, and waiting for them.
//!
//! The kernel hands a lock on to those who wait for it in the order in which they came. Whoever asked
//! again and again instead would be overtaken for ever by those who wait. So a thread of its own
//! waits, and whoever wants to give up just leaves it: what that thread gets then is released at once.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use rustix::fs::FlockOperation;
use rustix::io::Errno;

use super::{Directory, Result, SystemError};

/// A lock that the kernel releases when it is dropped or the process ends, however that happens.
#[derive(Debug)]
pub struct FileLock {
    file: File,
}

impl FileLock {
    /// A second descriptor of the same lock, for a program that must keep it: the lock is free when
    /// all of them are closed.
    ///
    /// # Errors
    /// When the process has too many open files.
    pub fn shared(&self) -> Result<File> {
        self.file.try_clone().map_err(|e| SystemError::new("lock", Path::new("the lock file"), e))
    }
}

impl FileLock {
    /// The same, kept also by every program that this process starts, until that has ended: if we are
    /// killed, nobody else gets the lock while such a program is still at work.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn inherited(self) -> Result<Self> {
        rustix::io::fcntl_setfd(&self.file, rustix::io::FdFlags::empty())
            .map_err(|e| SystemError::new("lock", Path::new("the lock file"), e))?;
        Ok(self)
    }
}

/// Takes the lock on the file `name`, creating it when it is absent. `None` when somebody else has
/// it and `wait` is false.
///
/// # Errors
/// When the file can't be opened or locked.
pub fn lock_file(
    directory: &Directory,
    name: &str,
    mode: u32,
    wait: bool,
) -> Result<Option<FileLock>> {
    let (file, path) = lock_to_be(directory, name, mode)?;
    let locked = locked(&file, wait).map_err(|e| SystemError::new("lock", &path, e))?;
    Ok(locked.then_some(FileLock { file }))
}

fn lock_to_be(directory: &Directory, name: &str, mode: u32) -> Result<(File, PathBuf)> {
    let writer = directory.open_in_place(name, mode)?;
    if writer.status()?.owner == super::user() {
        writer.set_mode(mode)?;
    }
    let (descriptor, path) = writer.into_parts();
    Ok((File::from(descriptor), path))
}

/// Whether the lock is ours now.
fn locked(file: &File, wait: bool) -> rustix::io::Result<bool> {
    let operation =
        if wait { FlockOperation::LockExclusive } else { FlockOperation::NonBlockingLockExclusive };
    loop {
        match rustix::fs::flock(file, operation) {
            Ok(()) => return Ok(true),
            Err(Errno::WOULDBLOCK) => return Ok(false),
            Err(Errno::INTR) if wait => {}
            Err(error) => return Err(error),
        }
    }
}

/// A lock that somebody else has, while it is waited for. Dropping this gives up.
#[derive(Debug)]
pub struct WaitingForLock {
    got: Receiver<rustix::io::Result<FileLock>>,
    path: PathBuf,
}

impl WaitingForLock {
    /// Waits for some time; `None` when it is not ours yet.
    ///
    /// # Errors
    /// When the system refuses it.
    pub fn wait(&mut self, time: Duration) -> Result<Option<FileLock>> {
        match self.got.recv_timeout(time) {
            Ok(got) => got.map(Some).map_err(|e| SystemError::new("lock", &self.path, e)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => {
                Err(SystemError::new("lock", &self.path, Errno::CANCELED))
            }
        }
    }
}

/// Begins to wait for the lock on the file `name`, creating it when it is absent.
///
/// # Errors
/// When the file can't be opened.
pub fn wait_for_lock(directory: &Directory, name: &str, mode: u32) -> Result<WaitingForLock> {
    let (file, path) = lock_to_be(directory, name, mode)?;
    let (sender, got) = channel();
    match locked(&file, false) {
        Ok(false) => {
            let wait = move || {
                // Who has given up hears nothing of it, and the lock is dropped.
                let _ = sender.send(locked(&file, true).map(|_| FileLock { file }));
            };
            let thread = std::thread::Builder::new().spawn(wait);
            thread.map_err(|e| SystemError::new("wait for", &path, e))?;
        }
        free => {
            let _ = sender.send(free.map(|_| FileLock { file }));
        }
    }
    Ok(WaitingForLock { got, path })
}

/// The process of this machine that has the lock on the file `name`, where the system tells.
#[must_use]
pub fn lock_holder(directory: &Directory, name: &str) -> Option<u32> {
    let status = directory.status(name).ok()?;
    holder_in(&std::fs::read_to_string("/proc/locks").ok()?, status.device, status.inode)
}

/// Lines are `1: FLOCK ADVISORY WRITE 708 00:13:12345 0 EOF`; who waits has an arrow behind the number.
fn holder_in(locks: &str, device: u64, inode: u64) -> Option<u32> {
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    let file = format!("{major:02x}:{minor:02x}:{inode}");
    let holder = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            [_, "FLOCK", _, _, process, held, ..] if held == file => process.parse().ok(),
            _ => None,
        }
    };
    // Who is in another container has the number 0, or less.
    locks.lines().find_map(holder).filter(|process| *process > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn who_waits_gets_the_lock_when_it_is_free_and_who_gave_up_does_not_keep_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let directory = Directory::open(folder.path()).expect("opens");
        let waiting = || wait_for_lock(&directory, "lock", 0o600).expect("waits");
        let held = waiting().wait(LONG).expect("locks").expect("is free");
        assert_eq!(
            lock_holder(&directory, "lock").unwrap_or(std::process::id()),
            std::process::id()
        );
        let mut first = waiting();
        assert!(first.wait(Duration::from_millis(1)).expect("waits").is_none());
        // It is left, and the thread that waited is still there.
        drop(waiting());
        drop(held);
        let got = first.wait(LONG).expect("locks").expect("comes");
        drop(got);
        assert!(waiting().wait(LONG).expect("locks").is_some(), "nobody has kept it");
    }

    #[test]
    fn who_holds_a_lock_is_read_from_the_list_of_the_kernel() {
        let locks = "1: POSIX  ADVISORY  WRITE 7 08:02:99 0 EOF\n\
                     2: FLOCK  ADVISORY  WRITE 708 08:02:99 0 EOF\n\
                     2: -> FLOCK  ADVISORY  WRITE 709 08:02:99 0 EOF\n\
                     3: FLOCK  ADVISORY  WRITE 0 08:02:98 0 EOF\n";
        let device = rustix::fs::makedev(8, 2);
        assert_eq!(holder_in(locks, device, 99), Some(708));
        assert_eq!(holder_in(locks, device, 98), None);
        assert_eq!(holder_in(locks, device, 9), None);
        assert_eq!(holder_in("", device, 99), None);
    }
}
