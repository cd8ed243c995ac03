//! Lists as files.

use std::io::Cursor;

use axum::http::header;
use calamine::{Data, Reader as _, Xlsx};
use foundation_durable::Statement;

use crate::site::sites;

#[tokio::test(flavor = "multi_thread")]
async fn a_workbook_has_all_rows_and_says_where_they_come_from() {
    for site in sites(700, 1).await {
        let total =
            site.json("/api/entity/").await["meta"][0]["totalItems"].as_u64().expect("a number");
        let answer = site.get("/api/entity/?format=xlsx&page_size=all").await;
        let name = answer.header(header::CONTENT_DISPOSITION);
        assert!(name.starts_with("attachment; filename=\"api_entity_2"), "{name}");
        assert!(answer.header(header::CONTENT_TYPE).ends_with("spreadsheetml.sheet"));
        let mut book = Xlsx::new(Cursor::new(answer.body)).expect("a workbook");
        assert_eq!(book.sheet_names(), ["data", "meta", "links"]);
        let data = book.worksheet_range("data").expect("data");
        assert_eq!(data.height() as u64, total + 1);
        assert_eq!(data.get((0, 0)), Some(&Data::String("entity_id".to_owned())));
        assert!(matches!(data.get((1, 0)), Some(Data::Float(_) | Data::Int(_))));
        let meta = book.worksheet_range("meta").expect("meta");
        let heading: Vec<_> =
            meta.rows().next().expect("a line").iter().map(ToString::to_string).collect();
        assert!(heading.contains(&"totalItems".to_owned()));
        let gene = site.get("/api/gene/?format=xlsx&page_size=2").await;
        let mut book = Xlsx::new(Cursor::new(gene.body)).expect("a workbook");
        let data = book.worksheet_range("data").expect("data");
        assert_eq!(data.height(), 3);
        let nested = data.get((1, 3)).map(ToString::to_string).unwrap_or_default();
        assert!(serde_json::from_str::<serde_json::Value>(&nested).expect("JSON").is_array());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn values_separated_by_commas_have_all_rows_and_no_formula() {
    const FORMULA: Statement = Statement {
        name: "test",
        sql: "UPDATE disease_ontology_set SET disease_ontology_name = '=HYPERLINK(\"x\",\"y\")'",
    };
    for site in sites(60, 2).await {
        let mut transaction = site.database.write().await.expect("a transaction");
        transaction.execute(&FORMULA, &[]).await.expect("a write");
        transaction.commit().await.expect("a commit");
        let total =
            site.json("/api/entity/").await["meta"][0]["totalItems"].as_u64().expect("a number");
        let answer = site.get("/api/entity/?format=csv&fields=disease_ontology_name").await;
        let mut reader = csv::Reader::from_reader(&answer.body[..]);
        let rows: Vec<_> = reader.records().map(|row| row.expect("a row")).collect();
        assert_eq!(rows.len() as u64, total);
        assert!(rows.iter().all(|row| &row[1] == "'=HYPERLINK(\"x\",\"y\")"), "{:?}", rows[0]);
        let book =
            site.get("/api/entity/?format=xlsx&page_size=3&fields=disease_ontology_name").await;
        let mut book = Xlsx::new(Cursor::new(book.body)).expect("a workbook");
        let data = book.worksheet_range("data").expect("data");
        let cell = data.get((1, 1)).expect("a cell");
        assert_eq!(cell, &Data::String("=HYPERLINK(\"x\",\"y\")".to_owned()), "a text is a text");
        let panel = site.get("/api/panels/browse?format=csv&filter=").await.text();
        assert!(panel.starts_with("category,inheritance,symbol,hgnc_id,"), "{panel}");
    }
}
