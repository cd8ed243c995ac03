//! A model of two sides and a cache on small trees, in which a plan is carried out and looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::conflict::{MadeFor, Mark, Resolution};
use crate::entry::{FileEntry, LinkEntry, Moment};
use crate::hash::ContentHash;

pub(crate) fn path(text: &str) -> RepoPath {
    RepoPath::parse(text).unwrap()
}

pub(crate) fn file(content: &str, seconds: i64) -> Entry {
    Entry::File(FileEntry {
        hash: ContentHash::of(content.as_bytes()),
        executable: false,
        size: content.len() as u64,
        modified: Moment::from_parts(seconds, 0),
        author: Arc::from("alice"),
    })
}

pub(crate) fn link(target: &str) -> Entry {
    Entry::Link(LinkEntry { target: target.into(), author: Arc::from("bob") })
}

pub(crate) fn local(entry: &Entry) -> LocalEntry {
    match entry {
        Entry::File(FileEntry { hash, executable, size, modified, .. }) => LocalEntry::File {
            hash: Some(*hash),
            executable: *executable,
            size: *size,
            modified: *modified,
        },
        Entry::Link(link) => LocalEntry::Link { target: link.target.clone() },
    }
}

pub(crate) fn triple(
    text: &str,
    l: Option<&Entry>,
    c: Option<&Entry>,
    r: Option<&Entry>,
) -> Triple {
    let (local, cached, remote) =
        (l.map(local), c.cloned().map(Arc::new), r.cloned().map(Arc::new));
    Triple { path: path(text), local, cached, remote }
}

/// What is at each path of a side.
type Side = BTreeMap<RepoPath, Entry>;

/// Names that nest, and names that differ only in case.
const NAMES: [&str; 8] = ["a", "a/b", "a/b/c", "a/B", "b", "A", "A/b", "A/b/c"];

fn side() -> impl Strategy<Value = Side> {
    let contents = prop::collection::vec(prop::option::weighted(0.5, 0..3_usize), NAMES.len());
    (contents, any::<bool>()).prop_map(|(contents, deepest_first)| {
        let mut wanted: Vec<_> = NAMES.into_iter().zip(contents).collect();
        if deepest_first {
            wanted.reverse();
        }
        let mut side = Side::new();
        for (name, content) in wanted {
            let name = path(name);
            let free = |other: &RepoPath| !other.is_below(&name) && !name.is_below(other);
            if let Some(content) = content.filter(|_| side.keys().all(free)) {
                side.insert(name, [file("A", 1), file("B", 2), link("A")][content].clone());
            }
        }
        side
    })
}

#[derive(Clone, Debug)]
struct World {
    local: Side,
    cached: Side,
    remote: Side,
    unknown: Vec<RepoPath>,
    resolutions: Resolutions,
}

fn world() -> impl Strategy<Value = World> {
    let unknown = prop::collection::vec(prop::sample::select(&NAMES[..]), 0..2);
    let choice = prop::sample::select(&Choice::ALL[..]);
    let answers = prop::collection::vec((prop::sample::select(&NAMES[..]), choice, 0..5_u8), 0..6);
    (side(), side(), side(), unknown, answers).prop_map(
        |(local, cached, remote, unknown, answers)| {
            let unknown = unknown.into_iter().map(path).collect();
            let resolutions = Resolutions::default();
            let mut world = World { local, cached, remote, unknown, resolutions };
            for (name, choice, freshness) in answers {
                let triple = world.triple(&path(name));
                let made_for = match freshness {
                    0 => MadeFor { local: Mark::Digest([7; 8]), remote: Mark::Absent },
                    _ => MadeFor::of(triple.local.as_ref(), triple.remote.as_deref()),
                };
                let resolution = Resolution { path: path(name), choice, made_for };
                world.resolutions.insert(resolution).unwrap();
            }
            world
        },
    )
}

/// One without unknown paths and without resolutions.
fn plain_world() -> impl Strategy<Value = World> {
    world().prop_map(|world| World {
        unknown: Vec::new(),
        resolutions: Resolutions::default(),
        ..world
    })
}

impl World {
    fn is_known(&self, path: &RepoPath) -> bool {
        !self.unknown.iter().any(|unknown| path == unknown || path.is_below(unknown))
    }

    /// What a scan sees: nothing of what is unknown.
    fn triple(&self, path: &RepoPath) -> Triple {
        let seen = self.local.get(path).filter(|_| self.is_known(path));
        triple(path.as_str(), seen, self.cached.get(path), self.remote.get(path))
    }

    fn plan(&self) -> Plan {
        let context = PlanContext {
            unknown: &self.unknown,
            resolutions: &self.resolutions,
            totals: Totals::default(),
            suspicious_directories: &[],
            allow_mass_delete: false,
        };
        plan(NAMES.iter().map(|name| self.triple(&path(name))), &context)
    }

    /// Carries out all that is decided.
    fn after(&self, plan: &Plan) -> Self {
        let mut after = self.clone();
        let put = |side: &mut Side, path: &RepoPath, entry: Option<&Entry>| match entry {
            Some(entry) => side.insert(path.clone(), entry.clone()),
            None => side.remove(path),
        };
        for step in &plan.steps {
            let path = step.path();
            let agreed = match step.action {
                Action::Upload => self.local.get(path),
                Action::Download | Action::Agree => self.remote.get(path),
                Action::RestoreCached => self.cached.get(path),
                Action::DeleteLocal | Action::DeleteRemote | Action::Forget => None,
                Action::Nothing | Action::Conflict(_) => continue,
            };
            match step.action {
                Action::Upload | Action::DeleteRemote => {
                    put(&mut after.remote, path, agreed);
                }
                Action::Download | Action::DeleteLocal => {
                    put(&mut after.local, path, agreed);
                }
                Action::RestoreCached => {
                    put(&mut after.local, path, agreed);
                    put(&mut after.remote, path, agreed);
                }
                _ => {}
            }
            put(&mut after.cached, path, agreed);
        }
        after
    }

    fn known<'a>(&'a self, side: &'a Side) -> BTreeMap<&'a RepoPath, crate::entry::Identity> {
        let known = side.iter().filter(|(path, _)| self.is_known(path));
        known.map(|(path, entry)| (path, entry.identity())).collect()
    }

    fn resolves(&self, path: &RepoPath) -> bool {
        let Triple { local, remote, .. } = self.triple(path);
        let resolution = self.resolutions.get(path);
        resolution.is_some_and(|r| r.made_for.still_holds(local.as_ref(), remote.as_deref()))
    }
}

fn is_tree(side: &Side) -> bool {
    side.keys().all(|path| !side.keys().any(|other| path.is_below(other)))
}

/// The names directly in a directory.
fn names(side: &Side, directory: &str) -> BTreeSet<String> {
    let below = side.keys().filter(|path| path.is_in(directory));
    let start = if directory.is_empty() { 0 } else { directory.len() + 1 };
    below.filter_map(|path| path.as_str()[start..].split('/').next()).map(str::to_owned).collect()
}

/// By looking at everything: names that collide afterwards, where one is brought by the plan.
fn colliding(world: &World, plan: &Plan, after: &World) -> BTreeSet<(String, Vec<String>)> {
    let mut found = BTreeSet::new();
    for directory in ["", "a", "a/b", "A", "A/b"] {
        let (before, now) = (names(&world.cached, directory), names(&after.cached, directory));
        let is_brought = |name: &&String| {
            let here = RepoPath::join(directory, name).unwrap();
            let at = |step: &Step| *step.path() == here || step.path().is_below(&here);
            let brings = |step: &Step| {
                step.triple.cached.is_none()
                    && matches!(step.action, Action::Upload | Action::Download)
            };
            !before.contains(*name) && plan.steps.iter().any(|step| at(step) && brings(step))
        };
        for name in now.iter().filter(is_brought) {
            let same = |other: &&String| crate::path::fold(other) == crate::path::fold(name);
            let group: Vec<_> = now.iter().filter(same).cloned().collect();
            if group.len() > 1 {
                found.insert((directory.to_owned(), group));
            }
        }
    }
    found
}

/// The action with the sides exchanged.
fn mirrored(action: &Action) -> Action {
    match action {
        Action::Upload => Action::Download,
        Action::Download => Action::Upload,
        Action::DeleteLocal => Action::DeleteRemote,
        Action::DeleteRemote => Action::DeleteLocal,
        other => other.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn without_conflicts_both_sides_become_equal(world in world()) {
        let plan = world.plan();
        let after = world.after(&plan);
        if plan.conflicts().next().is_none() {
            prop_assert_eq!(after.known(&after.local), after.known(&after.remote));
            prop_assert_eq!(after.known(&after.cached), after.known(&after.remote));
        }
    }

    #[test]
    fn what_comes_out_is_a_tree(world in world()) {
        let after = world.after(&world.plan());
        prop_assert!(is_tree(&after.local), "{:?}", after.local);
        prop_assert!(is_tree(&after.remote), "{:?}", after.remote);
        prop_assert!(is_tree(&after.cached), "{:?}", after.cached);
    }

    #[test]
    fn nothing_is_lost_that_was_not_agreed_or_chosen(world in world()) {
        let plan = world.plan();
        let after = world.after(&plan);
        let sides = [(&world.local, &after.local), (&world.remote, &after.remote)];
        for (before, after) in sides {
            for (path, entry) in before {
                if !same(Some(entry), after.get(path)) {
                    let agreed = same(Some(entry), world.cached.get(path));
                    prop_assert!(agreed || world.resolves(path), "{}", path);
                }
            }
        }
        for step in plan.steps.iter().filter(|step| step.state.is_conflict()) {
            prop_assert!(step.is_conflict() || world.resolves(step.path()));
        }
    }

    #[test]
    fn what_is_unknown_is_touched_on_neither_side(world in world()) {
        let after = world.after(&world.plan());
        for name in NAMES.map(path).iter().filter(|name| !world.is_known(name)) {
            prop_assert_eq!(after.local.get(name), world.local.get(name));
            prop_assert_eq!(after.remote.get(name), world.remote.get(name));
            prop_assert_eq!(after.cached.get(name), world.cached.get(name));
        }
    }

    #[test]
    fn planning_again_asks_the_same_and_does_nothing(world in world()) {
        let plan = world.plan();
        let again = world.after(&plan).plan();
        let conflicts: Vec<_> = plan.conflicts().cloned().collect();
        prop_assert_eq!(again.steps, conflicts);
    }

    #[test]
    fn neither_side_is_preferred(world in plain_world()) {
        let plan = world.plan();
        let (local, remote) = (world.remote.clone(), world.local.clone());
        let mirror = World { local, remote, ..world }.plan();
        prop_assert_eq!(mirror.steps.len(), plan.steps.len());
        for (step, other) in plan.steps.iter().zip(&mirror.steps) {
            prop_assert_eq!((other.path(), &other.action), (step.path(), &mirrored(&step.action)));
        }
    }

    #[test]
    fn steps_are_in_order_and_each_does_something(world in world()) {
        let plan = world.plan();
        prop_assert!(plan.steps.is_sorted_by(|left, right| left.path() < right.path()));
        prop_assert!(plan.steps.iter().all(|step| step.action != Action::Nothing));
        prop_assert!(plan.steps.iter().all(|step| world.is_known(step.path())));
    }

    #[test]
    fn the_collisions_found_are_those_of_the_final_state(world in world()) {
        let plan = world.plan();
        if plan.conflicts().next().is_some() {
            return Ok(());
        }
        let siblings =
            |directory: &str| Ok(names(&world.cached, directory).into_iter().collect());
        let found: Result<Vec<_>, Infallible> = collisions(&plan, siblings);
        let found: BTreeSet<_> =
            found.unwrap().into_iter().map(|c| (c.directory, c.names)).collect();
        prop_assert_eq!(found, colliding(&world, &plan, &world.after(&plan)));
    }
}
