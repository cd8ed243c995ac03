//! `/Genes`: genes, each with its entities.

use axum::extract::{Query, State};
use axum::http::HeaderMap;
use sysndd_store::list::{GENE, ListRow};

use super::Pages;
use super::answer::{self, Answer};
use super::badge;
use super::entities::ListTemplate;
use super::listing;
use super::markup::Markup;
use super::table::{Cell, ColumnPlan, Plan, Row};

const PLAN: Plan = Plan {
    path: "/Genes",
    noun: "gene",
    noun_plural: "genes",
    columns: &[
        ColumnPlan { key: "symbol", label: "Gene" },
        ColumnPlan { key: "category", label: "Category" },
        ColumnPlan { key: "hpo_mode_of_inheritance_term_name", label: "Inheritance" },
        ColumnPlan { key: "ndd_phenotype_word", label: "NDD" },
        ColumnPlan { key: "entities_count", label: "Entities" },
    ],
    default_sort: "symbol",
    default_filter: "",
};

/// The different values of a gene's entities, in their order.
fn different<'a>(row: &'a ListRow, name: &str) -> Vec<&'a str> {
    let mut values: Vec<&str> = Vec::new();
    for entity in &row.entities {
        let value = entity.text(name);
        if !value.is_empty() && !values.contains(&value) {
            values.push(value);
        }
    }
    values
}

fn row(row: &ListRow) -> Row {
    let symbol = row.text("symbol");
    let mut ranked: Vec<_> = row
        .entities
        .iter()
        .map(|entity| (entity.integer("category_id"), entity.text("category")))
        .collect();
    ranked.sort_unstable();
    ranked.dedup();
    let categories =
        Markup::group("badges", ranked.iter().map(|(_, category)| badge::category(category)));
    let words = different(row, "ndd_phenotype_word");
    Row {
        name: symbol.to_owned(),
        cells: vec![
            Cell::of(badge::gene(symbol)),
            Cell::of(categories),
            Cell::of(Markup::group(
                "badges",
                different(row, "hpo_mode_of_inheritance_term_name")
                    .into_iter()
                    .map(badge::inheritance),
            )),
            Cell::of(Markup::group("badges", words.into_iter().map(badge::ndd))),
            Cell::of(Markup::text(&row.integer("entities_count").to_string())),
        ],
        more: entities(row),
    }
}

/// The entities of a gene, a line for each.
fn entities(row: &ListRow) -> Markup {
    let mut list = Markup::constant("<ul class=\"legend\">");
    for entity in &row.entities {
        list = list
            .then("<li class=\"badges\">")
            .append(&badge::entity(entity.integer("entity_id")))
            .then(" ")
            .append(&badge::disease(
                entity.text("disease_ontology_id_version"),
                entity.text("disease_ontology_name"),
            ))
            .then(" ")
            .append(&badge::inheritance(entity.text("hpo_mode_of_inheritance_term_name")))
            .then(" ")
            .append(&badge::category(entity.text("category")))
            .then(" <span class=\"nowrap\">NDD ")
            .append(&badge::ndd(entity.text("ndd_phenotype_word")))
            .then("</span></li>");
    }
    list.then("</ul>")
}

/// The page.
pub(crate) async fn show(
    State(pages): State<Pages>,
    headers: HeaderMap,
    Query(query): Query<Vec<(String, String)>>,
) -> Answer {
    if let Some(address) = PLAN.sent(&query) {
        return answer::see(&address);
    }
    let mut visit = pages.visit(&headers).await?;
    if let Some(answer) = visit.known() {
        return Ok(answer);
    }
    let asked = PLAN.asked(&query);
    let read = listing::read(&mut visit, &PLAN, &GENE, asked).await?;
    let rows = read.page.rows.iter().map(row).collect();
    let frame = visit
        .frame("Genes", "All genes of SysNDD with their categories, inheritance and entities.")
        .at("/Genes", visit.absolute(&PLAN.address(&read.asked).to_string()));
    let page = ListTemplate {
        frame,
        heading: "Genes",
        lead: "Each gene with its entities. A filter selects entities; a gene is listed with those that pass.",
        xlsx: PLAN.export("/api/gene/", &read.asked, "xlsx"),
        csv: PLAN.export("/api/gene/", &read.asked, "csv"),
        table: read.table(&PLAN, rows, str::to_owned),
    };
    answer::page(&page, &visit.etag)
}
