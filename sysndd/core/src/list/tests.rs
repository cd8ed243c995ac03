//! The parameters of a list.

use super::*;

fn read(query: &ListQuery) -> Result<ListRequest, ListError> {
    ListRequest::read(&ENTITY, query)
}

fn sorted(text: &str) -> Result<Vec<String>, ListError> {
    let query = ListQuery { sort: Some(text.to_owned()), ..ListQuery::default() };
    let keys = read(&query)?.sort;
    let shown =
        |key: &SortKey| format!("{}{}", if key.descending { "-" } else { "" }, key.column.name);
    Ok(keys.iter().map(shown).collect())
}

fn page(text: &str) -> Result<PageSize, ListError> {
    let query = ListQuery { page_size: Some(text.to_owned()), ..ListQuery::default() };
    Ok(read(&query)?.page_size)
}

#[test]
fn every_default_of_every_table_can_be_read() {
    for table in [&ENTITY, &PHENOTYPE, &GENE, &PANEL, &PANEL_ROWS] {
        let request = ListRequest::read(table, &ListQuery::default()).expect(table.name);
        assert_eq!(request.sort.last().map(|key| key.column.name), Some(table.id));
        assert!(table.column(table.id).is_some_and(|column| column.shown && !column.optional));
    }
}

#[test]
fn a_sorting_ends_with_the_column_that_tells_rows_apart() {
    assert_eq!(sorted("-category, symbol").expect("known"), ["-category", "symbol", "entity_id"]);
    assert_eq!(sorted(" symbol").expect("a plus decoded"), ["symbol", "entity_id"]);
    assert_eq!(sorted("-entity_id").expect("known"), ["-entity_id"]);
    assert_eq!(sorted("symbol,-symbol").expect("twice"), ["symbol", "entity_id"]);
    assert_eq!(sorted("").expect("nothing"), ["entity_id"]);
    let error = sorted("symbol,pass;word").expect_err("unknown");
    assert_eq!(error.place(), Some((7, "pass;word")));
}

#[test]
fn one_rule_for_the_size_of_a_page() {
    assert_eq!(page("25"), Ok(PageSize::Rows(25)));
    assert_eq!(page("all"), Ok(PageSize::All));
    for wrong in ["0", "-1", "abc", "", "50001", "1.5", "99999999999"] {
        assert!(matches!(page(wrong), Err(ListError::PageSize { .. })), "{wrong}");
    }
}

#[test]
fn the_id_is_always_among_the_fields() {
    let query = ListQuery { fields: Some("symbol,category".to_owned()), ..ListQuery::default() };
    let names: Vec<_> = read(&query).expect("known").fields.iter().map(|c| c.name).collect();
    assert_eq!(names, ["entity_id", "symbol", "category"]);
    let query = ListQuery { fields: Some("symbol,secret".to_owned()), ..ListQuery::default() };
    let error = read(&query).expect_err("unknown");
    assert_eq!((error.parameter(), error.place()), ("fields", Some((7, "secret"))));
}

#[test]
fn no_parameter_may_be_endless() {
    let query = ListQuery { sort: Some("symbol,".repeat(1000)), ..ListQuery::default() };
    assert_eq!(read(&query).expect_err("long"), ListError::Parameter { parameter: "sort" });
    let query = ListQuery { page_after: Some("a\0".to_owned()), ..ListQuery::default() };
    assert_eq!(read(&query).expect_err("NUL"), ListError::Parameter { parameter: "page_after" });
}
