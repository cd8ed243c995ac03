//! The time, as an argument.
//!
//! A retention rule, a snapshot's date and a racy file are hard to test while any function may ask
//! the system what time it is. So everyone takes a [`Clock`], `clippy.toml` disallows the calls of
//! the standard library, and this file alone is excused.
//!
//! There are two kinds of time because they answer two questions. [`Clock::now`] is a date: it can
//! jump when someone sets the system's clock, so it is written down and shown but never subtracted.
//! [`Clock::monotonic`] only ever grows: it measures how long something took and means nothing to
//! another process.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use jiff::Timestamp;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Returns the date and time, in UTC; it may jump in either direction between two calls.
    fn now(&self) -> Timestamp;

    /// Returns the time since an arbitrary start, the same start for the life of this clock; never
    /// less than what an earlier call returned.
    fn monotonic(&self) -> Duration;
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// Returns a clock whose monotonic time starts now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the clock that others take")]
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    /// A machine whose clock is set to a year that no timestamp can hold gets the nearest one that
    /// can: a wrong date is information that is wrong, not a reason to stop.
    #[expect(clippy::disallowed_methods, reason = "this is the clock that others take")]
    fn now(&self) -> Timestamp {
        let now = SystemTime::now();
        let nearest = if now < SystemTime::UNIX_EPOCH { Timestamp::MIN } else { Timestamp::MAX };
        Timestamp::try_from(now).unwrap_or(nearest)
    }

    /// As far as the system says it: on Linux, the time a machine was suspended does not count.
    #[expect(clippy::disallowed_methods, reason = "this is the clock that others take")]
    fn monotonic(&self) -> Duration {
        Instant::now().saturating_duration_since(self.start)
    }
}

/// A clock that stands still until it is told otherwise, for tests.
#[derive(Debug)]
pub struct FixedClock {
    time: Mutex<Reading>,
}

#[derive(Debug, Clone, Copy)]
struct Reading {
    now: Timestamp,
    monotonic: Duration,
}

impl FixedClock {
    /// Returns a clock that shows `now`, and zero as monotonic time.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self { time: Mutex::new(Reading { now, monotonic: Duration::ZERO }) }
    }

    /// Sets the date, also backwards, as an administrator would; monotonic time does not move.
    pub fn set(&self, now: Timestamp) {
        self.reading().now = now;
    }

    /// Lets `duration` pass: both kinds of time go on by it, to their ends at most.
    pub fn advance(&self, duration: Duration) {
        let mut reading = self.reading();
        reading.now = reading.now.saturating_add(duration).unwrap_or(Timestamp::MAX);
        reading.monotonic = reading.monotonic.saturating_add(duration);
    }

    /// A reading is replaced field by field by calls that can't panic, so a poisoned lock holds a
    /// good one.
    fn reading(&self) -> MutexGuard<'_, Reading> {
        self.time.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        self.reading().now
    }

    fn monotonic(&self) -> Duration {
        self.reading().monotonic
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> Timestamp {
        "2026-03-01T12:00:00Z".parse().expect("a timestamp")
    }

    #[test]
    fn the_system_clock_is_in_our_century_and_its_monotonic_time_never_goes_back() {
        let clock = SystemClock::new();
        assert!(clock.now() > "2025-01-01T00:00:00Z".parse().expect("a timestamp"));
        let mut before = clock.monotonic();
        for _ in 0..1000 {
            let after = clock.monotonic();
            assert!(after >= before);
            before = after;
        }
    }

    #[test]
    fn a_fixed_clock_stands_still() {
        let clock = FixedClock::new(noon());
        assert_eq!(clock.now(), clock.now());
        assert_eq!(clock.monotonic(), Duration::ZERO);
    }

    #[test]
    fn time_that_passes_moves_both_times() {
        let clock = FixedClock::new(noon());
        clock.advance(Duration::from_secs(90));
        assert_eq!(clock.now().to_string(), "2026-03-01T12:01:30Z");
        assert_eq!(clock.monotonic(), Duration::from_secs(90));
    }

    #[test]
    fn setting_the_date_back_leaves_monotonic_time_alone() {
        let clock = FixedClock::new(noon());
        clock.advance(Duration::from_secs(5));
        clock.set(Timestamp::UNIX_EPOCH);
        assert_eq!(clock.now(), Timestamp::UNIX_EPOCH);
        assert_eq!(clock.monotonic(), Duration::from_secs(5));
    }

    #[test]
    fn time_ends_instead_of_overflowing() {
        let clock = FixedClock::new(noon());
        clock.advance(Duration::MAX);
        clock.advance(Duration::MAX);
        assert_eq!(clock.now(), Timestamp::MAX);
        assert_eq!(clock.monotonic(), Duration::MAX);
    }
}
