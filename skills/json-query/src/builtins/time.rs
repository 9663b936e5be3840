//! Dates in UTC. A time is a number of seconds since 1970, or jq's array of
//! year, month from 0, day, hours, minutes, seconds, weekday and day of year.

use super::{Data, Table};
use jaq_core::native::{bome, v};
use jaq_core::{Cv, Error};
use jaq_json::{Num, Val};
use jaq_std::ValT as _;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::strtime::{self, BrokenDownTime};
use jiff::tz::{Offset, TimeZone};

pub fn table() -> Table<6> {
    [
        ("fromdateiso8601", v(0), |cv| bome(text(&cv.1).and_then(from_iso8601))),
        ("todateiso8601", v(0), |cv| bome(to_iso8601(&cv.1))),
        ("gmtime", v(0), |cv| bome(timestamp(&cv.1).map(|time| broken_down(utc(time))))),
        ("mktime", v(0), |cv| bome(civil(&cv.1).and_then(seconds_of))),
        ("strftime", v(1), |cv| bome(with_format(cv, strftime))),
        ("strptime", v(1), |cv| bome(with_format(cv, strptime))),
    ]
}

fn with_format(mut cv: Cv<'_, Data>, f: fn(&Val, &str) -> Result<Val, Error<Val>>) -> Result<Val, Error<Val>> {
    let format = cv.0.pop_var();
    f(&cv.1, text(&format)?)
}

fn from_iso8601(text: &str) -> Result<Val, Error<Val>> {
    let time: Timestamp = text.parse().map_err(Error::str)?;
    Ok(epoch(time))
}

fn to_iso8601(value: &Val) -> Result<Val, Error<Val>> {
    Ok(Val::from(timestamp(value)?.to_string()))
}

fn strftime(value: &Val, format: &str) -> Result<Val, Error<Val>> {
    let time = match value {
        Val::Arr(_) => civil(value)?,
        _ => utc(timestamp(value)?),
    };
    let zoned = time.to_zoned(TimeZone::UTC).map_err(Error::str)?;
    strtime::format(format, &zoned).map(Val::from).map_err(Error::str)
}

fn strptime(value: &Val, format: &str) -> Result<Val, Error<Val>> {
    let mut time = BrokenDownTime::parse(format, text(value)?).map_err(Error::str)?;
    if time.offset().is_none() && time.iana_time_zone().is_none() {
        time.set_offset(Some(Offset::UTC));
    }
    Ok(broken_down(time.to_zoned().map_err(Error::str)?.datetime()))
}

/// A number of seconds, which may have a fraction.
fn timestamp(value: &Val) -> Result<Timestamp, Error<Val>> {
    let seconds = value.as_f64().ok_or_else(|| Error::typ(value.clone(), "number of seconds"))?;
    // Doubles hold whole microseconds for far longer than jiff's range of years,
    // and a cast that is out of range saturates into jiff's error.
    Timestamp::from_microsecond((seconds * 1e6).round() as i64).map_err(Error::str)
}

fn epoch(time: Timestamp) -> Val {
    match time.subsec_nanosecond() {
        0 => Val::Num(Num::from_integral(time.as_second())),
        _ => Val::from(time.as_microsecond() as f64 / 1e6),
    }
}

fn utc(time: Timestamp) -> DateTime {
    Offset::UTC.to_datetime(time)
}

fn seconds_of(time: DateTime) -> Result<Val, Error<Val>> {
    let zoned = time.to_zoned(TimeZone::UTC).map_err(Error::str)?;
    Ok(epoch(zoned.timestamp()))
}

fn broken_down(time: DateTime) -> Val {
    let int = |n: i32| Val::Num(Num::from_integral(n));
    let seconds = match time.subsec_nanosecond() {
        0 => int(time.second().into()),
        nanos => Val::from(f64::from(time.second()) + f64::from(nanos) / 1e9),
    };
    [
        int(time.year().into()),
        int(i32::from(time.month()) - 1),
        int(time.day().into()),
        int(time.hour().into()),
        int(time.minute().into()),
        seconds,
        int(time.weekday().to_sunday_zero_offset().into()),
        int(i32::from(time.day_of_year()) - 1),
    ]
    .into_iter()
    .collect()
}

fn civil(value: &Val) -> Result<DateTime, Error<Val>> {
    let fields: Option<[isize; 5]> = match value {
        Val::Arr(items) => first_integers(items),
        _ => None,
    };
    let seconds = match value {
        Val::Arr(items) => items.get(5).and_then(|item| item.as_f64()),
        _ => None,
    };
    let (Some([year, month, day, hour, minute]), Some(seconds)) = (fields, seconds) else {
        return Err(Error::typ(value.clone(), "broken down time"));
    };
    let small = |n: isize| i8::try_from(n).map_err(Error::str);
    DateTime::new(
        i16::try_from(year).map_err(Error::str)?,
        small(month.saturating_add(1))?,
        small(day)?,
        small(hour)?,
        small(minute)?,
        seconds.floor() as i8,
        ((seconds - seconds.floor()) * 1e9) as i32,
    )
    .map_err(Error::str)
}

fn first_integers(items: &[Val]) -> Option<[isize; 5]> {
    let integers: Option<Vec<isize>> = items.get(..5)?.iter().map(|item| item.as_isize()).collect();
    integers?.try_into().ok()
}

fn text(value: &Val) -> Result<&str, Error<Val>> {
    match value {
        Val::TStr(bytes) => std::str::from_utf8(bytes).map_err(Error::str),
        other => Err(Error::typ(other.clone(), "string")),
    }
}
