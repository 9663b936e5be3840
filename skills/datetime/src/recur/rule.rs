//! A recurrence rule and how its text is read.

use super::numbers;
use crate::bindings::Failure;
use crate::failure::{check_length, out_of_range, parse, unsupported};
use crate::limits::{MAX_COUNT, MAX_INTERVAL, MAX_LIST, MAX_TEXT};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::Offset;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frequency {
    Yearly,
    Monthly,
    Weekly,
    Daily,
}

/// The last moment that may be an occurrence.
#[derive(Clone, Copy, Debug)]
pub enum Until {
    /// Any time of this day.
    Day(Date),
    Local(DateTime),
    Moment(Timestamp),
}

/// A day of the week; with an ordinal, just that one of the month or year.
#[derive(Clone, Copy, Debug)]
pub struct Day {
    pub ordinal: Option<i16>,
    pub weekday: Weekday,
}

#[derive(Clone, Debug)]
pub struct Rule {
    pub frequency: Frequency,
    pub interval: u32,
    pub count: Option<u32>,
    pub until: Option<Until>,
    pub months: Vec<i16>,
    pub weeks: Vec<i16>,
    pub year_days: Vec<i16>,
    pub month_days: Vec<i16>,
    pub days: Vec<Day>,
    pub hours: Vec<i16>,
    pub minutes: Vec<i16>,
    pub seconds: Vec<i16>,
    pub positions: Vec<i16>,
    pub week_start: Weekday,
}

const EXPECTED: &str = "parts such as FREQ=WEEKLY;BYDAY=MO,WE;COUNT=10";

/// The parts of RFC 5545 and of its extension RFC 7529 that aren't done.
const UNSUPPORTED: &[&str] = &["RSCALE", "SKIP", "BYEASTER"];

pub fn read(text: &str) -> Result<Rule, Failure> {
    check_length(text, "rule", MAX_TEXT)?;
    let upper = text.trim().to_ascii_uppercase();
    let body = upper.strip_prefix("RRULE:").unwrap_or(&upper);
    let mut parts: Vec<(&str, &str)> = Vec::new();
    for part in body.split(';').filter(|part| !part.is_empty()) {
        let (name, value) =
            part.split_once('=').ok_or_else(|| parse(text, format!("{part:?} has no value"), EXPECTED))?;
        if parts.iter().any(|(known, _)| *known == name) {
            return Err(parse(text, format!("{name} is given twice"), EXPECTED));
        }
        parts.push((name, value));
    }
    let frequency =
        parts.iter().find(|(name, _)| *name == "FREQ").ok_or_else(|| parse(text, "FREQ is missing", EXPECTED))?;
    let mut rule = Rule::every(read_frequency(text, frequency.1)?);
    for (name, value) in parts {
        rule.set(text, name, value)?;
    }
    rule.check(text)?;
    Ok(rule)
}

impl Rule {
    fn every(frequency: Frequency) -> Self {
        Self {
            frequency,
            interval: 1,
            count: None,
            until: None,
            months: Vec::new(),
            weeks: Vec::new(),
            year_days: Vec::new(),
            month_days: Vec::new(),
            days: Vec::new(),
            hours: Vec::new(),
            minutes: Vec::new(),
            seconds: Vec::new(),
            positions: Vec::new(),
            week_start: Weekday::Monday,
        }
    }

    fn set(&mut self, text: &str, name: &str, value: &str) -> Result<(), Failure> {
        match name {
            "FREQ" => {}
            "INTERVAL" => self.interval = numbers::positive(text, name, value, MAX_INTERVAL)?,
            "COUNT" => self.count = Some(numbers::positive(text, name, value, MAX_COUNT)?),
            "UNTIL" => self.until = Some(read_until(text, value)?),
            "BYMONTH" => self.months = numbers::unsigned(text, name, value, 1..=12)?,
            "BYWEEKNO" => self.weeks = numbers::signed(text, name, value, 1..=53)?,
            "BYYEARDAY" => self.year_days = numbers::signed(text, name, value, 1..=366)?,
            "BYMONTHDAY" => self.month_days = numbers::signed(text, name, value, 1..=31)?,
            "BYDAY" => self.days = read_days(text, value)?,
            "BYHOUR" => self.hours = numbers::unsigned(text, name, value, 0..=23)?,
            "BYMINUTE" => self.minutes = numbers::unsigned(text, name, value, 0..=59)?,
            "BYSECOND" => self.seconds = read_seconds(text, name, value)?,
            "BYSETPOS" => self.positions = numbers::signed(text, name, value, 1..=366)?,
            "WKST" => self.week_start = read_weekday(text, value)?,
            name if UNSUPPORTED.contains(&name) || name.starts_with("X-") => {
                return Err(unsupported(name, "only the parts of RFC 5545 are done"));
            }
            name => {
                return Err(parse(text, format!("{name} is no part of a rule"), EXPECTED));
            }
        }
        Ok(())
    }

    /// The combinations that RFC 5545 forbids.
    fn check(&self, text: &str) -> Result<(), Failure> {
        let yearly = self.frequency == Frequency::Yearly;
        let monthly = self.frequency == Frequency::Monthly;
        let has_ordinal = self.days.iter().any(|day| day.ordinal.is_some());
        let has_list =
            [&self.months, &self.weeks, &self.year_days, &self.month_days, &self.hours, &self.minutes, &self.seconds]
                .iter()
                .any(|list| !list.is_empty());
        let complaint = if self.count.is_some() && self.until.is_some() {
            "COUNT and UNTIL exclude each other"
        } else if !self.weeks.is_empty() && !yearly {
            "BYWEEKNO goes with FREQ=YEARLY only"
        } else if !self.year_days.is_empty() && !yearly {
            "BYYEARDAY goes with FREQ=YEARLY only"
        } else if !self.month_days.is_empty() && self.frequency == Frequency::Weekly {
            "BYMONTHDAY doesn't go with FREQ=WEEKLY"
        } else if has_ordinal && !(yearly || monthly) {
            "ordinals in BYDAY go with FREQ=MONTHLY and FREQ=YEARLY only"
        } else if has_ordinal && !self.weeks.is_empty() {
            "ordinals in BYDAY don't go with BYWEEKNO"
        } else if !self.positions.is_empty() && self.days.is_empty() && !has_list {
            "BYSETPOS needs another BY part"
        } else {
            return Ok(());
        };
        Err(parse(text, complaint, EXPECTED))
    }
}

fn read_frequency(text: &str, value: &str) -> Result<Frequency, Failure> {
    match value {
        "YEARLY" => Ok(Frequency::Yearly),
        "MONTHLY" => Ok(Frequency::Monthly),
        "WEEKLY" => Ok(Frequency::Weekly),
        "DAILY" => Ok(Frequency::Daily),
        "HOURLY" | "MINUTELY" | "SECONDLY" => {
            Err(unsupported(&format!("FREQ={value}"), "use FREQ=DAILY with BYHOUR, BYMINUTE and BYSECOND"))
        }
        _ => Err(parse(text, format!("FREQ={value} can't be read"), "YEARLY, MONTHLY, WEEKLY or DAILY")),
    }
}

/// A leap second has no local time of its own.
fn read_seconds(text: &str, name: &str, value: &str) -> Result<Vec<i16>, Failure> {
    let seconds = numbers::unsigned(text, name, value, 0..=60)?;
    if seconds.contains(&60) {
        return Err(unsupported("BYSECOND=60", "leap seconds aren't counted"));
    }
    Ok(seconds)
}

fn read_days(text: &str, value: &str) -> Result<Vec<Day>, Failure> {
    let items: Vec<&str> = value.split(',').collect();
    if items.len() > MAX_LIST {
        return Err(Failure::TooLarge(format!("BYDAY holds {} values; at most {MAX_LIST} are read", items.len())));
    }
    items.into_iter().map(|item| read_day(text, item)).collect()
}

fn read_day(text: &str, item: &str) -> Result<Day, Failure> {
    let refuse = || {
        let expected = "MO, TU, WE, TH, FR, SA or SU, with an ordinal from -53 to 53 if wanted, as in -1FR";
        parse(text, format!("{item:?} in BYDAY can't be read"), expected)
    };
    let cut = item.len().checked_sub(2).ok_or_else(refuse)?;
    let (ordinal, weekday) = item.split_at_checked(cut).ok_or_else(refuse)?;
    let ordinal =
        if ordinal.is_empty() { None } else { numbers::signed(text, "BYDAY", ordinal, 1..=53)?.first().copied() };
    Ok(Day { ordinal, weekday: weekday_named(weekday).ok_or_else(refuse)? })
}

fn read_weekday(text: &str, value: &str) -> Result<Weekday, Failure> {
    weekday_named(value).ok_or_else(|| {
        let expected = "MO, TU, WE, TH, FR, SA or SU";
        parse(text, format!("{value:?} is no day of the week"), expected)
    })
}

fn weekday_named(name: &str) -> Option<Weekday> {
    match name {
        "MO" => Some(Weekday::Monday),
        "TU" => Some(Weekday::Tuesday),
        "WE" => Some(Weekday::Wednesday),
        "TH" => Some(Weekday::Thursday),
        "FR" => Some(Weekday::Friday),
        "SA" => Some(Weekday::Saturday),
        "SU" => Some(Weekday::Sunday),
        _ => None,
    }
}

/// "20261231", "20261231T235959" or "20261231T235959Z"; hyphens and colons are
/// let pass, because they change nothing.
fn read_until(text: &str, value: &str) -> Result<Until, Failure> {
    let refuse = |error: jiff::Error| {
        let expected = "UNTIL=20261231, UNTIL=20261231T235959 or UNTIL=20261231T235959Z";
        parse(text, error, expected)
    };
    let plain = value.replace(['-', ':'], "");
    if !plain.contains('T') {
        return Date::strptime("%Y%m%d", &plain).map(Until::Day).map_err(refuse);
    }
    let (local, is_utc) = match plain.strip_suffix('Z') {
        Some(local) => (local, true),
        None => (plain.as_str(), false),
    };
    let local = DateTime::strptime("%Y%m%dT%H%M%S", local).map_err(refuse)?;
    if !is_utc {
        return Ok(Until::Local(local));
    }
    let moment = Offset::UTC.to_timestamp(local);
    moment.map(Until::Moment).map_err(|_| out_of_range("UNTIL"))
}
