//! Looking: what a sync would do, without doing any of it. `status`, `--dry-run` and `sync` itself
//! begin here.

use std::collections::HashMap;
use std::sync::Arc;

use dsg_core::compare::LocalEntry;
use dsg_core::conflict::Resolutions;
use dsg_core::entry::Entry;
use dsg_core::path::RepoPath;
use dsg_core::plan::{Collision, Plan, PlanContext, Totals, Triple, collisions, plan};
use dsg_core::tree::{self, Change, Object, Root};

use super::local::LocalFiles;
use super::past::follows;
use crate::error::{Code, Error, Result};
use crate::monitor::{Monitor, Notice, Phase};
use crate::project::{
    self, CachedRoot, Project, State, StateFile, Trees, mounts, stamp_if_allowed, try_lock_project,
};
use crate::repository::{Head, Repository};
use crate::scan::{Index, Relation, Unknown, UnknownReason, Walk, rebase, walk};
use crate::system::Directory;

/// What the user allows and has decided.
#[derive(Clone, Debug, Default)]
pub struct LookOptions {
    /// Deleting much is what they want.
    pub allow_mass_delete: bool,
    /// Conflicts that they have settled.
    pub resolutions: Resolutions,
}

/// Numbers for the summary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Tracked files and links on disk.
    pub entries: u64,
    /// Files that ignore rules leave out.
    pub ignored: u64,
    /// Paths that were agreed and that the configuration now leaves out.
    pub left_out: u64,
    /// Paths of the repository that the configuration leaves out here.
    pub untracked_remote: u64,
}

/// What a sync would do.
#[derive(Debug)]
pub struct Look {
    /// The plan.
    pub plan: Plan,
    /// Names that would be one on some file system; the plan must then not be carried out.
    pub collisions: Vec<Collision>,
    /// Paths of which nothing can be said.
    pub unknown: Vec<Unknown>,
    /// Links that lead nowhere.
    pub dangling: Vec<RepoPath>,
    /// The repository's newest snapshot.
    pub head: Option<Head>,
    /// What the project had seen.
    pub state: State,
    /// Numbers.
    pub counts: Counts,
    pub(crate) local: LocalFiles,
    pub(crate) store: Trees,
    /// Paths where the repository has other information about the same content.
    pub(crate) renewed: Vec<(RepoPath, Entry)>,
}

impl Look {
    pub(crate) fn remote_root(&self) -> Option<Root> {
        head_root(self.head.as_ref())
    }

    pub(crate) fn cached_root(&self) -> Option<Root> {
        self.state.cached.as_ref().map(CachedRoot::root)
    }
}

pub(crate) fn head_root(head: Option<&Head>) -> Option<Root> {
    let head = head?;
    Some(CachedRoot { hash: head.root?, entries: head.entries }.root())
}

/// Looks at the project and its repository.
///
/// # Errors
/// When either can't be read; never an empty one instead.
pub fn look(
    project: &Project,
    dsg: &Directory,
    repository: &dyn Repository,
    options: &LookOptions,
    monitor: &dyn Monitor,
) -> Result<Look> {
    let Some(mut file) = StateFile::open(dsg)? else {
        return Err(project::no_project(project.root.path()));
    };
    let head = repository.head()?;
    check_identity(file.state(), repository, head.as_ref())?;
    let mut store = Store { file: &mut file, dsg, objects: None };
    let stamp = stamp_if_allowed(dsg)?;
    let index = valid_index(project, dsg, &mut store)?;
    monitor.begin(Phase::Scanning, 0, 0);
    let found =
        walk(&Walk { root: &project.root, rules: &project.rules, index: &index, stamp, monitor })?;
    let state = store.file.state().clone();
    let remote_root = head_root(head.as_ref());
    let cached_root = state.cached.as_ref().map(CachedRoot::root);
    let moved =
        remote_root.map(|root| root.address.hash) != cached_root.map(|root| root.address.hash);
    let mut objects = Trees::default();
    if moved || !found.changes.is_empty() {
        objects = store.take()?;
    }
    let differences = if moved {
        monitor.begin(Phase::Fetching, 0, 0);
        fetch(repository, head.as_ref(), &state, &mut objects)?;
        difference(&objects, cached_root.as_ref(), remote_root.as_ref())?
    } else {
        Vec::new()
    };
    let tracked = |path: &RepoPath| project.rules.tracked(path.as_str());
    let all = differences.len();
    let differences: Vec<Change> =
        differences.into_iter().filter(|change| tracked(&change.path)).collect();
    let counts = Counts {
        entries: found.entries,
        ignored: found.ignored,
        left_out: index.left_out,
        untracked_remote: (all - differences.len()) as u64,
    };
    let totals = totals(&counts, &state, &differences);
    let mut local = LocalFiles::new(project.root.again()?, index, found);
    local.found.unknown.extend(differences.iter().filter_map(rejected_link));
    let mut triples = combine(&mut local, differences, &objects, cached_root.as_ref())?;
    local.read_contents(&mut triples, monitor)?;
    local.relate(&triples);
    let renewed = renewed(&triples);
    finish(
        project,
        dsg,
        options,
        Gathered { head, state, counts, totals, local, objects, triples, renewed },
    )
}

/// A link that the repository has and that would lead out of the project: it is not made here, and
/// whatever is here stays.
fn rejected_link(change: &Change) -> Option<Unknown> {
    let Some(Entry::Link(link)) = &change.new else { return None };
    let why = dsg_core::link::check(&change.path, &link.target).err()?;
    Some(Unknown {
        path: Some(change.path.clone()),
        shown: dsg_core::name::display_safe(change.path.as_str()),
        why: UnknownReason::Link(format!("in the repository, {why}")),
    })
}

/// How many tracked entries L and R have: those of C that the rules don't leave out, and how R came to
/// differ from C.
fn totals(counts: &Counts, state: &State, differences: &[Change]) -> Totals {
    let cached = state.cached.map_or(0, |cached| cached.entries).saturating_sub(counts.left_out);
    let count = |wanted: fn(&Change) -> bool| {
        differences.iter().filter(|change| wanted(change)).count() as u64
    };
    let added = count(|change| change.old.is_none());
    let removed = count(|change| change.new.is_none());
    Totals { local: counts.entries, remote: (cached + added).saturating_sub(removed) }
}

struct Gathered {
    head: Option<Head>,
    state: State,
    counts: Counts,
    totals: Totals,
    local: LocalFiles,
    objects: Trees,
    triples: Vec<Triple>,
    renewed: Vec<(RepoPath, Entry)>,
}

fn finish(
    project: &Project,
    dsg: &Directory,
    options: &LookOptions,
    gathered: Gathered,
) -> Result<Look> {
    let Gathered { head, state, counts, totals, mut local, objects, triples, renewed } = gathered;
    let mut unknown: Vec<Unknown> = std::mem::take(&mut local.found.unknown);
    unknown.append(&mut local.unreadable);
    let unknown_paths: Vec<RepoPath> =
        unknown.iter().filter_map(|unknown| unknown.path.clone()).collect();
    let suspicious = local.suspicious_directories(&project.rules, &triples, &mounts(dsg)?)?;
    let context = PlanContext {
        unknown: &unknown_paths,
        resolutions: &options.resolutions,
        totals,
        suspicious_directories: &suspicious,
        allow_mass_delete: options.allow_mass_delete,
    };
    let plan = plan(triples, &context);
    let cached_root = state.cached.as_ref().map(CachedRoot::root);
    let collisions = collisions(&plan, |directory| -> Result<Vec<String>> {
        let mut names = Vec::new();
        tree::children(&objects, cached_root.as_ref(), directory, &mut |name, _| {
            names.push(name.to_owned());
        })
        .map_err(cached_damaged)?;
        Ok(names)
    })?;
    let dangling = std::mem::take(&mut local.found.dangling);
    Ok(Look {
        plan,
        collisions,
        unknown,
        dangling,
        head,
        state,
        counts,
        local,
        store: objects,
        renewed,
    })
}

/// The objects of C, read when they are first needed.
struct Store<'a> {
    file: &'a mut StateFile,
    dsg: &'a Directory,
    objects: Option<Trees>,
}

impl Store<'_> {
    fn objects(&mut self) -> Result<&Trees> {
        if self.objects.is_none() {
            self.objects = Some(self.file.objects(self.dsg)?);
        }
        Ok(self.objects.get_or_insert_with(Trees::default))
    }

    fn take(&mut self) -> Result<Trees> {
        match self.objects.take() {
            Some(objects) => Ok(objects),
            None => self.file.objects(self.dsg),
        }
    }
}

/// Whether this is the repository that C belongs to, with the history that was seen.
pub(crate) fn check_identity(
    state: &State,
    repository: &dyn Repository,
    head: Option<&Head>,
) -> Result<()> {
    let advice = "nothing was changed. If this is meant, `dsg sync --reattach` starts over with it: files that are equal join, different ones are asked about, and nothing is deleted or overwritten";
    if repository.description().id != state.repository {
        return Err(Error::new(
            Code::RepositoryReplaced,
            format!("another repository is at {}", repository.location()),
        )
        .because(format!(
            "its id is {}, this project belongs to {}",
            repository.description().id,
            state.repository
        ))
        .next(advice));
    }
    let Some((number, chain)) = state.seen else { return Ok(()) };
    let rolled_back = |why: String| {
        Error::new(
            Code::RepositoryRolledBack,
            format!(
                "the repository at {} lost history that this project has seen",
                repository.location()
            ),
        )
        .because(why)
        .next(advice)
    };
    match head {
        Some(head) if head.number == number && head.chain == chain => Ok(()),
        Some(head) if head.number > number => {
            let documents = repository.documents(number, head.number)?;
            let found = documents.first().map(|(_, bytes)| dsg_core::hash::ChainHash::of(bytes));
            if found != Some(chain) {
                return Err(rolled_back(format!("its {number} is another one")));
            }
            follows(&documents, head).map_err(rolled_back)
        }
        Some(head) if head.number == number => {
            Err(rolled_back(format!("its {number} is another one")))
        }
        Some(head) => Err(rolled_back(format!(
            "its newest snapshot is {}, this project has seen {number}",
            head.number
        ))),
        None => Err(rolled_back(format!("it has no snapshot, this project has seen {number}"))),
    }
}

/// The index, made valid for this C and these rules if it is not.
fn valid_index(project: &Project, dsg: &Directory, store: &mut Store<'_>) -> Result<Index> {
    let validity = project.validity(Some(store.file.state()));
    let old = Index::read(dsg)?;
    if let Some(index) = &old
        && index.validity == validity
    {
        return Ok(old.unwrap_or_else(|| Index::empty(validity)));
    }
    let old = old.unwrap_or_else(|| Index::empty(validity));
    store.objects()?;
    // Reading the objects may have fallen back to the state before.
    let validity = project.validity(Some(store.file.state()));
    let cached_root = store.file.state().cached.as_ref().map(CachedRoot::root);
    let mut cached = Vec::new();
    let _ = tree::walk(store.objects()?, cached_root.as_ref(), "", &mut |path, entry| {
        cached.push((path.clone(), entry.clone()));
        std::ops::ControlFlow::<()>::Continue(())
    })
    .map_err(cached_damaged)?;
    Ok(rebase(&old, &cached, &project.rules, validity))
}

/// Brings the tree objects of the head into `objects`.
pub(crate) fn fetch(
    repository: &dyn Repository,
    head: Option<&Head>,
    state: &State,
    objects: &mut Trees,
) -> Result<()> {
    let Some(head) = head else { return Ok(()) };
    let known = state.seen.map(|(number, _)| number);
    insert(objects, repository.trees(head.number, known)?)
}

/// Takes tree objects from another machine: each is checked to be one; its hash is computed here.
pub(crate) fn insert(
    objects: &mut Trees,
    fetched: Vec<crate::repository::TreeObject>,
) -> Result<()> {
    for object in fetched {
        let bytes = Object::unplaced(object.bytes).map_err(|error| {
            Error::new(Code::TreeDamaged, "the repository sent a manifest object that is none")
                .because(error)
        })?;
        objects.insert(bytes);
    }
    Ok(())
}

pub(crate) fn difference(
    objects: &Trees,
    old: Option<&Root>,
    new: Option<&Root>,
) -> Result<Vec<Change>> {
    let mut changes = Vec::new();
    let _ = tree::diff(objects, old, new, &mut |change| {
        changes.push(change);
        std::ops::ControlFlow::<()>::Continue(())
    })
    .map_err(cached_damaged)?;
    Ok(changes)
}

pub(crate) fn cached_damaged(error: impl std::fmt::Display) -> Error {
    Error::new(Code::ProjectDamaged, "the project's note of what was last agreed can't be used")
        .because(error)
        .next("run `dsg sync --reattach`: files that are equal join, different ones are asked about, nothing is deleted")
}

/// Brings together, by path, what the disk says and how the repository moved. What is in neither
/// list is the same in L, C and R.
fn combine(
    local: &mut LocalFiles,
    differences: Vec<Change>,
    objects: &Trees,
    cached_root: Option<&Root>,
) -> Result<Vec<Triple>> {
    let changes = std::mem::take(&mut local.found.changes);
    let cached = CachedEntries::new(objects, cached_root, changes.len())?;
    let mut triples = Vec::with_capacity(changes.len() + differences.len());
    let mut remote = differences.into_iter().peekable();
    for change in &changes {
        while let Some(earlier) = remote.next_if(|other| other.path < change.path) {
            triples.push(unchanged_here(earlier));
        }
        let (cached, remote) = match remote.next_if(|other| other.path == change.path) {
            Some(other) => (other.old.map(Arc::new), other.new.map(Arc::new)),
            None => {
                let entry = cached.get(&change.path)?.map(Arc::new);
                (entry.clone(), entry)
            }
        };
        triples.push(Triple { path: change.path.clone(), local: change.local(), cached, remote });
    }
    triples.extend(remote.map(unchanged_here));
    local.keep(changes);
    Ok(triples)
}

/// A path that the walk did not mention: on disk is what C says.
fn unchanged_here(change: Change) -> Triple {
    let local = change.old.as_ref().map(LocalEntry::of);
    let (cached, remote) = (change.old.map(Arc::new), change.new.map(Arc::new));
    Triple { path: change.path, local, cached, remote }
}

/// C by path: a few look-ups, or all of it read once where that is less work.
enum CachedEntries<'a> {
    Few { objects: &'a Trees, root: Option<&'a Root> },
    All(HashMap<RepoPath, Entry>),
}

impl<'a> CachedEntries<'a> {
    fn new(objects: &'a Trees, root: Option<&'a Root>, wanted: usize) -> Result<Self> {
        let entries = root.map_or(0, |root| root.entries);
        if (wanted as u64).saturating_mul(32) < entries || entries == 0 {
            return Ok(Self::Few { objects, root });
        }
        let mut all = HashMap::new();
        let _ = tree::walk(objects, root, "", &mut |path, entry| {
            all.insert(path.clone(), entry.clone());
            std::ops::ControlFlow::<()>::Continue(())
        })
        .map_err(cached_damaged)?;
        Ok(Self::All(all))
    }

    fn get(&self, path: &RepoPath) -> Result<Option<Entry>> {
        match self {
            Self::Few { objects, root } => {
                tree::lookup(*objects, *root, path).map_err(cached_damaged)
            }
            Self::All(all) => Ok(all.get(path).cloned()),
        }
    }
}

/// Entries that are equal everywhere, of which the repository has newer information (who, when).
fn renewed(triples: &[Triple]) -> Vec<(RepoPath, Entry)> {
    triples
        .iter()
        .filter_map(|triple| match (&triple.local, &triple.cached, &triple.remote) {
            (Some(local), Some(cached), Some(remote))
                if local.same(cached) && local.same(remote) && cached != remote =>
            {
                Some((triple.path.clone(), Entry::clone(remote)))
            }
            _ => None,
        })
        .collect()
}

/// Keeps what the look learned about the disk, so that the next one reads less. Only a cache: if
/// another dsg is at work, it is left to that one, and if the disk says no, that is no more than a
/// notice.
pub fn remember(dsg: &Directory, look: &Look, monitor: &dyn Monitor) {
    if look.local.is_as_indexed() {
        return;
    }
    if let Some(_lock) = try_lock_project(dsg) {
        told(look.local.save_index(dsg), monitor);
    }
}

/// Tells of an index that could not be written.
pub(super) fn told(saved: Result<()>, monitor: &dyn Monitor) {
    if let Err(error) = saved {
        let text = format!("what was read could not be remembered, so it is read again: {error}");
        monitor.notice(Notice { text });
    }
}

/// How a path on disk relates to C.
pub(super) fn relation(local: Option<&LocalEntry>, cached: Option<&Entry>) -> Relation {
    match (local, cached) {
        (_, None) => Relation::Absent,
        (Some(local), Some(cached)) if local.same(cached) => Relation::Same,
        _ => Relation::Differs,
    }
}
