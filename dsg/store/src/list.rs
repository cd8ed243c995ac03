//! What takes part here, and what does not and why: the look of a sync, without a repository.

use std::path::{Path, PathBuf};

use dsg_core::compare::LocalEntry;
use dsg_core::entry::Moment;
use dsg_core::path::{RepoPath, normal};
use dsg_core::tracked::{Area, FileVerdict};

use crate::error::Result;
use crate::monitor::{Monitor, Phase, check_stop};
use crate::project::{Project, StateFile, stamp_if_allowed};
use crate::scan::{Index, IndexEntry, Unknown, Walk, walk};
use crate::system::{Directory, Kind, present};

/// A file or link that takes part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its path.
    pub path: RepoPath,
    /// What it is; a file's hash is there if an earlier look computed it.
    pub entry: LocalEntry,
    /// Whether it is a link that leads nowhere.
    pub dangling: bool,
}

/// Something that the rules leave out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignored {
    /// Where it is, below the project.
    pub path: PathBuf,
    /// Whether it is a directory, left out with all that is in it.
    pub directory: bool,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// What takes part, in the order of paths.
    pub entries: Vec<Listed>,
    /// Files in data directories that rules leave out; directories that are left out count once.
    pub ignored: Vec<Ignored>,
    /// What nothing can be said of.
    pub unknown: Vec<Unknown>,
}

impl Listing {
    /// Only what is `path` or below it.
    #[must_use]
    pub fn below(mut self, path: &RepoPath) -> Self {
        let inside = |other: &RepoPath| other == path || other.is_below(path);
        self.entries.retain(|listed| inside(&listed.path));
        self.ignored.retain(|ignored| {
            RepoPath::from_spelling(&ignored.path.to_string_lossy()).is_ok_and(|path| inside(&path))
        });
        // What holds the path is of interest too: it may be why nothing is found.
        self.unknown.retain(|unknown| match &unknown.path {
            Some(other) => inside(other) || path.is_below(other),
            None => Path::new(&unknown.shown).starts_with(path.as_str()),
        });
        self
    }
}

/// Lists a project. Nothing is changed but the stamp file in `.dsg`, which tells what "now" is;
/// where that can't be written, nothing at all.
///
/// # Errors
/// When the project's notes can't be read, or the user asked to stop.
pub fn list(project: &Project, monitor: &dyn Monitor) -> Result<Listing> {
    monitor.begin(Phase::Scanning, 0, 0);
    let (index, stamp) = known(project)?;
    let found =
        walk(&Walk { root: &project.root, rules: &project.rules, index: &index, stamp, monitor })?;
    let mut entries = Vec::new();
    let unknown: Vec<&RepoPath> =
        found.unknown.iter().filter_map(|unknown| unknown.path.as_ref()).collect();
    for directory in index.directories() {
        let updates = found.records.get(directory);
        let is_old = |name: &str| updates.is_some_and(|updates| updates.get(name).is_some());
        for known in index.entries(directory).filter(|known| !is_old(known.name)) {
            entries.extend(listed(directory, &known.to_entry()));
        }
    }
    for (directory, updates) in &found.records {
        entries.extend(updates.entries().filter_map(|known| listed(directory, &known.to_entry())));
    }
    entries.retain(|listed| {
        !unknown.iter().any(|unknown| listed.path == **unknown || listed.path.is_below(unknown))
    });
    for listed in &mut entries {
        listed.dangling = found.dangling.binary_search(&listed.path).is_ok();
    }
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    let ignored = ignored(project, monitor)?;
    Ok(Listing { entries, ignored, unknown: found.unknown })
}

/// What earlier looks learned, if it was under the same rules and the same C.
fn known(project: &Project) -> Result<(Index, Moment)> {
    let nothing = || (Index::empty(project.validity(None)), Moment::default());
    let Some(dsg) = project.dsg()? else { return Ok(nothing()) };
    let Some(file) = StateFile::open(&dsg)? else { return Ok(nothing()) };
    let validity = project.validity(Some(file.state()));
    let index = Index::read(&dsg)?.filter(|index| index.validity == validity);
    Ok((index.unwrap_or_else(|| Index::empty(validity)), stamp_if_allowed(&dsg)?))
}

/// A file or link that the index saw on disk.
fn listed(directory: &str, known: &IndexEntry) -> Option<Listed> {
    let seen = known.seen.as_ref()?;
    let path = RepoPath::join(directory, &normal(&known.name)).ok()?;
    let mut entry = seen.local.clone();
    if let (true, LocalEntry::File { hash, .. }) = (seen.racy, &mut entry) {
        // It may have changed within the same tick of the clock.
        *hash = None;
    }
    Some(Listed { path, entry, dangling: false })
}

fn ignored(project: &Project, monitor: &dyn Monitor) -> Result<Vec<Ignored>> {
    let mut ignored = Vec::new();
    let mut stack =
        vec![(project.root.again()?, PathBuf::new(), String::new(), project.rules.root())];
    while let Some((directory, at, key, area)) = stack.pop() {
        check_stop(monitor)?;
        // What can't be listed is among the unknown.
        let Ok(names) = directory.entries() else { continue };
        for entry in names {
            let Some(name) = entry.name.to_str() else { continue };
            if entry.kind != Kind::Directory {
                if project.rules.file(area, &key, name) == FileVerdict::Ignored {
                    ignored.push(Ignored { path: at.join(name), directory: false });
                }
                continue;
            }
            match enter(project, &directory, area, &key, name) {
                Entered::Below(below, area) => {
                    let key =
                        if key.is_empty() { name.to_owned() } else { format!("{key}/{name}") };
                    stack.push((below, at.join(name), key, area));
                }
                Entered::Ignored => ignored.push(Ignored { path: at.join(name), directory: true }),
                Entered::Outside => {}
            }
        }
    }
    ignored.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(ignored)
}

enum Entered {
    Below(Directory, Area),
    Ignored,
    Outside,
}

fn enter(project: &Project, parent: &Directory, area: Area, key: &str, name: &str) -> Entered {
    match project.rules.enter(area, key, name) {
        Some(entered) => match present(parent.directory(name)) {
            Ok(Some(below)) => Entered::Below(below, entered),
            _ => Entered::Outside,
        },
        None if area.inside && !name.starts_with('.') => Entered::Ignored,
        None => Entered::Outside,
    }
}

/// Totals of a listing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Files that take part.
    pub files: u64,
    /// Links that take part.
    pub links: u64,
    /// Bytes of the files.
    pub bytes: u64,
    /// What rules leave out.
    pub ignored: u64,
    /// What nothing can be said of.
    pub unknown: u64,
}

impl Listing {
    /// Counts what is listed.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let mut totals = Totals {
            ignored: self.ignored.len() as u64,
            unknown: self.unknown.len() as u64,
            ..Totals::default()
        };
        for listed in &self.entries {
            match &listed.entry {
                LocalEntry::File { size, .. } => {
                    totals.files += 1;
                    totals.bytes += size;
                }
                LocalEntry::Link { .. } => totals.links += 1,
            }
        }
        totals
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::Silent;
    use crate::world::{Client, World, path};

    fn client(world: &World) -> Client {
        let alice = world.client("alice");
        alice.write("input/a.csv", "12345");
        alice.write("input/sub/b.csv", "1");
        alice.write("input/x.tmp", "ignored");
        alice.write("input/__pycache__/k.py", "ignored");
        alice.write("input/bad<name", "unknown");
        alice.write("src/code.py", "outside");
        alice.write("input/.hidden/x", "outside");
        alice.link("input/link", "a.csv");
        alice.link("input/dangling", "none");
        alice
    }

    fn listing(alice: &Client) -> Listing {
        list(&alice.project(), &Silent).expect("lists")
    }

    fn paths(listing: &Listing) -> Vec<&str> {
        listing.entries.iter().map(|listed| listed.path.as_str()).collect()
    }

    #[test]
    fn what_takes_part_is_listed_before_and_after_a_sync() {
        let world = World::new();
        let alice = client(&world);
        let expected = ["input/a.csv", "input/dangling", "input/link", "input/sub/b.csv"];
        for round in 0..3 {
            let listing = listing(&alice);
            assert_eq!(paths(&listing), expected, "round {round}");
            let totals = Totals { files: 2, links: 2, bytes: 6, ignored: 2, unknown: 1 };
            assert_eq!(listing.totals(), totals, "round {round}");
            assert!(listing.entries[1].dangling && !listing.entries[2].dangling);
            assert_eq!(listing.unknown[0].shown, "input/bad<name");
            let ignored: Vec<_> =
                listing.ignored.iter().map(|i| (i.path.to_str(), i.directory)).collect();
            assert_eq!(ignored, [(Some("input/__pycache__"), true), (Some("input/x.tmp"), false)]);
            alice.sync();
        }
    }

    #[test]
    fn a_hash_is_shown_once_it_was_computed_and_never_an_old_one() {
        let world = World::new();
        let alice = client(&world);
        let hash = |listing: &Listing| match &listing.entries[0].entry {
            LocalEntry::File { hash, .. } => *hash,
            LocalEntry::Link { .. } => panic!("a link"),
        };
        assert_eq!(hash(&listing(&alice)), None);
        alice.sync();
        let known = hash(&listing(&alice));
        assert!(known.is_none_or(|hash| hash == dsg_core::hash::ContentHash::of(b"12345")));
        alice.write("input/a.csv", "54321");
        assert_ne!(hash(&listing(&alice)), Some(dsg_core::hash::ContentHash::of(b"12345")));
    }

    #[test]
    fn what_is_gone_or_no_longer_tracked_is_not_listed() {
        let world = World::new();
        let alice = client(&world);
        alice.sync();
        alice.remove("input/sub/b.csv");
        alice.remove("input/bad<name");
        let listing_now = listing(&alice);
        assert_eq!(paths(&listing_now), ["input/a.csv", "input/dangling", "input/link"]);
        assert_eq!(listing_now.unknown, []);
        let text = std::fs::read_to_string(alice.root.join(".dsgconfig.yml")).expect("reads");
        alice.write(".dsgconfig.yml", format!("{text}data_dirs: [output]\n"));
        assert_eq!(listing(&alice), Listing::default());
    }

    #[test]
    fn a_path_limits_the_list() {
        let world = World::new();
        let alice = client(&world);
        let listing = listing(&alice);
        assert_eq!(paths(&listing.clone().below(&path("input/sub"))), ["input/sub/b.csv"]);
        assert_eq!(listing.clone().below(&path("input")), listing);
        assert_eq!(listing.clone().below(&path("output")).totals(), Totals::default());
        assert_eq!(listing.below(&path("input/bad<name")).totals().unknown, 1);
    }
}
