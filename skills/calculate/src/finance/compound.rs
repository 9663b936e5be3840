//! Money that grows at compound interest.

use super::rate_of_period;
use crate::bindings::{Compound, Failure, Growth};
use crate::decimal::{self, Format};
use crate::enclosure::{Enclosure, Precision};
use crate::halt::Halt;
use crate::limits::MAX_COMPOUND_PERIODS;
use crate::powers;
use dashu_ratio::RBig;

struct Terms {
    principal: RBig,
    deposit: RBig,
    rate: RBig,
    periods: RBig,
}

pub fn growth(terms: &Compound, format: Format) -> Result<Growth, Failure> {
    let terms = Terms::read(terms)?;
    let paid_in = &terms.principal + &terms.deposit * &terms.periods;
    let paid = Enclosure::point(paid_in.clone());
    Ok(Growth {
        future_value: format.settle(|p| terms.future_value(p))?,
        paid_in: format.exact(&paid_in),
        interest: format.settle(|p| p.sub(&terms.future_value(p)?, &paid))?,
    })
}

impl Terms {
    fn read(terms: &Compound) -> Result<Self, Failure> {
        if terms.periods > MAX_COMPOUND_PERIODS {
            return Err(Failure::TooLarge(format!("periods is {}; at most {MAX_COMPOUND_PERIODS}", terms.periods)));
        }
        let annual = decimal::parse(&terms.annual_rate_percent, "annual-rate-percent")?;
        let rate = rate_of_period(annual, terms.periods_per_year.unwrap_or(1))?;
        if rate <= -RBig::ONE {
            return Err(Failure::Domain(format!(
                "annual-rate-percent {} loses all and more in one period",
                terms.annual_rate_percent
            )));
        }
        let deposit = terms.deposit.as_deref().unwrap_or("0");
        Ok(Self {
            principal: decimal::parse(&terms.principal, "principal")?,
            deposit: decimal::parse(deposit, "deposit")?,
            rate,
            periods: RBig::from(terms.periods),
        })
    }

    /// Principal times (1+i)^n, and deposits times ((1+i)^n - 1)/i.
    fn future_value(&self, p: Precision) -> Result<Enclosure, Halt> {
        let point = |value: &RBig| Enclosure::point(value.clone());
        let base = Enclosure::point(RBig::ONE + &self.rate);
        let growth = powers::power(p, &base, &point(&self.periods))?;
        let from_principal = p.mul(&point(&self.principal), &growth)?;
        let times = if self.rate.is_zero() {
            point(&self.periods)
        } else {
            p.div(&p.sub(&growth, &Enclosure::integer(1))?, &point(&self.rate))?
        };
        p.add(&from_principal, &p.mul(&point(&self.deposit), &times)?)
    }
}
