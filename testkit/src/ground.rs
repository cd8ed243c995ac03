//! File systems on which a repository's backend is tested: btrfs in an image, ZFS in a pool of its
//! own, each until it is dropped.

use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{FlockOperation, flock};

use crate::mount::{folder, run, say, tool};

/// Smaller ones `mkfs.btrfs` refuses.
const BTRFS_BYTES: u64 = 512 << 20;
const POOL_BYTES: u64 = 512 << 20;
/// How often something that others may use for a moment is tried again, and the pause between.
const ATTEMPTS_MAX: u32 = 200;
const PAUSE: std::time::Duration = std::time::Duration::from_millis(50);
/// Held by who has a pool.
const ALONE_LOCK: &str = "/tmp/dsg-test-zfs-alone";
/// Shared by all tests that use ZFS in user space: who is the last ends the daemon that the first
/// has started.
const DAEMON_LOCK: &str = "/tmp/dsg-test-zfs-fuse";

/// Runs a tool that somebody else may be in the way of for a moment.
fn insist(name: &str, arguments: &[&std::ffi::OsStr]) -> io::Result<String> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        match run(name, arguments) {
            Err(_) if attempts < ATTEMPTS_MAX => std::thread::sleep(PAUSE),
            other => return other,
        }
    }
}

/// A btrfs in an image file.
#[derive(Debug)]
pub struct Btrfs {
    folder: tempfile::TempDir,
}

impl Btrfs {
    /// Makes and mounts one.
    ///
    /// # Errors
    /// When a tool fails.
    pub fn new() -> io::Result<Self> {
        let folder = folder()?;
        let image = folder.path().join("image");
        fs::File::create(&image)?.set_len(BTRFS_BYTES)?;
        fs::create_dir(folder.path().join("mount"))?;
        run("mkfs.btrfs", &["-q".as_ref(), image.as_ref()])?;
        let btrfs = Self { folder };
        btrfs.mount()?;
        Ok(btrfs)
    }

    /// Where it is mounted.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("mount")
    }

    fn mount(&self) -> io::Result<()> {
        let image = self.folder.path().join("image");
        run("mount", &["-o".as_ref(), "loop".as_ref(), image.as_ref(), self.path().as_ref()])?;
        Ok(())
    }

    /// Unmounts and mounts it again. Whoever had files open must be gone.
    ///
    /// # Errors
    /// When it can't be unmounted.
    pub fn restart(&self) -> io::Result<()> {
        insist("umount", &[self.path().as_ref()])?;
        self.mount()
    }

    /// The paths of all subvolumes below a directory, sorted.
    ///
    /// # Errors
    /// When the tool fails.
    pub fn subvolumes(&self, below: &str) -> io::Result<Vec<String>> {
        let path = self.path();
        let list = run("btrfs", &["subvolume".as_ref(), "list".as_ref(), path.as_ref()])?;
        let paths = list.lines().filter_map(|line| line.split_once(" path "));
        let mut paths: Vec<String> = paths
            .filter_map(|(_, path)| path.strip_prefix(below)?.strip_prefix('/'))
            .map(str::to_owned)
            .collect();
        paths.sort();
        Ok(paths)
    }

    /// Removes a directory with all subvolumes in it.
    ///
    /// # Errors
    /// When the tool fails.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        let place = self.path().join(name);
        for path in self.subvolumes(name)?.iter().rev() {
            let path = place.join(path);
            run("btrfs", &["subvolume".as_ref(), "delete".as_ref(), path.as_ref()])?;
        }
        fs::remove_dir_all(place)
    }
}

impl Drop for Btrfs {
    fn drop(&mut self) {
        let path = self.path();
        if insist("umount", &[path.as_ref()]).is_err() {
            let _ = run("umount", &["-l".as_ref(), path.as_ref()]);
        }
    }
}

/// A ZFS pool in an image file: of the kernel's ZFS where there is one, else of zfs-fuse.
#[derive(Debug)]
pub struct Pool {
    folder: tempfile::TempDir,
    name: String,
    /// Kept while the pool lives.
    daemon: fs::File,
    /// One pool at a time on this machine: zfs-fuse sometimes never answers the first request to one of
    /// two datasets that are mounted at the same moment, and whoever asked waits for ever.
    _alone: fs::File,
}

impl Pool {
    /// Makes one.
    ///
    /// # Errors
    /// When a tool fails.
    pub fn new() -> io::Result<Self> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let alone = fs::File::create(ALONE_LOCK)?;
        flock(&alone, FlockOperation::LockExclusive)?;
        let daemon = start_daemon()?;
        let folder = folder()?;
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let name = format!("dsgtest{}x{number}", std::process::id());
        let image = folder.path().join("image");
        fs::File::create(&image)?.set_len(POOL_BYTES)?;
        let pool = Self { folder, name, daemon, _alone: alone };
        let mountpoint = pool.path();
        run(
            "zpool",
            &[
                "create".as_ref(),
                "-o".as_ref(),
                "cachefile=none".as_ref(),
                "-m".as_ref(),
                mountpoint.as_ref(),
                pool.name.as_ref(),
                image.as_ref(),
            ],
        )?;
        Ok(pool)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it is mounted.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("mount")
    }

    /// Makes a dataset that is mounted at `place`, which must be there.
    ///
    /// # Errors
    /// When the tool fails.
    pub fn dataset(&self, name: &str, place: &Path) -> io::Result<()> {
        let option = format!("mountpoint={}", place.display());
        zfs(&["create", "-o", &option, &format!("{}/{name}", self.name)]).map(drop)
    }

    /// Destroys a dataset and all below it.
    ///
    /// # Errors
    /// When the tool fails.
    pub fn destroy(&self, name: &str) -> io::Result<()> {
        let name = format!("{}/{name}", self.name);
        insist("zfs", &["destroy".as_ref(), "-R".as_ref(), name.as_ref()]).map(drop)
    }

    /// The names of datasets and snapshots below a dataset, without its own name before them, sorted.
    ///
    /// # Errors
    /// When the tool fails.
    pub fn list(&self, below: &str) -> io::Result<Vec<String>> {
        let below = match below {
            "" => self.name.clone(),
            below => format!("{}/{below}", self.name),
        };
        let list = zfs(&["list", "-H", "-t", "all", "-o", "name", "-r", &below])?;
        let mut names: Vec<String> =
            list.lines().filter_map(|name| name.strip_prefix(&below)).map(str::to_owned).collect();
        names.sort();
        Ok(names)
    }

    /// Exports the pool and imports it again. Whoever had files open must be gone.
    ///
    /// # Errors
    /// When the tool fails.
    pub fn restart(&self) -> io::Result<()> {
        insist("zpool", &["export".as_ref(), self.name.as_ref()])?;
        let folder = self.folder.path();
        let arguments: [&std::ffi::OsStr; 6] = [
            "import".as_ref(),
            "-d".as_ref(),
            folder.as_ref(),
            "-o".as_ref(),
            "cachefile=none".as_ref(),
            self.name.as_ref(),
        ];
        run("zpool", &arguments).map(drop)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        if let Err(error) =
            insist("zpool", &["destroy".as_ref(), "-f".as_ref(), self.name.as_ref()])
        {
            say(&format!("the pool {} could not be destroyed: {error}", self.name));
        }
        end_daemon(&self.daemon);
    }
}

/// Runs `zfs`, which must succeed.
///
/// # Errors
/// What it complains about.
pub fn zfs(arguments: &[&str]) -> io::Result<String> {
    let arguments: Vec<&std::ffi::OsStr> = arguments.iter().map(AsRef::as_ref).collect();
    run("zfs", &arguments)
}

fn answers() -> bool {
    run("zpool", &["list".as_ref()]).is_ok()
}

/// Starts zfs-fuse, where neither it nor the kernel's ZFS is there already. The file that comes back
/// keeps it alive.
fn start_daemon() -> io::Result<fs::File> {
    let lock = fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(DAEMON_LOCK)?;
    flock(&lock, FlockOperation::LockExclusive)?;
    if !answers() {
        for place in ["/var/run/zfs", "/var/lock/zfs"] {
            fs::create_dir_all(place)?;
        }
        let program = tool("zfs-fuse").ok_or_else(|| io::Error::other("zfs-fuse is missing"))?;
        let mut command = Command::new(program);
        command.arg("--no-daemon").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // It outlives the test that starts it, if others use it too.
        command.process_group(0).current_dir("/");
        let daemon = crate::program::start(&mut command)?;
        fs::write(format!("{DAEMON_LOCK}.pid"), daemon.id().to_string())?;
        let mut attempts = 0;
        while !answers() {
            attempts += 1;
            if attempts == ATTEMPTS_MAX {
                return Err(io::Error::other("zfs-fuse does not answer"));
            }
            std::thread::sleep(PAUSE);
        }
    }
    flock(&lock, FlockOperation::LockShared)?;
    Ok(lock)
}

fn end_daemon(lock: &fs::File) {
    let path = format!("{DAEMON_LOCK}.pid");
    // Somebody else uses it still, and is the last one later.
    if flock(lock, FlockOperation::NonBlockingLockExclusive).is_err() {
        return;
    }
    let Ok(text) = fs::read_to_string(&path) else { return };
    let _ = fs::remove_file(&path);
    let process = text.trim().parse().ok().and_then(rustix::process::Pid::from_raw);
    if let Some(process) = process {
        let is_ours = fs::read_to_string(format!("/proc/{}/comm", text.trim()))
            .is_ok_and(|name| name.trim() == "zfs-fuse");
        if is_ours {
            let _ = rustix::process::kill_process(process, rustix::process::Signal::TERM);
            // Whoever comes next must not be answered by the one that is on its way out.
            let mut attempts = 0;
            while answers() && attempts < ATTEMPTS_MAX {
                attempts += 1;
                std::thread::sleep(PAUSE);
            }
        }
    }
}
