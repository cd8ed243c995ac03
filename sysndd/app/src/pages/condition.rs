//! A list's form and the filter language say the same in two ways.
//!
//! An address holds one filter (`filter=contains(symbol,ARID)`), so that it can be copied and is the one
//! that the API understands. The form has fields for each column: `where.symbol` for a text that occurs
//! in it, `pick.category` for values to choose. A sent form becomes a filter and the browser is sent to
//! the address with it; a filter in an address fills the form. What the form has no field for stays in a
//! hidden field and is never lost. A filter with `or(…)` or `not(…)` around it can't be joined with
//! anything, as the language has no nesting: it locks the fields until it is taken away.

use std::collections::BTreeMap;

use sysndd_core::filter::{Filter, Logic, Operation, Term};

/// What kind of field a column has in the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    /// A text that occurs in the value.
    Contains,
    /// One or several of the values that there are.
    Chosen,
}

/// A filter, taken apart for a form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Conditions {
    /// What any column contains.
    pub(crate) any: String,
    /// What each column contains.
    pub(crate) contains: BTreeMap<String, String>,
    /// Which values were chosen for each column.
    pub(crate) chosen: BTreeMap<String, Vec<String>>,
    /// What the form has no field for, as a filter.
    pub(crate) rest: String,
}

impl Conditions {
    /// The fields that say what the filter says.
    pub(crate) fn of(filter: &Filter, field_of: impl Fn(&str) -> Option<Field>) -> Self {
        let mut conditions = Self::default();
        if filter.logic == Logic::Not || (filter.logic == Logic::Or && filter.terms.len() > 1) {
            conditions.rest = written(filter.logic, &filter.terms);
            return conditions;
        }
        let mut rest = Vec::new();
        for term in &filter.terms {
            let column = term.column.text.as_str();
            let values = || term.values.iter().map(|value| value.text.clone());
            let field = field_of(column);
            if term.operation == Operation::Contains && column == "any" && conditions.any.is_empty()
            {
                conditions.any = values().collect();
            } else if term.operation == Operation::Contains
                && field == Some(Field::Contains)
                && !conditions.contains.contains_key(column)
            {
                conditions.contains.insert(column.to_owned(), values().collect());
            } else if matches!(term.operation, Operation::Any | Operation::Equals)
                && field == Some(Field::Chosen)
                && !conditions.chosen.contains_key(column)
            {
                conditions.chosen.insert(column.to_owned(), values().collect());
            } else {
                rest.push(term.clone());
            }
        }
        conditions.rest = written(Logic::And, &rest);
        conditions
    }

    /// What a sent form says; `None` if no form was sent.
    pub(crate) fn sent(query: &[(String, String)], columns: &[&str]) -> Option<Self> {
        let mut conditions = Self::default();
        let mut was_sent = false;
        for (name, value) in query {
            let value = value.trim();
            let (kind, column) = name.split_once('.').unwrap_or((name, ""));
            match kind {
                "any" => value.clone_into(&mut conditions.any),
                "filter" => value.clone_into(&mut conditions.rest),
                "where" | "pick" if !columns.contains(&column) || value.is_empty() => {}
                "where" => {
                    conditions.contains.insert(column.to_owned(), value.to_owned());
                }
                "pick" => {
                    conditions.chosen.entry(column.to_owned()).or_default().push(value.to_owned());
                }
                _ => {}
            }
            was_sent |= matches!(kind, "any" | "where" | "pick" | "apply");
        }
        was_sent.then_some(conditions)
    }

    /// Whether nothing can be joined with the rest, so that fields have nothing to say.
    pub(crate) fn locked(&self) -> bool {
        is_joined_otherwise(&self.rest)
    }

    /// The filter that says what the fields say.
    pub(crate) fn filter(&self, columns: &[&str]) -> String {
        if self.locked() {
            return self.rest.clone();
        }
        let mut parts = Vec::new();
        if !self.any.is_empty() {
            parts.push(format!("contains(any,{})", quoted(&self.any)));
        }
        for column in columns {
            if let Some(text) = self.contains.get(*column) {
                parts.push(format!("contains({column},{})", quoted(text)));
            }
            if let Some(values) = self.chosen.get(*column) {
                let values: Vec<_> = values.iter().map(|value| quoted(value)).collect();
                parts.push(format!("any({column},{})", values.join(",")));
            }
        }
        if !self.rest.is_empty() {
            parts.push(self.rest.clone());
        }
        parts.join(",")
    }
}

/// The terms that do not ask this column, as a filter.
pub(crate) fn without(filter: &Filter, column: &str) -> String {
    let others: Vec<_> =
        filter.terms.iter().filter(|term| term.column.text != column).cloned().collect();
    if filter.logic == Logic::And { written(Logic::And, &others) } else { String::new() }
}

fn is_joined_otherwise(filter: &str) -> bool {
    ["or", "not", "and"].iter().any(|word| {
        filter
            .trim_start()
            .strip_prefix(word)
            .is_some_and(|rest| rest.trim_start().starts_with('('))
    })
}

/// The filter in the language of the addresses.
fn written(logic: Logic, terms: &[Term]) -> String {
    let terms: Vec<_> = terms.iter().map(written_term).collect();
    match logic {
        Logic::And => terms.join(","),
        Logic::Or => format!("or({})", terms.join(",")),
        Logic::Not => format!("not({})", terms.join(",")),
    }
}

fn written_term(term: &Term) -> String {
    let word = Operation::WORDS
        .iter()
        .find(|(_, operation)| *operation == term.operation)
        .map_or("equals", |(word, _)| word);
    let values: Vec<_> = term.values.iter().map(|value| quoted(&value.text)).collect();
    format!("{word}({},{})", term.column.text, values.join(","))
}

/// A value as the language takes it literally; quotes only where something would end it.
pub(crate) fn quoted(value: &str) -> String {
    let plain =
        !value.is_empty() && value.trim() == value && !value.contains(['\'', '(', ')', ',']);
    if plain { value.to_owned() } else { format!("'{}'", value.replace('\'', "''")) }
}

/// The filter in words, a sentence for each term.
pub(crate) fn in_words(
    filter: &Filter,
    label: impl Fn(&str) -> String,
    name_of: impl Fn(&str) -> String,
) -> Vec<String> {
    let sentences = filter.terms.iter().map(|term| {
        let column = match term.column.text.as_str() {
            "any" => "any column".to_owned(),
            "all" => "every column".to_owned(),
            name => label(name),
        };
        let values: Vec<_> = term.values.iter().map(|value| name_of(&value.text)).collect();
        let verb = match term.operation {
            Operation::Equals => "is",
            Operation::Contains => "contains",
            Operation::Any => return format!("{column} is {}", values.join(" or ")),
            Operation::All => return format!("{column} has {}", values.join(" and ")),
            Operation::Less => "is less than",
            Operation::LessOrEqual => "is at most",
            Operation::Greater => "is greater than",
            Operation::GreaterOrEqual => "is at least",
        };
        format!("{column} {verb} {}", values.join(", "))
    });
    match filter.logic {
        Logic::And => sentences.collect(),
        Logic::Or => vec![sentences.collect::<Vec<_>>().join(", or ")],
        Logic::Not => vec![format!("not: {}", sentences.collect::<Vec<_>>().join(" and "))],
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const COLUMNS: &[&str] = &["symbol", "category"];

    fn field(column: &str) -> Option<Field> {
        match column {
            "symbol" => Some(Field::Contains),
            "category" => Some(Field::Chosen),
            _ => None,
        }
    }

    fn parsed(text: &str) -> Filter {
        Filter::parse(text).expect("a filter")
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn a_sent_form_becomes_a_filter() {
        let query = [
            pair("any", ""),
            pair("where.symbol", " ARID "),
            pair("pick.category", "Definitive"),
            pair("pick.category", "not applicable"),
            pair("pick.password", "x"),
        ];
        let sent = Conditions::sent(&query, COLUMNS).expect("a form");
        assert_eq!(
            sent.filter(COLUMNS),
            "contains(symbol,ARID),any(category,Definitive,not applicable)"
        );
    }

    #[test]
    fn an_address_without_fields_is_no_sent_form() {
        assert_eq!(
            Conditions::sent(
                &[pair("filter", "equals(symbol,A)"), pair("sort", "symbol")],
                COLUMNS
            ),
            None
        );
    }

    #[test]
    fn what_the_form_has_no_field_for_is_kept() {
        let filter =
            parsed("contains(any,rett),lessThan(entry_date,2011-01-01),any(category,Limited)");
        let conditions = Conditions::of(&filter, field);
        assert_eq!(conditions.any, "rett");
        assert_eq!(conditions.rest, "lessThan(entry_date,2011-01-01)");
        assert_eq!(
            conditions.filter(COLUMNS),
            "contains(any,rett),any(category,Limited),lessThan(entry_date,2011-01-01)"
        );
    }

    #[test]
    fn a_disjunction_stays_whole_and_locks_the_fields() {
        let mut conditions =
            Conditions::of(&parsed("or(equals(symbol,A),equals(symbol,B))"), field);
        assert_eq!(conditions.filter(COLUMNS), "or(equals(symbol,A),equals(symbol,B))");
        conditions.any = "x".to_owned();
        assert!(conditions.locked());
        assert_eq!(conditions.filter(COLUMNS), "or(equals(symbol,A),equals(symbol,B))");
        assert!(!Conditions::of(&parsed("or(equals(symbol,A))"), field).locked());
    }

    #[test]
    fn a_filter_is_told_in_words() {
        let filter = parsed("any(category,Definitive,Limited),contains(symbol,A)");
        let words = in_words(&filter, str::to_uppercase, str::to_owned);
        assert_eq!(words, ["CATEGORY is Definitive or Limited", "SYMBOL contains A"]);
    }

    proptest! {
        #[test]
        fn whatever_is_typed_comes_back_as_typed(
            any in "[^\0]{0,20}",
            symbol in "[^\0]{0,20}",
            chosen in proptest::collection::vec("[^\0]{1,9}", 0..3),
        ) {
            let mut query = vec![pair("any", &any), pair("where.symbol", &symbol)];
            query.extend(chosen.iter().map(|value| pair("pick.category", value)));
            let sent = Conditions::sent(&query, COLUMNS).expect("a form");
            let filter = sent.filter(COLUMNS);
            prop_assert_eq!(Conditions::of(&parsed(&filter), field), sent);
        }
    }
}
