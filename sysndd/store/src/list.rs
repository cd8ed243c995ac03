//! The lists of the contract: filter, sorting, pages by cursor, field specifications.
//!
//! [`list`] serves the API and the pages alike, so that a link copied from one means the same in
//! the other. A list is worked out in two steps: its [order](order), once for each state of the
//! data, and then the rows of a page by their ids.

mod build;
mod order;
mod relation;
mod rows;
mod specification;
#[cfg(test)]
mod tests;

pub use order::Id;
pub use rows::ListRow;
pub use specification::{FieldSpecification, label};
pub use sysndd_core::list::{
    ENTITY, GENE, ListError, ListQuery, ListRequest, PANEL, PANEL_ROWS, PHENOTYPE, PageSize, Table,
};

use sysndd_core::filter::{Filter, Target};
use sysndd_core::list::{Column, PAGE_ROWS_MAX};

use crate::error::Error;
use crate::reader::Reading;

/// A cursor of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cursor {
    /// There is no such page.
    None,
    /// The first page: `page_after=0`.
    Start,
    /// The page after the row with this id.
    After(Id),
}

/// The condition of a filter, for counts that go over the same rows as a list.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    /// SQL on rows of `public_entity AS e`.
    pub(crate) sql: String,
    /// Its values, from `$1` on.
    pub(crate) values: Vec<foundation_durable::Value>,
}

impl Condition {
    pub(crate) fn of(reading: &Reading, table: &'static Table, filter: &Filter) -> Self {
        let mut builder = build::Builder::new(reading.transaction.engine(), table);
        let sql = builder.condition(filter);
        Self { sql, values: builder.values }
    }
}

/// One page of a list.
#[derive(Clone, Debug)]
pub struct ListPage {
    /// Its rows.
    pub rows: Vec<ListRow>,
    /// The rows of all pages.
    pub total: usize,
    /// The rows of a full page; the number of all rows where all are on one page.
    pub per_page: usize,
    /// The number of this page, from 1.
    pub current_page: usize,
    /// The number of pages; one for an empty list.
    pub total_pages: usize,
    /// The page before this one.
    pub previous: Cursor,
    /// This page.
    pub current: Cursor,
    /// The page after this one.
    pub next: Cursor,
    /// The last page.
    pub last: Cursor,
    /// The specifications of the columns that were asked for.
    pub specifications: Vec<FieldSpecification>,
    /// The state of the data.
    pub version: i64,
}

/// Reads one page of a list.
///
/// # Errors
/// When the database can't be read, or all rows are asked for and there are too many.
pub async fn list(reading: &mut Reading, request: &ListRequest) -> Result<ListPage, Error> {
    let order = order::order(reading, request).await?;
    let total = order.len();
    let (start, per_page) = match request.page_size {
        PageSize::Rows(rows) => {
            (order::start(reading, request, &order).await?, rows as usize)
        }
        PageSize::All => {
            let most = PAGE_ROWS_MAX as usize;
            if total > most {
                return Err(Error::TooManyRows { rows: total, most });
            }
            (0, total.max(1))
        }
    };
    let end = (start + per_page).min(total);
    let mut page_rows = Vec::with_capacity(end.saturating_sub(start));
    let mut at = start;
    while at < end {
        let ids = order.ids(at, (at + rows::CHUNK).min(end));
        page_rows.extend(rows::fetch(reading, request, &ids).await?);
        at += rows::CHUNK;
    }
    let specifications = specification::specifications(reading, request).await?;
    let total_pages = total.div_ceil(per_page).max(1);
    let after = |place: usize| match place.checked_sub(1) {
        None => Cursor::Start,
        Some(at) => order.id(at).map_or(Cursor::Start, Cursor::After),
    };
    let all = request.page_size == PageSize::All;
    Ok(ListPage {
        rows: page_rows,
        total,
        per_page,
        current_page: (start.div_ceil(per_page) + 1).min(total_pages),
        total_pages,
        previous: if start == 0 { Cursor::None } else { after(start.saturating_sub(per_page)) },
        current: after(start),
        next: if end < total { after(end) } else { Cursor::None },
        last: if all || total_pages == 1 { Cursor::None } else { after(per_page * (total_pages - 1)) },
        specifications,
        version: reading.version(),
    })
}

/// Hands over all rows of a list in its order, some at a time, in bounded memory; where the request
/// begins and how long its pages are does not matter.
///
/// # Errors
/// When the database can't be read, or the first error of `take`.
pub async fn each_chunk<E, F>(
    reading: &mut Reading,
    request: &ListRequest,
    take: F,
) -> Result<usize, E>
where
    E: From<Error>,
    F: AsyncFnMut(Vec<ListRow>) -> Result<(), E>,
{
    let order = order::order(reading, request).await?;
    rows::each_chunk(reading, request, &order, take).await?;
    Ok(order.len())
}

/// How many rows a list has.
///
/// # Errors
/// When the database can't be read.
pub async fn count(reading: &mut Reading, request: &ListRequest) -> Result<usize, Error> {
    Ok(order::order(reading, request).await?.len())
}

/// The columns that a filter asks, and others.
fn columns_of_filter(
    table: &'static Table,
    filter: &Filter,
    others: &[&'static Column],
) -> Vec<&'static Column> {
    let mut columns = others.to_vec();
    for term in &filter.terms {
        match term.target(table) {
            None => {}
            Some(Target::One(column)) => columns.push(column),
            Some(Target::AnyOf(every) | Target::AllOf(every)) => columns.extend(every),
        }
    }
    columns
}

/// The columns that the order of a list depends on.
fn columns_used(request: &ListRequest) -> Vec<&'static Column> {
    let sorted: Vec<_> = request.sort.iter().map(|key| key.column).collect();
    columns_of_filter(request.table, &request.filter, &sorted)
}
