//! Calls that are made only once: a durable record by scope and idempotency key.
//!
//! A call is `begun` on disk before anything runs. While it runs, this process
//! also remembers it in memory, through a [`Call`] that forgets it when dropped.
//! So what is begun on disk and not in memory was cut off: by a crash, or by a
//! caller that went away. No such record can be stuck, because nothing has to
//! be written for it to count as interrupted.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bailiwick_domain::digest::Digest;
use redb::ReadableTable;

use crate::Journal;
use crate::error::JournalError;
use crate::tables::{Applied, Tables};

/// How long a record is kept after its call began: clients retry within minutes,
/// and jobs that run again by day get a new key.
pub const RETENTION: Duration = Duration::from_hours(24);

/// Bytes of a scope or a key: names and UUIDs, not documents.
pub const MAX_NAME_BYTES: usize = 1 << 10;

/// Bytes of a record: the largest output that the host's ceiling allows, twice.
pub const MAX_RECORD_BYTES: usize = 32 << 20;

/// Records kept at once, so that a client with a new key for each call can't fill the disk.
pub const MAX_CALLS: u64 = 1 << 20;

/// Records that one `begin` removes at most: more than it adds, so that the old
/// ones vanish, and few enough that no caller notices.
const PURGE: usize = 16;

/// What the journal knows of a call that a caller wants to begin.
#[derive(Debug)]
pub enum Begin {
    /// It may run now, and is recorded as begun.
    New(Call),
    /// This process runs it at this moment.
    InProgress,
    /// It was begun and cut off; whether it took effect is not known.
    Interrupted,
    /// It ended, with this record.
    Done(Vec<u8>),
    /// The key belongs to another request.
    Mismatch,
}

/// What to do with a call that was cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnInterrupted {
    /// Run it again, because twice is the same as once.
    Rerun,
    /// Answer [`Begin::Interrupted`] and leave it as it is.
    Report,
}

/// A call that was begun and is under way. Dropped without an end, it counts as
/// interrupted.
#[derive(Debug)]
#[must_use = "a call that is dropped counts as interrupted"]
pub struct Call {
    running: Arc<Running>,
    name: Name,
    turn: u64,
}

/// Scope and key.
type Name = (Arc<str>, Arc<str>);

/// The calls under way in this process, each with the turn that it took.
#[derive(Debug, Default)]
pub(crate) struct Running {
    calls: Mutex<HashMap<Name, u64>>,
    turns: AtomicU64,
}

impl Journal {
    /// Begins the call that `scope` and `key` name, unless it was begun before.
    /// `request` is the digest of all that makes two requests the same.
    ///
    /// The answer is durable; [`Begin::New`] is given to one caller at a time.
    pub async fn begin_call(
        &self,
        scope: &str,
        key: &str,
        request: Digest,
        now: SystemTime,
        interrupted: OnInterrupted,
    ) -> Result<Begin, JournalError> {
        check_size("scope", scope.len(), MAX_NAME_BYTES)?;
        check_size("idempotency key", key.len(), MAX_NAME_BYTES)?;
        let name: Name = (scope.into(), key.into());
        let running = Arc::clone(&self.running);
        let now = millis(now);
        let bytes = scope.len() + key.len();
        let work = move |tables: &mut Tables<'_>| begin(tables, &running, name, request, now, interrupted);
        self.writer.submit(bytes, work).await?
    }

    /// Records how `call` ended.
    pub async fn finish_call(&self, call: Call, record: Vec<u8>) -> Result<(), JournalError> {
        check_size("record", record.len(), MAX_RECORD_BYTES)?;
        // The call comes back in the answer, so that it is under way until the
        // record is durable.
        let bytes = record.len();
        let work = move |tables: &mut Tables<'_>| finish(tables, &call.name, &record).map(|()| call);
        self.writer.submit(bytes, work).await.map(drop)
    }

    /// Forgets `call`, of which nothing ran: its key may be used again.
    pub async fn abandon_call(&self, call: Call) -> Result<(), JournalError> {
        let work = move |tables: &mut Tables<'_>| abandon(tables, &call.name).map(|()| call);
        self.writer.submit(MAX_NAME_BYTES, work).await.map(drop)
    }
}

impl Running {
    fn claim(self: &Arc<Self>, name: Name) -> Call {
        let turn = self.turns.fetch_add(1, Ordering::Relaxed);
        self.lock().insert(name.clone(), turn);
        Call { running: Arc::clone(self), name, turn }
    }

    fn has(&self, name: &Name) -> bool {
        self.lock().contains_key(name)
    }

    /// The map is whole even if a thread panicked while it held the lock.
    fn lock(&self) -> MutexGuard<'_, HashMap<Name, u64>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Call {
    /// Forgets the call, but not a later one that has the same name because
    /// this one was abandoned.
    fn drop(&mut self) {
        let mut calls = self.running.lock();
        if calls.get(&self.name) == Some(&self.turn) {
            calls.remove(&self.name);
        }
    }
}

/// What is stored of a call, read out of its row.
struct Stored {
    begun: u64,
    request: [u8; 32],
    record: Option<Vec<u8>>,
}

fn begin(
    tables: &mut Tables<'_>,
    running: &Arc<Running>,
    name: Name,
    request: Digest,
    now: u64,
    interrupted: OnInterrupted,
) -> Applied<Result<Begin, JournalError>> {
    purge(tables, running, now)?;
    let under_way = running.has(&name);
    let stored = stored(tables, &name)?.filter(|call| under_way || !expired(call.begun, now));
    Ok(Ok(match stored {
        Some(call) if call.request != *request.as_bytes() => Begin::Mismatch,
        Some(Stored { record: Some(record), .. }) => Begin::Done(record),
        Some(_) if under_way => Begin::InProgress,
        Some(_) if interrupted == OnInterrupted::Report => Begin::Interrupted,
        None if !tables.calls.has_fewer_than(MAX_CALLS)? => return Ok(Err(JournalError::Full(MAX_CALLS))),
        Some(_) | None => {
            write_begun(tables, &name, request, now)?;
            Begin::New(running.claim(name))
        }
    }))
}

fn stored(tables: &Tables<'_>, (scope, key): &Name) -> Applied<Option<Stored>> {
    let row = tables.calls.get((scope.as_ref(), key.as_ref()))?;
    Ok(row.map(|row| {
        let (begun, request, record) = row.value();
        Stored { begun, request: *request, record: record.map(<[u8]>::to_vec) }
    }))
}

fn write_begun(tables: &mut Tables<'_>, name: &Name, request: Digest, now: u64) -> Applied<()> {
    forget(tables, name)?;
    let (scope, key) = (name.0.as_ref(), name.1.as_ref());
    tables.calls.insert((scope, key), (now, request.as_bytes(), None))?;
    tables.calls_by_age.insert((now, scope, key), ())?;
    Ok(())
}

fn finish(tables: &mut Tables<'_>, name: &Name, record: &[u8]) -> Applied<()> {
    // What was purged while it ran, after a day, is not written again.
    let Some(Stored { begun, request, .. }) = stored(tables, name)? else {
        return Ok(());
    };
    let row = (begun, &request, Some(record));
    tables.calls.insert((name.0.as_ref(), name.1.as_ref()), row)?;
    Ok(())
}

fn abandon(tables: &mut Tables<'_>, name: &Name) -> Applied<()> {
    forget(tables, name)
}

/// Removes a call from both tables.
fn forget(tables: &mut Tables<'_>, name: &Name) -> Applied<()> {
    let (scope, key) = (name.0.as_ref(), name.1.as_ref());
    if let Some(begun) = tables.calls.take((scope, key), |row| row.0)? {
        tables.calls_by_age.remove((begun, scope, key))?;
    }
    Ok(())
}

/// Removes some of the calls that are past their time and not under way.
fn purge(tables: &mut Tables<'_>, running: &Running, now: u64) -> Applied<()> {
    let mut old: Vec<Name> = Vec::new();
    for row in tables.calls_by_age.read()?.iter()?.take(PURGE) {
        let (row, ()) = row.map(|(row, unit)| (row, unit.value()))?;
        let (begun, scope, key) = row.value();
        if !expired(begun, now) {
            break;
        }
        old.push((scope.into(), key.into()));
    }
    old.iter().filter(|name| !running.has(name)).try_for_each(|name| forget(tables, name))
}

fn expired(begun: u64, now: u64) -> bool {
    now.saturating_sub(begun) >= millis(UNIX_EPOCH + RETENTION)
}

/// Milliseconds since 1970; a clock before it reads as its start.
pub(crate) fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

pub(crate) fn check_size(what: &'static str, size: usize, max: usize) -> Result<(), JournalError> {
    if size > max {
        return Err(JournalError::TooLong { what, size, max });
    }
    Ok(())
}
