//! Crashes: an operation is cut off at each of its steps, and an oracle that never asks dsg looks at
//! what is left; then the next command must finish or forget it.

mod check;
mod scenario;
mod sweep;
mod world;
