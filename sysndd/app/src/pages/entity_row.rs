//! An entity in one line, as tables and cards show it.

use sysndd_store::entity::Entity;
use sysndd_store::list::ListRow;

use super::badge;
use super::markup::Markup;

/// The cells of an entity's line.
#[derive(Clone, Debug)]
pub(crate) struct EntityRow {
    pub(crate) entity: Markup,
    pub(crate) gene: Markup,
    pub(crate) disease: Markup,
    pub(crate) inheritance: Markup,
    pub(crate) category: Markup,
    pub(crate) ndd: Markup,
    pub(crate) date: String,
}

impl EntityRow {
    pub(crate) fn of(row: &ListRow) -> Self {
        Self {
            entity: badge::entity(row.integer("entity_id")),
            gene: badge::gene(row.text("symbol")),
            disease: badge::disease(
                row.text("disease_ontology_id_version"),
                row.text("disease_ontology_name"),
            ),
            inheritance: badge::inheritance(row.text("hpo_mode_of_inheritance_term_name")),
            category: badge::category(row.text("category")),
            ndd: badge::ndd(row.text("ndd_phenotype_word")),
            date: day(row.text("entry_date")).to_owned(),
        }
    }

    pub(crate) fn of_entity(entity: &Entity) -> Self {
        Self {
            entity: badge::entity(entity.entity_id),
            gene: badge::gene(&entity.symbol),
            disease: badge::disease(
                &entity.disease_ontology_id_version,
                &entity.disease_ontology_name,
            ),
            inheritance: badge::inheritance(&entity.hpo_mode_of_inheritance_term_name),
            category: badge::category(&entity.category),
            ndd: badge::ndd(&entity.ndd_phenotype_word),
            date: day(&entity.entry_date).to_owned(),
        }
    }
}

/// The day of a time.
pub(crate) fn day(time: &str) -> &str {
    time.get(..10).unwrap_or(time)
}

/// A fact with its name, for the details of a row.
pub(crate) fn fact(facts: Markup, name: &'static str, value: &Markup) -> Markup {
    facts.then("<dt>").then(name).then("</dt><dd>").append(value).then("</dd>")
}

/// What the details of an entity show.
pub(crate) fn details(row: &ListRow) -> Markup {
    let mut facts = Markup::constant("<dl class=\"facts\">");
    facts = fact(facts, "Gene", &Markup::text(row.text("hgnc_id")));
    facts = fact(facts, "Disease", &Markup::text(row.text("disease_ontology_id_version")));
    facts =
        fact(facts, "Inheritance", &Markup::text(row.text("hpo_mode_of_inheritance_term_name")));
    facts = fact(facts, "Entered", &Markup::text(day(row.text("entry_date"))));
    if !row.text("synopsis").is_empty() {
        facts = fact(facts, "Synopsis", &Markup::text(row.text("synopsis")));
    }
    facts.then("</dl>")
}
