//! One entity, as everybody sees it: what its primary approved review and its active approved
//! status say.

use foundation_durable::{Row, Statement};

use crate::error::Error;
use crate::reader::Reading;

/// An entity that everybody sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entity {
    /// Its number.
    pub entity_id: i64,
    /// The gene.
    pub hgnc_id: String,
    /// The symbol of the gene.
    pub symbol: String,
    /// The disease with the version of its identifier.
    pub disease_ontology_id_version: String,
    /// The name of the disease.
    pub disease_ontology_name: String,
    /// The inheritance.
    pub hpo_mode_of_inheritance_term: String,
    /// The name of the inheritance.
    pub hpo_mode_of_inheritance_term_name: String,
    /// The group of inheritances.
    pub inheritance_filter: String,
    /// 1 if it is a neurodevelopmental disorder.
    pub ndd_phenotype: i64,
    /// The same as a word.
    pub ndd_phenotype_word: String,
    /// The day of entry; with the time where it is asked for.
    pub entry_date: String,
    /// The strength of the evidence.
    pub category: String,
    /// Its number; the lower, the stronger.
    pub category_id: i64,
    /// What the review says in words.
    pub synopsis: Option<String>,
    /// Whether a rule computed the category, and no person chose it.
    pub category_computed: bool,
}

/// Where an entity is that nobody sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Absence {
    /// There is no such entity, or it was never public.
    Unknown,
    /// It was deactivated, and another may stand in its place.
    Deactivated {
        /// The one that replaced it.
        replaced_by: Option<i64>,
    },
}

/// A term of a review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phenotype {
    /// The entity.
    pub entity_id: i64,
    /// The term.
    pub phenotype_id: String,
    /// Its name.
    pub hpo_term: String,
    /// Whether it is present, uncertain, variable, rare or absent.
    pub modifier_id: i64,
    /// The same as a word.
    pub modifier_name: String,
}

/// A term as its source has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    /// The term.
    pub hpo_id: String,
    /// Its name.
    pub hpo_name: String,
    /// The branch of the ontology, as one letter.
    pub aspect: String,
    /// Where it comes from: `PMID:…` or `OMIM:…`.
    pub reference: String,
    /// The kind of evidence.
    pub evidence: String,
    /// How often it was seen, as the source writes it; empty if it does not say.
    pub frequency: String,
    /// When it begins, as the source writes it; empty if it does not say.
    pub onset: String,
}

/// A review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// The entity.
    pub entity_id: i64,
    /// Its number; none if there is no approved review.
    pub review_id: Option<i64>,
    /// What it says in words.
    pub synopsis: Option<String>,
    /// The day it was written.
    pub review_date: Option<String>,
}

/// A status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Its number.
    pub status_id: i64,
    /// The entity.
    pub entity_id: i64,
    /// The strength of the evidence.
    pub category: String,
    /// Its number.
    pub category_id: i64,
    /// The day it was given.
    pub status_date: String,
    /// Whether someone suggested to remove the entity.
    pub problematic: bool,
}

/// A publication of a review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// The entity.
    pub entity_id: i64,
    /// `PMID:…`
    pub publication_id: String,
    /// `additional_references` or `gene_review`.
    pub publication_type: String,
    /// Whether a person has read it for this entity.
    pub is_reviewed: bool,
}

const FIND: Statement = Statement {
    name: "entity: find",
    sql: "SELECT entity_id, hgnc_id, symbol, disease_ontology_id_version, disease_ontology_name, \
          hpo_mode_of_inheritance_term, hpo_mode_of_inheritance_term_name, inheritance_filter, \
          ndd_phenotype, ndd_phenotype_word, entry_date, category, category_id, synopsis, \
          category_basis FROM public_entity WHERE entity_id = $1",
};

const OF_GENE: Statement = Statement {
    name: "entity: of a gene",
    sql: "SELECT entity_id, hgnc_id, symbol, disease_ontology_id_version, disease_ontology_name, \
          hpo_mode_of_inheritance_term, hpo_mode_of_inheritance_term_name, inheritance_filter, \
          ndd_phenotype, ndd_phenotype_word, entry_date, category, category_id, synopsis, \
          category_basis FROM public_entity WHERE hgnc_id = $1 ORDER BY entity_id",
};

const OF_DISEASE: Statement = Statement {
    name: "entity: of a disease",
    sql: "SELECT entity_id, hgnc_id, symbol, disease_ontology_id_version, disease_ontology_name, \
          hpo_mode_of_inheritance_term, hpo_mode_of_inheritance_term_name, inheritance_filter, \
          ndd_phenotype, ndd_phenotype_word, entry_date, category, category_id, synopsis, \
          category_basis FROM public_entity WHERE disease_ontology_id_version IN \
          (SELECT disease_ontology_id_version FROM disease_ontology_set WHERE disease_ontology_id = $1) \
          ORDER BY entity_id",
};

const ABSENT: Statement = Statement {
    name: "entity: absent",
    sql: "SELECT is_active, replaced_by FROM ndd_entity WHERE entity_id = $1 AND EXISTS \
          (SELECT 1 FROM ndd_entity_status AS status WHERE status.entity_id = ndd_entity.entity_id \
          AND status.status_approved = 1)",
};

const PHENOTYPES: Statement = Statement {
    name: "entity: phenotypes",
    sql: "SELECT c.entity_id, c.phenotype_id, p.hpo_term, c.modifier_id, m.modifier_name \
          FROM public_entity AS e \
          JOIN ndd_review_phenotype_connect AS c ON c.review_id = e.review_id AND c.is_active = 1 \
          JOIN phenotype_list AS p ON p.phenotype_id = c.phenotype_id \
          JOIN modifier_list AS m ON m.modifier_id = c.modifier_id \
          WHERE e.entity_id = $1 ORDER BY c.phenotype_id, c.modifier_id",
};

const ANNOTATIONS: Statement = Statement {
    name: "entity: annotations",
    sql: "SELECT a.hpo_id, t.hpo_name, a.aspect, a.reference, a.evidence, a.frequency, a.onset \
          FROM public_entity AS e \
          JOIN review_annotation AS a ON a.review_id = e.review_id \
          JOIN hpo_term AS t ON t.hpo_id = a.hpo_id \
          WHERE e.entity_id = $1 ORDER BY a.hpo_id, a.annotation_id",
};

const REVIEW: Statement = Statement {
    name: "entity: review",
    sql: "SELECT e.entity_id, e.review_id, r.synopsis, substr(r.review_date, 1, 10) \
          FROM public_entity AS e LEFT JOIN ndd_entity_review AS r ON r.review_id = e.review_id \
          WHERE e.entity_id = $1",
};

const STATUS: Statement = Statement {
    name: "entity: status",
    sql: "SELECT e.status_id, e.entity_id, e.category, e.category_id, \
          substr(s.status_date, 1, 10), s.problematic \
          FROM public_entity AS e JOIN ndd_entity_status AS s ON s.status_id = e.status_id \
          WHERE e.entity_id = $1",
};

const PUBLICATIONS: Statement = Statement {
    name: "entity: publications",
    sql: "SELECT j.entity_id, j.publication_id, j.publication_type, j.is_reviewed \
          FROM public_entity AS e \
          JOIN ndd_review_publication_join AS j ON j.review_id = e.review_id \
          JOIN publication AS p ON p.publication_id = j.publication_id \
          WHERE e.entity_id = $1 ORDER BY p.pubmed_number",
};

const ALL_IDS: Statement = Statement {
    name: "entity: all ids",
    sql: "SELECT entity_id FROM public_entity ORDER BY entity_id",
};

pub(crate) const STATEMENTS: &[Statement] = &[
    FIND,
    OF_GENE,
    OF_DISEASE,
    ABSENT,
    PHENOTYPES,
    ANNOTATIONS,
    REVIEW,
    STATUS,
    PUBLICATIONS,
    ALL_IDS,
];

/// An entity from a row of `FIND`'s columns.
pub(crate) fn of_row(row: &Row) -> Result<Entity, Error> {
    let text = |at: usize| row.text(at).map(str::to_owned);
    Ok(Entity {
        entity_id: row.integer(0)?,
        hgnc_id: text(1)?,
        symbol: text(2)?,
        disease_ontology_id_version: text(3)?,
        disease_ontology_name: text(4)?,
        hpo_mode_of_inheritance_term: text(5)?,
        hpo_mode_of_inheritance_term_name: text(6)?,
        inheritance_filter: text(7)?,
        ndd_phenotype: row.integer(8)?,
        ndd_phenotype_word: text(9)?,
        entry_date: text(10)?,
        category: text(11)?,
        category_id: row.integer(12)?,
        synopsis: row.optional_text(13)?.map(str::to_owned),
        category_computed: row.text(14)? == "computed",
    })
}

/// An entity that everybody sees.
///
/// # Errors
/// When the database can't be read.
pub async fn find(reading: &mut Reading, entity_id: i64) -> Result<Option<Entity>, Error> {
    reading.row(&FIND, &[entity_id.into()]).await?.as_ref().map(of_row).transpose()
}

/// The entities of a gene.
///
/// # Errors
/// When the database can't be read.
pub async fn of_gene(reading: &mut Reading, hgnc_id: &str) -> Result<Vec<Entity>, Error> {
    reading.rows(&OF_GENE, &[hgnc_id.into()]).await?.iter().map(of_row).collect()
}

/// The entities of a disease, in whichever version.
///
/// # Errors
/// When the database can't be read.
pub async fn of_disease(
    reading: &mut Reading,
    disease_ontology_id: &str,
) -> Result<Vec<Entity>, Error> {
    reading.rows(&OF_DISEASE, &[disease_ontology_id.into()]).await?.iter().map(of_row).collect()
}

/// Why an entity is not to be seen; ask after [`find`] found nothing.
///
/// # Errors
/// When the database can't be read.
pub async fn absence(reading: &mut Reading, entity_id: i64) -> Result<Absence, Error> {
    let Some(row) = reading.row(&ABSENT, &[entity_id.into()]).await? else {
        return Ok(Absence::Unknown);
    };
    Ok(match row.flag(0)? {
        true => Absence::Unknown,
        false => Absence::Deactivated { replaced_by: row.optional_integer(1)? },
    })
}

/// The ids of all entities that everybody sees.
///
/// # Errors
/// When the database can't be read.
pub async fn ids(reading: &mut Reading) -> Result<Vec<i64>, Error> {
    reading.rows(&ALL_IDS, &[]).await?.iter().map(|row| Ok(row.integer(0)?)).collect()
}

/// The terms of an entity's review.
///
/// # Errors
/// When the database can't be read.
pub async fn phenotypes(reading: &mut Reading, entity_id: i64) -> Result<Vec<Phenotype>, Error> {
    let of_row = |row: &Row| {
        Ok(Phenotype {
            entity_id: row.integer(0)?,
            phenotype_id: row.text(1)?.to_owned(),
            hpo_term: row.text(2)?.to_owned(),
            modifier_id: row.integer(3)?,
            modifier_name: row.text(4)?.to_owned(),
        })
    };
    reading.rows(&PHENOTYPES, &[entity_id.into()]).await?.iter().map(of_row).collect()
}

/// The terms of an entity's review as their source has them.
///
/// # Errors
/// When the database can't be read.
pub async fn annotations(reading: &mut Reading, entity_id: i64) -> Result<Vec<Annotation>, Error> {
    let of_row = |row: &Row| {
        let text = |at: usize| row.text(at).map(str::to_owned);
        Ok(Annotation {
            hpo_id: text(0)?,
            hpo_name: text(1)?,
            aspect: text(2)?,
            reference: text(3)?,
            evidence: text(4)?,
            frequency: text(5)?,
            onset: text(6)?,
        })
    };
    reading.rows(&ANNOTATIONS, &[entity_id.into()]).await?.iter().map(of_row).collect()
}

/// The review of an entity; one without a number if the entity has no approved one yet, nothing if
/// there is no such entity.
///
/// # Errors
/// When the database can't be read.
pub async fn review(reading: &mut Reading, entity_id: i64) -> Result<Option<Review>, Error> {
    let Some(row) = reading.row(&REVIEW, &[entity_id.into()]).await? else { return Ok(None) };
    Ok(Some(Review {
        entity_id: row.integer(0)?,
        review_id: row.optional_integer(1)?,
        synopsis: row.optional_text(2)?.map(str::to_owned),
        review_date: row.optional_text(3)?.map(str::to_owned),
    }))
}

/// The status of an entity.
///
/// # Errors
/// When the database can't be read.
pub async fn status(reading: &mut Reading, entity_id: i64) -> Result<Option<Status>, Error> {
    let Some(row) = reading.row(&STATUS, &[entity_id.into()]).await? else { return Ok(None) };
    Ok(Some(Status {
        status_id: row.integer(0)?,
        entity_id: row.integer(1)?,
        category: row.text(2)?.to_owned(),
        category_id: row.integer(3)?,
        status_date: row.text(4)?.to_owned(),
        problematic: row.flag(5)?,
    }))
}

/// The publications of an entity's review, by number.
///
/// # Errors
/// When the database can't be read.
pub async fn publications(
    reading: &mut Reading,
    entity_id: i64,
) -> Result<Vec<Publication>, Error> {
    let of_row = |row: &Row| {
        Ok(Publication {
            entity_id: row.integer(0)?,
            publication_id: row.text(1)?.to_owned(),
            publication_type: row.text(2)?.to_owned(),
            is_reviewed: row.flag(3)?,
        })
    };
    reading.rows(&PUBLICATIONS, &[entity_id.into()]).await?.iter().map(of_row).collect()
}
