//! What makes transactions durable, one after another.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use redb::{Database, Durability, WriteTransaction};

use crate::error::{self, JournalError};
use crate::open::{IN_USE, SEQUENCE, note};
use crate::tables::{Applied, Tables};
use crate::wal::Wal;

/// The one who commits.
#[derive(Debug)]
pub(crate) struct Committer {
    database: Arc<Database>,
    /// None where nothing outlives the process.
    wal: Option<Wal>,
    commits: Arc<AtomicU64>,
    /// Why nothing can be committed any more. What was written then may be durable or not,
    /// so that nothing may follow on it.
    broken: Option<JournalError>,
}

impl Committer {
    pub(crate) const fn new(database: Arc<Database>, wal: Option<Wal>, commits: Arc<AtomicU64>) -> Self {
        Self { database, wal, commits, broken: None }
    }

    /// Has `work` done in one transaction, which is durable when this answers.
    pub(crate) fn commit(&mut self, work: impl FnOnce(&mut Tables<'_>) -> Applied<()>) -> Result<(), JournalError> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        let transaction = self.database.begin_write().map_err(error::commit)?;
        let mut tables = Tables::of(&transaction);
        work(&mut tables).map_err(error::commit)?;
        let changes = tables.changes();
        drop(tables);
        if changes.is_empty() {
            return transaction.abort().map_err(error::commit);
        }
        if let Err(error) = self.keep(transaction, &changes) {
            self.broken = Some(error.clone());
            return Err(error);
        }
        self.commits.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn keep(&mut self, mut transaction: WriteTransaction, changes: &[u8]) -> Result<(), JournalError> {
        let Some(mut wal) = self.wal.take() else {
            return transaction.commit().map_err(error::commit);
        };
        let written = if wal.has_room(changes.len()) { wal.append(changes).map(|()| true) } else { Ok(false) };
        if matches!(written, Ok(true)) {
            self.wal = Some(wal);
            transaction.set_durability(Durability::None).map_err(error::commit)?;
            // Readers see what is durable and nothing else.
            return transaction.commit().map_err(error::commit);
        }
        // The engine takes this one itself, and with it all that the log has. Whether a record
        // that failed is in the log makes no difference then.
        let sequence = wal.sequence() + 1;
        note(&transaction, SEQUENCE, sequence).map_err(error::commit)?;
        if written.is_err() {
            note(&transaction, IN_USE, 0).map_err(error::commit)?;
        }
        // Not to have to walk through everything after a stop, and to be sure of the pages
        // whatever is written in them. It is rare enough to be paid for.
        transaction.set_quick_repair(true);
        transaction.commit().map_err(error::commit)?;
        match written {
            Ok(_) => {
                wal.restart(sequence);
                self.wal = Some(wal);
            }
            Err(error) => {
                tracing::error!(%error, "the journal's log can't be written; commits go on without it, slower");
            }
        }
        Ok(())
    }

    /// Has the engine make everything durable, so that the log is needed no more.
    pub(crate) fn close(self) -> Result<(), JournalError> {
        let Some(wal) = self.wal.filter(|_| self.broken.is_none()) else { return Ok(()) };
        let transaction = self.database.begin_write().map_err(error::commit)?;
        note(&transaction, SEQUENCE, wal.sequence()).map_err(error::commit)?;
        note(&transaction, IN_USE, 0).map_err(error::commit)?;
        transaction.commit().map_err(error::commit)?;
        wal.end().map_err(error::commit)
    }
}
