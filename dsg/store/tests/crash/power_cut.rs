//! Power cuts on a real file system: what was not synced is gone, as if by a magician's cloth.
//!
//! The program is stopped before a step, the XFS under it is shut down without writing its log, the
//! program is killed, and the file system comes back from what had reached the disk.

use testkit::mount::{Xfs, lacks};
use testkit::program::{Fault, all_steps};

use super::check::{after_crash, at_the_end};
use super::scenario::{ALL, BOTH, CACHED, DOWNLOAD, Prepared, Reference, Scenario, UPLOAD};
use super::sweep::{Findings, at};
use super::world::{Ended, World, ended};

const TOOLS: &[&str] = &["mkfs.xfs", "xfs_io", "mount", "umount"];

/// One in so many steps is tried, unless `DSG_ALL_STEPS=1`.
const STRIDE: usize = 3;

/// A starting world on the file system, durable.
fn prepare(xfs: &Xfs, scenario: &Scenario) -> Prepared {
    let root = xfs.path().join("world");
    if root.exists() {
        std::fs::remove_dir_all(&root).expect("removes");
    }
    std::fs::create_dir_all(root.join("srv")).expect("creates");
    let prepared = scenario.prepare_in(World::at(&root));
    xfs.sync().expect("syncs");
    prepared
}

fn cut(xfs: &mut Xfs, scenario: &Scenario, reference: &Reference, step: u64) -> Vec<String> {
    let prepared = prepare(xfs, scenario);
    let world = &prepared.world;
    let process = world.start(scenario.operation, scenario.actor, Fault::Stop(step));
    if !process.stopped().expect("waits") {
        return vec![format!("step {step} was not reached: {:?}", ended(process))];
    }
    xfs.cut_power().expect("cuts");
    process.kill().expect("kills");
    xfs.restart().expect("restarts");
    let wrong = after_crash(&prepared, reference);
    if !wrong.is_empty() {
        return at(reference, step, wrong, "after the power cut");
    }
    if let Err(why) = scenario.run(world) {
        return at(reference, step, vec![why], "the run after the power cut");
    }
    let wrong = at_the_end(scenario, &prepared, reference);
    if wrong.is_empty() { wrong } else { at(reference, step, wrong, "after the next run") }
}

#[test]
fn a_power_cut_at_a_step_loses_nothing() {
    if lacks(TOOLS) {
        return;
    }
    let mut xfs = Xfs::new().expect("a file system");
    let mut findings = Findings::default();
    let some: &[Scenario] = &[UPLOAD, DOWNLOAD, BOTH, CACHED];
    let (scenarios, stride) = if all_steps() { (ALL, 1) } else { (some, STRIDE) };
    for (number, scenario) in scenarios.iter().enumerate() {
        let reference = scenario.reference();
        // Another part of the steps for each.
        let first = 1 + number % stride;
        for step in (first..=reference.log.len()).step_by(stride) {
            let step = step as u64;
            findings.add(scenario.name, step, cut(&mut xfs, scenario, &reference, step));
        }
    }
    println!("power cuts: {}", findings.count);
    findings.settle();
}

#[test]
fn what_was_reported_as_committed_survives_a_power_cut() {
    if lacks(TOOLS) {
        return;
    }
    let mut xfs = Xfs::new().expect("a file system");
    let mut findings = Findings::default();
    for scenario in ALL {
        let reference = scenario.reference();
        let prepared = prepare(&xfs, scenario);
        let world = &prepared.world;
        let process = world.start(scenario.operation, scenario.actor, Fault::None);
        assert_eq!(ended(process), Ended::Done, "{}", scenario.name);
        xfs.cut_power().expect("cuts");
        xfs.restart().expect("restarts");
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
        findings.add(scenario.name, 0, wrong);
    }
    println!("power cuts after success: {}", findings.count);
    findings.settle();
}
