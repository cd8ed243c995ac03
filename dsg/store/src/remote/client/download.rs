//! Contents from the server: asked for all at once, proven one by one as they land.

use rayon::prelude::*;

use dsg_core::hash::ContentHash;

use super::RemoteRepository;
use super::connection::Waiting;
use crate::error::{Code, Error, Result};
use crate::monitor::{Monitor, check_stop};
use crate::remote::message::{Answer, Request, WantedContent};
use crate::repository::{Target, Wanted};
use crate::system::Writer;

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

    fn prove(&self, wanted: &Wanted<'_>) -> Result<()> {
        let hash = ContentHash::from_bytes(*self.hasher.finalize().as_bytes());
        if self.size == wanted.size && hash == wanted.hash { Ok(()) } else { Err(wrong(wanted)) }
    }
}

fn wrong(wanted: &Wanted<'_>) -> Error {
    Error::new(Code::ContentDamaged, format!("the server sent other bytes for {}", wanted.path))
        .because(format!("they are not those of {}", wanted.hash.short()))
        .about([wanted.path])
        .next("nothing was changed; run `dsg validate-chain`, and tell the data manager")
}

impl RemoteRepository {
    fn want(&self, wanted: &[Wanted<'_>]) -> Result<Waiting<'_>> {
        let waiting = self.connection.open();
        for part in wanted.chunks(WANT_EACH) {
            let contents = part.iter().map(wish).collect();
            self.connection.tell(waiting.id, &Request::Want { contents })?;
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
        let waiting = self.want(std::slice::from_ref(wanted))?;
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
        target: &(dyn Fn(usize) -> Result<Writer> + Sync),
        done: &(dyn Fn(usize, Writer) -> Result<()> + Sync),
        monitor: &dyn Monitor,
    ) -> Result<()> {
        if wanted.is_empty() {
            return Ok(());
        }
        let waiting = self.want(wanted)?;
        let mut batch = Batch { wanted, target, done, monitor, contents: Vec::new(), bytes: 0 };
        for (number, content) in wanted.iter().enumerate() {
            check_stop(monitor)?;
            match waiting.next(monitor)? {
                Answer::Content { number: found } if found == number as u64 => {}
                _ => return Err(self.connection.nonsense()),
            }
            if content.size <= BATCH_BYTES as u64 {
                let bytes = self.small(&waiting, content, monitor)?;
                batch.push(number, bytes)?;
            } else {
                self.large(&waiting, number, &batch)?;
            }
        }
        batch.write()?;
        match waiting.next(monitor)? {
            Answer::Done => Ok(()),
            _ => Err(self.connection.nonsense()),
        }
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

    fn large(&self, waiting: &Waiting<'_>, number: usize, batch: &Batch<'_>) -> Result<()> {
        let (wanted, monitor) = (&batch.wanted[number], batch.monitor);
        let mut writer = (batch.target)(number)?;
        let mut landing = Landing::new();
        loop {
            check_stop(monitor)?;
            match waiting.next(monitor)? {
                Answer::Data { bytes } => {
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
        landing.prove(wanted)?;
        (batch.done)(number, writer)
    }
}

pub(super) fn wish(wanted: &Wanted<'_>) -> WantedContent {
    WantedContent { hash: wanted.hash, size: wanted.size, path: wanted.path.clone() }
}

/// Small contents that have come and are not written yet.
struct Batch<'a> {
    wanted: &'a [Wanted<'a>],
    target: &'a (dyn Fn(usize) -> Result<Writer> + Sync),
    done: &'a (dyn Fn(usize, Writer) -> Result<()> + Sync),
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
        let (wanted, target, done, monitor) = (self.wanted, self.target, self.done, self.monitor);
        contents.into_par_iter().try_for_each(|(number, bytes)| {
            let wanted = &wanted[number];
            let mut landing = Landing::new();
            landing.take(&bytes, wanted)?;
            landing.prove(wanted)?;
            let mut writer = target(number)?;
            writer.write_all(&bytes)?;
            monitor.advance(0, bytes.len() as u64);
            done(number, writer)
        })
    }
}
