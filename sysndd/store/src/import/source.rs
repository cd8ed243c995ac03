//! The files of an import: which there are, what they are called, where they come from.

use std::path::{Path, PathBuf};

use super::Error;

/// One of the five files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Terms.
    Ontology,
    /// Rows about diseases.
    Annotations,
    /// Genes of diseases.
    Associations,
    /// Genes.
    Loci,
    /// Names of diseases.
    Diseases,
}

impl Kind {
    pub(super) const ALL: [Self; 5] =
        [Self::Ontology, Self::Annotations, Self::Associations, Self::Loci, Self::Diseases];

    const fn what(self) -> &'static str {
        match self {
            Self::Ontology => "ontology",
            Self::Annotations => "annotations of diseases",
            Self::Associations => "table of genes and diseases",
            Self::Loci => "HGNC table",
            Self::Diseases => "names of Mondo",
        }
    }

    /// The names in a release, and that of the extract in `sample/`.
    const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Ontology => &["hp.obo", "frozen/hpo/terms.obo"],
            Self::Annotations => &["phenotype.hpoa", "frozen/hpo/annotations.tsv"],
            Self::Associations => &["genes_to_phenotype.txt", "frozen/hpo/associations.tsv"],
            Self::Loci => &[
                "hgnc_entries.tsv",
                "hgnc_complete_set.txt",
                "hgnc_complete_set.tsv",
                "frozen/hgnc/loci.tsv",
            ],
            Self::Diseases => &["mondo.json", "mondo.sssom.tsv", "frozen/mondo/diseases.sssom.tsv"],
        }
    }
}

/// A file that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// What it holds.
    pub kind: Kind,
    /// Where it is.
    pub file: PathBuf,
    /// How long it is.
    pub bytes: u64,
}

/// Finds the five files in a folder.
pub(super) fn find(folder: &Path) -> Result<Vec<Source>, Error> {
    Kind::ALL
        .into_iter()
        .map(|kind| {
            let found = kind.names().iter().map(|name| folder.join(name)).find_map(|file| {
                let metadata = file.metadata().ok().filter(std::fs::Metadata::is_file)?;
                Some(Source { kind, file, bytes: metadata.len() })
            });
            found.ok_or_else(|| Error::Missing {
                what: kind.what(),
                folder: folder.to_owned(),
                looked_for: kind.names().join(", "),
            })
        })
        .collect()
}
