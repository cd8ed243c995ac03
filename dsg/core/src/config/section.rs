//! Reading keys out of a mapping by hand: what is wrong is noted with the key, the type that was
//! expected and an example, and reading goes on.

use super::document::{Entry, Node, Value};
use super::error::{ProblemKind, Problems, shown};

/// Longer keys get no suggestion: comparing them costs much and helps nobody.
const SUGGESTION_BYTES_MAX: usize = 64;
/// How alike two keys must be (1 is equal) for one to be suggested in place of the other.
const LIKENESS_MIN: f64 = 0.6;

/// A mapping, and the path of keys that leads to it.
#[derive(Debug, Clone)]
pub(super) struct Section<'a> {
    path: String,
    pub(super) line: Option<u64>,
    entries: &'a [Entry],
}

/// A value that was read, with the key and the line for what is said about it later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found<T> {
    pub(super) key: String,
    pub(super) line: Option<u64>,
    pub(super) value: T,
}

/// Why a value doesn't work, and what would.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) reason: String,
    pub(super) next_step: String,
}

impl Refusal {
    pub(super) fn new(reason: impl Into<String>, next_step: impl Into<String>) -> Self {
        Self { reason: reason.into(), next_step: next_step.into() }
    }
}

/// What a value must be: gives it tidied, or refuses it.
pub(super) type Rule<T = String> = fn(&str) -> Result<T, Refusal>;

impl Found<String> {
    /// The value as the rule accepts (and tidies) it; a refusal is noted.
    pub(super) fn checked<U>(self, problems: &mut Problems, rule: Rule<U>) -> Option<Found<U>> {
        match rule(&self.value) {
            Ok(value) => Some(Found { key: self.key, line: self.line, value }),
            Err(Refusal { reason, next_step }) => {
                problems.add(self.line, ProblemKind::BadValue { key: self.key, reason }, next_step);
                None
            }
        }
    }
}

impl<'a> Section<'a> {
    /// The whole text as a mapping. Nothing at all is `None` without a problem.
    pub(super) fn root(node: &'a Node, example: &str, problems: &mut Problems) -> Option<Self> {
        Self::of(String::new(), node, example, problems)
    }

    fn of(path: String, node: &'a Node, example: &str, problems: &mut Problems) -> Option<Self> {
        match &node.value {
            Value::Mapping(entries) => Some(Self { path, line: node.line, entries }),
            Value::Null => None,
            _ => {
                wrong_type(problems, &path, node, "keys with values", example);
                None
            }
        }
    }

    fn key(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn entry(&self, key: &str) -> Option<&'a Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// Whether the key is written, with whatever value; `key: null` counts as not written.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entry(key).is_some_and(|entry| entry.node.value != Value::Null)
    }

    /// Whether the key stands there at all, be it without a value.
    pub(super) fn is_written(&self, key: &str) -> bool {
        self.entry(key).is_some()
    }

    /// The line of a key.
    pub(super) fn line_of(&self, key: &str) -> Option<u64> {
        self.entry(key).and_then(|entry| entry.line).or(self.line)
    }

    /// Notes every key that is not in `known`. `elsewhere` are whole paths of keys that people put
    /// at this level by mistake.
    pub(super) fn refuse_unknown(
        &self,
        known: &[&str],
        elsewhere: &[&str],
        problems: &mut Problems,
    ) {
        for entry in self.entries {
            if known.contains(&entry.key.as_str()) {
                continue;
            }
            let kind = ProblemKind::UnknownKey {
                key: self.key(&entry.key),
                suggestion: suggestion(&entry.key, known, elsewhere),
            };
            let next_step = format!("keys that can stand here: {}", known.join(", "));
            problems.add(entry.line, kind, next_step);
        }
    }

    /// A mapping below this one; `None` where it isn't written or is no mapping (noted).
    pub(super) fn section(
        &self,
        key: &str,
        example: &str,
        problems: &mut Problems,
    ) -> Option<Self> {
        let entry = self.entry(key)?;
        Self::of(self.key(key), &entry.node, example, problems)
    }

    /// A text; `None` where it isn't written or is no text (noted). `example` is a good value.
    pub(super) fn text(
        &self,
        key: &str,
        example: &str,
        problems: &mut Problems,
    ) -> Option<Found<String>> {
        let entry = self.entry(key)?;
        let path = self.key(key);
        let value = text_of(&entry.node, &path, &format!("{key}: {example}"), problems)?;
        Some(Found { key: path, line: entry.line, value })
    }

    /// A text that must be there.
    pub(super) fn required_text(
        &self,
        key: &str,
        example: &str,
        problems: &mut Problems,
    ) -> Option<Found<String>> {
        if self.entry(key).is_none() {
            let place =
                if self.path.is_empty() { String::new() } else { format!(" below {}:", self.path) };
            let next_step = format!("add the line{place} `{key}: {example}`");
            problems.add(self.line, ProblemKind::Missing { key: self.key(key) }, next_step);
        }
        self.text(key, example, problems)
    }

    /// Notes what isn't names with texts below a key, without repeating any of it: it is secret.
    pub(super) fn secret_texts(&self, key: &str, problems: &mut Problems) {
        let Some(entry) = self.entry(key) else { return };
        let is_text = |entry: &Entry| matches!(entry.node.value, Value::Text(_));
        let well_formed = match &entry.node.value {
            Value::Null => true,
            Value::Mapping(entries) => entries.iter().all(is_text),
            _ => false,
        };
        if !well_formed {
            let found = "something else (not shown, as it is secret)".to_owned();
            let kind =
                ProblemKind::WrongType { key: self.key(key), expected: "names with texts", found };
            problems.add(
                entry.line,
                kind,
                format!("put the texts in quotes, or remove {key}: nothing uses it"),
            );
        }
    }

    /// A truth value.
    pub(super) fn boolean(&self, key: &str, problems: &mut Problems) -> Option<Found<bool>> {
        let entry = self.entry(key)?;
        if let Value::Boolean { value, .. } = entry.node.value {
            return Some(Found { key: self.key(key), line: entry.line, value });
        }
        let example = format!("write `{key}: true` or `{key}: false`, without quotes");
        wrong_type(problems, &self.key(key), &entry.node, "true or false", &example);
        None
    }

    /// A list of texts, of which those that the rule refuses are noted. A value that stands twice
    /// counts once.
    pub(super) fn texts(
        &self,
        key: &str,
        example: &str,
        problems: &mut Problems,
        rule: Rule,
    ) -> Option<Found<Vec<String>>> {
        let entry = self.entry(key)?;
        let path = self.key(key);
        let Value::List(nodes) = &entry.node.value else {
            let advice = format!("write a list: `{key}: {example}`, or leave the key out");
            wrong_type(problems, &path, &entry.node, "a list of texts", &advice);
            return None;
        };
        let mut seen = std::collections::HashSet::new();
        let mut texts = Vec::with_capacity(nodes.len());
        for (index, node) in nodes.iter().enumerate() {
            let path = format!("{path}[{index}]");
            let Some(value) = text_of(node, &path, &format!("{key}: {example}"), problems) else {
                continue;
            };
            let found = Found { key: path, line: node.line, value }.checked(problems, rule);
            if let Some(Found { value, .. }) = found
                && seen.insert(value.clone())
            {
                texts.push(value);
            }
        }
        Some(Found { key: path, line: entry.line, value: texts })
    }
}

/// The text of a node; anything else is noted, with quotes as the way out where they are one.
fn text_of(node: &Node, path: &str, example: &str, problems: &mut Problems) -> Option<String> {
    let advice = match &node.value {
        Value::Text(text) => return Some(text.clone()),
        Value::Number { written } | Value::Boolean { written, .. } => {
            format!("quote it: {}", shown(&format!("\"{written}\"")))
        }
        Value::Null | Value::List(_) | Value::Mapping(_) => {
            format!("write for example `{example}`")
        }
    };
    wrong_type(problems, path, node, "a text", &advice);
    None
}

fn wrong_type(
    problems: &mut Problems,
    key: &str,
    node: &Node,
    expected: &'static str,
    advice: &str,
) {
    let kind = ProblemKind::WrongType { key: key.to_owned(), expected, found: node.description() };
    problems.add(node.line, kind, advice);
}

/// The key that was probably meant: the most similar known one, or the one of the same name at
/// another place.
fn suggestion(key: &str, known: &[&str], elsewhere: &[&str]) -> Option<String> {
    if key.len() > SUGGESTION_BYTES_MAX {
        return None;
    }
    let misplaced = elsewhere.iter().find(|path| path.rsplit('.').next() == Some(key));
    misplaced.map(|path| (*path).to_owned()).or_else(|| most_similar(key, known))
}

/// The candidate most like `word`, if one is alike enough.
pub(super) fn most_similar(word: &str, candidates: &[&str]) -> Option<String> {
    if word.len() > SUGGESTION_BYTES_MAX {
        return None;
    }
    let word = word.to_lowercase().replace('-', "_");
    candidates
        .iter()
        .map(|candidate| (strsim::normalized_damerau_levenshtein(&word, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, candidate)| (*candidate).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likeliest_key_is_suggested() {
        let known = ["name", "repository", "data_dirs", "ignore"];
        assert_eq!(suggestion("data_dir", &known, &[]).as_deref(), Some("data_dirs"));
        assert_eq!(suggestion("Data-Dirs", &known, &[]).as_deref(), Some("data_dirs"));
        assert_eq!(suggestion("repositroy", &known, &[]).as_deref(), Some("repository"));
        assert_eq!(
            suggestion("host", &known, &["repository.host"]).as_deref(),
            Some("repository.host")
        );
        assert_eq!(suggestion("colour", &known, &[]), None);
        assert_eq!(suggestion(&"x".repeat(1_000_000), &known, &[]), None);
    }
}
