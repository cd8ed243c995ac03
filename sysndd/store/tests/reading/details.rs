//! Single things, search, and what an empty database answers.

use sysndd_store::entity::Absence;
use sysndd_store::list::{
    ENTITY, GENE, ListQuery, ListRequest, PANEL, PANEL_ROWS, PHENOTYPE, list,
};
use sysndd_store::statistics::{Unit, category_count, last_update};
use sysndd_store::{READ_STATEMENTS, entity, gene, ontology, search, vocabulary};

use crate::support::places;

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_is_understood_by_every_engine() {
    for place in places(0, 0).await {
        let mut transaction = place.database.read().await.expect("a transaction");
        for statement in READ_STATEMENTS.iter().copied().flatten() {
            transaction
                .prepare(statement)
                .await
                .unwrap_or_else(|error| panic!("{}: {error}", place.name));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_database_answers_everything_with_nothing() {
    for place in places(0, 0).await {
        let mut reading = place.read().await;
        for table in [&ENTITY, &PHENOTYPE, &GENE, &PANEL, &PANEL_ROWS] {
            let request = ListRequest::read(table, &ListQuery::default()).expect("a request");
            let page = list(&mut reading, &request).await.expect(table.name);
            assert_eq!((page.total, page.total_pages, page.current_page), (0, 1, 1));
        }
        assert!(category_count(&mut reading, Unit::Gene).await.expect("counts").is_empty());
        assert_eq!(last_update(&mut reading).await.expect("a time"), None);
        assert!(search::rank(&mut reading, "MECP2").await.expect("hits").is_empty());
        assert_eq!(entity::find(&mut reading, 1).await.expect("nothing"), None);
        assert_eq!(vocabulary::phenotypes(&mut reading).await.expect("words").len(), 39);
        assert_eq!(vocabulary::inheritances(&mut reading).await.expect("words").len(), 7);
        reading.finish().await.expect("an end");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entity_is_found_with_all_that_is_public_of_it() {
    for place in places(80, 21).await {
        let mut reading = place.read().await;
        let (mut terms, mut papers) = (0, 0);
        for id in entity::ids(&mut reading).await.expect("ids") {
            let found = entity::find(&mut reading, id).await.expect("read").expect("there");
            let status = entity::status(&mut reading, id).await.expect("read").expect("there");
            assert_eq!(status.category, found.category);
            let review = entity::review(&mut reading, id).await.expect("read").expect("there");
            assert_eq!(review.synopsis, found.synopsis);
            terms += entity::phenotypes(&mut reading, id).await.expect("read").len();
            papers += entity::publications(&mut reading, id).await.expect("read").len();
            entity::annotations(&mut reading, id).await.expect("read");
            let own = entity::of_gene(&mut reading, &found.hgnc_id).await.expect("read");
            assert!(own.contains(&found));
            let by_symbol = gene::by_symbol(&mut reading, &found.symbol.to_lowercase()).await;
            assert_eq!(by_symbol.expect("read").expect("there").hgnc_id, found.hgnc_id);
            let diseases = ontology::find(&mut reading, &found.disease_ontology_id_version)
                .await
                .expect("read");
            assert!(
                diseases
                    .iter()
                    .any(|disease| disease.disease_ontology_name == found.disease_ontology_name)
            );
            let same = entity::of_disease(&mut reading, &diseases[0].disease_ontology_id).await;
            assert!(same.expect("read").contains(&found));
        }
        assert!(terms > 0 && papers > 0);
        assert_eq!(entity::absence(&mut reading, 999_999).await.expect("read"), Absence::Unknown);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_finds_what_everybody_sees() {
    for place in places(120, 22).await {
        let mut reading = place.read().await;
        let id = entity::ids(&mut reading).await.expect("ids")[0];
        let entity = entity::find(&mut reading, id).await.expect("read").expect("there");
        let hits = search::rank(&mut reading, &entity.symbol.to_lowercase()).await.expect("hits");
        assert_eq!(&*hits[0].item.text, entity.symbol);
        assert!(hits.iter().all(|hit| hit.distance <= 0.0));
        let near = search::suggest(&mut reading, &entity.disease_ontology_name[..4], 8).await;
        assert!(!near.expect("hits").is_empty());
        let genes = search::genes(&mut reading, &entity.symbol, 5).await.expect("hits");
        assert_eq!(&*genes[0].item.key, entity.hgnc_id);
        let diseases = search::diseases(&mut reading, &entity.disease_ontology_name, 5).await;
        assert!(!diseases.expect("hits").is_empty());
        let modes = search::inheritances(&mut reading, "recessive", 5).await.expect("hits");
        assert!(modes.iter().any(|hit| &*hit.item.key == "HP:0000007"));
    }
}
