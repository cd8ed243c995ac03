//! `/Search/<term>`: what resembles a word, the closest first.

use askama::Template;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use serde::Serialize;
use sysndd_store::search::{self, Field, Hit};

use super::Pages;
use super::address::{Address, encoded};
use super::answer::{self, Answer};
use super::frame::Frame;

#[derive(Template)]
#[template(path = "search.html")]
struct SearchPage {
    frame: Frame,
    term: String,
    results: Vec<Match>,
}

/// Something that was found.
struct Match {
    kind: &'static str,
    text: String,
    note: String,
    address: String,
    closeness: u32,
}

impl Match {
    fn of(hit: &Hit) -> Self {
        let target = &hit.item;
        let (kind, address) = place(target.field, &target.text, &target.key);
        let own = target.text == target.key;
        let shown = if target.field == Field::EntityId {
            format!("sysndd:{}", target.text)
        } else {
            target.text.to_string()
        };
        Self {
            kind,
            text: shown,
            note: if own { String::new() } else { target.key.to_string() },
            address,
            closeness: ((1.0 - hit.distance).clamp(0.0, 1.0) * 100.0).round() as u32,
        }
    }
}

/// The kind of what was found, and its page.
fn place(field: Field, text: &str, key: &str) -> (&'static str, String) {
    match field {
        Field::EntityId => ("entity", format!("/Entities/{}", encoded(key))),
        Field::Symbol => ("gene", format!("/Genes/{}", encoded(text))),
        Field::HgncId | Field::GeneName => ("gene", format!("/Genes/{}", encoded(key))),
        Field::DiseaseId | Field::DiseaseName => ("disease", format!("/Ontology/{}", encoded(key))),
        Field::InheritanceId | Field::InheritanceName => (
            "inheritance",
            Address::of("/Entities")
                .with("filter", &format!("equals(hpo_mode_of_inheritance_term,{key})"))
                .to_string(),
        ),
    }
}

/// `/Search`: the form without scripts sends its word here.
pub(crate) async fn form(
    State(pages): State<Pages>,
    headers: HeaderMap,
    Query(query): Query<Vec<(String, String)>>,
) -> Answer {
    let term = query
        .iter()
        .find(|(name, _)| name == "term")
        .map(|(_, term)| term.trim())
        .unwrap_or_default();
    // Browsers take dots for a way through folders, so that these words can't stand in a path.
    if [".", ".."].contains(&term) {
        return found(&pages, &headers, term).await;
    }
    if !term.is_empty() {
        return answer::see(&format!("/Search/{}", encoded(term)));
    }
    let visit = pages.visit(&headers).await?;
    if let Some(answer) = visit.known() {
        return Ok(answer);
    }
    let page = SearchPage {
        frame: visit.frame("Search", "Search SysNDD."),
        term: String::new(),
        results: Vec::new(),
    };
    answer::page(&page, &visit.etag)
}

/// The results; one that is equal to the word leads to its page at once.
pub(crate) async fn show(
    State(pages): State<Pages>,
    headers: HeaderMap,
    Path(term): Path<String>,
) -> Answer {
    found(&pages, &headers, &term).await
}

async fn found(pages: &Pages, headers: &HeaderMap, term: &str) -> Answer {
    let mut visit = pages.visit(headers).await?;
    let word = term.trim();
    let hits =
        search::rank(&mut visit.reading, word.strip_prefix("sysndd:").unwrap_or(word)).await?;
    if let [only] = hits.as_slice()
        && only.distance <= 0.0
    {
        return answer::see(&Match::of(only).address);
    }
    if let Some(answer) = visit.known() {
        return Ok(answer);
    }
    let mut frame = visit.frame(format!("Search: {word}"), "Search SysNDD.");
    word.clone_into(&mut frame.searched);
    let page =
        SearchPage { frame, term: word.to_owned(), results: hits.iter().map(Match::of).collect() };
    answer::page(&page, &visit.etag)
}

/// The most suggestions below a search box.
const SUGGESTIONS_MAX: usize = 12;

/// A suggestion, as the script of the pages reads it.
#[derive(Serialize)]
struct Suggestion {
    text: String,
    kind: &'static str,
    address: String,
}

/// `/suggestions?term=…`: what the search box offers while somebody types.
pub(crate) async fn suggestions(
    State(pages): State<Pages>,
    headers: HeaderMap,
    Query(query): Query<Vec<(String, String)>>,
) -> Answer {
    let term = query
        .iter()
        .find(|(name, _)| name == "term")
        .map(|(_, term)| term.trim())
        .unwrap_or_default();
    let mut visit = pages.visit(&headers).await?;
    if let Some(answer) = visit.known() {
        return Ok(answer);
    }
    let word = term.strip_prefix("sysndd:").unwrap_or(term);
    let hits = search::suggest(&mut visit.reading, word, SUGGESTIONS_MAX).await?;
    let offered: Vec<_> = hits
        .iter()
        .map(Match::of)
        .map(|found| Suggestion { text: found.text, kind: found.kind, address: found.address })
        .collect();
    Ok(answer::with_tag(Json(offered).into_response(), &visit.etag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_found_has_a_page() {
        assert_eq!(place(Field::Symbol, "MECP2", "HGNC:6990"), ("gene", "/Genes/MECP2".to_owned()));
        assert_eq!(
            place(Field::DiseaseName, "A/B", "OMIM:1"),
            ("disease", "/Ontology/OMIM:1".to_owned())
        );
        assert_eq!(place(Field::EntityId, "4", "4"), ("entity", "/Entities/4".to_owned()));
    }
}
