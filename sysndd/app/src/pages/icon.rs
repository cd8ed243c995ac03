//! The drawings of the pages. Each page carries them once, hidden, and refers to them by name.

use super::markup::Markup;

/// The hidden drawings; a category is told by its glyph and its name, never by its colour alone.
pub(crate) const SPRITE: &str = concat!(
    r#"<symbol id="i-definitive" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7.5" fill="currentColor"/>"#,
    r##"<path d="M4.5 8.3l2.4 2.5 4.6-5.2" fill="none" stroke="#fff" stroke-width="2"/></symbol>"##,
    r#"<symbol id="i-moderate" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7.5" fill="currentColor"/>"#,
    r##"<path d="M4 8h8" stroke="#fff" stroke-width="2.2"/></symbol>"##,
    r#"<symbol id="i-limited" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7.5" fill="currentColor"/>"#,
    r##"<path d="M8 3.4v5.6M8 10.8v2" stroke="#20160a" stroke-width="2.1"/></symbol>"##,
    r#"<symbol id="i-refuted" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7.5" fill="currentColor"/>"#,
    r##"<path d="M5 5l6 6M11 5l-6 6" stroke="#20160a" stroke-width="2.1"/></symbol>"##,
    r#"<symbol id="i-not-applicable" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7.5" fill="currentColor"/>"#,
    r##"<path d="M4.6 11.4l6.8-6.8" stroke="#fff" stroke-width="2.1"/></symbol>"##,
    r#"<symbol id="i-not-listed" viewBox="0 0 16 16">"#,
    r#"<circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="2.5"/></symbol>"#,
    r#"<symbol id="i-yes" viewBox="0 0 16 16">"#,
    r#"<path d="M2.5 8.5l3.7 3.8 7.3-8.3" fill="none" stroke="currentColor" stroke-width="2.4"/></symbol>"#,
    r#"<symbol id="i-no" viewBox="0 0 16 16">"#,
    r#"<path d="M3.5 3.5l9 9M12.5 3.5l-9 9" stroke="currentColor" stroke-width="2.4"/></symbol>"#,
    r#"<symbol id="i-ascending" viewBox="0 0 10 10"><path d="M5 1.5L9 8H1z" fill="currentColor"/></symbol>"#,
    r#"<symbol id="i-descending" viewBox="0 0 10 10"><path d="M5 8.5L1 2h8z" fill="currentColor"/></symbol>"#,
    r#"<symbol id="i-sortable" viewBox="0 0 10 10">"#,
    r#"<path d="M5 0l3 4H2zM5 10L2 6h6z" fill="currentColor"/></symbol>"#,
);

/// A drawing that stands beside the text that says the same.
pub(crate) fn decorative(name: &'static str, class: &'static str) -> Markup {
    Markup::constant("<svg class=\"icon ")
        .then(class)
        .then("\" aria-hidden=\"true\"><use href=\"#i-")
        .then(name)
        .then("\"/></svg>")
}
