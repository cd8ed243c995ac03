//! What an unfinished upload left behind: found by the path that it was for, never believed.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use dsg_core::path::RepoPath;

use super::layout::STAGED_TREE;
use super::path_mark;
use crate::error::Result;
use crate::system::{Directory, Kind, Parents, Reader, present, user};

/// How deep a tree of directories is followed.
const DEPTH_MAX: usize = 256;

/// The files that an upload staged in `previous`: what stands for the path of each, and where it is.
pub(super) fn marks(previous: &Directory) -> Result<Vec<([u8; 16], PathBuf)>> {
    let mut found = Vec::new();
    for entry in previous.entries()? {
        let text = entry.name.to_string_lossy();
        let mark = text.strip_prefix("f-").and_then(|hex| u128::from_str_radix(hex, 16).ok());
        if let (Some(mark), Kind::File) = (mark, entry.kind) {
            found.push((mark.to_be_bytes(), PathBuf::from(&entry.name)));
        }
    }
    if let Some(tree) = present(previous.directory(STAGED_TREE))? {
        below(&tree, "", DEPTH_MAX, &mut found)?;
    }
    Ok(found)
}

fn below(
    directory: &Directory,
    path: &str,
    depth: usize,
    found: &mut Vec<([u8; 16], PathBuf)>,
) -> Result<()> {
    for entry in directory.entries()? {
        // What was staged has a name that is a key; anything else is not ours.
        let Ok(name) = std::str::from_utf8(entry.name.as_bytes()) else { continue };
        let Ok(key) = RepoPath::join(path, name) else { continue };
        match entry.kind {
            Kind::File => found.push((path_mark(&key), Path::new(STAGED_TREE).join(key.as_str()))),
            Kind::Directory if depth > 0 => {
                if let Some(next) = present(directory.directory(name))? {
                    below(&next, key.as_str(), depth - 1, found)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Opens one of them, if it is still there and ours.
pub(super) fn open(previous: &Directory, at: &Path) -> Result<Option<Reader>> {
    let mut parents = Parents::new(previous);
    let Some((directory, name)) = present(parents.of(at))? else { return Ok(None) };
    let Ok(file) = directory.open_file(name) else { return Ok(None) };
    Ok((file.status()?.owner == user()).then_some(file))
}
