//! Walking through a list by its cursors.

use std::collections::BTreeSet;

use proptest::prelude::*;
use sysndd_core::list::Table;
use sysndd_store::list::{
    Cursor, ENTITY, GENE, Id, ListPage, ListQuery, ListRequest, PANEL, PHENOTYPE, list,
};

use crate::support::{Place, places};

async fn page(place: &Place, table: &'static Table, query: &ListQuery) -> ListPage {
    let request = ListRequest::read(table, query).expect("a request");
    list(&mut place.read().await, &request).await.expect("a page")
}

fn query(sort: &str, after: &str, size: &str) -> ListQuery {
    ListQuery {
        sort: Some(sort.to_owned()),
        filter: Some(String::new()),
        page_after: Some(after.to_owned()),
        page_size: Some(size.to_owned()),
        fspec: Some(String::new()),
        ..ListQuery::default()
    }
}

fn ids(table: &Table, page: &ListPage) -> Vec<String> {
    page.rows
        .iter()
        .map(|row| match row.integer(table.id) {
            0 => row.text(table.id).to_owned(),
            number => number.to_string(),
        })
        .collect()
}

fn text(cursor: &Cursor) -> Option<String> {
    match cursor {
        Cursor::None => None,
        Cursor::Start => Some("0".to_owned()),
        Cursor::After(id) => Some(id.to_string()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

    /// Property 1, for all lists, sortings and sizes of pages.
    #[test]
    fn a_walk_by_cursors_meets_every_row_once(
        seed in any::<u64>(),
        which in 0_usize..4,
        keys in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 0..3),
        size in 3_usize..30,
    ) {
        let table = [&ENTITY, &PHENOTYPE, &GENE, &PANEL][which];
        let columns: Vec<_> = table.columns.iter().filter(|column| column.sorted).collect();
        let sort: Vec<_> = keys
            .iter()
            .map(|(at, down)| format!("{}{}", if *down { "-" } else { "" }, at.get(&columns).name))
            .collect();
        let (sort, size_text) = (sort.join(","), size.to_string());
        let runtime =
            tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let mut orders = Vec::new();
            for place in places(40, seed).await {
                let whole = page(&place, table, &query(&sort, "", "all")).await;
                let all = ids(table, &whole);
                let (mut walked, mut after, mut number) = (Vec::new(), "0".to_owned(), 0);
                loop {
                    let page = page(&place, table, &query(&sort, &after, &size_text)).await;
                    number += 1;
                    assert_eq!(page.current_page, number, "{}", place.name);
                    assert_eq!(page.total, all.len());
                    assert_eq!(page.total_pages, all.len().div_ceil(size).max(1));
                    walked.extend(ids(table, &page));
                    if let Some(last) = text(&page.last) {
                        let at = size * (page.total_pages - 1);
                        assert_eq!(last, all[at - 1]);
                    }
                    let before = walked.len().saturating_sub(page.rows.len() + size);
                    let expected = match (number, before) {
                        (1, _) => None,
                        (_, 0) => Some("0".to_owned()),
                        (_, before) => Some(all[before - 1].clone()),
                    };
                    assert_eq!(text(&page.previous), expected);
                    match text(&page.next) {
                        Some(next) => after = next,
                        None => break,
                    }
                }
                assert_eq!(walked, all, "{} {}", place.name, sort);
                assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
                orders.push(all);
            }
            for order in &orders[1..] {
                assert_eq!(order, &orders[0], "both engines sort alike");
            }
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_that_never_was_starts_at_the_beginning() {
    for place in places(40, 3).await {
        let first = page(&place, &ENTITY, &query("symbol", "", "5")).await;
        for unknown in ["999999", "abc", "-1", "99999999999999999999", "null"] {
            let page = page(&place, &ENTITY, &query("symbol", unknown, "5")).await;
            assert_eq!(ids(&ENTITY, &page), ids(&ENTITY, &first), "{unknown}");
            assert_eq!(page.current, Cursor::Start);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_that_left_the_list_goes_on_where_its_row_would_stand() {
    for place in places(60, 5).await {
        for sort in ["entity_id", "-symbol", "category,-entry_date", "-synopsis", "synopsis"] {
            let all = ids(&ENTITY, &page(&place, &ENTITY, &query(sort, "", "all")).await);
            let gone = all[all.len() / 2].clone();
            // A filter takes the row out, as an edit would.
            let mut without = query(sort, &gone, "3");
            without.filter = Some(format!("not(equals(entity_id,{gone}))"));
            let next = page(&place, &ENTITY, &without).await;
            let from = all.len() / 2 + 1;
            assert_eq!(ids(&ENTITY, &next), all[from..from + 3], "{} {sort}", place.name);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_page_of_an_exact_multiple_says_that_nothing_follows() {
    for place in places(40, 3).await {
        let total = page(&place, &ENTITY, &query("", "", "1")).await.total;
        let size = if total % 2 == 0 { total / 2 } else { total };
        let first = page(&place, &ENTITY, &query("", "", &size.to_string())).await;
        let last = match &first.next {
            Cursor::After(Id::Number(id)) => {
                page(&place, &ENTITY, &query("", &id.to_string(), &size.to_string())).await
            }
            _ => first,
        };
        assert_eq!((last.rows.len(), last.next), (size, Cursor::None));
    }
}
