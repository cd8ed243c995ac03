//! An old file, link or directory out of any snapshot.
//!
//! Every content is proven by its hash while it lands under a hidden temporary name beside the
//! target, which a sync never takes for data. Only then does it get its name, in one step: whoever
//! finds the target finds all of it. A fetched file is an ordinary local file afterwards.

use std::ffi::OsStr;
use std::ops::AddAssign;
use std::path::Path;

use dsg_core::entry::{Entry, FileEntry};
use dsg_core::link;
use dsg_core::path::RepoPath;
use dsg_core::snapshot::SnapshotNumber;
use rayon::prelude::*;

use crate::error::{Code, Error, Result};
use crate::history::{document, near};
use crate::monitor::{Monitor, Phase, check_stop};
use crate::repository::{Repository, Wanted};
use crate::system::{Directory, Kind, Parents, Reader, present, random, sync_file_system};

/// How a temporary name begins; hidden, so that it takes part in nothing.
pub const TEMPORARY: &str = ".dsg-fetch-";
/// Fetched directories are the user's alone until they open them to others.
const DIRECTORY_MODE: u32 = 0o700;
/// Up to this many files each is synced by itself.
const SYNC_EACH_MAX: usize = 256;

/// What was fetched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fetched {
    /// Files.
    pub files: u64,
    /// Links.
    pub links: u64,
    /// Bytes of the files.
    pub bytes: u64,
    /// Paths that were left out because they would be dangerous here, and why.
    pub left_out: Vec<(RepoPath, String)>,
}

impl AddAssign for Fetched {
    fn add_assign(&mut self, other: Self) {
        self.files += other.files;
        self.links += other.links;
        self.bytes += other.bytes;
        self.left_out.extend(other.left_out);
    }
}

/// What a snapshot has at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A file or link.
    Entry(RepoPath, Entry),
    /// Everything below a directory; the paths are relative to it.
    Directory(Vec<(RepoPath, RepoPath, Entry)>),
}

/// Looks for `path` (`None`: everything) in a snapshot.
///
/// # Errors
/// [`Code::NotFound`] when there is no such snapshot, or it has nothing there.
pub fn find(
    repository: &dyn Repository,
    number: SnapshotNumber,
    path: Option<&RepoPath>,
) -> Result<Found> {
    document(repository, number)?;
    if let Some(path) = path
        && let Some(entry) = repository.entry(number, path)?
    {
        return Ok(Found::Entry(path.clone(), entry));
    }
    let directory = path.map_or("", RepoPath::as_str);
    let mut below = Vec::new();
    for change in repository.differences(None, Some(number))? {
        let Some(entry) = change.new.filter(|_| change.path.is_in(directory)) else { continue };
        let text = &change.path.as_str()[directory.len()..];
        if let Ok(relative) = RepoPath::parse(text.trim_start_matches('/')) {
            below.push((change.path, relative, entry));
        }
    }
    match path {
        Some(path) if below.is_empty() => {
            let near = near(repository, path)?;
            Err(Error::new(Code::NotFound, format!("{number} has nothing at {path}"))
                .about(near.paths)
                .next(format!("`dsg log {path}` lists the snapshots that changed it")))
        }
        _ => Ok(Found::Directory(below)),
    }
}

/// Puts what was found at `out`, whose directory must exist. A file or link replaces another only
/// with `force`; a directory needs a name that is free, so that nothing is mixed.
///
/// # Errors
/// When something is there already, a content is damaged, or the disk says no; `out` is then as it
/// was.
pub fn fetch(
    repository: &dyn Repository,
    found: &Found,
    out: &Path,
    force: bool,
    monitor: &dyn Monitor,
) -> Result<Fetched> {
    let (parent, name) = place(out)?;
    refuse_present(&parent, name, found, force)?;
    if let Found::Entry(path, entry) = found
        && let Some(why) = dangerous(path, entry)
    {
        return Err(Error::new(Code::ContentDamaged, format!("{path} is not safe to make here"))
            .because(why));
    }
    let temporary = temporary_name()?;
    let landed = match found {
        Found::Entry(path, entry) => {
            monitor.begin(Phase::Downloading, 1, entry.size());
            one(repository, path, entry, &parent, OsStr::new(&temporary), true, monitor)
        }
        Found::Directory(entries) => tree(repository, entries, &parent, &temporary, monitor),
    };
    let placed = landed.and_then(|fetched| {
        if force && matches!(found, Found::Entry(..)) {
            parent.rename(&temporary, &parent, name)?;
        } else {
            parent
                .rename_new(&temporary, &parent, name)
                .map_err(|error| if error.is_present() { in_the_way(out) } else { error.into() })?;
        }
        parent.sync()?;
        Ok(fetched)
    });
    if placed.is_err() {
        // What went wrong is told; a leftover is hidden, and `dsg clean` finds it.
        let _ = parent.remove_tree(&temporary);
    }
    placed
}

/// A content in a file without a name below `scratch`, proven by its hash: to be shown or compared,
/// gone when it is dropped.
///
/// # Errors
/// When it is damaged or can't be written.
pub fn content(
    repository: &dyn Repository,
    path: &RepoPath,
    file: &FileEntry,
    scratch: &Directory,
    monitor: &dyn Monitor,
) -> Result<Reader> {
    let name = temporary_name()?;
    let mut target = scratch.create_file(&name, 0o600)?;
    scratch.remove_file(&name)?;
    repository.read(&Wanted { hash: file.hash, size: file.size, path }, &mut target, monitor)?;
    Ok(target.reader()?)
}

fn temporary_name() -> Result<String> {
    let mut bytes = [0; 8];
    random(&mut bytes)?;
    Ok(format!("{TEMPORARY}{:016x}", u64::from_be_bytes(bytes)))
}

fn place(out: &Path) -> Result<(Directory, &OsStr)> {
    let Some(name) = out.file_name() else {
        return Err(Error::new(Code::Usage, format!("{} is no name for a file", out.display()))
            .next("give the name under which it is to be put, with -o"));
    };
    let parent = match out.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    match present(Directory::open(parent))? {
        Some(parent) => Ok((parent, name)),
        None => {
            Err(Error::new(Code::NotFound, format!("there is no directory {}", parent.display()))
                .next("make it first, or give another place with -o"))
        }
    }
}

fn refuse_present(parent: &Directory, name: &OsStr, found: &Found, force: bool) -> Result<()> {
    let Some(status) = present(parent.status(name))? else { return Ok(()) };
    let out = parent.path_of(name);
    if status.kind == Kind::Directory || matches!(found, Found::Directory(_)) {
        return Err(Error::new(Code::Usage, format!("{} is there already", out.display()))
            .because("directories are never merged or replaced")
            .next("give a name that is free, with -o"));
    }
    if force { Ok(()) } else { Err(in_the_way(&out)) }
}

fn in_the_way(out: &Path) -> Error {
    Error::new(Code::Usage, format!("{} is there already", out.display()))
        .next("give another name with -o, or --force to replace it")
}

/// Why an entry of a manifest is not to be made here, if it is not.
fn dangerous(path: &RepoPath, entry: &Entry) -> Option<String> {
    if path.components().any(|name| name.starts_with('.')) {
        return Some("it has a hidden component".to_owned());
    }
    match entry {
        Entry::File(_) => None,
        Entry::Link(found) => link::check(path, &found.target).err().map(|error| error.to_string()),
    }
}

fn one(
    repository: &dyn Repository,
    path: &RepoPath,
    entry: &Entry,
    directory: &Directory,
    name: &OsStr,
    sync: bool,
    monitor: &dyn Monitor,
) -> Result<Fetched> {
    match entry {
        Entry::Link(link) => {
            directory.create_link(name, &link.target)?;
            Ok(Fetched { links: 1, ..Fetched::default() })
        }
        Entry::File(file) => {
            let mut target =
                directory.create_file(name, if file.executable { 0o777 } else { 0o666 })?;
            let wanted = Wanted { hash: file.hash, size: file.size, path };
            repository.read(&wanted, &mut target, monitor)?;
            target.set_modified(file.modified)?;
            if sync {
                target.sync()?;
            }
            monitor.advance(1, 0);
            Ok(Fetched { files: 1, bytes: file.size, ..Fetched::default() })
        }
    }
}

fn tree(
    repository: &dyn Repository,
    entries: &[(RepoPath, RepoPath, Entry)],
    parent: &Directory,
    temporary: &str,
    monitor: &dyn Monitor,
) -> Result<Fetched> {
    let bytes = entries.iter().filter(|(_, _, entry)| entry.content().is_some());
    let bytes = bytes.map(|(_, _, entry)| entry.size()).sum();
    monitor.begin(Phase::Downloading, entries.len() as u64, bytes);
    let top = parent.directory_made(temporary, DIRECTORY_MODE)?;
    let sync_each = entries.len() <= SYNC_EACH_MAX;
    let parts: Vec<Fetched> = entries
        .par_chunks(32)
        .map(|chunk| {
            let mut parents = Parents::new(&top);
            let mut fetched = Fetched::default();
            for (path, relative, entry) in chunk {
                check_stop(monitor)?;
                if let Some(why) = dangerous(path, entry) {
                    fetched.left_out.push((path.clone(), why));
                    continue;
                }
                let (directory, name) =
                    parents.made(Path::new(relative.as_str()), DIRECTORY_MODE)?;
                fetched += one(repository, path, entry, directory, name, sync_each, monitor)?;
            }
            Ok(fetched)
        })
        .collect::<Result<_>>()?;
    let mut fetched = Fetched::default();
    for part in parts {
        fetched += part;
    }
    sync_file_system(&top)?;
    Ok(fetched)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::monitor::Silent;
    use crate::world::{World, number, path};

    fn get(
        world: &World,
        snapshot: u64,
        what: Option<&str>,
        out: &Path,
        force: bool,
    ) -> Result<Fetched> {
        let repository = world.repository();
        let wanted = what.map(path);
        let found = find(&repository, number(snapshot), wanted.as_ref())?;
        fetch(&repository, &found, out, force, &Silent)
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .expect("lists")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// Versions of some files, from empty to larger than a buffer, each snapshot another.
    fn version(file: usize, snapshot: u64) -> Vec<u8> {
        let length = [0, 1, 5000, 1_500_000][file];
        (0..length as u64)
            .map(|at| (at * 31 + at / 251 + snapshot * 7 + file as u64) as u8)
            .collect()
    }

    #[test]
    fn any_file_of_any_snapshot_comes_back_byte_by_byte() {
        let world = World::new();
        let alice = world.client("alice");
        for snapshot in 1..=4 {
            for file in 0..4 {
                // The first file never changes, the last is gone at the end.
                alice.write(
                    &format!("input/d/f{file}"),
                    version(file, if file == 0 { 0 } else { snapshot }),
                );
            }
            if snapshot == 4 {
                alice.remove("input/d/f3");
            }
            alice.sync();
        }
        let target = tempfile::tempdir().expect("a folder");
        for snapshot in 1..=4 {
            for file in 0..4 {
                let out = target.path().join(format!("f{file}.s{snapshot}"));
                let got = get(&world, snapshot, Some(&format!("input/d/f{file}")), &out, false);
                if (file, snapshot) == (3, 4) {
                    assert_eq!(got.unwrap_err().code, Code::NotFound);
                    assert!(!out.exists());
                } else {
                    got.expect("fetches");
                    assert!(fs::read(&out).expect("reads") == version(file, snapshot), "{out:?}");
                }
            }
            let out = target.path().join(format!("all.s{snapshot}"));
            let got = get(&world, snapshot, Some("input"), &out, false).expect("fetches");
            assert_eq!(got.files, if snapshot == 4 { 3 } else { 4 });
            assert!(fs::read(out.join("d/f2")).expect("reads") == version(2, snapshot));
        }
        assert!(names(target.path()).iter().all(|name| !name.starts_with('.')));
    }

    #[test]
    fn links_and_the_executable_bit_and_times_are_kept() {
        use std::os::unix::fs::PermissionsExt;
        let world = World::new();
        let alice = world.client("alice");
        alice.write("input/run", "#!/bin/sh\n");
        let run = alice.root.join("input/run");
        fs::set_permissions(&run, fs::Permissions::from_mode(0o755)).expect("sets");
        alice.link("input/link", "run");
        alice.sync();
        let target = tempfile::tempdir().expect("a folder");
        let out = target.path().join("everything");
        let got = get(&world, 1, None, &out, false).expect("fetches");
        assert_eq!((got.files, got.links, got.left_out), (1, 1, vec![]));
        assert_eq!(fs::read_link(out.join("input/link")).expect("a link"), Path::new("run"));
        let status = fs::metadata(out.join("input/run")).expect("is there");
        assert_eq!(status.permissions().mode() & 0o100, 0o100);
        assert_eq!(status.modified().ok(), fs::metadata(&run).expect("is there").modified().ok());
        assert_eq!(fs::metadata(&out).expect("is there").permissions().mode() & 0o777, 0o700);
        get(&world, 1, Some("input/link"), &target.path().join("link"), false).expect("fetches");
        assert_eq!(fs::read_link(target.path().join("link")).expect("a link"), Path::new("run"));
    }

    #[test]
    fn nothing_is_replaced_without_force_and_a_directory_never() {
        let world = World::new();
        let alice = world.client("alice");
        alice.write("input/a", "1");
        alice.sync();
        let target = tempfile::tempdir().expect("a folder");
        let out = target.path().join("a");
        fs::write(&out, "mine").expect("writes");
        let error = get(&world, 1, Some("input/a"), &out, false).unwrap_err();
        assert_eq!(error.code, Code::Usage);
        assert_eq!(fs::read(&out).expect("reads"), b"mine");
        get(&world, 1, Some("input/a"), &out, true).expect("replaces");
        assert_eq!(fs::read(&out).expect("reads"), b"1");
        assert!(get(&world, 1, Some("input"), &out, true).is_err());
        fs::create_dir(target.path().join("d")).expect("creates");
        for what in ["input", "input/a"] {
            assert!(get(&world, 1, Some(what), &target.path().join("d"), true).is_err());
        }
        let error =
            get(&world, 1, Some("input/a"), &target.path().join("none/a"), true).unwrap_err();
        assert_eq!(error.code, Code::NotFound);
        assert_eq!(names(target.path()), ["a", "d"]);
    }

    #[test]
    fn what_is_damaged_is_never_delivered() {
        let world = World::new();
        let alice = world.client("alice");
        alice.write("input/a", "right");
        alice.write("input/b", "other");
        alice.sync();
        world.write("input/a", "wrong");
        let target = tempfile::tempdir().expect("a folder");
        for (what, out) in [("input/a", "a"), ("input", "all")] {
            let error = get(&world, 1, Some(what), &target.path().join(out), false).unwrap_err();
            assert_eq!(error.code, Code::ContentDamaged, "{what}");
        }
        assert_eq!(names(target.path()), [""; 0]);
        assert_eq!(
            get(&world, 2, Some("input/a"), &target.path().join("a"), false).unwrap_err().code,
            Code::NotFound
        );
    }

    #[test]
    fn a_content_to_be_shown_leaves_no_name_behind() {
        let world = World::new();
        let alice = world.client("alice");
        alice.write("input/a", "shown");
        alice.sync();
        let target = tempfile::tempdir().expect("a folder");
        let scratch = Directory::open(target.path()).expect("opens");
        let repository = world.repository();
        let Ok(Found::Entry(path, Entry::File(file))) =
            find(&repository, number(1), Some(&path("input/a")))
        else {
            panic!("no file");
        };
        let mut reader = content(&repository, &path, &file, &scratch, &Silent).expect("reads");
        assert_eq!(names(target.path()), [""; 0]);
        assert_eq!(reader.read_to_end(100).expect("reads"), b"shown");
    }

    #[test]
    fn dangerous_entries_are_not_made() {
        let file = Entry::File(FileEntry {
            hash: dsg_core::hash::ContentHash::of(b""),
            executable: false,
            size: 0,
            modified: Default::default(),
            author: "a@b".into(),
        });
        assert!(dangerous(&path("input/.git/hooks/x"), &file).is_some());
        assert!(dangerous(&path("input/x"), &file).is_none());
        let link = |target: &str| {
            Entry::Link(dsg_core::entry::LinkEntry { target: target.into(), author: "a@b".into() })
        };
        assert!(dangerous(&path("input/x"), &link("/etc/passwd")).is_some());
        assert!(dangerous(&path("input/x"), &link("../../x")).is_some());
        assert!(dangerous(&path("input/x"), &link("y")).is_none());
    }
}
