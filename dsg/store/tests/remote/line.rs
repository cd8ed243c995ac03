//! A server, people with projects, and the lines between them, which a test may cut.

use std::fs;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use dsg_store::error::Result;
use dsg_store::monitor::Silent;
use dsg_store::project::{Project, attach, write_configuration};
use dsg_store::remote::{Dial, Line, RemoteRepository, Role, ServeOptions, serve};
use dsg_store::repository::{Access, LocalRepository, Repository, VerifyScope, create};
use dsg_store::sync::{SyncOptions, SyncOutcome, SyncReport, sync};
use foundation_runtime::clock::SystemClock;

/// A folder with a server's directory and projects.
pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
}

/// A person with a project.
pub(crate) struct Person {
    pub(crate) root: PathBuf,
    pub(crate) line: Wire,
}

impl World {
    /// With the empty repository `p`.
    pub(crate) fn new() -> Self {
        let folder = testkit::mount::folder().expect("a folder");
        fs::create_dir(folder.path().join("srv")).expect("creates");
        let world = Self { folder };
        create(&world.repository(), Access::Private, &SystemClock::new()).expect("creates");
        world
    }

    pub(crate) fn repository(&self) -> PathBuf {
        self.folder.path().join("srv/p")
    }

    pub(crate) fn here(&self) -> LocalRepository {
        let clock = Arc::new(SystemClock::new());
        LocalRepository::open(&self.repository(), "test@example.org", clock).expect("opens")
    }

    /// A line to the server for a key of this role.
    pub(crate) fn wire(&self, user: &str, role: Role) -> Wire {
        Wire {
            root: self.folder.path().join("srv"),
            user: format!("{user}@example.org"),
            role,
            cut: Cut::Never,
            servers: Arc::default(),
            passed: Arc::default(),
        }
    }

    pub(crate) fn person(&self, user: &str) -> Person {
        let root = self.folder.path().join(user);
        fs::create_dir(&root).expect("creates");
        let mountpoint = self.folder.path().join("srv");
        let text = format!(
            "name: p\nrepository: {{type: posix, host: server.example, mountpoint: {}}}\n",
            mountpoint.display()
        );
        write_configuration(&root, &text).expect("writes");
        let person = Person { root, line: self.wire(user, Role::Writer) };
        attach(&person.project(), &person.open().expect("opens")).expect("attaches");
        person.line.settle();
        person
    }

    /// Proves every content of every snapshot.
    pub(crate) fn assert_whole(&self) {
        let scope = VerifyScope::Chain { contents: true };
        let report = self.here().verify(&scope, &Silent).expect("verifies");
        assert_eq!(report.damage, []);
    }

    pub(crate) fn head(&self) -> u64 {
        self.here().head().expect("a head").map_or(0, |head| head.number.get())
    }

    pub(crate) fn stored(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.repository().join(path)).ok()
    }
}

impl Person {
    pub(crate) fn project(&self) -> Project {
        Project::open(&self.root).expect("opens")
    }

    pub(crate) fn open(&self) -> Result<RemoteRepository> {
        RemoteRepository::open(&self.line, "p")
    }

    pub(crate) fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("creates");
        fs::write(path, bytes).expect("writes");
    }

    pub(crate) fn read(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.root.join(path)).ok()
    }

    pub(crate) fn try_sync(&self) -> Result<SyncOutcome> {
        let project = self.project();
        let options = SyncOptions { look: Default::default(), message: None, backup_stamp: None };
        let outcome = self.open().and_then(|repository| {
            let repository = repository.keeping_chunks(project.dsg()?);
            sync(&project, &repository, &options, &Silent)
        });
        self.line.settle();
        outcome
    }

    /// Syncs without conflicts.
    pub(crate) fn sync(&self) -> SyncReport {
        match self.try_sync().expect("syncs") {
            SyncOutcome::Done(report) => report,
            SyncOutcome::Conflicts(questions) => panic!("conflicts: {questions:?}"),
        }
    }
}

/// Where a line breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    Never,
    /// Instead of the n-th message of the client, from 1 on; its beginning passes if `half`.
    Up {
        message: u64,
        half: bool,
    },
    /// The same for the server's.
    Down {
        message: u64,
        half: bool,
    },
}

/// A line to a server in a thread.
pub(crate) struct Wire {
    pub(crate) root: PathBuf,
    pub(crate) user: String,
    pub(crate) role: Role,
    pub(crate) cut: Cut,
    servers: Arc<Mutex<Vec<JoinHandle<()>>>>,
    /// Bytes up and down.
    pub(crate) passed: Arc<(AtomicU64, AtomicU64)>,
}

impl Wire {
    /// Waits until no server is at work any more.
    pub(crate) fn settle(&self) {
        let servers = std::mem::take(&mut *self.servers.lock().expect("no panic"));
        servers.into_iter().for_each(|server| server.join().expect("no panic"));
    }
}

impl Wire {
    /// Starts a server at the end of a line.
    fn serve(&self, end: UnixStream) {
        let options = ServeOptions {
            root: Some(self.root.clone()),
            role: self.role,
            author: self.user.clone(),
            program: "dsg test".to_owned(),
            clock: Arc::new(SystemClock::new()),
        };
        let running = std::thread::spawn(move || {
            let (input, output) = (again(&end), again(&end));
            let _ = serve(input, output, &options);
            let _ = end.shutdown(Shutdown::Both);
        });
        self.servers.lock().expect("no panic").push(running);
    }

    /// A line on which nobody looks at the messages, so that they may be none.
    pub(crate) fn direct(&self) -> Line {
        let (client, server) = UnixStream::pair().expect("a pair");
        self.serve(server);
        let output = Box::new(Closing(again(&client)));
        Line { input: Box::new(client), output, process: None }
    }
}

fn again(stream: &UnixStream) -> UnixStream {
    stream.try_clone().expect("clones")
}

impl Dial for Wire {
    fn dial(&self) -> Result<Line> {
        let (client, client_relay) = UnixStream::pair().expect("a pair");
        let (server, server_relay) = UnixStream::pair().expect("a pair");
        self.serve(server);
        let ends = [again(&client_relay), again(&server_relay)];
        let (up, down) = match self.cut {
            Cut::Never => (None, None),
            Cut::Up { message, half } => (Some((message, half)), None),
            Cut::Down { message, half } => (None, Some((message, half))),
        };
        let (passed, also) = (Arc::clone(&self.passed), Arc::clone(&self.passed));
        let (from, to) = (again(&client_relay), again(&server_relay));
        let own = [again(&ends[0]), again(&ends[1])];
        let first = std::thread::spawn(move || relay(from, to, &own, up, &passed.0));
        let (from, to) = (server_relay, client_relay);
        let second = std::thread::spawn(move || relay(from, to, &ends, down, &also.1));
        self.servers.lock().expect("no panic").extend([first, second]);
        let writes = again(&client);
        Ok(Line { input: Box::new(client), output: Box::new(Closing(writes)), process: None })
    }

    fn place(&self) -> String {
        "server.example".to_owned()
    }
}

/// Tells the other side when nothing more is written, as the end of a pipe does.
struct Closing(UnixStream);

impl Write for Closing {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

impl Drop for Closing {
    fn drop(&mut self) {
        let _ = self.0.shutdown(Shutdown::Write);
    }
}

fn relay(
    mut from: UnixStream,
    mut to: UnixStream,
    ends: &[UnixStream; 2],
    cut: Option<(u64, bool)>,
    passed: &AtomicU64,
) {
    let mut number = 0;
    while let Some(message) = message(&mut from, number == 0) {
        number += 1;
        if let Some((at, half)) = cut
            && number == at
        {
            if half {
                let _ = to.write_all(&message[..message.len() / 2]);
            }
            ends.iter().for_each(|end| {
                let _ = end.shutdown(Shutdown::Both);
            });
            return;
        }
        passed.fetch_add(message.len() as u64, Ordering::SeqCst);
        if to.write_all(&message).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// The bytes of a hello, or of a frame.
pub(crate) fn message(from: &mut impl Read, hello: bool) -> Option<Vec<u8>> {
    let mut bytes = vec![0; if hello { 16 } else { 8 }];
    from.read_exact(&mut bytes).ok()?;
    let at = if hello { 12 } else { 0 };
    let length = u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four"));
    let start = bytes.len();
    bytes.resize(start + length as usize, 0);
    from.read_exact(&mut bytes[start..]).ok()?;
    Some(bytes)
}
