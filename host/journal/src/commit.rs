//! What makes operations durable, one batch after another.
//!
//! The engine's own commit costs more than the log's record, even where it waits for no disk.
//! So a transaction of the engine stays open over many batches, a *round*, until somebody
//! wants to read what was written, or the log is full.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use redb::{Database, Durability, WriteTransaction};

use crate::error::{self, JournalError};
use crate::open::{IN_USE, SEQUENCE, note};
use crate::tables::{Applied, Tables};
use crate::wal::Wal;

/// Batches after a read that readers see at once. Where somebody reads, others will, and
/// should not have to wait for the batch that is being written.
const READ_AGAIN: u32 = 64;

/// The one who commits.
#[derive(Debug)]
pub(crate) struct Committer {
    /// What is acknowledged and not in the engine's snapshot yet. Before the database, which
    /// closes last.
    round: Option<Round>,
    database: Arc<Database>,
    /// None where nothing outlives the process.
    wal: Option<Wal>,
    commits: Arc<AtomicU64>,
    readers: Arc<Readers>,
    /// Batches that are shown to readers at once.
    watched: u32,
    /// Why nothing can be committed any more. What was written then may be durable or not,
    /// so that nothing may follow on it.
    broken: Option<JournalError>,
}

/// What readers and the one who commits know of each other.
#[derive(Debug, Default)]
pub(crate) struct Readers {
    /// Whether they don't see all that is acknowledged.
    pub(crate) behind: AtomicBool,
    /// Whether somebody has read since this was last asked.
    pub(crate) came: AtomicBool,
}

/// A transaction of the engine, and what the log has of it.
struct Round {
    transaction: WriteTransaction,
    /// The changes of its batches, each of which is durable.
    changes: Vec<Vec<u8>>,
}

impl std::fmt::Debug for Round {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Round").field("batches", &self.changes.len()).finish_non_exhaustive()
    }
}

impl Committer {
    /// Counts its commits, and says whether readers are behind.
    pub(crate) const fn new(
        database: Arc<Database>,
        wal: Option<Wal>,
        commits: Arc<AtomicU64>,
        readers: Arc<Readers>,
    ) -> Self {
        Self { round: None, database, wal, commits, readers, watched: 0, broken: None }
    }

    /// Has `work` done as a whole, which is durable when this answers.
    pub(crate) fn commit(&mut self, work: impl FnOnce(&mut Tables<'_>) -> Applied<()>) -> Result<(), JournalError> {
        self.check()?;
        let round = match self.round.take() {
            Some(round) => round,
            None => Round::begin(&self.database)?,
        };
        // A panic of `work` takes the round along: see `check`.
        let mut tables = Tables::of(&round.transaction);
        let done = work(&mut tables);
        let changes = tables.changes();
        drop(tables);
        let kept = match done {
            Ok(()) if changes.is_empty() => {
                self.round = (!round.changes.is_empty()).then_some(round);
                return Ok(());
            }
            Ok(()) => self.keep(round, changes),
            Err(error) => {
                let error = error::commit(error);
                // After an error of its storage the engine does nothing more, not this either.
                if self.undo(round).is_err() {
                    self.broken = Some(error.clone());
                }
                return Err(error);
            }
        };
        if let Err(error) = &kept {
            self.broken = Some(error.clone());
        } else {
            self.commits.fetch_add(1, Ordering::Relaxed);
        }
        kept
    }

    /// Lets readers see all that is acknowledged, where they don't.
    pub(crate) fn show(&mut self) -> Result<(), JournalError> {
        self.check()?;
        let Some(round) = self.round.take() else { return Ok(()) };
        if let Err(error) = round.show() {
            self.broken = Some(error.clone());
            return Err(error);
        }
        self.readers.behind.store(false, Ordering::Release);
        Ok(())
    }

    fn check(&self) -> Result<(), JournalError> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        // An operation panicked. What others had acknowledged is in the log alone.
        let is_lost = self.round.is_none() && self.readers.behind.load(Ordering::Relaxed);
        if is_lost { Err(JournalError::Stopped) } else { Ok(()) }
    }

    /// Undoes what a batch did, and keeps those before it.
    fn undo(&mut self, round: Round) -> Result<(), JournalError> {
        let Round { transaction, changes } = round;
        transaction.abort().map_err(error::commit)?;
        if changes.is_empty() {
            return Ok(());
        }
        let transaction = self.database.begin_write().map_err(error::commit)?;
        let mut tables = Tables::of(&transaction);
        changes.iter().try_for_each(|changes| tables.redo(changes)).map_err(error::commit)?;
        drop(tables);
        self.round = Some(Round { transaction, changes });
        Ok(())
    }

    fn keep(&mut self, mut round: Round, changes: Vec<u8>) -> Result<(), JournalError> {
        let Some(mut wal) = self.wal.take() else {
            return round.transaction.commit().map_err(error::commit);
        };
        let written = if wal.has_room(changes.len()) { wal.append(&changes).map(|()| true) } else { Ok(false) };
        if matches!(written, Ok(true)) {
            self.wal = Some(wal);
            if self.readers.came.swap(false, Ordering::Relaxed) {
                self.watched = READ_AGAIN;
            }
            if self.watched > 0 {
                self.watched -= 1;
                round.show()?;
                self.readers.behind.store(false, Ordering::Release);
                return Ok(());
            }
            round.changes.push(changes);
            self.round = Some(round);
            self.readers.behind.store(true, Ordering::Release);
            return Ok(());
        }
        // The engine takes these itself, and with them all that the log has. Whether a record
        // that failed is in the log makes no difference then.
        let mut transaction = round.transaction;
        let sequence = wal.sequence() + 1;
        note(&transaction, SEQUENCE, sequence).map_err(error::commit)?;
        if written.is_err() {
            note(&transaction, IN_USE, 0).map_err(error::commit)?;
        }
        // Not to have to walk through everything after a stop, and to be sure of the pages
        // whatever is written in them. It is rare enough to be paid for.
        transaction.set_quick_repair(true);
        transaction.commit().map_err(error::commit)?;
        self.readers.behind.store(false, Ordering::Release);
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

    /// Has the engine make everything durable, so that the log is needed no more. Nothing is
    /// committed after it.
    pub(crate) fn close(&mut self) -> Result<(), JournalError> {
        let may_close = self.check().is_ok();
        self.broken.get_or_insert(JournalError::Stopped);
        if !may_close {
            return Ok(());
        }
        let Some(wal) = self.wal.take() else { return Ok(()) };
        let transaction = match self.round.take() {
            Some(round) => round.transaction,
            None => self.database.begin_write().map_err(error::commit)?,
        };
        note(&transaction, SEQUENCE, wal.sequence()).map_err(error::commit)?;
        note(&transaction, IN_USE, 0).map_err(error::commit)?;
        transaction.commit().map_err(error::commit)?;
        wal.end().map_err(error::commit)
    }
}

impl Round {
    fn begin(database: &Database) -> Result<Self, JournalError> {
        Ok(Self { transaction: database.begin_write().map_err(error::commit)?, changes: Vec::new() })
    }

    /// Commits it in memory. All of it is in the log.
    fn show(mut self) -> Result<(), JournalError> {
        self.transaction.set_durability(Durability::None).map_err(error::commit)?;
        self.transaction.commit().map_err(error::commit)
    }
}
