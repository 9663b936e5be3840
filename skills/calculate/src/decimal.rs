//! Decimal strings in and out.

use crate::bindings::{Decimal, Failure, Rounding};
use crate::enclosure::{Enclosure, Precision};
use crate::halt::{Halt, parse_failure};
use crate::limits::{
    DEFAULT_DIGITS, GUARD_DIGITS, MAX_FRACTION_DIGITS, MAX_LIST_CHARACTERS, MAX_LITERAL_DIGITS, MAX_LITERAL_EXPONENT,
    MAX_MAGNITUDE, MAX_WORKING_DIGITS, SNAP_DIGITS,
};
use crate::rounding::{places_for, plain, scaled, terminating_places, to_digits, to_places};
use dashu_int::IBig;
use dashu_ratio::RBig;
use std::cell::Cell;

/// Digits beyond those wanted at which near values count as equal.
const SNAP_MARGIN: usize = 100;

/// How a result is written.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// Digits after the point; `None` shows what is exact whole.
    pub scale: Option<u32>,
    pub rounding: Rounding,
}

impl Format {
    /// Checks what the caller asked for.
    pub fn new(scale: Option<u32>, rounding: Option<Rounding>, limit: u32) -> Result<Self, Failure> {
        match scale {
            Some(scale) if scale > limit => {
                Err(Failure::InvalidInput(format!("scale is {scale}; expected 0 to {limit}")))
            }
            _ => Ok(Self { scale, rounding: rounding.unwrap_or(Rounding::HalfUp) }),
        }
    }

    /// Works a value out with ever more digits until those wanted are certain.
    pub fn settle(self, calculation: impl Fn(Precision) -> Result<Enclosure, Halt>) -> Result<Decimal, Failure> {
        let work = Cell::new(0);
        let mut p = self.first_precision(&work);
        while p.digits <= MAX_WORKING_DIGITS {
            match calculation(p) {
                Ok(value) => {
                    if let Some(decimal) = self.render(p, &value) {
                        return Ok(decimal);
                    }
                }
                Err(Halt::Unsettled) => {}
                Err(halt) => return Err(halt.into_failure()),
            }
            p.digits *= 2;
        }
        Err(Halt::Unsettled.into_failure())
    }

    /// Writes a value that is known exactly.
    pub fn exact(self, value: &RBig) -> Decimal {
        let rounded = self.round(value);
        let exact = rounded == *value;
        Decimal {
            value: plain(&rounded, self.places_of(&rounded)),
            exact,
            fraction: if exact { None } else { short_fraction(value) },
        }
    }

    fn first_precision(self, work: &Cell<u64>) -> Precision<'_> {
        let wanted = self.scale.map_or(DEFAULT_DIGITS, |scale| scale as usize);
        Precision {
            digits: wanted.max(DEFAULT_DIGITS) + GUARD_DIGITS,
            snap: SNAP_DIGITS.max(wanted + SNAP_MARGIN),
            work,
        }
    }

    fn render(self, p: Precision, value: &Enclosure) -> Option<Decimal> {
        if let Some(value) = value.as_exact() {
            return Some(self.exact(value));
        }
        let (lo, hi) = (self.round_inexact(&value.lo), self.round_inexact(&value.hi));
        let rounded = if lo == hi {
            lo
        } else if p.is_narrow(value) {
            self.round_inexact(&p.snap(value))
        } else {
            return None;
        };
        Some(Decimal { value: plain(&rounded, self.places_of(&rounded)), exact: false, fraction: None })
    }

    fn round(self, value: &RBig) -> RBig {
        let whole = terminating_places(value).is_some_and(|places| places <= MAX_MAGNITUDE);
        if self.scale.is_none() && whole {
            return value.clone();
        }
        self.round_inexact(value)
    }

    fn round_inexact(self, value: &RBig) -> RBig {
        match self.scale {
            Some(scale) => to_places(value, i64::from(scale), self.rounding),
            None if places_for(value, DEFAULT_DIGITS) > MAX_MAGNITUDE as i64 => {
                to_places(value, MAX_MAGNITUDE as i64, self.rounding)
            }
            None => to_digits(value, DEFAULT_DIGITS, self.rounding),
        }
    }

    fn places_of(self, rounded: &RBig) -> usize {
        match self.scale {
            Some(scale) => scale as usize,
            None => terminating_places(rounded).unwrap_or(0),
        }
    }
}

/// Reads a whole string as one decimal number; `what` names it in errors.
pub fn parse(text: &str, what: &str) -> Result<RBig, Failure> {
    const EXPECTED: &[&str] = &["a decimal number such as -12.5 or 6.02e23"];
    // A number within the limits is never longer, so no more is looked at.
    if text.len() > MAX_LITERAL_DIGITS + 100 {
        return Err(Failure::TooLarge(format!(
            "{what} has {} characters; at most {MAX_LITERAL_DIGITS} digits are read",
            text.len()
        )));
    }
    let chars: Vec<char> = text.trim().chars().collect();
    let negative = chars.first() == Some(&'-');
    let start = usize::from(negative || chars.first() == Some(&'+'));
    let refuse = |position| {
        let message = format!("{what} is not a decimal number");
        parse_failure(text.trim(), position, message, EXPECTED)
    };
    let Some((value, end)) = scan(&chars, start)? else {
        return Err(refuse(start));
    };
    if end != chars.len() {
        return Err(refuse(end));
    }
    Ok(if negative { -value } else { value })
}

/// Reads a list of numbers; `what` names the list in errors.
pub fn parse_list(texts: &[String], what: &str) -> Result<Vec<RBig>, Failure> {
    let characters: usize = texts.iter().map(String::len).sum();
    if characters > MAX_LIST_CHARACTERS {
        return Err(Failure::TooLarge(format!(
            "{what} has {characters} characters; at most {MAX_LIST_CHARACTERS} are read"
        )));
    }
    texts.iter().enumerate().map(|(index, text)| parse(text, &format!("{what}[{index}]"))).collect()
}

/// Reads an unsigned number at `start`: its value and where it ends, or
/// nothing where none begins.
pub fn scan(chars: &[char], start: usize) -> Result<Option<(RBig, usize)>, Failure> {
    let whole_end = skip_digits(chars, start);
    let has_point = chars.get(whole_end) == Some(&'.');
    let fraction_start = whole_end + usize::from(has_point);
    let fraction_end = skip_digits(chars, fraction_start);
    let digits: String = chars[start..fraction_end].iter().filter(|&&c| c != '.').collect();
    if digits.is_empty() {
        return Ok(None);
    }
    if digits.len() > MAX_LITERAL_DIGITS {
        return Err(Failure::TooLarge(format!(
            "a number has {} digits; at most {MAX_LITERAL_DIGITS} are read",
            digits.len()
        )));
    }
    let (exponent, end) = scan_exponent(chars, fraction_end)?;
    let Ok(significand) = IBig::from_str_radix(&digits, 10) else {
        return Ok(None);
    };
    let places = (fraction_end - fraction_start) as i64 - exponent;
    Ok(Some((scaled(significand, places), end)))
}

fn skip_digits(chars: &[char], start: usize) -> usize {
    let rest = chars.get(start..).unwrap_or_default();
    start + rest.iter().take_while(|c| c.is_ascii_digit()).count()
}

/// An `e` that no digits follow isn't an exponent: it may be the constant.
fn scan_exponent(chars: &[char], start: usize) -> Result<(i64, usize), Failure> {
    if !matches!(chars.get(start), Some('e' | 'E')) {
        return Ok((0, start));
    }
    let signed = matches!(chars.get(start + 1), Some('+' | '-'));
    let digits_start = start + 1 + usize::from(signed);
    let end = skip_digits(chars, digits_start);
    if end == digits_start {
        return Ok((0, start));
    }
    let text: String = chars[digits_start..end].iter().collect();
    let exponent = text.parse::<i64>().ok().filter(|&exponent| exponent <= MAX_LITERAL_EXPONENT).ok_or_else(|| {
        Failure::TooLarge(format!("the exponent {text} of a number is beyond {MAX_LITERAL_EXPONENT}"))
    })?;
    let negative = chars.get(start + 1) == Some(&'-');
    Ok((if negative { -exponent } else { exponent }, end))
}

fn short_fraction(value: &RBig) -> Option<String> {
    let numerator = value.numerator().to_string();
    let denominator = value.denominator().to_string();
    let short = |digits: &str| digits.trim_start_matches('-').len() <= MAX_FRACTION_DIGITS;
    (short(&numerator) && short(&denominator)).then(|| format!("{numerator}/{denominator}"))
}
