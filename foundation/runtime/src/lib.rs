#![doc = include_str!("../README.md")]

pub mod clock;
pub mod exit;
pub mod interrupt;

pub use clock::{Clock, FixedClock, SystemClock};
pub use exit::Exit;
pub use interrupt::Interrupt;
