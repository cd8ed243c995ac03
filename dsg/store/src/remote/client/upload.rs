//! Contents to the server: sent one after the other without waiting for an answer.
//!
//! What a lane says it has received is what it has sent, hashed here; the server hashes what lands,
//! and refuses the commit of a content that is not what it was sent as. So the price of not waiting
//! is only that a failure is heard of some contents later.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dsg_core::hash::ContentHash;
use dsg_core::snapshot::TransactionId;
use foundation_runtime::{Clock, SystemClock};

use super::connection::Waiting;
use super::{RemoteRepository, head_of};
use crate::error::{Code, Error, Result};
use crate::monitor::{Monitor, Notice, Phase, check_stop};
use crate::remote::chunks::{CHUNKED_BYTES_MIN, ChunkList, LIST_BYTES_MAX, Places, difference};
use crate::remote::message::{Answer, DATA_BYTES_MAX, PutContent, Request, WantedContent};
use crate::remote::wire::Bytes;
use crate::repository::{
    CommitAnswer, CommitRequest, Lane, LeftOver, Piece, Put, Received, Source, Upload, path_mark,
};
use crate::system::{Reader, present};

/// How many paths of a commit go into a message.
const CHANGES_EACH: usize = 512;
/// Where lists of chunks are kept, below the directory that was given.
const CHUNKS: &str = "chunks";

impl RemoteRepository {
    pub(super) fn begin_upload<'a>(
        &'a self,
        transaction: &TransactionId,
        unfinished: &[TransactionId],
        files: u64,
    ) -> Result<Box<dyn Upload + 'a>> {
        self.refuse_reader()?;
        let waiting = self.connection.open();
        let begin =
            Request::Begin { transaction: *transaction, unfinished: unfinished.to_vec(), files };
        self.connection.tell(waiting.id, &begin)?;
        self.connection.flush()?;
        let mut upload = RemoteUpload {
            repository: self,
            id: waiting.id,
            waiting: Mutex::new(waiting),
            sending: Mutex::new(()),
            left_over: HashMap::new(),
        };
        if !unfinished.is_empty() {
            self.connection.count_round_trip();
            upload.left_over = upload.hear_left_over()?;
        }
        Ok(Box::new(upload))
    }
}

struct RemoteUpload<'a> {
    repository: &'a RemoteRepository,
    id: u32,
    waiting: Mutex<Waiting<'a>>,
    /// One content at a time is on the line.
    sending: Mutex<()>,
    left_over: HashMap<[u8; 16], (u64, ContentHash)>,
}

impl RemoteUpload<'_> {
    fn hear_left_over(&self) -> Result<HashMap<[u8; 16], (u64, ContentHash)>> {
        let waiting = self.waiting();
        let mut all = HashMap::new();
        loop {
            match waiting.next(&crate::monitor::Silent)? {
                Answer::Done => return Ok(all),
                Answer::LeftOver { contents } => all.extend(
                    contents.into_iter().map(|LeftOver { mark, size, hash }| (mark, (size, hash))),
                ),
                _ => return Err(self.repository.connection.nonsense()),
            }
        }
    }

    fn sending(&self) -> MutexGuard<'_, ()> {
        self.sending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, request: &Request) -> Result<()> {
        self.repository.connection.tell(self.id, request)
    }

    fn data(&self, bytes: &[u8]) -> Result<()> {
        let connection = &self.repository.connection;
        connection.send_data(&mut connection.out(), self.id, bytes)
    }

    /// Whether a content failed that was sent some time ago.
    fn check(&self, monitor: &dyn Monitor) -> Result<()> {
        match self.waiting().so_far(monitor) {
            Ok(None | Some(Answer::Done)) => Ok(()),
            Ok(Some(_)) => Err(self.repository.connection.nonsense()),
            Err(error) => Err(error),
        }
    }

    /// An answer that is waited for; the one to `begin` may come before it. Whoever asks takes
    /// `waiting` before, or another lane that looks what came so far could take the answer.
    fn answer(&self, waiting: &Waiting<'_>, monitor: &dyn Monitor) -> Result<Answer> {
        let connection = &self.repository.connection;
        connection.count_round_trip();
        loop {
            match waiting.next(monitor).map_err(|error| connection.explain(error, monitor))? {
                Answer::Done => {}
                other => return Ok(other),
            }
        }
    }

    /// The chunks of what the path has in the head: kept here, or asked for. The question must not
    /// come in the middle of another lane's content.
    fn places(
        &self,
        put: &Put<'_>,
        base: (ContentHash, u64),
        monitor: &dyn Monitor,
        _sending: &MutexGuard<'_, ()>,
    ) -> Result<Places> {
        let name = base.0.to_string();
        if let Some(kept) = &self.repository.chunks
            && let Some(directory) = present(kept.directory(CHUNKS))?
            && let Ok(bytes) = directory.read_small(&name, LIST_BYTES_MAX as u64)
            && let Ok(list) = ChunkList::decode(&bytes)
        {
            return Ok(list.places());
        }
        let content = WantedContent { hash: base.0, size: base.1, path: put.path.clone() };
        let waiting = self.repository.connection.ask(&Request::Chunks { content })?;
        let mut all = Vec::new();
        loop {
            match waiting.next(monitor)? {
                Answer::Chunks { bytes } if all.len() + bytes.0.len() <= LIST_BYTES_MAX => {
                    all.extend_from_slice(&bytes.0);
                }
                Answer::Done => break,
                _ => return Err(self.repository.connection.nonsense()),
            }
        }
        let list = ChunkList::decode(&all).map_err(|_| self.repository.connection.nonsense())?;
        Ok(list.places())
    }

    /// Keeps a list for the next change of the file. Only a cache: what can't be kept is asked for.
    fn keep(&self, old: ContentHash, new: ContentHash, list: &ChunkList) {
        let Some(kept) = &self.repository.chunks else { return };
        let Ok(directory) = kept.directory_made(CHUNKS, 0o700) else { return };
        let _ = directory.remove_file_if_there(old.to_string());
        let _ = directory.replace_file(&new.to_string(), &list.encode(), 0o600);
    }
}

impl<'a> RemoteUpload<'a> {
    fn waiting(&self) -> MutexGuard<'_, Waiting<'a>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Upload for RemoteUpload<'_> {
    fn lane(&self) -> Result<Box<dyn Lane + '_>> {
        Ok(Box::new(RemoteLane { upload: self, buffer: vec![0; DATA_BYTES_MAX] }))
    }

    fn left_over(&self) -> Result<Vec<LeftOver>> {
        let left_over = self.left_over.iter();
        Ok(left_over
            .map(|(mark, (size, hash))| LeftOver { mark: *mark, size: *size, hash: *hash })
            .collect())
    }

    fn open_left_over(&self, _mark: &[u8; 16]) -> Result<Option<Reader>> {
        // It is on the other machine.
        Ok(None)
    }

    fn forget_left_over(&self, needed: &dyn Fn(&[u8; 16]) -> Option<u64>) -> Result<()> {
        let of_no_use = |(mark, (size, _)): (&[u8; 16], &(u64, ContentHash))| {
            needed(mark).is_none_or(|needed| needed < *size).then_some(*mark)
        };
        let marks: Vec<[u8; 16]> = self.left_over.iter().filter_map(of_no_use).collect();
        marks
            .chunks(CHANGES_EACH)
            .try_for_each(|part| self.tell(&Request::Forget { marks: part.to_vec() }))
    }

    fn commit(&self, request: &CommitRequest, monitor: &dyn Monitor) -> Result<CommitAnswer> {
        check_stop(monitor)?;
        self.check(monitor)?;
        let _sending = self.sending();
        let waiting = self.waiting();
        for part in request.changes.chunks(CHANGES_EACH) {
            self.tell(&Request::Changes { changes: part.to_vec() })?;
        }
        let configuration = serde_json::to_vec(&request.configuration).map_err(|error| {
            Error::new(Code::Configuration, "the configuration can't be sent").because(error)
        })?;
        self.tell(&Request::Commit {
            expected: request.expected,
            message: request.message.clone(),
            configuration: Bytes(configuration),
        })?;
        self.repository.connection.flush()?;
        // From here on the repository decides: whoever stops now would not know what it decided.
        let answer = self.answer(&waiting, &GoesOn { monitor, asked: Mutex::default() });
        match answer.map_err(|error| undecided(error, monitor))? {
            Answer::Moved => Ok(CommitAnswer::Moved),
            Answer::Committed { document } => {
                let head = head_of(&document.0, &self.repository.description)?;
                let number = match request.expected {
                    Some((number, _)) => number.next(),
                    None => Some(dsg_core::snapshot::SnapshotNumber::FIRST),
                };
                match Some(head.number) == number {
                    true => Ok(CommitAnswer::Committed(head)),
                    false => Err(self.repository.connection.nonsense()),
                }
            }
            _ => Err(self.repository.connection.nonsense()),
        }
    }
}

impl Drop for RemoteUpload<'_> {
    fn drop(&mut self) {
        // If that is not possible any more, the server has noticed by itself.
        let _ = self.tell(&Request::EndUpload).and_then(|()| self.repository.connection.flush());
    }
}

struct RemoteLane<'u, 'r> {
    upload: &'u RemoteUpload<'r>,
    buffer: Vec<u8>,
}

impl Lane for RemoteLane<'_, '_> {
    fn put(
        &mut self,
        put: &Put<'_>,
        source: &mut dyn Source,
        monitor: &dyn Monitor,
    ) -> Result<Received> {
        check_stop(monitor)?;
        self.upload.check(monitor)?;
        let expected = source.expected();
        let received = match self.resume(put, source, monitor)? {
            Some(received) => received,
            None => {
                let large = |size: u64| size >= CHUNKED_BYTES_MIN;
                let base = put.base.filter(|(_, size)| large(*size) && large(expected));
                let difference = match (base, source.file()) {
                    (Some(base), Some(file)) => self.difference(put, base, file, monitor)?,
                    _ => None,
                };
                match difference {
                    Some(received) => received,
                    None => self.whole(put, source, monitor)?,
                }
            }
        };
        monitor.advance(1, 0);
        Ok(received)
    }
}

impl RemoteLane<'_, '_> {
    fn head(put: &Put<'_>, expected: u64) -> PutContent {
        PutContent {
            path: put.path.clone(),
            executable: put.executable,
            modified: put.modified,
            expected,
            left_over: 0,
            base: None,
        }
    }

    fn fill(&mut self, source: &mut dyn Source) -> Result<usize> {
        let mut filled = 0;
        while filled < self.buffer.len() {
            match source.read(&mut self.buffer[filled..])? {
                0 => break,
                read => filled += read,
            }
        }
        Ok(filled)
    }

    /// All of it. What fits into one message is read and hashed before the line is taken.
    fn whole(
        &mut self,
        put: &Put<'_>,
        source: &mut dyn Source,
        monitor: &dyn Monitor,
    ) -> Result<Received> {
        let filled = self.fill(source)?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.buffer[..filled]);
        let head = Self::head(put, source.expected());
        let _sending = self.upload.sending();
        self.begin(&head)?;
        self.upload.data(&self.buffer[..filled])?;
        monitor.advance(0, filled as u64);
        self.rest(source, hasher, filled as u64, filled == self.buffer.len(), monitor)
    }

    fn begin(&self, head: &PutContent) -> Result<()> {
        self.upload.repository.connection.out().packer.begin();
        self.upload.tell(&Request::Put { put: head.clone() })
    }

    /// What is left of a content, and its end.
    fn rest(
        &mut self,
        source: &mut dyn Source,
        mut hasher: blake3::Hasher,
        mut size: u64,
        more: bool,
        monitor: &dyn Monitor,
    ) -> Result<Received> {
        let mut ended = !more;
        while !ended {
            let filled = match check_stop(monitor).and_then(|()| self.fill(source)) {
                Ok(filled) => filled,
                Err(error) => {
                    self.upload.tell(&Request::PutStop)?;
                    return Err(error);
                }
            };
            if filled == 0 {
                ended = true;
                continue;
            }
            hasher.update(&self.buffer[..filled]);
            self.upload.data(&self.buffer[..filled])?;
            size += filled as u64;
            monitor.advance(0, filled as u64);
            if let Err(error) = self.upload.check(monitor) {
                self.upload.tell(&Request::PutStop)?;
                return Err(error);
            }
        }
        let hash = ContentHash::from_bytes(*hasher.finalize().as_bytes());
        self.upload.tell(&Request::PutEnd { size, hash })?;
        Ok(Received { hash, size })
    }

    /// Goes on where an earlier upload was cut off, if that began with the same bytes.
    fn resume(
        &mut self,
        put: &Put<'_>,
        source: &mut dyn Source,
        monitor: &dyn Monitor,
    ) -> Result<Option<Received>> {
        let Some((left, hash)) = self.upload.left_over.get(&path_mark(put.path)).copied() else {
            return Ok(None);
        };
        let expected = source.expected();
        let Some(file) = source.file().filter(|_| left > 0 && left <= expected) else {
            return Ok(None);
        };
        let mut hasher = blake3::Hasher::new();
        let mut to_read = left;
        while to_read > 0 {
            check_stop(monitor)?;
            let part = self.buffer.len().min(usize::try_from(to_read).unwrap_or(usize::MAX));
            match file.read(&mut self.buffer[..part])? {
                0 => break,
                read => {
                    hasher.update(&self.buffer[..read]);
                    to_read -= read as u64;
                }
            }
        }
        if to_read > 0 || hasher.finalize().as_bytes() != hash.as_bytes() {
            file.rewind()?;
            return Ok(None);
        }
        monitor.advance(0, left);
        let head = PutContent { left_over: left, ..Self::head(put, expected) };
        let _sending = self.upload.sending();
        self.begin(&head)?;
        self.rest(source, hasher, left, left < expected, monitor).map(Some)
    }

    /// Only what the content of the head does not have. `None` when that could not be used.
    fn difference(
        &mut self,
        put: &Put<'_>,
        base: (ContentHash, u64),
        file: &mut Reader,
        monitor: &dyn Monitor,
    ) -> Result<Option<Received>> {
        let sending = self.upload.sending();
        let places = self.upload.places(put, base, monitor, &sending)?;
        if places.is_empty() {
            return Ok(None);
        }
        let head = PutContent { base: Some(base), ..Self::head(put, file.opened().size) };
        self.begin(&head)?;
        let sent = match self.pieces(file, &places, monitor) {
            Ok(sent) => sent,
            Err(error) => {
                self.upload.tell(&Request::PutStop)?;
                return Err(error);
            }
        };
        let (received, list) = sent;
        let waiting = self.upload.waiting();
        self.upload.tell(&Request::PutEnd { size: received.size, hash: received.hash })?;
        self.upload.repository.connection.flush()?;
        match self.upload.answer(&waiting, monitor)? {
            Answer::Landed => {
                self.upload.keep(base.0, received.hash, &list);
                Ok(Some(received))
            }
            Answer::Resend => {
                file.rewind()?;
                Ok(None)
            }
            _ => Err(self.upload.repository.connection.nonsense()),
        }
    }

    fn pieces(
        &self,
        file: &mut Reader,
        places: &Places,
        monitor: &dyn Monitor,
    ) -> Result<(Received, ChunkList)> {
        difference(
            file,
            places,
            &mut |bytes| {
                monitor.advance(0, bytes);
                check_stop(monitor)
            },
            &mut |piece| match piece {
                Piece::Old { offset, length } => self.upload.tell(&Request::Old { offset, length }),
                Piece::New(bytes) => self.upload.data(bytes),
            },
        )
    }
}

/// Whoever stops while the repository decides waits so long for what it decides.
const DECIDES_MAX: Duration = Duration::from_secs(2);

/// Hears all, and stops only if the repository takes its time: it may itself wait for somebody.
struct GoesOn<'a> {
    monitor: &'a dyn Monitor,
    /// When the user asked to stop.
    asked: Mutex<Option<SystemClock>>,
}

/// The user stopped, and the repository had not answered. When the line is gone it gives up waiting.
fn undecided(error: Error, monitor: &dyn Monitor) -> Error {
    let unanswered = matches!(error.code, Code::Interrupted | Code::Connection);
    if !unanswered || !monitor.stop_requested() {
        return error;
    }
    Error::new(Code::Interrupted, "stopped before the repository had said whether it committed")
        .next("run the same command again: it finds out, and goes on from there")
}

impl Monitor for GoesOn<'_> {
    fn begin(&self, phase: Phase, files: u64, bytes: u64) {
        self.monitor.begin(phase, files, bytes);
    }
    fn advance(&self, files: u64, bytes: u64) {
        self.monitor.advance(files, bytes);
    }
    fn notice(&self, notice: Notice) {
        self.monitor.notice(notice);
    }
    fn stop_requested(&self) -> bool {
        if !self.monitor.stop_requested() {
            return false;
        }
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.get_or_insert_with(SystemClock::new).monotonic() >= DECIDES_MAX
    }
}
