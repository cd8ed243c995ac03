//! Two projects and one repository on a real file system: the protocol from end to end, by the library.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dsg_store::error::Code;
use dsg_store::monitor::Silent;
use dsg_store::project::{Project, attach, write_configuration};
use dsg_store::repository::{Access, LocalRepository, Repository, create};
use dsg_store::sync::{SyncOptions, SyncOutcome, SyncReport, sync};
use foundation_runtime::clock::SystemClock;

struct World {
    folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("srv")).expect("creates");
        create(&folder.path().join("srv/p"), Access::Private, &SystemClock::new())
            .expect("creates");
        Self { folder }
    }

    fn repository(&self) -> PathBuf {
        self.folder.path().join("srv/p")
    }

    fn project(&self, user: &str) -> Client {
        let root = self.folder.path().join(user);
        fs::create_dir(&root).expect("creates");
        let mountpoint = self.folder.path().join("srv");
        let text = format!(
            "name: p\nrepository: {{type: posix, host: localhost, mountpoint: {}}}\n",
            mountpoint.display()
        );
        write_configuration(&root, &text).expect("writes");
        let client = Client { root, user: user.to_owned() };
        attach(&client.project(), &client.repository()).expect("attaches");
        client
    }
}

struct Client {
    root: PathBuf,
    user: String,
}

impl Client {
    fn project(&self) -> Project {
        Project::open(&self.root).expect("opens")
    }

    fn repository(&self) -> LocalRepository {
        self.project()
            .repository(&format!("{}@example.org", self.user), Arc::new(SystemClock::new()))
            .expect("opens")
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("creates");
        fs::write(path, text).expect("writes");
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root.join(path)).expect("reads")
    }

    fn try_sync(&self) -> dsg_store::error::Result<SyncOutcome> {
        let options = SyncOptions { look: Default::default(), message: None, backup_stamp: None };
        sync(&self.project(), &self.repository(), &options, &Silent)
    }

    fn sync(&self) -> SyncReport {
        match self.try_sync().expect("syncs") {
            SyncOutcome::Done(report) => report,
            SyncOutcome::Conflicts(questions) => panic!("conflicts: {questions:?}"),
        }
    }
}

fn files(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut stack = vec![root.to_owned()];
    while let Some(folder) = stack.pop() {
        for entry in fs::read_dir(&folder).expect("lists") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            if name.starts_with(".dsg") {
                continue;
            }
            if path.is_dir() && !path.is_symlink() {
                stack.push(path);
            } else {
                found.push(path.strip_prefix(root).expect("below").to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}

#[test]
fn what_one_syncs_the_other_gets() {
    let world = World::new();
    let alice = world.project("alice");
    alice.write("input/people.csv", "1\n");
    alice.write("task1/output/deep/result.csv", "2\n");
    alice.write("src/code.py", "not data");
    std::os::unix::fs::symlink("deep/result.csv", alice.root.join("task1/output/link"))
        .expect("links");
    let report = alice.sync();
    assert_eq!(report.snapshot.map(|n| n.get()), Some(1));
    let all = ["input/people.csv", "task1/output/deep/result.csv", "task1/output/link"];
    assert_eq!(files(&world.repository()), all);
    let again = alice.sync();
    assert_eq!(again.snapshot, None, "{again:?}");
    assert!(again.steps.is_empty(), "{again:?}");

    let bob = world.project("bob");
    bob.sync();
    assert_eq!(files(&bob.root), all);
    assert_eq!(
        fs::read_link(bob.root.join("task1/output/link")).expect("a link"),
        Path::new("deep/result.csv")
    );
    bob.write("input/people.csv", "changed\n");
    fs::remove_file(bob.root.join("task1/output/deep/result.csv")).expect("removes");
    bob.write("input/new/x.csv", "new\n");
    let report = bob.sync();
    assert_eq!(report.snapshot.map(|n| n.get()), Some(2));
    assert_eq!(
        files(&world.repository()),
        ["input/new/x.csv", "input/people.csv", "task1/output/link"]
    );
    let report = alice.sync();
    assert_eq!(report.snapshot, None);
    assert_eq!(alice.read("input/people.csv"), "changed\n");
    assert!(!alice.root.join("task1/output/deep").exists());
    assert_eq!(alice.sync().steps, []);
    assert_eq!(bob.sync().steps, []);
}

#[test]
fn different_changes_are_a_conflict_and_change_nothing() {
    let world = World::new();
    let alice = world.project("alice");
    alice.write("input/a", "base");
    alice.sync();
    let bob = world.project("bob");
    bob.sync();
    alice.write("input/a", "alice");
    bob.write("input/a", "bob");
    bob.sync();
    let Ok(SyncOutcome::Conflicts(questions)) = alice.try_sync() else { panic!("no conflict") };
    assert_eq!(questions.len(), 1);
    assert_eq!(alice.read("input/a"), "alice");
    assert_eq!(fs::read_to_string(world.repository().join("input/a")).expect("reads"), "bob");
}

#[test]
fn unmounted_server_deletes_nothing() {
    let world = World::new();
    let alice = world.project("alice");
    alice.write("input/a", "base");
    alice.sync();
    let away = world.folder.path().join("srv/away");
    fs::rename(world.repository(), &away).expect("renames");
    let project = alice.project();
    let error = project.repository("a@b", Arc::new(SystemClock::new())).err().expect("an error");
    assert_eq!(error.code, Code::RepositoryMissing);
    fs::create_dir(world.repository()).expect("creates");
    let error = project.repository("a@b", Arc::new(SystemClock::new())).err().expect("an error");
    assert_eq!(error.code, Code::RepositoryMissing);
    assert_eq!(alice.read("input/a"), "base");
}

#[test]
fn every_old_content_stays_readable() {
    let world = World::new();
    let alice = world.project("alice");
    for n in 0..5 {
        alice.write("input/a", &format!("version {n}"));
        alice.write("input/b", "stays");
        alice.sync();
    }
    let repository = alice.repository();
    let report = repository
        .verify(&dsg_store::repository::VerifyScope::Chain { contents: true }, &Silent)
        .expect("verifies");
    assert_eq!(report.damage, []);
    assert_eq!(report.snapshots, 5);
}
