//! Disks that are full or broken: at every step, and for real.

use std::path::Path;

use dsg_store::error::Code;
use testkit::mount::{SmallDisk, lacks};
use testkit::program::Fault;

use super::check::{after_crash, at_the_end};
use super::scenario::{ALL, BOTH, Reference, Scenario, UPLOAD};
use super::sweep::{Findings, at};
use super::world::{Ended, World, ended};

/// An operation during which the disk fails: a plain error, nothing half done, and the next run
/// comes to its end.
fn failing(scenario: &Scenario, reference: &Reference, step: u64, fault: Fault) -> Vec<String> {
    let prepared = scenario.prepare();
    let world = &prepared.world;
    let code = match fault {
        Fault::Broken(_) => Code::Disk,
        _ => Code::DiskFull,
    };
    let when = format!("{fault:?}");
    match ended(world.start(scenario.operation, scenario.actor, fault)) {
        Ended::Done => {}
        Ended::Failed(found, _) if found == code => {}
        other => return at(reference, step, vec![format!("{other:?}")], &when),
    }
    let mut wrong = after_crash(&prepared, reference);
    if let Fault::Broken(_) = fault {
        wrong.extend(not_durable(&world.root, reference, step));
    }
    if !wrong.is_empty() {
        return at(reference, step, wrong, &when);
    }
    if let Err(why) = scenario.run(world) {
        return at(reference, step, vec![why], &format!("{when}, the next run"));
    }
    let wrong = at_the_end(scenario, &prepared, reference);
    if wrong.is_empty() {
        wrong
    } else {
        at(reference, step, wrong, &format!("{when}, after the next run"))
    }
}

/// What was staged and could not be made durable must be gone: the cache has its bytes, and whoever
/// used them later would hear of no error.
fn not_durable(root: &Path, reference: &Reference, step: u64) -> Vec<String> {
    let number = usize::try_from(step - 1).expect("a step");
    let step = &reference.log[number];
    let areas = ["/.dsg/tx/", "/staging/"];
    let below = |path: &str| {
        let rest = areas.iter().find_map(|area| path.split_once(area))?.1;
        Some(rest.split_once('/').map_or(String::new(), |(_, name)| name.to_owned()))
    };
    let Some(name) = below(&step.path) else { return Vec::new() };
    // These are written anew each time.
    let is_anew = |name: &str| ["pack", "document"].contains(&name);
    let is_wrong = |found: &str| match step.operation.as_str() {
        "sync" => found == name && !is_anew(found),
        "sync file system" => !is_anew(found),
        _ => false,
    };
    let all = files(root);
    let left = all.iter().filter(|path| below(path).is_some_and(|found| is_wrong(&found)));
    left.map(|path| format!("{path} could not be made durable, and is still there")).collect()
}

fn files(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).expect("lists").map(|entry| entry.expect("one")) {
        match entry.file_type().expect("a kind") {
            kind if kind.is_dir() => found.extend(files(&entry.path())),
            _ => found.push(entry.path().to_string_lossy().into_owned()),
        }
    }
    found
}

#[test]
fn a_disk_that_fails_at_a_step_leaves_nothing_half_done() {
    let kinds: [fn(u64) -> Fault; 3] = [Fault::Full, Fault::Broken, Fault::FullFrom];
    let mut findings = Findings::default();
    for scenario in ALL {
        let reference = scenario.reference();
        let steps = reference.log.len() as u64;
        for kind in kinds {
            findings
                .each(scenario.name, steps, |step| failing(scenario, &reference, step, kind(step)));
        }
    }
    findings.settle("failed steps");
}

/// KiB that are in use on a file system.
fn used(path: &Path) -> u64 {
    let status = rustix::fs::statvfs(path).expect("a status");
    (status.f_blocks - status.f_bfree) * status.f_frsize / 1024
}

/// Room for everything.
const LARGE_KIBIBYTES: u64 = 64 * 1024;

/// What is left free: from nothing to enough.
const FREE_KIBIBYTES: [u64; 12] = [0, 4, 8, 16, 24, 40, 64, 120, 240, 480, 560, 640];

/// Syncs while the disk below `part` of the world has so much room, and then with more.
fn on_a_full_disk(
    part: &str,
    scenario: &Scenario,
    reference: &Reference,
    free: u64,
) -> Vec<String> {
    let world = World::new();
    let disk = SmallDisk::new(LARGE_KIBIBYTES).expect("a disk");
    let folder = world.root.join(part);
    // The world finds the disk by way of a link, as a repository behind a mount point.
    if folder.exists() {
        std::fs::remove_dir(&folder).expect("removes");
    }
    std::os::unix::fs::symlink(disk.path(), &folder).expect("links");
    let prepared = scenario.prepare_in(world);
    disk.resize(used(disk.path()) + free).expect("resizes");
    let process = prepared.world.start(scenario.operation, scenario.actor, Fault::None);
    let end = ended(process);
    let mut wrong = match end {
        Ended::Done | Ended::Failed(Code::DiskFull, _) => Vec::new(),
        other => vec![format!("{other:?}")],
    };
    wrong.extend(after_crash(&prepared, reference));
    disk.resize(LARGE_KIBIBYTES).expect("resizes");
    if let Err(why) = scenario.run(&prepared.world) {
        wrong.push(why);
    }
    wrong.extend(at_the_end(scenario, &prepared, reference));
    wrong
}

#[test]
fn a_disk_that_is_really_full_leaves_nothing_half_done() {
    if lacks(&["mount", "umount"]) {
        return;
    }
    let mut findings = Findings::default();
    for scenario in [UPLOAD, BOTH] {
        let reference = scenario.reference();
        for part in ["srv", "alice"] {
            for free in FREE_KIBIBYTES {
                let wrong = on_a_full_disk(part, &scenario, &reference, free);
                findings.add(&format!("{}, {part} has KiB", scenario.name), free, &wrong);
            }
        }
    }
    findings.settle("full disks");
}
