//! The life of a server: starting, ready, draining, closing.
//!
//! A load balancer learns that a replica goes away by asking it, a few times in a row, and until
//! then it sends requests. So being told to stop first changes the answer of the readiness check
//! and nothing else; only after `drain` is the door closed, and what is inside then is finished.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use tokio::sync::watch;

/// Where a server is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Not ready for the first time yet.
    Starting,
    /// It was ready.
    Serving,
    /// Asked to stop: still answers, says everywhere that it goes.
    Draining,
    /// Takes no new connection.
    Closing,
}

impl Phase {
    const ALL: [Self; 4] = [Self::Starting, Self::Serving, Self::Draining, Self::Closing];

    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Serving => "serving",
            Self::Draining => "draining",
            Self::Closing => "closing",
        }
    }
}

/// The phase of a process; clones share it.
#[derive(Clone, Debug)]
pub struct Lifecycle {
    sender: Arc<watch::Sender<Phase>>,
    // Read by every request.
    fast: Arc<AtomicU8>,
}

impl Default for Lifecycle {
    fn default() -> Self {
        Self::new()
    }
}

impl Lifecycle {
    /// A server that starts.
    #[must_use]
    pub fn new() -> Self {
        Self {
            sender: Arc::new(watch::Sender::new(Phase::Starting)),
            fast: Arc::new(AtomicU8::new(0)),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn phase(&self) -> Phase {
        let at = usize::from(self.fast.load(Ordering::Relaxed));
        Phase::ALL.get(at).copied().unwrap_or(Phase::Closing)
    }

    /// Goes on to a phase; never back.
    pub fn enter(&self, phase: Phase) {
        self.sender.send_if_modified(|current| {
            let forward = phase > *current;
            if forward {
                *current = phase;
                self.fast.store(phase as u8, Ordering::Relaxed);
            }
            forward
        });
    }

    /// Whether it was asked to stop.
    #[must_use]
    pub fn is_ending(&self) -> bool {
        self.phase() >= Phase::Draining
    }

    /// Waits until a phase is reached, or a later one.
    pub async fn reached(&self, phase: Phase) {
        let mut receiver = self.sender.subscribe();
        // The sender lives as long as `self`, so waiting can't fail.
        let _ = receiver.wait_for(|current| *current >= phase).await;
    }

    /// Waits for SIGTERM or SIGINT, drains for `drain`, then closes. A second signal closes at once.
    ///
    /// # Errors
    /// When a handler can't be set.
    pub async fn end_on_signal(&self, drain: Duration) -> std::io::Result<()> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut asked = async || {
            tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
            }
        };
        let signal = asked().await;
        // Who was never ready has nothing to drain.
        let drain = if self.phase() == Phase::Starting { Duration::ZERO } else { drain };
        tracing::info!(signal, drain_seconds = drain.as_secs_f64(), "Asked to stop: draining");
        self.enter(Phase::Draining);
        tokio::select! {
            () = tokio::time::sleep(drain) => {}
            signal = asked() => tracing::info!(signal, "Asked again: closing at once"),
        }
        self.enter(Phase::Closing);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_life_goes_forward_only_and_who_waits_is_woken() {
        let life = Lifecycle::new();
        assert_eq!(life.phase(), Phase::Starting);
        let waiting = tokio::spawn({
            let life = life.clone();
            async move { life.reached(Phase::Draining).await }
        });
        life.enter(Phase::Draining);
        waiting.await.expect("woken");
        assert!(life.is_ending());
        life.enter(Phase::Serving);
        assert_eq!(life.phase(), Phase::Draining);
        assert_eq!(life.phase().name(), "draining");
    }
}
