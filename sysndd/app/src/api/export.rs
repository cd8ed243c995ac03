//! Lists as files: a workbook (`format=xlsx`) and comma-separated values (`format=csv`).
//!
//! A list may be long and its reader slow, so rows go into a temporary file of the data directory,
//! some at a time, and the file is sent when the reading has ended: no connection of the database
//! waits for a browser, and memory does not grow with the list. The file has no name, so nothing is
//! left of it whatever happens. Writing is work, not waiting: it has a thread of its own, and a few of
//! them at a time at most.

use std::fs::File;
use std::io::{self, BufWriter, Seek as _, SeekFrom, Write};
use std::path::PathBuf;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use foundation_durable::Value;
use rust_xlsxwriter::{Format as CellFormat, Workbook, Worksheet, XlsxError};
use sysndd_store::Reading;
use sysndd_store::list::{ListPage, ListRequest, ListRow, open as open_list};
use sysndd_store::provenance::{self, COMPUTED, DataSource};
use tokio_util::io::ReaderStream;

use super::Shared;
use super::answer::{Answer, finish, open};
use super::contained::contained;
use super::envelope::{ItemId, Links, Meta, Place, RowJson, links, meta};
use super::parameters::Format;
use super::problem::Problem;

/// Rows of a sheet, which is what a workbook can hold less its heading.
const SHEET_ROWS_MAX: usize = 1_048_575;
/// Characters of a cell, which is what a workbook can hold.
const CELL_CHARACTERS_MAX: usize = 32_767;

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const CSV: &str = "text/csv; charset=utf-8";

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Store(#[from] sysndd_store::Error),
    #[error(transparent)]
    Database(#[from] foundation_durable::Error),
    #[error("a workbook can't be written: {0}")]
    Workbook(#[from] XlsxError),
    #[error("a workbook can't be written into {directory}: {what}")]
    Panicked { directory: String, what: String },
    #[error("a temporary file in {directory} can't be written: {source}")]
    Disk { directory: String, source: io::Error },
    #[error("a row can't be written: {0}")]
    Row(String),
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Store(error) => error.into(),
            Failure::Database(error) => sysndd_store::Error::from(error).into(),
            other => {
                tracing::error!(error = %other, "an export failed");
                let detail = "The file can't be made; the operator of this site finds the reason in its log.";
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
            }
        }
    }
}

/// What a file says of where its data come from.
struct Origin {
    computed: bool,
    sources: Vec<DataSource>,
}

/// Answers with a file.
pub(super) async fn answer(
    shared: &Shared,
    headers: &HeaderMap,
    uri: &Uri,
    place: &Place,
    request: ListRequest,
    format: Format,
) -> Answer {
    let Ok(turn) = std::sync::Arc::clone(&shared.exports).acquire_owned().await else {
        let detail = "The server is about to stop; try again.";
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).into_response());
    };
    let reading = open(&shared.state, headers).await?;
    let version = reading.version();
    let directory = shared.state.settings.data.clone();
    let clock = std::sync::Arc::clone(&shared.state.clock);
    let start = clock.monotonic();
    let place = Place { address: place.address.clone() };
    let runtime = tokio::runtime::Handle::current();
    let work = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        let seconds = || clock.monotonic().saturating_sub(start).as_secs_f64();
        let target = Target { directory, place, request };
        match format {
            Format::Xlsx => contained(|| runtime.block_on(target.workbook(reading, seconds)))
                .unwrap_or_else(|what| Err(target.panicked(what))),
            _ => runtime.block_on(target.values(reading)),
        }
    });
    let file = match work.await {
        Ok(file) => file.map_err(|failure| Problem::from(failure).into_response())?,
        Err(error) => {
            tracing::error!(error = %error, "an export ended before its time");
            let detail = "An unexpected error occurred";
            return Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail).into_response());
        }
    };
    let name = file_name(uri, shared.state.clock.now(), format);
    Ok(download(file, format, &name, version))
}

/// The path with `_` between its parts, and the time.
fn file_name(uri: &Uri, now: jiff::Timestamp, format: Format) -> String {
    let path = uri.path().trim_matches('/').replace('/', "_");
    let ending = if format == Format::Xlsx { "xlsx" } else { "csv" };
    format!("{path}_{}.{ending}", now.strftime("%Y-%m-%d_T%H-%M-%S"))
}

fn download(file: File, format: Format, name: &str, version: i64) -> Response {
    let length = file.metadata().map(|metadata| metadata.len()).ok();
    let stream = ReaderStream::new(tokio::fs::File::from_std(file));
    let mut response = super::answer::json_bytes(version, Vec::new());
    *response.body_mut() = Body::from_stream(stream);
    let headers = response.headers_mut();
    let kind = if format == Format::Xlsx { XLSX } else { CSV };
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    if let Some(length) = length {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    response
}

struct Target {
    directory: PathBuf,
    place: Place,
    request: ListRequest,
}

impl Target {
    fn disk(&self, source: io::Error) -> Failure {
        Failure::Disk { directory: self.directory.display().to_string(), source }
    }

    fn panicked(&self, what: String) -> Failure {
        Failure::Panicked { directory: self.directory.display().to_string(), what }
    }

    fn temporary(&self) -> Result<File, Failure> {
        tempfile::tempfile_in(&self.directory).map_err(|error| self.disk(error))
    }

    fn rewound(&self, mut file: File) -> Result<File, Failure> {
        file.seek(SeekFrom::Start(0)).map_err(|error| self.disk(error))?;
        Ok(file)
    }

    async fn origin(reading: &mut Reading) -> Result<Origin, Failure> {
        let transaction = reading.transaction();
        let computed = provenance::has_computed_categories(transaction).await?;
        Ok(Origin { computed, sources: provenance::sources(transaction).await? })
    }

    async fn workbook(
        &self,
        mut reading: Reading,
        seconds: impl Fn() -> f64,
    ) -> Result<File, Failure> {
        let origin = Self::origin(&mut reading).await?;
        let mut workbook = Workbook::new();
        workbook.set_tempdir(&self.directory)?;
        let heading = CellFormat::new().set_bold();
        let sheet = workbook.add_worksheet_with_constant_memory()?;
        sheet.set_name("data")?;
        for (at, column) in (0u16..).zip(&self.request.fields) {
            sheet.write_string_with_format(0, at, column.name, &heading)?;
        }
        let mut line = 0u32;
        let (page, mut walk) = open_list(&mut reading, &self.request, SHEET_ROWS_MAX).await?;
        while let Some(rows) = walk.next(&mut reading).await? {
            for row in &rows {
                line += 1;
                write_row(sheet, line, row)?;
            }
        }
        finish(reading).await;
        let about = meta(&self.request, &page, seconds());
        write_meta(&mut workbook, &heading, &about, &origin)?;
        write_links(&mut workbook, &heading, &self.links(&page))?;
        let mut file = self.temporary()?;
        workbook.save_to_writer(&mut file)?;
        self.rewound(file)
    }

    fn links(&self, page: &ListPage) -> Links {
        links(&self.place, &self.request, page)
    }

    async fn values(&self, mut reading: Reading) -> Result<File, Failure> {
        let file = self.temporary()?;
        let mut writer = csv::Writer::from_writer(BufWriter::new(file));
        let row_error = |error: csv::Error| Failure::Row(error.to_string());
        writer
            .write_record(self.request.fields.iter().map(|column| column.name))
            .map_err(row_error)?;
        let (_, mut walk) = open_list(&mut reading, &self.request, usize::MAX).await?;
        while let Some(rows) = walk.next(&mut reading).await? {
            for row in &rows {
                let cells = (0..row.names.len()).map(|at| defused(text(row, at)));
                writer.write_record(cells).map_err(row_error)?;
            }
        }
        finish(reading).await;
        let buffer = writer.into_inner().map_err(|error| Failure::Row(error.to_string()))?;
        let mut file = buffer.into_inner().map_err(|error| self.disk(error.into_error()))?;
        file.flush().map_err(|error| self.disk(error))?;
        self.rewound(file)
    }
}

/// A value as text; nested ones as JSON.
fn text(row: &ListRow, at: usize) -> String {
    if row.names.get(at) == Some(&"entities") {
        let nested: Vec<_> = row.entities.iter().map(RowJson).collect();
        return serde_json::to_string(&nested).unwrap_or_default();
    }
    match row.values.get(at) {
        None | Some(Value::Null) => String::new(),
        Some(Value::Integer(number)) => number.to_string(),
        Some(Value::Real(number)) => number.to_string(),
        Some(Value::Text(text)) => text.clone(),
    }
}

/// A program for tables takes a cell that starts so for a formula. In a workbook a text is a text; in
/// comma-separated values only an apostrophe before it tells.
fn defused(text: String) -> String {
    match text.as_bytes().first() {
        Some(b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r') => format!("'{text}"),
        _ => text,
    }
}

fn cell(text: &str) -> String {
    match text.char_indices().nth(CELL_CHARACTERS_MAX) {
        None => text.to_owned(),
        Some(_) => text.chars().take(CELL_CHARACTERS_MAX - 1).chain(['…']).collect(),
    }
}

fn write_row(sheet: &mut Worksheet, line: u32, row: &ListRow) -> Result<(), Failure> {
    for (at, place) in (0u16..).zip(0..row.names.len()) {
        match row.values.get(place) {
            // Every number of these tables is small enough for a cell, which holds 15 digits.
            #[expect(
                clippy::cast_precision_loss,
                reason = "ids and counts have less than 15 digits"
            )]
            Some(Value::Integer(number)) => {
                sheet.write_number(line, at, *number as f64)?;
            }
            Some(Value::Real(number)) => {
                sheet.write_number(line, at, *number)?;
            }
            _ => {
                let text = text(row, place);
                if !text.is_empty() {
                    sheet.write_string(line, at, cell(&text))?;
                }
            }
        }
    }
    Ok(())
}

/// One heading and one line, as published, and beside them where the data come from.
fn write_pairs(
    sheet: &mut Worksheet,
    heading: &CellFormat,
    pairs: &[(String, String)],
) -> Result<(), Failure> {
    for (at, (name, value)) in (0u16..).zip(pairs) {
        sheet.write_string_with_format(0, at, name.as_str(), heading)?;
        match value.parse::<u32>() {
            Ok(number) => sheet.write_number(1, at, f64::from(number))?,
            Err(_) => sheet.write_string(1, at, cell(value))?,
        };
    }
    Ok(())
}

fn id(id: &ItemId) -> String {
    match id {
        ItemId::Number(number) => number.to_string(),
        ItemId::Text(text) => text.clone(),
    }
}

fn write_meta(
    workbook: &mut Workbook,
    heading: &CellFormat,
    meta: &Meta,
    origin: &Origin,
) -> Result<(), Failure> {
    let mut pairs = vec![
        ("perPage".to_owned(), meta.per_page.to_string()),
        ("currentPage".to_owned(), meta.current_page.to_string()),
        ("totalPages".to_owned(), meta.total_pages.to_string()),
        ("prevItemID".to_owned(), id(&meta.prev_item_id)),
        ("currentItemID".to_owned(), id(&meta.current_item_id)),
        ("nextItemID".to_owned(), id(&meta.next_item_id)),
        ("lastItemID".to_owned(), id(&meta.last_item_id)),
        ("totalItems".to_owned(), meta.total_items.to_string()),
        ("sort".to_owned(), meta.sort.clone()),
        ("filter".to_owned(), meta.filter.clone()),
        ("fields".to_owned(), meta.fields.clone()),
        ("fspec".to_owned(), serde_json::to_string(&meta.fspec).unwrap_or_default()),
        ("executionTime".to_owned(), meta.execution_time.clone()),
    ];
    if origin.computed {
        pairs.push(("category".to_owned(), COMPUTED.to_owned()));
    }
    for source in &origin.sources {
        let release = format!("{}, {}; {}", source.release, source.licence, source.statement);
        pairs.push((source.name.clone(), release));
    }
    let sheet = workbook.add_worksheet();
    sheet.set_name("meta")?;
    write_pairs(sheet, heading, &pairs)
}

fn write_links(
    workbook: &mut Workbook,
    heading: &CellFormat,
    links: &Links,
) -> Result<(), Failure> {
    let pairs = [
        ("prev".to_owned(), links.prev.clone()),
        ("self".to_owned(), links.this.clone()),
        ("next".to_owned(), links.next.clone()),
        ("last".to_owned(), links.last.clone()),
    ];
    let sheet = workbook.add_worksheet();
    sheet.set_name("links")?;
    write_pairs(sheet, heading, &pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_is_defused() {
        for dangerous in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"] {
            assert_eq!(defused(dangerous.to_owned()), format!("'{dangerous}"));
        }
        assert_eq!(defused("a=1".to_owned()), "a=1");
        assert_eq!(defused(String::new()), "");
    }

    #[test]
    fn a_cell_is_cut_where_a_workbook_ends() {
        assert_eq!(cell(&"é".repeat(CELL_CHARACTERS_MAX)).chars().count(), CELL_CHARACTERS_MAX);
        let long = cell(&"é".repeat(CELL_CHARACTERS_MAX + 1));
        assert_eq!(long.chars().count(), CELL_CHARACTERS_MAX);
        assert!(long.ends_with('…'));
    }

    #[test]
    fn a_file_is_named_after_its_path_and_time() {
        let uri = Uri::from_static("http://x/api/phenotype/entities/browse?a=b");
        let now = jiff::Timestamp::from_second(1_700_000_000).expect("a time");
        assert_eq!(
            file_name(&uri, now, Format::Xlsx),
            "api_phenotype_entities_browse_2023-11-14_T22-13-20.xlsx"
        );
    }
}
