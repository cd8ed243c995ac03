//! The lists of the contract: filter, sorting, pages by cursor, field specifications.
//!
//! [`list`] serves the API and the pages alike, so that a link copied from one means the same in
//! the other. A list is worked out in two steps: its order, once for each state of the
//! data, and then the rows of a page by their ids.

mod build;
mod order;
mod relation;
mod rows;
mod specification;

pub use order::Id;
pub use rows::ListRow;
pub use specification::{FieldSpecification, label};
pub use sysndd_core::list::{
    ENTITY, GENE, ListError, ListQuery, ListRequest, PANEL, PANEL_ROWS, PHENOTYPE, PageSize, Table,
};

use std::sync::Arc;

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
    let (mut page, mut walk) = open(reading, request, PAGE_ROWS_MAX as usize).await?;
    while let Some(rows) = walk.next(reading).await? {
        page.rows.extend(rows);
    }
    Ok(page)
}

/// The rows of a page that are still to be read.
#[derive(Debug)]
pub struct Walk<'a> {
    request: &'a ListRequest,
    order: Arc<order::Order>,
    at: usize,
    end: usize,
}

impl Walk<'_> {
    /// The next rows, some hundreds at most; nothing at the end. However long the page is, this is
    /// all of it that is in memory.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn next(&mut self, reading: &mut Reading) -> Result<Option<Vec<ListRow>>, Error> {
        if self.at >= self.end {
            return Ok(None);
        }
        let next = (self.at + rows::CHUNK).min(self.end);
        let ids = self.order.ids(self.at, next);
        self.at = next;
        Ok(Some(rows::fetch(reading, self.request, &ids).await?))
    }
}

/// Opens one page of a list: all about it, and the way to its rows, which are not in the page yet.
///
/// # Errors
/// When the database can't be read, or the page has more rows than `most`.
pub async fn open<'a>(
    reading: &mut Reading,
    request: &'a ListRequest,
    most: usize,
) -> Result<(ListPage, Walk<'a>), Error> {
    let order = order::order(reading, request).await?;
    let total = order.len();
    let (start, per_page) = match request.page_size {
        PageSize::Rows(rows) => (order::start(reading, request, &order).await?, rows as usize),
        PageSize::All => (0, total.max(1)),
    };
    let start = start.min(total);
    let end = (start + per_page).min(total);
    if end - start > most {
        return Err(Error::TooManyRows { rows: end - start, most });
    }
    let specifications = specification::specifications(reading, request).await?;
    let total_pages = total.div_ceil(per_page).max(1);
    let after = |place: usize| match place.checked_sub(1) {
        None => Cursor::Start,
        Some(at) => order.id(at).map_or(Cursor::Start, Cursor::After),
    };
    let page = ListPage {
        rows: Vec::new(),
        total,
        per_page,
        current_page: (start.div_ceil(per_page) + 1).min(total_pages),
        total_pages,
        previous: if start == 0 { Cursor::None } else { after(start.saturating_sub(per_page)) },
        current: after(start),
        next: if end < total { after(end) } else { Cursor::None },
        last: if total_pages == 1 { Cursor::None } else { after(per_page * (total_pages - 1)) },
        specifications,
        version: reading.version(),
    };
    Ok((page, Walk { request, order, at: start, end }))
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
