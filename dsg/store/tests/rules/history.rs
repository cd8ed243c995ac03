//! What history says: who, when, why, and every old content.

use dsg_core::snapshot::{SnapshotDocument, check_chain};
use dsg_store::monitor::Silent;
use dsg_store::repository::{Repository, Wanted};
use dsg_store::system::Directory;

use crate::world::{World, done, key, long_ago, number, open, saying, set_modified};

#[test]
fn messages_and_authors_come_back() {
    let world = World::new();
    let (alice, bob) = (world.project("alice"), world.project("bob"));
    let said = [
        (&alice, "first data"),
        (&bob, "víctimas: zwei Zeilen\nund ein \"Zitat\" \u{1f642}"),
        (&alice, ""),
        (&bob, "  leading blanks, tab\tand backslash \\ are kept  "),
    ];
    for (turn, (who, message)) in said.iter().enumerate() {
        who.write(&format!("input/{turn}"), message);
        who.write("input/shared", turn.to_string());
        set_modified(&who.at("input/shared"), long_ago(turn as u64));
        let others = if who.user == "alice" { &bob } else { &alice };
        done(who.sync_as(&saying(message), &Silent));
        others.sync();
    }
    // Without words it says what was done.
    alice.remove("input/0");
    alice.write("input/1", "changed");
    alice.write("input/new", "new");
    alice.sync();

    let repository = open(&world.repository());
    let documents = repository.documents(number(1), number(5)).expect("reads");
    check_chain(documents.iter().map(|(number, bytes)| (*number, bytes.as_slice())))
        .expect("a chain");
    let documents: Vec<_> = documents
        .iter()
        .map(|(_, bytes)| SnapshotDocument::decode(bytes).expect("a document"))
        .collect();
    for (document, (who, message)) in documents.iter().zip(&said) {
        assert_eq!(document.author, format!("{}@example.org", who.user));
        assert_eq!(document.message, *message);
        assert_eq!(document.repository, repository.description().id);
    }
    assert_eq!(documents[4].message, "1 added, 1 changed, 1 deleted");
    assert!(documents.is_sorted_by_key(|document| document.time));
    let configuration = serde_json::to_value(&documents[0].configuration).expect("JSON");
    assert_eq!(configuration["data_dirs"], serde_json::json!(["frozen", "input", "output"]));

    // A path's author is who changed it last, not who synced last.
    let author = |at: u64, path: &str| {
        let entry = repository.entry(number(at), &key(path)).expect("an entry").expect("is there");
        entry.author().to_string()
    };
    assert_eq!(author(5, "input/1"), "alice@example.org");
    assert_eq!(author(4, "input/1"), "bob@example.org");
    assert_eq!(author(5, "input/2"), "alice@example.org");
    assert_eq!(author(5, "input/shared"), "bob@example.org");
    // And every version of it can be had, with the time at which it was changed.
    let folder = tempfile::tempdir().expect("a folder");
    let out = Directory::open(folder.path()).expect("opens");
    for at in 1..=5 {
        let path = key("input/shared");
        let entry = repository.entry(number(at), &path).expect("an entry").expect("is there");
        let dsg_core::entry::Entry::File(file) = entry else { panic!("a file") };
        let turn = (at - 1).min(3);
        assert_eq!(file.modified.parts().0, 1_600_000_000 + i64::try_from(turn).expect("fits"));
        let mut target = out.create_file(at.to_string(), 0o600).expect("creates");
        let wanted = Wanted { hash: file.hash, size: file.size, path: &path };
        repository.read(&wanted, &mut target, &Silent).expect("reads");
        let text = std::fs::read_to_string(folder.path().join(at.to_string())).expect("reads");
        assert_eq!(text, turn.to_string());
    }
    world.assert_whole();
}
