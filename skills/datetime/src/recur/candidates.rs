//! The local times that a rule gives, in order, from the period of its start.

use super::calendar::{DayFilter, week_begin};
use super::rule::{Frequency, Rule};
use crate::bindings::Failure;
use crate::limits::{MAX_CANDIDATES, MAX_TIMES_A_DAY};
use jiff::Span;
use jiff::civil::{Date, DateTime, Time};
use std::collections::VecDeque;

const DAYS_A_WEEK: u32 = 7;

/// Goes from period to period (year, month, week or day) until the calendar
/// ends. Times of the first period may be before the start.
pub struct Candidates<'a> {
    rule: &'a Rule,
    filter: DayFilter,
    times: Vec<Time>,
    /// The first day of the next period.
    period: Option<Date>,
    waiting: VecDeque<DateTime>,
    examined: u32,
}

impl<'a> Candidates<'a> {
    pub fn new(rule: &'a Rule, start: DateTime) -> Result<Self, Failure> {
        let date = start.date();
        Ok(Self {
            rule,
            filter: DayFilter::new(rule, date),
            times: times(rule, start.time())?,
            period: match rule.frequency {
                Frequency::Yearly => Some(date.first_of_year()),
                Frequency::Monthly => Some(date.first_of_month()),
                Frequency::Weekly => week_begin(date, rule.week_start),
                Frequency::Daily => Some(date),
            },
            waiting: VecDeque::new(),
            examined: 0,
        })
    }

    /// The first day of the period after this one, unless the calendar ends.
    fn following(&self, period: Date) -> Option<Date> {
        let interval = self.rule.interval;
        let step = Span::new();
        let step = match self.rule.frequency {
            Frequency::Yearly => step.try_years(interval),
            Frequency::Monthly => step.try_months(interval),
            Frequency::Weekly => step.try_days(interval.saturating_mul(DAYS_A_WEEK)),
            Frequency::Daily => step.try_days(interval),
        };
        period.checked_add(step.ok()?).ok()
    }

    /// All times of a period, or those of them that BYSETPOS picks.
    fn period_times(&self, period: Date) -> (u32, Vec<DateTime>) {
        let days = self.picked_days(period);
        let all: Vec<DateTime> =
            days.iter().flat_map(|day| self.times.iter().map(|time| day.to_datetime(*time))).collect();
        let examined = u32::try_from(all.len()).unwrap_or(u32::MAX).max(1);
        if self.rule.positions.is_empty() {
            return (examined, all);
        }
        let mut picked: Vec<DateTime> =
            self.rule.positions.iter().filter_map(|position| at_position(&all, *position)).collect();
        picked.sort();
        picked.dedup();
        (examined, picked)
    }

    fn picked_days(&self, period: Date) -> Vec<Date> {
        match self.rule.frequency {
            Frequency::Yearly => (1..=12)
                .filter_map(|month| Date::new(period.year(), month, 1).ok())
                .flat_map(|month| self.picked_of_month(month))
                .collect(),
            Frequency::Monthly => self.picked_of_month(period),
            Frequency::Weekly => self.picked_of(period, DAYS_A_WEEK as usize),
            Frequency::Daily => self.picked_of(period, 1),
        }
    }

    fn picked_of_month(&self, first: Date) -> Vec<Date> {
        if !self.filter.picks_month(first) {
            return Vec::new();
        }
        self.picked_of(first, usize::from(first.days_in_month().unsigned_abs()))
    }

    fn picked_of(&self, first: Date, days: usize) -> Vec<Date> {
        std::iter::successors(Some(first), |day| day.tomorrow().ok())
            .take(days)
            .filter(|day| self.filter.picks(*day))
            .collect()
    }
}

impl Iterator for Candidates<'_> {
    type Item = Result<DateTime, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(time) = self.waiting.pop_front() {
                return Some(Ok(time));
            }
            let period = self.period.take()?;
            let (examined, times) = self.period_times(period);
            self.examined = self.examined.saturating_add(examined);
            if self.examined > MAX_CANDIDATES {
                return Some(Err(Failure::TooLarge(format!(
                    "the rule gives more than {MAX_CANDIDATES} times before enough occurrences"
                ))));
            }
            self.waiting = times.into();
            self.period = self.following(period);
        }
    }
}

/// The times of each picked day, in order; what the rule doesn't say is taken
/// from the start.
fn times(rule: &Rule, start: Time) -> Result<Vec<Time>, Failure> {
    let hours = or_start(&rule.hours, start.hour());
    let minutes = or_start(&rule.minutes, start.minute());
    let seconds = or_start(&rule.seconds, start.second());
    let count = hours.len() * minutes.len() * seconds.len();
    if count > MAX_TIMES_A_DAY {
        return Err(Failure::TooLarge(format!(
            "BYHOUR, BYMINUTE and BYSECOND give {count} times a day; at most {MAX_TIMES_A_DAY}"
        )));
    }
    let mut times = Vec::with_capacity(count);
    for hour in &hours {
        for minute in &minutes {
            for second in &seconds {
                let time = Time::new(*hour, *minute, *second, start.subsec_nanosecond());
                times.extend(time);
            }
        }
    }
    Ok(times)
}

fn or_start(numbers: &[i16], start: i8) -> Vec<i8> {
    if numbers.is_empty() {
        return vec![start];
    }
    let mut numbers: Vec<i8> = numbers.iter().filter_map(|number| i8::try_from(*number).ok()).collect();
    numbers.sort();
    numbers.dedup();
    numbers
}

/// The n-th time of a period, or the n-th from the end.
fn at_position(times: &[DateTime], position: i16) -> Option<DateTime> {
    let distance = usize::from(position.unsigned_abs());
    let index = if position > 0 { distance.checked_sub(1)? } else { times.len().checked_sub(distance)? };
    times.get(index).copied()
}
