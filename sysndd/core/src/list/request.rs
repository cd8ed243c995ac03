//! What a caller asks of a list, read and checked.

use super::{Column, Table};
use crate::filter::{Filter, FilterError};

/// The rows of a page unless asked otherwise.
pub const PAGE_ROWS_DEFAULT: u32 = 10;
/// The most rows of one answer; `format=csv` and `format=xlsx` have no limit.
pub const PAGE_ROWS_MAX: u32 = 50_000;
/// The longest text of a parameter other than the filter, in bytes.
const PARAMETER_BYTES_MAX: usize = 2 * 1024;

/// The parameters of a list as they were sent; none means that the table's own default holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListQuery {
    /// `sort`
    pub sort: Option<String>,
    /// `filter`
    pub filter: Option<String>,
    /// `fields`
    pub fields: Option<String>,
    /// `page_after`
    pub page_after: Option<String>,
    /// `page_size`
    pub page_size: Option<String>,
    /// `fspec`
    pub fspec: Option<String>,
}

/// How many rows a page has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PageSize {
    /// All rows on one page.
    All,
    /// This many, at least one.
    Rows(u32),
}

/// One column that a list is sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SortKey {
    /// The column.
    pub column: &'static Column,
    /// Whether the largest comes first.
    pub descending: bool,
}

/// What a caller asks of a list.
#[derive(Clone, Debug)]
pub struct ListRequest {
    /// The list.
    pub table: &'static Table,
    /// The filter, checked against the table.
    pub filter: Filter,
    /// The filter as it was sent.
    pub filter_text: String,
    /// The columns it is sorted by; the last one tells all rows apart.
    pub sort: Vec<SortKey>,
    /// The sorting as it was sent.
    pub sort_text: String,
    /// The columns of the answer.
    pub fields: Vec<&'static Column>,
    /// The fields as they were sent.
    pub fields_text: String,
    /// The id after which the page starts; empty at the beginning.
    pub page_after: String,
    /// The size of the page.
    pub page_size: PageSize,
    /// The columns for which field specifications are wanted.
    pub fspec: Vec<&'static Column>,
    /// Whether the specification of the column with the button "Details" is wanted.
    pub fspec_details: bool,
}

/// A request that can't be answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// The filter is wrong.
    #[error("{0}")]
    Filter(#[from] FilterError),
    /// A column is not there.
    #[error("Unknown column in `{parameter}`; there are {known} (at character {}: `{token}`)", position + 1)]
    UnknownColumn {
        /// The parameter.
        parameter: &'static str,
        /// The columns there are.
        known: String,
        /// Where: the number of characters before the name.
        position: usize,
        /// The name.
        token: String,
    },
    /// The size of the page is none.
    #[error("`page_size` is `{token}`; it is a number from 1 to {PAGE_ROWS_MAX}, or `all`")]
    PageSize {
        /// What was sent.
        token: String,
    },
    /// A parameter is too long, or has a character it can't have.
    #[error("`{parameter}` is longer than {PARAMETER_BYTES_MAX} bytes or has a NUL character")]
    Parameter {
        /// The parameter.
        parameter: &'static str,
    },
}

impl ListError {
    /// The parameter that is wrong.
    #[must_use]
    pub fn parameter(&self) -> &'static str {
        match self {
            Self::Filter(_) => "filter",
            Self::UnknownColumn { parameter, .. } | Self::Parameter { parameter } => parameter,
            Self::PageSize { .. } => "page_size",
        }
    }

    /// Where in the parameter, in characters, and what stands there.
    #[must_use]
    pub fn place(&self) -> Option<(usize, &str)> {
        match self {
            Self::Filter(error) => Some((error.position, &error.token)),
            Self::UnknownColumn { position, token, .. } => Some((*position, token)),
            Self::PageSize { token } => Some((0, token)),
            Self::Parameter { .. } => None,
        }
    }
}

impl ListRequest {
    /// Reads the parameters of a list.
    ///
    /// # Errors
    /// When one of them is wrong; the error names it and points into it.
    pub fn read(table: &'static Table, query: &ListQuery) -> Result<Self, ListError> {
        for (parameter, text) in [
            ("sort", &query.sort),
            ("fields", &query.fields),
            ("page_after", &query.page_after),
            ("page_size", &query.page_size),
            ("fspec", &query.fspec),
        ] {
            let text = text.as_deref().unwrap_or_default();
            if text.len() > PARAMETER_BYTES_MAX || text.contains('\0') {
                return Err(ListError::Parameter { parameter });
            }
        }
        let or = |given: &Option<String>, default: &str| {
            given.clone().unwrap_or_else(|| default.to_owned())
        };
        let filter_text = or(&query.filter, table.filter);
        let filter = Filter::parse(&filter_text)?;
        filter.check(table)?;
        let sort_text = or(&query.sort, table.sort);
        let sort = sort(table, &sort_text)?;
        let fields_text = or(&query.fields, table.fields);
        let (fspec, fspec_details) = fspec(table, &or(&query.fspec, table.fspec))?;
        Ok(Self {
            table,
            filter,
            filter_text,
            sort,
            sort_text,
            fields: fields(table, &fields_text)?,
            fields_text,
            page_after: cursor(query.page_after.as_deref().unwrap_or_default()),
            page_size: page_size(query.page_size.as_deref())?,
            fspec,
            fspec_details,
        })
    }
}

/// `0` and nothing are the beginning, and so is the word that answers use for "no cursor".
fn cursor(text: &str) -> String {
    match text.trim() {
        "0" | "null" => String::new(),
        id => id.to_owned(),
    }
}

fn page_size(text: Option<&str>) -> Result<PageSize, ListError> {
    let Some(text) = text.map(str::trim) else { return Ok(PageSize::Rows(PAGE_ROWS_DEFAULT)) };
    if text.eq_ignore_ascii_case("all") {
        return Ok(PageSize::All);
    }
    match text.parse::<u32>() {
        Ok(rows) if (1..=PAGE_ROWS_MAX).contains(&rows) => Ok(PageSize::Rows(rows)),
        _ => Err(ListError::PageSize { token: text.chars().take(40).collect() }),
    }
}

/// The names of a comma list with the number of characters before each.
fn names(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut position = 0;
    text.split(',').filter_map(move |part| {
        let start = position + part.chars().take_while(|c| c.is_whitespace()).count();
        position += part.chars().count() + 1;
        let name = part.trim();
        (!name.is_empty()).then_some((start, name))
    })
}

fn unknown(
    table: &'static Table,
    parameter: &'static str,
    position: usize,
    token: &str,
    known: fn(&Column) -> bool,
) -> ListError {
    let columns = table.columns.iter().filter(|column| known(column)).map(|column| column.name);
    ListError::UnknownColumn {
        parameter,
        known: columns.collect::<Vec<_>>().join(", "),
        position,
        token: token.chars().take(40).collect(),
    }
}

fn sort(table: &'static Table, text: &str) -> Result<Vec<SortKey>, ListError> {
    let mut keys: Vec<SortKey> = Vec::new();
    // A space inside is what `+` decodes to.
    for (position, word) in names(text) {
        let (descending, name) = match word.strip_prefix('-') {
            Some(name) => (true, name),
            None => (false, word.strip_prefix('+').unwrap_or(word)),
        };
        let name = name.trim();
        let column = table
            .column(name)
            .filter(|column| column.sorted)
            .ok_or_else(|| unknown(table, "sort", position, word, |column| column.sorted))?;
        // Where a column is named again, the first place decides.
        if keys.iter().all(|key| key.column != column) {
            keys.push(SortKey { column, descending });
        }
    }
    if keys.iter().all(|key| key.column.name != table.id) {
        keys.push(SortKey { column: table.id_column(), descending: false });
    }
    Ok(keys)
}

fn fields(table: &'static Table, text: &str) -> Result<Vec<&'static Column>, ListError> {
    let mut wanted = Vec::new();
    for (position, name) in names(text) {
        let column = table
            .column(name)
            .filter(|column| column.shown)
            .ok_or_else(|| unknown(table, "fields", position, name, |column| column.shown))?;
        if !wanted.contains(&column) {
            wanted.push(column);
        }
    }
    if wanted.is_empty() {
        return Ok(table.shown().collect());
    }
    if !wanted.contains(&table.id_column()) {
        wanted.insert(0, table.id_column());
    }
    Ok(wanted)
}

fn fspec(table: &'static Table, text: &str) -> Result<(Vec<&'static Column>, bool), ListError> {
    let (mut wanted, mut details) = (Vec::new(), false);
    for (position, name) in names(text) {
        if name == "details" {
            details = true;
            continue;
        }
        let column = table
            .column(name)
            .filter(|column| column.sorted)
            .ok_or_else(|| unknown(table, "fspec", position, name, |column| column.sorted))?;
        if !wanted.contains(&column) {
            wanted.push(column);
        }
    }
    Ok((wanted, details))
}
