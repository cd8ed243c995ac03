//! Contents from the server: asked for all at once, proven one by one as they land.
//!
//! Of a large one the server sends only what is not here: it is told what is. What comes of that is
//! hashed like all else, and if it is not the content after all, all of it is asked for.

use std::collections::BTreeMap;

use rayon::prelude::*;

use dsg_core::hash::ContentHash;

use super::RemoteRepository;
use super::connection::Waiting;
use crate::copy::copy;
use crate::error::{Code, Error, Result};
use crate::monitor::{Monitor, check_stop};
use crate::remote::message::{Answer, Request, WantedContent};
use crate::repository::{Has, Patches, Piece, Receiver, Source, Target, Wanted};
use crate::system::{COPY_BUFFER_BYTES, Reader};

/// How many wishes go into a message.
const WANT_EACH: usize = 512;
/// So much of small contents is gathered, then written by all cores.
const BATCH_BYTES: usize = 8 << 20;
/// And so many of them.
const BATCH_COUNT: usize = 256;

/// A content on its way.
struct Landing {
    size: u64,
    hasher: blake3::Hasher,
}

impl Landing {
    fn new() -> Self {
        Self { size: 0, hasher: blake3::Hasher::new() }
    }

    fn take(&mut self, bytes: &[u8], wanted: &Wanted<'_>) -> Result<()> {
        self.size += bytes.len() as u64;
        if self.size > wanted.size {
            return Err(wrong(wanted));
        }
        self.hasher.update(bytes);
        Ok(())
    }

    /// The bytes that a file begins with.
    fn take_beginning(&mut self, file: &Reader, size: u64, monitor: &dyn Monitor) -> Result<()> {
        let mut buffer = vec![0; COPY_BUFFER_BYTES];
        while self.size < size {
            check_stop(monitor)?;
            let left = usize::try_from(size - self.size).unwrap_or(usize::MAX).min(buffer.len());
            let read = file.read_at(&mut buffer[..left], self.size)?;
            if read == 0 {
                break;
            }
            self.hasher.update(&buffer[..read]);
            self.size += read as u64;
            monitor.advance(0, read as u64);
        }
        Ok(())
    }

    fn is(&self, wanted: &Wanted<'_>) -> bool {
        let hash = ContentHash::from_bytes(*self.hasher.finalize().as_bytes());
        self.size == wanted.size && hash == wanted.hash
    }

    fn prove(&self, wanted: &Wanted<'_>) -> Result<()> {
        if self.is(wanted) { Ok(()) } else { Err(wrong(wanted)) }
    }
}

fn wrong(wanted: &Wanted<'_>) -> Error {
    Error::new(Code::ContentDamaged, format!("the server sent other bytes for {}", wanted.path))
        .because(format!("they are not those of {}", wanted.hash.short()))
        .about([wanted.path])
        .next("nothing was changed; run `dsg validate-chain`, and tell the data manager")
}

impl RemoteRepository {
    fn want(&self, wanted: &[Wanted<'_>], has: &BTreeMap<usize, Has>) -> Result<Waiting<'_>> {
        let waiting = self.connection.open();
        for part in wanted.chunks(WANT_EACH) {
            let contents = part.iter().map(wish).collect();
            self.connection.tell(waiting.id, &Request::Want { contents })?;
        }
        for (number, has) in has {
            let number = *number as u64;
            let known = match *has {
                Has::Beginning(size) => Request::Begun { number, size },
                Has::Older(hash, size) => Request::Older { number, hash, size },
            };
            self.connection.tell(waiting.id, &known)?;
        }
        self.connection.tell(waiting.id, &Request::Read)?;
        self.connection.flush()?;
        self.connection.count_round_trip();
        Ok(waiting)
    }

    pub(super) fn read_one(
        &self,
        wanted: &Wanted<'_>,
        target: &mut dyn Target,
        monitor: &dyn Monitor,
    ) -> Result<()> {
        let waiting = self.want(std::slice::from_ref(wanted), &BTreeMap::new())?;
        let mut landing = Landing::new();
        loop {
            check_stop(monitor)?;
            match waiting.next(monitor)? {
                Answer::Content { number: 0 } => {}
                Answer::Data { bytes } => {
                    landing.take(&bytes.0, wanted)?;
                    target.write_all(&bytes.0)?;
                    monitor.advance(0, bytes.0.len() as u64);
                }
                Answer::Again => {
                    landing = Landing::new();
                    target.start_again()?;
                }
                Answer::ContentEnd => landing.prove(wanted)?,
                Answer::Done => return landing.prove(wanted),
                _ => return Err(self.connection.nonsense()),
            }
        }
    }

    pub(super) fn read_all(
        &self,
        wanted: &[Wanted<'_>],
        receiver: &dyn Receiver,
        monitor: &dyn Monitor,
    ) -> Result<()> {
        if wanted.is_empty() {
            return Ok(());
        }
        let has = (0..wanted.len()).filter_map(|number| Some((number, receiver.has(number)?)));
        let has: BTreeMap<usize, Has> = has.collect();
        let waiting = self.want(wanted, &has)?;
        let mut batch = Batch { wanted, receiver, monitor, contents: Vec::new(), bytes: 0 };
        let mut again = Vec::new();
        for (number, content) in wanted.iter().enumerate() {
            check_stop(monitor)?;
            match waiting.next(monitor)? {
                Answer::Content { number: found } if found == number as u64 => {}
                _ => return Err(self.connection.nonsense()),
            }
            let is_it = match has.get(&number) {
                None if content.size <= BATCH_BYTES as u64 => {
                    let bytes = self.small(&waiting, content, monitor)?;
                    batch.push(number, bytes)?;
                    true
                }
                has => {
                    // What came before is kept, however long this one takes.
                    batch.write()?;
                    match has {
                        None => self.large(&waiting, number, None, &batch)?,
                        Some(Has::Beginning(size)) => {
                            self.large(&waiting, number, Some(*size), &batch)?
                        }
                        Some(Has::Older(..)) => self.difference(&waiting, number, &batch)?,
                    }
                }
            };
            if !is_it {
                again.push(number);
            }
        }
        batch.write()?;
        match waiting.next(monitor)? {
            Answer::Done => {}
            _ => return Err(self.connection.nonsense()),
        }
        for number in again {
            let mut writer = receiver.reopen(number)?;
            writer.start_again()?;
            self.read_one(&wanted[number], &mut writer, monitor)?;
            receiver.finish(number, writer)?;
        }
        Ok(())
    }

    fn small(
        &self,
        waiting: &Waiting<'_>,
        wanted: &Wanted<'_>,
        monitor: &dyn Monitor,
    ) -> Result<Vec<u8>> {
        let mut all = Vec::new();
        loop {
            match waiting.next(monitor)? {
                Answer::Data { bytes } => {
                    if (all.len() + bytes.0.len()) as u64 > wanted.size {
                        return Err(wrong(wanted));
                    }
                    if all.is_empty() {
                        all = bytes.0;
                    } else {
                        all.extend_from_slice(&bytes.0);
                    }
                }
                Answer::Again => all.clear(),
                Answer::ContentEnd => return Ok(all),
                _ => return Err(self.connection.nonsense()),
            }
        }
    }

    /// A content that is written as it comes; `begun` bytes of it are here. Says whether what was here
    /// is its beginning.
    fn large(
        &self,
        waiting: &Waiting<'_>,
        number: usize,
        begun: Option<u64>,
        batch: &Batch<'_>,
    ) -> Result<bool> {
        let (wanted, monitor) = (&batch.wanted[number], batch.monitor);
        let mut writer = match begun {
            Some(_) => batch.receiver.begun(number)?,
            None => batch.receiver.create(number)?,
        };
        let mut landing = Landing::new();
        let mut resumed = false;
        loop {
            check_stop(monitor)?;
            match waiting.next(monitor)? {
                Answer::Old { offset: 0, length } if begun == Some(length) && !resumed => {
                    landing.take_beginning(&writer.reader()?, length, monitor)?;
                    writer.go_on_at(landing.size)?;
                    resumed = true;
                }
                Answer::Data { bytes } => {
                    if landing.size == 0 && begun.is_some() {
                        writer.start_again()?;
                    }
                    landing.take(&bytes.0, wanted)?;
                    writer.write_all(&bytes.0)?;
                    monitor.advance(0, bytes.0.len() as u64);
                }
                Answer::Again => {
                    landing = Landing::new();
                    writer.start_again()?;
                }
                Answer::ContentEnd => break,
                _ => return Err(self.connection.nonsense()),
            }
        }
        if resumed && !landing.is(wanted) {
            return Ok(false);
        }
        landing.prove(wanted)?;
        batch.receiver.finish(number, writer).map(|()| true)
    }

    /// A content that comes as the difference to an older one. Says whether what came of it is the
    /// content.
    fn difference(&self, waiting: &Waiting<'_>, number: usize, batch: &Batch<'_>) -> Result<bool> {
        let (wanted, monitor) = (&batch.wanted[number], batch.monitor);
        let mut writer = batch.receiver.create(number)?;
        let Some(base) = batch.receiver.older(number)? else {
            self.skip(waiting, monitor)?;
            return Ok(false);
        };
        let mut source = Difference {
            repository: self,
            waiting,
            monitor,
            wanted,
            base,
            piece: Vec::new(),
            size: 0,
        };
        let progress = |bytes| monitor.advance(0, bytes);
        let landed = copy(&mut source, &mut writer, &mut Vec::new(), &progress)?;
        if landed.hash != wanted.hash || landed.size != wanted.size {
            return Ok(false);
        }
        batch.receiver.finish(number, writer).map(|()| true)
    }

    /// Passes over what is left of a content.
    fn skip(&self, waiting: &Waiting<'_>, monitor: &dyn Monitor) -> Result<()> {
        loop {
            check_stop(monitor)?;
            match waiting.next(monitor)? {
                Answer::Old { .. } | Answer::Data { .. } | Answer::Again => {}
                Answer::ContentEnd => return Ok(()),
                _ => return Err(self.connection.nonsense()),
            }
        }
    }
}

/// A content that comes as the difference to an older one, which is here.
struct Difference<'a> {
    repository: &'a RemoteRepository,
    waiting: &'a Waiting<'a>,
    monitor: &'a dyn Monitor,
    wanted: &'a Wanted<'a>,
    base: Reader,
    piece: Vec<u8>,
    size: u64,
}

impl Difference<'_> {
    /// No more than the content has is written, whatever comes.
    fn grow(&mut self, bytes: u64) -> Result<()> {
        self.size = self.size.saturating_add(bytes);
        if self.size > self.wanted.size { Err(wrong(self.wanted)) } else { Ok(()) }
    }
}

impl Source for Difference<'_> {
    fn expected(&self) -> u64 {
        self.wanted.size
    }

    fn read(&mut self, _buffer: &mut [u8]) -> Result<usize> {
        // It is written into a file, and that asks for the pieces.
        Err(Error::new(Code::NotSupported, "a difference can't be read from start to end"))
    }

    fn file(&mut self) -> Option<&mut Reader> {
        None
    }

    fn patches(&mut self) -> Option<&mut dyn Patches> {
        Some(self)
    }
}

impl Patches for Difference<'_> {
    fn base(&mut self) -> &mut Reader {
        &mut self.base
    }

    fn next(&mut self) -> Result<Option<Piece<'_>>> {
        check_stop(self.monitor)?;
        match self.waiting.next(self.monitor)? {
            Answer::Old { offset, length } => {
                let end = offset.checked_add(length);
                if end.is_none_or(|end| end > self.base.opened().size) {
                    return Err(self.repository.connection.nonsense());
                }
                self.grow(length)?;
                Ok(Some(Piece::Old { offset, length }))
            }
            Answer::Data { bytes } => {
                self.grow(bytes.0.len() as u64)?;
                self.piece = bytes.0;
                Ok(Some(Piece::New(&self.piece)))
            }
            // Its copy was damaged, and another follows. What came of this one is not the content, so
            // that all of it will be asked for.
            Answer::Again => self.repository.skip(self.waiting, self.monitor).map(|()| None),
            Answer::ContentEnd => Ok(None),
            _ => Err(self.repository.connection.nonsense()),
        }
    }
}

pub(super) fn wish(wanted: &Wanted<'_>) -> WantedContent {
    WantedContent { hash: wanted.hash, size: wanted.size, path: wanted.path.clone() }
}

/// Small contents that have come and are not written yet.
struct Batch<'a> {
    wanted: &'a [Wanted<'a>],
    receiver: &'a dyn Receiver,
    monitor: &'a dyn Monitor,
    contents: Vec<(usize, Vec<u8>)>,
    bytes: usize,
}

impl Batch<'_> {
    fn push(&mut self, number: usize, bytes: Vec<u8>) -> Result<()> {
        self.bytes += bytes.len();
        self.contents.push((number, bytes));
        if self.bytes >= BATCH_BYTES || self.contents.len() >= BATCH_COUNT {
            return self.write();
        }
        Ok(())
    }

    fn write(&mut self) -> Result<()> {
        self.bytes = 0;
        let contents = std::mem::take(&mut self.contents);
        let (wanted, receiver, monitor) = (self.wanted, self.receiver, self.monitor);
        contents.into_par_iter().try_for_each(|(number, bytes)| {
            let wanted = &wanted[number];
            let mut landing = Landing::new();
            landing.take(&bytes, wanted)?;
            landing.prove(wanted)?;
            let mut writer = receiver.create(number)?;
            writer.write_all(&bytes)?;
            monitor.advance(0, bytes.len() as u64);
            receiver.finish(number, writer)
        })
    }
}
