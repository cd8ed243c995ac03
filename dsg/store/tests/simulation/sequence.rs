//! A seed in one process: users act and sync one after the other, some syncs are cut off.

use std::path::PathBuf;

use super::actions;
use super::disk;
use super::names::{self, CONFIGURATIONS};
use super::resolve::Patience;
use super::view::covers;
use super::world::{Checked, World};

impl World {
    pub(crate) fn run_in_sequence(&mut self) -> Checked {
        let with_foreigners = self.random.chance(10);
        let mut actions = self.random.between(10, 40);
        while actions > 0 {
            let at = self.a_client();
            let now = self.random.between(1, 4).min(actions);
            actions -= now;
            for _ in 0..now {
                self.act(at);
            }
            if self.random.chance(75) {
                let syncing = if self.random.chance(60) { at } else { self.a_client() };
                self.sync_resolving(syncing, Patience::Human)?;
            }
            if with_foreigners && self.random.chance(15) {
                self.foreign_edit()?;
            }
        }
        self.agree_in_the_end()
    }

    /// All sync until nothing changes any more; then all must hold the same.
    pub(crate) fn agree_in_the_end(&mut self) -> Checked {
        let data = CONFIGURATIONS[self.random.below(CONFIGURATIONS.len())];
        let tidy = self.random.chance(50);
        self.say(format!("THE END, all with data_dirs {data:?}"));
        for at in 0..self.clients.len() {
            self.clients[at].configure(data);
            if tidy {
                self.tidy_up(at);
            }
        }
        self.sync_until_nothing_changes()?;
        self.all_hold_the_same(tidy)?;
        self.nothing_is_left_behind()
    }

    /// Does what a user does who reads what a sync says of names and links.
    fn tidy_up(&mut self, at: usize) {
        loop {
            let view = self.clients[at].view();
            let refused = view.refused.iter().find_map(|key| view.find(key));
            let unnamed = || view.untouchable.iter().find(|path| names::key_of(path).is_none());
            let Some(path) = refused.or_else(|| unnamed().map(PathBuf::as_path)) else { break };
            let path = path.to_owned();
            self.clients[at].delete(&path);
        }
    }

    fn sync_until_nothing_changes(&mut self) -> Checked {
        for _ in 0..20 {
            let mut changed = false;
            for at in 0..self.clients.len() {
                let snapshots = self.counts.snapshots;
                let report = self.sync_resolving(at, Patience::Endless)?;
                changed |= self.counts.snapshots > snapshots;
                changed |= report.is_some_and(|report| !report.steps.is_empty());
            }
            if !changed {
                return Ok(());
            }
        }
        Err("NO END: after 20 rounds there is still something to sync".to_owned())
    }

    fn all_hold_the_same(&mut self, tidy: bool) -> Checked {
        let remote = self.oracle.check()?.state;
        for at in 0..self.clients.len() {
            let look = self.look(at)?;
            if !look.plan.is_empty() {
                return Err(format!("NO END: {} has a plan: {:?}", at, look.plan));
            }
            let client = &self.clients[at];
            let view = client.view();
            let mut local = view.state();
            let mut expected = remote.clone();
            expected.retain(|key, _| names::tracked(client.data, key));
            if !tidy {
                expected.retain(|key, _| !covers(&view.refused, key));
                local.retain(|key, _| !covers(&view.refused, key));
            } else if !view.refused.is_empty() {
                return Err(format!("REFUSED in the end by {}: {:?}", client.name, view.refused));
            }
            if local != expected {
                return Err(format!("DISAGREE in the end: {} and the repository", client.name));
            }
        }
        self.verify(&[])
    }

    /// What dsg itself finds when it checks everything.
    pub(crate) fn verify(&self, expected: &[&str]) -> Checked {
        use dsg_store::monitor::Silent;
        use dsg_store::repository::{Repository, VerifyScope};
        let report = self
            .oracle
            .open()?
            .verify(&VerifyScope::Chain { contents: true }, &Silent)
            .map_err(|error| format!("VERIFY: {error}"))?;
        let files: Vec<_> = report.damage.iter().map(|damage| damage.file.as_str()).collect();
        if files == expected {
            Ok(())
        } else {
            Err(format!("VERIFY: expected damage at {expected:?}, found {:?}", report.damage))
        }
    }

    /// After one more upload by each user, what cut off runs left is gone; what nobody resumed waits a
    /// week.
    fn nothing_is_left_behind(&mut self) -> Checked {
        for at in 0..self.clients.len() {
            let path = PathBuf::from(format!("input/last-{at}"));
            let client = &mut self.clients[at];
            client.make_way(&path, true);
            actions::write_fresh(client, &mut self.contents, &mut self.random, &path);
            self.sync_resolving(at, Patience::Endless)?;
            let dsg = self.clients[at].root.join(".dsg");
            let journal = std::fs::metadata(dsg.join("journal")).map_or(0, |file| file.len());
            let waiting = disk::walk(&dsg.join("tx"), &[]);
            if journal > 0 || !waiting.is_empty() {
                return Err(format!("LEFT in {}: {journal} {waiting:?}", dsg.display()));
            }
        }
        let cut_off = self.counts.crashes > 0;
        let left = self.oracle.leftovers();
        if !left.is_empty() && !cut_off {
            return Err(format!("LEFT in the repository: {left:?}"));
        }
        self.a_week_later()?;
        match self.oracle.leftovers() {
            left if left.is_empty() => Ok(()),
            left => Err(format!("LEFT in the repository after a week: {left:?}")),
        }
    }

    /// Somebody uploads when everything abandoned is old enough to be thrown away.
    fn a_week_later(&mut self) -> Checked {
        use dsg_store::monitor::Silent;
        use dsg_store::sync::{SyncOptions, sync};
        use foundation_runtime::clock::{Clock, FixedClock, SystemClock};
        let clock = FixedClock::new(SystemClock::new().now());
        clock.advance(std::time::Duration::from_secs(8 * 24 * 3600));
        let client = &mut self.clients[0];
        let path = PathBuf::from("input/last-of-all");
        client.make_way(&path, true);
        actions::write_fresh(client, &mut self.contents, &mut self.random, &path);
        let run = || {
            let project = client.project()?;
            let repository = project.local_repository(
                &super::client::author(&client.name),
                std::sync::Arc::new(clock),
            )?;
            let options =
                SyncOptions { look: Default::default(), message: None, backup_stamp: None };
            sync(&project, &repository, &options, &Silent)
        };
        run().map(|_| ()).map_err(|error| format!("a week later: {error}"))?;
        self.oracle.check().map(|_| ())
    }
}
