//! The program over a real SSH server on this machine.

use std::process::{Command, Stdio};

use testkit::sshd::HOST;

use team::{DSG, Member, team};

mod network;
mod team;
mod volumes;

#[test]
fn a_team_works_over_ssh_from_the_first_snapshot_on() {
    let Some(team) = team() else { return };
    let mary = team.started(&[("input/a", "1"), ("input/b", "2"), ("output/deep/c", "3")]);
    let alice = team.clone("alice", "writer");
    assert_eq!(alice.person.read("output/deep/c"), "3");
    alice.person.write("input/a", "alice's");
    alice.run(&["sync", "-m", "by alice"]).succeeded().says("s2 is made");
    alice.run(&["sync"]).succeeded().says("Everything up to date with s2");
    mary.run(&["status"]).succeeded().says("input/a");
    mary.run(&["sync"]).succeeded();
    assert_eq!(mary.person.read("input/a"), "alice's");
    let log = mary.run(&["log", "--json"]).succeeded().json();
    assert_eq!(log["snapshots"][0]["author"], "alice@example.org");
    assert_eq!(log["snapshots"][1]["author"], "mary@example.org");
    mary.run(&["blame", "input/a"]).succeeded().says("alice@example.org");
    mary.run(&["snapfetch", "input/a", "--number", "s1", "-o", "old"]).succeeded();
    assert_eq!(mary.person.read("old"), "1");
    mary.run(&["diff", "--from", "s1"]).succeeded().says("input/a");
    mary.run(&["validate-chain"]).succeeded();
    mary.run(&["validate-snapshot", "--repository", &team.repository()]).succeeded();
    let listed = mary.run(&["list-repos", &format!("{HOST}:."), "--json"]).succeeded().json();
    assert_eq!(listed["repositories"][0]["name"], "SV");
    assert_eq!(listed["repositories"][0]["snapshot"], "s2");
    mary.run(&["doctor"]).succeeded().says("answers").says("says who signs what you commit");
}

#[test]
fn a_conflict_is_settled_over_ssh() {
    let Some(team) = team() else { return };
    let mary = team.started(&[("input/a", "1")]);
    let alice = team.clone("alice", "writer");
    mary.person.write("input/a", "mary's");
    mary.run(&["sync"]).succeeded();
    alice.person.write("input/a", "alice's");
    alice.run(&["sync"]).ended(3);
    alice.run(&["resolve", "input/a", "--local"]).succeeded();
    alice.run(&["sync"]).succeeded();
    mary.run(&["sync"]).succeeded();
    assert_eq!(mary.person.read("input/a"), "alice's");
}

#[test]
fn the_role_of_a_key_decides_and_its_command_can_t_be_replaced() {
    let Some(team) = team() else { return };
    let _mary = team.started(&[("input/a", "1")]);
    let rita = team.clone("rita", "reader");
    rita.person.write("input/a", "2");
    rita.run(&["sync"]).ended(7).says("DSG-S06");
    let walter = team.member("walter", "writer");
    let repositories = team.world.repositories();
    let arguments = ["init", "--name", "new", "--host", HOST, "--repository-path", repositories];
    walter.run(&arguments).ended(7).says("DSG-S06");
    let elsewhere = format!("{HOST}:/etc");
    walter.run(&["-C", "..", "clone", &elsewhere]).ended(7).says("DSG-S06");
    // Whatever command is asked for, the one of the key is started.
    let mut words = walter.ssh.split(' ').map(str::to_owned);
    let mut command = Command::new(words.next().expect("ssh"));
    command.args(words).args([HOST, "cat /etc/passwd"]).stdin(Stdio::null());
    let output = command.output().expect("ssh starts");
    assert!(!String::from_utf8_lossy(&output.stdout).contains("root:"));
}

#[test]
fn without_a_forced_command_the_account_s_name_is_the_author() {
    let Some(team) = team() else { return };
    let ssh = team.sshd.admit("olga", None).expect("a key");
    let olga = Member { person: team.world.person("olga"), ssh };
    olga.person.write("input/a", "1");
    let variables = [("DSG_SSH", olga.ssh.as_str()), ("DSG_REMOTE_PROGRAM", DSG)];
    let repositories = team.world.repositories();
    let arguments = ["init", "--host", HOST, "--repository-path", repositories];
    olga.person.run_with(&arguments, "", &variables).succeeded();
    let log = olga.person.run_with(&["log", "--json"], "", &variables).succeeded().json();
    let user = Command::new("id").arg("-un").output().expect("a name");
    let user = String::from_utf8(user.stdout).expect("UTF-8");
    assert_eq!(log["snapshots"][0]["author"], user.trim());
}

#[test]
fn what_ssh_says_becomes_an_error_with_a_way_out() {
    let Some(team) = team() else { return };
    let mary = team.started(&[("input/a", "1")]);
    let other = team.sshd.known_by_another_key().expect("another key");
    let with = |more: &str| team.sshd.command("mary", more).expect("a configuration");
    let cases = [
        (with(&format!("UserKnownHostsFile {}", other.display())), "DSG-S02"),
        (with("UserKnownHostsFile /dev/null"), "DSG-S02"),
        (with("User no-such-user"), "DSG-S03"),
        (with("Port 1"), "DSG-S01"),
        (with("HostName nowhere.invalid"), "DSG-S01"),
        ("no-such-ssh".to_owned(), "DSG-S01"),
        ("echo".to_owned(), "DSG-S04"),
        ("true".to_owned(), "DSG-S01"),
    ];
    for (ssh, code) in cases {
        mary.run_by(&ssh, &["status"]).ended(7).says(code).says("next:");
    }
    let free = team.sshd.admit("olga", None).expect("a key");
    let variables = [("DSG_SSH", free.as_str()), ("DSG_REMOTE_PROGRAM", "/nowhere/dsg")];
    mary.person.run_with(&["status"], "", &variables).ended(7).says("DSG-S04").says("install dsg");
    mary.run(&["status"]).succeeded();
}

#[test]
fn who_stops_a_sync_over_ssh_is_told_so_and_the_next_one_goes_on() {
    use std::os::unix::process::CommandExt;
    let Some(team) = team() else { return };
    let mary = team.started(&[("input/a", "1")]);
    // Without a pattern, so that it does not get small on its way.
    let mut state = 1u64;
    let bytes: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    })
    .take(40 << 20)
    .collect();
    std::fs::write(mary.person.project().join("input/large"), bytes).expect("written");
    let variables = [("DSG_SSH", mary.ssh.as_str())];
    let mut command = mary.person.command_to_stop(&["sync", "--no-progress"], &variables);
    // A terminal's key reaches dsg and the ssh that it started.
    let mut child = command.process_group(0).stderr(Stdio::piped()).spawn().expect("starts");
    let staging = team.world.path("repositories/SV/.dsg-repository/staging");
    let begun = || std::fs::read_dir(&staging).is_ok_and(|mut all| all.next().is_some());
    while !begun() && child.try_wait().expect("asks").is_none() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    let group = format!("-{}", child.id());
    let stopped = Command::new("kill").args(["-INT", "--", &group]).status().expect("kill");
    assert!(stopped.success());
    let output = child.wait_with_output().expect("ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{said}");
    mary.run(&["sync"]).succeeded().says("s2 is made");
    assert_eq!(std::fs::read_dir(&staging).expect("there").count(), 0);
    mary.run(&["validate-chain"]).succeeded();
}
