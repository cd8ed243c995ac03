//! What lies in the tracked area of a directory that is no project yet, or whose names are to be
//! put right. Reads only. Once a project is attached, the library's own scan is asked.

use std::path::{Path, PathBuf};

use dsg_core::name::judge;
use dsg_core::name::normalize::DiskName;
use dsg_core::tracked::{Area, FileVerdict, Rules};
use dsg_store::error::{Code, Error, Result};
use dsg_store::monitor::{Monitor, check_stop};

/// Deeper directories are not followed: no path that long can be used.
const DEPTH_MAX: usize = 2048;

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// Every name in the directories that were looked at.
    pub(crate) names: Vec<DiskName>,
    /// Files and links that take part.
    pub(crate) files: u64,
    /// Their bytes.
    pub(crate) bytes: u64,
    /// Names of those that are not accepted as they are.
    pub(crate) badly_named: u64,
    /// What could not be looked at, or has a name that is no UTF-8.
    pub(crate) unreadable: Vec<PathBuf>,
}

/// Lists the directory `root` by `rules`.
///
/// # Errors
/// When `root` itself can't be read, or the user wants to stop.
pub(crate) fn list(root: &Path, rules: &Rules, monitor: &dyn Monitor) -> Result<Listing> {
    let mut listing = Listing::default();
    let mut waiting = vec![(String::new(), rules.root(), 0)];
    while let Some((directory, area, depth)) = waiting.pop() {
        check_stop(monitor)?;
        let path = root.join(&directory);
        match std::fs::read_dir(&path) {
            Ok(entries) => {
                for entry in entries {
                    look(entry, &directory, area, depth, rules, &mut listing, &mut waiting);
                }
            }
            Err(error) if directory.is_empty() => {
                return Err(Error::new(Code::Disk, format!("{} can't be read", root.display()))
                    .because(error));
            }
            Err(_) => listing.unreadable.push(path),
        }
    }
    Ok(listing)
}

/// Directories that wait: their text, whether they are part of the data, how deep they are.
type Waiting = Vec<(String, Area, usize)>;

fn look(
    entry: std::io::Result<std::fs::DirEntry>,
    directory: &str,
    area: Area,
    depth: usize,
    rules: &Rules,
    listing: &mut Listing,
    waiting: &mut Waiting,
) {
    let Ok(entry) = entry else { return };
    let Ok(name) = entry.file_name().into_string() else {
        if area.inside {
            listing.unreadable.push(entry.path());
        }
        return;
    };
    let Ok(metadata) = entry.metadata() else {
        listing.unreadable.push(entry.path());
        return;
    };
    let mut takes_part = false;
    if metadata.is_dir() {
        if let Some(below) = rules.enter(area, directory, &name)
            && depth < DEPTH_MAX
        {
            let path =
                if directory.is_empty() { name.clone() } else { format!("{directory}/{name}") };
            waiting.push((path, below, depth + 1));
        }
    } else if metadata.is_file() || metadata.is_symlink() {
        takes_part = rules.file(area, directory, &name) == FileVerdict::Tracked;
    }
    if takes_part {
        listing.files += 1;
        listing.bytes = listing.bytes.saturating_add(metadata.len());
        listing.badly_named += u64::from(judge(&name).is_err());
    }
    let link_target = if metadata.is_symlink() {
        std::fs::read_link(entry.path())
            .ok()
            .and_then(|target| target.into_os_string().into_string().ok())
    } else {
        None
    };
    listing.names.push(DiskName { directory: directory.to_owned(), name, link_target, takes_part });
}

#[cfg(test)]
mod tests {
    use super::*;
    use dsg_core::tracked::RuleLists;
    use dsg_store::monitor::Silent;

    #[test]
    fn only_what_takes_part_is_counted() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        for (path, text) in [
            ("task/input/a.csv", "12345"),
            ("task/input/b.tmp", "no"),
            ("task/src/c.py", "no"),
            ("task/input/.hidden/d", "no"),
            ("output/CON", "1"),
        ] {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            std::fs::write(path, text).expect("written");
        }
        let lists = RuleLists {
            data_dirs: vec!["input".into(), "output".into()],
            ignore_suffixes: vec![".tmp".into()],
            ..RuleLists::default()
        };
        let rules = Rules::new(&lists).expect("good rules");
        let listing = list(root, &rules, &Silent).expect("lists");
        assert_eq!((listing.files, listing.bytes, listing.badly_named), (2, 6, 1));
        assert!(listing.unreadable.is_empty());
        assert!(listing.names.iter().any(|name| name.name == "b.tmp" && !name.takes_part));
    }
}
