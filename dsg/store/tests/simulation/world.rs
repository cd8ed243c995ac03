//! One repository, its users, and a sync with everything that must be true before and after it.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use dsg_core::conflict::Question;
use dsg_store::error::{Code, Error};
use dsg_store::monitor::Silent;
use dsg_store::project;
use dsg_store::repository::{Access, create};
use dsg_store::sync::{LookOptions, SyncOptions, SyncOutcome, SyncReport, sync};
use dsg_store::system::fault;
use foundation_runtime::clock::SystemClock;

use super::actions::{self, Contents};
use super::client::{Client, untouched};
use super::merge;
use super::names;
use super::oracle::{Oracle, Seen};
use super::random::Random;
use super::view::{State, View, covers};

/// How much was done.
#[derive(Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) syncs: u64,
    pub(crate) crashes: u64,
    pub(crate) snapshots: u64,
}

pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) random: Random,
    pub(crate) clients: Vec<Client>,
    pub(crate) oracle: Oracle,
    pub(crate) contents: Contents,
    pub(crate) trace: Vec<String>,
    pub(crate) counts: Counts,
    /// Names that nobody uses yet.
    pub(crate) fresh: u64,
}

/// How a sync ended.
pub(crate) enum Ended {
    Done(Box<SyncReport>),
    Conflicts(Vec<Question>),
    Failed(Error),
}

/// What is broken, in words.
pub(crate) type Checked<T = ()> = Result<T, String>;

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let folder = folder();
        fs::create_dir(folder.path().join("srv")).expect("creates");
        let root = folder.path().join("srv/p");
        create(&root, Access::Private, &SystemClock::new()).expect("creates");
        let mut random = Random::new(seed);
        let count = random.weighted(&[(4, 2), (4, 3), (2, 4), (1, 6), (1, 8)]);
        let clients =
            (0..count).map(|at| Client::create(&format!("c{at}"), folder.path())).collect();
        Self {
            oracle: Oracle::new(root),
            clients,
            random,
            folder,
            contents: Contents::default(),
            trace: Vec::new(),
            counts: Counts::default(),
            fresh: 0,
        }
    }

    pub(crate) fn say(&mut self, what: impl Into<String>) {
        self.trace.push(what.into());
    }

    pub(crate) fn fresh_name(&mut self) -> String {
        self.fresh += 1;
        format!("renamed-{}", self.fresh)
    }

    pub(crate) fn a_client(&mut self) -> usize {
        self.random.below(self.clients.len())
    }

    pub(crate) fn act(&mut self, at: usize) {
        let said = actions::act(&mut self.clients[at], &mut self.contents, &mut self.random, true);
        self.say(said);
    }

    /// As [`act`](Self::act), but leaves the configuration as it is.
    pub(crate) fn act_on_files(&mut self, at: usize) {
        let said = actions::act(&mut self.clients[at], &mut self.contents, &mut self.random, false);
        self.say(said);
    }

    /// Syncs a client; with `crash`, every step from that one on fails, as if the program had ended.
    pub(crate) fn sync(&mut self, at: usize, crash: Option<u64>) -> Checked<Ended> {
        let before = self.before(at)?;
        let stamp = *self.random.pick(&names::STAMPS).expect("a stamp");
        let stamp = self.random.chance(50).then_some(stamp);
        let result = in_one_thread(|| {
            if let Some(step) = crash {
                fault::arm(step);
            }
            let result = one_sync(&self.clients[at], stamp);
            fault::disarm();
            result
        });
        self.counts.syncs += 1;
        let ended = match result {
            Ok(SyncOutcome::Done(report)) => Ended::Done(Box::new(report)),
            Ok(SyncOutcome::Conflicts(questions)) => Ended::Conflicts(questions),
            Err(error) => Ended::Failed(error),
        };
        self.say(describe(&self.clients[at].name, &ended, crash));
        let crashed = crash.is_some() && matches!(ended, Ended::Failed(_));
        self.counts.crashes += u64::from(crashed);
        self.after(at, &before, &ended, crashed)?;
        Ok(ended)
    }

    fn before(&mut self, at: usize) -> Checked<Before> {
        let client = &self.clients[at];
        let tree = client.tree();
        let view = View::of(tree.clone(), client.data);
        let also = client.interrupted_data.map(|data| View::of(tree, data));
        Ok(Before { view, also, remote: self.oracle.check()?.state })
    }

    fn after(&mut self, at: usize, before: &Before, ended: &Ended, crashed: bool) -> Checked {
        let now = self.oracle.check()?;
        let client = &mut self.clients[at];
        let view = client.view();
        untouched(client, &before.view, before.also.as_ref(), &view.tree)?;
        let was_interrupted = client.interrupted;
        if crashed {
            client.interrupted = true;
            client.interrupted_data = Some(client.data);
        } else {
            client.interrupted = false;
            client.interrupted_data = None;
        }
        client.account(&view.tree, &now.contents, client.interrupted)?;
        let local = view.state();
        match ended {
            Ended::Done(report) => {
                self.check_report(at, before, report, was_interrupted)?;
                self.done(at, before, report, &view, &now)
            }
            Ended::Conflicts(questions) => {
                if !was_interrupted {
                    unchanged(&self.clients[at].name, before, &local, &now.state)?;
                    merge::questions_are_right(&self.clients[at], before, questions)?;
                }
                Ok(())
            }
            Ended::Failed(_) if crashed => {
                merge::cut_off(
                    &mut self.clients[at],
                    [&before.view.state(), &local],
                    [&before.remote, &now.state],
                );
                Ok(())
            }
            Ended::Failed(error) => {
                let expected = [Code::NameCollision, Code::ForeignEdit, Code::ContentDamaged];
                if !expected.contains(&error.code) {
                    return Err(format!(
                        "ERROR without reason: {error} {:?} {:?}",
                        error.code, error.paths
                    ));
                }
                if was_interrupted {
                    return Ok(());
                }
                unchanged(&self.clients[at].name, before, &local, &now.state)
            }
        }
    }

    /// Checks what a sync reports of paths that it left alone.
    fn check_report(
        &self,
        at: usize,
        before: &Before,
        report: &SyncReport,
        was_interrupted: bool,
    ) -> Checked {
        let client = &self.clients[at];
        let may_be_unreadable = |key: &str| {
            before.view.accepted.get(key).is_some_and(|(path, _)| {
                before.view.tree.get(path).is_some_and(|node| node.mode & 0o400 == 0)
            })
        };
        if let Some(skipped) =
            report.skipped.iter().find(|skipped| !may_be_unreadable(skipped.path.as_str()))
        {
            return Err(format!("SKIPPED without reason by {}: {skipped:?}", client.name));
        }
        if was_interrupted {
            return Ok(());
        }
        let unjustified = report.unknown.iter().find(|unknown| {
            unknown.path.as_ref().is_some_and(|path| {
                let lossy = path.as_str().contains(char::REPLACEMENT_CHARACTER);
                !lossy && !before.view.refused.contains(path.as_str())
            })
        });
        match unjustified {
            Some(unknown) => Err(format!("UNKNOWN without reason to {}: {unknown:?}", client.name)),
            None => Ok(()),
        }
    }

    /// After a sync that did not fail: both sides agree, and on what three copies make of each other.
    fn done(
        &mut self,
        at: usize,
        before: &Before,
        report: &SyncReport,
        view: &View,
        now: &Seen,
    ) -> Checked {
        self.counts.snapshots += u64::from(report.snapshot.is_some());
        if report.head.map_or(0, dsg_core::snapshot::SnapshotNumber::get) != now.head {
            return Err(format!("HEAD: reported {:?}, is s{}", report.head, now.head));
        }
        let client = &mut self.clients[at];
        let mut left: BTreeSet<String> = view.refused.clone();
        left.extend(report.skipped.iter().map(|skipped| skipped.path.to_string()));
        left.extend(
            report.unknown.iter().filter_map(|unknown| Some(unknown.path.as_ref()?.to_string())),
        );
        let local = view.state();
        let tracked = |key: &String| names::tracked(client.data, key);
        let mut keys: BTreeSet<String> = local.keys().cloned().collect();
        for state in [&now.state, &before.remote, &client.base] {
            keys.extend(state.keys().filter(|key| tracked(key)).cloned());
        }
        keys.extend(before.view.accepted.keys().cloned());
        keys.retain(|key| !covers(&left, key));
        for key in &keys {
            if local.get(key) != now.state.get(key) {
                return Err(format!(
                    "DISAGREE: at {key} {} has {:?}, the repository {:?}",
                    client.name,
                    local.get(key),
                    now.state.get(key)
                ));
            }
        }
        merge::settled(client, before, &keys, &now.state)?;
        let agreed: State = local.into_iter().filter(|(key, _)| keys.contains(key)).collect();
        let name = client.name.clone();
        self.oracle.commit(&agreed, &name);
        self.resolutions_are_used(at, &left)
    }

    fn resolutions_are_used(&mut self, at: usize, left: &BTreeSet<String>) -> Checked {
        let client = &mut self.clients[at];
        let project = client.project().map_err(|error| error.to_string())?;
        let dsg = project.dsg_attached().map_err(|error| error.to_string())?;
        let kept = project::resolutions(&dsg).map_err(|error| error.to_string())?;
        client.answers.retain(|key, _| kept.iter().any(|kept| kept.path.as_str() == key));
        match kept.iter().find(|kept| !covers(left, kept.path.as_str())) {
            Some(kept) => Err(format!("RESOLUTION of {} left after a sync: {kept:?}", client.name)),
            None => Ok(()),
        }
    }
}

/// What was there before a sync.
pub(crate) struct Before {
    pub(crate) view: View,
    /// As the rules saw it under which an earlier, cut off sync began.
    pub(crate) also: Option<View>,
    pub(crate) remote: State,
}

/// A sync as the program does it: with the answers that wait in the project.
pub(crate) fn one_sync(
    client: &Client,
    stamp: Option<&str>,
) -> dsg_store::error::Result<SyncOutcome> {
    let project = client.project()?;
    let repository = client.repository(&project)?;
    let resolutions = project::resolutions(&project.dsg_attached()?)?;
    let options = SyncOptions {
        look: LookOptions { allow_mass_delete: false, resolutions },
        message: None,
        backup_stamp: stamp.map(str::to_owned),
    };
    sync(&project, &repository, &options, &Silent)
}

fn unchanged(name: &str, before: &Before, local: &State, remote: &State) -> Checked {
    if before.view.state() != *local {
        return Err(format!("CHANGED: files of {name}, by a sync that did not go through"));
    }
    if before.remote != *remote {
        return Err(format!(
            "CHANGED: the repository, by a sync of {name} that did not go through"
        ));
    }
    Ok(())
}

fn describe(name: &str, ended: &Ended, crash: Option<u64>) -> String {
    let crash = crash.map_or_else(String::new, |step| format!(" until step {step}"));
    let how = match ended {
        Ended::Done(report) => {
            let steps: Vec<_> =
                report.steps.iter().map(|(path, word)| format!("{path} {word}")).collect();
            let unknown = report.unknown.len();
            format!("{:?}, {unknown} unknown, [{}]", report.head, steps.join("; "))
        }
        Ended::Conflicts(questions) => {
            let questions: Vec<_> = questions
                .iter()
                .map(|question| format!("{}: {}", question.path, question.reason))
                .collect();
            format!("conflicts: {}", questions.join("; "))
        }
        Ended::Failed(error) => {
            format!("failed: {} {error} {:?}", error.code.as_str(), error.paths)
        }
    };
    format!("{name} syncs{crash}: {how}")
}

/// Runs in a pool of one thread, so that the order of steps is that of the plan.
pub(crate) fn in_one_thread<T: Send>(run: impl FnOnce() -> T + Send) -> T {
    static POOL: OnceLock<rayon::ThreadPool> = OnceLock::new();
    let pool = POOL.get_or_init(|| {
        rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool of threads")
    });
    pool.install(run)
}

/// A folder in memory where there is one: the simulation is about order, not about disks.
fn folder() -> tempfile::TempDir {
    let memory = PathBuf::from("/dev/shm");
    let parent = match std::env::var_os("DSG_FOLDER") {
        Some(folder) => PathBuf::from(folder),
        None if memory.is_dir() => memory,
        None => std::env::temp_dir(),
    };
    tempfile::Builder::new().prefix("dsg-simulation-").tempdir_in(parent).expect("a folder")
}
