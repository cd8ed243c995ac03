//! Progress of long work, on a terminal only.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dsg_store::monitor::{Monitor, Notice, Phase};
use foundation_runtime::Interrupt;
use foundation_runtime::clock::Clock;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Ui, safe};

/// How often a bar moves although nothing was reported, in milliseconds: a sign of life.
const TICK_MILLISECONDS: u64 = 120;

/// Shows what the library reports; without a terminal it shows only notices.
pub(crate) struct Progress {
    ui: Ui,
    interrupt: Interrupt,
    shown: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    bar: Option<ProgressBar>,
    by_bytes: bool,
    files: u64,
    all_files: u64,
}

impl Progress {
    pub(super) fn new(ui: Ui, interrupt: Interrupt, shown: bool) -> Self {
        Self { ui, interrupt, shown, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = self.state().bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Monitor for Progress {
    fn begin(&self, phase: Phase, files: u64, bytes: u64) {
        if !self.shown {
            return;
        }
        let mut state = self.state();
        if let Some(bar) = state.bar.take() {
            bar.finish_and_clear();
        }
        let by_bytes = bytes > 0;
        let (length, template) = match (by_bytes, files) {
            (true, _) => (
                Some(bytes),
                "{spinner} {prefix} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec}, {msg}, {eta} left",
            ),
            (false, 0) => (None, "{spinner} {prefix} {msg}"),
            (false, _) => (Some(files), "{spinner} {prefix} {wide_bar} {pos}/{len}, {eta} left"),
        };
        let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_prefix(word(phase));
        bar.enable_steady_tick(std::time::Duration::from_millis(TICK_MILLISECONDS));
        *state = State { bar: Some(bar), by_bytes, files: 0, all_files: files };
    }

    fn advance(&self, files: u64, bytes: u64) {
        if !self.shown {
            return;
        }
        let mut state = self.state();
        state.files += files;
        let State { bar: Some(bar), by_bytes, files: done, all_files } = &*state else { return };
        if *by_bytes {
            bar.inc(bytes);
            bar.set_message(format!("{done}/{all_files} files"));
        } else if *all_files > 0 {
            bar.inc(files);
        } else {
            bar.set_message(format!("{done} files"));
        }
    }

    fn notice(&self, notice: Notice) {
        let text = safe(&notice.text);
        match &self.state().bar {
            Some(bar) => bar.suspend(|| self.ui.notice(text)),
            None => self.ui.notice(text),
        }
    }

    fn stop_requested(&self) -> bool {
        self.interrupt.requested()
    }
}

/// How long each phase took, by its name.
pub(crate) type Phases = BTreeMap<&'static str, Duration>;

/// Passes on what it hears, and takes the time of each phase.
pub(crate) struct Timed<'a> {
    inner: Progress,
    clock: &'a dyn Clock,
    times: Mutex<(Option<(Phase, Duration)>, Phases)>,
}

impl<'a> Timed<'a> {
    pub(crate) fn new(inner: Progress, clock: &'a dyn Clock) -> Self {
        Self { inner, clock, times: Mutex::default() }
    }

    fn turn(&self, next: Option<Phase>) -> Phases {
        let now = self.clock.monotonic();
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        let (current, phases) = &mut *times;
        if let Some((phase, since)) = current.take() {
            *phases.entry(name(phase)).or_default() += now.saturating_sub(since);
        }
        *current = next.map(|phase| (phase, now));
        phases.clone()
    }

    /// The times; what was shown goes.
    pub(crate) fn end(self) -> Phases {
        self.turn(None)
    }
}

impl Monitor for Timed<'_> {
    fn begin(&self, phase: Phase, files: u64, bytes: u64) {
        self.turn(Some(phase));
        self.inner.begin(phase, files, bytes);
    }

    fn advance(&self, files: u64, bytes: u64) {
        self.inner.advance(files, bytes);
    }

    fn notice(&self, notice: Notice) {
        self.inner.notice(notice);
    }

    fn stop_requested(&self) -> bool {
        self.inner.stop_requested()
    }
}

/// As programs know it.
fn name(phase: Phase) -> &'static str {
    match phase {
        Phase::Scanning => "scanning",
        Phase::Hashing => "hashing",
        Phase::Fetching => "fetching",
        Phase::Uploading => "uploading",
        Phase::Downloading => "downloading",
        Phase::Committing => "committing",
        Phase::Applying => "applying",
        Phase::Verifying => "verifying",
    }
}

fn word(phase: Phase) -> &'static str {
    match phase {
        Phase::Scanning => "looking at files",
        Phase::Hashing => "reading files",
        Phase::Fetching => "asking the repository",
        Phase::Uploading => "uploading",
        Phase::Downloading => "downloading",
        Phase::Committing => "committing",
        Phase::Applying => "putting files into place",
        Phase::Verifying => "verifying",
    }
}
