//! The order of a list: the ids of its rows, worked out once for each state of the data, filter and
//! sorting.
//!
//! With it a page is a slice, whatever it is sorted by and however far from the beginning, and
//! total, number of the page and all four cursors come out of it without counting. 50,000 ids are
//! 400 kB; a text is larger, so symbols are packed.

use std::collections::HashMap;
use std::sync::Arc;

use foundation_durable::{BuiltSql, Value};
use sysndd_core::list::{Kind, ListRequest, SortKey};

use super::build::Builder;
use super::relation::Relation;
use crate::error::Error;
use crate::reader::Reading;

/// The id of a row.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Id {
    /// A number.
    Number(i64),
    /// A text.
    Name(String),
}

impl From<Id> for Value {
    fn from(id: Id) -> Self {
        match id {
            Id::Number(number) => number.into(),
            Id::Name(name) => name.into(),
        }
    }
}

impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// The ids of a list in its order.
#[derive(Debug)]
pub(super) enum Order {
    Numbers(Vec<i64>),
    Names { text: String, ends: Vec<u32> },
}

impl Order {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Numbers(numbers) => numbers.len(),
            Self::Names { ends, .. } => ends.len(),
        }
    }

    fn name(text: &str, ends: &[u32], at: usize) -> String {
        let start = at.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0);
        let end = ends.get(at).copied().unwrap_or(start);
        text.get(start as usize..end as usize).unwrap_or_default().to_owned()
    }

    /// The id at a place.
    pub(super) fn id(&self, at: usize) -> Option<Id> {
        match self {
            Self::Numbers(numbers) => numbers.get(at).copied().map(Id::Number),
            Self::Names { text, ends } => {
                (at < ends.len()).then(|| Id::Name(Self::name(text, ends, at)))
            }
        }
    }

    pub(super) fn ids(&self, from: usize, to: usize) -> Vec<Id> {
        (from..to.min(self.len())).filter_map(|at| self.id(at)).collect()
    }

    /// The place of an id. A walk over all of them is some microseconds.
    fn place(&self, id: &Id) -> Option<usize> {
        match (self, id) {
            (Self::Numbers(numbers), Id::Number(number)) => {
                numbers.iter().position(|known| known == number)
            }
            (Self::Names { text, ends }, Id::Name(name)) => {
                let mut start = 0;
                ends.iter().position(|&end| {
                    let here = text.get(start as usize..end as usize) == Some(name.as_str());
                    start = end;
                    here
                })
            }
            _ => None,
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Numbers(numbers) => numbers.len() * 8,
            Self::Names { text, ends } => text.len() + ends.len() * 4,
        }
    }
}

/// The id that a cursor names, if it can be one of this list.
fn cursor(request: &ListRequest) -> Option<Id> {
    let text = &request.page_after;
    if text.is_empty() {
        return None;
    }
    match request.table.id_column().kind {
        Kind::Integer => text.parse().ok().map(Id::Number),
        _ => Some(Id::Name(text.clone())),
    }
}

/// A name that tells the lists of one state apart.
pub(super) fn list_name(request: &ListRequest, what: &str) -> String {
    let mut name = format!("{what} {}", request.table.name);
    for key in &request.sort {
        name.push(if key.descending { '-' } else { '+' });
        name.push_str(key.column.name);
    }
    name.push_str(&format!(" {:?}", request.filter.logic));
    for term in &request.filter.terms {
        name.push_str(&format!(" {:?} {:?}", term.operation, term.column.text));
        for value in &term.values {
            name.push_str(&format!(" {:?}", value.text));
        }
    }
    name
}

/// The expression that a key sorts by: of several rows in one group, the first one counts.
fn key_expression(builder: &Builder, relation: Relation, key: &SortKey, id: &str) -> String {
    let expression = relation.expression(key.column);
    if relation.grouped() && key.column.name != id {
        return format!("{}({expression})", if key.descending { "MAX" } else { "MIN" });
    }
    match key.column.kind {
        Kind::Terms => builder.bytes(&expression),
        _ => expression,
    }
}

/// `ORDER BY` without its first words. What has no value comes last either way, on both engines.
fn order_by(keys: &[(String, &SortKey)]) -> String {
    let each: Vec<_> = keys
        .iter()
        .map(|(expression, key)| {
            let direction = if key.descending { " DESC" } else { "" };
            let last = if key.column.optional { " NULLS LAST" } else { "" };
            format!("{expression}{direction}{last}")
        })
        .collect();
    each.join(", ")
}

/// The order of a list.
pub(super) async fn order(
    reading: &mut Reading,
    request: &ListRequest,
) -> Result<Arc<Order>, Error> {
    let name = list_name(request, "order");
    if let Some(order) = reading.memory.get::<Order>(reading.version(), &name) {
        return Ok(order);
    }
    let mut builder = Builder::new(reading.transaction.engine(), request.table);
    let relation = Relation::of(request.table);
    let id = relation.expression(request.table.id_column());
    let condition = builder.condition(&request.filter);
    let keys: Vec<_> = request
        .sort
        .iter()
        .map(|key| (key_expression(&builder, relation, key, request.table.id), key))
        .collect();
    let group = if relation.grouped() { format!(" GROUP BY {id}") } else { String::new() };
    let sql = format!(
        "SELECT {id} FROM {} WHERE {condition}{group} ORDER BY {}",
        relation.from(&super::columns_used(request)),
        order_by(&keys)
    );
    let built = BuiltSql::from_builder("list: order", sql);
    let mut numbers = Vec::new();
    let (mut text, mut ends) = (String::new(), Vec::new());
    let number = request.table.id_column().kind == Kind::Integer;
    for row in reading.transaction.built_rows(&built, &builder.values).await? {
        if number {
            numbers.push(row.integer(0)?);
        } else {
            text.push_str(row.text(0)?);
            ends.push(u32::try_from(text.len()).unwrap_or(u32::MAX));
        }
    }
    let order = if number { Order::Numbers(numbers) } else { Order::Names { text, ends } };
    let order = Arc::new(order);
    reading.memory.keep(reading.version(), name, order.bytes(), &order);
    Ok(order)
}

/// The number of rows that come before a page: its cursor and all before it.
///
/// A cursor that is no longer in the list (its row changed, or is no longer public) is looked up,
/// and the page starts where its row would stand; one that never was starts at the beginning.
pub(super) async fn start(
    reading: &mut Reading,
    request: &ListRequest,
    order: &Order,
) -> Result<usize, Error> {
    let Some(id) = cursor(request) else { return Ok(0) };
    if let Some(place) = order.place(&id) {
        return Ok(place + 1);
    }
    let relation = Relation::of(request.table);
    let mut builder = Builder::new(reading.transaction.engine(), request.table);
    let by_id = request.sort.len() == 1;
    if relation.grouped() && !by_id {
        return Ok(0);
    }
    let keys: Vec<_> = request
        .sort
        .iter()
        .map(|key| key_expression(&builder, relation, key, request.table.id))
        .collect();
    let place = builder.bind(id);
    let sql = format!(
        "SELECT {} FROM {} WHERE {} = {place}",
        keys.join(", "),
        relation.lookup(),
        relation.expression(request.table.id_column()),
    );
    let built = BuiltSql::from_builder("list: cursor", sql);
    let found = reading.transaction.built_rows(&built, &builder.values).await?;
    let Some(row) = found.into_iter().next() else { return Ok(0) };
    let values = row.into_values();
    before(reading, request, &values).await
}

/// How many rows of a list come before a row with these values.
async fn before(
    reading: &mut Reading,
    request: &ListRequest,
    values: &[Value],
) -> Result<usize, Error> {
    let relation = Relation::of(request.table);
    let mut builder = Builder::new(reading.transaction.engine(), request.table);
    let condition = builder.condition(&request.filter);
    let mut earlier = "1 = 0".to_owned();
    for (key, value) in request.sort.iter().zip(values).rev() {
        let expression = builder.key(relation, key, request.table.id);
        let sign = if key.descending { ">" } else { "<" };
        earlier = if *value == Value::Null {
            format!("({expression} IS NOT NULL OR ({expression} IS NULL AND {earlier}))")
        } else {
            let place = builder.bind(value.clone());
            format!("({expression} {sign} {place} OR ({expression} = {place} AND {earlier}))")
        };
    }
    let id = relation.expression(request.table.id_column());
    let sql = format!(
        "SELECT COUNT(DISTINCT {id}) FROM {} WHERE {condition} AND {earlier}",
        relation.from(&super::columns_used(request)),
    );
    let built = BuiltSql::from_builder("list: place", sql);
    let rows = reading.transaction.built_rows(&built, &builder.values).await?;
    let count = rows.first().map(|row| row.integer(0)).transpose()?.unwrap_or(0);
    Ok(usize::try_from(count).unwrap_or(0))
}

impl Builder {
    fn key(&self, relation: Relation, key: &SortKey, id: &str) -> String {
        key_expression(self, relation, key, id)
    }
}

/// Puts rows into the order of their ids.
pub(super) fn arrange<T>(ids: &[Id], rows: impl IntoIterator<Item = (Id, T)>) -> Vec<T> {
    let mut by_id: HashMap<Id, T> = rows.into_iter().collect();
    ids.iter().filter_map(|id| by_id.remove(id)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_names_come_back_one_by_one() {
        let order = Order::Names { text: "ABCDE".to_owned(), ends: vec![1, 3, 3, 5] };
        let names: Vec<_> = order.ids(0, 9).iter().map(Id::to_string).collect();
        assert_eq!(names, ["A", "BC", "", "DE"]);
        assert_eq!(order.place(&Id::Name("DE".to_owned())), Some(3));
        assert_eq!(order.place(&Id::Name("D".to_owned())), None);
        assert_eq!(order.place(&Id::Number(1)), None);
        assert_eq!(order.id(4), None);
    }
}
