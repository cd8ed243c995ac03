//! Connecting a project to its repository: for the first time, or anew.

use std::path::Path;

use dsg_core::config::PROJECT_FILE;

use super::journal::Journal;
use super::{Project, State, StateFile, TRANSACTIONS, lock_project, trash};
use crate::error::{Code, Error, Result};
use crate::repository::Repository;
use crate::system::{Directory, present};

/// Writes `.dsgconfig.yml` into `root`, durable when this returns. Repeats safely; a file that says
/// something else is left alone.
///
/// # Errors
/// When another configuration is there, or the disk says no.
pub fn write_configuration(root: &Path, text: &str) -> Result<()> {
    let directory = Directory::open(root)?;
    match present(directory.read_small(PROJECT_FILE, 1 << 20))? {
        Some(bytes) if bytes == text.as_bytes() => Ok(()),
        Some(_) => Err(Error::new(Code::ProjectExists, format!("there is a {PROJECT_FILE} at {} already", root.display()))
            .next("to join its repository use `dsg clone`; to start another project choose another directory")),
        None => Ok(directory.replace_file(PROJECT_FILE, text.as_bytes(), 0o644)?),
    }
}

fn unattached(repository: &dyn Repository) -> State {
    State { repository: repository.description().id, seen: None, remote: None, cached: None }
}

/// Connects a project that never was: nothing is agreed, so equal files join, different ones are
/// asked about. Repeats safely after a crash.
///
/// # Errors
/// When it is connected already and has agreed on something.
pub fn attach(project: &Project, repository: &dyn Repository) -> Result<()> {
    let dsg = project.make_dsg()?;
    let _lock = lock_project(&dsg)?;
    let state = unattached(repository);
    match StateFile::open(&dsg)? {
        Some(file) if *file.state() == state => Ok(()),
        Some(_) => Err(Error::new(Code::ProjectExists, format!("{} is connected to a repository already", project.root.path().display()))
            .next("use `dsg sync`; to connect it to another or a restored repository use `dsg sync --reattach`")),
        None => StateFile::create(&dsg, state).map(|_| ()),
    }
}

/// Starts over with the repository that is there now: nothing counts as agreed any more. What an
/// interrupted sync had taken out of the tree goes to the trash.
///
/// # Errors
/// When the disk says no.
pub fn reattach(project: &Project, repository: &dyn Repository) -> Result<()> {
    let dsg = project.make_dsg()?;
    let _lock = lock_project(&dsg)?;
    if let Some(transactions) = present(dsg.directory(TRANSACTIONS))? {
        for entry in transactions.entries()? {
            trash::keep_whole(&dsg, &transactions, &entry.name)?;
        }
    }
    Journal::clear(&dsg)?;
    StateFile::create(&dsg, unattached(repository)).map(|_| ())
}
