//! Cleaning a project: copies that lost a conflict, the trash, leftovers, the list of conflicts.
//!
//! Looking and cleaning are one function, so that what a dry run shows is what a real run does; the
//! real one looks again under the project's lock. What is, or may be, the only copy of somebody's work
//! stays unless it is asked for by name: trash whose content is nowhere in the history, the copy that
//! lost a conflict, choices that somebody has begun to write down.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use dsg_core::entry::Moment;
use dsg_core::name::is_backup_name;
use dsg_core::snapshot::TransactionId;
use dsg_core::tracked::CONFLICTS_FILE;

use crate::error::Result;
use crate::fetch::TEMPORARY;
use crate::monitor::{Monitor, check_stop};
use crate::project::trash::{self, Trashed};
use crate::project::{Journal, Project, TRANSACTIONS, lock_project, stamp_if_allowed};
use crate::system::{Directory, Kind, Parents, Status, present};

/// A temporary file outside of `.dsg` may be in use by a running program; older ones are left over.
const TEMPORARY_SECONDS: i64 = 24 * 3600;

/// What can be cleaned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CleanTarget {
    /// Files that were kept beside the one that won a conflict.
    Backups,
    /// What syncs replaced or deleted here.
    Trash,
    /// Downloads and temporary files that no unfinished sync needs.
    Temp,
    /// `conflicts.txt`.
    Conflicts,
}

impl CleanTarget {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Backups, Self::Trash, Self::Temp, Self::Conflicts];

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Backups => "backups",
            Self::Trash => "trash",
            Self::Temp => "temp",
            Self::Conflicts => "conflicts",
        }
    }
}

/// What is to be cleaned.
#[derive(Clone, Debug)]
pub struct CleanOptions {
    /// Which kinds.
    pub targets: Vec<CleanTarget>,
    /// Also what is, or may be, nowhere in the history.
    pub unique: bool,
}

impl CleanOptions {
    /// Whether somebody asked for just this, and does not merely clean up.
    fn is_asked_for(&self, target: CleanTarget) -> bool {
        self.unique || self.targets == [target]
    }
}

/// Something to be cleaned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CleanItem {
    /// Of which kind.
    pub target: CleanTarget,
    /// Where it is, below the project.
    pub path: PathBuf,
    /// How many files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Whether it is, or may be, nowhere in the history.
    pub unique: bool,
}

/// What was found, or done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// What goes, or went.
    pub items: Vec<CleanItem>,
    /// What stays, because it is, or may be, nowhere in the history.
    pub kept: Vec<CleanItem>,
    /// Directories that could not be looked into.
    pub unreadable: Vec<PathBuf>,
}

impl Cleaned {
    /// Adds what may be somebody's only copy.
    fn add_rare(&mut self, item: CleanItem, options: &CleanOptions) {
        if options.is_asked_for(item.target) {
            self.items.push(item);
        } else {
            self.kept.push(CleanItem { unique: true, ..item });
        }
    }
}

/// What [`clean`] would remove.
///
/// # Errors
/// When the project's own directory can't be read.
pub fn look(project: &Project, options: &CleanOptions, monitor: &dyn Monitor) -> Result<Cleaned> {
    let found = find(project, options, monitor)?;
    Ok(found.cleaned)
}

/// Removes it.
///
/// # Errors
/// [`Code::ProjectBusy`](crate::error::Code::ProjectBusy) when another dsg works here; else what the
/// disk says. What was removed until then is removed.
pub fn clean(project: &Project, options: &CleanOptions, monitor: &dyn Monitor) -> Result<Cleaned> {
    let dsg = project.dsg()?;
    let _lock = match &dsg {
        Some(dsg) => Some(lock_project(dsg)?),
        None => None,
    };
    let found = find(project, options, monitor)?;
    let mut parents = Parents::new(&project.root);
    for item in found.cleaned.items.iter().filter(|item| item.target != CleanTarget::Trash) {
        check_stop(monitor)?;
        if let Some((directory, name)) = present(parents.of(&item.path))? {
            if is_mark(&item.path) {
                directory.directory(name)?.clear()?;
            } else {
                directory.remove_tree(name)?;
            }
        }
    }
    if let Some(dsg) = &dsg {
        for trashed in &found.trash {
            check_stop(monitor)?;
            trash::empty(dsg, trashed, options.unique)?;
        }
    }
    // Trash that changed after it came there was kept: what is left is what is there.
    let left = find(project, options, monitor)?.cleaned;
    let Cleaned { mut items, mut kept, unreadable } = found.cleaned;
    for item in &mut items {
        if let Some(rest) = left.items.iter().find(|rest| rest.path == item.path) {
            item.files = item.files.saturating_sub(rest.files);
            item.bytes = item.bytes.saturating_sub(rest.bytes);
            kept.push(CleanItem { unique: true, ..rest.clone() });
        }
    }
    items.retain(|item| item.files > 0 || !left.items.iter().any(|rest| rest.path == item.path));
    Ok(Cleaned { items, kept, unreadable })
}

#[derive(Default)]
struct FoundItems {
    cleaned: Cleaned,
    /// The trash folders that may be emptied.
    trash: Vec<Trashed>,
}

fn find(project: &Project, options: &CleanOptions, monitor: &dyn Monitor) -> Result<FoundItems> {
    let wants = |target| options.targets.contains(&target);
    let mut found = FoundItems::default();
    let dsg = project.dsg()?;
    let now = match &dsg {
        Some(dsg) => Some(stamp_if_allowed(dsg)?),
        None => None,
    };
    if wants(CleanTarget::Backups) || wants(CleanTarget::Temp) {
        find_in_tree(project, options, now, &mut found.cleaned, monitor)?;
    }
    if let Some(dsg) = &dsg {
        let in_flight = Journal::read(dsg)?.map(|journal| journal.transaction.to_string());
        if wants(CleanTarget::Trash) {
            find_trash(dsg, in_flight.as_deref(), options.unique, &mut found)?;
        }
        if wants(CleanTarget::Temp) {
            find_temporary(dsg, in_flight.as_deref(), &mut found.cleaned)?;
        }
    }
    if wants(CleanTarget::Conflicts)
        && let Some(status) = present(project.root.status(CONFLICTS_FILE))?
        && status.kind == Kind::File
    {
        let path = PathBuf::from(CONFLICTS_FILE);
        found.cleaned.add_rare(item(CleanTarget::Conflicts, path, status.size), options);
    }
    found.cleaned.items.sort_by(|a, b| a.path.cmp(&b.path));
    found.cleaned.kept.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

fn item(target: CleanTarget, path: PathBuf, bytes: u64) -> CleanItem {
    CleanItem { target, path, files: 1, bytes, unique: false }
}

/// Backups, and temporary files beside data, anywhere outside of hidden directories.
fn find_in_tree(
    project: &Project,
    options: &CleanOptions,
    now: Option<Moment>,
    cleaned: &mut Cleaned,
    monitor: &dyn Monitor,
) -> Result<()> {
    let mut stack = vec![(project.root.again()?, PathBuf::new())];
    while let Some((directory, at)) = stack.pop() {
        check_stop(monitor)?;
        let Ok(entries) = directory.entries() else {
            cleaned.unreadable.push(at);
            continue;
        };
        for entry in entries {
            let text = entry.name.to_string_lossy();
            let path = at.join(&entry.name);
            let target = match entry.kind {
                _ if text.starts_with(TEMPORARY) => CleanTarget::Temp,
                Kind::Directory if text.starts_with('.') => continue,
                Kind::Directory => {
                    match present(directory.directory(&entry.name)) {
                        Ok(Some(below)) => stack.push((below, path)),
                        Ok(None) => {}
                        Err(_) => cleaned.unreadable.push(path),
                    }
                    continue;
                }
                Kind::File if is_backup_name(&text) => CleanTarget::Backups,
                _ => continue,
            };
            if !options.targets.contains(&target) {
                continue;
            }
            let Some(status) = present(directory.status(&entry.name))? else { continue };
            match target {
                CleanTarget::Temp if !is_old(&status, now) => {}
                CleanTarget::Temp => {
                    let (files, bytes) = measure(&directory, &entry.name)?;
                    cleaned.items.push(CleanItem { files, bytes, ..item(target, path, 0) });
                }
                _ => cleaned.add_rare(item(target, path, status.size), options),
            }
        }
    }
    Ok(())
}

fn is_old(status: &Status, now: Option<Moment>) -> bool {
    now.is_some_and(|now| now.parts().0 - status.changed.parts().0 > TEMPORARY_SECONDS)
}

fn find_trash(
    dsg: &Directory,
    in_flight: Option<&str>,
    unique: bool,
    found: &mut FoundItems,
) -> Result<()> {
    for trashed in trash::contents(dsg)? {
        // An unfinished sync looks here for what it took away.
        if in_flight == Some(trashed.transaction.as_str()) {
            continue;
        }
        let path = Path::new(".dsg").join(trash::DIRECTORY).join(&trashed.transaction);
        let at = dsg.directory(trash::DIRECTORY)?;
        let (all_files, all_bytes) = measure(&at, OsStr::new(&trashed.transaction))?;
        let historic: Vec<u64> = trashed
            .files
            .iter()
            .filter(|(file, _)| file.in_history)
            .map(|(_, size)| *size)
            .collect();
        let (files, bytes) = (historic.len() as u64, historic.iter().sum());
        let list = at.directory(&trashed.transaction)?;
        let list = present(list.status(trash::LIST))?;
        let list_bytes = list.as_ref().map_or(0, |status| status.size);
        let own_files = all_files - u64::from(list.is_some()).min(all_files);
        let others = own_files.saturating_sub(files);
        let goes = CleanItem { files, bytes, ..item(CleanTarget::Trash, path, 0) };
        let rest = CleanItem {
            files: others,
            bytes: all_bytes.saturating_sub(bytes + list_bytes),
            unique: true,
            ..goes.clone()
        };
        if files > 0 || others == 0 {
            found.cleaned.items.push(goes);
        }
        if others > 0 {
            let side = if unique { &mut found.cleaned.items } else { &mut found.cleaned.kept };
            side.push(rest);
        }
        found.trash.push(trashed);
    }
    Ok(())
}

fn find_temporary(dsg: &Directory, in_flight: Option<&str>, cleaned: &mut Cleaned) -> Result<()> {
    let mut add = |directory: &Directory, name: &OsStr, path: PathBuf| -> Result<()> {
        let (files, bytes) = measure(directory, name)?;
        cleaned.items.push(CleanItem { files, bytes, ..item(CleanTarget::Temp, path, 0) });
        Ok(())
    };
    for entry in dsg.entries()? {
        let text = entry.name.to_string_lossy();
        let is_unfinished = entry.kind == Kind::File && text.ends_with(".new");
        if is_unfinished || text.starts_with(TEMPORARY) {
            add(dsg, &entry.name, Path::new(".dsg").join(&entry.name))?;
        }
    }
    let Some(transactions) = present(dsg.directory(TRANSACTIONS))? else { return Ok(()) };
    for entry in transactions.entries()? {
        let path = Path::new(".dsg").join(TRANSACTIONS).join(&entry.name);
        let has_files = !is_mark(&path) || measure(&transactions, &entry.name)?.0 > 0;
        if has_files && in_flight.is_none_or(|name| entry.name != name) {
            add(&transactions, &entry.name, path)?;
        }
    }
    Ok(())
}

/// Whether this is the folder of a transaction. Emptied, it still is the mark by which the next sync finds
/// what an upload that was cut off left in the repository: without it nobody would free that.
fn is_mark(path: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str);
    path.parent().is_some_and(|parent| parent == Path::new(".dsg").join(TRANSACTIONS))
        && name.is_some_and(|name| name.parse::<TransactionId>().is_ok())
}

/// Files and bytes of `name` and all below it.
pub(crate) fn measure(parent: &Directory, name: &OsStr) -> Result<(u64, u64)> {
    let Some(status) = present(parent.status(name))? else { return Ok((0, 0)) };
    if status.kind != Kind::Directory {
        return Ok((1, status.size));
    }
    let (mut files, mut bytes) = (0, 0);
    let mut stack = vec![PathBuf::from(name)];
    while let Some(path) = stack.pop() {
        let Some(directory) = present(parent.directory(&path))? else { continue };
        for entry in directory.entries()? {
            if entry.kind == Kind::Directory {
                stack.push(path.join(&entry.name));
            } else if let Some(status) = present(directory.status(&entry.name))? {
                files += 1;
                bytes += status.size;
            }
        }
    }
    Ok((files, bytes))
}

#[cfg(test)]
mod tests;
