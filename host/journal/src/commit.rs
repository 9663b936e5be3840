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
        let Some(wal) = &mut self.wal else {
            return transaction.commit().map_err(error::commit);
        };
        if wal.has_room(changes.len()) {
            transaction.set_durability(Durability::None).map_err(error::commit)?;
            wal.append(changes).map_err(error::commit)?;
            // Readers see what is durable and nothing else.
            return transaction.commit().map_err(error::commit);
        }
        let sequence = wal.sequence() + 1;
        note(&transaction, SEQUENCE, sequence).map_err(error::commit)?;
        transaction.commit().map_err(error::commit)?;
        wal.restart(sequence);
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
