//! The walk: every directory of the project once, several at a time.
//!
//! The cost of a file that did not change is its name in the listing, one `lstat`, and a comparison
//! with the index entry of the same name; names are kept in one buffer per directory and nothing is
//! allocated for them. What can't be read or is not accepted becomes *unknown*, never absent.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use dsg_core::entry::Moment;
use dsg_core::name::display_safe;
use dsg_core::path::{RepoPath, normal};
use dsg_core::tracked::{Area, Rules};

use super::directory::{gone_entry, one_directory};
use super::{Found, Index, LocalChange, Unknown, UnknownReason, Updates};
use crate::error::Result;
use crate::monitor::{Monitor, check_stop};
use crate::system::Directory;

/// What a walk needs.
pub(crate) struct Walk<'a> {
    pub(crate) root: &'a Directory,
    pub(crate) rules: &'a Rules,
    pub(crate) index: &'a Index,
    /// The time of the stamp file, touched before the walk: what is not older is racy.
    pub(crate) stamp: Moment,
    pub(crate) monitor: &'a dyn Monitor,
}

/// A directory that the walk is in.
pub(super) struct Place {
    pub(super) directory: Directory,
    /// Its key.
    pub(super) key: String,
    /// Where it is below the root, as the disk spells it.
    pub(super) at: PathBuf,
    pub(super) area: Area,
    /// The topmost component that is not accepted, if there is one: what is tracked below it is
    /// unknown as a whole.
    pub(super) bad: Option<(RepoPath, String)>,
}

/// Walks the project. Paths of the index that are no longer on disk are among the changes.
pub(crate) fn walk(walk: &Walk<'_>) -> Result<Found> {
    let found = Mutex::new(Found::default());
    let failed = Mutex::new(None);
    let place = Place {
        directory: walk.root.again()?,
        key: String::new(),
        at: PathBuf::new(),
        area: walk.rules.root(),
        bad: None,
    };
    rayon::scope(|scope| visit(walk, scope, Arc::new(place), &found, &failed));
    if let Some(error) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(error);
    }
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    gone_directories(walk, &mut found);
    found.changes.sort_by(|a, b| a.path.cmp(&b.path));
    found.unknown.sort_by(|a, b| a.shown.cmp(&b.shown));
    found.unknown.dedup();
    found.dangling.sort();
    Ok(found)
}

fn visit<'scope>(
    walk: &'scope Walk<'scope>,
    scope: &rayon::Scope<'scope>,
    place: Arc<Place>,
    found: &'scope Mutex<Found>,
    failed: &'scope Mutex<Option<crate::error::Error>>,
) {
    let mut here = Found::default();
    match check_stop(walk.monitor).and_then(|()| one_directory(walk, &place, &mut here)) {
        Ok(children) => {
            for child in children {
                let place = Arc::clone(&place);
                scope.spawn(move |scope| enter(walk, scope, &place, child, found, failed));
            }
        }
        Err(error) => *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error),
    }
    drop(place);
    found.lock().unwrap_or_else(PoisonError::into_inner).add(here);
}

/// A directory that is to be entered.
pub(super) struct Child {
    pub(super) name: std::ffi::OsString,
    pub(super) key: String,
    pub(super) area: Area,
    pub(super) bad: Option<(RepoPath, String)>,
}

fn enter<'scope>(
    walk: &'scope Walk<'scope>,
    scope: &rayon::Scope<'scope>,
    parent: &Place,
    child: Child,
    found: &'scope Mutex<Found>,
    failed: &'scope Mutex<Option<crate::error::Error>>,
) {
    let at = parent.at.join(&child.name);
    match parent.directory.directory(&child.name) {
        Ok(directory) => {
            let place = Place { directory, key: child.key, at, area: child.area, bad: child.bad };
            visit(walk, scope, Arc::new(place), found, failed);
        }
        Err(error) => {
            let unknown = Unknown {
                path: RepoPath::parse(&child.key).ok(),
                shown: display_safe(&at.to_string_lossy()),
                why: UnknownReason::Unreadable(error.source.to_string()),
            };
            found.lock().unwrap_or_else(PoisonError::into_inner).unknown.push(unknown);
        }
    }
}

/// Directories that the index knows and the walk did not come to. If one lies in something that
/// could not be read, nothing is concluded.
fn gone_directories(walk: &Walk<'_>, found: &mut Found) {
    let gone: Vec<String> = walk.index.unvisited().map(str::to_owned).collect();
    for directory in gone {
        let Ok(path) = RepoPath::parse(&directory) else {
            // Only the root has no path, and the walk begins there.
            continue;
        };
        let unknown = found.unknown.iter().filter_map(|unknown| unknown.path.as_ref());
        if unknown.into_iter().any(|unknown| path == *unknown || path.is_below(unknown)) {
            continue;
        }
        let mut updates = Updates::new();
        let spelled = found.spelled(&directory);
        for known in walk.index.entries(&directory) {
            let Some(entry) = gone_entry(&known) else {
                updates.remove(known.name);
                continue;
            };
            updates.set(&entry);
            if let Ok(path) = path.child(&normal(known.name)) {
                let at = spelled.join(known.name);
                found.changes.push(LocalChange::new(path, at, None, None));
            }
        }
        found.records.insert(directory, updates);
    }
}
