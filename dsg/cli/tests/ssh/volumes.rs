//! Repositories on each kind of file system, over SSH: what a team has on a server.

use std::path::Path;
use std::sync::Barrier;

use testkit::ground::{Btrfs, Pool};
use testkit::mount::{Xfs, lacks};
use testkit::sshd::Sshd;

use crate::team::{Member, Team};

const CLIENTS: usize = 16;

/// The team on a file system of this kind, with what `init` is told about it.
fn on(root: &Path, options: &[&str], rounds: usize) {
    let team = Team::of(Sshd::new().expect("an SSH server"), Some(root));
    let mary = team.started_with(&[("input/a", "1"), ("output/deep/c", "3")], options);
    let people: Vec<Member> =
        (0..CLIENTS).map(|number| team.clone(&format!("p{number}"), "writer")).collect();
    all_commit_at_once(&people, rounds);
    for person in people.iter().chain([&mary]) {
        person.run(&["sync"]).succeeded();
        for number in 0..CLIENTS {
            for round in 0..rounds {
                let text = person.person.read(&format!("input/{number}-{round}"));
                assert_eq!(text, format!("{number} {round}"));
            }
        }
    }
    let log = mary.run(&["log", "-n", "100", "--json"]).succeeded().json();
    let commits = log["snapshots"].as_array().expect("a list").len();
    assert_eq!(commits, 1 + CLIENTS * rounds, "each commit is a snapshot, none is lost");
    mary.run(&["snapfetch", "input/a", "--number", "s1", "-o", "old"]).succeeded();
    mary.run(&["validate-chain"]).succeeded();
    mary.run(&["doctor"]).succeeded();
}

/// Nobody starves: an attempt ends by itself after a bounded number of turns, and none may.
fn all_commit_at_once(people: &[Member], rounds: usize) {
    let start = Barrier::new(people.len());
    std::thread::scope(|scope| {
        for (number, member) in people.iter().enumerate() {
            let start = &start;
            scope.spawn(move || {
                for round in 0..rounds {
                    let path = format!("input/{number}-{round}");
                    member.person.write(&path, &format!("{number} {round}"));
                    start.wait();
                    member.run(&["sync"]).succeeded();
                }
            });
        }
    });
}

#[test]
fn sixteen_people_share_plain_directories() {
    if lacks(&["sshd", "ssh", "ssh-keygen", "mkfs.xfs"]) {
        return;
    }
    let xfs = Xfs::new().expect("an XFS");
    on(&xfs.path(), &["--type", "xfs"], 2);
}

#[test]
fn sixteen_people_share_a_btrfs() {
    if lacks(&["sshd", "ssh", "ssh-keygen", "mkfs.btrfs", "btrfs"]) {
        return;
    }
    let btrfs = Btrfs::new().expect("a btrfs");
    on(&btrfs.path(), &["--type", "btrfs"], 1);
}

#[test]
fn sixteen_people_share_zfs_in_place() {
    if lacks(&["sshd", "ssh", "ssh-keygen", "zfs", "zpool"]) {
        return;
    }
    let pool = Pool::new().expect("a pool");
    on(&pool.path(), &["--type", "zfs", "--pool", pool.name()], 1);
    let snapshots = pool.list("SV").expect("lists");
    assert_eq!(snapshots.iter().filter(|name| name.starts_with("@s")).count(), 1 + CLIENTS);
}

#[test]
fn sixteen_people_share_zfs_generations() {
    if lacks(&["sshd", "ssh", "ssh-keygen", "zfs", "zpool"]) {
        return;
    }
    let pool = Pool::new().expect("a pool");
    on(&pool.path(), &["--type", "zfs", "--mode", "generations", "--pool", pool.name()], 1);
}
