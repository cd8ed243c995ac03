//! The version of a file that lost against a choice, kept beside the file.
//!
//! It gets its name in one step, and never one that something else has. So a run that was cut off
//! only has to try again: either the version waits where it was, or it has its name.

use std::path::PathBuf;

use dsg_core::path::{COMPONENT_BYTES_MAX, RepoPath};

use crate::error::Result;
use crate::system::Directory;

/// So many names are tried. Two conflicts of one file within a second are rare, more are an accident.
const NAMES_MAX: u32 = 100;

/// A version that lost against a choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The path of the file.
    pub path: RepoPath,
    /// Where the version is now, below the project.
    pub at: PathBuf,
    /// Whether that is in the trash, because no name beside the file could be had.
    pub in_trash: bool,
}

/// The name for the version of `name` that lost: as much of it as there is room for, then the stamp.
pub(crate) fn backup_name(name: &str, stamp: &str) -> String {
    with_suffix(name, &format!("~{stamp}~"))
}

/// Moves what is called `label` in `from` beside the file, under `backup` or, where that is taken,
/// with a number in it. The name that it got; `None` where it can get none: it is then where it was.
pub(crate) fn keep_beside(
    from: &Directory,
    label: &str,
    beside: &Directory,
    backup: &str,
) -> Result<Option<String>> {
    for number in 1..=NAMES_MAX {
        let name = numbered(backup, number);
        match from.rename_new(label, beside, &name) {
            Ok(()) => return Ok(Some(name)),
            Err(error) if error.is_present() => {}
            Err(error) if error.is_refused_for_the_name() => return Ok(None),
            // Everything else stops here: the next run finds it where it waits.
            Err(error) => return Err(error.into()),
        }
    }
    Ok(None)
}

/// The number stands before the stamp, so that the name is still known for a backup's.
fn numbered(backup: &str, number: u32) -> String {
    let stamp = backup.strip_suffix('~').and_then(|rest| rest.rfind('~'));
    match stamp {
        Some(at) if number > 1 => {
            with_suffix(&backup[..at], &format!("~{number}{}", &backup[at..]))
        }
        _ => backup.to_owned(),
    }
}

/// A name and its suffix; where there is no room for both, the name ends earlier.
fn with_suffix(name: &str, suffix: &str) -> String {
    let room = COMPONENT_BYTES_MAX.saturating_sub(suffix.len());
    let name = &name[..name.floor_char_boundary(room)];
    format!("{name}{suffix}")
}

#[cfg(test)]
mod tests {
    use dsg_core::name::is_backup_name;

    use super::*;

    const STAMP: &str = "20261121T074202+0000";

    #[test]
    fn a_long_name_is_shortened_between_two_characters() {
        assert_eq!(backup_name("a.csv", STAMP), format!("a.csv~{STAMP}~"));
        for name in ["n".repeat(255), "\u{e9}".repeat(127), "\u{1f600}".repeat(63)] {
            for number in [1, 2, 100] {
                let backup = numbered(&backup_name(&name, STAMP), number);
                assert!((250..=255).contains(&backup.len()) && is_backup_name(&backup), "{backup}");
            }
        }
    }

    #[test]
    fn a_taken_name_gets_a_number_and_nothing_is_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let directory = Directory::open(folder.path()).expect("opens");
        let mut names = Vec::new();
        for text in ["first", "second", "third"] {
            std::fs::write(folder.path().join("0"), text).expect("writes");
            let kept = keep_beside(&directory, "0", &directory, &backup_name("a", STAMP));
            let name = kept.expect("renames").expect("has a name");
            assert_eq!(std::fs::read_to_string(folder.path().join(&name)).expect("reads"), text);
            assert!(is_backup_name(&name));
            names.push(name);
        }
        assert_eq!(names[1..], [format!("a~2~{STAMP}~"), format!("a~3~{STAMP}~")]);
    }
}
