//! `dsg validate-snapshot`.

use std::fs;

use testkit::cli::World;

const DSG: &str = env!("CARGO_BIN_EXE_dsg");

#[test]
fn a_snapshot_is_checked_with_its_contents() {
    let (world, alice, _) = World::started(DSG, &[("input/a", "first"), ("input/b", "stays")]);
    alice.run(&["validate-snapshot"]).succeeded().says("✓ s1: ");
    alice.write("input/a", "second");
    alice.run(&["sync"]).succeeded();
    alice.run(&["validate-snapshot"]).succeeded().says("✓ s2: ");
    let value = alice.run(&["validate-snapshot", "s1", "--json"]).succeeded().json();
    assert_eq!((&value["checked"], &value["contents"]), (&"s1".into(), &2.into()));
    alice.run(&["validate-snapshot", "s3"]).ended(2).says("no snapshot s3");
    alice.run(&["validate-snapshot", "0"]).ended(2);

    // Only s2 has the new content, only s1 the old one.
    fs::write(world.path("repositories/SV/input/a"), "SECOND").expect("written");
    alice
        .run(&["validate-snapshot", "s2"])
        .ended(8)
        .says("✗ input/a: its bytes were changed without dsg");
    alice.run(&["validate-snapshot", "s1"]).succeeded();
    let objects = world.path("repositories/SV/.dsg-repository/objects");
    let object = fs::read_dir(objects).expect("listed").flatten().next().expect("one").path();
    fs::write(object, "FIRST").expect("written");
    alice.run(&["validate-snapshot", "s1"]).ended(8).says("the old version input/a of s1 is lost");
    let manager = world.stranger("manager");
    manager.run(&["validate-snapshot", "--repository", world.repository()]).ended(8);
}

#[test]
fn a_changed_newest_document_is_noticed_by_a_project() {
    let (world, alice, _) = World::started(DSG, &[("input/a", "first")]);
    let document = world.path("repositories/SV/.dsg-repository/snapshots/s1");
    let text = fs::read_to_string(&document).expect("read");
    assert!(text.contains("alice@example.org"));
    fs::write(&document, text.replace("alice@example.org", "mallo@example.org")).expect("written");
    alice.run(&["validate-snapshot"]).ended(8).says("is not the one that this project has seen");
}
