//! Databases that are not as they should be.

use std::fs;
use std::path::Path;

use foundation_durable::migration::State;
use foundation_runtime::{Clock as _, SystemClock};
use testkit::mount::{self, SmallDisk};
use testkit::postgres;

use super::ground::{Ground, Kind, has_faults};
use super::process::{Replica, exchange, get, sysndd};

const BOTH: [Kind; 2] = [Kind::Sqlite, Kind::Postgres];
const NEWER: &str = "INSERT INTO schema_migration \
     (version, name, checksum, compatible, applied_at, milliseconds, program, instance) \
     VALUES (900, '0900_newer.sql', 'x', 900, '2030-01-01T00:00:00.000Z', 1, '9.0.0', 'other:1')";

/// A history as a newer program leaves it: without a gap.
fn newer(ground: &Ground) {
    ground.execute(NEWER);
    ground.execute("UPDATE schema_migration SET version = (SELECT count(*) FROM schema_migration) WHERE version = 900");
}

#[test]
fn an_older_program_is_not_ready_on_a_newer_schema_unless_that_fits_or_it_may_only_read() {
    for kind in BOTH {
        let Some(ground) = Ground::new(kind) else {
            continue;
        };
        ground.migrate();
        newer(&ground);
        let replica = Replica::start(ground.sysndd());
        replica.wait_until("looking", |replica| replica.said("Fast path") == 1);
        let health = replica.health();
        assert_eq!(health["reason"], "migration_error");
        assert_eq!(health["migrations"]["state"], "ahead");
        assert!(health["error"].as_str().expect("a text").contains("0900_newer.sql"));
        let reading = Replica::start_with(ground.sysndd(), |command| {
            command.env("SYSNDD_DATABASE_AHEAD", "read-only");
        });
        reading.wait_ready();
        // Someone says that programs of before fit: the replica that is up becomes ready by itself.
        ground.execute("UPDATE schema_migration SET compatible = 1 WHERE name = '0900_newer.sql'");
        replica.wait_ready();
    }
}

#[test]
fn a_file_that_was_edited_after_it_was_applied_keeps_every_program_from_serving() {
    for kind in BOTH {
        let Some(ground) = Ground::new(kind) else {
            continue;
        };
        ground.migrate();
        ground.execute("UPDATE schema_migration SET checksum = 'edited' WHERE version = 1");
        let replica = Replica::start(ground.sysndd());
        replica.wait_until("failed", |replica| replica.said("API startup aborted") == 1);
        assert_eq!(replica.health()["migrations"]["state"], "drifted");
        let verify =
            ground.sysndd().args(["migrate", "verify", "--json"]).output().expect("sysndd");
        assert_eq!(verify.status.code(), Some(8));
        ground.execute("UPDATE schema_migration SET version = 77 WHERE version = 2");
        assert_eq!(ground.state(), State::Dirty);
    }
}

#[test]
fn what_a_migration_says_must_be_true_is_asked_again_by_verify() {
    for kind in BOTH {
        let Some(ground) = Ground::new(kind) else {
            continue;
        };
        ground.migrate();
        let verify = || ground.sysndd().args(["migrate", "verify"]).output().expect("sysndd");
        let fine = verify();
        assert!(fine.status.success(), "{}", String::from_utf8_lossy(&fine.stdout));
        ground.execute("DROP TABLE data_version");
        let broken = verify();
        assert_eq!(broken.status.code(), Some(8));
        assert!(String::from_utf8_lossy(&broken.stdout).contains("not true any more"));
    }
}

#[test]
fn tables_of_others_are_refused_and_left_alone() {
    for kind in BOTH {
        let Some(ground) = Ground::new(kind) else {
            continue;
        };
        if kind == Kind::Sqlite {
            ground.migrate();
            ground.execute("DROP TABLE schema_migration");
        } else {
            postgres::cluster()
                .expect("a cluster")
                .sql(&ground.direct, "CREATE TABLE others (a INT)");
        }
        let apply = ground.sysndd().args(["migrate", "apply"]).output().expect("sysndd");
        assert_eq!(apply.status.code(), Some(4));
        assert!(String::from_utf8_lossy(&apply.stderr).contains("of its own"));
        assert_eq!(ground.state(), State::Refused);
    }
}

#[test]
fn a_database_restored_from_before_a_migration_makes_running_replicas_unready_and_the_next_start_mends_it()
 {
    if !has_faults() {
        return;
    }
    let Some(ground) = Ground::new(Kind::Postgres) else {
        return;
    };
    let cluster = postgres::cluster().expect("a cluster");
    ground.migrate();
    let dump = ground.data().join("dump.sql");
    let name = ground.direct.rsplit('/').next().expect("a name");
    let dumped =
        cluster.program("pg_dump").arg("-f").arg(&dump).arg(name).status().expect("pg_dump");
    assert!(dumped.success());
    let more = ground.data().join("more");
    fs::create_dir(&more).expect("a directory");
    let next = ground.look().applied.len() + 1;
    let file = more.join(format!("{next:04}_next.sql"));
    fs::write(file, "-- compatible: 1\n-- step: a table\nCREATE TABLE added_later (a BIGINT);\n")
        .expect("a file");
    let start = || {
        Replica::start_with(ground.sysndd(), |command| {
            command.env("SYSNDD_FAULT_MIGRATIONS", &more);
        })
    };
    let replica = start();
    replica.wait_ready();
    assert_eq!(replica.said("Migrations complete (1 applied"), 1);
    cluster.sql(&ground.direct, "DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    let restored = cluster
        .program("psql")
        .args(["-q", "-X", "-o", "/dev/null", "-d", name, "-f"])
        .arg(&dump)
        .status();
    assert!(restored.expect("psql").success());
    replica.wait_until("unready", |replica| !replica.is_ready());
    let health = replica.health();
    assert_eq!(
        (&health["reason"], &health["migrations"]["pending"]),
        (&"migrations_pending".into(), &1.into())
    );
    let again = start();
    again.wait_ready();
    replica.wait_until("ready again", Replica::is_ready);
}

#[test]
fn a_full_disk_leaves_nothing_half_done_and_with_space_the_same_command_completes() {
    if mount::lacks(&["mount"]) {
        return;
    }
    let disk = SmallDisk::new(120).expect("a small disk");
    let url = format!("sqlite:{}", disk.path().join("sysndd.db").display());
    let apply = || sysndd(&url, disk.path()).args(["migrate", "apply"]).output().expect("sysndd");
    let full = apply();
    let text = String::from_utf8_lossy(&full.stderr);
    assert_eq!(full.status.code(), Some(9), "{text}");
    disk.resize(64 * 1024).expect("a larger disk");
    let done = apply();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(String::from_utf8_lossy(&done.stdout).contains("Migrations complete"));
}

#[test]
fn with_a_full_data_directory_a_replica_goes_on_reading_and_says_what_does_not_work() {
    if mount::lacks(&["mount"]) {
        return;
    }
    let ground = Ground::new(Kind::Sqlite).expect("a file");
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sample");
    let imported = ground.sysndd().args(["import", "hpo", "-q"]).arg(sample).output();
    assert!(imported.expect("sysndd").status.success());
    let disk = SmallDisk::new(4 * 1024).expect("a small disk");
    let errors = ground.data().join("errors");
    let replica = Replica::start_with(sysndd(&ground.url, disk.path()), |command| {
        command.stderr(fs::File::create(&errors).expect("a file"));
    });
    replica.wait_ready();
    let list = |format: &str| {
        get(replica.public, &format!("/api/entity/?format={format}")).expect("an answer")
    };
    assert!(fs::write(disk.path().join("filling"), vec![1; 5 << 20]).is_err(), "it is full");
    for format in ["xlsx", "csv"] {
        let (status, body) = list(format);
        assert_eq!(status, 500, "{format}: {body}");
        assert!(body.contains("the operator of this site finds the reason in its log"), "{body}");
    }
    replica.wait_until("logged", |replica| replica.said("an export failed") == 2);
    assert!(replica.log_text().contains("No space left"), "{}", replica.log_text());
    assert_eq!(fs::read_to_string(&errors).expect("a file"), "", "no panic is printed");
    assert_eq!(list("json").0, 200);
    replica.wait_until("noticed", |replica| {
        replica.ask("/readyz?verbose").is_some_and(|(status, text)| {
            status == 200 && text.contains("[!]data warning: 0 bytes are free")
        })
    });
    assert!(replica.is_ready());
    let (status, health) = replica.ask("/health").expect("an answer");
    assert_eq!(status, 200);
    assert!(health.contains("\"status\":\"warn\""), "{health}");
}

#[test]
fn a_file_that_is_damaged_in_the_middle_is_noticed_by_verify() {
    let ground = Ground::new(Kind::Sqlite).expect("a file");
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sample");
    let imported = ground.sysndd().args(["import", "hpo", "-q"]).arg(sample).output();
    assert!(imported.expect("sysndd").status.success());
    let verify = || ground.sysndd().args(["migrate", "verify"]).output().expect("sysndd");
    assert!(verify().status.success());
    let path = ground.data().join("sysndd.db");
    let mut bytes = fs::read(&path).expect("the database");
    let middle = bytes.len() / 2;
    bytes[middle..middle + 64 * 1024].fill(0x5a);
    fs::write(&path, bytes).expect("the database");
    let damaged = verify();
    assert_eq!(damaged.status.code(), Some(8), "{damaged:?}");
    let text = String::from_utf8_lossy(&damaged.stdout).into_owned();
    assert!(text.contains("the database is damaged: "), "{text}");
}

#[test]
fn a_place_where_no_database_can_lie_ends_the_start_and_an_address_where_nobody_answers_is_named() {
    let ground = Ground::new(Kind::Sqlite).expect("a file");
    let apply = |url: &str| {
        let output = sysndd(url, ground.data()).args(["migrate", "status"]).output();
        let output = output.expect("sysndd");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let folder = ground.data().display();
    for url in [format!("sqlite:{folder}/nope/x.db"), format!("sqlite:{folder}")] {
        let (code, text) = apply(&url);
        assert_eq!(code, Some(6), "{text}");
        assert!(text.contains(&url["sqlite:".len()..]), "{text}");
    }
    let port = postgres::free_port().expect("a port");
    let (_, text) = apply(&format!("postgres://a:geheim@127.0.0.1:{port}/b"));
    assert!(
        text.contains(&format!("127.0.0.1:{port} is unreachable: Connection refused")),
        "{text}"
    );
    assert!(!text.contains("geheim"));
}

#[test]
fn a_replica_that_is_asked_to_stop_drains_and_finishes_what_is_under_way() {
    let ground = Ground::new(Kind::Sqlite).expect("a file");
    let mut replica = Replica::start_with(ground.sysndd(), |command| {
        command.env("SYSNDD_SHUTDOWN_DRAIN_SECONDS", "2");
    });
    replica.wait_ready();
    let keep_alive = "GET /api/health/ HTTP/1.1\r\nHost: localhost\r\n\r\n";
    replica.signal("TERM");
    replica.wait_until("draining", |replica| {
        replica
            .ask("/readyz")
            .is_some_and(|(status, text)| status == 503 && text.contains("draining"))
    });
    let (head, _) = exchange(replica.public, keep_alive).expect("it still answers");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(head.to_ascii_lowercase().contains("connection: close"), "{head}");
    let began = SystemClock::new();
    let status = loop {
        if let Some(status) = replica.ended() {
            break status;
        }
        assert!(began.monotonic().as_secs() < 20);
        std::thread::sleep(std::time::Duration::from_millis(20));
    };
    assert!(status.success());
}
