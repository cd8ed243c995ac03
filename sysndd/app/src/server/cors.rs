//! Calls from pages of other sites, as the published API answers them: a known origin is echoed
//! (never `*`, as credentials are allowed), an unknown one gets 403, a preflight 204 for a day.

use axum::extract::{Request, State as Extract};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::problem::problem;
use crate::settings::Public;
use crate::state::State;

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, DELETE, OPTIONS");
const HEADERS: HeaderValue = HeaderValue::from_static("Content-Type, Authorization, X-Request-Id");
const EXPOSED: HeaderValue =
    HeaderValue::from_static("ETag, Content-Disposition, Retry-After, X-Request-Id");
const A_DAY: HeaderValue = HeaderValue::from_static("86400");

pub(super) async fn answer(
    Extract(state): Extract<State>,
    request: Request,
    next: Next,
) -> Response {
    if !request.uri().path().starts_with("/api") {
        return next.run(request).await;
    }
    let Some(origin) = request.headers().get(header::ORIGIN).cloned() else {
        return vary(next.run(request).await);
    };
    let public = &state.settings.public;
    let own = is_own(&origin, request.headers(), public);
    if !own && !is_allowed(&origin, public) {
        if public.cors_refuse_unknown {
            return vary(problem(
                StatusCode::FORBIDDEN,
                "Pages of this origin may not call the API.",
            ));
        }
        return vary(next.run(request).await);
    }
    let preflight = request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if preflight {
        let mut response = StatusCode::NO_CONTENT.into_response();
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, A_DAY);
        response
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    vary(response)
}

/// A cache must not give one origin's answer to another.
fn vary(mut response: Response) -> Response {
    response.headers_mut().append(header::VARY, HeaderValue::from_static("Origin"));
    response
}

/// Our own pages, which send their origin too when they post.
fn is_own(origin: &HeaderValue, headers: &HeaderMap, public: &Public) -> bool {
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    if !public.url.is_empty() && origin == public.url {
        return true;
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    host.is_some_and(|host| origin.split_once("://").is_some_and(|(_, rest)| rest == host))
}

fn is_allowed(origin: &HeaderValue, public: &Public) -> bool {
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    let local = origin
        .split_once("://")
        .filter(|(scheme, _)| ["http", "https"].contains(scheme))
        .map(|(_, rest)| rest.rsplit_once(':').map_or(rest, |(host, _)| host))
        .is_some_and(|host| ["localhost", "127.0.0.1", "[::1]"].contains(&host));
    local || public.cors_allowed_origins.iter().any(|allowed| allowed == origin)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    #[test]
    fn pages_of_this_machine_and_of_the_listed_sites_may_call() {
        let directory = std::path::Path::new("data");
        let mut public = Settings::for_data(directory).expect("defaults").public;
        public.cors_allowed_origins = vec!["https://sysndd.org".to_owned()];
        let allowed = |origin: &str| is_allowed(&origin.parse().expect("a header"), &public);
        for known in
            ["https://sysndd.org", "http://localhost:5173", "http://127.0.0.1", "http://[::1]:80"]
        {
            assert!(allowed(known), "{known}");
        }
        for other in [
            "https://evil.example",
            "null",
            "https://sysndd.org.evil.example",
            "http://localhost.evil.example",
            "file://localhost",
        ] {
            assert!(!allowed(other), "{other}");
        }
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static("sysndd.test:7777"));
        let own = |origin: &str| is_own(&origin.parse().expect("a header"), &headers, &public);
        assert!(own("http://sysndd.test:7777"));
        assert!(!own("http://sysndd.test"));
    }
}
