//! A PostgreSQL of the tests' own, and a pgbouncer before it: started when the first test asks,
//! shared by all tests of a test program, with a database for each of them. Never the system's.
//!
//! Neither program may run as root, so for root they run as nobody. Nothing stays behind: a shell
//! beside each waits for the end of a pipe which only the test program holds open, so it notices
//! even a kill, then ends the server and removes its files.

use std::fs;
use std::io;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// The user of both servers; in the cluster it may do everything.
pub const USER: &str = "sysndd";
const NOBODY: u32 = 65_534;
const PATIENCE: Duration = Duration::from_secs(60);

/// A running cluster.
#[derive(Debug)]
pub struct Cluster {
    programs: PathBuf,
    /// Its port on 127.0.0.1.
    pub port: u16,
    _guard: ChildStdin,
}

/// A running pgbouncer in transaction mode.
#[derive(Debug)]
pub struct Pooler {
    /// Its port on 127.0.0.1.
    pub port: u16,
    _guard: ChildStdin,
}

static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();
static POOLER: OnceLock<Option<Pooler>> = OnceLock::new();
static DATABASES: AtomicU32 = AtomicU32::new(1);

/// The cluster of this test program. Says `skipped: needs postgresql` where there is none, and fails
/// with `CI=true`, where nothing may be missing.
///
/// # Panics
/// When it can't be started, or with `CI=true` when it is not installed.
pub fn cluster() -> Option<&'static Cluster> {
    let cluster = CLUSTER.get_or_init(|| {
        let programs = programs()?;
        Some(Cluster::start(programs).expect("a PostgreSQL cluster"))
    });
    if cluster.is_none() {
        lacking("postgresql");
    }
    cluster.as_ref()
}

/// The pgbouncer of this test program, before its cluster.
///
/// # Panics
/// As [`cluster`].
pub fn pooler() -> Option<&'static Pooler> {
    let cluster = cluster()?;
    let pooler = POOLER.get_or_init(|| {
        let program = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer"].map(Path::new);
        let program = program.into_iter().find(|program| program.exists())?;
        Some(Pooler::start(program, cluster.port).expect("a pgbouncer"))
    });
    if pooler.is_none() {
        lacking("pgbouncer");
    }
    pooler.as_ref()
}

impl Cluster {
    /// Makes an empty database and returns its address.
    ///
    /// # Panics
    /// When it can't be made.
    #[must_use]
    pub fn database(&self) -> String {
        let number = DATABASES.fetch_add(1, Ordering::SeqCst);
        let name = format!("test_{number}");
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        format!("postgres://{USER}@127.0.0.1:{}/{name}", self.port)
    }

    /// Runs SQL in a database, by its address or name, and returns what `psql` prints: a line for
    /// each row, `|` between its values.
    ///
    /// # Panics
    /// When it fails.
    pub fn sql(&self, database: &str, sql: &str) -> String {
        let name = database.rsplit('/').next().unwrap_or(database);
        let output = Command::new(self.programs.join("psql"))
            .args(["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-U", USER])
            .args(["-p", &self.port.to_string(), "-d", name, "-c", sql])
            .output()
            .expect("psql");
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// The program of that name: `pg_dump`, say.
    #[must_use]
    pub fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.env("PGHOST", "127.0.0.1").env("PGPORT", self.port.to_string()).env("PGUSER", USER);
        command
    }

    fn start(programs: PathBuf) -> io::Result<Self> {
        let folder = folder()?;
        let data = folder.join("data");
        // Another order than that of bytes, so that a text which forgets to say how it sorts shows.
        let made = unprivileged(&programs.join("initdb"))
            .args(["--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8"])
            .args(["--locale-provider=icu", "--icu-locale=en-US", "-U", USER, "-D"])
            .arg(&data)
            .output()?;
        if !made.status.success() {
            return Err(io::Error::other(String::from_utf8_lossy(&made.stderr).into_owned()));
        }
        let port = free_port()?;
        let settings = [
            "listen_addresses=127.0.0.1".to_owned(),
            format!("port={port}"),
            format!("unix_socket_directories={}", folder.display()),
            "fsync=off".to_owned(),
            "full_page_writes=off".to_owned(),
            "max_connections=400".to_owned(),
            "shared_buffers=64MB".to_owned(),
        ];
        let mut arguments = vec!["-D".to_owned(), data.display().to_string()];
        arguments.extend(settings.into_iter().flat_map(|setting| ["-c".to_owned(), setting]));
        let guard = guarded(&programs.join("postgres"), &arguments, &folder)?;
        let ready = || {
            Command::new(programs.join("pg_isready"))
                .args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()])
                .status()
                .is_ok_and(|status| status.success())
        };
        wait(ready, &folder)?;
        Ok(Self { programs, port, _guard: guard })
    }
}

impl Pooler {
    /// The same database, through the pooler.
    #[must_use]
    pub fn through(&self, address: &str) -> String {
        let name = address.rsplit('/').next().unwrap_or_default();
        format!("postgres://{USER}@127.0.0.1:{}/{name}", self.port)
    }

    fn start(program: &Path, server: u16) -> io::Result<Self> {
        let folder = folder()?;
        let port = free_port()?;
        let file = folder.join("pgbouncer.ini");
        let text = format!(
            "[databases]\n* = host=127.0.0.1 port={server} user={USER}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nunix_socket_dir =\nauth_type = any\npool_mode = transaction\n\
             default_pool_size = 4\nmax_client_conn = 1000\nmax_prepared_statements = 0\n"
        );
        // The last line is for versions that can keep prepared statements: here none shall.
        let text = if knows_prepared(program) { text } else { without_last_line(&text) };
        fs::write(&file, text)?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644))?;
        let guard = guarded(program, &["-q".to_owned(), file.display().to_string()], &folder)?;
        wait(|| std::net::TcpStream::connect(("127.0.0.1", port)).is_ok(), &folder)?;
        Ok(Self { port, _guard: guard })
    }
}

fn knows_prepared(program: &Path) -> bool {
    let output = Command::new(program).arg("--version").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let version = text.unwrap_or_default();
    let minor = version.split('.').nth(1).and_then(|minor| minor.trim().parse::<u32>().ok());
    minor.is_some_and(|minor| minor >= 21)
}

fn without_last_line(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[..lines.len() - 1].join("\n") + "\n"
}

/// Starts a server that ends when this process does, however it ends; its folder goes with it.
fn guarded(program: &Path, arguments: &[String], folder: &Path) -> io::Result<ChildStdin> {
    const SCRIPT: &str = "folder=$1; shift; trap '' INT TERM HUP; \"$@\" >\"$folder/log\" 2>&1 </dev/null & \
         server=$!; cat >/dev/null; kill -INT $server; wait $server; rm -rf \"$folder\"";
    let mut shell: Child = unprivileged(Path::new("/bin/sh"))
        .args(["-c", SCRIPT, "guard"])
        .arg(folder)
        .arg(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()?;
    shell.stdin.take().ok_or_else(|| io::Error::other("no pipe"))
}

fn unprivileged(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/");
    if rustix::process::geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

/// A folder that the unprivileged user may write.
fn folder() -> io::Result<PathBuf> {
    let memory = PathBuf::from("/dev/shm");
    let parent = if memory.is_dir() { memory } else { std::env::temp_dir() };
    let folder = tempfile::Builder::new().prefix("dsg-test-pg-").tempdir_in(parent)?.keep();
    if rustix::process::geteuid().is_root() {
        chown(&folder, Some(NOBODY), Some(NOBODY))?;
    }
    Ok(folder)
}

/// Ports that the system gives to nobody by itself: one of those could be taken by a connection
/// before whoever is told to listen on it does.
const PORTS: std::ops::Range<u32> = 10_000..32_000;
static PORT: AtomicU32 = AtomicU32::new(0);

/// A port that nobody uses at this moment, and another one each time.
///
/// # Errors
/// When there is none.
pub fn free_port() -> io::Result<u16> {
    // Test programs that run at the same time begin at different places.
    let begin = std::process::id().wrapping_mul(37);
    for _ in PORTS {
        let next = begin.wrapping_add(PORT.fetch_add(1, Ordering::SeqCst));
        let port = PORTS.start + next % (PORTS.end - PORTS.start);
        let port = u16::try_from(port).unwrap_or(u16::MAX);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    Err(io::Error::other("all ports are in use"))
}

fn wait(ready: impl Fn() -> bool, folder: &Path) -> io::Result<()> {
    let began = Instant::now();
    while !ready() {
        if began.elapsed() > PATIENCE {
            let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
            return Err(io::Error::other(format!("it did not start: {log}")));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// The programs of the newest PostgreSQL that is installed.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut found: Vec<(u32, PathBuf)> = versions
        .flatten()
        .filter_map(|entry| {
            Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin")))
        })
        .filter(|(_, programs)| programs.join("initdb").exists())
        .collect();
    found.sort();
    found.pop().map(|(_, programs)| programs)
}

#[expect(clippy::print_stdout, reason = "the words that the test script counts")]
fn lacking(what: &str) {
    let text = format!("skipped: needs {what}");
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{text}");
    println!("{text}");
}
