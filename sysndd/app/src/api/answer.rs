//! The way from a request to an answer that all reads share: the state of the data is looked at
//! first, and a caller that has the answer of this state is told so before a row is read.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use sysndd_store::Reading;

use super::problem::Problem;
use crate::state::State;

/// An answer, or why there is none; both are answers.
pub(super) type Answer = Result<Response, Response>;

/// A text that may be looked for in a database.
pub(super) fn searchable(text: &str) -> Result<&str, Response> {
    if text.len() > 1024 || text.contains('\0') {
        let detail = "The path is longer than 1024 bytes or has a NUL character";
        return Err(Problem::bad(detail).into_response());
    }
    Ok(text)
}

/// The tag of the answers of one state of the data. Weak, because the same content has more than one
/// form: compressed or not, and with the time it took. A new program may answer differently.
fn tag(version: i64) -> String {
    format!("W/\"{version}-{}\"", env!("CARGO_PKG_VERSION"))
}

fn has_tag(headers: &HeaderMap, tag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let known = headers.get_all(header::IF_NONE_MATCH).iter();
    known
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|value| value.trim() == "*" || opaque(value) == opaque(tag))
}

fn with_tag(mut response: Response, version: i64) -> Response {
    let headers = response.headers_mut();
    if let Ok(tag) = HeaderValue::from_str(&tag(version)) {
        headers.insert(header::ETAG, tag);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// Begins a reading, unless the caller has what it would read.
pub(super) async fn open(state: &State, headers: &HeaderMap) -> Result<Reading, Response> {
    let reading = state.reader.begin().await.map_err(refused)?;
    let version = reading.version();
    if has_tag(headers, &tag(version)) {
        finish(reading).await;
        return Err(with_tag(StatusCode::NOT_MODIFIED.into_response(), version));
    }
    Ok(reading)
}

/// What goes wrong in the store, as an answer.
pub(super) fn refused(error: sysndd_store::Error) -> Response {
    Problem::from(error).into_response()
}

/// Ends a reading. What was read is right even if the connection is lost now.
pub(super) async fn finish(reading: Reading) {
    if let Err(error) = reading.finish().await {
        tracing::debug!(error = %error, "a reading did not end well");
    }
}

/// Answers with JSON.
pub(super) async fn json<T: Serialize>(reading: Reading, body: &T) -> Answer {
    let version = reading.version();
    finish(reading).await;
    match serde_json::to_vec(body) {
        Ok(bytes) => Ok(json_bytes(version, bytes)),
        Err(error) => {
            tracing::error!(error = %error, "an answer can't be written as JSON");
            let detail = "An unexpected error occurred";
            Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail).into_response())
        }
    }
}

/// Answers with JSON that is written already.
pub(super) fn json_bytes(version: i64, bytes: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(bytes));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    with_tag(response, version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_recognised_among_others_and_in_its_strong_form() {
        let known = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static(value));
            has_tag(&headers, "W/\"7-0.1\"")
        };
        assert!(known("W/\"7-0.1\""));
        assert!(known("\"x\", \"7-0.1\""));
        assert!(known("*"));
        assert!(!known("W/\"8-0.1\""));
        assert!(!known("7"));
    }
}
