//! Pages that say what went wrong and lead back.
//!
//! A handler gives a [`Failure`]; [`rendered`] around all pages makes the page of it, so that a handler
//! needs nothing of the frame to fail.

use std::fmt::Display;

use askama::Template;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use foundation_durable::Error as DatabaseError;
use sysndd_store::Error as StoreError;

use super::Pages;
use super::answer;
use super::badge;
use super::frame::Frame;
use super::markup::Markup;

/// Why a page can't be shown.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// There is no such page, or what it is about isn't there; it may have been replaced.
    NotFound { what: String, replaced_by: Option<i64> },
    /// The address asks for something that can't be.
    BadRequest { detail: String },
    /// A page is only read, never sent to.
    WrongMethod,
    /// A limit of the server was reached before anything was looked at.
    Refused(StatusCode),
    /// The database can't be asked at the moment.
    Unavailable,
    /// A mistake of ours.
    Internal,
}

impl Failure {
    /// Something that isn't there.
    pub(crate) fn not_found(what: impl Into<String>) -> Self {
        Self::NotFound { what: what.into(), replaced_by: None }
    }

    /// A wish that can't be.
    pub(crate) fn bad(detail: impl Display) -> Self {
        Self::BadRequest { detail: detail.to_string() }
    }

    /// A mistake of ours; what it was is for the log only.
    pub(crate) fn internal(error: impl Display) -> Self {
        tracing::error!(%error, "a page can't be made");
        Self::Internal
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::NotFound { .. } => StatusCode::NOT_FOUND,
            Self::BadRequest { .. } => StatusCode::BAD_REQUEST,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::Refused(status) => *status,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl From<DatabaseError> for Failure {
    fn from(error: DatabaseError) -> Self {
        if error.retry_helps() {
            tracing::warn!(%error, "the database can't be asked");
            return Self::Unavailable;
        }
        Self::internal(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Database(error) => error.into(),
            other => Self::internal(other),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[derive(Template)]
#[template(path = "failure.html")]
struct FailurePage {
    frame: Frame,
    heading: &'static str,
    explanation: String,
    detail: String,
    replacement: Option<Markup>,
    ways: Vec<(&'static str, &'static str)>,
}

/// Makes a page of each failure.
pub(crate) async fn rendered(State(pages): State<Pages>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    match response.extensions_mut().remove::<Failure>().or_else(|| before_handlers(&response)) {
        Some(failure) => of_failure(&pages, failure, response.headers()).await,
        None => response,
    }
}

/// What the router itself answers, before any handler of ours.
fn before_handlers(response: &Response) -> Option<Failure> {
    match response.status() {
        StatusCode::METHOD_NOT_ALLOWED => Some(Failure::WrongMethod),
        StatusCode::BAD_REQUEST => Some(Failure::bad("A part of it is no text in UTF-8.")),
        _ => None,
    }
}

/// Around the limits, which know nothing of pages: whoever looks at a page reads one, not a document
/// for programs. Those who ask the API get that document, also in a browser.
pub(crate) async fn refused(State(pages): State<Pages>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let accepted = request.headers().get(header::ACCEPT).and_then(|kinds| kinds.to_str().ok());
    let is_page = !["/api", "/__docs__"].iter().any(|program| path.starts_with(program))
        && accepted.is_some_and(|kinds| kinds.contains("text/html"));
    let response = next.run(request).await;
    let kind = response.headers().get(header::CONTENT_TYPE);
    if is_page && kind.is_some_and(|kind| kind == "application/problem+json") {
        let failure = Failure::Refused(response.status());
        return of_failure(&pages, failure, response.headers()).await;
    }
    response
}

async fn of_failure(pages: &Pages, failure: Failure, said: &HeaderMap) -> Response {
    let status = failure.status();
    // A page of its own still says where the data is from, if the database can be asked at all; who
    // is over a limit must not cost a question.
    let site = match &failure {
        Failure::Unavailable | Failure::Refused(_) => pages.known_site(),
        _ => match pages.visit(&HeaderMap::new()).await {
            Ok(visit) => visit.site,
            Err(_) => pages.known_site(),
        },
    };
    let page = page(
        failure,
        Frame::new(
            &site,
            status.canonical_reason().unwrap_or("Error"),
            "This page can’t be shown.",
        ),
    );
    let mut response = match answer::rendered(&page, status) {
        Ok(response) => response,
        Err(_) => status.into_response(),
    };
    let headers = response.headers_mut();
    for name in [header::ALLOW, header::RETRY_AFTER] {
        if let Some(value) = said.get(&name) {
            headers.insert(name, value.clone());
        }
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.entry(header::RETRY_AFTER).or_insert(HeaderValue::from_static("5"));
    }
    response
}

fn page(failure: Failure, frame: Frame) -> FailurePage {
    let home = vec![
        ("Home", "/"),
        ("All entities", "/Entities"),
        ("All genes", "/Genes"),
        ("Search", "/Search"),
    ];
    let (heading, explanation, detail, replacement) = match failure {
        Failure::NotFound { what, replaced_by } => {
            ("Not found", format!("{what} is not on this site."), String::new(), replaced_by.map(badge::entity))
        }
        Failure::BadRequest { detail } => (
            "This address can’t be understood",
            "Something in the address of this page is not as it must be:".to_owned(),
            detail,
            None,
        ),
        Failure::WrongMethod => (
            "Only to be read",
            "This page can be looked at; nothing can be sent to it.".to_owned(),
            String::new(),
            None,
        ),
        Failure::Refused(StatusCode::TOO_MANY_REQUESTS) => (
            "Too many requests",
            "Your address asked for more pages than it may in a short time. Please wait a few seconds and load this page again.".to_owned(),
            String::new(),
            None,
        ),
        Failure::Refused(StatusCode::PAYLOAD_TOO_LARGE) => (
            "Too large",
            "What was sent is larger than this site takes.".to_owned(),
            String::new(),
            None,
        ),
        Failure::Refused(_) => (
            "Too much to do",
            "The site has too much to do at the moment. Please load this page again in a few seconds.".to_owned(),
            String::new(),
            None,
        ),
        Failure::Unavailable => (
            "Back in a moment",
            "The data can’t be read at the moment. Please load this page again in a few seconds.".to_owned(),
            String::new(),
            None,
        ),
        Failure::Internal => (
            "That went wrong",
            "This page could not be made. The mistake is ours and was recorded; loading the page again may help.".to_owned(),
            String::new(),
            None,
        ),
    };
    FailurePage { frame, heading, explanation, detail, replacement, ways: home }
}

/// The page for every address that nothing else answers.
pub(crate) async fn unknown_address() -> Failure {
    Failure::not_found("A page with this address")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::site::Site;
    use super::*;

    fn text(failure: Failure) -> String {
        let frame = Frame::new(&Arc::new(Site::default()), "Error", "");
        page(failure, frame).render().expect("a page")
    }

    #[test]
    fn what_was_replaced_leads_to_its_successor() {
        let page =
            text(Failure::NotFound { what: "Entity sysndd:3".to_owned(), replaced_by: Some(7) });
        assert!(page.contains("It was replaced by") && page.contains("/Entities/7"), "{page}");
    }

    #[test]
    fn every_failure_leads_back_and_shows_nothing_from_inside() {
        for failure in [
            Failure::not_found("X"),
            Failure::bad("<i>"),
            Failure::WrongMethod,
            Failure::Refused(StatusCode::TOO_MANY_REQUESTS),
            Failure::Unavailable,
            Failure::internal("secret"),
        ] {
            let page = text(failure);
            assert!(
                page.contains("href=\"/\"") && !page.contains("secret") && !page.contains("<i>"),
                "{page}"
            );
            assert!(page.contains("noindex"), "{page}");
        }
    }
}
