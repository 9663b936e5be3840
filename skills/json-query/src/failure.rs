//! Failures as the interface names them.

use crate::text::{Place, shorten};
use crate::wit::{Failure, FilterProblem, JsonProblem};

pub fn invalid_json(source: &str, message: &str, place: Place) -> Failure {
    Failure::InvalidJson(JsonProblem {
        source: source.to_owned(),
        message: shorten(message),
        line: place.line,
        column: place.column,
    })
}

pub fn invalid_filter(message: &str, place: Place) -> Failure {
    Failure::InvalidFilter(FilterProblem { message: shorten(message), line: place.line, column: place.column })
}

pub fn invalid_argument(message: impl AsRef<str>) -> Failure {
    Failure::InvalidArgument(shorten(message.as_ref()))
}

pub fn duplicate_key(message: impl AsRef<str>) -> Failure {
    Failure::DuplicateKey(shorten(message.as_ref()))
}

pub fn not_found(message: impl AsRef<str>) -> Failure {
    Failure::NotFound(shorten(message.as_ref()))
}

pub fn runtime(message: impl AsRef<str>) -> Failure {
    Failure::Runtime(shorten(message.as_ref()))
}

pub fn too_large(message: impl AsRef<str>) -> Failure {
    Failure::TooLarge(shorten(message.as_ref()))
}

/// A failure as one line of text, for where there is no room for its parts.
pub fn describe(failure: &Failure) -> String {
    match failure {
        Failure::InvalidFilter(FilterProblem { message, line, column }) => {
            format!("line {line}, column {column} of the filter: {message}")
        }
        Failure::InvalidJson(JsonProblem { source, message, line, column }) => {
            format!("{source} is not JSON at line {line}, column {column}: {message}")
        }
        Failure::InvalidArgument(message)
        | Failure::DuplicateKey(message)
        | Failure::NotFound(message)
        | Failure::Runtime(message)
        | Failure::TooLarge(message) => message.clone(),
    }
}
