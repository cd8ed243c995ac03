//! Repositories on ZFS and btrfs, by the commands that people type.

use std::fs;
use std::path::Path;

use testkit::cli::World;
use testkit::ground::{Btrfs, Pool};
use testkit::mount::lacks;

const DSG: &str = env!("CARGO_BIN_EXE_dsg");

/// A person who has begun a project with one file.
fn alice(world: &World) -> testkit::cli::Person {
    let alice = world.person("alice");
    alice.write("input/a", "1");
    alice
}

#[test]
fn a_dataset_is_printed_and_made_exactly_where_the_configuration_says() {
    if lacks(&["zfs", "zpool"]) {
        return;
    }
    let (world, pool) = (World::new(DSG), Pool::new().expect("a pool"));
    let alice = alice(&world);
    let (name, mountpoint) = (pool.name(), pool.path().display().to_string());
    let init = ["init", "--type", "zfs", "--pool", name, "--repository-path"];
    let elsewhere = format!("{mountpoint}/projects");
    let refused = alice.run(&[&init[..], &[&elsewhere]].concat());
    refused.ended(7).says(&format!("zfs create -p {name}/projects"));
    assert_eq!(pool.list("").expect("lists"), [""], "nothing was made");

    let dataset = format!("ZFS dataset {name}/SV, mounted at {mountpoint}/SV");
    alice.run(&[&init[..], &[&mountpoint, "--dry-run"]].concat()).succeeded().says(&dataset);
    assert!(!pool.path().join("SV").exists());
    alice.run(&[&init[..], &[&mountpoint]].concat()).succeeded().says(&dataset);
    assert_eq!(pool.list("SV").expect("lists"), ["", "@s1"]);
    alice.run(&["doctor"]).succeeded().says(&format!("({name}/SV)")).says("may make ZFS snapshots");
    listed(&alice, &mountpoint, "zfs-in-place");
}

#[test]
fn generations_on_zfs_and_btrfs_are_joined_like_any_repository() {
    if lacks(&["zfs", "zpool", "mkfs.btrfs", "btrfs"]) {
        return;
    }
    let (pool, btrfs) = (Pool::new().expect("a pool"), Btrfs::new().expect("a btrfs"));
    let name = pool.name();
    let kinds: [(&[&str], &Path, &str); 2] = [
        (
            &["--type", "zfs", "--mode", "generations", "--pool", name],
            &pool.path(),
            "zfs-generations",
        ),
        (&["--type", "btrfs"], &btrfs.path(), "btrfs"),
    ];
    for (options, place, kind) in kinds {
        let world = World::new(DSG);
        let alice = alice(&world);
        let mountpoint = place.display().to_string();
        let init = [&["init", "--repository-path", &mountpoint], options].concat();
        alice.run(&init).succeeded().says("is a link to the newest state");
        let repository = format!("{mountpoint}/SV");
        let bob = world.person("bob");
        bob.run(&["-C", "..", "clone", &repository]).succeeded();
        assert_eq!(kept_as(&bob), kept_as(&alice), "the configuration of a clone says where it is");
        assert_eq!(bob.read("input/a"), "1");
        bob.write("input/b", "2");
        bob.run(&["sync"]).succeeded();
        alice.run(&["sync"]).succeeded();
        assert_eq!(alice.read("input/b"), "2");
        assert_eq!(fs::read_to_string(place.join("SV/input/b")).expect("reads"), "2");
        alice.run(&["log"]).succeeded().says("s2");
        alice.run(&["validate-chain"]).succeeded();
        alice.run(&["doctor"]).succeeded();
        // What people see can't be edited, so there is nothing to adopt.
        assert!(fs::write(place.join("SV/input/b"), "3").is_err());
        listed(&alice, &mountpoint, kind);
        let again = alice.run(&["init", "--repository-path", &mountpoint]);
        assert_ne!(again.code, Some(0), "{}", again.stdout);
    }
}

/// What a configuration says of the repository: type, host, pool, place, mode.
fn kept_as(person: &testkit::cli::Person) -> Vec<String> {
    let shown = person.run(&["config", "show"]).succeeded();
    let lines = shown.stdout.lines().filter(|line| line.starts_with("repository."));
    let lines: Vec<String> = lines.map(str::to_owned).collect();
    assert!(lines.len() >= 3, "{}", shown.stdout);
    lines
}

/// `list-repos` names the repository and how it is kept.
fn listed(person: &testkit::cli::Person, directory: &str, kind: &str) {
    let listed = person.run(&["list-repos", directory, "--json"]).succeeded().json();
    let repositories = listed["repositories"].as_array().expect("a list");
    assert_eq!(repositories.len(), 1, "{listed}");
    assert_eq!(repositories[0]["name"], "SV");
    assert_eq!(repositories[0]["storage"], kind);
}
