//! A second place for old contents: the snapshots of the file system itself. Where the repository's
//! own copy is damaged or gone, theirs may not be; it is proven by its hash like any other.

use std::path::Path;

use super::super::Wanted;
use super::super::layout::LocalRepository;
use super::Storage;
use super::volumes::Volume;
use crate::error::Result;
use crate::system::{Directory, Parents, Reader, present};

impl LocalRepository {
    /// Offers what the file system's snapshots have at a path, the newest first, until one is taken.
    pub(in super::super) fn offer_kept(
        &self,
        wanted: &Wanted<'_>,
        take: &mut dyn FnMut(Reader) -> Result<bool>,
    ) -> Result<bool> {
        let Some((above, mut states)) = self.states_kept()? else { return Ok(false) };
        states.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
        for (_, name) in states {
            let Some(state) = present(above.directory(&name))? else { continue };
            let mut parents = Parents::new(&state);
            let path = Path::new(wanted.path.as_str());
            let Some((directory, name)) = present(parents.of(path))? else { continue };
            // Another thing may have been there in that state.
            let Ok(file) = directory.open_file(name) else { continue };
            if file.opened().size == wanted.size && take(file)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The directory that shows the file system's snapshots, and which there are; `None` where it
    /// shows none, as ZFS in user space.
    #[expect(clippy::type_complexity, reason = "it is taken apart at once")]
    fn states_kept(&self) -> Result<Option<(Directory, Vec<(u64, String)>)>> {
        let above = match self.description.storage {
            Storage::Plain => return Ok(None),
            Storage::ZfsInPlace | Storage::ZfsGenerations => {
                match present(self.root.directory(".zfs"))? {
                    Some(hidden) => present(hidden.directory("snapshot"))?,
                    None => None,
                }
            }
            Storage::Btrfs => match std::fs::canonicalize(self.root.path()) {
                Ok(real) => real.parent().and_then(|above| Directory::open(above).ok()),
                Err(_) => None,
            },
        };
        let Some(above) = above else { return Ok(None) };
        let mut states = Vec::new();
        for entry in above.entries()? {
            let name = entry.name.to_string_lossy().into_owned();
            let number = match Volume::parse(&name) {
                Some(volume) => Some(volume.number),
                None => name.strip_prefix('s').and_then(|number| number.parse().ok()),
            };
            states.extend(number.map(|number| (number, name)));
        }
        Ok(Some((above, states)))
    }
}
