//! Many paths below one root, opened directory by directory.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::{Directory, Result};

/// Opens the directories that paths lie in and keeps the last one open: neighbours in a sorted list
/// share it, so a walk over n files in d directories opens d.
#[derive(Debug)]
pub struct Parents<'r> {
    root: &'r Directory,
    last: Option<(PathBuf, Directory)>,
}

impl<'r> Parents<'r> {
    /// Starts at `root`.
    #[must_use]
    pub fn new(root: &'r Directory) -> Self {
        Self { root, last: None }
    }

    /// The directory that `path` lies in, and the name in it.
    ///
    /// # Errors
    /// When the directory is absent, or a link is in the way.
    pub fn of<'p>(&mut self, path: &'p Path) -> Result<(&Directory, &'p OsStr)> {
        let parent = path.parent().unwrap_or_else(|| Path::new(""));
        let name = path.file_name().unwrap_or_default();
        if self.last.as_ref().is_none_or(|(path, _)| path != parent) {
            self.last = None;
            self.last = Some((parent.to_owned(), self.root.directory(parent)?));
        }
        match &self.last {
            Some((_, directory)) => Ok((directory, name)),
            None => Ok((self.root, name)),
        }
    }

    /// As [`of`](Self::of), making the directories that are missing with these permission bits.
    ///
    /// # Errors
    /// When one can't be made, or something that is no directory is in the way.
    pub fn made<'p>(&mut self, path: &'p Path, mode: u32) -> Result<(&Directory, &'p OsStr)> {
        self.made_by(path, &|directory, name| directory.directory_made(name, mode))
    }

    /// As [`made`](Self::made), with the bits that the user's umask leaves.
    ///
    /// # Errors
    /// As [`made`](Self::made).
    pub fn made_for_user<'p>(&mut self, path: &'p Path) -> Result<(&Directory, &'p OsStr)> {
        self.made_by(path, &|directory, name| directory.directory_made_for_user(name))
    }

    fn made_by<'p>(
        &mut self,
        path: &'p Path,
        make: &dyn Fn(&Directory, &OsStr) -> Result<Directory>,
    ) -> Result<(&Directory, &'p OsStr)> {
        let parent = path.parent().unwrap_or_else(|| Path::new(""));
        if self.last.as_ref().is_none_or(|(path, _)| path != parent) {
            self.last = None;
            let directory = match self.root.directory(parent) {
                Ok(directory) => directory,
                Err(error) if error.is_absent() => {
                    let mut directory = self.root.again()?;
                    for component in parent.components() {
                        directory = make(&directory, component.as_os_str())?;
                    }
                    directory
                }
                Err(error) => return Err(error),
            };
            self.last = Some((parent.to_owned(), directory));
        }
        self.of(path)
    }
}
