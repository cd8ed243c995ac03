//! Patterns in ignore rules.
//!
//! `*` is any characters, `?` one character, `[a-c]` one of them, `[!a-c]` one that is not; none
//! of them crosses a `/`. In a path, `**` as a whole component is any number of directories.
//! Everything else is itself.
//!
//! Of our own and not the `globset` crate, because that one matches bytes: its `?` is half an `é`,
//! which is no rule for names in most languages. It also makes regular expressions, and these
//! patterns may come from a snapshot document that somebody else wrote; here a pattern costs its
//! length to keep and at most its length times the name's to match.

/// A pattern for one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern(Vec<Token>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Exactly(char),
    /// `?`
    One,
    /// `*`
    Many,
    /// `[…]`
    Among {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

/// A pattern for a path from the root on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PathPattern(Vec<Segment>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    /// `**`
    AnyDepth,
    Name(Pattern),
}

impl Pattern {
    /// `None` when a `[` begins no list of characters.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut tokens = Vec::new();
        let mut rest = text.chars();
        while let Some(character) = rest.next() {
            tokens.push(match character {
                '*' => Token::Many,
                '?' => Token::One,
                '[' => parse_list(&mut rest)?,
                other => Token::Exactly(other),
            });
        }
        Some(Self(tokens))
    }

    /// Whether the whole name matches.
    pub(super) fn matches(&self, name: &str) -> bool {
        let is_many = |token: &Token| *token == Token::Many;
        let fits = |token: &Token, character: char| match token {
            Token::Exactly(exactly) => *exactly == character,
            Token::One | Token::Many => true,
            Token::Among { negated, ranges } => {
                *negated != ranges.iter().any(|&(from, to)| (from..=to).contains(&character))
            }
        };
        wildcard(&self.0, name.chars(), is_many, fits)
    }
}

impl PathPattern {
    /// `None` when a `[` begins no list of characters.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut segments = Vec::new();
        for component in text.split('/') {
            segments.push(match component {
                "**" => Segment::AnyDepth,
                name => Segment::Name(Pattern::parse(name)?),
            });
        }
        // What is below a directory is not the directory itself.
        if segments.last() == Some(&Segment::AnyDepth) {
            segments.push(Segment::Name(Pattern(vec![Token::Many])));
        }
        Some(Self(segments))
    }

    /// Whether the path of `name` in `directory` (empty at the top) matches.
    pub(super) fn matches(&self, directory: &str, name: &str) -> bool {
        let above = directory.split('/').filter(|component| !component.is_empty());
        let is_many = |segment: &Segment| *segment == Segment::AnyDepth;
        let fits = |segment: &Segment, component: &str| match segment {
            Segment::AnyDepth => true,
            Segment::Name(pattern) => pattern.matches(component),
        };
        wildcard(&self.0, above.chain(std::iter::once(name)), is_many, fits)
    }
}

/// The rest of `[…]` after the bracket. A `]` or `-` at its start or a `-` at its end is itself.
fn parse_list(rest: &mut std::str::Chars<'_>) -> Option<Token> {
    let mut ahead = rest.clone();
    let negated = matches!(ahead.next(), Some('!' | '^'));
    if negated {
        rest.next();
    }
    let mut ranges = Vec::new();
    loop {
        let from = rest.next()?;
        if from == ']' && !ranges.is_empty() {
            return Some(Token::Among { negated, ranges });
        }
        let mut ahead = rest.clone();
        let to = match (ahead.next(), ahead.next()) {
            (Some('-'), Some(to)) if to != ']' => {
                *rest = ahead;
                to
            }
            _ => from,
        };
        if from > to {
            return None;
        }
        ranges.push((from, to));
    }
}

/// Whether a sequence with "any number" parts covers all items. Only the last such part is ever
/// taken back: an earlier one could not give a later one more to choose from.
fn wildcard<P, I: Iterator + Clone>(
    pattern: &[P],
    mut items: I,
    is_many: impl Fn(&P) -> bool,
    fits: impl Fn(&P, I::Item) -> bool,
) -> bool {
    let mut at = 0;
    let mut retry: Option<(usize, I)> = None;
    loop {
        let part = pattern.get(at);
        if part.is_some_and(&is_many) {
            at += 1;
            retry = Some((at, items.clone()));
            continue;
        }
        let mut ahead = items.clone();
        let Some(item) = ahead.next() else {
            return part.is_none();
        };
        if part.is_some_and(|part| fits(part, item)) {
            at += 1;
            items = ahead;
        } else if let Some((after, from)) = &mut retry {
            from.next();
            at = *after;
            items = from.clone();
        } else {
            return false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(pattern: &str, name: &str) -> bool {
        Pattern::parse(pattern).expect("a pattern").matches(name)
    }

    fn path(pattern: &str, path: &str) -> bool {
        let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
        PathPattern::parse(pattern).expect("a pattern").matches(directory, name)
    }

    #[test]
    fn a_name_matches_character_by_character() {
        for (pattern, yes, no) in [
            ("*.csv", ".csv", "a.csv.b"),
            ("?.csv", "é.csv", "ab.csv"),
            ("a*b*c", "a-b-b-c", "a-c-b"),
            ("[a-cx]1", "x1", "d1"),
            ("[!а-я]1", "z1", "ж1"),
            ("[^a]", "b", "a"),
            ("[]-]x", "]x", "ax"),
            ("[[]1]", "[1]", "1"),
            ("[a-]", "-", "b"),
            ("{a,b}\\", "{a,b}\\", "a"),
        ] {
            assert!(name(pattern, yes), "{pattern} {yes}");
            assert!(!name(pattern, no), "{pattern} {no}");
        }
        for bad in ["[", "a[b", "[]", "[!]", "[b-a]", "[a-"] {
            assert_eq!(Pattern::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_two_stars_cross_directories() {
        for (pattern, yes, no) in [
            ("*.csv", "a.csv", "d/a.csv"),
            ("d/*", "d/a", "d/e/a"),
            ("**/a", "a", "a/b"),
            ("**/a", "d/e/a", "d/ea"),
            ("d/**", "d/e/f", "d"),
            ("d/**/f", "d/f", "df"),
            ("d/**/f", "d/e/f", "d/e/f/g"),
            ("d/**/e/*", "d/e/x/e/f", "d/e"),
            ("a**b", "a-b", "a/b"),
        ] {
            assert!(path(pattern, yes), "{pattern} {yes}");
            assert!(!path(pattern, no), "{pattern} {no}");
        }
    }

    #[test]
    fn many_stars_don_t_explode() {
        assert!(!name(&"*a".repeat(120), &"a".repeat(119)));
        assert!(!path(&"**/a/".repeat(800), &"a/".repeat(799)));
    }

    /// The textbook definition.
    fn recursive(pattern: &[char], name: &[char]) -> bool {
        match (pattern.split_first(), name.split_first()) {
            (None, None) => true,
            (Some(('*', rest)), None) => recursive(rest, name),
            (Some(('*', rest)), Some((_, tail))) => {
                recursive(rest, name) || recursive(pattern, tail)
            }
            (Some((p, rest)), Some((n, tail))) => (*p == '?' || p == n) && recursive(rest, tail),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn matching_agrees_with_the_definition(pattern in "[ab*?]{0,6}", text in "[abé]{0,7}") {
            let characters = |text: &str| text.chars().collect::<Vec<_>>();
            let expected = recursive(&characters(&pattern), &characters(&text));
            prop_assert_eq!(name(&pattern, &text), expected);
        }

        #[test]
        fn parsing_and_matching_are_total(pattern in any::<String>(), text in any::<String>()) {
            if let Some(pattern) = Pattern::parse(&pattern) {
                let _ = pattern.matches(&text);
            }
            if let Some(pattern) = PathPattern::parse(&pattern) {
                let _ = pattern.matches("a/b", &text);
            }
        }
    }
}
