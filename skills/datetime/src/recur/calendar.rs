//! Which days of a period a rule picks.

use super::rule::{Day, Frequency, Rule};
use jiff::ToSpan;
use jiff::civil::{Date, Weekday};

const DAYS_A_WEEK: i16 = 7;

/// The day of January that is always in the first week, because that is the
/// first week with four days in the year (ISO 8601).
const IN_WEEK_1: i8 = 4;

/// The parts of a rule that pick days, with what it leaves to the start filled
/// in: a yearly rule without any picks the start's month and day.
#[derive(Clone, Debug)]
pub struct DayFilter {
    frequency: Frequency,
    months: Vec<i16>,
    weeks: Vec<i16>,
    year_days: Vec<i16>,
    month_days: Vec<i16>,
    days: Vec<Day>,
    week_start: Weekday,
}

impl DayFilter {
    pub fn new(rule: &Rule, start: Date) -> Self {
        let mut filter = Self {
            frequency: rule.frequency,
            months: rule.months.clone(),
            weeks: rule.weeks.clone(),
            year_days: rule.year_days.clone(),
            month_days: rule.month_days.clone(),
            days: rule.days.clone(),
            week_start: rule.week_start,
        };
        filter.fill_in(start);
        filter
    }

    pub fn picks(&self, date: Date) -> bool {
        self.picks_month(date)
            && self.picks_week(date)
            && self.picks_year_day(date)
            && self.picks_month_day(date)
            && self.picks_weekday(date)
    }

    /// Whether any day of the date's month can be picked.
    pub fn picks_month(&self, date: Date) -> bool {
        self.months.is_empty() || self.months.contains(&date.month().into())
    }

    fn fill_in(&mut self, start: Date) {
        let picks_days = !self.year_days.is_empty() || !self.month_days.is_empty() || !self.days.is_empty();
        if picks_days {
            return;
        }
        let weekday = Day { ordinal: None, weekday: start.weekday() };
        match self.frequency {
            Frequency::Daily => {}
            Frequency::Weekly => self.days.push(weekday),
            Frequency::Yearly if !self.weeks.is_empty() => self.days.push(weekday),
            Frequency::Monthly => self.month_days.push(start.day().into()),
            Frequency::Yearly => {
                self.month_days.push(start.day().into());
                if self.months.is_empty() {
                    self.months.push(start.month().into());
                }
            }
        }
    }

    fn picks_week(&self, date: Date) -> bool {
        if self.weeks.is_empty() {
            return true;
        }
        week_of_year(date, self.week_start).is_some_and(|(week, of)| contains_ordinal(&self.weeks, week, of))
    }

    fn picks_year_day(&self, date: Date) -> bool {
        self.year_days.is_empty() || contains_ordinal(&self.year_days, date.day_of_year(), date.days_in_year())
    }

    fn picks_month_day(&self, date: Date) -> bool {
        self.month_days.is_empty() || contains_ordinal(&self.month_days, date.day().into(), date.days_in_month().into())
    }

    fn picks_weekday(&self, date: Date) -> bool {
        self.days.is_empty()
            || self.days.iter().any(|day| {
                day.weekday == date.weekday() && day.ordinal.is_none_or(|ordinal| self.is_nth(date, ordinal))
            })
    }

    /// Whether a date is the n-th of its weekday, or the n-th from the end: of
    /// the month, or of the year where a yearly rule names no months.
    fn is_nth(&self, date: Date, ordinal: i16) -> bool {
        let whole_year = self.frequency == Frequency::Yearly && self.months.is_empty();
        let (day, of) = if whole_year {
            (date.day_of_year(), date.days_in_year())
        } else {
            (date.day().into(), date.days_in_month().into())
        };
        if ordinal > 0 { (day - 1) / DAYS_A_WEEK + 1 == ordinal } else { (of - day) / DAYS_A_WEEK + 1 == -ordinal }
    }
}

/// The first day of the week that holds `date`, if the calendar has it.
pub fn week_begin(date: Date, week_start: Weekday) -> Option<Date> {
    let back = date.weekday().since(week_start);
    date.checked_sub(i32::from(back).days()).ok()
}

/// Whether an ordinal from the start (1, 2, …) or the end (-1, -2, …) is meant.
fn contains_ordinal(ordinals: &[i16], position: i16, of: i16) -> bool {
    ordinals.contains(&position) || ordinals.contains(&(position - of - 1))
}

/// The number of a date's week, and how many weeks that week's year has. Weeks
/// belong to the year that holds most of their days, so the first days of
/// January may be in the year before. None at the calendar's ends.
fn week_of_year(date: Date, week_start: Weekday) -> Option<(i16, i16)> {
    let year = date.year();
    let this = first_week(year, week_start)?;
    let next = first_week(year + 1, week_start)?;
    let (begin, end) = if date < this {
        (first_week(year - 1, week_start)?, this)
    } else if date < next {
        (this, next)
    } else {
        (next, first_week(year + 2, week_start)?)
    };
    Some((days_between(begin, date)? / DAYS_A_WEEK + 1, days_between(begin, end)? / DAYS_A_WEEK))
}

/// The day on which a year's first week begins, which may be in December.
fn first_week(year: i16, week_start: Weekday) -> Option<Date> {
    week_begin(Date::new(year, 1, IN_WEEK_1).ok()?, week_start)
}

fn days_between(from: Date, to: Date) -> Option<i16> {
    i16::try_from(from.until(to).ok()?.get_days()).ok()
}
