//! How the other side is reached: by the user's own `ssh`, which starts `dsg serve --stdio` there.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use foundation_runtime::{Clock, SystemClock};

use super::failure::Said;
use crate::error::{Code, Error, Result};

/// How long a process may take to end after its line was closed.
const END_MAX: Duration = Duration::from_secs(5);
/// How much of what `ssh` says is kept, in bytes.
const SAID_BYTES_MAX: usize = 16 << 10;

/// A way to the other side.
pub trait Dial {
    /// Opens a line.
    ///
    /// # Errors
    /// When that can't even be tried.
    fn dial(&self) -> Result<Line>;

    /// The name of the other side, for messages.
    fn place(&self) -> String;

    /// What is started there, for messages.
    fn program(&self) -> String {
        "dsg".to_owned()
    }
}

/// A line to the other side.
pub struct Line {
    /// What comes.
    pub input: Box<dyn Read + Send>,
    /// What goes; dropping it says that nothing more goes.
    pub output: Box<dyn Write + Send>,
    /// The process at our end, if there is one.
    pub process: Option<Box<dyn Process>>,
}

/// The process at our end of a line.
pub trait Process: Send {
    /// Waits until it has ended, and makes it end if it takes too long. What it said.
    fn end(&mut self) -> Said;
}

/// `ssh`.
#[derive(Clone, Debug)]
pub struct Ssh {
    host: String,
    command: Vec<OsString>,
    program: String,
}

impl Ssh {
    /// To a host, by the name that `ssh` knows it by. `command` replaces `ssh` and may carry options,
    /// separated by spaces; `program` replaces `dsg` over there.
    #[must_use]
    pub fn new(host: &str, command: Option<&str>, program: Option<&str>) -> Self {
        let command = command.unwrap_or("ssh").split_whitespace().map(OsString::from).collect();
        Self { host: host.to_owned(), command, program: program.unwrap_or("dsg").to_owned() }
    }
}

impl Dial for Ssh {
    fn dial(&self) -> Result<Line> {
        let mut words = self.command.iter();
        let ssh = words.next().cloned().unwrap_or_else(|| "ssh".into());
        let mut command = Command::new(&ssh);
        command
            .args(words)
            // Nothing of ours needs what a login may forward. What the user has configured comes
            // after the command line and so can't turn it on; all else is theirs.
            .args(["-T", "-x", "-a", "-oClearAllForwardings=yes"])
            .args(["-oServerAliveInterval=20", "-oServerAliveCountMax=9"])
            .args(["--", &self.host, &format!("{} serve --stdio", self.program)])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| {
            Error::new(Code::Connection, format!("{} can't be started", ssh.to_string_lossy()))
                .because(error)
                .next("install an ssh client (Debian: openssh-client); DSG_SSH names another one")
        })?;
        let (Some(input), Some(output), Some(said)) =
            (child.stdout.take(), child.stdin.take(), child.stderr.take())
        else {
            return Err(Error::new(Code::Connection, "ssh has no input or output"));
        };
        let process = SshProcess::new(child, said);
        Ok(Line {
            input: Box::new(input),
            output: Box::new(output),
            process: Some(Box::new(process)),
        })
    }

    fn place(&self) -> String {
        self.host.clone()
    }

    fn program(&self) -> String {
        self.program.clone()
    }
}

struct SshProcess {
    child: Child,
    said: Arc<Mutex<Vec<u8>>>,
    listener: Option<JoinHandle<()>>,
}

impl SshProcess {
    fn new(child: Child, mut stderr: impl Read + Send + 'static) -> Self {
        let said = Arc::new(Mutex::new(Vec::new()));
        let own = Arc::clone(&said);
        let listener = std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read) = stderr.read(&mut buffer) {
                if read == 0 {
                    return;
                }
                let mut said = own.lock().unwrap_or_else(PoisonError::into_inner);
                said.extend_from_slice(&buffer[..read]);
                // The end of it tells why.
                let too_much = said.len().saturating_sub(SAID_BYTES_MAX);
                said.drain(..too_much);
            }
        });
        Self { child, said, listener: Some(listener) }
    }
}

impl Process for SshProcess {
    fn end(&mut self) -> Said {
        let begun = SystemClock::new();
        let mut pause = Duration::from_micros(200);
        let status = loop {
            match self.child.try_wait() {
                Ok(Some(status)) => break status.code(),
                Ok(None) if begun.monotonic() < END_MAX => {
                    std::thread::sleep(pause);
                    pause = (pause * 2).min(Duration::from_millis(20));
                }
                _ => {
                    let _ = self.child.kill();
                    let _ = self.child.wait();
                    break None;
                }
            }
        };
        if let Some(listener) = self.listener.take()
            && (status.is_some() || listener.is_finished())
        {
            // A process that ssh left behind may keep it open: what was said so far is enough then.
            let begun = SystemClock::new();
            while !listener.is_finished() && begun.monotonic() < Duration::from_millis(200) {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        Said { text: String::from_utf8_lossy(&said).trim().to_owned(), status }
    }
}
