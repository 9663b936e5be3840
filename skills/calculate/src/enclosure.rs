//! Numbers that know their own error: two exact fractions with the true value
//! between them. A rational calculation keeps both equal; a function such as
//! `sqrt` moves them apart outward, so a digit on which both agree is right.

use crate::bindings::Rounding;
use crate::halt::Halt;
use crate::limits::{MAX_BITS, MAX_MAGNITUDE, MAX_WORK};
use crate::rounding::{places_for, scaled, significand, ten_to, to_places};
use dashu_base::{Abs, BitTest, Signed};
use dashu_int::IBig;
use dashu_ratio::RBig;
use std::cell::Cell;

/// The decimal places that a snapped value loses, so that the error of the
/// last digits can't survive the snap.
const SNAP_SLACK: usize = 10;

/// A true value between `lo` and `hi`.
#[derive(Clone, Debug)]
pub struct Enclosure {
    pub lo: RBig,
    pub hi: RBig,
    /// False once a value was taken to be a nearby short decimal unproven.
    pub proven: bool,
}

/// How far a calculation goes before it gives up on telling values apart.
#[derive(Clone, Copy, Debug)]
pub struct Precision<'a> {
    /// Significant digits that a rounded end point keeps.
    pub digits: usize,
    /// Values this many places from a short decimal are taken to be it.
    pub snap: usize,
    /// What the functions of this calculation have cost so far.
    pub work: &'a Cell<u64>,
}

impl Enclosure {
    pub fn point(value: RBig) -> Self {
        Self { hi: value.clone(), lo: value, proven: true }
    }

    pub fn integer(value: i64) -> Self {
        Self::point(RBig::from(value))
    }

    /// The value, where just one is left.
    pub fn as_point(&self) -> Option<&RBig> {
        (self.lo == self.hi).then_some(&self.lo)
    }

    /// The value, where it is known beyond doubt.
    pub fn as_exact(&self) -> Option<&RBig> {
        self.as_point().filter(|_| self.proven)
    }

    pub fn contains_zero(&self) -> bool {
        !self.lo.is_positive_nonzero() && !self.hi.is_negative_nonzero()
    }

    pub fn neg(&self) -> Self {
        Self { lo: -&self.hi, hi: -&self.lo, proven: self.proven }
    }

    pub fn abs(&self) -> Self {
        if !self.lo.is_negative_nonzero() {
            return self.clone();
        }
        if !self.hi.is_positive_nonzero() {
            return self.neg();
        }
        let hi = self.hi.clone().max(self.lo.clone().abs());
        Self { lo: RBig::ZERO, hi, proven: self.proven }
    }

    pub fn min(&self, other: &Self) -> Self {
        Self {
            lo: (&self.lo).min(&other.lo).clone(),
            hi: (&self.hi).min(&other.hi).clone(),
            proven: self.proven && other.proven,
        }
    }

    pub fn max(&self, other: &Self) -> Self {
        Self {
            lo: (&self.lo).max(&other.lo).clone(),
            hi: (&self.hi).max(&other.hi).clone(),
            proven: self.proven && other.proven,
        }
    }
}

impl Precision<'_> {
    pub fn add(self, a: &Enclosure, b: &Enclosure) -> Result<Enclosure, Halt> {
        if let (Some(left), Some(right)) = (a.as_point(), b.as_point()) {
            return self.tidy_point(left + right, a.proven && b.proven);
        }
        self.tidy(&a.lo + &b.lo, &a.hi + &b.hi, a.proven && b.proven)
    }

    pub fn sub(self, a: &Enclosure, b: &Enclosure) -> Result<Enclosure, Halt> {
        self.add(a, &b.neg())
    }

    pub fn mul(self, a: &Enclosure, b: &Enclosure) -> Result<Enclosure, Halt> {
        let proven = a.proven && b.proven;
        if let (Some(left), Some(right)) = (a.as_point(), b.as_point()) {
            return self.tidy_point(left * right, proven);
        }
        let products = [&a.lo * &b.lo, &a.lo * &b.hi, &a.hi * &b.lo, &a.hi * &b.hi];
        let (lo, hi) = extremes(products);
        self.tidy(lo, hi, proven)
    }

    pub fn div(self, a: &Enclosure, b: &Enclosure) -> Result<Enclosure, Halt> {
        if b.contains_zero() {
            return Err(if self.is_narrow(b) { Halt::domain("division by zero") } else { Halt::Unsettled });
        }
        let inverse = Enclosure { lo: RBig::ONE / &b.hi, hi: RBig::ONE / &b.lo, proven: b.proven };
        self.mul(a, &inverse)
    }

    /// The remainder that has the sign of the dividend.
    pub fn rem(self, a: &Enclosure, b: &Enclosure) -> Result<Enclosure, Halt> {
        let quotient = self.div(a, b)?;
        let whole = self.step(&quotient, |value| RBig::from(value.trunc()));
        self.sub(a, &self.mul(b, &whole)?)
    }

    /// Applies a non-decreasing step function, such as `floor`. Where the ends
    /// land on different steps and are as good as equal, the value between
    /// them is taken to be the short decimal that it is so near to.
    pub fn step(self, x: &Enclosure, function: impl Fn(&RBig) -> RBig) -> Enclosure {
        let (lo, hi) = (function(&x.lo), function(&x.hi));
        if lo != hi && self.is_narrow(x) {
            let value = function(&self.snap(x));
            return Enclosure { lo: value.clone(), hi: value, proven: false };
        }
        Enclosure { lo, hi, proven: x.proven }
    }

    /// Whether the ends agree to so many places that they count as one value.
    pub fn is_narrow(self, x: &Enclosure) -> bool {
        &x.hi - &x.lo <= scaled(IBig::ONE, self.snap as i64)
    }

    /// The short decimal that a narrow enclosure surrounds.
    pub fn snap(self, x: &Enclosure) -> RBig {
        let places = self.snap.saturating_sub(SNAP_SLACK) as i64;
        to_places(&x.lo, places, Rounding::HalfEven)
    }

    /// Pays for one function at so many digits.
    pub fn charge(self, digits: usize) -> Result<(), Halt> {
        let digits = digits as u64;
        let work = self.work.get().saturating_add(digits.saturating_mul(digits));
        self.work.set(work);
        if work <= MAX_WORK {
            return Ok(());
        }
        Err(Halt::TooLarge("so many functions to so many digits take too long; ask for fewer of either".into()))
    }

    /// Keeps one exact value if it is small enough to go on with.
    pub fn tidy_point(self, value: RBig, proven: bool) -> Result<Enclosure, Halt> {
        if fits(&value) {
            refuse_huge(&value)?;
            return Ok(Enclosure { lo: value.clone(), hi: value, proven });
        }
        self.tidy(value.clone(), value, proven)
    }

    /// Rounds the ends outward to the working digits.
    pub fn tidy(self, lo: RBig, hi: RBig, proven: bool) -> Result<Enclosure, Halt> {
        refuse_huge(&lo)?;
        refuse_huge(&hi)?;
        Ok(Enclosure { lo: self.outward(&lo, Rounding::Floor), hi: self.outward(&hi, Rounding::Ceiling), proven })
    }

    /// `value` rounded one way to the working digits, but to no more places
    /// than the smallest result has, so that nothing grows without end.
    pub fn outward(self, value: &RBig, mode: Rounding) -> RBig {
        let places = places_for(value, self.digits).min(MAX_MAGNITUDE as i64);
        scaled(significand(value, places, mode), places)
    }
}

/// Signs without the zero that `Signed` counts as positive.
pub trait StrictSign {
    fn is_positive_nonzero(&self) -> bool;
    fn is_negative_nonzero(&self) -> bool;
}

impl StrictSign for RBig {
    fn is_positive_nonzero(&self) -> bool {
        !self.is_zero() && self.is_positive()
    }

    fn is_negative_nonzero(&self) -> bool {
        !self.is_zero() && self.is_negative()
    }
}

fn fits(value: &RBig) -> bool {
    value.numerator().bit_len() <= MAX_BITS && value.denominator().bit_len() <= MAX_BITS
}

fn refuse_huge(value: &RBig) -> Result<(), Halt> {
    let bits = value.numerator().bit_len();
    // Most values are far below the limit, which their length alone shows.
    if bits < MAX_BITS - 10 {
        return Ok(());
    }
    let limit = IBig::from(ten_to(MAX_MAGNITUDE) * value.denominator());
    if *value.numerator() < limit && -value.numerator() < limit {
        return Ok(());
    }
    Err(too_large())
}

/// The refusal of a result beyond the greatest magnitude.
pub fn too_large() -> Halt {
    Halt::TooLarge(format!("a result has more than {MAX_MAGNITUDE} digits before the point"))
}

fn extremes(products: [RBig; 4]) -> (RBig, RBig) {
    let [first, rest @ ..] = products;
    rest.into_iter().fold((first.clone(), first), |(lo, hi), product| {
        if product < lo {
            (product, hi)
        } else if product > hi {
            (lo, product)
        } else {
            (lo, hi)
        }
    })
}
