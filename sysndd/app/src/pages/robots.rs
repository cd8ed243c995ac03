//! What crawlers read: `/robots.txt` and `/sitemap.xml`.

use std::fmt::Write as _;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use sysndd_store::{entity, gene};

use super::Pages;
use super::address::encoded;
use super::answer::Answer;
use super::markup::Markup;

const PLACES: &[&str] = &[
    "/",
    "/Entities",
    "/Genes",
    "/Phenotypes",
    "/Panels/All/All",
    "/EntriesOverTime",
    "/About",
    "/API",
];

/// Lists are endless when sorted and filtered in every way; their pages are not for crawlers.
pub(crate) async fn robots(State(pages): State<Pages>, headers: HeaderMap) -> Response {
    let text = format!(
        "User-agent: *\nDisallow: /api/\nDisallow: /Search\nDisallow: /*?\nSitemap: {}/sitemap.xml\n",
        pages.base(&headers)
    );
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

/// All pages that stand for something.
pub(crate) async fn sitemap(State(pages): State<Pages>, headers: HeaderMap) -> Answer {
    let mut visit = pages.visit(&headers).await?;
    if let Some(answer) = visit.known() {
        return Ok(answer);
    }
    let symbols = gene::symbols(&mut visit.reading).await?;
    let ids = entity::ids(&mut visit.reading).await?;
    let mut map = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n",
    );
    let mut add = |path: &str| {
        let written =
            writeln!(map, "<url><loc>{}</loc></url>", Markup::text(&visit.absolute(path)));
        debug_assert!(written.is_ok(), "writing to a String");
    };
    for place in PLACES {
        add(place);
    }
    for symbol in symbols {
        add(&format!("/Genes/{}", encoded(&symbol)));
    }
    for id in ids {
        add(&format!("/Entities/{id}"));
    }
    map.push_str("</urlset>\n");
    let tags = [
        (header::CONTENT_TYPE, "application/xml"),
        (header::ETAG, visit.etag.as_str()),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    Ok((tags, map).into_response())
}
