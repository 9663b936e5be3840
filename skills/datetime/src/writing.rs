//! Moments as text.

use crate::bindings::{Failure, OutputFormat};
use crate::failure::{check_length, parse};
use crate::limits::{MAX_PATTERN, MAX_WRITTEN};
use crate::moment::iso_week;
use crate::unix;
use jiff::Zoned;
use jiff::fmt::rfc2822::DateTimePrinter;
use jiff::fmt::strtime::BrokenDownTime;
use std::fmt::Write;

pub fn write(zoned: &Zoned, format: &OutputFormat) -> Result<String, Failure> {
    match format {
        OutputFormat::Rfc3339 => Ok(rfc3339(zoned)),
        OutputFormat::Rfc9557 => Ok(zoned.to_string()),
        OutputFormat::Rfc2822 => DateTimePrinter::new().zoned_to_string(zoned).map_err(no_such_year),
        OutputFormat::Http => {
            DateTimePrinter::new().timestamp_to_rfc9110_string(&zoned.timestamp()).map_err(no_such_year)
        }
        OutputFormat::IsoDate => Ok(zoned.date().to_string()),
        OutputFormat::IsoWeek => Ok(iso_week(zoned.date())),
        OutputFormat::IsoBasic => pattern(zoned, "%Y%m%dT%H%M%S%z"),
        OutputFormat::Long => pattern(zoned, "%A, %-d %B %Y, %H:%M:%S %Z"),
        OutputFormat::UnixSeconds => Ok(unix::decimal_seconds(zoned.timestamp().as_nanosecond())),
        OutputFormat::UnixMilliseconds => Ok(unix::whole_milliseconds(zoned.timestamp()).to_string()),
        OutputFormat::Strftime(text) => pattern(zoned, text),
    }
}

/// The local time and its offset to the minute, without the zone.
pub fn rfc3339(zoned: &Zoned) -> String {
    zoned.timestamp().display_with_offset(zoned.offset()).to_string()
}

fn no_such_year(error: jiff::Error) -> Failure {
    Failure::OutOfRange(format!("the format has years from 0 to 9999 only: {error}"))
}

fn pattern(zoned: &Zoned, pattern: &str) -> Result<String, Failure> {
    check_length(pattern, "the strftime pattern", MAX_PATTERN)?;
    let mut text = Bounded::default();
    BrokenDownTime::from(zoned).format(pattern, jiff::fmt::StdFmtWrite(&mut text)).map_err(|error| {
        if text.full {
            Failure::TooLarge(format!("the pattern writes more than {MAX_WRITTEN} bytes"))
        } else {
            parse(pattern, error, "a strftime pattern such as %Y-%m-%d %H:%M:%S %z")
        }
    })?;
    Ok(text.written)
}

/// Text that refuses to grow beyond the limit.
#[derive(Default)]
struct Bounded {
    written: String,
    full: bool,
}

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        if self.written.len() + text.len() > MAX_WRITTEN {
            self.full = true;
            return Err(std::fmt::Error);
        }
        self.written.push_str(text);
        Ok(())
    }
}
