//! The answers of a repository on this machine to the requests of a project.

use dsg_core::entry::Entry;
use dsg_core::path::RepoPath;
use dsg_core::snapshot::{SnapshotNumber, TransactionId};
use dsg_core::tree::{self, Change};

use super::layout::LocalRepository;
use super::refusals::tree_error;
use super::{
    Description, Head, Receiver, Repository, Settlement, Target, TreeObject, Turn, Upload,
    VerifyReport, VerifyScope, Wanted,
};
use crate::error::Result;
use crate::monitor::Monitor;
use crate::system::Reader;

impl Repository for LocalRepository {
    fn description(&self) -> &Description {
        &self.description
    }

    fn location(&self) -> String {
        self.root.path().display().to_string()
    }

    fn head(&self) -> Result<Option<Head>> {
        self.read_head()
    }

    fn trees(
        &self,
        wanted: SnapshotNumber,
        known: Option<SnapshotNumber>,
    ) -> Result<Vec<TreeObject>> {
        let new = self.manifest(wanted)?;
        let old = match known {
            Some(number) => self.manifest(number)?,
            None => None,
        };
        let mut objects = Vec::new();
        let _ = tree::objects(&self.packs, new.as_ref(), old.as_ref(), &mut |address, object| {
            objects.push(TreeObject { hash: address.hash, bytes: object.bytes.clone() });
            std::ops::ControlFlow::<()>::Continue(())
        })
        .map_err(tree_error)?;
        Ok(objects)
    }

    fn documents(
        &self,
        first: SnapshotNumber,
        last: SnapshotNumber,
    ) -> Result<Vec<(SnapshotNumber, Vec<u8>)>> {
        let numbers = (first.get()..=last.get()).filter_map(SnapshotNumber::new);
        numbers.map(|number| Ok((number, self.document_bytes(number)?))).collect()
    }

    fn entry(&self, number: SnapshotNumber, path: &RepoPath) -> Result<Option<Entry>> {
        let root = self.manifest(number)?;
        tree::lookup(&self.packs, root.as_ref(), path).map_err(tree_error)
    }

    fn differences(
        &self,
        old: Option<SnapshotNumber>,
        new: Option<SnapshotNumber>,
    ) -> Result<Vec<Change>> {
        let root = |number: Option<SnapshotNumber>| match number {
            Some(number) => self.manifest(number),
            None => Ok(None),
        };
        let (old, new) = (root(old)?, root(new)?);
        let mut changes = Vec::new();
        let _ = tree::diff(&self.packs, old.as_ref(), new.as_ref(), &mut |change| {
            changes.push(change);
            std::ops::ControlFlow::<()>::Continue(())
        })
        .map_err(tree_error)?;
        Ok(changes)
    }

    fn begin<'a>(
        &'a self,
        transaction: &TransactionId,
        unfinished: &[TransactionId],
        files: u64,
    ) -> Result<Box<dyn Upload + 'a>> {
        Ok(Box::new(self.begin_upload(transaction, unfinished, files)?))
    }

    fn turn(&self, monitor: &dyn Monitor) -> Result<Box<dyn Turn>> {
        self.take_turn(monitor)
    }

    fn settle(
        &self,
        transaction: &TransactionId,
        after: Option<SnapshotNumber>,
        monitor: &dyn Monitor,
    ) -> Result<Settlement> {
        self.settle_transaction(transaction, after, monitor)
    }

    fn discard(&self, transactions: &[TransactionId]) -> Result<()> {
        transactions.iter().try_for_each(|transaction| self.discard_if_dead(transaction))
    }

    fn read(
        &self,
        wanted: &Wanted<'_>,
        target: &mut dyn Target,
        monitor: &dyn Monitor,
    ) -> Result<()> {
        self.read_content(wanted, target, monitor)
    }

    fn open_unproven(&self, wanted: &Wanted<'_>) -> Result<Option<Reader>> {
        self.find_content(wanted)
    }

    fn verify(&self, scope: &VerifyScope, monitor: &dyn Monitor) -> Result<VerifyReport> {
        self.verify_stored(scope, monitor)
    }
}

/// Whoever opened a repository without asking how its states are kept has it in a box. Every method
/// is handed on, also those with a default.
impl Repository for Box<dyn Repository> {
    fn description(&self) -> &Description {
        (**self).description()
    }

    fn location(&self) -> String {
        (**self).location()
    }

    fn head(&self) -> Result<Option<Head>> {
        (**self).head()
    }

    fn trees(
        &self,
        wanted: SnapshotNumber,
        known: Option<SnapshotNumber>,
    ) -> Result<Vec<TreeObject>> {
        (**self).trees(wanted, known)
    }

    fn documents(
        &self,
        first: SnapshotNumber,
        last: SnapshotNumber,
    ) -> Result<Vec<(SnapshotNumber, Vec<u8>)>> {
        (**self).documents(first, last)
    }

    fn entry(&self, number: SnapshotNumber, path: &RepoPath) -> Result<Option<Entry>> {
        (**self).entry(number, path)
    }

    fn differences(
        &self,
        old: Option<SnapshotNumber>,
        new: Option<SnapshotNumber>,
    ) -> Result<Vec<Change>> {
        (**self).differences(old, new)
    }

    fn begin<'a>(
        &'a self,
        transaction: &TransactionId,
        unfinished: &[TransactionId],
        files: u64,
    ) -> Result<Box<dyn Upload + 'a>> {
        (**self).begin(transaction, unfinished, files)
    }

    fn turn(&self, monitor: &dyn Monitor) -> Result<Box<dyn Turn>> {
        (**self).turn(monitor)
    }

    fn settle(
        &self,
        transaction: &TransactionId,
        after: Option<SnapshotNumber>,
        monitor: &dyn Monitor,
    ) -> Result<Settlement> {
        (**self).settle(transaction, after, monitor)
    }

    fn discard(&self, transactions: &[TransactionId]) -> Result<()> {
        (**self).discard(transactions)
    }

    fn read(
        &self,
        wanted: &Wanted<'_>,
        target: &mut dyn Target,
        monitor: &dyn Monitor,
    ) -> Result<()> {
        (**self).read(wanted, target, monitor)
    }

    fn read_many(
        &self,
        wanted: &[Wanted<'_>],
        receiver: &dyn Receiver,
        monitor: &dyn Monitor,
    ) -> Result<()> {
        (**self).read_many(wanted, receiver, monitor)
    }

    fn open_unproven(&self, wanted: &Wanted<'_>) -> Result<Option<Reader>> {
        (**self).open_unproven(wanted)
    }

    fn verify(&self, scope: &VerifyScope, monitor: &dyn Monitor) -> Result<VerifyReport> {
        (**self).verify(scope, monitor)
    }
}
