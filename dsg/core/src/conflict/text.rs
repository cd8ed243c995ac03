//! Any text on one line of a file that people edit, and back.
//!
//! A path may hold a line break, a tab or a character that nobody sees; an editor may strip blanks
//! at the end of a line or turn one kind of line end into another. So everything but printable
//! characters and inner spaces is written as an escape, and what is left survives such an editor.

use unicode_general_category::{GeneralCategory, get_general_category};

/// The text, with backslashes and all that is not plainly visible as escapes.
pub(super) fn escape(text: &str) -> String {
    let last = text.chars().count().saturating_sub(1);
    let mut escaped = String::with_capacity(text.len());
    for (index, character) in text.chars().enumerate() {
        match character {
            '\\' => escaped.push_str("\\\\"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            ' ' if index > 0 && index < last => escaped.push(' '),
            other if is_visible(other) => escaped.push(other),
            other => escaped.push_str(&format!("\\u{{{:x}}}", u32::from(other))),
        }
    }
    escaped
}

/// The text that [`escape`] was given; `None` when it can't have written this.
pub(super) fn unescape(text: &str) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        plain.push_str(&rest[..at]);
        let mut after = rest[at + 1..].chars();
        plain.push(match after.next()? {
            '\\' => '\\',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let (digits, remainder) = after.as_str().strip_prefix('{')?.split_once('}')?;
                after = remainder.chars();
                char::from_u32(u32::from_str_radix(digits, 16).ok()?)?
            }
            _ => return None,
        });
        rest = after.as_str();
    }
    plain.push_str(rest);
    Some(plain)
}

/// The first characters of a line, escaped: enough to find it again.
pub(super) fn excerpt(line: &str) -> String {
    const CHARACTERS_MAX: usize = 60;
    let start: String = line.chars().take(CHARACTERS_MAX).collect();
    let more = if start.len() < line.len() { "…" } else { "" };
    escape(&start) + more
}

fn is_visible(character: char) -> bool {
    use GeneralCategory as G;
    !matches!(
        get_general_category(character),
        G::Control
            | G::Format
            | G::LineSeparator
            | G::ParagraphSeparator
            | G::SpaceSeparator
            | G::PrivateUse
            | G::Surrogate
            | G::Unassigned
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_plain_path_is_written_as_it_is() {
        for plain in ["task1/input/people.csv", "a b/ñ.csv", "数据/測定.csv", "a#b", "_L"] {
            assert_eq!(escape(plain), plain);
        }
        assert_eq!(escape(" a\\b\nc\u{202e}\u{a0} "), "\\u{20}a\\\\b\\nc\\u{202e}\\u{a0}\\u{20}");
    }

    #[test]
    fn what_is_no_escape_is_refused() {
        for bad in ["\\", "a\\x", "\\u", "\\u{", "\\u{}", "\\u{d800}", "\\u{110000}", "\\u{+2}x\\"]
        {
            assert_eq!(unescape(bad), None, "{bad}");
        }
        assert_eq!(unescape("\\u{e9}\\t"), Some("é\t".to_owned()));
    }

    proptest! {
        #[test]
        fn every_text_comes_back_from_one_trimmed_line(text in any::<String>()) {
            let escaped = escape(&text);
            prop_assert!(!escaped.contains(['\n', '\r']));
            prop_assert_eq!(escaped.trim(), &escaped);
            prop_assert_eq!(unescape(&escaped), Some(text));
        }

        #[test]
        fn unescaping_is_total(text in "[\\\\u{}nrt0-9a-f]{0,20}") {
            let _ = unescape(&text);
        }
    }
}
