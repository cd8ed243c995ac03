//! Adopting and restoring foreign edits, cut off at every step: afterwards each path is as it was or
//! as planned, a second run ends where one would have, and no bytes are gone.
//!
//! Needs the feature `faults`, which counts the steps.

#![cfg(feature = "faults")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use dsg_core::path::RepoPath;
use dsg_store::error::Result;
use dsg_store::monitor::Silent;
use dsg_store::project::{Project, attach, write_configuration};
use dsg_store::repository::{Access, Adoption, LocalRepository, Repository, VerifyScope, create};
use dsg_store::sync::{SyncOptions, sync};
use dsg_store::system::{Directory, Parents, Reader, fault};
use foundation_runtime::clock::SystemClock;

/// Steps are counted for the whole process, so one test at a time may count.
static ONE: Mutex<()> = Mutex::new(());

struct World {
    folder: tempfile::TempDir,
}

/// What was committed, by path; then what somebody made of it.
const OLD: [(&str, &str); 3] = [("input/a", "old a"), ("input/b", "old b"), ("input/d/x", "old x")];
const FOREIGN: [(&str, &str); 3] =
    [("input/a", "foreign a"), ("input/d/x/z", "below"), ("input/new/y", "new")];

impl World {
    /// Three files committed, then edited, deleted and replaced without dsg; a project that still
    /// has the old ones.
    fn new() -> Self {
        let world = Self { folder: tempfile::tempdir().expect("a folder") };
        fs::create_dir(world.folder.path().join("srv")).expect("creates");
        create(&world.root(), Access::Private, &SystemClock::new()).expect("creates");
        let text = format!(
            "name: p\nrepository: {{type: posix, host: localhost, mountpoint: {}}}\n",
            world.folder.path().join("srv").display()
        );
        fs::create_dir(world.project_root()).expect("creates");
        write_configuration(&world.project_root(), &text).expect("writes");
        let project = Project::open(&world.project_root()).expect("opens");
        attach(&project, &world.repository()).expect("attaches");
        for (path, text) in OLD {
            write(&world.project_root().join(path), text);
        }
        let options = SyncOptions { look: Default::default(), message: None, backup_stamp: None };
        sync(&project, &world.repository(), &options, &Silent).expect("syncs");
        fs::remove_file(world.root().join("input/b")).expect("removes");
        fs::remove_file(world.root().join("input/d/x")).expect("removes");
        for (path, text) in FOREIGN {
            write(&world.root().join(path), text);
        }
        world
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("srv/p")
    }

    fn project_root(&self) -> PathBuf {
        self.folder.path().join("alice")
    }

    fn repository(&self) -> LocalRepository {
        LocalRepository::open(&self.root(), "m@example.org", Arc::new(SystemClock::new()))
            .expect("opens")
    }

    fn adopt(&self) -> Result<()> {
        let spare = self.spare();
        let configuration = Default::default();
        let adoption = Adoption { message: None, configuration, spare: &spare, tracked: &|_| true };
        self.repository().adopt(&[path("input")], &adoption, &Silent).map(|_| ())
    }

    fn restore(&self) -> Result<()> {
        let spare = self.spare();
        self.repository().restore(&[path("input")], &spare, &Silent).map(|_| ())
    }

    fn spare(&self) -> impl Fn(&RepoPath) -> Option<Reader> + Sync {
        let root = Directory::open(&self.project_root()).expect("opens");
        move |path| {
            let mut parents = Parents::new(&root);
            let (directory, name) = parents.of(path.as_str().as_ref()).ok()?;
            directory.open_file(name).ok()
        }
    }

    /// The contents of all files below the repository, wherever they lie.
    fn contents(&self) -> BTreeSet<Vec<u8>> {
        let mut contents = BTreeSet::new();
        let mut stack = vec![self.root()];
        while let Some(folder) = stack.pop() {
            for entry in fs::read_dir(&folder).expect("lists") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    stack.push(path);
                } else {
                    contents.insert(fs::read(path).expect("reads"));
                }
            }
        }
        contents
    }

    /// Contents that have a name which no cleaning removes.
    fn safe_contents(&self) -> BTreeSet<Vec<u8>> {
        let staging = self.root().join(".dsg-repository/staging");
        let aside = self.folder.path().join("aside");
        fs::rename(&staging, &aside).expect("renames");
        let contents = self.contents();
        fs::rename(&aside, &staging).expect("renames");
        contents
    }

    fn head(&self) -> u64 {
        self.repository().head().expect("a head").map_or(0, |head| head.number.get())
    }

    fn damage(&self) -> Vec<String> {
        let scope = VerifyScope::Chain { contents: true };
        let report = self.repository().verify(&scope, &Silent).expect("verifies");
        report.damage.into_iter().map(|damage| damage.file).collect()
    }
}

fn path(text: &str) -> RepoPath {
    RepoPath::parse(text).expect("a path")
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a parent")).expect("creates");
    fs::write(path, text).expect("writes");
}

/// Runs `work` cut off at its first step, its second, … until it is not cut off any more.
fn at_every_step(work: fn(&World) -> Result<()>, after: fn(&World, u64)) -> u64 {
    let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    for step in 1.. {
        let world = World::new();
        fault::arm(step);
        let cut = work(&world);
        fault::disarm();
        // Whatever happened: what somebody wrote is there, under a name that stays.
        let safe = world.safe_contents();
        for (path, text) in FOREIGN {
            assert!(safe.contains(text.as_bytes()), "step {step}: {path} is gone");
        }
        work(&world).unwrap_or_else(|error| panic!("step {step}, the second run: {error:?}"));
        after(&world, step);
        let safe = world.safe_contents();
        for (path, text) in FOREIGN {
            assert!(safe.contains(text.as_bytes()), "step {step}: {path} is gone at the end");
        }
        if cut.is_ok() {
            return step;
        }
    }
    0
}

#[test]
fn adopting_is_whole_wherever_it_is_cut_off() {
    let steps = at_every_step(World::adopt, |world, step| {
        assert_eq!(world.head(), 2, "step {step}");
        assert_eq!(world.damage(), [""; 0], "step {step}");
        let contents = world.safe_contents();
        for (path, text) in OLD {
            assert!(contents.contains(text.as_bytes()), "step {step}: the old {path} is gone");
        }
        for (path, text) in FOREIGN {
            let found = fs::read_to_string(world.root().join(path)).expect("reads");
            assert_eq!(found, text, "step {step}");
        }
    });
    assert!(steps > 30, "{steps}");
}

#[test]
fn restoring_is_whole_wherever_it_is_cut_off() {
    let steps = at_every_step(World::restore, |world, step| {
        assert_eq!(world.head(), 1, "step {step}");
        assert_eq!(world.damage(), [""; 0], "step {step}");
        for (path, text) in OLD {
            let found = fs::read_to_string(world.root().join(path)).expect("reads");
            assert_eq!(found, text, "step {step}");
        }
        assert!(!world.root().join("input/new/y").exists(), "step {step}");
    });
    assert!(steps > 20, "{steps}");
}
