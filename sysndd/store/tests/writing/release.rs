//! The complete release, where it lies beside the checkout: the numbers of the whole rule.

use std::path::Path;

use sysndd_store::import::{Release, Silent, load};

use crate::support::{now, places};

/// `DSG_HPO_RELEASE` names a folder with hp.obo, phenotype.hpoa, genes_to_phenotype.txt,
/// hgnc_entries.tsv and mondo.json of the packages that `sample/PROVENANCE.md` lists.
#[tokio::test(flavor = "multi_thread")]
async fn the_release_of_2025_01_16_gives_the_known_numbers() {
    let Some(folder) = std::env::var_os("DSG_HPO_RELEASE") else {
        println!("skipped: no shared data");
        return;
    };
    let release = Release::read(Path::new(&folder), &Silent).expect("a release");
    for place in places().await {
        let report = load(&place.database, &release, now(), &Silent).await.expect("an import");
        let (found, loaded) = (report.found, report.neurodevelopmental);
        assert_eq!(
            (found.entities, found.genes, found.diseases, found.terms),
            (2499, 2109, 2376, 69_131)
        );
        assert_eq!(
            (loaded.entities, loaded.genes, loaded.diseases, loaded.terms),
            (2496, 2107, 2376, 68_858)
        );
        assert_eq!(loaded.publications, 3657);
        let mut genes: Vec<_> =
            report.refused.iter().map(|one| one.ncbi_gene_id.as_str()).collect();
        genes.dedup();
        assert_eq!(genes, ["10108", "7467"]);
        let public = "SELECT count(*) FROM public_entity WHERE ndd_phenotype = 1";
        assert_eq!(place.numbers(public).await, [2496]);
        let again = load(&place.database, &release, now(), &Silent).await.expect("an import");
        assert!(!again.changes.any());
    }
}
