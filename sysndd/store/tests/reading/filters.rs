//! The SQL of a filter finds what its meaning says, on both engines.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sysndd_core::filter::Filter;
use sysndd_core::filter::interpret::{Cell, Record, passes};
use sysndd_core::list::{Kind, Table};
use sysndd_store::list::{ENTITY, GENE, ListError, ListQuery, ListRequest, PANEL, PHENOTYPE, list};

use crate::support::{Place, places};

/// Values as they are in the data, parts of them, and what is hard to write.
fn values(records: &[(String, Record)]) -> Vec<String> {
    let mut values: BTreeSet<String> = [
        "",
        "'",
        "''",
        "%",
        "_",
        "\\",
        "\n",
        "é",
        "Ş",
        "a,b",
        "(",
        ")",
        "null",
        "0",
        "-1",
        "01",
        "1.5",
        "-0.5",
        "99999999999999999999",
        "$1",
        "?1",
        "'; DROP TABLE x; --",
        "SYNDROME",
        "5-HP:0001249",
        "1-HP:0001250",
        "HP:",
        "Autosomal dominant",
        "X-linked recessive",
    ]
    .map(str::to_owned)
    .into();
    for (_, record) in records {
        for cell in record.cells.values() {
            match cell {
                Cell::Null => {}
                Cell::Integer(number) => _ = values.insert(number.to_string()),
                Cell::Text(text) => {
                    values.insert(text.chars().skip(1).take(4).collect());
                    values.insert(text.clone());
                }
                Cell::Terms(terms) => {
                    for (modifier, term) in terms {
                        values.insert(term.clone());
                        values.insert(format!("{modifier}-{term}"));
                    }
                }
            }
        }
    }
    values.into_iter().collect()
}

fn term(table: &'static Table, values: Vec<String>) -> impl Strategy<Value = String> {
    let columns: Vec<&str> = table
        .columns
        .iter()
        .filter(|column| column.filtered)
        .map(|column| column.name)
        .chain(["any", "all"])
        .collect();
    let operations = vec![
        "equals",
        "contains",
        "any",
        "all",
        "lessThan",
        "lessOrEqual",
        "greaterThan",
        "greaterOrEqual",
    ];
    let value = prop::sample::select(values);
    (
        prop::sample::select(operations),
        prop::sample::select(columns),
        prop::collection::vec(value, 1..4),
    )
        .prop_map(|(operation, column, mut values)| {
            if !matches!(operation, "any" | "all") {
                values.truncate(1);
            }
            let quoted: Vec<_> =
                values.iter().map(|value| format!("'{}'", value.replace('\'', "''"))).collect();
            format!("{operation}({column},{})", quoted.join(","))
        })
}

fn filter(table: &'static Table, values: Vec<String>) -> impl Strategy<Value = String> {
    (
        prop::sample::select(vec!["", "and", "or", "not"]),
        prop::collection::vec(term(table, values), 1..4),
    )
        .prop_map(|(logic, terms)| match logic {
            "" => terms.join(","),
            logic => format!("{logic}({})", terms.join(",")),
        })
}

/// The ids that a list gives, or that it can't be asked so.
async fn found(place: &Place, table: &'static Table, filter: &str) -> Option<Vec<String>> {
    let query = ListQuery {
        filter: Some(filter.to_owned()),
        page_size: Some("all".to_owned()),
        fspec: Some(String::new()),
        ..ListQuery::default()
    };
    let request = match ListRequest::read(table, &query) {
        Ok(request) => request,
        Err(ListError::Filter(_)) => return None,
        Err(error) => panic!("{error}"),
    };
    let page = list(&mut place.read().await, &request).await.expect(filter);
    let id = |row: &sysndd_store::list::ListRow| match row.integer(table.id) {
        0 => row.text(table.id).to_owned(),
        number => number.to_string(),
    };
    Some(page.rows.iter().map(id).collect())
}

fn the_sql_means_what_the_language_says(table: &'static Table, entities: usize, cases: u32) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let places = runtime.block_on(places(entities, 7));
    let records: Vec<_> =
        places.iter().map(|place| runtime.block_on(place.records(table))).collect();
    for other in &records[1..] {
        assert!(records[0] == *other, "the engines have the same rows");
    }
    let records = &records[0];
    let mut runner = TestRunner::new(Config { cases, ..Config::default() });
    let checked = runner.run(&filter(table, values(records)), |text| {
        let filter =
            Filter::parse(&text).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let expected: BTreeSet<&String> = records
            .iter()
            .filter(|(_, record)| passes(&filter, table, record))
            .map(|(id, _)| id)
            .collect();
        for place in &places {
            if let Some(found) = runtime.block_on(found(place, table, &text)) {
                let distinct: BTreeSet<&String> = found.iter().collect();
                prop_assert_eq!(distinct.len(), found.len(), "{}: twice", place.name);
                prop_assert_eq!(&distinct, &expected, "{}: {}", place.name, text);
            }
        }
        Ok(())
    });
    checked.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn a_filter_on_entities_finds_what_it_means_on_every_engine() {
    the_sql_means_what_the_language_says(&ENTITY, 120, 256);
}

#[test]
fn a_filter_on_phenotypes_finds_what_it_means_on_every_engine() {
    assert!(PHENOTYPE.columns.iter().any(|column| column.kind == Kind::Terms));
    the_sql_means_what_the_language_says(&PHENOTYPE, 120, 192);
}

#[test]
fn a_filter_on_genes_finds_what_it_means_on_every_engine() {
    the_sql_means_what_the_language_says(&GENE, 120, 192);
}

#[test]
fn a_filter_on_panels_finds_what_it_means_on_every_engine() {
    the_sql_means_what_the_language_says(&PANEL, 120, 192);
}
