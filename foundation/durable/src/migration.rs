//! Migrations that run exactly once, however many processes start at the same moment.
//!
//! Everybody *looks* first: one read-only transaction that needs no lock and no right to change the
//! schema. Who finds the schema current starts. Who does not tries for the lock without queueing for
//! it, and looks again each time, so that a process which waited sees the other's work and never
//! takes the lock at all. Who gets it looks once more, then applies all files that are missing in
//! **one transaction** which also holds the lock, the rows of the history and the postconditions.
//! So there is no half-migrated schema, no lock that outlives its owner, and behind a pooler nothing
//! that could be left on a connection.
//!
//! What goes on is told in two ways: as log events, whose texts are those that operators of the
//! earlier system know, and as a [`Status`] that health checks read.

mod coordinator;
mod fault;
mod file;
mod holder;
mod look;
mod session;
mod status;

pub use coordinator::{Coordinator, Failure, Mode, Outcome};
pub use file::{Migration, MigrationFile, Migrations, Problem, Step};
pub use holder::{Holder, lock_holder};
pub use look::{Applied, Look, State, broken_postconditions, damage, look};
pub use status::{Phase, Status};
