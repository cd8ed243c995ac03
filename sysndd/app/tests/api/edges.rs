//! What is wrong, odd or repeated.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use foundation_durable::Statement;
use serde_json::Value;

use crate::site::{Site, sites};

/// Escapes everything.
fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

async fn problem(site: &Site, path: &str, status: u16) -> Value {
    let answer = site.get(path).await;
    assert_eq!(answer.status.as_u16(), status, "{path}: {}", answer.text());
    assert_eq!(answer.header(header::CONTENT_TYPE), "application/problem+json", "{path}");
    let problem = answer.json();
    assert_eq!(problem["status"], status);
    assert_eq!(problem["instance"], path.split('?').next().expect("a path"));
    problem
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_filter_is_pointed_at() {
    for site in sites(30, 1).await {
        let wrong = problem(&site, "/api/entity/?filter=equals(symbol,MECP2", 400).await;
        let detail = wrong["detail"].as_str().expect("a text");
        assert!(
            detail.starts_with("Malformed filter expression: mismatched parentheses"),
            "{detail}"
        );
        assert_eq!(
            (&wrong["parameter"], &wrong["position"]),
            (&Value::from("filter"), &Value::from(19))
        );
        let wrong = problem(&site, "/api/entity/?filter=equals(password,x)", 400).await;
        assert_eq!(
            (&wrong["position"], &wrong["token"]),
            (&Value::from(7), &Value::from("password"))
        );
        problem(&site, "/api/entity/?filter=system(1,2)", 400).await;
        let hash = format!("/api/entity/?filter=equals(hash,{})", "0".repeat(64));
        let wrong = problem(&site, &hash, 400).await;
        assert!(wrong["detail"].as_str().expect("a text").starts_with("Hash not found."));
        problem(&site, &format!("/api/entity/?filter={}", "x".repeat(9000)), 400).await;
        problem(&site, "/api/entity/?filter=equals(symbol,%00)", 400).await;
        problem(&site, "/api/entity/?filter=%FF%FE", 400).await;
        problem(&site, "/api/entity/?sort=password", 400).await;
        problem(&site, "/api/entity/?fields=password", 400).await;
        problem(&site, "/api/entity/?fspec=password", 400).await;
        let open = problem(&site, "/api/entity/?filter=equals(symbol,'ARX)", 400).await;
        assert_eq!((&open["position"], &open["token"]), (&Value::from(14), &Value::from("'ARX")));
        problem(&site, "/api/entity/?filter=equals(entity_id,NaN)", 400).await;
        for (path, parameter, detail) in [
            ("/api/entity/?format=pdf", "format", "one of these belongs here: json, xlsx, csv"),
            ("/api/statistics/news?n=abc", "n", "a whole number belongs here"),
            ("/api/entity/abc/review", "id", "is a whole number"),
            ("/api/gene/%ff", "input", "is no text in UTF-8"),
        ] {
            let wrong = problem(&site, path, 400).await;
            assert_eq!(wrong["parameter"], parameter, "{path}");
            assert!(wrong["detail"].as_str().expect("a text").contains(detail), "{wrong}");
        }
        for size in ["0", "-1", "abc", "50001"] {
            problem(&site, &format!("/api/entity/?page_size={size}"), 400).await;
            problem(&site, &format!("/api/list/status?page_size={size}"), 400).await;
        }
        problem(&site, "/api/statistics/news?n=0", 400).await;
        problem(&site, "/api/statistics/entities_over_time?aggregate=x", 400).await;
        let wrong = "/api/statistics/entities_over_time?group=inheritance_multiple";
        let wrong = problem(&site, wrong, 400).await;
        assert_eq!(
            wrong["detail"],
            "Multiple inheritance only sensible when grouping by gene symbol."
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_is_a_value_whatever_is_in_it() {
    let long = "x".repeat(7000);
    let odd =
        ["a'", "''", "%", "_", "\\", "\n", "\"", ";--", "$1", "é", "😀", "%27", &long, " OR 1=1"];
    for site in sites(30, 2).await {
        for value in odd {
            for operation in ["equals", "contains", "any", "all", "lessThan"] {
                let filter = escaped(&format!("{operation}(disease_ontology_name,{value})"));
                site.json(&format!("/api/entity/?filter={filter}")).await;
            }
            let path = escaped(value);
            if value.len() < 1000 {
                site.json(&format!("/api/search/{path}")).await;
                site.json(&format!("/api/gene/{path}?input_type=symbol")).await;
                site.json(&format!("/api/ontology/{path}?input_type=ontology_name")).await;
            }
        }
        problem_path(&site, "/api/search/a%00b").await;
        let name = escaped("a/b");
        site.json(&format!("/api/search/{name}")).await;
    }
}

async fn problem_path(site: &Site, path: &str) {
    let answer = site.get(path).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_of_the_worst_size_is_answered() {
    for site in sites(30, 3).await {
        let terms = vec!["contains(any,e)"; 50].join(",");
        site.json(&format!("/api/entity/?filter=or({terms})")).await;
        let symbols: Vec<_> = (0..1500).map(|number| format!("G{number}")).collect();
        site.json(&format!("/api/entity/?filter=any(symbol,{})", symbols.join(","))).await;
        let modified: Vec<_> = (0..500).map(|number| format!("{number}-HP:1")).collect();
        let path = "/api/phenotype/entities/browse?filter=";
        site.json(&format!("{path}any(modifier_phenotype_id,{})", modified.join(","))).await;
        let terms = ["all(category,a,b,c,d,e)"; 10].join(",");
        site.json(&format!("/api/gene/?filter=not({terms})")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_slash_is_added() {
    for site in sites(5, 4).await {
        let answer = site.get("/api/entity?page_size=2&sort=%2Bsymbol").await;
        assert_eq!(answer.status, StatusCode::TEMPORARY_REDIRECT);
        assert_eq!(answer.header(header::LOCATION), "/api/entity/?page_size=2&sort=%2Bsymbol");
        assert_eq!(answer.json()["message"], "307 - Redirecting with trailing slash");
        for path in ["/api/gene", "/api/version"] {
            assert_eq!(site.get(path).await.status, StatusCode::TEMPORARY_REDIRECT);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_and_what_is_not_allowed_are_problems() {
    for site in sites(5, 5).await {
        for path in ["/api/x", "/api/", "/api/entity/1", "/api/list/status/"] {
            let wrong = problem(&site, path, 404).await;
            let detail = format!("The requested endpoint '{path}' does not exist");
            assert_eq!(wrong["detail"], detail.as_str());
        }
        let request = Request::post("/api/entity/").body(Body::empty()).expect("a request");
        assert_eq!(site.ask(request).await.status, StatusCode::METHOD_NOT_ALLOWED);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_the_answer_is_told_so_until_something_is_written() {
    const RAISE: Statement = Statement {
        name: "test",
        sql: "UPDATE data_version SET version = version + 1 WHERE only_row = 1",
    };
    for site in sites(30, 6).await {
        for path in ["/api/entity/", "/api/statistics/category_count", "/api/entity/?format=csv"] {
            let first = site.get(path).await;
            let tag = first.header(header::ETAG).to_owned();
            assert!(tag.starts_with("W/\""), "{tag}");
            let again = || {
                let request = Request::get(path).header(header::IF_NONE_MATCH, &tag);
                site.ask(request.body(Body::empty()).expect("a request"))
            };
            let second = again().await;
            assert_eq!((second.status, second.body.len()), (StatusCode::NOT_MODIFIED, 0));
            assert_eq!(second.header(header::ETAG), tag);
            let mut transaction = site.database.write().await.expect("a transaction");
            transaction.execute(&RAISE, &[]).await.expect("a write");
            transaction.commit().await.expect("a commit");
            assert_eq!(again().await.status, StatusCode::OK);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_was_made_anew_has_another_tag_after_as_many_writes() {
    const LATER: Statement = Statement {
        name: "test",
        sql: "UPDATE data_version SET changed_at = '2026-01-01T00:00:00Z' WHERE only_row = 1",
    };
    for site in sites(5, 8).await {
        let tag = async || site.get("/api/entity/").await.header(header::ETAG).to_owned();
        let first = tag().await;
        assert_eq!(tag().await, first);
        let mut transaction = site.database.write().await.expect("a transaction");
        transaction.execute(&LATER, &[]).await.expect("a write");
        transaction.commit().await.expect("a commit");
        assert_ne!(tag().await, first);
        let version = site.json("/api/version/").await["data"]["version"].as_i64();
        assert!(version.expect("a number") < 10, "people are told how often it was written");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disease_is_found_by_its_identifier_of_mondo() {
    for site in sites(30, 9).await {
        let row = &site.json("/api/entity/?page_size=1").await["data"][0];
        let disease = row["disease_ontology_id_version"].as_str().expect("a disease");
        let page = site.json(&format!("/api/ontology/{disease}?input_type=ontology_id")).await;
        let mondo = page[0]["MONDO"][0].as_str().expect("an identifier");
        let found = site.json(&format!("/api/search/{mondo}?helper=FALSE")).await;
        assert_eq!(found[0]["results"], row["disease_ontology_name"], "{found}");
        assert_eq!(found[0]["link"], format!("/Ontology/{disease}"));
        let found = site.json(&format!("/api/search/ontology/{mondo}")).await;
        assert_eq!(found[0]["id"], disease);
        assert_eq!(found.as_array().map(Vec::len), Some(1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_links_of_every_list_can_be_followed() {
    for site in sites(30, 10).await {
        for path in ["/api/entity/", "/api/list/status", "/api/list/phenotype"] {
            let page = site.json(&format!("{path}?page_size=2")).await;
            let next = page["links"][0]["next"].as_str().expect("a link");
            assert!(next.starts_with(&format!("http://sysndd.test{path}?")), "{next}");
            site.json(next.strip_prefix("http://sysndd.test").expect("a path")).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_and_its_page_are_there_and_load_nothing() {
    let site = sites(5, 7).await.remove(0);
    let document = site.json("/api/admin/openapi.json").await;
    assert_eq!(document["openapi"], "3.1.0");
    for (path, item) in document["paths"].as_object().expect("paths") {
        let in_path = item["get"]["parameters"].as_array().into_iter().flatten();
        assert!(
            in_path.into_iter().all(|parameter| parameter["in"] != "path" || path.contains('{'))
        );
        let asked = path.replace("{id}", "1").replace("{input}", "x").replace("{term}", "x");
        // There are only the routes here, without the server that would say that it serves.
        let expected = match path.as_str() {
            "/api/health/ready" => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::OK,
        };
        let answer = site.get(&asked).await;
        assert_eq!(answer.status, expected, "{path}: {}", answer.text());
        assert_eq!(answer.header(header::CONTENT_TYPE), "application/json", "{path}");
    }
    let page = site.get("/__docs__/").await.text();
    assert!(!page.contains("<script") && !page.contains("style=") && !page.contains("http"));
    assert!(page.contains("value=\"/api/entity/\"") && !page.contains('`'));
    for (form, address) in [
        ("/api/statistics/news&n=", "/api/statistics/news"),
        ("/api/entity/&filter=contains(any,x)&sort=", "/api/entity/?filter=contains(any,x)"),
        ("/api/gene/%7Binput%7D&input=A/B&input_type=", "/api/gene/A%2FB"),
    ] {
        let answer = site.get(&format!("/__docs__/send?operation={form}")).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{form}");
        assert_eq!(answer.header(header::LOCATION), address);
    }
    let elsewhere = site.get("/__docs__/send?operation=https://example.org/").await;
    assert_eq!(elsewhere.status, StatusCode::BAD_REQUEST);
    assert_eq!(site.get("/__docs__/style.css").await.status, StatusCode::OK);
}
