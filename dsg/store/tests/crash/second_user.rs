//! Two users of one machine in one group: what one left half done the other can finish.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};

use dsg_store::repository::Access;
use testkit::mount::{folder, lacks};
use testkit::oracle::{Moment, leftovers};
use testkit::program::Fault;

use super::scenario::{edit_files, edit_kinds, numbered, write_base};
use super::sweep::Findings;
use super::world::{Ended, Operation, World, ended};

const GROUP: u32 = 65_010;
const USERS: [(&str, u32); 2] = [("alice", 65_001), ("bob", 65_002)];

/// A world whose projects belong to two users, and which both may enter.
struct Shared {
    world: World,
    program: PathBuf,
}

impl Shared {
    fn new(program: &Path) -> Self {
        let mut world = World::new();
        world.access = Access::Group;
        open_to_all(&world.root);
        let srv = world.root.join("srv");
        chown(&srv, Some(0), Some(GROUP)).expect("changes the owner");
        fs::set_permissions(&srv, fs::Permissions::from_mode(0o2770)).expect("sets");
        for (user, id) in USERS {
            let project = world.project(user);
            fs::create_dir(&project).expect("creates");
            chown(&project, Some(id), Some(id)).expect("changes the owner");
        }
        let shared = Self { world, program: program.to_owned() };
        write_base(&shared.world, "alice");
        shared.give("alice");
        assert_eq!(shared.run(Operation::Init, "alice", Fault::None, None), Ended::Done);
        assert_eq!(shared.run(Operation::Clone, "bob", Fault::None, None), Ended::Done);
        edit_files(&shared.world, "alice");
        edit_kinds(&shared.world, "alice");
        shared.give("alice");
        shared.world.write("bob", "input/of-bob", "of bob");
        shared.give("bob");
        shared
    }

    /// What the test wrote as root becomes the user's own.
    fn give(&self, user: &str) {
        let mut stack = vec![self.world.project(user)];
        while let Some(path) = stack.pop() {
            std::os::unix::fs::lchown(&path, Some(id(user)), Some(id(user))).expect("gives");
            if path.is_dir() && !path.is_symlink() {
                let entries = fs::read_dir(&path).expect("lists");
                stack.extend(entries.map(|entry| entry.expect("an entry").path()));
            }
        }
    }

    /// Runs as that user, with a umask that shares nothing.
    fn run(&self, operation: Operation, user: &str, fault: Fault, log: Option<&Path>) -> Ended {
        let mut variables: Vec<(&str, &OsStr)> = vec![("DSG_TEST_UMASK", "077".as_ref())];
        variables.extend(log.map(|log| ("DSG_FAULT_LOG", log.as_os_str())));
        let process = self.world.start_with(operation, user, fault, &variables, |command| {
            let mut other = std::process::Command::new(&self.program);
            other.args(command.get_args());
            for (name, value) in command.get_envs() {
                other.env(name, value.unwrap_or_default());
            }
            other.stdin(std::process::Stdio::null());
            other.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
            other.uid(id(user)).gid(GROUP);
            *command = other;
        });
        ended(process)
    }
}

fn id(user: &str) -> u32 {
    USERS.iter().find(|(name, _)| *name == user).map_or(0, |(_, id)| *id)
}

fn open_to_all(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("sets");
}

/// Bits that nobody may have, and bits that the group must have.
fn badly_shared(now: &Moment, root: &Path) -> Vec<String> {
    let visible = &now.repository.visible;
    let mut wrong = Vec::new();
    for (path, mode) in &visible.directories {
        if *mode != 0o2770 {
            wrong.push(format!("directory {path} has mode {mode:o}"));
        }
        let group = fs::metadata(root.join(path))
            .map(|status| std::os::unix::fs::MetadataExt::gid(&status));
        if group.is_ok_and(|group| group != GROUP) {
            wrong.push(format!("directory {path} is of another group"));
        }
    }
    for (path, node) in &visible.entries {
        if let testkit::picture::Node::File { mode, .. } = node
            && !matches!(mode, 0o660 | 0o770)
        {
            wrong.push(format!("{path} has mode {mode:o}"));
        }
    }
    wrong
}

fn finish(shared: &Shared, planned: &Moment, step: u64) -> Vec<String> {
    if shared.run(Operation::Sync, "alice", Fault::Kill(step), None) != Ended::Killed {
        return vec!["was not killed".to_owned()];
    }
    match shared.run(Operation::Sync, "bob", Fault::None, None) {
        Ended::Done => {}
        other => return vec![format!("the second user: {other:?}")],
    }
    let now = shared.world.moment();
    let mut wrong = now.repository.problems.clone();
    for (path, node) in &planned.repository.visible.entries {
        let found = now.repository.visible.entries.get(path);
        if found != Some(node) {
            wrong.push(format!("{path} is {found:?}, not {node:?}"));
        }
    }
    if !now.repository.visible.entries.contains_key("input/of-bob") {
        wrong.push("the second user's file is not there".to_owned());
    }
    wrong.extend(badly_shared(&now, &shared.world.repository()));
    match shared.run(Operation::Sync, "alice", Fault::None, None) {
        Ended::Done => {}
        other => wrong.push(format!("the first user afterwards: {other:?}")),
    }
    let projects = USERS.map(|(user, _)| shared.world.project(user));
    wrong.extend(leftovers(&shared.world.repository(), &projects).expect("looks"));
    let now = shared.world.moment();
    for user in ["alice", "bob"] {
        if !now.repository.visible.same(&now.projects[user]) {
            wrong.push(format!(
                "{user} differs: {:?}",
                now.repository.visible.differences(&now.projects[user])
            ));
        }
    }
    wrong
}

#[test]
fn second_user_finishes_commit() {
    if lacks(&[]) {
        return;
    }
    // The users need not be able to enter the folder in which tests are built.
    let beside = folder().expect("a folder");
    open_to_all(beside.path());
    let program = beside.path().join("program");
    fs::copy(std::env::current_exe().expect("a program"), &program).expect("copies");
    open_to_all(&program);

    let shared = Shared::new(&program);
    let logs = folder().expect("a folder");
    chown(logs.path(), Some(id("alice")), None).expect("gives");
    let log = logs.path().join("log");
    let end = shared.run(Operation::Sync, "alice", Fault::None, Some(&log));
    assert_eq!(end, Ended::Done);
    let planned = shared.world.moment();
    assert_eq!(badly_shared(&planned, &shared.world.repository()), [""; 0]);
    let steps = numbered(&log);
    let is_commit = |path: &str| path.ends_with("/snapshots/s2");
    let commit = steps.iter().position(|step| is_commit(&step.path)).expect("a commit");
    // The first step after the commit has the index after it, and numbers begin with 1.
    let first = commit as u64 + 2;
    let count = steps.len() as u64 - first + 1;
    let mut findings = Findings::default();
    findings.each("second user", count, |number| {
        finish(&Shared::new(&program), &planned, first + number - 1)
    });
    findings.settle("commits finished by another user");
}
