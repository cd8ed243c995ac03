//! Entities.

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use serde::Serialize;
use sysndd_store::entity;
use sysndd_store::list::{ENTITY, ListRequest};
use utoipa::ToSchema;

use super::answer::{Answer, json, open, refused};
use super::asked::{Parameters, Segment};
use super::envelope::Envelope;
use super::parameters::ListParameters;
use super::problem::{Problem, Problems};
use super::wire::EntityRow;
use super::{Shared, lists};

/// A phenotype of an entity.
#[derive(Serialize, ToSchema)]
pub(super) struct EntityPhenotype {
    entity_id: i64,
    phenotype_id: String,
    #[serde(rename = "HPO_term")]
    hpo_term: String,
    /// 1 present, 2 uncertain, 3 variable, 4 rare, 5 absent.
    modifier_id: i64,
}

/// The review of an entity.
#[derive(Serialize, ToSchema)]
pub(super) struct EntityReview {
    entity_id: i64,
    /// Null if there is no approved review yet.
    review_id: Option<i64>,
    synopsis: Option<String>,
    review_date: Option<String>,
    /// Always null: what reviewers write to each other is not public.
    comment: Option<String>,
}

/// The status of an entity.
#[derive(Serialize, ToSchema)]
pub(super) struct EntityStatus {
    status_id: i64,
    entity_id: i64,
    category: String,
    category_id: i64,
    status_date: String,
    /// Always null: what reviewers write to each other is not public.
    comment: Option<String>,
    /// 1 if someone suggested to remove the entity, else 0.
    problematic: i64,
}

/// A publication of an entity.
#[derive(Serialize, ToSchema)]
pub(super) struct EntityPublication {
    entity_id: i64,
    publication_id: String,
    /// `additional_references` or `gene_review`.
    publication_type: String,
    /// 1 if a person has read it for this entity, else 0.
    is_reviewed: i64,
}

/// Lists entities.
///
/// One row for each entity that is active and has an approved status, with the synopsis of its
/// primary approved review.
#[utoipa::path(
    get, path = "/api/entity/", tag = "Entity", operation_id = "listEntities", params(ListParameters),
    responses((status = 200, description = "A page of entities", content(
        (Envelope<EntityRow> = "application/json"),
        (String = "text/csv; charset=utf-8"),
        (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    )), Problems)
)]
pub(super) async fn list(
    State(shared): State<Shared>,
    headers: HeaderMap,
    uri: Uri,
    Parameters(parameters): Parameters<ListParameters>,
) -> Answer {
    let request = ListRequest::read(&ENTITY, &parameters.query()).map_err(Problem::from);
    let request = request.map_err(axum::response::IntoResponse::into_response)?;
    let sized = parameters.page_size.is_some();
    lists::answer(&shared, &headers, &uri, request, parameters.form(), sized).await
}

/// The phenotypes of an entity, by term.
///
/// Empty for an entity that is not public.
#[utoipa::path(
    get, path = "/api/entity/{id}/phenotypes", tag = "Entity", operation_id = "entityPhenotypes",
    params(("id" = i64, Path, description = "The number of the entity")),
    responses((status = 200, description = "Its phenotypes", body = Vec<EntityPhenotype>), Problems)
)]
pub(super) async fn phenotypes(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Segment(id): Segment<i64>,
) -> Answer {
    let mut reading = open(&shared.state, &headers).await?;
    let found = entity::phenotypes(&mut reading, id).await.map_err(refused)?;
    let rows: Vec<_> = found
        .into_iter()
        .map(|phenotype| EntityPhenotype {
            entity_id: phenotype.entity_id,
            phenotype_id: phenotype.phenotype_id,
            hpo_term: phenotype.hpo_term,
            modifier_id: phenotype.modifier_id,
        })
        .collect();
    json(reading, &rows).await
}

/// The review of an entity: one row, even if no review is approved yet.
///
/// Empty for an entity that is not public.
#[utoipa::path(
    get, path = "/api/entity/{id}/review", tag = "Entity", operation_id = "entityReview",
    params(("id" = i64, Path, description = "The number of the entity")),
    responses((status = 200, description = "Its review", body = Vec<EntityReview>), Problems)
)]
pub(super) async fn review(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Segment(id): Segment<i64>,
) -> Answer {
    let mut reading = open(&shared.state, &headers).await?;
    let found = entity::review(&mut reading, id).await.map_err(refused)?;
    let rows: Vec<_> = found
        .into_iter()
        .map(|review| EntityReview {
            entity_id: review.entity_id,
            review_id: review.review_id,
            synopsis: review.synopsis,
            review_date: review.review_date,
            comment: None,
        })
        .collect();
    json(reading, &rows).await
}

/// The status of an entity.
///
/// Empty for an entity that is not public.
#[utoipa::path(
    get, path = "/api/entity/{id}/status", tag = "Entity", operation_id = "entityStatus",
    params(("id" = i64, Path, description = "The number of the entity")),
    responses((status = 200, description = "Its status", body = Vec<EntityStatus>), Problems)
)]
pub(super) async fn status(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Segment(id): Segment<i64>,
) -> Answer {
    let mut reading = open(&shared.state, &headers).await?;
    let found = entity::status(&mut reading, id).await.map_err(refused)?;
    let rows: Vec<_> = found
        .into_iter()
        .map(|status| EntityStatus {
            status_id: status.status_id,
            entity_id: status.entity_id,
            category: status.category,
            category_id: status.category_id,
            status_date: status.status_date,
            comment: None,
            problematic: i64::from(status.problematic),
        })
        .collect();
    json(reading, &rows).await
}

/// The publications of an entity, by number.
///
/// Empty for an entity that is not public.
#[utoipa::path(
    get, path = "/api/entity/{id}/publications", tag = "Entity", operation_id = "entityPublications",
    params(("id" = i64, Path, description = "The number of the entity")),
    responses((status = 200, description = "Its publications", body = Vec<EntityPublication>), Problems)
)]
pub(super) async fn publications(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Segment(id): Segment<i64>,
) -> Answer {
    let mut reading = open(&shared.state, &headers).await?;
    let found = entity::publications(&mut reading, id).await.map_err(refused)?;
    let rows: Vec<_> = found
        .into_iter()
        .map(|publication| EntityPublication {
            entity_id: publication.entity_id,
            publication_id: publication.publication_id,
            publication_type: publication.publication_type,
            is_reviewed: i64::from(publication.is_reviewed),
        })
        .collect();
    json(reading, &rows).await
}
