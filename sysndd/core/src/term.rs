//! Identifiers of the Human Phenotype Ontology: `HP:` and seven digits.

use std::fmt;
use std::str::FromStr;

/// A term of the ontology.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Term(u32);

impl Term {
    /// The term with a number.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self(number)
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HP:{:07}", self.0)
    }
}

/// A text is no term.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a term is `HP:` and seven digits")]
pub struct NoTerm;

impl FromStr for Term {
    type Err = NoTerm;

    fn from_str(text: &str) -> Result<Self, NoTerm> {
        let digits = text.strip_prefix("HP:").ok_or(NoTerm)?;
        if digits.len() != 7 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NoTerm);
        }
        digits.parse().map(Self).map_err(|_| NoTerm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_is_written_as_it_was_read() {
        for text in ["HP:0000001", "HP:0040285", "HP:9999999"] {
            assert_eq!(text.parse::<Term>().expect("a term").to_string(), text);
        }
    }

    #[test]
    fn anything_else_is_no_term() {
        for text in
            ["", "HP:", "HP:1", "HP:+000001", "HP:00000011", "hp:0000001", "HP:000000\u{661}"]
        {
            assert_eq!(text.parse::<Term>(), Err(NoTerm), "{text}");
        }
    }
}
