//! Rust source as far as the rules need it: which bytes are code, which lines are tests, where a
//! function begins and ends.

use std::ops::Range;

/// A Rust file with everything blanked that is not code.
#[derive(Debug)]
pub struct Source<'a> {
    /// The text as it stands.
    pub text: &'a str,
    /// The same bytes, with spaces for comments, strings and characters; line ends are kept, so
    /// places in one are places in the other.
    pub code: String,
    tests: Vec<Range<usize>>,
}

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub struct Function<'a> {
    /// Its name.
    pub name: &'a str,
    /// The place of its `fn`.
    pub place: usize,
    /// From the line of `fn` to that of the last brace.
    pub lines: usize,
}

impl<'a> Source<'a> {
    /// Reads a file.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        let code = blank(text);
        let mut tests: Vec<Range<usize>> = Vec::new();
        for attribute in ["#[cfg(test)]", "#[cfg(all(test,", "#[test]"] {
            for (place, _) in code.match_indices(attribute) {
                if !tests.iter().any(|known| known.contains(&place)) {
                    tests.push(place..item_end(&code, place));
                }
            }
        }
        Self { text, code, tests }
    }

    /// Whether a place lies in an item that is compiled for tests only.
    #[must_use]
    pub fn in_test(&self, place: usize) -> bool {
        self.tests.iter().any(|range| range.contains(&place))
    }

    /// The line of a place, counted from 1.
    #[must_use]
    pub fn line(&self, place: usize) -> usize {
        self.code.as_bytes()[..place].iter().filter(|&&byte| byte == b'\n').count() + 1
    }

    /// The places of a word in the code. Where it begins or ends with a letter it is a whole word:
    /// `print!` is not found in `eprint!`.
    pub fn places<'s>(&'s self, word: &'s str) -> impl Iterator<Item = usize> + 's {
        let code = self.code.as_bytes();
        let bytes = word.as_bytes();
        let open_before = bytes.first().is_some_and(|&byte| !in_name(byte));
        let open_after = bytes.last().is_some_and(|&byte| !in_name(byte));
        self.code.match_indices(word).map(|(place, _)| place).filter(move |&place| {
            let before = place.checked_sub(1).map(|at| code[at]);
            let after = code.get(place + word.len()).copied();
            (open_before || !before.is_some_and(in_name))
                && (open_after || !after.is_some_and(in_name))
        })
    }

    /// All functions with a body, nested ones too.
    #[must_use]
    pub fn functions(&self) -> Vec<Function<'_>> {
        let functions = self.places("fn").filter_map(|place| {
            let after = &self.code[place + 2..];
            let name = after.trim_start();
            let length = name.bytes().take_while(|&byte| in_name(byte)).count();
            let start = place + 2 + (after.len() - name.len()) + length;
            let body = body_start(&self.code, start)?;
            let end = block_end(&self.code, body);
            (length > 0).then(|| Function {
                name: &name[..length],
                place,
                lines: self.line(end) - self.line(place) + 1,
            })
        });
        functions.collect()
    }

    /// The modules that are declared and lie elsewhere (`mod name;`): name and, if an attribute
    /// gives one, the path of the file.
    #[must_use]
    pub fn modules(&self) -> Vec<(&str, Option<&str>)> {
        let modules = self.places("mod").filter_map(|place| {
            let (name, _) = self.code[place + 3..].split_once(';')?;
            let name = name.trim();
            let before = self.code[..place].rfind([';', '{', '}']).map_or(0, |at| at + 1);
            let attributes = &self.text[before..place];
            let path = attributes.split_once("#[path").and_then(|(_, rest)| rest.split('"').nth(1));
            (!name.is_empty() && name.bytes().all(in_name)).then_some((name, path))
        });
        modules.collect()
    }
}

fn in_name(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric() || byte >= 0x80
}

/// Where the item ends that starts at `place` with its attributes.
fn item_end(code: &str, mut place: usize) -> usize {
    while code[place..].starts_with('#') {
        let Some(open) = code[place..].find('[') else {
            return code.len();
        };
        place = block_end(code, place + open) + 1;
        let rest = &code[place.min(code.len())..];
        place = code.len() - rest.trim_start().len();
    }
    match body_start(code, place) {
        Some(body) => block_end(code, body),
        None => code[place..].find(';').map_or(code.len(), |at| place + at),
    }
}

/// The place of the first `{` that stands in no bracket, if no `;` ends the item before.
fn body_start(code: &str, from: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in code.bytes().enumerate().skip(from) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.saturating_sub(1),
            b'{' if depth == 0 => return Some(at),
            b';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

/// The place of the bracket that closes the one at `open`, or the end of the text.
fn block_end(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    code.len()
}

/// Puts spaces in place of comments, strings and characters.
fn blank(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < bytes.len() {
        let length = not_code(bytes, at);
        if length > 0 {
            let end = (at + length).min(bytes.len());
            code.extend(bytes[at..end].iter().map(|&b| if b == b'\n' { '\n' } else { ' ' }));
            at = end;
        } else {
            let Some(character) = text[at..].chars().next() else {
                break;
            };
            code.push(character);
            at += character.len_utf8();
        }
    }
    code
}

/// The length of the comment, string or character that starts at `at`; 0 if none does.
fn not_code(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    let starts_word = at == 0 || !in_name(bytes[at - 1]);
    match rest {
        [b'/', b'/', ..] => until(rest, b"\n"),
        [b'/', b'*', ..] => block_comment(rest),
        [b'"', ..] => quoted(rest, b'"'),
        [b'\'', b'\\', ..] => quoted(rest, b'\''),
        [b'\'', ..] => character(rest),
        [b'r', b'"' | b'#', ..] if starts_word => raw_string(rest, 1),
        [b'b' | b'c', b'r', b'"' | b'#', ..] if starts_word => raw_string(rest, 2),
        _ => 0,
    }
}

/// The length up to the end of `end`, or of everything.
fn until(bytes: &[u8], end: &[u8]) -> usize {
    bytes
        .windows(end.len())
        .position(|window| window == end)
        .map_or(bytes.len(), |at| at + end.len())
}

/// Block comments nest.
fn block_comment(bytes: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < bytes.len() {
        match &bytes[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth.saturating_sub(1), at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn quoted(bytes: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// A character that is no escape: one character of UTF-8 between two quotes. A lifetime has no
/// second quote there.
fn character(bytes: &[u8]) -> usize {
    let width = match bytes.get(1) {
        Some(0xf0..) => 4,
        Some(0xe0..) => 3,
        Some(0xc0..) => 2,
        _ => 1,
    };
    if bytes.get(1 + width) == Some(&b'\'') { width + 2 } else { 0 }
}

/// `r"…"`, `r#"…"#` and so on, the hashes starting at `prefix`; 0 for a raw name like `r#type`.
fn raw_string(bytes: &[u8], prefix: usize) -> usize {
    let hashes = bytes[prefix..].iter().take_while(|&&byte| byte == b'#').count();
    let body = prefix + hashes + 1;
    if bytes.get(body - 1) != Some(&b'"') {
        return 0;
    }
    let end: Vec<u8> = [&b"\""[..], &vec![b'#'; hashes]].concat();
    body + until(&bytes[body..], &end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_code_is_blank_and_everything_stays_in_place() {
        let text = "a /* b /* c */ d */ e // f\ng \"h \\\" i\" j r#\"k \" l\"# m 'n' '\\'' 'ü' o";
        let code = blank(text);
        assert_eq!(code.len(), text.len());
        let seen: Vec<_> = code.split_whitespace().collect();
        assert_eq!(seen, ["a", "e", "g", "j", "m", "o"]);
        assert_eq!(code.find('\n'), text.find('\n'));
    }

    #[test]
    fn lifetimes_and_raw_names_are_code() {
        for code in [
            "fn f<'a>(x: &'a str, y: &'static str) {}",
            "let r#type = br_value; for x in 'a: loop {}",
        ] {
            assert_eq!(blank(code), code);
        }
    }

    #[test]
    fn what_is_never_closed_is_blank_to_the_end() {
        for text in ["\"abc", "/* abc", "r##\"abc\"#", "'\\", "b\"a\\"] {
            let code = blank(text);
            assert_eq!(code.len(), text.len());
            assert!(!code.contains('a'), "{text}");
        }
    }

    #[test]
    fn words_are_whole() {
        let source = Source::new("eprint!(x); print!(y); unsafe_code; /* print!(z) */");
        assert_eq!(source.places("print!").count(), 1);
        assert_eq!(source.places("unsafe").count(), 0);
    }

    #[test]
    fn the_length_of_a_function_is_from_fn_to_its_last_brace() {
        let source = Source::new(
            "struct S;\nfn one() -> [u8; 2] { [0; 2] }\nfn declared(x: u8);\n\
             pub fn three<F: Fn(u8) -> u8>(f: F)\nwhere F: Send {\n if true { \"}\"; }\n}\n\
             type T = fn(u8) -> u8;",
        );
        let seen: Vec<_> = source.functions().iter().map(|f| (f.name, f.lines)).collect();
        assert_eq!(seen, [("one", 1), ("three", 4)]);
    }

    #[test]
    fn only_items_for_tests_are_tests() {
        let text = "fn a() {}\n#[cfg(test)]\n#[expect(dead_code)]\nmod tests { fn b() {} }\n\
                    fn c() {}\n#[cfg(test)]\nuse x::{y, z};\nfn d() {}\n#[test]\nfn e() {}\n#[cfg(test)]\nmod g;\nfn h() {}";
        let source = Source::new(text);
        let outside: Vec<_> = source
            .functions()
            .iter()
            .filter(|function| !source.in_test(function.place))
            .map(|function| function.name)
            .collect();
        assert_eq!(outside, ["a", "c", "d", "h"]);
    }

    #[test]
    fn modules_elsewhere_are_found_with_their_path() {
        let text = "mod a;\npub(crate) mod b;\nmod c { fn f() {} }\n// mod d;\n\
                    #[cfg(test)]\n#[path = \"cli/init.rs\"]\nmod e;";
        let source = Source::new(text);
        assert_eq!(source.modules(), [("a", None), ("b", None), ("e", Some("cli/init.rs"))]);
    }
}
