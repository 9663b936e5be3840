//! When two JSON numbers are the same number, whatever their text.

/// A number as its digits and a power of ten, so that `1.0`, `1` and `10e-1`
/// are equal and no digit is lost.
#[derive(Debug, PartialEq, Eq, Hash)]
pub enum Decimal {
    Zero,
    Nonzero {
        negative: bool,
        /// Without zeros at either end.
        digits: String,
        exponent: i64,
    },
    /// The exponent is beyond 64 bits: equal only to the same text.
    Verbatim(String),
}

/// Reads a number that is valid by the JSON grammar.
pub fn decimal(text: &str) -> Decimal {
    let (negative, magnitude) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = magnitude.split_once(['e', 'E']).unwrap_or((magnitude, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let joined = format!("{whole}{fraction}");
    let digits = joined.trim_matches('0');
    if digits.is_empty() {
        return Decimal::Zero;
    }
    let trailing = joined.len() - joined.trim_end_matches('0').len();
    match scaled(exponent, fraction.len(), trailing) {
        Some(exponent) => Decimal::Nonzero { negative, digits: digits.to_owned(), exponent },
        None => Decimal::Verbatim(text.to_owned()),
    }
}

fn scaled(exponent: &str, fraction_digits: usize, trailing_zeros: usize) -> Option<i64> {
    let exponent: i64 = exponent.strip_prefix('+').unwrap_or(exponent).parse().ok()?;
    let fraction_digits = i64::try_from(fraction_digits).ok()?;
    let trailing_zeros = i64::try_from(trailing_zeros).ok()?;
    exponent.checked_sub(fraction_digits)?.checked_add(trailing_zeros)
}
