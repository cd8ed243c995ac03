//! Logs: one event a line on standard output, as JSON or for people.
//!
//! The text of an event is its field `message`. Who logs an address of a request logs its route,
//! never its query string.

use std::io;

use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::{EnvFilter, fmt};

/// The shape of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Time, level, text, fields.
    Human,
    /// One JSON object.
    Json,
}

/// Where the lines go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Standard output: a server.
    Standard,
    /// Standard error: a command whose standard output is its answer.
    Error,
}

impl<'a> MakeWriter<'a> for Output {
    type Writer = Box<dyn io::Write + Send + 'a>;

    fn make_writer(&'a self) -> Self::Writer {
        match self {
            Self::Standard => Box::new(io::stdout()),
            Self::Error => Box::new(io::stderr()),
        }
    }
}

/// Starts logging for the life of the process; a second call changes nothing. `level` is one of
/// error, warn, info, debug, trace.
pub fn start(format: Format, level: &str, output: Output) {
    // Libraries below us are of interest when something is wrong.
    let filter = EnvFilter::new(format!("{level},sqlx=warn,hyper=warn,hyper_util=warn"));
    let builder = fmt().with_env_filter(filter).with_writer(output);
    let _ = match format {
        Format::Human => builder.with_ansi(false).with_target(false).try_init(),
        Format::Json => builder
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .try_init(),
    };
}
