//! How the library speaks: it never prints, it tells a [`Monitor`].

/// What a long operation is busy with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Looking at the project's files.
    Scanning,
    /// Reading files whose content may have changed.
    Hashing,
    /// Asking the repository.
    Fetching,
    /// Bringing contents to the repository.
    Uploading,
    /// Bringing contents from the repository.
    Downloading,
    /// Making the new state visible in the repository.
    Committing,
    /// Putting files into place here.
    Applying,
    /// Checking hashes.
    Verifying,
}

/// Something a person should know that is no error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// One sentence.
    pub text: String,
}

/// Hears what happens. Called from several threads.
pub trait Monitor: Sync {
    /// A phase begins; how much there is to do, where that is known.
    fn begin(&self, phase: Phase, files: u64, bytes: u64);
    /// Some of it is done.
    fn advance(&self, files: u64, bytes: u64);
    /// A notice for the user.
    fn notice(&self, notice: Notice);
    /// Whether the user asked to stop; looked at where stopping is safe.
    fn stop_requested(&self) -> bool;
}

/// Hears nothing and never stops: for tests and for work that is too short to speak of.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Monitor for Silent {
    fn begin(&self, _phase: Phase, _files: u64, _bytes: u64) {}
    fn advance(&self, _files: u64, _bytes: u64) {}
    fn notice(&self, _notice: Notice) {}
    fn stop_requested(&self) -> bool {
        false
    }
}

/// Fails when the user asked to stop.
///
/// # Errors
/// [`Code::Interrupted`](crate::error::Code::Interrupted).
pub fn check_stop(monitor: &dyn Monitor) -> crate::error::Result<()> {
    if monitor.stop_requested() { Err(crate::error::Error::interrupted()) } else { Ok(()) }
}
