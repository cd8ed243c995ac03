//! Being asked to stop.
//!
//! Every promise of ours holds after a kill at any instruction, so a signal need not be handled
//! for safety. It is handled for courtesy: who presses Ctrl-C gets a program that stops where
//! nothing is left to recover, and says so. Hence the handler does nothing but set a flag, which
//! the work looks at between two steps; whoever is in a greater hurry presses again and gets the
//! kill.
//!
//! Three details:
//! - The second signal must end the process whatever state it is in, so it ends inside the handler
//!   by `_exit`: no destructor, no lock, no flush can hold it up.
//! - SIGHUP only asks, however often it comes: when a terminal closes, both the shell and the
//!   kernel send it, and two for one event must not count as impatience.
//! - A signal that was ignored when the process started stays ignored: that is how `nohup` and a
//!   shell's background jobs say "go on without me", and a handler would overrule them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{fs, io};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

use crate::exit::Exit;

/// A flag that says whether someone asked this process to stop; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Interrupt {
    requested: Arc<AtomicBool>,
}

impl Interrupt {
    /// Returns a flag that the signals set from now on. Once per process, in `main`: handlers stay
    /// for its life, and each further flag would be set as well.
    ///
    /// # Errors
    /// What the system answered when a handler could not be set.
    pub fn install() -> io::Result<Self> {
        let interrupt = Self::none();
        let ignored = ignored_signals(&fs::read_to_string("/proc/self/status").unwrap_or_default());
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            if ignored & (1 << (signal - 1)) != 0 {
                continue;
            }
            if signal != SIGHUP {
                // Before the flag is set below: handlers run in this order, so the first signal
                // finds it unset.
                let status = i32::from(Exit::Interrupted.code());
                let armed = Arc::clone(&interrupt.requested);
                flag::register_conditional_shutdown(signal, status, armed)?;
            }
            flag::register(signal, Arc::clone(&interrupt.requested))?;
        }
        Ok(interrupt)
    }

    /// Returns a flag that no signal sets: for tests, and for work that must not stop half way.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Asks to stop, as the first signal does.
    pub fn request(&self) {
        self.requested.store(true, Ordering::SeqCst);
    }

    /// Returns whether to stop at the next safe point. Cheap enough for every entry of a walk.
    #[must_use]
    pub fn requested(&self) -> bool {
        self.requested.load(Ordering::SeqCst)
    }
}

/// The set of signals this process ignores (bit 0 is signal 1), by Linux's `/proc/PID/status`;
/// empty where there is none, since the standard library has no way to ask.
fn ignored_signals(status: &str) -> u64 {
    status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_asked_until_someone_does_and_clones_agree() {
        let interrupt = Interrupt::none();
        let seen_by_a_worker = interrupt.clone();
        assert!(!seen_by_a_worker.requested());
        interrupt.request();
        assert!(seen_by_a_worker.requested());
        assert!(!Interrupt::none().requested());
    }

    #[test]
    fn the_set_of_ignored_signals_is_read_from_the_status_file() {
        let status = "Name:\tdsg\nSigBlk:\t00000000000000ff\nSigIgn:\t0000000000000001\n";
        assert_eq!(ignored_signals(status), 1 << (SIGHUP - 1));
        for none in ["", "SigIgn:", "SigIgn:\tnot a number", "Name: SigIgn: 1"] {
            assert_eq!(ignored_signals(none), 0, "{none:?}");
        }
    }
}
