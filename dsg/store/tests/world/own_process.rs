//! Running a test again in a process of its own: as another user, under another umask, in a mount
//! namespace, or with its steps counted. What belongs to a process would else be every test's.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Condvar, Mutex, PoisonError};

/// Set in the process that was started for one test.
const MARK: &str = "DSG_TEST_IN_OWN_PROCESS";

/// How the process differs.
pub(crate) enum How<'a> {
    /// A user without rights, so that permissions mean something.
    AsNobody,
    /// Under a umask, written in octal.
    Umask(&'a str),
    /// In a mount namespace of its own: what it mounts is gone with it.
    OwnMounts,
    /// Not at all: it only has the process for itself.
    Alone,
    /// A line for each step that changes a disk goes to this file.
    StepsLogged(&'a Path),
}

/// How many worlds there are in this process.
static WORLDS: Mutex<u64> = Mutex::new(0);
static ONE_LESS: Condvar = Condvar::new();

/// Held by each world. Between its fork and its exec a new process has all files that are open here,
/// the locked ones too: a lock that is given up meanwhile seems to be held. So no process is started
/// while there is a world.
#[derive(Debug)]
pub(crate) struct NoFork(());

impl NoFork {
    pub(crate) fn new() -> Self {
        *WORLDS.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Self(())
    }
}

impl Drop for NoFork {
    fn drop(&mut self) {
        *WORLDS.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        ONE_LESS.notify_all();
    }
}

/// Starts a program when no world is in the way. One at a time is made and started: a program can't
/// be started while somebody may still write to it.
fn start(make: impl FnOnce() -> Command) -> std::io::Result<Child> {
    let worlds = WORLDS.lock().unwrap_or_else(PoisonError::into_inner);
    let _none = ONE_LESS.wait_while(worlds, |worlds| *worlds > 0);
    make().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
}

fn assert_passed(name: &str, child: Child) {
    let output = child.wait_with_output().expect("ends");
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{name} in its own process:\n{said}");
    assert!(said.contains("1 passed"), "{name} did not run:\n{said}");
}

/// Whether this is the process of its own that the test asked for.
pub(crate) fn is_own() -> bool {
    std::env::var_os(MARK).is_some()
}

/// Set in the first run of [`pause`].
const REHEARSAL: &str = "DSG_TEST_REHEARSAL";

/// Whether this run is only to find the step at which the next one is paused.
pub(crate) fn is_rehearsal() -> bool {
    std::env::var_os(REHEARSAL).is_some()
}

/// Runs the test `name` again, pauses it before the last step that does `what` to a path with `part`
/// in it, and lets `meanwhile` change the world, whose folder it gets. A build without the feature
/// `faults` can't be paused.
pub(crate) fn pause(name: &str, (what, part): (&str, &str), meanwhile: impl FnOnce(&Path)) {
    let folder = tempfile::tempdir().expect("a folder");
    let place = |run: &str| {
        let place = folder.path().join(run);
        std::fs::create_dir(&place).expect("creates");
        place
    };
    let make = |place: &Path| {
        let mut command = Command::new(std::env::current_exe().expect("a program"));
        command.args([name, "--exact", "--nocapture", "--test-threads=1"]);
        // One thread: two that make the same directory do not always need the same steps.
        command.env(MARK, "1").env("TMPDIR", place).env("RAYON_NUM_THREADS", "1");
        command
    };
    let (rehearsal, log) = (place("rehearsal"), folder.path().join("log"));
    let first = start(|| {
        let mut command = make(&rehearsal);
        command.env(REHEARSAL, "1").env("DSG_FAULT_LOG", &log);
        command
    });
    assert_passed(name, first.expect("starts"));
    let log = std::fs::read_to_string(log).expect("reads");
    let fits = |line: &&str| {
        let step = line.split_once(' ').and_then(|(_, step)| step.split_once(" /"));
        step.is_some_and(|(does, path)| does == what && path.contains(part))
    };
    let line = log.lines().rev().find(fits).unwrap_or_else(|| panic!("no such step:\n{log}"));
    let number = line.split(' ').next().expect("a number");

    let place = place("paused");
    let second = start(|| {
        let mut command = make(&place);
        command.env("DSG_FAULT", format!("stop:{number}"));
        command
    });
    let second = second.expect("starts");
    let status = format!("/proc/{}/stat", second.id());
    let stopped = || std::fs::read_to_string(&status).is_ok_and(|text| text.contains(") T "));
    for _ in 0..10_000 {
        if stopped() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    assert!(stopped(), "it is paused");
    let world = std::fs::read_dir(&place).expect("lists").next().expect("a world");
    meanwhile(&world.expect("an entry").path());
    let process = rustix::process::Pid::from_child(&second);
    rustix::process::kill_process(process, rustix::process::Signal::CONT).expect("goes on");
    assert_passed(name, second);
}

/// Whether permissions don't bind this process.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Runs the test `name` (with its modules) again, differently; it must pass there.
pub(crate) fn run(name: &str, how: &How<'_>) {
    let folder = tempfile::tempdir().expect("a folder");
    super::chmod(folder.path(), 0o755);
    let make = || {
        let mut command = command(how, &program(folder.path()));
        command.args([name, "--exact", "--nocapture", "--test-threads=1"]);
        // Directories that this process may enter need not be open to the other.
        command.current_dir(folder.path()).env(MARK, "1").env_remove("TMPDIR");
        if let How::StepsLogged(log) = how {
            command.env("DSG_FAULT_LOG", log);
        }
        command
    };
    assert_passed(name, start(make).expect("starts"));
}

/// The test program where anybody can run it.
fn program(folder: &Path) -> PathBuf {
    let copy = folder.join("test");
    std::fs::copy(std::env::current_exe().expect("a program"), &copy).expect("copies");
    super::chmod(&copy, 0o755);
    copy
}

fn command(how: &How<'_>, program: &Path) -> Command {
    use std::os::unix::process::CommandExt;
    match how {
        How::AsNobody => {
            let mut command = Command::new(program);
            command.uid(65534).gid(65534);
            command
        }
        How::Umask(umask) => {
            let mut command = Command::new("sh");
            command.args(["-c", &format!("umask {umask}; exec \"$0\" \"$@\"")]).arg(program);
            command
        }
        How::OwnMounts => {
            let mut command = Command::new("unshare");
            command.args(["--mount", "--"]).arg(program);
            command
        }
        How::Alone | How::StepsLogged(_) => Command::new(program),
    }
}

/// Says that a test did not run for want of something.
#[expect(clippy::print_stdout, reason = "the test script counts these lines")]
pub(crate) fn skipped(needs: &str) {
    println!("skipped: needs {needs}");
}

/// Whether mount namespaces can be made here.
pub(crate) fn can_mount() -> bool {
    let tried = start(|| {
        let mut unshare = Command::new("unshare");
        unshare.args(["--mount", "--", "sh", "-c", "mount -t tmpfs none /mnt"]);
        unshare
    });
    tried.and_then(Child::wait_with_output).is_ok_and(|output| output.status.success())
}

/// Mounts an empty file system at `path`; only in a namespace of its own.
pub(crate) fn mount(path: &Path) {
    mount_with(path, &["-t", "tmpfs", "none"]);
}

/// As [`mount`], with other words for the program.
pub(crate) fn mount_with(path: &Path, arguments: &[&str]) {
    assert!(is_own());
    let status = Command::new("mount").args(arguments).arg(path).status();
    assert!(status.expect("runs").success(), "mounts");
}

/// Undoes [`mount`].
pub(crate) fn unmount(path: &Path) {
    assert!(is_own());
    let status = Command::new("umount").arg(path).status();
    assert!(status.expect("runs").success(), "unmounts");
}
