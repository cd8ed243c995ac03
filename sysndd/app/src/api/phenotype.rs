//! Phenotypes.

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::IntoResponse as _;
use serde::{Deserialize, Serialize};
use sysndd_store::list::{ListQuery, ListRequest, PHENOTYPE};
use sysndd_store::phenotype;
use utoipa::{IntoParams, ToSchema};

use super::answer::{Answer, json, open, refused};
use super::asked::Parameters;
use super::envelope::Envelope;
use super::parameters::ListParameters;
use super::problem::{Problem, Problems};
use super::wire::PhenotypeEntityRow;
use super::{Shared, lists};

/// The entities that are counted unless asked otherwise.
pub(super) const FILTER: &str = "contains(ndd_phenotype_word,Yes),any(category,Definitive)";

/// A phenotype and how many entities have it.
#[derive(Serialize, ToSchema)]
pub(super) struct PhenotypeCount {
    #[serde(rename = "HPO_term")]
    hpo_term: String,
    phenotype_id: String,
    count: i64,
}

/// The parameters of a count.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct CountParameters {
    /// Which entities are counted; unless said otherwise, those of neurodevelopmental disorders on
    /// definitive evidence.
    #[param(nullable = false, max_length = 8192)]
    filter: Option<String>,
}

/// Lists entities with their phenotypes.
///
/// `all(modifier_phenotype_id,HP:0001249,HP:0001250)` finds those that have both, `any(…)` those that
/// have one of them. A term that is absent is found only by its modifier: `5-HP:0001249`.
#[utoipa::path(
    get, path = "/api/phenotype/entities/browse", tag = "Phenotype", operation_id = "browsePhenotypes",
    params(ListParameters),
    responses((status = 200, description = "A page of entities", content(
        (Envelope<PhenotypeEntityRow> = "application/json"),
        (String = "text/csv; charset=utf-8"),
        (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    )), Problems)
)]
pub(super) async fn browse(
    State(shared): State<Shared>,
    headers: HeaderMap,
    uri: Uri,
    Parameters(parameters): Parameters<ListParameters>,
) -> Answer {
    let request = ListRequest::read(&PHENOTYPE, &parameters.query());
    let request = request.map_err(|error| Problem::from(error).into_response())?;
    let sized = parameters.page_size.is_some();
    lists::answer(&shared, &headers, &uri, request, parameters.form(), sized).await
}

/// How many entities have each phenotype, the most frequent first. HP:0001249 (intellectual disability) is
/// not counted: it is what makes an entity one of these disorders, and would dwarf all others.
#[utoipa::path(
    get, path = "/api/phenotype/count", tag = "Phenotype", operation_id = "countPhenotypes",
    params(CountParameters),
    responses((status = 200, description = "The counts", body = Vec<PhenotypeCount>), Problems)
)]
pub(super) async fn count(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Parameters(parameters): Parameters<CountParameters>,
) -> Answer {
    let filter = Some(parameters.filter.unwrap_or_else(|| FILTER.to_owned()));
    let query = ListQuery { filter, ..ListQuery::default() };
    let request = ListRequest::read(&PHENOTYPE, &query)
        .map_err(|error| Problem::from(error).into_response())?;
    let mut reading = open(&shared.state, &headers).await?;
    let counts = phenotype::count(&mut reading, &request.filter).await.map_err(refused)?;
    let rows: Vec<_> = counts
        .iter()
        .map(|count| PhenotypeCount {
            hpo_term: count.hpo_term.clone(),
            phenotype_id: count.phenotype_id.clone(),
            count: count.count,
        })
        .collect();
    json(reading, &rows).await
}
