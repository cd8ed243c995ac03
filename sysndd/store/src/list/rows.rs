//! The rows of a page, fetched by their ids.

use std::sync::Arc;

use foundation_durable::{BuiltSql, Row, Value};
use sysndd_core::list::{Column, Kind, ListRequest};

use super::build::Builder;
use super::order::{Id, arrange};
use super::relation::Relation;
use crate::error::Error;
use crate::reader::Reading;

/// How many rows are fetched at a time, so that a list of any length takes bounded memory.
pub(super) const CHUNK: usize = 500;

/// A row of a list: named values, and for a gene its entities.
#[derive(Clone, Debug, PartialEq)]
pub struct ListRow {
    /// The names, shared by all rows of a page.
    pub names: Arc<[&'static str]>,
    /// The values in the order of the names.
    pub values: Vec<Value>,
    /// The entities of a gene that passed the filter; for other lists nothing.
    pub entities: Vec<ListRow>,
}

impl ListRow {
    /// The value with this name; null if there is none.
    #[must_use]
    pub fn value(&self, name: &str) -> &Value {
        let place = self.names.iter().position(|known| *known == name);
        place.and_then(|place| self.values.get(place)).unwrap_or(&Value::Null)
    }

    /// The text with this name; empty if it has none.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        match self.value(name) {
            Value::Text(text) => text,
            _ => "",
        }
    }

    /// The number with this name; 0 if it has none.
    #[must_use]
    pub fn integer(&self, name: &str) -> i64 {
        match self.value(name) {
            Value::Integer(number) => *number,
            _ => 0,
        }
    }
}

/// Fetches the rows of these ids, in their order.
pub(super) async fn fetch(
    reading: &mut Reading,
    request: &ListRequest,
    ids: &[Id],
) -> Result<Vec<ListRow>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    if Relation::of(request.table).grouped() {
        groups(reading, request, ids).await
    } else {
        singles(reading, request, ids).await
    }
}

fn id_of(row: &Row, kind: Kind, at: usize) -> Result<Id, Error> {
    Ok(match kind {
        Kind::Integer => Id::Number(row.integer(at)?),
        _ => Id::Name(row.text(at)?.to_owned()),
    })
}

async fn singles(
    reading: &mut Reading,
    request: &ListRequest,
    ids: &[Id],
) -> Result<Vec<ListRow>, Error> {
    let relation = Relation::of(request.table);
    let mut builder = Builder::new(reading.transaction.engine(), request.table);
    let columns: Vec<_> = request.fields.iter().map(|column| relation.expression(column)).collect();
    let id = relation.expression(request.table.id_column());
    let places: Vec<_> = ids.iter().map(|id| builder.bind(id.clone())).collect();
    let sql = format!(
        "SELECT {id}, {} FROM {} WHERE {id} IN ({})",
        columns.join(", "),
        relation.from(&request.fields),
        places.join(", "),
    );
    let built = BuiltSql::from_builder("list: rows", sql);
    let names: Arc<[&'static str]> = request.fields.iter().map(|column| column.name).collect();
    let kind = request.table.id_column().kind;
    let mut rows = Vec::with_capacity(ids.len());
    for row in reading.transaction.built_rows(&built, &builder.values).await? {
        let id = id_of(&row, kind, 0)?;
        let mut values = row.into_values();
        values.remove(0);
        rows.push((id, ListRow { names: Arc::clone(&names), values, entities: Vec::new() }));
    }
    Ok(arrange(ids, rows))
}

/// Genes with those of their entities that pass the filter.
async fn groups(
    reading: &mut Reading,
    request: &ListRequest,
    ids: &[Id],
) -> Result<Vec<ListRow>, Error> {
    let table = request.table;
    let relation = Relation::of(table);
    let mut builder = Builder::new(reading.transaction.engine(), table);
    let condition = builder.condition(&request.filter);
    let columns: Vec<&'static Column> =
        table.columns.iter().filter(|c| c.name != "entities").collect();
    let expressions: Vec<_> = columns.iter().map(|column| relation.looked_up(column)).collect();
    let places: Vec<_> = ids.iter().map(|id| builder.bind(id.clone())).collect();
    let sql = format!(
        "SELECT {} FROM {} WHERE {condition} AND e.hgnc_id IN \
         (SELECT s.hgnc_id FROM non_alt_loci_set AS s WHERE s.symbol IN ({})) ORDER BY e.entity_id",
        expressions.join(", "),
        relation.from(&super::columns_of_filter(table, &request.filter, &[])),
        places.join(", "),
    );
    let built = BuiltSql::from_builder("list: groups", sql);
    let place = |name: &str| columns.iter().position(|column| column.name == name);
    let symbol = place("symbol").unwrap_or(0);
    let mut genes: Vec<(Id, Vec<Vec<Value>>)> = Vec::new();
    let mut at = std::collections::HashMap::new();
    for row in reading.transaction.built_rows(&built, &builder.values).await? {
        let id = id_of(&row, Kind::Text, symbol)?;
        let gene = *at.entry(id.clone()).or_insert_with(|| {
            genes.push((id, Vec::new()));
            genes.len() - 1
        });
        genes[gene].1.push(row.into_values());
    }
    let names: Arc<[&'static str]> = request.fields.iter().map(|column| column.name).collect();
    let nested: Vec<_> = columns.iter().filter(|column| !column.shown).map(|c| c.name).collect();
    let nested: Arc<[&'static str]> = nested.into();
    let made = genes.into_iter().map(|(id, rows)| {
        let values = names
            .iter()
            .map(|name| match (*name, relation.panel()) {
                ("inheritance", true) => joined(&rows, place("hpo_mode_of_inheritance_term_name")),
                ("category", true) => best(&rows, place("category_id"), place("category")),
                (name, _) => first(&rows, place(name)),
            })
            .collect();
        let entities = match names.contains(&"entities") {
            false => Vec::new(),
            true => rows.iter().map(|row| entity(row, &nested, &place)).collect(),
        };
        (id, ListRow { names: Arc::clone(&names), values, entities })
    });
    Ok(arrange(ids, made))
}

fn entity(
    row: &[Value],
    nested: &Arc<[&'static str]>,
    place: &impl Fn(&str) -> Option<usize>,
) -> ListRow {
    let value = |name: &&str| place(name).and_then(|at| row.get(at)).cloned();
    let values = nested.iter().map(|name| value(name).unwrap_or(Value::Null)).collect();
    ListRow { names: Arc::clone(nested), values, entities: Vec::new() }
}

fn first(rows: &[Vec<Value>], place: Option<usize>) -> Value {
    let value = place.and_then(|at| rows.first().and_then(|row| row.get(at)));
    value.cloned().unwrap_or(Value::Null)
}

/// The category of the row with the strongest one.
fn best(rows: &[Vec<Value>], number: Option<usize>, name: Option<usize>) -> Value {
    let (Some(number), Some(name)) = (number, name) else { return Value::Null };
    let strength = |row: &&Vec<Value>| match row.get(number) {
        Some(Value::Integer(strength)) => *strength,
        _ => i64::MAX,
    };
    rows.iter().min_by_key(strength).and_then(|row| row.get(name)).cloned().unwrap_or(Value::Null)
}

/// The different values in the order of the alphabet, so that the same set reads the same.
fn joined(rows: &[Vec<Value>], place: Option<usize>) -> Value {
    let mut names: Vec<&str> = rows
        .iter()
        .filter_map(|row| match place.and_then(|at| row.get(at)) {
            Some(Value::Text(name)) => Some(name.as_str()),
            _ => None,
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    Value::Text(names.join("; "))
}
