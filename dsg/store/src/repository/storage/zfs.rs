//! Every call of `zfs`, in the subset that OpenZFS 2 and zfs-fuse share.
//!
//! Answers are parsed with `-H` and, where both know it, `-p`; a complaint is told apart by its
//! English words, which is why the language is set. Each command is atomic in ZFS itself and on disk
//! when it returns.

use std::path::Path;
use std::time::Duration;

use crate::error::{Code, Error, Result};
use crate::system::{Answer, FileLock, Program};

/// "dataset is busy" passes when whoever looked at it has gone; so often it is tried again.
const BUSY_ATTEMPTS_MAX: u32 = 40;
const BUSY_PAUSE: Duration = Duration::from_millis(50);

const ZFS: &str = "zfs";

/// What a failed command means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    /// ZFS itself is not ready for it yet.
    Busy,
    /// Somebody has a file open in it or stands in it.
    InUse,
    /// It has snapshots or clones that dsg did not make.
    HasChildren,
    Absent,
    Exists,
    Denied,
    Full,
    Unmounted,
    Other,
}

impl Trouble {
    fn of(answer: &Answer) -> Self {
        let words = answer.complaint.to_lowercase();
        let says = |parts: &[&str]| parts.iter().any(|part| words.contains(part));
        if says(&["only be mounted by root", "not mounted"]) {
            Self::Unmounted
        } else if says(&["permission denied", "not permitted", "must be superuser", "as root"]) {
            Self::Denied
        } else if says(&["out of space", "no space", "quota exceeded", "exceeds quota"]) {
            Self::Full
        } else if says(&["cannot unmount", "umount failed", "target is busy"]) {
            Self::InUse
        } else if says(&["has children", "has dependent"]) {
            Self::HasChildren
        } else if says(&["busy"]) {
            Self::Busy
        } else if says(&["does not exist", "no such", "not a clone"]) {
            Self::Absent
        } else if says(&["already exists", "already mounted"]) {
            Self::Exists
        } else {
            Self::Other
        }
    }
}

/// What `zfs get` says about a dataset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Properties {
    pub(super) mounted: bool,
    pub(super) mountpoint: String,
    pub(super) read_only: bool,
    /// Bytes that can still be written, quotas counted.
    pub(super) available: Option<u64>,
    /// The snapshot it was cloned from.
    pub(super) origin: Option<String>,
}

/// A dataset below another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    /// The whole name.
    pub(super) name: String,
    /// Where it is to be mounted.
    pub(super) mountpoint: String,
    pub(super) mounted: bool,
    pub(super) origin: Option<String>,
}

fn ask(arguments: &[&str]) -> Result<Answer> {
    Program::asks(ZFS).with_all(arguments).run(None).map_err(|error| {
        if error.is_absent() {
            return Error::new(Code::NotSupported, "this machine has no `zfs`")
                .because("the repository is kept with ZFS, and its command was not found")
                .next("install ZFS (Debian: zfsutils-linux), or run dsg on the machine that has the pool");
        }
        error.into()
    })
}

/// Runs a command that changes something, again while it is in trouble of a kind that passes.
fn change(
    step: &'static str,
    arguments: &[&str],
    passes: &[Trouble],
    lock: Option<&FileLock>,
) -> Result<Answer> {
    let program = Program::changes(ZFS, step).with_all(arguments);
    let mut attempts = 0;
    loop {
        let answer = program.run(lock)?;
        attempts += 1;
        let over = answer.success || attempts == BUSY_ATTEMPTS_MAX;
        if over || !passes.contains(&Trouble::of(&answer)) {
            return Ok(answer);
        }
        std::thread::sleep(BUSY_PAUSE);
    }
}

fn failed(arguments: &[&str], answer: &Answer) -> Error {
    let line = format!("zfs {}", arguments.join(" "));
    let first = answer.complaint.lines().next().unwrap_or("it gave no reason").to_owned();
    match Trouble::of(answer) {
        Trouble::Denied => Error::new(Code::RepositoryDenied, format!("you may not `{line}`"))
            .because(first)
            .next("`dsg doctor` shows the `zfs allow` that an administrator has to run once"),
        Trouble::Full => Error::new(Code::DiskFull, format!("there is no room for `{line}`"))
            .because(first)
            .next("free some space in the pool or raise the quota, then run the command again"),
        Trouble::Unmounted => Error::new(Code::RepositoryDenied, format!("`{line}` worked, but only root may mount on Linux"))
            .because(first)
            .next("ask an administrator to mount the dataset (`zfs mount`) and to give you its directory (`chown`), then run the command again"),
        Trouble::Busy | Trouble::InUse => Error::new(Code::RepositoryBusy, format!("`{line}` found the dataset busy"))
            .because(first)
            .next("run the command again in a moment; `fuser -m` shows who uses it"),
        Trouble::HasChildren | Trouble::Absent | Trouble::Exists | Trouble::Other => {
            Error::new(Code::Disk, format!("`{line}` failed"))
                .because(first)
                .next("check the pool with `zpool status`, then run the command again")
        }
    }
}

/// Runs a command whose being done already is as good.
fn ensure(
    step: &'static str,
    arguments: &[&str],
    fine: &[Trouble],
    lock: Option<&FileLock>,
) -> Result<()> {
    let answer = change(step, arguments, &[Trouble::Busy, Trouble::InUse], lock)?;
    if answer.success || fine.contains(&Trouble::of(&answer)) {
        return Ok(());
    }
    Err(failed(arguments, &answer))
}

/// What is known of a dataset; `None` when there is none of that name.
pub(super) fn properties(dataset: &str) -> Result<Option<Properties>> {
    let arguments = [
        "get",
        "-Hp",
        "-o",
        "property,value",
        "mounted,mountpoint,readonly,available,origin",
        dataset,
    ];
    let answer = ask(&arguments)?;
    if !answer.success {
        return match Trouble::of(&answer) {
            Trouble::Absent => Ok(None),
            _ => Err(failed(&arguments, &answer)),
        };
    }
    let mut found = Properties::default();
    for line in answer.output.lines() {
        let Some((property, value)) = line.split_once('\t') else { continue };
        match property {
            "mounted" => found.mounted = value == "yes",
            "mountpoint" => value.clone_into(&mut found.mountpoint),
            "readonly" => found.read_only = value == "on",
            "available" => found.available = value.parse().ok(),
            "origin" => found.origin = (value != "-").then(|| value.to_owned()),
            _ => {}
        }
    }
    Ok(Some(found))
}

/// The datasets from `dataset` on down, itself included.
pub(super) fn list(dataset: &str) -> Result<Vec<Listed>> {
    let arguments =
        ["list", "-H", "-t", "filesystem", "-o", "name,mountpoint,mounted,origin", "-r", dataset];
    let answer = ask(&arguments)?;
    if !answer.success {
        return match Trouble::of(&answer) {
            Trouble::Absent => Ok(Vec::new()),
            _ => Err(failed(&arguments, &answer)),
        };
    }
    Ok(answer.output.lines().filter_map(listed).collect())
}

fn listed(line: &str) -> Option<Listed> {
    let mut fields = line.split('\t');
    let (name, mountpoint) = (fields.next()?.to_owned(), fields.next()?.to_owned());
    let mounted = fields.next()? == "yes";
    let origin = fields.next().filter(|origin| *origin != "-").map(str::to_owned);
    Some(Listed { name, mountpoint, mounted, origin })
}

/// Whether a snapshot is there.
pub(super) fn has_snapshot(snapshot: &str) -> Result<bool> {
    let arguments = ["list", "-H", "-t", "snapshot", "-o", "name", snapshot];
    let answer = ask(&arguments)?;
    match Trouble::of(&answer) {
        _ if answer.success => Ok(true),
        Trouble::Absent => Ok(false),
        _ => Err(failed(&arguments, &answer)),
    }
}

/// Makes a snapshot, if it is not there.
pub(super) fn snapshot(snapshot: &str, lock: &FileLock) -> Result<()> {
    ensure("zfs snapshot", &["snapshot", snapshot], &[Trouble::Exists], Some(lock))
}

/// Makes a dataset, mounted at `mountpoint` or where its parent's settings put it.
pub(super) fn create(dataset: &str, mountpoint: Option<&Path>) -> Result<()> {
    let option = mountpoint.map(|path| format!("mountpoint={}", path.display()));
    let mut arguments = vec!["create"];
    if let Some(option) = &option {
        arguments.extend(["-o", option]);
    }
    arguments.push(dataset);
    ensure("zfs create", &arguments, &[Trouble::Exists], None)
}

/// Makes a dataset that can be written, out of a snapshot.
pub(super) fn clone_of(snapshot: &str, dataset: &str, lock: &FileLock) -> Result<()> {
    ensure("zfs clone", &["clone", snapshot, dataset], &[], Some(lock))
}

/// Mounts a dataset, if it is not mounted.
pub(super) fn mount(dataset: &str, lock: Option<&FileLock>) -> Result<()> {
    ensure("zfs mount", &["mount", dataset], &[Trouble::Exists], lock)
}

/// Makes a clone the owner of the history that it has in common with its origin.
pub(super) fn promote(dataset: &str, lock: &FileLock) -> Result<()> {
    ensure("zfs promote", &["promote", dataset], &[Trouble::Absent], Some(lock))
}

/// Sets whether a dataset can be written.
pub(super) fn set_read_only(dataset: &str, lock: &FileLock) -> Result<()> {
    ensure("zfs set", &["set", "readonly=on", dataset], &[], Some(lock))
}

/// Destroys a dataset without its snapshots: `false` when somebody uses it, or has made snapshots of
/// their own in it. Whether they soon don't use it is waited for only by who is `patient`.
pub(super) fn destroy(dataset: &str, patient: bool, lock: &FileLock) -> Result<bool> {
    let arguments = ["destroy", dataset];
    let both = [Trouble::Busy, Trouble::InUse];
    let passes = if patient { &both[..] } else { &both[..1] };
    let answer = change("zfs destroy", &arguments, passes, Some(lock))?;
    match Trouble::of(&answer) {
        _ if answer.success => Ok(true),
        Trouble::Absent => Ok(true),
        Trouble::Busy | Trouble::InUse | Trouble::HasChildren => Ok(false),
        _ => Err(failed(&arguments, &answer)),
    }
}

/// Whether a dataset differs from a snapshot; `None` where this ZFS can't tell.
pub(super) fn differs(snapshot: &str, dataset: &str) -> Result<Option<bool>> {
    let answer = ask(&["diff", "-H", snapshot, dataset])?;
    Ok(answer.success.then(|| !answer.output.trim().is_empty()))
}

/// What `zfs allow` says of a dataset; `None` where this ZFS can't tell.
pub(super) fn allowed(dataset: &str) -> Result<Option<String>> {
    let answer = ask(&["allow", dataset])?;
    Ok(answer.success.then_some(answer.output))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(text: &str) -> Trouble {
        Trouble::of(&Answer { success: false, output: String::new(), complaint: text.to_owned() })
    }

    #[test]
    fn complaints_of_both_kinds_of_zfs_are_told_apart() {
        for (text, trouble) in [
            ("cannot destroy 'dsgprobe/p': dataset is busy", Trouble::Busy),
            ("cannot destroy 'tank/p': filesystem has children", Trouble::HasChildren),
            ("umount: /srv/p: target is busy.", Trouble::InUse),
            ("cannot unmount '/tank/p': pool or dataset is busy", Trouble::InUse),
            ("cannot open 'tank/x': dataset does not exist", Trouble::Absent),
            ("cannot promote 'tank/x': not a cloned filesystem", Trouble::Absent),
            ("cannot create snapshot 'tank/q@s1': dataset already exists", Trouble::Exists),
            ("cannot create snapshot 'tank/q@s1': permission denied", Trouble::Denied),
            ("cannot create snapshot 'tank/q@s1': out of space", Trouble::Full),
            (
                "filesystem successfully created, but it may only be mounted by root",
                Trouble::Unmounted,
            ),
        ] {
            assert_eq!(complaint(text), trouble, "{text}");
        }
    }

    #[test]
    fn a_line_of_the_list_is_understood() {
        let line = "tank/p/g2-0a\t/srv/.dsg-p/g2-0a\tyes\ttank/p/g1-0b@s1";
        let found = listed(line).expect("a dataset");
        assert_eq!(found.origin.as_deref(), Some("tank/p/g1-0b@s1"));
        assert!(found.mounted);
        assert_eq!(listed("tank\t/tank\tno\t-").expect("a dataset").origin, None);
        assert_eq!(listed(""), None);
    }
}
