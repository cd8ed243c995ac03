//! From a filter that was checked to SQL with bound values.
//!
//! What a caller wrote becomes a value (`$1`, `$2`, …) without exception; names and operators come
//! from [`Relation`] and this file. [`sysndd_core::filter::interpret`] says what must come out, and
//! a property test compares the two on both engines.

use foundation_durable::{Engine, Value};
use sysndd_core::filter::{
    ABSENT, Bound, Filter, INHERITANCE_SUFFIX, Logic, Operation, Target, Term, bound, modified_term,
};
use sysndd_core::list::{Column, Kind, Table};

use super::relation::{Relation, TERMS};

/// What is never true.
const NEVER: &str = "1 = 0";

/// A text being built, and its values.
#[derive(Debug)]
pub(super) struct Builder {
    engine: Engine,
    relation: Relation,
    table: &'static Table,
    pub(super) values: Vec<Value>,
}

impl Builder {
    pub(super) fn new(engine: Engine, table: &'static Table) -> Self {
        Self { engine, relation: Relation::of(table), table, values: Vec::new() }
    }

    /// Binds a value and returns its place.
    pub(super) fn bind(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    fn bind_all<'a>(&mut self, texts: impl Iterator<Item = &'a str>) -> String {
        let places: Vec<_> = texts.map(|text| self.bind(text)).collect();
        places.join(", ")
    }

    /// A text that is compared byte by byte, whatever the database's own order is.
    pub(super) fn bytes(&self, expression: &str) -> String {
        match self.engine {
            Engine::Sqlite => expression.to_owned(),
            Engine::Postgres => format!("({expression}) COLLATE \"C\""),
        }
    }

    /// A column as text.
    fn text(&self, expression: &str, kind: Kind) -> String {
        match kind {
            Kind::Integer => self.bytes(&format!("CAST({expression} AS TEXT)")),
            _ => self.bytes(expression),
        }
    }

    /// The condition of a filter, with what every row of the table fulfils.
    pub(super) fn condition(&mut self, filter: &Filter) -> String {
        let base = self.relation.condition();
        if filter.is_empty() {
            return base.to_owned();
        }
        let terms: Vec<_> = filter.terms.iter().map(|term| self.term(term)).collect();
        match filter.logic {
            Logic::And => format!("{base} AND ({})", terms.join(" AND ")),
            Logic::Or => format!("{base} AND ({})", terms.join(" OR ")),
            // A term on nothing is false, and this is its opposite.
            Logic::Not => format!("{base} AND ({}) IS NOT TRUE", terms.join(" AND ")),
        }
    }

    fn term(&mut self, term: &Term) -> String {
        let (columns, joint) = match term.target(self.table) {
            // `check` refused it before.
            None => return NEVER.to_owned(),
            Some(Target::One(column)) => return self.predicate(term, column, false),
            Some(Target::AnyOf(columns)) => (columns, " OR "),
            Some(Target::AllOf(columns)) => (columns, " AND "),
        };
        let each: Vec<_> =
            columns.into_iter().map(|column| self.predicate(term, column, true)).collect();
        format!("({})", each.join(joint))
    }

    fn predicate(&mut self, term: &Term, column: &'static Column, as_text: bool) -> String {
        let values: Vec<&str> = term.values.iter().map(|value| value.text.as_str()).collect();
        if term.operation == Operation::All && column.grouped && !as_text {
            let each: Vec<_> = values
                .iter()
                .map(|value| {
                    let expression = format!("o.{}", column.name);
                    let same = self.one_of(&expression, column.kind, &[value]);
                    format!("EXISTS (SELECT 1 FROM {} AND {same})", self.relation.group())
                })
                .collect();
            return format!("({})", each.join(" AND "));
        }
        if column.kind == Kind::Terms {
            return self.of_terms(term.operation, &values);
        }
        let expression = self.relation.expression(column);
        match term.operation {
            Operation::Equals => {
                let kind = if column.kind == Kind::Inheritance { Kind::Text } else { column.kind };
                self.one_of(&expression, kind, &values[..1])
            }
            Operation::Any => self.one_of(&expression, column.kind, &values),
            Operation::All => {
                let each: Vec<_> = values
                    .iter()
                    .map(|value| self.one_of(&expression, column.kind, &[value]))
                    .collect();
                format!("({})", each.join(" AND "))
            }
            Operation::Contains => {
                let text = self.text(&expression, column.kind);
                self.within(&text, values[0])
            }
            order => self.ordered(order, &expression, column.kind, values[0], as_text),
        }
    }

    /// Whether a value is one of several.
    fn one_of(&mut self, expression: &str, kind: Kind, values: &[&str]) -> String {
        if kind == Kind::Integer {
            // A number is written in one way only, so that the text `01` is no 1.
            let numbers = values.iter().filter_map(|value| {
                value.parse::<i64>().ok().filter(|number| number.to_string() == *value)
            });
            let places: Vec<_> = numbers.map(|number| self.bind(number)).collect();
            return match places.is_empty() {
                true => NEVER.to_owned(),
                false => format!("{expression} IN ({})", places.join(", ")),
            };
        }
        let mut places = self.bind_all(values.iter().copied());
        if kind == Kind::Inheritance {
            let long: Vec<_> =
                values.iter().map(|value| format!("{value}{INHERITANCE_SUFFIX}")).collect();
            places.push_str(", ");
            places.push_str(&self.bind_all(long.iter().map(String::as_str)));
        }
        format!("{expression} IN ({places})")
    }

    /// Whether a value occurs in a text; only the case of ASCII letters does not matter, because
    /// that is what both engines can do alike.
    fn within(&mut self, text: &str, value: &str) -> String {
        if value.is_empty() {
            return format!("{text} IS NOT NULL");
        }
        let place = self.bind(value.to_ascii_lowercase());
        match self.engine {
            Engine::Sqlite => format!("instr(lower({text}), {place}) > 0"),
            Engine::Postgres => format!("strpos(lower({text}), {place}) > 0"),
        }
    }

    fn ordered(
        &mut self,
        operation: Operation,
        expression: &str,
        kind: Kind,
        value: &str,
        as_text: bool,
    ) -> String {
        let mut sign = match operation {
            Operation::Less => "<",
            Operation::LessOrEqual => "<=",
            Operation::Greater => ">",
            _ => ">=",
        };
        if kind == Kind::Integer && !as_text {
            let place = match bound(value) {
                None => return NEVER.to_owned(),
                Some(Bound::At(number)) => self.bind(number),
                Some(Bound::After(number)) => {
                    sign = if sign.starts_with('<') { "<=" } else { ">" };
                    self.bind(number)
                }
            };
            return format!("{expression} {sign} {place}");
        }
        let (text, place) = (self.text(expression, kind), self.bind(value));
        format!("{text} {sign} {place}")
    }

    fn of_terms(&mut self, operation: Operation, values: &[&str]) -> String {
        match operation {
            Operation::Equals => self.has_term(&values[..1]),
            Operation::Any => self.has_term(values),
            Operation::All => {
                let each: Vec<_> = values.iter().map(|value| self.has_term(&[value])).collect();
                format!("({})", each.join(" AND "))
            }
            Operation::Contains => {
                let text = self.bytes("CAST(c.modifier_id AS TEXT) || '-' || c.phenotype_id");
                let within = self.within(&text, values[0]);
                let absent = match modified_term(values[0]).0 {
                    Some(ABSENT) => String::new(),
                    _ => format!(" AND c.modifier_id <> {ABSENT}"),
                };
                format!("EXISTS (SELECT 1 FROM {TERMS} AND {within}{absent})")
            }
            // Nothing is less than a list.
            _ => NEVER.to_owned(),
        }
    }

    /// Whether a review has one of these terms. Values are grouped by modifier: a chain of ORs
    /// would be as deep as it is long, which SQLite limits.
    fn has_term(&mut self, values: &[&str]) -> String {
        let mut modifiers: Vec<(Option<i64>, Vec<&str>)> = Vec::new();
        for value in values {
            let (modifier, term) = modified_term(value);
            if let Some((_, terms)) = modifiers.iter_mut().find(|(known, _)| *known == modifier) {
                terms.push(term);
            } else if modifiers.len() < 50 {
                // There are five modifiers; nothing has a fiftieth.
                modifiers.push((modifier, vec![term]));
            }
        }
        let each: Vec<_> = modifiers
            .into_iter()
            .map(|(modifier, terms)| {
                let places = self.bind_all(terms.into_iter());
                let which = match modifier {
                    Some(modifier) => format!("= {}", self.bind(modifier)),
                    None => format!("<> {ABSENT}"),
                };
                format!("(c.phenotype_id IN ({places}) AND c.modifier_id {which})")
            })
            .collect();
        format!("EXISTS (SELECT 1 FROM {TERMS} AND ({}))", each.join(" OR "))
    }
}
