//! The envelope of a list: `links`, `meta` and `data`, as published.

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use sysndd_core::list::Kind;
use sysndd_store::list::{Cursor, FieldSpecification, Id, ListPage, ListRequest, ListRow, label};
use utoipa::ToSchema;

use foundation_durable::Value;

/// The word that stands where there is no cursor; `data` uses null.
const NOTHING: &str = "null";

/// A list with what leads to its other pages.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Envelope<T> {
    /// The addresses of other pages.
    pub(super) links: Vec<Links>,
    /// What the page is.
    pub(super) meta: Vec<Meta>,
    /// The rows.
    pub(super) data: Vec<T>,
}

/// The addresses of other pages; `"null"` where there is none.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Links {
    /// The page before.
    pub(super) prev: String,
    /// This page.
    #[serde(rename = "self")]
    pub(super) this: String,
    /// The page after.
    pub(super) next: String,
    /// The last page.
    pub(super) last: String,
}

/// An id: a number, or a text for lists whose ids are texts; `"null"` for none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(untagged)]
pub(super) enum ItemId {
    /// A number.
    Number(i64),
    /// A text.
    Text(String),
}

/// What a page is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Meta {
    /// Rows of a full page.
    pub(super) per_page: usize,
    /// The number of this page.
    pub(super) current_page: usize,
    /// The number of pages.
    pub(super) total_pages: usize,
    /// The cursor of the page before.
    #[serde(rename = "prevItemID")]
    pub(super) prev_item_id: ItemId,
    /// The cursor of this page.
    #[serde(rename = "currentItemID")]
    pub(super) current_item_id: ItemId,
    /// The cursor of the page after.
    #[serde(rename = "nextItemID")]
    pub(super) next_item_id: ItemId,
    /// The cursor of the last page.
    #[serde(rename = "lastItemID")]
    pub(super) last_item_id: ItemId,
    /// Rows of all pages.
    pub(super) total_items: usize,
    /// How it is sorted.
    pub(super) sort: String,
    /// Which rows it has.
    pub(super) filter: String,
    /// Which columns it has.
    pub(super) fields: String,
    /// What a page needs to know of its columns.
    pub(super) fspec: Vec<FieldSpec>,
    /// How long it took.
    #[schema(example = "0.01 secs")]
    pub(super) execution_time: String,
}

/// What a page needs to know of a column.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct FieldSpec {
    /// Its name.
    pub(super) key: String,
    /// The values to choose from; `["null"]` where there are too many, null for `details`.
    #[serde(rename = "selectOptions")]
    pub(super) select_options: Option<Vec<String>>,
    /// Different values in the whole table; `details` has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) count: Option<i64>,
    /// Whether free text may be asked for.
    pub(super) filterable: bool,
    /// Whether several values can be chosen.
    pub(super) multi_selectable: bool,
    /// Whether one value can be chosen.
    pub(super) selectable: bool,
    /// How it is sorted first.
    #[serde(rename = "sortDirection")]
    pub(super) sort_direction: &'static str,
    /// Whether the list can be sorted by it.
    pub(super) sortable: bool,
    /// How it is set.
    pub(super) class: &'static str,
    /// Its name for people.
    pub(super) label: String,
    /// Different values among the rows that pass the filter.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) count_filtered: Option<i64>,
}

impl From<&FieldSpecification> for FieldSpec {
    fn from(specification: &FieldSpecification) -> Self {
        let none = || vec![NOTHING.to_owned()];
        Self {
            key: specification.key.to_owned(),
            select_options: Some(specification.options.clone().unwrap_or_else(none)),
            count: Some(specification.count),
            filterable: specification.filterable(),
            multi_selectable: specification.multi_selectable(),
            selectable: specification.selectable(),
            sort_direction: "asc",
            sortable: true,
            class: "text-left",
            label: specification.label(),
            count_filtered: Some(specification.count_filtered),
        }
    }
}

/// The column with the button that shows more of a row.
fn details() -> FieldSpec {
    FieldSpec {
        key: "details".to_owned(),
        select_options: None,
        count: None,
        filterable: false,
        multi_selectable: false,
        selectable: false,
        sort_direction: "asc",
        sortable: false,
        class: "text-center",
        label: label("details"),
        // Some published answers have it and some have not.
        count_filtered: Some(0),
    }
}

/// Where a list is, for its links.
pub(super) struct Place {
    /// Scheme, host and path; empty parts where they are not known.
    pub(super) address: String,
}

impl Place {
    fn link(&self, request: &ListRequest, per_page: &str, cursor: &Cursor) -> String {
        let after = match cursor {
            Cursor::None => return NOTHING.to_owned(),
            Cursor::Start => "0".to_owned(),
            Cursor::After(id) => id.to_string(),
        };
        let mut link = format!("{}?sort={}", self.address, escaped(&request.sort_text));
        for (name, value, default) in [
            ("filter", &request.filter_text, request.table.filter),
            ("fields", &request.fields_text, request.table.fields),
        ] {
            if value != default {
                link.push_str(&format!("&{name}={}", escaped(value)));
            }
        }
        link.push_str(&format!("&page_after={}&page_size={per_page}", escaped(&after)));
        link
    }
}

/// A value for a query. What the language of filters is made of stays readable; all else that is not
/// a letter or digit is escaped.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => escaped.push(byte.into()),
            b'-' | b'_' | b'.' | b'~' | b'(' | b')' | b',' | b':' => escaped.push(byte.into()),
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

fn item(request: &ListRequest, cursor: &Cursor) -> ItemId {
    match cursor {
        Cursor::None => ItemId::Text(NOTHING.to_owned()),
        Cursor::Start if request.table.id_column().kind == Kind::Integer => ItemId::Number(0),
        Cursor::Start => ItemId::Text("0".to_owned()),
        Cursor::After(Id::Number(number)) => ItemId::Number(*number),
        Cursor::After(Id::Name(name)) => ItemId::Text(name.clone()),
    }
}

/// `links` of a page.
pub(super) fn links(place: &Place, request: &ListRequest, page: &ListPage) -> Links {
    let per_page = match request.page_size {
        sysndd_store::list::PageSize::All => "all".to_owned(),
        sysndd_store::list::PageSize::Rows(rows) => rows.to_string(),
    };
    let link = |cursor: &Cursor| place.link(request, &per_page, cursor);
    Links {
        prev: link(&page.previous),
        this: link(&page.current),
        next: link(&page.next),
        last: link(&page.last),
    }
}

/// `meta` of a page.
pub(super) fn meta(request: &ListRequest, page: &ListPage, seconds: f64) -> Meta {
    let mut fspec: Vec<FieldSpec> = page.specifications.iter().map(FieldSpec::from).collect();
    if request.fspec_details {
        fspec.push(details());
    }
    Meta {
        per_page: page.per_page,
        current_page: page.current_page,
        total_pages: page.total_pages,
        prev_item_id: item(request, &page.previous),
        current_item_id: item(request, &page.current),
        next_item_id: item(request, &page.next),
        last_item_id: item(request, &page.last),
        total_items: page.total,
        sort: request.sort_text.clone(),
        filter: request.filter_text.clone(),
        fields: request.fields_text.clone(),
        fspec,
        execution_time: took(seconds),
    }
}

/// A time as the contract writes it.
pub(super) fn took(seconds: f64) -> String {
    format!("{seconds:.2} secs")
}

/// A row as JSON.
pub(super) struct RowJson<'a>(pub(super) &'a ListRow);

impl Serialize for RowJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let row = self.0;
        let mut map = serializer.serialize_map(Some(row.names.len()))?;
        for (name, value) in row.names.iter().zip(&row.values) {
            if *name == "entities" {
                map.serialize_entry(name, &row.entities.iter().map(RowJson).collect::<Vec<_>>())?;
                continue;
            }
            match value {
                Value::Null => map.serialize_entry(name, &())?,
                Value::Integer(number) => map.serialize_entry(name, number)?,
                Value::Real(number) => map.serialize_entry(name, number)?,
                Value::Text(text) => map.serialize_entry(name, text)?,
            }
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sysndd_store::list::{ENTITY, ListQuery};

    #[test]
    fn a_link_says_again_what_was_asked() {
        let query = ListQuery {
            filter: Some("contains(any,a b&c=d'é)".to_owned()),
            sort: Some("-symbol".to_owned()),
            ..ListQuery::default()
        };
        let request = ListRequest::read(&ENTITY, &query).expect("a request");
        let place = Place { address: "http://x/api/entity/".to_owned() };
        assert_eq!(
            place.link(&request, "10", &Cursor::After(Id::Number(7))),
            "http://x/api/entity/?sort=-symbol&filter=contains(any,a%20b%26c%3Dd%27%C3%A9)\
             &page_after=7&page_size=10"
        );
        assert_eq!(place.link(&request, "10", &Cursor::None), "null");
    }
}
