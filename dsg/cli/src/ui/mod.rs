//! The only module that prints.
//!
//! Data goes to stdout, talk to stderr, so that `dsg … > file` and `dsg … | jq` get what they want.
//! With `--json` stdout holds exactly one JSON value. Text of others (paths, messages, authors) goes
//! through [`safe`] before it reaches a terminal. Colour only repeats what the words say.

mod error;
mod progress;
mod prompt;
mod text;

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};

use anstyle::{AnsiColor, Effects, Style};
use foundation_runtime::{Exit, Interrupt};
use serde::Serialize;

pub(crate) use error::{exit_of, show_usage};
pub(crate) use progress::{Phases, Progress, Timed};
pub(crate) use text::{argument, bytes, count, duration, moment, safe};

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ColorWhen {
    /// On a terminal that wants it
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What the command line says about output.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct UiOptions {
    pub(crate) verbose: bool,
    pub(crate) quiet: bool,
    pub(crate) json: bool,
    pub(crate) color: ColorWhen,
    pub(crate) progress: bool,
}

/// What a piece of text means, for those who see colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// A heading.
    Strong,
    /// It is as it should be.
    Good,
    /// Somebody should look.
    Warning,
    /// It failed or can't be done.
    Bad,
    /// Less important than the rest.
    Faint,
}

impl Tone {
    fn style(self) -> Style {
        let coloured = |colour: AnsiColor| Style::new().fg_color(Some(colour.into()));
        match self {
            Self::Strong => Style::new().effects(Effects::BOLD),
            Self::Good => coloured(AnsiColor::Green),
            Self::Warning => coloured(AnsiColor::Yellow),
            Self::Bad => coloured(AnsiColor::Red).effects(Effects::BOLD),
            Self::Faint => Style::new().effects(Effects::DIMMED),
        }
    }
}

/// Prints and asks; clones are the same.
#[derive(Clone)]
pub(crate) struct Ui {
    options: UiOptions,
    /// Whether stdout and stderr show colours.
    colours: [bool; 2],
    /// The first failure of stdout; nothing is written after it.
    broken: Arc<Mutex<Option<io::Error>>>,
}

impl Ui {
    pub(crate) fn new(options: &UiOptions) -> Self {
        let wanted = |auto: anstream::ColorChoice| match options.color {
            ColorWhen::Always => true,
            ColorWhen::Never => false,
            ColorWhen::Auto => !matches!(auto, anstream::ColorChoice::Never),
        };
        let colours = [
            wanted(anstream::AutoStream::choice(&io::stdout())),
            wanted(anstream::AutoStream::choice(&io::stderr())),
        ];
        Self { options: *options, colours, broken: Arc::default() }
    }

    /// Whether stdout is to hold one JSON value.
    pub(crate) fn is_json(&self) -> bool {
        self.options.json
    }

    /// Whether whole lists and details are wanted.
    pub(crate) fn is_verbose(&self) -> bool {
        self.options.verbose
    }

    /// Whether lists for people are to be cut: somebody reads them as they come.
    pub(crate) fn cuts_lists(&self) -> bool {
        !self.options.verbose && io::stdout().is_terminal()
    }

    /// Prints a line of the result on stdout; nothing with `--json`.
    pub(crate) fn line(&self, text: impl Display) {
        if !self.options.json {
            self.write(format_args!("{text}\n"));
        }
    }

    /// Prints text on stdout as it is, such as a completion script or a file's content.
    pub(crate) fn raw(&self, text: &[u8]) {
        self.write_bytes(text);
    }

    /// Prints the result as JSON on stdout; nothing without `--json`.
    pub(crate) fn json(&self, value: &impl Serialize) {
        if !self.options.json {
            return;
        }
        match serde_json::to_string_pretty(value) {
            Ok(text) => self.write(format_args!("{text}\n")),
            Err(error) => self.break_with(error.into()),
        }
    }

    /// Says something on stderr that is not the result; nothing with `--quiet`.
    pub(crate) fn say(&self, text: impl Display) {
        if !self.options.quiet {
            write_to_stderr(format_args!("{text}\n"));
        }
    }

    /// A notice on stderr: something that works and that the user should know.
    pub(crate) fn notice(&self, text: impl Display) {
        let word = self.talk(Tone::Warning, "notice:");
        self.say(format_args!("{word} {text}"));
    }

    /// Text for stdout in a tone.
    pub(crate) fn paint(&self, tone: Tone, text: impl Display) -> String {
        paint(self.colours[0], tone, text)
    }

    /// Text for stderr in a tone.
    pub(crate) fn talk(&self, tone: Tone, text: impl Display) -> String {
        paint(self.colours[1], tone, text)
    }

    /// What long work reports to.
    pub(crate) fn progress(&self, interrupt: Interrupt) -> Progress {
        let shown = self.options.progress
            && !self.options.json
            && !self.options.quiet
            && io::stderr().is_terminal();
        Progress::new(self.clone(), interrupt, shown)
    }

    /// The end of a command that did not fail. A reader that went away (`dsg log | head`) is no
    /// failure; a result that could not be written is one.
    pub(crate) fn finish(&self, exit: Exit) -> Exit {
        if let Err(error) = io::stdout().flush() {
            self.break_with(error);
        }
        let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        match broken.take() {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                write_to_stderr(format_args!(
                    "error[DSG-D01]: could not write the result: {error}\n"
                ));
                Exit::Machine
            }
            _ => exit,
        }
    }

    fn write(&self, text: std::fmt::Arguments<'_>) {
        self.write_bytes(text.to_string().as_bytes());
    }

    fn write_bytes(&self, bytes: &[u8]) {
        let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        if broken.is_none()
            && let Err(error) = io::stdout().write_all(bytes)
        {
            *broken = Some(error);
        }
    }

    fn break_with(&self, error: io::Error) {
        let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        broken.get_or_insert(error);
    }
}

fn paint(colours: bool, tone: Tone, text: impl Display) -> String {
    if !colours {
        return text.to_string();
    }
    let style = tone.style();
    format!("{style}{text}{style:#}")
}

/// Nobody can be told that stderr is closed, so a failure is left at that.
fn write_to_stderr(text: std::fmt::Arguments<'_>) {
    let _ = io::stderr().write_all(text.to_string().as_bytes());
}
