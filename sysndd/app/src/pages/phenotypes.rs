//! `/Phenotypes`: entities with certain phenotypes.

use std::collections::HashMap;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use sysndd_core::filter::{Filter, Operation};
use sysndd_store::list::{ListRow, PHENOTYPE};
use sysndd_store::vocabulary;

use super::Pages;
use super::answer::{self, Answer};
use super::badge;
use super::condition::{quoted, without};
use super::entities::{self, COLUMNS};
use super::frame::Frame;
use super::listing;
use super::markup::Markup;
use super::table::{Asked, Choice, Plan, Row, Table};

const COLUMN: &str = "modifier_phenotype_id";

const PLAN: Plan = Plan {
    path: "/Phenotypes",
    noun: "entity",
    noun_plural: "entities",
    columns: COLUMNS,
    default_sort: "entity_id",
    default_filter: "all(modifier_phenotype_id,HP:0001249)",
};

#[derive(Template)]
#[template(path = "phenotypes.html")]
struct PhenotypesPage {
    frame: Frame,
    xlsx: String,
    csv: String,
    open: bool,
    chosen: String,
    terms: Vec<Choice>,
    rest: String,
    either: bool,
    table: Table,
}

/// The terms that a filter asks for, and whether any of them is enough.
fn chosen(filter: &Filter) -> (Vec<String>, bool) {
    let term = filter.terms.iter().find(|term| term.column.text == COLUMN);
    let values = term
        .map(|term| term.values.iter().map(|value| value.text.clone()).collect())
        .unwrap_or_default();
    (values, term.is_some_and(|term| term.operation == Operation::Any))
}

/// The address that the form with the terms means; `None` if it was not sent.
fn sent(query: &[(String, String)]) -> Option<String> {
    let value =
        |name: &str| query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let operation = match value("match")? {
        "any" => "any",
        _ => "all",
    };
    let terms: Vec<_> = query
        .iter()
        .filter(|(name, value)| name == "term" && !value.is_empty())
        .map(|(_, value)| quoted(value))
        .collect();
    let mut parts = Vec::new();
    if !terms.is_empty() {
        parts.push(format!("{operation}({COLUMN},{})", terms.join(",")));
    }
    parts.extend(value("filter").filter(|rest| !rest.is_empty()).map(str::to_owned));
    let asked = Asked { filter: parts.join(","), ..Asked::default() };
    Some(PLAN.address(&asked).to_string())
}

/// An entity, with its phenotypes among the details.
fn row(row: &ListRow, names: &HashMap<String, String>, modifiers: &HashMap<i64, String>) -> Row {
    let badges = row.text(COLUMN).split(',').filter_map(|part| {
        let (modifier, term) = part.split_once('-')?;
        let name = names.get(term).map_or(term, String::as_str);
        let modifier = modifier.parse().ok().and_then(|modifier: i64| modifiers.get(&modifier));
        Some(badge::phenotype(term, name, modifier.map_or("present", String::as_str)))
    });
    let mut shown = entities::row(row);
    shown.more = shown.more.append(&Markup::group("badges", badges));
    shown
}

/// The page.
pub(crate) async fn show(
    State(pages): State<Pages>,
    headers: HeaderMap,
    Query(query): Query<Vec<(String, String)>>,
) -> Answer {
    if let Some(address) = sent(&query).or_else(|| PLAN.sent(&query)) {
        return answer::see(&address);
    }
    let mut visit = pages.visit(&headers).await?;
    if let Some(answer) = visit.known() {
        return Ok(answer);
    }
    let asked = PLAN.asked(&query);
    let read = listing::read(&mut visit, &PLAN, &PHENOTYPE, asked).await?;
    let phenotypes = vocabulary::phenotypes(&mut visit.reading).await?;
    let modifiers = vocabulary::modifiers(&mut visit.reading).await?;
    let names: HashMap<String, String> =
        phenotypes.iter().map(|term| (term.phenotype_id.clone(), term.hpo_term.clone())).collect();
    let modifiers: HashMap<i64, String> = modifiers
        .into_iter()
        .map(|modifier| (modifier.modifier_id, modifier.modifier_name))
        .collect();
    let (held, either) = chosen(&read.request.filter);
    let name_of = |value: &str| names.get(value).cloned().unwrap_or_else(|| value.to_owned());
    let rows = read.page.rows.iter().map(|entity| row(entity, &names, &modifiers)).collect();
    let frame = visit
        .frame("Phenotypes", "Entities of SysNDD by their phenotypes.")
        .at("/Phenotypes", visit.absolute(&PLAN.address(&read.asked).to_string()));
    let page = PhenotypesPage {
        frame,
        xlsx: PLAN.export("/api/phenotype/entities/browse", &read.asked, "xlsx"),
        csv: PLAN.export("/api/phenotype/entities/browse", &read.asked, "csv"),
        open: held.is_empty(),
        chosen: held.iter().map(|value| name_of(value)).collect::<Vec<_>>().join(if either {
            " or "
        } else {
            " and "
        }),
        terms: phenotypes
            .into_iter()
            .map(|term| Choice {
                chosen: held.contains(&term.phenotype_id),
                value: term.phenotype_id,
                label: term.hpo_term,
            })
            .collect(),
        rest: without(&read.request.filter, COLUMN),
        either,
        table: read.table(&PLAN, rows, name_of),
    };
    answer::page(&page, &visit.etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn chosen_terms_become_a_filter_and_the_rest_stays() {
        let query = [
            pair("term", "HP:0001250"),
            pair("term", "HP:0000252"),
            pair("match", "any"),
            pair("filter", "any(category,Limited)"),
        ];
        let address = sent(&query).expect("a form");
        assert_eq!(
            address,
            "/Phenotypes?filter=any(modifier_phenotype_id,HP:0001250,HP:0000252),any(category,Limited)"
        );
    }

    #[test]
    fn no_term_is_another_wish_than_the_default() {
        assert_eq!(sent(&[pair("match", "all")]).expect("a form"), "/Phenotypes?filter=null");
        assert_eq!(
            sent(&[pair("match", "all"), pair("term", "HP:0001249")]).expect("a form"),
            "/Phenotypes"
        );
    }
}
