//! The rules that the schema holds by itself: each test tries to break one.

use foundation_durable::{Constraint, Error};

use crate::support::{Place, places};

/// Two people, a gene, two diseases, and entity 1 with an approved review 1 and status 1. Review 2 and
/// status 2 wait for approval.
const SETTING: &[&str] = &[
    "INSERT INTO sysndd_user (user_id, user_name, user_role, created_at) VALUES (1, 'writer', 'Reviewer', '2020-01-01T00:00:00Z'), (2, 'approver', 'Curator', '2020-01-01T00:00:00Z')",
    "INSERT INTO non_alt_loci_set (hgnc_id, symbol, symbol_folded, name, name_folded, update_date) VALUES ('HGNC:1', 'A', 'a', 'a', 'a', '2020-01-01T00:00:00Z')",
    "INSERT INTO disease_ontology_set (disease_ontology_id_version, disease_ontology_id, disease_ontology_name, disease_ontology_name_folded, disease_ontology_source, update_date)
        VALUES ('OMIM:1', 'OMIM:1', 'a', 'a', 'OMIM', '2020-01-01T00:00:00Z'), ('OMIM:2', 'OMIM:2', 'b', 'b', 'OMIM', '2020-01-01T00:00:00Z')",
    "INSERT INTO publication (publication_id, pubmed_number, update_date) VALUES ('PMID:1', 1, '2020-01-01T00:00:00Z'), ('PMID:2', 2, '2020-01-01T00:00:00Z')",
    "INSERT INTO hpo_term (hpo_id, hpo_name) VALUES ('HP:0001250', 'Seizure')",
    ENTITY,
    "INSERT INTO ndd_entity_review (review_id, entity_id, synopsis, review_date, review_user_id) VALUES (1, 1, 'approved text', '2020-01-02T00:00:00Z', 1)",
    "INSERT INTO ndd_review_phenotype_connect (review_phenotype_id, review_id, entity_id, phenotype_id, phenotype_date) VALUES (1, 1, 1, 'HP:0001250', '2020-01-02T00:00:00Z')",
    "INSERT INTO ndd_review_publication_join (review_publication_id, review_id, entity_id, publication_id) VALUES (1, 1, 1, 'PMID:1')",
    "INSERT INTO review_annotation (annotation_id, review_id, entity_id, hpo_id, aspect, reference, evidence) VALUES (1, 1, 1, 'HP:0001250', 'P', 'PMID:1', 'PCS')",
    APPROVE_FIRST,
    "INSERT INTO ndd_entity_status (status_id, entity_id, category_id, is_active, status_date, status_user_id, status_approved, approving_user_id, approved_at, public_from)
        VALUES (1, 1, 1, 1, '2020-01-02T00:00:00Z', 1, 1, 2, '2020-01-03T00:00:00Z', '2020-01-03T00:00:00Z')",
    "INSERT INTO ndd_entity_review (review_id, entity_id, synopsis, review_date, review_user_id, supersedes) VALUES (2, 1, 'pending text', '2020-01-04T00:00:00Z', 1, 1)",
    "INSERT INTO ndd_entity_status (status_id, entity_id, category_id, status_date, status_user_id, supersedes) VALUES (2, 1, 4, '2020-01-04T00:00:00Z', 1, 1)",
];

const ENTITY: &str = "INSERT INTO ndd_entity (entity_id, hgnc_id, hpo_mode_of_inheritance_term, disease_ontology_id_version, ndd_phenotype, entry_date, entry_user_id, first_review_id, first_status_id)
    VALUES (1, 'HGNC:1', 'HP:0000006', 'OMIM:1', 1, '2020-01-02T00:00:00Z', 1, 1, 1)";

const APPROVE_FIRST: &str = "UPDATE ndd_entity_review SET is_primary = 1, review_approved = 1, approving_user_id = 2, approved_at = '2020-01-03T00:00:00Z', public_from = '2020-01-03T00:00:00Z' WHERE review_id = 1";

async fn settings() -> Vec<Place> {
    let places = places().await;
    for place in &places {
        place.write(SETTING).await.expect("the setting");
    }
    places
}

/// Each attempt must be refused as a broken rule, on each engine, and leave everything as it was.
async fn refused(attempts: &[&[&'static str]]) {
    for place in settings().await {
        let before = place.everything().await;
        for attempt in attempts {
            let error = place.write(attempt).await.expect_err(attempt[0]);
            assert!(matches!(error, Error::Constraint { .. }), "{attempt:?}: {error:?}");
            assert_eq!(place.everything().await, before, "{attempt:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn gene_inheritance_disease_and_flag_are_unique_even_beside_an_inactive_entity() {
    for place in settings().await {
        place
            .write(&["UPDATE ndd_entity SET is_active = 0 WHERE entity_id = 1"])
            .await
            .expect("deactivated");
        let twin = "INSERT INTO ndd_entity (entity_id, hgnc_id, hpo_mode_of_inheritance_term, disease_ontology_id_version, ndd_phenotype, entry_date, entry_user_id, first_review_id, first_status_id)
            VALUES (2, 'HGNC:1', 'HP:0000006', 'OMIM:1', 1, '2020-01-02T00:00:00Z', 1, 3, 3)";
        let error = place.write(&[twin]).await.expect_err("a twin");
        assert!(matches!(error, Error::Constraint { kind: Constraint::Unique, .. }), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entity_has_at_most_one_primary_review_and_one_active_status() {
    refused(&[
        &["UPDATE ndd_entity_review SET is_primary = 1 WHERE review_id = 2"],
        &["UPDATE ndd_entity_status SET is_active = 1 WHERE status_id = 2"],
        &["INSERT INTO ndd_entity_review (review_id, entity_id, is_primary, review_date, review_user_id) VALUES (3, 1, 1, '2020-01-04T00:00:00Z', 1)"],
    ])
    .await;
}

const SECOND: &str = "INSERT INTO ndd_entity (entity_id, hgnc_id, hpo_mode_of_inheritance_term, disease_ontology_id_version, ndd_phenotype, entry_date, entry_user_id, first_review_id, first_status_id)
    VALUES (2, 'HGNC:1', 'HP:0000006', 'OMIM:2', 1, '2020-01-02T00:00:00Z', 1, 3, 3)";
const SECOND_REVIEW: &str = "INSERT INTO ndd_entity_review (review_id, entity_id, review_date, review_user_id) VALUES (3, 2, '2020-01-04T00:00:00Z', 1)";
const SECOND_STATUS: &str = "INSERT INTO ndd_entity_status (status_id, entity_id, category_id, status_date, status_user_id) VALUES (3, 2, 1, '2020-01-04T00:00:00Z', 1)";

#[tokio::test(flavor = "multi_thread")]
async fn an_entity_without_a_review_and_a_status_of_its_own_is_never_committed() {
    const BORROWED: &str = "INSERT INTO ndd_entity (entity_id, hgnc_id, hpo_mode_of_inheritance_term, disease_ontology_id_version, ndd_phenotype, entry_date, entry_user_id, first_review_id, first_status_id)
        VALUES (2, 'HGNC:1', 'HP:0000006', 'OMIM:2', 1, '2020-01-02T00:00:00Z', 1, 1, 1)";
    refused(&[&[SECOND], &[SECOND, SECOND_REVIEW], &[SECOND, SECOND_STATUS], &[BORROWED]]).await;
    for place in settings().await {
        place.write(&[SECOND, SECOND_REVIEW, SECOND_STATUS]).await.expect("a whole entity");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_belongs_to_a_review_belongs_to_the_entity_of_that_review() {
    for place in settings().await {
        place.write(&[SECOND, SECOND_REVIEW, SECOND_STATUS]).await.expect("a second entity");
        for foreign in [
            "INSERT INTO ndd_review_phenotype_connect (review_phenotype_id, review_id, entity_id, phenotype_id, phenotype_date) VALUES (9, 2, 2, 'HP:0000252', '2020-01-02T00:00:00Z')",
            "INSERT INTO ndd_review_publication_join (review_publication_id, review_id, entity_id, publication_id) VALUES (9, 2, 2, 'PMID:2')",
            "INSERT INTO review_annotation (annotation_id, review_id, entity_id, hpo_id, aspect, reference, evidence) VALUES (9, 2, 2, 'HP:0001250', 'P', 'PMID:1', 'PCS')",
            "UPDATE ndd_entity_review SET supersedes = 3 WHERE review_id = 2",
            "UPDATE ndd_entity_status SET supersedes = 3 WHERE status_id = 2",
        ] {
            let error = place.write(&[foreign]).await.expect_err(foreign);
            assert!(
                matches!(error, Error::Constraint { kind: Constraint::Reference, .. }),
                "{foreign}: {error:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_entity_is_inactive_and_is_not_replaced_by_itself() {
    refused(&[
        &["UPDATE ndd_entity SET is_active = 0, replaced_by = 1 WHERE entity_id = 1"],
        &["UPDATE ndd_entity SET is_active = 0, replaced_by = 77 WHERE entity_id = 1"],
        &[
            SECOND,
            SECOND_REVIEW,
            SECOND_STATUS,
            "UPDATE ndd_entity SET replaced_by = 2 WHERE entity_id = 1",
        ],
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn authors_and_the_identity_of_an_entity_never_change() {
    refused(&[
        &["UPDATE ndd_entity_review SET review_user_id = 2 WHERE review_id = 2"],
        &["UPDATE ndd_entity_status SET status_user_id = 2 WHERE status_id = 2"],
        &["UPDATE ndd_entity SET entry_user_id = 2 WHERE entity_id = 1"],
        &["UPDATE ndd_entity SET disease_ontology_id_version = 'OMIM:2' WHERE entity_id = 1"],
        &["UPDATE ndd_entity SET ndd_phenotype = 0 WHERE entity_id = 1"],
        &["UPDATE ndd_entity SET first_review_id = 2 WHERE entity_id = 1"],
        &["DELETE FROM ndd_entity WHERE entity_id = 1"],
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approved_review_never_changes_and_neither_does_what_belongs_to_it() {
    refused(&[
        &["UPDATE ndd_entity_review SET synopsis = 'other' WHERE review_id = 1"],
        &["UPDATE ndd_entity_review SET synopsis = NULL WHERE review_id = 1"],
        &["UPDATE ndd_entity_review SET comment = 'other' WHERE review_id = 1"],
        &["UPDATE ndd_entity_review SET approving_user_id = 1 WHERE review_id = 1"],
        &["UPDATE ndd_entity_review SET public_from = '2019-01-01T00:00:00Z' WHERE review_id = 1"],
        &["UPDATE ndd_entity_review SET review_approved = 0, is_primary = 0, approved_at = NULL, public_from = NULL WHERE review_id = 1"],
        &["DELETE FROM ndd_review_phenotype_connect", "DELETE FROM ndd_review_publication_join", "DELETE FROM review_annotation", "DELETE FROM ndd_entity_review WHERE review_id = 1"],
        &["INSERT INTO ndd_review_phenotype_connect (review_phenotype_id, review_id, entity_id, phenotype_id, phenotype_date) VALUES (9, 1, 1, 'HP:0000252', '2020-01-02T00:00:00Z')"],
        &["UPDATE ndd_review_phenotype_connect SET modifier_id = 5 WHERE review_phenotype_id = 1"],
        &["UPDATE ndd_review_phenotype_connect SET review_id = 2 WHERE review_phenotype_id = 1"],
        &["DELETE FROM ndd_review_phenotype_connect WHERE review_phenotype_id = 1"],
        &["INSERT INTO ndd_review_publication_join (review_publication_id, review_id, entity_id, publication_id) VALUES (9, 1, 1, 'PMID:2')"],
        &["UPDATE ndd_review_publication_join SET publication_id = 'PMID:2' WHERE review_publication_id = 1"],
        &["DELETE FROM ndd_review_publication_join WHERE review_publication_id = 1"],
        &["INSERT INTO review_annotation (annotation_id, review_id, entity_id, hpo_id, aspect, reference, evidence) VALUES (9, 1, 1, 'HP:0001250', 'P', 'PMID:2', 'PCS')"],
        &["UPDATE review_annotation SET frequency = '1/1' WHERE annotation_id = 1"],
        &["DELETE FROM review_annotation WHERE annotation_id = 1"],
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approved_status_never_changes() {
    refused(&[
        &["UPDATE ndd_entity_status SET category_id = 4 WHERE status_id = 1"],
        &["UPDATE ndd_entity_status SET category_basis = 'computed' WHERE status_id = 1"],
        &["UPDATE ndd_entity_status SET problematic = 1 WHERE status_id = 1"],
        &["UPDATE ndd_entity_status SET approved_at = '2019-01-01T00:00:00Z' WHERE status_id = 1"],
        &["DELETE FROM ndd_entity_status WHERE status_id = 1"],
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_approved_has_a_time_in_which_it_was_public() {
    refused(&[
        &["UPDATE ndd_entity_review SET public_from = '2020-01-05T00:00:00Z', public_until = '2020-01-06T00:00:00Z' WHERE review_id = 2"],
        &["UPDATE ndd_entity_review SET review_approved = 1 WHERE review_id = 2"],
        &["UPDATE ndd_entity_review SET public_until = '2020-01-06T00:00:00Z' WHERE review_id = 1"],
        &["UPDATE ndd_entity_review SET is_primary = 0 WHERE review_id = 1"],
        &["UPDATE ndd_entity_review SET is_primary = 0, public_until = '2019-01-06T00:00:00Z' WHERE review_id = 1"],
        &["UPDATE ndd_entity_status SET is_active = 0 WHERE status_id = 1"],
        &["UPDATE ndd_entity_status SET status_approved = 1, approved_at = '2020-01-06T00:00:00Z' WHERE status_id = 2"],
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn times_flags_and_words_are_what_they_should_be() {
    refused(&[
        &["UPDATE ndd_entity_review SET review_date = '2020-01-04' WHERE review_id = 2"],
        &["UPDATE ndd_entity_review SET is_primary = 2 WHERE review_id = 2"],
        &["UPDATE sysndd_user SET user_role = 'King' WHERE user_id = 1"],
        &["UPDATE sysndd_user SET is_system = 1, may_sign_in = 1 WHERE user_id = 1"],
        &["INSERT INTO data_version (only_row, version, changed_at) VALUES (2, 1, '2020-01-01T00:00:00Z')"],
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_is_a_new_row_and_the_approved_one_stays_public_until_the_new_one_is_approved() {
    const SYNOPSIS: &str = "SELECT synopsis FROM public_entity";
    for place in settings().await {
        assert_eq!(place.texts(SYNOPSIS).await, ["approved text"]);
        place
            .write(&["UPDATE ndd_entity_review SET synopsis = 'edited text' WHERE review_id = 2"])
            .await
            .expect("a pending review may change");
        assert_eq!(place.texts(SYNOPSIS).await, ["approved text"]);
        let approve = [
            "UPDATE ndd_entity_review SET is_primary = 0, public_until = '2020-01-06T00:00:00Z', row_version = row_version + 1 WHERE review_id = 1",
            "UPDATE ndd_entity_review SET is_primary = 1, review_approved = 1, approving_user_id = 2, approved_at = '2020-01-06T00:00:00Z', public_from = '2020-01-06T00:00:00Z' WHERE review_id = 2",
        ];
        place.write(&approve).await.expect("approved");
        assert_eq!(place.texts(SYNOPSIS).await, ["edited text"]);
        let back =
            "UPDATE ndd_entity_review SET is_primary = 1, public_until = NULL WHERE review_id = 1";
        assert!(place.write(&["UPDATE ndd_entity_review SET is_primary = 0, public_until = '2020-01-07T00:00:00Z' WHERE review_id = 2", back]).await.is_err());
    }
}
