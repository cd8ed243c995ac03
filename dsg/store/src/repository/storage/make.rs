//! Making a repository as the configuration says: what will be made is known, and can be printed,
//! before anything is.

use std::path::{Path, PathBuf};

use dsg_core::config::{RepositoryConfig, ZfsMode};
use dsg_core::snapshot::RepositoryId;
use foundation_runtime::clock::Clock;

use super::super::create::{Making, create_with, inherit_group, parent_and_name};
use super::super::layout::LocalRepository;
use super::super::{Access, Created};
use super::volumes::{Volume, volumes_path};
use super::zfs_volumes::mounted_dataset;
use super::{Storage, btrfs, zfs};
use crate::error::{Code, Error, Result};
use crate::system::{Directory, lock_file, present};

/// What will be made for a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// How its states are kept.
    pub storage: Storage,
    /// The directory, or the link, that people use.
    pub path: PathBuf,
    /// The dataset of its own that it gets.
    pub dataset: Option<String>,
}

impl Plan {
    /// What a person should know before it is made, a line each.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(dataset) = &self.dataset {
            let at = match (self.storage, volumes_path(&self.path)) {
                (Storage::ZfsGenerations, Some(volumes)) => volumes,
                _ => self.path.clone(),
            };
            lines.push(format!("ZFS dataset {dataset}, mounted at {}", at.display()));
        }
        if self.storage.has_generations() {
            if let (Storage::Btrfs, Some(volumes)) = (self.storage, volumes_path(&self.path)) {
                lines.push(format!("btrfs subvolumes in {}", volumes.display()));
            }
            lines.push(format!("{} is a link to the newest state", self.path.display()));
        }
        lines
    }
}

/// Finds out what has to be made for a repository of this configuration at `path`.
///
/// # Errors
/// When the file system is not what the configuration says: nothing is guessed.
pub fn plan(config: &RepositoryConfig, path: &Path) -> Result<Plan> {
    let plain = |storage| Plan { storage, path: path.to_owned(), dataset: None };
    match config {
        RepositoryConfig::Zfs { pool, mode, .. } => {
            let (parent, name) = parent_and_name(path)?;
            let dataset = format!("{}/{}", holding_dataset(pool, parent)?, name.to_string_lossy());
            let storage = match mode {
                ZfsMode::InPlace => Storage::ZfsInPlace,
                ZfsMode::Generations => Storage::ZfsGenerations,
            };
            Ok(Plan { storage, path: path.to_owned(), dataset: Some(dataset) })
        }
        RepositoryConfig::Btrfs { .. } => {
            let (parent, _) = parent_and_name(path)?;
            btrfs::refuse_other(&Directory::open(parent)?)?;
            Ok(plain(Storage::Btrfs))
        }
        _ => Ok(plain(Storage::Plain)),
    }
}

/// The dataset of a pool that is mounted exactly at `mountpoint`.
fn holding_dataset(pool: &str, mountpoint: &Path) -> Result<String> {
    let all = zfs::list(pool)?;
    if all.is_empty() {
        return Err(Error::new(Code::RepositoryMissing, format!("there is no ZFS pool {pool}"))
            .next("`zpool list` shows the pools of this machine; correct `pool` in .dsgconfig.yml, or import it"));
    }
    let at = mountpoint.to_string_lossy();
    if let Some(found) = all.iter().find(|dataset| dataset.mountpoint == at) {
        if found.mounted {
            return Ok(found.name.clone());
        }
        return Err(Error::new(Code::RepositoryMissing, format!("{} is not mounted", found.name))
            .next(format!("mount it: zfs mount {}", found.name)));
    }
    let above = all
        .iter()
        .filter(|dataset| mountpoint.starts_with(&dataset.mountpoint))
        .max_by_key(|dataset| dataset.mountpoint.len());
    let next = match above {
        Some(above) => {
            let rest = mountpoint.strip_prefix(&above.mountpoint).unwrap_or(mountpoint);
            format!(
                "make it (`zfs create -p {}/{}`), or correct `mountpoint`",
                above.name,
                rest.display()
            )
        }
        None => {
            "correct `mountpoint`: `zfs list -o name,mountpoint` shows where datasets are mounted"
                .to_owned()
        }
    };
    Err(Error::new(
        Code::RepositoryMissing,
        format!("no dataset of the pool {pool} is mounted at {at}"),
    )
    .because("the repository becomes a dataset below the one that is mounted there")
    .next(next))
}

/// Makes a repository as planned. Repeats safely after a crash.
///
/// # Errors
/// As [`create`](super::super::create), and when the file system says no.
pub fn create_planned(plan: &Plan, access: Access, clock: &dyn Clock) -> Result<Created> {
    let pool = plan.dataset.as_deref().and_then(|dataset| dataset.split('/').next());
    let making = Making { access, storage: plan.storage, pool, id: None, clock };
    match (plan.storage, &plan.dataset) {
        (Storage::ZfsInPlace, Some(dataset)) => {
            make_dataset(dataset, &plan.path, None, access)?;
            create_with(&plan.path, &making)
        }
        (Storage::ZfsGenerations | Storage::Btrfs, dataset) => {
            make_generations(plan, dataset.as_deref(), &making)
        }
        _ => create_with(&plan.path, &making),
    }
}

/// Makes a dataset that is mounted at `path`, unless it is there.
fn make_dataset(
    dataset: &str,
    path: &Path,
    mountpoint: Option<&Path>,
    access: Access,
) -> Result<()> {
    if zfs::properties(dataset)?.is_none() {
        if std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(Error::new(
                Code::RepositoryExists,
                format!("{} is not empty", path.display()),
            )
            .because(format!("{dataset} is to be mounted there, and does not exist yet"))
            .next("choose another name, or move those files away"));
        }
        zfs::create(dataset, mountpoint)?;
    }
    let directory = match present(Directory::open(path))? {
        Some(directory) => directory,
        None => {
            zfs::mount(dataset, None)?;
            Directory::open(path)?
        }
    };
    if mounted_dataset(&directory).ok().as_deref() != Some(dataset) {
        zfs::mount(dataset, None)?;
    }
    let directory = Directory::open(path)?;
    let found = mounted_dataset(&directory)?;
    if found != dataset {
        return Err(Error::new(
            Code::RepositoryExists,
            format!("{found} is mounted at {}, not {dataset}", path.display()),
        )
        .next("choose another name, or correct pool and mountpoint"));
    }
    let Some(parent) = path.parent() else { return Ok(()) };
    inherit_group(&directory, &Directory::open(parent)?, access)
}

/// Volumes, the control directory, the empty state, and last the link: without it there is nothing.
fn make_generations(plan: &Plan, dataset: Option<&str>, making: &Making<'_>) -> Result<Created> {
    let (parent, name) = parent_and_name(&plan.path)?;
    let above = Directory::open(parent)
        .map_err(|error| super::super::create::parent_missing(parent, &error))?;
    let place = volumes_path(&plan.path).ok_or_else(|| {
        Error::new(Code::Configuration, format!("{} can't be a repository", plan.path.display()))
            .next("take a name that is plain text")
    })?;
    let is_link = match present(above.status(name))? {
        Some(status) if status.kind == crate::system::Kind::Link => true,
        Some(_) => {
            return Err(Error::new(
                Code::RepositoryExists,
                format!("{} is there already", plan.path.display()),
            )
            .because("a link to the newest state is to be made there")
            .next("choose another name, or move that away"));
        }
        None => false,
    };
    if let Some(dataset) = dataset {
        make_dataset(dataset, &place, Some(&place), making.access)?;
    }
    create_with(&place, making)?;
    let control =
        LocalRepository::open_part(&place, "", std::sync::Arc::new(Still(making.clock.now())))?;
    let lock =
        lock_file(&control.control, super::super::layout::LOCK, control.file_mode(false), true)?;
    if is_link {
        let newest = LocalRepository::open_part(
            &plan.path,
            "",
            std::sync::Arc::new(Still(making.clock.now())),
        )?;
        return match newest.read_head()? {
            None => Ok(Created::WasThere),
            Some(_) => Err(Error::new(
                Code::RepositoryExists,
                format!("{} is a repository with history", plan.path.display()),
            )
            .next("to join it, use `dsg clone`; to start another, choose another name")),
        };
    }
    make_empty_state(&control, dataset, making, control.description.id, lock.as_ref())?;
    let text = format!(
        "{}/{}",
        place.file_name().unwrap_or_default().to_string_lossy(),
        Volume::empty().name()
    );
    above.create_link(name, &text)?;
    above.sync()?;
    Ok(Created::New)
}

fn make_empty_state(
    control: &LocalRepository,
    dataset: Option<&str>,
    making: &Making<'_>,
    id: RepositoryId,
    lock: Option<&crate::system::FileLock>,
) -> Result<()> {
    let name = Volume::empty().name();
    let path = control.root.path_of(&name);
    let is_there = present(control.root.status(&name))?.is_some();
    match dataset {
        Some(dataset) => make_dataset(&format!("{dataset}/{name}"), &path, None, making.access)?,
        None if !is_there => {
            btrfs::create(&control.root, &name, lock)?;
            inherit_group(&control.root.directory(&name)?, &control.root, making.access)?;
        }
        None => {}
    }
    let inner = Making { id: Some(id), ..*making };
    create_with(&path, &inner)?;
    let Some(lock) = lock else { return Ok(()) };
    match dataset {
        Some(dataset) => {
            zfs::set_read_only(&format!("{dataset}/{name}"), lock)?;
            zfs::snapshot(&format!("{dataset}/{name}@s0"), lock)
        }
        None => btrfs::seal(&control.root, &name, Some(lock)),
    }
}

/// The time at which making began.
struct Still(jiff::Timestamp);

impl Clock for Still {
    fn now(&self) -> jiff::Timestamp {
        self.0
    }

    fn monotonic(&self) -> std::time::Duration {
        std::time::Duration::ZERO
    }
}
