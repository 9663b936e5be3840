//! Lists of numbers in the parts of a rule.

use crate::bindings::Failure;
use crate::failure::parse;
use crate::limits::MAX_LIST;
use std::ops::RangeInclusive;

/// Reads "1,-1,15" with values of the size that a part allows.
pub fn signed(rule: &str, part: &str, text: &str, size: RangeInclusive<i16>) -> Result<Vec<i16>, Failure> {
    list(
        rule,
        part,
        text,
        |number| size.contains(&number.abs()),
        || {
            format!(
                "numbers from {} to {}, or from -{} to -{}, divided by commas",
                size.start(),
                size.end(),
                size.end(),
                size.start()
            )
        },
    )
}

/// Reads "1,2,15" without negative values.
pub fn unsigned(rule: &str, part: &str, text: &str, range: RangeInclusive<i16>) -> Result<Vec<i16>, Failure> {
    list(
        rule,
        part,
        text,
        |number| range.contains(&number),
        || format!("numbers from {} to {}, divided by commas", range.start(), range.end()),
    )
}

/// Reads one whole number from 1.
pub fn positive(rule: &str, part: &str, text: &str, most: u32) -> Result<u32, Failure> {
    let number = plain(text).and_then(|digits| digits.parse().ok());
    number.filter(|number| (1..=most).contains(number)).ok_or_else(|| {
        let expected = format!("a whole number from 1 to {most}");
        parse(rule, format!("{part}={text} can't be read"), &expected)
    })
}

fn list(
    rule: &str,
    part: &str,
    text: &str,
    fits: impl Fn(i16) -> bool,
    expected: impl Fn() -> String,
) -> Result<Vec<i16>, Failure> {
    let refuse = |item: &str| {
        let message = format!("{item:?} in {part} can't be read");
        parse(rule, message, &expected())
    };
    let items: Vec<&str> = text.split(',').collect();
    if items.len() > MAX_LIST {
        return Err(Failure::TooLarge(format!("{part} holds {} values; at most {MAX_LIST} are read", items.len())));
    }
    items
        .into_iter()
        .map(|item| {
            let negative = item.starts_with('-');
            let digits = item.strip_prefix(['-', '+']).unwrap_or(item);
            let size: Option<i16> = plain(digits).and_then(|digits| digits.parse().ok());
            let number = size.map(|size| if negative { -size } else { size });
            number.filter(|n| fits(*n)).ok_or_else(|| refuse(item))
        })
        .collect()
}

fn plain(text: &str) -> Option<&str> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then_some(text)
}
