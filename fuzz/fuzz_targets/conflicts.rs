//! Any text is an edited conflicts.txt, or the line that is wrong is named.
#![no_main]

use dsg_core::conflict;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = conflict::read(text);
});
