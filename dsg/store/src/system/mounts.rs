//! Where a directory is mounted from, as the kernel tells it.

use std::path::PathBuf;

use super::{Directory, Result, SystemError};

/// The mount that a directory is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Its type, such as `zfs`, `fuse.zfs` or `btrfs`.
    pub kind: String,
    /// What is mounted: a device, or the name of a dataset.
    pub source: String,
    /// Where.
    pub point: PathBuf,
    /// Whether it is mounted for reading only.
    pub read_only: bool,
}

impl Mount {
    /// Whether it is a dataset of ZFS.
    #[must_use]
    pub fn is_zfs(&self) -> bool {
        matches!(self.kind.as_str(), "zfs" | "fuse.zfs")
    }
}

/// The mount that `directory` is in; `None` where the kernel does not tell.
///
/// # Errors
/// When the list of mounts can't be read.
pub fn mount_of(directory: &Directory) -> Result<Option<Mount>> {
    let path = std::path::Path::new("/proc/self/mountinfo");
    let list = match std::fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(|error| SystemError::new("read", path, error))?,
    };
    let real = std::fs::canonicalize(directory.path())
        .map_err(|error| SystemError::new("look at", directory.path(), error))?;
    // The deepest one that holds the path; of two at the same place the later one is on top.
    let mounts = list.lines().filter_map(parse).filter(|mount| real.starts_with(&mount.point));
    Ok(mounts.fold(None, |best: Option<Mount>, next| match best {
        Some(best) if best.point.components().count() > next.point.components().count() => {
            Some(best)
        }
        _ => Some(next),
    }))
}

/// `36 35 98:0 /root /point rw,noatime master:1 - ext4 /dev/sda1 rw,errors=continue`
fn parse(line: &str) -> Option<Mount> {
    let (front, back) = line.split_once(" - ")?;
    let mut front = front.split(' ');
    let point = PathBuf::from(unescaped(front.nth(4)?));
    let options = front.next()?;
    let mut back = back.split(' ');
    let (kind, source) = (back.next()?.to_owned(), unescaped(back.next()?));
    let read_only = [Some(options), back.next()]
        .into_iter()
        .flatten()
        .any(|options| options.split(',').any(|option| option == "ro"));
    Some(Mount { kind, source, point, read_only })
}

/// Undoes the kernel's `\040`.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        let escaped = digits.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match escaped {
            Some(byte) if *first == b'\\' => {
                bytes.push(byte);
                rest = &after[3..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_kernel_is_understood() {
        let line =
            "44 43 0:41 / /srv/my\\040data/p ro,relatime shared:1 - fuse.zfs tank/p rw,user_id=0";
        let mount = parse(line).expect("a mount");
        assert_eq!(mount.point, PathBuf::from("/srv/my data/p"));
        assert!(mount.is_zfs() && mount.read_only, "{mount:?}");
        assert_eq!(mount.source, "tank/p");
        assert_eq!(parse("nonsense"), None);
    }

    #[test]
    fn every_directory_is_in_a_mount() {
        let root = Directory::open(std::path::Path::new("/proc/self")).expect("opens");
        assert_eq!(mount_of(&root).expect("tells").expect("a mount").kind, "proc");
    }
}
