//! What writers and readers share: readers see what is acknowledged, and nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::{Mutex, MutexGuard};
use redb::{Database, ReadTransaction, ReadableDatabase};

use crate::commit::Committer;
use crate::error::JournalError;
use crate::tables::{Applied, Tables};
use crate::wal::Wal;

/// The database, and the one who commits.
#[derive(Debug)]
pub(crate) struct Store {
    committer: Mutex<Committer>,
    /// Whether something is acknowledged that the engine's snapshot doesn't have.
    behind: Arc<AtomicBool>,
    commits: Arc<AtomicU64>,
    database: Arc<Database>,
}

impl Store {
    pub(crate) fn new(database: Database, wal: Option<Wal>) -> Self {
        let (database, commits, behind) = (Arc::new(database), Arc::default(), Arc::default());
        let committer = Committer::new(Arc::clone(&database), wal, Arc::clone(&commits), Arc::clone(&behind));
        Self { committer: Mutex::new(committer), behind, commits, database }
    }

    /// Batches that were committed.
    pub(crate) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Has `work` done as a whole, which is durable, and seen by whoever reads, when this answers.
    pub(crate) fn commit(&self, work: impl FnOnce(&mut Tables<'_>) -> Applied<()>) -> Result<(), JournalError> {
        let mut committer = self.committer.lock();
        let outcome = committer.commit(work);
        // Whoever wants to read comes before the next batch.
        MutexGuard::unlock_fair(committer);
        outcome
    }

    /// All that is acknowledged. Where nobody has read for a while, this may wait for a batch
    /// that is being written.
    pub(crate) fn read(&self) -> Result<ReadTransaction, redb::Error> {
        if self.behind.load(Ordering::Acquire) {
            let shown = self.committer.lock().show();
            shown.map_err(|error| redb::Error::Io(std::io::Error::other(error)))?;
        }
        Ok(self.database.begin_read()?)
    }

    /// Ends all writing, and has the engine keep everything by itself.
    pub(crate) fn close(&self) -> Result<(), JournalError> {
        self.committer.lock().close()
    }
}
