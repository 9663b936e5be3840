//! Working days.

use crate::bindings::{BusinessAnswer, BusinessQuestion, DayCount, DayOffset, DayRange, DayReached, Failure, Weekday};
use crate::failure::{check_length, out_of_range, parse};
use crate::limits::{MAX_BUSINESS_DAYS, MAX_HOLIDAYS, MAX_TEXT};
use crate::moment::{civil_weekday, weekday};
use jiff::civil::{self, Date};
use std::collections::BTreeSet;

const DAYS_A_WEEK: i64 = 7;

/// Which days are worked.
struct Calendar {
    weekend: [bool; DAYS_A_WEEK as usize],
    holidays: BTreeSet<Date>,
}

pub fn answer(
    question: &BusinessQuestion,
    weekend: Option<&[Weekday]>,
    holidays: &[String],
) -> Result<BusinessAnswer, Failure> {
    let calendar = Calendar::new(weekend, holidays)?;
    match question {
        BusinessQuestion::Count(range) => calendar.count(range).map(BusinessAnswer::Count),
        BusinessQuestion::Add(offset) => calendar.add(offset).map(BusinessAnswer::Add),
    }
}

impl Calendar {
    fn new(weekend: Option<&[Weekday]>, holidays: &[String]) -> Result<Self, Failure> {
        if holidays.len() > MAX_HOLIDAYS {
            return Err(Failure::TooLarge(format!(
                "there are {} holidays; at most {MAX_HOLIDAYS} are read",
                holidays.len()
            )));
        }
        let weekend = weekend.unwrap_or(&[Weekday::Saturday, Weekday::Sunday]);
        let mut is_weekend = [false; DAYS_A_WEEK as usize];
        for day in weekend {
            is_weekend[index(civil_weekday(*day))] = true;
        }
        if is_weekend.iter().all(|off| *off) {
            return Err(Failure::InvalidInput(
                "weekend holds all seven days; expected at least one working day".into(),
            ));
        }
        let holidays = holidays.iter().map(|text| read_date(text)).collect::<Result<BTreeSet<_>, _>>()?;
        Ok(Self {
            weekend: is_weekend,
            holidays: holidays.into_iter().filter(|date| !is_weekend[index(date.weekday())]).collect(),
        })
    }

    fn count(&self, range: &DayRange) -> Result<DayCount, Failure> {
        let (start, end) = (read_date(&range.start)?, read_date(&range.end)?);
        let (first, last) = (start.min(end), start.max(end));
        let weekdays = self.weekdays(first, last);
        let holidays: Vec<String> = self.holidays.range(first..=last).map(Date::to_string).collect();
        let days = weekdays - holidays.len() as i64;
        Ok(DayCount { days: if end < start { -days } else { days }, holidays })
    }

    /// The days between two dates, both included, that are no weekend: those
    /// of whole weeks by multiplication, the rest one by one.
    fn weekdays(&self, first: Date, last: Date) -> i64 {
        let total = i64::from(first.until(last).map_or(0, |span| span.get_days())) + 1;
        let worked: Vec<bool> = self.weekend.iter().map(|off| !off).collect();
        let a_week = worked.iter().filter(|works| **works).count() as i64;
        let rest = (total % DAYS_A_WEEK) as usize;
        let rest_worked = worked.iter().cycle().skip(index(first.weekday())).take(rest).filter(|works| **works).count();
        total / DAYS_A_WEEK * a_week + rest_worked as i64
    }

    fn add(&self, offset: &DayOffset) -> Result<DayReached, Failure> {
        let start = read_date(&offset.start)?;
        if offset.days.unsigned_abs() > MAX_BUSINESS_DAYS {
            return Err(Failure::TooLarge(format!("days is {}; at most {MAX_BUSINESS_DAYS} either way", offset.days)));
        }
        let back = offset.days < 0;
        let mut holidays = Vec::new();
        let mut left = offset.days.unsigned_abs();
        let mut date = start;
        // Zero means the start itself, if that is worked.
        if left == 0 && !self.is_worked(date, &mut holidays) {
            left = 1;
        }
        while left > 0 {
            date = if back { date.yesterday() } else { date.tomorrow() }.map_err(|_| out_of_range("the date"))?;
            if self.is_worked(date, &mut holidays) {
                left -= 1;
            }
        }
        if back {
            holidays.reverse();
        }
        Ok(DayReached { date: date.to_string(), weekday: weekday(date.weekday()), holidays })
    }

    fn is_worked(&self, date: Date, holidays: &mut Vec<String>) -> bool {
        if self.weekend[index(date.weekday())] {
            return false;
        }
        let is_holiday = self.holidays.contains(&date);
        if is_holiday {
            holidays.push(date.to_string());
        }
        !is_holiday
    }
}

fn index(day: civil::Weekday) -> usize {
    usize::from(day.to_monday_zero_offset().unsigned_abs())
}

fn read_date(text: &str) -> Result<Date, Failure> {
    check_length(text, "a date", MAX_TEXT)?;
    text.trim().parse().map_err(|error: jiff::Error| parse(text, error, "a date such as 2026-12-25"))
}
