//! `/About`: what the site is, how its data came to be, and what categories mean.

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;

use super::Pages;
use super::answer::{self, Answer};
use super::badge;
use super::frame::Frame;
use super::markup::Markup;

#[derive(Template)]
#[template(path = "about.html")]
struct AboutPage {
    frame: Frame,
    categories: Vec<(Markup, &'static str)>,
}

/// The categories and what they mean where curators decide.
const CRITERIA: &[(&str, &str)] = &[
    (
        "Definitive",
        "Published, and clear by frequency (at least 10 de novo cases, 5 recessive or 3 X-linked families), or by several strong criteria together.",
    ),
    (
        "Moderate",
        "Published, with criteria that point to the disease but do not suffice for “Definitive”.",
    ),
    ("Limited", "Few cases or weak criteria."),
    ("Refuted", "Later evidence contradicts the link."),
    (
        "not applicable",
        "The gene causes the disease, but the disease is not a neurodevelopmental disorder.",
    ),
];

/// The page.
pub(crate) async fn show(State(pages): State<Pages>, headers: HeaderMap) -> Answer {
    let visit = pages.visit(&headers).await?;
    if let Some(answer) = visit.known() {
        return Ok(answer);
    }
    let page = AboutPage {
        frame: visit
            .frame(
                "About",
                "What SysNDD is, how its data came to be, its licence and data releases.",
            )
            .at("/About", visit.absolute("/About")),
        categories: CRITERIA
            .iter()
            .map(|(category, words)| (badge::category(category), *words))
            .collect(),
    };
    answer::page(&page, &visit.etag)
}
