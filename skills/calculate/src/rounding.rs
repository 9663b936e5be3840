//! Rounding of exact fractions to decimal places or significant digits.

use crate::bindings::Rounding;
use dashu_base::{BitTest, DivRem, Sign, Signed, UnsignedAbs};
use dashu_int::{IBig, UBig};
use dashu_ratio::RBig;
use std::cmp::Ordering;

/// Ten to a power.
pub fn ten_to(exponent: usize) -> UBig {
    UBig::from(10u8).pow(exponent)
}

/// `significand` times ten to `-places`.
pub fn scaled(significand: IBig, places: i64) -> RBig {
    let shift = ten_to(places.unsigned_abs() as usize);
    if places >= 0 { RBig::from_parts(significand, shift) } else { RBig::from(significand * IBig::from(shift)) }
}

/// The whole number nearest to `value` times ten to `places`, as `mode` says.
pub fn significand(value: &RBig, places: i64, mode: Rounding) -> IBig {
    let shift = ten_to(places.unsigned_abs() as usize);
    let (sign, mut numerator) = value.numerator().clone().into_parts();
    let mut denominator = value.denominator().clone();
    if places >= 0 {
        numerator *= shift;
    } else {
        denominator *= shift;
    }
    let (quotient, remainder) = numerator.div_rem(&denominator);
    let away = !remainder.is_zero() && rounds_away(mode, sign, &quotient, remainder, &denominator);
    let magnitude = if away { quotient + UBig::ONE } else { quotient };
    IBig::from_parts(sign, magnitude)
}

fn rounds_away(mode: Rounding, sign: Sign, quotient: &UBig, remainder: UBig, denominator: &UBig) -> bool {
    let tie = (remainder << 1).cmp(denominator);
    match mode {
        Rounding::Up => true,
        Rounding::Down => false,
        Rounding::Ceiling => sign == Sign::Positive,
        Rounding::Floor => sign == Sign::Negative,
        Rounding::HalfUp => tie != Ordering::Less,
        Rounding::HalfDown => tie == Ordering::Greater,
        Rounding::HalfEven => match tie {
            Ordering::Greater => true,
            Ordering::Less => false,
            Ordering::Equal => quotient.bit(0),
        },
    }
}

/// `value` rounded to `places` digits after the decimal point.
pub fn to_places(value: &RBig, places: i64, mode: Rounding) -> RBig {
    scaled(significand(value, places, mode), places)
}

/// The exponent of the leading digit: 0 for 1 to 9.99, -1 for 0.1. Zero for zero.
pub fn magnitude(value: &RBig) -> i64 {
    if value.is_zero() {
        return 0;
    }
    let numerator = value.numerator().clone().unsigned_abs();
    let denominator = value.denominator();
    let bits = numerator.bit_len() as f64 - denominator.bit_len() as f64;
    // The estimate is off by one at most, which the comparison below mends.
    let mut exponent = (bits * std::f64::consts::LOG10_2).floor() as i64 + 1;
    while !reaches(&numerator, denominator, exponent) {
        exponent -= 1;
    }
    exponent
}

fn reaches(numerator: &UBig, denominator: &UBig, exponent: i64) -> bool {
    let shift = ten_to(exponent.unsigned_abs() as usize);
    if exponent >= 0 { *numerator >= denominator * shift } else { numerator * shift >= *denominator }
}

/// The decimal places that leave `digits` significant digits of `value`.
pub fn places_for(value: &RBig, digits: usize) -> i64 {
    digits as i64 - 1 - magnitude(value)
}

/// `value` rounded to `digits` significant digits.
pub fn to_digits(value: &RBig, digits: usize, mode: Rounding) -> RBig {
    to_places(value, places_for(value, digits), mode)
}

/// How many decimal places `value` needs, if it ends at all.
pub fn terminating_places(value: &RBig) -> Option<usize> {
    let denominator = value.denominator();
    let twos = denominator.trailing_zeros().unwrap_or(0);
    let mut rest = denominator >> twos;
    let mut fives = 0;
    let five = UBig::from(5u8);
    while !rest.is_one() {
        let (quotient, remainder) = rest.div_rem(&five);
        if !remainder.is_zero() {
            return None;
        }
        rest = quotient;
        fives += 1;
    }
    Some(twos.max(fives))
}

/// `value` as plain decimal digits with exactly `places` after the point. The
/// digits beyond must be zero.
pub fn plain(value: &RBig, places: usize) -> String {
    let significand = significand(value, places as i64, Rounding::Down);
    let negative = significand.is_negative() && !significand.is_zero();
    let digits = format!("{:0>width$}", significand.unsigned_abs().to_string(), width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    let sign = if negative { "-" } else { "" };
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}
