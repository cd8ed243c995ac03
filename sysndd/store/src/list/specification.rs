//! Field specifications: how many values a column has, and whether a page offers them to choose.

use std::sync::Arc;

use foundation_durable::{BuiltSql, Value};
use sysndd_core::filter::Filter;
use sysndd_core::list::{Column, ListRequest, Table};

use super::build::Builder;
use super::relation::Relation;
use crate::error::Error;
use crate::reader::Reading;

/// Up to this many different values a page offers to choose from.
const OPTIONS_MAX: i64 = 10;
/// Up to this many, one can be chosen; above, several.
const SINGLE_MAX: i64 = 2;

/// What a page needs to know of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldSpecification {
    /// The name of the column.
    pub key: &'static str,
    /// The values to choose from; none where there are too many.
    pub options: Option<Vec<String>>,
    /// Different values in the whole table.
    pub count: i64,
    /// Different values among the rows that pass the filter.
    pub count_filtered: i64,
}

impl FieldSpecification {
    /// Whether a page offers a box for free text.
    #[must_use]
    pub fn filterable(&self) -> bool {
        self.options.is_none()
    }

    /// Whether several values can be chosen.
    #[must_use]
    pub fn multi_selectable(&self) -> bool {
        self.options.is_some() && self.count > SINGLE_MAX
    }

    /// Whether one value can be chosen.
    #[must_use]
    pub fn selectable(&self) -> bool {
        self.options.is_some() && self.count <= SINGLE_MAX
    }

    /// The name for people.
    #[must_use]
    pub fn label(&self) -> String {
        label(self.key)
    }
}

/// A name with blanks and a capital letter.
#[must_use]
pub fn label(key: &str) -> String {
    let mut letters = key.replace('_', " ");
    if let Some(first) = letters.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    letters
}

/// What a column has in the whole table.
#[derive(Debug)]
struct Whole {
    count: i64,
    options: Option<Vec<String>>,
}

/// The specifications that a request wants.
pub(super) async fn specifications(
    reading: &mut Reading,
    request: &ListRequest,
) -> Result<Vec<FieldSpecification>, Error> {
    let mut wholes = Vec::with_capacity(request.fspec.len());
    for column in &request.fspec {
        wholes.push(whole(reading, request.table, column).await?);
    }
    let filtered = match request.filter.is_empty() {
        true => wholes.iter().map(|whole| whole.count).collect(),
        false => filtered(reading, request).await?.to_vec(),
    };
    let each = request.fspec.iter().zip(wholes).zip(filtered);
    Ok(each
        .map(|((column, whole), count_filtered)| FieldSpecification {
            key: column.name,
            options: whole.options.clone(),
            count: whole.count,
            count_filtered,
        })
        .collect())
}

async fn whole(
    reading: &mut Reading,
    table: &'static Table,
    column: &'static Column,
) -> Result<Arc<Whole>, Error> {
    let name = format!("column {} {}", table.name, column.name);
    if let Some(whole) = reading.memory.get::<Whole>(reading.version(), &name) {
        return Ok(whole);
    }
    let count =
        counts(reading, table, &[column], &Filter::NONE).await?.first().copied().unwrap_or(0);
    let options = match count <= OPTIONS_MAX {
        true => Some(options(reading, table, column).await?),
        false => None,
    };
    let bytes = options.as_ref().map_or(0, |options| options.iter().map(|o| o.len() + 24).sum());
    let whole = Arc::new(Whole { count, options });
    reading.memory.keep(reading.version(), name, bytes, &whole);
    Ok(whole)
}

async fn filtered(reading: &mut Reading, request: &ListRequest) -> Result<Arc<Vec<i64>>, Error> {
    let columns: Vec<_> = request.fspec.iter().map(|column| column.name).collect();
    let name = super::order::list_name(request, &format!("counts {columns:?}"));
    if let Some(counts) = reading.memory.get::<Vec<i64>>(reading.version(), &name) {
        return Ok(counts);
    }
    let counted = Arc::new(counts(reading, request.table, &request.fspec, &request.filter).await?);
    reading.memory.keep(reading.version(), name, counted.len() * 8, &counted);
    Ok(counted)
}

/// The number of different values of each column among the rows that pass a filter.
async fn counts(
    reading: &mut Reading,
    table: &'static Table,
    columns: &[&'static Column],
    filter: &Filter,
) -> Result<Vec<i64>, Error> {
    if columns.is_empty() {
        return Ok(Vec::new());
    }
    let relation = Relation::of(table);
    let mut builder = Builder::new(reading.transaction.engine(), table);
    let condition = builder.condition(filter);
    let each: Vec<_> = columns
        .iter()
        .map(|column| format!("COUNT(DISTINCT {})", relation.expression(column)))
        .collect();
    let used = super::columns_of_filter(table, filter, columns);
    let sql = format!("SELECT {} FROM {} WHERE {condition}", each.join(", "), relation.from(&used));
    let built = BuiltSql::from_builder("list: counts", sql);
    let rows = reading.transaction.built_rows(&built, &builder.values).await?;
    let Some(row) = rows.first() else { return Ok(vec![0; columns.len()]) };
    (0..columns.len()).map(|at| Ok(row.integer(at)?)).collect()
}

async fn options(
    reading: &mut Reading,
    table: &'static Table,
    column: &'static Column,
) -> Result<Vec<String>, Error> {
    let relation = Relation::of(table);
    let mut builder = Builder::new(reading.transaction.engine(), table);
    let condition = builder.condition(&Filter::NONE);
    let expression = relation.expression(column);
    let sql = format!(
        "SELECT DISTINCT {expression} FROM {} WHERE {condition} AND {expression} IS NOT NULL",
        relation.from(&[column]),
    );
    let built = BuiltSql::from_builder("list: options", sql);
    let rows = reading.transaction.built_rows(&built, &builder.values).await?;
    let mut options: Vec<String> = rows
        .into_iter()
        .filter_map(|row| match row.into_values().into_iter().next() {
            Some(Value::Text(text)) => Some(text),
            Some(Value::Integer(number)) => Some(number.to_string()),
            _ => None,
        })
        .collect();
    options.sort_unstable();
    Ok(options)
}
