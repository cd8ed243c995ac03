//! Replicas as real processes: they start together, one migrates, all serve; and what happens when
//! the one that migrates is killed or stopped, or the database is not as it should be.

mod replicas {
    pub(crate) mod ground;
    pub(crate) mod process;

    mod broken;
    mod front;
    mod killed;
    mod rights;
    mod start;
    mod stopped;
}
