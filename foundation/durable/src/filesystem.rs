//! Where a SQLite file lies.
//!
//! SQLite's write-ahead log is shared memory between processes, and its locks are locks of the
//! kernel: on a file system that several machines mount, or that a program serves, neither holds.
//! Such databases got damaged, so it is refused before a byte is written.

use std::path::{Path, PathBuf};

/// Kinds of file systems that are refused, by the number that `statfs` gives.
const NETWORK: &[(u64, &str)] = &[
    (0x6969, "NFS"),
    (0xff53_4d42, "CIFS"),
    (0xfe53_4d42, "SMB"),
    (0x517b, "SMB"),
    (0x0102_1997, "9p"),
    (0x6573_5546, "FUSE or virtiofs"),
    (0x00c3_6400, "Ceph"),
    (0x5346_414f, "AFS"),
    (0x7375_7245, "Coda"),
    (0x0bd0_0bd0, "Lustre"),
    (0x4750_4653, "GPFS"),
    (0x7461_636f, "OCFS2"),
    (0x0116_1970, "GFS2"),
];

/// The kind of network file system that would hold the file, if it is one.
pub(crate) fn network(file: &Path) -> Option<&'static str> {
    let statistics = rustix::fs::statfs(existing(file)).ok()?;
    #[expect(clippy::cast_sign_loss, reason = "the numbers are 32 bits wide, whatever the sign")]
    let kind = statistics.f_type as u64 & 0xffff_ffff;
    kind_of(kind)
}

fn kind_of(number: u64) -> Option<&'static str> {
    NETWORK.iter().find(|(known, _)| *known == number).map(|(_, name)| *name)
}

/// The file, or the nearest directory above it that is there.
fn existing(file: &Path) -> PathBuf {
    let mut place = file;
    while !place.exists() {
        match place.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => place = parent,
            _ => return PathBuf::from("."),
        }
    }
    place.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_systems_of_a_network_are_known_by_their_numbers() {
        assert_eq!(kind_of(0x6969), Some("NFS"));
        assert_eq!(kind_of(0xff53_4d42), Some("CIFS"));
        assert_eq!(kind_of(0x6573_5546), Some("FUSE or virtiofs"));
        assert_eq!(kind_of(0xef53), None, "ext4");
        assert_eq!(kind_of(0x5846_5342), None, "XFS");
    }

    #[test]
    fn a_file_that_is_not_there_yet_is_judged_by_the_directory_above() {
        let directory = tempfile::tempdir().expect("a directory");
        assert_eq!(existing(&directory.path().join("a/b/c.db")), directory.path());
        assert_eq!(network(&directory.path().join("a/b/c.db")), None);
        assert_eq!(existing(Path::new("nothing-of-that-name")), Path::new("."));
    }
}
