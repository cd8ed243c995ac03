//! Any bytes are a snapshot document in its only form, or none.
#![no_main]

use dsg_core::snapshot::SnapshotDocument;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(document) = SnapshotDocument::decode(bytes) {
        assert_eq!(document.encode().as_deref(), Ok(bytes));
    }
});
