//! What everybody sees: the view, its columns, and what it costs.

use proptest::prelude::*;
use sysndd_core::vocabulary::{Category, INHERITANCE, Modifier, PHENOTYPES};
use sysndd_store::WRITE_STATEMENTS;
use sysndd_store::generate::{SUPERSEDED, Size, UNAPPROVED, generate};

use crate::support::{places, sqlite};

#[tokio::test(flavor = "multi_thread")]
async fn the_rows_of_the_first_migration_are_the_words_of_the_rules() {
    for place in places().await {
        let phenotypes: Vec<_> =
            PHENOTYPES.iter().map(|(term, name)| format!("{term} {name}")).collect();
        assert_eq!(place.texts("SELECT phenotype_id || ' ' || hpo_term FROM phenotype_list ORDER BY phenotype_id").await, phenotypes);
        let modes: Vec<_> = INHERITANCE
            .iter()
            .map(|mode| {
                format!(
                    "{} {} {} {} {}",
                    mode.term,
                    mode.name,
                    mode.group.name(),
                    mode.short,
                    i64::from(mode.active)
                )
            })
            .collect();
        let sql = "SELECT hpo_mode_of_inheritance_term || ' ' || hpo_mode_of_inheritance_term_name || ' ' || inheritance_filter || ' ' || inheritance_short_text || ' ' || CAST(is_active AS TEXT)
            FROM mode_of_inheritance_list ORDER BY sort";
        assert_eq!(place.texts(sql).await, modes);
        let categories: Vec<_> =
            Category::ALL.iter().map(|one| format!("{} {}", one.id(), one.name())).collect();
        assert_eq!(place.texts("SELECT CAST(category_id AS TEXT) || ' ' || category FROM ndd_entity_status_categories_list ORDER BY category_id").await, categories);
        let modifiers: Vec<_> =
            Modifier::ALL.iter().map(|one| format!("{} {}", one.id(), one.name())).collect();
        assert_eq!(place.texts("SELECT CAST(modifier_id AS TEXT) || ' ' || modifier_name FROM modifier_list ORDER BY modifier_id").await, modifiers);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_that_writes_is_understood_by_each_engine() {
    for place in places().await {
        for statement in WRITE_STATEMENTS.iter().copied().flatten() {
            let mut transaction = place.database.read().await.expect("a transaction");
            transaction.prepare(statement).await.expect(statement.name);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_by_id_reads_the_page_and_not_the_table() {
    let place = sqlite().await;
    generate(&place.database, Size { entities: 500, seed: 1 }).await.expect("entities");
    let plan = place
        .texts("SELECT 'x' FROM public_entity WHERE entity_id > 100 ORDER BY entity_id LIMIT 10")
        .await;
    assert_eq!(plan.len(), 10);
    let mut transaction = place.database.read().await.expect("a transaction");
    let sql = "EXPLAIN QUERY PLAN SELECT * FROM public_entity WHERE entity_id > 100 ORDER BY entity_id LIMIT 10";
    let statement = foundation_durable::Statement { name: "test", sql };
    let rows = transaction.rows(&statement, &[]).await.expect("a plan");
    let steps: Vec<&str> = rows.iter().map(|row| row.text(3).expect("a step")).collect();
    assert!(steps[0].starts_with("SEARCH entity USING INDEX"), "{steps:?}");
    assert!(steps.iter().all(|step| !step.starts_with("SCAN")), "{steps:?}");
    assert!(steps.iter().all(|step| !step.contains("TEMP B-TREE")), "{steps:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    /// Property 4: what was never approved is in no public row, and neither is what was superseded.
    #[test]
    fn what_was_never_approved_is_never_public(seed in any::<u64>(), entities in 50_usize..200) {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            for place in places().await {
                let made = generate(&place.database, Size { entities, seed }).await.expect("entities");
                let leaks = place.texts("SELECT synopsis FROM public_entity WHERE synopsis IS NOT NULL").await;
                assert!(leaks.iter().all(|text| !text.contains(UNAPPROVED) && !text.contains(SUPERSEDED)));
                let counts = place.numbers(
                    "SELECT (SELECT count(*) FROM public_entity), (SELECT count(*) FROM ndd_entity),
                        (SELECT count(*) FROM ndd_entity_review WHERE review_approved = 0),
                        (SELECT count(*) FROM public_entity JOIN ndd_entity_review USING (review_id) WHERE review_approved = 0),
                        (SELECT count(*) FROM public_entity JOIN ndd_entity_status USING (status_id) WHERE status_approved = 0),
                        (SELECT count(*) FROM public_entity JOIN ndd_entity USING (entity_id) WHERE is_active = 0)",
                ).await;
                let count = |number: usize| i64::try_from(number).expect("small");
                assert_eq!(counts, [count(made.public), count(entities), count(made.unapproved_reviews), 0, 0, 0]);
            }
        });
    }
}
