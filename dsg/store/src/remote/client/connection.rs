//! One connection: requests go out, a thread of its own takes the answers to those who wait.
//!
//! The server answers in the order in which it was asked. Who waits for an answer does nothing else
//! meanwhile that needs the connection, so a line that is full in both directions always drains.

use std::collections::HashMap;
use std::io::{BufReader, BufWriter, Read, Write};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use foundation_runtime::{Clock, SystemClock};

use super::dial::{Dial, Line, Process};
use super::failure::{self, Said};
use crate::error::{Code, Error, Result};
use crate::monitor::{Monitor, Notice};
use crate::remote::compression::{Packer, Unpacker};
use crate::remote::frame::{
    FrameError, PIPE_BYTES, Versions, hello_bytes, read_frame, read_hello, write_frame,
};
use crate::remote::message::{Answer, ClientHello, DATA_BYTES_MAX, Request, ServerHello};
use crate::remote::wire::{Bytes, Wire as _};
use crate::remote::{ALIVE_EVERY, SILENCE_MAX, phase_of};

/// How many messages of an answer wait for who asked.
const AHEAD: usize = 16;
/// How often somebody who waits looks whether the user wants to stop.
const LOOK: Duration = Duration::from_millis(200);

pub(super) struct Connection {
    out: Mutex<Out>,
    waiting: Mutex<HashMap<u32, SyncSender<Answer>>>,
    next_id: AtomicU32,
    heard: Mutex<SystemClock>,
    /// Why nothing comes any more.
    end: Mutex<Option<FrameError>>,
    process: Mutex<Option<Box<dyn Process>>>,
    place: String,
    sent: AtomicU64,
    received: Arc<AtomicU64>,
    round_trips: AtomicU64,
    stopped: AtomicBool,
}

pub(super) struct Out {
    writer: Option<BufWriter<Box<dyn Write + Send>>>,
    pub(super) packer: Packer,
    last: SystemClock,
}

impl Out {
    pub(super) fn flush(&mut self) -> std::io::Result<()> {
        match &mut self.writer {
            Some(writer) => writer.flush(),
            None => Err(std::io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// What waits in the buffer is thrown away: sending it could take for ever.
    fn close(&mut self) {
        if let Some(writer) = self.writer.take() {
            drop(writer.into_parts());
        }
    }
}

impl Connection {
    /// Connects, says hello, and waits until the other side has said hello too.
    pub(super) fn start(
        dial: &dyn Dial,
        hello: &ClientHello,
    ) -> Result<(Arc<Self>, Waiting<'static>)> {
        let Line { input, output, process } = dial.dial()?;
        let received = Arc::new(AtomicU64::new(0));
        let mut input = Counted { input, received: Arc::clone(&received) };
        let mut writer = BufWriter::with_capacity(DATA_BYTES_MAX, output);
        let bytes = hello_bytes(Versions::OWN, hello);
        let said = writer.write_all(&bytes).and_then(|()| writer.flush());
        let greeted = read_hello::<ServerHello>(&mut input);
        let connection = Arc::new(Self {
            out: Mutex::new(Out {
                writer: Some(writer),
                packer: Packer::new(),
                last: SystemClock::new(),
            }),
            waiting: Mutex::default(),
            next_id: AtomicU32::new(1),
            heard: Mutex::new(SystemClock::new()),
            end: Mutex::default(),
            process: Mutex::new(process),
            place: dial.place(),
            sent: AtomicU64::new(bytes.len() as u64),
            received,
            round_trips: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
        });
        let (versions, other) = greeted.map_err(|error| connection.not_greeted(&error, dial))?;
        if Versions::OWN.shared(versions).is_none() {
            return Err(failure::versions(&connection.place, versions, &other.program));
        }
        // Who was refused at the hello has answered it all the same; then there is an answer to read.
        drop(said);
        // Before anybody can be answered.
        let waiting = connection.register(0);
        let own = Arc::downgrade(&connection);
        std::thread::spawn(move || hear(BufReader::with_capacity(PIPE_BYTES, input), &own));
        keep_alive(&connection);
        Ok((
            Arc::clone(&connection),
            Waiting { connection: Held::Shared(connection), id: 0, answers: waiting },
        ))
    }

    fn not_greeted(&self, error: &FrameError, dial: &dyn Dial) -> Error {
        let said = self.hang_up();
        failure::no_hello(&self.place, error, &said, &dial.program())
    }

    /// Closes the line, and waits for the process at our end of it. Whoever is just sending is not
    /// waited for: that ends with the process.
    fn hang_up(&self) -> Said {
        if let Ok(mut out) = self.out.try_lock() {
            out.close();
        }
        let process = self.process.lock().unwrap_or_else(PoisonError::into_inner).take();
        process.map(|mut process| process.end()).unwrap_or_default()
    }

    pub(super) fn out(&self) -> MutexGuard<'_, Out> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn register(&self, id: u32) -> Receiver<Answer> {
        let (sender, answers) = sync_channel(AHEAD);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        // After the end nobody is answered: dropping the sender says so.
        if self.end.lock().unwrap_or_else(PoisonError::into_inner).is_none() {
            waiting.insert(id, sender);
        }
        answers
    }

    /// Sends a request that is answered under a new number.
    pub(super) fn ask(&self, request: &Request) -> Result<Waiting<'_>> {
        let waiting = self.open();
        self.tell(waiting.id, request)?;
        self.flush()?;
        self.round_trips.fetch_add(1, Ordering::Relaxed);
        Ok(waiting)
    }

    /// A number for requests, and the way of their answers.
    pub(super) fn open(&self) -> Waiting<'_> {
        let id = self.next_id.fetch_add(1, Ordering::SeqCst);
        Waiting { connection: Held::Borrowed(self), id, answers: self.register(id) }
    }

    /// Sends a request; it may wait in the buffer.
    pub(super) fn tell(&self, id: u32, request: &Request) -> Result<()> {
        self.send(&mut self.out(), id, &request.encode())
    }

    pub(super) fn send(&self, out: &mut Out, id: u32, message: &[u8]) -> Result<()> {
        out.last = SystemClock::new();
        self.sent.fetch_add(message.len() as u64 + 8, Ordering::Relaxed);
        let sent = match &mut out.writer {
            Some(writer) => write_frame(writer, id, message),
            None => Err(std::io::ErrorKind::BrokenPipe.into()),
        };
        sent.map_err(|error| {
            out.close();
            self.lost(Some(&error))
        })
    }

    /// Sends bytes of a content, compressed if that makes them fewer.
    pub(super) fn send_data(&self, out: &mut Out, id: u32, bytes: &[u8]) -> Result<()> {
        for part in bytes.chunks(DATA_BYTES_MAX) {
            let mut message = Vec::with_capacity(part.len() + 16);
            match out.packer.pack(part) {
                Some(packed) => {
                    let size = u32::try_from(part.len()).unwrap_or(u32::MAX);
                    Request::Packed { size, bytes: Bytes(packed.to_vec()) }.write(&mut message);
                }
                None => {
                    message.push(Request::DATA);
                    part.len().write(&mut message);
                    message.extend_from_slice(part);
                }
            }
            self.send(out, id, &message)?;
        }
        Ok(())
    }

    pub(super) fn flush(&self) -> Result<()> {
        let flushed = self.out().flush();
        flushed.map_err(|error| self.lost(Some(&error)))
    }

    pub(super) fn traffic(&self) -> (u64, u64) {
        (self.sent.load(Ordering::Relaxed), self.received.load(Ordering::Relaxed))
    }

    pub(super) fn round_trips(&self) -> u64 {
        self.round_trips.load(Ordering::Relaxed)
    }

    pub(super) fn count_round_trip(&self) {
        self.round_trips.fetch_add(1, Ordering::Relaxed);
    }

    /// The other side said something that can't be.
    pub(super) fn nonsense(&self) -> Error {
        failure::nonsense(&self.place)
    }

    /// The connection is no more.
    fn lost(&self, error: Option<&std::io::Error>) -> Error {
        if self.stopped.load(Ordering::SeqCst) {
            return Error::interrupted();
        }
        let said = self.hang_up();
        let end = self.end.lock().unwrap_or_else(PoisonError::into_inner).take();
        failure::lost(&self.place, end.as_ref(), error, &said)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let _ = self.hang_up();
    }
}

/// Takes answers to those who wait for them, until there are none.
fn hear(mut input: impl Read, connection: &Weak<Connection>) {
    let mut unpacker = Unpacker::new();
    loop {
        let answer = read_frame(&mut input).and_then(|(id, bytes)| {
            let answer = match Answer::decode(&bytes)? {
                Answer::Packed { size, bytes } => {
                    Answer::Data { bytes: Bytes(unpacker.unpack(size, &bytes.0)?) }
                }
                other => other,
            };
            Ok((id, answer))
        });
        let Some(connection) = connection.upgrade() else { return };
        *connection.heard.lock().unwrap_or_else(PoisonError::into_inner) = SystemClock::new();
        match answer {
            Ok((_, Answer::Alive)) => {}
            Ok((id, answer)) => {
                let waiting = connection.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                let sender = waiting.get(&id).cloned();
                drop(waiting);
                // Nobody is asked for: an answer to a question that was given up.
                if let Some(sender) = sender {
                    drop(connection);
                    let _ = sender.send(answer);
                }
            }
            Err(error) => {
                let mut waiting = connection.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                *connection.end.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                waiting.clear();
                return;
            }
        }
    }
}

/// Says from time to time that somebody is there, as long as the connection lives.
fn keep_alive(connection: &Arc<Connection>) {
    let connection = Arc::downgrade(connection);
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(ALIVE_EVERY);
            let Some(connection) = connection.upgrade() else { return };
            // Whoever has it locked is sending.
            let Ok(mut out) = connection.out.try_lock() else { continue };
            if out.last.monotonic() < ALIVE_EVERY {
                continue;
            }
            let said = connection.send(&mut out, 0, &Request::Alive.encode()).is_ok();
            if !said || out.flush().is_err() {
                return;
            }
        }
    });
}

enum Held<'a> {
    Borrowed(&'a Connection),
    Shared(Arc<Connection>),
}

impl Held<'_> {
    fn connection(&self) -> &Connection {
        match self {
            Self::Borrowed(connection) => connection,
            Self::Shared(connection) => connection,
        }
    }
}

/// Somebody who waits for answers.
pub(super) struct Waiting<'a> {
    connection: Held<'a>,
    pub(super) id: u32,
    answers: Receiver<Answer>,
}

impl Waiting<'_> {
    /// The next answer. What the other side tells of its progress goes to `monitor`.
    pub(super) fn next(&self, monitor: &dyn Monitor) -> Result<Answer> {
        let connection = self.connection.connection();
        loop {
            match self.answers.recv_timeout(LOOK) {
                Ok(answer) => {
                    if let Some(answer) = told(answer, monitor)? {
                        return Ok(answer);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => {
                    connection.note_stop(monitor);
                    return Err(connection.lost(None));
                }
                Err(RecvTimeoutError::Timeout) => {
                    connection.note_stop(monitor);
                    if monitor.stop_requested() {
                        return Err(Error::interrupted());
                    }
                    let heard = *connection.heard.lock().unwrap_or_else(PoisonError::into_inner);
                    if heard.monotonic() >= SILENCE_MAX {
                        return Err(failure::silent(&connection.place));
                    }
                }
            }
        }
    }

    /// What has been answered already without being asked for.
    pub(super) fn so_far(&self, monitor: &dyn Monitor) -> Result<Option<Answer>> {
        while let Ok(answer) = self.answers.try_recv() {
            if let Some(answer) = told(answer, monitor)? {
                return Ok(Some(answer));
            }
        }
        Ok(None)
    }
}

impl Connection {
    /// The key that stops us also stops `ssh`: what then breaks is no fault of the line.
    fn note_stop(&self, monitor: &dyn Monitor) {
        if monitor.stop_requested() {
            self.stopped.store(true, Ordering::SeqCst);
        }
    }

    /// An error as a user who pressed a key has to see it.
    pub(super) fn explain(&self, error: Error, monitor: &dyn Monitor) -> Error {
        let connection = matches!(error.code, Code::Connection | Code::Interrupted);
        if connection && monitor.stop_requested() { Error::interrupted() } else { error }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let connection = self.connection.connection();
        connection.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

fn told(answer: Answer, monitor: &dyn Monitor) -> Result<Option<Answer>> {
    match answer {
        Answer::Failed { error } => Err(error.into()),
        Answer::Phase { phase, files, bytes } => {
            monitor.begin(phase_of(phase), files, bytes);
            Ok(None)
        }
        Answer::Progress { files, bytes } => {
            monitor.advance(files, bytes);
            Ok(None)
        }
        Answer::Notice { text } => {
            monitor.notice(Notice { text });
            Ok(None)
        }
        other => Ok(Some(other)),
    }
}

struct Counted<R> {
    input: R,
    received: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.received.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
