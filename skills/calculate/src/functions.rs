//! Exponentials, logarithms and trigonometry over enclosures. The crate beneath
//! rounds each value correctly; here its last digit is widened outward.

use crate::bindings::Rounding;
use crate::enclosure::{Enclosure, Precision, StrictSign, too_large};
use crate::halt::Halt;
use crate::limits::{MAX_BITS, MAX_MAGNITUDE};
use crate::powers::raised;
use crate::rounding::{magnitude, places_for, scaled, significand, ten_to};
use dashu_base::Abs;
use dashu_float::round::mode::HalfEven;
use dashu_float::{Context, FBig, FpError, Repr, round::Rounded};
use dashu_int::IBig;
use dashu_ratio::RBig;

type Real = Repr<10>;
type FloatResult = Result<Rounded<FBig<HalfEven, 10>>, FpError>;

/// ln(10^4000), rounded up: beyond it `exp` overflows.
const MAX_EXP_ARGUMENT: i64 = 9_211;

/// Digits with which a logarithm is guessed before the guess is proven.
const LOG_GUESS_DIGITS: usize = 20;

pub fn pi(p: Precision) -> Result<Enclosure, Halt> {
    p.charge(p.digits)?;
    let value = Context::<HalfEven>::new(p.digits).pi::<10>(None).value();
    Ok(p.widened(value.into_repr()))
}

pub fn euler(p: Precision) -> Result<Enclosure, Halt> {
    exp(p, &Enclosure::integer(1))
}

pub fn exp(p: Precision, x: &Enclosure) -> Result<Enclosure, Halt> {
    if x.as_exact().is_some_and(RBig::is_zero) {
        return Ok(Enclosure::integer(1));
    }
    let limit = RBig::from(MAX_EXP_ARGUMENT);
    if x.hi > limit {
        return Err(too_large());
    }
    let smallest = scaled(IBig::ONE, MAX_MAGNITUDE as i64);
    if x.hi < -&limit {
        return p.tidy(RBig::ZERO, smallest, x.proven);
    }
    let hi = p.apply(&x.hi, Rounding::Ceiling, |c, r| c.exp(r, None))?.hi;
    let lo = if x.lo < -limit { RBig::ZERO } else { p.apply(&x.lo, Rounding::Floor, |c, r| c.exp(r, None))?.lo };
    p.tidy(lo, hi, x.proven)
}

pub fn ln(p: Precision, x: &Enclosure) -> Result<Enclosure, Halt> {
    if !x.hi.is_positive_nonzero() {
        return Err(Halt::domain("the logarithm of a number that isn't positive"));
    }
    if !x.lo.is_positive_nonzero() {
        return Err(if p.is_narrow(x) { Halt::domain("the logarithm of zero") } else { Halt::Unsettled });
    }
    if x.as_exact().is_some_and(RBig::is_one) {
        return Ok(Enclosure::integer(0));
    }
    p.monotone(x, |c, r| c.ln(r, None))
}

/// The logarithm to any base, exact where it is a whole number.
pub fn log(p: Precision, x: &Enclosure, base: &Enclosure) -> Result<Enclosure, Halt> {
    if base.as_exact().is_some_and(RBig::is_one) {
        return Err(Halt::domain("a logarithm to base 1"));
    }
    let quotient = p.div(&ln(p, x)?, &ln(p, base)?)?;
    if let (Some(x), Some(base)) = (x.as_exact(), base.as_exact())
        && let Some(exponent) = whole_logarithm(&quotient, x, base)
    {
        return Ok(Enclosure::point(RBig::from(exponent)));
    }
    Ok(quotient)
}

fn whole_logarithm(guess: &Enclosure, x: &RBig, base: &RBig) -> Option<i64> {
    let rounded = significand(&guess.lo, 0, Rounding::HalfEven);
    let off = (&guess.lo - RBig::from(rounded.clone())).abs();
    if off > scaled(IBig::ONE, LOG_GUESS_DIGITS as i64) {
        return None;
    }
    let exponent = i64::try_from(rounded).ok()?;
    let power = raised(base, exponent.unsigned_abs(), MAX_BITS)?;
    let power = if exponent < 0 { RBig::ONE / power } else { power };
    (power == *x).then_some(exponent)
}

pub fn sin(p: Precision, x: &Enclosure) -> Result<Enclosure, Halt> {
    if x.as_exact().is_some_and(RBig::is_zero) {
        return Ok(Enclosure::integer(0));
    }
    p.lipschitz(x, |c, r| c.sin(r, None))
}

pub fn cos(p: Precision, x: &Enclosure) -> Result<Enclosure, Halt> {
    if x.as_exact().is_some_and(RBig::is_zero) {
        return Ok(Enclosure::integer(1));
    }
    p.lipschitz(x, |c, r| c.cos(r, None))
}

pub fn tan(p: Precision, x: &Enclosure) -> Result<Enclosure, Halt> {
    p.div(&sin(p, x)?, &cos(p, x)?)
}

pub fn atan(p: Precision, x: &Enclosure) -> Result<Enclosure, Halt> {
    if x.as_exact().is_some_and(RBig::is_zero) {
        return Ok(Enclosure::integer(0));
    }
    p.monotone(x, |c, r| c.atan(r, None))
}

pub fn asin(p: Precision, x: &Enclosure) -> Result<Enclosure, Halt> {
    if x.as_exact().is_some_and(RBig::is_zero) {
        return Ok(Enclosure::integer(0));
    }
    let one = RBig::ONE;
    if x.lo > one || x.hi < -RBig::ONE {
        return Err(Halt::domain("the arc sine or cosine of a number beyond -1 to 1"));
    }
    if x.hi <= one && x.lo >= -RBig::ONE {
        return p.monotone(x, |c, r| c.asin(r, None));
    }
    if !p.is_narrow(x) {
        return Err(Halt::Unsettled);
    }
    let end = if x.hi > one { one } else { -RBig::ONE };
    let mut angle = asin(p, &Enclosure::point(end))?;
    angle.proven = false;
    Ok(angle)
}

pub fn acos(p: Precision, x: &Enclosure) -> Result<Enclosure, Halt> {
    if x.as_exact().is_some_and(RBig::is_one) {
        return Ok(Enclosure::integer(0));
    }
    let right_angle = p.div(&pi(p)?, &Enclosure::integer(2))?;
    p.sub(&right_angle, &asin(p, x)?)
}

impl Precision<'_> {
    fn monotone(
        self,
        x: &Enclosure,
        function: impl Fn(&Context<HalfEven>, &Real) -> FloatResult,
    ) -> Result<Enclosure, Halt> {
        let lo = self.apply(&x.lo, Rounding::Floor, &function)?.lo;
        let hi = self.apply(&x.hi, Rounding::Ceiling, &function)?.hi;
        self.tidy(lo, hi, x.proven)
    }

    /// The function at one end point, which is first rounded outward to
    /// digits that the crate beneath can hold.
    fn apply(
        self,
        end: &RBig,
        mode: Rounding,
        function: impl Fn(&Context<HalfEven>, &Real) -> FloatResult,
    ) -> Result<Enclosure, Halt> {
        self.charge(self.digits)?;
        let real = real(end, places_for(end, self.digits), mode);
        let value = function(&Context::new(self.digits), &real).map_err(float_failure)?;
        Ok(self.widened(value.value().into_repr()))
    }

    /// A function whose slope stays within one, such as `sin`: the width of
    /// the argument bounds the width of the result.
    fn lipschitz(
        self,
        x: &Enclosure,
        function: impl Fn(&Context<HalfEven>, &Real) -> FloatResult,
    ) -> Result<Enclosure, Halt> {
        let size = magnitude(&x.lo);
        // A great angle is reduced by as many more digits of pi.
        self.charge(self.digits + size.unsigned_abs() as usize)?;
        let places = self.digits as i64 - size.min(0);
        let value = real(&x.lo, places, Rounding::Down);
        let centre = function(&Context::new(self.digits), &value).map_err(float_failure)?;
        let centre = self.widened(centre.value().into_repr());
        let slack = &x.hi - &x.lo + scaled(IBig::ONE, places);
        let lo = (centre.lo - &slack).max(-RBig::ONE);
        let hi = (centre.hi + slack).min(RBig::ONE);
        self.tidy(lo, hi, x.proven)
    }

    /// A correctly rounded value with its possible error of half a unit in
    /// the last place, generously counted as ten.
    fn widened(self, value: Real) -> Enclosure {
        let (significand, exponent) = value.into_parts();
        let value = scaled(significand, -(exponent as i64));
        let error = value.clone().abs() / RBig::from(ten_to(self.digits.saturating_sub(2)));
        Enclosure { lo: &value - &error, hi: value + error, proven: true }
    }
}

fn real(value: &RBig, places: i64, mode: Rounding) -> Real {
    Repr::new(significand(value, places, mode), -(places as isize))
}

/// The domain was checked before, so what remains are ranges.
fn float_failure(error: FpError) -> Halt {
    match error {
        FpError::OutOfDomain | FpError::Indeterminate => Halt::domain("the function has no real value there"),
        FpError::Overflow(_) => too_large(),
        _ => Halt::Unsettled,
    }
}
