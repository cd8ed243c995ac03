//! Which gene has which disease: the rows of `genes_to_phenotype.txt`, of which there is one for
//! each phenotype of each pair; the pairs are kept.

use std::collections::{BTreeMap, BTreeSet};

use super::Problem;
use super::table::{Line, Table, shown};

const COLUMNS: &[&[&str]] = &[&["ncbi_gene_id"], &["gene_symbol"], &["disease_id"]];

/// More pairs than there are; a file with more is something else.
const PAIRS_MAX: usize = 1_000_000;

/// Pairs of a gene, by its NCBI number, and an OMIM disease.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Associations {
    pairs: BTreeMap<String, BTreeSet<String>>,
    symbols: BTreeMap<String, String>,
    count: usize,
}

impl Associations {
    /// Each gene with its diseases.
    pub fn genes(&self) -> impl Iterator<Item = (&str, &BTreeSet<String>)> {
        self.pairs.iter().map(|(gene, diseases)| (gene.as_str(), diseases))
    }

    /// All diseases.
    #[must_use]
    pub fn diseases(&self) -> BTreeSet<&str> {
        self.pairs.values().flatten().map(String::as_str).collect()
    }

    /// What the file calls a gene; `None` where it has no symbol for it.
    #[must_use]
    pub fn symbol(&self, gene: &str) -> Option<&str> {
        self.symbols.get(gene).map(String::as_str).filter(|symbol| !matches!(*symbol, "" | "-"))
    }
}

/// Reads `genes_to_phenotype.txt`.
#[derive(Debug)]
pub struct AssociationReader {
    table: Table,
    found: Associations,
}

impl Default for AssociationReader {
    fn default() -> Self {
        Self::new()
    }
}

impl AssociationReader {
    /// A reader at the start of a file.
    #[must_use]
    pub fn new() -> Self {
        Self { table: Table::new(COLUMNS, COLUMNS.len(), None), found: Associations::default() }
    }

    /// Takes the next line.
    ///
    /// # Errors
    /// When the line can't be part of the file.
    pub fn line(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        let Line::Row(row) = self.table.read(bytes)? else { return Ok(()) };
        let [gene, symbol, disease] = row[..] else { return Ok(()) };
        if !disease.starts_with("OMIM:") {
            return Ok(());
        }
        let number = gene.strip_prefix("NCBIGene:").unwrap_or(gene);
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(self.table.problem(format!("{} is no NCBI gene number", shown(gene))));
        }
        let is_new = match self.found.pairs.get_mut(number) {
            Some(diseases) => !diseases.contains(disease) && diseases.insert(disease.to_owned()),
            None => {
                self.found.symbols.insert(number.to_owned(), symbol.to_owned());
                self.found.pairs.insert(number.to_owned(), BTreeSet::from([disease.to_owned()]));
                true
            }
        };
        self.found.count += usize::from(is_new);
        if self.found.count > PAIRS_MAX {
            let what = format!("more than {PAIRS_MAX} pairs of a gene and a disease");
            return Err(self.table.problem(what));
        }
        Ok(())
    }

    /// The end of the file.
    ///
    /// # Errors
    /// When there was no header.
    pub fn finish(self) -> Result<Associations, Problem> {
        self.table.finish().map(|()| self.found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEADER: &str = "ncbi_gene_id\tgene_symbol\thpo_id\thpo_name\tfrequency\tdisease_id\n";

    fn read(text: &[u8]) -> Result<Associations, Problem> {
        let mut reader = AssociationReader::new();
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            reader.line(line)?;
        }
        reader.finish()
    }

    #[test]
    fn a_pair_is_kept_once_and_only_for_omim() {
        let rows = "16\tAARS1\tHP:0000001\ta\t1/1\tOMIM:1\n16\tAARS1\tHP:0000002\tb\t-\tOMIM:1\n\
            16\tAARS1\tHP:0000002\tb\t-\tORPHA:1\nNCBIGene:17\t-\tHP:0000002\tb\t-\tOMIM:2\n";
        let found = read(format!("{HEADER}{rows}").as_bytes()).expect("associations");
        let pairs: Vec<_> = found.genes().map(|(gene, diseases)| (gene, diseases.len())).collect();
        assert_eq!(pairs, [("16", 1), ("17", 1)]);
        assert_eq!((found.symbol("16"), found.symbol("17")), (Some("AARS1"), None));
        assert_eq!(found.diseases().len(), 2);
    }

    #[test]
    fn a_gene_without_a_number_is_refused() {
        let text = format!("{HEADER}AARS1\tAARS1\tHP:0000001\ta\t-\tOMIM:1\n");
        let problem = read(text.as_bytes()).expect_err("a problem");
        assert_eq!(problem.to_string(), "line 2: `AARS1` is no NCBI gene number");
    }

    proptest! {
        #[test]
        fn any_bytes_are_associations_or_a_problem(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut text = HEADER.as_bytes().to_vec();
            text.extend(&bytes);
            let _ = read(&text);
        }
    }
}
