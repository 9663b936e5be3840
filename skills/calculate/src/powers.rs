//! Powers and roots over enclosures: exact where the result is rational and
//! short, by whole numbers where that is quick, else by logarithms.

use crate::bindings::Rounding;
use crate::enclosure::{Enclosure, Precision, StrictSign};
use crate::functions::{exp, ln};
use crate::halt::Halt;
use crate::limits::MAX_BITS;
use crate::rounding::{magnitude, scaled, significand};
use dashu_base::{BitTest, Sign};
use dashu_int::{IBig, UBig};
use dashu_ratio::RBig;

/// Roots up to this index are taken of whole numbers, beyond it by logarithms.
const MAX_WHOLE_ROOT: usize = 8;

/// Bits that a power may have for each working digit before a logarithm is the
/// quicker way to it; a digit has 3.3, so small powers are multiplied out.
const POWER_BITS_PER_DIGIT: usize = 16;

/// `x` to the power `y`, exact where the result is rational and small.
pub fn power(p: Precision, x: &Enclosure, y: &Enclosure) -> Result<Enclosure, Halt> {
    if let Some(exponent) = y.as_exact().filter(|y| y.is_int()) {
        return whole_power(p, x, exponent.numerator());
    }
    if x.hi.is_negative_nonzero() {
        return Err(Halt::domain("a fractional power of a negative number (root(x, n) takes odd roots of it)"));
    }
    if x.lo.is_negative_nonzero() {
        return if p.is_narrow(x) { power(p, &unproven_zero(), y) } else { Err(Halt::Unsettled) };
    }
    if let (Some(base), Some(exponent)) = (x.as_exact(), y.as_exact())
        && let Some(result) = rational_power(p, base, exponent)
    {
        return result;
    }
    match y.as_exact().and_then(small_index) {
        Some(index) => whole_root(p, x, index, y.lo.numerator()),
        None => positive_power(p, x, y),
    }
}

/// The real `n`-th root, also of negative numbers where `n` is odd.
pub fn root(p: Precision, x: &Enclosure, n: &Enclosure) -> Result<Enclosure, Halt> {
    let index = n
        .as_exact()
        .filter(|n| n.is_int() && n.is_positive_nonzero())
        .ok_or_else(|| Halt::domain("the index of a root must be a whole number from 1"))?;
    let exponent = Enclosure::point(RBig::ONE / index);
    if !x.lo.is_negative_nonzero() {
        return power(p, x, &exponent);
    }
    let odd = index.numerator().bit(0);
    if x.hi.is_negative_nonzero() {
        if odd {
            return Ok(power(p, &x.neg(), &exponent)?.neg());
        }
        return Err(Halt::domain("an even root of a negative number"));
    }
    if p.is_narrow(x) { Ok(unproven_zero()) } else { Err(Halt::Unsettled) }
}

/// The exact power, unless it would be too long.
pub fn raised(base: &RBig, n: u64, limit: usize) -> Option<RBig> {
    let bits = base.numerator().bit_len().max(base.denominator().bit_len());
    let n = usize::try_from(n).ok()?;
    if bits.checked_mul(n)? > limit {
        return None;
    }
    Some(base.pow(isize::try_from(n).ok()?))
}

fn unproven_zero() -> Enclosure {
    Enclosure { proven: false, ..Enclosure::integer(0) }
}

fn whole_power(p: Precision, x: &Enclosure, exponent: &IBig) -> Result<Enclosure, Halt> {
    let (sign, n) = exponent.clone().into_parts();
    if n.is_zero() {
        return Ok(Enclosure::integer(1));
    }
    if sign == Sign::Negative {
        let power = whole_power(p, x, &IBig::from(n))?;
        return p.div(&Enclosure::integer(1), &power);
    }
    if x.hi.is_negative_nonzero() {
        let power = whole_power(p, &x.neg(), &IBig::from(n.clone()))?;
        return Ok(if n.bit(0) { power.neg() } else { power });
    }
    let hi = raised_enclosure(p, &x.hi, &n)?;
    if x.as_point().is_some() {
        return Ok(Enclosure { proven: x.proven, ..hi });
    }
    let lo = lower_power(p, &x.lo, &n)?;
    p.tidy(lo.lo, hi.hi.max(lo.hi), x.proven)
}

/// The least that `x^n` can be, and with it what a negative end reaches.
fn lower_power(p: Precision, lo: &RBig, n: &UBig) -> Result<Enclosure, Halt> {
    if !lo.is_negative_nonzero() {
        return raised_enclosure(p, lo, n);
    }
    let power = raised_enclosure(p, &-lo, n)?;
    if n.bit(0) {
        return Ok(power.neg());
    }
    Ok(Enclosure { lo: RBig::ZERO, ..power })
}

/// A number that isn't negative to a whole power.
fn raised_enclosure(p: Precision, base: &RBig, n: &UBig) -> Result<Enclosure, Halt> {
    if base.is_zero() || base.is_one() {
        return Ok(Enclosure::point(base.clone()));
    }
    let limit = MAX_BITS.max(p.digits * POWER_BITS_PER_DIGIT);
    let power = u64::try_from(n).ok().and_then(|n| raised(base, n, limit));
    if let Some(power) = power {
        return p.tidy_point(power, true);
    }
    let point = Enclosure::point(base.clone());
    let exponent = Enclosure::point(RBig::from(n.clone()));
    positive_power(p, &point, &exponent)
}

/// The exact result of a rational power, where there is one.
fn rational_power(p: Precision, base: &RBig, exponent: &RBig) -> Option<Result<Enclosure, Halt>> {
    if base.is_zero() {
        return Some(if exponent.is_positive_nonzero() {
            Ok(Enclosure::integer(0))
        } else {
            Err(Halt::domain("division by zero: a negative power of zero"))
        });
    }
    if base.is_one() {
        return Some(Ok(Enclosure::integer(1)));
    }
    let index = usize::try_from(exponent.denominator()).ok()?;
    let numerator = exact_root(&base.numerator().clone().into_parts().1, index)?;
    let denominator = exact_root(base.denominator(), index)?;
    let root = RBig::from_parts(numerator.into(), denominator);
    Some(whole_power(p, &Enclosure::point(root), exponent.numerator()))
}

/// The root that an exponent asks for, where integers find it faster than
/// logarithms do.
fn small_index(exponent: &RBig) -> Option<usize> {
    let index = usize::try_from(exponent.denominator()).ok()?;
    (index <= MAX_WHOLE_ROOT).then_some(index)
}

/// A root by way of whole numbers, then raised to a whole power.
fn whole_root(p: Precision, x: &Enclosure, index: usize, exponent: &IBig) -> Result<Enclosure, Halt> {
    p.charge(p.digits / 4)?;
    let (lo, _) = root_ends(p, &x.lo, index);
    let (_, hi) = root_ends(p, &x.hi, index);
    let root = p.tidy(lo, hi, x.proven)?;
    whole_power(p, &root, exponent)
}

/// Two decimals, one unit in the last place apart, with the root between.
fn root_ends(p: Precision, x: &RBig, index: usize) -> (RBig, RBig) {
    let places = p.digits as i64 - magnitude(x) / index as i64;
    let power = significand(x, places * index as i64, Rounding::Down);
    let root = IBig::from(power.into_parts().1.nth_root(index));
    let above = &root + IBig::ONE;
    (scaled(root, places), scaled(above, places))
}

fn exact_root(value: &UBig, index: usize) -> Option<UBig> {
    if value.is_one() {
        return Some(UBig::ONE);
    }
    // Every number from 2 doubles at least with each power.
    if index >= value.bit_len() {
        return None;
    }
    let root = value.nth_root(index);
    (root.pow(index) == *value).then_some(root)
}

/// A power of a base that isn't negative, by way of its logarithm.
fn positive_power(p: Precision, x: &Enclosure, y: &Enclosure) -> Result<Enclosure, Halt> {
    if !x.hi.is_positive_nonzero() {
        return if y.lo.is_positive_nonzero() {
            Ok(x.clone())
        } else if y.hi.is_negative_nonzero() {
            Err(Halt::domain("division by zero: a negative power of zero"))
        } else {
            Err(Halt::Unsettled)
        };
    }
    if x.lo.is_positive_nonzero() {
        return exp(p, &p.mul(y, &ln(p, x)?)?);
    }
    if !y.lo.is_positive_nonzero() {
        return Err(Halt::Unsettled);
    }
    let hi = positive_power(p, &Enclosure::point(x.hi.clone()), y)?.hi;
    p.tidy(RBig::ZERO, hi, x.proven && y.proven)
}
