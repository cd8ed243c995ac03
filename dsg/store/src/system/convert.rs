//! Between the system's values and ours.

use dsg_core::entry::Moment;
use rustix::fs::{FileType, Mode, RawMode, Timespec, Timestamps};

use super::{Kind, Status};

/// Permission bits; the system's type is narrower on a Mac.
pub(super) fn mode(bits: u32) -> Mode {
    Mode::from_raw_mode(bits as RawMode)
}

pub(super) fn times(modified: Moment) -> Timestamps {
    let (seconds, nanoseconds) = modified.parts();
    let time = Timespec { tv_sec: seconds, tv_nsec: nanoseconds.into() };
    Timestamps { last_access: time, last_modification: time }
}

pub(super) fn kind_of(kind: FileType) -> Option<Kind> {
    match kind {
        FileType::RegularFile => Some(Kind::File),
        FileType::Directory => Some(Kind::Directory),
        FileType::Symlink => Some(Kind::Link),
        FileType::Unknown => None,
        _ => Some(Kind::Other),
    }
}

/// The fields of `stat` differ in width between platforms; `from` would not compile everywhere.
#[expect(
    clippy::unnecessary_cast,
    reason = "the casts are needed where the fields have other widths"
)]
pub(super) fn status(stat: &rustix::fs::Stat) -> Status {
    Status {
        kind: kind_of(FileType::from_raw_mode(stat.st_mode)).unwrap_or(Kind::Other),
        size: u64::try_from(stat.st_size).unwrap_or(0),
        modified: Moment::from_parts(stat.st_mtime as i64, stat.st_mtime_nsec as i64),
        changed: Moment::from_parts(stat.st_ctime as i64, stat.st_ctime_nsec as i64),
        inode: stat.st_ino as u64,
        device: stat.st_dev as u64,
        mode: stat.st_mode as u32 & 0o7777,
        owner: stat.st_uid,
    }
}
