//! Users of PostgreSQL that lack a right.

use foundation_durable::migration::State;
use testkit::postgres;

use super::ground::{Ground, Kind};
use super::process::Replica;

/// The same database for another user, who may only connect.
fn as_user(ground: &Ground, user: &str) -> String {
    let cluster = postgres::cluster().expect("a cluster");
    let make = format!(
        "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{user}') \
         THEN CREATE ROLE {user} LOGIN; END IF; END $$"
    );
    cluster.sql("postgres", &make);
    ground.direct.replace("sysndd@", &format!("{user}@"))
}

#[test]
fn a_user_without_the_right_to_change_the_schema_starts_on_a_current_one() {
    let Some(ground) = Ground::new(Kind::Postgres) else {
        return;
    };
    ground.migrate();
    let url = as_user(&ground, "only_reads");
    let cluster = postgres::cluster().expect("a cluster");
    cluster.sql(&ground.direct, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO only_reads");
    let replica = Replica::start(super::process::sysndd(&url, ground.data()));
    replica.wait_ready();
    assert_eq!(replica.startup(), (true, false));
}

#[test]
fn on_an_empty_schema_it_stays_up_and_says_which_right_is_missing() {
    let Some(ground) = Ground::new(Kind::Postgres) else {
        return;
    };
    let url = as_user(&ground, "only_connects");
    let mut replica = Replica::start(super::process::sysndd(&url, ground.data()));
    replica.wait_until("failed", |replica| {
        replica.said("API startup aborted: migration failure - ") > 0
    });
    let health = replica.health();
    assert_eq!(health["status"], "unhealthy");
    assert_eq!(health["reason"], "migration_error");
    assert!(health["error"].as_str().expect("a text").contains("permission denied"), "{health}");
    assert_eq!(replica.said("FATAL: Migration failed - "), 1);
    assert!(replica.ended().is_none(), "no crash loop");
    assert_eq!(ground.state(), State::Empty);
}

#[test]
fn a_user_that_may_not_read_the_history_is_told_what_to_grant() {
    let Some(ground) = Ground::new(Kind::Postgres) else {
        return;
    };
    ground.migrate();
    let url = as_user(&ground, "only_connects");
    let replica = Replica::start(super::process::sysndd(&url, ground.data()));
    replica.wait_until("failed", |replica| replica.said("API startup aborted") > 0);
    let health = replica.health();
    assert_eq!(health["migrations"]["state"], "unknown");
    assert!(health["error"].as_str().expect("a text").contains("GRANT SELECT"), "{health}");
    let status = super::process::sysndd(&url, ground.data()).args(["migrate", "status"]).output();
    let status = status.expect("sysndd");
    assert_eq!(status.status.code(), Some(7));
    assert!(String::from_utf8_lossy(&status.stdout).contains("GRANT SELECT"));
}
