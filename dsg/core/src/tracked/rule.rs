//! The lists of a configuration, and what is wrong with one of their rules.
//!
//! A rule that can't mean what its writer thinks is refused instead of kept: who writes
//! `data_dirs: [work/input]` believes that those files are stored.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{ALL, DATA_DIRECTORIES, DataDirectories, IGNORE_NAMES, IGNORE_SUFFIXES};
use crate::name::display_safe;
use crate::path::{self, COMPONENT_BYTES_MAX, PATH_BYTES_MAX};

/// The most rules in one list.
const RULES_MAX: usize = 10_000;
/// The most patterns in one list; each is tried on every name.
const PATTERNS_MAX: usize = 500;

/// Why a rule is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRule {
    /// Nothing, or nothing but `/` and `.`, which would mean everything.
    #[error("`{list}` has an empty rule", list = .0.key())]
    Empty(List),
    /// Longer than anything it could match.
    #[error(
        "`{list}` has a rule of {bytes} bytes, longer than anything that it could match",
        list = .list.key()
    )]
    TooLong {
        /// Where it stands.
        list: List,
        /// Its length.
        bytes: usize,
    },
    /// More rules or patterns than are reasonable.
    #[error(
        "`{list}` has {count} rules or patterns, at most {most} are possible",
        list = .list.key()
    )]
    TooMany {
        /// Where they stand.
        list: List,
        /// How many there are.
        count: usize,
        /// How many may be.
        most: usize,
    },
    /// A slash where one name is expected.
    #[error(
        "`{list}` has the rule `{}`, but it takes single names, without `/`",
        display_safe(.rule), list = .list.key()
    )]
    NotOneName {
        /// Where it stands.
        list: List,
        /// The rule.
        rule: String,
    },
    /// `*` or `?` where a rule is taken as it is written.
    #[error(
        "`{list}` has the rule `{}`, but it takes no patterns",
        display_safe(.rule), list = .list.key()
    )]
    NoPatternHere {
        /// Where it stands.
        list: List,
        /// The rule.
        rule: String,
    },
    /// A data directory that starts with a dot.
    #[error("`data_dirs` has `{}`, but what is hidden never takes part", display_safe(.0))]
    Hidden(String),
    /// A path that starts with `/` or has `..`.
    #[error(
        "`ignore.paths` has `{}`, but a path is given from the project's root on",
        display_safe(.0)
    )]
    NotInside(String),
    /// A `[` without `]`, or a range that goes backwards.
    #[error(
        "the pattern `{}` has a `[` that begins no list of characters (`[[]` is the bracket itself)",
        display_safe(.0)
    )]
    Pattern(String),
    /// A value that is no set of rules.
    #[error("this is no set of rules: {0}")]
    Malformed(String),
}

/// One of the four lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// Names of data directories.
    DataDirectories,
    /// Ignored paths.
    IgnorePaths,
    /// Ignored names.
    IgnoreNames,
    /// Ignored suffixes.
    IgnoreSuffixes,
}

impl List {
    /// The key in `.dsgconfig.yml`.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::DataDirectories => "data_dirs",
            Self::IgnorePaths => "ignore.paths",
            Self::IgnoreNames => "ignore.names",
            Self::IgnoreSuffixes => "ignore.suffixes",
        }
    }
}

/// Rules as they are written in a configuration. Each list that a configuration gives replaces
/// its default; the others keep theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleLists {
    /// Names of data directories; `*` stands for the whole project.
    pub data_dirs: Vec<String>,
    /// Paths from the root on that are ignored, with what is below them.
    pub ignore_paths: Vec<String>,
    /// Names that are ignored wherever they stand, with what is below them.
    pub ignore_names: Vec<String>,
    /// Ends of file names that are ignored.
    pub ignore_suffixes: Vec<String>,
}

impl Default for RuleLists {
    /// What the legacy tool takes when nothing is configured.
    fn default() -> Self {
        let list = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        Self {
            data_dirs: list(&DATA_DIRECTORIES),
            ignore_paths: Vec::new(),
            ignore_names: list(&IGNORE_NAMES),
            ignore_suffixes: list(&IGNORE_SUFFIXES),
        }
    }
}

impl RuleLists {
    /// The lists in a fixed order.
    pub(super) fn all(&self) -> [(List, &[String]); 4] {
        [
            (List::DataDirectories, &self.data_dirs),
            (List::IgnorePaths, &self.ignore_paths),
            (List::IgnoreNames, &self.ignore_names),
            (List::IgnoreSuffixes, &self.ignore_suffixes),
        ]
    }

    /// Refuses what is too much to work with, before any work is done.
    pub(super) fn check_size(&self) -> Result<(), BadRule> {
        for (list, rules) in self.all() {
            if rules.len() > RULES_MAX {
                return Err(BadRule::TooMany { list, count: rules.len(), most: RULES_MAX });
            }
            let most = if list == List::IgnorePaths { PATH_BYTES_MAX } else { COMPONENT_BYTES_MAX };
            if let Some(rule) = rules.iter().find(|rule| rule.len() > most) {
                return Err(BadRule::TooLong { list, bytes: rule.len() });
            }
        }
        Ok(())
    }
}

/// Reads the data directories.
pub(super) fn data_directories(rules: &[String]) -> Result<DataDirectories, BadRule> {
    let names = each(rules, data_directory)?;
    Ok(if names.contains(ALL) { DataDirectories::All } else { DataDirectories::Named(names) })
}

/// Every rule of a list, brought to the form in which it is compared.
pub(super) fn each(
    rules: &[String],
    read: fn(&str) -> Result<String, BadRule>,
) -> Result<BTreeSet<String>, BadRule> {
    rules.iter().map(|rule| read(rule)).collect()
}

fn data_directory(rule: &str) -> Result<String, BadRule> {
    let rule = one_name(List::DataDirectories, rule)?;
    if rule.starts_with('.') {
        return Err(BadRule::Hidden(rule));
    }
    if rule == ALL { Ok(rule) } else { no_pattern(List::DataDirectories, rule) }
}

pub(super) fn name(rule: &str) -> Result<String, BadRule> {
    one_name(List::IgnoreNames, rule)
}

pub(super) fn suffix(rule: &str) -> Result<String, BadRule> {
    no_pattern(List::IgnoreSuffixes, one_name(List::IgnoreSuffixes, rule)?)
}

pub(super) fn path(rule: &str) -> Result<String, BadRule> {
    let key = path::normal(rule);
    if key.starts_with('/') || key.split('/').any(|component| component == "..") {
        return Err(BadRule::NotInside(rule.to_owned()));
    }
    let components: Vec<&str> =
        key.split('/').filter(|component| !matches!(*component, "" | ".")).collect();
    if components.is_empty() {
        return Err(BadRule::Empty(List::IgnorePaths));
    }
    Ok(components.join("/"))
}

/// Compiles those rules of a list that are patterns.
pub(super) fn patterns<P>(
    list: List,
    rules: &BTreeSet<String>,
    parse: fn(&str) -> Option<P>,
) -> Result<Vec<P>, BadRule> {
    let patterns: Vec<&String> =
        rules.iter().filter(|rule| rule.contains(['*', '?', '['])).collect();
    if patterns.len() > PATTERNS_MAX {
        return Err(BadRule::TooMany { list, count: patterns.len(), most: PATTERNS_MAX });
    }
    patterns
        .into_iter()
        .map(|rule| parse(rule).ok_or_else(|| BadRule::Pattern(rule.clone())))
        .collect()
}

fn one_name(list: List, rule: &str) -> Result<String, BadRule> {
    match rule {
        "" => Err(BadRule::Empty(list)),
        rule if rule.contains('/') => Err(BadRule::NotOneName { list, rule: rule.to_owned() }),
        rule => Ok(path::normal(rule).into_owned()),
    }
}

fn no_pattern(list: List, rule: String) -> Result<String, BadRule> {
    if rule.contains(['*', '?']) { Err(BadRule::NoPatternHere { list, rule }) } else { Ok(rule) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tracked::Rules;

    fn refusal(change: impl FnOnce(&mut RuleLists)) -> BadRule {
        let mut lists = RuleLists::default();
        change(&mut lists);
        Rules::new(&lists).expect_err("refused")
    }

    fn one(rule: &str) -> Vec<String> {
        vec![rule.to_owned()]
    }

    #[test]
    fn rules_that_could_not_mean_what_they_say_are_refused() {
        assert!(matches!(refusal(|l| l.data_dirs = one("a/b")), BadRule::NotOneName { .. }));
        assert!(matches!(refusal(|l| l.data_dirs = one("in*")), BadRule::NoPatternHere { .. }));
        assert_eq!(refusal(|l| l.data_dirs = one(".x")), BadRule::Hidden(".x".to_owned()));
        assert_eq!(refusal(|l| l.ignore_paths = one("./")), BadRule::Empty(List::IgnorePaths));
        assert!(matches!(refusal(|l| l.ignore_paths = one("/a")), BadRule::NotInside(_)));
        assert!(matches!(refusal(|l| l.ignore_paths = one("a/../b")), BadRule::NotInside(_)));
        assert!(matches!(refusal(|l| l.ignore_names = one("a/")), BadRule::NotOneName { .. }));
        assert!(matches!(refusal(|l| l.ignore_names = one("a[b")), BadRule::Pattern(_)));
        assert_eq!(refusal(|l| l.ignore_suffixes = one("")), BadRule::Empty(List::IgnoreSuffixes));
        assert!(matches!(
            refusal(|l| l.ignore_suffixes = one("*.x")),
            BadRule::NoPatternHere { .. }
        ));
    }

    #[test]
    fn too_much_is_refused_before_it_costs() {
        let many = |text: &str, count: u32| (0..count).map(|n| format!("{text}{n}")).collect();
        assert!(matches!(
            refusal(|l| l.ignore_names = many("x", 10_001)),
            BadRule::TooMany { count: 10_001, .. }
        ));
        assert!(matches!(
            refusal(|l| l.ignore_paths = many("x*", 501)),
            BadRule::TooMany { count: 501, list: List::IgnorePaths, .. }
        ));
        assert!(matches!(
            refusal(|l| l.data_dirs = one(&"x".repeat(256))),
            BadRule::TooLong { bytes: 256, .. }
        ));
    }

    #[test]
    fn a_refusal_names_the_key_of_the_configuration() {
        let message = refusal(|l| l.ignore_names = one("a/\u{202e}b")).to_string();
        assert_eq!(
            message,
            r"`ignore.names` has the rule `a/\u{202e}b`, but it takes single names, without `/`"
        );
    }
}
