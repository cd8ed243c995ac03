//! What a file system can do, found out by doing it in a folder that is removed again.

use dsg_core::entry::Moment;

use super::{Finding, size};
use crate::error::{Class, Result};
use crate::system::{Directory, Space, is_network_file_system, present, random, space};

/// How the folder begins in which things are tried; hidden, so that it takes part in nothing.
pub(super) const PROBE: &str = ".dsg-fetch-probe-";
/// Below this much room the next sync may not fit.
const FREE_BYTES_MIN: u64 = 1 << 30;
/// Fewer files than this may not be enough for the next sync.
const FREE_FILES_MIN: u64 = 10_000;
/// A time whose every digit shows whether it was kept: 2023-11-14T22:13:21.123456789Z.
const TIME: Moment = Moment(1_700_000_001_123_456_789);

/// What came of trying something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ability {
    /// It works.
    Works,
    /// It does not, and why.
    Fails(String),
}

impl Ability {
    fn of<T>(result: crate::system::Result<T>) -> Self {
        match result {
            Ok(_) => Self::Works,
            Err(error) => Self::Fails(error.source.to_string()),
        }
    }

    fn wanted(works: bool, otherwise: &str) -> Self {
        if works { Self::Works } else { Self::Fails(otherwise.to_owned()) }
    }

    /// Whether it works.
    #[must_use]
    pub fn works(&self) -> bool {
        *self == Self::Works
    }
}

/// What a file system can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Renaming over an existing file: everything depends on it.
    pub rename: Ability,
    /// Renaming that fails where the new name exists: commits depend on it.
    pub no_replace: Ability,
    /// Exchanging two names: applying a sync depends on it.
    pub exchange: Ability,
    /// A second name for a file: repositories keep superseded files by it.
    pub hard_link: Ability,
    /// Making contents and names durable.
    pub sync: Ability,
    /// Symbolic links.
    pub links: Ability,
    /// The executable bit is kept.
    pub executable: Ability,
    /// Copies that share blocks; saves room, nothing depends on it.
    pub reflink: Ability,
    /// To how many nanoseconds a file's time is kept.
    pub time_nanoseconds: i64,
    /// Names that differ only in case are one.
    pub ignores_case: bool,
    /// Names that differ only in their spelling of the same characters are one.
    pub ignores_spelling: bool,
    /// The network file system that it is, if it is one.
    pub network: Option<&'static str>,
    /// Room.
    pub space: Space,
}

/// Tries what the file system of `directory` can do.
///
/// # Errors
/// When nothing can be made there.
pub fn probe(directory: &Directory) -> Result<Probe> {
    let mut bytes = [0; 8];
    random(&mut bytes)?;
    let name = format!("{PROBE}{:016x}", u64::from_be_bytes(bytes));
    let folder = directory.directory_made(&name, 0o700)?;
    let result = try_all(&folder);
    directory.remove_tree(&name)?;
    result
}

fn try_all(folder: &Directory) -> Result<Probe> {
    folder.write_new("a", b"first", 0o600)?;
    folder.write_new("b", b"second", 0o600)?;
    let is =
        |name: &str, bytes: &[u8]| folder.read_small(name, 100).is_ok_and(|found| found == bytes);
    let exchange = match folder.exchange("a", folder, "b") {
        Ok(()) => {
            Ability::wanted(is("a", b"second") && is("b", b"first"), "the names were not exchanged")
        }
        other => Ability::of(other),
    };
    let no_replace = match folder.rename_new("a", folder, "b") {
        Err(error) if error.is_present() => Ability::of(folder.rename_new("a", folder, "c")),
        Ok(()) => Ability::Fails("an existing file was replaced".to_owned()),
        other => Ability::of(other),
    };
    folder.remove_tree("c")?;
    folder.remove_tree("d")?;
    folder.write_new("c", b"third", 0o600)?;
    folder.write_new("d", b"fourth", 0o600)?;
    let rename = match folder.rename("c", folder, "d") {
        Ok(()) => Ability::wanted(is("d", b"third"), "the file was not replaced"),
        other => Ability::of(other),
    };
    let (ignores_case, ignores_spelling) = try_names(folder)?;
    Ok(Probe {
        rename,
        no_replace,
        exchange,
        hard_link: Ability::of(folder.link("d", folder, "second name")),
        sync: Ability::of(folder.open_in_place("d", 0o600)?.sync().and_then(|()| folder.sync())),
        links: match folder.create_link("link", "d") {
            Ok(()) => Ability::wanted(
                folder.link_text("link")?.as_deref() == Some("d"),
                "the link has another text",
            ),
            other => Ability::of(other),
        },
        executable: try_executable(folder)?,
        reflink: try_reflink(folder)?,
        time_nanoseconds: try_time(folder)?,
        ignores_case,
        ignores_spelling,
        network: is_network_file_system(folder)?,
        space: space(folder)?,
    })
}

fn try_names(folder: &Directory) -> Result<(bool, bool)> {
    folder.write_new("Case\u{e9}", b"", 0o600)?;
    let there = |name: &str| Ok::<_, crate::error::Error>(present(folder.status(name))?.is_some());
    Ok((there("cASE\u{e9}")?, there("Casee\u{301}")?))
}

fn try_executable(folder: &Directory) -> Result<Ability> {
    folder.create_file("run", 0o700)?.set_mode(0o700)?;
    folder.create_file("no run", 0o600)?.set_mode(0o600)?;
    let kept = folder.status("run")?.executable() && !folder.status("no run")?.executable();
    Ok(Ability::wanted(kept, "all files are executable, or none is"))
}

fn try_reflink(folder: &Directory) -> Result<Ability> {
    folder.write_new("source", &[b'x'; 8192], 0o600)?;
    let source = folder.open_file("source")?;
    let mut target = folder.create_file("target", 0o600)?;
    Ok(Ability::wanted(
        target.clone_from(&source)?,
        "this file system has no copies that share blocks",
    ))
}

fn try_time(folder: &Directory) -> Result<i64> {
    let file = folder.create_file("time", 0o600)?;
    file.set_modified(TIME)?;
    let lost = (TIME.0 - folder.status("time")?.modified.0).abs();
    let steps = [1, 100, 1_000, 1_000_000, 1_000_000_000, 2_000_000_000];
    Ok(steps.into_iter().find(|step| lost < *step).unwrap_or(lost))
}

/// Findings about the file system of a project.
pub(super) fn findings(probe: &Probe) -> Vec<Finding> {
    const TOPIC: &str = "file system";
    const LOCAL: &str = "keep the project on a local file system such as ext4, XFS or btrfs";
    let mut findings = Vec::new();
    let required = [
        ("renaming", &probe.rename),
        ("renaming without replacing", &probe.no_replace),
        ("exchanging two names", &probe.exchange),
        ("making files durable", &probe.sync),
    ];
    for (what, ability) in required {
        if let Ability::Fails(why) = ability {
            let what = format!("{what} does not work here: {why}");
            findings.push(Finding::problem(TOPIC, Class::Machine, what, LOCAL));
        }
    }
    if let Ability::Fails(why) = &probe.links {
        findings.push(Finding::warning(
            TOPIC,
            format!("symbolic links don't work here: {why}"),
            LOCAL,
        ));
    }
    if !probe.executable.works() {
        let what =
            "the executable bit is not kept here; what the repository has is not changed by that";
        findings.push(Finding::warning(TOPIC, what, LOCAL));
    }
    if probe.ignores_case || probe.ignores_spelling {
        let what = "names that differ only in case or spelling are one file here";
        let next = "nothing to do: dsg refuses such pairs of names everywhere";
        findings.push(Finding::warning(TOPIC, what, next));
    }
    if let Some(kind) = probe.network {
        let what = format!(
            "this is a network file system ({kind}): locks and times are not what they seem"
        );
        findings.push(Finding::warning(TOPIC, what, LOCAL));
    }
    if findings.is_empty() {
        let copies = if probe.reflink.works() { "copies share blocks" } else { "copies take room" };
        findings.push(Finding::fine(TOPIC, format!("renames, exchanges and syncs work; {copies}")));
    }
    findings
}

/// A finding about the room on one side.
pub(super) fn room(whose: &str, space: &Space) -> Finding {
    const TOPIC: &str = "free space";
    let what = format!("{whose}: {} of {} free", size(space.free_bytes), size(space.total_bytes));
    let few_files = space.free_files.is_some_and(|files| files < FREE_FILES_MIN);
    if space.free_bytes < FREE_BYTES_MIN || few_files {
        let files = if few_files { ", and few files can still be made" } else { "" };
        return Finding::warning(
            TOPIC,
            format!("{what}{files}"),
            "free some space before the next large sync",
        );
    }
    Finding::fine(TOPIC, what)
}
