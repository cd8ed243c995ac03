//! `/Panels/<category>/<inheritance>`: genes of a panel, one line each, with identifiers for pipelines.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use sysndd_store::list::{ListQuery, ListRequest, ListRow, PANEL, PANEL_ROWS, list};

use super::Pages;
use super::address::{Address, encoded};
use super::answer::{self, Answer};
use super::badge;
use super::condition::quoted;
use super::failure::Failure;
use super::frame::Frame;
use super::listing::Listing;
use super::markup::Markup;
use super::table::{Asked, Choice, PAGE_SIZE, Position, Step, grouped};

const CATEGORIES: &[&str] = &["All", "Definitive", "Moderate", "Limited", "Refuted"];
const INHERITANCES: &[&str] =
    &["All", "Autosomal dominant", "Autosomal recessive", "X-linked", "Other"];
const SIZES: &[&str] = &["10", "25", "50", "100"];
/// A column and its name for people.
type Named = (&'static str, &'static str);
const COLUMNS: &[Named] = &[
    ("category", "Category"),
    ("inheritance", "Inheritance"),
    ("symbol", "Gene"),
    ("hgnc_id", "HGNC"),
    ("entrez_id", "NCBI Gene"),
    ("ensembl_gene_id", "Ensembl"),
    ("ucsc_id", "UCSC"),
    ("bed_hg19", "GRCh37"),
    ("bed_hg38", "GRCh38"),
    ("alphafold_id", "AlphaFold"),
];
const DEFAULT_COLUMNS: &[&str] =
    &["category", "inheritance", "symbol", "hgnc_id", "entrez_id", "ensembl_gene_id", "bed_hg38"];
/// Those of the default that a release may leave empty.
const OPTIONAL_COLUMNS: &[&str] = &["entrez_id", "ensembl_gene_id", "bed_hg38"];

#[derive(Template)]
#[template(path = "panels.html")]
struct PanelsPage {
    frame: Frame,
    xlsx: String,
    csv: String,
    categories: Vec<Choice>,
    inheritances: Vec<Choice>,
    sorts: Vec<Choice>,
    sizes: Vec<Choice>,
    columns: Vec<Choice>,
    best: bool,
    summary: String,
    heads: Vec<Head>,
    rows: Vec<Vec<Markup>>,
    steps: Vec<Step>,
    page: u64,
    pages: u64,
}

struct Head {
    label: &'static str,
    order: Option<&'static str>,
}

/// A panel as an address asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Panel {
    category: String,
    inheritance: String,
    sort: String,
    /// The columns that were asked for; none for the default.
    fields: Vec<String>,
    best: bool,
    page_after: String,
    page_size: String,
}

impl Panel {
    /// Reads an address; what the form sends as `field=…` several times is `fields` with commas there.
    fn read(category: &str, inheritance: &str, query: &[(String, String)]) -> Self {
        let value = |name: &str| {
            query.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.trim())
        };
        let known = |field: &str| COLUMNS.iter().any(|(name, _)| *name == field);
        let joined = value("fields")
            .map(|fields| fields.split(',').map(|field| field.trim().to_owned()).collect());
        let several: Vec<String> = query
            .iter()
            .filter(|(name, _)| name == "field")
            .map(|(_, field)| field.clone())
            .collect();
        let mut fields: Vec<String> = joined.unwrap_or(several);
        fields.retain(|field| known(field));
        let size = value("page_size").unwrap_or_default();
        let page_size = if SIZES.contains(&size) { size.to_owned() } else { PAGE_SIZE.to_string() };
        // The form has no way to send a box that isn't ticked, but it always sends a category.
        let best = match (value("max_category"), value("category")) {
            (Some(word), _) => !word.eq_ignore_ascii_case("false"),
            (None, form) => form.is_none(),
        };
        Self {
            category: category.to_owned(),
            inheritance: inheritance.to_owned(),
            sort: value("sort").filter(|sort| !sort.is_empty()).unwrap_or("symbol").to_owned(),
            fields,
            best,
            page_after: value("page_after").unwrap_or_default().to_owned(),
            page_size,
        }
    }

    fn address(&self) -> Address {
        let unless = |value: &str, default: &str| {
            if value == default { String::new() } else { value.to_owned() }
        };
        Address::of(format!("/Panels/{}/{}", encoded(&self.category), encoded(&self.inheritance)))
            .with("sort", &unless(&self.sort, "symbol"))
            .with("fields", &self.fields.join(","))
            .with("max_category", if self.best { "" } else { "FALSE" })
            .with("page_after", &unless(&self.page_after, "0"))
            .with("page_size", &unless(&self.page_size, &PAGE_SIZE.to_string()))
    }

    /// The filter that the published links have.
    fn filter(&self) -> String {
        let categories = match self.category.as_str() {
            "All" => "any(category,'Definitive','Moderate','Limited','Refuted')".to_owned(),
            category => format!("equals(category,{})", quoted(category)),
        };
        let inheritances = match self.inheritance.as_str() {
            "All" => INHERITANCES[1..]
                .iter()
                .map(|name| format!("'{name}'"))
                .collect::<Vec<_>>()
                .join(","),
            inheritance => quoted(inheritance),
        };
        format!("{categories},any(inheritance_filter,{inheritances})")
    }

    /// Whether the panel has this column. One that is empty for every gene is there for those who
    /// ask for it.
    fn has(&self, column: &str, empty: &[&str]) -> bool {
        match self.fields.as_slice() {
            [] => DEFAULT_COLUMNS.contains(&column) && !empty.contains(&column),
            fields => fields.iter().any(|field| field == column),
        }
    }

    fn export(&self, columns: &[&Named], format: &str) -> String {
        let fields: Vec<_> = columns.iter().map(|(name, _)| *name).collect();
        Address::of("/api/panels/browse")
            .with("sort", &self.sort)
            .with("filter", &self.filter())
            .with("fields", &fields.join(","))
            .with("max_category", if self.best { "TRUE" } else { "FALSE" })
            .with("page_size", "all")
            .with("format", format)
            .to_string()
    }
}

/// `/Panels`: the form, or the panel that most people look for.
pub(crate) async fn show_default(Query(query): Query<Vec<(String, String)>>) -> Answer {
    let value =
        |name: &str| query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let panel = Panel::read(
        value("category").unwrap_or("All"),
        value("inheritance").unwrap_or("All"),
        &query,
    );
    answer::see(&panel.address().to_string())
}

/// `/Panels/<category>`
pub(crate) async fn show_category(Path(category): Path<String>) -> Answer {
    answer::see(&Panel::read(&category, "All", &[]).address().to_string())
}

/// The page.
pub(crate) async fn show(
    State(pages): State<Pages>,
    headers: HeaderMap,
    Path((category, inheritance)): Path<(String, String)>,
    Query(query): Query<Vec<(String, String)>>,
) -> Answer {
    if !CATEGORIES.contains(&category.as_str()) || !INHERITANCES.contains(&inheritance.as_str()) {
        return Err(Failure::not_found(format!("A panel of {category}, {inheritance}")));
    }
    let panel = Panel::read(&category, &inheritance, &query);
    let mut visit = pages.visit(&headers).await?;
    if let Some(answer) = visit.known() {
        return Ok(answer);
    }
    let table = if panel.best { &PANEL } else { &PANEL_ROWS };
    let all: Vec<_> = COLUMNS.iter().map(|(name, _)| *name).collect();
    let query = ListQuery {
        sort: Some(panel.sort.clone()),
        filter: Some(panel.filter()),
        fields: Some(all.join(",")),
        page_after: Some(panel.page_after.clone()).filter(|cursor| !cursor.is_empty()),
        page_size: Some(panel.page_size.clone()),
        fspec: Some(OPTIONAL_COLUMNS.join(",")),
    };
    let request = ListRequest::read(table, &query).map_err(Failure::bad)?;
    let page = list(&mut visit.reading, &request).await?;
    let read = Listing { asked: Asked::default(), request, page };
    let position = read.position();
    let is_empty = |values: &Vec<String>| values.iter().all(String::is_empty);
    let specifications = read.page.specifications.iter();
    let empty: Vec<_> = specifications
        .filter(|column| column.options.as_ref().is_some_and(is_empty))
        .map(|column| column.key)
        .collect();
    let columns: Vec<_> = COLUMNS.iter().filter(|(name, _)| panel.has(name, &empty)).collect();
    let title = format!("Panel: {category}, {inheritance}");
    let frame = visit
        .frame(title, "Gene panels of SysNDD by category and inheritance, with identifiers.")
        .at("/Panels", visit.absolute(&panel.address().to_string()));
    answer::page(&shown(frame, &panel, &columns, &position, &read.page.rows), &visit.etag)
}

fn shown(
    frame: Frame,
    panel: &Panel,
    columns: &[&'static Named],
    position: &Position,
    rows: &[ListRow],
) -> PanelsPage {
    let choices = |values: &[&str], held: &str| -> Vec<Choice> {
        let choice = |value: &&str| Choice {
            value: (*value).to_owned(),
            label: (*value).to_owned(),
            chosen: *value == held,
        };
        values.iter().map(choice).collect()
    };
    let order = |name: &str| match panel.sort.strip_prefix('-') {
        Some(key) if key == name => Some("descending"),
        None if panel.sort == name => Some("ascending"),
        _ => None,
    };
    let at = |cursor: &str| {
        Panel { page_after: cursor.to_owned(), ..panel.clone() }.address().to_string()
    };
    let step =
        |label, relation, cursor: Option<&str>| Step { label, relation, address: cursor.map(at) };
    let not_first = position.page > 1;
    let sorts = COLUMNS.iter().take(4).flat_map(|(name, label)| {
        [(*name).to_owned(), format!("-{name}")]
            .into_iter()
            .zip(["up", "down"])
            .map(move |(value, words)| (value, format!("{label} {words}")))
    });
    PanelsPage {
        frame,
        xlsx: panel.export(columns, "xlsx"),
        csv: panel.export(columns, "csv"),
        categories: choices(CATEGORIES, &panel.category),
        inheritances: choices(INHERITANCES, &panel.inheritance),
        sorts: sorts
            .map(|(value, label)| Choice { chosen: value == panel.sort, value, label })
            .collect(),
        sizes: choices(SIZES, &panel.page_size),
        columns: COLUMNS
            .iter()
            .map(|(name, label)| Choice {
                value: (*name).to_owned(),
                label: (*label).to_owned(),
                chosen: columns.iter().any(|(shown, _)| shown == name),
            })
            .collect(),
        best: panel.best,
        summary: match position.total {
            1 => "1 gene".to_owned(),
            total => format!("{} genes", grouped(total)),
        },
        heads: columns.iter().map(|(name, label)| Head { label, order: order(name) }).collect(),
        rows: rows
            .iter()
            .map(|row| columns.iter().map(|(name, _)| cell(row, name)).collect())
            .collect(),
        steps: vec![
            step("First", "first", not_first.then_some("0")),
            step("Previous", "previous", position.previous.as_deref().or(not_first.then_some("0"))),
            step("Next", "next", position.next.as_deref()),
            step(
                "Last",
                "last",
                position.last.as_deref().filter(|_| position.page < position.pages),
            ),
        ],
        page: position.page,
        pages: position.pages.max(1),
    }
}

fn cell(row: &ListRow, name: &str) -> Markup {
    let text = row.text(name);
    match name {
        "symbol" => badge::gene(text),
        "category" => badge::category(text),
        "inheritance" => Markup::group(
            "badges",
            text.split("; ").filter(|name| !name.is_empty()).map(badge::inheritance),
        ),
        _ if text.is_empty() => Markup::constant("<span class=\"soft\">–</span>"),
        _ => Markup::text(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn a_panel_has_the_published_address_and_filter() {
        let panel = Panel::read("Definitive", "Autosomal dominant", &[]);
        assert_eq!(panel.address().to_string(), "/Panels/Definitive/Autosomal%20dominant");
        assert_eq!(
            panel.filter(),
            "equals(category,Definitive),any(inheritance_filter,Autosomal dominant)"
        );
        assert!(panel.best);
    }

    #[test]
    fn what_the_form_sends_comes_back_from_the_address() {
        let form = [
            pair("category", "All"),
            pair("field", "symbol"),
            pair("field", "bed_hg19"),
            pair("sort", "-category"),
        ];
        let panel = Panel::read("All", "All", &form);
        assert!(!panel.best, "the box was not ticked");
        let address = panel.address().to_string();
        assert_eq!(
            address,
            "/Panels/All/All?sort=-category&fields=symbol,bed_hg19&max_category=FALSE"
        );
        let query = [
            pair("sort", "-category"),
            pair("fields", "symbol,bed_hg19"),
            pair("max_category", "FALSE"),
        ];
        assert_eq!(Panel::read("All", "All", &query), panel);
    }

    #[test]
    fn a_column_without_a_value_is_shown_to_those_who_ask_for_it() {
        let default = Panel::read("All", "All", &[]);
        assert!(default.has("bed_hg38", &[]) && !default.has("bed_hg38", &["bed_hg38"]));
        assert!(!default.has("ucsc_id", &[]));
        let asked = Panel::read("All", "All", &[pair("field", "bed_hg38")]);
        assert!(asked.has("bed_hg38", &["bed_hg38"]) && !asked.has("symbol", &[]));
    }

    #[test]
    fn unknown_columns_are_left_out() {
        let panel = Panel::read("All", "All", &[pair("fields", "symbol,password")]);
        assert_eq!(panel.fields, ["symbol"]);
    }
}
