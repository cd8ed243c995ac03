//! What an import will load: entities, with everything they refer to, and what was refused.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::association::Associations;
use super::disease_name::DiseaseNames;
use super::evidence::Disease;
use super::locus::{Loci, Locus};
use crate::term::Term;

/// A gene with a disease it causes and a way that is inherited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entity<'a> {
    /// The gene.
    pub locus: &'a Locus,
    /// `OMIM:…`.
    pub disease_id: &'a str,
    /// What is known of the disease.
    pub disease: &'a Disease,
    /// The mode of inheritance.
    pub inheritance: Term,
}

/// A neurodevelopmental entity whose gene the HGNC table doesn't have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rejected {
    /// The NCBI number.
    pub gene: String,
    /// What the associations call it.
    pub symbol: Option<String>,
    /// `OMIM:…`.
    pub disease: String,
    /// The mode of inheritance.
    pub inheritance: Term,
}

/// Sums over entities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Totals {
    /// How many.
    pub entities: usize,
    /// Distinct genes.
    pub genes: usize,
    /// Distinct diseases.
    pub diseases: usize,
    /// Distinct phenotype terms of each entity, summed.
    pub terms: usize,
    /// Distinct publications.
    pub publications: usize,
}

/// What will be loaded.
#[derive(Clone, Debug, Default)]
pub struct Plan<'a> {
    /// Entities, the oldest first.
    pub entities: Vec<Entity<'a>>,
    /// Neurodevelopmental entities that can't be loaded.
    pub rejected: BTreeSet<Rejected>,
    /// Neurodevelopmental entities before the join with HGNC.
    pub found: Totals,
    /// Those of them that are loaded.
    pub neurodevelopmental: Totals,
    /// All that are loaded, with the other diseases of the same genes.
    pub loaded: Totals,
    /// Diseases among them that Mondo doesn't name.
    pub unnamed: usize,
}

impl<'a> Plan<'a> {
    /// Makes the plan. `neurodevelopmental` diseases decide which genes come in; their other
    /// diseases come with them.
    #[must_use]
    pub fn new(
        associations: &'a Associations,
        diseases: &'a BTreeMap<String, Disease>,
        loci: &'a Loci,
        names: &DiseaseNames,
    ) -> Self {
        let mut plan = Self::default();
        let (mut found, mut neurodevelopmental, mut loaded) =
            (Summing::default(), Summing::default(), Summing::default());
        for (gene, ids) in associations.genes() {
            let known: Vec<(&'a str, &'a Disease)> = ids
                .iter()
                .filter_map(|id| diseases.get_key_value(id))
                .map(|(id, disease)| (id.as_str(), disease))
                .collect();
            if !known.iter().any(|(_, disease)| disease.is_neurodevelopmental) {
                continue;
            }
            let locus = loci.get(gene);
            for (id, disease) in known {
                for inheritance in disease.modes() {
                    if disease.is_neurodevelopmental {
                        found.add(gene, id, disease);
                    }
                    let Some(locus) = locus else {
                        plan.reject(associations, gene, id, disease, inheritance);
                        continue;
                    };
                    if disease.is_neurodevelopmental {
                        neurodevelopmental.add(gene, id, disease);
                    }
                    loaded.add(gene, id, disease);
                    plan.entities.push(Entity { locus, disease_id: id, disease, inheritance });
                }
            }
        }
        plan.unnamed = loaded.diseases.iter().filter(|id| names.label(id).is_none()).count();
        plan.entities.sort_by_cached_key(Entity::order);
        plan.found = found.totals();
        plan.neurodevelopmental = neurodevelopmental.totals();
        plan.loaded = loaded.totals();
        plan
    }

    fn reject(
        &mut self,
        associations: &Associations,
        gene: &str,
        id: &str,
        disease: &Disease,
        inheritance: Term,
    ) {
        if disease.is_neurodevelopmental {
            self.rejected.insert(Rejected {
                gene: gene.to_owned(),
                symbol: associations.symbol(gene).map(str::to_owned),
                disease: id.to_owned(),
                inheritance,
            });
        }
    }
}

impl Entity<'_> {
    /// The oldest first, as if they had been entered one after the other; the rest makes the order
    /// the same in every run.
    fn order(&self) -> (Date, usize, String, String, Term) {
        let day = self.disease.first_date.unwrap_or(Date::MAX);
        let id = &self.locus.hgnc_id;
        (day, id.len(), id.clone(), self.disease_id.to_owned(), self.inheritance)
    }
}

#[derive(Default)]
struct Summing<'a> {
    entities: usize,
    terms: usize,
    genes: BTreeSet<&'a str>,
    diseases: BTreeSet<&'a str>,
    publications: BTreeSet<i64>,
}

impl<'a> Summing<'a> {
    fn add(&mut self, gene: &'a str, id: &'a str, disease: &'a Disease) {
        self.entities += 1;
        self.terms += disease.terms.len();
        self.genes.insert(gene);
        if self.diseases.insert(id) {
            self.publications.extend(&disease.publications);
        }
    }

    fn totals(&self) -> Totals {
        Totals {
            entities: self.entities,
            genes: self.genes.len(),
            diseases: self.diseases.len(),
            terms: self.terms,
            publications: self.publications.len(),
        }
    }
}
