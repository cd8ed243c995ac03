//! SIGKILL at the n-th statement of a migration, for every n.

use std::os::unix::process::ExitStatusExt as _;

use foundation_durable::migration::State;
use testkit::program;

use super::ground::{Ground, Kind, has_faults};

/// More statements than a migration of ours has.
const STATEMENTS_MAX: u64 = 3000;
/// How many of the killed runs are followed by one that completes, when not all are.
const COMPLETED_EVERY: u64 = 25;

fn every_statement(kind: Kind) {
    if !has_faults() {
        return;
    }
    let Some(mut ground) = Ground::new(kind) else {
        return;
    };
    let completed_every = if program::all_steps() { 1 } else { COMPLETED_EVERY };
    let mut killed = 0;
    let mut at = 1;
    loop {
        assert!(at < STATEMENTS_MAX, "it ends some time");
        let mut command = ground.sysndd();
        command.env("SYSNDD_FAULT", format!("kill:{at}")).args(["migrate", "apply"]);
        let output = command.output().expect("sysndd");
        if output.status.signal() != Some(9) {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            assert_eq!(ground.state(), State::Current);
            break;
        }
        killed += 1;
        // All or nothing. A server may still be busy with the COMMIT that it was sent last, so an
        // empty schema may become current, but never something in between.
        let state = ground.state();
        assert!(matches!(state, State::Empty | State::Current), "{state:?} after statement {at}");
        if killed % completed_every == 0 || state == State::Current {
            ground.migrate();
            ground = Ground::new(kind).expect("the same as before");
        }
        at += 1;
    }
    assert!(killed > 100, "{killed}");
}

#[test]
fn sqlite_is_empty_or_current_after_a_kill_at_any_statement_and_the_next_run_completes_it() {
    every_statement(Kind::Sqlite);
}

#[test]
fn postgresql_is_empty_or_current_after_a_kill_at_any_statement_and_the_next_run_completes_it() {
    every_statement(Kind::Postgres);
}

#[test]
fn so_it_is_behind_a_transaction_pooler_where_no_lock_stays_on_a_connection() {
    every_statement(Kind::Pooler);
}
