//! Databases of any size for tests and measurements, the same from the same seed. Compiled with the
//! feature `generate` only, which no release has.
//!
//! The shares of categories, inheritance, phenotypes and years are those of the published site, and
//! the names are made up. About every tenth entity has something that was never approved: a pending
//! review, a pending status, or nothing else at all. Every text of it holds [`UNAPPROVED`], and every
//! approved one that was superseded holds [`SUPERSEDED`], so a test finds a leak by looking for a
//! word.

mod person;
mod random;
mod reference;
mod rows;

use foundation_durable::{Database, Error, Transaction};
use jiff::Timestamp;

use crate::data_version;
use random::Random;

/// A word in everything that was never approved.
pub const UNAPPROVED: &str = "xnotapprovedx";
/// A word in every approved text that isn't public any more.
pub const SUPERSEDED: &str = "xsupersededx";

/// How large, and which.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Entities, public or not.
    pub entities: usize,
    /// Another seed makes another database.
    pub seed: u64,
}

/// What was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Made {
    /// Entities that `public_entity` has to show.
    pub public: usize,
    /// Entities that nobody may see: without an approved status, or inactive.
    pub hidden: usize,
    /// Reviews that were never approved.
    pub unapproved_reviews: usize,
    /// Genes.
    pub genes: usize,
}

/// Fills a database whose schema is current and which has no entities.
///
/// # Errors
/// What the database says.
pub async fn generate(database: &Database, size: Size) -> Result<Made, Error> {
    let mut transaction = database.write().await?;
    let made = fill(&mut transaction, size).await?;
    data_version::raise(&mut transaction, Timestamp::UNIX_EPOCH).await?;
    transaction.commit().await?;
    Ok(made)
}

async fn fill(transaction: &mut Transaction, size: Size) -> Result<Made, Error> {
    let mut random = Random::new(size.seed);
    let entities = rows::entities(&mut random, size.entities);
    let authors = person::write(transaction).await?;
    reference::write(transaction, &entities).await?;
    rows::write_entities(transaction, &entities, authors).await?;
    Ok(rows::made(&entities))
}
