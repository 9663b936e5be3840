//! Numbers: exact decimals up to 28 digits, doubles beyond.

use crate::limits::MAX_QUOTIENT_DIGITS;
use rust_decimal::Decimal;
use std::cmp::Ordering;
use std::rc::Rc;

/// A number and, where it matters, how it was written.
#[derive(Debug, Clone)]
pub struct Number {
    pub value: Value,
    /// What was read, when it is not what `value` writes.
    written: Option<Rc<str>>,
}

#[derive(Debug, Clone, Copy)]
pub enum Value {
    Exact(Decimal),
    /// More than 28 digits, or the result of a calculation that is not exact.
    Double(f64),
}

/// The four calculations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// Why there is no result.
#[derive(Debug, Clone, Copy)]
pub enum NoResult {
    DivisionByZero,
    Overflow,
}

impl Number {
    /// Reads a number that is written as in JSON, and nothing else: no leading
    /// zeros, no `+`, no spaces.
    pub fn parse(text: &str) -> Option<Self> {
        let value = parse_value(text)?;
        let same = value.to_text() == text;
        let written = (!same).then(|| text.into());
        Some(Self { value, written })
    }

    /// The number as text, as it was written if it was read.
    pub fn text(&self) -> String {
        match &self.written {
            Some(text) => text.to_string(),
            None => self.value.to_text(),
        }
    }

    /// Whether it is written without a fraction and an exponent.
    pub fn is_integer(&self) -> bool {
        match (&self.written, self.value) {
            (Some(text), _) => text.bytes().all(|b| b.is_ascii_digit() || b == b'-'),
            (None, Value::Exact(decimal)) => decimal.scale() == 0,
            (None, Value::Double(_)) => false,
        }
    }

    /// Whether it was read, so that its text says more than its double.
    pub fn is_written(&self) -> bool {
        self.written.is_some()
    }
}

impl From<Decimal> for Number {
    fn from(value: Decimal) -> Self {
        Self { value: Value::Exact(value), written: None }
    }
}

impl From<Value> for Number {
    fn from(value: Value) -> Self {
        Self { value, written: None }
    }
}

impl Value {
    pub const ZERO: Self = Self::Exact(Decimal::ZERO);

    pub fn as_f64(self) -> f64 {
        match self {
            // Through the text, because it rounds to the nearest double.
            Self::Exact(decimal) => decimal.to_string().parse().unwrap_or(f64::NAN),
            Self::Double(double) => double,
        }
    }

    /// Calculates, exactly where the result has at most 28 digits.
    pub fn calculate(self, operation: Operation, right: Self) -> Result<Self, NoResult> {
        if let (Self::Exact(a), Self::Exact(b)) = (self, right) {
            if operation == Operation::Divide && b.is_zero() {
                return Err(NoResult::DivisionByZero);
            }
            if let Some(decimal) = exactly(a, operation, b) {
                return Ok(Self::Exact(decimal));
            }
            if operation == Operation::Divide
                && let Some(double) = rounded_quotient(a, b)
            {
                return Ok(Self::Double(double));
            }
        }
        doubly(self.as_f64(), operation, right.as_f64())
    }

    fn to_text(self) -> String {
        match self {
            Self::Exact(decimal) => decimal.to_string(),
            // Debug writes large and small doubles with an exponent, as JSON may.
            Self::Double(double) => format!("{double:?}"),
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Value {}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Value {
    /// By double first, so that decimals and doubles have one order without
    /// contradictions; what the double does not tell apart, the decimal does.
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Exact(a), Self::Exact(b)) => a.cmp(b),
            (Self::Double(a), Self::Double(b)) => compare(*a, *b),
            (Self::Exact(_), Self::Double(b)) => compare(self.as_f64(), *b).then(Ordering::Less),
            (Self::Double(a), Self::Exact(_)) => compare(*a, other.as_f64()).then(Ordering::Greater),
        }
    }
}

/// No number here is NaN; zeros are equal whatever their sign.
fn compare(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or(Ordering::Equal)
}

fn parse_value(text: &str) -> Option<Value> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    if !is_mantissa(mantissa) || !exponent.is_none_or(is_exponent) {
        return None;
    }
    let exact = Decimal::from_str_exact(mantissa).ok();
    let exact = exact.and_then(|decimal| scaled(decimal, exponent.unwrap_or("0").parse().ok()?));
    match exact {
        Some(decimal) => Some(Value::Exact(decimal)),
        None => text.parse().ok().map(Value::Double),
    }
}

fn is_mantissa(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(w, f)| (w, Some(f)));
    let canonical = whole == "0" || !whole.starts_with('0');
    canonical && is_digits(whole) && fraction.is_none_or(is_digits)
}

fn is_exponent(text: &str) -> bool {
    is_digits(text.strip_prefix(['+', '-']).unwrap_or(text))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// The decimal times ten to the power of `exponent`, if that is exact.
fn scaled(decimal: Decimal, exponent: i32) -> Option<Decimal> {
    let scale = i64::from(decimal.scale()) - i64::from(exponent);
    let mut scaled = decimal;
    match u32::try_from(scale) {
        Ok(scale) => scaled.set_scale(scale).ok()?,
        Err(_) => {
            // Ten to the 29th is more than a decimal holds.
            let zeros = u32::try_from(-scale).ok().filter(|zeros| *zeros <= Decimal::MAX_SCALE)?;
            scaled.set_scale(0).ok()?;
            scaled = scaled.checked_mul(Decimal::from_i128_with_scale(10i128.pow(zeros), 0))?;
        }
    }
    Some(scaled)
}

/// The result, if rust_decimal does not round it.
fn exactly(a: Decimal, operation: Operation, b: Decimal) -> Option<Decimal> {
    match operation {
        Operation::Add => sum(a, b),
        Operation::Subtract => sum(a, -b),
        Operation::Multiply => {
            let product = a.checked_mul(b)?;
            let exact = product.is_zero() || product.scale() == a.scale() + b.scale();
            exact.then_some(product)
        }
        Operation::Divide => {
            let quotient = a.checked_div(b)?.normalize();
            let digits = quotient.mantissa().unsigned_abs().to_string().len();
            let exact = digits <= MAX_QUOTIENT_DIGITS && exactly(quotient, Operation::Multiply, b) == Some(a);
            exact.then_some(quotient)
        }
    }
}

/// The double nearest to a quotient that does not end, through the decimal: a
/// division of doubles would round its operands first. None where the decimal
/// has too few digits left to tell.
fn rounded_quotient(a: Decimal, b: Decimal) -> Option<f64> {
    let quotient = a.checked_div(b)?;
    let digits = quotient.mantissa().unsigned_abs().to_string().len();
    (digits > MAX_QUOTIENT_DIGITS).then(|| Value::Exact(quotient).as_f64())
}

/// A sum that had to be rounded has a smaller scale than its terms.
fn sum(a: Decimal, b: Decimal) -> Option<Decimal> {
    if a.is_zero() {
        return Some(b);
    }
    if b.is_zero() {
        return Some(a);
    }
    let sum = a.checked_add(b)?;
    (sum.is_zero() || sum.scale() == a.scale().max(b.scale())).then_some(sum)
}

fn doubly(a: f64, operation: Operation, b: f64) -> Result<Value, NoResult> {
    let result = match operation {
        Operation::Add => a + b,
        Operation::Subtract => a - b,
        Operation::Multiply => a * b,
        Operation::Divide if b == 0.0 => return Err(NoResult::DivisionByZero),
        Operation::Divide => a / b,
    };
    if result.is_finite() { Ok(Value::Double(result)) } else { Err(NoResult::Overflow) }
}
