//! The shapes of real answers of the published API: every key that is there is here, in its case, with
//! a value of the same kind. Where an answer deliberately differs, `docs/api.md` says why.

use std::path::Path;

use serde_json::Value;

use crate::site::sites;

/// Paths whose answers are kept beside this project, and the files they are in.
const ANSWERS: &[(&str, &str)] = &[
    ("/api/entity/?page_size=2", "api_entity_GET.json"),
    ("/api/gene/?page_size=2", "api_gene_GET.json"),
    ("/api/phenotype/entities/browse?page_size=2", "api_phenotype_entities_browse_GET.json"),
    ("/api/phenotype/count", "api_phenotype_count_GET.json"),
    ("/api/list/phenotype", "api_list_phenotype_GET.json"),
    ("/api/list/status?page_size=2", "api_list_status_GET.json"),
    ("/api/panels/options", "api_panels_options_GET.json"),
    ("/api/statistics/category_count", "api_statistics_category_count_GET.json"),
    ("/api/statistics/news", "api_statistics_news_GET.json"),
    ("/api/version/", "api_version_GET.json"),
];

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a flag",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Holds our value against the published one.
fn same_shape(place: &str, published: &Value, ours: &Value) {
    match (published, ours) {
        // The old server wrote a missing list as an empty object.
        (Value::Object(empty), Value::Null) if empty.is_empty() => {}
        (Value::Object(published), Value::Object(ours)) => {
            for (key, value) in published {
                let found = ours.get(key).unwrap_or_else(|| panic!("{place}.{key} is missing"));
                same_shape(&format!("{place}.{key}"), value, found);
            }
        }
        (Value::Array(published), Value::Array(ours)) => {
            if let (Some(first), Some(own)) = (published.first(), ours.first()) {
                same_shape(&format!("{place}[0]"), first, own);
            }
            // The pseudo column `details` is the last one.
            if let (true, Some(last), Some(own)) =
                (place.ends_with("fspec"), published.last(), ours.last())
            {
                same_shape(&format!("{place}[last]"), last, own);
            }
        }
        // The old server put single values into lists in some answers.
        (Value::Array(boxed), ours) if boxed.len() == 1 => same_shape(place, &boxed[0], ours),
        // Synopses and such may be missing, and cursors are numbers where ids are.
        (_, Value::Null) => {}
        (Value::String(text), Value::Number(_)) if text == "0" || text == "null" => {}
        (Value::Number(_), Value::String(text)) if text == "null" => {}
        (published, ours) => assert_eq!(kind(published), kind(ours), "{place}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_have_the_published_shapes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/sysndd-api");
    if !folder.is_dir() {
        println!("skipped: no shared data");
        return;
    }
    for site in sites(300, 1).await {
        for (path, file) in ANSWERS {
            let text = std::fs::read_to_string(folder.join(file)).expect(file);
            let published: Value = serde_json::from_str(&text).expect(file);
            same_shape(path, &published, &site.json(path).await);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_has_the_published_envelope() {
    for site in sites(120, 2).await {
        let page = site.json("/api/entity/?page_size=2").await;
        let meta = &page["meta"][0];
        let keys: Vec<_> =
            meta.as_object().expect("an object").keys().map(String::as_str).collect();
        for key in [
            "perPage",
            "currentPage",
            "totalPages",
            "prevItemID",
            "currentItemID",
            "nextItemID",
            "lastItemID",
            "totalItems",
            "sort",
            "filter",
            "fields",
            "fspec",
            "executionTime",
        ] {
            assert!(keys.contains(&key), "{key}");
        }
        assert_eq!(meta["prevItemID"], "null");
        assert_eq!(meta["currentItemID"], 0);
        assert_eq!(meta["nextItemID"], page["data"][1]["entity_id"]);
        let next = page["links"][0]["next"].as_str().expect("a link");
        let expected = format!(
            "http://sysndd.test/api/entity/?sort=entity_id&page_after={}&page_size=2",
            meta["nextItemID"]
        );
        assert_eq!(next, expected);
        let second = site.json(next.strip_prefix("http://sysndd.test").expect("ours")).await;
        assert_eq!(second["meta"][0]["prevItemID"], 0);
        assert_eq!(second["meta"][0]["currentPage"], 2);
        let first = &page["data"][0];
        let columns: Vec<_> = first.as_object().expect("an object").keys().cloned().collect();
        assert_eq!(columns.len(), 14);
        let all = site.json("/api/entity/?page_size=all").await;
        let meta = &all["meta"][0];
        for cursor in ["prevItemID", "nextItemID", "lastItemID"] {
            assert_eq!(meta[cursor], "null", "{cursor}");
        }
        assert_eq!(
            all["data"].as_array().map(Vec::len),
            meta["totalItems"].as_u64().map(|n| n as usize)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_choose_the_columns_and_the_id_is_always_there() {
    for site in sites(60, 3).await {
        let page = site.json("/api/entity/?fields=symbol,category&page_size=1").await;
        let row = page["data"][0].as_object().expect("an object");
        assert_eq!(row.len(), 3);
        assert!(row.contains_key("entity_id") && row.contains_key("symbol"));
        let page = site.json("/api/gene/?fields=entities_count&page_size=1").await;
        assert_eq!(page["data"][0].as_object().map(serde_json::Map::len), Some(2));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn details_of_an_entity_a_gene_and_a_disease_are_there() {
    for site in sites(120, 4).await {
        let page = site.json("/api/phenotype/entities/browse?page_size=1").await;
        let row = &page["data"][0];
        let id = row["entity_id"].as_i64().expect("a number");
        let terms = site.json(&format!("/api/entity/{id}/phenotypes?current_review=TRUE")).await;
        let joined: Vec<String> = terms
            .as_array()
            .expect("a list")
            .iter()
            .map(|term| {
                let name = term["HPO_term"].as_str().expect("a name");
                assert!(!name.is_empty());
                format!(
                    "{}-{}",
                    term["modifier_id"],
                    term["phenotype_id"].as_str().expect("a term")
                )
            })
            .collect();
        let own = row["modifier_phenotype_id"].as_str().expect("terms");
        let mut own: Vec<_> = own.split(',').map(str::to_owned).collect();
        let mut joined = joined;
        own.sort();
        joined.sort();
        assert_eq!(own, joined);
        let review = site.json(&format!("/api/entity/{id}/review")).await;
        assert_eq!(review[0]["synopsis"], row["synopsis"]);
        assert!(review[0]["comment"].is_null());
        let status = site.json(&format!("/api/entity/{id}/status")).await;
        assert_eq!(status[0]["category"], row["category"]);
        site.json(&format!("/api/entity/{id}/publications")).await;
        let symbol = row["symbol"].as_str().expect("a symbol");
        let gene =
            site.json(&format!("/api/gene/{}?input_type=symbol", symbol.to_lowercase())).await;
        assert_eq!(gene[0]["symbol"][0], row["symbol"]);
        let same =
            site.json(&format!("/api/gene/{}", row["hgnc_id"].as_str().expect("an id"))).await;
        assert_eq!(same, gene);
        let disease = row["disease_ontology_id_version"].as_str().expect("an id");
        let disease = site.json(&format!("/api/ontology/{disease}")).await;
        assert_eq!(disease[0]["disease_ontology_name"][0], row["disease_ontology_name"]);
        for nothing in ["/api/entity/999999/review", "/api/gene/HGNC:0", "/api/ontology/OMIM:0"] {
            assert_eq!(site.json(nothing).await, Value::Array(Vec::new()), "{nothing}");
        }
        let found = site.json(&format!("/api/search/{symbol}?helper=false")).await;
        assert_eq!(found[0]["results"], row["symbol"]);
        assert_eq!(found[0]["searchdist"], 0.0);
        let helper = site.json(&format!("/api/search/{symbol}")).await;
        assert!(helper[symbol].is_array());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn vocabularies_come_as_pages_and_as_trees() {
    for site in sites(10, 5).await {
        let status = site.json("/api/list/status?page_size=2").await;
        assert_eq!(status["meta"][0]["totalPages"], 3);
        assert_eq!(status["meta"][0]["nextItemID"], 2);
        let second = site.json("/api/list/status?page_size=2&page_after=2").await;
        assert_eq!(second["data"][0]["category"], "Limited");
        assert_eq!(site.json("/api/list/phenotype").await["meta"][0]["totalItems"], 39);
        let tree = site.json("/api/list/phenotype?tree=true").await;
        assert_eq!(tree[0]["id"], "1-HP:0000077");
        assert_eq!(tree[0]["label"], "present: Abnormality of the kidney");
        assert_eq!(tree[0]["children"].as_array().map(Vec::len), Some(4));
        assert_eq!(site.json("/api/list/status?tree=TRUE").await[0]["id"], 1);
        let inheritance = site.json("/api/list/inheritance?tree=true").await;
        assert_eq!(inheritance.as_array().map(Vec::len), Some(7));
    }
}
