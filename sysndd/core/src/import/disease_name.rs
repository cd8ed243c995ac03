//! What Mondo calls the diseases of OMIM: from its records, or from a table of mappings (SSSOM).

use std::collections::{BTreeMap, BTreeSet};

use super::Problem;
use super::table::{Line, Table, shown};

const COLUMNS: &[&[&str]] =
    &[&["subject_id"], &["subject_label"], &["predicate_id"], &["object_id"]];
/// Mappings that say "the same disease".
const SAME: [&str; 2] = ["oboInOwl:hasDbXref", "skos:exactMatch"];
/// More than there are.
const NAMES_MAX: usize = 1_000_000;

/// Mondo's identifiers and labels by OMIM number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DiseaseNames {
    names: BTreeMap<String, BTreeSet<(String, String)>>,
    count: usize,
    release: Option<String>,
}

impl DiseaseNames {
    /// Adds a label. Returns false when there are more than there can be.
    pub fn add(&mut self, omim: &str, mondo: &str, label: &str) -> bool {
        let is_new = self
            .names
            .entry(omim.to_owned())
            .or_default()
            .insert((mondo.to_owned(), label.to_owned()));
        self.count += usize::from(is_new);
        self.count <= NAMES_MAX
    }

    /// Remembers the release that the source states.
    pub fn set_release(&mut self, release: &str) {
        self.release = Some(release.to_owned());
    }

    /// The release, if the source states one.
    #[must_use]
    pub fn release(&self) -> Option<&str> {
        self.release.as_deref()
    }

    /// The label for `OMIM:…`; of several, that of the lowest Mondo number.
    #[must_use]
    pub fn label(&self, omim: &str) -> Option<&str> {
        self.names.get(omim)?.first().map(|(_, label)| label.as_str())
    }

    /// All Mondo identifiers for `OMIM:…`, in order.
    pub fn identifiers(&self, omim: &str) -> impl Iterator<Item = &str> {
        self.names.get(omim).into_iter().flatten().map(|(mondo, _)| mondo.as_str())
    }
}

/// Reads a table of mappings.
#[derive(Debug)]
pub struct MappingReader {
    table: Table,
    names: DiseaseNames,
}

impl Default for MappingReader {
    fn default() -> Self {
        Self::new()
    }
}

impl MappingReader {
    /// A reader at the start of a file.
    #[must_use]
    pub fn new() -> Self {
        let table = Table::new(COLUMNS, COLUMNS.len(), Some('#'));
        Self { table, names: DiseaseNames::default() }
    }

    /// Takes the next line.
    ///
    /// # Errors
    /// When the line can't be part of the table.
    pub fn line(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        let row = match self.table.read(bytes)? {
            Line::Row(row) => row,
            Line::Comment(text) => {
                if let Some(version) = text.trim().strip_prefix("mapping_set_version:") {
                    self.names.set_release(version.trim().trim_matches('"'));
                }
                return Ok(());
            }
            Line::Nothing => return Ok(()),
        };
        let [mondo, label, predicate, omim] = row[..] else { return Ok(()) };
        if !SAME.contains(&predicate) || !omim.starts_with("OMIM:") {
            return Ok(());
        }
        if !mondo.starts_with("MONDO:") || label.is_empty() {
            return Err(self
                .table
                .problem(format!("{} is no Mondo id with a label", shown(mondo))));
        }
        if !self.names.add(omim, mondo, label) {
            return Err(self.table.problem(format!("more than {NAMES_MAX} names")));
        }
        Ok(())
    }

    /// The end of the file.
    ///
    /// # Errors
    /// When there was no header.
    pub fn finish(self) -> Result<DiseaseNames, Problem> {
        self.table.finish().map(|()| self.names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEADER: &str =
        "subject_id\tsubject_label\tpredicate_id\tobject_id\tmapping_justification\n";

    fn read(text: &[u8]) -> Result<DiseaseNames, Problem> {
        let mut reader = MappingReader::new();
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            reader.line(line)?;
        }
        reader.finish()
    }

    #[test]
    fn a_disease_takes_the_label_of_the_lowest_mondo_number() {
        let rows = "MONDO:0000009\tsecond\tskos:exactMatch\tOMIM:1\tx\nMONDO:0000002\tfirst\toboInOwl:hasDbXref\tOMIM:1\tx\n\
            MONDO:0000003\tbroader\tskos:broadMatch\tOMIM:2\tx\nMONDO:0000004\tother\tskos:exactMatch\tDOID:2\tx\n";
        let text = format!("#mapping_set_version: \"2025-01-01\"\n{HEADER}{rows}");
        let names = read(text.as_bytes()).expect("names");
        assert_eq!((names.label("OMIM:1"), names.label("OMIM:2")), (Some("first"), None));
        assert_eq!(
            names.identifiers("OMIM:1").collect::<Vec<_>>(),
            ["MONDO:0000002", "MONDO:0000009"]
        );
        assert_eq!(names.release(), Some("2025-01-01"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_names_or_a_problem(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut text = HEADER.as_bytes().to_vec();
            text.extend(&bytes);
            let _ = read(&text);
        }
    }
}
