//! Where contents come from and go to: a file of this machine, or a connection.

use dsg_core::hash::ContentHash;

use crate::error::Result;
use crate::system::{Reader, Writer};

/// Bytes that are to be stored.
pub trait Source {
    /// How many bytes there will be, as far as that is known now.
    fn expected(&self) -> u64;

    /// The next bytes; 0 at the end.
    ///
    /// # Errors
    /// When they can't be read.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize>;

    /// The file, if it is one of this machine: its blocks can be shared, and it can be read twice.
    fn file(&mut self) -> Option<&mut Reader>;

    /// Whether it begins with bytes that an earlier upload left for the same path.
    fn uses_left_over(&self) -> bool {
        false
    }

    /// How the content is made of an older one that is here, if that is how it comes.
    fn patches(&mut self) -> Option<&mut dyn Patches> {
        None
    }
}

/// A content as the difference to an older one.
pub trait Patches {
    /// The older content.
    fn base(&mut self) -> &mut Reader;

    /// The next piece, in the order of the new content; `None` at its end.
    ///
    /// # Errors
    /// When it does not come.
    fn next(&mut self) -> Result<Option<Piece<'_>>>;
}

/// A piece of a content that comes as a difference.
#[derive(Clone, Copy, Debug)]
pub enum Piece<'a> {
    /// Bytes of the older content.
    Old {
        /// Where they begin there.
        offset: u64,
        /// How many.
        length: u64,
    },
    /// New bytes.
    New(&'a [u8]),
}

impl Source for Reader {
    fn expected(&self) -> u64 {
        self.opened().size
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        Ok(Self::read(self, buffer)?)
    }

    fn file(&mut self) -> Option<&mut Reader> {
        Some(self)
    }
}

/// Where a content is to be written: empty, and nobody else's.
pub trait Target {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// When they can't be written.
    fn write_all(&mut self, bytes: &[u8]) -> Result<()>;

    /// Forgets what was written: another copy follows.
    ///
    /// # Errors
    /// When that is not possible.
    fn start_again(&mut self) -> Result<()>;

    /// The file, if it is one of this machine: it can share blocks.
    fn file(&mut self) -> Option<&mut Writer>;
}

impl Target for Writer {
    fn write_all(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(Self::write_all(self, bytes)?)
    }

    fn start_again(&mut self) -> Result<()> {
        Ok(Self::start_again(self)?)
    }

    fn file(&mut self) -> Option<&mut Writer> {
        Some(self)
    }
}

/// Where many contents go, each by its number among those that were wanted. Called from several
/// threads.
pub trait Receiver: Sync {
    /// Makes the empty file for one.
    ///
    /// # Errors
    /// When it can't be made.
    fn create(&self, number: usize) -> Result<Writer>;

    /// Takes a file whose content is proven.
    ///
    /// # Errors
    /// When it can't be kept.
    fn finish(&self, number: usize, file: Writer) -> Result<()>;

    /// What of a content is here, for whom bringing it is slow; always the same answer.
    fn has(&self, number: usize) -> Option<Has> {
        let _ = number;
        None
    }

    /// Instead of [`create`](Self::create): the file that [`Has::Beginning`] is about, at its start.
    ///
    /// # Errors
    /// When it can't be opened.
    fn begun(&self, number: usize) -> Result<Writer> {
        self.create(number)
    }

    /// Opens once more the file that was made for one, as what was written into it is not the content.
    ///
    /// # Errors
    /// When it can't be opened.
    fn reopen(&self, number: usize) -> Result<Writer>;

    /// The content that [`Has::Older`] is about, if it is still here.
    ///
    /// # Errors
    /// When it can't be opened.
    fn older(&self, number: usize) -> Result<Option<Reader>> {
        let _ = number;
        Ok(None)
    }
}

/// What is here of a content that is wanted. Nothing of it is proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Has {
    /// So many bytes of its beginning, from a transfer that was cut off.
    Beginning(u64),
    /// A content that the path had before, and its length.
    Older(ContentHash, u64),
}
