//! Contents for the client: all of each, or what it does not have.

use super::output::{Quiet, Sending};
use super::session::Session;
use super::upload::refuse_path;
use super::{Served, Trouble};
use crate::error::Result;
use crate::monitor::check_stop;
use crate::remote::chunks::{CHUNKED_BYTES_MIN, ChunkList, Places, difference};
use crate::remote::frame::PART_BYTES;
use crate::remote::message::{Answer, WantedContent};
use crate::remote::wire::Bytes;
use crate::repository::{Has, Piece, Repository, Target as _, Wanted};
use crate::system::{COPY_BUFFER_BYTES, Reader};

impl Session<'_> {
    /// Sends what was wanted.
    pub(super) fn read(&mut self, id: u32) -> Served<()> {
        let wanted = std::mem::take(&mut self.wanted);
        let has = std::mem::take(&mut self.has);
        for (number, content) in (0..).zip(&wanted) {
            // Before anything of it is sent: the bytes at a path are proven only on the way.
            refuse_path(&content.path)?;
            self.output.send(id, &Answer::Content { number })?;
            self.packer.begin();
            let stop = Quiet(self.incoming.gone());
            let mut target =
                Sending { output: self.output, id, packer: &mut self.packer, gone: false };
            let sent = match Lacking::of(self.repository, content, has.get(&number), &stop)? {
                Some(lacking) => lacking.send(&mut target, &stop),
                None => self.repository.read(&wish(content), &mut target, &stop),
            };
            match sent {
                Ok(()) => self.output.send(id, &Answer::ContentEnd)?,
                Err(error) if target.gone => return Err(Trouble::Gone(error)),
                Err(error) => return Err(error.into()),
            }
        }
        self.done(id)
    }

    /// The chunks of a content.
    pub(super) fn chunks(&self, id: u32, content: &WantedContent) -> Served<()> {
        refuse_path(&content.path)?;
        if let Some(mut file) = self.repository.open_unproven(&wish(content))? {
            let list = ChunkList::of(&mut file, &Quiet(self.incoming.gone()))?.encode();
            for part in list.chunks(PART_BYTES) {
                self.output.send(id, &Answer::Chunks { bytes: Bytes(part.to_vec()) })?;
            }
        }
        self.done(id)
    }
}

fn wish(content: &WantedContent) -> Wanted<'_> {
    Wanted { hash: content.hash, size: content.size, path: &content.path }
}

/// What the client does not have of a content. Nothing of it is proven here: the client hashes what
/// it makes of it, and asks for all of it if that is not the content.
enum Lacking {
    /// What comes after its beginning.
    Rest { file: Reader, from: u64, end: u64 },
    /// What an older content does not have.
    Difference { file: Reader, older: Places },
}

impl Lacking {
    /// `None` where all of it has to be sent.
    fn of(
        repository: &dyn Repository,
        content: &WantedContent,
        has: Option<&Has>,
        stop: &Quiet<'_>,
    ) -> Result<Option<Self>> {
        let large = |size: u64| size >= CHUNKED_BYTES_MIN;
        let open = |wanted: &Wanted<'_>| repository.open_unproven(wanted);
        match has {
            Some(Has::Beginning(from)) if *from <= content.size => {
                let (from, end) = (*from, content.size);
                Ok(open(&wish(content))?.map(|file| Self::Rest { file, from, end }))
            }
            Some(Has::Older(hash, size)) if large(*size) && large(content.size) => {
                let older = Wanted { hash: *hash, size: *size, path: &content.path };
                let (Some(mut older), Some(file)) = (open(&older)?, open(&wish(content))?) else {
                    return Ok(None);
                };
                let older = ChunkList::of(&mut older, stop)?.places();
                Ok(Some(Self::Difference { file, older }))
            }
            _ => Ok(None),
        }
    }

    fn send(self, target: &mut Sending<'_>, stop: &Quiet<'_>) -> Result<()> {
        match self {
            Self::Rest { file, from, end } => {
                target.old(0, from)?;
                let (mut buffer, mut at) = (vec![0; COPY_BUFFER_BYTES], from);
                while at < end {
                    let left = usize::try_from(end - at).unwrap_or(usize::MAX).min(buffer.len());
                    let read = file.read_at(&mut buffer[..left], at)?;
                    if read == 0 {
                        break;
                    }
                    target.write_all(&buffer[..read])?;
                    at += read as u64;
                }
                Ok(())
            }
            Self::Difference { mut file, older } => {
                let tell = &mut |piece: Piece<'_>| match piece {
                    Piece::Old { offset, length } => target.old(offset, length),
                    Piece::New(bytes) => target.write_all(bytes),
                };
                difference(&mut file, &older, &mut |_| check_stop(stop), tell).map(drop)
            }
        }
    }
}
