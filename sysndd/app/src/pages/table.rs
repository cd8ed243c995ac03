//! A list as a table: what stands in it, and the addresses that its controls lead to.

use askama::Template;
use sysndd_core::filter::Filter as ListFilter;

use super::address::Address;
use super::condition::{Conditions, Field, in_words};
use super::icon;
use super::markup::Markup;

/// How many rows a page has unless it is asked otherwise.
pub(crate) const PAGE_SIZE: u32 = 10;
/// A page of the site has no more rows than this; whole lists are for the downloads.
const PAGE_ROWS_MAX: u32 = 100;
const PAGE_SIZES: &[&str] = &["10", "25", "50", "100"];

/// What a list of one kind looks like.
pub(crate) struct Plan {
    pub(crate) path: &'static str,
    pub(crate) noun: &'static str,
    pub(crate) noun_plural: &'static str,
    pub(crate) columns: &'static [ColumnPlan],
    pub(crate) default_sort: &'static str,
    /// The filter that holds where the address has none.
    pub(crate) default_filter: &'static str,
}

/// One column of it.
pub(crate) struct ColumnPlan {
    pub(crate) key: &'static str,
    pub(crate) label: &'static str,
}

/// What was asked for in an address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) sort: String,
    pub(crate) filter: String,
    pub(crate) page_after: String,
    pub(crate) page_size: String,
}

/// What the database says about a column: how many values there are, and which, if they are few.
#[derive(Clone, Debug, Default)]
pub(crate) struct Values {
    pub(crate) key: String,
    pub(crate) options: Option<Vec<String>>,
    pub(crate) count: i64,
    pub(crate) count_filtered: i64,
}

/// Where the page of a list stands among the others.
#[derive(Clone, Debug, Default)]
pub(crate) struct Position {
    pub(crate) page: u64,
    pub(crate) pages: u64,
    pub(crate) total: u64,
    pub(crate) previous: Option<String>,
    pub(crate) next: Option<String>,
    pub(crate) last: Option<String>,
}

/// One value to choose.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) label: String,
    pub(crate) chosen: bool,
}

/// The field below a column's head.
#[derive(Clone, Debug)]
pub(crate) enum Filter {
    None,
    Text(String),
    One(Vec<Choice>),
    Many(Vec<Choice>),
}

/// A column's head.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) key: &'static str,
    pub(crate) label: &'static str,
    pub(crate) hint: String,
    pub(crate) order: Option<&'static str>,
    pub(crate) sort_address: Option<String>,
    pub(crate) filter: Filter,
}

impl Column {
    pub(crate) fn arrow(&self) -> Markup {
        match self.order {
            Some("ascending") => icon::decorative("ascending", ""),
            Some(_) => icon::decorative("descending", ""),
            None => icon::decorative("sortable", ""),
        }
    }

    pub(crate) fn chosen_text(&self) -> String {
        let Filter::Many(choices) = &self.filter else { return String::new() };
        let chosen: Vec<_> = choices
            .iter()
            .filter(|choice| choice.chosen)
            .map(|choice| choice.label.as_str())
            .collect();
        match chosen.as_slice() {
            [] => "all".to_owned(),
            [one] => (*one).to_owned(),
            several => format!("{} chosen", several.len()),
        }
    }
}

/// A value in a row.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    pub(crate) class: &'static str,
    pub(crate) content: Markup,
}

impl Cell {
    pub(crate) fn of(content: Markup) -> Self {
        Self { class: "", content }
    }

    pub(crate) fn classed(class: &'static str, content: Markup) -> Self {
        Self { class, content }
    }
}

/// A row, and what it shows when its details are asked for.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) cells: Vec<Cell>,
    pub(crate) more: Markup,
}

/// A link to another page of the list.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) label: &'static str,
    pub(crate) relation: &'static str,
    pub(crate) address: Option<String>,
}

/// A list, ready to be shown.
#[derive(Template)]
#[template(path = "table.html")]
pub(crate) struct Table {
    path: String,
    caption: String,
    noun_plural: &'static str,
    any: String,
    kept: Vec<(&'static str, String)>,
    sorts: Vec<Choice>,
    sizes: Vec<Choice>,
    conditions: Vec<String>,
    /// The filter can't be joined with what the fields would say.
    locked: bool,
    cleared: String,
    summary: String,
    columns: Vec<Column>,
    rows: Vec<Row>,
    steps: Vec<Step>,
    page: u64,
    pages: u64,
}

impl askama::filters::HtmlSafe for Table {}

impl Table {
    /// Whether the filter can't be joined with another term.
    pub(crate) fn is_locked(&self) -> bool {
        self.locked
    }
}

impl Plan {
    fn keys(&self) -> Vec<&'static str> {
        self.columns.iter().map(|column| column.key).collect()
    }

    /// The columns whose values the form has to know.
    pub(crate) fn specified(&self) -> String {
        self.keys().join(",")
    }

    fn label(&self, key: &str) -> String {
        if let Some(column) = self.columns.iter().find(|column| column.key == key) {
            return column.label.to_owned();
        }
        match key {
            "modifier_phenotype_id" => "Phenotype",
            "entry_date" => "Entered",
            // A coarser word than the column's: X-linked is dominant, recessive or other.
            "inheritance_filter" => "Inheritance group",
            key => return key.replace('_', " "),
        }
        .to_owned()
    }

    /// What the address asks for.
    pub(crate) fn asked(&self, query: &[(String, String)]) -> Asked {
        let value = |name: &str| {
            query
                .iter()
                .rev()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.trim().to_owned())
        };
        let size = value("page_size").unwrap_or_default();
        let page_size = match size.parse::<u32>() {
            Ok(rows) if rows > PAGE_ROWS_MAX => PAGE_ROWS_MAX.to_string(),
            _ if size.eq_ignore_ascii_case("all") => PAGE_ROWS_MAX.to_string(),
            _ => size,
        };
        Asked {
            sort: value("sort").unwrap_or_default().trim_start_matches('+').trim().to_owned(),
            filter: value("filter").unwrap_or_else(|| self.default_filter.to_owned()),
            page_after: value("page_after").unwrap_or_default(),
            page_size,
        }
    }

    /// The address with the filter that a sent form means; `None` if no form was sent.
    pub(crate) fn sent(&self, query: &[(String, String)]) -> Option<String> {
        let columns = self.keys();
        let conditions = Conditions::sent(query, &columns)?;
        let asked = Asked {
            filter: conditions.filter(&columns),
            page_after: String::new(),
            ..self.asked(query)
        };
        Some(self.address(&asked).to_string())
    }

    /// The one way to write the address of this view.
    pub(crate) fn address(&self, asked: &Asked) -> Address {
        let unless = |value: &str, default: &str| {
            if value == default { String::new() } else { value.to_owned() }
        };
        let filter = match asked.filter.as_str() {
            filter if filter == self.default_filter => "",
            // Where a filter holds by default, none must be asked for.
            "" | "null" if !self.default_filter.is_empty() => "null",
            "null" => "",
            filter => filter,
        };
        Address::of(self.path)
            .with("sort", &unless(&asked.sort, self.default_sort))
            .with("filter", filter)
            .with("page_after", &unless(&asked.page_after, "0"))
            .with("page_size", &unless(&asked.page_size, &PAGE_SIZE.to_string()))
    }

    /// The same view as the API answers it.
    pub(crate) fn export(&self, endpoint: &str, asked: &Asked, format: &str) -> String {
        Address::of(endpoint.to_owned())
            .with("sort", &asked.sort)
            .with("filter", &asked.filter)
            .with("page_size", "all")
            .with("format", format)
            .to_string()
    }

    fn heads(&self, asked: &Asked, values: &[Values], conditions: &Conditions) -> Vec<Column> {
        let sort = self.sorted_by(asked);
        self.columns
            .iter()
            .map(|plan| {
                let known = values.iter().find(|values| values.key == plan.key);
                let order = match sort.strip_prefix('-') {
                    Some(key) if key == plan.key => Some("descending"),
                    None if sort == plan.key => Some("ascending"),
                    _ => None,
                };
                let next = if order == Some("ascending") {
                    format!("-{}", plan.key)
                } else {
                    plan.key.to_owned()
                };
                let sorted = Asked { sort: next, page_after: String::new(), ..asked.clone() };
                Column {
                    key: plan.key,
                    label: plan.label,
                    hint: known.map(|values| hint(plan.label, values)).unwrap_or_default(),
                    order,
                    sort_address: Some(self.address(&sorted).to_string()),
                    filter: filter(plan, known, conditions),
                }
            })
            .collect()
    }

    /// The first column of the sort, with its sign.
    fn sorted_by<'a>(&'a self, asked: &'a Asked) -> &'a str {
        let first = asked.sort.split(',').next().unwrap_or_default().trim();
        if first.is_empty() { self.default_sort } else { first }
    }

    fn sorts(&self, asked: &Asked) -> Vec<Choice> {
        let sort = self.sorted_by(asked);
        let mut choices = Vec::new();
        for column in self.columns {
            for (sign, words) in [("", "up"), ("-", "down")] {
                let value = format!("{sign}{}", column.key);
                choices.push(Choice {
                    chosen: value == sort,
                    label: format!("{} {words}", column.label),
                    value,
                });
            }
        }
        if !choices.iter().any(|choice| choice.chosen) {
            let (key, words) = match sort.strip_prefix('-') {
                Some(key) => (key, "down"),
                None => (sort, "up"),
            };
            choices.push(Choice {
                value: asked.sort.clone(),
                label: format!("{} {words}", self.label(key)),
                chosen: true,
            });
        }
        choices
    }

    /// The table of these rows.
    pub(crate) fn table(
        &self,
        asked: &Asked,
        filter: &ListFilter,
        values: &[Values],
        position: &Position,
        rows: Vec<Row>,
        name_of: impl Fn(&str) -> String,
    ) -> Table {
        let conditions = Conditions::of(filter, |column| {
            let known = values.iter().find(|values| values.key == column)?;
            Some(if known.options.is_some() { Field::Chosen } else { Field::Contains })
        });
        let at = |cursor: &str| {
            self.address(&Asked { page_after: cursor.to_owned(), ..asked.clone() }).to_string()
        };
        let size = if asked.page_size.is_empty() {
            PAGE_SIZE.to_string()
        } else {
            asked.page_size.clone()
        };
        let mut sizes: Vec<_> = PAGE_SIZES.iter().map(|size| (*size).to_owned()).collect();
        if !sizes.contains(&size) {
            sizes.push(size.clone());
        }
        let kept = if conditions.rest.is_empty() {
            Vec::new()
        } else {
            vec![("filter", conditions.rest.clone())]
        };
        let step = |label, relation, cursor: Option<&str>| Step {
            label,
            relation,
            address: cursor.map(at),
        };
        let not_first = position.page > 1;
        Table {
            path: self.path.to_owned(),
            caption: format!("Table of {}", self.noun_plural),
            noun_plural: self.noun_plural,
            any: conditions.any.clone(),
            kept,
            sorts: self.sorts(asked),
            sizes: sizes
                .into_iter()
                .map(|value| Choice { label: value.clone(), chosen: value == size, value })
                .collect(),
            conditions: in_words(filter, |key| self.label(key), name_of),
            locked: conditions.locked(),
            cleared: self
                .address(&Asked {
                    filter: String::new(),
                    page_after: String::new(),
                    ..asked.clone()
                })
                .to_string(),
            summary: self.summary(position, rows.len()),
            columns: self.heads(asked, values, &conditions),
            rows,
            steps: vec![
                step("First", "first", not_first.then_some("0")),
                step(
                    "Previous",
                    "previous",
                    position.previous.as_deref().or(not_first.then_some("0")),
                ),
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

    fn summary(&self, position: &Position, shown: usize) -> String {
        match position.total {
            0 => format!("No {}", self.noun_plural),
            1 => format!("1 {}", self.noun),
            total if total == shown as u64 => format!("{} {}", grouped(total), self.noun_plural),
            total => format!("{} {}, {shown} on this page", grouped(total), self.noun_plural),
        }
    }
}

fn hint(label: &str, values: &Values) -> String {
    if values.count_filtered == values.count {
        format!("{label}: {} different values", values.count)
    } else {
        format!("{label}: {} of {} different values", values.count_filtered, values.count)
    }
}

fn filter(plan: &ColumnPlan, known: Option<&Values>, conditions: &Conditions) -> Filter {
    let Some(known) = known else { return Filter::None };
    let Some(options) = &known.options else {
        return Filter::Text(conditions.contains.get(plan.key).cloned().unwrap_or_default());
    };
    let held = conditions.chosen.get(plan.key).map_or(&[][..], Vec::as_slice);
    // A value that isn't there is shown nevertheless, so that it can be taken away.
    let gone = held.iter().filter(|value| !options.contains(value));
    let choice = |value: &String| Choice {
        chosen: held.contains(value),
        label: value.clone(),
        value: value.clone(),
    };
    let choices: Vec<_> = options.iter().chain(gone).map(choice).collect();
    let several = choices.len() > 2 || held.len() > 1;
    if several { Filter::Many(choices) } else { Filter::One(choices) }
}

/// A number with commas between groups of three digits.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
