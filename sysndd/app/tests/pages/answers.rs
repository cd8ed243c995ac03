//! What the pages answer.

use axum::http::{Method, StatusCode, header};

use crate::served::Site;

fn run(test: impl Future<Output = ()>) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(test);
}

/// Addresses of every kind of page, as a site with this example has them.
async fn pages(site: &Site) -> Vec<String> {
    let example = site.example().await;
    let named = [
        format!("/Entities/{}", example.id),
        format!("/Genes/{}", example.symbol),
        format!("/Ontology/{}", example.disease),
    ];
    let fixed = [
        "/",
        "/Entities",
        "/Entities?page_size=100",
        "/Genes?page_size=100",
        "/Genes",
        "/Phenotypes",
        "/Panels/All/All?page_size=100",
        "/Panels/Definitive/X-linked",
        "/Search",
        "/Search/encephalopathy",
        "/EntriesOverTime",
        "/EntriesOverTime?aggregate=symbol&group=inheritance_multiple",
        "/About",
        "/API",
    ];
    fixed.iter().map(|path| (*path).to_owned()).chain(named).collect()
}

#[test]
fn every_page_carries_the_mark_the_licence_and_the_releases_and_nothing_inline() {
    run(async {
        let site = Site::with_sample().await;
        for path in pages(&site).await {
            let page = site.page(&path).await;
            for part in [
                "Computed, not curated",
                "CC BY 4.0",
                "HPO",
                "class=\"skip\"",
                "<h1",
                "<title>",
                "name=\"description\"",
            ] {
                assert!(page.contains(part), "{path} has no {part}");
            }
            for part in [
                " style=",
                "<style",
                "onclick=",
                "onload=",
                "<script>",
                "http://cdn",
                "https://cdn",
            ] {
                assert!(!page.contains(part), "{path} has {part}");
            }
            assert_eq!(page.matches("<h1").count(), 1, "{path}");
            if !path.starts_with("/Search") {
                assert!(
                    page.contains("<link rel=\"canonical\" href=\"http://sysndd.test/"),
                    "{path}"
                );
            }
        }
    });
}

#[test]
fn a_page_is_small_and_comes_from_where_the_policy_says() {
    run(async {
        let site = Site::with_sample().await;
        for path in pages(&site).await {
            let answer = site.ask(&path, &[(header::ACCEPT_ENCODING, "gzip")]).await;
            assert_eq!(answer.header(header::CONTENT_ENCODING), "gzip", "{path}");
            let plain = site.page(&path).await.len();
            assert!(answer.text.len() < 40_000, "{path}: {} of {plain}", answer.text.len());
            let policy = answer.header(header::CONTENT_SECURITY_POLICY);
            assert!(
                policy.starts_with("default-src 'none'") && !policy.contains("unsafe"),
                "{path}: {policy}"
            );
        }
    });
}

#[test]
fn a_page_that_the_browser_has_is_not_made_again() {
    run(async {
        let site = Site::with_sample().await;
        for path in pages(&site).await {
            let first = site.get(&path).await;
            let tag = first.header(header::ETAG).to_owned();
            assert!(!tag.is_empty(), "{path}");
            let again = site.ask(&path, &[(header::IF_NONE_MATCH, &tag)]).await;
            assert_eq!((again.status, again.text.len()), (StatusCode::NOT_MODIFIED, 0), "{path}");
            let other = site.ask(&path, &[(header::IF_NONE_MATCH, "\"other\"")]).await;
            assert_eq!(other.status, StatusCode::OK, "{path}");
        }
    });
}

#[test]
fn a_style_sheet_is_kept_for_ever_under_a_name_with_its_content() {
    run(async {
        let site = Site::empty().await;
        let page = site.page("/").await;
        let start = page.find("/assets/site.").expect("a style sheet");
        let address = page[start..].split('"').next().expect("an address");
        let answer = site.get(address).await;
        assert_eq!(answer.status, StatusCode::OK, "{address}");
        assert!(answer.header(header::CACHE_CONTROL).contains("immutable"));
        assert_eq!(answer.header(header::CONTENT_TYPE), "text/css; charset=utf-8");
        assert_eq!(site.get("/assets/site.000000000000.css").await.status, StatusCode::NOT_FOUND);
        for icon in ["/favicon.ico", "/brain-neurodevelopmental-disorders-sysndd.png"] {
            assert_eq!(site.get(icon).await.status, StatusCode::OK, "{icon}");
        }
    });
}

#[test]
fn a_failure_has_a_page_with_a_way_back() {
    run(async {
        let site = Site::with_sample().await;
        for (path, status) in [
            ("/NoSuchPage", StatusCode::NOT_FOUND),
            ("/Entities/999999999", StatusCode::NOT_FOUND),
            ("/Entities/x", StatusCode::NOT_FOUND),
            ("/Genes/NOSUCHGENE", StatusCode::NOT_FOUND),
            ("/Ontology/OMIM:1", StatusCode::NOT_FOUND),
            ("/Panels/All/Sideways", StatusCode::NOT_FOUND),
            ("/Entities?filter=equals(symbol,A", StatusCode::BAD_REQUEST),
            ("/Entities?filter=equals(password,x)", StatusCode::BAD_REQUEST),
            ("/Entities?sort=password", StatusCode::BAD_REQUEST),
            ("/Entities?page_size=many", StatusCode::BAD_REQUEST),
            ("/Genes?filter=%00", StatusCode::BAD_REQUEST),
            ("/EntriesOverTime?group=moon", StatusCode::BAD_REQUEST),
            ("/Genes/%ff", StatusCode::BAD_REQUEST),
        ] {
            let answer = site.get(path).await;
            assert_eq!(answer.status, status, "{path}: {}", answer.text);
            assert!(
                answer.text.contains("href=\"/Entities\"") && answer.text.contains("Computed, not"),
                "{path}"
            );
            assert_eq!(answer.header(header::CACHE_CONTROL), "no-store", "{path}");
        }
    });
}

#[test]
fn what_is_refused_before_a_page_is_looked_for_is_a_page_too() {
    run(async {
        let site = Site::with_rate(1).await;
        let html = [(header::ACCEPT, "text/html,*/*;q=0.8")];
        let sent = site.send(Method::POST, "/Entities", &html).await;
        assert_eq!(sent.status, StatusCode::METHOD_NOT_ALLOWED, "{}", sent.text);
        assert!(sent.text.contains("href=\"/Entities\""), "{}", sent.text);
        assert!(sent.header(header::ALLOW).contains("GET"));
        let page = site.ask("/Entities/1", &html).await;
        assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(page.header(header::CONTENT_TYPE), "text/html; charset=utf-8");
        assert_eq!(page.header(header::RETRY_AFTER), "1");
        assert!(page.text.contains("Too many requests"), "{}", page.text);
        for (path, headers) in [("/api/entity/", &html[..]), ("/suggestions?term=x", &[])] {
            let answer = site.ask(path, headers).await;
            assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{path}");
            assert_eq!(answer.header(header::CONTENT_TYPE), "application/problem+json", "{path}");
        }
    });
}

#[test]
fn a_filter_that_nothing_can_be_joined_with_locks_the_fields() {
    run(async {
        let site = Site::with_sample().await;
        let filter = "or(equals(symbol,ARX),equals(symbol,CBS))";
        let page = site.page(&format!("/Entities?filter={filter}")).await;
        assert_eq!(
            page.matches("\" disabled>").count(),
            page.matches("form=\"filters\"").count() + 1
        );
        assert!(page.contains("can’t be narrowed"));
        let joined = format!("/Entities?any=&where.symbol=x&filter={filter}");
        assert_eq!(site.leads_to(&joined).await, format!("/Entities?filter={filter}"));
        assert!(!site.page("/Entities").await.contains(" disabled"));
        let phenotypes = site.page(&format!("/Phenotypes?filter={filter}")).await;
        assert!(phenotypes.contains("takes the place of the filter"));
    });
}

#[test]
fn the_date_of_entry_is_shown_to_those_who_ask_for_it() {
    run(async {
        let site = Site::with_sample().await;
        for path in [
            "/Entities?sort=-entry_date",
            "/Entities?filter=lessThan(entry_date,2011-01-01)",
            "/Entities?filter=contains(entry_date,2010)",
        ] {
            let page = site.page(path).await;
            assert!(page.contains("data-label=\"Entered\""), "{path}");
            assert!(page.contains("name=\"where.entry_date\""), "{path}");
        }
        assert!(!site.page("/Entities").await.contains("data-label=\"Entered\""));
        assert_eq!(
            site.leads_to("/Entities?any=&where.entry_date=2010&sort=entity_id").await,
            "/Entities?filter=contains(entry_date,2010)"
        );
    });
}

#[test]
fn a_word_of_dots_can_be_searched_for() {
    run(async {
        let site = Site::with_sample().await;
        assert!(site.page("/Search?term=..").await.contains("<h1>Search: ..</h1>"));
    });
}

#[test]
fn strange_addresses_are_answered_and_what_they_say_is_escaped() {
    run(async {
        let site = Site::with_sample().await;
        for path in [
            "/Search/%3Cscript%3Ealert(1)%3C%2Fscript%3E",
            "/Entities?filter=contains(any,%3Cscript%3E%22'%3C%2Fscript%3E)",
            "/Entities?sort=%3Cscript%3E",
            "/Genes/%3Cscript%3E",
            "/Entities?page_after=%3Cscript%3E&page_size=25",
            "/Search/%F0%9F%A7%A0",
            "/Entities?filter=contains(any,%25)",
        ] {
            let answer = site.get(path).await;
            assert!(answer.status.as_u16() < 500, "{path}: {}", answer.status);
            assert!(!answer.text.contains("<script>"), "{path}");
        }
    });
}

#[test]
fn a_form_without_scripts_ends_in_an_address_with_a_filter() {
    run(async {
        let site = Site::with_sample().await;
        for (form, address) in [
            (
                "/Entities?any=&sort=entity_id&page_size=10&where.symbol=A&pick.category=Definitive",
                "/Entities?filter=contains(symbol,A),any(category,Definitive)",
            ),
            ("/Genes?any=x&page_size=25", "/Genes?filter=contains(any,x)&page_size=25"),
            ("/Search?term=Rett+syndrome", "/Search/Rett%20syndrome"),
            (
                "/Phenotypes?term=HP:0001250&match=any",
                "/Phenotypes?filter=any(modifier_phenotype_id,HP:0001250)",
            ),
            (
                "/Panels?category=Limited&inheritance=Other&max_category=TRUE",
                "/Panels/Limited/Other",
            ),
            ("/Entities/sysndd:1", "/Entities/1"),
        ] {
            assert_eq!(site.leads_to(form).await, address, "{form}");
            if !address.contains("Entities/1") {
                let answer = site.get(address).await;
                assert!(
                    answer.status.is_success() || answer.status.is_redirection(),
                    "{address}: {}",
                    answer.status
                );
            }
        }
    });
}

#[test]
fn a_walk_by_next_sees_every_entity_once() {
    run(async {
        let site = Site::with_sample().await;
        let mut path = "/Entities?page_size=100".to_owned();
        let mut seen = std::collections::BTreeSet::new();
        let total = loop {
            let page = site.page(&path).await;
            for part in page.split("class=\"badge entity\" href=\"/Entities/").skip(1) {
                let id = part.split('"').next().expect("an id");
                assert!(seen.insert(id.to_owned()), "{id} twice, again at {path}");
            }
            let Some(next) =
                page.split("data-step=\"next\"").next().filter(|before| before.len() < page.len())
            else {
                let status =
                    page.split("role=\"status\" aria-live=\"polite\">").nth(1).expect("a total");
                break status.split(' ').next().expect("a number").replace(',', "");
            };
            let href = next.rsplit("href=\"").next().expect("an address");
            path = href
                .split('"')
                .next()
                .expect("an address")
                .replace("&#38;", "&")
                .replace("&amp;", "&");
        };
        assert_eq!(seen.len().to_string(), total);
    });
}

#[test]
fn a_gene_has_one_address() {
    run(async {
        let site = Site::with_sample().await;
        let symbol = site.example().await.symbol;
        assert_eq!(
            site.leads_to(&format!("/Genes/{}", symbol.to_lowercase())).await,
            format!("/Genes/{symbol}")
        );
        assert_eq!(site.leads_to(&format!("/Search/{symbol}")).await, format!("/Genes/{symbol}"));
    });
}

#[test]
fn the_map_of_the_site_has_every_gene_and_entity() {
    run(async {
        let site = Site::with_sample().await;
        let example = site.example().await;
        let map = site.get("/sitemap.xml").await;
        for path in [
            format!("/Genes/{}", example.symbol),
            format!("/Entities/{}", example.id),
            "/About".to_owned(),
        ] {
            assert!(map.text.contains(&format!("<loc>http://sysndd.test{path}</loc>")), "{path}");
        }
        let robots = site.get("/robots.txt").await.text;
        assert!(robots.contains("Sitemap: http://sysndd.test/sitemap.xml"), "{robots}");
    });
}

#[test]
fn a_number_on_the_front_page_is_the_length_of_the_list_behind_it() {
    run(async {
        let site = Site::with_sample().await;
        let home = site.page("/").await;
        let mut checked = 0;
        for part in home.split("<td class=\"number\"><a href=\"").skip(1) {
            let (address, rest) = part.split_once('"').expect("an address");
            let number = rest[1..].split('<').next().expect("a number");
            let list = site.page(&address.replace("&#38;", "&")).await;
            let status = list
                .split("role=\"status\"")
                .nth(1)
                .expect("a total")
                .split('>')
                .nth(1)
                .expect("a text");
            assert_eq!(status.split([' ', '<']).next(), Some(number), "{address}: {status}");
            checked += 1;
        }
        assert!(checked >= 6, "{checked} numbers");
    });
}

#[test]
fn a_site_without_data_has_all_its_pages() {
    run(async {
        let site = Site::empty().await;
        for path in [
            "/",
            "/Entities",
            "/Genes",
            "/Phenotypes",
            "/Panels/All/All",
            "/EntriesOverTime",
            "/About",
            "/API",
            "/Search/x",
        ] {
            let page = site.page(path).await;
            assert!(
                !page.contains("Computed, not curated.</strong>"),
                "{path}: nothing was computed"
            );
        }
    });
}

#[test]
fn suggestions_have_the_word_in_them() {
    run(async {
        let site = Site::with_sample().await;
        let symbol = site.example().await.symbol;
        let answer = site.get(&format!("/suggestions?term={symbol}")).await;
        let offered: serde_json::Value = serde_json::from_str(&answer.text).expect("JSON");
        assert_eq!(offered[0]["text"], symbol.as_str(), "{}", answer.text);
        assert_eq!(offered[0]["address"], format!("/Genes/{symbol}"));
        assert_eq!(site.get("/suggestions").await.text, "[]");
    });
}
