//! A zone's state and clock changes.

use crate::bindings::{Disambiguation, Failure, Transition, ZoneState};
use crate::moment;
use crate::reading::{self, ReadingZone};
use crate::writing::rfc3339;
use crate::zone;
use jiff::tz::{TimeZone, TimeZoneTransition};
use jiff::{SignedDuration, Timestamp};

pub fn describe(name: &str, at: Option<&str>) -> Result<ZoneState, Failure> {
    let zone = zone::find(name)?;
    let given = ReadingZone::Given(zone.clone());
    let moment = reading::moment(at.unwrap_or("now"), &given, Disambiguation::Reject)?.zoned;
    Ok(ZoneState {
        offset_seconds: moment.offset().seconds(),
        previous: last_change(&zone, moment.timestamp()),
        next: zone.following(moment.timestamp()).next().map(|change| transition(&zone, &change)),
        moment: moment::describe(&moment),
    })
}

/// The crate looks strictly before a moment, so a change at it is sought from
/// just after it.
fn last_change(zone: &TimeZone, at: Timestamp) -> Option<Transition> {
    let after = at.checked_add(SignedDuration::from_nanos(1)).unwrap_or(at);
    let change = zone.preceding(after).next()?;
    Some(transition(zone, &change))
}

fn transition(zone: &TimeZone, change: &TimeZoneTransition) -> Transition {
    let at = change.timestamp();
    let before = at.checked_sub(SignedDuration::from_nanos(1)).map_or(change.offset(), |before| zone.to_offset(before));
    Transition {
        timestamp: at.to_string(),
        before: at.display_with_offset(before).to_string(),
        after: rfc3339(&at.to_zoned(TimeZone::fixed(change.offset()))),
        abbreviation: change.abbreviation().into(),
        daylight_saving: change.dst().is_dst(),
    }
}
