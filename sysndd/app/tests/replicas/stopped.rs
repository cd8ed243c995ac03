//! The process that migrates is stopped for long, or is slow.

use std::time::Duration;

use foundation_runtime::{Clock as _, SystemClock};
use testkit::postgres;

use super::ground::{Ground, Kind, has_faults};
use super::process::Replica;

fn stopped(process: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    status.rsplit_once(") ").is_some_and(|(_, fields)| fields.starts_with('T'))
}

/// A replica that stops itself in the middle of migrating.
fn stopping(ground: &Ground) -> Replica {
    let replica = Replica::start_with(ground.sysndd(), |command| {
        command.env("SYSNDD_FAULT", "stop:12");
    });
    let began = SystemClock::new();
    while !stopped(replica.id()) {
        assert!(began.monotonic() < Duration::from_secs(60), "it did not stop");
        std::thread::sleep(Duration::from_millis(10));
    }
    replica
}

#[test]
fn on_postgresql_the_others_go_on_within_45_seconds_of_a_holder_that_is_stopped() {
    if !has_faults() {
        return;
    }
    let Some(ground) = Ground::new(Kind::Postgres) else {
        return;
    };
    let holder = stopping(&ground);
    let began = SystemClock::new();
    let others: Vec<_> = (0..3).map(|_| Replica::start(ground.sysndd())).collect();
    others[0].wait_until("waiting", |other| {
        let text = other.ask("/readyz").map(|(_, text)| text).unwrap_or_default();
        text.contains(&format!(":{} at `0001_", holder.id()))
    });
    let health = others[0].health();
    assert_eq!(health["reason"], "migrations_pending");
    assert_eq!(health["migrations"]["lock"]["locked"], true);
    assert!(others[0].ask("/livez").is_some_and(|(status, _)| status == 200));
    others.iter().for_each(Replica::wait_ready);
    assert!(began.monotonic() < Duration::from_secs(45), "{:?}", began.monotonic());
    let complete: usize = others.iter().map(|other| other.said("Migrations complete")).sum();
    assert_eq!(complete, 1);
    // It finds its connection gone and the work done.
    holder.signal("CONT");
    holder.wait_ready();
    assert_eq!(holder.said("Migrations complete"), 0);
    // The view shows the locks of all databases, and other tests have theirs.
    let locks = "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database \
         WHERE l.locktype = 'advisory' AND d.datname = current_database()";
    assert_eq!(postgres::cluster().expect("a cluster").sql(&ground.direct, locks), "0");
}

#[test]
fn on_sqlite_the_others_wait_for_a_holder_that_is_stopped_and_say_for_whom() {
    if !has_faults() {
        return;
    }
    let ground = Ground::new(Kind::Sqlite).expect("a file");
    let holder = stopping(&ground);
    let other = Replica::start(ground.sysndd());
    let never_tries = Replica::start_with(ground.sysndd(), |command| {
        command.env("SYSNDD_MIGRATE", "wait");
    });
    let name = format!(":{} at `0001_", holder.id());
    other.wait_until("waiting", |other| {
        other.ask("/startupz").is_some_and(|(status, text)| status == 503 && text.contains(&name))
    });
    other.wait_until("telling", |other| {
        other
            .messages()
            .iter()
            .any(|text| text.starts_with("Waiting for migrations by ") && text.contains(&name))
    });
    never_tries.wait_until("waiting", |waiting| waiting.said("Waiting for migrations by ") > 0);
    assert!(!other.is_ready() && !never_tries.is_ready());
    holder.signal("CONT");
    [&holder, &other, &never_tries].into_iter().for_each(Replica::wait_ready);
    assert_eq!(holder.said("Migrations complete"), 1);
    assert_eq!(never_tries.startup(), (false, false));
    // Who looked just before the holder was done gets the lock that it gave back, and says so.
    let acquired = other.said("Acquired migration lock 'sysndd_migration'") == 1;
    assert_eq!(other.startup(), (false, acquired));
}

#[test]
fn who_waits_for_a_slow_migration_is_ready_right_after_it() {
    if !has_faults() {
        return;
    }
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let Some(ground) = Ground::new(kind) else {
            continue;
        };
        let began = SystemClock::new();
        let replicas: Vec<_> = (0..4)
            .map(|_| {
                Replica::start_with(ground.sysndd(), |command| {
                    command.env("SYSNDD_FAULT", "hold:5");
                })
            })
            .collect();
        replicas[0].wait_until("listening", |replica| replica.ask("/livez").is_some());
        replicas.iter().for_each(Replica::wait_ready);
        let took = began.monotonic();
        assert!(took >= Duration::from_secs(5), "{took:?}");
        // One after the other would be 20 s.
        assert!(took < Duration::from_secs(12), "{took:?}");
        let complete: usize =
            replicas.iter().map(|replica| replica.said("Migrations complete")).sum();
        assert_eq!(complete, 1);
    }
}

#[test]
fn a_killed_holder_leaves_a_database_that_who_waited_completes() {
    if !has_faults() {
        return;
    }
    for kind in [Kind::Sqlite, Kind::Postgres, Kind::Pooler] {
        let Some(ground) = Ground::new(kind) else {
            continue;
        };
        let holder = Replica::start_with(ground.sysndd(), |command| {
            command.env("SYSNDD_FAULT", "hold:60");
        });
        holder.wait_until("holding", |holder| holder.said("Acquired migration lock") == 1);
        let other = Replica::start(ground.sysndd());
        other.wait_until("waiting", |other| other.said("Waiting for migrations by ") == 1);
        holder.signal("KILL");
        other.wait_ready();
        assert_eq!(other.said("Migrations complete"), 1);
        assert_eq!(other.startup(), (false, true));
    }
}
