//! Whether what is there now has grown out of what was seen.

use dsg_core::hash::ChainHash;
use dsg_core::snapshot::{SnapshotDocument, SnapshotNumber};

use crate::repository::Head;

/// Whether each document names the one before it, up to the head: else what was seen is not the past
/// of what is there now.
pub(super) fn follows(
    documents: &[(SnapshotNumber, Vec<u8>)],
    head: &Head,
) -> std::result::Result<(), String> {
    let mut before: Option<ChainHash> = None;
    for (number, bytes) in documents {
        let document = SnapshotDocument::decode(bytes)
            .map_err(|error| format!("its {number} can't be read: {error}"))?;
        if document.number != *number || before.is_some() && document.parent != before {
            return Err(format!("its {number} has another past"));
        }
        before = Some(ChainHash::of(bytes));
    }
    if before == Some(head.chain) {
        Ok(())
    } else {
        Err("its newest snapshot has another past".to_owned())
    }
}
