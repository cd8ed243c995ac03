//! SIGKILL before every step.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use dsg_store::error::Code;
use testkit::program::{Fault, all_steps};

use super::check::{after_crash, agrees, at_the_end};
use super::scenario::{ALL, Reference, Scenario, WIDE};
use super::world::{Ended, Operation, ended};

/// Experiments that run at once.
const AT_ONCE: usize = 2;

/// What went wrong in experiments, and how many there were.
#[derive(Default)]
pub(crate) struct Findings {
    pub(crate) count: u64,
    /// Whether experiments must not overlap.
    one_by_one: bool,
    wrong: Vec<String>,
}

impl Findings {
    /// Whose experiments must not overlap.
    pub(crate) fn one_by_one() -> Self {
        Self { one_by_one: true, ..Self::default() }
    }

    /// Runs `experiment` for 1 to `count`.
    pub(crate) fn each(
        &mut self,
        name: &str,
        count: u64,
        experiment: impl Fn(u64) -> Vec<String> + Sync,
    ) {
        let next = AtomicU64::new(1);
        let found = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..if self.one_by_one { 1 } else { AT_ONCE } {
                scope.spawn(|| {
                    loop {
                        let number = next.fetch_add(1, Ordering::SeqCst);
                        if number > count {
                            break;
                        }
                        let wrong = experiment(number);
                        if !wrong.is_empty() {
                            found.lock().expect("a list").push((number, wrong));
                        }
                    }
                });
            }
        });
        let mut found = found.into_inner().expect("a list");
        found.sort();
        let line = |(number, wrong): (u64, Vec<String>)| {
            format!("{name}, {number}: {}", wrong.join("\n    "))
        };
        self.wrong.extend(found.into_iter().map(line));
        self.count += count;
    }

    /// Takes the outcome of one experiment.
    pub(crate) fn add(&mut self, name: &str, number: u64, wrong: &[String]) {
        self.count += 1;
        if !wrong.is_empty() {
            self.wrong.push(format!("{name}, {number}: {}", wrong.join("\n    ")));
        }
    }

    /// Says how many there were, and fails with what was found.
    #[expect(clippy::print_stdout, reason = "tests say how much they tried")]
    pub(crate) fn settle(self, what: &str) {
        let Self { count, wrong, .. } = self;
        println!("{what}: {count}");
        let shown: Vec<_> = wrong.iter().take(FINDINGS_SHOWN).map(String::as_str).collect();
        assert!(wrong.is_empty(), "{} of {count} went wrong\n{}", wrong.len(), shown.join("\n"));
    }
}

/// A broken rule breaks in many places; the first ones tell enough.
const FINDINGS_SHOWN: usize = 40;

/// What a failed experiment says first.
pub(crate) fn at(reference: &Reference, step: u64, wrong: Vec<String>, when: &str) -> Vec<String> {
    let number = usize::try_from(step).unwrap_or(1).saturating_sub(1);
    let step = reference.log.get(number).map_or_else(String::new, |step| {
        let path = step.path.rsplit_once("/.").map_or(step.path.as_str(), |(_, path)| path);
        format!("{} {path}", step.operation)
    });
    let mut lines = vec![format!("{when}, at: {step}")];
    lines.extend(wrong);
    lines
}

fn same_user(scenario: &Scenario, reference: &Reference, step: u64) -> Vec<String> {
    let prepared = scenario.prepare();
    let world = &prepared.world;
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
}

/// After the crash of one user another one syncs, twice, and only then the first again.
fn other_user(scenario: &Scenario, reference: &Reference, step: u64) -> Vec<String> {
    let Some(other) = scenario.other else { return Vec::new() };
    let prepared = scenario.prepare();
    let world = &prepared.world;
    ended(world.start(scenario.operation, scenario.actor, Fault::Kill(step)));
    let is_committed = world.moment().repository.head == reference.after.repository.head;
    let uploads_first = step.is_multiple_of(2);
    if uploads_first {
        world.write(other, "input/of-the-other", "of the other");
    }
    let sync = |user: &str| match world.run(Operation::Sync, user) {
        Ok(dsg_store::sync::SyncOutcome::Done(_)) => Ok(()),
        outcome => Err(vec![format!("{user}: {outcome:?}")]),
    };
    let experiment = || -> Result<(), Vec<String>> {
        sync(other)?;
        let state = if is_committed { &reference.after } else { &reference.before };
        let mut expected = state.repository.visible.clone();
        let seen = &world.moment().projects[other];
        if uploads_first {
            let own = seen.entries.get("input/of-the-other").cloned();
            expected.entries.insert("input/of-the-other".to_owned(), own.ok_or(vec![])?);
        }
        if !expected.same(seen) {
            let mut wrong = vec![format!("{other} sees neither all nor nothing")];
            wrong.extend(expected.differences(seen));
            return Err(wrong);
        }
        // What the first one's commit brought is changed by the other.
        let touched = if is_committed { "input/change.txt" } else { "input/another" };
        if seen.entries.contains_key(touched) || !is_committed {
            world.write(other, touched, "changed after the crash");
            sync(other)?;
        }
        if let Err(why) = scenario.run(world) {
            return Err(vec![why]);
        }
        sync(other)?;
        let mut wrong = agrees(world, scenario.actor);
        wrong.extend(agrees(world, other));
        let now = world.moment();
        for (path, node) in &reference.after.repository.visible.entries {
            let found = now.repository.visible.entries.get(path);
            if path != touched && found != Some(node) {
                wrong.push(format!("{path} is {found:?}, not {node:?}"));
            }
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    };
    match experiment() {
        Ok(()) => Vec::new(),
        Err(wrong) => at(reference, step, wrong, "another user came first"),
    }
}

#[test]
fn every_step_of_every_operation_can_be_the_last() {
    let mut findings = Findings::default();
    for scenario in ALL {
        let reference = scenario.reference();
        let steps = reference.log.len() as u64;
        findings.each(scenario.name, steps, |step| same_user(scenario, &reference, step));
    }
    findings.settle("crash steps");
}

/// Among so many steps every so-manieth is tried, and each of a part around the commit.
const WIDE_STRIDE: usize = 101;

#[test]
fn a_wide_commit_can_be_cut_off() {
    let reference = WIDE.reference();
    let is_commit = |path: &str| path.ends_with("/snapshots/s4");
    let commit = reference.log.iter().position(|step| is_commit(&step.path)).expect("a commit");
    let around = commit.saturating_sub(10)..commit + 10;
    let syncs = |number: usize| reference.log[number].operation == "sync file system";
    let steps: Vec<u64> = (0..reference.log.len())
        .filter(|number| {
            all_steps() || number % WIDE_STRIDE == 0 || around.contains(number) || syncs(*number)
        })
        .map(|number| number as u64 + 1)
        .collect();
    let mut findings = Findings::default();
    let of = |number: u64| steps[usize::try_from(number).unwrap_or(1) - 1];
    findings.each(WIDE.name, steps.len() as u64, |n| same_user(&WIDE, &reference, of(n)));
    findings.each(WIDE.name, steps.len() as u64, |n| other_user(&WIDE, &reference, of(n)));
    findings.settle(&format!("crash steps of {} in a wide commit", reference.log.len()));
}

#[test]
fn after_a_crash_another_user_goes_on() {
    let mut findings = Findings::default();
    for scenario in ALL.iter().filter(|scenario| scenario.other.is_some()) {
        let reference = scenario.reference();
        let steps = reference.log.len() as u64;
        findings.each(scenario.name, steps, |step| other_user(scenario, &reference, step));
    }
    findings.settle("crash steps with another user");
}

/// One in so many recovery steps is tried, another one for each crash, so that all of them are tried
/// at some crash; `DSG_ALL_STEPS=1` tries all at each.
const STRIDE: u64 = 67;

/// Cuts off the run after the crash too, and only then lets one come to its end.
fn recovery(
    scenario: &Scenario,
    reference: &Reference,
    step: u64,
    pairs: &AtomicU64,
) -> Vec<String> {
    let stride = if all_steps() { 1 } else { STRIDE };
    let mut second = 1 + step * 7 % stride;
    loop {
        let prepared = scenario.prepare();
        let world = &prepared.world;
        ended(world.start(scenario.operation, scenario.actor, Fault::Kill(step)));
        // Mostly killed; now and then it is the disk that fails.
        let fault = match (step + second) % 4 {
            0 => Fault::Full(second),
            1 => Fault::Broken(second),
            _ => Fault::Kill(second),
        };
        match ended(world.start(scenario.operation, scenario.actor, fault)) {
            Ended::Done => return Vec::new(),
            Ended::Killed | Ended::Failed(Code::Disk | Code::DiskFull, _) => {}
            other => return at(reference, step, vec![format!("{other:?}")], "the next run"),
        }
        pairs.fetch_add(1, Ordering::SeqCst);
        let when = format!("the next run with {fault:?}");
        let wrong = after_crash(&prepared, reference);
        if !wrong.is_empty() {
            return at(reference, step, wrong, &when);
        }
        if let Err(why) = scenario.run(world) {
            return at(reference, step, vec![why], &when);
        }
        let wrong = at_the_end(scenario, &prepared, reference);
        if !wrong.is_empty() {
            return at(reference, step, wrong, &when);
        }
        second += stride;
    }
}

#[test]
fn every_step_of_a_recovery_can_be_the_last() {
    let pairs = AtomicU64::new(0);
    let mut findings = Findings::default();
    for scenario in ALL {
        let reference = scenario.reference();
        let steps = reference.log.len() as u64;
        findings.each(scenario.name, steps, |step| recovery(scenario, &reference, step, &pairs));
    }
    println!("recovery crash pairs: {}", pairs.into_inner());
    findings.settle("crashes before them");
}
