//! `/`: search, counts by category with their links, the newest entities, and what it is all about.

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use sysndd_store::entity::Entity;
use sysndd_store::statistics::{self, CategoryCount, Unit};

use super::Pages;
use super::address::{Address, encoded};
use super::answer::{self, Answer};
use super::badge;
use super::entity_row::{EntityRow, day};
use super::frame::Frame;
use super::markup::Markup;
use super::table::grouped;

const NEWEST: u32 = 5;

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage {
    frame: Frame,
    examples: Vec<(String, String)>,
    counts: Vec<Block>,
    last_update: String,
    newest: Vec<EntityRow>,
    sample: Sample,
    categories: Vec<(Markup, &'static str)>,
}

/// The counts of genes, or of entities.
struct Block {
    key: &'static str,
    heading: &'static str,
    noun: &'static str,
    rows: Vec<CountRow>,
}

struct CountRow {
    category: Markup,
    name: String,
    number: String,
    address: String,
    parts: Vec<CountPart>,
}

struct CountPart {
    label: String,
    number: String,
    address: String,
}

/// The badges that the explanation shows.
struct Sample {
    entity: Markup,
    gene: Markup,
    inheritance: Markup,
    disease: Markup,
    ndd: Markup,
    not_ndd: Markup,
}

const MEANINGS: &[(&str, &str)] = &[
    ("Definitive", "beyond doubt"),
    ("Moderate", "likely, more evidence wanted"),
    ("Limited", "first reports"),
    ("Refuted", "later contradicted"),
    ("not applicable", "a disease of the gene, but no NDD"),
];

/// The list behind a number.
fn address(unit: Unit, category: &str, inheritance: Option<&str>) -> String {
    match unit {
        Unit::Gene => {
            format!("/Panels/{}/{}", encoded(category), encoded(inheritance.unwrap_or("All")))
        }
        Unit::Entity => {
            let part = inheritance
                .map(|name| format!(",any(inheritance_filter,{name})"))
                .unwrap_or_default();
            let filter = format!("any(ndd_phenotype_word,Yes),any(category,{category}){part}");
            Address::of("/Entities").with("filter", &filter).to_string()
        }
    }
}

fn block(unit: Unit, counts: &[CategoryCount]) -> Block {
    let (key, heading, noun) = match unit {
        Unit::Gene => ("genes", "Genes", "Genes"),
        Unit::Entity => ("entities", "Entities", "Entities"),
    };
    let shown = |number: i64| grouped(number.unsigned_abs());
    let row = |count: &CategoryCount| CountRow {
        category: badge::category(&count.category),
        name: format!("{} {key}", count.category),
        number: shown(count.n),
        address: address(unit, &count.category, None),
        parts: count
            .groups
            .iter()
            .map(|part| CountPart {
                label: part.inheritance.clone(),
                number: shown(part.n),
                address: address(unit, &count.category, Some(&part.inheritance)),
            })
            .collect(),
    };
    Block { key, heading, noun, rows: counts.iter().map(row).collect() }
}

/// The badges of an entity that exists, so that its links lead somewhere.
fn sample(newest: Option<&Entity>) -> Sample {
    let row = newest.map(EntityRow::of_entity);
    let shown =
        |markup: fn(&EntityRow) -> &Markup| row.as_ref().map(markup).cloned().unwrap_or_default();
    Sample {
        entity: shown(|row| &row.entity),
        gene: shown(|row| &row.gene),
        inheritance: shown(|row| &row.inheritance),
        disease: shown(|row| &row.disease),
        ndd: badge::ndd("Yes"),
        not_ndd: badge::ndd("No"),
    }
}

fn examples(newest: Option<&Entity>) -> Vec<(String, String)> {
    let Some(entity) = newest else { return Vec::new() };
    vec![
        (entity.symbol.clone(), format!("/Genes/{}", encoded(&entity.symbol))),
        (format!("sysndd:{}", entity.entity_id), format!("/Entities/{}", entity.entity_id)),
        ("encephalopathy".to_owned(), "/Search/encephalopathy".to_owned()),
    ]
}

/// The page.
pub(crate) async fn show(State(pages): State<Pages>, headers: HeaderMap) -> Answer {
    let mut visit = pages.visit(&headers).await?;
    if let Some(answer) = visit.known() {
        return Ok(answer);
    }
    let genes = statistics::category_count(&mut visit.reading, Unit::Gene).await?;
    let entities = statistics::category_count(&mut visit.reading, Unit::Entity).await?;
    let newest = statistics::news(&mut visit.reading, NEWEST).await?;
    let last_update = statistics::last_update(&mut visit.reading).await?.unwrap_or_default();
    let mut frame = visit
        .frame(
            "Genes, inheritance and disease in neurodevelopmental disorders",
            "SysNDD: which genes cause which neurodevelopmental disorders, by which inheritance, on which evidence.",
        )
        .at("/", visit.absolute("/"));
    frame.searchable = false;
    let page = HomePage {
        frame,
        examples: examples(newest.first()),
        counts: vec![block(Unit::Gene, &genes), block(Unit::Entity, &entities)],
        last_update: day(&last_update).to_owned(),
        newest: newest.iter().map(EntityRow::of_entity).collect(),
        sample: sample(newest.first()),
        categories: MEANINGS
            .iter()
            .map(|(category, words)| (badge::category(category), *words))
            .collect(),
    };
    answer::page(&page, &visit.etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_genes_leads_to_its_panel_and_one_of_entities_to_its_list() {
        assert_eq!(
            address(Unit::Gene, "Definitive", Some("X-linked")),
            "/Panels/Definitive/X-linked"
        );
        assert_eq!(
            address(Unit::Entity, "Limited", None),
            "/Entities?filter=any(ndd_phenotype_word,Yes),any(category,Limited)"
        );
    }
}
