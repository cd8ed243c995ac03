//! Faults on purpose, for tests: the program is killed or stopped at the n-th statement of a
//! migration, or holds it for a while. Without the feature `faults`, which no released program has,
//! this is nothing.
//!
//! `SYSNDD_FAULT` is `kill:N`, `stop:N` (SIGSTOP) or `hold:SECONDS` (before the first step).

#[cfg(not(feature = "faults"))]
mod point {
    use std::future::{Ready, ready};

    /// A statement is about to run.
    pub(in super::super) fn statement() -> Ready<()> {
        ready(())
    }

    /// The lock is held, nothing is changed yet.
    pub(in super::super) fn held() -> Ready<()> {
        ready(())
    }
}

#[cfg(feature = "faults")]
mod point {
    use std::future::{Ready, ready};
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use rustix::process::{Signal, getpid, kill_process};

    static STATEMENTS: AtomicU64 = AtomicU64::new(0);

    fn asked(kind: &str) -> Option<u64> {
        let fault = std::env::var("SYSNDD_FAULT").ok()?;
        let (name, number) = fault.split_once(':')?;
        (name == kind).then(|| number.parse().ok())?
    }

    /// A statement is about to run.
    pub(in super::super) fn statement() -> Ready<()> {
        let number = STATEMENTS.fetch_add(1, Ordering::SeqCst) + 1;
        for (kind, signal) in [("kill", Signal::KILL), ("stop", Signal::STOP)] {
            if asked(kind) == Some(number) {
                let _ = kill_process(getpid(), signal);
            }
        }
        ready(())
    }

    /// The lock is held, nothing is changed yet.
    pub(in super::super) async fn held() {
        if let Some(seconds) = asked("hold") {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
        }
    }
}

pub(super) use point::{held, statement};
