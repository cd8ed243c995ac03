//! Frames: the length of a message, the request it belongs to, the message. And the hello that comes
//! before them, whose form never changes: a mark, the lowest and the highest version that the sender
//! speaks, and a text about the sender. Whoever gets it can say what is wrong, however new the other is.

use std::io::{self, Read, Write};

use super::wire::{Input, Malformed, Wire};

/// The lowest version that this program speaks.
pub const VERSION_MIN: u16 = 1;
/// The highest version that this program speaks.
pub const VERSION_MAX: u16 = 1;
/// The longest message, in bytes.
pub const FRAME_BYTES_MAX: usize = 8 << 20;
/// How large a message of many parts gets before the next one begins.
pub(super) const PART_BYTES: usize = 64 << 10;
/// How much is read at once: what a pipe holds. What is longer is read where it belongs, past the buffer.
pub(super) const PIPE_BYTES: usize = 64 << 10;
/// Begins a hello; `\n` and a byte that is no text, so that nothing else passes for it.
const MARK: &[u8; 8] = b"dsg\xffwire";
const HELLO_BYTES_MAX: usize = 64 << 10;
/// How much of what is no hello is shown to the user.
const NOISE_BYTES_MAX: usize = 400;

/// Why nothing more can be read.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The other side closed the connection between two messages.
    #[error("the connection was closed")]
    Closed,
    /// It ended in the middle of a message, or could not be read.
    #[error("the connection broke: {0}")]
    Broken(#[from] io::Error),
    /// What came is no message.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// What came is no hello; the beginning of it.
    #[error("the other side does not speak the protocol of dsg; it said: {0}")]
    Noise(String),
}

/// Writes a frame.
///
/// # Errors
/// When the connection does not take it.
pub(super) fn write_frame(out: &mut impl Write, id: u32, message: &[u8]) -> io::Result<()> {
    let length = u32::try_from(message.len())
        .ok()
        .filter(|_| message.len() <= FRAME_BYTES_MAX)
        .ok_or_else(|| io::Error::other("a message is too long to be sent"))?;
    let mut header = [0; 8];
    header[..4].copy_from_slice(&length.to_le_bytes());
    header[4..].copy_from_slice(&id.to_le_bytes());
    out.write_all(&header)?;
    out.write_all(message)
}

/// Reads a frame: the request it belongs to, and the bytes of the message.
///
/// # Errors
/// [`FrameError::Closed`] where a frame could begin; anything else is a broken connection.
pub fn read_frame(input: &mut impl Read) -> Result<(u32, Vec<u8>), FrameError> {
    let mut header = [0; 8];
    let mut filled = 0;
    while filled < header.len() {
        match input.read(&mut header[filled..]) {
            Ok(0) if filled == 0 => return Err(FrameError::Closed),
            Ok(0) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    let [a, b, c, d, e, f, g, h] = header;
    let length = u32::from_le_bytes([a, b, c, d]) as usize;
    let id = u32::from_le_bytes([e, f, g, h]);
    if length > FRAME_BYTES_MAX {
        return Err(Malformed("it is longer than any message").into());
    }
    Ok((id, exactly(input, length)?))
}

/// Whether a whole frame is among the bytes.
pub(super) fn holds_frame(bytes: &[u8]) -> bool {
    match bytes.split_first_chunk::<8>() {
        Some((&[a, b, c, d, ..], message)) => {
            message.len() >= u32::from_le_bytes([a, b, c, d]) as usize
        }
        None => false,
    }
}

/// Memory grows with what arrives, not with what was announced.
fn exactly(input: &mut impl Read, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(length.min(512 << 10));
    input.by_ref().take(length as u64).read_to_end(&mut bytes)?;
    if bytes.len() < length { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(bytes) }
}

/// The versions that somebody speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    /// The lowest.
    pub low: u16,
    /// The highest.
    pub high: u16,
}

impl Versions {
    /// Those of this program.
    pub const OWN: Self = Self { low: VERSION_MIN, high: VERSION_MAX };

    /// The highest that both speak.
    #[must_use]
    pub fn shared(self, other: Self) -> Option<u16> {
        let high = self.high.min(other.high);
        (high >= self.low.max(other.low)).then_some(high)
    }
}

/// The bytes of a hello.
pub(super) fn hello_bytes(versions: Versions, hello: &impl Wire) -> Vec<u8> {
    let mut body = Vec::new();
    hello.write(&mut body);
    let mut bytes = MARK.to_vec();
    bytes.extend_from_slice(&versions.low.to_le_bytes());
    bytes.extend_from_slice(&versions.high.to_le_bytes());
    bytes.extend_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes());
    bytes.append(&mut body);
    bytes
}

/// Reads a hello: what the sender speaks, and what it says of itself. The latter is decoded only as
/// far as this program knows it.
///
/// # Errors
/// [`FrameError::Noise`] when something else comes, as from a login shell that prints a greeting.
pub(super) fn read_hello<T: Wire>(input: &mut impl Read) -> Result<(Versions, T), FrameError> {
    let mut mark = [0; 8];
    let mut filled = 0;
    while filled < mark.len() {
        match input.read(&mut mark[filled..]) {
            Ok(0) if filled == 0 => return Err(FrameError::Closed),
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
        if mark[..filled] != MARK[..filled] {
            break;
        }
    }
    if mark != *MARK {
        // What is there already, and no more: whoever speaks otherwise may never close the connection.
        let mut noise = mark[..filled].to_vec();
        let mut more = [0; NOISE_BYTES_MAX];
        if filled < mark.len() || mark[0] != MARK[0] {
            let read = input.read(&mut more).unwrap_or(0);
            noise.extend_from_slice(&more[..read]);
        }
        return Err(FrameError::Noise(String::from_utf8_lossy(&noise).trim().to_owned()));
    }
    let header = exactly(input, 8)?;
    let [a, b, c, d, e, f, g, h] = header[..] else {
        return Err(Malformed("the hello ends too early").into());
    };
    let versions = Versions { low: u16::from_le_bytes([a, b]), high: u16::from_le_bytes([c, d]) };
    let length = u32::from_le_bytes([e, f, g, h]) as usize;
    if length > HELLO_BYTES_MAX {
        return Err(Malformed("the hello is too long").into());
    }
    let body = exactly(input, length)?;
    Ok((versions, T::read(&mut Input::new(&body))?))
}
