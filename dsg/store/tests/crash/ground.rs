//! Real file systems on which worlds are made, one for each way to keep a repository.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use testkit::ground::{Btrfs, Pool};
use testkit::mount::{Xfs, lacks};

use super::world::World;

/// A way to keep a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    Xfs,
    Btrfs,
    ZfsInPlace,
    ZfsGenerations,
}

impl Backend {
    pub(crate) const ALL: [Self; 4] =
        [Self::Xfs, Self::Btrfs, Self::ZfsInPlace, Self::ZfsGenerations];

    fn needs(self) -> &'static [&'static str] {
        match self {
            Self::Xfs => &["mkfs.xfs"],
            Self::Btrfs => &["mkfs.btrfs", "btrfs"],
            Self::ZfsInPlace | Self::ZfsGenerations => &["zfs", "zpool"],
        }
    }
}

enum Disk {
    Xfs(Xfs),
    Btrfs(Btrfs),
    Zfs(Pool),
}

/// A file system with room for worlds.
pub(crate) struct Ground {
    pub(crate) backend: Backend,
    disk: Disk,
    number: AtomicU64,
}

/// A world, and its name on the ground.
pub(crate) struct Placed {
    pub(crate) name: String,
    root: PathBuf,
    /// The folder of the projects, where they are not on the ground themselves.
    folder: Option<tempfile::TempDir>,
}

impl Ground {
    /// Makes one; `None`, and a word about it, when this machine can't.
    pub(crate) fn of(backend: Backend) -> Option<Self> {
        if lacks(backend.needs()) {
            return None;
        }
        let disk = match backend {
            Backend::Xfs => Disk::Xfs(Xfs::new().expect("an XFS")),
            Backend::Btrfs => Disk::Btrfs(Btrfs::new().expect("a btrfs")),
            Backend::ZfsInPlace | Backend::ZfsGenerations => {
                Disk::Zfs(Pool::new().expect("a pool"))
            }
        };
        Some(Self { backend, disk, number: AtomicU64::new(0) })
    }

    /// Makes room for a world.
    pub(crate) fn place(&self) -> Placed {
        let name = format!("w{}", self.number.fetch_add(1, Ordering::SeqCst));
        match &self.disk {
            Disk::Xfs(xfs) => Self::inside(&xfs.path(), name),
            Disk::Btrfs(btrfs) => Self::inside(&btrfs.path(), name),
            Disk::Zfs(pool) => {
                let folder = testkit::mount::folder().expect("a folder");
                let srv = folder.path().join("srv");
                std::fs::create_dir(&srv).expect("creates");
                pool.dataset(&name, &srv).expect("a dataset");
                Placed { name, root: folder.path().to_owned(), folder: Some(folder) }
            }
        }
    }

    fn inside(disk: &Path, name: String) -> Placed {
        let root = disk.join(&name);
        std::fs::create_dir_all(root.join("srv")).expect("creates");
        Placed { name, root, folder: None }
    }

    /// An empty world in that room.
    pub(crate) fn world(&self, placed: &Placed) -> World {
        let mut world = World::at(&placed.root);
        world.kind = match (&self.disk, self.backend) {
            (Disk::Xfs(_), _) => "type: xfs".to_owned(),
            (Disk::Btrfs(_), _) => "type: btrfs".to_owned(),
            (Disk::Zfs(pool), Backend::ZfsGenerations) => {
                format!("type: zfs, mode: generations, pool: {}", pool.name())
            }
            (Disk::Zfs(pool), _) => format!("type: zfs, pool: {}", pool.name()),
        };
        world
    }

    /// Gives the room back.
    pub(crate) fn clear(&self, placed: Placed) {
        match &self.disk {
            Disk::Xfs(_) => std::fs::remove_dir_all(&placed.root).expect("removes"),
            Disk::Btrfs(btrfs) => btrfs.remove(&placed.name).expect("removes"),
            Disk::Zfs(pool) => pool.destroy(&placed.name).expect("destroys"),
        }
        drop(placed.folder);
    }

    /// The whole name of a dataset or snapshot in a world's room.
    pub(crate) fn dataset(&self, placed: &Placed, name: &str) -> String {
        match &self.disk {
            Disk::Zfs(pool) => format!("{}/{}/{name}", pool.name(), placed.name),
            _ => panic!("this is no ZFS"),
        }
    }

    /// The file system goes away and comes back.
    pub(crate) fn restart(&mut self) {
        match &mut self.disk {
            Disk::Xfs(xfs) => xfs.restart().expect("comes back"),
            Disk::Btrfs(btrfs) => btrfs.restart().expect("comes back"),
            Disk::Zfs(pool) => pool.restart().expect("comes back"),
        }
    }

    /// What the file system itself has for a world's repository: datasets with their snapshots, or
    /// subvolumes; transactions left out.
    pub(crate) fn volumes(&self, placed: &Placed) -> Vec<String> {
        let all = match &self.disk {
            Disk::Xfs(_) => Vec::new(),
            Disk::Btrfs(btrfs) => btrfs.subvolumes(&placed.name).expect("lists"),
            Disk::Zfs(pool) => pool.list(&placed.name).expect("lists"),
        };
        // `g2-0a0a0a0a0a0a0a0a@s1` becomes `g2@s1`.
        let plain = |name: &str| {
            let (volume, snapshot) = name.split_once('@').unwrap_or((name, ""));
            let (folder, last) =
                volume.rsplit_once('/').map_or(("", volume), |(folder, last)| (folder, last));
            let last = last.split('-').next().unwrap_or_default();
            let slash = if volume.contains('/') { "/" } else { "" };
            let at = if name.contains('@') { "@" } else { "" };
            format!("{folder}{slash}{last}{at}{snapshot}")
        };
        let mut names: Vec<String> =
            all.iter().map(|name| plain(name.trim_start_matches("srv/.dsg-p/"))).collect();
        names.sort();
        names
    }
}
