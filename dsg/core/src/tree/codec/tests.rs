//! The encoding and the decoder, on values and on any bytes.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::hash::{ContentHash, TreeHash};

fn an_address() -> impl Strategy<Value = Address> {
    (any::<[u8; 32]>(), any::<u64>())
        .prop_map(|(hash, place)| Address { hash: TreeHash::from_bytes(hash), place: Place(place) })
}

fn a_root() -> impl Strategy<Value = Root> {
    (an_address(), 1..1_u64 << 50).prop_map(|(address, entries)| Root { address, entries })
}

fn a_name() -> impl Strategy<Value = Box<str>> {
    prop_oneof!["[a-z.]{1,6}", "\\PC{1,5}"]
        .prop_filter("is one component", |name| RepoPath::join("", name).is_ok())
        .prop_map(String::into_boxed_str)
}

fn a_node() -> impl Strategy<Value = Node> {
    let author = prop_oneof!["[ab]", "\\PC{0,5}"].prop_map(Author::from);
    let file = (any::<[u8; 32]>(), any::<bool>(), any::<u64>(), any::<i64>(), author.clone());
    let file = file.prop_map(|(hash, executable, size, modified, author)| FileEntry {
        hash: ContentHash::from_bytes(hash),
        executable,
        size,
        modified: Moment(modified),
        author,
    });
    let link = (any::<String>(), author)
        .prop_map(|(target, author)| LinkEntry { target: target.into(), author });
    prop_oneof![
        file.prop_map(|file| Node::Entry(Entry::File(file))),
        link.prop_map(|link| Node::Entry(Entry::Link(link))),
        a_root().prop_map(Node::Directory),
    ]
}

fn a_content() -> impl Strategy<Value = Content> {
    let items = prop::collection::btree_map(a_name(), a_node(), 1..12);
    let children = prop::collection::btree_map(a_name(), (1..1_u64 << 50, a_root()), 1..12);
    prop_oneof![items.prop_map(leaf), (1..=LEVEL_MAX, children).prop_map(branch)]
}

fn leaf(items: BTreeMap<Box<str>, Node>) -> Content {
    Content::Leaf(items.into_iter().map(|(name, node)| Item { name, node }).collect())
}

fn branch((level, children): (u8, BTreeMap<Box<str>, (u64, Root)>)) -> Content {
    let child = |(last, (items, root))| Child { last, items, root };
    Content::Branch { level, children: children.into_iter().map(child).collect() }
}

/// Decodes; what is accepted must be what the encoder writes.
fn decode_one_way(bytes: Vec<u8>) -> Result<Content, Malformed> {
    let object = Object::unplaced(bytes)?;
    let content = decode(&object)?;
    assert_eq!(encode(&content), object);
    Ok(content)
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(content in a_content()) {
        let object = encode(&content);
        prop_assert_eq!(decode(&object), Ok(content));
        prop_assert_eq!(count_children(&object.bytes), Ok(object.places.len()));
    }

    #[test]
    fn any_bytes_are_refused_or_canonical(
        start in prop::sample::select(vec![vec![], vec![1, 0], vec![1, 1], vec![1, 0, 0, 1, 1]]),
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), 0_u8..4], 0..100),
    ) {
        let _ = decode_one_way([start, bytes].concat());
    }

    #[test]
    fn changed_bytes_are_refused_or_another_value(
        content in a_content(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        action in 0..3,
    ) {
        let mut bytes = encode(&content).bytes;
        let at = at.index(bytes.len());
        match action {
            0 if bytes[at] == byte => return Ok(()),
            0 => bytes[at] = byte,
            1 => bytes.insert(at, byte),
            _ => { bytes.remove(at); }
        }
        if let Ok(other) = decode_one_way(bytes) {
            prop_assert_ne!(encode(&other).bytes, encode(&content).bytes);
        }
    }

    #[test]
    fn no_beginning_of_an_object_is_one(content in a_content(), at in any::<prop::sample::Index>()) {
        let mut bytes = encode(&content).bytes;
        bytes.truncate(at.index(bytes.len()));
        prop_assert!(decode_one_way(bytes).is_err());
    }
}

fn link(author: u8) -> Vec<u8> {
    vec![LINK, 1, b't', author]
}

/// A leaf of these authors and these links.
fn bytes(authors: &[&str], items: &[(&str, u8)]) -> Vec<u8> {
    let mut bytes = vec![VERSION, 0];
    put_count(&mut bytes, authors.len());
    for author in authors {
        put_text(&mut bytes, author);
    }
    put_count(&mut bytes, items.len());
    for (name, author) in items {
        put_text(&mut bytes, name);
        bytes.extend(link(*author));
    }
    bytes
}

#[test]
fn each_way_to_write_a_directory_otherwise_is_refused() {
    assert!(decode_one_way(bytes(&["a", "b"], &[("x", 0), ("y", 1)])).is_ok());
    for (bad, why) in [
        (bytes(&["b", "a"], &[("x", 0), ("y", 1)]), Malformed::Order),
        (bytes(&["a", "a"], &[("x", 0), ("y", 1)]), Malformed::Order),
        (bytes(&["a", "b"], &[("x", 0), ("y", 0)]), Malformed::Authors),
        (bytes(&["a", "b"], &[("x", 0), ("y", 2)]), Malformed::Authors),
        (bytes(&["a"], &[("y", 0), ("x", 0)]), Malformed::Order),
        (bytes(&["a"], &[("x", 0), ("x", 0)]), Malformed::Order),
        (bytes(&[], &[]), Malformed::Count),
        ([bytes(&["a"], &[("x", 0)]), vec![0]].concat(), Malformed::Trailing),
        (vec![], Malformed::Truncated),
        (vec![2, 0], Malformed::Version(2)),
        (vec![1, LEVEL_MAX + 1], Malformed::Kind(LEVEL_MAX + 1)),
        (vec![1, 0, 0, 1, 1, b'x', 9, 0, 0], Malformed::Item(9)),
    ] {
        assert_eq!(decode_one_way(bad), Err(why));
    }
}

#[test]
fn names_that_are_no_components_and_long_texts_are_refused() {
    for bad in ["", ".", "..", "a/b", "/", "a\0", "cafe\u{301}"] {
        let decoded = decode_one_way(bytes(&["a"], &[(bad, 0)]));
        assert!(matches!(decoded, Err(Malformed::Name(_))), "{bad:?}: {decoded:?}");
    }
    let long = "x".repeat(256);
    let decoded = decode_one_way(bytes(&["a"], &[(&long, 0)]));
    assert_eq!(decoded, Err(Malformed::TextTooLong));
    let long = "x".repeat(TEXT_BYTES_MAX + 1);
    assert_eq!(decode_one_way(bytes(&[&long], &[("x", 0)])), Err(Malformed::TextTooLong));
    let mut no_text = bytes(&["a"], &[("x", 0)]);
    no_text[4] = 0xff;
    assert_eq!(decode_one_way(no_text), Err(Malformed::Utf8));
}

#[test]
fn places_are_as_many_as_children() {
    let root = Root { address: Address { hash: TreeHash::of(b""), place: Place(7) }, entries: 1 };
    let mut object = encode(&leaf([("d".into(), Node::Directory(root))].into()));
    assert_eq!(object.places, [Place(7)]);
    object.places.push(Place(8));
    assert_eq!(decode(&object), Err(Malformed::Places));
    object.places.clear();
    assert_eq!(decode(&object), Err(Malformed::Places));
}

#[test]
fn an_empty_directory_inside_and_sums_beyond_64_bits_are_refused() {
    let address = Address { hash: TreeHash::of(b""), place: Place(0) };
    let directory = |entries| Node::Directory(Root { address, entries });
    let empty = encode(&leaf([("d".into(), directory(0))].into()));
    assert_eq!(decode(&empty), Err(Malformed::Count));
    let large = leaf([("d".into(), directory(u64::MAX)), ("e".into(), directory(1))].into());
    assert_eq!(decode(&encode(&large)), Err(Malformed::Count));
}
