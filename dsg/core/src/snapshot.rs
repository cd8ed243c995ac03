//! Snapshot documents, and the chain that they make.
//!
//! A snapshot is a small JSON document that anyone can read with `cat`. It names the root of its
//! manifest and the chain hash of the document before it. The chain hash covers the stored bytes
//! exactly: what was written once is never written again, so no form of JSON has to be agreed on
//! for ever, and one hash stands for a state together with its whole past.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::entry::TEXT_BYTES_MAX;
use crate::hash::{ChainHash, TreeHash};

mod chain;
mod document;

pub use chain::{ChainBreak, ChainChecker, check_chain};

/// The longest document, in bytes.
pub const DOCUMENT_BYTES_MAX: usize = 1 << 20;
/// The longest message, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 64 << 10;
/// The format that this program writes, and the newest that it reads.
pub const FORMAT: u64 = 1;

/// The text is not what it should name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{expected}, this is `{text}`")]
pub struct BadName {
    expected: &'static str,
    text: String,
}

impl BadName {
    fn new(expected: &'static str, text: &str) -> Self {
        Self { expected, text: text.chars().take(80).collect() }
    }
}

/// The number of a snapshot, from 1 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SnapshotNumber(u64);

impl SnapshotNumber {
    /// The number of a repository's first snapshot.
    pub const FIRST: Self = Self(1);

    /// The snapshot of this number; there is no snapshot 0.
    #[must_use]
    pub const fn new(number: u64) -> Option<Self> {
        if number == 0 { None } else { Some(Self(number)) }
    }

    /// The bare number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The number after this one; `None` where numbers end.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }

    /// The number before this one; `None` before the first.
    #[must_use]
    pub fn previous(self) -> Option<Self> {
        Self::new(self.0 - 1)
    }
}

impl fmt::Display for SnapshotNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s{}", self.0)
    }
}

impl FromStr for SnapshotNumber {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let digits = text.strip_prefix('s').unwrap_or(text);
        // Sign and leading zeros are refused: a snapshot has one name, as its file has.
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
        match digits.parse() {
            Ok(number) if plain => Ok(Self(number)),
            _ => Err(BadName::new("a snapshot is named like `s12`", text)),
        }
    }
}

impl Serialize for SnapshotNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }
}

impl<'de> Deserialize<'de> for SnapshotNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u64::deserialize(deserializer)?;
        Self::new(number).ok_or_else(|| serde::de::Error::custom("there is no snapshot 0"))
    }
}

macro_rules! id_type {
    ($name:ident, $bytes:literal, $prefix:literal, $expected:literal, $doc:literal) => {
        #[doc = $doc]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $bytes]);

        impl $name {
            /// Makes one of bytes that were drawn at random.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; $bytes]) -> Self {
                Self(bytes)
            }

            /// Its bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $bytes] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($prefix)?;
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl FromStr for $name {
            type Err = BadName;

            fn from_str(text: &str) -> Result<Self, BadName> {
                let bytes = text.strip_prefix($prefix).and_then(hexadecimal);
                bytes.map(Self).ok_or_else(|| BadName::new($expected, text))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

id_type!(
    TransactionId,
    8,
    "tx-",
    "a transaction is `tx-` and 16 lower-case hexadecimal digits",
    "The name of one attempt to commit: `tx-` and 16 digits."
);
id_type!(
    RepositoryId,
    16,
    "",
    "a repository's id is 32 lower-case hexadecimal digits",
    "Which repository it is, drawn when it is made: 32 digits."
);

/// The bytes of exactly twice as many lower-case digits.
fn hexadecimal<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    if text.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = (digit(pair[0])? << 4) | digit(pair[1])?;
    }
    Some(bytes)
}

/// What a snapshot document says.
#[derive(Debug, Clone, PartialEq)]
pub struct SnapshotDocument {
    /// The repository that it belongs to.
    pub repository: RepositoryId,
    /// Its number there.
    pub number: SnapshotNumber,
    /// The hash of the manifest's top object; none of an empty manifest.
    pub root: Option<TreeHash>,
    /// Files and links in the manifest.
    pub entries: u64,
    /// The chain hash of the document before; none of the first.
    pub parent: Option<ChainHash>,
    /// Who committed it: the `user_id` of their configuration.
    pub author: String,
    /// When it was committed, by the repository's clock.
    pub time: Timestamp,
    /// What the author said of it.
    pub message: String,
    /// The transaction that made it.
    pub transaction: TransactionId,
    /// Data directories and ignore rules of the moment.
    pub configuration: Map<String, Value>,
}

/// Why bytes are not a snapshot document, or a document can't be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSnapshot {
    /// A later program wrote it.
    #[error(
        "the snapshot was made by a newer dsg (format {format}; this one reads up to {FORMAT})"
    )]
    Newer {
        /// The format that it says.
        format: u64,
    },
    /// It is longer than [`DOCUMENT_BYTES_MAX`].
    #[error("the snapshot document is longer than {DOCUMENT_BYTES_MAX} bytes")]
    TooLong,
    /// Its message is longer than [`MESSAGE_BYTES_MAX`].
    #[error("the message is longer than {MESSAGE_BYTES_MAX} bytes")]
    MessageTooLong,
    /// Its author is longer than [`TEXT_BYTES_MAX`].
    #[error("the author is longer than {TEXT_BYTES_MAX} bytes")]
    AuthorTooLong,
    /// It has entries but no root, or a root but no entries.
    #[error("the snapshot's root and its number of entries contradict each other")]
    Entries,
    /// It is not JSON, or not with these fields.
    #[error("it is no snapshot document: {0}")]
    Form(String),
}

impl SnapshotDocument {
    /// The bytes to be stored: one line of JSON, keys in a fixed order.
    ///
    /// # Errors
    /// [`BadSnapshot`] when [`decode`](Self::decode) would refuse them: what can't be read must
    /// never be committed.
    pub fn encode(&self) -> Result<Vec<u8>, BadSnapshot> {
        document::encode(self)
    }

    /// Reads stored bytes.
    ///
    /// # Errors
    /// [`BadSnapshot`] says what is wrong with them.
    pub fn decode(bytes: &[u8]) -> Result<Self, BadSnapshot> {
        document::decode(bytes)
    }

    fn check(&self) -> Result<(), BadSnapshot> {
        if self.message.len() > MESSAGE_BYTES_MAX {
            return Err(BadSnapshot::MessageTooLong);
        }
        if self.author.len() > TEXT_BYTES_MAX {
            return Err(BadSnapshot::AuthorTooLong);
        }
        if self.root.is_some() == (self.entries > 0) { Ok(()) } else { Err(BadSnapshot::Entries) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_name_and_there_is_no_snapshot_zero() {
        let twelve = SnapshotNumber::new(12).unwrap();
        assert_eq!(twelve.to_string(), "s12");
        assert_eq!("s12".parse(), Ok(twelve));
        assert_eq!("12".parse(), Ok(twelve));
        let largest = format!("s{}", u64::MAX);
        assert_eq!(largest.parse::<SnapshotNumber>().unwrap().next(), None);
        for bad in
            ["", "s", "0", "s0", "s012", "+1", "s-1", "S1", "ss1", "s1 ", "18446744073709551616"]
        {
            assert!(bad.parse::<SnapshotNumber>().is_err(), "{bad:?}");
        }
        assert_eq!(SnapshotNumber::FIRST.previous(), None);
        assert_eq!(twelve.previous().and_then(SnapshotNumber::next), Some(twelve));
        assert_eq!(serde_json::to_string(&twelve).unwrap(), "12");
        assert!(serde_json::from_str::<SnapshotNumber>("0").is_err());
    }

    #[test]
    fn ids_are_what_their_bytes_say_and_nothing_else_is_accepted() {
        let transaction = TransactionId::from_bytes([0, 1, 0x2a, 0xff, 4, 5, 6, 7]);
        assert_eq!(transaction.to_string(), "tx-00012aff04050607");
        assert_eq!("tx-00012aff04050607".parse(), Ok(transaction));
        for bad in [
            "",
            "tx-",
            "00012aff04050607",
            "tx-00012AFF04050607",
            "tx-00012aff0405060",
            "tx-00012aff040506070",
            "tx-00012aff0405060g",
            "tx-00012aff0405060\u{e9}",
            "../../../../etc/xyz",
        ] {
            assert!(bad.parse::<TransactionId>().is_err(), "{bad:?}");
        }
        let repository = RepositoryId::from_bytes([0xab; 16]);
        assert_eq!(repository.to_string(), "ab".repeat(16));
        assert_eq!("ab".repeat(16).parse(), Ok(repository));
        assert!("ab".repeat(15).parse::<RepositoryId>().is_err());
    }
}
