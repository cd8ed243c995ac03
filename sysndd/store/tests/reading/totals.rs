//! Numbers that are told in two places are the same.

use sysndd_store::list::{ENTITY, GENE, ListQuery, ListRequest, PANEL, PHENOTYPE, count, list};
use sysndd_store::statistics::{Group, Step, Unit, category_count, entities_over_time, news};
use sysndd_store::{panel, phenotype};

use crate::support::places;

fn request(table: &'static sysndd_core::list::Table, filter: &str) -> ListRequest {
    let query = ListQuery { filter: Some(filter.to_owned()), ..ListQuery::default() };
    ListRequest::read(table, &query).expect(filter)
}

const FILTERS: &[&str] = &[
    "",
    "contains(ndd_phenotype_word,Yes)",
    "contains(ndd_phenotype_word,Yes),any(category,Definitive)",
    "not(any(inheritance_filter,X-linked))",
    "lessThan(entry_date,2018-01-01)",
    "contains(any,syndrome)",
    "equals(symbol,none of them)",
];

/// Property 2.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_as_long_as_the_series_with_the_same_filter_grows() {
    for place in places(200, 11).await {
        for filter in FILTERS {
            let mut reading = place.read().await;
            let request = request(&ENTITY, filter);
            let total = count(&mut reading, &request).await.expect("a number");
            for group in [Group::Category, Group::Inheritance] {
                for step in [Step::Day, Step::Month, Step::Quarter, Step::Year] {
                    let series = entities_over_time(
                        &mut reading,
                        Unit::Entity,
                        group,
                        step,
                        &request.filter,
                    )
                    .await
                    .expect("series");
                    let last = series.iter().filter_map(|series| series.values.last());
                    let end: i64 = last.map(|point| point.cumulative_count).sum();
                    let sum: i64 = series
                        .iter()
                        .flat_map(|series| &series.values)
                        .map(|point| point.count)
                        .sum();
                    assert_eq!((end, sum), (total as i64, total as i64), "{} {filter}", place.name);
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_front_page_counts_what_its_links_list() {
    for place in places(200, 12).await {
        let mut reading = place.read().await;
        let genes = category_count(&mut reading, Unit::Gene).await.expect("counts");
        assert!(!genes.is_empty());
        for category in genes.iter() {
            let query = |inheritance: &str| ListQuery {
                filter: Some(panel::filter(&category.category, inheritance)),
                ..ListQuery::default()
            };
            let all = panel::request(&query("All"), true).expect("a panel");
            let listed = count(&mut reading, &all).await.expect("a number");
            assert_eq!(listed as i64, category.n, "{}", category.category);
            for part in &category.groups {
                let one = panel::request(&query(&part.inheritance), true).expect("a panel");
                let listed = count(&mut reading, &one).await.expect("a number");
                assert_eq!(listed as i64, part.n, "{} {}", category.category, part.inheritance);
            }
        }
        let entities = category_count(&mut reading, Unit::Entity).await.expect("counts");
        for category in entities.iter() {
            let filter = format!("equals(ndd_phenotype,1),any(category,{})", category.category);
            let listed = count(&mut reading, &request(&ENTITY, &filter)).await.expect("a number");
            assert_eq!(listed as i64, category.n);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phenotype_is_counted_as_often_as_it_is_found() {
    for place in places(150, 13).await {
        let mut reading = place.read().await;
        for filter in &FILTERS[..3] {
            let counted = phenotype::count(&mut reading, &request(&PHENOTYPE, filter).filter).await;
            let counted = counted.expect("counts");
            assert!(counted.iter().all(|count| count.phenotype_id != "HP:0001249"));
            assert!(counted.is_sorted_by(|a, b| a.count >= b.count));
            for count_of in counted.iter() {
                let comma = if filter.is_empty() { "" } else { "," };
                let filter =
                    format!("{filter}{comma}any(modifier_phenotype_id,{})", count_of.phenotype_id);
                let listed = count(&mut reading, &request(&PHENOTYPE, &filter)).await;
                assert_eq!(listed.expect("a number") as i64, count_of.count, "{filter}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gene_shows_the_entities_that_pass_and_counts_all_it_has() {
    for place in places(150, 14).await {
        let query = ListQuery {
            filter: Some("any(category,Definitive)".to_owned()),
            page_size: Some("all".to_owned()),
            ..ListQuery::default()
        };
        let request = ListRequest::read(&GENE, &query).expect("a request");
        let mut reading = place.read().await;
        let page = list(&mut reading, &request).await.expect("a page");
        assert!(!page.rows.is_empty());
        let mut fewer = 0;
        for gene in &page.rows {
            let categories = gene.entities.iter().map(|entity| entity.text("category"));
            assert!(!gene.entities.is_empty());
            assert!(categories.into_iter().all(|category| category == "Definitive"));
            let all = sysndd_store::entity::of_gene(&mut reading, gene.text("hgnc_id")).await;
            assert_eq!(all.expect("entities").len() as i64, gene.integer("entities_count"));
            fewer += usize::from((gene.entities.len() as i64) < gene.integer("entities_count"));
        }
        assert!(fewer > 0, "some genes have other entities too");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_column_offers_is_what_it_has() {
    for place in places(150, 15).await {
        let query = ListQuery {
            filter: Some("any(category,Definitive)".to_owned()),
            ..ListQuery::default()
        };
        let request = ListRequest::read(&ENTITY, &query).expect("a request");
        let page = list(&mut place.read().await, &request).await.expect("a page");
        let of = |key: &str| page.specifications.iter().find(|one| one.key == key).expect("there");
        let category = of("category");
        assert_eq!(category.count_filtered, 1);
        let options = category.options.as_ref().expect("few values");
        assert_eq!(options.len() as i64, category.count);
        assert!(options.contains(&"Definitive".to_owned()) && options.is_sorted());
        assert!(category.multi_selectable() && !category.selectable() && !category.filterable());
        let symbol = of("symbol");
        assert!(symbol.filterable() && symbol.options.is_none());
        let word = of("ndd_phenotype_word");
        assert!(word.selectable() && !word.multi_selectable());
        assert_eq!(word.label(), "Ndd phenotype word");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_news_are_the_newest_and_have_the_time() {
    for place in places(150, 16).await {
        let news = news(&mut place.read().await, 5).await.expect("news");
        assert_eq!(news.len(), 5);
        assert!(news.is_sorted_by(|a, b| a.entry_date >= b.entry_date));
        assert!(news.iter().all(|entity| entity.entry_date.len() == 19 && entity.category_id == 1));
        assert_eq!(PANEL.id, "symbol");
    }
}
