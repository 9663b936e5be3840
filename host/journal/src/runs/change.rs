//! How runs are created and grow, within the writer's transaction.
//!
//! Everything that can be refused is checked before anything is written, because
//! a refusal doesn't undo the transaction that it shares with others.

use std::sync::Arc;

use bailiwick_domain::digest::Digest;
use redb::{ReadableTable, ReadableTableMetadata};

use super::log::{Checksum, ORIGIN, checksum};
use super::segment::Segment;
use super::{Created, MAX_RUN_EVENTS, NewRun, RunKey, Summary, check_count, event_bytes, no_run};
use crate::error::JournalError;
use crate::tables::{Applied, RunKeyRow, RunRow, Tables};

/// What the row of a run says beside the summary.
pub(crate) struct Head {
    /// The number of the last event, 0 where there is none.
    pub(crate) last: u64,
    /// The checksum of the last event.
    pub(crate) checksum: Checksum,
    /// When the last event was appended, in milliseconds since 1970.
    pub(crate) changed: u64,
    /// The digest of the team.
    pub(crate) team: [u8; 32],
    /// Scope and key that the run was created with.
    pub(crate) key: Option<(String, String)>,
}

impl Head {
    fn of((last, checksum, changed, team, key, _): RunRow<'_>) -> Self {
        let key = key.map(|(scope, key)| (scope.to_owned(), key.to_owned()));
        Self { last, checksum: *checksum, changed, team: *team, key }
    }
}

/// Events to be appended.
pub(crate) struct Append {
    pub(crate) id: String,
    pub(crate) after: u64,
    pub(crate) events: Arc<[Vec<u8>]>,
    pub(crate) summary: Summary,
    /// Milliseconds since 1970.
    pub(crate) now: u64,
}

/// Creates a run while fewer than `most_open` are open, or refuses and changes nothing.
pub(crate) fn create(
    tables: &mut Tables<'_>,
    run: &NewRun,
    now: u64,
    most_open: u64,
) -> Applied<Result<Created, JournalError>> {
    if let Some(key) = &run.key
        && let Some(row) = tables.run_keys.get((key.scope.as_str(), key.key.as_str()))?
    {
        return Ok(Ok(made_before(row.value(), key)));
    }
    if is_taken(tables, &run.id)? {
        return Ok(Err(JournalError::RunExists(run.id.clone())));
    }
    if let Err(full) = check_open(tables, run.summary.open, most_open)? {
        return Ok(Err(full));
    }
    let id = run.id.as_str();
    let (team, bytes) = &run.team;
    use_team(tables, team, bytes)?;
    if let Some(RunKey { scope, key, request }) = &run.key {
        tables.run_keys.insert((scope.as_str(), key.as_str()), (request.as_bytes(), id, now))?;
    }
    let key = run.key.as_ref().map(|key| (key.scope.clone(), key.key.clone()));
    let mut head = Head { last: 0, checksum: ORIGIN, changed: now, team: *team.as_bytes(), key };
    write_events(tables, id, &mut head, &run.events)?;
    put(tables, id, &head, &run.summary.bytes)?;
    list(tables, id, &head, run.summary.open)?;
    Ok(Ok(Created::New))
}

/// Appends to a run, or refuses and changes nothing. Answers with the number of
/// the last event.
pub(crate) fn append(tables: &mut Tables<'_>, append: &Append, most_open: u64) -> Applied<Result<u64, JournalError>> {
    let (id, summary) = (append.id.as_str(), &append.summary);
    let Some(mut head) = head(tables, id)? else {
        return Ok(Err(no_run(id)));
    };
    if let Err(refusal) = check_append(&head, append) {
        return Ok(Err(refusal));
    }
    let was_open = is_open(tables, id)?;
    if let Err(full) = check_open(tables, summary.open && !was_open, most_open)? {
        return Ok(Err(full));
    }
    // An open run that stays open is listed as it should be, and most appends are of that kind.
    let relist = !(was_open && summary.open);
    if relist {
        unlist(tables, id, &head)?;
    }
    if !append.events.is_empty() {
        head.changed = append.now;
    }
    write_events(tables, id, &mut head, &append.events)?;
    put(tables, id, &head, &summary.bytes)?;
    if relist {
        list(tables, id, &head, summary.open)?;
    }
    Ok(Ok(head.last))
}

/// The row of a run, without its summary.
pub(crate) fn head(tables: &Tables<'_>, id: &str) -> Applied<Option<Head>> {
    Ok(tables.runs.get(id)?.map(|row| Head::of(row.value())))
}

/// The same, where nothing is being written.
pub(crate) fn stored(table: &impl ReadableTable<&'static str, RunRow<'static>>, id: &str) -> Applied<Option<Head>> {
    Ok(table.get(id)?.map(|row| Head::of(row.value())))
}

/// Writes the row of a run.
pub(crate) fn put(tables: &mut Tables<'_>, id: &str, head: &Head, summary: &[u8]) -> Applied<()> {
    let key = head.key.as_ref().map(|(scope, key)| (scope.as_str(), key.as_str()));
    tables.runs.insert(id, (head.last, &head.checksum, head.changed, &head.team, key, summary))?;
    Ok(())
}

pub(super) fn is_open(tables: &Tables<'_>, id: &str) -> Applied<bool> {
    Ok(tables.open_runs.get(id)?.is_some())
}

/// Puts a run among the open ones, or among those that have ended, by when they did.
pub(super) fn list(tables: &mut Tables<'_>, id: &str, head: &Head, open: bool) -> Applied<()> {
    if open {
        tables.open_runs.insert(id, ())?;
    } else {
        tables.ended_runs.insert((head.changed, id), ())?;
    }
    Ok(())
}

/// Takes a run, as its row stands, off the one list that it is on.
pub(super) fn unlist(tables: &mut Tables<'_>, id: &str, head: &Head) -> Applied<()> {
    if tables.open_runs.take(id, drop)?.is_none() {
        tables.ended_runs.remove((head.changed, id))?;
    }
    Ok(())
}

/// Whether a run may be added to the open ones, where it `opens` at all.
pub(super) fn check_open(tables: &mut Tables<'_>, opens: bool, most: u64) -> Applied<Result<(), JournalError>> {
    if !opens || tables.open_runs.has_fewer_than(most)? {
        return Ok(Ok(()));
    }
    Ok(check_count("open runs", tables.open_runs.read()?.len()?.saturating_add(1), most))
}

fn check_append(head: &Head, append: &Append) -> Result<(), JournalError> {
    let (after, last) = (append.after, head.last);
    if after != last {
        return Err(JournalError::RunMoved { id: append.id.clone(), after, last });
    }
    check_count("events in one run", last.saturating_add(append.events.len() as u64), MAX_RUN_EVENTS)
}

/// What the key of a creation has made before.
pub(super) fn by_key(
    table: &impl ReadableTable<(&'static str, &'static str), RunKeyRow<'static>>,
    key: &RunKey,
) -> Applied<Option<Created>> {
    let row = table.get((key.scope.as_str(), key.key.as_str()))?;
    Ok(row.map(|row| made_before(row.value(), key)))
}

fn made_before((request, id, _): RunKeyRow<'_>, key: &RunKey) -> Created {
    if request == key.request.as_bytes() { Created::Existing(id.to_owned()) } else { Created::Mismatch }
}

/// Whether there is such a run, or was one whose events are still being removed.
fn is_taken(tables: &Tables<'_>, id: &str) -> Applied<bool> {
    Ok(tables.runs.get(id)?.is_some() || tables.removed_runs.get(id)?.is_some())
}

fn use_team(tables: &mut Tables<'_>, digest: &Digest, team: &[u8]) -> Applied<()> {
    let uses = tables.team_uses.get(digest.as_bytes())?.map_or(0, |uses| uses.value());
    if uses == 0 {
        tables.teams.insert(digest.as_bytes(), team)?;
    }
    tables.team_uses.insert(digest.as_bytes(), uses.saturating_add(1))?;
    Ok(())
}

/// Writes events behind those that `head` knows, and moves it on.
fn write_events(tables: &mut Tables<'_>, id: &str, head: &mut Head, events: &[Vec<u8>]) -> Applied<()> {
    let begin =
        |head: &Head, events: &[Vec<u8>]| Segment::new(head.last.saturating_add(1), events.len(), event_bytes(events));
    let mut segment = begin(head, events);
    for (place, event) in events.iter().enumerate() {
        if segment.is_full(event.len()) {
            let full = std::mem::replace(&mut segment, begin(head, &events[place..]));
            write_segment(tables, id, full)?;
        }
        head.last = head.last.saturating_add(1);
        head.checksum = checksum(&head.checksum, id, head.last, event);
        segment.push(&head.checksum, event);
    }
    write_segment(tables, id, segment)
}

fn write_segment(tables: &mut Tables<'_>, id: &str, segment: Segment) -> Applied<()> {
    if let Some((first, row)) = segment.row() {
        tables.run_segments.insert((id, first), row.as_slice())?;
    }
    Ok(())
}
