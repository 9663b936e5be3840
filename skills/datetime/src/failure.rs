//! Failures in the words of the interface.

use crate::bindings::{Failure, ParseFailure, UnsupportedPart};
use std::fmt::Display;

/// Text that can't be read, with what would have been.
pub fn parse(input: &str, message: impl Display, expected: &str) -> Failure {
    Failure::Parse(ParseFailure { input: input.into(), message: message.to_string(), expected: expected.into() })
}

/// A part of a rule that isn't supported.
pub fn unsupported(part: &str, reason: &str) -> Failure {
    Failure::Unsupported(UnsupportedPart { part: part.into(), reason: reason.into() })
}

/// Refuses text beyond a limit before anything reads it.
pub fn check_length(text: &str, what: &str, limit: usize) -> Result<(), Failure> {
    if text.len() <= limit {
        return Ok(());
    }
    Err(Failure::TooLarge(format!("{what} has {} bytes; at most {limit} are read", text.len())))
}

/// A moment or date beyond the calendar.
pub fn out_of_range(what: &str) -> Failure {
    Failure::OutOfRange(format!("{what} is beyond the calendar, which runs from -9999-01-02 to 9999-12-30"))
}
