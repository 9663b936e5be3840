//! The logs of runs: what an agent did, event by event, so that a run can go on
//! after its host was cut off.
//!
//! An event is opaque bytes here. It is stored with a checksum that covers it, its
//! place and the event before it, so that one that was changed, swapped or lost is
//! found when the log is read. Runs are listed by their summaries, and those that
//! are open stand in a table of their own, so that a start looks at them alone.

pub(crate) mod change;
pub(crate) mod log;
mod removal;
pub(crate) mod segment;
pub(crate) mod upgrade;

use std::sync::Arc;
use std::time::SystemTime;

use bailiwick_domain::digest::Digest;
use redb::ReadableTable;

use self::change::Append;
pub use self::log::{Damage, MAX_CUTS, MAX_READ_BYTES, MAX_READ_EVENTS, RunLog};
use crate::Journal;
use crate::calls::{MAX_NAME_BYTES, check_size, millis};
use crate::error::{self, JournalError};
use crate::tables::{OPEN_RUNS, RUN_KEYS, RUNS, TEAMS, Tables};

/// Bytes of one event: an answer of a model or of a tool, with room.
pub const MAX_EVENT_BYTES: usize = 4 << 20;

/// Events of one append. A step of a run makes a handful.
pub const MAX_APPEND_EVENTS: usize = 256;

/// Bytes of the events of one append, because the changed pages of a transaction are in memory.
pub const MAX_APPEND_BYTES: usize = 16 << 20;

/// Bytes of a summary. It is written again with each append, and lists read many.
pub const MAX_SUMMARY_BYTES: usize = 16 << 10;

/// Bytes of a team: the definitions of its agents, with their prompts.
pub const MAX_TEAM_BYTES: usize = 4 << 20;

/// Events of one run, so that a run in a loop can't fill the disk.
pub const MAX_RUN_EVENTS: u64 = 1 << 20;

/// Runs that are open at once: all of them are looked at when a host starts.
pub const MAX_OPEN_RUNS: u64 = 1 << 20;

/// Rows that one [`Journal::runs`] looks at, so that a filter that accepts little
/// doesn't read the whole table.
pub const MAX_LIST_ROWS: usize = 10_000;

/// Hex digits of an id: 128 bits.
const ID_DIGITS: usize = 32;

/// Sorts behind every id, because an id has only hex digits.
const BEHIND_IDS: &str = "g";

/// The summary by which runs are listed, replaced whole with each append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Whether the run has not ended.
    pub open: bool,
    /// What lists show, at most [`MAX_SUMMARY_BYTES`].
    pub bytes: Vec<u8>,
}

/// A run to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRun {
    /// 32 lowercase hex digits that sort in the order of time.
    pub id: String,
    /// What makes the creation happen only once.
    pub key: Option<RunKey>,
    /// The team and the digest by which it is found. What is stored under a digest
    /// already stays as it is.
    pub team: (Digest, Vec<u8>),
    /// The first events, numbered from 1.
    pub events: Vec<Vec<u8>>,
    /// The first summary.
    pub summary: Summary,
}

/// Scope and idempotency key of a creation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunKey {
    /// Who asks, at most [`MAX_NAME_BYTES`].
    pub scope: String,
    /// The caller's key, at most [`MAX_NAME_BYTES`].
    pub key: String,
    /// The digest of all that makes two requests the same.
    pub request: Digest,
}

/// What became of a creation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Created {
    /// The run is there now.
    New,
    /// The same request made the run with this id before; nothing changed.
    Existing(String),
    /// The key belongs to another request; nothing changed.
    Mismatch,
}

impl Journal {
    /// Creates a run with its first events, unless its key was used before. A key is
    /// kept as long as its run.
    pub async fn create_run(&self, run: NewRun, now: SystemTime) -> Result<Created, JournalError> {
        check_new(&run)?;
        let now = millis(now);
        let bytes = event_bytes(&run.events) + run.summary.bytes.len() + run.team.1.len();
        let work = move |tables: &mut Tables<'_>| change::create(tables, &run, now, MAX_OPEN_RUNS);
        self.writer.submit_alone(bytes, work).await?
    }

    /// What a creation with this key would find: none where the key is new.
    pub fn run_by_key(&self, key: &RunKey) -> Result<Option<Created>, JournalError> {
        let read = || -> Result<Option<Created>, redb::Error> {
            let table = self.store.read()?.open_table(RUN_KEYS)?;
            Ok(change::by_key(&table, key)?)
        };
        read().map_err(error::read)
    }

    /// Appends events behind `after`, the number of the last event that the caller
    /// knows (0 where there is none), and answers with the number of the last one now.
    ///
    /// Refused with [`JournalError::RunMoved`] where the log ends elsewhere, because
    /// then somebody else has appended. A refused append changes nothing.
    pub async fn append_run(
        &self,
        id: &str,
        after: u64,
        events: impl Into<Arc<[Vec<u8>]>>,
        summary: Summary,
        now: SystemTime,
    ) -> Result<u64, JournalError> {
        let events = events.into();
        check_id(id)?;
        check_events(&events)?;
        check_size("summary", summary.bytes.len(), MAX_SUMMARY_BYTES)?;
        let bytes = event_bytes(&events) + summary.bytes.len();
        let append = Append { id: id.to_owned(), after, events, summary, now: millis(now) };
        let work = move |tables: &mut Tables<'_>| change::append(tables, &append, MAX_OPEN_RUNS);
        self.writer.submit_alone(bytes, work).await?
    }

    /// The ids of the runs that are open, in their order.
    pub fn open_runs(&self) -> Result<Vec<String>, JournalError> {
        let read = || -> Result<Vec<String>, redb::Error> {
            let table = self.store.read()?.open_table(OPEN_RUNS)?;
            let mut ids = Vec::new();
            for row in table.iter()? {
                let (id, ()) = row.map(|(id, unit)| (id, unit.value()))?;
                ids.push(id.value().to_owned());
            }
            Ok(ids)
        };
        read().map_err(error::read)
    }

    /// Up to `limit` runs whose ids come before `before`, the newest first, as ids
    /// and summaries, of those that `accept` takes.
    ///
    /// `accept` sees each row that is looked at, [`MAX_LIST_ROWS`] at most. Whoever
    /// gets fewer than `limit` goes on before the last id that `accept` saw, until it
    /// sees none.
    pub fn runs(
        &self,
        before: Option<&str>,
        limit: usize,
        accept: &mut dyn FnMut(&str, &[u8]) -> bool,
    ) -> Result<Vec<(String, Vec<u8>)>, JournalError> {
        self.list(before.unwrap_or(BEHIND_IDS), limit, accept).map_err(error::read)
    }

    /// The summary of a run, where there is such a run.
    pub fn run_summary(&self, id: &str) -> Result<Option<Vec<u8>>, JournalError> {
        let read = || -> Result<Option<Vec<u8>>, redb::Error> {
            let table = self.store.read()?.open_table(RUNS)?;
            let row = table.get(id)?;
            Ok(row.map(|row| row.value().5.to_vec()))
        };
        read().map_err(error::read)
    }

    /// The team with this digest, which is stored once for all runs that share it.
    pub fn team(&self, digest: &Digest) -> Result<Option<Vec<u8>>, JournalError> {
        let read = || -> Result<Option<Vec<u8>>, redb::Error> {
            let table = self.store.read()?.open_table(TEAMS)?;
            let row = table.get(digest.as_bytes())?;
            Ok(row.map(|row| row.value().to_vec()))
        };
        read().map_err(error::read)
    }

    fn list(
        &self,
        before: &str,
        limit: usize,
        accept: &mut dyn FnMut(&str, &[u8]) -> bool,
    ) -> Result<Vec<(String, Vec<u8>)>, redb::Error> {
        let table = self.store.read()?.open_table(RUNS)?;
        let mut runs = Vec::new();
        for row in table.range(..before)?.rev().take(MAX_LIST_ROWS) {
            if runs.len() >= limit {
                break;
            }
            let (id, row) = row?;
            let (id, summary) = (id.value(), row.value().5);
            if accept(id, summary) {
                runs.push((id.to_owned(), summary.to_vec()));
            }
        }
        Ok(runs)
    }
}

fn check_new(run: &NewRun) -> Result<(), JournalError> {
    check_id(&run.id)?;
    if let Some(key) = &run.key {
        check_size("scope", key.scope.len(), MAX_NAME_BYTES)?;
        check_size("idempotency key", key.key.len(), MAX_NAME_BYTES)?;
    }
    check_size("team", run.team.1.len(), MAX_TEAM_BYTES)?;
    check_size("summary", run.summary.bytes.len(), MAX_SUMMARY_BYTES)?;
    check_events(&run.events)
}

fn check_id(id: &str) -> Result<(), JournalError> {
    let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if id.len() != ID_DIGITS || !id.bytes().all(digit) {
        return Err(JournalError::RunId);
    }
    Ok(())
}

fn check_events(events: &[Vec<u8>]) -> Result<(), JournalError> {
    check_count("events in one append", events.len() as u64, MAX_APPEND_EVENTS as u64)?;
    events.iter().try_for_each(|event| check_size("event", event.len(), MAX_EVENT_BYTES))?;
    check_size("append", event_bytes(events), MAX_APPEND_BYTES)
}

fn check_count(what: &'static str, count: u64, max: u64) -> Result<(), JournalError> {
    if count > max {
        return Err(JournalError::TooMany { what, count, max });
    }
    Ok(())
}

fn event_bytes(events: &[Vec<u8>]) -> usize {
    events.iter().map(Vec::len).sum()
}

/// What those get who name a run that is not there.
fn no_run(id: &str) -> JournalError {
    JournalError::NoRun(id.to_owned())
}
