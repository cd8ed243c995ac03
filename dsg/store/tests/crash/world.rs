//! Two projects and a repository in one folder, and the operations on them, in this process or in
//! one of their own.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dsg_core::config::parse_project;
use dsg_store::error::{Code, Result};
use dsg_store::monitor::Silent;
use dsg_store::project::{self, Project, attach, write_configuration};
use dsg_store::repository::{Access, Repository, create_planned, open as open_repository, plan};
use dsg_store::sync::{Look, LookOptions, SyncOptions, SyncOutcome, look, sync};
use foundation_runtime::clock::SystemClock;
use testkit::mount::folder;
use testkit::oracle::Moment;
use testkit::program::{Fault, Process, again, nothing_starts};

/// The stamp of files that lose against a choice.
pub(crate) const BACKUP: &str = "20260102T030405Z";

/// What dsg is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Makes the repository, connects the project to it, and syncs for the first time.
    Init,
    /// Connects a project to the repository that is there, and downloads everything.
    Clone,
    /// Syncs.
    Sync,
    /// Syncs with the resolutions that were saved, keeping a copy of what loses.
    Continue,
}

impl Operation {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Init, "init"),
        (Self::Clone, "clone"),
        (Self::Sync, "sync"),
        (Self::Continue, "continue"),
    ];

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(operation, _)| *operation == self).map_or("", |(_, name)| name)
    }
}

/// The folder.
pub(crate) struct World {
    pub(crate) root: PathBuf,
    pub(crate) access: Access,
    pub(crate) threads: usize,
    /// What `.dsgconfig.yml` says below `repository`, but for host and mountpoint.
    pub(crate) kind: String,
    _folder: Option<tempfile::TempDir>,
}

impl World {
    /// A new one in memory.
    pub(crate) fn new() -> Self {
        let folder = folder().expect("a folder");
        fs::create_dir(folder.path().join("srv")).expect("creates");
        Self::of(folder)
    }

    /// One in a folder that goes with it.
    pub(crate) fn of(folder: tempfile::TempDir) -> Self {
        let mut world = Self::at(folder.path());
        world._folder = Some(folder);
        world
    }

    /// One in a folder that is there, which stays.
    pub(crate) fn at(root: &Path) -> Self {
        let kind = "type: posix".to_owned();
        Self { root: root.to_owned(), access: Access::Private, threads: 1, kind, _folder: None }
    }

    pub(crate) fn repository(&self) -> PathBuf {
        self.root.join("srv/p")
    }

    pub(crate) fn project(&self, user: &str) -> PathBuf {
        self.root.join(user)
    }

    /// The users that have a project.
    pub(crate) fn users(&self) -> Vec<&'static str> {
        ["alice", "bob"].into_iter().filter(|user| self.project(user).is_dir()).collect()
    }

    pub(crate) fn moment(&self) -> Moment {
        Moment::now(&self.repository(), &self.root, &self.users()).expect("looks")
    }

    /// Does an operation in this process.
    pub(crate) fn run(&self, operation: Operation, user: &str) -> Result<SyncOutcome> {
        let _guard = nothing_starts();
        operate(self, operation, user)
    }

    /// Does an operation to its end. In a process of its own where it starts programs: those share the
    /// open files of this one for a moment, and so the locks of other tests.
    pub(crate) fn perform(&self, operation: Operation, user: &str) -> Ended {
        if self.kind.contains("zfs") || self.kind.contains("btrfs") {
            return ended(self.start(operation, user, Fault::None));
        }
        match self.run(operation, user) {
            Ok(SyncOutcome::Done(_)) => Ended::Done,
            Ok(SyncOutcome::Conflicts(_)) => Ended::Conflicts,
            Err(error) => Ended::Failed(error.code, error.to_string()),
        }
    }

    /// Starts an operation in a process of its own.
    pub(crate) fn start(&self, operation: Operation, user: &str, fault: Fault) -> Process {
        self.start_with(operation, user, fault, &[], |_| {})
    }

    pub(crate) fn start_with(
        &self,
        operation: Operation,
        user: &str,
        fault: Fault,
        variables: &[(&str, &OsStr)],
        change: impl FnOnce(&mut std::process::Command),
    ) -> Process {
        let access = if self.access == Access::Group { "group" } else { "private" };
        let threads = self.threads.to_string();
        let mut all: Vec<(&str, &OsStr)> = vec![
            ("DSG_TEST_OPERATION", operation.name().as_ref()),
            ("DSG_TEST_WORLD", self.root.as_ref()),
            ("DSG_TEST_USER", user.as_ref()),
            ("DSG_TEST_ACCESS", access.as_ref()),
            ("DSG_TEST_KIND", self.kind.as_ref()),
            ("RAYON_NUM_THREADS", threads.as_ref()),
        ];
        all.extend(variables);
        let mut command = again("world::program", &all, fault).expect("a program");
        change(&mut command);
        Process::start(&mut command).expect("starts")
    }

    /// What a sync of this user would do now.
    pub(crate) fn look(&self, user: &str) -> Look {
        let _guard = nothing_starts();
        let project = Project::open(&self.project(user)).expect("a project");
        let repository = open(&project, user).expect("a repository");
        let dsg = project.dsg_attached().expect("attached");
        look(&project, &dsg, &repository, &LookOptions::default(), &Silent).expect("looks")
    }

    /// Opens the repository and does something with it.
    pub(crate) fn with_repository<T>(&self, act: impl FnOnce(&dyn Repository) -> T) -> Result<T> {
        let _guard = nothing_starts();
        let clock = Arc::new(SystemClock::new());
        let repository = open_repository(&self.repository(), "reader@example.org", clock)?;
        Ok(act(&*repository))
    }

    /// The text of a project's configuration.
    fn configuration(&self) -> String {
        let mountpoint = self.root.join("srv");
        let (kind, mountpoint) = (&self.kind, mountpoint.display());
        format!("name: p\nrepository: {{{kind}, host: localhost, mountpoint: {mountpoint}}}\n")
    }
}

/// Edits, as a user makes them.
impl World {
    /// Makes the folder of another user's project, if it is not there.
    pub(crate) fn join_in(&self, user: &str) {
        fs::create_dir_all(self.project(user)).expect("creates");
    }

    pub(crate) fn write(&self, user: &str, path: &str, text: &str) {
        let path = self.project(user).join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("creates");
        fs::write(&path, text).expect("writes");
        // The same time in every run, and another one for other bytes.
        let number = blake3::hash(text.as_bytes()).as_bytes()[0];
        let seconds = 1_700_000_000 + u64::from(number);
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
        let file = fs::OpenOptions::new().write(true).open(&path).expect("opens");
        file.set_modified(time).expect("sets");
    }

    pub(crate) fn executable(&self, user: &str, path: &str) {
        let path = self.project(user).join(path);
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("sets");
    }

    pub(crate) fn link(&self, user: &str, path: &str, target: &str) {
        let path = self.project(user).join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("creates");
        if path.is_symlink() {
            fs::remove_file(&path).expect("removes");
        }
        symlink(target, path).expect("links");
    }

    pub(crate) fn remove(&self, user: &str, path: &str) {
        let path = self.project(user).join(path);
        if path.is_dir() && !path.is_symlink() {
            fs::remove_dir_all(path).expect("removes");
        } else {
            fs::remove_file(path).expect("removes");
        }
    }
}

fn open(project: &Project, user: &str) -> Result<Box<dyn Repository>> {
    project.repository(&format!("{user}@example.org"), Arc::new(SystemClock::new()))
}

fn operate(world: &World, operation: Operation, user: &str) -> Result<SyncOutcome> {
    let root = world.project(user);
    let is_attached = root.join(".dsg/state").exists();
    if matches!(operation, Operation::Init | Operation::Clone) && !is_attached {
        let text = world.configuration();
        if operation == Operation::Init {
            let config = parse_project(&text).expect("a configuration").config;
            let plan = plan(&config.repository, &world.repository())?;
            create_planned(&plan, world.access, &SystemClock::new())?;
        }
        write_configuration(&root, &text)?;
        let project = Project::open(&root)?;
        attach(&project, &open(&project, user)?)?;
    }
    let project = Project::open(&root)?;
    let repository = open(&project, user)?;
    let mut options =
        SyncOptions { look: LookOptions::default(), message: None, backup_stamp: None };
    if operation == Operation::Continue {
        options.look.resolutions = project::resolutions(&project.dsg_attached()?)?;
        options.backup_stamp = Some(BACKUP.to_owned());
    }
    sync(&project, &repository, &options, &Silent)
}

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Killed,
    Done,
    Conflicts,
    Failed(Code, String),
}

/// Waits for the end of a process.
pub(crate) fn ended(process: Process) -> Ended {
    let output = process.end().expect("ends");
    if output.status.code().is_none() {
        return Ended::Killed;
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let Some((_, outcome)) = text.split_once("outcome: ") else {
        panic!("no outcome: {text}{}", String::from_utf8_lossy(&output.stderr));
    };
    let outcome = outcome.lines().next().unwrap_or_default();
    match outcome.split_once(' ') {
        None if outcome == "done" => Ended::Done,
        None => Ended::Conflicts,
        Some((code, why)) => {
            let known = Code::ALL.iter().find(|known| known.as_str() == code);
            Ended::Failed(*known.expect("a code"), why.to_owned())
        }
    }
}

/// Not a test: what the processes that tests start do.
#[test]
fn program() {
    let Some(name) = std::env::var_os("DSG_TEST_OPERATION") else { return };
    let text = |name: &str| std::env::var(name).expect("a variable");
    let operation = Operation::ALL.iter().find(|(_, known)| *known == name);
    let (operation, _) = operation.expect("an operation");
    let mut world = World::at(Path::new(&text("DSG_TEST_WORLD")));
    world.kind = text("DSG_TEST_KIND");
    if text("DSG_TEST_ACCESS") == "group" {
        world.access = Access::Group;
    }
    if let Ok(mask) = std::env::var("DSG_TEST_UMASK") {
        let mask = u32::from_str_radix(&mask, 8).expect("a mask");
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(mask));
    }
    match operate(&world, *operation, &text("DSG_TEST_USER")) {
        Ok(SyncOutcome::Done(_)) => println!("outcome: done"),
        Ok(SyncOutcome::Conflicts(_)) => println!("outcome: conflicts"),
        Err(error) => println!("outcome: {} {error}", error.code.as_str()),
    }
}
