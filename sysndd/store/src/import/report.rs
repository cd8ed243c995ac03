//! What an import did, for people and for scripts.

use serde::Serialize;
use sysndd_core::import::plan::{Plan, Totals};

/// Where data came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SourceReport {
    /// `HPO`, `HGNC` or `Mondo`.
    pub name: &'static str,
    /// The release, as the source states it.
    pub release: String,
    /// Its terms.
    pub licence: &'static str,
    /// Where it is.
    pub address: &'static str,
    /// What it wants to be said of it.
    pub statement: String,
    /// SHA-256 of its files.
    pub content_hash: String,
}

/// An entity that was refused, because the HGNC table doesn't have its gene.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// The NCBI number.
    pub ncbi_gene_id: String,
    /// What the associations call it.
    pub symbol: Option<String>,
    /// `OMIM:…`.
    pub disease_id: String,
    /// `HP:…`.
    pub inheritance_id: String,
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Changes {
    /// Entities that were not there.
    pub entities_added: u64,
    /// Entities that give way to one with the other NDD flag.
    pub entities_replaced: u64,
    /// Reviews of the import that were superseded.
    pub reviews_replaced: u64,
    /// Statuses of the import that were superseded.
    pub statuses_replaced: u64,
    /// Genes, diseases, publications, terms and sources that are new or differ.
    pub references: u64,
}

impl Changes {
    /// Whether anything was written.
    #[must_use]
    pub fn any(&self) -> bool {
        *self != Self::default()
    }
}

/// What an import found and did.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Where the data came from.
    pub sources: Vec<SourceReport>,
    /// How the categories came about.
    pub category: &'static str,
    /// Neurodevelopmental entities before the join with HGNC.
    pub found: Totals,
    /// Those of them that are loaded.
    pub neurodevelopmental: Totals,
    /// All that are loaded, with the other diseases of the same genes.
    pub loaded: Totals,
    /// Diseases among them that Mondo doesn't name.
    pub diseases_without_name: usize,
    /// Rows that count.
    pub annotation_rows: u64,
    /// Entities that were refused.
    pub refused: Vec<Refused>,
    /// What was written.
    pub changes: Changes,
    /// Entities that were there already, as they should be.
    pub unchanged: u64,
    /// Entities that were there and are not touched, because somebody curated or deactivated them.
    pub left_alone: u64,
    /// Entities of earlier imports that this release doesn't have; they stay.
    pub not_in_release: u64,
    /// The version of the data after the import.
    pub data_version: i64,
}

impl Report {
    pub(super) fn of(plan: &Plan<'_>, sources: Vec<SourceReport>, rows: u64) -> Self {
        let refused = plan.rejected.iter().map(|entity| Refused {
            ncbi_gene_id: entity.gene.clone(),
            symbol: entity.symbol.clone(),
            disease_id: entity.disease.clone(),
            inheritance_id: entity.inheritance.to_string(),
        });
        Self {
            sources,
            category: crate::provenance::COMPUTED,
            found: plan.found,
            neurodevelopmental: plan.neurodevelopmental,
            loaded: plan.loaded,
            diseases_without_name: plan.unnamed,
            annotation_rows: rows,
            refused: refused.collect(),
            changes: Changes::default(),
            unchanged: 0,
            left_alone: 0,
            not_in_release: 0,
            data_version: 0,
        }
    }
}
