//! Between the interface's cells and ours.

use crate::cell::{Cell, Kind};
use crate::failure::{invalid_request, quoted};
use crate::number::{Number, Value};
use crate::wit::{self, Failure};

/// A cell for the answer, in the narrowest case that changes nothing about it.
pub fn to_wit(cell: &Cell) -> wit::Cell {
    match cell {
        Cell::Null => wit::Cell::Null,
        Cell::Bool(b) => wit::Cell::Boolean(*b),
        Cell::Number(number) => number_to_wit(number),
        Cell::Text(text) => wit::Cell::Text(text.to_string()),
        Cell::Json(text) => wit::Cell::Json(text.to_string()),
    }
}

/// A constant of the request.
pub fn from_wit(cell: &wit::Cell) -> Result<Cell, Failure> {
    let number = |text: &str| Number::parse(text).map(Cell::Number);
    Ok(match cell {
        wit::Cell::Null => Cell::Null,
        wit::Cell::Boolean(b) => Cell::Bool(*b),
        wit::Cell::Integer(i) => Cell::Number(Number::from(rust_decimal::Decimal::from(*i))),
        // Through the shortest text, so that 0.1 is the decimal 0.1.
        wit::Cell::Number(f) => number(&format!("{f:?}"))
            .ok_or_else(|| invalid_request(format!("{f} is not a number that a table can hold")))?,
        wit::Cell::Decimal(text) => number(text)
            .ok_or_else(|| invalid_request(format!("decimal {:?} is not a number such as -12.50", quoted(text))))?,
        wit::Cell::Text(text) => Cell::Text(text.as_str().into()),
        wit::Cell::Json(text) => Cell::Json(text.as_str().into()),
    })
}

pub fn kind(kind: Kind) -> wit::Kind {
    match kind {
        Kind::Null => wit::Kind::Null,
        Kind::Bool => wit::Kind::Boolean,
        Kind::Integer => wit::Kind::Integer,
        Kind::Number => wit::Kind::Number,
        Kind::Text => wit::Kind::Text,
        Kind::Json => wit::Kind::Json,
        Kind::Mixed => wit::Kind::Mixed,
    }
}

fn number_to_wit(number: &Number) -> wit::Cell {
    let text = number.text();
    if let (true, Ok(integer)) = (number.is_integer(), text.parse()) {
        return wit::Cell::Integer(integer);
    }
    match number.value {
        Value::Exact(decimal) => {
            let double = number.value.as_f64();
            let back = Number::parse(&format!("{double:?}")).map(|number| number.value);
            match back == Some(Value::Exact(decimal)) {
                true => wit::Cell::Number(double),
                false => wit::Cell::Decimal(text),
            }
        }
        // A double that was calculated is all there is; one that was read stands
        // for a text with more digits.
        Value::Double(double) if !number.is_written() => wit::Cell::Number(double),
        Value::Double(_) => wit::Cell::Decimal(text),
    }
}
