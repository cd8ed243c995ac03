//! What only file systems with snapshots can promise, and what can go wrong with them.

use std::fs;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use dsg_store::error::Code;
use testkit::ground::zfs;
use testkit::program::{Fault, all_steps};

use super::check::agrees;
use super::ground::{Backend, Ground};
use super::scenario::{done, write_base};
use super::world::{Ended, Operation, World, ended};

/// Longer than a superseded state stays at least.
const PAST_GRACE: Duration = Duration::from_millis(3_100);

fn try_publish(world: &World, number: u64) -> Ended {
    for path in ["input/first", "input/deep/below/second"] {
        world.write("alice", path, &format!("version {number}"));
    }
    world.perform(Operation::Sync, "alice")
}

fn publish(world: &World, number: u64) {
    assert_eq!(try_publish(world, number), Ended::Done);
}

/// A repository with one snapshot.
fn begun(ground: &Ground, placed: &super::ground::Placed) -> World {
    let world = ground.world(placed);
    write_base(&world, "alice");
    for path in ["input/first", "input/deep/below/second"] {
        world.write("alice", path, "version 0");
    }
    done(&world, Operation::Init, "alice");
    world
}

/// Reads the repository as somebody without dsg does, until told to stop; what they missed.
fn read_on(root: &Path, stop: &AtomicBool, rounds: &AtomicU64) -> Vec<String> {
    let mut missed = Vec::new();
    while !stop.load(Ordering::SeqCst) && missed.len() < 10 {
        for folder in ["", "input", "input/deep", "input/deep/below"] {
            match fs::read_dir(root.join(folder)).map(Iterator::count) {
                Ok(0) => missed.push(format!("{folder} is empty")),
                Ok(_) => {}
                Err(error) => missed.push(format!("{folder}: {error}")),
            }
        }
        let read = |root: &Path, path: &str| {
            fs::read_to_string(root.join(path)).map_err(|error| format!("{path}: {error}"))
        };
        let paths = ["input/first", "input/deep/below/second", "input/keep.txt"];
        missed.extend(paths.iter().filter_map(|path| read(root, path).err()));
        // Who follows the link once sees one state.
        match fs::canonicalize(root) {
            Ok(state) => match (read(&state, paths[0]), read(&state, paths[1])) {
                (Ok(first), Ok(second)) if first == second => {}
                other => missed.push(format!("not one state: {other:?}")),
            },
            Err(error) => missed.push(format!("the link: {error}")),
        }
        rounds.fetch_add(1, Ordering::SeqCst);
    }
    missed
}

#[test]
fn a_reader_never_misses_a_path_while_others_publish() {
    for backend in [Backend::Btrfs, Backend::ZfsGenerations] {
        let Some(ground) = Ground::of(backend) else { continue };
        let placed = ground.place();
        let world = begun(&ground, &placed);
        let (stop, rounds) = (AtomicBool::new(false), AtomicU64::new(0));
        let publishes = if all_steps() { 1_000 } else { 60 };
        let root = world.repository();
        let (missed, ends) = std::thread::scope(|scope| {
            let reader = scope.spawn(|| read_on(&root, &stop, &rounds));
            let ends: Vec<Ended> =
                (1..=publishes).map(|number| try_publish(&world, number)).collect();
            stop.store(true, Ordering::SeqCst);
            (reader.join().expect("reads"), ends)
        });
        assert!(ends.iter().all(|end| *end == Ended::Done), "{backend:?}: {ends:?}");
        assert_eq!(missed, [""; 0], "{backend:?}");
        println!("{publishes} states published, looked at {} times", rounds.into_inner());
        ground.clear(placed);
    }
}

#[test]
fn a_state_in_use_stays_until_nobody_uses_it_and_is_never_an_error() {
    let Some(ground) = Ground::of(Backend::ZfsGenerations) else { return };
    let placed = ground.place();
    let world = begun(&ground, &placed);
    let mut open = fs::File::open(world.repository().join("input/first")).expect("opens");
    let inside = fs::canonicalize(world.repository()).expect("a state");
    publish(&world, 1);
    std::thread::sleep(PAST_GRACE);
    publish(&world, 2);
    std::thread::sleep(PAST_GRACE);
    publish(&world, 3);
    let mut text = String::new();
    open.read_to_string(&mut text).expect("reads");
    assert_eq!(text, "version 0");
    assert_eq!(fs::read_to_string(inside.join("input/keep.txt")).expect("reads"), "keep");
    assert_eq!(volumes(&ground, &placed), ["/p/g1", "/p/g3", "/p/g4"]);
    drop(open);
    std::thread::sleep(PAST_GRACE);
    publish(&world, 4);
    assert_eq!(volumes(&ground, &placed), ["/p/g4", "/p/g5"]);
    assert!(!inside.exists(), "no empty directory is left");
    ground.clear(placed);
}

/// The datasets of states, without their snapshots.
fn volumes(ground: &Ground, placed: &super::ground::Placed) -> Vec<String> {
    let is_state = |name: &String| name.starts_with("/p/g") && !name.contains('@');
    ground.volumes(placed).into_iter().filter(is_state).collect()
}

#[test]
fn a_state_that_somebody_changed_is_not_thrown_away() {
    let Some(ground) = Ground::of(Backend::ZfsGenerations) else { return };
    let placed = ground.place();
    let world = begun(&ground, &placed);
    let state = fs::canonicalize(world.repository()).expect("a state");
    let refused = fs::write(state.join("input/first"), "an edit").expect_err("can't be changed");
    assert_eq!(refused.kind(), std::io::ErrorKind::ReadOnlyFilesystem);
    let dataset = ground.dataset(&placed, &format!("p/{}", name_of(&state)));
    zfs(&["set", "readonly=off", &dataset]).expect("sets");
    fs::write(state.join("input/first"), "an edit of the administrator").expect("writes");
    publish(&world, 1);
    std::thread::sleep(PAST_GRACE);
    publish(&world, 2);
    assert_eq!(volumes(&ground, &placed), ["/p/g1", "/p/g2", "/p/g3"]);
    let text = fs::read_to_string(state.join("input/first")).expect("reads");
    assert_eq!(text, "an edit of the administrator");
    ground.clear(placed);
}

#[test]
fn a_snapshot_that_somebody_made_keeps_its_state_and_stops_nobody() {
    let Some(ground) = Ground::of(Backend::ZfsGenerations) else { return };
    let placed = ground.place();
    let world = begun(&ground, &placed);
    let state = fs::canonicalize(world.repository()).expect("a state");
    let snapshot = ground.dataset(&placed, &format!("p/{}@backup", name_of(&state)));
    zfs(&["snapshot", &snapshot]).expect("a snapshot");
    publish(&world, 1);
    std::thread::sleep(PAST_GRACE);
    publish(&world, 2);
    publish(&world, 3);
    assert_eq!(volumes(&ground, &placed)[0], "/p/g1");
    zfs(&["destroy", &snapshot]).expect("destroys");
    std::thread::sleep(PAST_GRACE);
    publish(&world, 4);
    assert_eq!(volumes(&ground, &placed), ["/p/g4", "/p/g5"]);
    ground.clear(placed);
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[test]
fn nothing_is_written_where_the_dataset_is_missing_read_only_or_full() {
    let Some(ground) = Ground::of(Backend::ZfsInPlace) else { return };
    let placed = ground.place();
    let world = begun(&ground, &placed);
    let dataset = ground.dataset(&placed, "p");
    let refusal = |world: &World| match world.perform(Operation::Sync, "alice") {
        Ended::Failed(code, _) => code,
        other => panic!("{other:?}"),
    };
    world.write("alice", "input/first", "changed");
    zfs(&["set", "readonly=on", &dataset]).expect("sets");
    assert_eq!(refusal(&world), Code::RepositoryDenied);
    zfs(&["set", "readonly=off", &dataset]).expect("sets");
    zfs(&["set", "quota=2M", &dataset]).expect("sets");
    assert_eq!(refusal(&world), Code::DiskFull);
    zfs(&["set", "quota=none", &dataset]).expect("sets");
    zfs(&["unmount", &dataset]).expect("unmounts");
    assert_eq!(refusal(&world), Code::RepositoryMissing);
    assert_eq!(fs::read_dir(world.repository()).expect("is there").count(), 0);
    zfs(&["mount", &dataset]).expect("mounts");
    done(&world, Operation::Sync, "alice");
    assert_eq!(agrees(&world, "alice"), [""; 0]);
    ground.clear(placed);
}

#[test]
fn a_missing_snapshot_is_made_before_the_next_commit() {
    let Some(ground) = Ground::of(Backend::ZfsInPlace) else { return };
    let placed = ground.place();
    let world = begun(&ground, &placed);
    zfs(&["destroy", &ground.dataset(&placed, "p@s1")]).expect("destroys");
    publish(&world, 1);
    assert_eq!(ground.volumes(&placed), ["", "/p", "/p@s1", "/p@s2"]);
    ground.clear(placed);
}

/// A `zfs` that refuses what Linux refuses to who is not root.
fn as_on_linux(folder: &Path) -> PathBuf {
    let bin = folder.join("bin");
    fs::create_dir(&bin).expect("creates");
    let text = "#!/bin/sh\n\
        case \"$1\" in\n\
        get|list|snapshot|diff|allow) exec /usr/sbin/zfs \"$@\" ;;\n\
        create|clone) echo \"filesystem successfully created, but it may only be mounted by root\" >&2 ;;\n\
        *) echo \"cannot $1: permission denied\" >&2 ;;\n\
        esac\nexit 1\n";
    fs::write(bin.join("zfs"), text).expect("writes");
    fs::set_permissions(bin.join("zfs"), fs::Permissions::from_mode(0o755)).expect("sets");
    bin
}

#[test]
fn in_place_needs_no_right_to_mount() {
    const NOBODY: u32 = 65534;
    const SOCKET: &str = "/var/run/zfs/zfs_socket";
    let Some(ground) = Ground::of(Backend::ZfsInPlace) else { return };
    if !Path::new(SOCKET).exists() || !Path::new("/usr/sbin/zfs").exists() {
        println!("skipped: needs zfs-fuse");
        return;
    }
    let placed = ground.place();
    let world = ground.world(&placed);
    // What an administrator does once: a dataset, and the directory for its owner.
    zfs(&["create", &ground.dataset(&placed, "p")]).expect("creates");
    write_base(&world, "alice");
    let bin = as_on_linux(&world.root);
    let program = world.root.join("program");
    fs::copy(std::env::current_exe().expect("a program"), &program).expect("copies");
    fs::set_permissions(&world.root, fs::Permissions::from_mode(0o755)).expect("sets");
    give(&world.project("alice"), NOBODY);
    give(&world.repository(), NOBODY);
    fs::set_permissions(SOCKET, fs::Permissions::from_mode(0o666)).expect("sets");
    let run = |operation: Operation| {
        let path = format!("{}:/usr/bin:/bin", bin.display());
        let process = world.start_with(
            operation,
            "alice",
            Fault::None,
            &[("PATH", path.as_ref())],
            |command| {
                let mut other = std::process::Command::new(&program);
                other.args(command.get_args());
                for (name, value) in command.get_envs() {
                    other.env(name, value.unwrap_or_default());
                }
                other.uid(NOBODY).gid(NOBODY).current_dir("/");
                other.stdin(std::process::Stdio::null());
                other.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
                *command = other;
            },
        );
        ended(process)
    };
    assert_eq!(run(Operation::Init), Ended::Done);
    fs::write(world.project("alice").join("input/keep.txt"), "changed").expect("writes");
    assert_eq!(run(Operation::Sync), Ended::Done);
    fs::set_permissions(SOCKET, fs::Permissions::from_mode(0o755)).expect("sets");
    assert_eq!(ground.volumes(&placed), ["", "/p", "/p@s1", "/p@s2"]);
    ground.clear(placed);
}

/// Gives a directory and all below it to a user.
fn give(path: &Path, user: u32) {
    chown(path, Some(user), Some(user)).expect("gives");
    for entry in fs::read_dir(path).expect("lists") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && !path.is_symlink() {
            give(&path, user);
        } else {
            std::os::unix::fs::lchown(&path, Some(user), Some(user)).expect("gives");
        }
    }
}

#[test]
fn a_lost_content_is_read_from_an_older_subvolume() {
    let Some(ground) = Ground::of(Backend::Btrfs) else { return };
    let placed = ground.place();
    let world = begun(&ground, &placed);
    publish(&world, 1);
    let state = fs::canonicalize(world.repository()).expect("a state");
    let writable = |value: &str| {
        let status = std::process::Command::new("btrfs")
            .args(["property", "set", "-ts"])
            .arg(&state)
            .args(["ro", value])
            .status();
        assert!(status.expect("runs").success());
    };
    writable("false");
    let lost = blake3::hash(b"version 0").to_hex().to_string();
    fs::remove_file(state.join(".dsg-repository/objects").join(lost)).expect("removes");
    writable("true");
    let folder = testkit::mount::folder().expect("a folder");
    let directory = dsg_store::system::Directory::open(folder.path()).expect("opens");
    let mut target = directory.create_file("found", 0o600).expect("creates");
    let path = dsg_core::path::RepoPath::parse("input/first").expect("a path");
    let hash = dsg_core::hash::ContentHash::of(b"version 0");
    let wanted = dsg_store::repository::Wanted { hash, size: 9, path: &path };
    world
        .with_repository(|repository| {
            repository.read(&wanted, &mut target, &dsg_store::monitor::Silent)
        })
        .expect("opens")
        .expect("reads");
    assert_eq!(fs::read(folder.path().join("found")).expect("reads"), b"version 0");
    ground.clear(placed);
}
