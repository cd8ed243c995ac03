//! Lines that are slow, lose packets, or break; and a server that is another machine.

use std::time::Duration;

use testkit::mount::lacks;
use testkit::namespace::Namespace;
use testkit::relay::{Relay, Weather};
use testkit::sshd::Sshd;

use crate::team::{Member, Team, team};

/// Bytes without a pattern, so that they do not get small on their way.
fn noise(seed: u64, bytes: usize) -> Vec<u8> {
    let mut state = seed;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    };
    std::iter::repeat_with(next).take(bytes).collect()
}

fn put(member: &Member, path: &str, bytes: &[u8]) {
    std::fs::write(member.person.project().join(path), bytes).expect("written");
}

fn got(member: &Member, path: &str) -> Vec<u8> {
    std::fs::read(member.person.project().join(path)).expect("there")
}

impl Team {
    /// The `ssh` of a member in some weather. It is as it is while the relay lives.
    fn through(&self, name: &str, weather: Weather) -> (Relay, String) {
        let relay = Relay::new(self.sshd.address(), weather).expect("a relay");
        let ssh = self.sshd.command_by(name, &relay).expect("a configuration");
        (relay, ssh)
    }
}

#[test]
fn a_slow_line_that_loses_packets_only_takes_longer() {
    let Some(team) = team() else { return };
    let mary = team.started(&[("input/a", "1")]);
    let alice = team.clone("alice", "writer");
    let weather = Weather {
        delay: Duration::from_millis(20),
        bytes_per_second: Some(3 << 20),
        loses: Some((200_000, Duration::from_millis(40))),
        breaks_after: None,
    };
    let large = noise(1, 3 << 20);
    put(&alice, "input/large", &large);
    let (_relay, ssh) = team.through("alice", weather);
    alice.run_by(&ssh, &["sync"]).succeeded().says("s2 is made");
    let (_relay, ssh) = team.through("mary", weather);
    mary.run_by(&ssh, &["sync"]).succeeded();
    assert_eq!(got(&mary, "input/large"), large);
}

#[test]
fn an_upload_whose_line_breaks_anywhere_goes_on_with_the_next_sync() {
    let Some(team) = team() else { return };
    let mary = team.started(&[("input/a", "1"), ("input/gone", "2")]);
    let alice = team.clone("alice", "writer");
    let (mut broke, mut ended) = (0, 0);
    // From the greeting of ssh to the last message.
    for (number, most) in
        (1..).zip([500, 3_000, 6_000, 8_000, 12_000, 40_000, 400_000, 1_200_000, 9_000_000])
    {
        let large = noise(number, 1 << 20);
        put(&alice, "input/large", &large);
        alice.person.write(&format!("input/new-{number}"), "new");
        let (relay, ssh) =
            team.through("alice", Weather { breaks_after: Some(most), ..Weather::default() });
        let cut = alice.run_by(&ssh, &["sync"]);
        match cut.code {
            Some(0) => ended += 1,
            _ => broke += 1,
        }
        assert!(cut.code == Some(0) || relay.passed() > most, "{most}: {}", cut.stderr);
        alice.run(&["sync"]).succeeded();
        mary.run(&["sync"]).succeeded();
        assert_eq!(got(&mary, "input/large"), large, "{most}");
        assert_eq!(mary.person.read(&format!("input/new-{number}")), "new");
    }
    assert!(broke >= 5 && ended >= 1, "{broke} broke, {ended} came to their end");
    let head = mary.run(&["log", "-n", "100", "--json"]).succeeded().json();
    let snapshots = head["snapshots"].as_array().expect("a list").len();
    assert_eq!(snapshots, 1 + 9, "a change is committed once, whatever happened to the line");
    mary.run(&["validate-chain"]).succeeded();
}

#[test]
fn a_download_whose_line_breaks_changes_nothing_until_it_is_whole() {
    let Some(team) = team() else { return };
    let mary = team.started(&[("input/a", "1"), ("input/b", "1")]);
    let alice = team.clone("alice", "writer");
    let large = noise(7, 1 << 20);
    put(&mary, "input/large", &large);
    mary.person.write("input/a", "2");
    mary.run(&["sync"]).succeeded();
    for most in [500, 6_000, 12_000, 200_000, 900_000] {
        let (_relay, ssh) =
            team.through("alice", Weather { breaks_after: Some(most), ..Weather::default() });
        alice.run_by(&ssh, &["sync"]).ended(7).says("next:");
        assert_eq!(alice.person.read("input/a"), "1", "{most}");
        assert!(!alice.person.has("input/large"), "{most}");
    }
    alice.run(&["sync"]).succeeded();
    assert_eq!(alice.person.read("input/a"), "2");
    assert_eq!(got(&alice, "input/large"), large);
}

#[test]
fn a_server_on_another_machine_is_reached_by_its_address() {
    if lacks(&["sshd", "ssh", "ssh-keygen", "ip"]) {
        return;
    }
    let namespace = Namespace::new().expect("a network namespace");
    let team = Team::of(Sshd::in_namespace(&namespace).expect("an SSH server"), None);
    let mary = team.started(&[("input/a", "1")]);
    let alice = team.clone("alice", "writer");
    alice.person.write("input/b", "2");
    alice.run(&["sync"]).succeeded();
    mary.run(&["sync"]).succeeded();
    assert_eq!(mary.person.read("input/b"), "2");
}
