//! Addresses of pages: path and query, written one way only.

use std::fmt::{self, Display, Formatter, Write as _};

/// A path with its query, in the order in which its parts were set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    path: String,
    query: Vec<(String, String)>,
}

impl Address {
    /// An address without a query; the path is already encoded.
    pub(crate) fn of(path: impl Into<String>) -> Self {
        Self { path: path.into(), query: Vec::new() }
    }

    /// The same with this part of the query; an empty value is left out.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.query.retain(|(known, _)| known != name);
        if !value.is_empty() {
            self.query.push((name.to_owned(), value.to_owned()));
        }
        self
    }
}

impl Display for Address {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.path)?;
        for (position, (name, value)) in self.query.iter().enumerate() {
            formatter.write_char(if position == 0 { '?' } else { '&' })?;
            write!(formatter, "{}={}", encoded(name), encoded_value(value))?;
        }
        Ok(())
    }
}

/// A text as one segment of a path: everything but letters, digits and `-._~:` is percent-encoded.
pub(crate) fn encoded(text: &str) -> String {
    encode(text, ":")
}

/// A text as a value of a query. Brackets, commas and colons stay readable, as published links have them.
pub(crate) fn encoded_value(text: &str) -> String {
    encode(text, "(),:'/")
}

fn encode(text: &str, kept: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        let character = char::from(byte);
        if character.is_ascii_alphanumeric()
            || "-._~".contains(character)
            || kept.contains(character)
        {
            encoded.push(character);
        } else {
            encoded.push('%');
            for digit in [byte >> 4, byte & 15] {
                encoded.extend(
                    char::from_digit(u32::from(digit), 16).map(|digit| digit.to_ascii_uppercase()),
                );
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_written_one_way() {
        let address = Address::of("/Entities")
            .with("sort", "-symbol")
            .with("filter", "")
            .with("sort", "symbol");
        assert_eq!(address.to_string(), "/Entities?sort=symbol");
    }

    #[test]
    fn a_filter_stays_readable_and_a_plus_stays_a_plus() {
        let address = Address::of("/Entities").with("filter", "contains(any,a+b & ü)");
        assert_eq!(address.to_string(), "/Entities?filter=contains(any,a%2Bb%20%26%20%C3%BC)");
    }
}
