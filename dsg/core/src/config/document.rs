//! YAML text → nodes that know where they stand and how they were written.
//!
//! Not read into typed structures: those stop at the first mistake and forget the line. A node
//! keeps the bytes it was written with, so that `name: 1.0` can be answered with `"1.0"` in
//! quotes instead of with the number that YAML made of it, and so that one value can be replaced
//! without touching the rest of the file.
//!
//! The text is untrusted (a project's file comes with a clone): its size, depth, number of nodes
//! and what aliases may expand to are bounded, and a key that stands twice is refused.

use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::options::{DuplicateKeyPolicy, NonFiniteFloatPolicy};
use serde_saphyr::{Error, Location, Options, Spanned};

use super::error::{ConfigError, Place, Problem, ProblemKind, printable, shown};

/// The longest configuration text that is read, in bytes.
pub(super) const TEXT_BYTES_MAX: usize = 1024 * 1024;
/// How deep lists and mappings may nest; our keys need five levels.
const DEPTH_MAX: usize = 16;
const NODES_MAX: usize = 100_000;
const ALIASES_MAX: usize = 100;
const REPLAYED_EVENTS_MAX: usize = 10_000;

/// A value with its place in the text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) value: Value,
    /// From 1; `None` when unknown.
    pub(super) line: Option<u64>,
    /// The bytes of a scalar in the text, quotes included. Of a value that comes by an alias, the alias.
    pub(super) span: Option<Range<usize>>,
}

/// What stands there. A scalar that YAML takes for something else than text keeps its spelling.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Boolean { value: bool, written: String },
    Number { written: String },
    Text(String),
    List(Vec<Node>),
    Mapping(Vec<Entry>),
}

/// One `key: value` of a mapping.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) line: Option<u64>,
    /// The bytes of the key in the text.
    pub(super) span: Option<Range<usize>>,
    pub(super) node: Node,
}

impl Node {
    /// What it is, for "expected …, found …".
    pub(super) fn description(&self) -> String {
        match &self.value {
            Value::Null => "nothing".to_owned(),
            Value::Boolean { value, written }
                if written.eq_ignore_ascii_case(&value.to_string()) =>
            {
                format!("the truth value {}", shown(written))
            }
            Value::Boolean { value, written } => {
                format!("{}, which YAML reads as {value}", shown(written))
            }
            Value::Number { written } => format!("the number {}", shown(written)),
            Value::Text(text) => format!("the text {}", shown(text)),
            Value::List(_) => "a list".to_owned(),
            Value::Mapping(_) => "a mapping of keys to values".to_owned(),
        }
    }
}

/// Reads one YAML document. Empty text is [`Value::Null`].
///
/// # Errors
/// The one problem that kept it from being read.
pub(super) fn parse(text: &str, origin: &str) -> Result<Node, ConfigError> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(ConfigError::from(Problem {
            place: Place::file(origin),
            kind: ProblemKind::TooLong { bytes: text.len(), limit: TEXT_BYTES_MAX },
            next_step:
                "a configuration is some lines of YAML: look whether the path names the right file"
                    .to_owned(),
        }));
    }
    match serde_saphyr::from_str_with_options::<RawNode>(text, options()) {
        Ok(raw) => Ok(raw.located(text)),
        Err(error) => Err(not_yaml(&error, origin).into()),
    }
}

fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: DEPTH_MAX,
            flow_nesting_limit: DEPTH_MAX,
            max_nodes: NODES_MAX,
            max_aliases: ALIASES_MAX,
            max_anchors: ALIASES_MAX,
            max_merge_keys: ALIASES_MAX,
            max_documents: 1,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: REPLAYED_EVENTS_MAX,
            max_replay_stack_depth: DEPTH_MAX,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
        reject_unsupported_tags: true,
        // Numbers are kept as they are written; what they would be as a float is of no interest.
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        // Comments are kept in the file, not in memory; a long one must not count against a limit.
        emit_comments: false,
        with_snippet: false,
    }
}

fn not_yaml(error: &serde_saphyr::Error, origin: &str) -> Problem {
    let mut error = error.without_snippet();
    let line = error.location().and_then(known_line);
    while let Error::AliasError { error: inner, .. } = error {
        error = inner;
    }
    let (reason, next_step) = match error {
        Error::DuplicateMappingKey { key, .. } => (
            format!("the key {} stands twice", shown(key.as_deref().unwrap_or("?"))),
            "keep one of the two",
        ),
        Error::Budget { breach: BudgetBreach::Documents { .. }, .. } => (
            "there is more than one document".to_owned(),
            "remove the line `---` and what belongs to the other document",
        ),
        Error::NullIntoString { .. } => {
            ("a key is missing before a colon".to_owned(), "write `key: value` on that line")
        }
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => (
            "it is nested deeper, or expands to more, than any configuration needs".to_owned(),
            "write the values out, without anchors (&) and aliases (*)",
        ),
        other => {
            let message = other.to_string();
            let first = message.lines().next().unwrap_or_default();
            let reason = first.rsplit_once(" at line ").map_or(first, |(reason, _)| reason);
            (
                printable(reason),
                "check the indentation (spaces, no tabs), the space after each colon, and put texts with \
                 special characters in quotes",
            )
        }
    };
    Problem {
        place: Place { origin: origin.to_owned(), line },
        kind: ProblemKind::NotYaml { reason },
        next_step: next_step.to_owned(),
    }
}

fn known_line(location: Location) -> Option<u64> {
    (location != Location::UNKNOWN).then(|| location.line())
}

fn bytes(location: Location, text: &str) -> Option<Range<usize>> {
    let start = usize::try_from(location.span().byte_offset()?).ok()?;
    let length = usize::try_from(location.span().byte_len()?).ok()?;
    let range = start..start.checked_add(length)?;
    text.get(range.clone()).map(|_| range)
}

/// As the YAML reader delivers it: the spelling of scalars is still to be fetched from the text.
struct RawNode(Spanned<RawValue>);

enum RawValue {
    Null,
    Boolean(bool),
    Number(String),
    Text(String),
    List(Vec<RawNode>),
    Mapping(Vec<(Spanned<String>, RawNode)>),
}

impl RawNode {
    fn located(self, text: &str) -> Node {
        let Spanned { value, referenced, defined } = self.0;
        let written = |otherwise: String| match bytes(defined, text) {
            Some(range) if !range.is_empty() => text[range].trim().to_owned(),
            _ => otherwise,
        };
        let value = match value {
            RawValue::Null => Value::Null,
            RawValue::Boolean(value) => match written(value.to_string()) {
                // The YAML that Python reads, and that existing files were written for, takes
                // these two letters for text.
                letter if matches!(letter.as_str(), "y" | "Y" | "n" | "N") => Value::Text(letter),
                written => Value::Boolean { value, written },
            },
            RawValue::Number(number) => Value::Number { written: written(number) },
            RawValue::Text(text) => Value::Text(text),
            RawValue::List(list) => {
                Value::List(list.into_iter().map(|node| node.located(text)).collect())
            }
            RawValue::Mapping(entries) => Value::Mapping(
                entries
                    .into_iter()
                    .map(|(key, node)| Entry {
                        line: known_line(key.referenced),
                        span: bytes(key.referenced, text),
                        key: key.value,
                        node: node.located(text),
                    })
                    .collect(),
            ),
        };
        Node { value, line: known_line(referenced), span: bytes(referenced, text) }
    }
}

impl<'de> Deserialize<'de> for RawNode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Spanned::deserialize(deserializer).map(Self)
    }
}

impl<'de> Deserialize<'de> for RawValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = RawValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<RawValue, E> {
        Ok(RawValue::Null)
    }

    fn visit_none<E>(self) -> Result<RawValue, E> {
        Ok(RawValue::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<RawValue, E> {
        Ok(RawValue::Boolean(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<RawValue, E> {
        Ok(RawValue::Number(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<RawValue, E> {
        Ok(RawValue::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<RawValue, E> {
        Ok(RawValue::Number(value.to_string()))
    }

    fn visit_str<E>(self, text: &str) -> Result<RawValue, E> {
        Ok(RawValue::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<RawValue, A::Error> {
        let mut list = Vec::new();
        while let Some(node) = sequence.next_element()? {
            list.push(node);
        }
        Ok(RawValue::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut mapping: A) -> Result<RawValue, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = mapping.next_entry()? {
            entries.push(entry);
        }
        Ok(RawValue::Mapping(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn refused(text: &str) -> Problem {
        parse(text, "f").expect_err(text).problems.remove(0)
    }

    fn values(text: &str) -> Vec<Value> {
        match parse(text, "f").expect(text).value {
            Value::Mapping(entries) => entries.into_iter().map(|entry| entry.node.value).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_scalar_keeps_its_spelling_and_place() {
        let text = "a: 1.0\nb: No # comment\nc: 0x1F\nd: .inf\ne: 1e999\n";
        let written = |text: &str| Value::Number { written: text.to_owned() };
        assert_eq!(
            values(text),
            [
                written("1.0"),
                Value::Boolean { value: false, written: "No".to_owned() },
                written("0x1F"),
                written(".inf"),
                written("1e999"),
            ]
        );
        let Value::Mapping(entries) = parse(text, "f").expect("good").value else { panic!() };
        assert_eq!(entries[1].line, Some(2));
        assert_eq!(entries[1].node.span.clone().map(|span| &text[span]), Some("No"));
    }

    #[test]
    fn letters_that_old_files_used_as_text_are_text() {
        assert_eq!(values("a: y\nb: N\n"), [Value::Text("y".into()), Value::Text("N".into())]);
    }

    #[test]
    fn empty_text_is_nothing() {
        for text in ["", "# only a comment\n", "---\n"] {
            assert_eq!(parse(text, "f").expect(text).value, Value::Null);
        }
    }

    #[test]
    fn a_key_that_stands_twice_is_refused_with_its_line() {
        let problem = refused("a: 1\nb: 2\na: 3\n");
        assert_eq!(
            problem.to_string(),
            "f, line 3: not readable as YAML: the key `a` stands twice"
        );
    }

    #[test]
    fn bombs_and_abysses_are_refused() {
        let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for (name, before) in
            ["b", "c", "d", "e", "f", "g"].iter().zip(["a", "b", "c", "d", "e", "f"])
        {
            let aliases = vec![format!("*{before}"); 10].join(", ");
            bomb.push_str(&format!("{name}: &{name} [{aliases}]\n"));
        }
        assert!(matches!(refused(&bomb).kind, ProblemKind::NotYaml { .. }));
        assert!(matches!(refused(&"[".repeat(100_000)).kind, ProblemKind::NotYaml { .. }));
        assert!(matches!(refused(&"- ".repeat(100_000)).kind, ProblemKind::NotYaml { .. }));
        let long = "#".repeat(TEXT_BYTES_MAX + 1);
        assert!(matches!(refused(&long).kind, ProblemKind::TooLong { .. }));
        assert!(refused("a: 1\n---\nb: 2\n").to_string().contains("more than one document"));
        refused("a: &a [*a]\n");
        refused("a: !!python/object:os.system x\n");
    }

    #[test]
    fn a_long_comment_is_no_problem() {
        let comments = "# what people write\n".repeat(1000);
        assert_eq!(values(&format!("{comments}a: {{\n{comments}b: c}}\n")).len(), 1);
    }

    proptest! {
        #[test]
        fn parse_is_total(text in any::<String>()) {
            let _ = parse(&text, "f");
        }

        #[test]
        fn parse_is_total_on_what_looks_like_yaml(text in "[a-c:\\-&*!|>\\[\\]{}#'\"\n ,~<0-9.?%@`\t]{0,60}") {
            let _ = parse(&text, "f");
        }
    }
}
