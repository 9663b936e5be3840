//! ISO 8601 week dates: "2026-W13-7", "2026W137", "2026-W13".

use crate::bindings::Failure;
use crate::failure::parse;
use jiff::civil::{Date, ISOWeekDate, Weekday};

const EXPECTED: &str = "an ISO week date such as 2026-W13-7, 2026-W13 or 2026-W13-7T03:30";

/// Whether text begins as a week date does: four digits and a W.
pub fn looks_like(text: &str) -> bool {
    let after_year = text.get(4..).unwrap_or_default();
    let year_is_digits = text.bytes().take(4).all(|byte| byte.is_ascii_digit());
    let mark = after_year.strip_prefix('-').unwrap_or(after_year);
    year_is_digits && mark.starts_with(['W', 'w'])
}

/// The calendar date, and what follows it in the text.
pub fn read(text: &str) -> Result<(Date, &str), Failure> {
    let refuse = || parse(text, "the text is no ISO week date", EXPECTED);
    if !looks_like(text) {
        return Err(refuse());
    }
    let (year, rest) = text.split_at_checked(4).ok_or_else(refuse)?;
    let extended = rest.starts_with('-');
    let rest = rest.trim_start_matches('-').get(1..).ok_or_else(refuse)?;
    let (week, rest) = rest.split_at_checked(2).ok_or_else(refuse)?;
    let (day, rest) = match read_day(rest, extended) {
        Some(found) => found,
        None if rest.is_empty() || rest.starts_with(['T', 't', ' ']) => (1, rest),
        None => return Err(refuse()),
    };
    let number = |text: &str| text.parse::<i16>().ok();
    let (year, week) = number(year).zip(number(week)).ok_or_else(refuse)?;
    let weekday = Weekday::from_monday_one_offset(day).map_err(|_| refuse())?;
    let week = i8::try_from(week).map_err(|_| refuse())?;
    let date = ISOWeekDate::new(year, week, weekday).map_err(|_| parse(text, "the year has no such week", EXPECTED))?;
    Ok((date.date(), rest))
}

/// The digit of the day, which a hyphen precedes just where one precedes W.
fn read_day(rest: &str, extended: bool) -> Option<(i8, &str)> {
    let rest = if extended { rest.strip_prefix('-')? } else { rest };
    let (digit, rest) = rest.split_at_checked(1)?;
    let ends = rest.is_empty() || rest.starts_with(['T', 't', ' ']);
    digit.parse().ok().filter(|_| ends).map(|day| (day, rest))
}
