//! Each request has an id, a line in the log and a place in the metrics. The line has the route and
//! not the path, and never the query string: what people search for is theirs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::{MatchedPath, Request, State as Extract};
use axum::http::{HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use foundation_runtime::metrics::Metrics;
use hyper::body::Body as _;

use crate::state::State;

const HEADER: &str = "x-request-id";
const ID_BYTES_MAX: usize = 64;

/// The id of a request, for handlers.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

static COUNTER: AtomicU64 = AtomicU64::new(1);

/// A request that its caller gives up is dropped: it has ended too.
struct Active(Arc<Metrics>);

impl Drop for Active {
    fn drop(&mut self) {
        self.0.ended();
    }
}

pub(super) async fn request(
    Extract(state): Extract<State>,
    mut request: Request,
    next: Next,
) -> Response {
    let began = state.clock.monotonic();
    state.metrics.began();
    let active = Active(Arc::clone(&state.metrics));
    let id = id(&request, &state);
    let method = method(request.method());
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned());
    request.extensions_mut().insert(RequestId(id.clone()));

    let mut response = next.run(request).await;

    let took = state.clock.monotonic().saturating_sub(began);
    let status = response.status().as_u16();
    let bytes = response.body().size_hint().exact();
    state.metrics.answered(method, &route, status, took, bytes);
    drop(active);
    let duration_ms = took.as_secs_f64() * 1000.0;
    if status >= 500 {
        tracing::warn!(request_id = id, method, route, status, duration_ms, "request");
    } else {
        tracing::info!(request_id = id, method, route, status, duration_ms, "request");
    }
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert(HEADER, value);
    }
    // The server goes away: the next request shall look for another.
    if state.life.is_ending() {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// The caller's id if it is a plain word, so that it can be followed through a proxy; else one of
/// our own.
fn id(request: &Request, state: &State) -> String {
    let given = request.headers().get(HEADER).and_then(|value| value.to_str().ok());
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    match given {
        Some(given)
            if !given.is_empty() && given.len() <= ID_BYTES_MAX && given.chars().all(plain) =>
        {
            given.to_owned()
        }
        _ => {
            let start = state.boot_id.get(..12).unwrap_or_default();
            format!("{start}-{}", COUNTER.fetch_add(1, Ordering::Relaxed))
        }
    }
}

/// A label must not be what a stranger writes.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}
