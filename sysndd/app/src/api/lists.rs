//! Answering a list: as JSON, as a workbook, as comma-separated values.

use axum::http::{HeaderMap, Uri, header};
use axum::response::IntoResponse as _;
use sysndd_core::list::PAGE_ROWS_MAX;
use sysndd_store::list::{self, ListPage, ListRequest};

use super::answer::{Answer, finish, json_bytes, open, refused};
use super::envelope::{Place, RowJson, links, meta};
use super::parameters::Format;
use super::problem::Problem;
use super::{Shared, export};

/// Answers a list.
pub(super) async fn answer(
    shared: &Shared,
    headers: &HeaderMap,
    uri: &Uri,
    mut request: ListRequest,
    format: Format,
    page_size_given: bool,
) -> Answer {
    let place = place(shared, headers, uri.path());
    match format {
        Format::Json => json(shared, headers, &place, &request).await,
        Format::Xlsx | Format::Csv => {
            // A file is of everything unless a page was asked for by its size.
            if !page_size_given {
                request.page_size = list::PageSize::All;
            }
            export::answer(shared, headers, uri, &place, request, format).await
        }
    }
}

/// The address of a list, as the caller knows it.
pub(super) fn place(shared: &Shared, headers: &HeaderMap, path: &str) -> Place {
    let own = shared.state.settings.public.url.as_str();
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    // A host is echoed into links, so it may only be what a host is made of.
    let host = host.filter(|host| {
        host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte))
    });
    let base = match (own, host) {
        ("", Some(host)) => format!("http://{host}"),
        (own, _) => own.to_owned(),
    };
    Place { address: format!("{base}{path}") }
}

async fn json(
    shared: &Shared,
    headers: &HeaderMap,
    place: &Place,
    request: &ListRequest,
) -> Answer {
    let clock = &shared.state.clock;
    let start = clock.monotonic();
    let mut reading = open(&shared.state, headers).await?;
    let version = reading.version();
    // Rows are written as they come, so that a list of all rows is never there twice.
    let mut rows: Vec<u8> = Vec::with_capacity(8 * 1024);
    let (page, mut walk) =
        list::open(&mut reading, request, PAGE_ROWS_MAX as usize).await.map_err(refused)?;
    while let Some(chunk) = walk.next(&mut reading).await.map_err(refused)? {
        for row in &chunk {
            if !rows.is_empty() {
                rows.push(b',');
            }
            serde_json::to_writer(&mut rows, &RowJson(row))
                .map_err(|error| unwritable(error).into_response())?;
        }
    }
    finish(reading).await;
    let seconds = clock.monotonic().saturating_sub(start).as_secs_f64();
    let body = assemble(place, request, &page, seconds, &rows)
        .map_err(axum::response::IntoResponse::into_response)?;
    Ok(json_bytes(version, body))
}

#[expect(clippy::needless_pass_by_value, reason = "`map_err` hands it over")]
fn unwritable(error: serde_json::Error) -> Problem {
    tracing::error!(error = %error, "a list can't be written as JSON");
    Problem::new(axum::http::StatusCode::INTERNAL_SERVER_ERROR, "An unexpected error occurred")
}

/// The envelope around rows that are written already.
fn assemble(
    place: &Place,
    request: &ListRequest,
    page: &ListPage,
    seconds: f64,
    rows: &[u8],
) -> Result<Vec<u8>, Problem> {
    let mut body = Vec::with_capacity(rows.len() + 4 * 1024);
    body.extend_from_slice(b"{\"links\":[");
    serde_json::to_writer(&mut body, &links(place, request, page)).map_err(unwritable)?;
    body.extend_from_slice(b"],\"meta\":[");
    serde_json::to_writer(&mut body, &meta(request, page, seconds)).map_err(unwritable)?;
    body.push(b']');
    if request.table.name.starts_with("panel") {
        body.extend_from_slice(b",\"fields\":");
        let fields = super::panels::fields(request);
        serde_json::to_writer(&mut body, &fields).map_err(unwritable)?;
    }
    body.extend_from_slice(b",\"data\":[");
    body.extend_from_slice(rows);
    body.extend_from_slice(b"]}");
    Ok(body)
}
