//! From a unit's spelling to its meaning.

use super::prefix::{PREFIXES, Prefix};
use super::table::{AMBIGUOUS, Entry, Prefixes, UNITS};
use crate::bindings::UnknownUnit;
use crate::decimal;
use crate::suggest;
use dashu_ratio::RBig;

/// Words before a unit that raise it to a power.
const POWER_WORDS: &[(&str, i32)] = &[("square ", 2), ("sq ", 2), ("sq", 2), ("cubic ", 3), ("cu ", 3), ("cu", 3)];

/// A unit with its prefix, and the power that words such as "square" gave it.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    pub entry: &'static Entry,
    pub prefix: Option<&'static Prefix>,
    pub exponent: i32,
}

/// A rational number times a power of pi.
#[derive(Clone, Debug)]
pub struct Factor {
    pub ratio: RBig,
    pub pi: i32,
}

/// Finds a unit by symbol or name, with or without prefix, plural or "square".
pub fn find(word: &str) -> Option<Found> {
    if AMBIGUOUS.iter().any(|(spelling, _)| *spelling == word) {
        return None;
    }
    by_symbol(word).or_else(|| by_name(&normal(word))).or_else(|| raised(word))
}

/// The units whose spelling is near that of one that isn't known.
pub fn unknown(word: &str) -> UnknownUnit {
    let known = AMBIGUOUS.iter().find(|(spelling, _)| *spelling == word);
    let suggestions = match known {
        Some((_, meanings)) => meanings.iter().map(|&unit| unit.into()).collect(),
        None => {
            let spellings = spellings();
            suggest::nearest(&normal(word), spellings.iter().map(String::as_str))
        }
    };
    UnknownUnit { unit: word.into(), suggestions }
}

/// Reads a factor of the table: decimal numbers and `pi` joined by `*` and `/`.
pub fn factor(text: &str) -> Option<Factor> {
    let mut total = Factor { ratio: RBig::ONE, pi: 0 };
    let mut divides = false;
    for part in text.split_inclusive(['*', '/']) {
        let operand = part.trim_end_matches(['*', '/']);
        let sign = if divides { -1 } else { 1 };
        if operand == "pi" {
            total.pi += sign;
        } else {
            let ratio = decimal::parse(operand, "factor").ok()?;
            total.ratio = if divides { total.ratio / ratio } else { total.ratio * ratio };
        }
        divides = part.ends_with('/');
    }
    Some(total)
}

fn by_symbol(word: &str) -> Option<Found> {
    let plain = UNITS.iter().find(|entry| entry.symbols.contains(&word));
    if let Some(entry) = plain {
        return Some(found(entry, None));
    }
    prefixed(word, |prefix| prefix.symbols, |entry, rest| entry.symbols.contains(&rest))
}

fn by_name(word: &str) -> Option<Found> {
    let singular = word.strip_suffix('s').unwrap_or(word);
    let named = |entry: &Entry, word: &str| {
        let singular = word.strip_suffix('s').unwrap_or(word);
        entry.names.iter().any(|name| *name == word || *name == singular)
    };
    let plain = UNITS.iter().find(|entry| named(entry, word) || named(entry, singular));
    if let Some(entry) = plain {
        return Some(found(entry, None));
    }
    prefixed(word, |prefix| prefix.names, named)
}

fn prefixed(
    word: &str,
    spellings: impl Fn(&'static Prefix) -> &'static [&'static str],
    is_unit: impl Fn(&Entry, &str) -> bool,
) -> Option<Found> {
    PREFIXES.iter().find_map(|prefix| {
        spellings(prefix).iter().find_map(|spelling| {
            let rest = word.strip_prefix(spelling)?;
            let entry = UNITS.iter().find(|entry| takes(entry, prefix) && is_unit(entry, rest))?;
            Some(found(entry, Some(prefix)))
        })
    })
}

fn takes(entry: &Entry, prefix: &Prefix) -> bool {
    match entry.prefixes {
        Prefixes::None => false,
        Prefixes::Metric => !prefix.scale.is_binary(),
        Prefixes::Data => prefix.scale.is_binary() || prefix.scale.is_thousandfold(),
    }
}

fn raised(word: &str) -> Option<Found> {
    POWER_WORDS.iter().find_map(|(power, exponent)| {
        let start = word.get(..power.len())?;
        if !start.eq_ignore_ascii_case(power) {
            return None;
        }
        let rest = word[power.len()..].trim();
        let unit = by_symbol(rest).or_else(|| by_name(&normal(rest)))?;
        Some(Found { exponent: *exponent, ..unit })
    })
}

fn found(entry: &'static Entry, prefix: Option<&'static Prefix>) -> Found {
    Found { entry, prefix, exponent: 1 }
}

/// Names are compared in lower case with single spaces for what divides words.
fn normal(word: &str) -> String {
    let words: Vec<&str> =
        word.split(|c: char| c.is_whitespace() || c == '-' || c == '_').filter(|part| !part.is_empty()).collect();
    words.join(" ").to_lowercase()
}

/// Every spelling there is, but no prefixes that nobody writes.
fn spellings() -> Vec<String> {
    let mut all = Vec::new();
    for entry in UNITS {
        all.extend(entry.symbols.iter().chain(entry.names).map(|&word| word.into()));
        for prefix in PREFIXES.iter().filter(|prefix| takes(entry, prefix)) {
            all.push(format!("{}{}", prefix.symbols[0], entry.symbols[0]));
            all.push(format!("{}{}", prefix.names[0], entry.names[0]));
        }
    }
    all
}
