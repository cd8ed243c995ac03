//! What generated entities refer to: genes, diseases and publications, each made out of its number.

use foundation_durable::{Error, Transaction, Value};
use sysndd_core::fold::folded;

use super::rows::{Entity, WORDS};
use crate::batch::Batch;

const LETTERS: &[u8; 20] = b"ABCDEFGHKLMNPRSTUVXZ";

/// A symbol: letters that differ for each gene, and its number.
fn symbol(gene: usize) -> String {
    let letter = |place: usize| {
        char::from(LETTERS[gene * 7 / 20_usize.pow(u32::try_from(place).unwrap_or(0)) % 20])
    };
    format!("{}{}{}{}", letter(0), letter(1), letter(2), gene + 1)
}

fn disease_name(disease: usize) -> String {
    let word = |place: usize| {
        WORDS[(disease / 24_usize.pow(u32::try_from(place).unwrap_or(0)) + place * 5) % 24]
    };
    format!("{} {} {}, {}", word(0), word(1), word(2), disease + 1)
}

pub(super) fn hgnc(gene: usize) -> Value {
    format!("HGNC:{}", gene + 1).into()
}

pub(super) fn omim(disease: usize) -> Value {
    format!("OMIM:{}", 100_000 + disease).into()
}

pub(super) fn pubmed(paper: usize) -> i64 {
    i64::try_from(10_000_000 + paper).unwrap_or(i64::MAX)
}

/// Writes genes, diseases and publications.
pub(super) async fn write(transaction: &mut Transaction, entities: &[Entity]) -> Result<(), Error> {
    const DAY: &str = "2025-01-16T00:00:00Z";
    let mut genes = Batch::new(
        "non_alt_loci_set",
        &[
            "hgnc_id",
            "symbol",
            "symbol_folded",
            "name",
            "name_folded",
            "status",
            "entrez_id",
            "ensembl_gene_id",
            "update_date",
        ],
    );
    let mut symbols =
        Batch::new("hgnc_symbol_lookup", &["lookup_symbol", "hgnc_id", "symbol_type"]);
    let last = entities.iter().map(|entity| entity.gene).max().unwrap_or(0);
    for gene in 0..=last {
        let (symbol, name) = (symbol(gene), format!("generated gene {}", gene + 1));
        let row = [
            hgnc(gene),
            (&symbol).into(),
            folded(&symbol).into(),
            (&name).into(),
            folded(&name).into(),
            "Approved".into(),
            (gene + 1).to_string().into(),
            format!("ENSG{:011}", gene + 1).into(),
            DAY.into(),
        ];
        genes.add(transaction, row).await?;
    }
    genes.flush(transaction).await?;
    for gene in 0..=last {
        symbols.add(transaction, [symbol(gene).into(), hgnc(gene), "current".into()]).await?;
    }
    symbols.flush(transaction).await?;
    let mut diseases = Batch::new(
        "disease_ontology_set",
        &[
            "disease_ontology_id_version",
            "disease_ontology_id",
            "disease_ontology_name",
            "disease_ontology_name_folded",
            "disease_ontology_source",
            "mondo",
            "update_date",
        ],
    );
    for entity in entities {
        let name = disease_name(entity.disease);
        let mondo = format!("MONDO:{:07}", entity.disease + 1);
        let row = [
            omim(entity.disease),
            omim(entity.disease),
            (&name).into(),
            folded(&name).into(),
            "OMIM".into(),
            mondo.into(),
            DAY.into(),
        ];
        diseases.add(transaction, row).await?;
    }
    diseases.flush(transaction).await?;
    let mut papers: Vec<usize> =
        entities.iter().flat_map(|entity| entity.publications.iter().copied()).collect();
    papers.sort_unstable();
    papers.dedup();
    let mut publications =
        Batch::new("publication", &["publication_id", "pubmed_number", "update_date"]);
    for paper in papers {
        let number = pubmed(paper);
        let row = [format!("PMID:{number}").into(), number.into(), DAY.into()];
        publications.add(transaction, row).await?;
    }
    publications.flush(transaction).await
}
