//! `dsg resolve`: choosing at the command line.

use testkit::cli::{Person, World};

const DSG: &str = env!("CARGO_BIN_EXE_dsg");

/// `input/a` was changed by both, `input/b` deleted by alice and changed by bob, `task/input/c`
/// added by both.
fn in_conflict() -> (World, Person, Person) {
    let (world, alice, bob) = World::started(DSG, &[("input/a", "agreed"), ("input/b", "agreed")]);
    bob.write("input/a", "bob");
    bob.write("input/b", "bob");
    bob.write("task/input/c", "bob");
    bob.run(&["sync"]).succeeded();
    alice.write("input/a", "alice");
    alice.remove("input/b");
    alice.write("task/input/c", "alice");
    (world, alice, bob)
}

fn settle(choice: &str, a: &str, b: Option<&str>) {
    let (_world, alice, bob) = in_conflict();
    alice.run(&["resolve", "input", choice]).succeeded().says("1 conflict open.");
    alice.run(&["sync"]).ended(3).says("task/input/c");
    assert_eq!(alice.read("input/a"), "alice", "nothing is done while one is open");
    alice
        .run(&["resolve", "task/input/c", "--remote"])
        .succeeded()
        .says("All conflicts are decided");
    alice.run(&["sync"]).succeeded();
    bob.run(&["sync"]).succeeded();
    for person in [&alice, &bob] {
        assert_eq!(person.read("input/a"), a);
        assert_eq!(person.has("input/b").then(|| person.read("input/b")).as_deref(), b);
        assert_eq!(person.read("task/input/c"), "bob");
        person.run(&["status"]).succeeded().says("Everything up to date");
    }
    assert!(!alice.has("conflicts.txt"));
}

#[test]
fn the_local_copy_wins() {
    settle("--local", "alice", None);
}

#[test]
fn the_remote_copy_wins() {
    settle("--remote", "bob", Some("bob"));
}

#[test]
fn the_agreed_copy_comes_back() {
    settle("--cached", "agreed", Some("agreed"));
}

#[test]
fn the_list_shows_what_can_be_chosen_and_what_is() {
    let (_world, alice, bob) = in_conflict();
    let list = alice.run(&["resolve", "--list"]).succeeded();
    assert_eq!(
        list.stdout,
        "\
open     input/a  111: all three copies differ
           --local    Use Local version (upload)
           --remote   Use Remote version (download)
           --cached   Use Cached version (restore)
open     input/b  011: deleted here, changed on the remote
           --remote   Use Remote version (download)
           --cached   Use Cached version (restore)
           --local    Keep it deleted (delete in the repository)
open     task/input/c  101: both sides added it, with different content
           --local    Use Local version (upload)
           --remote   Use Remote version (download)
3 conflicts open.
"
    );
    let below = alice.at(alice.project().join("task"));
    below.run(&["resolve", ".", "--local"]).succeeded().says("local    task/input/c");
    let list = alice.run(&["resolve", "--list", "--json"]).succeeded().json();
    assert_eq!((&list["schema"], &list["open"]), (&"dsg.resolve/1".into(), &2.into()));
    assert_eq!(list["conflicts"][0]["decided"], serde_json::Value::Null);
    assert_eq!(list["conflicts"][2]["decided"], "local");
    // The choice was made for bob's copy of then.
    bob.write("task/input/c", "bob again");
    bob.run(&["sync"]).succeeded();
    let list = alice.run(&["resolve", "--list", "--json"]).succeeded().json();
    assert_eq!(list["open"], 3);
}

#[test]
fn what_is_no_conflict_or_no_choice_is_refused_and_records_nothing() {
    let (_world, alice, _) = in_conflict();
    alice.run(&["resolve", "input/x", "--local"]).ended(2).says("not in conflict").says("--list");
    alice.run(&["resolve", "../elsewhere", "--local"]).ended(2).says("outside the project");
    let refused = alice.run(&["resolve", "task/input/c", "input/a", "--cached"]).ended(2);
    refused.says("--cached is no choice here; nothing was recorded").says("--local, --remote");
    let below = alice.at(alice.project().join("input"));
    below
        .run(&["resolve", "input/a", "--local"])
        .ended(2)
        .says("paths are taken from where you are");
    let error = alice.run(&["resolve", "task/input/c", "--cached", "--json"]).ended(2).json();
    assert_eq!(error["paths"], serde_json::json!(["task/input/c"]));
    assert_eq!(alice.run(&["resolve", "--list", "--json"]).succeeded().json()["open"], 3);
}

#[test]
fn a_path_may_be_spelled_as_a_mac_does() {
    let (_world, alice, bob) = World::started(DSG, &[("input/k", "1")]);
    for person in [&alice, &bob] {
        person.write("input/a\u{f1}o", person.home().to_str().expect("UTF-8"));
    }
    bob.run(&["sync"]).succeeded();
    let spelled = format!("{}/input/an\u{303}o", alice.project().display());
    alice.run(&["resolve", &spelled, "--local"]).succeeded();
    alice.run(&["sync"]).succeeded();
}

#[test]
fn a_project_may_be_reached_through_a_link() {
    let (world, alice, _) = in_conflict();
    let link = world.path("shortcut");
    std::os::unix::fs::symlink(alice.project(), &link).expect("linked");
    let path = link.join("input/../input/a").display().to_string();
    alice.run(&["resolve", &path, "--local"]).succeeded().says("local    input/a");
    alice.at(&link).run(&["resolve", "input/b", "--local"]).succeeded().says("local    input/b");
    alice.at(alice.home()).run(&["-C", "../shortcut", "resolve", ".", "--local"]).succeeded();
}

#[test]
fn a_choice_may_be_changed_and_must_agree_with_the_file() {
    let (_world, alice, _) = in_conflict();
    alice.run(&["sync"]).ended(3);
    alice.run(&["resolve", ".", "--local"]).succeeded();
    alice.run(&["resolve", "input/a", "--remote"]).succeeded();
    alice.edit("conflicts.txt", "\n_C", "\nC");
    alice.run(&["sync", "--continue"]).ended(3).says("say different things").says("input/a");
    alice.run(&["resolve", "input/a", "--cached"]).succeeded();
    alice.run(&["sync", "--continue"]).succeeded();
    assert_eq!(alice.read("input/a"), "agreed");
    assert_eq!(alice.run(&["resolve", "--list"]).succeeded().stdout, "No conflicts.\n");
}

#[test]
fn a_file_of_choices_with_a_mark_of_its_bytes_goes_like_any_other_and_a_large_one_is_named() {
    let (_world, alice, _bob) = in_conflict();
    alice.run(&["sync"]).ended(3);
    let file = alice.project().join("conflicts.txt");
    let text = std::fs::read_to_string(&file).expect("read");
    let large = format!("{text}\n{}", "# \n".repeat(3 << 20));
    std::fs::write(&file, large).expect("written");
    alice.run(&["sync", "--continue"]).ended(3).says("larger than 8 MiB").says_nothing_of("space");
    let chosen = text.replace("\n_R", "\nR");
    std::fs::write(&file, format!("\u{feff}{chosen}")).expect("written");
    alice.run(&["sync", "--continue"]).succeeded();
    assert!(!alice.has("conflicts.txt"));
    assert_eq!(alice.read("input/a"), "bob");
}
