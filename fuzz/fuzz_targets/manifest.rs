//! Any bytes are an object of a manifest, or none; what is one has all its children.
#![no_main]

use dsg_core::tree::Object;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(object) = Object::unplaced(bytes.to_vec()) {
        assert_eq!(object.bytes, bytes);
    }
});
