//! Why a calculation stops before it has a result.

use crate::bindings::{Failure, ParseFailure};

/// What ends a step early.
#[derive(Debug)]
pub enum Halt {
    /// The enclosure is too wide to go on; more working digits may settle it.
    Unsettled,
    /// There is no real result. The caller knows where in its input.
    Domain(String),
    /// The result is beyond a limit.
    TooLarge(String),
}

impl Halt {
    pub fn domain(message: impl Into<String>) -> Self {
        Self::Domain(message.into())
    }

    pub fn into_failure(self) -> Failure {
        match self {
            Self::Unsettled => Failure::TooLarge(
                "the result's digits can't be settled within the working precision; ask for fewer digits".into(),
            ),
            Self::Domain(message) => Failure::Domain(message),
            Self::TooLarge(message) => Failure::TooLarge(message),
        }
    }
}

/// A failure to read `input` at a character offset.
pub fn parse_failure(input: &str, position: usize, message: impl Into<String>, expected: &[&str]) -> Failure {
    Failure::Parse(ParseFailure {
        input: input.into(),
        position: u32::try_from(position).unwrap_or(u32::MAX),
        message: message.into(),
        expected: expected.iter().map(|&text| text.into()).collect(),
    })
}
