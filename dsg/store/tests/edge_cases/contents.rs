//! What may be in a file, in a name and in a link.

use std::fs;

use crate::world::{World, look, unknown};

/// Puts contents through a repository; they must come out as they went in.
fn assert_identical(contents: &[(&str, Vec<u8>)]) {
    let world = World::new();
    let (alice, bob) = (world.project("alice"), world.project("bob"));
    for (path, bytes) in contents {
        alice.write(path, bytes);
    }
    alice.sync();
    bob.sync();
    for (path, bytes) in contents {
        assert!(fs::read(bob.at(path)).expect("reads") == *bytes, "{path} came as it went");
        assert!(fs::read(world.repository().join(path)).expect("reads") == *bytes, "{path}");
    }
    world.assert_whole();
}

#[test]
fn large_content_is_identical() {
    let rows: String = (0..1200).map(|n| format!("{n},row,of,data\n")).collect();
    let noise = |bytes: usize| {
        let mut hash = blake3::Hasher::new().finalize_xof();
        let mut noise = vec![0; bytes];
        hash.fill(&mut noise);
        noise
    };
    assert_identical(&[
        ("input/rows.csv", rows.into_bytes()),
        ("input/ten-kilobytes", noise(10 << 10)),
        ("input/two-hundred", noise(200 << 10)),
        ("input/one-long-line", vec![b'x'; 100_000]),
        // Around the sizes at which it is read and copied in another way.
        ("input/a-buffer", noise(256 << 10)),
        ("input/a-buffer-and-one", noise((256 << 10) + 1)),
        ("input/a-megabyte-less-one", noise((1 << 20) - 1)),
        ("input/a-megabyte", noise(1 << 20)),
        ("input/on-several-cores", noise((16 << 20) + 12_345)),
        ("input/zeros", vec![0; 3 << 20]),
        ("input/empty", Vec::new()),
    ]);
}

#[test]
fn encodings_are_identical() {
    let utf16: Vec<u8> =
        "\u{feff}kil\u{f3}metro".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_identical(&[
        ("input/utf-8", "kil\u{f3}metro a\u{f1}o v\u{ed}ctimas".into()),
        ("input/utf-8-with-bom", "\u{feff}id,name\n".into()),
        ("input/utf-16", utf16),
        ("input/latin-1", b"a\xf1o,v\xedctimas\n".to_vec()),
        ("input/nuls", b"a\0b\0\0c".to_vec()),
        ("input/crlf", b"a\r\nb\r\n".to_vec()),
        ("input/cr", b"a\rb\r".to_vec()),
        ("input/mixed", b"a\r\nb\nc\rd".to_vec()),
        ("input/no-end", b"a\nb".to_vec()),
        ("input/every-byte", (0..=255).collect()),
        ("input/decomposed", "e\u{301}".into()),
    ]);
}

#[test]
fn odd_names() {
    let world = World::new();
    let (alice, bob) = (world.project("alice"), world.project("bob"));
    // Shared, under one key whatever the spelling.
    let shared = [
        ("input/kilo\u{301}metro.csv", "input/kil\u{f3}metro.csv"),
        ("input/a\u{f1}o/v\u{ed}ctimas.csv", "input/a\u{f1}o/v\u{ed}ctimas.csv"),
        ("input/u\u{308}ber.txt", "input/\u{fc}ber.txt"),
        ("input/\u{1112}\u{1161}\u{11ab}.csv", "input/\u{d55c}.csv"),
        ("input/\u{1f642}.csv", "input/\u{1f642}.csv"),
        ("input/two  inner blanks", "input/two  inner blanks"),
        ("input/colon:and.dot.", "input/colon:and.dot."),
        ("input/\u{fb01}.csv", "input/\u{fb01}.csv"),
    ];
    // Not to be shared: zero width, right to left, forbidden or reserved on Windows, backups.
    let left_out = [
        "input/zero\u{200b}width",
        "input/\u{202e}right-to-left",
        "input/less<",
        "input/more>",
        "input/quote\"",
        "input/pipe|",
        "input/what?",
        "input/star*",
        "input/CON",
        "input/con.csv",
        "input/LPT1",
        "input/editor~",
    ];
    for (path, _) in shared {
        alice.write(path, path);
    }
    for path in left_out {
        alice.write(path, path);
    }
    let report = alice.sync();
    assert_eq!(report.summary.uploads, shared.len() as u64);
    assert_eq!(report.unknown.len(), left_out.len(), "{:?}", unknown(&report));
    bob.sync();
    for (path, key) in shared {
        assert_eq!(bob.read(key), path);
    }
    assert_eq!(look::files(&bob.root).len(), shared.len());
    for path in left_out {
        assert_eq!(alice.read(path), path, "it stays where it is");
    }
}

#[test]
fn odd_links() {
    let world = World::new();
    let (alice, bob) = (world.project("alice"), world.project("bob"));
    alice.write("input/data.csv", "data");
    let links = [
        ("input/relative", "data.csv"),
        ("input/dotted", "./data.csv"),
        ("input/roundabout", "../input/../input/data.csv"),
        ("input/chain", "relative"),
        ("input/chain-of-chain", "chain"),
        ("input/broken", "nothing.csv"),
        ("input/to-directory", "../output"),
        ("input/to-here", "."),
        ("input/loop", "loop"),
        ("input/unicode", "k\u{131}l\u{f3}metro-\u{1f642}.csv"),
        ("input/decomposed", "e\u{301}.csv"),
        ("input/v\u{ed}nculo", "data.csv"),
        ("input/with blanks", "a b  c"),
        ("output/up", "../input/data.csv"),
    ];
    for (path, target) in links {
        alice.link(path, target);
    }
    let report = alice.sync();
    assert_eq!(report.steps.len(), links.len() + 1);
    assert_eq!(unknown(&report), [""; 0]);
    bob.sync();
    for (path, target) in links {
        assert_eq!(bob.target(path), target, "the text as it is");
    }
    bob.assert_settled();
    world.assert_whole();
}
