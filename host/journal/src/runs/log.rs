//! How the log of a run is read and believed, and cut where its end is torn.

use bailiwick_domain::digest::Digest;
use redb::ReadableTable;

use super::change::{self, Head};
use super::{MAX_OPEN_RUNS, check_count, check_id, no_run};
use crate::Journal;
use crate::error::{self, JournalError};
use crate::tables::{Applied, EventRow, RUN_EVENTS, RUNS, Tables};

/// Events that one read returns at most.
pub const MAX_READ_EVENTS: usize = 4096;

/// Bytes of events after which a read returns what it has, because they are in memory.
pub const MAX_READ_BYTES: usize = 16 << 20;

/// Torn events that are kept of one run. A disk that tears more needs a person.
pub const MAX_CUTS: u64 = 16;

/// Half of a sha256: what is stored is guarded against accidents, not against
/// whoever can write the file.
pub(crate) type Checksum = [u8; 16];

/// What stands before the first event.
pub(crate) const ORIGIN: Checksum = [0; 16];

/// Events of a run, as far as they can be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunLog {
    /// The events with their numbers, counted from 1, in their order.
    pub events: Vec<(u64, Vec<u8>)>,
    /// The number of the last event of the run, which a later read may reach.
    pub last: u64,
    /// Where the log is not whole, if this read came to such a place.
    pub damage: Option<Damage>,
}

/// Where a log is not whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The number of the first event that can't be believed.
    pub at: u64,
    /// Whether it is the last event of the log, so that [`Journal::cut_run`] may cut it.
    pub torn: bool,
}

impl Journal {
    /// Up to `limit` events behind the number `after` (0 for all), each checked
    /// against the one before it. No event behind a damaged one is returned.
    ///
    /// A read ends early after [`MAX_READ_EVENTS`] or [`MAX_READ_BYTES`]: the log is
    /// read to its end when its last event has the number [`RunLog::last`]. What is
    /// at or before `after` is taken for checked.
    pub fn run_events(&self, id: &str, after: u64, limit: usize) -> Result<RunLog, JournalError> {
        check_id(id)?;
        let look = || -> Result<Option<RunLog>, redb::Error> {
            let transaction = self.store.read()?;
            let Some(head) = change::stored(&transaction.open_table(RUNS)?, id)? else {
                return Ok(None);
            };
            let events = transaction.open_table(RUN_EVENTS)?;
            Ok(Some(read(&events, id, &head, after, limit)?))
        };
        look().map_err(error::read)?.ok_or_else(|| no_run(id))
    }

    /// Cuts the last event, with the number `at`, where it is torn. The cut bytes are
    /// kept with the run for a person to look at, and the run counts as open, because
    /// what was cut may have been its end.
    ///
    /// Refused with [`JournalError::NotTorn`] where a read finds no such damage.
    pub async fn cut_run(&self, id: &str, at: u64) -> Result<(), JournalError> {
        check_id(id)?;
        let id = id.to_owned();
        self.writer.submit(id.len(), move |tables: &mut Tables<'_>| cut(tables, &id, at)).await?
    }
}

/// The checksum of the event `number`, behind one with the checksum `before`.
pub(crate) fn checksum(before: &Checksum, id: &str, number: u64, event: &[u8]) -> Checksum {
    let number = number.to_be_bytes();
    let digest = Digest::of_parts(&[before.as_slice(), id.as_bytes(), number.as_slice(), event]);
    let mut half = ORIGIN;
    half.copy_from_slice(&digest.as_bytes()[..ORIGIN.len()]);
    half
}

fn read(
    table: &impl ReadableTable<(&'static str, u64), EventRow<'static>>,
    id: &str,
    head: &Head,
    after: u64,
    limit: usize,
) -> Applied<RunLog> {
    let mut log = RunLog { events: Vec::new(), last: head.last, damage: None };
    if after > head.last {
        return Ok(log);
    }
    let Some(mut before) = checksum_at(table, id, after)? else {
        log.damage = Some(damage(table, id, head, after)?);
        return Ok(log);
    };
    let (mut number, mut bytes) = (after, 0);
    for row in table.range((id, after.saturating_add(1))..=(id, u64::MAX))? {
        if log.events.len() >= limit.min(MAX_READ_EVENTS) || bytes >= MAX_READ_BYTES {
            return Ok(log);
        }
        if number >= head.last {
            break;
        }
        number += 1;
        let (key, row) = row?;
        let (stored, event) = row.value();
        if key.value().1 != number || *stored != checksum(&before, id, number, event) {
            log.damage = Some(damage(table, id, head, number)?);
            return Ok(log);
        }
        before = *stored;
        bytes += event.len();
        log.events.push((number, event.to_vec()));
    }
    if let Some(at) = wrong_end(table, id, head, number, &before)? {
        log.events.retain(|(number, _)| *number < at);
        log.damage = Some(damage(table, id, head, at)?);
    }
    Ok(log)
}

/// The first event that can't be believed because the log doesn't end, with event
/// `number` and its checksum, as the row of the run says.
fn wrong_end(
    table: &impl ReadableTable<(&'static str, u64), EventRow<'static>>,
    id: &str,
    head: &Head,
    number: u64,
    checksum: &Checksum,
) -> Applied<Option<u64>> {
    if number < head.last {
        return Ok(Some(number + 1));
    }
    if *checksum != head.checksum {
        return Ok(Some(head.last));
    }
    Ok(goes_on(table, id, head.last)?.then_some(head.last.saturating_add(1)))
}

fn damage(
    table: &impl ReadableTable<(&'static str, u64), EventRow<'static>>,
    id: &str,
    head: &Head,
    at: u64,
) -> Applied<Damage> {
    // There is no event 0: where its place is wrong, the row of the run is.
    let torn = at > 0 && at >= head.last && !goes_on(table, id, at)?;
    Ok(Damage { at, torn })
}

/// Whether there are rows of events behind `number`.
fn goes_on(table: &impl ReadableTable<(&'static str, u64), EventRow<'static>>, id: &str, number: u64) -> Applied<bool> {
    let next = table.range((id, number.saturating_add(1))..=(id, u64::MAX))?.next().transpose()?;
    Ok(next.is_some())
}

fn checksum_at(
    table: &impl ReadableTable<(&'static str, u64), EventRow<'static>>,
    id: &str,
    number: u64,
) -> Applied<Option<Checksum>> {
    if number == 0 {
        return Ok(Some(ORIGIN));
    }
    let row = table.get((id, number))?;
    Ok(row.map(|row| *row.value().0))
}

fn cut(tables: &mut Tables<'_>, id: &str, at: u64) -> Applied<Result<(), JournalError>> {
    let Some(mut head) = change::stored(tables.runs.read()?, id)? else {
        return Ok(Err(no_run(id)));
    };
    let Some(before) = before_torn(tables, id, &head, at)? else {
        return Ok(Err(JournalError::NotTorn { id: id.to_owned(), at }));
    };
    let opens = !change::is_open(tables, id)?;
    if let Err(full) = change::check_open(tables, opens, MAX_OPEN_RUNS)? {
        return Ok(Err(full));
    }
    let cuts = tables.cut_events.read()?.range((id, 0)..=(id, u64::MAX))?.count() as u64;
    if let Err(refusal) = check_count("cuts of one run", cuts + 1, MAX_CUTS) {
        return Ok(Err(refusal));
    }
    let torn = tables.run_events.take((id, at), |(checksum, event)| (*checksum, event.to_vec()))?;
    if let Some((checksum, event)) = torn {
        tables.cut_events.insert((id, cuts + 1), (at, &checksum, event.as_slice()))?;
    }
    let summary = tables.runs.get(id)?.map(|row| row.value().5.to_vec()).unwrap_or_default();
    change::unlist(tables, id, &head)?;
    (head.last, head.checksum) = (at - 1, before);
    change::put(tables, id, &head, &summary)?;
    change::list(tables, id, &head, true)?;
    Ok(Ok(()))
}

/// The checksum before the event `at`, where that is the last and torn.
fn before_torn(tables: &Tables<'_>, id: &str, head: &Head, at: u64) -> Applied<Option<Checksum>> {
    // The event before it is checked too: a wrong checksum of that one would make
    // the last one look torn.
    let log = read(tables.run_events.read()?, id, head, at.saturating_sub(2), 2)?;
    if log.damage != Some(Damage { at, torn: true }) {
        return Ok(None);
    }
    checksum_at(tables.run_events.read()?, id, at.saturating_sub(1))
}
