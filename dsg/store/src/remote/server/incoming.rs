//! What comes from the client: read, checked and unpacked by a thread of its own.

use std::cell::RefCell;
use std::io::{BufReader, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::vec;

use foundation_runtime::{Clock, SystemClock};

use super::{Served, Trouble, gone};
use crate::error::{Code, Error};
use crate::remote::SILENCE_MAX;
use crate::remote::compression::Unpacker;
use crate::remote::frame::{FrameError, PIPE_BYTES, holds_frame, read_frame};
use crate::remote::message::{DATA_BYTES_MAX, Request};
use crate::remote::wire::Bytes;

/// Of messages that came together so many, and so many bytes, are handed over at once: waking the other
/// thread for each of them would cost more than a small content does.
const BATCH_MESSAGES_MAX: usize = 64;
const BATCH_BYTES_MAX: usize = DATA_BYTES_MAX;
/// How many batches are read ahead.
const AHEAD: usize = 8;
/// How long a look at the line takes at most.
const LOOK: Duration = Duration::from_secs(5);

type Message = Result<(u32, Request), FrameError>;
type Batch = Vec<Message>;

/// The requests, in their order.
pub(super) struct Incoming {
    batches: Receiver<Batch>,
    batch: RefCell<vec::IntoIter<Message>>,
    heard: Arc<Heard>,
}

struct Heard {
    gone: AtomicBool,
    last: Mutex<SystemClock>,
}

impl Incoming {
    pub(super) fn start(input: impl Read + Send + 'static) -> Self {
        let (sender, batches) = sync_channel(AHEAD);
        let heard =
            Arc::new(Heard { gone: AtomicBool::new(false), last: Mutex::new(SystemClock::new()) });
        let own = Arc::clone(&heard);
        std::thread::spawn(move || {
            read_all(BufReader::with_capacity(PIPE_BYTES, input), &sender, &own);
            own.gone.store(true, Ordering::SeqCst);
        });
        Self { batches, batch: RefCell::default(), heard }
    }

    /// Whether the client is gone.
    pub(super) fn gone(&self) -> &AtomicBool {
        &self.heard.gone
    }

    /// The next request. A client that says nothing for minutes, not even that it is there, is gone.
    pub(super) fn next(&self) -> Served<(u32, Request)> {
        loop {
            let next = self.batch.borrow_mut().next();
            match next {
                Some(Ok(message)) => return Ok(message),
                Some(Err(FrameError::Malformed(error))) => {
                    return Err(Trouble::Gone(
                        Error::new(Code::Protocol, "the client sent what is no message")
                            .because(error),
                    ));
                }
                Some(Err(_)) => return Err(gone()),
                None => {}
            }
            match self.batches.recv_timeout(LOOK) {
                Ok(batch) => *self.batch.borrow_mut() = batch.into_iter(),
                Err(RecvTimeoutError::Disconnected) => return Err(gone()),
                Err(RecvTimeoutError::Timeout) => {
                    let last = *self.heard.last.lock().unwrap_or_else(PoisonError::into_inner);
                    if last.monotonic() >= SILENCE_MAX {
                        return Err(gone());
                    }
                }
            }
        }
    }
}

fn read_all(mut input: BufReader<impl Read>, sender: &SyncSender<Batch>, heard: &Heard) {
    let mut unpacker = Unpacker::new();
    let (mut batch, mut batch_bytes) = (Batch::new(), 0);
    loop {
        let message = read_frame(&mut input).and_then(|(id, bytes)| {
            batch_bytes += bytes.len();
            let request = match Request::decode(&bytes)? {
                Request::Packed { size, bytes } => {
                    let bytes = unpacker.unpack(size, &bytes.0)?;
                    batch_bytes += bytes.len();
                    Request::Data { bytes: Bytes(bytes) }
                }
                other => other,
            };
            Ok((id, request))
        });
        *heard.last.lock().unwrap_or_else(PoisonError::into_inner) = SystemClock::new();
        let ends = message.is_err();
        if ends {
            heard.gone.store(true, Ordering::SeqCst);
        }
        if !matches!(message, Ok((_, Request::Alive))) {
            batch.push(message);
        }
        let more = !ends
            && batch.len() < BATCH_MESSAGES_MAX
            && batch_bytes < BATCH_BYTES_MAX
            && holds_frame(input.buffer());
        if more || batch.is_empty() {
            continue;
        }
        batch_bytes = 0;
        if sender.send(std::mem::take(&mut batch)).is_err() || ends {
            return;
        }
    }
}
