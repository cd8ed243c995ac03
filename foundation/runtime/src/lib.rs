#![doc = include_str!("../README.md")]

pub mod clock;
#[cfg(feature = "web")]
pub mod configuration;
pub mod exit;
pub mod interrupt;
#[cfg(feature = "web")]
pub mod lifecycle;
#[cfg(feature = "web")]
pub mod listen;
#[cfg(feature = "web")]
pub mod log;
#[cfg(feature = "web")]
pub mod machine;
#[cfg(feature = "web")]
pub mod metrics;

pub use clock::{Clock, FixedClock, SystemClock};
pub use exit::Exit;
pub use interrupt::Interrupt;
