//! The durable store: the state of skills, the calls that are made only once, the
//! logs of runs, the audit chain, and the grants and approvals that it tells of.
//!
//! One thread at a time writes. It takes every operation that waits, applies them in one
//! piece, writes what they changed to a log, and answers all of them when the disk has it,
//! so that many callers share one `fsync` and none is answered before its change would
//! survive a crash ([`wal`]). That is a thread of the journal's own, or the caller's where
//! nobody waits and the disk is quick ([`writer`]). Reads go past that thread, to a snapshot that has all that
//! was answered, and nothing that isn't in the log ([`store`]).

pub mod audit;
mod block;
mod blocking;
pub mod calls;
mod commit;
pub mod documents;
mod error;
mod logged;
mod open;
mod pace;
pub mod runs;
#[cfg(any(test, feature = "simulation"))]
pub mod simulation;
pub mod state;
mod store;
mod tables;
#[cfg(test)]
mod tests;
mod wal;
mod writer;

use std::path::Path;
use std::sync::Arc;

use redb::Database;

pub use crate::audit::{Entry, Link};
pub use crate::calls::{Begin, Call, OnInterrupted};
pub use crate::documents::{Batch, Shelf, Undone};
pub use crate::error::JournalError;
pub use crate::runs::{Created, Damage, NewRun, RunKey, RunLog, Summary};
use crate::store::Store;
use crate::wal::Wal;
use crate::writer::Writer;

/// The open journal. The last owner's drop commits what waits and closes the file.
#[derive(Debug)]
pub struct Journal {
    /// Declared first, so that the writer has ended when the database closes.
    writer: Writer,
    store: Arc<Store>,
    running: Arc<calls::Running>,
}

impl Journal {
    /// Opens the journal at `path`, and makes it, readable by its owner alone, where there is none.
    ///
    /// Answers [`JournalError::Locked`] while another process has it open.
    pub fn open(path: &Path) -> Result<Arc<Self>, JournalError> {
        Self::start(open::files(path)?)
    }

    /// A journal that is gone with the process, for whoever only looks at skills and for measurements.
    pub fn in_memory() -> Result<Arc<Self>, JournalError> {
        Self::start(open::over(redb::backends::InMemoryBackend::new())?)
    }

    /// Transactions committed since the journal was opened; far fewer than
    /// operations where many callers wait at once.
    pub fn commits(&self) -> u64 {
        self.store.commits()
    }

    fn start(opened: (Database, Option<Wal>)) -> Result<Arc<Self>, JournalError> {
        Self::with(opened, Writer::start)
    }

    fn with(
        (database, wal): (Database, Option<Wal>),
        writer: impl FnOnce(Arc<Store>) -> Result<Writer, JournalError>,
    ) -> Result<Arc<Self>, JournalError> {
        let store = Arc::new(Store::new(database, wal));
        let writer = writer(Arc::clone(&store))?;
        Ok(Arc::new(Self { writer, store, running: Arc::default() }))
    }
}
