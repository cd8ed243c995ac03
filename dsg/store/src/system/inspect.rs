//! Questions about a file system that only `dsg doctor` asks.

use std::ffi::OsStr;

use rustix::fs::AtFlags;

use super::{Directory, Result, SystemError};

/// Room on a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// Bytes that this user can still write.
    pub free_bytes: u64,
    /// Bytes of the whole file system.
    pub total_bytes: u64,
    /// Files that can still be made; `None` where the file system knows no limit.
    pub free_files: Option<u64>,
}

/// Asks for the room on the file system of `directory`.
///
/// # Errors
/// When the system can't tell.
pub fn space(directory: &Directory) -> Result<Space> {
    let found = rustix::fs::fstatvfs(directory.handle())
        .map_err(|e| SystemError::new("ask for the free space of", directory.path(), e))?;
    Ok(Space {
        free_bytes: found.f_bavail.saturating_mul(found.f_frsize),
        total_bytes: found.f_blocks.saturating_mul(found.f_frsize),
        free_files: (found.f_files > 0).then_some(found.f_favail),
    })
}

/// The number of the group of `name` in `directory`, or of the directory itself when it is empty.
///
/// # Errors
/// When it is absent or can't be asked.
pub fn group_of(directory: &Directory, name: impl AsRef<OsStr>) -> Result<u32> {
    let name = name.as_ref();
    let stat = if name.is_empty() {
        rustix::fs::fstat(directory.handle())
    } else {
        rustix::fs::statat(directory.handle(), name, AtFlags::SYMLINK_NOFOLLOW)
    };
    let stat = stat.map_err(|e| SystemError::new("look at", &directory.path_of(name), e))?;
    Ok(stat.st_gid)
}

impl Directory {
    /// Gives this directory to a group.
    ///
    /// # Errors
    /// When we are not the owner, or not in that group.
    pub fn set_own_group(&self, group: u32) -> Result<()> {
        super::fault::step("set group", self.path())?;
        rustix::fs::fchown(self.handle(), None, Some(rustix::fs::Gid::from_raw(group)))
            .map_err(|e| SystemError::new("set the group of", self.path(), e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_and_group_of_a_directory_are_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let directory = Directory::open(folder.path()).expect("opens");
        let room = space(&directory).expect("tells");
        assert!(room.free_bytes <= room.total_bytes && room.total_bytes > 0, "{room:?}");
        directory.write_new("x", b"", 0o600).expect("writes");
        let own = group_of(&directory, "").expect("tells");
        assert_eq!(group_of(&directory, "x").expect("tells"), own);
        assert!(group_of(&directory, "none").expect_err("is absent").is_absent());
    }
}
