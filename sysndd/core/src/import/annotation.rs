//! What is said of diseases: the rows of `phenotype.hpoa`.

use super::Problem;
use super::frequency::is_absent;
use super::table::{Line, Table, shown};
use crate::term::Term;

const COLUMNS: &[&[&str]] = &[
    &["database_id"],
    &["qualifier"],
    &["hpo_id"],
    &["reference"],
    &["evidence"],
    &["onset"],
    &["frequency"],
    &["sex"],
    &["modifier"],
    &["aspect"],
    &["biocuration"],
];

/// A row, as it stands in the file; the name of the disease is not read, because it is OMIM's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Annotation<'a> {
    /// `OMIM:…`, `ORPHA:…` or `DECIPHER:…`.
    pub disease: &'a str,
    /// `NOT`, or empty.
    pub qualifier: &'a str,
    /// What is said of it.
    pub term: Term,
    /// Where that stands; several are joined with `;`.
    pub reference: &'a str,
    /// `PCS` (a study), `TAS` (an expert) or `IEA` (a machine).
    pub evidence: &'a str,
    /// When it begins.
    pub onset: &'a str,
    /// How often it was seen.
    pub frequency: &'a str,
    /// In whom.
    pub sex: &'a str,
    /// How it shows.
    pub modifier: &'a str,
    /// `P` phenotype, `I` inheritance, `C` course, `M` modifier, `H` history.
    pub aspect: char,
    /// Who said so and when: `HPO:somebody[2021-06-21]`, several joined with `;`.
    pub biocuration: &'a str,
}

impl Annotation<'_> {
    /// Whether the row counts: about an OMIM disease, not taken from OMIM's text by a machine, not
    /// said to be absent.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.disease.starts_with("OMIM:")
            && self.evidence != "IEA"
            && self.qualifier != "NOT"
            && !is_absent(self.frequency)
    }
}

/// Reads `phenotype.hpoa`.
#[derive(Debug)]
pub struct AnnotationReader {
    table: Table,
    release: Option<String>,
}

impl Default for AnnotationReader {
    fn default() -> Self {
        Self::new()
    }
}

impl AnnotationReader {
    /// A reader at the start of a file.
    #[must_use]
    pub fn new() -> Self {
        Self { table: Table::new(COLUMNS, COLUMNS.len(), Some('#')), release: None }
    }

    /// Takes the next line; `None` for comments and the header.
    ///
    /// # Errors
    /// When the line can't be part of the file.
    pub fn line<'a>(&mut self, bytes: &'a [u8]) -> Result<Option<Annotation<'a>>, Problem> {
        let row = match self.table.read(bytes)? {
            Line::Row(row) => row,
            Line::Comment(text) => {
                if let Some(release) = text.strip_prefix("version:") {
                    self.release = Some(release.trim().to_owned());
                }
                return Ok(None);
            }
            Line::Nothing => return Ok(None),
        };
        let [
            disease,
            qualifier,
            term,
            reference,
            evidence,
            onset,
            frequency,
            sex,
            modifier,
            aspect,
            biocuration,
        ] = row[..]
        else {
            return Ok(None);
        };
        let term = term
            .parse()
            .map_err(|error| self.table.problem(format!("{}: {error}", shown(term))))?;
        let mut letters = aspect.chars();
        let (Some(aspect), None) = (letters.next(), letters.next()) else {
            return Err(self.table.problem(format!("{} is no aspect", shown(aspect))));
        };
        Ok(Some(Annotation {
            disease,
            qualifier,
            term,
            reference,
            evidence,
            onset,
            frequency,
            sex,
            modifier,
            aspect,
            biocuration,
        }))
    }

    /// The end of the file, and the release that it states.
    ///
    /// # Errors
    /// When there was no header.
    pub fn finish(self) -> Result<Option<String>, Problem> {
        self.table.finish().map(|()| self.release)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEADER: &str = "database_id\tdisease_name\tqualifier\thpo_id\treference\tevidence\tonset\tfrequency\tsex\tmodifier\taspect\tbiocuration\n";

    fn read(text: &[u8]) -> Result<(usize, Option<String>), Problem> {
        let mut reader = AnnotationReader::new();
        let mut counted = 0;
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            counted += usize::from(reader.line(line)?.is_some_and(|row| row.counts()));
        }
        reader.finish().map(|release| (counted, release))
    }

    fn row(disease: &str, qualifier: &str, evidence: &str, frequency: &str) -> String {
        format!(
            "{disease}\tname\t{qualifier}\tHP:0001250\tPMID:1\t{evidence}\t\t{frequency}\t\t\tP\tHPO:a[2020-01-01]\n"
        )
    }

    #[test]
    fn only_curated_rows_of_omim_that_say_present_count() {
        let rows = [
            row("OMIM:1", "", "PCS", "1/2"),
            row("OMIM:1", "", "TAS", ""),
            row("OMIM:1", "", "IEA", ""),
            row("OMIM:1", "NOT", "PCS", ""),
            row("OMIM:1", "", "PCS", "0/7"),
            row("OMIM:1", "", "PCS", "HP:0040285"),
            row("ORPHA:1", "", "TAS", ""),
        ];
        let text = format!("#version: 2025-01-16\n{HEADER}{}", rows.concat());
        let (counted, release) = read(text.as_bytes()).expect("annotations");
        assert_eq!((counted, release.as_deref()), (2, Some("2025-01-16")));
    }

    #[test]
    fn a_file_that_is_something_else_is_refused_with_its_line() {
        let problem = |text: &str| read(text.as_bytes()).expect_err("a problem").to_string();
        assert_eq!(problem("a\tb\n"), "line 1: the header has no column `database_id`");
        assert_eq!(problem("#only comments\n"), "line 1: the file ends before its header");
        assert_eq!(
            problem(&format!("{HEADER}a\tb\n")),
            "line 2: 2 columns, where the header has 12"
        );
        let bad = row("OMIM:1", "", "PCS", "").replace("HP:0001250", "seizure");
        assert_eq!(
            problem(&format!("{HEADER}{bad}")),
            "line 2: `seizure`: a term is `HP:` and seven digits"
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_annotations_or_a_problem(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
            let mut text = HEADER.as_bytes().to_vec();
            text.extend(&bytes);
            let _ = read(&text);
        }

        #[test]
        fn any_cells_are_a_row_or_a_problem(cells in proptest::collection::vec("[A-Z0-9:/%;\\[\\]]{0,12}", 12..13)) {
            let text = format!("{HEADER}{}\n", cells.join("\t"));
            let _ = read(text.as_bytes());
        }
    }
}
