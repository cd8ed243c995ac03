//! The names that the simulated users use, and what dsg has to make of them, in the oracle's own
//! words: a second reading of the rules, simple because the names are few and known.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::random::Random;

/// What `data_dirs` says; `*` for the whole project.
pub(crate) type DataDirectories = &'static [&'static str];

/// The configurations between which users change; the first is the default.
pub(crate) const CONFIGURATIONS: [DataDirectories; 4] =
    [&["input", "output", "frozen"], &["input"], &["input", "output"], &["*"]];

/// The stamps of backups: few, so that a name may be taken.
pub(crate) const STAMPS: [&str; 2] = ["20260101T000000Z", "20260102T030405+0200"];

/// Spellings that are no keys, with their key.
const SPELLINGS: [(&str, &str); 6] = [
    ("e\u{301}", "\u{e9}"),
    ("e\u{301}.txt", "\u{e9}.txt"),
    ("\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}", "\u{d55c}\u{ae00}"),
    ("\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}.csv", "\u{d55c}\u{ae00}.csv"),
    ("\u{212a}", "K"),
    ("A\u{30a}ngstro\u{308}m.dat", "\u{c5}ngstr\u{f6}m.dat"),
];

const PLACES: [&str; 4] = ["input", "output", "task/input", "task/output"];
const FOLDERS: [&str; 4] = ["a", "b", "deep", "a b"];
const ODD_FOLDERS: [&str; 6] = ["A", "Dir", "dir", "\u{e9}", "e\u{301}", "\u{d55c}\u{ae00}"];
const FILES: [&str; 6] = ["a", "b", "c", "x.csv", "y.csv", "\u{1f600}.dat"];
const ODD_FILES: [&str; 14] = [
    "A",
    "X.csv",
    "x.CSV",
    "K",
    "\u{212a}",
    "\u{e9}.txt",
    "e\u{301}.txt",
    "\u{e9}",
    "e\u{301}",
    "\u{d55c}\u{ae00}.csv",
    "\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}.csv",
    "A\u{30a}ngstro\u{308}m.dat",
    "\u{c5}ngstr\u{f6}m.dat",
    "\u{fb01}ne.txt",
];
const BAD: [&str; 9] =
    ["CON", "aux.txt", "x~", "~lead", " lead", "tail ", "why?.csv", "a\u{200b}b", "tab\tbed"];
const UNTRACKED: [&str; 5] = ["notes.tmp", ".hidden", "__pycache__/m.pyc", "m.pyc", ".git/config"];
const OUTSIDE: [&str; 4] = ["README.md", "src/code.py", "docs/a/b.md", ".env"];
const LINKS: [&str; 12] = [
    "a",
    "x.csv",
    "../a",
    "../b/c",
    "nowhere",
    ".",
    "../../README.md",
    "./deep//a",
    "../../../../../outside",
    "/etc/hostname",
    "../.dsg/state",
    "../../.DSG-repository",
];

/// A directory inside the data.
pub(crate) fn folder(random: &mut Random) -> PathBuf {
    let mut path = PathBuf::from(PLACES[random.below(PLACES.len())]);
    for _ in 0..random.weighted(&[(5, 0), (5, 1), (2, 2)]) {
        path.push(component(random, &FOLDERS, &ODD_FOLDERS));
    }
    path
}

/// A path at which a file may be.
pub(crate) fn file(random: &mut Random) -> PathBuf {
    folder(random).join(component(random, &FILES, &ODD_FILES))
}

fn component(random: &mut Random, plain: &[&str], odd: &[&str]) -> String {
    let from = if random.chance(15) { odd } else { plain };
    from[random.below(from.len())].to_owned()
}

/// A path whose last name, or the one before it, is not accepted.
pub(crate) fn bad_file(random: &mut Random) -> PathBuf {
    let bad = match random.below(BAD.len() + 1) {
        at if at < BAD.len() => OsString::from(BAD[at]),
        _ => OsStr::from_bytes(b"\xff\xfe").to_owned(),
    };
    let path = folder(random).join(bad);
    if random.chance(25) { path.join("a") } else { path }
}

/// A path that takes no part.
pub(crate) fn untracked_file(random: &mut Random) -> PathBuf {
    if random.chance(25) {
        return PathBuf::from(OUTSIDE[random.below(OUTSIDE.len())]);
    }
    folder(random).join(UNTRACKED[random.below(UNTRACKED.len())])
}

/// The text of a link; some lead nowhere, some out of the project.
pub(crate) fn link_text(random: &mut Random) -> &'static str {
    LINKS[random.below(LINKS.len())]
}

/// The same path with another spelling of its last name, where it has one.
pub(crate) fn respelled(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    let other = SPELLINGS.iter().find_map(|(spelled, key)| match name {
        name if name == *spelled => Some(key),
        name if name == *key => Some(spelled),
        _ => None,
    })?;
    Some(path.with_file_name(other))
}

/// Whether the last name is a spelling of plain ASCII, which is not accepted.
pub(crate) fn is_no_spelling(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "\u{212a}")
}

/// The key of one component; `None` when it is no text.
pub(crate) fn key_of_name(name: &OsStr) -> Option<&str> {
    let name = name.to_str()?;
    let key = SPELLINGS.iter().find_map(|(spelled, key)| (name == *spelled).then_some(*key));
    Some(key.unwrap_or(name))
}

/// The key of a path; `None` when it is no text.
pub(crate) fn key_of(path: &Path) -> Option<String> {
    let names: Option<Vec<_>> = path.iter().map(key_of_name).collect();
    Some(names?.join("/"))
}

pub(crate) fn is_backup(name: &str) -> bool {
    STAMPS.iter().any(|stamp| {
        name.strip_suffix('~').is_some_and(|rest| rest.ends_with(&format!("~{stamp}")))
    })
}

fn is_bad(name: &str) -> bool {
    BAD.contains(&name)
}

/// The first component that is not accepted, as a key's prefix.
pub(crate) fn bad_part(key: &str) -> Option<&str> {
    let mut end = 0;
    for name in key.split('/') {
        end += name.len() + usize::from(end > 0);
        if is_bad(name) {
            return Some(&key[..end]);
        }
    }
    None
}

/// Whether a walk comes to the directory of this key.
pub(crate) fn entered(key: &str) -> bool {
    key.split('/').all(|name| !name.starts_with('.') && name != "__pycache__" && !is_backup(name))
}

/// Whether the file of this key takes part.
pub(crate) fn tracked(data: DataDirectories, key: &str) -> bool {
    let name = key.rsplit('/').next().unwrap_or(key);
    let inside = data.contains(&"*") || key.split('/').any(|name| data.contains(&name));
    inside && entered(key) && !name.ends_with(".tmp") && !name.ends_with(".pyc")
}

/// Whether a link at `key` may have this text.
pub(crate) fn link_accepted(key: &str, text: &str) -> bool {
    let mut here: Vec<&str> = key.split('/').collect();
    here.pop();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if here.pop().is_none() {
                    return false;
                }
            }
            name if name.to_lowercase().starts_with(".dsg") => return false,
            name => here.push(name),
        }
    }
    !text.starts_with('/')
}
