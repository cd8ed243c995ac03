//! What the commands have to say, as lines for people and as JSON for programs, side by side so
//! that neither knows more than the other.

pub(crate) mod plan;
pub(crate) mod report;
pub(crate) mod snapshot;
pub(crate) mod step;

use crate::ui::{Tone, Ui};

/// How many lines of a list are shown on a terminal unless everything is asked for.
const LINES_SHOWN: usize = 50;

/// Prints a heading with the number of lines, and the lines, cut where somebody reads them as they
/// come. Nothing when there are none.
pub(crate) fn section(
    ui: &Ui,
    tone: Tone,
    heading: &str,
    lines: impl ExactSizeIterator<Item = String>,
) {
    let all = lines.len();
    if all == 0 || ui.is_json() {
        return;
    }
    ui.line(ui.paint(tone, format_args!("{heading} ({all})")));
    let shown = if ui.cuts_lists() { LINES_SHOWN } else { all };
    for line in lines.take(shown) {
        ui.line(format_args!("  {line}"));
    }
    if all > shown {
        ui.line(format_args!("  and {} more; -v shows all", all - shown));
    }
}
