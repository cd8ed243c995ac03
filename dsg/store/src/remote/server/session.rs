//! One client and its repository: requests and their answers.

use std::collections::BTreeMap;

use dsg_core::snapshot::SnapshotNumber;

use super::incoming::Incoming;
use super::output::{Output, Telling};
use super::{Role, Served, Trouble, head_document, unexpected};
use crate::error::{Code, Error};
use crate::remote::compression::Packer;
use crate::remote::frame::PART_BYTES;
use crate::remote::message::{Answer, Request, WantedContent};
use crate::remote::wire::{Bytes, Wire};
use crate::repository::{Has, Repository, Turn};

/// The most contents that one request may want.
const WANTED_MAX: usize = 4_000_000;
/// How many differences go into a message.
const CHANGES_EACH: usize = 256;

pub(super) struct Session<'a> {
    pub(super) repository: &'a dyn Repository,
    pub(super) incoming: &'a Incoming,
    pub(super) output: &'a Output,
    role: Role,
    pub(super) wanted: Vec<WantedContent>,
    /// What the client has of those, by their numbers.
    pub(super) has: BTreeMap<u64, Has>,
    turn: Option<Box<dyn Turn>>,
    pub(super) packer: Packer,
}

impl<'a> Session<'a> {
    pub(super) fn new(
        repository: &'a dyn Repository,
        incoming: &'a Incoming,
        output: &'a Output,
        role: Role,
    ) -> Self {
        let packer = Packer::new();
        Self {
            repository,
            incoming,
            output,
            role,
            wanted: Vec::new(),
            has: BTreeMap::new(),
            turn: None,
            packer,
        }
    }

    /// Answers until the client is gone.
    pub(super) fn run(&mut self) -> Served<()> {
        loop {
            let (id, request) = self.incoming.next()?;
            let answered = match request {
                Request::Begin { transaction, unfinished, files } => self
                    .role
                    .require(Role::Writer, "write to this repository")
                    .map_err(Trouble::from)
                    .and_then(|()| self.uploading(id, &transaction, &unfinished, files)),
                other => self.answer(id, other),
            };
            self.told(id, answered)?;
        }
    }

    /// What did not work is answered; what can't be answered ends the session.
    pub(super) fn told(&self, id: u32, answered: Served<()>) -> Served<()> {
        match answered {
            Ok(()) => Ok(()),
            Err(Trouble::Answer(error)) => self.output.fail(id, &error),
            Err(gone) => Err(gone),
        }
    }

    pub(super) fn done(&self, id: u32) -> Served<()> {
        self.output.send(id, &Answer::Done)?;
        self.output.flush()
    }

    fn one(&self, id: u32, answer: &Answer) -> Served<()> {
        self.output.send(id, answer)?;
        self.output.flush()
    }

    /// Everything but uploads.
    pub(super) fn answer(&mut self, id: u32, request: Request) -> Served<()> {
        match request {
            Request::Head => {
                let document = head_document(self.repository)?;
                self.one(id, &Answer::Head { document })
            }
            Request::Trees { wanted, known } => self.trees(id, wanted, known),
            Request::Documents { first, last } => self.documents(id, first, last),
            Request::Entry { number, path } => {
                let entry = self.repository.entry(number, &path)?;
                self.one(id, &Answer::Entry { entry })
            }
            Request::Differences { old, new } => {
                let changes = self.repository.differences(old, new)?;
                for part in changes.chunks(CHANGES_EACH) {
                    self.output.send(id, &Answer::Differences { changes: part.to_vec() })?;
                }
                self.done(id)
            }
            Request::Want { mut contents } => {
                if self.wanted.len().saturating_add(contents.len()) > WANTED_MAX {
                    return Err(unexpected("too many contents are wanted at once"));
                }
                self.wanted.append(&mut contents);
                Ok(())
            }
            Request::Begun { number, size } => self.note(number, Has::Beginning(size)),
            Request::Older { number, hash, size } => self.note(number, Has::Older(hash, size)),
            Request::Read => self.read(id),
            Request::Turn => {
                self.role.require(Role::Writer, "write to this repository")?;
                let monitor = Telling::new(self.output, id, self.incoming.gone());
                if self.turn.is_none() {
                    self.turn = Some(self.repository.turn(&monitor)?);
                }
                self.done(id)
            }
            Request::EndTurn => {
                self.turn = None;
                Ok(())
            }
            Request::Settle { transaction, after } => {
                self.role.require(Role::Writer, "write to this repository")?;
                let monitor = Telling::new(self.output, id, self.incoming.gone());
                let settlement = self.repository.settle(&transaction, after, &monitor)?;
                self.one(id, &Answer::Settled { settlement })
            }
            Request::Discard { transactions } => {
                self.role.require(Role::Writer, "write to this repository")?;
                self.repository.discard(&transactions)?;
                self.done(id)
            }
            Request::Verify { scope } => {
                let monitor = Telling::new(self.output, id, self.incoming.gone());
                let mut report = self.repository.verify(&scope, &monitor)?;
                let damage = std::mem::take(&mut report.damage);
                for part in damage.chunks(64) {
                    let mut report = report.clone();
                    report.damage = part.to_vec();
                    self.output.send(id, &Answer::Verified { report, last: false })?;
                }
                self.one(id, &Answer::Verified { report, last: true })
            }
            Request::Chunks { content } => self.chunks(id, &content),
            Request::EndUpload | Request::Alive => Ok(()),
            _ => Err(unexpected("outside of an upload")),
        }
    }

    fn note(&mut self, number: u64, has: Has) -> Served<()> {
        if number >= self.wanted.len() as u64 {
            return Err(unexpected("a part of a content that is not wanted"));
        }
        self.has.insert(number, has);
        Ok(())
    }

    fn trees(&self, id: u32, wanted: SnapshotNumber, known: Option<SnapshotNumber>) -> Served<()> {
        let mut part = Vec::new();
        let mut bytes = 0;
        for object in self.repository.trees(wanted, known)? {
            bytes += object.bytes.len();
            part.push(object);
            if bytes >= PART_BYTES {
                self.output.send(id, &Answer::Trees { objects: std::mem::take(&mut part) })?;
                bytes = 0;
            }
        }
        if !part.is_empty() {
            self.output.send(id, &Answer::Trees { objects: part })?;
        }
        self.done(id)
    }

    fn documents(&self, id: u32, first: SnapshotNumber, last: SnapshotNumber) -> Served<()> {
        let mut number = first;
        while number <= last {
            // One after the other, so that a wish for all numbers there are costs nothing.
            let documents = self.repository.documents(number, number)?;
            let documents = documents.into_iter().map(|(number, bytes)| (number, Bytes(bytes)));
            self.output.send(id, &Answer::Documents { documents: documents.collect() })?;
            let Some(next) = number.next() else { break };
            number = next;
        }
        self.done(id)
    }
}

/// A client may say in advance what it will commit; that much and no more.
pub(super) fn too_much(what: &str) -> Error {
    Error::new(Code::Protocol, format!("the client sent more {what} than one commit may have"))
        .next("split the work into several syncs")
}

/// About how many bytes of memory a message takes.
pub(super) fn weight(message: &impl Wire) -> usize {
    let mut bytes = Vec::new();
    message.write(&mut bytes);
    bytes.len()
}
