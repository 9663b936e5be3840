//! Regular expressions, compiled within the skill's limits.

use regex::{Error, Regex, RegexBuilder};

use crate::exports::bailiwick::text::tools::Failure;
use crate::limits::{MAX_COMPILED_BYTES, MAX_PATTERN_BYTES, MAX_PATTERN_NESTING};

/// Compiles a pattern, or says what is wrong with it.
pub fn compile(pattern: &str, ignore_case: bool) -> Result<Regex, Failure> {
    if pattern.len() > MAX_PATTERN_BYTES {
        return Err(Failure::TooLarge(format!(
            "`pattern` has {} bytes; at most {MAX_PATTERN_BYTES} are allowed",
            pattern.len()
        )));
    }
    RegexBuilder::new(pattern)
        .case_insensitive(ignore_case)
        .size_limit(MAX_COMPILED_BYTES)
        .nest_limit(MAX_PATTERN_NESTING)
        .build()
        .map_err(|error| explain(pattern, &error))
}

fn explain(pattern: &str, error: &Error) -> Failure {
    match error {
        Error::CompiledTooBig(limit) => Failure::TooLarge(format!(
            "`pattern` `{pattern}` needs more than {limit} bytes once compiled; use smaller repetitions"
        )),
        other => Failure::InvalidInput(format!("`pattern` is not a regular expression: {other}")),
    }
}
