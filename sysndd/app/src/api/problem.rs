//! Answers that say what was wrong (RFC 9457).

use axum::extract::{OriginalUri, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use sysndd_store::list::ListError;
use utoipa::{IntoResponses, ToSchema};

/// The media type of a problem.
pub(super) const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");

/// What was wrong with a request, or with the server.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Problem {
    /// The kind of problem.
    #[schema(example = "https://developer.mozilla.org/en-US/docs/Web/HTTP/Status/400")]
    r#type: String,
    /// The kind of problem in words.
    #[schema(example = "Bad Request")]
    title: String,
    /// The status of the answer.
    #[schema(example = 400)]
    status: u16,
    /// What happened, and what to do.
    detail: String,
    /// The path that was asked for; not there if the request was refused before it was looked at.
    #[schema(required = false)]
    instance: String,
    /// The parameter that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    parameter: Option<String>,
    /// The number of characters in that parameter before what is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    position: Option<usize>,
    /// What stands there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    token: Option<String>,
}

/// The problems that every read may answer with.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "read by the macro only: it is the document's list of problems")]
pub(super) enum Problems {
    /// The data are as they were when the caller asked last.
    #[response(status = 304)]
    NotModified,
    /// A parameter is wrong; `parameter`, `position` and `token` say where.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(#[to_schema] Problem),
    /// The address is longer than 65,534 bytes: it was not even read.
    #[response(status = 414)]
    TooLong,
    /// Address and headers together are longer than what is read at once.
    #[response(status = 431)]
    TooLarge,
    /// Too many requests from one address.
    #[response(status = 429, content_type = "application/problem+json")]
    TooMany(#[to_schema] Problem),
    /// The server can't answer.
    #[response(status = 500, content_type = "application/problem+json")]
    Unexpected(#[to_schema] Problem),
    /// The database can't be reached, or there is too much to do.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(#[to_schema] Problem),
}

impl Problem {
    /// A problem with this status.
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let number = status.as_u16();
        Self {
            r#type: format!("https://developer.mozilla.org/en-US/docs/Web/HTTP/Status/{number}"),
            title: status.canonical_reason().unwrap_or("Problem").to_owned(),
            status: number,
            detail: detail.into(),
            instance: String::new(),
            parameter: None,
            position: None,
            token: None,
        }
    }

    /// A request that is wrong.
    pub(super) fn bad(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// A parameter that is wrong.
    pub(super) fn parameter(parameter: &str, detail: impl Into<String>) -> Self {
        Self { parameter: Some(parameter.to_owned()), ..Self::bad(detail) }
    }

    fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn render(&self) -> Response {
        let body = serde_json::to_vec(self).unwrap_or_default();
        let mut response = (self.status(), body).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, PROBLEM);
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.render();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<ListError> for Problem {
    fn from(error: ListError) -> Self {
        let mut problem = Self::parameter(error.parameter(), error.to_string());
        if let Some((position, token)) = error.place() {
            problem.position = Some(position);
            problem.token = Some(token.to_owned());
        }
        problem
    }
}

impl From<sysndd_store::Error> for Problem {
    fn from(error: sysndd_store::Error) -> Self {
        if let sysndd_store::Error::TooManyRows { .. } = error {
            return Self::parameter("page_size", error.to_string());
        }
        tracing::error!(error = %error, "reading failed");
        match error {
            sysndd_store::Error::Database(error) if error.retry_helps() => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "The database can't be reached at the moment; try again.",
            ),
            // What a database says may name things that are nobody's business.
            _ => Self::new(StatusCode::INTERNAL_SERVER_ERROR, "An unexpected error occurred"),
        }
    }
}

/// Puts the path that was asked for into a problem.
pub(super) async fn with_instance(request: Request, next: Next) -> Response {
    let path = match request.extensions().get::<OriginalUri>() {
        Some(uri) => uri.0.path().to_owned(),
        None => request.uri().path().to_owned(),
    };
    let response = next.run(request).await;
    match response.extensions().get::<Problem>() {
        None => response,
        Some(problem) => {
            let mut rendered = Problem { instance: path, ..problem.clone() }.render();
            for (name, value) in response.headers() {
                if !rendered.headers().contains_key(name) && name != header::CONTENT_LENGTH {
                    rendered.headers_mut().append(name, value.clone());
                }
            }
            rendered
        }
    }
}

/// Below `/api`, a path that is none.
pub(super) async fn unknown(uri: axum::http::Uri) -> Problem {
    let detail = format!("The requested endpoint '{}' does not exist", uri.path());
    Problem::new(StatusCode::NOT_FOUND, detail)
}

/// A path that is one, asked in a way it does not answer.
pub(super) async fn wrong_method() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "This endpoint only answers GET and HEAD.")
}
