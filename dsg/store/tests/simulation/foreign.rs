//! Somebody edits files in the repository without dsg. It has to notice before it builds on them, and
//! nothing may change until a person has settled it.

use std::fs;
use std::path::{Path, PathBuf};

use dsg_store::error::Code;
use dsg_store::sync::SyncOutcome;

use super::actions;
use super::client::Client;
use super::disk;
use super::resolve::Patience;
use super::view::{Identity, State};
use super::world::{Checked, World, in_one_thread, one_sync};

#[derive(Clone, Copy, PartialEq, Eq)]
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
        if self.sync_resolving(at, Patience::Human)?.is_none() {
            return Ok(());
        }
        let kind = self.random.weighted(&KINDS);
        let remote = self.oracle.check()?.state;
        let Some(path) = self.target(at, kind, &remote) else { return Ok(()) };
        let place = self.folder.path().join("srv/p").join(&path);
        let aside = self.folder.path().join("aside");
        self.say(format!("a foreigner edits {} in the repository", path.display()));
        make(kind, &place, &aside);
        let noticed = self
            .check_notices(kind, &path)
            .and_then(|()| self.writer_is_stopped(at, &path))
            .and_then(|()| self.reader_gets_right_bytes_or_none(&remote));
        disk::remove(&place);
        if kind != Foreign::Stranger {
            fs::rename(&aside, &place).expect("renames");
        }
        noticed?;
        self.say("the foreigner undoes that");
        self.sync_resolving(at, Patience::Endless).map(|_| ())
    }

    /// A file that the newest state and the client have, or a place for a stranger beside one.
    fn target(&mut self, at: usize, kind: Foreign, remote: &State) -> Option<PathBuf> {
        let view = self.clients[at].view();
        let candidates: Vec<PathBuf> = view
            .accepted
            .iter()
            .filter(|(key, (path, identity))| {
                let is_file = matches!(identity, Identity::File(..));
                is_file && view.tree[path].size > 0 && remote.get(*key) == Some(identity)
            })
            .map(|(key, _)| PathBuf::from(key))
            .collect();
        let path = self.random.pick(&candidates)?.clone();
        match kind {
            Foreign::Stranger => Some(path.with_file_name(self.fresh_name())),
            _ => Some(path),
        }
    }

    fn check_notices(&self, kind: Foreign, path: &Path) -> Checked {
        match kind {
            // A file of which no snapshot knows damages nothing.
            Foreign::Stranger => self.verify(&[]),
            _ => self.verify(&[&path.display().to_string()]),
        }
    }

    /// Who changes that very path is stopped, with nothing changed on either side.
    fn writer_is_stopped(&mut self, at: usize, path: &Path) -> Checked {
        let client = &mut self.clients[at];
        let view = client.view();
        let here = path.to_str().and_then(|key| view.find(key)).unwrap_or(path).to_owned();
        if !client.make_way(&here, false) {
            return Ok(());
        }
        actions::write_fresh(client, &mut self.contents, &mut self.random, &here);
        let root = self.folder.path().join("srv/p");
        let before = (client.tree(), disk::walk(&root, &[".dsg-repository"]));
        let result = in_one_thread(|| one_sync(&self.clients[at], None));
        match result {
            Err(error) if error.code == Code::ForeignEdit => {}
            other => return Err(format!("NOT NOTICED: {} gives {other:?}", path.display())),
        }
        let after = (self.clients[at].tree(), disk::walk(&root, &[".dsg-repository"]));
        if before == after {
            Ok(())
        } else {
            Err(format!("CHANGED: by a sync that was stopped at {}", path.display()))
        }
    }

    /// Who joins now gets the right bytes of everything, or an error and nothing.
    fn reader_gets_right_bytes_or_none(&mut self, remote: &State) -> Checked {
        let reader = Client::create("reader", self.folder.path());
        let result = in_one_thread(|| one_sync(&reader, None));
        let state = reader.view().state();
        disk::remove(&reader.root);
        let expected = match &result {
            Ok(SyncOutcome::Done(_)) => {
                let mut expected = remote.clone();
                expected.retain(|key, _| super::names::tracked(reader.data, key));
                expected
            }
            Err(error) if error.code == Code::ContentDamaged => State::new(),
            _ => return Err(format!("ERROR without reason: {result:?}")),
        };
        if state == expected {
            Ok(())
        } else {
            Err(format!("WRONG BYTES: who joined got {state:?} by {result:?}"))
        }
    }
}

fn make(kind: Foreign, place: &Path, aside: &Path) {
    if kind == Foreign::Stranger {
        fs::write(place, "a stranger").expect("writes");
        return;
    }
    let mut bytes = fs::read(place).expect("reads");
    let modified = fs::metadata(place).and_then(|file| file.modified()).expect("looks");
    fs::rename(place, aside).expect("renames");
    match kind {
        Foreign::Directory => fs::create_dir(place).expect("creates"),
        Foreign::Bytes | Foreign::SameSizeAndTime => {
            bytes[0] ^= 1;
            if kind == Foreign::Bytes {
                bytes.push(b'!');
            }
            fs::write(place, bytes).expect("writes");
            if kind == Foreign::SameSizeAndTime {
                let file = fs::File::options().append(true).open(place).expect("opens");
                file.set_modified(modified).expect("sets the time");
            }
        }
        Foreign::Removed | Foreign::Stranger => {}
    }
}
