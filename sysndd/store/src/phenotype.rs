//! Phenotypes over all entities.

use std::sync::Arc;

use foundation_durable::BuiltSql;
use sysndd_core::filter::{ABSENT, Filter};
use sysndd_core::list::PHENOTYPE;

use crate::error::Error;
use crate::list::Condition;
use crate::reader::Reading;

/// The term that is not counted: it is what makes an entity one of these disorders.
const LEFT_OUT: &str = "HP:0001249";

/// A phenotype and the entities that have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhenotypeCount {
    /// Its name.
    pub hpo_term: String,
    /// The term.
    pub phenotype_id: String,
    /// Entities that have it in some form; not those that a review says are without it.
    pub count: i64,
}

/// Counts the entities that pass a filter, for each phenotype; the most frequent first.
///
/// # Errors
/// When the database can't be read.
pub async fn count(
    reading: &mut Reading,
    filter: &Filter,
) -> Result<Arc<Vec<PhenotypeCount>>, Error> {
    let name = format!("phenotype count {filter:?}");
    if let Some(counts) = reading.memory.get::<Vec<PhenotypeCount>>(reading.version(), &name) {
        return Ok(counts);
    }
    let condition = Condition::of(reading, &PHENOTYPE, filter);
    let built = BuiltSql::from_builder(
        "phenotype: count",
        format!(
            "SELECT p.hpo_term, p.phenotype_id, COUNT(DISTINCT e.entity_id) \
             FROM public_entity AS e \
             JOIN ndd_review_phenotype_connect AS x ON x.review_id = e.review_id AND x.is_active = 1 \
             JOIN phenotype_list AS p ON p.phenotype_id = x.phenotype_id \
             WHERE {} AND x.modifier_id <> {ABSENT} AND p.phenotype_id <> '{LEFT_OUT}' \
             GROUP BY p.hpo_term, p.phenotype_id ORDER BY 3 DESC, p.phenotype_id",
            condition.sql
        ),
    );
    let mut counts = Vec::new();
    for row in reading.transaction.built_rows(&built, &condition.values).await? {
        counts.push(PhenotypeCount {
            hpo_term: row.text(0)?.to_owned(),
            phenotype_id: row.text(1)?.to_owned(),
            count: row.integer(2)?,
        });
    }
    let counts = Arc::new(counts);
    reading.memory.keep(reading.version(), name, counts.len() * 96, &counts);
    Ok(counts)
}
