//! Whole numbers in other bases.

use crate::bindings::Failure;
use crate::halt::parse_failure;
use crate::limits::MAX_BASE_CHARACTERS;
use dashu_int::{IBig, UBig};

pub fn convert(value: &str, from: u8, to: u8) -> Result<String, Failure> {
    check_base("from-base", from)?;
    check_base("to-base", to)?;
    if value.len() > MAX_BASE_CHARACTERS {
        return Err(Failure::TooLarge(format!(
            "value has {} characters; at most {MAX_BASE_CHARACTERS} are read",
            value.len()
        )));
    }
    let chars: Vec<char> = value.chars().collect();
    let negative = chars.first() == Some(&'-');
    let signed = negative || chars.first() == Some(&'+');
    let start = usize::from(signed) + prefix_length(&chars[usize::from(signed)..], from);
    let digits = digits(value, &chars, start, from)?;
    let magnitude = UBig::from_str_radix(&digits, u32::from(from))
        .map_err(|error| Failure::InvalidInput(format!("value {value:?}: {error}")))?;
    let number = if negative { -IBig::from(magnitude) } else { magnitude.into() };
    Ok(number.in_radix(to).to_string())
}

fn check_base(name: &str, base: u8) -> Result<(), Failure> {
    if (2..=36).contains(&base) {
        return Ok(());
    }
    Err(Failure::InvalidInput(format!("{name} is {base}; expected 2 to 36")))
}

/// A prefix counts only where it names the base: in base 16, `0b1` is digits.
fn prefix_length(chars: &[char], base: u8) -> usize {
    let named = match chars {
        ['0', 'b' | 'B', _, ..] => 2,
        ['0', 'o' | 'O', _, ..] => 8,
        ['0', 'x' | 'X', _, ..] => 16,
        _ => 0,
    };
    if named == base { 2 } else { 0 }
}

/// The digits without underscores, each of which must stand between two.
fn digits(text: &str, chars: &[char], start: usize, base: u8) -> Result<String, Failure> {
    let is_digit = |at: usize| chars.get(at).is_some_and(|c| c.is_digit(u32::from(base)));
    let expected = expected_digits(base);
    if start == chars.len() {
        let message = "there are no digits";
        return Err(parse_failure(text, start, message, &[&expected]));
    }
    let wrong = (start..chars.len()).find(|&at| {
        let between = chars[at] == '_' && at > start && is_digit(at - 1) && is_digit(at + 1);
        !is_digit(at) && !between
    });
    match wrong {
        Some(at) => {
            let message = format!("{:?} is no digit of base {base}", chars[at]);
            Err(parse_failure(text, at, message, &[&expected]))
        }
        None => Ok(chars[start..].iter().filter(|&&c| c != '_').collect()),
    }
}

fn expected_digits(base: u8) -> String {
    let last = char::from_digit(u32::from(base) - 1, 36).unwrap_or('z');
    match base {
        0..=10 => format!("digits 0 to {last}"),
        11 => "digits 0 to 9 and a".into(),
        _ => format!("digits 0 to 9 and a to {last}"),
    }
}
