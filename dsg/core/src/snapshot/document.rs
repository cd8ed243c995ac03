//! The stored form of a snapshot document.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::{
    BadSnapshot, DOCUMENT_BYTES_MAX, FORMAT, RepositoryId, SnapshotDocument, SnapshotNumber,
    TransactionId,
};
use crate::hash::{ChainHash, TreeHash};

/// The fields in the order in which they are written. Every one must be there, also those that
/// may be null, and no other.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    format: u64,
    repository: RepositoryId,
    number: SnapshotNumber,
    #[serde(deserialize_with = "Option::deserialize")]
    root: Option<TreeHash>,
    entries: u64,
    #[serde(deserialize_with = "Option::deserialize")]
    parent: Option<ChainHash>,
    author: String,
    #[serde(serialize_with = "write_time", deserialize_with = "read_time")]
    time: Timestamp,
    message: String,
    transaction: TransactionId,
    configuration: Map<String, Value>,
}

/// The one field that every format has.
#[derive(Deserialize)]
struct AnyFormat {
    format: u64,
}

pub(super) fn encode(document: &SnapshotDocument) -> Result<Vec<u8>, BadSnapshot> {
    document.check()?;
    let stored = Stored {
        format: FORMAT,
        repository: document.repository,
        number: document.number,
        root: document.root,
        entries: document.entries,
        parent: document.parent,
        author: document.author.clone(),
        time: document.time,
        message: document.message.clone(),
        transaction: document.transaction,
        configuration: document.configuration.clone(),
    };
    let mut bytes = serde_json::to_vec(&stored).map_err(form)?;
    bytes.push(b'\n');
    // A configuration may be nested deeper than the reader goes: what it refuses is not written.
    decode(&bytes)?;
    Ok(bytes)
}

pub(super) fn decode(bytes: &[u8]) -> Result<SnapshotDocument, BadSnapshot> {
    if bytes.len() > DOCUMENT_BYTES_MAX {
        return Err(BadSnapshot::TooLong);
    }
    let AnyFormat { format } = serde_json::from_slice(bytes).map_err(form)?;
    match format {
        FORMAT => {}
        0 => return Err(BadSnapshot::Form("there is no format 0".to_owned())),
        newer => return Err(BadSnapshot::Newer { format: newer }),
    }
    let stored: Stored = serde_json::from_slice(bytes).map_err(form)?;
    let document = SnapshotDocument {
        repository: stored.repository,
        number: stored.number,
        root: stored.root,
        entries: stored.entries,
        parent: stored.parent,
        author: stored.author,
        time: stored.time,
        message: stored.message,
        transaction: stored.transaction,
        configuration: stored.configuration,
    };
    document.check()?;
    Ok(document)
}

#[expect(clippy::needless_pass_by_value, reason = "it is the last argument of `map_err`")]
fn form(error: serde_json::Error) -> BadSnapshot {
    BadSnapshot::Form(error.to_string())
}

fn write_time<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}

fn read_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(deserializer)?;
    let time: Timestamp = text.parse().map_err(serde::de::Error::custom)?;
    // One way to write a moment: in UTC, no digit more than it needs.
    if time.to_string() == text {
        Ok(time)
    } else {
        Err(serde::de::Error::custom(format_args!("a time is written like `{time}`")))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::super::MESSAGE_BYTES_MAX;
    use super::*;

    pub(in super::super) fn example() -> SnapshotDocument {
        let mut configuration = Map::new();
        configuration.insert("data_dirs".to_owned(), Value::from(vec!["input", "output"]));
        SnapshotDocument {
            repository: RepositoryId::from_bytes([0x5a; 16]),
            number: SnapshotNumber::FIRST,
            root: Some(TreeHash::of(b"root")),
            entries: 123,
            parent: None,
            author: "alice@example.org".to_owned(),
            time: "2026-11-21T06:23:58Z".parse().unwrap(),
            message: "first \u{201c}words\u{201d}\n".to_owned(),
            transaction: TransactionId::from_bytes([1; 8]),
            configuration,
        }
    }

    fn changed(from: &str, to: &str) -> Result<SnapshotDocument, BadSnapshot> {
        let text = String::from_utf8(example().encode().unwrap()).unwrap();
        assert!(text.contains(from), "{from} in {text}");
        decode(text.replacen(from, to, 1).as_bytes())
    }

    #[test]
    fn a_document_is_one_line_in_a_fixed_order_and_round_trips() {
        let document = example();
        let bytes = document.encode().unwrap();
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert!(text.starts_with("{\"format\":1,\"repository\":\"5a5a"), "{text}");
        assert!(text.contains(
            "\"parent\":null,\"author\":\"alice@example.org\",\"time\":\"2026-11-21T06:23:58Z\","
        ));
        assert_eq!(text.find('\n'), Some(text.len() - 1));
        assert_eq!(decode(&bytes), Ok(document));
    }

    #[test]
    fn what_is_missing_unknown_or_twice_is_refused() {
        for (from, to) in [
            ("\"parent\":null,", ""),
            ("\"entries\":123,", ""),
            ("\"number\":1", "\"number\":0"),
            ("\"format\":1", "\"format\":0"),
            ("\"format\":1", "\"format\":\"1\""),
            ("\"entries\"", "\"more\":1,\"entries\""),
            ("\"entries\"", "\"entries\":1,\"entries\""),
            ("58Z", "58+00:00"),
            ("58Z", "58.000Z"),
            ("T06", "T26"),
            ("{\"data_dirs\":[\"input\",\"output\"]}", "[]"),
            ("tx-01", "tx-0A"),
            ("}\n", "}\nx"),
        ] {
            let decoded = changed(from, to);
            assert!(matches!(decoded, Err(BadSnapshot::Form(_))), "{to}: {decoded:?}");
        }
        assert_eq!(changed("\"entries\":123", "\"entries\":0"), Err(BadSnapshot::Entries));
        assert!(changed("58Z", "58.25Z").is_ok());
    }

    #[test]
    fn a_newer_format_is_an_error_of_its_own_whatever_it_holds() {
        let newer = Err(BadSnapshot::Newer { format: 2 });
        assert_eq!(decode(b"{\"format\":2,\"shape\":[\"unheard\"]}"), newer);
        assert_eq!(changed("\"format\":1", "\"format\":2"), newer);
    }

    #[test]
    fn sizes_are_bounded_for_the_writer_as_for_the_reader() {
        let mut document = example();
        document.message = "m".repeat(MESSAGE_BYTES_MAX);
        assert!(document.encode().is_ok());
        document.message.push('m');
        assert_eq!(document.encode(), Err(BadSnapshot::MessageTooLong));
        let mut document = example();
        document.author = "a".repeat(5000);
        assert_eq!(document.encode(), Err(BadSnapshot::AuthorTooLong));
        let mut document = example();
        document.configuration.insert("x".to_owned(), "y".repeat(DOCUMENT_BYTES_MAX).into());
        assert_eq!(document.encode(), Err(BadSnapshot::TooLong));
        assert_eq!(decode(&vec![b' '; DOCUMENT_BYTES_MAX + 1]), Err(BadSnapshot::TooLong));
        let mut document = example();
        let deep = (0..200).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
        document.configuration.insert("deep".to_owned(), deep);
        assert!(matches!(document.encode(), Err(BadSnapshot::Form(_))));
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_or_a_document(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&bytes);
        }

        #[test]
        fn any_document_round_trips(
            (number, entries) in (1_u64.., any::<u64>()),
            (author, message) in (any::<String>(), any::<String>()),
            nanoseconds in 0_i128..1 << 61,
            transaction: [u8; 8],
            parent: Option<[u8; 32]>,
        ) {
            let mut document = example();
            document.number = SnapshotNumber::new(number).unwrap();
            document.entries = entries;
            document.root = (entries > 0).then(|| TreeHash::of(b""));
            (document.author, document.message) = (author, message);
            document.time = Timestamp::from_nanosecond(nanoseconds).unwrap();
            document.transaction = TransactionId::from_bytes(transaction);
            document.parent = parent.map(ChainHash::from_bytes);
            let bytes = document.encode().unwrap();
            prop_assert_eq!(decode(&bytes), Ok(document));
        }
    }
}
