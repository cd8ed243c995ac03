//! Where the data comes from, and how the reader is told that nobody curated it.

use foundation_durable::{Error, Statement, Transaction};

/// The mark of a category that a rule computed. Pages, exports and the API show it wherever such a
/// category is shown.
pub const COMPUTED: &str = "computed, not curated";

const SOURCES: Statement = Statement {
    name: "provenance sources",
    sql: "SELECT name, release, licence, address, statement, content_hash, loaded_at FROM data_source ORDER BY name",
};

const HAS_COMPUTED: Statement = Statement {
    name: "provenance computed",
    sql: "SELECT entity_id FROM public_entity WHERE category_basis = 'computed' LIMIT 1",
};

pub(crate) const STATEMENTS: &[Statement] = &[SOURCES, HAS_COMPUTED];

/// A source that was loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataSource {
    /// `HPO`, `HGNC` or `Mondo`.
    pub name: String,
    /// The release, as the source states it; `not stated` where it states none.
    pub release: String,
    /// Its terms.
    pub licence: String,
    /// Where it is.
    pub address: String,
    /// What has to be said of it where its data is shown.
    pub statement: String,
    /// SHA-256 of its files.
    pub content_hash: String,
    /// When it was loaded.
    pub loaded_at: String,
}

/// The sources, by name; none before the first import.
///
/// # Errors
/// What the database says.
pub async fn sources(transaction: &mut Transaction) -> Result<Vec<DataSource>, Error> {
    let rows = transaction.rows(&SOURCES, &[]).await?;
    rows.iter()
        .map(|row| {
            let text = |index| row.text(index).map(str::to_owned);
            Ok(DataSource {
                name: text(0)?,
                release: text(1)?,
                licence: text(2)?,
                address: text(3)?,
                statement: text(4)?,
                content_hash: text(5)?,
                loaded_at: text(6)?,
            })
        })
        .collect()
}

/// Whether any public category was computed, so that [`COMPUTED`] has to be shown.
///
/// # Errors
/// What the database says.
pub async fn has_computed_categories(transaction: &mut Transaction) -> Result<bool, Error> {
    Ok(transaction.row(&HAS_COMPUTED, &[]).await?.is_some())
}
