//! What users do to their files between two syncs.

use std::collections::HashMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::client::Client;
use super::disk::{self, Hash, What};
use super::names::{self, CONFIGURATIONS};
use super::random::Random;

/// Contents that were ever written, so that some are written again, here or by another user.
#[derive(Default)]
pub(crate) struct Contents {
    number: u64,
    all: Vec<Vec<u8>>,
    /// What was written at a path, whoever it was.
    by_path: HashMap<PathBuf, Vec<u8>>,
}

impl Contents {
    /// Bytes that nobody has had before.
    fn fresh(&mut self, random: &mut Random) -> Vec<u8> {
        self.number += 1;
        let size = random.weighted(&[(60, 0), (30, 300), (8, 5_000), (1, 70_000)]);
        let mut bytes = format!("content {}\n", self.number).into_bytes();
        // Large enough for a clone of blocks, where the file system can do that.
        let size = if random.number().is_multiple_of(2_000) { 1_200_000 } else { size };
        bytes.resize(bytes.len() + size, b'.');
        bytes
    }

    fn some(&mut self, random: &mut Random, path: &Path) -> Vec<u8> {
        let bytes = match random.below(10) {
            0 => Vec::new(),
            1 => random.pick(&self.all).cloned().unwrap_or_default(),
            2 => self.by_path.get(path).cloned().unwrap_or_default(),
            _ => self.fresh(random),
        };
        self.note(path, &bytes);
        bytes
    }

    fn note(&mut self, path: &Path, bytes: &[u8]) {
        if self.all.len() < 200 && bytes.len() < 10_000 {
            self.all.push(bytes.to_vec());
        }
        self.by_path.insert(path.to_owned(), bytes.to_vec());
    }

    /// Other bytes of the same length.
    fn same_size(&mut self, old: &[u8]) -> Vec<u8> {
        self.number += 1;
        let mut bytes = old.to_vec();
        for (at, digit) in format!("{:09}", self.number).bytes().enumerate() {
            match bytes.get_mut(at) {
                Some(byte) => *byte = digit,
                None => break,
            }
        }
        bytes
    }
}

#[derive(Clone, Copy)]
enum Action {
    WriteNew,
    Edit,
    EditSameSize,
    Append,
    Touch,
    Delete,
    Rename,
    Respell,
    MoveDirectory,
    Executable,
    FileToDirectory,
    DirectoryToFile,
    Link,
    LinkToDirectory,
    Untracked,
    Bad,
    Pipe,
    Unreadable,
    Configuration,
    ForgetIndex,
}

const ACTIONS: [(usize, Action); 20] = [
    (30, Action::WriteNew),
    (16, Action::Edit),
    (6, Action::EditSameSize),
    (4, Action::Append),
    (4, Action::Touch),
    (9, Action::Delete),
    (6, Action::Rename),
    (2, Action::Respell),
    (4, Action::MoveDirectory),
    (4, Action::Executable),
    (4, Action::FileToDirectory),
    (4, Action::DirectoryToFile),
    (4, Action::Link),
    (2, Action::LinkToDirectory),
    (6, Action::Untracked),
    (2, Action::Bad),
    (1, Action::Pipe),
    (1, Action::Unreadable),
    (2, Action::Configuration),
    (2, Action::ForgetIndex),
];

/// The most files that a user has.
const FILES_MAX: usize = 40;

/// One user does something; returns what, for the trace.
pub(crate) fn act(
    client: &mut Client,
    contents: &mut Contents,
    random: &mut Random,
    may_configure: bool,
) -> String {
    let mut hand = Hand { client, contents, random };
    let done = hand.act(may_configure);
    format!("{} {}", hand.client.name, done.unwrap_or_else(|| "does nothing".to_owned()))
}

struct Hand<'a> {
    client: &'a mut Client,
    contents: &'a mut Contents,
    random: &'a mut Random,
}

impl Hand<'_> {
    fn act(&mut self, may_configure: bool) -> Option<String> {
        let mut action = self.random.weighted(&ACTIONS);
        let tracked = self.client.view().accepted.len();
        if tracked >= FILES_MAX {
            action = Action::Delete;
        }
        match action {
            Action::WriteNew => {
                let path = names::file(self.random);
                self.write_some(&path)
            }
            Action::Edit => {
                let path = self.a_file()?;
                self.write_some(&path)
            }
            Action::EditSameSize => self.edit_same_size(),
            Action::Append => self.append(),
            Action::Touch => self.touch(),
            Action::Delete => {
                let path = self.anything_tracked()?;
                self.client.delete(&path);
                Some(format!("deletes {}", path.display()))
            }
            Action::Rename => {
                let (from, to) = (self.anything_tracked()?, names::file(self.random));
                self.rename(&from, &to)
            }
            Action::Respell => self.respell(),
            Action::MoveDirectory => {
                let (from, to) = (self.a_directory()?, names::file(self.random));
                self.rename(&from, &to)
            }
            Action::Executable => self.change_mode(),
            Action::FileToDirectory => self.file_to_directory(),
            Action::DirectoryToFile => {
                let path = self.a_directory()?;
                self.write_some(&path)
            }
            Action::Link => {
                let path = names::file(self.random);
                self.link(&path)
            }
            Action::LinkToDirectory => {
                let path = self.a_directory()?;
                self.link(&path)
            }
            Action::Untracked => {
                let path = names::untracked_file(self.random);
                self.write_some(&path)
            }
            Action::Bad => {
                let path = names::bad_file(self.random);
                self.write_some(&path)
            }
            Action::Pipe => self.pipe(),
            Action::Unreadable => self.unreadable(),
            Action::Configuration if !may_configure => None,
            Action::Configuration => {
                let data = *self.random.pick(&CONFIGURATIONS)?;
                self.client.configure(data);
                Some(format!("sets data_dirs to {data:?}"))
            }
            Action::ForgetIndex => self.forget_index(),
        }
    }

    fn write_some(&mut self, path: &Path) -> Option<String> {
        let force = self.random.chance(50);
        if !self.client.make_way(path, force) {
            return None;
        }
        let bytes = self.contents.some(self.random, path);
        let in_place = self.random.chance(50);
        self.client.write(path, &bytes, in_place);
        let how = if in_place { "in place" } else { "anew" };
        Some(format!("writes {} {how} ({} bytes)", path.display(), bytes.len()))
    }

    fn edit_same_size(&mut self) -> Option<String> {
        let path = self.a_file()?;
        let old = fs::read(self.client.root.join(&path)).ok()?;
        let bytes = self.contents.same_size(&old);
        self.contents.note(&path, &bytes);
        self.client.write(&path, &bytes, true);
        Some(format!("edits {} without changing its size", path.display()))
    }

    fn append(&mut self) -> Option<String> {
        let path = self.a_file()?;
        let mut bytes = fs::read(self.client.root.join(&path)).ok()?;
        bytes.extend(self.contents.fresh(self.random));
        self.contents.note(&path, &bytes);
        self.client.write(&path, &bytes, true);
        Some(format!("appends to {}", path.display()))
    }

    fn touch(&mut self) -> Option<String> {
        let path = self.a_file()?;
        let age = Duration::from_secs(self.random.below(1_000_000) as u64);
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000) + age;
        let file = fs::OpenOptions::new().append(true).open(self.client.root.join(&path)).ok()?;
        file.set_modified(time).expect("sets the time");
        Some(format!("touches {}", path.display()))
    }

    fn rename(&mut self, from: &Path, to: &Path) -> Option<String> {
        if to.starts_with(from) || from.starts_with(to) {
            return None;
        }
        let force = self.random.chance(30);
        if !self.client.make_way(to, force) || disk::look(&self.client.root.join(from)).is_none() {
            return None;
        }
        self.client.delete(to);
        self.client.rename(from, to);
        Some(format!("renames {} to {}", from.display(), to.display()))
    }

    fn respell(&mut self) -> Option<String> {
        let tree = self.client.tree();
        let candidates: Vec<_> = tree
            .keys()
            .filter_map(|path| Some((path.clone(), names::respelled(path)?)))
            .filter(|(_, other)| !tree.contains_key(other))
            .collect();
        let (from, to) = self.random.pick(&candidates)?.clone();
        self.client.rename(&from, &to);
        let name = to.file_name()?.as_bytes().escape_ascii();
        Some(format!("spells {} otherwise: {name}", from.display()))
    }

    fn change_mode(&mut self) -> Option<String> {
        let path = self.a_file()?;
        let node = disk::look(&self.client.root.join(&path))?;
        self.client.set_mode(&path, node.mode ^ 0o111);
        Some(format!("sets the mode of {} to {:o}", path.display(), node.mode ^ 0o111))
    }

    fn file_to_directory(&mut self) -> Option<String> {
        let path = self.anything_tracked()?;
        self.client.delete(&path);
        self.write_some(&path.join("a"))
    }

    fn link(&mut self, path: &Path) -> Option<String> {
        if !self.client.make_way(path, true) {
            return None;
        }
        let text = names::link_text(self.random);
        self.client.link(path, text);
        Some(format!("links {} to {text}", path.display()))
    }

    fn pipe(&mut self) -> Option<String> {
        use rustix::fs::{CWD, FileType, Mode, mknodat};
        let path = names::file(self.random);
        if !self.client.make_way(&path, false) {
            return None;
        }
        self.client.delete(&path);
        let full = self.client.root.join(&path);
        mknodat(CWD, &full, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("makes a pipe");
        Some(format!("makes the pipe {}", path.display()))
    }

    /// Root can read everything, so this needs another user.
    fn unreadable(&mut self) -> Option<String> {
        if rustix::process::geteuid().is_root() {
            return None;
        }
        let path = self.a_file()?;
        self.client.set_mode(&path, 0o200);
        // What can't be read can't be looked for by the oracle either.
        self.client.written.remove(&path);
        Some(format!("makes {} unreadable", path.display()))
    }

    fn forget_index(&mut self) -> Option<String> {
        let index = self.client.root.join(".dsg/index");
        let mut bytes = fs::read(&index).ok()?;
        match self.random.below(3) {
            0 => fs::remove_file(&index).expect("removes"),
            1 => fs::write(&index, &bytes[..self.random.below(bytes.len() + 1)]).expect("writes"),
            _ => {
                let at = self.random.below(bytes.len());
                bytes[at] ^= 1 << self.random.below(8);
                fs::write(&index, bytes).expect("writes");
            }
        }
        Some("damages or deletes the index".to_owned())
    }

    /// A file that takes part.
    fn a_file(&mut self) -> Option<PathBuf> {
        let view = self.client.view();
        let is_file = |path: &PathBuf| matches!(view.tree[path].what, What::File { .. });
        let files: Vec<PathBuf> = view.paths().into_iter().filter(is_file).collect();
        self.random.pick(&files).cloned()
    }

    /// A file or link that takes part.
    fn anything_tracked(&mut self) -> Option<PathBuf> {
        self.random.pick(&self.client.view().paths()).cloned()
    }

    /// A directory below one of the places for data.
    fn a_directory(&mut self) -> Option<PathBuf> {
        let tree = self.client.tree();
        let inside = |path: &PathBuf| {
            let depth = path.iter().count();
            let task = path.starts_with("task");
            let visible = path.iter().all(|name| !name.as_bytes().starts_with(b"."));
            visible && depth > if task { 2 } else { 1 } && !path.starts_with("docs")
        };
        let directories = tree.iter().filter(|(_, node)| node.is_directory());
        let directories: Vec<PathBuf> =
            directories.map(|(path, _)| path.clone()).filter(inside).collect();
        self.random.pick(&directories).cloned()
    }
}

/// Writes a content of which nobody else knows at `path`, for a check that needs one.
pub(crate) fn write_fresh(
    client: &mut Client,
    contents: &mut Contents,
    random: &mut Random,
    path: &Path,
) -> Hash {
    let bytes = contents.fresh(random);
    client.write(path, &bytes, false);
    disk::hash(&bytes)
}
