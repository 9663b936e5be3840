//! How the log of a run is read and believed, and cut where its end is torn.

use bailiwick_domain::digest::Digest;
use redb::ReadableTable;

use super::change::{self, Head};
use super::segment::{self, Segment};
use super::{MAX_OPEN_RUNS, check_count, check_id, no_run};
use crate::Journal;
use crate::error::{self, JournalError};
use crate::tables::{Applied, RUN_SEGMENTS, RUNS, SegmentKey, Tables};

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
            let segments = transaction.open_table(RUN_SEGMENTS)?;
            Ok(Some(read(&segments, id, &head, after, limit)?))
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
    table: &impl ReadableTable<SegmentKey, &'static [u8]>,
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
    let begin = segment::at(table, id, after.saturating_add(1))?.map_or(0, |(first, _)| first);
    'log: for row in table.range((id, begin)..=(id, u64::MAX))? {
        let (key, row) = row?;
        for (place, stored) in (key.value().1..=u64::MAX).zip(segment::events(row.value())) {
            if place <= after {
                continue;
            }
            if log.events.len() >= limit.min(MAX_READ_EVENTS) || bytes >= MAX_READ_BYTES {
                return Ok(log);
            }
            if number >= head.last {
                break 'log;
            }
            number += 1;
            let follows = place == number && stored.is_whole;
            if !follows || stored.checksum != checksum(&before, id, number, stored.event) {
                let mut damage = damage(table, id, head, number)?;
                // The segment may say that it has more events than it has: then it is damaged
                // itself, and the one behind it is not.
                damage.torn &= is_last(table, id, key.value().1)?;
                log.damage = Some(damage);
                return Ok(log);
            }
            before = stored.checksum;
            bytes += stored.event.len();
            log.events.push((number, stored.event.to_vec()));
        }
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
    table: &impl ReadableTable<SegmentKey, &'static [u8]>,
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

fn damage(table: &impl ReadableTable<SegmentKey, &'static [u8]>, id: &str, head: &Head, at: u64) -> Applied<Damage> {
    // There is no event 0: where its place is wrong, the row of the run is.
    let torn = at > 0 && at >= head.last && !goes_on(table, id, at)?;
    Ok(Damage { at, torn })
}

/// Whether there are events behind `number`.
fn goes_on(table: &impl ReadableTable<SegmentKey, &'static [u8]>, id: &str, number: u64) -> Applied<bool> {
    let Some((first, row)) = segment::at(table, id, u64::MAX)? else { return Ok(false) };
    Ok(first > number || first.saturating_add(segment::count(row.value())) > number.saturating_add(1))
}

/// Whether no segment is behind that which begins with the event `first`.
fn is_last(table: &impl ReadableTable<SegmentKey, &'static [u8]>, id: &str, first: u64) -> Applied<bool> {
    Ok(segment::at(table, id, u64::MAX)?.is_some_and(|(last, _)| last == first))
}

fn checksum_at(
    table: &impl ReadableTable<SegmentKey, &'static [u8]>,
    id: &str,
    number: u64,
) -> Applied<Option<Checksum>> {
    if number == 0 {
        return Ok(Some(ORIGIN));
    }
    let found = segment::at(table, id, number)?;
    Ok(found.and_then(|(first, row)| {
        let stored = (first..=u64::MAX).zip(segment::events(row.value())).find(|(place, _)| *place == number);
        stored.map(|(_, stored)| stored.checksum)
    }))
}

fn cut(tables: &mut Tables<'_>, id: &str, at: u64) -> Applied<Result<(), JournalError>> {
    let Some(mut head) = change::head(tables, id)? else {
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
    if let Some((checksum, event)) = take(tables, id, at)? {
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
fn before_torn(tables: &mut Tables<'_>, id: &str, head: &Head, at: u64) -> Applied<Option<Checksum>> {
    // The event before it is checked too: a wrong checksum of that one would make
    // the last one look torn.
    let log = read(tables.run_segments.read()?, id, head, at.saturating_sub(2), 2)?;
    if log.damage != Some(Damage { at, torn: true }) {
        return Ok(None);
    }
    checksum_at(tables.run_segments.read()?, id, at.saturating_sub(1))
}

/// Takes the last event, with the number `at`, off its segment, where it is there.
fn take(tables: &mut Tables<'_>, id: &str, at: u64) -> Applied<Option<(Checksum, Vec<u8>)>> {
    let found = segment::at(tables.run_segments.read()?, id, at)?;
    let Some((first, row)) = found.map(|(first, row)| (first, row.value().to_vec())) else { return Ok(None) };
    let mut kept = Segment::new(first, 0, row.len());
    let mut torn = None;
    for (place, stored) in (first..=u64::MAX).zip(segment::events(&row)) {
        if place < at {
            kept.push(&stored.checksum, stored.event);
        } else if torn.is_none() {
            torn = Some((stored.checksum, stored.event.to_vec()));
        }
    }
    // One that has no event by its own words is torn as a whole.
    let torn = torn.or_else(|| (first == at).then(|| (ORIGIN, row.clone())));
    if torn.is_some() {
        match kept.row() {
            Some((first, row)) => tables.run_segments.insert((id, first), row.as_slice())?,
            None => tables.run_segments.remove((id, first))?,
        }
    }
    Ok(torn)
}
