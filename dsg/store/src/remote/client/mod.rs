//! The client side: a repository that is asked over a connection.

mod connection;
mod dial;
mod download;
mod failure;
mod upload;

use std::sync::{Arc, Mutex, PoisonError};

use dsg_core::config::{RepositoryConfig, ZfsMode};
use dsg_core::entry::Entry;
use dsg_core::hash::ChainHash;
use dsg_core::path::RepoPath;
use dsg_core::snapshot::{SnapshotDocument, SnapshotNumber, TransactionId};
use dsg_core::tree::Change;

pub use dial::{Dial, Line, Process, Ssh};
pub use failure::Said;

use self::connection::{Connection, Waiting};
use super::Role;
use super::message::{Answer, ClientHello, ListedRepository, Request};
use super::wire::Bytes;
use crate::error::{Code, Error, Result};
use crate::monitor::{Monitor, Silent};
use crate::repository::{
    Access, Description, Head, Receiver, Repository, Settlement, Target, TreeObject, Turn, Upload,
    VerifyReport, VerifyScope, Wanted,
};
use crate::system::Directory;

/// A repository on another machine.
pub struct RemoteRepository {
    connection: Arc<Connection>,
    description: Description,
    location: String,
    path: String,
    /// The key may only read.
    reads_only: bool,
    /// The head as it was when the connection was made: the first question is answered by it.
    opened: Mutex<Option<Option<Head>>>,
    /// Where lists of chunks are kept.
    chunks: Option<Directory>,
}

impl RemoteRepository {
    /// Opens a repository.
    ///
    /// # Errors
    /// When the other side can't be reached, does not speak our protocol, or says no.
    pub fn open(dial: &dyn Dial, path: &str) -> Result<Self> {
        Self::hello(dial, &hello(1, path))
    }

    /// Makes a repository, or finds an empty one, and opens it.
    ///
    /// # Errors
    /// As [`open`](Self::open), and when something is there already.
    pub fn create(
        dial: &dyn Dial,
        path: &str,
        access: Access,
        storage: &RepositoryConfig,
    ) -> Result<Self> {
        let new = ClientHello { group: access == Access::Group, ..new(2, path, storage) };
        Self::hello(dial, &new)
    }

    /// What [`create`](Self::create) would make, a line each.
    ///
    /// # Errors
    /// As [`open`](Self::open), and when it could not be made.
    pub fn plan(dial: &dyn Dial, path: &str, storage: &RepositoryConfig) -> Result<Vec<String>> {
        let (connection, first) = Connection::start(dial, &new(4, path, storage))?;
        match first.next(&Silent)? {
            Answer::Planned { lines } => Ok(lines),
            _ => Err(connection.nonsense()),
        }
    }

    fn hello(dial: &dyn Dial, hello: &ClientHello) -> Result<Self> {
        let (connection, first) = Connection::start(dial, hello)?;
        let answer = first.next(&Silent)?;
        let Answer::Opened { description, location, role, head } = answer else {
            return Err(connection.nonsense());
        };
        let description: Description = serde_json::from_slice(&description.0).map_err(|error| {
            Error::new(Code::RepositoryFormat, "the repository needs another dsg")
                .because(error)
                .next("install the version of dsg that the server has")
        })?;
        description.check()?;
        let head = head.map(|document| head_of(&document.0, &description)).transpose()?;
        Ok(Self {
            location: format!("{}:{}", dial.place(), dsg_core::name::display_safe(&location)),
            path: location,
            connection,
            description,
            reads_only: role == Role::Reader as u8,
            opened: Mutex::new(Some(head)),
            chunks: None,
        })
    }

    /// Keeps lists of chunks in a directory, so that they need not be fetched again.
    #[must_use]
    pub fn keeping_chunks(mut self, directory: Option<Directory>) -> Self {
        self.chunks = directory;
        self
    }

    /// Its directory on the other machine.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Bytes that went to the server and came from it so far.
    #[must_use]
    pub fn traffic(&self) -> (u64, u64) {
        self.connection.traffic()
    }

    /// How often somebody waited for an answer.
    #[must_use]
    pub fn round_trips(&self) -> u64 {
        self.connection.round_trips()
    }

    /// Told before anything is sent, not after a gigabyte.
    fn refuse_reader(&self) -> Result<()> {
        if !self.reads_only {
            return Ok(());
        }
        Err(Error::new(Code::RoleDenied, format!("you may only read {}", self.location))
            .because("the role of your key there is reader")
            .next("nothing was changed; ask the data manager for the role writer"))
    }

    fn ask(&self, request: &Request) -> Result<Waiting<'_>> {
        self.connection.ask(request)
    }

    /// All parts of an answer.
    fn parts<T>(
        &self,
        request: &Request,
        mut part: impl FnMut(Answer) -> Option<Vec<T>>,
    ) -> Result<Vec<T>> {
        let waiting = self.ask(request)?;
        let mut all = Vec::new();
        loop {
            match waiting.next(&Silent)? {
                Answer::Done => return Ok(all),
                other => all.append(&mut part(other).ok_or_else(|| self.connection.nonsense())?),
            }
        }
    }
}

fn hello(action: u8, path: &str) -> ClientHello {
    ClientHello {
        program: concat!("dsg ", env!("CARGO_PKG_VERSION")).to_owned(),
        action,
        path: path.to_owned(),
        group: false,
        kind: String::new(),
        pool: String::new(),
        generations: false,
    }
}

/// A request about a repository that is to be made.
fn new(action: u8, path: &str, storage: &RepositoryConfig) -> ClientHello {
    let (pool, generations) = match storage {
        RepositoryConfig::Zfs { pool, mode, .. } => (pool.clone(), *mode == ZfsMode::Generations),
        _ => (String::new(), false),
    };
    ClientHello { kind: storage.kind().to_string(), pool, generations, ..hello(action, path) }
}

/// The repositories in a directory of another machine.
///
/// # Errors
/// As [`RemoteRepository::open`].
pub fn list_remote(dial: &dyn Dial, directory: &str) -> Result<Vec<ListedRepository>> {
    let (connection, first) = Connection::start(dial, &hello(3, directory))?;
    let mut all = Vec::new();
    loop {
        match first.next(&Silent)? {
            Answer::Done => return Ok(all),
            Answer::Repositories { mut repositories } => all.append(&mut repositories),
            _ => return Err(connection.nonsense()),
        }
    }
}

/// What a document says of the head. The server's word is not taken for it: number, root and chain hash
/// come from the bytes.
fn head_of(bytes: &[u8], description: &Description) -> Result<Head> {
    let document = SnapshotDocument::decode(bytes).map_err(|error| {
        Error::new(Code::ChainDamaged, "the newest snapshot document can't be read")
            .because(error)
            .next("run `dsg validate-chain`")
    })?;
    if document.repository != description.id {
        return Err(Error::new(
            Code::ChainDamaged,
            format!("the document of {} is another's", document.number),
        )
        .next("run `dsg validate-chain`"));
    }
    Ok(Head {
        number: document.number,
        chain: ChainHash::of(bytes),
        root: document.root,
        entries: document.entries,
    })
}

impl Repository for RemoteRepository {
    fn description(&self) -> &Description {
        &self.description
    }

    fn location(&self) -> String {
        self.location.clone()
    }

    fn head(&self) -> Result<Option<Head>> {
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(head) = opened {
            return Ok(head);
        }
        match self.ask(&Request::Head)?.next(&Silent)? {
            Answer::Head { document } => {
                document.map(|document| head_of(&document.0, &self.description)).transpose()
            }
            _ => Err(self.connection.nonsense()),
        }
    }

    fn trees(
        &self,
        wanted: SnapshotNumber,
        known: Option<SnapshotNumber>,
    ) -> Result<Vec<TreeObject>> {
        self.parts(&Request::Trees { wanted, known }, |answer| match answer {
            Answer::Trees { objects } => Some(objects),
            _ => None,
        })
    }

    fn documents(
        &self,
        first: SnapshotNumber,
        last: SnapshotNumber,
    ) -> Result<Vec<(SnapshotNumber, Vec<u8>)>> {
        let documents = self.parts(&Request::Documents { first, last }, |answer| match answer {
            Answer::Documents { documents } => Some(documents),
            _ => None,
        })?;
        let expected = (first.get()..=last.get()).filter_map(SnapshotNumber::new);
        if !documents.iter().map(|(number, _)| *number).eq(expected) {
            return Err(self.connection.nonsense());
        }
        Ok(documents.into_iter().map(|(number, Bytes(bytes))| (number, bytes)).collect())
    }

    fn entry(&self, number: SnapshotNumber, path: &RepoPath) -> Result<Option<Entry>> {
        match self.ask(&Request::Entry { number, path: path.clone() })?.next(&Silent)? {
            Answer::Entry { entry } => Ok(entry),
            _ => Err(self.connection.nonsense()),
        }
    }

    fn differences(
        &self,
        old: Option<SnapshotNumber>,
        new: Option<SnapshotNumber>,
    ) -> Result<Vec<Change>> {
        self.parts(&Request::Differences { old, new }, |answer| match answer {
            Answer::Differences { changes } => Some(changes),
            _ => None,
        })
    }

    fn begin<'a>(
        &'a self,
        transaction: &TransactionId,
        unfinished: &[TransactionId],
        files: u64,
    ) -> Result<Box<dyn Upload + 'a>> {
        self.begin_upload(transaction, unfinished, files)
    }

    fn turn(&self, monitor: &dyn Monitor) -> Result<Box<dyn Turn>> {
        match self.ask(&Request::Turn)?.next(monitor)? {
            Answer::Done => Ok(Box::new(RemoteTurn(Arc::clone(&self.connection)))),
            _ => Err(self.connection.nonsense()),
        }
    }

    fn settle(
        &self,
        transaction: &TransactionId,
        after: Option<SnapshotNumber>,
        monitor: &dyn Monitor,
    ) -> Result<Settlement> {
        let request = Request::Settle { transaction: *transaction, after };
        match self.ask(&request)?.next(monitor)? {
            Answer::Settled { settlement } => Ok(settlement),
            _ => Err(self.connection.nonsense()),
        }
    }

    fn discard(&self, transactions: &[TransactionId]) -> Result<()> {
        if self.reads_only {
            // Of somebody who may only read nothing is there.
            return Ok(());
        }
        let request = Request::Discard { transactions: transactions.to_vec() };
        match self.ask(&request)?.next(&Silent)? {
            Answer::Done => Ok(()),
            _ => Err(self.connection.nonsense()),
        }
    }

    fn read(
        &self,
        wanted: &Wanted<'_>,
        target: &mut dyn Target,
        monitor: &dyn Monitor,
    ) -> Result<()> {
        self.read_one(wanted, target, monitor)
    }

    fn read_many(
        &self,
        wanted: &[Wanted<'_>],
        receiver: &dyn Receiver,
        monitor: &dyn Monitor,
    ) -> Result<()> {
        self.read_all(wanted, receiver, monitor)
    }

    fn verify(&self, scope: &VerifyScope, monitor: &dyn Monitor) -> Result<VerifyReport> {
        let waiting = self.ask(&Request::Verify { scope: *scope })?;
        let mut damage = Vec::new();
        loop {
            let Answer::Verified { mut report, last } = waiting.next(monitor)? else {
                return Err(self.connection.nonsense());
            };
            damage.append(&mut report.damage);
            if last {
                return Ok(VerifyReport { damage, ..report });
            }
        }
    }
}

/// The turn, given back when this goes.
struct RemoteTurn(Arc<Connection>);

impl Turn for RemoteTurn {}

impl Drop for RemoteTurn {
    fn drop(&mut self) {
        // If that is not possible any more, the server has noticed by itself.
        let _ = self.0.tell(0, &Request::EndTurn).and_then(|()| self.0.flush());
    }
}
