//! Events that are appended together are one row, a *segment*, because the engine's price is
//! by the row.
//!
//! A segment is found by its run and the number of its first event. It has the number of its
//! events in four bytes, and of each one the checksum, the length in four bytes, and the event.

use redb::{AccessGuard, ReadableTable};

use super::log::{Checksum, ORIGIN};
use crate::tables::{Applied, SegmentKey};

/// Bytes after which another segment begins, so that whoever reads some events of a run reads
/// little more than those. One event may have more.
pub(crate) const MAX_BYTES: usize = 64 << 10;

/// Bytes of a number.
const NUMBER: usize = size_of::<u32>();

/// Bytes before an event.
const HEAD: usize = ORIGIN.len() + NUMBER;

/// The row of a segment.
pub(crate) type Row<'t> = AccessGuard<'t, &'static [u8]>;

/// What is being written.
pub(crate) struct Segment {
    /// The number of the first event.
    first: u64,
    events: u32,
    bytes: Vec<u8>,
}

/// An event as it is stored.
pub(crate) struct Stored<'a> {
    pub(crate) checksum: Checksum,
    pub(crate) event: &'a [u8],
    /// Whether it has the length that it says. One that has not can't be believed.
    pub(crate) is_whole: bool,
}

impl Segment {
    /// One that begins with the event `first`, with room for so many events of so many bytes.
    pub(crate) fn new(first: u64, events: usize, bytes: usize) -> Self {
        let room = bytes.saturating_add(events.saturating_mul(HEAD)).saturating_add(NUMBER);
        let mut bytes = Vec::with_capacity(room.min(MAX_BYTES));
        bytes.extend([0; NUMBER]);
        Self { first, events: 0, bytes }
    }

    /// Whether there is something in it, and an event of so many bytes had better stand in
    /// the next one.
    pub(crate) const fn is_full(&self, event: usize) -> bool {
        self.events > 0 && self.bytes.len() + HEAD + event > MAX_BYTES
    }

    /// Adds the next event.
    pub(crate) fn push(&mut self, checksum: &Checksum, event: &[u8]) {
        self.events += 1;
        self.bytes.extend(checksum);
        // No event is longer: its length was checked.
        self.bytes.extend(u32::try_from(event.len()).unwrap_or(u32::MAX).to_le_bytes());
        self.bytes.extend(event);
    }

    /// The number of the first event and the row; none where there is no event.
    pub(crate) fn row(mut self) -> Option<(u64, Vec<u8>)> {
        self.bytes[..NUMBER].copy_from_slice(&self.events.to_le_bytes());
        (self.events > 0).then_some((self.first, self.bytes))
    }
}

/// How many events a segment says that it has.
pub(crate) fn count(segment: &[u8]) -> u64 {
    segment.first_chunk().map_or(0, |count| u64::from(u32::from_le_bytes(*count)))
}

/// The events of a segment, as many as it says that it has, up to one that is not whole.
pub(crate) fn events(segment: &[u8]) -> impl Iterator<Item = Stored<'_>> {
    let mut left = count(segment);
    let mut rest = segment.get(NUMBER..).unwrap_or_default();
    std::iter::from_fn(move || {
        left = left.checked_sub(1)?;
        let all = rest;
        let stored = split(&mut rest);
        // What stands behind the last one belongs to it.
        let stored = if left == 0 && !rest.is_empty() { unreadable(all) } else { stored };
        if !stored.is_whole {
            left = 0;
        }
        Some(stored)
    })
}

/// Takes an event off the beginning, or all that there is.
fn split<'a>(rest: &mut &'a [u8]) -> Stored<'a> {
    let bytes = std::mem::take(rest);
    let read = || {
        let (checksum, behind) = bytes.split_first_chunk()?;
        let (length, behind) = behind.split_first_chunk()?;
        let (event, behind) = behind.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
        Some((Stored { checksum: *checksum, event, is_whole: true }, behind))
    };
    let Some((stored, behind)) = read() else { return unreadable(bytes) };
    *rest = behind;
    stored
}

/// All that is left, with a checksum where there is enough for one.
fn unreadable(bytes: &[u8]) -> Stored<'_> {
    let (checksum, event) = bytes.split_first_chunk().map_or((ORIGIN, bytes), |(checksum, rest)| (*checksum, rest));
    Stored { checksum, event, is_whole: false }
}

/// The segment that begins with the event `number` of a run or last before it, as the number
/// of its first event and its row.
pub(crate) fn at<'t>(
    table: &'t impl ReadableTable<SegmentKey, &'static [u8]>,
    id: &str,
    number: u64,
) -> Applied<Option<(u64, Row<'t>)>> {
    let row = table.range((id, 0)..=(id, number))?.next_back().transpose()?;
    Ok(row.map(|(key, row)| (key.value().1, row)))
}
