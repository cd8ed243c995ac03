//! Handing out seeds to processes. Steps are made to fail for a whole process, so each one runs one
//! seed at a time; and a process that dies takes only its own seed with it.

use std::fs::{self, File};
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

use super::overlap;
use super::world::World;

/// Where a process of the simulation finds what it has to do.
const PART: &str = "DSG_SIMULATION_PART";
/// The test that does it.
const PART_TEST: &str = "simulation::part";
/// After so many failures a process stops.
const FAILURES_MAX: usize = 3;
/// Every so manieth seed uses overlapping processes.
const OVERLAPPING: u64 = 4;

/// What a process of the simulation has to do.
#[derive(Serialize, Deserialize)]
pub(crate) enum Part {
    /// Runs every `stride`-th seed from `first` to below `end`.
    Seeds { first: u64, end: u64, stride: u64, log: PathBuf },
    /// Syncs one project.
    Sync { root: PathBuf, name: String, seed: u64, result: PathBuf },
}

impl Part {
    /// The part that this process was started for.
    pub(crate) fn of_this_process() -> Option<Self> {
        let text = std::env::var(PART).ok()?;
        Some(serde_json::from_str(&text).expect("a part"))
    }

    pub(crate) fn command(&self) -> Command {
        let program = std::env::current_exe().expect("this program");
        let mut command = Command::new(program);
        command.args(["--exact", PART_TEST, "--ignored", "--nocapture", "--test-threads=1"]);
        command.env(PART, serde_json::to_string(self).expect("JSON"));
        command.env_remove("DSG_FAULT").env_remove("DSG_FAULT_LOG");
        overlap::quiet(&mut command);
        command
    }

    pub(crate) fn run(&self) {
        match self {
            Self::Seeds { first, end, stride, log } => run_seeds(*first, *end, *stride, log),
            Self::Sync { root, name, seed, result } => {
                overlap::sync_alone(root, name, *seed, result);
            }
        }
    }
}

/// A line of the log of a process that runs seeds.
#[derive(Serialize, Deserialize)]
enum Line {
    Begins(u64),
    Ended(Ended),
}

#[derive(Serialize, Deserialize)]
struct Ended {
    seed: u64,
    syncs: u64,
    crashes: u64,
    overlapping: bool,
    failure: Option<String>,
}

fn run_seeds(first: u64, end: u64, stride: u64, log: &Path) {
    let mut log = File::create(log).expect("creates");
    let mut failures = 0;
    let mut seed = first;
    while seed < end && failures < FAILURES_MAX {
        write(&mut log, &Line::Begins(seed));
        let ended = run_seed(seed);
        failures += usize::from(ended.failure.is_some());
        write(&mut log, &Line::Ended(ended));
        seed += stride;
    }
}

fn write(log: &mut File, line: &Line) {
    let text = serde_json::to_string(line).expect("JSON");
    writeln!(log, "{text}").expect("writes");
}

fn run_seed(seed: u64) -> Ended {
    let overlapping = seed.is_multiple_of(OVERLAPPING);
    let mut world = World::new(seed);
    let run = AssertUnwindSafe(|| {
        if overlapping { world.run_overlapping() } else { world.run_in_sequence() }
    });
    let failure = match catch_unwind(run) {
        Ok(Ok(())) => None,
        Ok(Err(broken)) => Some(broken),
        Err(_) => Some("PANIC, see above".to_owned()),
    };
    let failure = failure.map(|broken| {
        let trace: Vec<String> = world.trace.iter().map(|line| shortened(line)).collect();
        let kept = std::env::var_os("DSG_KEEP").is_some();
        let folder = if kept {
            world.folder.disable_cleanup(true);
            format!("\n  kept in {}", world.folder.path().display())
        } else {
            String::new()
        };
        format!("  {}\n  {}{folder}", trace.join("\n  "), shortened(&broken))
    });
    let (syncs, crashes) = (world.counts.syncs, world.counts.crashes);
    Ended { seed, syncs, crashes, overlapping, failure }
}

fn shortened(line: &str) -> String {
    const LINE_CHARACTERS_MAX: usize = 1_000;
    line.chars().take(LINE_CHARACTERS_MAX).collect()
}

/// What all seeds came to.
#[derive(Default)]
pub(crate) struct Total {
    pub(crate) seeds: u64,
    pub(crate) syncs: u64,
    pub(crate) crashes: u64,
    pub(crate) overlapping: u64,
    /// For each failed seed what happened, with how to run it again.
    pub(crate) failures: Vec<String>,
}

/// Runs `count` seeds in as many processes as there are cores.
pub(crate) fn run(first: u64, count: u64) -> Total {
    let folder = tempfile::tempdir().expect("a folder");
    let jobs = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    let jobs = jobs.min(count);
    let mut running = Vec::new();
    for job in 0..jobs {
        let log = folder.path().join(format!("log-{job}"));
        let part =
            Part::Seeds { first: first + job, end: first + count, stride: jobs, log: log.clone() };
        running.push((part.command().spawn().expect("starts a process"), log));
    }
    let mut total = Total::default();
    for (mut child, log) in running {
        let status = child.wait().expect("waits");
        let text = fs::read_to_string(log).unwrap_or_default();
        let lines = text.lines().map(|line| serde_json::from_str(line).expect("a line"));
        total.add(lines, &status.to_string());
    }
    total
}

impl Total {
    fn add(&mut self, lines: impl Iterator<Item = Line>, status: &str) {
        let mut begun = None;
        for line in lines {
            match line {
                Line::Begins(seed) => begun = Some(seed),
                Line::Ended(ended) => {
                    begun = None;
                    self.seeds += 1;
                    self.syncs += ended.syncs;
                    self.crashes += ended.crashes;
                    self.overlapping += u64::from(ended.overlapping);
                    if let Some(failure) = ended.failure {
                        self.failures.push(describe(ended.seed, &failure));
                    }
                }
            }
        }
        if let Some(seed) = begun {
            self.failures.push(describe(seed, &format!("the process ended: {status}")));
        }
    }
}

fn describe(seed: u64, what: &str) -> String {
    format!(
        "seed {seed}:\n{what}\n  again: DSG_FIRST_SEED={seed} DSG_SEEDS=1 cargo test -p dsg-store --features faults --test simulation\n"
    )
}
