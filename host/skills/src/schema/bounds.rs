//! The numeric keywords of two schemas, compared.

use std::cmp::Ordering;

use serde_json::{Map, Number, Value};

use super::NarrowError;
use super::narrow::Place;

/// A keyword that bounds from below, and the one that bounds the same from above.
const PAIRS: [(&str, &str); 4] =
    [("minimum", "maximum"), ("minLength", "maxLength"), ("minItems", "maxItems"), ("minProperties", "maxProperties")];

/// Whether the author's bounds lie within the type's.
pub(super) fn check(derived: &Value, node: &Map<String, Value>, place: &Place) -> Result<(), NarrowError> {
    for (low, high) in PAIRS {
        let (least, most) = (number(derived.get(low)), number(derived.get(high)));
        within(low, node, (least, most), place, Ordering::Less)?;
        within(high, node, (least, most), place, Ordering::Greater)?;
    }
    check_exclusive(derived, node, place)?;
    match (derived.get("uniqueItems"), node.get("uniqueItems")) {
        (Some(Value::Bool(true)), Some(Value::Bool(false))) => {
            Err(place.at("uniqueItems").error("the type has each value once, expected `true` or nothing"))
        }
        _ => Ok(()),
    }
}

/// One bound of the author's must lie between both of the type's: outside on its
/// own side (`wider`) it widens, outside on the other side it leaves no value.
fn within(
    keyword: &str,
    node: &Map<String, Value>,
    (least, most): (Option<&Number>, Option<&Number>),
    place: &Place,
    wider: Ordering,
) -> Result<(), NarrowError> {
    let Some(bound) = number(node.get(keyword)) else { return Ok(()) };
    let (side, limit) = match () {
        () if least.is_some_and(|least| compare(bound, least) == Ordering::Less) => (Ordering::Less, least),
        () if most.is_some_and(|most| compare(bound, most) == Ordering::Greater) => (Ordering::Greater, most),
        () => return Ok(()),
    };
    let limit = limit.map_or_else(String::new, ToString::to_string);
    let problem = if side == wider {
        format!("{bound} is wider than the type, expected {} {limit}", at_least_or_most(side))
    } else {
        format!("{bound} leaves no value, expected {} {limit}", at_least_or_most(side))
    };
    Err(place.at(keyword).error(&problem))
}

const fn at_least_or_most(side: Ordering) -> &'static str {
    match side {
        Ordering::Less => "at least",
        Ordering::Equal | Ordering::Greater => "at most",
    }
}

/// Only integers have bounds here, of which `> 4` and `>= 5` are the same; so an
/// exclusive bound may lie one outside.
fn check_exclusive(derived: &Value, node: &Map<String, Value>, place: &Place) -> Result<(), NarrowError> {
    let integer = |value: Option<&Value>| number(value).and_then(Number::as_i128);
    let sides = [("exclusiveMinimum", "minimum", -1_i128), ("exclusiveMaximum", "maximum", 1)];
    for (exclusive, inclusive, step) in sides {
        let (Some(limit), Some(bound)) = (integer(derived.get(inclusive)), number(node.get(exclusive))) else {
            continue;
        };
        let limit = limit + step;
        let order = compare_with(bound, limit);
        if order == step.cmp(&0) {
            let problem = format!("{bound} is wider than the type, expected {} {limit}", at_least_or_most(order));
            return Err(place.at(exclusive).error(&problem));
        }
    }
    Ok(())
}

fn number(value: Option<&Value>) -> Option<&Number> {
    value.and_then(Value::as_number)
}

/// Exact for integers; the type's bounds are integers, so that a fraction beside one is told apart as well.
fn compare(a: &Number, b: &Number) -> Ordering {
    match b.as_i128() {
        Some(b) => compare_with(a, b),
        None => a.as_f64().unwrap_or(f64::NAN).total_cmp(&b.as_f64().unwrap_or(f64::NAN)),
    }
}

fn compare_with(a: &Number, b: i128) -> Ordering {
    match a.as_i128() {
        Some(a) => a.cmp(&b),
        #[expect(clippy::cast_precision_loss, reason = "`a` is a float, so that nothing finer is asked for")]
        None => a.as_f64().unwrap_or(f64::NAN).total_cmp(&(b as f64)),
    }
}
