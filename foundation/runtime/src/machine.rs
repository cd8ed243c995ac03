//! What a server asks its machine: who it is, what it uses, whether it may write where it must.

use std::fs;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access, statvfs};
use rustix::process::{getegid, geteuid};
use thiserror::Error;

/// The user that this process runs as.
#[must_use]
pub fn user() -> u32 {
    geteuid().as_raw()
}

/// The group that this process runs as.
#[must_use]
pub fn group() -> u32 {
    getegid().as_raw()
}

/// The name of this machine; in a container, its id.
#[must_use]
pub fn name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// 128 random bits as text: the name of this run of the process.
///
/// # Errors
/// When the system has none.
pub fn boot_id() -> io::Result<String> {
    let mut bytes = [0_u8; 16];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Bytes of memory in use; 0 where the system does not say it as Linux does.
#[must_use]
pub fn memory_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|text| text.parse::<u64>().ok()).unwrap_or(0) * 1024
}

/// Linux counts processor time in hundredths of a second, for whoever reads `/proc`.
const TICKS_PER_SECOND: f64 = 100.0;

/// Seconds of processor time used; 0 where the system does not say it as Linux does.
#[must_use]
pub fn cpu_seconds() -> f64 {
    let statistics = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the program, in parentheses, may hold anything.
    let fields = statistics.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks = fields.split_whitespace().skip(11).take(2);
    ticks.filter_map(|text| text.parse::<f64>().ok()).sum::<f64>() / TICKS_PER_SECOND
}

/// Files that are open.
#[must_use]
pub fn open_files() -> u64 {
    fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count() as u64)
}

/// Bytes that are free for us where `place` is.
#[must_use]
pub fn free_bytes(place: &Path) -> Option<u64> {
    let statistics = statvfs(place).ok()?;
    Some(statistics.f_bavail * statistics.f_frsize)
}

/// Whether this process may write into a directory.
#[must_use]
pub fn is_writable(directory: &Path) -> bool {
    access(directory, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

/// A directory that can't be used.
#[derive(Debug, Error)]
#[error(
    "the data directory {} can't be written: {source}. {} belongs to user {owner}, group {owner_group}; this process is user {user}, group {group}",
    path.display(),
    if nearest == path { "It".to_owned() } else { nearest.display().to_string() }
)]
pub struct NotWritable {
    /// The directory.
    pub path: PathBuf,
    /// The same, or the nearest above it that is there.
    pub nearest: PathBuf,
    /// Who owns that.
    pub owner: u32,
    /// Its group.
    pub owner_group: u32,
    /// Who we are.
    pub user: u32,
    /// Our group.
    pub group: u32,
    /// What the system says.
    pub source: io::Error,
}

impl NotWritable {
    /// The command that puts it right.
    #[must_use]
    pub fn next_step(&self) -> String {
        let (path, nearest) = (self.path.display(), self.nearest.display());
        let (user, group) = (self.user, self.group);
        match self.source.kind() {
            io::ErrorKind::ReadOnlyFilesystem => format!("mount {path} writable"),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                format!("free some space for {path}")
            }
            _ if !self.nearest.is_dir() => {
                format!("name another directory: {nearest} is a file")
            }
            // Not `chown`: what is above it is not ours to give away.
            _ if self.nearest != self.path => {
                format!("run on the host: sudo install -d -o {user} -g {group} {path}")
            }
            _ if self.owner == user => format!("run on the host: sudo chmod u+rwx {path}"),
            _ => format!("run on the host: sudo chown -R {user}:{group} {path}"),
        }
    }
}

/// Makes a directory if it is not there and tries to write into it.
///
/// # Errors
/// When that is not possible.
pub fn writable_directory(path: &Path) -> Result<(), NotWritable> {
    let tried = fs::create_dir_all(path).and_then(|()| {
        // Not the number of the process: in containers, which share the directory, it is 1 in each.
        let probe = path.join(format!(".writable-{}", boot_id()?));
        fs::write(&probe, b"")?;
        fs::remove_file(&probe)
    });
    tried.map_err(|source| {
        let mut there = path;
        while let Some(parent) = there.parent().filter(|_| !there.exists()) {
            there = parent;
        }
        let there = if there.as_os_str().is_empty() { Path::new(".") } else { there };
        let (owner, owner_group) =
            fs::metadata(there).map_or((0, 0), |metadata| (metadata.uid(), metadata.gid()));
        let (user, group) = (user(), group());
        let (path, nearest) = (path.to_owned(), there.to_owned());
        NotWritable { path, nearest, owner, owner_group, user, group, source }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_something_and_has_a_name_of_its_own() {
        assert!(memory_bytes() > 100_000);
        assert!(open_files() > 2);
        assert!(cpu_seconds() >= 0.0);
        assert!(!name().is_empty());
        let (one, other) = (boot_id().expect("random"), boot_id().expect("random"));
        assert_eq!(one.len(), 32);
        assert_ne!(one, other);
    }

    #[test]
    fn a_directory_is_made_and_tried() {
        let directory = tempfile::tempdir().expect("a directory");
        let data = directory.path().join("a/b");
        writable_directory(&data).expect("writable");
        assert!(is_writable(&data));
        assert!(free_bytes(&data).is_some());
        assert_eq!(fs::read_dir(&data).expect("a directory").count(), 0);
    }

    #[test]
    fn a_directory_that_can_not_be_written_is_named_with_its_owner_and_the_command_to_run() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("file");
        fs::write(&file, "").expect("a file");
        let error = writable_directory(&file.join("data")).expect_err("below a file");
        let text = error.to_string();
        assert!(text.contains(&file.join("data").display().to_string()), "{text}");
        assert!(text.contains(&format!("this process is user {}", user())), "{text}");
        for path in [file.join("data"), file.clone()] {
            let step = writable_directory(&path).expect_err("a file").next_step();
            assert_eq!(step, format!("name another directory: {} is a file", file.display()));
        }
    }

    #[test]
    fn the_next_step_fits_what_the_system_said() {
        let directory = tempfile::tempdir().expect("a directory");
        let there = directory.path();
        let step = |path: &Path, owner, kind: io::ErrorKind| {
            let (path, nearest) = (path.to_owned(), there.to_owned());
            let (owner_group, user, group, source) = (owner, 7, 7, kind.into());
            NotWritable { path, nearest, owner, owner_group, user, group, source }.next_step()
        };
        let denied = io::ErrorKind::PermissionDenied;
        assert!(step(there, 1, denied).starts_with("run on the host: sudo chown -R 7:7 /"));
        assert!(step(there, 7, denied).starts_with("run on the host: sudo chmod u+rwx /"));
        let below = step(&there.join("a/b"), 1, denied);
        assert!(below.starts_with("run on the host: sudo install -d -o 7 -g 7 /"), "{below}");
        assert!(step(there, 1, io::ErrorKind::StorageFull).starts_with("free some space"));
        assert!(step(there, 1, io::ErrorKind::ReadOnlyFilesystem).starts_with("mount "));
    }
}
