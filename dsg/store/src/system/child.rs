//! Another program as a step that changes something: an argument vector and no shell, words that
//! don't depend on the user's language, and a bounded answer.

use std::ffi::OsString;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::{FileLock, Result, SystemError, fault};

/// More than this is no answer of a program that we ask.
const OUTPUT_BYTES_MAX: u64 = 16 << 20;
/// Where administrators' programs are, on machines where the search path of users lacks them.
const FURTHER_PLACES: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// A program to run, with its arguments.
#[derive(Clone, Debug)]
pub struct Program {
    name: &'static str,
    arguments: Vec<OsString>,
    /// What it does, when it changes something; a step of its own.
    step: Option<&'static str>,
}

/// What a program answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Whether it says that all went well.
    pub success: bool,
    /// Its output.
    pub output: String,
    /// What it said went wrong.
    pub complaint: String,
}

impl Program {
    /// A program that only answers a question.
    #[must_use]
    pub fn asks(name: &'static str) -> Self {
        Self { name, arguments: Vec::new(), step: None }
    }

    /// A program that changes something, which `step` names.
    #[must_use]
    pub fn changes(name: &'static str, step: &'static str) -> Self {
        Self { name, arguments: Vec::new(), step: Some(step) }
    }

    /// Adds one argument.
    #[must_use]
    pub fn with(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn with_all(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(OsString::from));
        self
    }

    /// The line that a person would type.
    #[must_use]
    pub fn line(&self) -> String {
        let words = self.arguments.iter().map(|word| word.to_string_lossy());
        std::iter::once(self.name.into()).chain(words).collect::<Vec<_>>().join(" ")
    }

    /// Runs it to its end. It holds `lock` as long as it lives, even if this process is killed: it
    /// inherits the descriptor in place of its input.
    ///
    /// # Errors
    /// When it can't be started or its answer is too long. That it fails is an answer.
    pub fn run(&self, lock: Option<&FileLock>) -> Result<Answer> {
        let subject = self.arguments.last().map(PathBuf::from).unwrap_or_default();
        if let Some(step) = self.step {
            fault::step(step, &subject)?;
        }
        let answer = self.answer(lock);
        if self.step.is_some() {
            fault::step("hear of", &subject)?;
        }
        answer
    }

    fn answer(&self, lock: Option<&FileLock>) -> Result<Answer> {
        let program = find(self.name).ok_or_else(|| {
            let absent = std::io::Error::from(std::io::ErrorKind::NotFound);
            SystemError::new("find the program", Path::new(self.name), absent)
        })?;
        let fail = |error| SystemError::new("run", &program, error);
        let input = match lock {
            Some(lock) => lock.shared()?.into(),
            None => Stdio::null(),
        };
        let mut child = Command::new(&program)
            .args(&self.arguments)
            .env("LC_ALL", "C")
            .stdin(input)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C is for dsg, which stops where that is safe.
            .process_group(0)
            .spawn()
            .map_err(fail)?;
        let complaint = child.stderr.take();
        let complaint = std::thread::spawn(move || complaint.map_or(Ok(String::new()), bounded));
        let output = child.stdout.take().map_or(Ok(String::new()), bounded);
        if output.is_err() {
            end(&mut child);
        }
        let status = child.wait().map_err(fail)?;
        let complaint = complaint.join().unwrap_or_else(|_| Ok(String::new())).map_err(fail)?;
        Ok(Answer { success: status.success(), output: output.map_err(fail)?, complaint })
    }
}

/// The path of a program; `None` when this machine has none of that name.
fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let places = places.into_iter().chain(FURTHER_PLACES.map(PathBuf::from));
    places.map(|place| place.join(name)).find(|path| path.is_file())
}

fn bounded(from: impl Read) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    from.take(OUTPUT_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > OUTPUT_BYTES_MAX {
        return Err(std::io::Error::other("its answer is too long"));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn end(child: &mut Child) {
    // It may have ended by itself; either way it is waited for.
    let _ = child.kill();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::{Directory, lock_file};

    #[test]
    fn a_program_gets_its_arguments_as_they_are_and_its_failure_is_an_answer() {
        let program = Program::asks("printf").with_all(&["%s|", "a b", "$HOME", "*"]);
        assert_eq!(program.line(), "printf %s| a b $HOME *");
        let answer = program.run(None).expect("runs");
        assert_eq!((answer.success, answer.output.as_str()), (true, "a b|$HOME|*|"));
        let answer = Program::asks("ls").with("/nowhere").run(None).expect("runs");
        assert!(!answer.success && answer.complaint.contains("No such file"), "{answer:?}");
        let error = Program::asks("no-such-program").run(None).expect_err("is missing");
        assert!(error.is_absent());
    }

    #[test]
    fn a_program_without_end_is_ended() {
        let error = Program::asks("yes").run(None).expect_err("never ends");
        assert!(error.to_string().contains("too long"), "{error}");
    }

    #[test]
    fn a_lock_lives_as_long_as_the_program_that_inherited_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let directory = Directory::open(folder.path()).expect("opens");
        let take = || lock_file(&directory, "lock", 0o600, false).expect("asks");
        let lock = take().expect("is free");
        let fifo = folder.path().join("fifo");
        assert!(Program::asks("mkfifo").with(&fifo).run(None).expect("runs").success);
        std::thread::scope(|scope| {
            scope.spawn(|| Program::asks("cat").with(&fifo).run(Some(&lock)).expect("runs"));
            // Opening waits for the reader: from here on the program lives.
            let writer = std::fs::File::create(&fifo).expect("opens");
            let copy = lock.shared().expect("copies");
            drop(copy);
            assert!(take().is_none());
            drop(writer);
        });
        assert!(take().is_none(), "this process has it still");
        drop(lock);
        // A program that another test starts at this moment shares our open files until it is one.
        let free = || {
            std::thread::sleep(std::time::Duration::from_millis(1));
            take().is_some()
        };
        assert!((0..10_000).any(|_| free()));
    }
}
