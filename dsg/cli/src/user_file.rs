//! The user's own `dsg.yml`: where it is, and changing values in it.

use std::path::{Path, PathBuf};

use dsg_core::config::{SYSTEM_USER_FILE, set_user_value};
use dsg_store::error::{Code, Error, Result};
use dsg_store::system::{Directory, present};

use crate::context::{configuration_error, user_files};

/// The largest file that is changed.
const BYTES_MAX: u64 = 1 << 20;
/// Who may read a new file: it says how somebody works, and nobody else needs to know.
const FILE_MODE: u32 = 0o600;
const DIRECTORY_MODE: u32 = 0o700;

/// The file in which a value counts most.
///
/// # Errors
/// When the environment names no place for it.
pub(crate) fn path() -> Result<PathBuf> {
    user_files().pop().filter(|path| path != SYSTEM_USER_FILE).map(PathBuf::from).ok_or_else(|| {
        Error::new(Code::Configuration, "there is no place for your dsg.yml")
            .because("neither HOME nor DSG_CONFIG_HOME is set")
            .next("set HOME, or DSG_CONFIG_HOME to the directory for dsg.yml")
    })
}

/// Sets values in the user's file, which is made if need be. All or none; returns where it is.
///
/// # Errors
/// When a key or value is wrong, or the file can't be written.
pub(crate) fn set(values: &[(&str, &str)]) -> Result<PathBuf> {
    let path = real(path()?);
    let (Some(parent), Some(name)) =
        (path.parent(), path.file_name().and_then(|name| name.to_str()))
    else {
        return Err(Error::new(Code::Configuration, format!("{} can't be a file", path.display())));
    };
    let mut text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(unreadable(&path, &error)),
    };
    for (key, value) in values {
        text = set_user_value(&text, key, value).map_err(|error| configuration_error(&error))?;
    }
    if text.len() as u64 > BYTES_MAX {
        return Err(Error::new(Code::Configuration, format!("{} is too large", path.display())));
    }
    let directory = made(parent, DIRECTORY_MODE)?;
    let mode = present(directory.status(name))?.map_or(FILE_MODE, |status| status.mode & 0o777);
    directory.replace_file(name, text.as_bytes(), mode)?;
    Ok(path)
}

/// Where a link to the file leads: it is the file that is replaced, not somebody's link to it.
fn real(path: PathBuf) -> PathBuf {
    path.canonicalize().unwrap_or(path)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    Error::new(Code::Configuration, format!("{} can't be read", path.display()))
        .because(error)
        .next("make it readable, or remove it")
}

/// The directory, made with those above it if need be; `mode` is that of those which are made.
///
/// # Errors
/// When the disk says no.
pub(crate) fn made(path: &Path, mode: u32) -> Result<Directory> {
    let existing = path.ancestors().find(|ancestor| ancestor.is_dir()).unwrap_or(Path::new("/"));
    let mut directory = Directory::open(existing)?;
    for component in path.strip_prefix(existing).unwrap_or(path).components() {
        let next = directory.directory_made(component.as_os_str(), mode)?;
        directory.sync()?;
        directory = next;
    }
    Ok(directory)
}
