//! The server as others see it: headers, limits, health, logs, and what it says when it can't start.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use testkit::mount;

use super::process::{Replica, exchange, get, sysndd};

fn program(data: &Path) -> Command {
    sysndd(&format!("sqlite:{}", data.join("sysndd.db").display()), data)
}

fn ready(data: &Path, more: &[(&str, &str)]) -> Replica {
    let replica = Replica::start_with(program(data), |command| {
        command.envs(more.iter().copied());
    });
    replica.wait_ready();
    replica
}

/// Head, in lower case, and body of an answer from the public side.
fn ask(replica: &Replica, request: &str) -> (String, String) {
    let (head, body) = exchange(
        replica.public,
        &format!("{request}\r\nHost: sysndd.test\r\nConnection: close\r\n\r\n"),
    )
    .expect("an answer");
    (head.to_ascii_lowercase(), body)
}

#[test]
fn every_answer_makes_a_browser_strict_and_has_an_id() {
    let folder = mount::folder().expect("a folder");
    let replica = ready(folder.path(), &[("SYSNDD_PUBLIC_URL", "https://sysndd.test")]);
    for path in ["/", "/api/health/", "/nothing/here"] {
        let (head, _) = ask(&replica, &format!("GET {path} HTTP/1.1"));
        for header in [
            "content-security-policy: default-src 'none'; script-src 'self';",
            "x-content-type-options: nosniff",
            "x-frame-options: deny",
            "referrer-policy: ",
            "permissions-policy: ",
            "cross-origin-opener-policy: same-origin",
            "cross-origin-resource-policy: ",
            "strict-transport-security: max-age=",
            "x-request-id: ",
        ] {
            assert!(head.contains(header), "{path} lacks {header}: {head}");
        }
        assert!(!head.contains("unsafe-inline") && !head.contains("\r\nserver:"), "{head}");
    }
    let (head, _) = ask(&replica, "GET /api/health/ HTTP/1.1\r\nX-Request-Id: from-the-proxy.1");
    assert!(head.contains("x-request-id: from-the-proxy.1"));
    let (head, _) = ask(&replica, "GET /api/health/ HTTP/1.1\r\nX-Request-Id: no spaces");
    assert!(!head.contains("no spaces"));
}

#[test]
fn the_log_has_the_route_and_the_id_and_never_what_was_asked_for() {
    let folder = mount::folder().expect("a folder");
    let replica = ready(folder.path(), &[]);
    let request = "GET /api/health/?token=geheim&q=illness HTTP/1.1\r\nX-Request-Id: seen-1\r\nAuthorization: Bearer geheim";
    ask(&replica, request);
    ask(&replica, "GET /api/health/performance?illness HTTP/1.1");
    replica.wait_until("logging", |replica| replica.said("request") >= 2);
    let text = replica.log_text();
    assert!(!text.contains("geheim") && !text.contains("illness"), "{text}");
    let line = text.lines().find(|line| line.contains("seen-1")).expect("a line");
    for field in
        ["\"route\":\"/api/health/\"", "\"status\":200", "\"method\":\"GET\"", "\"duration_ms\":"]
    {
        assert!(line.contains(field), "{field} in {line}");
    }
}

#[test]
fn other_sites_call_the_api_only_if_they_are_listed() {
    let folder = mount::folder().expect("a folder");
    let replica =
        ready(folder.path(), &[("SYSNDD_PUBLIC_CORS_ALLOWED_ORIGINS", "https://sysndd.org")]);
    let from =
        |origin: &str| ask(&replica, &format!("GET /api/health/ HTTP/1.1\r\nOrigin: {origin}"));
    let (head, _) = from("https://sysndd.org");
    assert!(head.starts_with("http/1.1 200"));
    assert!(head.contains("access-control-allow-origin: https://sysndd.org"), "{head}");
    assert!(head.contains("access-control-allow-credentials: true"));
    assert!(
        head.contains("vary: origin") || head.contains("vary: accept-encoding, origin"),
        "{head}"
    );
    let (head, body) = from("https://evil.example");
    assert!(
        head.starts_with("http/1.1 403") && head.contains("application/problem+json"),
        "{head}"
    );
    assert!(!head.contains("access-control-allow-origin"));
    assert!(body.contains("\"status\":403"));
    assert!(from("http://sysndd.test").0.starts_with("http/1.1 200"), "our own pages");
    let (head, _) = ask(
        &replica,
        "OPTIONS /api/health/ HTTP/1.1\r\nOrigin: http://localhost:5173\r\nAccess-Control-Request-Method: GET",
    );
    assert!(
        head.starts_with("http/1.1 204") && head.contains("access-control-max-age: 86400"),
        "{head}"
    );
}

#[test]
fn a_caller_over_its_rate_is_told_when_to_come_back_and_headers_of_strangers_do_not_help() {
    let folder = mount::folder().expect("a folder");
    let rate = [("SYSNDD_PUBLIC_REQUESTS_PER_SECOND", "1"), ("SYSNDD_PUBLIC_REQUEST_BURST", "5")];
    let replica = ready(folder.path(), &rate);
    let answers: Vec<_> = (0..8)
        .map(|number| {
            ask(&replica, &format!("GET /api/health/ HTTP/1.1\r\nX-Forwarded-For: 10.0.0.{number}"))
                .0
        })
        .collect();
    let refused: Vec<_> = answers.iter().filter(|head| head.starts_with("http/1.1 429")).collect();
    assert!(refused.len() >= 2, "{answers:#?}");
    assert!(
        refused.iter().all(|head| head.contains("retry-after: ") && head.contains("problem+json"))
    );
    assert!(replica.is_ready(), "operations have no such limit");
    let folder = mount::folder().expect("a folder");
    let trusting = [rate[0], rate[1], ("SYSNDD_PUBLIC_TRUSTED_PROXIES", "127.0.0.0/8")];
    let replica = ready(folder.path(), &trusting);
    for number in 0..12 {
        let request = format!("GET /api/health/ HTTP/1.1\r\nX-Forwarded-For: 10.0.0.{number}");
        assert!(ask(&replica, &request).0.starts_with("http/1.1 200"), "a proxy speaks for many");
    }
}

#[test]
fn a_body_that_is_too_large_is_refused_before_it_is_read() {
    let folder = mount::folder().expect("a folder");
    let replica = ready(folder.path(), &[("SYSNDD_PUBLIC_BODY_BYTES_MAX", "2048")]);
    let (head, _) = ask(&replica, "POST /api/health/ HTTP/1.1\r\nContent-Length: 4096");
    assert!(head.starts_with("http/1.1 413"), "{head}");
}

#[test]
fn operations_tell_what_is_checked_and_count_requests() {
    let folder = mount::folder().expect("a folder");
    let replica = ready(folder.path(), &[]);
    let text = |path: &str| replica.ask(path).expect("an answer");
    assert_eq!(text("/livez"), (200, "ok\n".to_owned()));
    assert_eq!(text("/startupz"), (200, "ok\n".to_owned()));
    let (_, verbose) = text("/readyz?verbose");
    assert_eq!(
        verbose,
        "[+]db ok\n[+]schema ok\n[+]data ok\n[+]pool ok\n[+]started ok\n[+]draining ok\n"
    );
    assert!(!text("/readyz?verbose&exclude=data").1.contains("data"));
    let (status, detail) = text("/health");
    assert_eq!(status, 200);
    assert!(
        detail.contains("\"status\":\"pass\"") && detail.contains("db:responseTime"),
        "{detail}"
    );
    assert_eq!(get(replica.public, "/api/health").expect("an answer").0, 307);
    assert_eq!(get(replica.public, "/metrics").expect("an answer").0, 404, "not for strangers");
    let (_, metrics) = text("/metrics");
    for line in [
        "http_server_request_duration_seconds_count{method=\"GET\",route=\"/api/health\",status_class=\"3xx\"} 1",
        "http_server_request_duration_seconds_count{method=\"GET\",route=\"unmatched\",status_class=\"4xx\"} 1",
        "sysndd_migration_state{state=\"current\"} 1.0",
        "sysndd_migration_pending 0.0",
        "sysndd_ready 1.0",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line} in\n{metrics}");
    }
    let (_, performance) = get(replica.public, "/api/health/performance").expect("an answer");
    assert!(performance.contains("\"total_workers\":"), "{performance}");
}

#[test]
fn the_health_command_ends_with_0_or_1() {
    let folder = mount::folder().expect("a folder");
    let replica = ready(folder.path(), &[]);
    let health = |url: &str| {
        let output =
            program(folder.path()).args(["health", "--url", url]).output().expect("sysndd");
        output.status.code()
    };
    assert_eq!(health(&format!("http://127.0.0.1:{}/readyz", replica.operations)), Some(0));
    assert_eq!(health(&format!("http://127.0.0.1:{}/nothing", replica.operations)), Some(1));
    let port = testkit::postgres::free_port().expect("a port");
    assert_eq!(health(&format!("http://127.0.0.1:{port}/readyz")), Some(1));
    let configured = |port: u16| {
        let address = format!("127.0.0.1:{port}");
        let mut command = program(folder.path());
        let output = command.env("SYSNDD_OPERATIONS_ADDRESS", address).arg("health").output();
        output.expect("sysndd").status.code()
    };
    assert_eq!((configured(replica.operations), configured(port)), (Some(0), Some(1)));
}

#[test]
fn a_data_directory_that_can_not_be_written_is_named_with_its_owner_us_and_the_command_to_run() {
    if mount::lacks(&[]) {
        return;
    }
    let folder = mount::folder().expect("a folder");
    // The folder is root's alone; its parent must let the other user pass, else it is not found.
    let data = folder.path().join("data");
    std::fs::create_dir(&data).expect("a directory");
    std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .expect("rights");
    let program_for_all = folder.path().join("sysndd");
    std::fs::copy(env!("CARGO_BIN_EXE_sysndd"), &program_for_all).expect("a copy");
    let mut command = Command::new(&program_for_all);
    command.env_clear().current_dir("/").uid(1000).gid(1000).arg("--data").arg(&data).arg("serve");
    let output = command.output().expect("sysndd");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(9), "{text}");
    for part in [
        data.display().to_string(),
        "It belongs to user 0, group 0; this process is user 1000, group 1000".to_owned(),
        format!("sudo chown -R 1000:1000 {}", data.display()),
    ] {
        assert!(text.contains(&part), "{part} in {text}");
    }
}

#[test]
fn what_is_wrong_in_the_configuration_is_told_with_its_place() {
    let folder = mount::folder().expect("a folder");
    let file = folder.path().join("sysndd.toml");
    std::fs::write(&file, "[database]\npoolsize = 3\n[public]\nadress = \"x\"\n").expect("a file");
    let mut command = program(folder.path());
    let output =
        command.arg("--config").arg(&file).args(["config", "check"]).output().expect("sysndd");
    assert_eq!(output.status.code(), Some(6));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(
        text.contains(
            "line 2: there is no key `database.poolsize`; did you mean `database.pool_size`?"
        ),
        "{text}"
    );
    assert!(
        text.contains("line 4: there is no key `public.adress`; did you mean `public.address`?"),
        "{text}"
    );
    let mut command = program(folder.path());
    command.env("SYSNDD_DATABASE_URL", "postgres://a:geheim@b/c").args(["config", "explain"]);
    let output = command.output().expect("sysndd");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        text.contains("database.url = (secret)\n    from environment SYSNDD_DATABASE_URL"),
        "{text}"
    );
    assert!(!text.contains("geheim"));
}

#[test]
fn version_completions_and_manual_are_printed() {
    let folder = mount::folder().expect("a folder");
    for (arguments, expected) in [
        (&["version"][..], "sysndd 0."),
        (&["version", "--json"], "\"schema_version\":"),
        (&["completions", "bash"], "_sysndd"),
        (&["man"], ".TH sysndd"),
    ] {
        let output = program(folder.path()).args(arguments).output().expect("sysndd");
        assert!(output.status.success());
        assert!(String::from_utf8_lossy(&output.stdout).contains(expected), "{arguments:?}");
    }
}

#[test]
fn without_a_database_it_starts_says_so_and_becomes_ready_when_there_is_one() {
    let folder = mount::folder().expect("a folder");
    let Some(cluster) = testkit::postgres::cluster() else {
        return;
    };
    let url = cluster.database();
    let name = url.rsplit('/').next().expect("a name");
    cluster.sql("postgres", &format!("ALTER DATABASE {name} RENAME TO {name}_away"));
    let replica = Replica::start(sysndd(&url, folder.path()));
    replica.wait_until("waiting", |replica| replica.said("Waiting for the database") == 1);
    assert_eq!(replica.ask("/livez").expect("an answer").0, 200);
    assert_eq!(replica.health()["reason"], "database_unavailable");
    assert!(get(replica.public, "/api/health/").is_none(), "the public door is shut");
    cluster.sql("postgres", &format!("ALTER DATABASE {name}_away RENAME TO {name}"));
    replica.wait_ready();
    assert_eq!(replica.startup(), (false, true));
}
