//! The tables and their columns.

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A text, or a date as text.
    Text,
    /// A whole number.
    Integer,
    /// The name of an inheritance, whose last word " inheritance" a filter may leave out.
    Inheritance,
    /// The terms of a review with their modifiers, written `1-HP:0001250,1-HP:0001249`.
    Terms,
}

/// A column of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its published name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether it is in the rows of an answer.
    pub shown: bool,
    /// Whether filters may ask it.
    pub filtered: bool,
    /// Whether a list can be sorted by it, and field specifications are made for it.
    pub sorted: bool,
    /// Whether `all` asks the rows of the same group: a gene has several entities.
    pub grouped: bool,
    /// Whether rows may have no value.
    pub optional: bool,
}

const fn column(name: &'static str, kind: Kind) -> Column {
    Column {
        name,
        kind,
        shown: true,
        filtered: true,
        sorted: true,
        grouped: false,
        optional: false,
    }
}

const fn optional(name: &'static str) -> Column {
    let mut column = column(name, Kind::Text);
    column.optional = true;
    column
}

/// A column of the entities of a gene: in its `entities`, not in the gene's own row.
const fn nested(name: &'static str, kind: Kind) -> Column {
    let mut column = column(name, kind);
    column.shown = false;
    column.grouped = true;
    column
}

/// What is shown and can't be asked: the list of a gene's entities.
const fn only_shown(name: &'static str, kind: Kind) -> Column {
    let mut column = column(name, kind);
    column.filtered = false;
    column.sorted = false;
    column.optional = true;
    column
}

/// What rows are made with, and nobody can ask.
const fn hidden(name: &'static str, kind: Kind) -> Column {
    let mut column = only_shown(name, kind);
    column.shown = false;
    column
}

const fn unfiltered(mut column: Column) -> Column {
    column.filtered = false;
    column
}

/// A list of the contract.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name; a part of keys of caches.
    pub name: &'static str,
    /// The column that tells rows apart: cursors are its values.
    pub id: &'static str,
    /// The columns in the order of an answer.
    pub columns: &'static [Column],
    /// How it is sorted unless asked.
    pub sort: &'static str,
    /// The field specifications it gives unless asked.
    pub fspec: &'static str,
    /// The filter it has unless asked.
    pub filter: &'static str,
    /// The fields it shows unless asked; empty for all.
    pub fields: &'static str,
}

impl Table {
    /// The column of this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&'static Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The columns in the rows of an answer.
    pub fn shown(&self) -> impl Iterator<Item = &'static Column> {
        self.columns.iter().filter(|column| column.shown)
    }

    /// The column that tells rows apart.
    ///
    /// Every table has it; a test proves it.
    #[must_use]
    pub fn id_column(&self) -> &'static Column {
        self.column(self.id).unwrap_or(&self.columns[0])
    }
}

use Kind::{Inheritance, Integer, Terms, Text};

/// Entities, as `/api/entity/` and the page Entities list them.
pub static ENTITY: Table = Table {
    name: "entity",
    id: "entity_id",
    columns: &[
        column("entity_id", Integer),
        column("hgnc_id", Text),
        column("symbol", Text),
        column("disease_ontology_id_version", Text),
        column("disease_ontology_name", Text),
        column("hpo_mode_of_inheritance_term", Text),
        column("hpo_mode_of_inheritance_term_name", Inheritance),
        column("inheritance_filter", Text),
        column("ndd_phenotype", Integer),
        column("ndd_phenotype_word", Text),
        column("entry_date", Text),
        column("category", Text),
        column("category_id", Integer),
        optional("synopsis"),
    ],
    sort: "entity_id",
    fspec: "entity_id,symbol,disease_ontology_name,hpo_mode_of_inheritance_term_name,category,\
            ndd_phenotype_word,details",
    filter: "",
    fields: "",
};

/// Entities that have phenotypes, with these: `/api/phenotype/entities/browse`.
pub static PHENOTYPE: Table = Table {
    name: "phenotype",
    id: "entity_id",
    columns: &[
        column("entity_id", Integer),
        column("hgnc_id", Text),
        column("symbol", Text),
        column("disease_ontology_id_version", Text),
        column("disease_ontology_name", Text),
        column("hpo_mode_of_inheritance_term", Text),
        column("hpo_mode_of_inheritance_term_name", Inheritance),
        column("inheritance_filter", Text),
        column("ndd_phenotype", Integer),
        column("ndd_phenotype_word", Text),
        column("entry_date", Text),
        column("category", Text),
        column("category_id", Integer),
        optional("synopsis"),
        column("modifier_phenotype_id", Terms),
    ],
    sort: "entity_id",
    fspec: "entity_id,symbol,disease_ontology_name,hpo_mode_of_inheritance_term_name,category,\
            ndd_phenotype_word,details",
    filter: "",
    fields: "",
};

/// Genes with their entities: a filter selects entities, and a gene is listed with those that pass.
pub static GENE: Table = Table {
    name: "gene",
    id: "symbol",
    columns: &[
        column("symbol", Text),
        column("hgnc_id", Text),
        column("entities_count", Integer),
        only_shown("entities", Text),
        nested("entity_id", Integer),
        nested("disease_ontology_id_version", Text),
        nested("disease_ontology_name", Text),
        nested("hpo_mode_of_inheritance_term", Text),
        nested("hpo_mode_of_inheritance_term_name", Inheritance),
        nested("inheritance_filter", Text),
        nested("ndd_phenotype", Integer),
        nested("ndd_phenotype_word", Text),
        nested("entry_date", Text),
        nested("category", Text),
        nested("category_id", Integer),
    ],
    sort: "symbol",
    fspec: "symbol,category,hpo_mode_of_inheritance_term_name,ndd_phenotype_word,entities_count,\
            details",
    filter: "",
    fields: "",
};

const PANEL_FILTER: &str = "equals(category,'Definitive'),any(inheritance_filter,\
    'Autosomal dominant','Autosomal recessive','X-linked','Other')";
const PANEL_FIELDS: &str = "category,inheritance,symbol,hgnc_id,entrez_id,ensembl_gene_id,\
    ucsc_id,bed_hg19,bed_hg38";

/// One row for each gene with an entity of a neurodevelopmental disorder; a gene is in its best
/// category only.
pub static PANEL: Table = Table {
    name: "panel",
    id: "symbol",
    columns: PANEL_COLUMNS,
    sort: "symbol",
    fspec: PANEL_FIELDS,
    filter: PANEL_FILTER,
    fields: PANEL_FIELDS,
};

/// As [`PANEL`], with `max_category=FALSE`: a gene is found in every category it has.
pub static PANEL_ROWS: Table = Table {
    name: "panel-rows",
    id: "symbol",
    columns: PANEL_COLUMNS,
    sort: "symbol",
    fspec: PANEL_FIELDS,
    filter: PANEL_FILTER,
    fields: PANEL_FIELDS,
};

const PANEL_COLUMNS: &[Column] = &[
    column("category", Text),
    unfiltered(column("inheritance", Text)),
    column("symbol", Text),
    column("hgnc_id", Text),
    optional("entrez_id"),
    optional("ensembl_gene_id"),
    optional("ucsc_id"),
    optional("bed_hg19"),
    optional("bed_hg38"),
    only_shown("gnomad_constraints", Text),
    optional("alphafold_id"),
    nested("inheritance_filter", Text),
    nested("hpo_mode_of_inheritance_term_name", Inheritance),
    nested("entity_id", Integer),
    hidden("category_id", Integer),
];
