//! The public API, below `/api`: the published contract, read only.
//!
//! `docs/api.md` lists where it deliberately differs from what was published. Every handler carries its
//! description, from which the document at `/api/admin/openapi.json` is made.

mod answer;
mod asked;
mod contained;
mod document;
mod entity;
mod envelope;
mod export;
mod gene;
mod lists;
mod ontology;
mod panels;
mod parameters;
mod phenotype;
mod problem;
pub(crate) mod search;
mod service;
mod statistics;
mod vocabulary;
mod wire;

use std::sync::Arc;

use axum::Router;
use axum::extract::OriginalUri;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get};
use tokio::sync::Semaphore;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::server::health;
use crate::state::State;

/// Exports that are written at the same time; each keeps a thread busy.
const EXPORTS_MAX: usize = 2;

/// What all handlers of the API reach.
#[derive(Clone)]
pub(crate) struct Shared {
    state: State,
    exports: Arc<Semaphore>,
}

/// The handlers, and the document that they make.
fn handlers() -> OpenApiRouter<Shared> {
    OpenApiRouter::with_openapi(document::head())
        .routes(routes!(entity::list))
        .routes(routes!(entity::phenotypes))
        .routes(routes!(entity::review))
        .routes(routes!(entity::status))
        .routes(routes!(entity::publications))
        .routes(routes!(gene::list))
        .routes(routes!(gene::detail))
        .routes(routes!(ontology::detail))
        .routes(routes!(phenotype::browse))
        .routes(routes!(phenotype::count))
        .routes(routes!(panels::options))
        .routes(routes!(panels::browse))
        .routes(routes!(search::entities))
        .routes(routes!(search::genes))
        .routes(routes!(search::diseases))
        .routes(routes!(search::inheritances))
        .routes(routes!(vocabulary::status))
        .routes(routes!(vocabulary::phenotype))
        .routes(routes!(vocabulary::inheritance))
        .routes(routes!(statistics::category_count))
        .routes(routes!(statistics::news))
        .routes(routes!(statistics::entities_over_time))
        .routes(routes!(service::version))
        .routes(routes!(service::api_version))
}

/// The description of the API, with the routes about health, which the server itself answers.
#[must_use]
pub fn openapi() -> OpenApi {
    let mut document = handlers().into_openapi();
    document.merge(health::openapi());
    document
}

/// The routes of the API, and those about health.
pub fn router(state: State) -> Router {
    let (router, _) = handlers().split_for_parts();
    let document = document::Document::new(&openapi());
    let (page, sender) = (document.clone(), document.clone());
    let mut router = router
        .route(document::DOCUMENT, get(async move || document.json()))
        .route(document::PAGE, get(async move || page.page()))
        .route(document::STYLE, get(document::style))
        .route(document::SEND, get(async move |fields| sender.send(fields)))
        .route("/api", any(problem::unknown))
        .route("/api/", any(problem::unknown))
        .route("/api/{*rest}", any(problem::unknown));
    for path in ["/api/entity", "/api/gene", "/api/version", "/__docs__"] {
        router = router.route(path, any(with_slash));
    }
    router
        .method_not_allowed_fallback(problem::wrong_method)
        .layer(axum::middleware::from_fn(problem::with_instance))
        .with_state(Shared { state: state.clone(), exports: Arc::new(Semaphore::new(EXPORTS_MAX)) })
        .merge(health::router(state))
}

/// A path whose slash at the end is missing.
async fn with_slash(OriginalUri(uri): OriginalUri) -> Response {
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let body = r#"{"message":"307 - Redirecting with trailing slash"}"#;
    let mut response = (StatusCode::TEMPORARY_REDIRECT, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Ok(location) = HeaderValue::from_str(&format!("{}/{query}", uri.path())) {
        headers.insert(header::LOCATION, location);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_handler_is_described_in_full() {
        let document = serde_json::to_value(openapi()).expect("JSON");
        assert_eq!(document["openapi"], "3.1.0");
        let schemas = &document["components"]["schemas"];
        let mut operations = std::collections::BTreeSet::new();
        let paths = document["paths"].as_object().expect("paths");
        assert!(paths.len() >= 27, "{}", paths.len());
        for (path, item) in paths {
            for (method, operation) in item.as_object().expect("operations") {
                assert_eq!(method, "get", "{path}");
                let id = operation["operationId"].as_str().expect("an id");
                assert!(operations.insert(id.to_owned()), "{id} twice");
                assert!(
                    operation["summary"].as_str().is_some_and(|text| !text.is_empty()),
                    "{path}"
                );
                let good = operation["responses"]["200"]["content"].as_object().expect(path);
                assert!(good.contains_key("application/json"), "{path}");
            }
        }
        // What a schema refers to is there.
        let text = document.to_string();
        for reference in text.split("\"#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap_or_default();
            assert!(schemas[name].is_object(), "{name}");
        }
    }
}
