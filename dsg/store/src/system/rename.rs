//! Renaming within and between open directories.

use std::ffi::OsStr;

use rustix::fs::{Access, AtFlags, RenameFlags};
use rustix::io::Errno;

use super::{Directory, Result, SystemError};

impl Directory {
    /// Renames `name` to `new_name` in `target`, replacing what is there.
    ///
    /// # Errors
    /// What the system says.
    pub fn rename(
        &self,
        name: impl AsRef<OsStr>,
        target: &Self,
        new_name: impl AsRef<OsStr>,
    ) -> Result<()> {
        self.rename_with(name.as_ref(), target, new_name.as_ref(), RenameFlags::empty())
    }

    /// Renames `name` to `new_name` in `target`, where nothing may be yet.
    ///
    /// # Errors
    /// When something is there ([`is_present`](super::SystemError::is_present)), or what the system says.
    pub fn rename_new(
        &self,
        name: impl AsRef<OsStr>,
        target: &Self,
        new_name: impl AsRef<OsStr>,
    ) -> Result<()> {
        self.rename_with(name.as_ref(), target, new_name.as_ref(), RenameFlags::NOREPLACE)
    }

    /// As [`rename_new`](Self::rename_new), also on file systems that can't refuse to replace (FUSE,
    /// and OpenZFS before 2.2): there the new name is looked at first. Only where a lock keeps others
    /// from making that name meanwhile.
    ///
    /// # Errors
    /// As [`rename_new`](Self::rename_new).
    pub fn rename_new_locked(
        &self,
        name: impl AsRef<OsStr>,
        target: &Self,
        new_name: impl AsRef<OsStr>,
    ) -> Result<()> {
        let (name, new_name) = (name.as_ref(), new_name.as_ref());
        match self.rename_with(name, target, new_name, RenameFlags::NOREPLACE) {
            Err(error) if error.source.raw_os_error() == Some(Errno::INVAL.raw_os_error()) => {
                if super::present(target.status(new_name))?.is_some() {
                    return Err(target.fail("rename to", new_name, Errno::EXIST));
                }
                // The step was counted above; it is the same one.
                rustix::fs::renameat(&self.fd, name, &target.fd, new_name)
                    .map_err(|error| target.fail("rename to", new_name, error))
            }
            other => other,
        }
    }

    /// Exchanges `name` with `other_name` in `target`: both must exist, neither is ever missing.
    ///
    /// # Errors
    /// What the system says.
    pub fn exchange(
        &self,
        name: impl AsRef<OsStr>,
        target: &Self,
        other_name: impl AsRef<OsStr>,
    ) -> Result<()> {
        self.rename_with(name.as_ref(), target, other_name.as_ref(), RenameFlags::EXCHANGE)
    }

    fn rename_with(
        &self,
        name: &OsStr,
        target: &Self,
        new_name: &OsStr,
        flags: RenameFlags,
    ) -> Result<()> {
        let name = self.one("rename", name)?;
        let new_name = target.one("rename to", new_name)?;
        target.step("rename to", new_name)?;
        let result = if flags.is_empty() {
            rustix::fs::renameat(&self.fd, name, &target.fd, new_name)
        } else {
            rustix::fs::renameat_with(&self.fd, name, &target.fd, new_name, flags)
        };
        result.map_err(|error| match error {
            Errno::NOENT => self.fail("rename", name, error),
            Errno::ACCESS | Errno::PERM | Errno::ROFS => {
                match self.refuses().or(target.refuses()) {
                    Some(refused) => refused,
                    None => target.fail("rename to", new_name, error),
                }
            }
            _ => target.fail("rename to", new_name, error),
        })
    }

    /// The system does not say which of two directories it means by "no"; the one that may not be
    /// written is asked for here.
    fn refuses(&self) -> Option<SystemError> {
        rustix::fs::accessat(&self.fd, ".", Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS)
            .err()
            .map(|error| SystemError::new("change the names in", self.path(), error))
    }
}
