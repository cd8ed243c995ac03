//! The only place of `sysndd` that prints; logs go their own way.

pub mod progress;

use std::io::{self, Write as _};

/// Prints a line for people or programs to standard output. A reader that has gone is no failure.
pub fn line(text: &str) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// Says what went wrong, on standard error.
pub fn error(text: &str) {
    let _ = writeln!(io::stderr().lock(), "sysndd: {text}");
}
