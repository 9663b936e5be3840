//! A loan paid back in equal payments.

use super::rate_of_period;
use crate::bindings::{Failure, Installment, Loan, Repayment, Rounding};
use crate::decimal::{self, Format};
use crate::enclosure::{Enclosure, Precision, StrictSign};
use crate::halt::Halt;
use crate::limits::MAX_LOAN_PERIODS;
use crate::powers;
use crate::rounding::{plain, to_places};
use dashu_ratio::RBig;

/// Payments a year where none are given.
const MONTHLY: u32 = 12;

struct Terms {
    principal: RBig,
    rate: RBig,
    periods: u32,
}

/// How amounts are rounded and written.
#[derive(Clone, Copy)]
struct Money {
    places: usize,
    rounding: Rounding,
}

pub fn repayment(loan: &Loan, format: Format) -> Result<Repayment, Failure> {
    let money = Money { places: format.scale.unwrap_or(super::MONEY_SCALE) as usize, rounding: format.rounding };
    let terms = Terms::read(loan, money)?;
    let payment = format.settle(|p| terms.payment(p))?;
    let rounded = decimal::parse(&payment.value, "payment")?;
    let schedule = terms.schedule(&rounded, money);
    let total = schedule.iter().fold(RBig::ZERO, |total, line| total + &line.payment);
    let last = schedule.last().map_or(RBig::ZERO, |line| line.payment.clone());
    let wanted = loan.schedule.unwrap_or(false);
    Ok(Repayment {
        payment,
        last_payment: money.text(&last),
        total_interest: money.text(&(&total - &terms.principal)),
        total_paid: money.text(&total),
        schedule: if wanted { schedule.iter().map(|line| line.installment(money)).collect() } else { Vec::new() },
    })
}

struct Line {
    period: u32,
    payment: RBig,
    interest: RBig,
    balance: RBig,
}

impl Terms {
    fn read(loan: &Loan, money: Money) -> Result<Self, Failure> {
        if !(1..=MAX_LOAN_PERIODS).contains(&loan.periods) {
            return Err(Failure::InvalidInput(format!(
                "periods is {}; expected 1 to {MAX_LOAN_PERIODS}",
                loan.periods
            )));
        }
        let principal = decimal::parse(&loan.principal, "principal")?;
        if !principal.is_positive_nonzero() {
            return Err(Failure::InvalidInput(format!("principal is {}; expected more than 0", loan.principal)));
        }
        if money.round(&principal) != principal {
            return Err(Failure::InvalidInput(format!(
                "principal {} has more digits after the point than the scale of {}",
                loan.principal, money.places
            )));
        }
        let annual = decimal::parse(&loan.annual_rate_percent, "annual-rate-percent")?;
        if annual.is_negative_nonzero() {
            return Err(Failure::InvalidInput(format!(
                "annual-rate-percent is {}; expected 0 or more",
                loan.annual_rate_percent
            )));
        }
        Ok(Self {
            principal,
            rate: rate_of_period(annual, loan.periods_per_year.unwrap_or(MONTHLY))?,
            periods: loan.periods,
        })
    }

    /// P*i / (1 - (1+i)^-n), or P/n without interest.
    fn payment(&self, p: Precision) -> Result<Enclosure, Halt> {
        let principal = Enclosure::point(self.principal.clone());
        let periods = Enclosure::integer(i64::from(self.periods));
        if self.rate.is_zero() {
            return p.div(&principal, &periods);
        }
        let base = Enclosure::point(RBig::ONE + &self.rate);
        let discount = powers::power(p, &base, &periods.neg())?;
        let annuity = p.sub(&Enclosure::integer(1), &discount)?;
        let interest = p.mul(&principal, &Enclosure::point(self.rate.clone()))?;
        p.div(&interest, &annuity)
    }

    /// Each payment covers the period's interest first. The last one covers
    /// all that is left, so rounding can't leave a balance.
    fn schedule(&self, payment: &RBig, money: Money) -> Vec<Line> {
        let mut balance = self.principal.clone();
        (1..=self.periods)
            .map(|period| {
                let interest = money.round(&(&balance * &self.rate));
                let due = &balance + &interest;
                let payment = if period == self.periods { due.clone() } else { payment.clone().min(due.clone()) };
                balance = due - &payment;
                Line { period, payment, interest, balance: balance.clone() }
            })
            .collect()
    }
}

impl Line {
    fn installment(&self, money: Money) -> Installment {
        Installment {
            period: self.period,
            payment: money.text(&self.payment),
            interest: money.text(&self.interest),
            principal: money.text(&(&self.payment - &self.interest)),
            balance: money.text(&self.balance),
        }
    }
}

impl Money {
    fn round(self, amount: &RBig) -> RBig {
        to_places(amount, self.places as i64, self.rounding)
    }

    fn text(self, amount: &RBig) -> String {
        plain(amount, self.places)
    }
}
