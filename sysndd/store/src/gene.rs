//! One gene.

use foundation_durable::{Row, Statement};

use crate::error::Error;
use crate::reader::Reading;

/// A gene with its identifiers elsewhere; several of one kind are joined with `|`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gene {
    /// `HGNC:…`
    pub hgnc_id: String,
    /// The symbol.
    pub symbol: String,
    /// The name.
    pub name: String,
    /// Where it lies, by band.
    pub location: Option<String>,
    /// Other symbols.
    pub alias_symbol: Option<String>,
    /// Earlier symbols.
    pub prev_symbol: Option<String>,
    /// NCBI.
    pub entrez_id: Option<String>,
    /// Ensembl.
    pub ensembl_gene_id: Option<String>,
    /// UCSC.
    pub ucsc_id: Option<String>,
    /// CCDS.
    pub ccds_id: Option<String>,
    /// UniProt.
    pub uniprot_ids: Option<String>,
    /// OMIM.
    pub omim_id: Option<String>,
    /// The MANE transcript.
    pub mane_select: Option<String>,
    /// The mouse.
    pub mgd_id: Option<String>,
    /// The rat.
    pub rgd_id: Option<String>,
    /// STRING; several are joined with `;`.
    pub string_id: Option<String>,
    /// Where it lies in the older reference.
    pub bed_hg19: Option<String>,
    /// Where it lies in the newer reference.
    pub bed_hg38: Option<String>,
    /// What gnomAD says, as JSON.
    pub gnomad_constraints: Option<String>,
    /// The predicted structure.
    pub alphafold_id: Option<String>,
}

const BY_ID: Statement = Statement {
    name: "gene: by id",
    sql: "SELECT hgnc_id, symbol, name, location, alias_symbol, prev_symbol, entrez_id, \
          ensembl_gene_id, ucsc_id, ccds_id, uniprot_ids, omim_id, mane_select, mgd_id, rgd_id, \
          string_id, bed_hg19, bed_hg38, gnomad_constraints, alphafold_id \
          FROM non_alt_loci_set WHERE hgnc_id = $1",
};

const BY_SYMBOL: Statement = Statement {
    name: "gene: by symbol",
    sql: "SELECT hgnc_id FROM hgnc_symbol_lookup WHERE lookup_symbol = $1 \
          ORDER BY CASE symbol_type WHEN 'current' THEN 1 WHEN 'previous' THEN 2 ELSE 3 END, \
          hgnc_id LIMIT 1",
};

const BY_FOLDED_SYMBOL: Statement = Statement {
    name: "gene: by folded symbol",
    sql: "SELECT hgnc_id FROM non_alt_loci_set WHERE symbol_folded = $1 ORDER BY hgnc_id LIMIT 1",
};

const PUBLIC_SYMBOLS: Statement = Statement {
    name: "gene: all symbols",
    sql: "SELECT DISTINCT symbol FROM public_entity ORDER BY symbol",
};

pub(crate) const STATEMENTS: &[Statement] = &[BY_ID, BY_SYMBOL, BY_FOLDED_SYMBOL, PUBLIC_SYMBOLS];

fn of_row(row: &Row) -> Result<Gene, Error> {
    let optional = |at: usize| row.optional_text(at).map(|text| text.map(str::to_owned));
    Ok(Gene {
        hgnc_id: row.text(0)?.to_owned(),
        symbol: row.text(1)?.to_owned(),
        name: row.text(2)?.to_owned(),
        location: optional(3)?,
        alias_symbol: optional(4)?,
        prev_symbol: optional(5)?,
        entrez_id: optional(6)?,
        ensembl_gene_id: optional(7)?,
        ucsc_id: optional(8)?,
        ccds_id: optional(9)?,
        uniprot_ids: optional(10)?,
        omim_id: optional(11)?,
        mane_select: optional(12)?,
        mgd_id: optional(13)?,
        rgd_id: optional(14)?,
        string_id: optional(15)?,
        bed_hg19: optional(16)?,
        bed_hg38: optional(17)?,
        gnomad_constraints: optional(18)?,
        alphafold_id: optional(19)?,
    })
}

/// The gene with this HGNC id.
///
/// # Errors
/// When the database can't be read.
pub async fn by_id(reading: &mut Reading, hgnc_id: &str) -> Result<Option<Gene>, Error> {
    reading.row(&BY_ID, &[hgnc_id.into()]).await?.as_ref().map(of_row).transpose()
}

/// The gene with this symbol, in whichever case.
///
/// # Errors
/// When the database can't be read.
pub async fn by_symbol(reading: &mut Reading, symbol: &str) -> Result<Option<Gene>, Error> {
    let folded = sysndd_core::fold::folded(symbol);
    let Some(row) = reading.row(&BY_FOLDED_SYMBOL, &[folded.into()]).await? else {
        return Ok(None);
    };
    let hgnc_id = row.text(0)?.to_owned();
    by_id(reading, &hgnc_id).await
}

/// The gene that has this symbol, had it, or is also called so, in this order: what a link to a page
/// of a gene may name.
///
/// # Errors
/// When the database can't be read.
pub async fn find(reading: &mut Reading, name: &str) -> Result<Option<Gene>, Error> {
    if name.starts_with("HGNC:") {
        return by_id(reading, name).await;
    }
    if let Some(gene) = by_symbol(reading, name).await? {
        return Ok(Some(gene));
    }
    let wanted = name.trim().to_uppercase();
    let Some(row) = reading.row(&BY_SYMBOL, &[wanted.into()]).await? else { return Ok(None) };
    let hgnc_id = row.text(0)?.to_owned();
    by_id(reading, &hgnc_id).await
}

/// The symbols of all genes with an entity that everybody sees.
///
/// # Errors
/// When the database can't be read.
pub async fn symbols(reading: &mut Reading) -> Result<Vec<String>, Error> {
    let rows = reading.rows(&PUBLIC_SYMBOLS, &[]).await?;
    rows.iter().map(|row| Ok(row.text(0)?.to_owned())).collect()
}
