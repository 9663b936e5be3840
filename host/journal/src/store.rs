//! What writers and readers share: readers see what is acknowledged, and nothing else.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Mutex, MutexGuard};
use redb::{Database, ReadTransaction, ReadableDatabase};
use tokio::time::Instant;

use crate::commit::{Committer, Readers};
use crate::error::JournalError;
use crate::pace::Pace;
use crate::tables::{Applied, Tables};
use crate::wal::Wal;

/// Bytes of what is written quickly.
const QUICK_BYTES: usize = 64 << 10;

thread_local! {
    /// Whether this thread is within an operation.
    static WRITES: Cell<bool> = const { Cell::new(false) };
}

/// Says that this thread is within an operation, until it is dropped.
struct Writes;

/// The right to write.
pub(crate) struct Turn<'a> {
    committer: MutexGuard<'a, Committer>,
    pace: &'a Pace,
}

/// The database, and the one who commits.
#[derive(Debug)]
pub(crate) struct Store {
    committer: Mutex<Committer>,
    pace: Pace,
    readers: Arc<Readers>,
    commits: Arc<AtomicU64>,
    database: Arc<Database>,
}

impl Store {
    pub(crate) fn new(database: Database, wal: Option<Wal>) -> Self {
        let (database, commits, readers) = (Arc::new(database), Arc::default(), Arc::default());
        let committer = Committer::new(Arc::clone(&database), wal, Arc::clone(&commits), Arc::clone(&readers));
        Self { committer: Mutex::new(committer), pace: Pace::default(), readers, commits, database }
    }

    /// Batches that were committed.
    pub(crate) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// The right to write, for which this waits.
    pub(crate) fn turn(&self) -> Turn<'_> {
        Turn { committer: self.committer.lock(), pace: &self.pace }
    }

    /// Whether commits have been quick of late.
    pub(crate) fn is_quick(&self) -> bool {
        self.pace.is_quick()
    }

    /// The right to write so many bytes, where nobody else has it and the disk takes them quickly,
    /// as far as that can be foreseen.
    pub(crate) fn quick_turn(&self, bytes: usize) -> Option<Turn<'_>> {
        if bytes > QUICK_BYTES || !self.is_quick() {
            return None;
        }
        let committer = self.committer.try_lock()?;
        // The rows that they make have keys, too.
        committer.has_room(bytes + QUICK_BYTES).then_some(Turn { committer, pace: &self.pace })
    }

    /// All that is acknowledged. Where nobody has read for a while, this may wait for the batch
    /// that is being written, and so for the disk.
    pub(crate) fn read(&self) -> Result<ReadTransaction, redb::Error> {
        let failed = |error| redb::Error::Io(std::io::Error::other(error));
        // It would wait for itself.
        if WRITES.get() {
            return Err(failed(JournalError::Within));
        }
        self.readers.came.store(true, Ordering::Relaxed);
        if self.readers.behind.load(Ordering::Acquire) {
            let shown = self.committer.lock().show();
            shown.map_err(failed)?;
        }
        Ok(self.database.begin_read()?)
    }

    /// Ends all writing, and has the engine keep everything by itself.
    pub(crate) fn close(&self) -> Result<(), JournalError> {
        self.committer.lock().close()
    }
}

impl Turn<'_> {
    /// Has `work` done as a whole, which is durable, and seen by whoever reads, when this answers.
    pub(crate) fn commit(mut self, work: impl FnOnce(&mut Tables<'_>) -> Applied<()>) -> Result<(), JournalError> {
        let begun = Instant::now();
        let writes = Writes::begin();
        let kept = self.committer.commit(work);
        drop(writes);
        if let Ok(kept) = kept {
            self.pace.note(begun.elapsed(), kept);
        }
        // Whoever wants to read comes before the next batch.
        MutexGuard::unlock_fair(self.committer);
        kept.map(drop)
    }
}

impl Writes {
    fn begin() -> Self {
        WRITES.set(true);
        Self
    }
}

impl Drop for Writes {
    fn drop(&mut self) {
        WRITES.set(false);
    }
}
