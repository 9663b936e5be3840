//! Compound units: "kg*m/s^2", "miles per hour", "m3".

use super::dimension::Dimension;
use super::lookup::{self, Factor, Found};
use crate::bindings::Failure;
use crate::halt::parse_failure;
use crate::limits::{MAX_UNIT_CHARACTERS, MAX_UNIT_EXPONENT, MAX_UNIT_FACTORS};
use dashu_ratio::RBig;

/// What a unit or a product of units amounts to.
#[derive(Clone, Debug)]
pub struct Quantity {
    pub factor: Factor,
    pub dimension: Dimension,
    /// Set for a temperature scale that stands alone.
    pub offset: Option<RBig>,
}

/// A piece of text between operators.
struct Piece {
    text: String,
    /// The character at which it begins.
    position: usize,
    divides: bool,
}

pub fn read(text: &str) -> Result<Quantity, Failure> {
    let length = text.chars().count();
    if length > MAX_UNIT_CHARACTERS {
        return Err(Failure::TooLarge(format!(
            "the unit has {length} characters; at most {MAX_UNIT_CHARACTERS} are read"
        )));
    }
    if let Some(found) = lookup::find(text.trim()) {
        return Ok(alone(found));
    }
    if let Some(position) = text.chars().position(|c| matches!(c, '(' | ')')) {
        let message = "units are read without parentheses";
        return Err(parse_failure(text, position, message, &["a unit", "*", "/", "^"]));
    }
    let pieces = split(text);
    if pieces.len() > MAX_UNIT_FACTORS {
        return Err(Failure::TooLarge(format!(
            "the unit has {} factors; at most {MAX_UNIT_FACTORS} are read",
            pieces.len()
        )));
    }
    let mut total = one();
    for piece in &pieces {
        let (found, exponent) = factor_of(text, piece)?;
        let sign = if piece.divides { -1 } else { 1 };
        if let Some(found) = found {
            total = total.times(found, sign * exponent);
        }
    }
    Ok(total)
}

fn alone(found: Found) -> Quantity {
    let quantity = one().times(found, 1);
    let offset = found.entry.offset.and_then(lookup::factor);
    Quantity { offset: offset.filter(|_| found.prefix.is_none()).map(|offset| offset.ratio), ..quantity }
}

fn one() -> Quantity {
    Quantity { factor: Factor { ratio: RBig::ONE, pi: 0 }, dimension: Dimension::DIMENSIONLESS, offset: None }
}

impl Quantity {
    fn times(self, found: Found, exponent: i32) -> Self {
        let exponent = exponent * found.exponent;
        let unit = lookup::factor(found.entry.factor).unwrap_or(one().factor);
        let mut ratio = unit.ratio;
        if let Some(prefix) = found.prefix {
            ratio *= prefix.scale.factor();
        }
        Self {
            factor: Factor {
                ratio: self.factor.ratio * ratio.pow(exponent as isize),
                pi: self.factor.pi + unit.pi * exponent,
            },
            dimension: self.dimension.times(found.entry.dimension, exponent),
            offset: None,
        }
    }
}

/// Cuts at operators and at the word "per".
fn split(text: &str) -> Vec<Piece> {
    let chars: Vec<char> = text.chars().collect();
    let mut pieces = vec![Piece { text: String::new(), position: 0, divides: false }];
    let mut position = 0;
    while let Some(&c) = chars.get(position) {
        let per = starts_per(&chars, position);
        if per || matches!(c, '*' | '·' | '⋅' | '×' | '/') {
            position += if per { 4 } else { 1 };
            pieces.push(Piece { text: String::new(), position, divides: per || c == '/' });
        } else {
            if let Some(piece) = pieces.last_mut() {
                piece.text.push(c);
            }
            position += 1;
        }
    }
    pieces
}

fn starts_per(chars: &[char], position: usize) -> bool {
    let is_space = |at: usize| chars.get(at).is_some_and(|c| c.is_whitespace());
    let word: String = chars.iter().skip(position + 1).take(3).collect();
    is_space(position) && word.eq_ignore_ascii_case("per") && is_space(position + 4)
}

/// The unit of a piece and its exponent; no unit for a plain 1, as in "1/s".
fn factor_of(text: &str, piece: &Piece) -> Result<(Option<Found>, i32), Failure> {
    let word = piece.text.trim();
    let indent = piece.text.chars().take_while(|c| c.is_whitespace()).count();
    let position = piece.position + indent;
    if word.is_empty() {
        return Err(parse_failure(text, position, "a unit is missing", &["a unit"]));
    }
    if word == "1" {
        return Ok((None, 1));
    }
    if let Some(found) = lookup::find(word) {
        return Ok((Some(found), 1));
    }
    let (unit, exponent) = split_exponent(word);
    let Some(found) = lookup::find(unit.trim()) else {
        return Err(Failure::UnknownUnit(lookup::unknown(unit.trim())));
    };
    let exponent = match exponent {
        None => Some(1),
        Some(exponent) => read_exponent(exponent),
    };
    exponent.map(|exponent| (Some(found), exponent)).ok_or_else(|| bad_exponent(text, position + unit.chars().count()))
}

/// Cuts "m^2", "m2", "s-1" and "m²" before the exponent.
fn split_exponent(word: &str) -> (&str, Option<&str>) {
    if let Some((unit, exponent)) = word.split_once('^') {
        return (unit, Some(exponent));
    }
    let in_exponent = |c: char| c.is_ascii_digit() || "-+⁻²³¹⁰⁴⁵⁶⁷⁸⁹".contains(c);
    let unit = word.trim_end_matches(in_exponent);
    if unit.len() == word.len() { (word, None) } else { (unit, Some(&word[unit.len()..])) }
}

fn read_exponent(text: &str) -> Option<i32> {
    let plain: String = text
        .trim()
        .chars()
        .map(|c| match "⁰¹²³⁴⁵⁶⁷⁸⁹".chars().position(|digit| digit == c) {
            Some(digit) => char::from(b'0' + digit as u8),
            None if c == '⁻' || c == '−' => '-',
            None => c,
        })
        .collect();
    let exponent: i32 = plain.parse().ok()?;
    let in_range = exponent != 0 && exponent.abs() <= MAX_UNIT_EXPONENT;
    in_range.then_some(exponent)
}

fn bad_exponent(text: &str, position: usize) -> Failure {
    let expected = format!("a whole exponent from -{MAX_UNIT_EXPONENT} to {MAX_UNIT_EXPONENT} other than 0");
    parse_failure(text, position, "the exponent of a unit can't be read", &[&expected])
}
