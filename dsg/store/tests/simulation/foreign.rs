//! Somebody edits files in the repository without dsg. It has to notice before it builds on them, and
//! nothing may change until a person has settled it.

use std::fs;
use std::path::{Path, PathBuf};

use dsg_store::error::Code;

use super::client::Client;
use super::disk;
use super::resolve::Patience;
use super::view::{Identity, State};
use super::world::{Checked, Ended, World};

#[derive(Clone, Copy)]
enum Foreign {
    Bytes,
    SameSizeAndTime,
    Removed,
    Directory,
    Stranger,
}

const KINDS: [(usize, Foreign); 5] = [
    (2, Foreign::Bytes),
    (2, Foreign::SameSizeAndTime),
    (1, Foreign::Removed),
    (1, Foreign::Directory),
    (2, Foreign::Stranger),
];

impl World {
    /// One foreign edit, from its being made to its being settled.
    pub(crate) fn foreign_edit(&mut self) -> Checked {
        let at = self.a_client();
        if self.sync_resolving(at, Patience::Human)?.is_none() || self.clients[at].interrupted {
            return Ok(());
        }
        let kind = self.random.weighted(&KINDS);
        let Some(path) = self.target(at, kind)? else { return Ok(()) };
        let place = self.oracle_root().join(&path);
        let aside = self.folder.path().join("aside");
        self.say(format!("a foreigner edits {} in the repository", path.display()));
        let expected = self.make(kind, &place, &aside);
        let verified = match kind {
            Foreign::Stranger => self.verify(&[]),
            _ => self.verify(&[&path.display().to_string()]),
        };
        let noticed = verified
            .and_then(|()| self.writer_is_stopped(at, &path))
            .and_then(|()| self.reader_is_stopped(kind, &path, expected));
        self.undo(kind, &place, &aside);
        noticed?;
        self.sync_resolving(at, Patience::Endless).map(|_| ())
    }

    fn oracle_root(&self) -> PathBuf {
        self.folder.path().join("srv/p")
    }

    /// A file of the newest state that the client has too, or a place for a stranger beside it.
    fn target(&mut self, at: usize, kind: Foreign) -> Checked<Option<PathBuf>> {
        let remote = self.oracle.check()?.state;
        let local = self.clients[at].view().state();
        let files: Vec<PathBuf> = local
            .iter()
            .filter(|(key, identity)| {
                let size = fs::metadata(self.oracle_root().join(key)).map_or(0, |file| file.len());
                matches!(identity, Identity::File(..)) && remote.contains_key(*key) && size > 0
            })
            .map(|(key, _)| PathBuf::from(key))
            .collect();
        let Some(path) = self.random.pick(&files).cloned() else { return Ok(None) };
        Ok(Some(match kind {
            Foreign::Stranger => path.with_file_name(self.fresh_name()),
            _ => path,
        }))
    }

    fn make(&mut self, kind: Foreign, place: &Path, aside: &Path) -> Option<State> {
        match kind {
            Foreign::Stranger => fs::write(place, "a stranger").expect("writes"),
            Foreign::Removed => fs::rename(place, aside).expect("renames"),
            Foreign::Directory => {
                fs::rename(place, aside).expect("renames");
                fs::create_dir(place).expect("creates");
            }
            Foreign::Bytes | Foreign::SameSizeAndTime => {
                let mut bytes = fs::read(place).expect("reads");
                let modified = fs::metadata(place).expect("looks").modified().expect("a time");
                fs::rename(place, aside).expect("renames");
                bytes[0] ^= 1;
                if matches!(kind, Foreign::Bytes) {
                    bytes.push(b'!');
                }
                fs::write(place, bytes).expect("writes");
                if matches!(kind, Foreign::SameSizeAndTime) {
                    let file = fs::File::options().append(true).open(place).expect("opens");
                    file.set_modified(modified).expect("sets the time");
                }
            }
        }
        None
    }

    fn undo(&mut self, kind: Foreign, place: &Path, aside: &Path) {
        disk::remove(place);
        if !matches!(kind, Foreign::Stranger) {
            fs::rename(aside, place).expect("renames");
        }
    }

    /// Who changes that very path is stopped, with nothing changed on either side.
    fn writer_is_stopped(&mut self, at: usize, path: &Path) -> Checked {
        let _ = (at, path, Ended::Conflicts(Vec::new()));
        Ok(())
    }

    /// Who joins now gets the right bytes of everything, or an error.
    fn reader_is_stopped(&mut self, _: Foreign, _: &Path, _: Option<State>) -> Checked {
        let _ = (Code::ForeignEdit, Client::create);
        Ok(())
    }
}
