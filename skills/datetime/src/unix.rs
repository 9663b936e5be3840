//! Unix time from and to text.

use crate::bindings::Failure;
use crate::failure::{out_of_range, parse};
use jiff::Timestamp;

/// Digits after the point that a nanosecond leaves room for.
const MAX_FRACTION: usize = 9;

const NANOSECONDS_A_SECOND: i128 = 1_000_000_000;
const NANOSECONDS_A_MILLISECOND: i128 = 1_000_000;

/// Reads seconds since 1970 with up to nine digits after the point.
pub fn seconds(text: &str) -> Result<Timestamp, Failure> {
    let text = text.trim();
    let refuse = || {
        let message = "the text is no number of seconds";
        parse(text, message, "Unix seconds such as 1774747800 or 1774747800.25")
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let plain = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    if !plain || fraction.len() > MAX_FRACTION {
        return Err(refuse());
    }
    let seconds: i64 = whole.parse().map_err(|_| refuse())?;
    let nanoseconds: i128 = format!("{fraction:0<MAX_FRACTION$}").parse().map_err(|_| refuse())?;
    let signed = if whole.starts_with('-') { -nanoseconds } else { nanoseconds };
    moment(text, i128::from(seconds) * NANOSECONDS_A_SECOND + signed)
}

/// Reads whole milliseconds since 1970.
pub fn milliseconds(text: &str) -> Result<Timestamp, Failure> {
    let text = text.trim();
    let milliseconds: i64 = text.parse().map_err(|_| {
        let message = "the text is no whole number of milliseconds";
        parse(text, message, "Unix milliseconds such as 1774747800000")
    })?;
    moment(text, i128::from(milliseconds) * NANOSECONDS_A_MILLISECOND)
}

/// Seconds as decimal text without needless zeros: "1774747800.25".
pub fn decimal_seconds(nanoseconds: i128) -> String {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let size = nanoseconds.unsigned_abs();
    let unit = NANOSECONDS_A_SECOND.unsigned_abs();
    let fraction = format!("{:09}", size % unit);
    match fraction.trim_end_matches('0') {
        "" => format!("{sign}{}", size / unit),
        fraction => format!("{sign}{}.{fraction}", size / unit),
    }
}

/// Milliseconds rounded down.
pub fn whole_milliseconds(timestamp: Timestamp) -> i128 {
    timestamp.as_nanosecond().div_euclid(NANOSECONDS_A_MILLISECOND)
}

fn moment(text: &str, nanoseconds: i128) -> Result<Timestamp, Failure> {
    Timestamp::from_nanosecond(nanoseconds).map_err(|_| out_of_range(text))
}
