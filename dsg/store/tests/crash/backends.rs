//! The same proofs on every file system whose snapshots dsg uses: the program is killed before each
//! of its steps, among them each command of `zfs` and `btrfs` and the moment after it.

use testkit::program::{Fault, all_steps};

use super::check::{after_crash, at_the_end};
use super::ground::{Backend, Ground};
use super::scenario::{BOTH, CACHED, CLONE, DOWNLOAD, INIT, Reference, Scenario, UPLOAD, done};
use super::sweep::{Findings, at};
use super::world::{Ended, Operation, ended};

/// One in so many steps is tried, and all that belong to the file system's own snapshots; with
/// `DSG_ALL_STEPS=1` all.
const STRIDE: usize = 23;

const SCENARIOS: [Scenario; 4] = [INIT, UPLOAD, BOTH, CACHED];

/// Whether a step belongs to what this backend does that others don't.
fn is_own(reference: &Reference, number: usize) -> bool {
    let of_volumes = |at: usize| {
        reference.log.get(at).is_some_and(|step| {
            step.operation.starts_with("zfs ")
                || step.operation.starts_with("btrfs ")
                || step.operation == "hear of"
                || step.path.contains(".dsg-next-")
                || step.path.contains("/superseded/")
        })
    };
    of_volumes(number) || (number > 0 && of_volumes(number - 1))
}

fn killed_at(
    ground: &Ground,
    scenario: &Scenario,
    reference: &Reference,
    step: u64,
) -> Vec<String> {
    let placed = ground.place();
    let prepared = scenario.prepare_in(ground.world(&placed));
    let world = &prepared.world;
    let experiment = || {
        let end = ended(world.start(scenario.operation, scenario.actor, Fault::Kill(step)));
        if end != Ended::Killed {
            return vec![format!("was not killed: {end:?}")];
        }
        let wrong = after_crash(&prepared, reference);
        if !wrong.is_empty() {
            return at(reference, step, wrong, "right after");
        }
        if let Err(why) = scenario.run(world) {
            return at(reference, step, vec![why], "the next run");
        }
        let wrong = at_the_end(scenario, &prepared, reference);
        if wrong.is_empty() { wrong } else { at(reference, step, wrong, "after the next run") }
    };
    let wrong = experiment();
    drop(prepared);
    ground.clear(placed);
    wrong
}

fn sweep(backend: Backend) {
    let Some(ground) = Ground::of(backend) else { return };
    // See `testkit::ground::Pool`: two worlds at once are two mounts at once.
    let mut findings = match backend {
        Backend::ZfsInPlace | Backend::ZfsGenerations => Findings::one_by_one(),
        Backend::Xfs | Backend::Btrfs => Findings::default(),
    };
    for scenario in SCENARIOS {
        let placed = ground.place();
        let reference = scenario.reference_in(ground.world(&placed));
        ground.clear(placed);
        let steps: Vec<u64> = (0..reference.log.len())
            .filter(|number| all_steps() || number % STRIDE == 0 || is_own(&reference, *number))
            .map(|number| number as u64 + 1)
            .collect();
        let of = |number: u64| steps[usize::try_from(number).unwrap_or(1) - 1];
        findings.each(scenario.name, steps.len() as u64, |number| {
            killed_at(&ground, &scenario, &reference, of(number))
        });
    }
    findings.settle(&format!("crash steps on {backend:?}"));
}

#[test]
fn every_step_on_xfs_can_be_the_last() {
    sweep(Backend::Xfs);
}

#[test]
fn every_step_on_btrfs_can_be_the_last() {
    sweep(Backend::Btrfs);
}

#[test]
fn every_step_on_zfs_in_place_can_be_the_last() {
    sweep(Backend::ZfsInPlace);
}

#[test]
fn every_step_on_zfs_generations_can_be_the_last() {
    sweep(Backend::ZfsGenerations);
}

#[test]
fn every_operation_works_on_every_file_system_and_leaves_only_what_must_be_there() {
    for backend in Backend::ALL {
        let Some(mut ground) = Ground::of(backend) else { continue };
        for scenario in [INIT, CLONE, UPLOAD, DOWNLOAD, BOTH, CACHED] {
            let placed = ground.place();
            let reference = scenario.reference_in(ground.world(&placed));
            let head = reference.after.repository.head;
            assert!(reference.after.repository.visible.entries.len() > 5, "{backend:?}");
            let world = ground.world(&placed);
            for text in ["one more", "and again"] {
                if backend == Backend::ZfsGenerations {
                    // Nobody is on the way to an older state any more; the next command removes it.
                    std::thread::sleep(std::time::Duration::from_millis(3_100));
                }
                world.write(scenario.actor, "input/one-more", text);
                done(&world, Operation::Sync, scenario.actor);
            }
            assert_eq!(ground.volumes(&placed), expected(backend, head + 2), "{}", scenario.name);
            ground.restart();
            assert_eq!(world.moment().repository.head, head + 2, "{backend:?}");
            world.write(scenario.actor, "input/one-more", "after the restart");
            done(&world, Operation::Sync, scenario.actor);
            ground.clear(placed);
        }
    }
}

/// What the file system has when the newest snapshot is `head`: nothing leaked, nothing missing.
fn expected(backend: Backend, head: u64) -> Vec<String> {
    let mut names: Vec<String> = match backend {
        Backend::Xfs => Vec::new(),
        Backend::Btrfs => (0..=head).map(|number| format!("g{number}")).collect(),
        Backend::ZfsInPlace => {
            let snapshots = (1..=head).map(|number| format!("/p@s{number}"));
            ["".to_owned(), "/p".to_owned()].into_iter().chain(snapshots).collect()
        }
        Backend::ZfsGenerations => {
            // The state before the newest is within its grace.
            let volumes = [head - 1, head].map(|number| format!("/p/g{number}"));
            let snapshots = (0..=head).map(|number| format!("/p/g{head}@s{number}"));
            ["".to_owned(), "/p".to_owned()].into_iter().chain(volumes).chain(snapshots).collect()
        }
    };
    names.sort();
    names
}
