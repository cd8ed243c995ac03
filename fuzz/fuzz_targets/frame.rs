//! Any bytes are frames, or none.
#![no_main]

use dsg_store::remote::read_frame;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut rest = bytes;
    while read_frame(&mut rest).is_ok() {}
});
