//! What was asked: the query and the part of the path of a request. What can't be read there is a
//! problem that names the parameter and says what belongs there, in words of the contract: those of the
//! libraries are about Rust.

use axum::extract::path::ErrorKind;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, MatchedPath, Path, Query};
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use serde::de::DeserializeOwned;

use super::problem::Problem;

/// The query of a request.
pub(super) struct Parameters<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Parameters<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(query)) => Ok(Self(query)),
            Err(rejection) => Err(of_query(&rejection.body_text()).into_response()),
        }
    }
}

/// A part of the path.
pub(super) struct Segment<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Segment<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(segment)) => Ok(Self(segment)),
            Err(rejection) => {
                let route = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
                Err(of_path(&rejection, name_in(route)).into_response())
            }
        }
    }
}

/// The name of the part of a route that is not fixed.
fn name_in(route: &str) -> &str {
    let after = route.split_once('{').map_or("", |(_, after)| after);
    after.split_once('}').map_or("", |(name, _)| name)
}

fn of_path(rejection: &PathRejection, name: &str) -> Problem {
    let detail = match rejection {
        PathRejection::FailedToDeserializePathParams(error) => match error.kind() {
            ErrorKind::InvalidUtf8InPathParam { .. } => {
                format!("`{name}` in the path is no text in UTF-8")
            }
            // Numbers are the only parts of a path that are not texts.
            _ => format!("`{name}` in the path is a whole number"),
        },
        _ => "The path can't be read".to_owned(),
    };
    Problem::parameter(name, detail)
}

/// The parameter stands before a colon, and what is wrong after it.
fn of_query(text: &str) -> Problem {
    let text = text.rsplit_once("query string: ").map_or(text, |(_, rest)| rest);
    if let Some((_, rest)) = text.split_once("duplicate field `") {
        let name = rest.split('`').next().unwrap_or_default();
        return Problem::parameter(name, format!("`{name}` is there more than once"));
    }
    match text.split_once(": ") {
        Some((name, reason)) if is_name(name) => {
            Problem::parameter(name, format!("`{name}`: {}", expected(reason)))
        }
        _ => Problem::bad("The query of the address can't be read"),
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

fn expected(reason: &str) -> String {
    if let Some((_, words)) = reason.split_once("expected ") {
        let words: Vec<_> = words.split('`').skip(1).step_by(2).collect();
        if words.is_empty() {
            return "this can't be its value".to_owned();
        }
        return format!("one of these belongs here: {}", words.join(", "));
    }
    if reason.contains("too large") || reason.contains("too small") {
        return "the number is out of range".to_owned();
    }
    if reason.contains("digit") || reason.contains("integer") {
        return "a whole number belongs here".to_owned();
    }
    if reason == FLAG {
        return FLAG.to_owned();
    }
    "this can't be its value".to_owned()
}

/// What a flag that is none is told.
pub(super) const FLAG: &str = "TRUE or FALSE belongs here";

#[cfg(test)]
mod tests {
    use axum::http::Uri;
    use serde::Deserialize;

    use super::*;
    use crate::api::parameters::{Format, flag};

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only what can't be read is looked at")]
    struct Asked {
        n: Option<u32>,
        format: Option<Format>,
        #[serde(default, deserialize_with = "flag")]
        tree: Option<bool>,
    }

    fn refused(query: &str) -> (serde_json::Value, String) {
        let uri: Uri = format!("/x?{query}").parse().expect("an address");
        let rejection = Query::<Asked>::try_from_uri(&uri).expect_err(query);
        let problem = serde_json::to_value(of_query(&rejection.body_text())).expect("JSON");
        (problem["parameter"].clone(), problem["detail"].as_str().expect("a text").to_owned())
    }

    #[test]
    fn a_parameter_that_can_not_be_read_is_named_with_what_belongs_there() {
        for (query, name, detail) in [
            ("n=abc", "n", "`n`: a whole number belongs here"),
            ("n=", "n", "`n`: a whole number belongs here"),
            ("n=-1", "n", "`n`: a whole number belongs here"),
            ("n=99999999999", "n", "`n`: the number is out of range"),
            ("n=1&n=2", "n", "`n` is there more than once"),
            ("format=pdf", "format", "`format`: one of these belongs here: json, xlsx, csv"),
            ("tree=x", "tree", "`tree`: TRUE or FALSE belongs here"),
        ] {
            assert_eq!(refused(query), (name.into(), detail.to_owned()), "{query}");
        }
    }

    #[test]
    fn the_part_of_a_path_has_the_name_of_its_route() {
        assert_eq!(name_in("/api/entity/{id}/review"), "id");
        assert_eq!(name_in("/api/"), "");
    }
}
