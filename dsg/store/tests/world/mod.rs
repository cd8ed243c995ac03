//! A world for tests by the library: one repository on a real file system, and people who work on
//! projects of it. Several test files use it, each another part.

#![allow(dead_code, reason = "no test file uses all of it")]

pub(crate) mod craft;
pub(crate) mod look;
pub(crate) mod own_process;
pub(crate) mod wrapped;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use dsg_core::conflict::{Choice, Question, Resolution, Resolutions};
use dsg_core::path::RepoPath;
use dsg_core::snapshot::SnapshotNumber;
use dsg_store::error::{Code, Error, Result};
use dsg_store::monitor::{Monitor, Silent};
use dsg_store::project::{Project, attach, write_configuration};
use dsg_store::repository::{Access, LocalRepository, Repository, create};
use dsg_store::sync::{LookOptions, SyncOptions, SyncOutcome, SyncReport, sync};
use foundation_runtime::clock::SystemClock;

/// A repository, and room for projects.
pub(crate) struct World {
    folder: tempfile::TempDir,
    _no_fork: own_process::NoFork,
}

impl World {
    /// A private repository without a snapshot.
    pub(crate) fn new() -> Self {
        Self::with_access(Access::Private)
    }

    pub(crate) fn with_access(access: Access) -> Self {
        Self::inside(&std::env::temp_dir(), access)
    }

    /// In the memory of the machine where there is such a place: for very many files.
    pub(crate) fn in_memory() -> Self {
        let memory = Path::new("/dev/shm");
        let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        Self::inside(&place, Access::Private)
    }

    fn inside(place: &Path, access: Access) -> Self {
        let _no_fork = own_process::NoFork::new();
        let folder = tempfile::tempdir_in(place).expect("a folder");
        fs::create_dir(folder.path().join("srv")).expect("creates");
        create(&folder.path().join("srv/p"), access, &SystemClock::new()).expect("creates");
        Self { folder, _no_fork }
    }

    /// Where everything is.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where the repository is.
    pub(crate) fn repository(&self) -> PathBuf {
        self.folder.path().join("srv/p")
    }

    /// Its control directory.
    pub(crate) fn control(&self) -> PathBuf {
        self.repository().join(".dsg-repository")
    }

    /// What the repository shows at a path.
    pub(crate) fn shown(&self, path: &str) -> String {
        fs::read_to_string(self.repository().join(path)).expect("reads")
    }

    /// A person's project with the default configuration, attached, nothing synced yet.
    pub(crate) fn project(&self, user: &str) -> Client {
        self.project_with(user, "")
    }

    /// As [`project`](Self::project), with more lines of configuration.
    pub(crate) fn project_with(&self, user: &str, more: &str) -> Client {
        let root = self.folder.path().join(user);
        fs::create_dir(&root).expect("creates");
        write_configuration(&root, &self.configuration(more)).expect("writes");
        let client = Client { root, user: user.to_owned() };
        attach(&client.project(), &client.repository()).expect("attaches");
        client
    }

    /// The text of a `.dsgconfig.yml` for this repository.
    pub(crate) fn configuration(&self, more: &str) -> String {
        let mountpoint = self.folder.path().join("srv");
        let place = mountpoint.display();
        format!(
            "name: p\nrepository: {{type: posix, host: localhost, mountpoint: {place}}}\n{more}"
        )
    }

    /// Gives a project other lines of configuration.
    pub(crate) fn configure(&self, client: &Client, more: &str) {
        let text = self.configuration(more);
        fs::write(client.root.join(".dsgconfig.yml"), text).expect("writes");
    }

    /// What the newest snapshot says of a path: its manifest, not what the disk shows.
    pub(crate) fn entry(&self, path: &str) -> Option<dsg_core::entry::Entry> {
        let repository = open(&self.repository());
        let head = repository.head().expect("a head")?;
        repository.entry(head.number, &key(path)).expect("an entry")
    }

    /// The number of the newest snapshot; 0 when there is none.
    pub(crate) fn head(&self) -> u64 {
        let head = open(&self.repository()).head().expect("a head");
        head.map_or(0, |head| head.number.get())
    }

    /// Proves every content of every snapshot.
    pub(crate) fn assert_whole(&self) {
        use dsg_store::repository::VerifyScope;
        let scope = VerifyScope::Chain { contents: true };
        let report = open(&self.repository()).verify(&scope, &Silent).expect("verifies");
        assert_eq!(report.damage, []);
    }
}

/// Opens a repository as nobody in particular.
pub(crate) fn open(root: &Path) -> LocalRepository {
    LocalRepository::open(root, "test@example.org", Arc::new(SystemClock::new())).expect("opens")
}

/// A person with a project.
pub(crate) struct Client {
    pub(crate) root: PathBuf,
    pub(crate) user: String,
}

impl Client {
    pub(crate) fn project(&self) -> Project {
        Project::open(&self.root).expect("opens")
    }

    pub(crate) fn try_repository(&self) -> Result<LocalRepository> {
        let author = format!("{}@example.org", self.user);
        self.project().local_repository(&author, Arc::new(SystemClock::new()))
    }

    pub(crate) fn repository(&self) -> LocalRepository {
        self.try_repository().expect("opens")
    }

    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("creates");
        fs::write(path, text).expect("writes");
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root.join(path)).expect("reads")
    }

    pub(crate) fn remove(&self, path: &str) {
        let path = self.root.join(path);
        if path.is_dir() && !path.is_symlink() {
            fs::remove_dir_all(path).expect("removes");
        } else {
            fs::remove_file(path).expect("removes");
        }
    }

    pub(crate) fn link(&self, path: &str, target: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("creates");
        if path.is_symlink() || path.exists() {
            fs::remove_file(&path).expect("removes");
        }
        std::os::unix::fs::symlink(target, path).expect("links");
    }

    pub(crate) fn target(&self, path: &str) -> String {
        let target = fs::read_link(self.root.join(path)).expect("a link");
        target.to_str().expect("a text").to_owned()
    }

    /// Whether something is there; a link counts as itself.
    pub(crate) fn has(&self, path: &str) -> bool {
        fs::symlink_metadata(self.root.join(path)).is_ok()
    }

    pub(crate) fn chmod(&self, path: &str, mode: u32) {
        chmod(&self.root.join(path), mode);
    }

    pub(crate) fn is_executable(&self, path: &str) -> bool {
        mode(&self.root.join(path)) & 0o100 != 0
    }

    /// Syncs, heard by a monitor.
    pub(crate) fn sync_as(
        &self,
        options: &SyncOptions,
        monitor: &dyn Monitor,
    ) -> Result<SyncOutcome> {
        sync(&self.project(), &self.try_repository()?, options, monitor)
    }

    pub(crate) fn try_sync(&self) -> Result<SyncOutcome> {
        self.sync_as(&options(), &Silent)
    }

    /// Syncs; must get through.
    pub(crate) fn sync(&self) -> SyncReport {
        done(self.try_sync())
    }

    /// Syncs while a monitor listens; must get through.
    pub(crate) fn sync_heard(&self, monitor: &dyn Monitor) -> SyncReport {
        done(self.sync_as(&options(), monitor))
    }

    /// Syncs; must be stopped by an error of this kind, and change nothing here or there.
    pub(crate) fn sync_fails(&self, code: Code) -> Error {
        let before = look::contents(&self.root);
        let error = match self.try_sync() {
            Err(error) => error,
            Ok(outcome) => panic!("no error: {outcome:?}"),
        };
        assert_eq!(error.code, code, "{error:?}");
        assert!(error.next.is_some(), "says what to do next: {error:?}");
        assert_eq!(look::contents(&self.root), before, "nothing is changed here");
        error
    }

    /// Syncs; must ask.
    pub(crate) fn questions(&self) -> Vec<Question> {
        match self.try_sync().expect("syncs") {
            SyncOutcome::Conflicts(questions) => questions,
            SyncOutcome::Done(report) => panic!("no conflict: {report:?}"),
        }
    }

    /// Syncs, and settles what is asked for each path as told; must get through then.
    pub(crate) fn settle(&self, choices: &[(&str, Choice)]) -> SyncReport {
        done(self.sync_as(&self.settled(choices), &Silent))
    }

    /// Options in which the present conflicts are settled.
    pub(crate) fn settled(&self, choices: &[(&str, Choice)]) -> SyncOptions {
        let questions = self.questions();
        let mut resolutions = Resolutions::default();
        for (path, choice) in choices {
            let question = questions.iter().find(|question| question.path.as_str() == *path);
            let question = question.unwrap_or_else(|| panic!("{path} is not asked about"));
            let resolution = Resolution {
                path: question.path.clone(),
                choice: *choice,
                made_for: question.made_for,
            };
            resolutions.insert(resolution).expect("is kept");
        }
        SyncOptions { look: LookOptions { resolutions, ..LookOptions::default() }, ..options() }
    }

    /// Whether a sync would find nothing to do.
    pub(crate) fn assert_settled(&self) {
        let report = self.sync();
        assert_eq!(report.steps, [], "nothing is left to do");
        assert_eq!(report.snapshot, None, "and nothing was committed");
    }
}

/// Takes what a sync did; it must have got through.
pub(crate) fn done(outcome: Result<SyncOutcome>) -> SyncReport {
    match outcome.expect("syncs") {
        SyncOutcome::Done(report) => report,
        SyncOutcome::Conflicts(questions) => panic!("conflicts: {questions:?}"),
    }
}

/// No wishes.
pub(crate) fn options() -> SyncOptions {
    SyncOptions { look: LookOptions::default(), message: None, backup_stamp: None }
}

/// Deleting much is meant.
pub(crate) fn allowing_mass_delete() -> SyncOptions {
    SyncOptions {
        look: LookOptions { allow_mass_delete: true, ..LookOptions::default() },
        ..options()
    }
}

/// With a message.
pub(crate) fn saying(message: &str) -> SyncOptions {
    SyncOptions { message: Some(message.to_owned()), ..options() }
}

pub(crate) fn key(path: &str) -> RepoPath {
    RepoPath::parse(path).expect("a path")
}

pub(crate) fn number(number: u64) -> SnapshotNumber {
    SnapshotNumber::new(number).expect("a number")
}

pub(crate) fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("sets the mode");
}

/// The permission bits, links not followed.
pub(crate) fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).expect("is there").permissions().mode() & 0o7777
}

/// Sets when a file's contents were last changed.
pub(crate) fn set_modified(path: &Path, time: SystemTime) {
    let file = fs::File::options().write(true).open(path).expect("opens");
    file.set_modified(time).expect("sets the time");
}

/// When a file's contents were last changed.
pub(crate) fn modified(path: &Path) -> SystemTime {
    fs::symlink_metadata(path).expect("is there").modified().expect("a time")
}

/// A moment long ago, the same in every run.
pub(crate) fn long_ago(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000 + seconds)
}

/// The paths of steps with what was done.
pub(crate) fn steps(report: &SyncReport) -> Vec<(&str, &'static str)> {
    report.steps.iter().map(|(path, what)| (path.as_str(), *what)).collect()
}

/// What is unknown, as it is shown.
pub(crate) fn unknown(report: &SyncReport) -> Vec<&str> {
    report.unknown.iter().map(|unknown| unknown.shown.as_str()).collect()
}

/// What was skipped, with the reason.
pub(crate) fn skipped(report: &SyncReport) -> Vec<&str> {
    report.skipped.iter().map(|skipped| skipped.path.as_str()).collect()
}
