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

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::mpsc::Sender;

    use super::*;
    use crate::remote::frame::write_frame;

    /// A line on which each piece is what comes at once; where no more is sent, it is held open.
    struct Line {
        pieces: Receiver<Vec<u8>>,
        left: io::Cursor<Vec<u8>>,
    }

    impl Read for Line {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            if self.left.position() == self.left.get_ref().len() as u64 {
                self.left = io::Cursor::new(self.pieces.recv().unwrap_or_default());
            }
            self.left.read(into)
        }
    }

    fn line() -> (Sender<Vec<u8>>, Incoming) {
        let (sender, pieces) = std::sync::mpsc::channel();
        (sender, Incoming::start(Line { pieces, left: io::Cursor::default() }))
    }

    fn frame(id: u32, message: &Request) -> Vec<u8> {
        let mut frame = Vec::new();
        write_frame(&mut frame, id, &message.encode()).expect("writes");
        frame
    }

    fn next(incoming: &Incoming) -> Option<u32> {
        incoming.next().ok().map(|(id, _)| id)
    }

    #[test]
    fn what_is_whole_is_handed_over_while_the_rest_is_under_way() {
        let (line, incoming) = line();
        let (begin, rest) = (frame(4, &Request::Turn), frame(5, &Request::EndTurn));
        let mut first: Vec<u8> = (1..=3).flat_map(|id| frame(id, &Request::Head)).collect();
        first.extend(&begin[..5]);
        line.send(first).expect("is read");
        assert_eq!([1, 2, 3].map(|_| next(&incoming)), [Some(1), Some(2), Some(3)]);
        line.send([&begin[5..], &rest[..]].concat()).expect("is read");
        assert_eq!([4, 5].map(|_| next(&incoming)), [Some(4), Some(5)]);
    }

    #[test]
    fn more_than_a_batch_keeps_its_order_to_the_end_of_the_line() {
        let (line, incoming) = line();
        let count = 3 * u32::try_from(BATCH_MESSAGES_MAX).expect("small") + 1;
        let of = |id| if id % 2 == 0 { Request::Alive } else { Request::Head };
        line.send((1..=count).flat_map(|id| frame(id, &of(id))).collect()).expect("is read");
        drop(line);
        let mut seen = Vec::new();
        while let Some(id) = next(&incoming) {
            seen.push(id);
        }
        assert_eq!(seen, (1..=count).step_by(2).collect::<Vec<_>>());
        assert!(incoming.gone().load(Ordering::SeqCst));
    }
}
