//! What goes to the client.

use std::io::{BufWriter, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use foundation_runtime::{Clock, SystemClock};

use super::{Served, gone};
use crate::error::{Error, Result};
use crate::monitor::{Monitor, Notice, Phase};
use crate::remote::compression::Packer;
use crate::remote::frame::write_frame;
use crate::remote::message::{Answer, DATA_BYTES_MAX};
use crate::remote::wire::{Bytes, Wire as _};
use crate::remote::{ALIVE_EVERY, PROGRESS_EVERY, phase_number};
use crate::repository::Target;
use crate::system::Writer;

/// The way to the client; buffered.
pub(super) struct Output {
    stream: Mutex<Stream>,
}

struct Stream {
    writer: BufWriter<Box<dyn Write + Send>>,
    last: SystemClock,
}

impl Output {
    pub(super) fn new(writer: impl Write + Send + 'static) -> Arc<Self> {
        let writer =
            BufWriter::with_capacity(DATA_BYTES_MAX, Box::new(writer) as Box<dyn Write + Send>);
        Arc::new(Self { stream: Mutex::new(Stream { writer, last: SystemClock::new() }) })
    }

    fn stream(&self) -> MutexGuard<'_, Stream> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn raw(&self, bytes: &[u8]) -> Served<()> {
        self.stream().writer.write_all(bytes).map_err(|_| gone())
    }

    pub(super) fn send(&self, id: u32, answer: &Answer) -> Served<()> {
        let mut stream = self.stream();
        stream.last = SystemClock::new();
        write_frame(&mut stream.writer, id, &answer.encode()).map_err(|_| gone())
    }

    pub(super) fn fail(&self, id: u32, error: &Error) -> Served<()> {
        self.send(id, &Answer::Failed { error: error.into() })?;
        self.flush()
    }

    pub(super) fn flush(&self) -> Served<()> {
        self.stream().writer.flush().map_err(|_| gone())
    }

    /// Says from time to time that somebody is there, as long as this lives.
    pub(super) fn keep_alive(self: &Arc<Self>) {
        let output = Arc::downgrade(self);
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(ALIVE_EVERY);
                let Some(output) = Weak::upgrade(&output) else { return };
                let silent = output.stream().last.monotonic() >= ALIVE_EVERY;
                if silent && (output.send(0, &Answer::Alive).is_err() || output.flush().is_err()) {
                    return;
                }
            }
        });
    }
}

/// A content on its way to the client.
pub(super) struct Sending<'a> {
    pub(super) output: &'a Output,
    pub(super) id: u32,
    pub(super) packer: &'a mut Packer,
    /// Whether the client is gone.
    pub(super) gone: bool,
}

impl Sending<'_> {
    /// Bytes that the client has.
    pub(super) fn old(&mut self, offset: u64, length: u64) -> Result<()> {
        self.output.send(self.id, &Answer::Old { offset, length }).map_err(|_| {
            self.gone = true;
            Error::interrupted()
        })
    }
}

impl Target for Sending<'_> {
    fn write_all(&mut self, bytes: &[u8]) -> Result<()> {
        for part in bytes.chunks(DATA_BYTES_MAX) {
            let mut message = Vec::with_capacity(part.len() + 16);
            match self.packer.pack(part) {
                Some(packed) => {
                    let size = u32::try_from(part.len()).unwrap_or(u32::MAX);
                    let answer = Answer::Packed { size, bytes: Bytes(packed.to_vec()) };
                    answer.write(&mut message);
                }
                None => {
                    message.push(Answer::DATA);
                    part.len().write(&mut message);
                    message.extend_from_slice(part);
                }
            }
            let mut stream = self.output.stream();
            stream.last = SystemClock::new();
            if write_frame(&mut stream.writer, self.id, &message).is_err() {
                self.gone = true;
                return Err(Error::interrupted());
            }
        }
        Ok(())
    }

    fn start_again(&mut self) -> Result<()> {
        self.packer.begin();
        self.output.send(self.id, &Answer::Again).map_err(|_| {
            self.gone = true;
            Error::interrupted()
        })
    }

    fn file(&mut self) -> Option<&mut Writer> {
        None
    }
}

/// Tells the client what long work does, and stops when the client is gone.
pub(super) struct Telling<'a> {
    output: &'a Output,
    id: u32,
    gone: &'a AtomicBool,
    done: Mutex<(SystemClock, u64, u64)>,
}

impl<'a> Telling<'a> {
    pub(super) fn new(output: &'a Output, id: u32, gone: &'a AtomicBool) -> Self {
        Self { output, id, gone, done: Mutex::new((SystemClock::new(), 0, 0)) }
    }

    // What can't be told is not told: the answer itself will find out.
    fn tell(&self, answer: &Answer) {
        let _ = self.output.send(self.id, answer).and_then(|()| self.output.flush());
    }
}

impl Monitor for Telling<'_> {
    fn begin(&self, phase: Phase, files: u64, bytes: u64) {
        self.tell(&Answer::Phase { phase: phase_number(phase), files, bytes });
    }

    fn advance(&self, files: u64, bytes: u64) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        done.1 += files;
        done.2 += bytes;
        if done.0.monotonic() >= PROGRESS_EVERY {
            let (_, files, bytes) = std::mem::replace(&mut *done, (SystemClock::new(), 0, 0));
            drop(done);
            self.tell(&Answer::Progress { files, bytes });
        }
    }

    fn notice(&self, notice: Notice) {
        self.tell(&Answer::Notice { text: notice.text });
    }

    fn stop_requested(&self) -> bool {
        self.gone.load(Ordering::SeqCst)
    }
}

/// Says nothing, but stops when the client is gone.
pub(super) struct Quiet<'a>(pub(super) &'a AtomicBool);

impl Monitor for Quiet<'_> {
    fn begin(&self, _phase: Phase, _files: u64, _bytes: u64) {}
    fn advance(&self, _files: u64, _bytes: u64) {}
    fn notice(&self, _notice: Notice) {}
    fn stop_requested(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}
