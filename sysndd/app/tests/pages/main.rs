//! The public pages: what they answer, and how they look and feel in a real browser.

#[allow(clippy::unwrap_used)]
mod answers;
mod browser;
mod driver;
mod served;
