//! A repository and projects in a temporary folder: what the tests of this crate work on.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dsg_core::path::RepoPath;
use dsg_core::snapshot::SnapshotNumber;
use foundation_runtime::clock::{Clock, FixedClock};

use crate::error::Code;
use crate::monitor::Silent;
use crate::project::{Project, attach, write_configuration};
use crate::repository::{Access, LocalRepository, create};
use crate::sync::{SyncOptions, SyncOutcome, SyncReport, sync};
use crate::system::lock_file;

/// The folder that holds everything.
pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) clock: Arc<FixedClock>,
}

/// One user's project.
pub(crate) struct Client {
    pub(crate) root: PathBuf,
    user: String,
    clock: Arc<FixedClock>,
}

impl World {
    pub(crate) fn new() -> Self {
        let clock = FixedClock::new("2026-03-01T12:00:00Z".parse().expect("a time"));
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("srv")).expect("creates");
        create(&folder.path().join("srv/p"), Access::Private, &clock).expect("creates");
        Self { folder, clock: Arc::new(clock) }
    }

    /// The repository's directory.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("srv/p")
    }

    pub(crate) fn repository(&self) -> LocalRepository {
        self.repository_of("manager@example.org")
    }

    pub(crate) fn repository_of(&self, author: &str) -> LocalRepository {
        let clock: Arc<dyn Clock> = Arc::clone(&self.clock) as Arc<dyn Clock>;
        LocalRepository::open(&self.root(), author, clock).expect("opens")
    }

    pub(crate) fn client(&self, user: &str) -> Client {
        let root = self.folder.path().join(user);
        fs::create_dir(&root).expect("creates");
        let text = format!(
            "name: p\nrepository: {{type: posix, host: localhost, mountpoint: {}}}\n",
            self.folder.path().join("srv").display()
        );
        write_configuration(&root, &text).expect("writes");
        let client = Client { root, user: user.to_owned(), clock: Arc::clone(&self.clock) };
        attach(&client.project(), &client.repository()).expect("attaches");
        client
    }

    pub(crate) fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        write(&self.root().join(path), bytes.as_ref());
    }

    pub(crate) fn read(&self, path: &str) -> Vec<u8> {
        fs::read(self.root().join(path)).expect("reads")
    }
}

impl Client {
    pub(crate) fn project(&self) -> Project {
        Project::open(&self.root).expect("opens")
    }

    pub(crate) fn repository(&self) -> LocalRepository {
        let clock: Arc<dyn Clock> = Arc::clone(&self.clock) as Arc<dyn Clock>;
        self.project()
            .local_repository(&format!("{}@example.org", self.user), clock)
            .expect("opens")
    }

    pub(crate) fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        write(&self.root.join(path), bytes.as_ref());
    }

    pub(crate) fn link(&self, path: &str, target: &str) {
        std::os::unix::fs::symlink(target, self.root.join(path)).expect("links");
    }

    pub(crate) fn remove(&self, path: &str) {
        fs::remove_file(self.root.join(path)).expect("removes");
    }

    /// Syncs. A program that another test starts at this moment shares our open files, the locked ones
    /// too, until it is one: a project whose lock was given up seems busy until then.
    pub(crate) fn try_sync(&self) -> crate::error::Result<SyncOutcome> {
        let options = SyncOptions { look: Default::default(), message: None, backup_stamp: None };
        let project = self.project();
        for _ in 0..100 {
            match sync(&project, &self.repository(), &options, &Silent) {
                Err(error) if error.code == Code::ProjectBusy => {
                    let dsg = project.dsg_attached()?;
                    drop(lock_file(&dsg, "lock", 0o600, true)?);
                }
                other => return other,
            }
        }
        sync(&project, &self.repository(), &options, &Silent)
    }

    /// Syncs without conflicts.
    pub(crate) fn sync(&self) -> SyncReport {
        match self.try_sync().expect("syncs") {
            SyncOutcome::Done(report) => report,
            SyncOutcome::Conflicts(questions) => panic!("conflicts: {questions:?}"),
        }
    }
}

fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().expect("a parent")).expect("creates");
    fs::write(path, bytes).expect("writes");
}

pub(crate) fn path(text: &str) -> RepoPath {
    RepoPath::parse(text).expect("a path")
}

pub(crate) fn number(number: u64) -> SnapshotNumber {
    SnapshotNumber::new(number).expect("a number")
}
