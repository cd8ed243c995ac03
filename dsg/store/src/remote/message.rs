//! The messages of protocol version 1. `docs/protocol.md` says who may send which, and when.

use dsg_core::entry::{Entry, Moment};
use dsg_core::hash::{ChainHash, ContentHash};
use dsg_core::path::RepoPath;
use dsg_core::snapshot::{SnapshotNumber, TransactionId};
use dsg_core::tree::Change;

use super::wire::{Bytes, Input, Malformed, Wire, WireError, choice};
use crate::repository::{LeftOver, PathChange, Settlement, TreeObject, VerifyReport, VerifyScope};

/// The most bytes of a content in one message.
pub(super) const DATA_BYTES_MAX: usize = 256 << 10;

impl Request {
    /// The number of [`Request::Data`], which is written without a copy of its bytes.
    pub(super) const DATA: u8 = 10;
}

impl Answer {
    /// The number of [`Answer::Data`], which is written without a copy of its bytes.
    pub(super) const DATA: u8 = 8;
}

/// Declares messages: number, name, fields.
macro_rules! messages {
    ($(#[$doc:meta])* $name:ident {
        $($(#[$about:meta])* $tag:literal $variant:ident $({ $($field:ident: $kind:ty),* $(,)? })?,)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub enum $name { $($(#[$about])* $variant $({ $(#[doc = stringify!($field)] $field: $kind),* })?),* }

        choice!($name { $($tag => $variant $({ $($field),* })?),* });

        impl $name {
            /// The bytes of this message.
            #[must_use]
            pub fn encode(&self) -> Vec<u8> {
                let mut out = Vec::new();
                self.write(&mut out);
                out
            }

            /// The message of these bytes.
            ///
            /// # Errors
            /// When they are none.
            pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
                let mut input = Input::new(bytes);
                let message = Self::read(&mut input)?;
                input.end()?;
                Ok(message)
            }
        }
    };
}

messages! {
    /// What a client asks for.
    Request {
        /// The newest snapshot?
        1 Head,
        /// Which tree objects does `wanted` have that `known` has not?
        2 Trees { wanted: SnapshotNumber, known: Option<SnapshotNumber> },
        /// The documents from `first` to `last`.
        3 Documents { first: SnapshotNumber, last: SnapshotNumber },
        /// What is `path` in a snapshot?
        4 Entry { number: SnapshotNumber, path: RepoPath },
        /// Which paths differ?
        5 Differences { old: Option<SnapshotNumber>, new: Option<SnapshotNumber> },
        /// Contents that the next `Read` is about.
        6 Want { contents: Vec<WantedContent> },
        /// Sends the wanted contents.
        7 Read,
        /// Begins an upload.
        8 Begin { transaction: TransactionId, unfinished: Vec<TransactionId>, files: u64 },
        /// A content follows.
        9 Put { put: PutContent },
        /// Bytes of a content.
        10 Data { bytes: Bytes },
        /// Compressed bytes of a content.
        11 Packed { size: u32, bytes: Bytes },
        /// Bytes that the base has.
        12 Old { offset: u64, length: u64 },
        /// The content is complete.
        13 PutEnd { size: u64, hash: ContentHash },
        /// The content does not come after all.
        14 PutStop,
        /// Paths that the next `Commit` is about.
        15 Changes { changes: Vec<PathChange> },
        /// Asks to commit.
        16 Commit { expected: Option<(SnapshotNumber, ChainHash)>, message: String, configuration: Bytes },
        /// Nothing more is uploaded.
        17 EndUpload,
        /// Waits for the next turn.
        18 Turn,
        /// Gives the turn back.
        19 EndTurn,
        /// What became of a transaction?
        20 Settle { transaction: TransactionId, after: Option<SnapshotNumber> },
        /// Throws away what unfinished uploads brought.
        21 Discard { transactions: Vec<TransactionId> },
        /// Checks what is stored.
        22 Verify { scope: VerifyScope },
        /// The chunks of a content.
        23 Chunks { content: WantedContent },
        /// Says nothing, so that the line is not cut.
        24 Alive,
        /// The client has the beginning of the n-th content that the next `Read` sends.
        25 Begun { number: u64, size: u64 },
        /// It has the content that the path of the n-th had before.
        26 Older { number: u64, hash: ContentHash, size: u64 },
        /// What earlier uploads left for these paths is of no use.
        27 Forget { marks: Vec<[u8; 16]> },
    }
}

messages! {
    /// What a server answers.
    Answer {
        /// The repository is open: `repository.json`, its place, what the client may do, the newest document.
        1 Opened { description: Bytes, location: String, role: u8, head: Option<Bytes> },
        /// The newest document, as stored.
        2 Head { document: Option<Bytes> },
        /// Some tree objects.
        3 Trees { objects: Vec<TreeObject> },
        /// Some documents.
        4 Documents { documents: Vec<(SnapshotNumber, Bytes)> },
        /// What the path was.
        5 Entry { entry: Option<Entry> },
        /// Some differences.
        6 Differences { changes: Vec<Change> },
        /// A content follows: the n-th of those that were wanted.
        7 Content { number: u64 },
        /// Bytes of a content.
        8 Data { bytes: Bytes },
        /// Compressed bytes of a content.
        9 Packed { size: u32, bytes: Bytes },
        /// The bytes so far were wrong, others follow.
        10 Again,
        /// The content is complete.
        11 ContentEnd,
        /// Some of what earlier uploads left.
        12 LeftOver { contents: Vec<LeftOver> },
        /// The content that was sent as a difference has arrived.
        13 Landed,
        /// It has not: send all of it.
        14 Resend,
        /// It is committed: the new newest document.
        15 Committed { document: Bytes },
        /// Somebody was faster.
        16 Moved,
        /// What became of the transaction.
        17 Settled { settlement: Settlement },
        /// What was found; damage comes in several, the last has the numbers.
        18 Verified { report: VerifyReport, last: bool },
        /// A part of a list of chunks.
        19 Chunks { bytes: Bytes },
        /// Nothing more follows.
        20 Done,
        /// It did not work.
        21 Failed { error: WireError },
        /// A phase of the work.
        22 Phase { phase: u8, files: u64, bytes: u64 },
        /// Some of it is done.
        23 Progress { files: u64, bytes: u64 },
        /// Something that a person should know.
        24 Notice { text: String },
        /// It is still at work.
        25 Alive,
        /// Repositories of a directory.
        26 Repositories { repositories: Vec<ListedRepository> },
        /// What would be made for a new repository, a line each.
        27 Planned { lines: Vec<String> },
        /// Bytes of a content that the client has: of its beginning, or of the older one.
        28 Old { offset: u64, length: u64 },
    }
}

macro_rules! fields {
    ($(#[$doc:meta])* $visible:vis $name:ident { $($(#[$about:meta])* $field:ident: $kind:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        $visible struct $name { $($(#[$about])* pub $field: $kind),* }

        impl Wire for $name {
            fn write(&self, out: &mut Vec<u8>) {
                $(self.$field.write(out);)*
            }
            fn read(input: &mut Input<'_>) -> Result<Self, Malformed> {
                Ok(Self { $($field: Wire::read(input)?),* })
            }
        }
    };
}

fields! {
    /// A content that a client asks for.
    pub WantedContent {
        /// Its hash.
        hash: ContentHash,
        /// Its length in bytes.
        size: u64,
        /// Where to look first.
        path: RepoPath,
    }
}

fields! {
    /// The head of a content on its way to the server.
    pub PutContent {
        /// The path that it is for.
        path: RepoPath,
        /// Whether it may be executed.
        executable: bool,
        /// When it was last changed.
        modified: Moment,
        /// About how many bytes.
        expected: u64,
        /// How many bytes of what an earlier upload left are its beginning.
        left_over: u64,
        /// The content that it is a difference to.
        base: Option<(ContentHash, u64)>,
    }
}

fields! {
    /// A repository in a list.
    pub ListedRepository {
        /// Its directory's name.
        name: String,
        /// Its newest document; none before the first snapshot.
        head: Option<Bytes>,
        /// How its states are kept, as `repository.json` has it.
        storage: Option<String>,
        /// Why it can't be read, if it can't.
        problem: Option<String>,
    }
}

fields! {
    /// What a client says first. Later versions may add to the end of it.
    pub(super) ClientHello {
        /// The program and its version, for messages.
        program: String,
        /// What it wants: 1 to open a repository, 2 to make one and open it, 3 to list those of a directory,
        /// 4 to know what 2 would make.
        action: u8,
        /// The repository, or the directory.
        path: String,
        /// For a new repository: whether its group may use it.
        group: bool,
        /// For a new repository: its type, as a configuration has it; empty is a plain directory.
        kind: String,
        /// For a new repository of type zfs: the pool.
        pool: String,
        /// For a new repository of type zfs: whether each state is a dataset of its own.
        generations: bool,
    }
}

fields! {
    /// What a server says first. Later versions may add to the end of it.
    pub(super) ServerHello {
        /// The program and its version, for messages.
        program: String,
    }
}
