//! The words that curation uses: categories, modes of inheritance, modifiers, phenotypes.
//!
//! The database has them as rows, written by its first migration; here are those that rules speak
//! of. A test of the store holds the two together.

use crate::term::Term;

/// How sure it is that variants of the gene cause the disease; the lower the number, the surer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// Beyond reasonable doubt.
    Definitive,
    /// More than a little.
    Moderate,
    /// A little.
    Limited,
    /// It was claimed and is wrong.
    Refuted,
    /// The relation is real, but the disease is not neurodevelopmental.
    NotApplicable,
}

impl Category {
    /// All of them, the surest first.
    pub const ALL: [Self; 5] =
        [Self::Definitive, Self::Moderate, Self::Limited, Self::Refuted, Self::NotApplicable];

    /// The number in the database.
    #[must_use]
    pub const fn id(self) -> i64 {
        match self {
            Self::Definitive => 1,
            Self::Moderate => 2,
            Self::Limited => 3,
            Self::Refuted => 4,
            Self::NotApplicable => 5,
        }
    }

    /// The published word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Definitive => "Definitive",
            Self::Moderate => "Moderate",
            Self::Limited => "Limited",
            Self::Refuted => "Refuted",
            Self::NotApplicable => "not applicable",
        }
    }

    /// What an import computes from the number of distinct publications. It replaces no curator: a
    /// status with such a category says that it was computed.
    #[must_use]
    pub const fn computed(publications: usize) -> Self {
        match publications {
            0 | 1 => Self::Limited,
            2 => Self::Moderate,
            _ => Self::Definitive,
        }
    }
}

/// How a phenotype belongs to an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Modifier {
    /// In many of those who were looked at.
    Present,
    /// Nobody is sure.
    Uncertain,
    /// In less than a fifth.
    Variable,
    /// In less than a twentieth.
    Rare,
    /// It is a sign that it is missing.
    Absent,
}

impl Modifier {
    /// All of them, by number.
    pub const ALL: [Self; 5] =
        [Self::Present, Self::Uncertain, Self::Variable, Self::Rare, Self::Absent];

    /// The number in the database.
    #[must_use]
    pub const fn id(self) -> i64 {
        match self {
            Self::Present => 1,
            Self::Uncertain => 2,
            Self::Variable => 3,
            Self::Rare => 4,
            Self::Absent => 5,
        }
    }

    /// The published word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Uncertain => "uncertain",
            Self::Variable => "variable",
            Self::Rare => "rare",
            Self::Absent => "absent",
        }
    }
}

/// What modes of inheritance are grouped into for filters and statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InheritanceGroup {
    /// One changed copy is enough.
    AutosomalDominant,
    /// Both copies are changed.
    AutosomalRecessive,
    /// The gene is on the X chromosome.
    XLinked,
    /// Everything else, and unknown.
    Other,
}

impl InheritanceGroup {
    /// The published word, value of `inheritance_filter`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AutosomalDominant => "Autosomal dominant",
            Self::AutosomalRecessive => "Autosomal recessive",
            Self::XLinked => "X-linked",
            Self::Other => "Other",
        }
    }

    /// The group of a term that is not in [`INHERITANCE`], by what its name says.
    #[must_use]
    pub fn of_name(name: &str) -> Self {
        [Self::XLinked, Self::AutosomalDominant, Self::AutosomalRecessive]
            .into_iter()
            .find(|group| name.contains(group.name()))
            .unwrap_or(Self::Other)
    }
}

/// A mode of inheritance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inheritance {
    /// Its term.
    pub term: Term,
    /// The name that is shown.
    pub name: &'static str,
    /// Its group.
    pub group: InheritanceGroup,
    /// Its abbreviation.
    pub short: &'static str,
    /// Whether curators may choose it.
    pub active: bool,
}

/// What an entity has whose disease has no kept mode of inheritance; shown as "unknown".
pub const UNKNOWN_INHERITANCE: Term = Term::new(5);

const fn inheritance(
    number: u32,
    name: &'static str,
    group: InheritanceGroup,
    short: &'static str,
) -> Inheritance {
    Inheritance { term: Term::new(number), name, group, short, active: true }
}

/// The modes that curators choose from, and the one for "unknown".
pub const INHERITANCE: [Inheritance; 8] = [
    inheritance(6, "Autosomal dominant inheritance", InheritanceGroup::AutosomalDominant, "AD"),
    inheritance(7, "Autosomal recessive inheritance", InheritanceGroup::AutosomalRecessive, "AR"),
    inheritance(1417, "X-linked other inheritance", InheritanceGroup::XLinked, "Xo"),
    inheritance(1419, "X-linked recessive inheritance", InheritanceGroup::XLinked, "XR"),
    inheritance(1423, "X-linked dominant inheritance", InheritanceGroup::XLinked, "XD"),
    inheritance(1427, "Mitochondrial inheritance", InheritanceGroup::Other, "Mit"),
    inheritance(1428, "Somatic mutation inheritance", InheritanceGroup::Other, "Som"),
    Inheritance { active: false, ..inheritance(5, "unknown", InheritanceGroup::Other, "unk") },
];

/// The root of what can be wrong with a body: linked only to an entity that has nothing else.
pub const PHENOTYPIC_ABNORMALITY: Term = Term::new(118);

/// The phenotype terms of reviews, with their names in HPO 2025-01-16, by number.
pub const PHENOTYPES: [(Term, &str); 39] = [
    (Term::new(77), "Abnormality of the kidney"),
    (Term::new(98), "Tall stature"),
    (PHENOTYPIC_ABNORMALITY, "Phenotypic abnormality"),
    (Term::new(119), "Abnormality of the genitourinary system"),
    (Term::new(202), "Orofacial cleft"),
    (Term::new(252), "Microcephaly"),
    (Term::new(256), "Macrocephaly"),
    (Term::new(365), "Hearing impairment"),
    (Term::new(478), "Abnormality of the eye"),
    (Term::new(707), "Abnormality of the nervous system"),
    (Term::new(708), "Atypical behavior"),
    (Term::new(818), "Abnormality of the endocrine system"),
    (Term::new(924), "Abnormality of the skeletal system"),
    (Term::new(1249), "Intellectual disability"),
    (Term::new(1250), "Seizure"),
    (Term::new(1256), "Intellectual disability, mild"),
    (Term::new(1513), "Obesity"),
    (Term::new(1548), "Overgrowth"),
    (Term::new(1574), "Abnormality of the integument"),
    (Term::new(1627), "Abnormal heart morphology"),
    (Term::new(1871), "Abnormality of blood and blood-forming tissues"),
    (Term::new(1939), "Abnormality of metabolism/homeostasis"),
    (Term::new(1999), "Abnormal facial shape"),
    (Term::new(2011), "Morphological central nervous system abnormality"),
    (Term::new(2187), "Intellectual disability, profound"),
    (Term::new(2270), "Abnormality of the autonomic nervous system"),
    (Term::new(2342), "Intellectual disability, moderate"),
    (Term::new(2376), "Developmental regression"),
    (Term::new(2664), "Neoplasm"),
    (Term::new(2715), "Abnormality of the immune system"),
    (Term::new(3011), "Abnormality of the musculature"),
    (Term::new(3676), "Progressive"),
    (Term::new(4322), "Short stature"),
    (Term::new(6889), "Intellectual disability, borderline"),
    (Term::new(10864), "Intellectual disability, severe"),
    (Term::new(11024), "Abnormality of the gastrointestinal tract"),
    (Term::new(11420), "Age of death"),
    (Term::new(12103), "Abnormality of the mitochondrion"),
    (Term::new(40064), "Abnormality of limbs"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_the_order_of_the_lists() {
        assert_eq!(Category::ALL.map(Category::id), [1, 2, 3, 4, 5]);
        assert_eq!(Modifier::ALL.map(Modifier::id), [1, 2, 3, 4, 5]);
        assert!(PHENOTYPES.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn three_publications_make_a_computed_category_definitive_and_two_moderate() {
        let computed = [0, 1, 2, 3, 900].map(Category::computed).map(Category::name);
        assert_eq!(computed, ["Limited", "Limited", "Moderate", "Definitive", "Definitive"]);
    }

    #[test]
    fn a_mode_outside_the_list_is_grouped_by_what_its_name_says() {
        let group = |name| InheritanceGroup::of_name(name).name();
        assert_eq!(
            group("Autosomal dominant inheritance with maternal imprinting"),
            "Autosomal dominant"
        );
        assert_eq!(group("X-linked inheritance"), "X-linked");
        assert_eq!(group("Y-linked inheritance"), "Other");
        for mode in INHERITANCE.iter().filter(|mode| mode.group != InheritanceGroup::Other) {
            assert_eq!(InheritanceGroup::of_name(mode.name), mode.group);
        }
    }
}
