//! Asking on the terminal.
//!
//! A question goes to stderr, so that stdout stays the result. The answer is waited for beside a
//! look at the interrupt flag: who presses Ctrl-C at a question wants to leave now.

use std::io::{self, BufRead, IsTerminal};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use dsg_store::error::{Code, Error, Result};
use foundation_runtime::Interrupt;

use super::{Ui, write_to_stderr};

/// How often the interrupt flag is looked at while somebody thinks.
const LOOK_EVERY: Duration = Duration::from_millis(50);

impl Ui {
    /// Whether there is somebody to ask.
    pub(crate) fn can_ask(&self) -> bool {
        !self.is_json() && io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Asks for a text; an empty answer is the default.
    ///
    /// # Errors
    /// When the input ends before there is an answer, or the user interrupts.
    pub(crate) fn ask(
        &self,
        question: &str,
        default: Option<&str>,
        interrupt: &Interrupt,
    ) -> Result<String> {
        loop {
            match default {
                Some(default) => {
                    write_to_stderr(format_args!("{question} [{}]: ", super::safe(default)));
                }
                None => write_to_stderr(format_args!("{question}: ")),
            }
            let answer = read_line(interrupt)?;
            match (answer.trim(), default) {
                ("", Some(default)) => return Ok(default.to_owned()),
                ("", None) => {}
                (answer, _) => return Ok(answer.to_owned()),
            }
        }
    }

    /// Asks yes or no; an empty answer is no.
    ///
    /// # Errors
    /// As for [`ask`](Self::ask).
    pub(crate) fn confirm(&self, question: &str, interrupt: &Interrupt) -> Result<bool> {
        loop {
            write_to_stderr(format_args!("{question} [y/N]: "));
            match read_line(interrupt)?.trim().to_lowercase().as_str() {
                "y" | "yes" => return Ok(true),
                "" | "n" | "no" => return Ok(false),
                _ => write_to_stderr(format_args!("Please answer y or n.\n")),
            }
        }
    }
}

fn read_line(interrupt: &Interrupt) -> Result<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let result = io::stdin().lock().read_line(&mut line).map(|read| (read > 0).then_some(line));
        // Nobody listens any more when the user interrupted.
        let _ = sender.send(result);
    });
    loop {
        match receiver.recv_timeout(LOOK_EVERY) {
            Ok(Ok(Some(line))) => return Ok(line),
            Ok(Ok(None)) | Err(RecvTimeoutError::Disconnected) => {
                return Err(no_answer("the input ended"));
            }
            Ok(Err(error)) => return Err(no_answer(&error.to_string())),
            Err(RecvTimeoutError::Timeout) if interrupt.requested() => {
                write_to_stderr(format_args!("\n"));
                return Err(Error::interrupted());
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

fn no_answer(why: &str) -> Error {
    Error::new(Code::Usage, "there was no answer to the question")
        .because(why)
        .next("answer it, or give the options that `dsg help COMMAND` shows; --yes confirms")
}
