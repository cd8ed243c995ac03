//! Finishing what a crash cut off, and deciding what became of a transaction.

use dsg_core::snapshot::{SnapshotNumber, TransactionId};

use super::commit::few;
use super::layout::{ABORTED, LocalRepository, STAGED_DOCUMENT, STAGED_PACK, STAGING_LOCK};
use super::pack::Pack;
use super::steps::{Touched, carry_out};
use super::{Head, Settlement};
use crate::error::{Code, Error, Result};
use crate::monitor::Monitor;
use crate::system::{Directory, lock_file, present};

/// Whether a staging area belongs to a commit whose last steps are still to be made sure of: the
/// document has become the snapshot, the recipe is still here.
pub(super) fn is_committed(staging: &Directory) -> Result<bool> {
    Ok(present(staging.status(STAGED_PACK))?.is_some()
        && present(staging.status(STAGED_DOCUMENT))?.is_none())
}

impl LocalRepository {
    /// Under the lock: makes sure that the steps of the newest snapshot are done. Only that one can
    /// be unfinished, because nobody commits past an unfinished one. Returns its transaction when
    /// its directories are still to be made durable, which is not done under the lock.
    pub(super) fn finish_head(&self) -> Result<Option<TransactionId>> {
        let Some(Head { number, .. }) = self.read_head()? else { return Ok(None) };
        let transaction = self.document(number)?.0.transaction;
        let staging = self.staging()?;
        let Some(directory) = present(staging.directory(transaction.to_string()))? else {
            return Ok(None);
        };
        let Some(pack) = Pack::open(&directory, STAGED_PACK)? else {
            // All is in place; only the staging area was not removed.
            self.discard_if_dead(&transaction)?;
            return Ok(None);
        };
        if present(directory.status(STAGED_DOCUMENT))?.is_some() {
            return Ok(None);
        }
        if !pack.is_whole()? {
            // Read as a recipe without steps it would let the contents go that it is about.
            return Err(Error::new(
                Code::TreeDamaged,
                format!("the recipe for finishing {number} is damaged"),
            )
            .next("nothing was changed; `dsg validate-chain` shows what is affected. What was committed lies in staging/ still: ask the data manager"));
        }
        // The crash may have come before the commit itself was durable, or after renames that were
        // not: everything the steps name is synced again, done by this run or not.
        let steps = pack.steps()?;
        let touched =
            Touched::named_by(&steps).and(carry_out(self, &transaction, &directory, &steps)?);
        self.snapshots.sync()?;
        if !few(&touched) {
            return Ok(Some(transaction));
        }
        self.sync_touched(&touched)?;
        self.forget_unfinished(&transaction)?;
        Ok(None)
    }

    /// Removes the recipe of a commit whose steps are done and durable, and its staging area if its
    /// owner is gone.
    pub(super) fn forget_unfinished(&self, transaction: &TransactionId) -> Result<()> {
        let staging = self.staging()?;
        let name = transaction.to_string();
        let Some(directory) = present(staging.directory(&name))? else { return Ok(()) };
        present(directory.remove_file(STAGED_PACK))?;
        self.discard_if_dead(transaction)
    }

    /// Throws a staging area away unless its owner lives.
    pub(super) fn discard_if_dead(&self, transaction: &TransactionId) -> Result<()> {
        let staging = self.staging()?;
        let name = transaction.to_string();
        let Some(directory) = present(staging.directory(&name))? else { return Ok(()) };
        if is_committed(&directory)? {
            return Ok(());
        }
        // Its owner may be removing it at this moment: then there is no place for a lock in it.
        let lock = present(lock_file(&directory, STAGING_LOCK, self.file_mode(false), false))?;
        if let Some(Some(_lock)) = lock {
            match staging.remove_tree(&name) {
                Err(error) if !error.is_denied() => return Err(error.into()),
                // Another user's leftovers can't always be removed by us; they are theirs to clean.
                _ => {}
            }
        }
        Ok(())
    }

    /// See [`Repository::settle`](super::Repository::settle).
    pub(super) fn settle_transaction(
        &self,
        transaction: &TransactionId,
        after: Option<SnapshotNumber>,
        monitor: &dyn Monitor,
    ) -> Result<Settlement> {
        let _lock = self.lock_recovered(monitor)?;
        if let Some(number) = self.committed_as(transaction, after)? {
            return Ok(Settlement::Committed(number));
        }
        self.mark_aborted(transaction)?;
        Ok(Settlement::Aborted)
    }

    /// The snapshot after `after` that a transaction became.
    pub(super) fn committed_as(
        &self,
        transaction: &TransactionId,
        after: Option<SnapshotNumber>,
    ) -> Result<Option<SnapshotNumber>> {
        let first = after.map_or(1, |number| number.get() + 1);
        let Some(head) = self.head_number()? else { return Ok(None) };
        for number in first..=head.get() {
            let Some(number) = SnapshotNumber::new(number) else { continue };
            if self.document(number)?.0.transaction == *transaction {
                return Ok(Some(number));
            }
        }
        Ok(None)
    }

    /// Under the lock: from now on the transaction can't be committed.
    pub(super) fn mark_aborted(&self, transaction: &TransactionId) -> Result<()> {
        let aborted = self.control.directory(ABORTED)?;
        let name = transaction.to_string();
        if present(aborted.status(&name))?.is_none() {
            aborted.write_new(&name, b"", self.file_mode(false))?;
            aborted.sync()?;
        }
        Ok(())
    }
}
