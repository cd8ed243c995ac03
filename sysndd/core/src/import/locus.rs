//! Genes: approved rows of the HGNC table, as custom download or as the complete set.

use std::collections::BTreeMap;

use super::Problem;
use super::table::{Line, Table, shown};

/// More than there are.
const LOCI_MAX: usize = 500_000;
const NEEDED: usize = 5;

/// The columns that are read; for each, what the two kinds of table call it.
const COLUMNS: &[&[&str]] = &[
    &["HGNC ID", "hgnc_id"],
    &["Approved symbol", "symbol"],
    &["Approved name", "name"],
    &["Status", "status"],
    &["NCBI Gene ID(supplied by NCBI)", "NCBI Gene ID", "entrez_id"],
    &["Locus group", "locus_group"],
    &["Locus type", "locus_type"],
    &["Chromosome", "Chromosome location", "location"],
    &["Alias symbols", "alias_symbol"],
    &["Previous symbols", "prev_symbol"],
    &["Ensembl gene ID", "Ensembl ID(supplied by Ensembl)", "ensembl_gene_id"],
    &["UCSC ID(supplied by UCSC)", "ucsc_id"],
    &["CCDS IDs", "ccds_id"],
    &["UniProt ID(supplied by UniProt)", "uniprot_ids"],
    &["OMIM ID(supplied by OMIM)", "omim_id"],
    &["MANE Select Ensembl transcript ID (supplied by NCBI)", "mane_select"],
    &["Mouse genome database ID(supplied by MGI)", "mgd_id"],
    &["Rat genome database ID(supplied by RGD)", "rgd_id"],
];

/// A gene. Several values of one column are joined with `|`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locus {
    /// `HGNC:…`.
    pub hgnc_id: String,
    /// The approved symbol.
    pub symbol: String,
    /// The approved name.
    pub name: String,
    /// `Approved`.
    pub status: String,
    /// The NCBI number.
    pub ncbi: String,
    /// Coding, non-coding, ….
    pub group: Option<String>,
    /// More exactly.
    pub kind: Option<String>,
    /// On which chromosome.
    pub location: Option<String>,
    /// Other symbols.
    pub aliases: Option<String>,
    /// Symbols it had before.
    pub previous: Option<String>,
    /// Ensembl gene.
    pub ensembl: Option<String>,
    /// UCSC.
    pub ucsc: Option<String>,
    /// Consensus coding sequences.
    pub ccds: Option<String>,
    /// Proteins.
    pub uniprot: Option<String>,
    /// OMIM gene.
    pub omim: Option<String>,
    /// MANE Select transcript.
    pub mane: Option<String>,
    /// Mouse gene.
    pub mouse: Option<String>,
    /// Rat gene.
    pub rat: Option<String>,
}

/// Approved genes by NCBI number.
pub type Loci = BTreeMap<String, Locus>;

/// Reads the HGNC table.
#[derive(Debug)]
pub struct LocusReader {
    table: Table,
    loci: Loci,
}

impl Default for LocusReader {
    fn default() -> Self {
        Self::new()
    }
}

impl LocusReader {
    /// A reader at the start of a file.
    #[must_use]
    pub fn new() -> Self {
        Self { table: Table::new(COLUMNS, NEEDED, None), loci: Loci::new() }
    }

    /// Takes the next line.
    ///
    /// # Errors
    /// When the line can't be part of the table, or a second gene has the same NCBI number: which
    /// of the two an association means could not be told.
    pub fn line(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        let Line::Row(row) = self.table.read(bytes)? else { return Ok(()) };
        let [
            hgnc_id,
            symbol,
            name,
            status,
            ncbi,
            group,
            kind,
            location,
            aliases,
            previous,
            ensembl,
            ucsc,
            ccds,
            uniprot,
            omim,
            mane,
            mouse,
            rat,
        ] = row[..]
        else {
            return Ok(());
        };
        if status != "Approved" || ncbi.is_empty() {
            return Ok(());
        }
        let is_identifier = hgnc_id.strip_prefix("HGNC:").is_some_and(|number| {
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        });
        if !is_identifier || symbol.is_empty() {
            return Err(self
                .table
                .problem(format!("{} is no HGNC id with a symbol", shown(hgnc_id))));
        }
        let locus = Locus {
            hgnc_id: hgnc_id.to_owned(),
            symbol: symbol.to_owned(),
            name: name.to_owned(),
            status: status.to_owned(),
            ncbi: ncbi.to_owned(),
            group: one(group),
            kind: one(kind),
            location: one(location),
            aliases: several(aliases),
            previous: several(previous),
            ensembl: one(ensembl),
            ucsc: one(ucsc),
            ccds: several(ccds),
            uniprot: several(uniprot),
            omim: several(omim),
            mane: several(mane),
            mouse: several(mouse),
            rat: several(rat),
        };
        if self.loci.len() >= LOCI_MAX {
            return Err(self.table.problem(format!("more than {LOCI_MAX} genes")));
        }
        if let Some(other) = self.loci.insert(ncbi.to_owned(), locus) {
            let what = format!(
                "{} and {hgnc_id} have the same NCBI number {}",
                other.hgnc_id,
                shown(ncbi)
            );
            return Err(self.table.problem(what));
        }
        Ok(())
    }

    /// The end of the file.
    ///
    /// # Errors
    /// When there was no header.
    pub fn finish(self) -> Result<Loci, Problem> {
        self.table.finish().map(|()| self.loci)
    }
}

fn one(text: &str) -> Option<String> {
    let text = text.trim().trim_matches('"');
    (!text.is_empty()).then(|| text.to_owned())
}

/// Values between commas or bars, in quotes or not.
fn several(text: &str) -> Option<String> {
    let values: Vec<&str> = text
        .split(['|', ','])
        .map(|value| value.trim().trim_matches('"'))
        .filter(|value| !value.is_empty())
        .collect();
    (!values.is_empty()).then(|| values.join("|"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEADER: &str = "HGNC ID\tApproved symbol\tApproved name\tStatus\tAlias symbols\tNCBI Gene ID(supplied by NCBI)\tPrevious symbols\n";

    fn read(text: &[u8]) -> Result<Loci, Problem> {
        let mut reader = LocusReader::new();
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            reader.line(line)?;
        }
        reader.finish()
    }

    #[test]
    fn both_kinds_of_table_give_the_same_gene() {
        let custom = format!(
            "{HEADER}HGNC:20\tAARS1\ta name\tApproved\tCMT2N, AARS2\t16\tAARS\nHGNC:21\tX\ty\tEntry Withdrawn\t\t17\t\n"
        );
        let complete = "hgnc_id\tsymbol\tname\tstatus\tprev_symbol\talias_symbol\tentrez_id\nHGNC:20\tAARS1\ta name\tApproved\tAARS\t\"CMT2N|AARS2\"\t16\n";
        let loci = read(custom.as_bytes()).expect("genes");
        assert_eq!(loci, read(complete.as_bytes()).expect("genes"));
        assert_eq!(loci.len(), 1);
        assert_eq!(loci["16"].aliases.as_deref(), Some("CMT2N|AARS2"));
    }

    #[test]
    fn two_genes_with_one_ncbi_number_are_refused() {
        let text =
            format!("{HEADER}HGNC:20\tA\ta\tApproved\t\t16\t\nHGNC:21\tB\tb\tApproved\t\t16\t\n");
        let problem = read(text.as_bytes()).expect_err("a problem").to_string();
        assert_eq!(problem, "line 3: HGNC:20 and HGNC:21 have the same NCBI number `16`");
    }

    proptest! {
        #[test]
        fn any_bytes_are_genes_or_a_problem(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut text = HEADER.as_bytes().to_vec();
            text.extend(&bytes);
            let _ = read(&text);
        }
    }
}
