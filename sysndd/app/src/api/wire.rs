//! The rows of the contract. Lists leave out columns that were not asked for, so of their rows only
//! the id is required.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use sysndd_store::entity::Entity;

/// A row of the list of entities.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[schema(example = json!({"entity_id": 2, "hgnc_id": "HGNC:60", "symbol": "ABCC9"}))]
pub(super) struct EntityRow {
    /// The number of the entity.
    pub(super) entity_id: i64,
    /// The gene.
    #[schema(nullable = false)]
    pub(super) hgnc_id: Option<String>,
    /// The symbol of the gene.
    #[schema(nullable = false)]
    pub(super) symbol: Option<String>,
    /// The disease with the version of its identifier.
    #[schema(nullable = false)]
    pub(super) disease_ontology_id_version: Option<String>,
    /// The name of the disease.
    #[schema(nullable = false)]
    pub(super) disease_ontology_name: Option<String>,
    /// The inheritance.
    #[schema(nullable = false)]
    pub(super) hpo_mode_of_inheritance_term: Option<String>,
    /// The name of the inheritance.
    #[schema(nullable = false)]
    pub(super) hpo_mode_of_inheritance_term_name: Option<String>,
    /// The group of inheritances.
    #[schema(nullable = false)]
    pub(super) inheritance_filter: Option<String>,
    /// 1 if it is a neurodevelopmental disorder, else 0.
    #[schema(nullable = false)]
    pub(super) ndd_phenotype: Option<i64>,
    /// The same as a word.
    #[schema(nullable = false)]
    pub(super) ndd_phenotype_word: Option<String>,
    /// The day of entry.
    #[schema(nullable = false)]
    pub(super) entry_date: Option<String>,
    /// The strength of the evidence.
    #[schema(nullable = false)]
    pub(super) category: Option<String>,
    /// Its number; the lower, the stronger.
    #[schema(nullable = false)]
    pub(super) category_id: Option<i64>,
    /// What the review says in words.
    pub(super) synopsis: Option<String>,
}

/// A row of the list of entities with their phenotypes.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
pub(super) struct PhenotypeEntityRow {
    /// The entity.
    #[serde(flatten)]
    pub(super) entity: EntityRow,
    /// Its terms, each with its modifier before it.
    #[schema(example = "1-HP:0000077,1-HP:0000707", nullable = false)]
    pub(super) modifier_phenotype_id: Option<String>,
}

/// An entity with all its columns, without the synopsis.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct NewsRow {
    /// The number of the entity.
    pub(super) entity_id: i64,
    /// The gene.
    pub(super) hgnc_id: String,
    /// The symbol of the gene.
    pub(super) symbol: String,
    /// The disease with the version of its identifier.
    pub(super) disease_ontology_id_version: String,
    /// The name of the disease.
    pub(super) disease_ontology_name: String,
    /// The inheritance.
    pub(super) hpo_mode_of_inheritance_term: String,
    /// The name of the inheritance.
    pub(super) hpo_mode_of_inheritance_term_name: String,
    /// The group of inheritances.
    pub(super) inheritance_filter: String,
    /// 1 if it is a neurodevelopmental disorder, else 0.
    pub(super) ndd_phenotype: i64,
    /// The same as a word.
    pub(super) ndd_phenotype_word: String,
    /// The time of entry.
    pub(super) entry_date: String,
    /// The strength of the evidence.
    pub(super) category: String,
    /// Its number; the lower, the stronger.
    pub(super) category_id: i64,
}

impl From<Entity> for NewsRow {
    fn from(entity: Entity) -> Self {
        Self {
            entity_id: entity.entity_id,
            hgnc_id: entity.hgnc_id,
            symbol: entity.symbol,
            disease_ontology_id_version: entity.disease_ontology_id_version,
            disease_ontology_name: entity.disease_ontology_name,
            hpo_mode_of_inheritance_term: entity.hpo_mode_of_inheritance_term,
            hpo_mode_of_inheritance_term_name: entity.hpo_mode_of_inheritance_term_name,
            inheritance_filter: entity.inheritance_filter,
            ndd_phenotype: entity.ndd_phenotype,
            ndd_phenotype_word: entity.ndd_phenotype_word,
            entry_date: entity.entry_date,
            category: entity.category,
            category_id: entity.category_id,
        }
    }
}

/// A row of the list of genes.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct GeneRow {
    /// The symbol.
    pub(super) symbol: String,
    /// The gene.
    #[schema(nullable = false)]
    pub(super) hgnc_id: Option<String>,
    /// How many entities it has.
    #[schema(nullable = false)]
    pub(super) entities_count: Option<i64>,
    /// Those of its entities that pass the filter.
    #[schema(nullable = false)]
    pub(super) entities: Option<Vec<GeneEntity>>,
}

/// An entity of a gene.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct GeneEntity {
    /// The number of the entity.
    pub(super) entity_id: i64,
    /// The disease with the version of its identifier.
    pub(super) disease_ontology_id_version: String,
    /// The name of the disease.
    pub(super) disease_ontology_name: String,
    /// The inheritance.
    pub(super) hpo_mode_of_inheritance_term: String,
    /// The name of the inheritance.
    pub(super) hpo_mode_of_inheritance_term_name: String,
    /// The group of inheritances.
    pub(super) inheritance_filter: String,
    /// 1 if it is a neurodevelopmental disorder, else 0.
    pub(super) ndd_phenotype: i64,
    /// The same as a word.
    pub(super) ndd_phenotype_word: String,
    /// The day of entry.
    pub(super) entry_date: String,
    /// The strength of the evidence.
    pub(super) category: String,
    /// Its number; the lower, the stronger.
    pub(super) category_id: i64,
}

/// A row of a panel.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct PanelRow {
    /// The strength of the evidence.
    #[schema(nullable = false)]
    pub(super) category: Option<String>,
    /// The names of the inheritances.
    #[schema(
        nullable = false,
        example = "Autosomal dominant inheritance; Autosomal recessive inheritance"
    )]
    pub(super) inheritance: Option<String>,
    /// The symbol.
    pub(super) symbol: String,
    /// The gene.
    #[schema(nullable = false)]
    pub(super) hgnc_id: Option<String>,
    /// NCBI.
    pub(super) entrez_id: Option<String>,
    /// Ensembl.
    pub(super) ensembl_gene_id: Option<String>,
    /// UCSC.
    pub(super) ucsc_id: Option<String>,
    /// Where it lies in the older reference.
    pub bed_hg19: Option<String>,
    /// Where it lies in the newer reference.
    pub bed_hg38: Option<String>,
    /// What gnomAD says, as JSON.
    pub(super) gnomad_constraints: Option<String>,
    /// The predicted structure.
    pub(super) alphafold_id: Option<String>,
}
