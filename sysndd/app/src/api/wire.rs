//! The rows of the contract. Lists leave out columns that were not asked for, so of their rows only
//! the id is required.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use sysndd_store::entity::Entity;

/// A row of the list of entities.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[schema(example = json!({"entity_id": 2, "hgnc_id": "HGNC:60", "symbol": "ABCC9"}))]
pub struct EntityRow {
    /// The number of the entity.
    pub entity_id: i64,
    /// The gene.
    #[schema(nullable = false)]
    pub hgnc_id: Option<String>,
    /// The symbol of the gene.
    #[schema(nullable = false)]
    pub symbol: Option<String>,
    /// The disease with the version of its identifier.
    #[schema(nullable = false)]
    pub disease_ontology_id_version: Option<String>,
    /// The name of the disease.
    #[schema(nullable = false)]
    pub disease_ontology_name: Option<String>,
    /// The inheritance.
    #[schema(nullable = false)]
    pub hpo_mode_of_inheritance_term: Option<String>,
    /// The name of the inheritance.
    #[schema(nullable = false)]
    pub hpo_mode_of_inheritance_term_name: Option<String>,
    /// The group of inheritances.
    #[schema(nullable = false)]
    pub inheritance_filter: Option<String>,
    /// 1 if it is a neurodevelopmental disorder, else 0.
    #[schema(nullable = false)]
    pub ndd_phenotype: Option<i64>,
    /// The same as a word.
    #[schema(nullable = false)]
    pub ndd_phenotype_word: Option<String>,
    /// The day of entry.
    #[schema(nullable = false)]
    pub entry_date: Option<String>,
    /// The strength of the evidence.
    #[schema(nullable = false)]
    pub category: Option<String>,
    /// Its number; the lower, the stronger.
    #[schema(nullable = false)]
    pub category_id: Option<i64>,
    /// What the review says in words.
    pub synopsis: Option<String>,
}

/// A row of the list of entities with their phenotypes.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
pub struct PhenotypeEntityRow {
    /// The entity.
    #[serde(flatten)]
    pub entity: EntityRow,
    /// Its terms, each with its modifier before it.
    #[schema(example = "1-HP:0000077,1-HP:0000707", nullable = false)]
    pub modifier_phenotype_id: Option<String>,
}

/// An entity with all its columns, without the synopsis.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct NewsRow {
    /// The number of the entity.
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
    /// 1 if it is a neurodevelopmental disorder, else 0.
    pub ndd_phenotype: i64,
    /// The same as a word.
    pub ndd_phenotype_word: String,
    /// The time of entry.
    pub entry_date: String,
    /// The strength of the evidence.
    pub category: String,
    /// Its number; the lower, the stronger.
    pub category_id: i64,
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
pub struct GeneRow {
    /// The symbol.
    pub symbol: String,
    /// The gene.
    #[schema(nullable = false)]
    pub hgnc_id: Option<String>,
    /// How many entities it has.
    #[schema(nullable = false)]
    pub entities_count: Option<i64>,
    /// Those of its entities that pass the filter.
    #[schema(nullable = false)]
    pub entities: Option<Vec<GeneEntity>>,
}

/// An entity of a gene.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct GeneEntity {
    /// The number of the entity.
    pub entity_id: i64,
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
    /// 1 if it is a neurodevelopmental disorder, else 0.
    pub ndd_phenotype: i64,
    /// The same as a word.
    pub ndd_phenotype_word: String,
    /// The day of entry.
    pub entry_date: String,
    /// The strength of the evidence.
    pub category: String,
    /// Its number; the lower, the stronger.
    pub category_id: i64,
}

/// A row of a panel.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PanelRow {
    /// The strength of the evidence.
    #[schema(nullable = false)]
    pub category: Option<String>,
    /// The names of the inheritances.
    #[schema(nullable = false, example = "Autosomal dominant inheritance; Autosomal recessive inheritance")]
    pub inheritance: Option<String>,
    /// The symbol.
    pub symbol: String,
    /// The gene.
    #[schema(nullable = false)]
    pub hgnc_id: Option<String>,
    /// NCBI.
    pub entrez_id: Option<String>,
    /// Ensembl.
    pub ensembl_gene_id: Option<String>,
    /// UCSC.
    pub ucsc_id: Option<String>,
    /// Where it lies in the older reference.
    pub bed_hg19: Option<String>,
    /// Where it lies in the newer reference.
    pub bed_hg38: Option<String>,
    /// What gnomAD says, as JSON.
    pub gnomad_constraints: Option<String>,
    /// The predicted structure.
    pub alphafold_id: Option<String>,
}
