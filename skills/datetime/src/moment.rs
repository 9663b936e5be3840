//! A moment in the words of the interface.

use crate::bindings::{Moment, Weekday};
use crate::zone;
use jiff::Zoned;
use jiff::civil;

pub fn describe(zoned: &Zoned) -> Moment {
    let timestamp = zoned.timestamp();
    let info = zoned.time_zone().to_offset_info(timestamp);
    Moment {
        timestamp: timestamp.to_string(),
        local: zoned.to_string(),
        zone: zone::name(zoned.time_zone()),
        offset: zone::offset_text(zoned.offset()),
        abbreviation: info.abbreviation().into(),
        daylight_saving: info.dst().is_dst(),
        weekday: weekday(zoned.weekday()),
        iso_week: iso_week(zoned.date()),
        day_of_year: zoned.day_of_year().unsigned_abs(),
        unix_seconds: unix_seconds(zoned),
    }
}

/// Whole seconds since 1970, rounded down also before it.
pub fn unix_seconds(zoned: &Zoned) -> i64 {
    let timestamp = zoned.timestamp();
    timestamp.as_second() - i64::from(timestamp.subsec_nanosecond() < 0)
}

/// "2026-W13-7".
pub fn iso_week(date: civil::Date) -> String {
    let week = date.iso_week_date();
    format!("{:04}-W{:02}-{}", week.year(), week.week(), week.weekday().to_monday_one_offset())
}

pub fn weekday(day: civil::Weekday) -> Weekday {
    match day {
        civil::Weekday::Monday => Weekday::Monday,
        civil::Weekday::Tuesday => Weekday::Tuesday,
        civil::Weekday::Wednesday => Weekday::Wednesday,
        civil::Weekday::Thursday => Weekday::Thursday,
        civil::Weekday::Friday => Weekday::Friday,
        civil::Weekday::Saturday => Weekday::Saturday,
        civil::Weekday::Sunday => Weekday::Sunday,
    }
}

pub fn civil_weekday(day: Weekday) -> civil::Weekday {
    match day {
        Weekday::Monday => civil::Weekday::Monday,
        Weekday::Tuesday => civil::Weekday::Tuesday,
        Weekday::Wednesday => civil::Weekday::Wednesday,
        Weekday::Thursday => civil::Weekday::Thursday,
        Weekday::Friday => civil::Weekday::Friday,
        Weekday::Saturday => civil::Weekday::Saturday,
        Weekday::Sunday => civil::Weekday::Sunday,
    }
}
