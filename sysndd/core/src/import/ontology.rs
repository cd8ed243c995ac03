//! The ontology: names, definitions and parents of terms, out of an OBO file.
//!
//! An OBO file is lines `tag: value`, in stanzas that start with `[Term]`. Only what is needed is
//! kept; unknown tags and stanzas are passed over, as the format wants it.

use std::collections::{BTreeMap, BTreeSet};

use super::Problem;
use super::table::{shown, text_of};
use crate::term::Term;

/// More terms than any release will have; a file with more is not the ontology.
const TERMS_MAX: usize = 500_000;
/// More than any term has of parents, synonyms or other identifiers.
const VALUES_MAX: usize = 1_000;

/// What is known of a term.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// Its name.
    pub name: String,
    /// What it means.
    pub definition: Option<String>,
    /// Other names, in the order of the file.
    pub synonyms: Vec<String>,
    /// Whether it isn't used any more.
    pub is_obsolete: bool,
    parents: Vec<Term>,
}

/// A release of the ontology.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ontology {
    release: Option<String>,
    terms: BTreeMap<Term, Description>,
    /// Numbers that terms had before they were joined.
    former: BTreeMap<Term, Term>,
}

impl Ontology {
    /// The release, as the file states it.
    #[must_use]
    pub fn release(&self) -> Option<&str> {
        self.release.as_deref()
    }

    /// What is known of a term.
    #[must_use]
    pub fn describe(&self, term: Term) -> Option<&Description> {
        self.terms.get(&term)
    }

    /// The name of a term; for a number that a term had before, the name of that term.
    #[must_use]
    pub fn name(&self, term: Term) -> Option<&str> {
        self.terms.get(&self.present(term)).map(|description| description.name.as_str())
    }

    /// The number of terms, obsolete ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.terms.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// The term itself and all above it; for a number that a term had before, that term.
    #[must_use]
    pub fn at_or_above(&self, term: Term) -> BTreeSet<Term> {
        let mut reached = BTreeSet::new();
        let mut waiting = vec![self.present(term)];
        while let Some(term) = waiting.pop() {
            if reached.insert(term)
                && let Some(description) = self.terms.get(&term)
            {
                waiting.extend(&description.parents);
            }
        }
        reached
    }

    /// Whether a term is `top` or below it.
    #[must_use]
    pub fn is_at_or_below(&self, term: Term, top: Term) -> bool {
        self.at_or_above(term).contains(&top)
    }

    fn present(&self, term: Term) -> Term {
        let is_used = self.terms.get(&term).is_some_and(|description| !description.is_obsolete);
        if is_used { term } else { self.former.get(&term).copied().unwrap_or(term) }
    }
}

/// Reads an OBO file.
#[derive(Debug, Default)]
pub struct OntologyReader {
    ontology: Ontology,
    line: u64,
    stanza: Stanza,
}

#[derive(Debug, Default)]
enum Stanza {
    #[default]
    Header,
    Term {
        begins: u64,
        id: Option<Identifier>,
        description: Description,
        former: Vec<Term>,
    },
    Other,
}

/// A file may describe terms of other ontologies as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Identifier {
    Ours(Term),
    Foreign,
}

impl OntologyReader {
    /// A reader at the start of a file.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next line.
    ///
    /// # Errors
    /// When the line can't be part of an ontology.
    pub fn line(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        self.line += 1;
        let text = text_of(bytes, self.line)?;
        if text.starts_with('[') {
            self.close()?;
            self.stanza = if text.trim_end() == "[Term]" {
                let description = Description::default();
                Stanza::Term { begins: self.line, id: None, description, former: Vec::new() }
            } else {
                Stanza::Other
            };
            return Ok(());
        }
        let Some((tag, value)) = text.split_once(':') else { return Ok(()) };
        let value = value.trim();
        match &mut self.stanza {
            Stanza::Header => {
                if tag == "data-version" {
                    let release = value.rsplit('/').next().unwrap_or(value);
                    self.ontology.release = Some(release.to_owned());
                }
                Ok(())
            }
            Stanza::Other => Ok(()),
            Stanza::Term { id, description, former, .. } => {
                keep(self.line, tag, value, id, description, former)
            }
        }
    }

    /// The end of the file.
    ///
    /// # Errors
    /// When the last term is incomplete, or there is none.
    pub fn finish(mut self) -> Result<Ontology, Problem> {
        self.close()?;
        if self.ontology.terms.is_empty() {
            return Err(Problem::new(self.line, "the file ends without any term `HP:…`"));
        }
        Ok(self.ontology)
    }

    fn close(&mut self) -> Result<(), Problem> {
        let Stanza::Term { begins, id, description, former } = std::mem::take(&mut self.stanza)
        else {
            return Ok(());
        };
        let Some(id) = id else { return Err(Problem::new(begins, "this term has no id")) };
        let Identifier::Ours(term) = id else { return Ok(()) };
        if description.name.is_empty() {
            return Err(Problem::new(begins, format!("{term} has no name")));
        }
        if self.ontology.terms.len() >= TERMS_MAX {
            return Err(Problem::new(begins, format!("more than {TERMS_MAX} terms")));
        }
        if self.ontology.terms.insert(term, description).is_some() {
            return Err(Problem::new(begins, format!("{term} is described twice")));
        }
        self.ontology.former.extend(former.into_iter().map(|number| (number, term)));
        Ok(())
    }
}

fn keep(
    line: u64,
    tag: &str,
    value: &str,
    id: &mut Option<Identifier>,
    description: &mut Description,
    former: &mut Vec<Term>,
) -> Result<(), Problem> {
    let full = |length: usize| {
        if length < VALUES_MAX {
            Ok(())
        } else {
            Err(Problem::new(line, format!("more than {VALUES_MAX} values of `{tag}`")))
        }
    };
    match tag {
        "id" => *id = Some(value.parse().map_or(Identifier::Foreign, Identifier::Ours)),
        "name" => value.clone_into(&mut description.name),
        "def" => description.definition = Some(quoted(line, value)?),
        "synonym" => {
            full(description.synonyms.len())?;
            description.synonyms.push(quoted(line, value)?);
        }
        "is_obsolete" => description.is_obsolete = value.starts_with("true"),
        "is_a" => {
            full(description.parents.len())?;
            description.parents.extend(first_term(value));
        }
        "alt_id" => {
            full(former.len())?;
            former.extend(first_term(value));
        }
        _ => {}
    }
    Ok(())
}

/// The term that a value starts with; what follows it are comments. Terms of other ontologies are
/// none.
fn first_term(value: &str) -> Option<Term> {
    value.split_whitespace().next().and_then(|word| word.parse().ok())
}

/// The text between the first quotes, where a backslash stands before a quote or itself.
fn quoted(line: u64, value: &str) -> Result<String, Problem> {
    let mut text = String::new();
    let mut letters = value.strip_prefix('"').into_iter().flat_map(str::chars);
    while let Some(letter) = letters.next() {
        match letter {
            '"' => return Ok(text),
            '\\' => {
                text.extend(letters.next().map(|letter| if letter == 'n' { '\n' } else { letter }));
            }
            _ => text.push(letter),
        }
    }
    Err(Problem::new(line, format!("{} is not a text in quotes", shown(value))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str = "format-version: 1.2\ndata-version: hp/releases/2025-01-16\n\n\
        [Term]\nid: HP:0000001\nname: All\n\n\
        [Term]\nid: HP:0000118\nname: Phenotypic abnormality\nis_a: HP:0000001 ! All\n\n\
        [Term]\nid: HP:0000707\nname: Nervous\nalt_id: HP:0000999\ndef: \"Of the \\\"nerves\\\".\" [x]\n\
        synonym: \"Neurological\" EXACT []\nis_a: HP:0000118 {source=\"x\"} ! Phenotypic abnormality\n\n\
        [Term]\nid: HP:0000998\nname: obsolete Nerves\nis_obsolete: true\n\n\
        [Term]\nid: GO:0000001\n\n[Typedef]\nid: part_of\n";

    fn read(text: &[u8]) -> Result<Ontology, Problem> {
        let mut reader = OntologyReader::new();
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            reader.line(line)?;
        }
        reader.finish()
    }

    #[test]
    fn terms_come_with_their_names_definitions_and_all_that_is_above() {
        let ontology = read(TEXT.as_bytes()).expect("an ontology");
        assert_eq!((ontology.release(), ontology.len()), (Some("2025-01-16"), 4));
        let nervous = ontology.describe(Term::new(707)).expect("a term");
        assert_eq!(nervous.definition.as_deref(), Some("Of the \"nerves\"."));
        assert_eq!(nervous.synonyms, ["Neurological"]);
        let above: Vec<_> = ontology.at_or_above(Term::new(707)).into_iter().collect();
        assert_eq!(above, [Term::new(1), Term::new(118), Term::new(707)]);
        assert!(!ontology.is_at_or_below(Term::new(118), Term::new(707)));
    }

    #[test]
    fn a_number_from_before_stands_for_the_term_that_has_it_now() {
        let ontology = read(TEXT.as_bytes()).expect("an ontology");
        assert!(ontology.is_at_or_below(Term::new(999), Term::new(118)));
        assert!(!ontology.is_at_or_below(Term::new(998), Term::new(118)));
    }

    #[test]
    fn a_circle_of_parents_ends() {
        let text = "[Term]\nid: HP:0000002\nname: a\nis_a: HP:0000003\n[Term]\nid: HP:0000003\nname: b\nis_a: HP:0000002\n";
        let ontology = read(text.as_bytes()).expect("an ontology");
        assert_eq!(ontology.at_or_above(Term::new(2)).len(), 2);
    }

    #[test]
    fn what_is_no_ontology_is_refused_with_its_line() {
        let problem = |text: &str| read(text.as_bytes()).expect_err("a problem").to_string();
        assert_eq!(problem("<html>\n"), "line 1: the file ends without any term `HP:…`");
        assert_eq!(problem("[Term]\nname: a\n[Term]\n"), "line 1: this term has no id");
        assert_eq!(problem("[Term]\nid: HP:0000002\n"), "line 1: HP:0000002 has no name");
        assert!(problem("[Term]\nid: HP:0000002\nname: a\ndef: \"open\n").starts_with("line 4: "));
        assert!(
            problem("[Term]\nid: HP:0000002\nname: a\n[Term]\nid: HP:0000002\nname: b\n")
                .contains("twice")
        );
        assert_eq!(read(b"[Term]\nname: \xff\n").expect_err("a problem").what, "it is not UTF-8");
    }

    /// Lines that look like those of an ontology more often than random bytes do.
    fn line() -> impl Strategy<Value = String> {
        prop_oneof![
            Just("[Term]".to_owned()),
            "(id|is_a|alt_id): HP:000000[0-9]( ! a)?",
            "(name|def|synonym|is_obsolete|data-version): \"?[a-z\\\\\"]{0,6}\"?",
            "\\PC{0,20}",
        ]
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_ontology_or_a_problem(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
        }

        #[test]
        fn any_lines_are_an_ontology_in_which_every_walk_ends(lines in proptest::collection::vec(line(), 0..30)) {
            if let Ok(ontology) = read(lines.join("\n").as_bytes()) {
                for number in 0..10 {
                    let above = ontology.at_or_above(Term::new(number));
                    prop_assert!(above.len() <= 10);
                }
            }
        }
    }
}
