//! What can go wrong while reading.

/// A reading that failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database said no.
    #[error(transparent)]
    Database(#[from] foundation_durable::Error),
    /// The one row that every database of ours has is missing.
    #[error("the database has no data version: it was not set up by `sysndd migrate apply`")]
    NoDataVersion,
    /// More rows than one answer may hold.
    #[error(
        "the answer would have {rows} rows; {most} are the most in JSON: ask for pages, or for format=csv or format=xlsx"
    )]
    TooManyRows {
        /// How many there are.
        rows: usize,
        /// How many there may be.
        most: usize,
    },
}
