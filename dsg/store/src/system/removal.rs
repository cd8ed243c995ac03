//! Removing whole trees, of our own only.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::{Directory, Kind, Result, present};

impl Directory {
    /// Removes `name` and everything below it, links as links; absent is fine. For our own staging
    /// areas only.
    ///
    /// # Errors
    /// When something can't be removed.
    pub fn remove_tree(&self, name: impl AsRef<OsStr>) -> Result<()> {
        let name = name.as_ref();
        let Some(status) = present(self.status(name))? else { return Ok(()) };
        if status.kind != Kind::Directory {
            return present(self.remove_file(name)).map(|_| ());
        }
        // A stack of paths, not recursion: how deep a tree is, is up to whoever made it.
        let mut stack = vec![PathBuf::from(name)];
        while let Some(path) = stack.pop() {
            // Somebody else may be removing it too.
            let Some(directory) = present(self.directory(&path))? else { continue };
            let Some(entries) = present(directory.entries())? else { continue };
            let mut directories = Vec::new();
            for entry in entries {
                if entry.kind == Kind::Directory {
                    directories.push(path.join(&entry.name));
                } else {
                    present(directory.remove_file(&entry.name))?;
                }
            }
            if directories.is_empty() {
                let parent = path.parent().unwrap_or_else(|| Path::new(""));
                if let Some(parent) = present(self.directory(parent))? {
                    parent.remove_directory_if_empty(path.file_name().unwrap_or(name))?;
                }
            } else {
                stack.push(path);
                stack.extend(directories);
            }
        }
        Ok(())
    }
}
