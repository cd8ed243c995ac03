//! `/API`: how programs read the same data.

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;

use super::Pages;
use super::answer::{self, Answer};
use super::frame::Frame;

#[derive(Template)]
#[template(path = "interface.html")]
struct InterfacePage {
    frame: Frame,
    examples: &'static [(&'static str, &'static str)],
}

const EXAMPLES: &[(&str, &str)] = &[
    (
        "Definitive entities",
        "/api/entity/?filter=any(category,Definitive),any(ndd_phenotype_word,Yes)",
    ),
    ("A table for a spreadsheet", "/api/entity/?page_size=all&format=xlsx"),
    (
        "A gene panel",
        "/api/panels/browse?filter=equals(category,Definitive),any(inheritance_filter,X-linked)",
    ),
    (
        "Entities with seizures",
        "/api/phenotype/entities/browse?filter=all(modifier_phenotype_id,HP:0001250)",
    ),
    ("A gene’s identifiers", "/api/gene/MECP2?input_type=symbol"),
    ("Counts by category", "/api/statistics/category_count?type=gene"),
    ("Version and data releases", "/api/version/"),
];

/// The page.
pub(crate) async fn show(State(pages): State<Pages>, headers: HeaderMap) -> Answer {
    let visit = pages.visit(&headers).await?;
    if let Some(answer) = visit.known() {
        return Ok(answer);
    }
    let page = InterfacePage {
        frame: visit
            .frame("API", "How programs read SysNDD: API, filter language and downloads.")
            .at("/API", visit.absolute("/API")),
        examples: EXAMPLES,
    };
    answer::page(&page, &visit.etag)
}
