//! Problems as RFC 9457 writes them.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

#[derive(Serialize)]
struct Problem<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
}

/// An answer that says what went wrong.
#[must_use]
pub fn problem(status: StatusCode, detail: &str) -> Response {
    let title = status.canonical_reason().unwrap_or("Problem");
    // The address that the published API names for each status.
    let number = status.as_u16();
    let r#type = format!("https://developer.mozilla.org/en-US/docs/Web/HTTP/Status/{number}");
    let body = Problem { r#type, title, status: number, detail };
    let body = serde_json::to_vec(&body).unwrap_or_default();
    let mut response = (status, body).into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response
}

/// The same, with the seconds after which another try makes sense.
#[must_use]
pub fn later(status: StatusCode, detail: &str, seconds: u64) -> Response {
    let mut response = problem(status, detail);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}
