//! Adding spans and taking differences.

use crate::bindings::{Disambiguation, Failure, Interval, Sum, Unit};
use crate::failure::{check_length, out_of_range, parse};
use crate::limits::MAX_TEXT;
use crate::local::{Resolved, resolve};
use crate::moment;
use crate::reading::{self, ReadingZone};
use crate::unix;
use jiff::fmt::friendly::{Designator, Spacing, SpanPrinter};
use jiff::{Span, Zoned, ZonedDifference};

pub fn add(when: &str, span: &str, zone: Option<&str>, disambiguation: Disambiguation) -> Result<Sum, Failure> {
    let zone = ReadingZone::or_utc(zone)?;
    let start = reading::moment(when, &zone, disambiguation)?;
    let span = read_span(span)?;
    let (moved, clamped) = add_calendar(&start.zoned, &span, disambiguation)?;
    let end = moved.zoned.checked_add(clock_part(&span)).map_err(|_| out_of_range("the sum"))?;
    Ok(Sum {
        start: start.zoned.to_string(),
        start_resolution: start.resolution,
        moment: moment::describe(&end),
        resolution: moved.resolution,
        clamped,
    })
}

pub fn difference(
    start: &str,
    end: &str,
    zone: Option<&str>,
    largest: Unit,
    disambiguation: Disambiguation,
) -> Result<Interval, Failure> {
    let zone = ReadingZone::or_utc(zone)?;
    let start = reading::moment(start, &zone, disambiguation)?.zoned;
    // The start's zone also reads a local end, so that a bare date beside a
    // zoned one isn't in UTC.
    let shared = ReadingZone::Given(start.time_zone().clone());
    let end = reading::moment(end, &shared, disambiguation)?.zoned;
    let wanted = ZonedDifference::new(&end).largest(jiff_unit(largest));
    let span = start.until(wanted).map_err(|_| out_of_range("the difference"))?;
    Ok(describe(&span, &start, &end))
}

fn read_span(text: &str) -> Result<Span, Failure> {
    check_length(text, "span", MAX_TEXT)?;
    text.trim().parse().map_err(|error: jiff::Error| {
        let expected = "a span such as P1M2DT3H, -P1W, 1 month 2 days, 90 min or 2 weeks ago";
        parse(text, error, expected)
    })
}

/// Moves the calendar and keeps the clock's reading.
fn add_calendar(start: &Zoned, span: &Span, disambiguation: Disambiguation) -> Result<(Resolved, bool), Failure> {
    let beyond = |_| out_of_range("the sum");
    let months = Span::new()
        .try_years(span.get_years())
        .and_then(|months| months.try_months(span.get_months()))
        .map_err(beyond)?;
    let days =
        Span::new().try_weeks(span.get_weeks()).and_then(|days| days.try_days(span.get_days())).map_err(beyond)?;
    if months.is_zero() && days.is_zero() {
        return Ok((Resolved::unique(start.clone()), false));
    }
    let in_month = start.datetime().checked_add(months).map_err(beyond)?;
    let clamped = in_month.day() != start.day();
    let local = in_month.checked_add(days).map_err(beyond)?;
    Ok((resolve(local, start.time_zone(), disambiguation)?, clamped))
}

/// The units that pass exactly, whatever clocks show.
fn clock_part(span: &Span) -> Span {
    // Zeroing a unit is always in range, so the fallback is never taken.
    let cleared = span
        .try_years(0)
        .and_then(|span| span.try_months(0))
        .and_then(|span| span.try_weeks(0))
        .and_then(|span| span.try_days(0));
    cleared.unwrap_or_default()
}

fn describe(span: &Span, start: &Zoned, end: &Zoned) -> Interval {
    let words = SpanPrinter::new()
        .designator(Designator::Verbose)
        .spacing(Spacing::BetweenUnitsAndDesignators)
        .comma_after_designator(true);
    let passed = start.duration_until(end);
    Interval {
        iso: span.to_string(),
        text: words.span_to_string(span),
        years: span.get_years().into(),
        months: span.get_months(),
        weeks: span.get_weeks(),
        days: span.get_days(),
        hours: span.get_hours(),
        minutes: span.get_minutes(),
        seconds: span.get_seconds(),
        nanoseconds: subsecond_nanoseconds(span),
        total_seconds: unix::decimal_seconds(passed.as_nanos()),
        start: start.to_string(),
        end: end.to_string(),
    }
}

/// What is smaller than a second stays below one, because the difference is
/// balanced up to a larger unit.
fn subsecond_nanoseconds(span: &Span) -> i32 {
    let total = span.get_milliseconds() * 1_000_000 + span.get_microseconds() * 1_000 + span.get_nanoseconds();
    total as i32
}

fn jiff_unit(unit: Unit) -> jiff::Unit {
    match unit {
        Unit::Year => jiff::Unit::Year,
        Unit::Month => jiff::Unit::Month,
        Unit::Week => jiff::Unit::Week,
        Unit::Day => jiff::Unit::Day,
        Unit::Hour => jiff::Unit::Hour,
        Unit::Minute => jiff::Unit::Minute,
        Unit::Second => jiff::Unit::Second,
    }
}
