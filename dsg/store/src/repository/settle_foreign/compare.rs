//! Finding out how the visible tree differs from the newest snapshot.

use std::collections::BTreeMap;
use std::path::Path;

use dsg_core::entry::Entry;
use dsg_core::path::RepoPath;
use rayon::prelude::*;

use super::super::layout::LocalRepository;
use super::super::refusals::foreign;
use super::super::{Head, Repository as _};
use super::{Foreign, Visible};
use crate::error::{Code, Error, Result};
use crate::monitor::{Monitor, Phase, check_stop};
use crate::system::{Directory, Kind, Parents, present};

impl LocalRepository {
    /// The paths among `paths`, or below them, that are not what the head says.
    pub(super) fn foreign(
        &self,
        head: &Head,
        paths: &[RepoPath],
        monitor: &dyn Monitor,
    ) -> Result<Vec<Foreign>> {
        let mut wanted: BTreeMap<RepoPath, Option<Entry>> = BTreeMap::new();
        let mut all = None;
        for path in paths {
            let entry = self.entry(head.number, path)?;
            let now = self.visible_kind(path)?;
            let is_plain = entry.is_some() && matches!(now, Some(Kind::File | Kind::Link));
            if !is_plain {
                if all.is_none() {
                    all = Some(self.differences(None, Some(head.number))?);
                }
                let changes = all.iter().flatten().filter(|change| change.path.is_below(path));
                for change in changes {
                    wanted.insert(change.path.clone(), change.new.clone());
                }
                if now == Some(Kind::Directory) {
                    self.list_below(path, &mut wanted)?;
                }
            }
            let is_directory = now == Some(Kind::Directory) && entry.is_none();
            let something =
                entry.is_some() || now.is_some() || wanted.keys().any(|p| p.is_below(path));
            if !something {
                return Err(Error::new(
                    Code::NotFound,
                    format!("the repository has nothing at {path}"),
                )
                .because("neither the newest snapshot nor the directory has it")
                .next("give the path of a file, relative to the project"));
            }
            if !is_directory && (entry.is_some() || now.is_some()) {
                wanted.insert(path.clone(), entry);
            }
        }
        self.compare(&Vec::from_iter(wanted), monitor)
    }

    fn visible_kind(&self, path: &RepoPath) -> Result<Option<Kind>> {
        let mut parents = Parents::new(&self.root);
        match present(parents.of(Path::new(path.as_str()))) {
            Ok(Some((directory, name))) => Ok(present(directory.status(name))?.map(|s| s.kind)),
            Ok(None) => Ok(None),
            // Behind a link nothing is ours.
            Err(error) if error.is_link_in_the_way() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Adds the files that lie below a directory of the visible tree.
    fn list_below(
        &self,
        top: &RepoPath,
        wanted: &mut BTreeMap<RepoPath, Option<Entry>>,
    ) -> Result<()> {
        let mut stack: Vec<(Directory, RepoPath)> = Vec::new();
        stack.extend(present(self.root.directory(top.as_str()))?.map(|found| (found, top.clone())));
        while let Some((directory, path)) = stack.pop() {
            for entry in directory.entries()? {
                let name = entry.name.to_string_lossy();
                if name.starts_with('.') {
                    continue;
                }
                let child = path.child(&name).ok().filter(|_| entry.name.to_str().is_some());
                let Some(child) = child else {
                    return Err(Error::new(
                        Code::NameCollision,
                        format!("the name of {path}/{name} can't be taken as it is"),
                    )
                    .because("it is no UTF-8 text in normal form C")
                    .next("rename or remove that file in the repository"));
                };
                if entry.kind == Kind::Directory {
                    stack.extend(
                        present(directory.directory(&entry.name))?.map(|found| (found, child)),
                    );
                } else {
                    wanted.entry(child).or_insert(None);
                }
            }
        }
        Ok(())
    }

    fn compare(
        &self,
        wanted: &[(RepoPath, Option<Entry>)],
        monitor: &dyn Monitor,
    ) -> Result<Vec<Foreign>> {
        let bytes = wanted.iter().filter_map(|(_, entry)| entry.as_ref()).map(Entry::size).sum();
        monitor.begin(Phase::Hashing, wanted.len() as u64, bytes);
        let found: Vec<Vec<Foreign>> = wanted
            .par_chunks(32)
            .map(|chunk| {
                let mut buffer = Vec::new();
                let mut found = Vec::new();
                for (path, old) in chunk {
                    check_stop(monitor)?;
                    let now = self.look_at(path, &mut buffer, monitor)?;
                    if now.identity() != old.as_ref().map(Entry::identity) {
                        found.push(Foreign { path: path.clone(), old: old.clone(), now });
                    }
                    monitor.advance(1, 0);
                }
                Ok(found)
            })
            .collect::<Result<_>>()?;
        Ok(found.into_iter().flatten().collect())
    }

    fn look_at(
        &self,
        path: &RepoPath,
        buffer: &mut Vec<u8>,
        monitor: &dyn Monitor,
    ) -> Result<Visible> {
        let mut parents = Parents::new(&self.root);
        let (directory, name) = match present(parents.of(Path::new(path.as_str()))) {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(Visible::Absent),
            Err(error) if error.is_link_in_the_way() => return Ok(Visible::Absent),
            Err(error) => return Err(error.into()),
        };
        let Some(status) = present(directory.status(name))? else { return Ok(Visible::Absent) };
        match status.kind {
            Kind::Directory => Ok(Visible::Directory(status)),
            Kind::Link => match directory.link_text(name)? {
                Some(target) => Ok(Visible::Link { target: target.into(), status }),
                None => Err(not_ours(path, "the link's text is no UTF-8")),
            },
            Kind::Other => Err(not_ours(path, "it is a socket, a pipe or a device")),
            Kind::File => {
                let reader = directory.open_file(name)?;
                let before = reader.status()?;
                let (hash, _) = reader.hash(buffer, &|bytes| monitor.advance(0, bytes))?;
                if reader.status()? != before || !before.same_contents(&status) {
                    return Err(foreign(path, "somebody is writing to it right now"));
                }
                Ok(Visible::File { hash, executable: before.executable(), status: before })
            }
        }
    }
}

fn not_ours(path: &RepoPath, why: &str) -> Error {
    Error::new(Code::ForeignEdit, format!("{path} in the repository can't become a version"))
        .because(why)
        .about([path])
        .next("remove it in the repository, then run `dsg doctor --restore PATH`")
}
