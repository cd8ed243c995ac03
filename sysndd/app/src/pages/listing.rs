//! Reading a list for a page: the same lists, filters and cursors as the API has.

use sysndd_store::list::{Cursor, ListPage, ListQuery, ListRequest, Table as ListTable, list};

use super::failure::Failure;
use super::site::Visit;
use super::table::{Asked, Plan, Position, Row, Table, Values};

/// A page of a list as it was read, and what was asked.
pub(crate) struct Listing {
    pub(crate) asked: Asked,
    pub(crate) request: ListRequest,
    pub(crate) page: ListPage,
}

/// Reads the page of a list that an address asks for.
pub(crate) async fn read(
    visit: &mut Visit,
    plan: &Plan,
    table: &'static ListTable,
    asked: Asked,
) -> Result<Listing, Failure> {
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let query = ListQuery {
        sort: given(&asked.sort).or_else(|| given(plan.default_sort)),
        filter: Some(asked.filter.clone()),
        fields: None,
        page_after: given(&asked.page_after),
        page_size: given(&asked.page_size),
        fspec: Some(plan.specified()),
    };
    let request = ListRequest::read(table, &query).map_err(Failure::bad)?;
    let page = list(&mut visit.reading, &request).await?;
    Ok(Listing { asked, request, page })
}

impl Listing {
    /// The table of these rows.
    pub(crate) fn table(
        &self,
        plan: &Plan,
        rows: Vec<Row>,
        name_of: impl Fn(&str) -> String,
    ) -> Table {
        let values: Vec<_> = self
            .page
            .specifications
            .iter()
            .map(|known| Values {
                key: known.key.to_owned(),
                options: known.options.clone(),
                count: known.count,
                count_filtered: known.count_filtered,
            })
            .collect();
        plan.table(&self.asked, &self.request.filter, &values, &self.position(), rows, name_of)
    }

    /// Where the page stands among the others.
    pub(crate) fn position(&self) -> Position {
        Position {
            page: self.page.current_page as u64,
            pages: self.page.total_pages as u64,
            total: self.page.total as u64,
            previous: cursor(&self.page.previous),
            next: cursor(&self.page.next),
            last: cursor(&self.page.last),
        }
    }
}

fn cursor(cursor: &Cursor) -> Option<String> {
    match cursor {
        Cursor::None => None,
        Cursor::Start => Some("0".to_owned()),
        Cursor::After(id) => Some(id.to_string()),
    }
}
