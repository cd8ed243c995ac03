//! What comes from the client: read, checked and unpacked by a thread of its own.

use std::io::{BufReader, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use foundation_runtime::{Clock, SystemClock};

use super::{Served, Trouble, gone};
use crate::error::{Code, Error};
use crate::remote::SILENCE_MAX;
use crate::remote::compression::Unpacker;
use crate::remote::frame::{FrameError, read_frame};
use crate::remote::message::{DATA_BYTES_MAX, Request};
use crate::remote::wire::Bytes;

/// How many messages are read ahead; a content's message has at most some 256 KiB.
const AHEAD: usize = 16;
/// How long a look at the line takes at most.
const LOOK: Duration = Duration::from_secs(5);

type Message = Result<(u32, Request), FrameError>;

/// The requests, in their order.
pub(super) struct Incoming {
    messages: Receiver<Message>,
    heard: Arc<Heard>,
}

struct Heard {
    gone: AtomicBool,
    last: Mutex<SystemClock>,
}

impl Incoming {
    pub(super) fn start(input: impl Read + Send + 'static) -> Self {
        let (sender, messages) = sync_channel(AHEAD);
        let heard =
            Arc::new(Heard { gone: AtomicBool::new(false), last: Mutex::new(SystemClock::new()) });
        let own = Arc::clone(&heard);
        std::thread::spawn(move || {
            read_all(BufReader::with_capacity(DATA_BYTES_MAX, input), &sender, &own);
            own.gone.store(true, Ordering::SeqCst);
        });
        Self { messages, heard }
    }

    /// Whether the client is gone.
    pub(super) fn gone(&self) -> &AtomicBool {
        &self.heard.gone
    }

    /// The next request. A client that says nothing for minutes, not even that it is there, is gone.
    pub(super) fn next(&self) -> Served<(u32, Request)> {
        loop {
            match self.messages.recv_timeout(LOOK) {
                Ok(Ok(message)) => return Ok(message),
                Ok(Err(FrameError::Malformed(error))) => {
                    return Err(Trouble::Gone(
                        Error::new(Code::Protocol, "the client sent what is no message")
                            .because(error),
                    ));
                }
                Ok(Err(_)) | Err(RecvTimeoutError::Disconnected) => return Err(gone()),
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

fn read_all(mut input: impl Read, sender: &SyncSender<Message>, heard: &Heard) {
    let mut unpacker = Unpacker::new();
    loop {
        let message = read_frame(&mut input).and_then(|(id, bytes)| {
            let request = match Request::decode(&bytes)? {
                Request::Packed { size, bytes } => {
                    Request::Data { bytes: Bytes(unpacker.unpack(size, &bytes.0)?) }
                }
                other => other,
            };
            Ok((id, request))
        });
        *heard.last.lock().unwrap_or_else(PoisonError::into_inner) = SystemClock::new();
        let ends = message.is_err();
        if matches!(message, Ok((_, Request::Alive))) {
            continue;
        }
        if ends {
            heard.gone.store(true, Ordering::SeqCst);
        }
        if sender.send(message).is_err() || ends {
            return;
        }
    }
}
