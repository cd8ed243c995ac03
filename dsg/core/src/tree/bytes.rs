//! Reading and writing the parts of an object: numbers, texts, hashes.
//!
//! Reading is total: whatever the bytes, there is an answer or a [`Malformed`], and nothing is
//! allocated because a number in them says so.

use crate::hash::{ContentHash, TreeHash};
use crate::path::BadPath;

/// Why bytes are not a tree object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The bytes end too early.
    #[error("it ends too early")]
    Truncated,
    /// Bytes follow the end.
    #[error("something follows its end")]
    Trailing,
    /// The first byte is not a version that this program knows.
    #[error("its version is {0}, which this dsg does not know")]
    Version(u8),
    /// The second byte is no kind of object.
    #[error("there is no kind {0} of object")]
    Kind(u8),
    /// The byte after a name is no kind of item.
    #[error("there is no kind {0} of item")]
    Item(u8),
    /// A number is not in its shortest form, or does not fit into 64 bits.
    #[error("a number is not in its shortest form or too large")]
    Number,
    /// A text is not UTF-8.
    #[error("a text is not UTF-8")]
    Utf8,
    /// A text is longer than a manifest takes.
    #[error("a text is too long")]
    TextTooLong,
    /// A name is no good component of a path.
    #[error("a name is bad: {0}")]
    Name(BadPath),
    /// Names or authors are not strictly ascending.
    #[error("names or authors are out of order")]
    Order,
    /// An entry's author is not in the table, or one in the table has no entry.
    #[error("the authors are not those of the entries")]
    Authors,
    /// A directory with nothing in it, or a sum that does not fit into 64 bits.
    #[error("a count is zero or too large")]
    Count,
    /// There is not one place per child.
    #[error("there is not one place per child")]
    Places,
}

/// What is left to be read of an object.
pub(super) struct Reader<'b> {
    rest: &'b [u8],
}

impl<'b> Reader<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn byte(&mut self) -> Result<u8, Malformed> {
        let (byte, rest) = self.rest.split_first().ok_or(Malformed::Truncated)?;
        self.rest = rest;
        Ok(*byte)
    }

    /// Little-endian groups of seven bits; only the shortest form is accepted.
    pub(super) fn number(&mut self) -> Result<u64, Malformed> {
        let mut value = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift + 7 > u64::BITS && bits >> (u64::BITS - shift) != 0 {
                return Err(Malformed::Number);
            }
            value |= bits << shift;
            if byte < 0x80 {
                let shortest = byte != 0 || shift == 0;
                return if shortest { Ok(value) } else { Err(Malformed::Number) };
            }
        }
        Err(Malformed::Number)
    }

    /// A signed number: 0, -1, 1, -2, … are 0, 1, 2, 3, …
    pub(super) fn signed(&mut self) -> Result<i64, Malformed> {
        let value = self.number()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    /// How many members follow, each of at least `least` bytes: no more than there is room for.
    pub(super) fn count(&mut self, least: usize) -> Result<usize, Malformed> {
        let count = usize::try_from(self.number()?).map_err(|_| Malformed::Truncated)?;
        if count > self.rest.len() / least { Err(Malformed::Truncated) } else { Ok(count) }
    }

    pub(super) fn text(&mut self, longest: usize) -> Result<&'b str, Malformed> {
        let length = usize::try_from(self.number()?).map_err(|_| Malformed::TextTooLong)?;
        if length > longest {
            return Err(Malformed::TextTooLong);
        }
        let (text, rest) = self.rest.split_at_checked(length).ok_or(Malformed::Truncated)?;
        self.rest = rest;
        std::str::from_utf8(text).map_err(|_| Malformed::Utf8)
    }

    pub(super) fn tree_hash(&mut self) -> Result<TreeHash, Malformed> {
        self.hash().map(TreeHash::from_bytes)
    }

    pub(super) fn content_hash(&mut self) -> Result<ContentHash, Malformed> {
        self.hash().map(ContentHash::from_bytes)
    }

    /// Succeeds when nothing is left.
    pub(super) fn end(&self) -> Result<(), Malformed> {
        if self.rest.is_empty() { Ok(()) } else { Err(Malformed::Trailing) }
    }

    fn hash(&mut self) -> Result<[u8; 32], Malformed> {
        let (hash, rest) = self.rest.split_first_chunk().ok_or(Malformed::Truncated)?;
        self.rest = rest;
        Ok(*hash)
    }
}

pub(super) fn put_number(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    bytes.push(value.to_le_bytes()[0]);
}

pub(super) fn put_signed(bytes: &mut Vec<u8>, value: i64) {
    put_number(bytes, ((value << 1) ^ (value >> 63)).cast_unsigned());
}

pub(super) fn put_count(bytes: &mut Vec<u8>, count: usize) {
    put_number(bytes, count as u64);
}

pub(super) fn put_text(bytes: &mut Vec<u8>, text: &str) {
    put_count(bytes, text.len());
    bytes.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_the_shortest_form_of_a_number_is_accepted() {
        for bad in [
            &[0x80, 0x00][..],
            &[0xff, 0x80, 0x00],
            &[0x80],
            &[],
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02],
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x81, 0x00],
        ] {
            assert!(Reader::new(bad).number().is_err(), "{bad:x?}");
        }
        let largest = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert_eq!(Reader::new(&largest).number(), Ok(u64::MAX));
    }

    #[test]
    fn a_claimed_count_is_held_against_the_bytes_that_are_there() {
        let mut bytes = Vec::new();
        put_number(&mut bytes, u64::MAX);
        bytes.extend([0; 100]);
        assert_eq!(Reader::new(&bytes).count(1), Err(Malformed::Truncated));
        assert_eq!(Reader::new(&bytes).text(50), Err(Malformed::TextTooLong));
    }

    proptest! {
        #[test]
        fn numbers_round_trip(value: u64, signed: i64) {
            let mut bytes = Vec::new();
            put_number(&mut bytes, value);
            put_signed(&mut bytes, signed);
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!(reader.number(), Ok(value));
            prop_assert_eq!(reader.signed(), Ok(signed));
            prop_assert_eq!(reader.end(), Ok(()));
        }

        #[test]
        fn an_accepted_number_has_one_form(bytes in prop::collection::vec(any::<u8>(), 0..12)) {
            let mut reader = Reader::new(&bytes);
            if let Ok(value) = reader.number() {
                let mut again = Vec::new();
                put_number(&mut again, value);
                prop_assert_eq!(&again[..], &bytes[..bytes.len() - reader.rest.len()]);
            }
        }
    }
}
