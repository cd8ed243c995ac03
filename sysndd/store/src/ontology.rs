//! Diseases.

use foundation_durable::{Row, Statement};

use crate::error::Error;
use crate::reader::Reading;

/// One version of a disease; several identifiers of one kind are joined with `;`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disease {
    /// The identifier with its version.
    pub disease_ontology_id_version: String,
    /// The identifier.
    pub disease_ontology_id: String,
    /// The name.
    pub disease_ontology_name: String,
    /// Where it comes from.
    pub disease_ontology_source: String,
    /// Whether it is one disease and not a group of them.
    pub disease_ontology_is_specific: bool,
    /// The gene that the source names.
    pub hgnc_id: Option<String>,
    /// The inheritance that the source names.
    pub hpo_mode_of_inheritance_term: Option<String>,
    /// Its name.
    pub hpo_mode_of_inheritance_term_name: Option<String>,
    /// Its group.
    pub inheritance_filter: Option<String>,
    /// Disease Ontology.
    pub doid: Option<String>,
    /// Mondo.
    pub mondo: Option<String>,
    /// Orphanet.
    pub orphanet: Option<String>,
    /// EFO.
    pub efo: Option<String>,
}

const BY_ID: Statement = Statement {
    name: "ontology: by id",
    sql: "SELECT d.disease_ontology_id_version, d.disease_ontology_id, d.disease_ontology_name, \
          d.disease_ontology_source, d.disease_ontology_is_specific, d.hgnc_id, \
          d.hpo_mode_of_inheritance_term, m.hpo_mode_of_inheritance_term_name, \
          m.inheritance_filter, d.doid, d.mondo, d.orphanet, d.efo \
          FROM disease_ontology_set AS d LEFT JOIN mode_of_inheritance_list AS m \
          ON m.hpo_mode_of_inheritance_term = d.hpo_mode_of_inheritance_term \
          WHERE d.disease_ontology_id = $1 OR d.disease_ontology_id IN \
          (SELECT v.disease_ontology_id FROM disease_ontology_set AS v \
          WHERE v.disease_ontology_id_version = $1) \
          ORDER BY d.disease_ontology_id_version",
};

const BY_NAME: Statement = Statement {
    name: "ontology: by name",
    sql: "SELECT d.disease_ontology_id_version, d.disease_ontology_id, d.disease_ontology_name, \
          d.disease_ontology_source, d.disease_ontology_is_specific, d.hgnc_id, \
          d.hpo_mode_of_inheritance_term, m.hpo_mode_of_inheritance_term_name, \
          m.inheritance_filter, d.doid, d.mondo, d.orphanet, d.efo \
          FROM disease_ontology_set AS d LEFT JOIN mode_of_inheritance_list AS m \
          ON m.hpo_mode_of_inheritance_term = d.hpo_mode_of_inheritance_term \
          WHERE d.disease_ontology_id IN (SELECT n.disease_ontology_id \
          FROM disease_ontology_set AS n WHERE n.disease_ontology_name = $1) \
          ORDER BY d.disease_ontology_id, d.disease_ontology_id_version",
};

pub(crate) const STATEMENTS: &[Statement] = &[BY_ID, BY_NAME];

fn of_row(row: &Row) -> Result<Disease, Error> {
    let text = |at: usize| row.text(at).map(str::to_owned);
    let optional = |at: usize| row.optional_text(at).map(|text| text.map(str::to_owned));
    Ok(Disease {
        disease_ontology_id_version: text(0)?,
        disease_ontology_id: text(1)?,
        disease_ontology_name: text(2)?,
        disease_ontology_source: text(3)?,
        disease_ontology_is_specific: row.flag(4)?,
        hgnc_id: optional(5)?,
        hpo_mode_of_inheritance_term: optional(6)?,
        hpo_mode_of_inheritance_term_name: optional(7)?,
        inheritance_filter: optional(8)?,
        doid: optional(9)?,
        mondo: optional(10)?,
        orphanet: optional(11)?,
        efo: optional(12)?,
    })
}

/// All versions of a disease by its identifier, with or without a version.
///
/// # Errors
/// When the database can't be read.
pub async fn by_id(reading: &mut Reading, id: &str) -> Result<Vec<Disease>, Error> {
    reading.rows(&BY_ID, &[id.into()]).await?.iter().map(of_row).collect()
}

/// All versions of the diseases with exactly this name.
///
/// # Errors
/// When the database can't be read.
pub async fn by_name(reading: &mut Reading, name: &str) -> Result<Vec<Disease>, Error> {
    reading.rows(&BY_NAME, &[name.into()]).await?.iter().map(of_row).collect()
}

/// The disease that a link to a page of it names, by identifier or name.
///
/// # Errors
/// When the database can't be read.
pub async fn find(reading: &mut Reading, term: &str) -> Result<Vec<Disease>, Error> {
    let found = by_id(reading, term).await?;
    if found.is_empty() { by_name(reading, term).await } else { Ok(found) }
}
