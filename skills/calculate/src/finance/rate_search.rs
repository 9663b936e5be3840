//! The search for an internal rate of return.

use super::cash_flow::present_value;
use crate::bindings::Rounding;
use crate::enclosure::{Enclosure, Precision};
use crate::halt::Halt;
use crate::rounding::{scaled, significand, terminating_places};
use dashu_base::{Signed, UnsignedAbs};
use dashu_int::{IBig, UBig};
use dashu_ratio::RBig;

/// Rates beyond 10^15 % are no rates of anything.
const MAX_RATE_DIGITS: u32 = 15;

/// Binary places for each working digit in the search: a digit needs 3.3, the
/// rest covers what many flows add up to.
const BITS_PER_DIGIT: usize = 5;

/// Units in the last place by which one step of Horner's rule may be off, on
/// top of what it inherits: two products, a sum and a flow, each cut off.
const STEP_ERROR: u8 = 4;

/// Flows whose present value is zero at just one rate: its sign is that of the
/// first flow above the rate and that of the last one below.
pub struct Search<'a> {
    flows: &'a [RBig],
    /// The flows as whole numbers of some small amount, last first.
    reversed: Vec<IBig>,
    first_positive: bool,
}

#[derive(Clone, Copy)]
enum Side {
    Below,
    At,
    Above,
}

impl<'a> Search<'a> {
    pub fn new(flows: &'a [RBig]) -> Self {
        let places = flows.iter().filter_map(terminating_places).max().unwrap_or(0);
        let whole = |flow: &RBig| significand(flow, places as i64, Rounding::Down);
        Self {
            flows,
            reversed: flows.iter().rev().map(whole).collect(),
            first_positive: flows.iter().find(|flow| !flow.is_zero()).is_some_and(Signed::is_positive),
        }
    }

    /// The rate in per cent, by bisection on a grid of as many decimal places
    /// as there are working digits.
    pub fn rate(&self, p: Precision) -> Result<Enclosure, Halt> {
        let places = p.digits as i64;
        let on_grid = |percent: i64| significand(&RBig::from(percent), places, Rounding::Down);
        let mut low = on_grid(-100);
        let mut high = on_grid(self.ceiling(p)?);
        while &high - &low > IBig::ONE {
            let middle = (&low + &high) >> 1;
            let percent = scaled(middle.clone(), places);
            match self.side(p, &percent)? {
                Side::At => return Ok(Enclosure::point(percent)),
                Side::Below => low = middle,
                Side::Above => high = middle,
            }
        }
        Ok(Enclosure { lo: scaled(low, places), hi: scaled(high, places), proven: true })
    }

    /// A rate in per cent above the one sought.
    fn ceiling(&self, p: Precision) -> Result<i64, Halt> {
        for digits in 2..=MAX_RATE_DIGITS {
            let percent = 10_i64.pow(digits);
            if !matches!(self.side(p, &RBig::from(percent))?, Side::Below) {
                return Ok(percent + 1);
            }
        }
        Err(Halt::TooLarge(format!("the rate of return is above 10^{MAX_RATE_DIGITS} per cent")))
    }

    /// On which side of the rate sought `percent` lies. Exact fractions are
    /// slow, so they decide only where fixed point can't.
    fn side(&self, p: Precision, percent: &RBig) -> Result<Side, Halt> {
        let positive = match self.is_positive(p.digits * BITS_PER_DIGIT, percent) {
            Some(positive) => positive,
            None => {
                let value = present_value(p, self.flows, percent)?;
                match value.as_exact() {
                    Some(value) if value.is_zero() => return Ok(Side::At),
                    Some(value) => value.is_positive(),
                    None => return Err(Halt::Unsettled),
                }
            }
        };
        Ok(if positive == self.first_positive { Side::Above } else { Side::Below })
    }

    /// The sign of the present value in fixed point with `bits` binary places,
    /// or nothing where its error could change it.
    fn is_positive(&self, bits: usize, percent: &RBig) -> Option<bool> {
        let growth = RBig::ONE + percent / RBig::from(100);
        let one = IBig::ONE << bits;
        let discount = (RBig::from(one) / growth).floor();
        let wider = (&discount + IBig::ONE).unsigned_abs();
        let mut total = IBig::ZERO;
        let mut error = UBig::ZERO;
        for flow in &self.reversed {
            let size = total.clone().unsigned_abs() + &error;
            error = ((error * &wider) >> bits) + (size >> bits) + UBig::from(STEP_ERROR);
            total = ((total * &discount) >> bits) + (flow << bits);
        }
        let positive = total.is_positive();
        (total.unsigned_abs() > error).then_some(positive)
    }
}
