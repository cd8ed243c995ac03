//! Conflicts: asking a person, and remembering the answer for exactly what was asked.
//!
//! A conflict is asked as a [`Question`] and settled by a [`Resolution`]. A resolution carries
//! marks of the two copies it was made for, because between the question and the answer both may
//! move: an answer to "yours or bob's?" must never be used for a file of carol's. The text form,
//! `conflicts.txt`, is written and read here too, so that the two can't drift apart.

mod question;
mod read;
mod text;
mod write;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::compare::LocalEntry;
use crate::entry::{Entry, Identity};
use crate::path::RepoPath;

pub use question::{Offer, Question};
pub use read::{Answer, Answers, Unreadable, read};
pub use write::{Header, Written, write};

/// The largest `conflicts.txt` that is written or read, in bytes.
pub const FILE_BYTES_MAX: usize = 8 << 20;

/// The most resolutions that are kept at once; more than a file of [`FILE_BYTES_MAX`] can hold.
pub const RESOLUTIONS_MAX: usize = 1_000_000;

/// Which copy is to be everyone's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// The one on this disk.
    Local,
    /// The repository's.
    Remote,
    /// The one that was last agreed.
    Cached,
}

impl Choice {
    /// All of them, in the order in which ties are broken.
    pub const ALL: [Self; 3] = [Self::Local, Self::Remote, Self::Cached];

    /// The letter in `conflicts.txt`.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Self::Local => 'L',
            Self::Remote => 'R',
            Self::Cached => 'C',
        }
    }

    /// The choice of a letter.
    #[must_use]
    pub fn of_letter(letter: char) -> Option<Self> {
        Self::ALL.into_iter().find(|choice| choice.letter() == letter)
    }
}

/// A short digest of what was at a path on one side, to see later whether it is still that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mark {
    /// Nothing was there; written `-`.
    Absent,
    /// A file that nobody had read, so that nothing can be recognized; written `?`.
    Unread,
    /// The first 8 bytes of the BLAKE3 hash of the identity's text; written as 16 digits.
    Digest([u8; 8]),
}

impl Mark {
    /// The mark of what was there.
    #[must_use]
    pub fn of(identity: Option<&Identity>) -> Self {
        let text = match identity {
            None => return Self::Absent,
            Some(Identity::File { hash, executable: false }) => format!("file {hash}"),
            Some(Identity::File { hash, executable: true }) => format!("executable {hash}"),
            Some(Identity::Link { target }) => format!("link {target}"),
        };
        let mut digest = [0; 8];
        digest.copy_from_slice(&blake3::hash(text.as_bytes()).as_bytes()[..8]);
        Self::Digest(digest)
    }
}

/// The text is no mark.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a mark is 16 hexadecimal digits, `-` or `?`")]
pub struct NotAMark;

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("-"),
            Self::Unread => f.write_str("?"),
            Self::Digest(digest) => write!(f, "{:016x}", u64::from_be_bytes(*digest)),
        }
    }
}

impl FromStr for Mark {
    type Err = NotAMark;

    fn from_str(text: &str) -> Result<Self, NotAMark> {
        let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        match text {
            "-" => Ok(Self::Absent),
            "?" => Ok(Self::Unread),
            text if text.len() == 16 && text.bytes().all(digit) => {
                let number = u64::from_str_radix(text, 16).map_err(|_| NotAMark)?;
                Ok(Self::Digest(number.to_be_bytes()))
            }
            _ => Err(NotAMark),
        }
    }
}

impl Serialize for Mark {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Mark {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The two copies that somebody chose between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MadeFor {
    /// What the disk had.
    pub local: Mark,
    /// What the repository had.
    pub remote: Mark,
}

impl MadeFor {
    /// The marks of two copies.
    #[must_use]
    pub fn of(local: Option<&LocalEntry>, remote: Option<&Entry>) -> Self {
        let local = match local {
            Some(local) => local.identity().map_or(Mark::Unread, |is| Mark::of(Some(&is))),
            None => Mark::Absent,
        };
        Self { local, remote: Mark::of(remote.map(Entry::identity).as_ref()) }
    }

    /// Whether both copies are still those. Never true of a file that nobody has read.
    #[must_use]
    pub fn still_holds(&self, local: Option<&LocalEntry>, remote: Option<&Entry>) -> bool {
        self.local != Mark::Unread && *self == Self::of(local, remote)
    }
}

/// How somebody settled a conflict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// The path.
    pub path: RepoPath,
    /// The copy that is to be everyone's.
    pub choice: Choice,
    /// The copies that were there to choose from.
    pub made_for: MadeFor,
}

/// More than [`RESOLUTIONS_MAX`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no more than {RESOLUTIONS_MAX} resolutions are kept at once")]
pub struct TooManyResolutions;

/// The resolutions that are waiting to be used, one per path. Serialized as a list.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Resolutions(BTreeMap<RepoPath, Resolution>);

impl Resolutions {
    /// Keeps a resolution; a newer one of the same path replaces the older.
    ///
    /// # Errors
    /// [`TooManyResolutions`] when there is no room for another path.
    pub fn insert(&mut self, resolution: Resolution) -> Result<(), TooManyResolutions> {
        if self.0.len() >= RESOLUTIONS_MAX && !self.0.contains_key(&resolution.path) {
            return Err(TooManyResolutions);
        }
        self.0.insert(resolution.path.clone(), resolution);
        Ok(())
    }

    /// The resolution of a path.
    #[must_use]
    pub fn get(&self, path: &RepoPath) -> Option<&Resolution> {
        self.0.get(path)
    }

    /// Takes out the resolution of a path, once it has been carried out or is of no use.
    pub fn remove(&mut self, path: &RepoPath) -> Option<Resolution> {
        self.0.remove(path)
    }

    /// All, by path.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Resolution> {
        self.0.values()
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Resolutions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.values())
    }
}

impl<'de> Deserialize<'de> for Resolutions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ListOfResolutions)
    }
}

/// Reads the list one by one, so that a damaged or foreign file can't take all the memory.
struct ListOfResolutions;

impl<'de> Visitor<'de> for ListOfResolutions {
    type Value = Resolutions;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of resolutions, one per path")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Resolutions, A::Error> {
        let mut resolutions = Resolutions::default();
        while let Some(resolution) = list.next_element::<Resolution>()? {
            if resolutions.get(&resolution.path).is_some() {
                return Err(serde::de::Error::custom("two resolutions of one path"));
            }
            resolutions.insert(resolution).map_err(serde::de::Error::custom)?;
        }
        Ok(resolutions)
    }
}

#[cfg(test)]
mod tests;
