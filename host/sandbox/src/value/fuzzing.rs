//! The door of the fuzz targets in `fuzz/`: JSON to values and back, without a guest between.

use bailiwick_domain::wit::Field;
use serde_json::Value;

use super::{LiftError, lift, lower_arguments};

/// JSON that doesn't fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Where: a JSON Pointer into the arguments.
    pub path: String,
    /// What was expected and what was found.
    pub problem: String,
}

/// The arguments as a tool that answers each of them would give them back, as JSON
/// texts of at most `max` bytes; `None` is one that would be longer.
pub fn echo(params: &[Field], arguments: &Value, max: usize) -> Result<Vec<Option<String>>, Refused> {
    let values = lower_arguments(params, arguments)
        .map_err(|mismatch| Refused { path: mismatch.path, problem: mismatch.problem })?;
    let texts = params.iter().zip(&values).map(|(param, value)| match lift(&param.ty, value, max) {
        Ok(text) => Some(text),
        Err(LiftError::TooLarge) => None,
        Err(LiftError::Type(ty)) => panic!("what was lowered as a {ty} is none"),
    });
    Ok(texts.collect())
}
