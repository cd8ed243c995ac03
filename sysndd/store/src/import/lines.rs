//! A file line by line, with a limit for the length of a line and the hash of all its bytes.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};

use sha2::{Digest as _, Sha256};
use sysndd_core::import::Problem;

use super::{Error, Monitor, Source};

/// No line of a release is a tenth as long.
const LINE_MAX: u64 = 1 << 20;
const BUFFER: usize = 1 << 18;
/// How many bytes are read between two reports.
const REPORT: u64 = 1 << 20;

/// The bytes of a file as they are read.
pub(super) struct Hashing<'a> {
    file: File,
    hash: Sha256,
    unreported: u64,
    monitor: &'a dyn Monitor,
}

impl<'a> Hashing<'a> {
    pub(super) fn open(source: &Source, monitor: &'a dyn Monitor) -> Result<Self, Error> {
        let file = File::open(&source.file)
            .map_err(|error| Error::Unreadable { file: source.file.clone(), source: error })?;
        Ok(Self { file, hash: Sha256::new(), unreported: 0, monitor })
    }

    /// The hash of what was read, in hexadecimal.
    pub(super) fn finish(self) -> String {
        self.monitor.advance(self.unreported);
        self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Read for Hashing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.hash.update(&buffer[..count]);
        self.unreported += u64::try_from(count).unwrap_or(u64::MAX);
        if self.unreported >= REPORT {
            self.monitor.advance(self.unreported);
            self.unreported = 0;
        }
        Ok(count)
    }
}

/// Hands over each line with its end. Returns the hash of the file.
pub(super) fn each(
    source: &Source,
    monitor: &dyn Monitor,
    mut take: impl FnMut(&[u8]) -> Result<(), Problem>,
) -> Result<String, Error> {
    let mut reader = BufReader::with_capacity(BUFFER, Hashing::open(source, monitor)?);
    let mut line = Vec::new();
    let mut number = 0;
    loop {
        line.clear();
        number += 1;
        let unreadable = |error| Error::Unreadable { file: source.file.clone(), source: error };
        let malformed = |problem| Error::Malformed { file: source.file.clone(), problem };
        let read =
            reader.by_ref().take(LINE_MAX).read_until(b'\n', &mut line).map_err(unreadable)?;
        if read == 0 {
            return Ok(reader.into_inner().finish());
        }
        if line.last() != Some(&b'\n') && line.len() as u64 >= LINE_MAX {
            return Err(malformed(Problem::new(number, "it is longer than a megabyte")));
        }
        take(&line).map_err(malformed)?;
        if number % 4096 == 0 && monitor.stop_requested() {
            return Err(Error::Stopped);
        }
    }
}
