//! Is everything as it should be? Each question has an answer of its own: one that can't be asked is
//! a finding and does not keep the others from being asked. Nothing is repaired here.

mod file_system;
mod here;
mod storage;
mod there;

use std::fmt::Display;
use std::path::PathBuf;

pub use file_system::{Ability, Probe, probe};
pub use here::examine_project;
pub use there::{examine_connection, examine_repository};

use crate::error::{Class, Error};
use crate::repository::Paths;

/// How a question was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Fine,
    /// Somebody should look, but everything works.
    Warning,
    /// Something does not work, or may not stay as it is.
    Problem(Class),
}

/// The answer to one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was asked, in a word or two.
    pub topic: &'static str,
    /// How it was answered.
    pub verdict: Verdict,
    /// What was found.
    pub what: String,
    /// What to do next.
    pub next: Option<String>,
    /// The paths it is about.
    pub paths: Vec<String>,
}

impl Finding {
    fn new(topic: &'static str, verdict: Verdict, what: impl Into<String>) -> Self {
        Self { topic, verdict, what: what.into(), next: None, paths: Vec::new() }
    }

    /// Everything is as it should be.
    #[must_use]
    pub fn fine(topic: &'static str, what: impl Into<String>) -> Self {
        Self::new(topic, Verdict::Fine, what)
    }

    /// Somebody should look, and do this next.
    #[must_use]
    pub fn warning(topic: &'static str, what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { next: Some(next.into()), ..Self::new(topic, Verdict::Warning, what) }
    }

    /// Something does not work; do this next.
    #[must_use]
    pub fn problem(
        topic: &'static str,
        class: Class,
        what: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self { next: Some(next.into()), ..Self::new(topic, Verdict::Problem(class), what) }
    }

    /// An error that answered the question.
    #[must_use]
    pub fn error(topic: &'static str, error: &Error) -> Self {
        let finding = Self::new(topic, Verdict::Problem(error.code.class()), error.to_string());
        Self { next: error.next.clone(), paths: error.paths.clone(), ..finding }
    }

    fn about(mut self, paths: impl IntoIterator<Item = impl Display>) -> Self {
        self.paths = paths.into_iter().map(|path| path.to_string()).collect();
        self
    }

    fn about_some(self, paths: &Paths) -> Self {
        let shown = |path: &PathBuf| path.display().to_string();
        let rest = paths.count.saturating_sub(paths.first.len() as u64);
        let more = (rest > 0).then(|| format!("and {rest} more"));
        self.about(paths.first.iter().map(shown).chain(more))
    }
}

/// The findings of a check that may fail as a whole.
fn or_error(
    topic: &'static str,
    result: crate::error::Result<Vec<Finding>>,
    findings: &mut Vec<Finding>,
) {
    match result {
        Ok(found) => findings.extend(found),
        Err(error) => findings.push(Finding::error(topic, &error)),
    }
}

/// `1 file`, `2 files`.
fn count(number: u64, word: &str) -> String {
    if number == 1 {
        return format!("1 {word}");
    }
    match word.strip_suffix('y') {
        Some(stem) => format!("{number} {stem}ies"),
        None => format!("{number} {word}s"),
    }
}

/// A size for a message.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{} KiB", bytes / 1024),
        1_048_576..1_073_741_824 => format!("{} MiB", bytes / 1_048_576),
        _ => format!("{} GiB", bytes / 1_073_741_824),
    }
}

/// An age for a message.
pub(crate) fn age(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{} s", seconds.max(0)),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests;
