//! A release as it was read.

use std::collections::BTreeMap;
use std::path::Path;

use sysndd_core::import::annotation::AnnotationReader;
use sysndd_core::import::association::{AssociationReader, Associations};
use sysndd_core::import::disease_name::{DiseaseNames, MappingReader};
use sysndd_core::import::evidence::{Disease, Evidence};
use sysndd_core::import::locus::{Loci, LocusReader};
use sysndd_core::import::ontology::{Ontology, OntologyReader};
use sysndd_core::import::plan::Plan;
use sysndd_core::import::{Problem, RULE_VERSION};

use super::report::SourceReport;
use super::source::{Kind, Source, find};
use super::{Error, Monitor, Phase, lines, mondo};

/// What stands for a release that a source doesn't state.
const NOT_STATED: &str = "not stated";

/// A release: what counts of the five files, and what they are.
#[derive(Debug)]
pub struct Release {
    pub(super) ontology: Ontology,
    pub(super) associations: Associations,
    pub(super) diseases: BTreeMap<String, Disease>,
    pub(super) loci: Loci,
    pub(super) names: DiseaseNames,
    pub(super) rows: u64,
    pub(super) sources: Vec<SourceReport>,
}

impl Release {
    /// Reads the files of a folder: those of a release, or the extracts of `sample/`.
    ///
    /// # Errors
    /// When one is missing, unreadable or not what it should be.
    pub fn read(folder: &Path, monitor: &dyn Monitor) -> Result<Self, Error> {
        let sources = find(folder)?;
        monitor.begin(Phase::Reading, sources.iter().map(|source| source.bytes).sum());
        let source = |kind: Kind| {
            sources.iter().find(|source| source.kind == kind).ok_or_else(|| Error::Missing {
                what: "file",
                folder: folder.to_owned(),
                looked_for: format!("{kind:?}"),
            })
        };
        let (ontology, ontology_hash) = ontology(source(Kind::Ontology)?, monitor)?;
        let (associations, associations_hash) = associations(source(Kind::Associations)?, monitor)?;
        let annotations_source = source(Kind::Annotations)?;
        let annotations = annotations(annotations_source, &ontology, &associations, monitor)?;
        let (loci, loci_hash) = loci(source(Kind::Loci)?, monitor)?;
        let (names, names_hash) = names(source(Kind::Diseases)?, monitor)?;
        let release = release_of(&ontology, annotations.release.as_deref())?;
        let hashes = [ontology_hash, annotations.hash, associations_hash];
        let sources = vec![
            hpo(&release, &hashes),
            hgnc(&loci_hash),
            mondo_source(names.release().unwrap_or(NOT_STATED), &names_hash),
        ];
        let (diseases, rows) = (annotations.diseases, annotations.rows);
        Ok(Self { ontology, associations, diseases, loci, names, rows, sources })
    }

    /// The entities of this release.
    #[must_use]
    pub fn plan(&self) -> Plan<'_> {
        Plan::new(&self.associations, &self.diseases, &self.loci, &self.names)
    }
}

fn malformed(source: &Source) -> impl Fn(Problem) -> Error {
    |problem| Error::Malformed { file: source.file.clone(), problem }
}

fn ontology(source: &Source, monitor: &dyn Monitor) -> Result<(Ontology, String), Error> {
    let mut reader = OntologyReader::new();
    let hash = lines::each(source, monitor, |line| reader.line(line))?;
    Ok((reader.finish().map_err(malformed(source))?, hash))
}

fn associations(source: &Source, monitor: &dyn Monitor) -> Result<(Associations, String), Error> {
    let mut reader = AssociationReader::new();
    let hash = lines::each(source, monitor, |line| reader.line(line))?;
    Ok((reader.finish().map_err(malformed(source))?, hash))
}

fn loci(source: &Source, monitor: &dyn Monitor) -> Result<(Loci, String), Error> {
    let mut reader = LocusReader::new();
    let hash = lines::each(source, monitor, |line| reader.line(line))?;
    Ok((reader.finish().map_err(malformed(source))?, hash))
}

fn names(source: &Source, monitor: &dyn Monitor) -> Result<(DiseaseNames, String), Error> {
    if source.file.extension().is_some_and(|extension| extension == "json") {
        return mondo::read(source, monitor);
    }
    let mut reader = MappingReader::new();
    let hash = lines::each(source, monitor, |line| reader.line(line))?;
    Ok((reader.finish().map_err(malformed(source))?, hash))
}

struct Annotations {
    diseases: BTreeMap<String, Disease>,
    rows: u64,
    release: Option<String>,
    hash: String,
}

fn annotations(
    source: &Source,
    ontology: &Ontology,
    associations: &Associations,
    monitor: &dyn Monitor,
) -> Result<Annotations, Error> {
    let mut reader = AnnotationReader::new();
    let mut evidence = Evidence::new(ontology, associations.diseases());
    let (mut rows, mut number) = (0, 0);
    let hash = lines::each(source, monitor, |line| {
        number += 1;
        if let Some(row) = reader.line(line)? {
            let kept =
                evidence.add(&row).map_err(|error| Problem::new(number, error.to_string()))?;
            rows += u64::from(kept);
        }
        Ok(())
    })?;
    let release = reader.finish().map_err(malformed(source))?;
    Ok(Annotations { diseases: evidence.finish(), rows, release, hash })
}

fn release_of(ontology: &Ontology, annotations: Option<&str>) -> Result<String, Error> {
    match (ontology.release(), annotations) {
        (Some(ontology), Some(annotations)) if ontology != annotations => Err(Error::Releases {
            ontology: ontology.to_owned(),
            annotations: annotations.to_owned(),
        }),
        (one, other) => Ok(one.or(other).unwrap_or(NOT_STATED).to_owned()),
    }
}

fn hpo(release: &str, hashes: &[String; 3]) -> SourceReport {
    SourceReport {
        name: "HPO",
        release: release.to_owned(),
        licence: "HPO licence, https://hpo.jax.org/app/license",
        address: "https://hpo.jax.org",
        statement: format!(
            "This service uses the Human Phenotype Ontology (version {release}). Gargano MA and others, Nucleic Acids Research 2024;52(D1):D1333-D1346, doi:10.1093/nar/gkad1005. Rule of the import: {RULE_VERSION}."
        ),
        content_hash: format!("sha256:{}", hashes.join("+")),
    }
}

fn hgnc(hash: &str) -> SourceReport {
    SourceReport {
        name: "HGNC",
        release: NOT_STATED.to_owned(),
        licence: "CC0",
        address: "https://www.genenames.org",
        statement: "Gene symbols and names: HGNC. Seal RL and others, Nucleic Acids Research 2023;51(D1):D1003-D1009, doi:10.1093/nar/gkac888.".to_owned(),
        content_hash: format!("sha256:{hash}"),
    }
}

fn mondo_source(release: &str, hash: &str) -> SourceReport {
    SourceReport {
        name: "Mondo",
        release: release.to_owned(),
        licence: "CC BY 4.0, https://creativecommons.org/licenses/by/4.0/",
        address: "https://mondo.monarchinitiative.org",
        statement: "Names of diseases: Mondo Disease Ontology, Monarch Initiative; labels and OMIM cross references are used, unchanged. Vasilevsky NA and others, medRxiv 2022, doi:10.1101/2022.04.13.22273750.".to_owned(),
        content_hash: format!("sha256:{hash}"),
    }
}
