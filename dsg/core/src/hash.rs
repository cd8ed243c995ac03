//! Hashes: what they cover and how they are written.
//!
//! Three kinds that can't be confused: of contents, of tree objects, of snapshot documents.
//! A content hash is plain BLAKE3-256, so that `b3sum FILE` proves what dsg says of a file; the
//! other two use BLAKE3 contexts of their own, so that no file can pose as a tree or a snapshot.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// BLAKE3 context of tree objects. Changing it changes every manifest hash.
const TREE_CONTEXT: &str = "dsg 2026-11 tree object";
/// BLAKE3 context of snapshot documents.
const SNAPSHOT_CONTEXT: &str = "dsg 2026-11 snapshot document";

/// The text is not 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a hash is 64 hexadecimal digits, this is `{0}`")]
pub struct NotAHash(pub String);

macro_rules! hash_type {
    ($name:ident, $doc:literal) => {
        #[doc = $doc]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 32]);

        impl $name {
            /// The 32 bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// Takes 32 bytes that were a hash before.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The first twelve digits: enough to tell two apart on a screen.
            #[must_use]
            pub fn short(&self) -> String {
                let mut text = self.to_string();
                text.truncate(12);
                text
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(blake3::Hash::from_bytes(self.0).to_hex().as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.short())
            }
        }

        impl FromStr for $name {
            type Err = NotAHash;

            fn from_str(text: &str) -> Result<Self, NotAHash> {
                let lower = text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
                match blake3::Hash::from_hex(text) {
                    Ok(hash) if lower => Ok(Self(*hash.as_bytes())),
                    _ => Err(NotAHash(text.chars().take(80).collect())),
                }
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

hash_type!(ContentHash, "The BLAKE3-256 hash of a file's bytes.");
hash_type!(TreeHash, "The hash of a tree object: a directory, or a part of a large one.");
hash_type!(ChainHash, "The hash of a snapshot document, which names its parent's: the whole past.");

impl ContentHash {
    /// Hashes bytes that are in memory.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }
}

impl TreeHash {
    /// Hashes the canonical bytes of a tree object.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(blake3::derive_key(TREE_CONTEXT, bytes))
    }
}

impl ChainHash {
    /// Hashes the stored bytes of a snapshot document.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(blake3::derive_key(SNAPSHOT_CONTEXT, bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_hash_is_what_b3sum_prints() {
        // `printf abc | b3sum`
        assert_eq!(
            ContentHash::of(b"abc").to_string(),
            "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"
        );
    }

    #[test]
    fn the_three_kinds_never_agree() {
        let bytes = b"the same bytes";
        let content = *ContentHash::of(bytes).as_bytes();
        let tree = *TreeHash::of(bytes).as_bytes();
        let chain = *ChainHash::of(bytes).as_bytes();
        assert!(content != tree && tree != chain && content != chain);
    }

    #[test]
    fn text_round_trips_and_bad_text_is_refused() {
        let hash = ContentHash::of(b"x");
        assert_eq!(hash.to_string().parse::<ContentHash>(), Ok(hash));
        for bad in ["", "abc", &"g".repeat(64), &hash.to_string().to_uppercase()] {
            assert!(bad.parse::<ContentHash>().is_err(), "{bad}");
        }
    }
}
