//! What the tests cut off: a starting world, who acts, and what they do.

use std::path::Path;

use dsg_core::conflict::{Choice, Question, Resolution, Resolutions};
use dsg_store::project::{Project, save_resolutions};
use dsg_store::repository::Access;
use testkit::oracle::{Moment, Oracle};
use testkit::program::{Fault, Step, steps};

use super::world::{Ended, Operation, World, ended};

/// One operation in one starting world.
#[derive(Clone, Copy)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) operation: Operation,
    /// Who does it.
    pub(crate) actor: &'static str,
    /// Who else has a project.
    pub(crate) other: Option<&'static str>,
    /// Who may read and write the repository.
    access: Access,
    /// With one, the n-th step is the same one in every run.
    threads: usize,
    prepare: fn(&World),
}

/// All of them.
pub(crate) const ALL: &[Scenario] = &[
    INIT,
    Scenario { name: "init for a group", access: Access::Group, ..INIT },
    CLONE,
    UPLOAD,
    DOWNLOAD,
    BOTH,
    of("conflict settled for local", Operation::Continue, |world| conflict(world, Choice::Local)),
    of("conflict settled for remote", Operation::Continue, |world| conflict(world, Choice::Remote)),
    CACHED,
];

pub(crate) const INIT: Scenario = Scenario {
    name: "init",
    operation: Operation::Init,
    actor: "alice",
    other: None,
    access: Access::Private,
    threads: 1,
    prepare: |world| write_base(world, "alice"),
};

pub(crate) const CLONE: Scenario = Scenario {
    name: "clone",
    operation: Operation::Clone,
    actor: "bob",
    other: Some("alice"),
    access: Access::Private,
    threads: 1,
    prepare: |world| {
        write_base(world, "alice");
        done(world, Operation::Init, "alice");
        world.join_in("bob");
        // Some files are there already, before the project is connected.
        world.write("bob", "input/keep.txt", "keep");
        world.write("bob", "input/only-bob.txt", "from before");
    },
};

pub(crate) const UPLOAD: Scenario = of("upload", Operation::Sync, |world| {
    both_have_base(world);
    edit_files(world, "alice");
    edit_kinds(world, "alice");
});

pub(crate) const DOWNLOAD: Scenario = of("download", Operation::Sync, |world| {
    both_have_base(world);
    edit_files(world, "bob");
    edit_kinds(world, "bob");
    done(world, Operation::Sync, "bob");
    // Not tracked, in a directory that must make room.
    world.write("alice", "input/directory-to-file/.untracked", "mine");
});

pub(crate) const BOTH: Scenario = of("both", Operation::Sync, |world| {
    both_have_base(world);
    edit_kinds(world, "bob");
    done(world, Operation::Sync, "bob");
    edit_files(world, "alice");
});

pub(crate) const CACHED: Scenario =
    of("conflict settled for cached", Operation::Continue, |world| conflict(world, Choice::Cached));

/// More files than are synced one by one, in more directories than are synced under the lock. Too
/// many steps for the tests that try every one, and made by several threads at once.
pub(crate) const WIDE: Scenario = Scenario { threads: 4, ..MANY };

const MANY: Scenario = of("wide", Operation::Sync, |world| {
    write_base(world, "alice");
    for number in 0..WIDE_DIRECTORIES {
        world.write("alice", &format!("input/wide/{number}/old"), &format!("old {number}"));
        world.write("bob", &format!("output/wide/{number}/old"), &format!("old {number}"));
    }
    done(world, Operation::Init, "alice");
    done(world, Operation::Clone, "bob");
    done(world, Operation::Sync, "alice");
    for number in 0..WIDE_DIRECTORIES {
        for (user, top) in [("alice", "input"), ("bob", "output")] {
            let at = |name: &str| format!("{top}/wide/{number}/{name}");
            world.write(user, &at("old"), &format!("new {number}"));
            for more in 0..3 {
                world.write(user, &at(&format!("new-{more}")), &format!("{more} of {number}"));
            }
        }
    }
    done(world, Operation::Sync, "bob");
});

const WIDE_DIRECTORIES: u32 = 70;

const fn of(name: &'static str, operation: Operation, prepare: fn(&World)) -> Scenario {
    let access = Access::Private;
    Scenario { name, operation, actor: "alice", other: Some("bob"), access, threads: 1, prepare }
}

/// A starting world and what the oracle knows of it.
pub(crate) struct Prepared {
    pub(crate) world: World,
    pub(crate) oracle: Oracle,
    pub(crate) before: Moment,
}

/// What the operation does when nothing goes wrong.
pub(crate) struct Reference {
    pub(crate) log: Vec<Step>,
    pub(crate) before: Moment,
    pub(crate) after: Moment,
}

impl Scenario {
    /// Makes the starting world in memory.
    pub(crate) fn prepare(&self) -> Prepared {
        self.prepare_in(World::new())
    }

    /// Makes the starting world in an empty one.
    pub(crate) fn prepare_in(&self, mut world: World) -> Prepared {
        world.access = self.access;
        world.threads = self.threads;
        (self.prepare)(&world);
        let before = world.moment();
        let mut oracle = Oracle::default();
        oracle.committed(&before.repository);
        for (user, picture) in &before.projects {
            oracle.wrote(user, picture);
        }
        Prepared { world, oracle, before }
    }

    /// Runs the operation undisturbed, and counts its steps.
    pub(crate) fn reference(&self) -> Reference {
        self.reference_in(World::new())
    }

    /// As [`reference`](Self::reference), in an empty world.
    pub(crate) fn reference_in(&self, world: World) -> Reference {
        let Prepared { world, before, oracle } = self.prepare_in(world);
        let log = world.root.join("log");
        let variables = [("DSG_FAULT_LOG", log.as_os_str())];
        let process = world.start_with(self.operation, self.actor, Fault::None, &variables, |_| {});
        assert_eq!(ended(process), Ended::Done, "{}", self.name);
        let after = world.moment();
        assert_eq!(oracle.judge(&after, &before, &after).expect("judges"), [""; 0]);
        Reference { log: numbered(&log), before, after }
    }

    /// Does the operation in this process; it must come to its end.
    pub(crate) fn run(&self, world: &World) -> Result<(), String> {
        match world.perform(self.operation, self.actor) {
            Ended::Done => Ok(()),
            other => Err(format!("{other:?}")),
        }
    }
}

/// The steps of a log, one for each number.
pub(crate) fn numbered(log: &Path) -> Vec<Step> {
    let mut steps = steps(log).expect("a log");
    let is_stamp = |step: &Step| step.operation == "write" && step.path.ends_with(".dsg/stamp");
    steps.dedup_by(|next, last| is_stamp(next) && is_stamp(last));
    steps
}

/// A sync that must come to its end.
pub(crate) fn done(world: &World, operation: Operation, user: &str) {
    assert_eq!(world.perform(operation, user), Ended::Done, "{user}");
}

pub(crate) fn write_base(world: &World, user: &str) {
    for (path, text) in [
        ("input/keep.txt", "keep"),
        ("input/change.txt", "change 1"),
        ("input/change/deep/file.txt", "deep 1"),
        ("input/run.sh", "#!/bin/sh\n"),
        ("input/remove.txt", "to be removed"),
        ("input/emptied/one", "one"),
        ("input/emptied/two/three", "three"),
        ("input/file-to-link", "file to link"),
        ("input/file-to-directory", "file to directory"),
        ("input/directory-to-file/a", "a"),
        ("input/directory-to-file/below/b", "b"),
        ("input/directory-to-link/a", "link a"),
        ("input/directory-to-link/below/b", "link b"),
        ("input/move/here", "moved"),
        ("input/twin-1", "twin"),
        ("input/twin-2", "twin"),
        ("input/grow", ""),
        ("output/other", "other data directory"),
    ] {
        world.write(user, path, text);
    }
    world.link(user, "input/link", "keep.txt");
    world.link(user, "input/link-to-file", "keep.txt");
    world.link(user, "input/link-to-directory", "change");
}

pub(crate) fn both_have_base(world: &World) {
    write_base(world, "alice");
    done(world, Operation::Init, "alice");
    world.join_in("bob");
    done(world, Operation::Clone, "bob");
}

/// Changes after which each path is of the kind that it was.
pub(crate) fn edit_files(world: &World, user: &str) {
    let large: String = (0..90_000).map(|n| format!("{n} measured\n")).collect();
    for (path, text) in [
        ("input/change.txt", "change 2"),
        ("input/change/deep/file.txt", large.as_str()),
        ("input/change/new.txt", "new in a directory that was there"),
        ("input/new/one", "new in a new directory"),
        ("input/new/below/two", "deeper"),
        ("input/new/below/three", ""),
        ("input/grow", "grown"),
    ] {
        world.write(user, path, text);
    }
    world.executable(user, "input/run.sh");
    world.write(user, "input/new/run.sh", "#!/bin/sh\nexit 0\n");
    world.executable(user, "input/new/run.sh");
    world.link(user, "input/link", "change.txt");
    world.link(user, "input/new/link", "below/two");
    for path in ["input/remove.txt", "input/emptied", "input/twin-1"] {
        world.remove(user, path);
    }
}

/// Changes after which paths are of another kind.
pub(crate) fn edit_kinds(world: &World, user: &str) {
    for path in [
        "input/file-to-link",
        "input/file-to-directory",
        "input/directory-to-file",
        "input/directory-to-link",
        "input/link-to-file",
        "input/link-to-directory",
        "input/move",
    ] {
        world.remove(user, path);
    }
    world.link(user, "input/file-to-link", "keep.txt");
    world.write(user, "input/file-to-directory/a", "in what was a file");
    world.write(user, "input/file-to-directory/below/b", "below what was a file");
    world.write(user, "input/directory-to-file", "what was a directory");
    world.link(user, "input/directory-to-link", "change");
    world.write(user, "input/link-to-file", "what was a link");
    world.write(user, "input/link-to-directory/below/a", "below what was a link");
    world.write(user, "input/moved/here", "moved");
}

fn conflict(world: &World, choice: Choice) {
    both_have_base(world);
    for (user, word) in [("bob", "of bob"), ("alice", "of alice")] {
        world.write(user, "input/change.txt", word);
        world.write(user, "input/change/deep/file.txt", &format!("deep {word}"));
        world.write(user, "input/added/differently", &format!("added {word}"));
    }
    world.remove("alice", "input/remove.txt");
    world.write("bob", "input/remove.txt", "changed by bob");
    world.write("alice", "input/twin-1", "changed by alice");
    world.remove("bob", "input/twin-1");
    world.remove("alice", "input/file-to-link");
    world.link("alice", "input/file-to-link", "keep.txt");
    world.write("bob", "input/file-to-link", "still a file");
    // And what nobody disagrees about.
    world.write("bob", "input/new/of-bob", "new of bob");
    world.write("alice", "input/new/of-alice", "new of alice");
    done(world, Operation::Sync, "bob");
    choose(world, choice);
}

/// Answers all questions with one choice, where it is offered.
fn choose(world: &World, choice: Choice) {
    let look = world.look("alice");
    let mut resolutions = Resolutions::default();
    for question in look.plan.conflicts().filter_map(Question::of) {
        let offered = question.choices.iter().any(|offer| offer.choice == choice);
        let choice = if offered { choice } else { Choice::Local };
        let resolution = Resolution { path: question.path, choice, made_for: question.made_for };
        resolutions.insert(resolution).expect("room");
    }
    assert!(resolutions.len() >= 6, "{resolutions:?}");
    let project = Project::open(&world.project("alice")).expect("a project");
    save_resolutions(&project.dsg_attached().expect("attached"), &resolutions).expect("saves");
}
