//! Counts the steps of a run and, in test builds, ends, fails or pauses the program at one of them.
//!
//! A step is a system call that changes something. In a shipped build `step` is empty; with the
//! feature `faults` it reads `DSG_FAULT` once: `kill:N` ends the program by SIGKILL before its N-th
//! step, `stop:N` pauses it there (SIGSTOP), `enospc:N` and `eio:N` make that step fail,
//! `enospc-from:N` makes every step that needs space fail from there on; several are separated by
//! commas. `DSG_FAULT_LOG=FILE` gets a
//! line for each step. Inside a process, `arm` makes every step from the n-th on fail, as after a
//! crash.
//!
//! The stamp file is written again and again until the clock of the file system ticks. That is
//! counted once, so that the number of a step does not depend on how fast the machine is.

/// A call that changes something is about to be made.
///
/// # Errors
/// Only in test builds, when a failure was asked for.
#[cfg(not(feature = "faults"))]
#[inline]
pub(super) fn step(_operation: &'static str, _path: &std::path::Path) -> super::Result<()> {
    Ok(())
}

#[cfg(feature = "faults")]
pub(super) use armed::step;
#[cfg(feature = "faults")]
pub use armed::{arm, disarm, steps};

#[cfg(feature = "faults")]
mod armed {
    use std::fs::{File, OpenOptions};
    use std::io::Write;
    use std::path::Path;
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    use std::sync::{Mutex, OnceLock};

    use rustix::io::Errno;
    use rustix::process::{Signal, getpid, kill_process};

    use super::super::{Result, SystemError};

    static STEPS: AtomicU64 = AtomicU64::new(0);
    /// The step from which on everything fails; 0 for never.
    static DEAD_FROM: AtomicU64 = AtomicU64::new(0);
    /// Whether the last step was a write to the stamp file.
    static STAMPED: AtomicBool = AtomicBool::new(false);
    static ASKED: OnceLock<Asked> = OnceLock::new();

    struct Asked {
        what: Vec<What>,
        log: Option<Mutex<File>>,
    }

    enum What {
        Kill(u64),
        Stop(u64),
        Fail(Errno, u64),
        FailFrom(Errno, u64),
    }

    fn asked() -> &'static Asked {
        ASKED.get_or_init(|| {
            let text = std::env::var("DSG_FAULT").unwrap_or_default();
            let what = text.split(',').filter_map(parse).collect();
            let log = std::env::var_os("DSG_FAULT_LOG")
                .and_then(|path| OpenOptions::new().append(true).create(true).open(path).ok())
                .map(Mutex::new);
            Asked { what, log }
        })
    }

    fn parse(text: &str) -> Option<What> {
        let (kind, number) = text.split_once(':')?;
        let number = number.parse().ok()?;
        match kind {
            "kill" => Some(What::Kill(number)),
            "stop" => Some(What::Stop(number)),
            "enospc" => Some(What::Fail(Errno::NOSPC, number)),
            "eio" => Some(What::Fail(Errno::IO, number)),
            "enospc-from" => Some(What::FailFrom(Errno::NOSPC, number)),
            _ => None,
        }
    }

    /// See the module.
    ///
    /// # Errors
    /// When a failure was asked for at this step.
    pub(crate) fn step(operation: &'static str, path: &Path) -> Result<()> {
        let stamps = operation == "write" && path.ends_with(".dsg/stamp");
        let again = STAMPED.swap(stamps, Ordering::SeqCst) && stamps;
        let number = STEPS.fetch_add(u64::from(!again), Ordering::SeqCst) + u64::from(!again);
        let dead_from = DEAD_FROM.load(Ordering::SeqCst);
        if dead_from != 0 && number >= dead_from {
            return Err(SystemError::new(operation, path, Errno::IO));
        }
        let asked = asked();
        if let Some(log) = &asked.log
            && let Ok(mut log) = log.lock()
        {
            // A line that can't be logged is missed by the test that counts them.
            let _ = writeln!(log, "{number} {operation} {}", path.display());
        }
        for what in asked.what.iter().filter(|_| !again) {
            match *what {
                What::Kill(at) if at == number => end(Signal::KILL),
                What::Stop(at) if at == number => end(Signal::STOP),
                What::Fail(errno, at) if at == number => {
                    return Err(SystemError::new(operation, path, errno));
                }
                What::FailFrom(errno, at) if number >= at && takes_space(operation) => {
                    return Err(SystemError::new(operation, path, errno));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// What a full disk refuses; renaming and removing go on.
    fn takes_space(operation: &str) -> bool {
        matches!(operation, "create" | "write" | "create directory" | "link" | "clone into")
    }

    fn end(signal: Signal) {
        // If the signal can't be sent, the test that asked for it sees a run that was not cut.
        let _ = kill_process(getpid(), signal);
        // The kernel may hand a stop to another thread; until it has, this one must do nothing.
        while signal == Signal::STOP && stop_is_pending() {}
    }

    /// Whether the process is about to be stopped: SIGSTOP is the 19th bit of the pending signals.
    fn stop_is_pending() -> bool {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let pending = status.lines().find_map(|line| line.strip_prefix("ShdPnd:"));
        let pending = pending.and_then(|digits| u64::from_str_radix(digits.trim(), 16).ok());
        pending.is_some_and(|pending| pending & (1 << 18) != 0)
    }

    /// From the `n`-th step after now on, every step of this process fails, as if it had crashed.
    pub fn arm(n: u64) {
        DEAD_FROM.store(STEPS.load(Ordering::SeqCst) + n, Ordering::SeqCst);
    }

    /// Steps work again.
    pub fn disarm() {
        DEAD_FROM.store(0, Ordering::SeqCst);
    }

    /// Steps made by this process so far.
    #[must_use]
    pub fn steps() -> u64 {
        STEPS.load(Ordering::SeqCst)
    }
}
