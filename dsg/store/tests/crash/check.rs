//! What is checked after a crash, and when everything is done.

use std::collections::BTreeMap;

use dsg_core::entry::Entry;
use dsg_store::error::Code;
use dsg_store::monitor::Silent;
use dsg_store::repository::{Repository, Wanted};
use dsg_store::system::Directory;
use testkit::oracle::{Moment, leftovers};
use testkit::picture::{Node, Picture};

use super::scenario::{Prepared, Reference, Scenario};
use super::world::World;

/// Right after a crash: every path is old or new, nothing is lost, whoever reads through dsg sees
/// one committed state.
pub(crate) fn after_crash(prepared: &Prepared, reference: &Reference) -> Vec<String> {
    let now = prepared.world.moment();
    let Prepared { oracle, before, .. } = prepared;
    let mut wrong = oracle.judge(&now, before, &reference.after).expect("judges");
    if now.repository.head > 0 {
        let expected = expected(&now, before, reference);
        match prepared.world.with_repository(|repository| reader(repository, &expected)) {
            Ok(found) => wrong.extend(found),
            Err(error) => wrong.push(format!("a reader can't open the repository: {error}")),
        }
    } else if let Err(error) = prepared.world.with_repository(|_| ())
        && error.code != Code::RepositoryMissing
    {
        wrong.push(format!("a reader is told: {error}"));
    }
    wrong
}

/// The committed state that the number of the newest snapshot stands for.
fn expected(now: &Moment, before: &Moment, reference: &Reference) -> Picture {
    let is_new = now.repository.head != before.repository.head;
    let moment = if is_new { &reference.after } else { before };
    moment.repository.visible.clone()
}

/// Reads every path of the newest snapshot as a client would.
fn reader(repository: &dyn Repository, expected: &Picture) -> Vec<String> {
    match try_reader(repository, expected) {
        Ok(wrong) => wrong,
        Err(error) => vec![format!("a reader is told {}: {error}", error.code.as_str())],
    }
}

fn try_reader(
    repository: &dyn Repository,
    expected: &Picture,
) -> dsg_store::error::Result<Vec<String>> {
    let head = repository.head()?.map(|head| head.number);
    let changes = repository.differences(None, head)?;
    let mut wrong = Vec::new();
    let mut seen = BTreeMap::new();
    let folder = testkit::mount::folder().expect("a folder");
    let directory = Directory::open(folder.path())?;
    for (number, change) in changes.into_iter().enumerate() {
        let Some(entry) = change.new else { continue };
        let name = number.to_string();
        let node = match &entry {
            Entry::Link(link) => Node::Link { target: link.target.to_string() },
            Entry::File(file) => {
                let mode = if file.executable { 0o700 } else { 0o600 };
                let mut writer = directory.create_file(&name, mode)?;
                let wanted = Wanted { hash: file.hash, size: file.size, path: &change.path };
                repository.read(&wanted, &mut writer, &Silent)?;
                let bytes = std::fs::read(folder.path().join(&name)).expect("reads");
                let hash = blake3::hash(&bytes).to_hex().to_string();
                Node::File { hash, mode, modified: (0, 0) }
            }
        };
        seen.insert(change.path.to_string(), node);
    }
    for (path, node) in &expected.entries {
        match seen.remove(path) {
            Some(found) if found.same(node) => {}
            found => wrong.push(format!("a reader sees at {path} {found:?}, not {node:?}")),
        }
    }
    wrong.extend(seen.into_iter().map(|(path, node)| format!("a reader sees {path}: {node:?}")));
    Ok(wrong)
}

/// When everything is done: as if nothing had happened, and nothing is left.
pub(crate) fn at_the_end(
    scenario: &Scenario,
    prepared: &Prepared,
    reference: &Reference,
) -> Vec<String> {
    let Prepared { world, oracle, before } = prepared;
    let now = world.moment();
    let mut wrong = oracle.judge(&now, before, &reference.after).expect("judges");
    let planned = &reference.after;
    if now.repository.head != planned.repository.head {
        wrong.push(format!(
            "the newest snapshot is s{}, not s{}",
            now.repository.head, planned.repository.head
        ));
    }
    if now.repository.modes != planned.repository.modes {
        let (now, planned) = (&now.repository.modes, &planned.repository.modes);
        wrong.push(format!("permissions are {now:?}, not {planned:?}"));
    }
    let mut compare = |what: &str, planned: &Picture, now: &Picture| {
        wrong.extend(planned.differences(now).into_iter().map(|line| format!("{what}: {line}")));
    };
    compare("repository", &planned.repository.visible, &now.repository.visible);
    for (user, planned) in &planned.projects {
        compare(user, planned, &now.projects[user]);
    }
    wrong.extend(nothing_left(world, scenario.actor));
    wrong
}

/// L, C and R agree, and nothing half-built lies about.
pub(crate) fn nothing_left(world: &World, user: &str) -> Vec<String> {
    let projects = [world.project(user)];
    let left = leftovers(&world.repository(), &projects).expect("looks");
    let mut wrong: Vec<String> =
        left.into_iter().map(|path| format!("left over: {path}")).collect();
    wrong.extend(agrees(world, user));
    wrong
}

/// Nothing is left to do for a user.
pub(crate) fn agrees(world: &World, user: &str) -> Vec<String> {
    let look = world.look(user);
    let mut wrong = Vec::new();
    for step in &look.plan.steps {
        wrong.push(format!("{user}: still to do: {:?} {}", step.action, step.path()));
    }
    for unknown in &look.unknown {
        wrong.push(format!("{user}: unknown: {}: {}", unknown.shown, unknown.why));
    }
    let head = look.head.and_then(|head| head.root);
    if look.state.cached.map(|cached| cached.hash) != head {
        wrong.push(format!("{user}: C is not the repository's manifest"));
    }
    let intact = world.with_repository(|repository| {
        let scope = dsg_store::repository::VerifyScope::Chain { contents: true };
        repository.verify(&scope, &Silent).map(|report| report.damage)
    });
    match intact {
        Ok(Ok(damage)) => wrong.extend(damage.iter().map(|damage| format!("{damage:?}"))),
        Ok(Err(error)) | Err(error) => wrong.push(format!("can't be verified: {error}")),
    }
    wrong
}
