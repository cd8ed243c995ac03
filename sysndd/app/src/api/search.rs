//! Search.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use sysndd_store::search::{self, Field, Hit};
use sysndd_store::{gene, ontology};
use utoipa::{IntoParams, ToSchema};

use super::Shared;
use super::answer::{Answer, json, open, refused, searchable};
use super::asked::{Parameters, Segment};
use super::parameters::{FlagParameter, flag};
use super::problem::Problems;

/// Genes, diseases and inheritances that are given at most.
const CHOICES_MAX: usize = 20;

/// What was found.
#[derive(Serialize, ToSchema)]
pub(super) struct SearchRow {
    /// The first entity that has it.
    entity_id: i64,
    /// The column in which it was found.
    #[schema(example = "symbol")]
    search: String,
    /// What stands there.
    results: String,
    /// How far it is from the word, from 0 (equal) to 1.
    searchdist: f64,
    /// The path of its page.
    #[schema(example = "/Genes/HGNC:6990")]
    link: String,
}

/// What was found, without its text, which is its key.
#[derive(Serialize, ToSchema)]
pub(super) struct HelperRow {
    /// The first entity that has it.
    entity_id: i64,
    /// The column in which it was found.
    search: String,
    /// How far it is from the word, from 0 (equal) to 1.
    searchdist: f64,
    /// The path of its page.
    link: String,
}

/// Either a list of what was found, or the same by text.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(super) enum SearchAnswer {
    /// With `helper=FALSE`.
    Rows(Vec<SearchRow>),
    /// With `helper=TRUE`, which is what happens unless it is said otherwise.
    Helper(BTreeMap<String, Vec<HelperRow>>),
}

/// A gene that was found.
#[derive(Serialize, ToSchema)]
pub(super) struct GeneChoice {
    /// Its HGNC id.
    id: String,
    label: String,
    symbol: String,
    name: String,
    search: String,
    searchdist: f64,
}

/// A disease that was found.
#[derive(Serialize, ToSchema)]
pub(super) struct OntologyChoice {
    /// Its identifier with the version.
    id: String,
    label: String,
    disease_ontology_id_version: String,
    disease_ontology_id: String,
    disease_ontology_name: String,
    search: String,
    searchdist: f64,
}

/// An inheritance that was found.
#[derive(Serialize, ToSchema)]
pub(super) struct InheritanceChoice {
    /// The term.
    id: String,
    label: String,
    search: String,
    searchdist: f64,
}

/// The parameters of a search.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct SearchParameters {
    /// Whether to answer by text, as a box with suggestions needs it; so unless said otherwise.
    #[serde(default, deserialize_with = "flag")]
    #[param(inline, nullable = false, value_type = Option<FlagParameter>)]
    helper: Option<bool>,
}

/// The page of what was found. A `/` in a name would be a part of the path, so it is escaped.
pub(crate) fn link(hit: &Hit) -> String {
    let target = &hit.item;
    match target.field {
        Field::EntityId => format!("/Entities/{}", target.entity_id),
        Field::DiseaseId | Field::DiseaseName => format!("/Ontology/{}", escaped(&target.key)),
        _ => format!("/Genes/{}", escaped(&target.key)),
    }
}

fn escaped(text: &str) -> String {
    let mut path = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => path.push(byte.into()),
            b'-' | b'_' | b'.' | b'~' | b':' => path.push(byte.into()),
            _ => path.push_str(&format!("%{byte:02X}")),
        }
    }
    path
}

/// To four digits, as published; more are noise.
fn rounded(distance: f64) -> f64 {
    (distance * 10_000.0).round() / 10_000.0
}

/// Looks for a word among the numbers, genes and diseases of all entities.
///
/// What is near enough is given, at least ten; a word that is equal and no number finds just that.
#[utoipa::path(
    get, path = "/api/search/{term}", tag = "Search", operation_id = "search",
    params(("term" = String, Path, description = "The word"), SearchParameters),
    responses((status = 200, description = "What was found", body = SearchAnswer), Problems)
)]
pub(super) async fn entities(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Segment(term): Segment<String>,
    Parameters(parameters): Parameters<SearchParameters>,
) -> Answer {
    let term = searchable(&term)?;
    let mut reading = open(&shared.state, &headers).await?;
    let hits = search::nearest(&mut reading, term).await.map_err(refused)?;
    let answer = if parameters.helper.unwrap_or(true) {
        let mut by_text: BTreeMap<String, Vec<HelperRow>> = BTreeMap::new();
        for hit in &hits {
            by_text.entry(hit.item.text.to_string()).or_default().push(HelperRow {
                entity_id: hit.item.entity_id,
                search: hit.item.field.name().to_owned(),
                searchdist: rounded(hit.distance),
                link: link(hit),
            });
        }
        SearchAnswer::Helper(by_text)
    } else {
        let row = |hit: &Hit| SearchRow {
            entity_id: hit.item.entity_id,
            search: hit.item.field.name().to_owned(),
            results: hit.item.text.to_string(),
            searchdist: rounded(hit.distance),
            link: link(hit),
        };
        SearchAnswer::Rows(hits.iter().map(row).collect())
    };
    json(reading, &answer).await
}

/// Looks for a gene by identifier, symbol or name; also one without entities.
#[utoipa::path(
    get, path = "/api/search/gene/{term}", tag = "Search", operation_id = "searchGene",
    params(("term" = String, Path, description = "The word")),
    responses((status = 200, description = "What was found", body = Vec<GeneChoice>), Problems)
)]
pub(super) async fn genes(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Segment(term): Segment<String>,
) -> Answer {
    let term = searchable(&term)?;
    let mut reading = open(&shared.state, &headers).await?;
    let hits = search::genes(&mut reading, term, CHOICES_MAX).await.map_err(refused)?;
    let mut rows = Vec::with_capacity(hits.len());
    for hit in hits {
        let Some(found) = gene::by_id(&mut reading, &hit.item.key).await.map_err(refused)? else {
            continue;
        };
        rows.push(GeneChoice {
            id: found.hgnc_id,
            label: hit.item.text.to_string(),
            symbol: found.symbol,
            name: found.name,
            search: hit.item.field.name().to_owned(),
            searchdist: rounded(hit.distance),
        });
    }
    json(reading, &rows).await
}

/// Looks for a disease by identifier or name.
#[utoipa::path(
    get, path = "/api/search/ontology/{term}", tag = "Search", operation_id = "searchOntology",
    params(("term" = String, Path, description = "The word")),
    responses((status = 200, description = "What was found", body = Vec<OntologyChoice>), Problems)
)]
pub(super) async fn diseases(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Segment(term): Segment<String>,
) -> Answer {
    let term = searchable(&term)?;
    let mut reading = open(&shared.state, &headers).await?;
    let hits = search::diseases(&mut reading, term, CHOICES_MAX).await.map_err(refused)?;
    let mut rows = Vec::with_capacity(hits.len());
    for hit in hits {
        let versions = ontology::by_id(&mut reading, &hit.item.key).await.map_err(refused)?;
        let found = versions
            .into_iter()
            .find(|disease| disease.disease_ontology_id_version == *hit.item.key);
        let Some(disease) = found else { continue };
        rows.push(OntologyChoice {
            id: disease.disease_ontology_id_version.clone(),
            label: hit.item.text.to_string(),
            disease_ontology_id_version: disease.disease_ontology_id_version,
            disease_ontology_id: disease.disease_ontology_id,
            disease_ontology_name: disease.disease_ontology_name,
            search: hit.item.field.name().to_owned(),
            searchdist: rounded(hit.distance),
        });
    }
    json(reading, &rows).await
}

/// Looks for an inheritance by term or name.
#[utoipa::path(
    get, path = "/api/search/inheritance/{term}", tag = "Search", operation_id = "searchInheritance",
    params(("term" = String, Path, description = "The word")),
    responses((status = 200, description = "What was found", body = Vec<InheritanceChoice>), Problems)
)]
pub(super) async fn inheritances(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Segment(term): Segment<String>,
) -> Answer {
    let term = searchable(&term)?;
    let mut reading = open(&shared.state, &headers).await?;
    let hits = search::inheritances(&mut reading, term, CHOICES_MAX).await.map_err(refused)?;
    let row = |hit: &Hit| InheritanceChoice {
        id: hit.item.key.to_string(),
        label: hit.item.text.to_string(),
        search: hit.item.field.name().to_owned(),
        searchdist: rounded(hit.distance),
    };
    json(reading, &hits.iter().map(row).collect::<Vec<_>>()).await
}
