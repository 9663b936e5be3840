//! Sizes and durations as people write them: `64 MiB`, `5 s`.

use std::time::Duration;

/// A size or a duration that can't be read, with what would have been read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUnit {
    /// Not a size.
    #[error("`{0}` is not a size: expected a whole number and B, KiB, MiB or GiB, such as `64 MiB`")]
    Size(String),
    /// Not a duration.
    #[error("`{0}` is not a duration: expected a whole number and ms, s, min or h, such as `5 s`")]
    Duration(String),
}

/// Reads a size in bytes: a whole number and `B`, `KiB`, `MiB` or `GiB`.
pub fn parse_size(text: &str) -> Result<u64, InvalidUnit> {
    let factor = |unit: &str| match unit {
        "B" => Some(1),
        "KiB" => Some(1 << 10),
        "MiB" => Some(1 << 20),
        "GiB" => Some(1 << 30),
        _ => None,
    };
    parse(text, factor).ok_or_else(|| InvalidUnit::Size(text.to_owned()))
}

/// Reads a duration: a whole number and `ms`, `s`, `min` or `h`.
pub fn parse_duration(text: &str) -> Result<Duration, InvalidUnit> {
    let factor = |unit: &str| match unit {
        "ms" => Some(1),
        "s" => Some(1_000),
        "min" => Some(60_000),
        "h" => Some(3_600_000),
        _ => None,
    };
    parse(text, factor).map(Duration::from_millis).ok_or_else(|| InvalidUnit::Duration(text.to_owned()))
}

/// Writes a size with the largest unit that keeps it whole.
pub fn format_size(bytes: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let whole = units.iter().find(|(factor, _)| bytes >= *factor && bytes.is_multiple_of(*factor));
    whole.map_or_else(|| format!("{bytes} B"), |(factor, unit)| format!("{} {unit}", bytes / factor))
}

/// Writes a duration with the largest unit that keeps it whole, in milliseconds at the least.
pub fn format_duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    let units = [(3_600_000, "h"), (60_000, "min"), (1_000, "s")];
    let whole = units.iter().find(|(factor, _)| millis >= *factor && millis.is_multiple_of(*factor));
    whole.map_or_else(|| format!("{millis} ms"), |(factor, unit)| format!("{} {unit}", millis / factor))
}

fn parse(text: &str, factor: impl Fn(&str) -> Option<u64>) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let number: u64 = text[..digits].parse().ok()?;
    number.checked_mul(factor(text[digits..].trim_start())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(parse_size("64 MiB"), Ok(64 << 20));
        assert_eq!(parse_size("1GiB"), Ok(1 << 30));
        for bad in ["", "64", "MiB", "-1 B", "1.5 MiB", "1 MB", "99999999999999 GiB"] {
            assert!(parse_size(bad).is_err(), "{bad}");
        }
        assert_eq!(format_size(64 << 20), "64 MiB");
        assert_eq!(format_size(1000), "1000 B");
    }

    #[test]
    fn durations() {
        assert_eq!(parse_duration("5 s"), Ok(Duration::from_secs(5)));
        assert_eq!(parse_duration("250ms"), Ok(Duration::from_millis(250)));
        for bad in ["", "5", "s", "5 days", "1e3 s"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
        assert_eq!(format_duration(Duration::from_secs(90)), "90 s");
    }
}
