//! Where the tables of the contract lie in the database. Every name in a built text is from here.

use sysndd_core::list::{Column, ENTITY, GENE, Kind, PANEL, PANEL_ROWS, PHENOTYPE, Table};

/// The terms of the review that everybody sees of the entity `e`.
pub(super) const TERMS: &str =
    "ndd_review_phenotype_connect AS c WHERE c.review_id = e.review_id AND c.is_active = 1";

const ENTITIES_COUNT: &str = " JOIN (SELECT hgnc_id AS hgnc_id, COUNT(*) AS entities_count FROM public_entity \
    GROUP BY hgnc_id) AS n ON n.hgnc_id = e.hgnc_id";
const GENES: &str = " JOIN non_alt_loci_set AS g ON g.hgnc_id = e.hgnc_id";
const BEST: &str = " JOIN (SELECT hgnc_id AS hgnc_id, MIN(category_id) AS category_id FROM public_entity \
    WHERE ndd_phenotype = 1 GROUP BY hgnc_id) AS b ON b.hgnc_id = e.hgnc_id \
    JOIN ndd_entity_status_categories_list AS k ON k.category_id = b.category_id";

/// What the rows of a table are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Entity,
    Phenotype,
    Gene,
    Panel,
    PanelRows,
}

impl Relation {
    pub(super) fn of(table: &'static Table) -> Self {
        let known = [
            (&ENTITY, Self::Entity),
            (&PHENOTYPE, Self::Phenotype),
            (&GENE, Self::Gene),
            (&PANEL, Self::Panel),
            (&PANEL_ROWS, Self::PanelRows),
        ];
        known
            .into_iter()
            .find(|(known, _)| known.name == table.name)
            .map_or(Self::Entity, |(_, relation)| relation)
    }

    /// Whether several entities make one row.
    pub(super) fn grouped(self) -> bool {
        !matches!(self, Self::Entity | Self::Phenotype)
    }

    pub(super) fn panel(self) -> bool {
        matches!(self, Self::Panel | Self::PanelRows)
    }

    /// What stands after FROM, with what only some columns need.
    pub(super) fn from(self, columns: &[&'static Column]) -> String {
        let mut from = "public_entity AS e".to_owned();
        let wants = |name: &str| columns.iter().any(|column| column.name == name);
        if self == Self::Gene && wants("entities_count") {
            from.push_str(ENTITIES_COUNT);
        }
        if self.panel() {
            from.push_str(GENES);
        }
        if self == Self::Panel && wants("category") {
            from.push_str(BEST);
        }
        from
    }

    /// What every row fulfils.
    pub(super) fn condition(self) -> &'static str {
        match self {
            Self::Entity | Self::Gene => "1 = 1",
            Self::Phenotype => {
                "EXISTS (SELECT 1 FROM ndd_review_phenotype_connect AS c \
                 WHERE c.review_id = e.review_id AND c.is_active = 1)"
            }
            Self::Panel | Self::PanelRows => "e.ndd_phenotype = 1",
        }
    }

    /// The rows of the same group as the row `e`, as `o`.
    pub(super) fn group(self) -> &'static str {
        if self.panel() {
            "public_entity AS o WHERE o.hgnc_id = e.hgnc_id AND o.ndd_phenotype = 1"
        } else {
            "public_entity AS o WHERE o.hgnc_id = e.hgnc_id"
        }
    }

    /// A column as an expression on a row.
    pub(super) fn expression(self, column: &Column) -> String {
        if column.kind == Kind::Terms {
            return format!(
                "(SELECT string_agg(CAST(c.modifier_id AS plain_text) || '-' || c.phenotype_id, ',' \
                 ORDER BY c.modifier_id, c.phenotype_id) FROM {TERMS})"
            );
        }
        match (self, column.name) {
            (Self::Gene, "entities_count") => "n.entities_count".to_owned(),
            (Self::Panel, "category") => "k.category".to_owned(),
            (Self::Panel | Self::PanelRows, "inheritance") => {
                "e.hpo_mode_of_inheritance_term_name".to_owned()
            }
            (
                Self::Panel | Self::PanelRows,
                name @ ("entrez_id" | "ensembl_gene_id" | "ucsc_id" | "bed_hg19" | "bed_hg38"
                | "gnomad_constraints" | "alphafold_id"),
            ) => format!("g.{name}"),
            (_, name) => format!("e.{name}"),
        }
    }

    /// As [`expression`](Self::expression), for a few rows: what a join works out for the whole table is
    /// looked up for each of them.
    pub(super) fn looked_up(self, column: &Column) -> String {
        let group = self.group();
        match (self, column.name) {
            (Self::Gene, "entities_count") => format!("(SELECT COUNT(*) FROM {group})"),
            (Self::Panel, "category") => format!(
                "(SELECT w.category FROM ndd_entity_status_categories_list AS w \
                 WHERE w.category_id = (SELECT MIN(o.category_id) FROM {group}))"
            ),
            _ => self.expression(column),
        }
    }

    /// Where a cursor is looked up that is no longer in a list: entities whether or not they are
    /// active or approved. Nothing of it is shown; it only says where the next page begins.
    pub(super) fn lookup(self) -> &'static str {
        if self.grouped() {
            return "public_entity AS e";
        }
        "(SELECT entity.entity_id AS entity_id, entity.hgnc_id AS hgnc_id, gene.symbol AS symbol, \
         entity.disease_ontology_id_version AS disease_ontology_id_version, \
         disease.disease_ontology_name AS disease_ontology_name, \
         entity.hpo_mode_of_inheritance_term AS hpo_mode_of_inheritance_term, \
         inheritance.hpo_mode_of_inheritance_term_name AS hpo_mode_of_inheritance_term_name, \
         inheritance.inheritance_filter AS inheritance_filter, entity.ndd_phenotype AS ndd_phenotype, \
         CASE entity.ndd_phenotype WHEN 1 THEN 'Yes' ELSE 'No' END AS ndd_phenotype_word, \
         substr(entity.entry_date, 1, 10) AS entry_date, category.category AS category, \
         status.category_id AS category_id, review.synopsis AS synopsis, \
         review.review_id AS review_id \
         FROM ndd_entity AS entity \
         LEFT JOIN ndd_entity_status AS status ON status.status_id = COALESCE((SELECT s.status_id \
         FROM ndd_entity_status AS s WHERE s.entity_id = entity.entity_id AND s.is_active = 1 \
         AND s.status_approved = 1), entity.first_status_id) \
         LEFT JOIN ndd_entity_status_categories_list AS category ON category.category_id = status.category_id \
         LEFT JOIN non_alt_loci_set AS gene ON gene.hgnc_id = entity.hgnc_id \
         LEFT JOIN disease_ontology_set AS disease \
         ON disease.disease_ontology_id_version = entity.disease_ontology_id_version \
         LEFT JOIN mode_of_inheritance_list AS inheritance \
         ON inheritance.hpo_mode_of_inheritance_term = entity.hpo_mode_of_inheritance_term \
         LEFT JOIN ndd_entity_review AS review ON review.entity_id = entity.entity_id \
         AND review.is_primary = 1 AND review.review_approved = 1) AS e"
    }
}
