//! A client that does not mean well: it can't make the server write, read or remove what it may not,
//! nor end in anything but an answer or a closed connection.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};

use dsg_core::entry::{Identity, Moment};
use dsg_core::hash::{ChainHash, ContentHash};
use dsg_core::path::RepoPath;
use dsg_core::snapshot::{SnapshotNumber, TransactionId};
use dsg_store::remote::{Answer, Bytes, PutContent, Request, Role, WantedContent, read_frame};
use dsg_store::repository::{NewEntry, PathChange};

use crate::line::{World, message};

struct Client {
    input: Box<dyn Read + Send>,
    output: Box<dyn Write + Send>,
}

impl Client {
    fn new(world: &World, role: Role) -> Self {
        let line = world.wire("mallory", role).direct();
        let mut client = Self { input: line.input, output: line.output };
        let body = b"\x01x\x01\x01p\x00\x00\x00\x00";
        let mut bytes = b"dsg\xffwire\x01\0\x01\0".to_vec();
        bytes.extend_from_slice(&u32::try_from(body.len()).expect("short").to_le_bytes());
        bytes.extend_from_slice(body);
        client.raw(&bytes);
        message(&mut client.input, true).expect("a hello");
        assert!(matches!(client.answer(), Some(Answer::Opened { .. })));
        client
    }

    fn raw(&mut self, bytes: &[u8]) {
        let _ = self.output.write_all(bytes);
    }

    fn send(&mut self, request: &Request) {
        let bytes = request.encode();
        let length = u32::try_from(bytes.len()).expect("short");
        self.raw(&[&length.to_le_bytes()[..], &1u32.to_le_bytes(), &bytes].concat());
    }

    /// `None` when the server has hung up.
    fn answer(&mut self) -> Option<Answer> {
        let (_, bytes) = read_frame(&mut self.input).ok()?;
        Some(Answer::decode(&bytes).expect("an answer"))
    }

    /// Whether the next answer, or the end, refuses.
    fn is_refused(&mut self) -> bool {
        matches!(self.answer(), None | Some(Answer::Failed { .. }))
    }

    fn begin(&mut self) {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let transaction = NEXT.fetch_add(1, Ordering::SeqCst).to_le_bytes();
        let transaction = TransactionId::from_bytes(transaction);
        self.send(&Request::Begin { transaction, unfinished: vec![], files: 1 });
        assert!(matches!(self.answer(), Some(Answer::Done)));
    }

    fn put(&mut self, path: &str, bytes: &[u8], hash: ContentHash) {
        let put = PutContent {
            path: key(path),
            executable: false,
            modified: Moment(0),
            expected: bytes.len() as u64,
            left_over: 0,
            base: None,
        };
        self.send(&Request::Put { put });
        self.send(&Request::Data { bytes: Bytes::from(bytes.to_vec()) });
        self.send(&Request::PutEnd { size: bytes.len() as u64, hash });
    }

    fn commit(&mut self, changes: Vec<PathChange>, expected: Option<(SnapshotNumber, ChainHash)>) {
        self.send(&Request::Changes { changes });
        let configuration = Bytes::from(b"{}".to_vec());
        self.send(&Request::Commit { expected, message: "m".to_owned(), configuration });
    }
}

fn key(path: &str) -> RepoPath {
    RepoPath::parse(path).expect("a path")
}

fn file(path: &str, text: &str) -> PathChange {
    let new = NewEntry::File {
        hash: ContentHash::of(text.as_bytes()),
        size: text.len() as u64,
        executable: false,
        modified: Moment(0),
    };
    PathChange { path: key(path), old: None, new: Some(new) }
}

/// With one snapshot; its head.
fn synced() -> (World, Option<(SnapshotNumber, ChainHash)>) {
    let world = World::new();
    let alice = world.person("alice");
    alice.write("input/a", "1");
    alice.sync();
    let head = dsg_store::repository::Repository::head(&world.here()).expect("a head");
    (world, head.map(|head| (head.number, head.chain)))
}

fn assert_untouched(world: &World) {
    assert_eq!((world.head(), world.stored("input/a").as_deref()), (1, Some("1")));
    world.assert_whole();
}

#[test]
fn hidden_paths_and_links_that_lead_out_are_refused() {
    let (world, head) = synced();
    for path in [".dsg-repository/snapshots/s2", "input/.git/hooks/x", ".x"] {
        let mut client = Client::new(&world, Role::Writer);
        client.begin();
        client.put(path, b"evil", ContentHash::of(b"evil"));
        assert!(client.is_refused(), "{path}");
        client.commit(vec![file(path, "evil")], head);
        assert!(client.is_refused(), "{path}");
    }
    for target in ["/etc/passwd", "../../outside", "../.."] {
        let mut client = Client::new(&world, Role::Writer);
        client.begin();
        let new = Some(NewEntry::Link { target: target.into() });
        client.commit(vec![PathChange { path: key("input/link"), old: None, new }], head);
        assert!(client.is_refused(), "{target}");
    }
    assert_untouched(&world);
}

#[test]
fn a_content_that_is_not_what_it_is_called_is_not_committed() {
    let (world, head) = synced();
    let mut client = Client::new(&world, Role::Writer);
    client.begin();
    client.put("input/x", b"other bytes", ContentHash::of(b"evil"));
    client.commit(vec![file("input/x", "evil")], head);
    assert!(client.is_refused() && client.is_refused());
    // Nor one that was never sent.
    let mut client = Client::new(&world, Role::Writer);
    client.begin();
    client.commit(vec![file("input/y", "never sent")], head);
    assert!(client.is_refused());
    assert_untouched(&world);
}

#[test]
fn an_old_head_and_an_old_entry_are_not_accepted_again() {
    let (world, head) = synced();
    let (number, _) = head.expect("a head");
    for expected in [None, Some((number, ChainHash::of(b"another past")))] {
        let mut client = Client::new(&world, Role::Writer);
        client.begin();
        client.put("input/x", b"x", ContentHash::of(b"x"));
        client.commit(vec![file("input/x", "x")], expected);
        assert!(matches!(client.answer(), Some(Answer::Moved)), "{expected:?}");
    }
    let mut client = Client::new(&world, Role::Writer);
    client.begin();
    let old = Some(Identity::File { hash: ContentHash::of(b"not there"), executable: false });
    client.commit(vec![PathChange { path: key("input/a"), old, new: None }], head);
    assert!(!matches!(client.answer(), Some(Answer::Committed { .. })));
    assert_untouched(&world);
}

#[test]
fn a_reader_s_key_does_not_write_whatever_it_sends() {
    let (world, _) = synced();
    let transaction = TransactionId::from_bytes([1; 8]);
    for request in [
        Request::Begin { transaction, unfinished: vec![], files: 1 },
        Request::Turn,
        Request::Settle { transaction, after: None },
        Request::Discard { transactions: vec![transaction] },
    ] {
        let mut client = Client::new(&world, Role::Reader);
        client.send(&request);
        assert!(client.is_refused(), "{request:?}");
    }
    assert_untouched(&world);
    let aborted = world.repository().join(".dsg-repository/aborted");
    assert_eq!(std::fs::read_dir(aborted).expect("there").count(), 0);
}

#[test]
fn lengths_floods_and_truncated_messages_end_the_connection_only() {
    let (world, _) = synced();
    let wanted = WantedContent { hash: ContentHash::of(b"1"), size: 1, path: key("input/a") };
    let head = Request::Head.encode();
    let frame = |length: u32| [&length.to_le_bytes()[..], &[1, 0, 0, 0]].concat();
    for bytes in [
        frame(u32::MAX),
        frame(9 << 20),
        [frame(1), vec![0xff]].concat(),
        [frame(3), head, vec![0, 0]].concat(),
        // A list of 2^60 transactions in a few bytes.
        [frame(10), vec![21, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]].concat(),
        // Compressed bytes that are none, and such that claim to be large.
        [frame(6), vec![11, 0x10, 3, 1, 2, 3]].concat(),
        [frame(9), vec![11, 0xff, 0xff, 0xff, 0x7f, 3, 1, 2, 3]].concat(),
    ] {
        let mut client = Client::new(&world, Role::Writer);
        client.raw(&bytes);
        assert!(client.answer().is_none(), "{bytes:?}");
    }
    // A message that belongs into an upload.
    for request in [
        Request::PutStop,
        Request::Data { bytes: Bytes::from(vec![1]) },
        Request::Old { offset: u64::MAX, length: u64::MAX },
    ] {
        let mut client = Client::new(&world, Role::Writer);
        client.send(&request);
        assert!(client.answer().is_none(), "{request:?}");
    }
    let mut client = Client::new(&world, Role::Reader);
    client.send(&Request::Documents {
        first: SnapshotNumber::FIRST,
        last: SnapshotNumber::new(u64::MAX).expect("a number"),
    });
    assert!(matches!(client.answer(), Some(Answer::Documents { .. })));
    assert!(client.is_refused(), "there is no s2");
    // After an answer that refuses, the next question is answered.
    client.send(&Request::Want { contents: vec![wanted] });
    client.send(&Request::Read);
    assert!(matches!(client.answer(), Some(Answer::Content { number: 0 })));
    assert_untouched(&world);
}

#[test]
fn old_bytes_behind_the_end_of_the_old_content_are_refused() {
    let world = World::new();
    let alice = world.person("alice");
    alice.write("input/a", "1");
    alice.sync();
    let put = PutContent {
        path: key("input/a"),
        executable: false,
        modified: Moment(0),
        expected: 10,
        left_over: 0,
        base: Some((ContentHash::of(b"1"), 1)),
    };
    for (offset, length) in [(0, 2), (u64::MAX, 2), (1, u64::MAX)] {
        let mut client = Client::new(&world, Role::Writer);
        client.begin();
        client.send(&Request::Put { put: put.clone() });
        client.send(&Request::Old { offset, length });
        client.send(&Request::PutEnd { size: 10, hash: ContentHash::of(b"x") });
        assert!(client.is_refused(), "{offset} {length}");
    }
    assert_untouched(&world);
}

#[test]
fn what_is_hidden_in_the_repository_is_not_sent_whatever_it_is_called() {
    let (world, _) = synced();
    let path = key(".dsg-repository/repository.json");
    let size = std::fs::metadata(world.repository().join(path.as_str())).expect("is there").len();
    let wanted = WantedContent { hash: ContentHash::of(b"x"), size, path };
    let known = [
        None,
        Some(Request::Begun { number: 0, size: 0 }),
        Some(Request::Older { number: 0, hash: ContentHash::of(b"y"), size }),
    ];
    for known in known {
        let mut client = Client::new(&world, Role::Reader);
        client.send(&Request::Want { contents: vec![wanted.clone()] });
        known.iter().for_each(|known| client.send(known));
        client.send(&Request::Read);
        assert!(client.is_refused(), "{known:?}");
    }
}

#[test]
fn a_part_of_a_content_that_is_not_wanted_is_refused() {
    let (world, _) = synced();
    for known in [
        Request::Begun { number: 0, size: u64::MAX },
        Request::Older { number: u64::MAX, hash: ContentHash::of(b"1"), size: 1 },
    ] {
        let mut client = Client::new(&world, Role::Reader);
        client.send(&known);
        assert!(client.is_refused(), "{known:?}");
    }
    // More than there is of it: all of it comes, and nothing is read behind its end.
    let wanted = WantedContent { hash: ContentHash::of(b"1"), size: 1, path: key("input/a") };
    let mut client = Client::new(&world, Role::Reader);
    client.send(&Request::Want { contents: vec![wanted] });
    client.send(&Request::Begun { number: 0, size: u64::MAX });
    client.send(&Request::Read);
    assert!(matches!(client.answer(), Some(Answer::Content { number: 0 })));
    assert!(matches!(client.answer(), Some(Answer::Data { bytes }) if bytes.as_slice() == b"1"));
    assert!(matches!(client.answer(), Some(Answer::ContentEnd)));
    assert_untouched(&world);
}
