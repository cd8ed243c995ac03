//! What the counting rows say of each disease: its modes of inheritance, its phenotypes, whether it
//! is neurodevelopmental, since when and by how many publications it is known.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::annotation::Annotation;
use super::frequency;
use super::ontology::Ontology;
use crate::term::Term;
use crate::vocabulary::{
    Category, Modifier, PHENOTYPES, PHENOTYPIC_ABNORMALITY, UNKNOWN_INHERITANCE,
};

/// A disease with a phenotype at or below this is neurodevelopmental.
const NEURODEVELOPMENTAL: Term = Term::new(12759);
/// Says how a mode of inheritance shows, and is none itself.
const INHERITANCE_QUALIFIER: Term = Term::new(34335);
/// More rows than memory should hold; a release has a tenth of it.
const ROWS_MAX: usize = 3_000_000;

/// A counting row, kept as it was.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// What is said.
    pub term: Term,
    /// The kind of what is said.
    pub aspect: char,
    /// Where it stands.
    pub reference: Box<str>,
    /// What kind of proof that is.
    pub evidence: Box<str>,
    /// When it begins.
    pub onset: Box<str>,
    /// How often it was seen.
    pub frequency: Box<str>,
    /// In whom.
    pub sex: Box<str>,
    /// How it shows.
    pub modifier: Box<str>,
    /// Who said so and when.
    pub biocuration: Box<str>,
}

/// What is known of a disease.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disease {
    /// Its rows, sorted.
    pub rows: Vec<Row>,
    /// Whether it is neurodevelopmental.
    pub is_neurodevelopmental: bool,
    /// The listed phenotypes, each with the modifier of its most frequent row.
    pub phenotypes: BTreeMap<Term, Modifier>,
    /// The distinct terms of its phenotypes, listed or not.
    pub terms: BTreeSet<Term>,
    /// PubMed numbers of all its rows.
    pub publications: BTreeSet<i64>,
    /// The first day somebody wrote a row.
    pub first_date: Option<Date>,
    modes: BTreeSet<Term>,
}

impl Disease {
    /// Its modes of inheritance; the one for "unknown" if it has none.
    pub fn modes(&self) -> impl Iterator<Item = Term> {
        let unknown = self.modes.is_empty().then_some(UNKNOWN_INHERITANCE);
        self.modes.iter().copied().chain(unknown)
    }

    /// The category that the number of its publications gives. Nobody curated it.
    #[must_use]
    pub fn category(&self) -> Category {
        Category::computed(self.publications.len())
    }
}

/// What the ontology says of a term, looked up once.
#[derive(Debug)]
struct Place {
    is_neurodevelopmental: bool,
    is_mode: bool,
    listed: Vec<Term>,
}

/// Gathers the rows.
#[derive(Debug)]
pub struct Evidence<'a> {
    ontology: &'a Ontology,
    wanted: BTreeSet<&'a str>,
    found: BTreeMap<&'a str, Disease>,
    places: BTreeMap<Term, Place>,
    count: usize,
}

/// There are more rows than there can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("more than {ROWS_MAX} rows count")]
pub struct TooMany;

impl<'a> Evidence<'a> {
    /// Nothing yet; rows of other than the wanted diseases will be passed over.
    #[must_use]
    pub fn new(ontology: &'a Ontology, wanted: BTreeSet<&'a str>) -> Self {
        let (found, places) = (BTreeMap::new(), BTreeMap::new());
        Self { ontology, wanted, found, places, count: 0 }
    }

    /// Takes a row. Says whether it was kept.
    ///
    /// # Errors
    /// When there are too many.
    pub fn add(&mut self, row: &Annotation<'_>) -> Result<bool, TooMany> {
        if !row.counts() {
            return Ok(false);
        }
        let Some(name) = self.wanted.get(row.disease).copied() else { return Ok(false) };
        self.count += 1;
        if self.count > ROWS_MAX {
            return Err(TooMany);
        }
        let ontology = self.ontology;
        let place = self.places.entry(row.term).or_insert_with(|| Place::of(row.term, ontology));
        let disease = self.found.entry(name).or_default();
        disease.publications.extend(publications(row.reference));
        disease.first_date = disease.first_date.into_iter().chain(dates(row.biocuration)).min();
        if row.aspect == 'I' && place.is_mode {
            disease.modes.insert(row.term);
        }
        if row.aspect == 'P' {
            disease.terms.insert(row.term);
            disease.is_neurodevelopmental |= place.is_neurodevelopmental;
        }
        if matches!(row.aspect, 'P' | 'C') {
            let modifier = frequency::modifier(row.frequency);
            for term in &place.listed {
                let known = disease.phenotypes.entry(*term).or_insert(modifier);
                *known = (*known).min(modifier);
            }
        }
        disease.rows.push(Row::of(row));
        Ok(true)
    }

    /// What was found, by disease.
    #[must_use]
    pub fn finish(self) -> BTreeMap<String, Disease> {
        let mut found = self.found;
        for disease in found.values_mut() {
            disease.rows.sort_unstable();
            if disease.phenotypes.len() > 1 {
                disease.phenotypes.remove(&PHENOTYPIC_ABNORMALITY);
            }
        }
        found.into_iter().map(|(name, disease)| (name.to_owned(), disease)).collect()
    }
}

impl Row {
    fn of(row: &Annotation<'_>) -> Self {
        Self {
            term: row.term,
            aspect: row.aspect,
            reference: row.reference.into(),
            evidence: row.evidence.into(),
            onset: row.onset.into(),
            frequency: row.frequency.into(),
            sex: row.sex.into(),
            modifier: row.modifier.into(),
            biocuration: row.biocuration.into(),
        }
    }
}

impl Place {
    fn of(term: Term, ontology: &Ontology) -> Self {
        let above = ontology.at_or_above(term);
        let listed: Vec<Term> = PHENOTYPES
            .iter()
            .map(|(listed, _)| *listed)
            .filter(|listed| above.contains(listed))
            .collect();
        let is_most_specific = |term: &Term| {
            !listed.iter().any(|other| other != term && ontology.is_at_or_below(*other, *term))
        };
        Self {
            is_neurodevelopmental: above.contains(&NEURODEVELOPMENTAL),
            is_mode: !above.contains(&INHERITANCE_QUALIFIER),
            listed: listed.iter().copied().filter(is_most_specific).collect(),
        }
    }
}

/// The PubMed numbers of a reference.
fn publications(reference: &str) -> impl Iterator<Item = i64> {
    reference
        .split(';')
        .filter_map(|part| part.trim().strip_prefix("PMID:"))
        .filter_map(|number| number.parse().ok())
        .filter(|number| *number > 0)
}

/// The days in `HPO:somebody[2021-06-21];…`.
fn dates(biocuration: &str) -> impl Iterator<Item = Date> {
    biocuration
        .split('[')
        .skip(1)
        .filter_map(|rest| rest.split(']').next())
        .filter(|day| day.len() == 10)
        .filter_map(|day| day.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::ontology::OntologyReader;
    use proptest::prelude::*;

    fn ontology() -> Ontology {
        let mut reader = OntologyReader::new();
        let edges = [
            ("HP:0000118", ""),
            ("HP:0000707", "HP:0000118"),
            ("HP:0012759", "HP:0000707"),
            ("HP:0001249", "HP:0012759"),
            ("HP:0010864", "HP:0001249"),
            ("HP:0001250", "HP:0000707"),
            ("HP:0007359", "HP:0001250"),
            ("HP:0001251", "HP:0000707"),
            ("HP:0025142", "HP:0000118"),
            ("HP:0034335", ""),
            ("HP:0003829", "HP:0034335"),
            ("HP:0000006", ""),
        ];
        for (term, parent) in edges {
            let is_a = if parent.is_empty() { String::new() } else { format!("is_a: {parent}") };
            for line in ["[Term]", &format!("id: {term}"), "name: x", &is_a] {
                reader.line(line.as_bytes()).expect("a line");
            }
        }
        reader.finish().expect("an ontology")
    }

    fn row(term: &str, aspect: char, frequency: &'static str) -> Annotation<'static> {
        Annotation {
            disease: "OMIM:1",
            qualifier: "",
            term: term.parse().expect("a term"),
            reference: "PMID:7;OMIM:1;PMID:8",
            evidence: "PCS",
            onset: "",
            frequency,
            sex: "",
            modifier: "",
            aspect,
            biocuration: "HPO:a[2021-06-21];HPO:b[2009-02-17]",
        }
    }

    fn of(rows: &[Annotation<'static>]) -> Disease {
        let ontology = ontology();
        let mut evidence = Evidence::new(&ontology, BTreeSet::from(["OMIM:1"]));
        for row in rows {
            evidence.add(row).expect("few rows");
        }
        evidence.finish().remove("OMIM:1").unwrap_or_default()
    }

    fn phenotypes(rows: &[Annotation<'static>]) -> Vec<(String, &'static str)> {
        of(rows)
            .phenotypes
            .iter()
            .map(|(term, modifier)| (term.to_string(), modifier.name()))
            .collect()
    }

    #[test]
    fn each_term_is_linked_by_the_most_specific_terms_of_the_list() {
        let found = phenotypes(&[
            row("HP:0010864", 'P', ""),
            row("HP:0007359", 'P', ""),
            row("HP:0001251", 'P', ""),
        ]);
        let expected = ["HP:0000707", "HP:0001250", "HP:0010864"];
        assert_eq!(found, expected.map(|term| (term.to_owned(), "present")));
    }

    #[test]
    fn the_root_is_linked_only_when_there_is_nothing_else() {
        let other = row("HP:0025142", 'P', "");
        assert_eq!(phenotypes(&[other]), [("HP:0000118".to_owned(), "present")]);
        assert_eq!(
            phenotypes(&[other, row("HP:0001250", 'C', "")]),
            [("HP:0001250".to_owned(), "present")]
        );
    }

    #[test]
    fn of_several_frequencies_the_highest_counts() {
        let rows = [row("HP:0001250", 'P', "1/100"), row("HP:0007359", 'P', "1/10")];
        assert_eq!(phenotypes(&rows[..1]), [("HP:0001250".to_owned(), "rare")]);
        assert_eq!(phenotypes(&rows), [("HP:0001250".to_owned(), "variable")]);
    }

    #[test]
    fn a_disease_is_neurodevelopmental_by_a_phenotype_and_by_nothing_else() {
        assert!(of(&[row("HP:0010864", 'P', "")]).is_neurodevelopmental);
        assert!(of(&[row("HP:0012759", 'P', "")]).is_neurodevelopmental);
        assert!(!of(&[row("HP:0010864", 'C', "")]).is_neurodevelopmental);
        assert!(
            !of(&[row("HP:0010864", 'P', "0/9"), row("HP:0001250", 'P', "")]).is_neurodevelopmental
        );
    }

    #[test]
    fn what_only_qualifies_a_mode_of_inheritance_is_none() {
        let modes = |rows: &[Annotation<'static>]| {
            of(rows).modes().map(|term| term.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(modes(&[row("HP:0003829", 'I', "")]), ["HP:0000005"]);
        assert_eq!(
            modes(&[row("HP:0003829", 'I', ""), row("HP:0000006", 'I', "")]),
            ["HP:0000006"]
        );
    }

    #[test]
    fn publications_are_distinct_and_the_first_day_is_the_earliest() {
        let disease = of(&[row("HP:0001250", 'P', ""), row("HP:0001251", 'P', "")]);
        assert_eq!(disease.publications, BTreeSet::from([7, 8]));
        assert_eq!(disease.category(), Category::Moderate);
        assert_eq!(disease.first_date.expect("a day").to_string(), "2009-02-17");
        assert_eq!(disease.terms.len(), 2);
    }

    proptest! {
        #[test]
        fn any_text_is_searched_for_days_and_publications(text in "\\PC{0,40}") {
            prop_assert!(publications(&text).all(|number| number > 0));
            dates(&text).count();
        }

        #[test]
        fn the_order_of_rows_makes_no_difference(
            rows in proptest::collection::vec((0_usize..12, 0_usize..3, 0_usize..4), 0..12).prop_shuffle(),
            turn in 0_usize..12,
        ) {
            let terms = ["HP:0000118", "HP:0000707", "HP:0012759", "HP:0001249", "HP:0010864", "HP:0001250",
                "HP:0007359", "HP:0001251", "HP:0025142", "HP:0034335", "HP:0003829", "HP:0000006"];
            let made: Vec<_> = rows
                .iter()
                .map(|(term, aspect, share)| row(terms[*term], ['P', 'C', 'I'][*aspect], ["", "1/100", "1/10", "0/3"][*share]))
                .collect();
            let mut turned = made.clone();
            turned.rotate_left(turn.min(made.len()));
            prop_assert_eq!(of(&made), of(&turned));
        }
    }
}
