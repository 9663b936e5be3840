//! What makes operations durable, one batch after another.
//!
//! The engine's own commit costs more than the log's record, even where it waits for no disk.
//! So a transaction of the engine stays open over many batches, a *round*, until somebody
//! wants to read what was written, or the log is full.

use std::cell::RefCell;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use redb::{Database, Durability, WriteTransaction};

use crate::error::{self, JournalError};
use crate::open::{IN_USE, SEQUENCE, note};
use crate::tables::{Applied, Rows, Tables};
use crate::wal::{HEAD, Wal};

/// Batches after a read that readers see at once. Where somebody reads, others will, and
/// should not have to wait for the batch that is being written.
const READ_AGAIN: u32 = 64;

/// Bytes of rows after which the engine's transaction gets them: few enough that nobody waits
/// for long until it has them.
const PENDING_BYTES: usize = 128 << 10;

/// Room that is kept for the record of the next batch.
const RECORD_BYTES: usize = 64 << 10;

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
    /// Room for the record of a batch.
    record: Vec<u8>,
    /// Why nothing can be committed any more. What was written then may be durable or not,
    /// so that nothing may follow on it.
    broken: Option<JournalError>,
}

/// Where what a commit changed is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// It changed nothing.
    Nothing,
    /// In the log.
    InLog,
    /// In the engine, with all that the log had.
    InEngine,
}

/// What readers and the one who commits know of each other.
#[derive(Debug, Default)]
pub(crate) struct Readers {
    /// Whether they don't see all that is acknowledged.
    pub(crate) behind: AtomicBool,
    /// Whether somebody has read since this was last asked.
    pub(crate) came: AtomicBool,
}

/// A transaction of the engine, and what it lacks.
struct Round {
    transaction: WriteTransaction,
    /// What the transaction has not of it yet.
    rows: Rows,
    /// The number of the log's last record before it.
    after: u64,
}

impl std::fmt::Debug for Round {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Round").field("after", &self.after).finish_non_exhaustive()
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
        Self { round: None, database, wal, commits, readers, watched: 0, record: Vec::new(), broken: None }
    }

    /// Whether so many bytes of changes go into the log as it is, so that the engine has not to
    /// make anything durable for them.
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        self.wal.as_ref().is_some_and(|wal| wal.has_room(bytes))
    }

    /// Has `work` done as a whole, which is durable when this answers.
    pub(crate) fn commit(&mut self, work: impl FnOnce(&mut Tables<'_>) -> Applied<()>) -> Result<Kept, JournalError> {
        self.check()?;
        // A panic leaves it like this, because nobody knows then what was done of a batch.
        self.broken = Some(JournalError::Stopped);
        let mut record = mem::take(&mut self.record);
        record.resize(HEAD, 0);
        let (outcome, broken) = self.try_commit(work, &mut record);
        self.broken = broken;
        record.clear();
        record.shrink_to(RECORD_BYTES);
        self.record = record;
        if matches!(outcome, Ok(Kept::InLog | Kept::InEngine)) {
            self.commits.fetch_add(1, Ordering::Relaxed);
        }
        outcome
    }

    /// The same with room for the record. Answers too why nothing can be committed after it.
    fn try_commit(
        &mut self,
        work: impl FnOnce(&mut Tables<'_>) -> Applied<()>,
        record: &mut Vec<u8>,
    ) -> (Result<Kept, JournalError>, Option<JournalError>) {
        let begun = self.round.take().map_or_else(|| Round::begin(&self.database, self.sequence()), Ok);
        let mut round = match begun {
            Ok(round) => round,
            Err(error) => return (Err(error), None),
        };
        let changes = RefCell::new(mem::take(record));
        let done = work(&mut Tables::of(&round.transaction, &mut round.rows, &changes));
        *record = changes.into_inner();
        match done {
            Ok(()) if record.len() == HEAD => {
                self.round = (round.after < self.sequence()).then_some(round);
                (Ok(Kept::Nothing), None)
            }
            Ok(()) => match self.keep(round, record) {
                Ok(kept) => (Ok(kept), None),
                Err(error) => (Err(error.clone()), Some(error)),
            },
            Err(error) => {
                let error = error::commit(error);
                // After an error of its storage the engine does nothing more, not this either.
                let broken = self.undo(round).is_err().then(|| error.clone());
                (Err(error), broken)
            }
        }
    }

    /// Lets readers see all that is acknowledged, where they don't.
    pub(crate) fn show(&mut self) -> Result<(), JournalError> {
        self.check()?;
        let Some(round) = self.round.take() else { return Ok(()) };
        self.broken = Some(JournalError::Stopped);
        let shown = round.show();
        self.broken = shown.as_ref().err().cloned();
        if shown.is_ok() {
            self.readers.behind.store(false, Ordering::Release);
        }
        shown
    }

    fn check(&self) -> Result<(), JournalError> {
        self.broken.clone().map_or(Ok(()), Err)
    }

    /// Undoes what a batch did, and keeps those before it.
    fn undo(&mut self, round: Round) -> Result<(), JournalError> {
        let Round { transaction, after, .. } = round;
        transaction.abort().map_err(error::commit)?;
        let batches = match &self.wal {
            Some(wal) if wal.sequence() > after => wal.since(after).map_err(error::commit)?,
            _ => return Ok(()),
        };
        let mut round = Round::begin(&self.database, after)?;
        let redone = RefCell::default();
        let mut tables = Tables::of(&round.transaction, &mut round.rows, &redone);
        batches.iter().try_for_each(|changes| tables.redo(changes)).map_err(error::commit)?;
        drop(tables);
        self.round = Some(round);
        Ok(())
    }

    /// The number of the log's last record.
    fn sequence(&self) -> u64 {
        self.wal.as_ref().map_or(0, Wal::sequence)
    }

    fn keep(&mut self, mut round: Round, record: &mut Vec<u8>) -> Result<Kept, JournalError> {
        let Some(mut wal) = self.wal.take() else {
            round.into_transaction()?.commit().map_err(error::commit)?;
            return Ok(Kept::InEngine);
        };
        let written = if wal.has_room(record.len() - HEAD) { wal.append(record).map(|()| true) } else { Ok(false) };
        if matches!(written, Ok(true)) {
            self.wal = Some(wal);
            if self.readers.came.swap(false, Ordering::Relaxed) {
                self.watched = READ_AGAIN;
            }
            if self.watched > 0 {
                self.watched -= 1;
                round.show()?;
                self.readers.behind.store(false, Ordering::Release);
                return Ok(Kept::InLog);
            }
            if round.rows.bytes() > PENDING_BYTES {
                round.flush()?;
            }
            self.round = Some(round);
            self.readers.behind.store(true, Ordering::Release);
            return Ok(Kept::InLog);
        }
        // The engine takes these itself, and with them all that the log has. Whether a record
        // that failed is in the log makes no difference then.
        let mut transaction = round.into_transaction()?;
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
        Ok(Kept::InEngine)
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
            Some(round) => round.into_transaction()?,
            None => self.database.begin_write().map_err(error::commit)?,
        };
        note(&transaction, SEQUENCE, wal.sequence()).map_err(error::commit)?;
        note(&transaction, IN_USE, 0).map_err(error::commit)?;
        transaction.commit().map_err(error::commit)?;
        wal.end().map_err(error::commit)
    }
}

impl Round {
    fn begin(database: &Database, after: u64) -> Result<Self, JournalError> {
        let transaction = database.begin_write().map_err(error::commit)?;
        Ok(Self { transaction, rows: Rows::default(), after })
    }

    fn flush(&mut self) -> Result<(), JournalError> {
        let changes = RefCell::default();
        Tables::of(&self.transaction, &mut self.rows, &changes).flush().map_err(error::commit)
    }

    /// The transaction with all that is in the round.
    fn into_transaction(mut self) -> Result<WriteTransaction, JournalError> {
        self.flush()?;
        Ok(self.transaction)
    }

    /// Commits it in memory. All of it is in the log.
    fn show(self) -> Result<(), JournalError> {
        let mut transaction = self.into_transaction()?;
        transaction.set_durability(Durability::None).map_err(error::commit)?;
        transaction.commit().map_err(error::commit)
    }
}
