//! Zones by name or offset, and what is near a name that isn't known.

use crate::bindings::{Failure, UnknownZone};
use crate::failure::check_length;
use crate::limits::{MAX_SUGGESTIONS, MAX_ZONE_NAME};
use jiff::Timestamp;
use jiff::tz::{self, Offset, TimeZone};

/// The greatest offset from UTC that a zone may have, in hours.
const MAX_OFFSET_HOURS: i32 = 25;

/// The zone of an IANA name in any case, or of an offset.
pub fn find(text: &str) -> Result<TimeZone, Failure> {
    check_length(text, "zone", MAX_ZONE_NAME)?;
    let name = text.trim();
    if name.eq_ignore_ascii_case("z") {
        return Ok(TimeZone::UTC);
    }
    if let Some(offset) = offset(name) {
        return Ok(TimeZone::fixed(offset));
    }
    TimeZone::get(name)
        .or_else(|_| TimeZone::get(&name.replace(' ', "_")))
        .map_err(|_| Failure::UnknownZone(UnknownZone { zone: text.into(), suggestions: suggestions(name) }))
}

/// How a zone is named: its IANA name, or its offset.
pub fn name(zone: &TimeZone) -> String {
    match (zone.iana_name(), zone.to_fixed_offset()) {
        (Some(name), _) => name.into(),
        (None, Ok(offset)) => offset_text(offset),
        (None, Err(_)) => "unknown".into(),
    }
}

/// "+02:00", with seconds only where there are any.
pub fn offset_text(offset: Offset) -> String {
    let total = offset.seconds();
    let sign = if total < 0 { '-' } else { '+' };
    let size = total.unsigned_abs();
    let (hours, minutes, seconds) = (size / 3600, size / 60 % 60, size % 60);
    if seconds == 0 {
        format!("{sign}{hours:02}:{minutes:02}")
    } else {
        format!("{sign}{hours:02}:{minutes:02}:{seconds:02}")
    }
}

/// Reads "+02:00", "+0200", "-5" or "+02".
fn offset(text: &str) -> Option<Offset> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = match (digits.split_once(':'), digits.len()) {
        (Some(parts), _) => parts,
        (None, 4) => digits.split_at_checked(2)?,
        (None, _) => (digits, "0"),
    };
    let number = |text: &str| {
        let plain = text.len() <= 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i32>().ok().filter(|_| plain)
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    if hours > MAX_OFFSET_HOURS || minutes > 59 {
        return None;
    }
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

/// Zones of a place, abbreviation or spelling like the one given.
fn suggestions(wanted: &str) -> Vec<String> {
    let wanted = wanted.to_lowercase().replace([' ', '-'], "_");
    let mut near: Vec<(usize, String)> =
        tz::db().available().filter_map(|name| Some((rank(&wanted, name.as_str())?, name.to_string()))).collect();
    near.sort();
    near.into_iter().take(MAX_SUGGESTIONS).map(|(_, name)| name).collect()
}

/// How near a known zone is: 0 is nearest, nothing is too far.
fn rank(wanted: &str, known: &str) -> Option<usize> {
    let lower = known.to_lowercase();
    let place = lower.rsplit('/').next().unwrap_or(&lower);
    if place == wanted {
        return Some(0);
    }
    if has_abbreviation(known, wanted) {
        return Some(1);
    }
    let limit = wanted.len() / 4;
    let edits = distance(wanted, &lower).min(distance(wanted, place));
    if edits <= limit {
        return Some(1 + edits);
    }
    let wanted_place = wanted.rsplit('/').next().unwrap_or(wanted);
    let same_place = wanted_place == place || (wanted.len() > 3 && place.contains(wanted));
    same_place.then_some(2 + limit)
}

/// Whether a zone goes by an abbreviation now or after its next clock change.
fn has_abbreviation(known: &str, wanted: &str) -> bool {
    if wanted.len() < 3 || wanted.len() > 5 {
        return false;
    }
    let Ok(zone) = TimeZone::get(known) else {
        return false;
    };
    let now = Timestamp::now();
    let is_now = zone.to_offset_info(now).abbreviation().eq_ignore_ascii_case(wanted);
    let mut later = zone.following(now);
    is_now || later.next().is_some_and(|change| change.abbreviation().eq_ignore_ascii_case(wanted))
}

/// Insertions, deletions and replacements from one text to the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, &to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
