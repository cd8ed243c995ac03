//! An upload: contents come in, in their order and without being asked for, then the commit.
//!
//! A content that can't be taken is answered once; what the client had sent meanwhile is read and
//! thrown away. The repository hashes what lands, so the client's word for a content is only
//! compared with that.

use std::collections::HashSet;

use dsg_core::hash::ContentHash;
use dsg_core::path::RepoPath;
use dsg_core::snapshot::TransactionId;

use super::incoming::Incoming;
use super::output::{Quiet, Telling};
use super::session::{Session, too_much, weight};
use super::{Served, Trouble, gone, unexpected};
use crate::error::{Code, Error, Result};
use crate::remote::message::{Answer, PutContent, Request};
use crate::remote::wire::Bytes;
use crate::repository::{
    CommitAnswer, CommitRequest, Lane, NewEntry, Patches, PathChange, Piece, Put, Received, Source,
    Upload, Wanted, path_mark,
};
use crate::system::Reader;

/// The most memory that the paths of one commit may take.
const CHANGES_BYTES_MAX: usize = 1 << 30;
/// How many left-over contents go into a message.
const LEFT_OVER_EACH: usize = 1024;

impl Session<'_> {
    pub(super) fn uploading(
        &mut self,
        id: u32,
        transaction: &TransactionId,
        unfinished: &[TransactionId],
        files: u64,
    ) -> Served<()> {
        let repository = self.repository;
        let upload = repository.begin(transaction, unfinished, files)?;
        let mut lane = upload.lane()?;
        if !unfinished.is_empty() {
            for part in upload.left_over()?.chunks(LEFT_OVER_EACH) {
                self.output.send(id, &Answer::LeftOver { contents: part.to_vec() })?;
            }
        }
        self.done(id)?;
        let mut refused = false;
        let mut changes = Vec::new();
        let mut bytes = 0;
        loop {
            let (request_id, request) = self.incoming.next()?;
            match request {
                Request::Put { put } if refused => {
                    drop(put);
                    self.drain()?;
                }
                Request::Put { put } => {
                    let taken = self.put(request_id, upload.as_ref(), lane.as_mut(), &put);
                    if let Err(Trouble::Answer(error)) = &taken {
                        refused = true;
                        self.output.fail(id, error)?;
                    }
                    if let Err(Trouble::Gone(_)) = taken {
                        return taken;
                    }
                }
                Request::Changes { changes: mut more } => {
                    bytes += more.iter().map(weight).sum::<usize>();
                    if bytes > CHANGES_BYTES_MAX {
                        return Err(unexpected(&too_much("paths").what));
                    }
                    changes.append(&mut more);
                }
                Request::Commit { .. } if refused => {
                    let error = Error::new(Code::Protocol, "a content did not arrive")
                        .next("run the command again");
                    self.output.fail(request_id, &error)?;
                }
                Request::Commit { expected, message, configuration } => {
                    let request = CommitRequest {
                        expected,
                        changes: std::mem::take(&mut changes),
                        message,
                        configuration: serde_json::from_slice(&configuration.0)
                            .map_err(|_| unexpected("a configuration that is none"))?,
                    };
                    bytes = 0;
                    let answered = self.commit(request_id, upload.as_ref(), &request);
                    self.told(request_id, answered)?;
                }
                Request::Forget { marks } => {
                    let forgotten: HashSet<_> = marks.into_iter().collect();
                    upload.forget_left_over(&|mark| {
                        (!forgotten.contains(mark)).then_some(u64::MAX)
                    })?;
                }
                Request::EndUpload => return Ok(()),
                Request::Begin { .. } => return Err(unexpected("an upload inside of an upload")),
                other => {
                    let answered = self.answer(request_id, other);
                    self.told(request_id, answered)?;
                }
            }
        }
    }

    fn commit(&self, id: u32, upload: &dyn Upload, request: &CommitRequest) -> Served<()> {
        for change in &request.changes {
            refuse_change(change)?;
        }
        let monitor = Telling::new(self.output, id, self.incoming.gone());
        let answer = match upload.commit(request, &monitor)? {
            CommitAnswer::Moved => Answer::Moved,
            CommitAnswer::Committed(head) => {
                let documents = self.repository.documents(head.number, head.number)?;
                match documents.into_iter().next() {
                    Some((_, bytes)) => Answer::Committed { document: Bytes(bytes) },
                    None => return Err(gone()),
                }
            }
        };
        self.output.send(id, &answer)?;
        self.output.flush()
    }

    /// Takes one content. In any case all messages of it are read.
    fn put(
        &self,
        id: u32,
        upload: &dyn Upload,
        lane: &mut dyn Lane,
        content: &PutContent,
    ) -> Served<()> {
        let mut arriving = Arriving::new(self.incoming, content.expected);
        let landed = self.land(upload, lane, content, &mut arriving);
        arriving.read_rest()?;
        let Some((size, hash)) = arriving.ended else {
            // The client took it back, and does not wait for an answer.
            return Ok(());
        };
        let as_sent = |received: &Received| received.hash == hash && received.size == size;
        let difference = content.base.is_some();
        match landed? {
            Some(received) if as_sent(&received) => {
                if difference {
                    self.output.send(id, &Answer::Landed)?;
                    self.output.flush()?;
                }
                Ok(())
            }
            _ if difference => {
                self.output.send(id, &Answer::Resend)?;
                self.output.flush()
            }
            _ => Err(Error::new(
                Code::ContentDamaged,
                format!("the bytes of {} changed on their way", content.path),
            )
            .about([&content.path])
            .next("run the command again")
            .into()),
        }
    }

    /// `None` when what it is a difference to is not here.
    fn land(
        &self,
        upload: &dyn Upload,
        lane: &mut dyn Lane,
        content: &PutContent,
        arriving: &mut Arriving<'_>,
    ) -> Result<Option<Received>> {
        refuse_path(&content.path)?;
        let put = Put {
            path: &content.path,
            executable: content.executable,
            modified: content.modified,
            base: None,
        };
        let monitor = Quiet(self.incoming.gone());
        if let Some((hash, size)) = content.base {
            let wanted = Wanted { hash, size, path: &content.path };
            let Some(base) = self.repository.open_unproven(&wanted)? else { return Ok(None) };
            let mut source = Difference { arriving, base, piece: Vec::new() };
            return lane.put(&put, &mut source, &monitor).map(Some);
        }
        if content.left_over > 0 {
            let Some(file) = upload.open_left_over(&path_mark(&content.path))? else {
                return Ok(None);
            };
            let whole =
                content.left_over == content.expected && content.left_over == file.opened().size;
            let mut source = Resumed { arriving, left: content.left_over, file, whole };
            return lane.put(&put, &mut source, &monitor).map(Some);
        }
        lane.put(&put, arriving, &monitor).map(Some)
    }

    /// Reads what belongs to a content that is not taken.
    fn drain(&self) -> Served<()> {
        Arriving::new(self.incoming, 0).read_rest()
    }
}

/// What a client may name in a commit. What is hidden belongs to programs, the repository's own
/// directory first of all; a link must lead nowhere outside.
fn refuse_change(change: &PathChange) -> Result<()> {
    refuse_path(&change.path)?;
    let Some(NewEntry::Link { target }) = &change.new else { return Ok(()) };
    match dsg_core::link::check(&change.path, target) {
        Ok(_) => Ok(()),
        Err(why) => Err(Error::new(
            Code::RoleDenied,
            format!("{} is no link that can be shared", change.path),
        )
        .because(why)
        .about([&change.path])
        .next("make it point inside of the project, or leave it out")),
    }
}

pub(super) fn refuse_path(path: &RepoPath) -> Result<()> {
    let refused = |why: String| {
        Err(Error::new(Code::RoleDenied, format!("{path} can't be part of a repository"))
            .because(why)
            .about([path])
            .next("use a dsg of the version that the server has"))
    };
    if path.components().any(|name| name.starts_with('.')) {
        return refused("a part of it is hidden".to_owned());
    }
    Ok(())
}

/// A content as it arrives.
struct Arriving<'a> {
    incoming: &'a Incoming,
    expected: u64,
    bytes: Vec<u8>,
    at: usize,
    /// How many bytes it has and their hash, as the client says at the end.
    ended: Option<(u64, ContentHash)>,
    stopped: bool,
    /// The connection, or what came over it, makes no sense any more.
    trouble: Option<Trouble>,
}

enum Arrived {
    Bytes(Vec<u8>),
    Old { offset: u64, length: u64 },
}

impl<'a> Arriving<'a> {
    fn new(incoming: &'a Incoming, expected: u64) -> Self {
        Self {
            incoming,
            expected,
            bytes: Vec::new(),
            at: 0,
            ended: None,
            stopped: false,
            trouble: None,
        }
    }

    fn next(&mut self) -> Served<Option<Arrived>> {
        if self.ended.is_some() || self.stopped {
            return Ok(None);
        }
        match self.incoming.next()?.1 {
            Request::Data { bytes } => Ok(Some(Arrived::Bytes(bytes.0))),
            Request::Old { offset, length } => Ok(Some(Arrived::Old { offset, length })),
            Request::PutEnd { size, hash } => {
                self.ended = Some((size, hash));
                Ok(None)
            }
            Request::PutStop => {
                self.stopped = true;
                Ok(None)
            }
            _ => Err(unexpected("inside of a content")),
        }
    }

    /// As [`next`](Self::next), for those who know only errors.
    fn piece(&mut self) -> Result<Option<Arrived>> {
        match self.next() {
            Ok(None) if self.stopped => {
                Err(Error::new(Code::Interrupted, "the client took a content back"))
            }
            Ok(piece) => Ok(piece),
            Err(trouble) => {
                self.trouble = Some(trouble);
                Err(Error::interrupted())
            }
        }
    }

    fn read_rest(&mut self) -> Served<()> {
        if let Some(trouble) = self.trouble.take() {
            return Err(trouble);
        }
        while self.next()?.is_some() {}
        Ok(())
    }
}

impl Source for Arriving<'_> {
    fn expected(&self) -> u64 {
        self.expected
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        while self.at == self.bytes.len() {
            match self.piece()? {
                None => return Ok(0),
                Some(Arrived::Bytes(bytes)) => (self.bytes, self.at) = (bytes, 0),
                Some(Arrived::Old { .. }) => {
                    self.trouble = Some(unexpected("old bytes of nothing"));
                    return Err(Error::interrupted());
                }
            }
        }
        let count = buffer.len().min(self.bytes.len() - self.at);
        buffer[..count].copy_from_slice(&self.bytes[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }

    fn file(&mut self) -> Option<&mut Reader> {
        None
    }
}

/// A content whose beginning an earlier upload brought.
struct Resumed<'a, 'b> {
    arriving: &'a mut Arriving<'b>,
    file: Reader,
    left: u64,
    /// All of it is there.
    whole: bool,
}

impl Source for Resumed<'_, '_> {
    fn expected(&self) -> u64 {
        self.arriving.expected
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if self.left > 0 {
            let count = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
            let read = self.file.read(&mut buffer[..count])?;
            if read > 0 {
                self.left -= read as u64;
                return Ok(read);
            }
            self.left = 0;
        }
        self.arriving.read(buffer)
    }

    fn file(&mut self) -> Option<&mut Reader> {
        if self.whole { Some(&mut self.file) } else { None }
    }

    fn uses_left_over(&self) -> bool {
        true
    }
}

/// A content that comes as the difference to an older one.
struct Difference<'a, 'b> {
    arriving: &'a mut Arriving<'b>,
    base: Reader,
    piece: Vec<u8>,
}

impl Source for Difference<'_, '_> {
    fn expected(&self) -> u64 {
        self.arriving.expected
    }

    fn read(&mut self, _buffer: &mut [u8]) -> Result<usize> {
        // Whoever takes a content asks for its pieces first.
        Err(Error::new(Code::NotSupported, "this repository takes no differences"))
    }

    fn file(&mut self) -> Option<&mut Reader> {
        None
    }

    fn patches(&mut self) -> Option<&mut dyn Patches> {
        Some(self)
    }
}

impl Patches for Difference<'_, '_> {
    fn base(&mut self) -> &mut Reader {
        &mut self.base
    }

    fn next(&mut self) -> Result<Option<Piece<'_>>> {
        match self.arriving.piece()? {
            None => Ok(None),
            Some(Arrived::Old { offset, length }) => {
                let end = offset.checked_add(length);
                if end.is_none_or(|end| end > self.base.opened().size) {
                    return Err(Error::new(
                        Code::Protocol,
                        "old bytes lie behind the end of the old content",
                    ));
                }
                Ok(Some(Piece::Old { offset, length }))
            }
            Some(Arrived::Bytes(bytes)) => {
                self.piece = bytes;
                Ok(Some(Piece::New(&self.piece)))
            }
        }
    }
}
