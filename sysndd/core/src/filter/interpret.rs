//! What a filter means, said once more without a database.
//!
//! The product never calls this; the tests of the SQL do, on both engines. It is kept beside the
//! language because it is the language's definition in code.

use std::collections::BTreeMap;

use super::{
    ABSENT, Bound, Filter, INHERITANCE_SUFFIX, Logic, Operation, Target, Term, bound, modified_term,
};
use crate::list::{Column, Kind, Table};

/// The value of one column of one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// There is none.
    Null,
    /// A number.
    Integer(i64),
    /// A text.
    Text(String),
    /// The terms of a review with their modifiers.
    Terms(Vec<(i64, String)>),
}

/// One row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Its columns by name; one that is missing has no value.
    pub cells: BTreeMap<String, Cell>,
    /// For lists of groups: the rows of the row's group, itself included.
    pub group: Vec<BTreeMap<String, Cell>>,
}

/// Whether a row passes a filter that was [checked](Filter::check).
#[must_use]
pub fn passes(filter: &Filter, table: &'static Table, record: &Record) -> bool {
    if filter.is_empty() {
        return true;
    }
    let mut terms = filter.terms.iter().map(|term| holds(term, table, record));
    match filter.logic {
        Logic::And => terms.all(|held| held),
        Logic::Or => terms.any(|held| held),
        Logic::Not => !terms.all(|held| held),
    }
}

fn holds(term: &Term, table: &'static Table, record: &Record) -> bool {
    match term.target(table) {
        None => false,
        Some(Target::One(column)) => column_holds(term, column, record, false),
        Some(Target::AnyOf(columns)) => {
            columns.into_iter().any(|column| column_holds(term, column, record, true))
        }
        Some(Target::AllOf(columns)) => {
            columns.into_iter().all(|column| column_holds(term, column, record, true))
        }
    }
}

fn column_holds(term: &Term, column: &Column, record: &Record, as_text: bool) -> bool {
    if term.operation == Operation::All && column.grouped && !as_text {
        return term.values.iter().all(|value| {
            record.group.iter().any(|row| {
                row.get(column.name)
                    .is_some_and(|cell| is_one_of(cell, column.kind, &[&value.text]))
            })
        });
    }
    let Some(cell) = record.cells.get(column.name) else { return false };
    let values: Vec<&str> = term.values.iter().map(|value| value.text.as_str()).collect();
    match term.operation {
        Operation::Equals => equals(cell, values[0]),
        Operation::Any => is_one_of(cell, column.kind, &values),
        Operation::All => values.iter().all(|value| is_one_of(cell, column.kind, &[value])),
        Operation::Contains => contains(cell, values[0]),
        _ => ordered(term.operation, cell, values[0], as_text),
    }
}

fn equals(cell: &Cell, value: &str) -> bool {
    is_one_of(cell, Kind::Text, &[value])
}

fn is_one_of(cell: &Cell, kind: Kind, values: &[&str]) -> bool {
    match cell {
        Cell::Null => false,
        Cell::Integer(number) => values.contains(&number.to_string().as_str()),
        Cell::Text(text) => {
            let short = text.strip_suffix(INHERITANCE_SUFFIX).filter(|_| kind == Kind::Inheritance);
            values.contains(&text.as_str()) || short.is_some_and(|short| values.contains(&short))
        }
        Cell::Terms(terms) => values.iter().any(|value| {
            let (wanted, name) = modified_term(value);
            terms.iter().any(|(modifier, term)| {
                term == name && wanted.map_or(*modifier != ABSENT, |wanted| wanted == *modifier)
            })
        }),
    }
}

fn contains(cell: &Cell, value: &str) -> bool {
    let within = |text: &str| text.to_ascii_lowercase().contains(&value.to_ascii_lowercase());
    match cell {
        Cell::Null => false,
        Cell::Integer(number) => within(&number.to_string()),
        Cell::Text(text) => within(text),
        Cell::Terms(terms) => terms.iter().any(|(modifier, term)| {
            (*modifier != ABSENT || modified_term(value).0 == Some(ABSENT))
                && within(&format!("{modifier}-{term}"))
        }),
    }
}

fn ordered(operation: Operation, cell: &Cell, value: &str, as_text: bool) -> bool {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let ordering = match cell {
        Cell::Null | Cell::Terms(_) => return false,
        Cell::Text(text) => text.as_bytes().cmp(value.as_bytes()),
        Cell::Integer(number) if as_text => number.to_string().as_bytes().cmp(value.as_bytes()),
        Cell::Integer(number) => match bound(value) {
            None => return false,
            Some(Bound::At(bound)) => number.cmp(&bound),
            Some(Bound::After(below)) if *number <= below => Less,
            Some(Bound::After(_)) => Greater,
        },
    };
    match operation {
        Operation::Less => ordering == Less,
        Operation::LessOrEqual => matches!(ordering, Less | Equal),
        Operation::Greater => ordering == Greater,
        _ => matches!(ordering, Greater | Equal),
    }
}
