//! Recurrence rules (RFC 5545, section 3.3.10): text to rule, rule to local
//! times, local times to moments.

mod calendar;
mod candidates;
mod numbers;
mod rule;

use crate::bindings::{Disambiguation, Failure, Occurrences};
use crate::limits::{DEFAULT_OCCURRENCES, MAX_EXCLUDED, MAX_OCCURRENCES, MAX_SKIPPED};
use crate::reading::{self, Reading, ReadingZone};
use candidates::Candidates;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, Zoned};
use rule::{Rule, Until};
use std::collections::HashSet;

/// What to expand.
pub struct Request<'a> {
    pub rule: &'a str,
    pub start: &'a str,
    pub zone: Option<&'a str>,
    pub max: Option<u32>,
    pub after: Option<&'a str>,
    pub exclude: &'a [String],
}

pub fn occurrences(request: Request) -> Result<Occurrences, Failure> {
    let max = request.max.unwrap_or(DEFAULT_OCCURRENCES);
    if !(1..=MAX_OCCURRENCES).contains(&max) {
        return Err(Failure::InvalidInput(format!("max is {max}; expected 1 to {MAX_OCCURRENCES}")));
    }
    if request.exclude.len() > MAX_EXCLUDED {
        return Err(Failure::TooLarge(format!(
            "exclude holds {} moments; at most {MAX_EXCLUDED} are read",
            request.exclude.len()
        )));
    }
    let rule = rule::read(request.rule)?;
    let zone = ReadingZone::or_utc(request.zone)?;
    let start = Start::read(request.start, &zone)?;
    let series = Series {
        after: request.after.map(|text| start.point(text)).transpose()?,
        excluded: request.exclude.iter().map(|text| start.point(text)).collect::<Result<_, _>>()?,
        max: max as usize,
        rule,
        start,
    };
    series.expand()
}

/// The first moment that may be an occurrence.
enum Start {
    /// A plain day, which makes every occurrence a plain day.
    Day(Date),
    Moment(Zoned),
}

/// What occurrences are compared by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Point {
    Day(Date),
    Moment(Timestamp),
}

impl Start {
    fn read(text: &str, zone: &ReadingZone) -> Result<Self, Failure> {
        match reading::read(text)? {
            Reading::Day(date, None) => Ok(Self::Day(date)),
            reading => reading::settle(text, reading, zone, Disambiguation::Reject)
                .map(|resolved| Self::Moment(resolved.zoned)),
        }
    }

    fn local(&self) -> DateTime {
        match self {
            Self::Day(date) => date.to_datetime(Time::midnight()),
            Self::Moment(zoned) => zoned.datetime(),
        }
    }

    /// Reads another moment to compare occurrences with.
    fn point(&self, text: &str) -> Result<Point, Failure> {
        let zone = match self {
            Self::Day(_) => TimeZone::UTC,
            Self::Moment(zoned) => zoned.time_zone().clone(),
        };
        let zone = ReadingZone::Given(zone);
        let zoned = reading::moment(text, &zone, Disambiguation::Compatible)?.zoned;
        Ok(match self {
            Self::Day(_) => Point::Day(zoned.date()),
            Self::Moment(_) => Point::Moment(zoned.timestamp()),
        })
    }
}

struct Series {
    rule: Rule,
    start: Start,
    after: Option<Point>,
    excluded: HashSet<Point>,
    max: usize,
}

/// What a local time of the rule turns out to be.
enum Outcome {
    Day(Date),
    Moment(Zoned),
    /// Clocks skip it.
    Skipped,
    /// It is no moment of the calendar.
    Beyond,
}

impl Series {
    fn expand(&self) -> Result<Occurrences, Failure> {
        let mut listed = Vec::new();
        let mut skipped = Vec::new();
        // Skipped since the last listed occurrence: they count only once
        // another one follows.
        let mut pending = Vec::new();
        let mut counted = 0;
        let mut more = false;
        let first = self.start.local();
        for local in Candidates::new(&self.rule, first)? {
            let local = local?;
            if local < first {
                continue;
            }
            let outcome = self.outcome(local);
            let Some(point) = outcome.point() else {
                if matches!(outcome, Outcome::Skipped) && pending.len() < MAX_SKIPPED {
                    pending.push(local.to_string());
                }
                continue;
            };
            counted += 1;
            if self.is_past_end(local, point, counted) {
                break;
            }
            if self.is_too_early(point) {
                pending.clear();
                continue;
            }
            if self.excluded.contains(&point) {
                continue;
            }
            if listed.len() == self.max {
                more = true;
                break;
            }
            listed.push(outcome.text());
            skipped.append(&mut pending);
        }
        skipped.truncate(MAX_SKIPPED);
        Ok(Occurrences { occurrences: listed, more, skipped })
    }

    /// The occurrence at a local time, if it is one.
    fn outcome(&self, local: DateTime) -> Outcome {
        let start = match &self.start {
            Start::Day(_) => return Outcome::Day(local.date()),
            Start::Moment(start) => start,
        };
        // The start keeps the side of an overlap that it was given with.
        if local == start.datetime() {
            return Outcome::Moment(start.clone());
        }
        let ambiguous = start.time_zone().to_ambiguous_zoned(local);
        if matches!(ambiguous.offset(), AmbiguousOffset::Gap { .. }) {
            return Outcome::Skipped;
        }
        ambiguous.compatible().map_or(Outcome::Beyond, Outcome::Moment)
    }

    fn is_past_end(&self, local: DateTime, point: Point, counted: u32) -> bool {
        let past_until = match (self.rule.until, point) {
            (None, _) => false,
            (Some(Until::Day(last)), _) => local.date() > last,
            (Some(Until::Local(last)), Point::Moment(_)) => local > last,
            (Some(Until::Local(last)), Point::Day(day)) => day > last.date(),
            (Some(Until::Moment(last)), Point::Moment(at)) => at > last,
            (Some(Until::Moment(last)), Point::Day(day)) => day > last.to_zoned(TimeZone::UTC).date(),
        };
        past_until || self.rule.count.is_some_and(|count| counted > count)
    }

    fn is_too_early(&self, point: Point) -> bool {
        self.after.is_some_and(|after| point <= after)
    }
}

impl Outcome {
    /// What it is compared by, if it is an occurrence.
    fn point(&self) -> Option<Point> {
        match self {
            Self::Day(day) => Some(Point::Day(*day)),
            Self::Moment(zoned) => Some(Point::Moment(zoned.timestamp())),
            Self::Skipped | Self::Beyond => None,
        }
    }

    /// Written where it is listed, because most are only counted.
    fn text(&self) -> String {
        match self {
            Self::Day(day) => day.to_string(),
            Self::Moment(zoned) => zoned.to_string(),
            Self::Skipped | Self::Beyond => String::new(),
        }
    }
}
