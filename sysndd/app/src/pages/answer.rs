//! From a page to an answer: headers, and "you have it already".

use askama::Template;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};

use super::failure::Failure;

/// What a handler of a page gives.
pub(crate) type Answer = Result<Response, Failure>;

/// Whether the browser has what this tag stands for.
pub(crate) fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let tag = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let asked =
        headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    asked
        .flat_map(|value| value.split(','))
        .any(|known| tag(known) == tag(etag) || known.trim() == "*")
}

/// The answer to a browser that has the page already.
pub(crate) fn not_modified(etag: &str) -> Response {
    with_tag(StatusCode::NOT_MODIFIED.into_response(), etag)
}

/// A page. It may be kept, but must be asked for again each time: data may have changed.
pub(crate) fn page(template: &impl Template, etag: &str) -> Answer {
    Ok(with_tag(rendered(template, StatusCode::OK)?, etag))
}

/// A page without a tag.
pub(crate) fn rendered(template: &impl Template, status: StatusCode) -> Answer {
    let text = template.render().map_err(Failure::internal)?;
    Ok((status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response())
}

/// "See there": a sent form becomes an address.
pub(crate) fn see(address: &str) -> Answer {
    Ok(Redirect::to(address).into_response())
}

/// An answer that may be kept, but must be asked for again each time.
pub(crate) fn with_tag(mut response: Response, etag: &str) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(etag) = HeaderValue::from_str(etag) {
        headers.insert(header::ETAG, etag);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_known_whether_weak_or_one_of_several() {
        let mut headers = HeaderMap::new();
        assert!(!is_known(&headers, "W/\"a\""));
        headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static("\"x\", W/\"a\""));
        assert!(
            is_known(&headers, "W/\"a\"")
                && is_known(&headers, "\"a\"")
                && !is_known(&headers, "\"b\"")
        );
    }
}
