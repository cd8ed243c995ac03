//! Progress of an import, on a terminal only.

use std::io::IsTerminal as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use foundation_runtime::interrupt::Interrupt;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sysndd_store::import::{Monitor, Phase};

/// How often a bar moves although nothing was reported: a sign of life.
const TICK: Duration = Duration::from_millis(120);

/// Shows a bar for each phase, on standard error, and stops at Ctrl-C.
pub struct Progress {
    interrupt: Interrupt,
    is_shown: bool,
    bar: Mutex<Option<ProgressBar>>,
}

impl Progress {
    /// A progress that is shown where standard error is a terminal, unless it shall be quiet.
    #[must_use]
    pub fn new(interrupt: Interrupt, quiet: bool) -> Self {
        let is_shown = !quiet && std::io::stderr().is_terminal();
        Self { interrupt, is_shown, bar: Mutex::default() }
    }

    fn show(&self, next: Option<ProgressBar>) {
        let mut bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(old) = bar.take() {
            old.finish_and_clear();
        }
        *bar = next;
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.show(None);
    }
}

impl Monitor for Progress {
    fn begin(&self, phase: Phase, total: u64) {
        if !self.is_shown {
            return;
        }
        let (word, template) = match phase {
            Phase::Reading => {
                ("reading files", "{spinner} {prefix} {wide_bar} {bytes}/{total_bytes}, {eta} left")
            }
            Phase::Writing => {
                ("writing entities", "{spinner} {prefix} {wide_bar} {pos}/{len}, {eta} left")
            }
        };
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_prefix(word);
        bar.enable_steady_tick(TICK);
        self.show(Some(bar));
    }

    fn advance(&self, done: u64) {
        if let Some(bar) = &*self.bar.lock().unwrap_or_else(PoisonError::into_inner) {
            bar.inc(done);
        }
    }

    fn stop_requested(&self) -> bool {
        self.interrupt.requested()
    }
}
