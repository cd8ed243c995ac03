use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::error::Class;
use crate::monitor::Silent;
use crate::project::{Journal, stamp};
use crate::repository::Repository;
use crate::system::Directory;
use crate::world::{Client, World};

/// A synced project, the clock of the test set to that of the disk.
fn synced(world: &World) -> Client {
    let alice = world.client("alice");
    alice.write("input/a", "1");
    let dsg = alice.project().dsg_attached().expect("is there");
    let now = stamp(&dsg).expect("a time").parts().0;
    world.clock.set(jiff::Timestamp::from_second(now).expect("a time"));
    alice.sync();
    alice
}

fn all(world: &World, alice: &Client) -> Vec<Finding> {
    let (project, repository) = (alice.project(), alice.repository());
    let mut findings = examine_project(&project, &*world.clock);
    findings.extend(examine_repository(&repository, &*world.clock, &Silent));
    findings.extend(examine_connection(&project, &repository));
    findings
}

/// The topics of findings that are not fine; free space is the machine's affair.
fn topics(findings: &[Finding]) -> Vec<(&'static str, Verdict)> {
    let odd =
        |finding: &&Finding| finding.verdict != Verdict::Fine && finding.topic != "free space";
    findings.iter().filter(odd).map(|finding| (finding.topic, finding.verdict)).collect()
}

#[test]
fn a_healthy_project_has_nothing_but_fine_findings() {
    let world = World::new();
    let alice = synced(&world);
    let findings = all(&world, &alice);
    assert_eq!(topics(&findings), [], "{findings:#?}");
    for topic in [
        "configuration",
        "file system",
        "free space",
        "clock",
        "last sync",
        "conflicts",
        "trash",
        "names",
        "index",
        "repository",
        "head",
        "access",
        "visible files",
        "uploads",
        "unfiled",
        "connection",
    ] {
        assert!(findings.iter().any(|finding| finding.topic == topic), "{topic}");
    }
    let left = fs::read_dir(alice.root.join(".dsg")).expect("lists");
    let left = left.filter(|entry| {
        entry.as_ref().is_ok_and(|entry| entry.file_name().to_string_lossy().contains("probe"))
    });
    assert_eq!(left.count(), 0);
}

#[test]
fn what_waits_in_a_project_is_said() {
    let world = World::new();
    let alice = synced(&world);
    let dsg = alice.project().dsg_attached().expect("is there");
    Journal::default().write(&dsg).expect("writes");
    alice.write("conflicts.txt", "choose");
    alice.write("input/bad<name", "x");
    alice.write("input/A", "differs only in case from a");
    alice.write(".dsg/last-sync.json", "{}");
    world.clock.advance(std::time::Duration::from_secs(1000));
    let warning = |topic| (topic, Verdict::Warning);
    let findings = all(&world, &alice);
    let expected = [
        warning("clock"),
        warning("last sync"),
        warning("conflicts"),
        warning("names"),
        warning("names"),
        warning("old tool"),
    ];
    assert_eq!(topics(&findings), expected, "{findings:#?}");
    assert!(
        findings.iter().all(|finding| finding.verdict == Verdict::Fine || finding.next.is_some())
    );
}

#[test]
fn what_is_wrong_with_a_repository_is_said() {
    let world = World::new();
    let alice = synced(&world);
    world.write("input/a", "changed on the server");
    world.write("input/stray", "x");
    world.write(".dsg-repository/unfiled/tx-1/0-a", "foreign");
    world.write(".dsg-repository/staging/tx-0011223344556677/x", "cut off");
    world.write(".dsg/x", "the old tool");
    fs::set_permissions(world.root(), fs::Permissions::from_mode(0o755)).expect("sets");
    world.clock.advance(std::time::Duration::from_secs(50));
    let findings = examine_repository(&alice.repository(), &*world.clock, &Silent);
    let expected = [
        ("access", Verdict::Problem(Class::Repository)),
        ("visible files", Verdict::Problem(Class::Integrity)),
        ("visible files", Verdict::Warning),
        ("unfiled", Verdict::Warning),
        ("old tool", Verdict::Warning),
    ];
    assert_eq!(topics(&findings), expected, "{findings:#?}");
    world.clock.advance(std::time::Duration::from_secs(50));
    let findings = examine_repository(&alice.repository(), &*world.clock, &Silent);
    assert!(topics(&findings).contains(&("uploads", Verdict::Warning)));
    let upload = findings.iter().find(|finding| finding.topic == "uploads").expect("is found");
    assert!(upload.what.contains(", 7 bytes, "), "{}", upload.what);
}

#[test]
fn a_repository_that_is_another_or_lost_its_history_is_said() {
    let world = World::new();
    let alice = synced(&world);
    let snapshots = world.root().join(".dsg-repository/snapshots");
    for name in ["s1", "s1.trees"] {
        fs::rename(snapshots.join(name), world.folder.path().join(name)).expect("renames");
    }
    let findings = examine_connection(&alice.project(), &alice.repository());
    assert_eq!(topics(&findings), [("connection", Verdict::Problem(Class::Repository))]);
    let file = world.root().join(".dsg-repository/repository.json");
    let text = fs::read_to_string(&file).expect("reads");
    let id = alice.repository().description().id.to_string();
    fs::write(&file, text.replace(&id, &"0".repeat(32))).expect("writes");
    let findings = examine_connection(&alice.project(), &alice.repository());
    assert!(findings[0].what.contains("another repository"), "{findings:?}");
}

#[test]
fn a_file_system_is_tried_and_nothing_is_left_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let directory = Directory::open(folder.path()).expect("opens");
    let probe = probe(&directory).expect("probes");
    for ability in [&probe.rename, &probe.no_replace, &probe.sync, &probe.hard_link, &probe.links] {
        assert_eq!(*ability, Ability::Works, "{probe:?}");
    }
    assert!(probe.time_nanoseconds >= 1);
    assert_eq!(fs::read_dir(folder.path()).expect("lists").count(), 0);
}

#[test]
fn sizes_and_ages_are_short() {
    assert_eq!(
        [size(5), size(2048), size(3 << 20), size(5 << 30)],
        ["5 bytes", "2 KiB", "3 MiB", "5 GiB"]
    );
    assert_eq!(
        [age(-3), age(5), age(600), age(7200), age(864_000)],
        ["0 s", "5 s", "10 min", "2 h", "10 days"]
    );
}
