//! Lets the disk begin with what lands while more is still coming, so that little is left to wait for
//! when all of it has to be durable.

use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

use rustix::io::{Errno, Result};

use super::{Directory, platform};

/// After how many bytes the disk is asked to begin. It writes a batch better than single files, and a
/// file system that commits all of its trees each time (btrfs) is not to do that for little.
const BATCH_BYTES: u64 = 16 << 20;

/// What lands in a directory and is made durable at the end.
///
/// One batch is under way at a time; what lands meanwhile belongs to the next. What a batch fails with
/// is kept: a file system tells an error once, so the sync at the end need not hear of it again.
///
/// No fault step is passed here: nothing counts on a batch, the sync at the end is the step.
#[derive(Debug)]
pub(super) struct WriteBack {
    directory: Arc<Directory>,
    sync: fn(&Directory) -> Result<()>,
    batch_bytes: u64,
    landed: AtomicU64,
    batch: Mutex<Batch>,
}

#[derive(Debug)]
enum Batch {
    None,
    UnderWay(JoinHandle<Result<()>>),
    Failed(Errno),
}

impl WriteBack {
    /// Of the file system of `directory`.
    pub(super) fn of(directory: Directory) -> Self {
        Self::with(directory, platform::sync_all_of, BATCH_BYTES)
    }

    fn with(directory: Directory, sync: fn(&Directory) -> Result<()>, batch_bytes: u64) -> Self {
        Self {
            directory: Arc::new(directory),
            sync,
            batch_bytes,
            landed: AtomicU64::new(0),
            batch: Mutex::new(Batch::None),
        }
    }

    /// So many bytes more were written; never waits.
    pub(super) fn landed(&self, bytes: u64) {
        let landed = self.landed.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        if landed < self.batch_bytes {
            return;
        }
        // Where it is locked, another thread is just doing this.
        let Ok(mut batch) = self.batch.try_lock() else { return };
        if matches!(&*batch, Batch::UnderWay(thread) if !thread.is_finished()) {
            return;
        }
        if settle(&mut batch).is_ok() {
            self.landed.store(0, Ordering::Relaxed);
            let (directory, sync) = (Arc::clone(&self.directory), self.sync);
            // Without a thread the sync at the end has more to do, and that is all.
            if let Ok(thread) = Builder::new().spawn(move || sync(&directory)) {
                *batch = Batch::UnderWay(thread);
            }
        }
    }

    /// Waits for the batch that is under way; says whether one has failed, every time.
    pub(super) fn end(&self) -> Result<()> {
        settle(&mut self.batch())
    }

    fn batch(&self) -> MutexGuard<'_, Batch> {
        self.batch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for WriteBack {
    /// Nothing holds the file system when its user is done.
    fn drop(&mut self) {
        let _ = self.end();
    }
}

fn settle(batch: &mut Batch) -> Result<()> {
    let outcome = match mem::replace(batch, Batch::None) {
        Batch::None => Ok(()),
        // A thread that could not say how it went has made nothing durable.
        Batch::UnderWay(thread) => thread.join().unwrap_or(Err(Errno::IO)),
        Batch::Failed(error) => Err(error),
    };
    if let Err(error) = outcome {
        *batch = Batch::Failed(error);
    }
    outcome
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
    use std::sync::{LazyLock, Mutex};

    use super::*;

    fn here() -> Directory {
        Directory::open(&std::env::temp_dir()).unwrap()
    }

    type Gate = (SyncSender<()>, Mutex<Receiver<()>>);

    fn gate() -> Gate {
        let (sender, receiver) = sync_channel(8);
        (sender, Mutex::new(receiver))
    }

    fn pass(gate: &Gate) {
        gate.1.lock().unwrap().recv().unwrap();
    }

    #[test]
    fn a_batch_begins_when_enough_has_landed_and_one_is_under_way_at_a_time() {
        static BEGUN: LazyLock<Gate> = LazyLock::new(gate);
        static MAY_END: LazyLock<Gate> = LazyLock::new(gate);
        static BATCHES: AtomicU64 = AtomicU64::new(0);
        let write_back = WriteBack::with(
            here(),
            |_| {
                BATCHES.fetch_add(1, Ordering::SeqCst);
                BEGUN.0.send(()).unwrap();
                pass(&MAY_END);
                Ok(())
            },
            100,
        );
        write_back.landed(99);
        assert_eq!(write_back.end(), Ok(()));
        assert_eq!(BATCHES.load(Ordering::SeqCst), 0);
        write_back.landed(1);
        pass(&BEGUN);
        // More lands than a batch has, while the first is under way.
        write_back.landed(1000);
        assert_eq!(BATCHES.load(Ordering::SeqCst), 1);
        MAY_END.0.send(()).unwrap();
        assert_eq!(write_back.end(), Ok(()));
        write_back.landed(0);
        pass(&BEGUN);
        MAY_END.0.send(()).unwrap();
        drop(write_back);
        assert_eq!(BATCHES.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn what_a_batch_failed_with_is_told_at_the_end_however_often_it_is_asked() {
        let write_back = WriteBack::with(here(), |_| Err(Errno::NOSPC), 1);
        write_back.landed(1);
        assert_eq!(write_back.end(), Err(Errno::NOSPC));
        write_back.landed(1);
        assert_eq!(write_back.end(), Err(Errno::NOSPC));
    }
}
