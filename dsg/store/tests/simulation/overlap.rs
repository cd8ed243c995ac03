//! A seed with real processes: several sync at the same time, some are killed, some are stopped in the
//! middle while their user goes on working and others sync. The order is not determined by the seed
//! here, so only what must be true of every order is checked.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use dsg_core::conflict::Resolution;
use dsg_store::error::Code;
use dsg_store::project;
use dsg_store::sync::SyncOutcome;
use rustix::process::{Pid, Signal, kill_process};

use super::client::{Client, untouched};
use super::random::Random;
use super::resolve::Patience;
use super::seeds;
use super::view::View;
use super::world::{Checked, World, one_sync};

/// How long a process may take: none should come near it.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(1);

/// A sync in a process of its own.
struct Running {
    at: usize,
    child: Child,
    result: PathBuf,
    /// Whether it was told to kill itself somewhere.
    may_die: bool,
}

/// How such a sync ended.
#[derive(PartialEq, Eq)]
enum Fate {
    Done,
    Conflicts,
    Failed,
    Busy,
    Killed,
}

impl World {
    pub(crate) fn run_overlapping(&mut self) -> Checked {
        let mut actions = self.random.between(10, 40);
        while actions > 0 {
            let now = self.random.between(1, 6).min(actions);
            actions -= now;
            for _ in 0..now {
                let at = self.a_client();
                self.act(at);
            }
            if self.random.chance(40) {
                self.one_stands_still()?;
            } else {
                self.all_at_once()?;
            }
            if self.random.chance(30) {
                let at = self.a_client();
                self.sync_resolving(at, Patience::Human)?;
            }
        }
        self.agree_in_the_end()
    }

    /// Several sync at the same time; some are killed at a random step.
    fn all_at_once(&mut self) -> Checked {
        let count = self.random.between(2, 4);
        let chosen: Vec<usize> = (0..count).map(|_| self.a_client()).collect();
        let before: Vec<_> = chosen.iter().map(|at| (*at, self.clients[*at].view())).collect();
        let mut running = Vec::new();
        for at in chosen {
            let kill = self.random.chance(35).then(|| format!("kill:{}", self.random.step()));
            running.push(self.start(at, kill));
        }
        self.wait_for_all(running, &before, None)
    }

    /// One is stopped in the middle; its user goes on working, another one syncs.
    fn one_stands_still(&mut self) -> Checked {
        let at = self.a_client();
        let view = self.clients[at].view();
        let step = self.random.step();
        let mut running = vec![self.start(at, Some(format!("stop:{step}")))];
        let mut before = Vec::new();
        if wait_until_stopped(&mut running[0])? {
            let now = self.oracle.check()?;
            let client = &mut self.clients[at];
            let tree = client.tree();
            untouched(client, &view, None, &tree)?;
            client.account(&tree, &now.contents, true)?;
            for _ in 0..self.random.between(0, 3) {
                self.act_on_files(at);
            }
            before.push((at, self.clients[at].view()));
            let other = self.a_client();
            if other != at {
                before.push((other, self.clients[other].view()));
                running.push(self.start(other, None));
                // It may have to wait for the one that stands still.
                wait_a_little(&mut running[1]);
            }
            let stopped = Pid::from_child(&running[0].child);
            kill_process(stopped, Signal::CONT).expect("goes on");
        } else {
            before.push((at, view));
        }
        self.wait_for_all(running, &before, Some(at))
    }

    fn start(&mut self, at: usize, fault: Option<String>) -> Running {
        let client = &self.clients[at];
        let result = self.folder.path().join(format!("result-{}", self.fresh));
        self.fresh += 1;
        let part = seeds::Part::Sync {
            root: client.root.clone(),
            name: client.name.clone(),
            seed: self.random.number(),
            result: result.clone(),
        };
        let name = client.name.clone();
        let mut command = part.command();
        if let Some(fault) = &fault {
            command.env("DSG_FAULT", fault);
        }
        let child = command.spawn().expect("starts a process");
        let may_die = fault.as_deref().is_some_and(|fault| fault.starts_with("kill"));
        self.say(format!("{name} syncs in a process {}", fault.unwrap_or_default()));
        self.counts.syncs += 1;
        Running { at, child, result, may_die }
    }

    /// Waits for all and checks what is true whatever the order was. `before` is what the users had
    /// since when only dsg changed their files; `edited` went on working while their sync ran.
    fn wait_for_all(
        &mut self,
        running: Vec<Running>,
        before: &[(usize, View)],
        edited: Option<usize>,
    ) -> Checked {
        let mut fates = Vec::new();
        for one in running {
            let at = one.at;
            let (fate, said) = wait(one)?;
            self.say(format!("{}: {said}", self.clients[at].name));
            self.counts.crashes += u64::from(fate == Fate::Killed);
            if fate == Fate::Failed {
                return Err(format!("ERROR without reason to {}: {said}", self.clients[at].name));
            }
            fates.push((at, fate));
        }
        let now = self.oracle.check()?;
        let took_part: BTreeSet<usize> = fates.iter().map(|(at, _)| *at).collect();
        for at in took_part {
            let mine = || fates.iter().filter(|(other, _)| *other == at).map(|(_, fate)| fate);
            let view =
                self.after_processes(at, mine().any(|fate| *fate == Fate::Killed), before)?;
            let client = &mut self.clients[at];
            client.account(&view.tree, &now.contents, client.interrupted)?;
            if edited != Some(at) && mine().all(|fate| *fate == Fate::Done) {
                let name = self.clients[at].name.clone();
                self.oracle.commit(&view.state(), &name);
            }
        }
        self.oracle.check().map(|_| ())
    }

    fn after_processes(
        &mut self,
        at: usize,
        killed: bool,
        before: &[(usize, View)],
    ) -> Checked<View> {
        let client = &mut self.clients[at];
        let view = client.view();
        let data = client.interrupted_data;
        for (_, before) in before.iter().filter(|(other, _)| *other == at) {
            let also = data.map(|data| View::of(before.tree.clone(), data));
            untouched(client, before, also.as_ref(), &view.tree)?;
        }
        client.interrupted = killed;
        client.interrupted_data = killed.then_some(client.data);
        let local = view.accepted.keys().cloned();
        client.uncertain.extend(local);
        client.uncertain.extend(self.oracle.keys.iter().cloned());
        Ok(view)
    }
}

fn wait(mut running: Running) -> Checked<(Fate, String)> {
    let mut waited = Duration::ZERO;
    let status = loop {
        if let Some(status) = running.child.try_wait().expect("waits") {
            break status;
        }
        if waited > PATIENCE {
            running.child.kill().expect("kills");
            running.child.wait().expect("waits");
            return Err("HANGS: a sync did not end".to_owned());
        }
        thread::sleep(POLL);
        waited += POLL;
    };
    let said = fs::read_to_string(&running.result).unwrap_or_default();
    let fate = match said.split(' ').next() {
        _ if status.signal() == Some(9) && running.may_die => Fate::Killed,
        _ if !status.success() => return Err(format!("DIED: a sync ended by {status}: {said}")),
        Some("done") => Fate::Done,
        Some("conflicts") => Fate::Conflicts,
        Some("busy") => Fate::Busy,
        _ => Fate::Failed,
    };
    let said = if fate == Fate::Killed { "killed".to_owned() } else { said };
    Ok((fate, said))
}

/// Waits until the process has stopped itself; false when it came to its end before.
fn wait_until_stopped(running: &mut Running) -> Checked<bool> {
    let stat = PathBuf::from(format!("/proc/{}/stat", running.child.id()));
    let mut waited = Duration::ZERO;
    while waited < PATIENCE {
        let text = fs::read_to_string(&stat).unwrap_or_default();
        // The name of the program, in brackets, may hold anything.
        let state = text.rsplit(')').next().and_then(|rest| rest.split_whitespace().next());
        match state {
            Some("T") => return Ok(true),
            Some("Z" | "X") | None => return Ok(false),
            _ => {}
        }
        thread::sleep(POLL);
        waited += POLL;
    }
    Err("HANGS: a sync neither stopped nor ended".to_owned())
}

fn wait_a_little(running: &mut Running) {
    for _ in 0..200 {
        if running.child.try_wait().expect("waits").is_some() {
            return;
        }
        thread::sleep(POLL);
    }
}

/// What such a process does: it syncs, and answers what it is asked.
pub(crate) fn sync_alone(root: &Path, name: &str, seed: u64, result: &Path) {
    let client = Client::existing(name, root);
    let mut random = Random::new(seed);
    let mut said = "conflicts that were left".to_owned();
    for _ in 0..3 {
        let stamp = random.pick(&super::names::STAMPS).copied();
        match one_sync(&client, stamp) {
            Ok(SyncOutcome::Done(report)) => {
                said = format!("done {:?}, skipped {:?}", report.head, report.skipped);
                break;
            }
            Ok(SyncOutcome::Conflicts(questions)) => {
                if random.chance(30) {
                    break;
                }
                let answers = questions.iter().filter_map(|question| {
                    Some(Resolution {
                        path: question.path.clone(),
                        choice: random.pick(&question.choices)?.choice,
                        made_for: question.made_for,
                    })
                });
                let answers: Vec<_> = answers.collect();
                keep(&client, answers);
            }
            Err(error) => {
                let expected = [Code::RepositoryBusy, Code::ProjectBusy, Code::NameCollision];
                let class = if expected.contains(&error.code) { "busy" } else { "failed" };
                said = format!("{class} {} {error} {:?}", error.code.as_str(), error.paths);
                break;
            }
        }
    }
    fs::write(result, said).expect("writes");
}

fn keep(client: &Client, answers: Vec<Resolution>) {
    let project = client.project().expect("opens");
    let dsg = project.dsg_attached().expect("opens");
    let mut resolutions = project::resolutions(&dsg).expect("reads");
    for answer in answers {
        resolutions.insert(answer).expect("room");
    }
    project::save_resolutions(&dsg, &resolutions).expect("saves");
}

/// A process of the same program, silent.
pub(crate) fn quiet(command: &mut Command) {
    command.stdin(Stdio::null()).stdout(Stdio::null());
}
