//! Crashes: an operation is cut off at each of its steps, and an oracle that never asks dsg looks at
//! what is left; then the next command must finish or forget it.

mod backends;
mod check;
mod disk;
mod ground;
mod power_cut;
mod races;
mod scenario;
mod second_user;
mod steps;
mod sweep;
mod volumes;
mod world;
