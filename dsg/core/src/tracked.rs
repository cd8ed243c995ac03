//! Which paths take part: the one predicate that filters L, C and R alike.
//!
//! A path is tracked when one of its components is a data directory, none is hidden, and no ignore
//! rule speaks against it. Because the same predicate is used on all three sides, a change of the
//! configuration deletes nothing (a path that is no longer tracked leaves all plans at once), and
//! a hostile repository can't plant `.git/hooks`.
//!
//! The scan asks directory by directory ([`Rules::enter`], [`Rules::file`]) and does not allocate
//! for a name that is in normal form C; [`Rules::tracked`] walks the same way along one path, so
//! the two can't disagree.
//!
//! Beyond the legacy tool, which looked at the last component only: an ignored directory is
//! ignored with all that is in it, a suffix may have several dots, and names and paths may be
//! patterns (see `tracked/pattern.rs`). `docs/filenames.md` tells users.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::name::{self, is_backup_name};
use crate::path;
use pattern::{PathPattern, Pattern};

mod pattern;
mod rule;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;

pub use rule::{BadRule, List, RuleLists};

/// The data directories when the configuration names none.
pub const DATA_DIRECTORIES: [&str; 3] = ["input", "output", "frozen"];
/// The ignored names when the configuration gives none.
pub const IGNORE_NAMES: [&str; 6] =
    [".DS_Store", "__pycache__", ".Rdata", ".rdata", ".RData", ".Rproj.user"];
/// The ignored suffixes when the configuration gives none.
pub const IGNORE_SUFFIXES: [&str; 2] = [".tmp", ".pyc"];
/// The data directory that stands for the whole project.
pub const ALL: &str = "*";
/// The file at the root in which dsg asks about conflicts; it never takes part.
pub const CONFLICTS_FILE: &str = "conflicts.txt";

/// BLAKE3 context of the fingerprint. A change of what a rule means needs another.
const FINGERPRINT_CONTEXT: &str = "dsg 2026-11 rules of what is tracked";

/// Which components make a path part of the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataDirectories {
    /// The whole project.
    All,
    /// What lies below one of these names, or is a file of that name; in normal form C.
    Named(BTreeSet<String>),
}

/// Where a walk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Area {
    /// Whether a data directory was entered.
    pub inside: bool,
}

/// What a walk does with a file or link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileVerdict {
    /// It takes part.
    Tracked,
    /// It lies in the data but a rule, or its being a backup, keeps it out.
    Ignored,
    /// It is not part of the data: outside the data directories, hidden, or dsg's own.
    Outside,
}

/// The rules of one configuration, ready to be asked.
#[derive(Debug, Clone)]
pub struct Rules {
    data_directories: DataDirectories,
    /// The rules as given, in normal form: what the rest is made of.
    ignore_paths: BTreeSet<String>,
    ignore_names: BTreeSet<String>,
    ignore_suffixes: BTreeSet<String>,
    /// `ignore_paths` by directory, so that a look-up needs no joined path.
    paths_by_directory: BTreeMap<String, BTreeSet<String>>,
    path_patterns: Vec<PathPattern>,
    name_patterns: Vec<Pattern>,
}

impl Rules {
    /// Makes rules of the lists of a configuration. A path may be written `./x` or `x/`; a name or
    /// path with `*`, `?` or `[` is a pattern, and still means itself too, since a file may be
    /// called `a[1].csv`.
    ///
    /// # Errors
    /// [`BadRule`] names the first rule that could never mean what its writer thought.
    pub fn new(lists: &RuleLists) -> Result<Self, BadRule> {
        lists.check_size()?;
        let data_directories = rule::data_directories(&lists.data_dirs)?;
        let ignore_paths = rule::each(&lists.ignore_paths, rule::path)?;
        let ignore_names = rule::each(&lists.ignore_names, rule::name)?;
        let ignore_suffixes = rule::each(&lists.ignore_suffixes, rule::suffix)?;
        let mut paths_by_directory = BTreeMap::<String, BTreeSet<String>>::new();
        for path in &ignore_paths {
            let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
            paths_by_directory.entry(directory.to_owned()).or_default().insert(name.to_owned());
        }
        Ok(Self {
            path_patterns: rule::patterns(List::IgnorePaths, &ignore_paths, PathPattern::parse)?,
            name_patterns: rule::patterns(List::IgnoreNames, &ignore_names, Pattern::parse)?,
            data_directories,
            ignore_paths,
            ignore_names,
            ignore_suffixes,
            paths_by_directory,
        })
    }

    /// The data directories.
    #[must_use]
    pub fn data_directories(&self) -> &DataDirectories {
        &self.data_directories
    }

    /// Whether a path takes part. A text that is no path (absolute, with `..`, empty) does not.
    #[must_use]
    pub fn tracked(&self, path: &str) -> bool {
        let path = path::normal(path);
        let mut area = self.root();
        let mut start = 0;
        while let Some(length) = path[start..].find('/') {
            let name = &path[start..start + length];
            match self.enter(area, &path[..start.saturating_sub(1)], name) {
                Some(entered) => area = entered,
                None => return false,
            }
            start += length + 1;
        }
        let directory = &path[..start.saturating_sub(1)];
        self.file(area, directory, &path[start..]) == FileVerdict::Tracked
    }

    /// Where a walk starts: at the root of the project.
    #[must_use]
    pub fn root(&self) -> Area {
        Area { inside: self.data_directories == DataDirectories::All }
    }

    /// Whether the directory `name` in `directory` is to be walked, and where the walk is then.
    /// `directory` is the path of the directory that holds it (empty at the top), which was
    /// entered as `parent`. Any spelling will do.
    #[must_use]
    pub fn enter(&self, parent: Area, directory: &str, name: &str) -> Option<Area> {
        let name = path::normal(name);
        // Hidden names include `.`, `..` and dsg's own directories.
        if name.is_empty() || name.starts_with('.') || is_backup_name(&name) {
            return None;
        }
        let inside = parent.inside || self.is_data_directory(&name);
        let ignored = self.ignores_name(&name) || self.ignores_path(directory, &name);
        (!ignored).then_some(Area { inside })
    }

    /// What to do with the file or link `name` in `directory`, which was entered as `area`.
    #[must_use]
    pub fn file(&self, area: Area, directory: &str, name: &str) -> FileVerdict {
        let name = path::normal(name);
        if name.is_empty()
            || name.starts_with('.')
            || !(area.inside || self.is_data_directory(&name))
            || (directory.is_empty() && name == CONFLICTS_FILE)
        {
            return FileVerdict::Outside;
        }
        if is_backup_name(&name)
            || self.ignore_suffixes.iter().any(|suffix| name.ends_with(suffix.as_str()))
            || self.ignores_name(&name)
            || self.ignores_path(directory, &name)
        {
            return FileVerdict::Ignored;
        }
        FileVerdict::Tracked
    }

    /// A hash of the rules and of the Unicode version by which names are judged: an index made
    /// under another fingerprint can't be believed.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key(FINGERPRINT_CONTEXT);
        let number = |hasher: &mut blake3::Hasher, number: u64| {
            hasher.update(&number.to_le_bytes());
        };
        let (major, minor, update) = name::UNICODE_VERSION;
        for part in [major, minor, update] {
            number(&mut hasher, part);
        }
        let lists = self.lists();
        for list in lists.all().map(|(_, list)| list) {
            number(&mut hasher, list.len() as u64);
            for rule in list {
                number(&mut hasher, rule.len() as u64);
                hasher.update(rule.as_bytes());
            }
        }
        *hasher.finalize().as_bytes()
    }

    /// The lists that make these rules: sorted, without repetition, in normal form.
    #[must_use]
    pub fn lists(&self) -> RuleLists {
        let list = |rules: &BTreeSet<String>| rules.iter().cloned().collect();
        RuleLists {
            data_dirs: match &self.data_directories {
                DataDirectories::All => vec![ALL.to_owned()],
                DataDirectories::Named(names) => list(names),
            },
            ignore_paths: list(&self.ignore_paths),
            ignore_names: list(&self.ignore_names),
            ignore_suffixes: list(&self.ignore_suffixes),
        }
    }

    /// The rules for a snapshot document.
    #[must_use]
    pub fn to_value(&self) -> serde_json::Value {
        let lists = self.lists();
        serde_json::json!({
            "data_dirs": lists.data_dirs,
            "ignore_paths": lists.ignore_paths,
            "ignore_names": lists.ignore_names,
            "ignore_suffixes": lists.ignore_suffixes,
        })
    }

    /// Reads what [`to_value`](Self::to_value) wrote; a document from elsewhere is checked as a
    /// configuration is. A key that is not known is refused: a rule that is overlooked would
    /// change what takes part.
    ///
    /// # Errors
    /// [`BadRule::Malformed`] for another form, else as [`new`](Self::new).
    pub fn from_value(value: &serde_json::Value) -> Result<Self, BadRule> {
        match RuleLists::deserialize(value) {
            Ok(lists) => Self::new(&lists),
            Err(error) => Err(BadRule::Malformed(name::display_safe(&error.to_string()))),
        }
    }

    fn is_data_directory(&self, name: &str) -> bool {
        match &self.data_directories {
            DataDirectories::All => true,
            DataDirectories::Named(names) => names.contains(name),
        }
    }

    fn ignores_name(&self, name: &str) -> bool {
        self.ignore_names.contains(name) || self.name_patterns.iter().any(|p| p.matches(name))
    }

    fn ignores_path(&self, directory: &str, name: &str) -> bool {
        if self.paths_by_directory.is_empty() {
            return false;
        }
        let directory = path::normal(directory);
        self.paths_by_directory.get(&*directory).is_some_and(|names| names.contains(name))
            || self.path_patterns.iter().any(|pattern| pattern.matches(&directory, name))
    }
}

impl PartialEq for Rules {
    fn eq(&self, other: &Self) -> bool {
        self.lists() == other.lists()
    }
}

impl Eq for Rules {}
