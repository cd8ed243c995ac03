//! The index in `.dsg`.

use std::collections::HashMap;

use super::{Index, Updates, Validity};
use crate::error::{Code, Error, Result};
use crate::system::{Directory, Kind, present};

const INDEX: &str = "index";
const TEMPORARY: &str = "index.new";
const INDEX_BYTES_MAX: u64 = 8 << 30;

impl Index {
    /// The index of a project, if there is a whole one. A link, a pipe or the like is none, and the next
    /// save takes its place.
    ///
    /// # Errors
    /// When it is there and can't be read, or is a directory, which no file can replace.
    pub(crate) fn read(dsg: &Directory) -> Result<Option<Self>> {
        match present(dsg.status(INDEX))?.map(|status| status.kind) {
            Some(Kind::File) => {}
            Some(Kind::Directory) => return Err(is_directory(dsg)),
            _ => return Ok(None),
        }
        let Some(mut reader) = present(dsg.open_file(INDEX))? else { return Ok(None) };
        Ok(Self::parse(reader.read_to_end(INDEX_BYTES_MAX)?))
    }

    /// Makes the one on disk be this one with `changed`, by a block behind it or as a whole. Not
    /// synced: what is torn is recognized. The project's lock is held.
    ///
    /// # Errors
    /// When the disk says no.
    pub(crate) fn save(
        &self,
        dsg: &Directory,
        validity: Validity,
        changed: &HashMap<String, Updates>,
    ) -> Result<()> {
        if let Some(block) = self.block(validity, changed) {
            let file = dsg.open_in_place(INDEX, 0o600)?;
            // Another process may have written since it was read: then nothing can be said about its end.
            if file.status()?.size == block.at {
                let written = file.write_all_at(&block.bytes, block.at);
                // Half of a block would make all of it useless.
                if written.is_err() {
                    let _ = file.truncate(block.at);
                }
                return Ok(written?);
            }
        }
        dsg.remove_file_if_there(TEMPORARY)?;
        let mut file = dsg.create_file(TEMPORARY, 0o600)?;
        file.write_all(&self.write(validity, self.left_out, changed))?;
        drop(file);
        Ok(dsg.rename(TEMPORARY, dsg, INDEX)?)
    }
}

fn is_directory(dsg: &Directory) -> Error {
    let place = dsg.path_of(INDEX).display().to_string();
    Error::new(Code::Disk, format!("{place} is a directory"))
        .because("a file belongs there, in which dsg notes what it has read")
        .next(format!("move {place} away; the file is made anew"))
}
