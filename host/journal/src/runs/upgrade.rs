//! What older versions wrote, in the layout of this one.

use redb::{ReadableTable, WriteTransaction};

use super::segment::Segment;
use crate::tables::{RUN_EVENTS, RUN_SEGMENTS};

/// Moves the events of versions that had a row for each into segments, with their checksums,
/// and whether they can be believed or not.
pub(crate) fn events(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    let mut segments = transaction.open_table(RUN_SEGMENTS)?;
    let mut write = |id: &str, segment: Segment| -> Result<(), redb::Error> {
        if let Some((first, row)) = segment.row() {
            segments.insert((id, first), row.as_slice())?;
        }
        Ok(())
    };
    let events = transaction.open_table(RUN_EVENTS)?;
    let mut at = (String::new(), 0_u64);
    let mut segment = Segment::new(0, 0, 0);
    for row in events.iter()? {
        let (key, row) = row?;
        let ((id, number), (checksum, event)) = (key.value(), row.value());
        let follows = at.0 == id && at.1.checked_add(1) == Some(number);
        if !follows || segment.is_full(event.len()) {
            let full = std::mem::replace(&mut segment, Segment::new(number, 0, 0));
            write(&at.0, full)?;
            id.clone_into(&mut at.0);
        }
        at.1 = number;
        segment.push(checksum, event);
    }
    write(&at.0, segment)?;
    drop(events);
    // Readers find every table, and there may be older logs to follow.
    transaction.delete_table(RUN_EVENTS)?;
    transaction.open_table(RUN_EVENTS)?;
    Ok(())
}
