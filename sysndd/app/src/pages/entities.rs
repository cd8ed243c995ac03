//! `/Entities`: all entities as a table.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use sysndd_store::list::{ENTITY, ListRow};

use super::Pages;
use super::answer::{self, Answer};
use super::badge;
use super::entity_row::{EntityRow, details};
use super::frame::Frame;
use super::listing;
use super::table::{Cell, ColumnPlan, Plan, Row, Table};

/// A page that is a list.
#[derive(Template)]
#[template(path = "list.html")]
pub(crate) struct ListTemplate {
    pub(crate) frame: Frame,
    pub(crate) heading: &'static str,
    pub(crate) lead: &'static str,
    pub(crate) xlsx: String,
    pub(crate) csv: String,
    pub(crate) table: Table,
}

/// The columns of entities, for every page that lists them.
pub(crate) const COLUMNS: &[ColumnPlan] = &[
    ColumnPlan { key: "entity_id", label: "Entity" },
    ColumnPlan { key: "symbol", label: "Gene" },
    ColumnPlan { key: "disease_ontology_name", label: "Disease" },
    ColumnPlan { key: "hpo_mode_of_inheritance_term_name", label: "Inheritance" },
    ColumnPlan { key: "category", label: "Category" },
    ColumnPlan { key: "ndd_phenotype_word", label: "NDD" },
];

const PLAN: Plan = Plan {
    path: "/Entities",
    noun: "entity",
    noun_plural: "entities",
    columns: COLUMNS,
    default_sort: "entity_id",
    default_filter: "",
};

/// A row of [`COLUMNS`].
pub(crate) fn row(row: &ListRow) -> Row {
    let id = row.integer("entity_id");
    let cells = EntityRow::of(row);
    Row {
        name: format!("sysndd:{id}"),
        cells: vec![
            Cell::of(cells.entity),
            Cell::of(cells.gene),
            Cell::classed("disease", cells.disease),
            Cell::of(badge::inheritance(row.text("hpo_mode_of_inheritance_term_name"))),
            Cell::of(cells.category),
            Cell::of(cells.ndd),
        ],
        more: details(row),
    }
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
    let read = listing::read(&mut visit, &PLAN, &ENTITY, asked).await?;
    let rows = read.page.rows.iter().map(row).collect();
    let frame = visit
        .frame("Entities", "All entities of SysNDD: gene, inheritance, disease and category.")
        .at("/Entities", visit.absolute(&PLAN.address(&read.asked).to_string()));
    let page = ListTemplate {
        frame,
        heading: "Entities",
        lead: "A gene, a mode of inheritance and a disease together, with the category of the evidence that links them.",
        xlsx: PLAN.export("/api/entity/", &read.asked, "xlsx"),
        csv: PLAN.export("/api/entity/", &read.asked, "csv"),
        table: read.table(&PLAN, rows, str::to_owned),
    };
    answer::page(&page, &visit.etag)
}
