//! The public pages: what they answer, and how they look and feel in a real browser.

mod answers;
mod browser;
mod driver;
mod served;
