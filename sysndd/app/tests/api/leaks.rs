//! Property 4: what was never approved, or no longer holds, is in no answer.

use proptest::prelude::*;
use sysndd_store::generate::{SUPERSEDED, UNAPPROVED};

use crate::site::sites;

const PATHS: &[&str] = &[
    "/api/entity/?page_size=all",
    "/api/entity/?page_size=all&sort=-synopsis",
    "/api/entity/?format=csv",
    "/api/gene/?page_size=all",
    "/api/phenotype/entities/browse?page_size=all",
    "/api/phenotype/count?filter=",
    "/api/panels/browse?filter=&page_size=all",
    "/api/panels/browse?filter=&max_category=FALSE",
    "/api/statistics/category_count?type=entity",
    "/api/statistics/news?n=100",
    "/api/statistics/entities_over_time?filter=",
    "/api/search/xnotapprovedx",
    "/api/search/ontology/xnotapprovedx",
    "/api/search/gene/xnotapprovedx",
    "/api/list/phenotype",
    "/api/version/",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 3, ..ProptestConfig::default() })]

    #[test]
    fn what_was_never_approved_is_in_no_answer(seed in any::<u64>()) {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            for site in sites(100, seed).await {
                let mut paths: Vec<String> = PATHS.iter().map(|path| (*path).to_owned()).collect();
                for id in 1..=110 {
                    for part in ["review", "status", "phenotypes", "publications"] {
                        paths.push(format!("/api/entity/{id}/{part}"));
                    }
                }
                for path in paths {
                    let answer = site.get(&path).await;
                    assert!(answer.status.is_success(), "{path}: {}", answer.text());
                    // The word itself comes back in the filter that asks for it, so it is not asked for here.
                    let text = answer.text();
                    assert!(!text.contains(UNAPPROVED), "{path}");
                    assert!(!text.contains(SUPERSEDED), "{path}");
                }
                for word in [UNAPPROVED, SUPERSEDED] {
                    let path = format!("/api/entity/?filter=contains(any,{word})");
                    let total = site.json(&path).await["meta"][0]["totalItems"].clone();
                    assert_eq!(total, 0, "{word}");
                }
            }
        });
    }
}
