//! File systems for one test: an XFS whose power can be cut, a small disk that gets full.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::program;

/// Smaller ones `mkfs.xfs` refuses.
const XFS_BYTES: u64 = 320 << 20;

/// How often mounting is tried again, and the pause between.
const ATTEMPTS_MAX: u32 = 200;
const PAUSE: std::time::Duration = std::time::Duration::from_millis(20);

/// What a test needs and is not here; empty when it can run. Says `skipped: needs …`, and fails with
/// `CI=true`, where nothing may be missing.
///
/// # Panics
/// With `CI=true`, when something is missing.
#[must_use]
pub fn lacks(commands: &[&str]) -> bool {
    let root = (!rustix::process::geteuid().is_root()).then_some("root");
    let missing: Vec<&str> = root.into_iter().chain(absent(commands)).collect();
    says_missing(&missing)
}

/// As [`lacks`], for what needs no root.
///
/// # Panics
/// With `CI=true`, when something is missing.
#[must_use]
pub fn lacks_commands(commands: &[&str]) -> bool {
    let missing: Vec<&str> = absent(commands).collect();
    says_missing(&missing)
}

fn absent<'a>(commands: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    commands.iter().copied().filter(|command| tool(command).is_none())
}

fn says_missing(missing: &[&str]) -> bool {
    if missing.is_empty() {
        return false;
    }
    let text = format!("skipped: needs {}", missing.join(", "));
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{text}");
    say(&text);
    true
}

#[expect(clippy::print_stdout, reason = "the words that the test script counts")]
pub(crate) fn say(text: &str) {
    println!("{text}");
}

/// A new folder that goes when it is dropped: in memory where that is possible, as thousands of
/// worlds are made in one run.
///
/// # Errors
/// When it can't be made.
pub fn folder() -> io::Result<tempfile::TempDir> {
    let memory = PathBuf::from("/dev/shm");
    let parent = if memory.is_dir() { memory } else { std::env::temp_dir() };
    tempfile::Builder::new().prefix("dsg-test-").tempdir_in(parent)
}

pub(crate) fn tool(name: &str) -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    let places = path.split(':').chain(["/usr/local/sbin", "/usr/sbin", "/sbin"]);
    places.map(|place| Path::new(place).join(name)).find(|path| path.is_file())
}

pub(crate) fn run(name: &str, arguments: &[&std::ffi::OsStr]) -> io::Result<String> {
    let path = tool(name).ok_or_else(|| io::Error::other(format!("{name} is missing")))?;
    let mut command = Command::new(path);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = program::start(&mut command)?.wait_with_output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(io::Error::other(format!("{name} {arguments:?}: {}", text.trim())))
}

/// An XFS in an image file, mounted by way of a loop device until it is dropped.
#[derive(Debug)]
pub struct Xfs {
    /// Holds the image and the mount point.
    folder: tempfile::TempDir,
    /// Kept for the whole life: a device that is set up for each mount may still be going away when
    /// the next mount takes it.
    device: String,
    mounted: bool,
}

impl Xfs {
    /// Makes and mounts one.
    ///
    /// # Errors
    /// When a tool fails.
    pub fn new() -> io::Result<Self> {
        let folder = self::folder()?;
        let image = folder.path().join("image");
        fs::File::create(&image)?.set_len(XFS_BYTES)?;
        fs::create_dir(folder.path().join("mount"))?;
        run("mkfs.xfs", &["-q".as_ref(), "-m".as_ref(), "reflink=1".as_ref(), image.as_ref()])?;
        let device = run("losetup", &["--find".as_ref(), "--show".as_ref(), image.as_ref()])?;
        let mut xfs = Self { folder, device, mounted: false };
        xfs.mount()?;
        Ok(xfs)
    }

    /// Where it is mounted.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("mount")
    }

    fn mount(&mut self) -> io::Result<()> {
        run("mount", &[self.device.as_ref(), self.path().as_ref()])?;
        self.mounted = true;
        Ok(())
    }

    fn unmount(&mut self) -> io::Result<()> {
        if !self.mounted {
            return Ok(());
        }
        // A process that another test starts at this moment shares our open files until it becomes
        // another program.
        let mut attempts = 0;
        while let Err(error) = run("umount", &[self.path().as_ref()]) {
            attempts += 1;
            if attempts == ATTEMPTS_MAX {
                return Err(error);
            }
            std::thread::sleep(PAUSE);
        }
        self.mounted = false;
        Ok(())
    }

    /// Makes everything that was written durable.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::syncfs(fs::File::open(self.path())?)?)
    }

    /// The power goes: from now on nothing reaches the disk, not even what is in the log's buffer.
    ///
    /// # Errors
    /// When the tool fails.
    pub fn cut_power(&self) -> io::Result<()> {
        let path = self.path();
        run("xfs_io", &["-x".as_ref(), "-c".as_ref(), "shutdown".as_ref(), path.as_ref()])?;
        Ok(())
    }

    /// The power comes back. Whoever had files open must be gone.
    ///
    /// # Errors
    /// When it can't be mounted again.
    pub fn restart(&mut self) -> io::Result<()> {
        for _ in 0..ATTEMPTS_MAX {
            self.unmount()?;
            self.mount()?;
            // Who has a mount namespace of their own, even for a moment, may still hold what was cut
            // off, and then it is that which is mounted again.
            if fs::read_dir(self.path()).is_ok() {
                return Ok(());
            }
            std::thread::sleep(PAUSE);
        }
        Err(io::Error::other("somebody holds the file system that was shut down"))
    }
}

impl Drop for Xfs {
    fn drop(&mut self) {
        // A test that failed may still have a file open there: the mount then goes with the last one.
        if self.mounted && self.unmount().is_err() {
            let _ = run("umount", &["-l".as_ref(), self.path().as_ref()]);
        }
        let _ = run("losetup", &["--detach".as_ref(), self.device.as_ref()]);
    }
}

/// A disk in memory with little space, until it is dropped.
#[derive(Debug)]
pub struct SmallDisk {
    folder: tempfile::TempDir,
}

impl SmallDisk {
    /// Makes and mounts one of that many KiB.
    ///
    /// # Errors
    /// When a tool fails.
    pub fn new(kibibytes: u64) -> io::Result<Self> {
        let folder = self::folder()?;
        let options = format!("size={kibibytes}k");
        run(
            "mount",
            &[
                "-t".as_ref(),
                "tmpfs".as_ref(),
                "-o".as_ref(),
                options.as_ref(),
                "tmpfs".as_ref(),
                folder.path().as_ref(),
            ],
        )?;
        Ok(Self { folder })
    }

    /// Where it is mounted.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Gives it another size.
    ///
    /// # Errors
    /// When the tool fails.
    pub fn resize(&self, kibibytes: u64) -> io::Result<()> {
        let options = format!("remount,size={kibibytes}k");
        run("mount", &["-o".as_ref(), options.as_ref(), self.path().as_ref()])?;
        Ok(())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let path: &std::ffi::OsStr = self.folder.path().as_ref();
        if run("umount", &[path]).is_err() {
            let _ = run("umount", &["-l".as_ref(), path]);
        }
    }
}
