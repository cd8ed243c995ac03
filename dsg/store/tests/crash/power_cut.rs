//! Power cuts on a real file system: what was not synced is gone.
//!
//! The program is stopped before a step, the XFS under it is shut down without writing its log, the
//! program is killed, and the file system comes back from what had reached the disk. Repository and
//! projects lie on one file system, where contents share blocks, or on two, where a sync of the one
//! does not happen to cover the other.

use testkit::mount::{Xfs, folder, lacks};
use testkit::program::{Fault, all_steps};

use super::check::{after_crash, at_the_end, nothing_left};
use super::scenario::{ALL, BOTH, CACHED, DOWNLOAD, Prepared, Reference, Scenario, UPLOAD};
use super::sweep::{Findings, at};
use super::world::{Ended, Operation, World, ended};

const TOOLS: &[&str] = &["mkfs.xfs", "xfs_io", "losetup", "mount", "umount"];

/// One in so many steps is tried, unless `DSG_ALL_STEPS=1`.
const STRIDE: usize = 3;

/// A server and a workstation.
struct Machines {
    server: Xfs,
    workstation: Xfs,
}

impl Machines {
    fn new() -> Self {
        let new = || Xfs::new().expect("a file system");
        Self { server: new(), workstation: new() }
    }

    /// A starting world, durable; on one file system or on both.
    fn prepare(&self, scenario: &Scenario, both: bool) -> Prepared {
        let workstation = if both { &self.workstation } else { &self.server };
        let beside = folder().expect("a folder");
        for (name, xfs) in [("srv", &self.server), ("alice", workstation), ("bob", workstation)] {
            let real = xfs.path().join(name);
            if real.exists() {
                std::fs::remove_dir_all(&real).expect("removes");
            }
            std::fs::create_dir(&real).expect("creates");
            std::os::unix::fs::symlink(&real, beside.path().join(name)).expect("links");
        }
        let prepared = scenario.prepare_in(World::of(beside));
        self.server.sync().expect("syncs");
        self.workstation.sync().expect("syncs");
        prepared
    }

    fn cut_power(&self) {
        self.server.cut_power().expect("cuts");
        self.workstation.cut_power().expect("cuts");
    }

    fn restart(&mut self) {
        self.server.restart().expect("restarts");
        self.workstation.restart().expect("restarts");
    }
}

fn cut(
    machines: &mut Machines,
    scenario: &Scenario,
    reference: &Reference,
    step: u64,
) -> Vec<String> {
    let prepared = machines.prepare(scenario, step.is_multiple_of(2));
    let world = &prepared.world;
    let process = world.start(scenario.operation, scenario.actor, Fault::Stop(step));
    // Where blocks are shared there are fewer steps; then the cut comes right after the last.
    let stopped = process.stopped().expect("waits");
    machines.cut_power();
    if stopped {
        process.kill().expect("kills");
    } else {
        let end = ended(process);
        assert_eq!(end, Ended::Done, "{}, {step}", scenario.name);
    }
    machines.restart();
    let wrong = after_crash(&prepared, reference);
    if !wrong.is_empty() {
        return at(reference, step, wrong, "after the power cut");
    }
    if let Err(why) = scenario.run(world) {
        return at(reference, step, vec![why], "the run after the power cut");
    }
    let mut wrong = at_the_end(scenario, &prepared, reference);
    wrong.retain(|line| !is_staging(line));
    if wrong.is_empty() { wrong } else { at(reference, step, wrong, "after the next run") }
}

/// What is left of an upload. Two disks are not cut off in step: one may have forgotten of an upload
/// what the other has still.
fn is_staging(line: &str) -> bool {
    line.starts_with("left over: .dsg-repository/staging/")
}

#[test]
fn a_power_cut_at_a_step_loses_nothing() {
    if lacks(TOOLS) {
        return;
    }
    let mut machines = Machines::new();
    let mut findings = Findings::default();
    let some: &[Scenario] = &[UPLOAD, DOWNLOAD, BOTH, CACHED];
    let (scenarios, stride) = if all_steps() { (ALL, 1) } else { (some, STRIDE) };
    for (number, scenario) in scenarios.iter().enumerate() {
        let reference = scenario.reference();
        // Another part of the steps for each.
        let first = 1 + number % stride;
        for step in (first..=reference.log.len()).step_by(stride) {
            let step = step as u64;
            findings.add(scenario.name, step, &cut(&mut machines, scenario, &reference, step));
        }
    }
    findings.settle("power cuts");
}

#[test]
fn what_was_reported_as_committed_survives_a_power_cut() {
    if lacks(TOOLS) {
        return;
    }
    let mut machines = Machines::new();
    let mut findings = Findings::default();
    // On one file system; on two; on two of which the workstation's has forgotten the upload for good.
    let disks = [(false, false), (true, false), (true, true)];
    for (scenario, (both, forgets)) in ALL.iter().flat_map(|each| disks.map(|disks| (each, disks)))
    {
        let reference = scenario.reference();
        let prepared = machines.prepare(scenario, both);
        let world = &prepared.world;
        let process = world.start(scenario.operation, scenario.actor, Fault::None);
        assert_eq!(ended(process), Ended::Done, "{}", scenario.name);
        if forgets {
            machines.workstation.sync().expect("syncs");
        }
        machines.cut_power();
        machines.restart();
        let (now, planned) = (world.moment(), &reference.after);
        let mut wrong = after_crash(&prepared, &reference);
        wrong.extend(planned.repository.visible.differences(&now.repository.visible));
        wrong.extend(planned.projects[scenario.actor].differences(&now.projects[scenario.actor]));
        if now.repository.head != planned.repository.head {
            wrong.push(format!("the newest snapshot is s{}", now.repository.head));
        }
        if let Err(why) = scenario.run(world) {
            wrong.push(why);
        }
        wrong.extend(at_the_end(scenario, &prepared, &reference));
        wrong.retain(|line| !is_staging(line));
        // What was committed is cleaned away by whoever commits next, if not before.
        world.write(scenario.actor, "input/one-more.txt", "one more");
        match world.perform(Operation::Sync, scenario.actor) {
            Ended::Done => wrong.extend(nothing_left(world, scenario.actor)),
            other => wrong.push(format!("the next commit: {other:?}")),
        }
        findings.add(scenario.name, 0, &wrong);
    }
    findings.settle("power cuts after success");
}
