//! `/Entities`: all entities as a table.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use sysndd_store::list::{ENTITY, ListRow};

use super::Pages;
use super::answer::{self, Answer};
use super::badge;
use super::entity_row::{EntityRow, day, details};
use super::frame::Frame;
use super::listing;
use super::markup::Markup;
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

/// The columns of entities, the date of entry last: it is shown to those who ask for it, as the table
/// is full enough without.
const DATED_COLUMNS: &[ColumnPlan] = &[
    ColumnPlan { key: "entity_id", label: "Entity" },
    ColumnPlan { key: "symbol", label: "Gene" },
    ColumnPlan { key: "disease_ontology_name", label: "Disease" },
    ColumnPlan { key: "hpo_mode_of_inheritance_term_name", label: "Inheritance" },
    ColumnPlan { key: "category", label: "Category" },
    ColumnPlan { key: "ndd_phenotype_word", label: "NDD" },
    ColumnPlan { key: "entry_date", label: "Entered" },
];
/// The columns of entities, for every page that lists them.
pub(crate) const COLUMNS: &[ColumnPlan] = DATED_COLUMNS.split_at(6).0;

const PLAN: Plan = Plan {
    path: "/Entities",
    noun: "entity",
    noun_plural: "entities",
    columns: COLUMNS,
    default_sort: "entity_id",
    default_filter: "",
};

const DATED_PLAN: Plan = Plan { columns: DATED_COLUMNS, ..PLAN };

/// Whether a sort, a filter or a field of the form is about the date of entry.
fn is_dated(query: &[(String, String)]) -> bool {
    query.iter().any(|(name, value)| name.contains("entry_date") || value.contains("entry_date"))
}

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
    let dated = is_dated(&query);
    let plan = if dated { &DATED_PLAN } else { &PLAN };
    if let Some(address) = plan.sent(&query) {
        return answer::see(&address);
    }
    let mut visit = pages.visit(&headers).await?;
    if let Some(answer) = visit.known() {
        return Ok(answer);
    }
    let asked = plan.asked(&query);
    let read = listing::read(&mut visit, plan, &ENTITY, asked).await?;
    let mut rows: Vec<_> = read.page.rows.iter().map(row).collect();
    if dated {
        for (row, read) in rows.iter_mut().zip(&read.page.rows) {
            let date = Markup::text(day(read.text("entry_date")));
            row.cells.push(Cell::classed("nowrap", date));
        }
    }
    let frame = visit
        .frame("Entities", "All entities of SysNDD: gene, inheritance, disease and category.")
        .at("/Entities", visit.absolute(&plan.address(&read.asked).to_string()));
    let page = ListTemplate {
        frame,
        heading: "Entities",
        lead: "A gene, a mode of inheritance and a disease together, with the category of the evidence that links them.",
        xlsx: plan.export("/api/entity/", &read.asked, "xlsx"),
        csv: plan.export("/api/entity/", &read.asked, "csv"),
        table: read.table(plan, rows, str::to_owned),
    };
    answer::page(&page, &visit.etag)
}
