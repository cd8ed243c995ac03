//! Paths inside a project: the key by which everything is compared.
//!
//! A key is UTF-8 in normal form C, relative, with `/` between components. It says nothing about
//! whether a name is wise (that is [`crate::name`]); it only can't be dangerous: no component is
//! empty, `.` or `..`, and none holds a NUL. What is on disk may be spelled differently (a Mac
//! writes é as two characters); the scan keeps the spelling, everyone else uses the key.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// The longest path that is accepted, in bytes; no file system of ours takes a longer one.
pub const PATH_BYTES_MAX: usize = 4096;
/// The longest component, in bytes.
pub const COMPONENT_BYTES_MAX: usize = 255;

/// Why a text is no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPath {
    /// Nothing at all, or nothing between two slashes.
    #[error("a path has no empty component")]
    Empty,
    /// `.` or `..`.
    #[error("a path has no component `{0}`")]
    Relative(String),
    /// A NUL byte.
    #[error("a path has no NUL")]
    Nul,
    /// Longer than a file system takes.
    #[error("the path is longer than a file system takes")]
    TooLong,
    /// Not in normal form C, where a key was expected.
    #[error("the path is not in Unicode normal form C")]
    NotNormal,
}

/// A relative path in normal form C. Ordered component by component, so that a directory's
/// entries stand together and in the order in which a tree is walked. Cloning shares the text: a
/// sync has the same path in its plan, its upload, its commit and its index.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RepoPath(Arc<str>);

impl RepoPath {
    /// Takes a key from outside (a manifest, a message, a file): anything that isn't one already
    /// is refused, never repaired.
    ///
    /// # Errors
    /// [`BadPath`] says what is wrong.
    pub fn parse(text: &str) -> Result<Self, BadPath> {
        check(text)?;
        if is_normal(text) { Ok(Self(text.into())) } else { Err(BadPath::NotNormal) }
    }

    /// Makes the key of a path as a person or a disk spells it.
    ///
    /// # Errors
    /// [`BadPath`] when it can't be a path whatever the spelling.
    pub fn from_spelling(text: &str) -> Result<Self, BadPath> {
        check(text)?;
        let normal = normal(text);
        // Normal form C can be longer than the spelling.
        check(&normal)?;
        Ok(Self(normal.into()))
    }

    /// The text, with `/` between components.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The components from the root on.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/')
    }

    /// The last component.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The path without its last component; `None` at the top.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        self.0.rfind('/').map(|at| Self(self.0[..at].into()))
    }

    /// The text of the directory it lies in; empty at the top.
    #[must_use]
    pub fn directory(&self) -> &str {
        self.0.rfind('/').map_or("", |at| &self.0[..at])
    }

    /// The path of `name` inside this one. `name` must be one good component in normal form.
    ///
    /// # Errors
    /// [`BadPath`] says what is wrong with the name.
    pub fn child(&self, name: &str) -> Result<Self, BadPath> {
        Self::join(&self.0, name)
    }

    /// The path of `name` in the directory `directory`, which is a path's text or empty for the top.
    ///
    /// # Errors
    /// [`BadPath`] says what is wrong with the name.
    pub fn join(directory: &str, name: &str) -> Result<Self, BadPath> {
        if name.contains('/') {
            return Err(BadPath::Empty);
        }
        if directory.is_empty() {
            return Self::parse(name);
        }
        check(name)?;
        if directory.len() + 1 + name.len() > PATH_BYTES_MAX {
            return Err(BadPath::TooLong);
        }
        if !is_normal(name) {
            return Err(BadPath::NotNormal);
        }
        let mut text = String::with_capacity(directory.len() + 1 + name.len());
        text.push_str(directory);
        text.push('/');
        text.push_str(name);
        Ok(Self(text.into()))
    }

    /// Whether this path lies below `directory` (not: is it).
    #[must_use]
    pub fn is_below(&self, directory: &Self) -> bool {
        self.is_in(directory.as_str())
    }

    /// As [`is_below`](Self::is_below), for a directory's text; everything is below the empty one.
    #[must_use]
    pub fn is_in(&self, directory: &str) -> bool {
        directory.is_empty()
            || (self.0.len() > directory.len()
                && self.0.as_bytes()[directory.len()] == b'/'
                && self.0.starts_with(directory))
    }
}

/// The order of paths for texts that are paths: `/` sorts below every other byte.
#[must_use]
pub fn compare(left: &str, right: &str) -> Ordering {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    let common = left.iter().zip(right).position(|(l, r)| l != r);
    match common {
        None => left.len().cmp(&right.len()),
        Some(at) => match (left[at], right[at]) {
            (b'/', _) => Ordering::Less,
            (_, b'/') => Ordering::Greater,
            (l, r) => l.cmp(&r),
        },
    }
}

/// The text in normal form C; borrowed when it already is.
#[must_use]
pub fn normal(text: &str) -> Cow<'_, str> {
    if is_normal(text) { Cow::Borrowed(text) } else { Cow::Owned(text.nfc().collect()) }
}

/// Whether the text is in normal form C.
#[must_use]
pub fn is_normal(text: &str) -> bool {
    text.is_ascii()
        || match is_nfc_quick(text.chars()) {
            IsNormalized::Yes => true,
            IsNormalized::No => false,
            IsNormalized::Maybe => text.nfc().eq(text.chars()),
        }
}

/// What two siblings must not share: the name after normal form C and simple case folding
/// (Unicode's CaseFolding.txt, status C and S). A file system that ignores case would mix them up.
#[must_use]
pub fn fold(name: &str) -> String {
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    name.nfc()
        .map(|c| {
            unicode_case_mapping::case_folded(c)
                .and_then(|folded| char::from_u32(folded.get()))
                .unwrap_or(c)
        })
        .nfc()
        .collect()
}

fn check(text: &str) -> Result<(), BadPath> {
    if text.len() > PATH_BYTES_MAX {
        return Err(BadPath::TooLong);
    }
    if text.as_bytes().contains(&0) {
        return Err(BadPath::Nul);
    }
    for component in text.split('/') {
        match component {
            "" => return Err(BadPath::Empty),
            "." | ".." => return Err(BadPath::Relative(component.to_owned())),
            long if long.len() > COMPONENT_BYTES_MAX => return Err(BadPath::TooLong),
            _ => {}
        }
    }
    Ok(())
}

impl Ord for RepoPath {
    fn cmp(&self, other: &Self) -> Ordering {
        compare(&self.0, &other.0)
    }
}

impl PartialOrd for RepoPath {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Serialize for RepoPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for RepoPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dangerous_paths_are_refused() {
        for bad in ["", "/", "/etc/passwd", "a//b", "a/", "../a", "a/../b", "a/./b", ".", "a\0b"] {
            assert!(RepoPath::parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(RepoPath::parse("cafe\u{301}"), Err(BadPath::NotNormal));
        assert!(RepoPath::parse(&"x".repeat(256)).is_err());
        assert!(RepoPath::parse(&vec!["x".repeat(200); 30].join("/")).is_err());
    }

    #[test]
    fn the_order_walks_a_directory_before_its_neighbours() {
        let mut paths: Vec<_> = ["a-b", "a/z", "a", "a/b/c", "a0"]
            .iter()
            .map(|p| RepoPath::parse(p).expect("good"))
            .collect();
        paths.sort();
        let texts: Vec<_> = paths.iter().map(RepoPath::as_str).collect();
        assert_eq!(texts, ["a", "a/b/c", "a/z", "a-b", "a0"]);
    }

    #[test]
    fn spelling_does_not_make_another_path() {
        let mac = RepoPath::from_spelling("kilo\u{301}metro/a").expect("good");
        let linux = RepoPath::parse("kil\u{f3}metro/a").expect("good");
        assert_eq!(mac, linux);
        assert_eq!(fold("Straße.CSV"), fold("straße.csv"));
        assert_ne!(fold("a"), fold("b"));
    }

    proptest! {
        #[test]
        fn parse_is_total_and_a_key_is_its_own_spelling(text in any::<String>()) {
            if let Ok(path) = RepoPath::parse(&text) {
                prop_assert_eq!(path.as_str(), &text);
                prop_assert_eq!(RepoPath::from_spelling(&text), Ok(path));
            }
            if let Ok(path) = RepoPath::from_spelling(&text) {
                prop_assert_eq!(RepoPath::parse(path.as_str()), Ok(path));
            }
        }

        #[test]
        fn the_order_is_that_of_the_components(a in "[a-c/.-]{1,8}", b in "[a-c/.-]{1,8}") {
            if let (Ok(a), Ok(b)) = (RepoPath::parse(&a), RepoPath::parse(&b)) {
                prop_assert_eq!(a.cmp(&b), a.components().cmp(b.components()));
            }
        }
    }
}
