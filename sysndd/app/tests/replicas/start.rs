//! Starting together.

use super::ground::{Ground, Kind};
use super::process::{Replica, get};
use sysndd_app::state::migrations;

const PROCESSES: usize = 8;

fn rounds() -> usize {
    std::env::var("SYSNDD_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(20)
}

fn ready(ground: &Ground) -> Vec<Replica> {
    let replicas: Vec<_> = (0..PROCESSES).map(|_| Replica::start(ground.sysndd())).collect();
    replicas.iter().for_each(Replica::wait_ready);
    replicas
}

fn total(replicas: &[Replica], start: &str) -> usize {
    replicas.iter().map(|replica| replica.said(start)).sum()
}

fn end(replicas: Vec<Replica>) {
    for replica in &replicas {
        replica.signal("TERM");
    }
    for replica in replicas {
        let (status, messages) = replica.end();
        assert!(status.success(), "{status}: {messages:#?}");
        assert!(!messages.iter().any(|text| text.starts_with("FATAL")), "{messages:#?}");
    }
}

/// One migrates, whoever waited never locked, and everybody says so.
fn check_first_start(ground: &Ground, replicas: &[Replica]) {
    let files = migrations().expect("files").files().len();
    assert_eq!(total(replicas, "Migrations complete"), 1);
    let look = ground.look();
    assert_eq!(look.applied.len(), files);
    let owner = &look.applied[0].instance;
    assert!(look.applied.iter().all(|row| &row.instance == owner), "one process applied all");
    let mut migrated = 0;
    for replica in replicas {
        let health = replica.healthy();
        assert_eq!(health["migrations"]["pending"], 0);
        assert_eq!(health["migrations"]["applied"], files);
        assert_eq!(health["migrations"]["lock"]["locked"], false);
        let applied = replica.said("Migrations complete") == 1;
        migrated += usize::from(applied);
        let acquired = replica.said("Acquired migration lock 'sysndd_migration'");
        assert_eq!(acquired, replica.said("Released migration lock 'sysndd_migration'"));
        match replica.startup() {
            (true, false) => {
                assert_eq!(replica.said("Fast path: schema up to date, no lock needed"), 1);
                assert_eq!(acquired, 0);
            }
            (false, true) => {
                assert_eq!(acquired, 1, "{:#?}", replica.messages());
                assert!(applied || replica.said("Another container completed") == 1);
            }
            (false, false) => {
                assert_eq!(acquired, 0);
                assert_eq!(
                    replica.said("Another container completed migrations while we waited"),
                    1
                );
            }
            (true, true) => panic!("who takes the fast path takes no lock"),
        }
        assert_eq!(replica.said("Migration lock acquisition timed out"), 0);
        assert_eq!(get(replica.public, "/api/health/").expect("an answer").0, 200);
    }
    assert_eq!(migrated, 1);
    let files = std::fs::read_dir(ground.data().join("instances")).expect("instances");
    assert_eq!(files.count(), PROCESSES);
}

fn check_next_start(replicas: &[Replica]) {
    assert_eq!(total(replicas, "Fast path: schema up to date, no lock needed"), PROCESSES);
    assert_eq!(total(replicas, "Acquired migration lock"), 0);
    assert!(replicas.iter().all(|replica| replica.startup() == (true, false)));
}

fn eight_processes(kind: Kind) {
    let rounds = rounds();
    for round in 1..=rounds {
        let Some(ground) = Ground::new(kind) else {
            return;
        };
        let replicas = ready(&ground);
        check_first_start(&ground, &replicas);
        end(replicas);
        assert_eq!(
            std::fs::read_dir(ground.data().join("instances")).expect("instances").count(),
            0
        );
        if round == rounds {
            let replicas = ready(&ground);
            check_next_start(&replicas);
            end(replicas);
        }
    }
}

#[test]
fn of_eight_processes_on_an_empty_sqlite_file_one_migrates_and_all_serve() {
    eight_processes(Kind::Sqlite);
}

#[test]
fn of_eight_processes_on_an_empty_postgresql_one_migrates_and_all_serve() {
    eight_processes(Kind::Postgres);
}

#[test]
fn of_eight_processes_behind_a_transaction_pooler_one_migrates_and_all_serve() {
    eight_processes(Kind::Pooler);
}
