//! Signals, each case in a process of its own: this test binary starts itself again with the name
//! of a case in the environment, because a handler is for ever and the second signal ends.

use std::path::PathBuf;
use std::process::Command;

use foundation_runtime::{Exit, Interrupt};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::low_level::raise;
use testkit::program::heeding;

const CASE: &str = "FOUNDATION_RUNTIME_INTERRUPT_CASE";
/// How the child ends when it came through its case alive and as expected.
const ALIVE: i32 = 77;

/// What the child does; an assertion that fails ends it with 101.
fn act(case: &str) {
    let interrupt = Interrupt::install().expect("handlers");
    assert!(!interrupt.requested());
    let send = |signal| raise(signal).expect("a signal to this process");
    match case {
        "first" => {
            send(SIGTERM);
            assert!(interrupt.requested());
        }
        "second" => {
            send(SIGINT);
            assert!(interrupt.requested());
            send(SIGTERM);
        }
        "hangup" => {
            send(SIGHUP);
            send(SIGHUP);
            assert!(interrupt.requested());
        }
        "hangup then impatience" => {
            send(SIGHUP);
            send(SIGINT);
        }
        "nohup" => {
            send(SIGHUP);
            assert!(!interrupt.requested());
        }
        other => panic!("no case {other}"),
    }
}

/// The child's entry; as a test of its own it has nothing to do.
#[test]
#[expect(clippy::disallowed_methods, reason = "tells 'went on' apart from every other end")]
fn child() {
    if let Ok(case) = std::env::var(CASE) {
        act(&case);
        std::process::exit(ALIVE);
    }
}

fn itself() -> PathBuf {
    std::env::current_exe().expect("the path of this test")
}

/// Starts the child by a command that is itself, or that starts it, and returns its exit code.
fn run(case: &str, mut command: Command) -> Option<i32> {
    command
        .args(["--exact", "child", "--nocapture"])
        .env(CASE, case)
        .output()
        .expect("a process")
        .status
        .code()
}

fn interrupted() -> Option<i32> {
    Some(i32::from(Exit::Interrupted.code()))
}

#[test]
fn the_first_signal_asks_and_the_program_goes_on() {
    assert_eq!(run("first", heeding(itself())), Some(ALIVE));
}

#[test]
fn the_second_signal_ends_at_once_with_the_code_for_interrupted() {
    assert_eq!(run("second", heeding(itself())), interrupted());
}

#[test]
fn a_terminal_that_closes_asks_once_however_often_it_says_so() {
    assert_eq!(run("hangup", heeding(itself())), Some(ALIVE));
    assert_eq!(run("hangup then impatience", heeding(itself())), interrupted());
}

#[test]
#[cfg(target_os = "linux")]
fn what_nohup_ignores_stays_ignored() {
    let mut nohup = Command::new("nohup");
    nohup.arg(itself());
    assert_eq!(run("nohup", nohup), Some(ALIVE));
}
