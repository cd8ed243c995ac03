//! Messages: whatever bytes come, and what version 1 looks like for ever.

use dsg_core::entry::{Entry, FileEntry, Identity, LinkEntry, Moment};
use dsg_core::hash::{ChainHash, ContentHash};
use dsg_core::path::RepoPath;
use dsg_core::snapshot::{SnapshotNumber, TransactionId};
use dsg_core::tree::Change;
use proptest::prelude::*;

use super::frame::{Versions, hello_bytes, holds_frame, read_frame, read_hello, write_frame};
use super::message::{ClientHello, PutContent, ServerHello, WantedContent};
use super::wire::{Bytes, WireError};
use super::{Answer, ListedRepository, Request};
use crate::error::{Code, Error};
use crate::repository::{
    Damage, LeftOver, NewEntry, PathChange, Settlement, TreeObject, VerifyReport, VerifyScope,
};

fn path(text: &str) -> RepoPath {
    RepoPath::parse(text).expect("a path")
}

fn number(number: u64) -> SnapshotNumber {
    SnapshotNumber::new(number).expect("a number")
}

fn bytes(text: &str) -> Bytes {
    Bytes(text.as_bytes().to_vec())
}

fn content(text: &str) -> ContentHash {
    ContentHash::of(text.as_bytes())
}

/// One of each, with every kind of field.
fn requests() -> Vec<Request> {
    let transaction = TransactionId::from_bytes([7; 8]);
    let wanted =
        WantedContent { hash: content("x"), size: 300, path: path("input/kilómetro.csv") };
    let file =
        NewEntry::File { hash: content("x"), size: 1, executable: true, modified: Moment(-1) };
    let old = Identity::File { hash: content("y"), executable: false };
    let link = NewEntry::Link { target: "x".into() };
    vec![
        Request::Head,
        Request::Trees { wanted: number(300), known: Some(number(1)) },
        Request::Documents { first: number(1), last: number(u64::MAX) },
        Request::Entry { number: number(2), path: path("input/a") },
        Request::Differences { old: None, new: Some(number(3)) },
        Request::Want { contents: vec![wanted.clone()] },
        Request::Read,
        Request::Begin { transaction, unfinished: vec![transaction], files: 10_000 },
        Request::Put {
            put: PutContent {
                path: path("input/a"),
                executable: true,
                modified: Moment(1_700_000_000_000_000_000),
                expected: 1 << 40,
                left_over: 128,
                base: Some((content("z"), 5)),
            },
        },
        Request::Data { bytes: bytes("data") },
        Request::Packed { size: 1000, bytes: bytes("packed") },
        Request::Old { offset: 1 << 33, length: 1 << 20 },
        Request::PutEnd { size: 4, hash: content("data") },
        Request::PutStop,
        Request::Changes {
            changes: vec![
                PathChange { path: path("input/a"), old: Some(old), new: Some(file) },
                PathChange { path: path("input/b"), old: None, new: Some(link) },
                PathChange {
                    path: path("input/c"),
                    old: Some(Identity::Link { target: "y".into() }),
                    new: None,
                },
            ],
        },
        Request::Commit {
            expected: Some((number(9), ChainHash::of(b"document"))),
            message: "Was geändert ist".to_owned(),
            configuration: bytes("{}"),
        },
        Request::EndUpload,
        Request::Turn,
        Request::EndTurn,
        Request::Settle { transaction, after: Some(number(9)) },
        Request::Discard { transactions: vec![] },
        Request::Verify { scope: VerifyScope::Chain { contents: true } },
        Request::Chunks { content: wanted },
        Request::Alive,
        Request::Begun { number: 7, size: 1 << 33 },
        Request::Older { number: 300, hash: content("z"), size: 5 },
        Request::Forget { marks: vec![[7; 16], [9; 16]] },
    ]
}

fn answers() -> Vec<Answer> {
    let file = Entry::File(FileEntry {
        hash: content("x"),
        executable: false,
        size: 12,
        modified: Moment(5),
        author: "alice@example.org".into(),
    });
    let link = Entry::Link(LinkEntry { target: "a".into(), author: "bob@example.org".into() });
    let error = Error::new(Code::DiskFull, "what").because("why").next("next").about(["input/a"]);
    let tree = b"a tree object".to_vec();
    vec![
        Answer::Opened {
            description: bytes("{}"),
            location: "/srv/dsg/SV".to_owned(),
            role: 1,
            head: Some(bytes("document")),
        },
        Answer::Head { document: None },
        Answer::Trees {
            objects: vec![TreeObject { hash: dsg_core::hash::TreeHash::of(&tree), bytes: tree }],
        },
        Answer::Documents { documents: vec![(number(1), bytes("document"))] },
        Answer::Entry { entry: Some(file.clone()) },
        Answer::Differences {
            changes: vec![Change { path: path("input/a"), old: Some(file), new: Some(link) }],
        },
        Answer::Content { number: 7 },
        Answer::Data { bytes: bytes("data") },
        Answer::Packed { size: 1000, bytes: bytes("packed") },
        Answer::Again,
        Answer::ContentEnd,
        Answer::LeftOver {
            contents: vec![LeftOver { mark: [3; 16], size: 77, hash: content("x") }],
        },
        Answer::Landed,
        Answer::Resend,
        Answer::Committed { document: bytes("document") },
        Answer::Moved,
        Answer::Settled { settlement: Settlement::Committed(number(4)) },
        Answer::Verified {
            report: VerifyReport {
                snapshots: 1,
                entries: 2,
                contents: 3,
                bytes: 4,
                damage: vec![Damage {
                    file: "f".to_owned(),
                    what: "w".to_owned(),
                    meaning: "m".to_owned(),
                }],
            },
            last: true,
        },
        Answer::Chunks { bytes: bytes("chunks") },
        Answer::Done,
        Answer::Failed { error: WireError::from(&error) },
        Answer::Phase { phase: 7, files: 1, bytes: 2 },
        Answer::Progress { files: 3, bytes: 4 },
        Answer::Notice { text: "notice".to_owned() },
        Answer::Alive,
        Answer::Repositories {
            repositories: vec![ListedRepository {
                name: "SV".to_owned(),
                head: None,
                storage: Some("plain".to_owned()),
                problem: Some("damaged".to_owned()),
            }],
        },
        Answer::Planned { lines: vec!["ZFS dataset tank/SV".to_owned()] },
        Answer::Old { offset: 1 << 33, length: 1 << 20 },
    ]
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What both sides send, as it is on the line: name, then bytes.
fn recorded() -> String {
    let hello = ClientHello {
        program: "dsg 0.1.0".to_owned(),
        action: 1,
        path: "/srv/dsg/SV".to_owned(),
        group: false,
        kind: String::new(),
        pool: String::new(),
        generations: false,
    };
    let versions = Versions { low: 1, high: 1 };
    let mut lines = vec![
        format!("client-hello {}", hexadecimal(&hello_bytes(versions, &hello))),
        format!(
            "server-hello {}",
            hexadecimal(&hello_bytes(versions, &ServerHello { program: "dsg 0.1.0".to_owned() }))
        ),
    ];
    let name = |text: String| text.split([' ', '{']).next().unwrap_or_default().to_owned();
    let requests =
        requests().into_iter().map(|it| ("request", name(format!("{it:?}")), it.encode()));
    let answers = answers().into_iter().map(|it| ("answer", name(format!("{it:?}")), it.encode()));
    for (side, name, message) in requests.chain(answers) {
        let mut frame = Vec::new();
        write_frame(&mut frame, 5, &message).expect("writes");
        lines.push(format!("{side} {name} {}", hexadecimal(&frame)));
    }
    lines.join("\n") + "\n"
}

#[test]
fn a_frame_is_whole_with_its_last_byte() {
    let mut frame = Vec::new();
    write_frame(
        &mut frame,
        5,
        &Request::Settle { transaction: TransactionId::from_bytes([7; 8]), after: None }.encode(),
    )
    .expect("writes");
    let whole = frame.len();
    frame.extend([0xff; 20]);
    for end in 0..frame.len() {
        assert_eq!(holds_frame(&frame[..end]), end >= whole, "{end}");
    }
}

#[test]
fn the_frames_of_version_1_are_what_they_were() {
    let place = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/protocol-1.txt");
    let fixture = std::fs::read_to_string(place).unwrap_or_default();
    let now = recorded();
    assert!(fixture == now, "version 1 is not what it was; a change needs a new version:\n{now}");
}

#[test]
fn every_recorded_frame_reads_back() {
    for request in requests() {
        let bytes = request.encode();
        assert_eq!(Request::decode(&bytes).expect("reads").encode(), bytes);
    }
    for answer in answers() {
        let bytes = answer.encode();
        assert_eq!(Answer::decode(&bytes).expect("reads").encode(), bytes);
    }
}

#[test]
fn every_message_that_is_cut_off_or_has_more_is_none() {
    for bytes in requests().iter().map(Request::encode) {
        for end in 0..bytes.len() {
            assert!(Request::decode(&bytes[..end]).is_err());
        }
        assert!(Request::decode(&[&bytes[..], &[0]].concat()).is_err());
    }
    for bytes in answers().iter().map(Answer::encode) {
        for end in 0..bytes.len() {
            assert!(Answer::decode(&bytes[..end]).is_err());
        }
    }
}

#[test]
fn an_error_arrives_as_it_was() {
    let error = Error::new(Code::ForeignEdit, "what").because("why").next("next").about(["p"]);
    let arrived = Error::from(WireError::from(&error));
    assert_eq!(format!("{arrived:?}"), format!("{error:?}"));
}

/// Bytes that are near to a message: one of the recorded ones with some bytes changed.
fn near(all: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<prop::sample::Index>(), any::<u8>());
    (prop::sample::select(all), prop::collection::vec(change, 0..4)).prop_map(
        |(mut bytes, changes)| {
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            bytes
        },
    )
}

proptest! {
    #[test]
    fn any_bytes_are_a_request_in_its_only_form_or_none(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            near(requests().iter().map(Request::encode).collect()),
        ]
    ) {
        if let Ok(request) = Request::decode(&bytes) {
            prop_assert_eq!(request.encode(), bytes);
        }
    }

    #[test]
    fn any_bytes_are_an_answer_in_its_only_form_or_none(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            near(answers().iter().map(Answer::encode).collect()),
        ]
    ) {
        if let Ok(answer) = Answer::decode(&bytes) {
            prop_assert_eq!(answer.encode(), bytes);
        }
    }

    #[test]
    fn any_bytes_are_frames_and_hellos_or_none(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let mut rest = &bytes[..];
        while read_frame(&mut rest).is_ok() {}
        let _ = read_hello::<ClientHello>(&mut &bytes[..]);
        let marked = [&b"dsg\xffwire"[..], &bytes].concat();
        let _ = read_hello::<ServerHello>(&mut &marked[..]);
    }
}
