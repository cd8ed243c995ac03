//! Any text is a project's configuration, in the new form or a legacy one, or an error.
#![no_main]

use dsg_core::config::parse_project;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = parse_project(text);
});
