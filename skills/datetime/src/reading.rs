//! Moments from text.

use crate::bindings::{Disambiguation, Failure, InputFormat};
use crate::failure::{check_length, out_of_range, parse};
use crate::iso_week;
use crate::limits::{MAX_PATTERN, MAX_TEXT};
use crate::local::{Resolved, resolve};
use crate::unix;
use crate::zone;
use jiff::civil::{Date, DateTime};
use jiff::fmt::temporal::{DateTimeParser, Pieces, TimeZoneAnnotationKind};
use jiff::fmt::{rfc2822, strtime::BrokenDownTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// What every tool reads, for messages.
pub const MOMENT: &str = "a moment such as 2026-03-29T01:30:00Z, 2026-03-29T03:30+02:00, \
    2026-03-29T03:30[Europe/Berlin], 2026-03-29T03:30, 2026-03-29, @1774747800 or now";

/// Text as far as it tells which moment it is.
#[derive(Clone, Debug)]
pub enum Reading {
    /// A moment, in the zone that it was written in.
    Moment(Zoned),
    /// A local time, in the zone that it names if it names one.
    Local(DateTime, Option<TimeZone>),
    /// A day, likewise.
    Day(Date, Option<TimeZone>),
}

/// The zone in which local times are read.
#[derive(Clone, Debug)]
pub enum ReadingZone {
    /// The caller gave one; everything is shown in it.
    Given(TimeZone),
    /// None was given: local times are in UTC.
    Utc,
    /// None was given: local times are refused.
    Missing,
}

impl ReadingZone {
    /// The zone that the caller gave, or UTC.
    pub fn or_utc(zone: Option<&str>) -> Result<Self, Failure> {
        zone.map_or(Ok(Self::Utc), |name| zone::find(name).map(Self::Given))
    }

    /// The zone that the caller gave; without one, local times are refused.
    pub fn required(zone: Option<&str>) -> Result<Self, Failure> {
        zone.map_or(Ok(Self::Missing), |name| zone::find(name).map(Self::Given))
    }
}

/// Reads a moment in one of the forms that every tool accepts.
pub fn moment(text: &str, zone: &ReadingZone, disambiguation: Disambiguation) -> Result<Resolved, Failure> {
    settle(text, read(text)?, zone, disambiguation)
}

/// Reads text in a given format, or in one that it is recognised by.
pub fn formatted(
    text: &str,
    format: Option<&InputFormat>,
    zone: &ReadingZone,
    disambiguation: Disambiguation,
) -> Result<Resolved, Failure> {
    check_length(text, "text", MAX_TEXT)?;
    let reading = match format {
        None => recognise(text)?,
        Some(InputFormat::Iso8601) => read(text)?,
        Some(InputFormat::Rfc2822) => read_rfc2822(text)?,
        Some(InputFormat::IsoWeek) => read_week(text)?,
        Some(InputFormat::UnixSeconds) => unix_moment(unix::seconds(text)?),
        Some(InputFormat::UnixMilliseconds) => unix_moment(unix::milliseconds(text)?),
        Some(InputFormat::Strptime(pattern)) => read_pattern(text, pattern)?,
    };
    settle(text, reading, zone, disambiguation)
}

/// Reads a moment, local time or day without settling which moment it is.
pub fn read(text: &str) -> Result<Reading, Failure> {
    check_length(text, "a moment", MAX_TEXT)?;
    let text = text.trim();
    if text.eq_ignore_ascii_case("now") {
        return Ok(Reading::Moment(Timestamp::now().to_zoned(TimeZone::UTC)));
    }
    if let Some(seconds) = text.strip_prefix('@') {
        return Ok(unix_moment(unix::seconds(seconds)?));
    }
    let pieces = Pieces::parse(text).map_err(|error| parse(text, error, MOMENT))?;
    let annotation = annotated_zone(text, &pieces)?;
    match (pieces.time(), pieces.offset(), annotation) {
        (None, None, zone) => Ok(Reading::Day(pieces.date(), zone)),
        (Some(time), None, zone) => Ok(Reading::Local(pieces.date().to_datetime(time), zone)),
        (_, Some(_), Some(_)) => {
            let zoned = DateTimeParser::new().parse_zoned(text);
            zoned.map(Reading::Moment).map_err(|error| parse(text, error, MOMENT))
        }
        (time, Some(offset), None) => {
            let offset = offset.to_numeric_offset();
            let local = pieces.date().to_datetime(time.unwrap_or_default());
            let timestamp = offset.to_timestamp(local).map_err(|_| out_of_range(text))?;
            Ok(Reading::Moment(timestamp.to_zoned(TimeZone::fixed(offset))))
        }
    }
}

/// Turns what was read into a moment in the zone that holds.
pub fn settle(
    text: &str,
    reading: Reading,
    zone: &ReadingZone,
    disambiguation: Disambiguation,
) -> Result<Resolved, Failure> {
    let show = |mut resolved: Resolved| {
        if let ReadingZone::Given(zone) = zone {
            resolved.zoned = resolved.zoned.with_time_zone(zone.clone());
        }
        resolved
    };
    match reading {
        Reading::Moment(zoned) => Ok(show(Resolved::unique(zoned))),
        Reading::Local(local, own) => {
            let home = home_zone(text, own, zone)?;
            resolve(local, &home, disambiguation).map(show)
        }
        Reading::Day(date, own) => {
            let home = home_zone(text, own, zone)?;
            // A day begins where its midnight was skipped, too.
            let midnight = date.to_datetime(jiff::civil::Time::midnight());
            resolve(midnight, &home, Disambiguation::Compatible).map(show)
        }
    }
}

fn home_zone(text: &str, own: Option<TimeZone>, zone: &ReadingZone) -> Result<TimeZone, Failure> {
    match (own, zone) {
        (Some(own), _) => Ok(own),
        (None, ReadingZone::Given(zone)) => Ok(zone.clone()),
        (None, ReadingZone::Utc) => Ok(TimeZone::UTC),
        (None, ReadingZone::Missing) => Err(Failure::InvalidInput(format!(
            "{text:?} has no offset or zone; give one in zone, for example \"Europe/Berlin\" or \"UTC\""
        ))),
    }
}

fn annotated_zone(text: &str, pieces: &Pieces) -> Result<Option<TimeZone>, Failure> {
    let Some(annotation) = pieces.time_zone_annotation() else {
        return Ok(None);
    };
    if let TimeZoneAnnotationKind::Named(name) = annotation.kind() {
        return zone::find(name.as_str()).map(Some);
    }
    annotation.to_time_zone().map(Some).map_err(|error| parse(text, error, MOMENT))
}

/// Tries the formats that can't be mistaken for one another.
fn recognise(text: &str) -> Result<Reading, Failure> {
    let trimmed = text.trim();
    if iso_week::looks_like(trimmed) {
        return read_week(trimmed);
    }
    match read(trimmed) {
        Err(failure @ Failure::Parse(_)) => read_rfc2822(trimmed).map_err(|_| failure),
        other => other,
    }
}

fn read_rfc2822(text: &str) -> Result<Reading, Failure> {
    rfc2822::parse(text.trim())
        .map(Reading::Moment)
        .map_err(|error| parse(text, error, "a date such as Sun, 29 Mar 2026 03:30:00 +0200"))
}

/// The week date is rewritten as a calendar date, so that any time and offset
/// after it are read as everywhere else.
fn read_week(text: &str) -> Result<Reading, Failure> {
    let (date, rest) = iso_week::read(text.trim())?;
    read(&format!("{date}{rest}"))
}

fn unix_moment(timestamp: Timestamp) -> Reading {
    Reading::Moment(timestamp.to_zoned(TimeZone::UTC))
}

fn read_pattern(text: &str, pattern: &str) -> Result<Reading, Failure> {
    check_length(pattern, "the strptime pattern", MAX_PATTERN)?;
    let expected = format!("text in the pattern {pattern}");
    let refuse = |error: jiff::Error| parse(text, error, &expected);
    let parts = BrokenDownTime::parse(pattern, text).map_err(refuse)?;
    if let Some(timestamp) = parts.timestamp() {
        return Ok(unix_moment(timestamp));
    }
    let zone = parts.iana_time_zone().map(zone::find).transpose()?;
    let date = parts.to_date().map_err(refuse)?;
    let local = match parts.hour() {
        None => return Ok(Reading::Day(date, zone)),
        Some(_) => parts.to_datetime().map_err(refuse)?,
    };
    match parts.offset() {
        None => Ok(Reading::Local(local, zone)),
        // Refuses an offset that the zone beside it doesn't have then.
        Some(_) => parts.to_zoned().map(Reading::Moment).map_err(refuse),
    }
}
