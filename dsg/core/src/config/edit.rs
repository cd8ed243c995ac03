//! Changing one value in a person's `dsg.yml` and nothing else.
//!
//! The file is the person's own: comments, order and quotes stay. So the bytes of one value are
//! replaced (or one line is added), and then the result is read again: unless exactly the wanted
//! key changed, the text is left alone and the person is asked to edit it. That check is why this
//! needs no knowledge of the odder corners of YAML.

use super::document::{self, Entry, Node, Value};
use super::error::{ConfigError, Place, Problem, ProblemKind, Problems};
use super::layers::truth;
use super::section::{Found, most_similar};
use super::user::{USER_VALUE_KEYS, text_rule};
use super::write::scalar;

/// What the text is called in problems; the caller knows the path.
const ORIGIN: &str = "dsg.yml";

/// The text of a `dsg.yml` with `key` set to `value`; everything else stays as it is written.
/// `key` is one of [`USER_VALUE_KEYS`].
///
/// # Errors
/// An unknown key, a value that the key can't have, a text that can't be read or is written in a
/// way that only a person can change.
pub fn set_user_value(text: &str, key: &str, value: &str) -> Result<String, ConfigError> {
    let wanted = wanted(key, value)?;
    let root = document::parse(text, ORIGIN)?;
    let entries = match root.value {
        Value::Null => Vec::new(),
        Value::Mapping(entries) => entries,
        _ => return Err(by_hand(key, &wanted)),
    };
    let changed = match entries.iter().find(|entry| entry.key == key) {
        Some(entry) => replaced(text, entry, &wanted),
        None => Some(appended(text, &entries, key, &wanted)),
    };
    changed
        .filter(|changed| only_this_changed(changed, &entries, key, &wanted))
        .ok_or_else(|| by_hand(key, &wanted))
}

/// The value as it is written, if the key can have it.
fn wanted(key: &str, value: &str) -> Result<String, ConfigError> {
    let mut problems = Problems::new(ORIGIN);
    let found = Found { key: key.to_owned(), line: None, value: value.to_owned() };
    let written = if let Some(rule) = text_rule(key) {
        found.checked(&mut problems, rule).map(|found| scalar(&found.value))
    } else if USER_VALUE_KEYS.contains(&key) {
        found.checked(&mut problems, truth).map(|found| found.value.to_string())
    } else {
        let suggestion = most_similar(key, &USER_VALUE_KEYS);
        let kind = ProblemKind::UnknownKey { key: key.to_owned(), suggestion };
        problems.add(None, kind, format!("keys that can be set: {}", USER_VALUE_KEYS.join(", ")));
        None
    };
    problems.unless_any(written)
}

fn replaced(text: &str, entry: &Entry, wanted: &str) -> Option<String> {
    let span = entry.node.span.clone()?;
    if matches!(entry.node.value, Value::List(_) | Value::Mapping(_)) {
        return None;
    }
    if !span.is_empty() {
        return Some(format!("{}{wanted}{}", &text[..span.start], &text[span.end..]));
    }
    // `key:` without a value: behind the colon.
    let key_end = entry.span.clone()?.end;
    let colon = text[key_end..].find(':').map(|at| key_end + at + 1)?;
    Some(format!("{} {wanted}{}", &text[..colon], &text[colon..]))
}

fn appended(text: &str, entries: &[Entry], key: &str, wanted: &str) -> String {
    let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let between = if text.is_empty() || text.ends_with('\n') { "" } else { line_end };
    let indentation = entries.first().map_or("", |entry| indentation(text, entry));
    format!("{text}{between}{indentation}{key}: {wanted}{line_end}")
}

/// The spaces before a key, so that a new one stands beside it.
fn indentation<'a>(text: &'a str, entry: &Entry) -> &'a str {
    let Some(span) = &entry.span else { return "" };
    let start = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
    let before = &text[start..span.start];
    if before.bytes().all(|byte| byte == b' ') { before } else { "" }
}

fn only_this_changed(changed: &str, before: &[Entry], key: &str, wanted: &str) -> bool {
    let expected = document::parse(wanted, ORIGIN);
    let after = document::parse(changed, ORIGIN).map(|root| root.value);
    let (Ok(expected), Ok(Value::Mapping(after))) = (expected, after) else {
        return false;
    };
    let others = |entries: &[Entry]| -> Vec<Entry> {
        entries.iter().filter(|entry| entry.key != key).cloned().collect()
    };
    let is_set = after.iter().any(|entry| entry.key == key && same(&entry.node, &expected));
    let (before, after) = (others(before), others(&after));
    is_set
        && before.len() == after.len()
        && before.iter().zip(&after).all(|(left, right)| same_entry(left, right))
}

fn same_entry(left: &Entry, right: &Entry) -> bool {
    left.key == right.key && same(&left.node, &right.node)
}

/// Whether two nodes have the same value, wherever they stand.
fn same(left: &Node, right: &Node) -> bool {
    match (&left.value, &right.value) {
        (Value::List(left), Value::List(right)) => {
            left.len() == right.len()
                && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Mapping(left), Value::Mapping(right)) => {
            left.len() == right.len()
                && left.iter().zip(right).all(|(left, right)| same_entry(left, right))
        }
        (left, right) => left == right,
    }
}

fn by_hand(key: &str, wanted: &str) -> ConfigError {
    ConfigError::from(Problem {
        place: Place::file(ORIGIN),
        kind: ProblemKind::BadValue {
            key: key.to_owned(),
            reason: "the file is written in a way that can't be changed safely by a program"
                .to_owned(),
        },
        next_step: format!(
            "open the file in an editor and write on a line of its own: {key}: {wanted}"
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_value_changes_and_the_rest_stays() {
        let text = "# me\nuser_name: 'Carol Davis'   # as in papers\n\nuser_id:   old@example.org # work\nssh:\n  key_path: ~/x\n";
        let expected = text.replace("old@example.org", "new@example.org");
        assert_eq!(set_user_value(text, "user_id", " new@example.org "), Ok(expected));
        let expected = text.replace("'Carol Davis'", "\"C. Davis\"");
        assert_eq!(set_user_value(text, "user_name", "C. Davis"), Ok(expected));
    }

    #[test]
    fn a_new_key_goes_to_the_end() {
        let set = |text| set_user_value(text, "backup_on_conflict", "no").expect("set");
        assert_eq!(set(""), "backup_on_conflict: false\n");
        assert_eq!(set("# hello"), "# hello\nbackup_on_conflict: false\n");
        assert_eq!(set("user_id: a@b\r\n"), "user_id: a@b\r\nbackup_on_conflict: false\r\n");
        assert_eq!(set("  user_id: a@b"), "  user_id: a@b\n  backup_on_conflict: false\n");
    }

    #[test]
    fn a_value_of_any_kind_is_replaced() {
        let set = |text| set_user_value(text, "local_log", "/var/log/dsg").expect(text);
        let expected = "local_log: /var/log/dsg\nuser_id: a@b\n";
        for before in [
            "local_log: ~\nuser_id: a@b\n",
            "local_log: 12\nuser_id: a@b\n",
            "local_log:\nuser_id: a@b\n",
        ] {
            assert_eq!(set(before), expected);
        }
        assert_eq!(
            set("{user_id: a@b, local_log: \"/x\"}"),
            "{user_id: a@b, local_log: /var/log/dsg}"
        );
        assert_eq!(set("local_log: # where\n"), "local_log: /var/log/dsg # where\n");
    }

    #[test]
    fn what_is_not_safe_is_left_to_the_person() {
        for text in [
            "{user_name: a}\n",
            "user_name: a\n...\n",
            "user_id: &x a@b\nuser_name: *x\n",
            "user_id: |\n  a@b\nuser_name: x\n",
            "user_id: [a@b]\n",
            "- a\n",
        ] {
            let error = set_user_value(text, "user_id", "you@example.org").expect_err(text);
            assert!(error.problems[0].next_step.contains("user_id: you@example.org"), "{error}");
        }
        assert!(set_user_value("a: [", "user_id", "you@example.org").is_err());
    }

    #[test]
    fn only_known_keys_with_good_values_are_set() {
        let error = set_user_value("", "user-id", "you@example.org").unwrap_err();
        assert!(error.to_string().contains("did you mean user_id?"), "{error}");
        for (key, value) in [
            ("user_id", "you"),
            ("local_log", "log"),
            ("backup_on_conflict", "maybe"),
            ("ssh", "x"),
        ] {
            assert!(set_user_value("", key, value).is_err(), "{key}");
        }
    }

    proptest! {
        #[test]
        fn a_name_that_was_set_reads_back(name in any::<String>(), text in "(# [a-z]{0,5}\n|user_id: a@b\n)?") {
            if let Ok(changed) = set_user_value(&text, "user_name", &name) {
                let layers = [super::super::UserLayer { origin: "f".to_owned(), text: changed }];
                let config = super::super::resolve_user(&layers, &[]).expect("good");
                prop_assert_eq!(config.user_name.map(|name| name.value), Some(name.trim().to_owned()));
            }
        }

        #[test]
        fn setting_is_total(text in "[a-c:&*|>\\[\\]{}#'\"\n ~-]{0,30}(user_id)?[:a \n'{}|#@]{0,8}") {
            let _ = set_user_value(&text, "user_id", "you@example.org");
        }
    }
}
