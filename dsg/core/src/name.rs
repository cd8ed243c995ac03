//! Verdict on one name, for whoever is about to write it into the shared tree.
//!
//! A name that one machine takes and another can't hold, or that a person can't see as it is, is
//! refused where it would enter: at a writer. Readers don't come here; what is dangerous to read
//! is refused by [`crate::path`], and a snapshot of yesterday stays readable whatever is judged
//! bad today.
//!
//! The verdict is about the key, which is the name in normal form C: a Mac may spell é as two
//! characters and is not told off for it, and everybody who has the same key gets the same
//! verdict. The tables of characters are those of one Unicode version
//! ([`UNICODE_VERSION`]) and age: a character that a later version adds counts as unassigned, and
//! so as bad, until the tables are renewed. The other way round never happens, an assigned
//! character stays assigned.

use unicode_general_category::{GeneralCategory, get_general_category};

use crate::path::{self, COMPONENT_BYTES_MAX};

mod backup;
mod fix;
pub mod normalize;
#[cfg(test)]
pub(crate) mod vectors;

pub use backup::is_backup_name;
pub use fix::fix;

/// The Unicode version that decides which characters are assigned.
pub const UNICODE_VERSION: (u64, u64, u64) = unicode_general_category::UNICODE_VERSION;

/// Why a name is refused. The names are kept as they are; the messages escape them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    /// Nothing at all, or nothing between two slashes.
    #[error("a name is empty")]
    Empty,
    /// `.` or `..`.
    #[error("`{0}` is a step in a path, not a name")]
    Relative(String),
    /// A slash inside what should be one name.
    #[error("`{}` is a path, not one name", shortened(.0))]
    Separator(String),
    /// Longer than a file system takes, as it is spelled or in normal form C.
    #[error(
        "`{}` is too long: {bytes} bytes, where a name has at most {COMPONENT_BYTES_MAX}",
        shortened(.name)
    )]
    TooLong {
        /// The name.
        name: String,
        /// Bytes of the longer one of its two forms.
        bytes: usize,
    },
    /// Ends like the copy that an editor leaves behind.
    #[error("`{}` ends with `~`, as the copies that editors leave do", display_safe(.0))]
    TrailingTilde(String),
    /// A device of Windows, with or without an extension.
    #[error(
        "`{}` can't exist on Windows, where `{}` is a device",
        display_safe(.name), display_safe(.stem)
    )]
    Reserved {
        /// The name.
        name: String,
        /// Its part before the first dot.
        stem: String,
    },
    /// Starts like the lock file of an office program.
    #[error("`{}` starts with `~`, as the lock files of office programs do", display_safe(.0))]
    LeadingTilde(String),
    /// White space that nobody sees.
    #[error("`{}` starts or ends with white space", display_safe(.0))]
    WhiteSpace(String),
    /// One of `< > " | ? * \` or U+0000 to U+001F.
    #[error(
        "`{}` has the character `{}`, which not every system allows in a name",
        display_safe(.name), display_safe(.character.encode_utf8(&mut [0; 4]))
    )]
    Illegal {
        /// The name.
        name: String,
        /// The first such character.
        character: char,
    },
    /// A character that can't be seen, turns the text around, or has no meaning yet.
    #[error(
        "`{}` has the character `{}`, which can't be seen as it is",
        display_safe(.name), display_safe(.character.encode_utf8(&mut [0; 4]))
    )]
    Unprintable {
        /// The name.
        name: String,
        /// The first such character.
        character: char,
    },
    /// Only of [`fix`]: the name without its fault would start with a dot.
    #[error(
        "`{}` would become the hidden name `{}`, and hidden files take no part",
        display_safe(.name), display_safe(.fixed)
    )]
    BecomesHidden {
        /// The name.
        name: String,
        /// What it would become.
        fixed: String,
    },
}

/// Judges one name (one component of a path), as spelled on a disk or as a key.
///
/// Good on purpose: a colon, a dot in front or at the end, inner spaces, emoji of one character,
/// compatibility characters such as `ﬁ`, another normal form. A backup name
/// ([`is_backup_name`]) is not bad either: it ends with `~` but is never scanned.
///
/// # Errors
/// The first fault, in the order of [`BadName`].
pub fn judge(name: &str) -> Result<(), BadName> {
    match name {
        "" => return Err(BadName::Empty),
        "." | ".." => return Err(BadName::Relative(name.to_owned())),
        _ if name.contains('/') => return Err(BadName::Separator(name.to_owned())),
        _ => {}
    }
    let key = path::normal(name);
    let bytes = name.len().max(key.len());
    if bytes > COMPONENT_BYTES_MAX {
        return Err(BadName::TooLong { name: name.to_owned(), bytes });
    }
    if is_backup_name(&key) {
        return Ok(());
    }
    if key.ends_with('~') {
        return Err(BadName::TrailingTilde(name.to_owned()));
    }
    let stem = stem(&key);
    if is_reserved(stem) {
        return Err(BadName::Reserved { name: name.to_owned(), stem: stem.to_owned() });
    }
    if key.starts_with('~') {
        return Err(BadName::LeadingTilde(name.to_owned()));
    }
    if key.trim() != key {
        return Err(BadName::WhiteSpace(name.to_owned()));
    }
    if let Some(character) = key.chars().find(|&c| is_illegal(c)) {
        return Err(BadName::Illegal { name: name.to_owned(), character });
    }
    match key.chars().find(|&c| is_unprintable(c)) {
        Some(character) => Err(BadName::Unprintable { name: name.to_owned(), character }),
        None => Ok(()),
    }
}

/// Judges every component of a path from the root on.
///
/// # Errors
/// What is wrong with the first bad component; an absolute path starts with an empty one.
pub fn judge_path(path: &str) -> Result<(), BadName> {
    path.split('/').try_for_each(judge)
}

/// A text of unknown origin for a message or a terminal: what can't be seen as it is (control
/// characters, those that turn the direction of writing, unassigned ones) stands as `\u{…}`.
#[must_use]
pub fn display_safe(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if is_unprintable(character) {
            safe.extend(character.escape_unicode());
        } else {
            safe.push(character);
        }
    }
    safe
}

/// [`display_safe`] of a text that may be very long.
fn shortened(text: &str) -> String {
    const CHARACTERS: usize = 60;
    match text.char_indices().nth(CHARACTERS) {
        Some((at, _)) => format!("{}…", display_safe(&text[..at])),
        None => display_safe(text),
    }
}

/// What Windows looks at when it takes a name for a device: all up to the first dot.
fn stem(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}

fn is_reserved(stem: &str) -> bool {
    let is = |other: &str| stem.eq_ignore_ascii_case(other);
    match stem.as_bytes() {
        [_, _, _] => is("con") || is("prn") || is("aux") || is("nul"),
        [port @ .., b'1'..=b'9'] => {
            port.eq_ignore_ascii_case(b"com") || port.eq_ignore_ascii_case(b"lpt")
        }
        _ => false,
    }
}

/// What Windows, or a shell there, doesn't take. The backslash is a separator to it: the legacy
/// tool split names there, so that `a\b` was a file in a directory on one machine and a file on
/// another; we refuse it.
fn is_illegal(character: char) -> bool {
    matches!(character, '<' | '>' | '"' | '|' | '?' | '*' | '\\' | '\0'..='\u{1f}')
}

/// General category C (control, format, surrogate, private use, unassigned), the separators of
/// lines and paragraphs, and the place of an embedded object.
fn is_unprintable(character: char) -> bool {
    use GeneralCategory::{Control, Format, PrivateUse, Surrogate, Unassigned};
    match character {
        ascii if ascii.is_ascii() => ascii.is_ascii_control(),
        '\u{2028}' | '\u{2029}' | '\u{fffc}' => true,
        other => matches!(
            get_general_category(other),
            Control | Format | PrivateUse | Surrogate | Unassigned
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ordinary_and_odd_but_harmless_names_are_good() {
        for good in [
            "a.csv",
            ".hidden",
            "trailing.",
            "bad:name.txt",
            "two  words.xls",
            "über.txt",
            "u\u{308}ber.txt",
            "한글.csv",
            "ﬁ.csv",
            "🙂.csv",
            "com10",
            "conx",
            "com0",
            "a~b",
            "...",
            &"x".repeat(255),
        ] {
            assert_eq!(judge(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn each_fault_has_its_own_verdict() {
        let name = |bad: &str| judge(bad).expect_err(bad);
        assert_eq!(name(""), BadName::Empty);
        assert!(matches!(name(".."), BadName::Relative(_)));
        assert!(matches!(name("a/b"), BadName::Separator(_)));
        assert!(matches!(name(&"é".repeat(128)), BadName::TooLong { bytes: 256, .. }));
        assert!(matches!(name("a~"), BadName::TrailingTilde(_)));
        assert!(matches!(name("LPT9.tar.gz"), BadName::Reserved { .. }));
        assert!(matches!(name("~$report.xlsx"), BadName::LeadingTilde(_)));
        assert!(matches!(name("a\u{a0}"), BadName::WhiteSpace(_)));
        assert!(matches!(name("a\\b"), BadName::Illegal { character: '\\', .. }));
        assert!(matches!(name("a\tb"), BadName::Illegal { character: '\t', .. }));
        for bad in ['\u{7f}', '\u{200b}', '\u{202e}', '\u{2028}', '\u{378}', '\u{e000}', '\u{fffc}']
        {
            assert!(matches!(name(&format!("a{bad}b")), BadName::Unprintable { .. }), "{bad:?}");
        }
    }

    #[test]
    fn the_length_is_that_of_the_key_too() {
        // U+0958 has three bytes and is six in normal form C.
        let name = "\u{958}".repeat(43);
        assert_eq!(judge(&name), Err(BadName::TooLong { name, bytes: 258 }));
    }

    #[test]
    fn a_path_is_as_bad_as_its_first_bad_component() {
        assert_eq!(judge_path("a/b c/d"), Ok(()));
        assert!(matches!(judge_path("a/con/x~"), Err(BadName::Reserved { .. })));
        assert_eq!(judge_path("/a"), Err(BadName::Empty));
        assert_eq!(judge_path("a//b"), Err(BadName::Empty));
    }

    #[test]
    fn a_message_names_the_name_and_is_safe_to_print() {
        let message = judge("a\u{202e}fdp.exe").expect_err("bad").to_string();
        assert_eq!(
            message,
            r"`a\u{202e}fdp.exe` has the character `\u{202e}`, which can't be seen as it is"
        );
        assert_eq!(display_safe("a\u{1b}[2J é\n"), r"a\u{1b}[2J é\u{a}");
        assert!(judge(&"x".repeat(100_000)).expect_err("long").to_string().len() < 300);
    }

    proptest! {
        #[test]
        fn judging_is_total_and_its_messages_are_safe(name in any::<String>()) {
            if let Err(bad) = judge(&name) {
                prop_assert!(!bad.to_string().chars().any(is_unprintable));
            }
            let _ = judge_path(&name);
        }

        #[test]
        fn everybody_with_the_same_key_gets_the_same_verdict(
            name in "[a~. <\u{338}é\u{301}\u{958}]{1,6}"
        ) {
            prop_assert_eq!(judge(&name).is_ok(), judge(&path::normal(&name)).is_ok());
        }
    }
}
