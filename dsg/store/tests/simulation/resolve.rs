//! What users do when a sync asks them something: they choose, rename, or leave it for later.

use std::path::{Path, PathBuf};

use dsg_core::conflict::{Choice, Question, Resolution};
use dsg_core::plan::{Action, Asked, Conflict};
use dsg_store::error::Code;
use dsg_store::monitor::Silent;
use dsg_store::project;
use dsg_store::sync::{Look, LookOptions, SyncReport, look};

use super::world::{Checked, Ended, World};

/// How patient a user is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// Answers some questions, sometimes goes home; runs may be cut off.
    Human,
    /// Answers everything until the sync goes through.
    Endless,
}

impl World {
    /// Syncs until it goes through or the user has enough.
    pub(crate) fn sync_resolving(
        &mut self,
        at: usize,
        patience: Patience,
    ) -> Checked<Option<Box<SyncReport>>> {
        let attempts = if patience == Patience::Endless { 30 } else { 4 };
        for _ in 0..attempts {
            let endless = patience == Patience::Endless;
            let crash = !endless && self.random.chance(25);
            let crash = crash.then(|| self.random.step());
            match self.sync(at, crash)? {
                Ended::Done(report) => return Ok(Some(report)),
                Ended::Conflicts(questions) => {
                    if !endless && self.random.chance(20) {
                        return Ok(None);
                    }
                    self.answer(at, &questions, endless)?;
                }
                Ended::Failed(error) if error.code == Code::NameCollision => {
                    self.end_collisions(at)?;
                }
                Ended::Failed(_) if crash.is_some() => {
                    if self.random.chance(50) {
                        return Ok(None);
                    }
                }
                Ended::Failed(error) => {
                    return Err(format!("ERROR without reason: {error} {:?}", error.paths));
                }
            }
        }
        if patience == Patience::Endless {
            return Err(format!("NO END: {} can't sync", self.clients[at].name));
        }
        Ok(None)
    }

    /// Chooses where there is a choice, renames where there is none.
    fn answer(&mut self, at: usize, questions: &[Question], all: bool) -> Checked {
        let clashes = self.clashes(at)?;
        let view = self.clients[at].view();
        let remote = self.oracle.check()?.state;
        let mut chosen = Vec::new();
        for question in questions.iter().filter(|question| !question.choices.is_empty()) {
            if !all && self.random.chance(15) {
                continue;
            }
            let offered: Vec<Choice> = question.choices.iter().map(|offer| offer.choice).collect();
            // Some write an answer into the file that was not among the choices.
            let from = if self.random.chance(5) { &Choice::ALL[..] } else { &offered[..] };
            let choice = *self.random.pick(from).expect("a choice");
            let key = question.path.to_string();
            let local = view.accepted.get(&key).map(|(_, identity)| identity.clone());
            let answer = (choice, local, remote.get(&key).cloned());
            let client = &mut self.clients[at];
            client.answers.insert(key, answer);
            chosen.push(Resolution {
                path: question.path.clone(),
                choice,
                made_for: question.made_for,
            });
        }
        let said: Vec<_> =
            chosen.iter().map(|one| format!("{} {:?}", one.path, one.choice)).collect();
        self.say(format!("{} chooses [{}]", self.clients[at].name, said.join(", ")));
        self.keep_resolutions(at, chosen).map_err(|error| error.to_string())?;
        for (key, other) in clashes {
            self.end_clash(at, &key, &other);
        }
        Ok(())
    }

    fn keep_resolutions(&self, at: usize, chosen: Vec<Resolution>) -> dsg_store::error::Result<()> {
        let dsg = self.clients[at].project()?.dsg_attached()?;
        let mut resolutions = project::resolutions(&dsg)?;
        for resolution in chosen {
            resolutions.insert(resolution).expect("room");
        }
        project::save_resolutions(&dsg, &resolutions)
    }

    pub(crate) fn look(&self, at: usize) -> Checked<Look> {
        let run = || {
            let client = &self.clients[at];
            let project = client.project()?;
            let repository = client.repository(&project)?;
            let dsg = project.dsg_attached()?;
            let resolutions = project::resolutions(&dsg)?;
            let options = LookOptions { allow_mass_delete: false, resolutions };
            look(&project, &dsg, &repository, &options, &Silent)
        };
        run().map_err(|error: dsg_store::error::Error| format!("can't look: {error}"))
    }

    /// Pairs of paths of which one would be below the other.
    fn clashes(&mut self, at: usize) -> Checked<Vec<(String, String)>> {
        let look = self.look(at)?;
        let mut clashes = Vec::new();
        for step in &look.plan.steps {
            let Action::Conflict(conflict) = &step.action else { continue };
            let with = match &**conflict {
                Conflict::Clash { with } => with,
                Conflict::Differ { asked: Asked::Blocked { by, .. } } if self.random.chance(50) => {
                    by
                }
                _ => continue,
            };
            clashes.push((step.path().to_string(), with.to_string()));
        }
        Ok(clashes)
    }

    /// Renames what is in the way here: the file, or the directory where the other side has a file.
    fn end_clash(&mut self, at: usize, key: &str, other: &str) {
        let (upper, lower) = if key.len() < other.len() { (key, other) } else { (other, key) };
        let view = self.clients[at].view();
        let found = view.find(upper).or_else(|| view.find(lower)).map(Path::to_owned);
        if let Some(path) = found {
            self.rename_away(at, &path);
        }
    }

    fn rename_away(&mut self, at: usize, path: &Path) {
        let name = self.fresh_name();
        let new: PathBuf = path.with_file_name(name);
        self.clients[at].rename(path, &new);
        let name = self.clients[at].name.clone();
        self.say(format!("{name} renames {} to {}", path.display(), new.display()));
    }

    /// Renames one of each pair of names that would be one elsewhere.
    fn end_collisions(&mut self, at: usize) -> Checked {
        let look = self.look(at)?;
        for collision in look.collisions {
            let view = self.clients[at].view();
            let here: Vec<PathBuf> = collision
                .names
                .iter()
                .map(|name| match collision.directory.as_str() {
                    "" => name.clone(),
                    directory => format!("{directory}/{name}"),
                })
                .filter_map(|key| view.find(&key).map(Path::to_owned))
                .collect();
            match self.random.pick(&here).cloned() {
                Some(path) => self.rename_away(at, &path),
                None => return Err(format!("COLLISION that nobody can end: {collision:?}")),
            }
        }
        Ok(())
    }
}
