//! How values become bytes. Compact, and with one form for each value: what decodes encodes to the
//! same bytes again. No input makes the decoder panic, and none makes it allocate more than a small
//! multiple of what was sent.

use dsg_core::entry::{Entry, FileEntry, Identity, LinkEntry, Moment};
use dsg_core::hash::{ChainHash, ContentHash, TreeHash};
use dsg_core::path::{PATH_BYTES_MAX, RepoPath};
use dsg_core::snapshot::{SnapshotNumber, TransactionId};
use dsg_core::tree::Change;

use crate::error::{Code, Error};
use crate::repository::{
    Damage, LeftOver, NewEntry, PathChange, Settlement, TreeObject, VerifyReport, VerifyScope,
};

/// The longest text, in bytes.
const TEXT_BYTES_MAX: usize = 64 << 10;
/// The most paths that an error names.
const ERROR_PATHS_MAX: usize = 100;

/// Bytes that are no message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the message can't be understood: {0}")]
pub struct Malformed(pub(super) &'static str);

type Result<T> = std::result::Result<T, Malformed>;

/// What is left to decode.
pub(super) struct Input<'a> {
    bytes: &'a [u8],
}

impl<'a> Input<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, rest) =
            self.bytes.split_at_checked(count).ok_or(Malformed("it ends too early"))?;
        self.bytes = rest;
        Ok(taken)
    }

    pub(super) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.bytes)
    }

    /// Nothing may follow.
    pub(super) fn end(&self) -> Result<()> {
        if self.bytes.is_empty() { Ok(()) } else { Err(Malformed("something follows it")) }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        self.take(N)?.try_into().map_err(|_| Malformed("it ends too early"))
    }

    fn text(&mut self, bytes_max: usize) -> Result<&'a str> {
        let length = usize::read(self)?;
        if length > bytes_max {
            return Err(Malformed("a text is too long"));
        }
        std::str::from_utf8(self.take(length)?).map_err(|_| Malformed("a text is not UTF-8"))
    }
}

/// A value that travels.
pub(super) trait Wire: Sized {
    fn write(&self, out: &mut Vec<u8>);
    fn read(input: &mut Input<'_>) -> Result<Self>;
}

impl Wire for u8 {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(*self);
    }
    fn read(input: &mut Input<'_>) -> Result<Self> {
        Ok(input.take(1)?[0])
    }
}

impl Wire for bool {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }
    fn read(input: &mut Input<'_>) -> Result<Self> {
        match u8::read(input)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Malformed("a truth value is neither 0 nor 1")),
        }
    }
}

impl Wire for u64 {
    fn write(&self, out: &mut Vec<u8>) {
        let mut value = *self;
        while value >= 0x80 {
            out.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        out.push(value as u8);
    }
    fn read(input: &mut Input<'_>) -> Result<Self> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = u8::read(input)?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(Malformed("a number is too large"));
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return match byte {
                    0 if shift > 0 => Err(Malformed("a number is longer than it must be")),
                    _ => Ok(value),
                };
            }
        }
        Err(Malformed("a number is too large"))
    }
}

impl Wire for usize {
    fn write(&self, out: &mut Vec<u8>) {
        (*self as u64).write(out);
    }
    fn read(input: &mut Input<'_>) -> Result<Self> {
        Self::try_from(u64::read(input)?).map_err(|_| Malformed("a number is too large"))
    }
}

impl Wire for u32 {
    fn write(&self, out: &mut Vec<u8>) {
        u64::from(*self).write(out);
    }
    fn read(input: &mut Input<'_>) -> Result<Self> {
        Self::try_from(u64::read(input)?).map_err(|_| Malformed("a number is too large"))
    }
}

impl Wire for String {
    fn write(&self, out: &mut Vec<u8>) {
        let text = shortened(self, TEXT_BYTES_MAX);
        text.len().write(out);
        out.extend_from_slice(text.as_bytes());
    }
    fn read(input: &mut Input<'_>) -> Result<Self> {
        Ok(input.text(TEXT_BYTES_MAX)?.to_owned())
    }
}

fn shortened(text: &str, bytes_max: usize) -> &str {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Bytes that mean something to others.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Bytes(pub(super) Vec<u8>);

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Bytes {
    /// The bytes themselves.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

impl Wire for Bytes {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.len().write(out);
        out.extend_from_slice(&self.0);
    }
    fn read(input: &mut Input<'_>) -> Result<Self> {
        let length = usize::read(input)?;
        Ok(Self(input.take(length)?.to_vec()))
    }
}

impl<T: Wire> Wire for Option<T> {
    fn write(&self, out: &mut Vec<u8>) {
        self.is_some().write(out);
        if let Some(value) = self {
            value.write(out);
        }
    }
    fn read(input: &mut Input<'_>) -> Result<Self> {
        Ok(if bool::read(input)? { Some(T::read(input)?) } else { None })
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn write(&self, out: &mut Vec<u8>) {
        self.len().write(out);
        self.iter().for_each(|value| value.write(out));
    }
    fn read(input: &mut Input<'_>) -> Result<Self> {
        let count = usize::read(input)?;
        // Each takes at least a byte, so a long list can't be announced by a short message. What is
        // reserved is what a list of small values needs; others grow as they arrive.
        if count > input.bytes.len() {
            return Err(Malformed("a list is longer than the message"));
        }
        let mut values = Self::with_capacity(count.min(1024));
        for _ in 0..count {
            values.push(T::read(input)?);
        }
        Ok(values)
    }
}

impl<A: Wire, B: Wire> Wire for (A, B) {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
        self.1.write(out);
    }
    fn read(input: &mut Input<'_>) -> Result<Self> {
        Ok((A::read(input)?, B::read(input)?))
    }
}

impl<const BYTES: usize> Wire for [u8; BYTES] {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
    fn read(input: &mut Input<'_>) -> Result<Self> {
        input.array()
    }
}

macro_rules! fixed {
    ($($name:ty),*) => { $(impl Wire for $name {
        fn write(&self, out: &mut Vec<u8>) {
            out.extend_from_slice(self.as_bytes());
        }
        fn read(input: &mut Input<'_>) -> Result<Self> {
            Ok(Self::from_bytes(input.array()?))
        }
    })* };
}

fixed!(ContentHash, TreeHash, ChainHash, TransactionId);

impl Wire for SnapshotNumber {
    fn write(&self, out: &mut Vec<u8>) {
        self.get().write(out);
    }
    fn read(input: &mut Input<'_>) -> Result<Self> {
        Self::new(u64::read(input)?).ok_or(Malformed("there is no snapshot 0"))
    }
}

impl Wire for Moment {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0.to_le_bytes());
    }
    fn read(input: &mut Input<'_>) -> Result<Self> {
        Ok(Self(i64::from_le_bytes(input.array()?)))
    }
}

impl Wire for RepoPath {
    fn write(&self, out: &mut Vec<u8>) {
        self.as_str().len().write(out);
        out.extend_from_slice(self.as_str().as_bytes());
    }
    fn read(input: &mut Input<'_>) -> Result<Self> {
        Self::parse(input.text(PATH_BYTES_MAX)?).map_err(|_| Malformed("a path is none"))
    }
}

/// Writes the fields of a structure one after the other.
macro_rules! structure {
    ($name:ident { $($field:ident),* $(,)? }) => {
        impl Wire for $name {
            fn write(&self, out: &mut Vec<u8>) {
                $(self.$field.write(out);)*
            }
            fn read(input: &mut Input<'_>) -> Result<Self> {
                Ok(Self { $($field: Wire::read(input)?),* })
            }
        }
    };
}

structure!(PathChange { path, old, new });
structure!(Change { path, old, new });
structure!(LeftOver { mark, size, hash });
structure!(Damage { file, what, meaning });
structure!(VerifyReport { snapshots, entries, contents, bytes, damage });

impl Wire for TreeObject {
    fn write(&self, out: &mut Vec<u8>) {
        self.bytes.len().write(out);
        out.extend_from_slice(&self.bytes);
    }
    // The hash does not travel: who receives the bytes computes it.
    fn read(input: &mut Input<'_>) -> Result<Self> {
        let bytes = Bytes::read(input)?.0;
        Ok(Self { hash: TreeHash::of(&bytes), bytes })
    }
}

impl Wire for Box<str> {
    fn write(&self, out: &mut Vec<u8>) {
        self.len().write(out);
        out.extend_from_slice(self.as_bytes());
    }
    fn read(input: &mut Input<'_>) -> Result<Self> {
        Ok(input.text(TEXT_BYTES_MAX)?.into())
    }
}

impl Wire for std::sync::Arc<str> {
    fn write(&self, out: &mut Vec<u8>) {
        self.len().write(out);
        out.extend_from_slice(self.as_bytes());
    }
    fn read(input: &mut Input<'_>) -> Result<Self> {
        Ok(input.text(TEXT_BYTES_MAX)?.into())
    }
}

/// One of several: a number says which, its fields follow.
macro_rules! choice {
    ($name:ident { $($tag:literal => $variant:ident $({ $($field:ident),* $(,)? })?),* $(,)? }) => {
        impl Wire for $name {
            fn write(&self, out: &mut Vec<u8>) {
                match self {
                    $(Self::$variant $({ $($field),* })? => {
                        out.push($tag);
                        $($($field.write(out);)*)?
                    })*
                }
            }
            fn read(input: &mut Input<'_>) -> std::result::Result<Self, Malformed> {
                match u8::read(input)? {
                    $($tag => Ok(Self::$variant $({ $($field: Wire::read(input)?),* })?),)*
                    _ => Err(Malformed(concat!("no such ", stringify!($name)))),
                }
            }
        }
    };
}

choice!(Identity { 1 => File { hash, executable }, 2 => Link { target } });
choice!(NewEntry { 1 => File { hash, size, executable, modified }, 2 => Link { target } });

impl Wire for Entry {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::File(file) => {
                out.push(1);
                file.hash.write(out);
                file.executable.write(out);
                file.size.write(out);
                file.modified.write(out);
                file.author.write(out);
            }
            Self::Link(link) => {
                out.push(2);
                link.target.write(out);
                link.author.write(out);
            }
        }
    }
    fn read(input: &mut Input<'_>) -> Result<Self> {
        match u8::read(input)? {
            1 => Ok(Self::File(FileEntry {
                hash: Wire::read(input)?,
                executable: Wire::read(input)?,
                size: Wire::read(input)?,
                modified: Wire::read(input)?,
                author: Wire::read(input)?,
            })),
            2 => {
                Ok(Self::Link(LinkEntry { target: Wire::read(input)?, author: Wire::read(input)? }))
            }
            _ => Err(Malformed("no such Entry")),
        }
    }
}

impl Wire for Settlement {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Committed(number) => Some(*number).write(out),
            Self::Aborted => None::<SnapshotNumber>.write(out),
        }
    }
    fn read(input: &mut Input<'_>) -> Result<Self> {
        Ok(Option::<SnapshotNumber>::read(input)?.map_or(Self::Aborted, Self::Committed))
    }
}

impl Wire for VerifyScope {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Snapshot(number) => {
                out.push(1);
                number.write(out);
            }
            Self::Chain { contents } => {
                out.push(2);
                contents.write(out);
            }
        }
    }
    fn read(input: &mut Input<'_>) -> Result<Self> {
        match u8::read(input)? {
            1 => Ok(Self::Snapshot(Wire::read(input)?)),
            2 => Ok(Self::Chain { contents: Wire::read(input)? }),
            _ => Err(Malformed("no such VerifyScope")),
        }
    }
}

/// An error as it travels. A code that this program does not know is still an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireError {
    code: String,
    what: String,
    why: Option<String>,
    next: Option<String>,
    paths: Vec<String>,
}

structure!(WireError { code, what, why, next, paths });

impl From<&Error> for WireError {
    fn from(error: &Error) -> Self {
        Self {
            code: error.code.as_str().to_owned(),
            what: error.what.clone(),
            why: error.why.clone(),
            next: error.next.clone(),
            paths: error.paths.iter().take(ERROR_PATHS_MAX).cloned().collect(),
        }
    }
}

impl From<WireError> for Error {
    fn from(error: WireError) -> Self {
        let known = Code::ALL.iter().find(|code| code.as_str() == error.code);
        Self {
            code: known.copied().unwrap_or(Code::Protocol),
            what: error.what,
            why: error.why,
            next: error.next,
            paths: error.paths,
        }
    }
}

pub(super) use choice;
