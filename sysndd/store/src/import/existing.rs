//! What the database has of an entity, to be compared with what a release says.

use std::collections::{BTreeMap, BTreeSet};

use foundation_durable::{Error, Statement, Transaction, Value};

const ENTITIES: Statement = Statement {
    name: "import existing entities",
    sql: "SELECT entity.entity_id, entity.hgnc_id, entity.hpo_mode_of_inheritance_term, entity.disease_ontology_id_version, entity.ndd_phenotype,
            entity.entry_source, entity.is_active, review.review_id, review.review_user_id, status.status_id, status.status_user_id,
            status.category_id, status.category_basis
        FROM ndd_entity AS entity
        LEFT JOIN ndd_entity_review AS review ON review.entity_id = entity.entity_id AND review.is_primary = 1 AND review.review_approved = 1
        LEFT JOIN ndd_entity_status AS status ON status.entity_id = entity.entity_id AND status.is_active = 1 AND status.status_approved = 1",
};

const PHENOTYPES: Statement = Statement {
    name: "import existing phenotypes",
    sql: "SELECT phenotype_id, modifier_id FROM ndd_review_phenotype_connect WHERE review_id = $1 AND is_active = 1",
};

const PUBLICATIONS: Statement = Statement {
    name: "import existing publications",
    sql: "SELECT publication.pubmed_number FROM ndd_review_publication_join AS link
        JOIN publication ON publication.publication_id = link.publication_id WHERE link.review_id = $1",
};

const ANNOTATIONS: Statement = Statement {
    name: "import existing annotations",
    sql: "SELECT hpo_id, aspect, reference, evidence, onset, frequency, sex, modifier, biocuration
        FROM review_annotation WHERE review_id = $1 ORDER BY annotation_id",
};

pub(crate) const STATEMENTS: &[Statement] = &[ENTITIES, PHENOTYPES, PUBLICATIONS, ANNOTATIONS];

/// Gene, inheritance, disease.
pub(super) type Triple = (String, String, String);

/// An entity that is there.
#[derive(Clone, Debug)]
pub(super) struct Existing {
    pub(super) entity: i64,
    pub(super) is_imported: bool,
    pub(super) is_active: bool,
    /// The public review and its author.
    pub(super) review: Option<(i64, i64)>,
    /// The public status, its author, its category, and whether that was computed.
    pub(super) status: Option<(i64, i64, i64, bool)>,
}

/// All entities, by what they are; the second key is the NDD flag.
pub(super) async fn entities(
    transaction: &mut Transaction,
) -> Result<BTreeMap<Triple, BTreeMap<bool, Existing>>, Error> {
    let mut found: BTreeMap<Triple, BTreeMap<bool, Existing>> = BTreeMap::new();
    for row in transaction.rows(&ENTITIES, &[]).await? {
        let review = row.optional_integer(7)?.zip(row.optional_integer(8)?);
        let status = match (
            row.optional_integer(9)?,
            row.optional_integer(10)?,
            row.optional_integer(11)?,
        ) {
            (Some(id), Some(author), Some(category)) => {
                Some((id, author, category, row.optional_text(12)? == Some("computed")))
            }
            _ => None,
        };
        let existing = Existing {
            entity: row.integer(0)?,
            is_imported: row.text(5)? == super::ENTRY_SOURCE,
            is_active: row.flag(6)?,
            review,
            status,
        };
        let triple = (row.text(1)?.to_owned(), row.text(2)?.to_owned(), row.text(3)?.to_owned());
        found.entry(triple).or_default().insert(row.flag(4)?, existing);
    }
    Ok(found)
}

/// What belongs to a review.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) phenotypes: BTreeSet<(String, i64)>,
    pub(super) publications: BTreeSet<i64>,
    pub(super) annotations: Vec<[String; 9]>,
}

/// What belongs to a review that is there.
pub(super) async fn content(transaction: &mut Transaction, review: i64) -> Result<Content, Error> {
    let mut content = Content::default();
    let review = [Value::Integer(review)];
    for row in transaction.rows(&PHENOTYPES, &review).await? {
        content.phenotypes.insert((row.text(0)?.to_owned(), row.integer(1)?));
    }
    for row in transaction.rows(&PUBLICATIONS, &review).await? {
        content.publications.insert(row.integer(0)?);
    }
    for row in transaction.rows(&ANNOTATIONS, &review).await? {
        let mut annotation = [const { String::new() }; 9];
        for (index, text) in annotation.iter_mut().enumerate() {
            row.text(index)?.clone_into(text);
        }
        content.annotations.push(annotation);
    }
    Ok(content)
}
