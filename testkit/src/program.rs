//! Running a test program again as a process of its own, which can be killed, stopped and made to
//! fail at one of its steps (`dsg/store/src/system/fault.rs`).

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

/// A process that is being started shares the open files of this one, and so its locks, until it
/// becomes another program a moment later.
static STARTING: RwLock<()> = RwLock::new(());

/// While this lives no process is started by way of this module, so that locks which this process
/// releases are free at once.
pub fn nothing_starts() -> RwLockReadGuard<'static, ()> {
    STARTING.read().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a process when [`nothing_starts`] is not held.
///
/// # Errors
/// When it can't be started.
pub fn start(command: &mut Command) -> io::Result<Child> {
    let _alone = STARTING.write().unwrap_or_else(PoisonError::into_inner);
    command.spawn()
}

/// A program that hears signals as it does in a terminal, even where these tests were started by what
/// ignores them: `nohup make test`, or `make test &` in a script. What is ignored stays so in who is
/// started, unless somebody undoes it.
pub fn heeding(program: impl AsRef<OsStr>) -> Command {
    if cfg!(not(target_os = "linux")) {
        return Command::new(program);
    }
    let mut command = Command::new("/usr/bin/env");
    command.arg("--default-signal=HUP,INT,TERM").arg(program);
    command
}

/// What is to happen at a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// SIGKILL before the step.
    Kill(u64),
    /// SIGSTOP before the step.
    Stop(u64),
    /// SIGSTOP before the step, and once it goes on SIGKILL before the one after it.
    StopThenKill(u64),
    /// The step fails: the disk is full.
    Full(u64),
    /// The step fails: the disk is broken.
    Broken(u64),
    /// Every step from this one on that needs space fails.
    FullFrom(u64),
}

impl Fault {
    /// The value of `DSG_FAULT`.
    #[must_use]
    pub fn variable(self) -> String {
        match self {
            Self::None => String::new(),
            Self::Kill(step) => format!("kill:{step}"),
            Self::Stop(step) => format!("stop:{step}"),
            Self::StopThenKill(step) => format!("stop:{step},kill:{}", step + 1),
            Self::Full(step) => format!("enospc:{step}"),
            Self::Broken(step) => format!("eio:{step}"),
            Self::FullFrom(step) => format!("enospc-from:{step}"),
        }
    }
}

/// This test program, about to run one test of its own again with some variables set.
///
/// # Errors
/// When the program can't find itself.
pub fn again(test: &str, variables: &[(&str, &OsStr)], fault: Fault) -> io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]);
    command.env("DSG_FAULT", fault.variable());
    for (name, value) in variables {
        command.env(name, value);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Ok(command)
}

/// A process that may be stopped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    pid: Pid,
}

impl Process {
    /// Starts it.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        let child = start(command)?;
        let pid = Pid::from_child(&child);
        Ok(Self { child, pid })
    }

    /// Waits until it is stopped (true) or has ended (false).
    ///
    /// # Errors
    /// When it can't be waited for.
    pub fn stopped(&self) -> io::Result<bool> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::STOPPED | WaitIdOptions::NOWAIT;
        match waitid(WaitId::Pid(self.pid), options)? {
            Some(status) => Ok(status.stopped()),
            None => Ok(false),
        }
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// When it is gone.
    pub fn go_on(&self) -> io::Result<()> {
        Ok(kill_process(self.pid, Signal::CONT)?)
    }

    /// Kills it and waits for its end.
    ///
    /// # Errors
    /// When it can't be waited for.
    pub fn kill(mut self) -> io::Result<ExitStatus> {
        self.child.kill()?;
        self.child.wait()
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it can't be waited for.
    pub fn end(self) -> io::Result<Output> {
        self.child.wait_with_output()
    }
}

/// A line of a fault log: which call on what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The call.
    pub operation: String,
    /// On what.
    pub path: String,
}

/// Operations are one or more words; the path after them is absolute.
///
/// # Errors
/// When the log can't be read.
pub fn steps(log: &Path) -> io::Result<Vec<Step>> {
    let text = std::fs::read_to_string(log)?;
    let step = |line: &str| {
        let (_, rest) = line.split_once(' ')?;
        let at = rest.find(" /")?;
        Some(Step { operation: rest[..at].to_owned(), path: rest[at + 1..].to_owned() })
    };
    Ok(text.lines().filter_map(step).collect())
}

/// Whether every step is to be tried, where otherwise a part of them is.
#[must_use]
pub fn all_steps() -> bool {
    std::env::var_os("DSG_ALL_STEPS").is_some_and(|value| value != "0")
}
