//! The words that entities, reviews and statuses are made of.

use foundation_durable::{Row, Statement};

use crate::error::Error;
use crate::reader::Reading;

/// A strength of evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Category {
    /// Its number; the lower, the stronger.
    pub category_id: i64,
    /// Its name.
    pub category: String,
}

/// A phenotype that reviews use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// The term.
    pub phenotype_id: String,
    /// Its name.
    pub hpo_term: String,
    /// What it means.
    pub hpo_term_definition: Option<String>,
    /// Other names.
    pub hpo_term_synonyms: Option<String>,
}

/// An inheritance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inheritance {
    /// The term.
    pub hpo_mode_of_inheritance_term: String,
    /// Its name.
    pub hpo_mode_of_inheritance_term_name: String,
    /// What it means.
    pub definition: Option<String>,
    /// Its group.
    pub inheritance_filter: String,
    /// Its abbreviation.
    pub inheritance_short_text: String,
    /// The place in a list.
    pub sort: i64,
}

/// What a term of a review says of a patient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Modifier {
    /// Its number.
    pub modifier_id: i64,
    /// Its name.
    pub modifier_name: String,
}

const CATEGORIES: Statement = Statement {
    name: "vocabulary: categories",
    sql: "SELECT category_id, category FROM ndd_entity_status_categories_list ORDER BY category_id",
};

const PHENOTYPES: Statement = Statement {
    name: "vocabulary: phenotypes",
    sql: "SELECT phenotype_id, hpo_term, hpo_term_definition, hpo_term_synonyms \
          FROM phenotype_list ORDER BY phenotype_id",
};

const INHERITANCES: Statement = Statement {
    name: "vocabulary: inheritances",
    sql: "SELECT hpo_mode_of_inheritance_term, hpo_mode_of_inheritance_term_name, \
          hpo_mode_of_inheritance_term_definition, inheritance_filter, inheritance_short_text, sort \
          FROM mode_of_inheritance_list WHERE is_active = 1 \
          ORDER BY sort, hpo_mode_of_inheritance_term",
};

const MODIFIERS: Statement = Statement {
    name: "vocabulary: modifiers",
    sql: "SELECT modifier_id, modifier_name FROM modifier_list WHERE allowed_phenotype = 1 \
          ORDER BY modifier_id",
};

pub(crate) const STATEMENTS: &[Statement] = &[CATEGORIES, PHENOTYPES, INHERITANCES, MODIFIERS];

fn optional(row: &Row, at: usize) -> Result<Option<String>, Error> {
    Ok(row.optional_text(at)?.map(str::to_owned))
}

/// The strengths of evidence, the strongest first.
///
/// # Errors
/// When the database can't be read.
pub async fn categories(reading: &mut Reading) -> Result<Vec<Category>, Error> {
    let of_row = |row: &Row| {
        Ok(Category { category_id: row.integer(0)?, category: row.text(1)?.to_owned() })
    };
    reading.rows(&CATEGORIES, &[]).await?.iter().map(of_row).collect()
}

/// The phenotypes that reviews use.
///
/// # Errors
/// When the database can't be read.
pub async fn phenotypes(reading: &mut Reading) -> Result<Vec<Term>, Error> {
    let of_row = |row: &Row| {
        Ok(Term {
            phenotype_id: row.text(0)?.to_owned(),
            hpo_term: row.text(1)?.to_owned(),
            hpo_term_definition: optional(row, 2)?,
            hpo_term_synonyms: optional(row, 3)?,
        })
    };
    reading.rows(&PHENOTYPES, &[]).await?.iter().map(of_row).collect()
}

/// The inheritances that entities may get.
///
/// # Errors
/// When the database can't be read.
pub async fn inheritances(reading: &mut Reading) -> Result<Vec<Inheritance>, Error> {
    let of_row = |row: &Row| {
        Ok(Inheritance {
            hpo_mode_of_inheritance_term: row.text(0)?.to_owned(),
            hpo_mode_of_inheritance_term_name: row.text(1)?.to_owned(),
            definition: optional(row, 2)?,
            inheritance_filter: row.text(3)?.to_owned(),
            inheritance_short_text: row.text(4)?.to_owned(),
            sort: row.integer(5)?,
        })
    };
    reading.rows(&INHERITANCES, &[]).await?.iter().map(of_row).collect()
}

/// What a term of a review may say of a patient.
///
/// # Errors
/// When the database can't be read.
pub async fn modifiers(reading: &mut Reading) -> Result<Vec<Modifier>, Error> {
    let of_row = |row: &Row| {
        Ok(Modifier { modifier_id: row.integer(0)?, modifier_name: row.text(1)?.to_owned() })
    };
    reading.rows(&MODIFIERS, &[]).await?.iter().map(of_row).collect()
}
