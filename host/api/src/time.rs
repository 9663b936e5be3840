//! Times as text: RFC 3339 in UTC, in files and in answers.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

/// The text is not a time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time: expected RFC 3339 in UTC, such as `2026-11-20T11:00:00Z`")]
pub struct InvalidTime(String);

/// Reads `2026-11-20T11:00:00Z`, with or without a fraction of the second.
pub fn parse(text: &str) -> Result<SystemTime, InvalidTime> {
    humantime::parse_rfc3339(text).map_err(|_| InvalidTime(text.to_owned()))
}

/// Writes `2026-11-20T11:00:00Z`, with a fraction where there is one.
pub fn format(time: SystemTime) -> String {
    written(|text| write!(text, "{}", humantime::format_rfc3339(sane(time))))
}

/// The last full second at `time`.
pub(crate) fn whole_seconds(time: SystemTime) -> SystemTime {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs())
}

/// The same in whole milliseconds, always with three digits of them.
pub(crate) fn format_millis(time: SystemTime) -> String {
    written(|text| write!(text, "{}", humantime::format_rfc3339_millis(sane(time))))
}

/// A clock may stand anywhere; before 1970 the form has no way to say so.
fn sane(time: SystemTime) -> SystemTime {
    time.max(SystemTime::UNIX_EPOCH)
}

/// The text, or behind the year 9999 the last moment that the form can say.
fn written(write: impl FnOnce(&mut String) -> std::fmt::Result) -> String {
    let mut text = String::with_capacity("2026-11-20T11:00:00.000000000Z".len());
    match write(&mut text) {
        Ok(()) => text,
        Err(_) => "9999-12-31T23:59:59Z".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn text_and_time_agree() {
        let time = UNIX_EPOCH + Duration::from_millis(1_795_172_400_123);
        assert_eq!(format(time), "2026-11-20T11:00:00.123000000Z");
        assert_eq!(format_millis(time), "2026-11-20T11:00:00.123Z");
        assert_eq!(parse("2026-11-20T11:00:00.123Z"), Ok(time));
        assert_eq!(format(parse("2026-11-20T11:00:00Z").expect("valid")), "2026-11-20T11:00:00Z");
        for bad in ["", "tomorrow", "2026-11-20", "2026-13-20T11:00:00Z", "2026-11-20T11:00:00+01:00"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_clock_that_is_off_does_no_harm() {
        assert_eq!(format(UNIX_EPOCH - Duration::from_secs(1)), "1970-01-01T00:00:00Z");
        let far = UNIX_EPOCH + Duration::from_hours(100_000_000);
        assert_eq!(format(far), "9999-12-31T23:59:59Z");
        assert_eq!(format_millis(far), "9999-12-31T23:59:59Z");
    }
}
