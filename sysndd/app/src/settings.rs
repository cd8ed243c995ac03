//! The settings of `sysndd`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use foundation_durable::DatabaseSettings;

/// The settings, each with its value.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the site and its API answer.
    pub public: SocketAddr,
    /// Where health and metrics answer.
    pub operations: SocketAddr,
    /// The only directory that is written.
    pub data: PathBuf,
    /// The database.
    pub database: DatabaseSettings,
    /// How long readiness says no before the door closes.
    pub drain: Duration,
    /// How long requests under way may take after that.
    pub finish: Duration,
}

impl Settings {
    /// Settings for a data directory, all else as it usually is.
    #[must_use]
    pub fn for_data(data: impl Into<PathBuf>) -> Self {
        let data = data.into();
        let url = format!("sqlite:{}", data.join("sysndd.db").display());
        Self {
            public: SocketAddr::from(([127, 0, 0, 1], 7777)),
            operations: SocketAddr::from(([127, 0, 0, 1], 7778)),
            database: DatabaseSettings::new(url),
            data,
            drain: Duration::from_secs(6),
            finish: Duration::from_secs(30),
        }
    }
}
