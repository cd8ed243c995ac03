//! Reading a content by its hash. The visible tree is a checkout, not the truth: its bytes are used
//! when they hash right, and never on the word of a name.

use std::path::Path;

use dsg_core::hash::ContentHash;

use super::layout::{LocalRepository, STAGED_PACK};
use super::pack::Pack;
use super::steps::CommitStep;
use super::{Target, Wanted};
use crate::copy;
use crate::error::{Code, Error, Result};
use crate::monitor::Monitor;
use crate::system::{Parents, Reader, present};

impl LocalRepository {
    /// See [`Repository::read`](super::Repository::read).
    pub(super) fn read_content(
        &self,
        wanted: &Wanted<'_>,
        target: &mut dyn Target,
        monitor: &dyn Monitor,
    ) -> Result<()> {
        let mut buffer = Vec::new();
        let mut from = |source: Option<Reader>| -> Result<bool> {
            let Some(mut source) = source else { return Ok(false) };
            if source.status()?.size != wanted.size {
                return Ok(false);
            }
            let landed =
                copy::copy(&mut source, target, &mut buffer, &|bytes| monitor.advance(0, bytes))?;
            if landed.hash == wanted.hash {
                return Ok(true);
            }
            target.start_again()?;
            Ok(false)
        };
        // A commit may move a content from its path to `objects/` between two looks; looking twice
        // sees it in one place or the other.
        for _ in 0..2 {
            if from(self.visible_file(wanted.path.as_str())?)?
                || from(self.object_file(wanted.hash)?)?
            {
                return Ok(());
            }
            if from(self.half_placed(wanted)?)? {
                return Ok(());
            }
        }
        if self.offer_kept(wanted, &mut |file| from(Some(file)))? {
            return Ok(());
        }
        Err(Error::new(Code::ContentDamaged, format!("the repository has no intact copy of {}", wanted.path))
            .because(format!("no file there has the bytes of {}", wanted.hash.short()))
            .about([wanted.path])
            .next("run `dsg validate-chain` to see what is affected, and `dsg doctor` if somebody edited files in the repository; a project that still has the file can restore it with `dsg doctor --restore PATH`"))
    }

    /// See [`Repository::open_unproven`](super::Repository::open_unproven).
    pub(super) fn find_content(&self, wanted: &Wanted<'_>) -> Result<Option<Reader>> {
        // By its hash first: the path may have another content of the same length by now.
        for file in [self.object_file(wanted.hash)?, self.visible_file(wanted.path.as_str())?] {
            if let Some(file) = file
                && file.opened().size == wanted.size
            {
                return Ok(Some(file));
            }
        }
        Ok(None)
    }

    fn visible_file(&self, path: &str) -> Result<Option<Reader>> {
        let mut parents = Parents::new(&self.root);
        let Some((directory, name)) = present(parents.of(Path::new(path)))? else {
            return Ok(None);
        };
        // A link or a directory where the file was is simply not it.
        match directory.open_file(name) {
            Ok(reader) => Ok(Some(reader)),
            Err(error) if error.is_denied() => Err(error.into()),
            Err(_) => Ok(None),
        }
    }

    /// A content that is no longer at a path of the head.
    pub(super) fn object_file(&self, hash: ContentHash) -> Result<Option<Reader>> {
        Ok(present(self.objects.open_file(hash.to_string()))?)
    }

    /// The head was committed but its files are not all in place: another process is at it, or a
    /// crash cut it off. Readers don't recover, they look where the file still is.
    fn half_placed(&self, wanted: &Wanted<'_>) -> Result<Option<Reader>> {
        let Some(head) = self.read_head()? else { return Ok(None) };
        let transaction = self.document(head.number)?.0.transaction;
        let Some(staging) = present(self.staging()?.directory(transaction.to_string()))? else {
            return Ok(None);
        };
        let Some(pack) = Pack::open(&staging, STAGED_PACK)? else { return Ok(None) };
        let path = wanted.path.as_str();
        for step in pack.steps()? {
            let CommitStep::Place { path: top, staged, directory, .. } = step else { continue };
            let rest = match path.strip_prefix(top.as_str()) {
                Some("") if !directory => "",
                Some(rest) if directory && rest.starts_with('/') => rest,
                _ => continue,
            };
            let at = format!("{staged}{rest}");
            let mut parents = Parents::new(&staging);
            if let Some((directory, name)) = present(parents.of(Path::new(&at)))? {
                return Ok(present(directory.open_file(name))?);
            }
        }
        Ok(None)
    }
}
