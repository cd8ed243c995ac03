//! Importing the sample of this repository.

use std::fs;
use std::path::Path;

use sysndd_store::import::{Changes, Error, Monitor, Phase, Release, Report, Silent, load};
use sysndd_store::provenance;

use crate::support::{Place, now, places, sample, sqlite};

async fn import(place: &Place, folder: &Path) -> Report {
    let release = Release::read(folder, &Silent).expect("a release");
    load(&place.database, &release, now(), &Silent).await.expect("an import")
}

/// `what`, `value` of the sample's summary.
fn summary() -> impl Fn(&str) -> usize {
    let text = fs::read_to_string(sample().join("report/output/summary.tsv")).expect("a summary");
    move |what| {
        let line = text.lines().find_map(|line| line.strip_prefix(what)?.strip_prefix('\t'));
        line.expect(what).parse().expect("a number")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sample_gives_the_numbers_of_its_summary() {
    let expected = summary();
    for place in places().await {
        let report = import(&place, &sample()).await;
        for (totals, which) in [
            (report.found, "(NDD, before the HGNC join)"),
            (report.neurodevelopmental, "(NDD, loaded)"),
            (report.loaded, "(NDD and other, loaded)"),
        ] {
            assert_eq!(totals.entities, expected(&format!("entities {which}")));
            assert_eq!(totals.genes, expected(&format!("genes {which}")));
            assert_eq!(totals.diseases, expected(&format!("diseases {which}")));
            assert_eq!(totals.terms, expected(&format!("terms summed over entities {which}")));
            assert_eq!(totals.publications, expected(&format!("PMIDs {which}")));
        }
        assert_eq!(
            report.diseases_without_name,
            expected("diseases without a Mondo name (loaded)")
        );
        let counts = place
            .numbers(
                "SELECT count(*), count(*) FILTER (WHERE ndd_phenotype = 1), count(DISTINCT hgnc_id), count(DISTINCT disease_ontology_id_version),
                    count(*) FILTER (WHERE category_basis = 'computed'), count(review_id) FROM public_entity",
            )
            .await;
        assert_eq!(counts, [243, 198, 150, 217, 243, 243]);
        let terms = "SELECT count(*) FROM (SELECT DISTINCT annotation.review_id, annotation.hpo_id FROM review_annotation AS annotation
            JOIN public_entity USING (review_id) WHERE annotation.aspect = 'P' AND public_entity.ndd_phenotype = 1) AS terms";
        assert_eq!(place.numbers(terms).await, [6426]);
        let publications =
            "SELECT count(DISTINCT link.publication_id) FROM ndd_review_publication_join AS link
            JOIN public_entity USING (review_id) WHERE public_entity.ndd_phenotype = 1";
        assert_eq!(place.numbers(publications).await, [724]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_refused_entities_are_those_that_the_sample_lists() {
    let place = sqlite().await;
    let report = import(&place, &sample()).await;
    let listed = fs::read_to_string(sample().join("report/output/rejected.tsv")).expect("a list");
    let mut expected: Vec<&str> =
        listed.lines().skip(1).filter_map(|line| line.strip_suffix("\tno HGNC row")).collect();
    expected.sort_unstable();
    let mut found: Vec<String> = report
        .refused
        .iter()
        .map(|one| format!("{}\t{}\t{}", one.ncbi_gene_id, one.disease_id, one.inheritance_id))
        .collect();
    found.sort_unstable();
    assert_eq!(found, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_import_of_the_same_release_changes_nothing_and_says_so() {
    for place in places().await {
        let first = import(&place, &sample()).await;
        assert_eq!(first.changes.entities_added, 243);
        let before = place.everything().await;
        let second = import(&place, &sample()).await;
        assert_eq!(second.changes, Changes::default());
        assert!(!second.changes.any());
        assert_eq!((second.unchanged, second.left_alone, second.not_in_release), (243, 0, 0));
        assert_eq!(second.data_version, first.data_version);
        assert_eq!(place.everything().await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_engines_hold_the_same_after_an_import() {
    let mut found = Vec::new();
    for place in places().await {
        import(&place, &sample()).await;
        found.push(place.everything().await);
    }
    assert!(found.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sources_and_the_mark_are_stored_with_the_data() {
    for place in places().await {
        let mut transaction = place.database.read().await.expect("a transaction");
        assert!(!provenance::has_computed_categories(&mut transaction).await.expect("an answer"));
        drop(transaction);
        import(&place, &sample()).await;
        let mut transaction = place.database.read().await.expect("a transaction");
        assert!(provenance::has_computed_categories(&mut transaction).await.expect("an answer"));
        let sources = provenance::sources(&mut transaction).await.expect("sources");
        let releases: Vec<_> =
            sources.iter().map(|source| (source.name.as_str(), source.release.as_str())).collect();
        assert_eq!(
            releases,
            [("HGNC", "not stated"), ("HPO", "2025-01-16"), ("Mondo", "not stated")]
        );
        drop(transaction);
        let account = place
            .numbers(
                "SELECT count(*), max(is_system), max(may_sign_in), max(approved) FROM sysndd_user",
            )
            .await;
        assert_eq!(account, [1, 1, 0, 0]);
    }
}

/// A file, and what becomes of its text.
type FileChange<'a> = (&'a str, &'a dyn Fn(&str) -> String);

/// A copy of the sample in which some files are changed.
fn changed(changes: &[FileChange<'_>]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for file in [
        "frozen/hpo/terms.obo",
        "frozen/hpo/annotations.tsv",
        "frozen/hpo/associations.tsv",
        "frozen/hgnc/loci.tsv",
        "frozen/mondo/diseases.sssom.tsv",
    ] {
        let mut text = fs::read_to_string(sample().join(file)).expect(file);
        for (name, change) in changes {
            if file.ends_with(name) {
                text = change(&text);
            }
        }
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    folder
}

/// Without one row of one disease, which has others.
fn without_a_row(text: &str) -> String {
    let keeps = |line: &&str| !line.starts_with("OMIM:102700\t\t\tHP:0000988\t");
    text.lines().filter(keeps).map(|line| format!("{line}\n")).collect()
}

/// Without the rows of a publication that alone makes the disease neurodevelopmental.
fn without_publication(text: &str) -> String {
    let keeps =
        |line: &&str| !(line.starts_with("OMIM:102700\t") && line.contains("PMID:28823388"));
    text.lines().filter(keeps).map(|line| format!("{line}\n")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entity_that_a_newer_release_does_not_have_stays_and_is_counted() {
    for place in places().await {
        import(&place, &sample()).await;
        let newer = changed(&[("annotations.tsv", &without_publication)]);
        let report = import(&place, newer.path()).await;
        assert_eq!((report.not_in_release, report.unchanged), (1, 242));
        assert_eq!(place.numbers("SELECT count(*) FROM public_entity").await, [243]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_release_supersedes_reviews_and_keeps_the_old_ones() {
    for place in places().await {
        let first = import(&place, &sample()).await;
        let newer = changed(&[("annotations.tsv", &without_a_row)]);
        let second = import(&place, newer.path()).await;
        assert_eq!((second.changes.entities_added, second.changes.reviews_replaced), (0, 1));
        assert_eq!(second.unchanged, 242);
        assert_eq!(second.data_version, first.data_version + 1);
        let reviews = "SELECT count(*), count(*) FILTER (WHERE is_primary = 1), count(supersedes), count(public_until) FROM ndd_entity_review";
        assert_eq!(place.numbers(reviews).await, [244, 243, 1, 1]);
        let third = import(&place, newer.path()).await;
        assert!(!third.changes.any());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_curated_is_left_alone() {
    for place in places().await {
        import(&place, &sample()).await;
        let curate = [
            "INSERT INTO sysndd_user (user_id, user_name, user_role, created_at) VALUES (900, 'curator', 'Curator', '2026-01-01T00:00:00Z')",
            "UPDATE ndd_entity_status SET is_active = 0, public_until = '2026-03-02T00:00:00Z' WHERE entity_id = (SELECT min(entity_id) FROM ndd_entity WHERE disease_ontology_id_version = 'OMIM:102700') AND is_active = 1",
            "INSERT INTO ndd_entity_status (status_id, entity_id, category_id, is_active, status_date, status_user_id, status_approved, approving_user_id, approved_at, public_from)
                SELECT 9000, min(entity_id), 4, 1, '2026-03-02T00:00:00Z', 900, 1, 900, '2026-03-02T00:00:00Z', '2026-03-02T00:00:00Z' FROM ndd_entity WHERE disease_ontology_id_version = 'OMIM:102700'",
        ];
        place.write(&curate).await.expect("curated");
        let report = import(&place, changed(&[("annotations.tsv", &without_a_row)]).path()).await;
        assert_eq!((report.left_alone, report.changes.reviews_replaced), (1, 0));
        let category = "SELECT category_id FROM public_entity WHERE status_id = 9000";
        assert_eq!(place.numbers(category).await, [4]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_is_named_with_its_line_and_nothing_is_written() {
    let place = sqlite().await;
    let before = place.everything().await;
    let damage = |text: &str| text.replacen("HP:0001250\tPMID", "seizure\tPMID", 1);
    let folder = changed(&[("annotations.tsv", &damage)]);
    let error = Release::read(folder.path(), &Silent).expect_err("a damaged file");
    assert!(matches!(error, Error::Malformed { .. }), "{error}");
    assert!(error.to_string().contains("annotations.tsv, line "), "{error}");
    let other = |text: &str| text.replace("#version: 2025-01-16", "#version: 2024-01-01");
    let folder = changed(&[("annotations.tsv", &other)]);
    assert!(matches!(Release::read(folder.path(), &Silent), Err(Error::Releases { .. })));
    fs::remove_file(folder.path().join("frozen/hgnc/loci.tsv")).expect("removed");
    let error = Release::read(folder.path(), &Silent).expect_err("a missing file");
    assert!(error.to_string().contains("has no HGNC table"), "{error}");
    assert_eq!(place.everything().await, before);
}

/// Stops when the first entities are written.
struct Impatient;

impl Monitor for Impatient {
    fn begin(&self, _phase: Phase, _total: u64) {}
    fn advance(&self, _done: u64) {}
    fn stop_requested(&self) -> bool {
        true
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_stopped_writes_nothing() {
    for place in places().await {
        let before = place.everything().await;
        let release = Release::read(&sample(), &Silent).expect("a release");
        let error = load(&place.database, &release, now(), &Impatient).await.expect_err("stopped");
        assert!(matches!(error, Error::Stopped));
        assert_eq!(place.everything().await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_imports_at_the_same_time_load_everything_once() {
    for place in places().await {
        let release = Release::read(&sample(), &Silent).expect("a release");
        let (one, other) = tokio::join!(
            load(&place.database, &release, now(), &Silent),
            load(&place.database, &release, now(), &Silent),
        );
        let added = [one, other].map(|report| report.expect("an import").changes.entities_added);
        assert_eq!(added.iter().sum::<u64>(), 243, "{added:?}");
        assert_eq!(place.numbers("SELECT count(*) FROM public_entity").await, [243]);
    }
}
