//! A replica: `sysndd serve` with a log that can be read while it runs.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use foundation_runtime::{Clock as _, SystemClock};
use serde_json::Value;
use testkit::{postgres, program};

pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// The program, for a database and a data directory, with nothing of ours around it.
pub(crate) fn sysndd(url: &str, data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sysndd"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("SYSNDD_") {
            command.env_remove(name);
        }
    }
    command
        .env("SYSNDD_DATABASE_URL", url)
        .env("SYSNDD_DATA_DIRECTORY", data)
        .env("SYSNDD_LOG_FORMAT", "json")
        .env("SYSNDD_SHUTDOWN_DRAIN_SECONDS", "0")
        .stdin(Stdio::null());
    command
}

pub(crate) struct Replica {
    child: Child,
    pub(crate) public: u16,
    pub(crate) operations: u16,
    log: Arc<Mutex<Vec<Value>>>,
    reader: Option<JoinHandle<()>>,
}

impl Replica {
    pub(crate) fn start(command: Command) -> Self {
        Self::start_with(command, |_| {})
    }

    pub(crate) fn start_with(mut command: Command, more: impl FnOnce(&mut Command)) -> Self {
        let port = || postgres::free_port().expect("a port");
        let (public, operations) = (port(), port());
        command
            .arg("serve")
            .args(["--public", &format!("127.0.0.1:{public}")])
            .args(["--operations", &format!("127.0.0.1:{operations}")])
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        more(&mut command);
        let mut child = program::start(&mut command).expect("sysndd");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        let log = Arc::new(Mutex::new(Vec::new()));
        let lines = Arc::clone(&log);
        let reader = std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let event = serde_json::from_str(&line).expect("a line of the log is JSON");
                lines.lock().expect("the log").push(event);
            }
        });
        Self { child, public, operations, log, reader: Some(reader) }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The texts of the log so far.
    pub(crate) fn messages(&self) -> Vec<String> {
        let log = self.log.lock().expect("the log");
        log.iter().map(|event| event["message"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// The whole log, a line for each event.
    pub(crate) fn log_text(&self) -> String {
        let log = self.log.lock().expect("the log");
        log.iter().map(|event| format!("{event}\n")).collect()
    }

    pub(crate) fn said(&self, start: &str) -> usize {
        self.messages().iter().filter(|text| text.starts_with(start)).count()
    }

    /// Asks the operations side; nothing if nobody answers.
    pub(crate) fn ask(&self, path: &str) -> Option<(u16, String)> {
        get(self.operations, path)
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.ask("/readyz").is_some_and(|(status, _)| status == 200)
    }

    pub(crate) fn wait_until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let began = SystemClock::new();
        while !holds(self) {
            assert!(
                began.monotonic() < PATIENCE,
                "not {what}: {:#?}, {:?}",
                self.messages(),
                self.ask("/readyz?verbose")
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Ready, and the public door is open.
    pub(crate) fn wait_ready(&self) {
        self.wait_until("ready", |replica| replica.said("Ready") > 0 && replica.is_ready());
    }

    /// The body of the published readiness.
    pub(crate) fn health(&self) -> Value {
        let (_, body) = self.ask("/api/health/ready").expect("an answer");
        serde_json::from_str(&body).expect("JSON")
    }

    /// The same, once it is healthy: on a busy machine a look at the database may come too late.
    pub(crate) fn healthy(&self) -> Value {
        self.wait_until("healthy", |replica| replica.health()["status"] == "healthy");
        self.health()
    }

    /// `(fast_path, lock_acquired)`.
    pub(crate) fn startup(&self) -> (bool, bool) {
        let startup = &self.health()["migrations"]["startup"];
        let flag = |name: &str| startup[name].as_bool().expect("a flag");
        (flag("fast_path"), flag("lock_acquired"))
    }

    pub(crate) fn signal(&self, name: &str) {
        signal(self.child.id(), name);
    }

    /// Asks it to end, and waits for that.
    pub(crate) fn end(mut self) -> (ExitStatus, Vec<String>) {
        self.signal("TERM");
        let status = self.child.wait().expect("its end");
        self.reader.take().expect("a reader").join().expect("its log");
        let messages = self.messages();
        (status, messages)
    }

    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("its state")
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn signal(process: u32, name: &str) {
    let status = Command::new("kill").args([format!("-{name}"), process.to_string()]).status();
    assert!(status.expect("kill").success());
}

/// One request with a connection of its own.
pub(crate) fn get(port: u16, path: &str) -> Option<(u16, String)> {
    let (head, body) = exchange(
        port,
        &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
    )?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, body))
}

/// Sends a text and returns head and body of the answer.
pub(crate) fn exchange(port: u16, request: &str) -> Option<(String, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
    stream.write_all(request.as_bytes()).ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    Some((head.to_owned(), body.to_owned()))
}
